"""The account's figures and what the provider announces: balance, points, saving sessions, free electricity, greener nights.

The balance comes in pence, a credit positive; points as a string, the newest entry first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bridge.errors import Malformed
from bridge.models.figure import Figure
from bridge.models.schedule import Schedule, Span
from bridge.providers.octopus.household import PENCE
from bridge.providers.octopus.raw import each, instant, number
from bridge.providers.octopus.tenants import Tenant
from bridge.transport.graphql import Json

SAVING_SESSIONS, FREE_ELECTRICITY, GREENER_NIGHTS = "saving-sessions", "free-electricity", "greener-nights"
NIGHT_BEGINS, NIGHT_ENDS = time(23), time(6)  # of a greener night, local


def balance(data: Json, currency: str, moment: datetime) -> Figure:
    """Return the balance in the major unit. Raises Malformed."""
    value = (data.get("account") or {}).get("balance")
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed("the answer holds no balance")
    return Figure(name="balance", value=number(value) / PENCE, currency=currency, at=moment.replace(microsecond=0))


def points(data: Json, moment: datetime) -> Figure | None:
    """Return the Octopoints; None of an account that collects none."""
    entries = data.get("loyaltyPointLedgers") or ()
    found = each(entries[:1], "loyalty point entry", lambda entry: number(entry["balanceCarriedForward"]))
    return Figure(name="points", value=found[0], unit="points", at=moment.replace(microsecond=0)) if found else None


def saving_sessions(data: Json) -> Schedule:
    """Return the saving sessions of the customer's region, and whether each has been joined. Raises Malformed."""
    sessions = data.get("savingSessions")
    if not isinstance(sessions, dict) or not isinstance(sessions.get("events"), list):
        raise Malformed("the answer holds no saving sessions")
    account = sessions.get("account") or {}
    joined = {str(event["eventId"]): event for event in account.get("joinedEvents") or () if (event or {}).get("eventId")}
    region = (account.get("signedUpMeterPoint") or {}).get("regionId")
    spans = each(sessions.get("events"), "saving session", lambda event: _session(event, joined, region))
    told = {str(event["id"]) for event in sessions.get("events") or () if isinstance(event, dict) and event.get("id")}
    past = [event for id_, event in joined.items() if id_ not in told and event.get("startAt")]  # no longer announced
    return _schedule(SAVING_SESSIONS, [*spans, *each(past, "joined session", _joined)])


def free_electricity(nodes: list[Json]) -> Schedule:
    return _schedule(FREE_ELECTRICITY, each(nodes, "free electricity session", _event))


def greener_nights(data: Json, tenant: Tenant) -> Schedule:
    """Return the nights that are forecast to be greener, from 23:00 to 06:00 local. Raises Malformed."""
    nights = data.get("greenerNightsForecast")
    if not isinstance(nights, list):
        raise Malformed("the answer holds no forecast of greener nights")
    return _schedule(GREENER_NIGHTS, each(nights, "greener night", lambda night: _night(night, tenant)))


def _schedule(kind: str, spans: list[Span]) -> Schedule:
    return Schedule(kind=kind, spans=tuple(sorted(spans, key=lambda span: (span.start, span.end))))


def _session(event: Json, joined: Json, region: object) -> Span | None:
    if event.get("devEvent"):
        return None
    targets = [target.get("regionId") for target in event.get("targetRegion") or () if isinstance(target, dict)]
    if targets and region is not None and str(region) not in map(str, targets):
        return None
    mine = joined.get(str(event.get("id")))
    return _span(event, dict(_facts(event, mine)))


def _joined(event: Json) -> Span:
    return _span(event, dict(_facts({}, event)))


def _facts(event: Json, mine: Json | None) -> Iterator[tuple[str, Any]]:
    if event.get("code"):
        yield "code", str(event["code"])
    if event.get("rewardPerKwhInOctoPoints") is not None:
        yield "points_per_kwh", int(event["rewardPerKwhInOctoPoints"])
    yield "joined", mine is not None
    if mine is not None and mine.get("rewardGivenInOctoPoints") is not None:
        yield "points", int(mine["rewardGivenInOctoPoints"])


def _event(node: Json) -> Span:
    return _span(node, {"code": str(node["code"])} if node.get("code") else {})


def _span(event: Json, facts: dict[str, Any]) -> Span:
    start, end = instant(event["startAt"]), instant(event["endAt"])
    if end <= start:
        raise ValueError("a session ends before it begins")
    return Span(start=start, end=end, facts=facts)


def _night(night: Json, tenant: Tenant) -> Span | None:
    if not night.get("isGreenerNight"):
        return None
    day = date.fromisoformat(str(night["date"]))
    begin = datetime.combine(day, NIGHT_BEGINS, tenant.zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), NIGHT_ENDS, tenant.zone).astimezone(UTC)
    told = {"score": night.get("greennessScore"), "index": night.get("greennessIndex")}
    return Span(start=begin, end=end, facts={key: value for key, value in told.items() if value is not None})
