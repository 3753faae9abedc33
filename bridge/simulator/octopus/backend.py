"""The provider's own gateway, which is another host in truth: saving sessions, greener nights, the wheel of fortune.

It takes the tokens of Kraken, but bare ones only. Its times have London's offset.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from graphql import build_schema

from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.faults import OctopusFault
from bridge.simulator.octopus.graphql import RootField
from bridge.simulator.octopus.homes import Account, number
from bridge.simulator.octopus.platform import SCHEME, Visit
from bridge.simulator.octopus.times import LONDON, at, stamp, today

SDL = """
schema { query: Query mutation: Mutation }

scalar Date
scalar DateTime

type Query {
  savingSessions: SavingSessions
  greenerNightsForecast: [GreenerNight]
  wheelOfFortuneSpinsAllowed(fuelType: FuelType!, accountNumber: String!): WheelOfFortuneSpins
}

type Mutation {
  joinSavingSessionsEvent(input: JoinSavingSessionsEventInput!): JoinSavingSessionsEvent
}

type SavingSessions {
  events(includeDev: Boolean): [SavingSessionEvent]
  account(accountNumber: String!): SavingSessionsAccount
}

type SavingSessionEvent {
  id: ID
  code: String
  startAt: DateTime
  endAt: DateTime
  rewardPerKwhInOctoPoints: Int
  devEvent: Boolean
  targetRegion: [SavingSessionRegion]
}

type SavingSessionRegion { regionId: ID }

type SavingSessionsAccount {
  hasJoinedCampaign: Boolean
  signedUpMeterPoint: SavingSessionRegion
  joinedEvents: [JoinedSavingSession]
}

type JoinedSavingSession { eventId: ID startAt: DateTime endAt: DateTime rewardGivenInOctoPoints: Int }

input JoinSavingSessionsEventInput { accountNumber: String! eventCode: String! }

type JoinSavingSessionsEvent { joinedEventCodes: [String] }

type GreenerNight { date: Date isGreenerNight: Boolean greennessScore: Int greennessIndex: String }

enum FuelType { ELECTRICITY GAS }

type WheelOfFortuneSpins { spinsAllowed: Int }
"""

SCHEMA = build_schema(SDL)

WEEK = timedelta(days=7)
SESSION_DAY, SESSION_FROM, SESSION = 2, time(17, 30), timedelta(hours=1)  # Wednesdays
LISTED = 5  # sessions: the next one, and those before it
REGION, OTHER_REGION = "3", "14"
NIGHTS = 7
GREEN, HALF_GREEN = 60, 40  # of 100


class SavingSessions:
    """One session a week. Every fifth is for another region, every second of the past ones was joined."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def events(self, *, include_dev: bool | None = None) -> list[dict[str, Any]]:
        days = [*_days(self._visit.moment), *([_days(self._visit.moment)[-1]] if include_dev else [])]
        return [_event(day, dev=place >= LISTED) for place, day in enumerate(days)]

    def account(self, account_number: str) -> dict[str, Any]:
        account = self._visit.platform.account(account_number)
        joined = [_joined(self._visit, day) for day in _days(self._visit.moment) if _has_joined(self._visit, account, day)]
        there = account.in_campaign
        return {
            "hasJoinedCampaign": there,
            "signedUpMeterPoint": {"regionId": REGION} if there else None,
            "joinedEvents": joined if there else [],
        }


def _days(moment: datetime) -> list[date]:
    """Return the days of the sessions, in order; the last is still to come, or runs."""
    day = today(moment)
    coming = day + timedelta(days=(SESSION_DAY - day.weekday()) % 7)
    if moment >= at(coming, SESSION_FROM) + SESSION:
        coming += WEEK
    return [coming - WEEK * age for age in range(LISTED - 1, -1, -1)]


def _code(day: date, *, dev: bool = False) -> str:
    return f"{'DEV' if dev else 'EVENT'}_{day:%Y%m%d}"


def _event(day: date, *, dev: bool = False) -> dict[str, Any]:
    begin, week = at(day, SESSION_FROM), day.toordinal() // 7
    return {
        "id": str(2 * week + dev),
        "code": _code(day, dev=dev),
        "startAt": stamp(begin, LONDON),
        "endAt": stamp(begin + SESSION, LONDON),
        "rewardPerKwhInOctoPoints": 400 + 8 * number(day, "reward", below=100),
        "devEvent": dev,
        "targetRegion": [{"regionId": OTHER_REGION}] if week % 5 == 0 else None,
    }


def _has_joined(visit: Visit, account: Account, day: date) -> bool:
    past = at(day, SESSION_FROM) + SESSION <= visit.moment
    usually = past and _event(day)["targetRegion"] is None and day.toordinal() // 7 % 2 == 0
    return usually or f"{account.number} {_code(day)}" in visit.platform.joined


def _joined(visit: Visit, day: date) -> dict[str, Any]:
    event = _event(day)
    ended = at(day, SESSION_FROM) + SESSION <= visit.moment
    reward = event["rewardPerKwhInOctoPoints"] // 4 if ended else None
    return {"eventId": event["id"], "startAt": event["startAt"], "endAt": event["endAt"], "rewardGivenInOctoPoints": reward}


def saving_sessions(visit: Visit) -> SavingSessions:
    return SavingSessions(visit)


def greener_nights_forecast(visit: Visit) -> list[dict[str, Any]]:
    """Return tonight and the six nights after it."""
    return [_night(today(visit.moment) + timedelta(days=late)) for late in range(NIGHTS)]


def _night(day: date) -> dict[str, Any]:
    score = number(day, "green", below=101)
    index = "HIGH" if score >= GREEN else "MEDIUM" if score >= HALF_GREEN else "LOW"
    return {"date": day.isoformat(), "isGreenerNight": score >= GREEN, "greennessScore": score, "greennessIndex": index}


def wheel_of_fortune_spins_allowed(visit: Visit, fuel_type: str, account_number: str) -> dict[str, int]:
    visit.platform.account(account_number)
    return {"spinsAllowed": number(today(visit.moment).replace(day=1), fuel_type, below=3)}


def join_saving_sessions_event(visit: Visit, input: Mapping[str, Any]) -> dict[str, list[str]]:  # noqa: A002 - the provider's argument
    """Join the session that is to come; raises GraphQLError for any other, and for who is not in the campaign."""
    account, code = visit.platform.account(input["accountNumber"]), input["eventCode"]
    days = _days(visit.moment)
    if not account.in_campaign:
        raise kraken_error("KT-GB-5116")
    if code not in [_code(day) for day in days]:
        raise kraken_error("KT-GB-5114")
    if code != _code(days[-1]) or visit.moment >= at(days[-1], SESSION_FROM):
        raise kraken_error("KT-GB-5115")
    if _event(days[-1])["targetRegion"] is not None:
        raise kraken_error("KT-GB-5117")
    visit.platform.joined.add(f"{account.number} {code}")
    visit.write("joinSavingSessionsEvent", input)
    return {"joinedEventCodes": [code]}


ROOT: Mapping[str, RootField] = {
    "saving_sessions": saving_sessions,
    "greener_nights_forecast": greener_nights_forecast,
    "wheel_of_fortune_spins_allowed": wheel_of_fortune_spins_allowed,
    "join_saving_sessions_event": join_saving_sessions_event,
}


def refused(visit: Visit) -> bool:
    """Tell whether the gateway does not know the visitor; a scheme before the token is already too much."""
    return visit.authorisation.startswith(SCHEME) or visit.refusal() is not None


def admit(visit: Visit, field: str) -> None:
    """Let the visitor in to a field, or raise GraphQLError."""
    fault = visit.met.fault
    if fault is OctopusFault.RATE_LIMITED or (fault is OctopusFault.RATE_LIMITED_FIELD and visit.met.field == field):
        raise kraken_error("KT-CT-1199")
    if fault is OctopusFault.UNAUTHORIZED_FIELD and visit.met.field == field:
        raise kraken_error("KT-CT-1111")
    if fault is OctopusFault.EXPIRED or refused(visit):
        raise kraken_error("OE-0103")
