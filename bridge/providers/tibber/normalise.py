"""From Tibber's JSON to our words: pure. One odd row is left out, with one line for all; an odd home is a shortfall."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import Malformed
from bridge.models.observation import Observation, Shortfall
from bridge.models.price import QUARTER_HOUR, Curve, Slot, split
from bridge.models.site import Site
from bridge.providers.tibber.raw import ODD, currency, each, instant, number

log = logging.getLogger(__name__)

Json = dict[str, Any]

FALLBACK_ZONE = "Europe/Oslo"  # where Tibber is at home
FALLBACK_TITLE = "home"
FARTHEST = timedelta(days=8)  # from now: what was asked for lies nearer


def homes(data: Json) -> list[Json | None]:
    """Return the homes of an answer, None for each that failed. Raises Malformed where there is no list of them."""
    viewer = data.get("viewer")
    found = viewer.get("homes") if isinstance(viewer, dict) else None
    if not isinstance(found, list):
        raise Malformed("the answer names no homes")
    return [home if isinstance(home, dict) and isinstance(home.get("id"), str) else None for home in found]


def guarded(observations: Iterator[Observation], site: Site, *, behind: bool = True) -> list[Observation]:
    """Return `observations`; where the home's JSON is of an odd shape, a shortfall instead of the rest of them."""
    found: list[Observation] = []
    try:
        found.extend(observations)
    except ODD as error:
        log.debug("home %s", site.title, exc_info=True)
        text = f"home {site.title} came in a shape that cannot be read ({type(error).__name__})"
        found.append(Shortfall(Malformed(text), site.id, behind=behind))
    return found


def site(home: Json | None, *, personal: bool) -> Site | None:
    """Return the site that a home is, None where it cannot be read. Address and numbers only where `personal`."""
    if home is None:
        return None
    try:
        metering = home.get("meteringPointData") or {}
        subscription = home.get("currentSubscription") or {}
        current = (subscription.get("priceInfo") or {}).get("current") or {}
        return Site(
            id=home["id"],
            title=home.get("appNickname") or FALLBACK_TITLE,
            timezone=_zone(home.get("timeZone")),
            currency=currency(current.get("currency")),
            price_area=metering.get("priceAreaCode"),
            streams=("import", "export") if metering.get("productionEan") else ("import",),
            personal=_personal(home) if personal else None,
        )
    except ODD as error:
        log.warning("a home of Tibber's cannot be read: %s", type(error).__name__)
        return None


def price_rows(subscription: Mapping[str, Any]) -> list[object]:
    """Return every row of prices below a subscription, the ones of today and tomorrow last: they win."""
    info = subscription.get("priceInfo") or {}
    return [*nodes(subscription, "priceInfoRange"), *(info.get("today") or ()), *(info.get("tomorrow") or ())]


def nodes(parent: Mapping[str, Any], field: str) -> list[object]:
    """Return the nodes of a connection, none where it is null."""
    return list((parent.get(field) or {}).get("nodes") or ())


def curve(rows: Iterable[object], resolution: timedelta, moment: datetime) -> Curve:
    """Return the curve of price rows of one `resolution`; whole hours are cut into quarters. Rows may repeat.

    Rows far from `moment` are left out, and rows in another currency than the last one's.
    """
    priced = each(rows, "price", lambda row: _slot(row, resolution, moment))
    money = next((money for _, money in reversed(priced) if money), None)
    pieces = (piece for slot, own in priced if own in (money, None) for piece in split(slot, QUARTER_HOUR))
    slots = {piece.start: piece for piece in pieces}
    ordered = tuple(slots[start] for start in sorted(slots))
    return Curve(currency=money, slots=ordered, source_resolution=resolution)


def _slot(row: Any, length: timedelta, moment: datetime) -> tuple[Slot, str | None] | None:
    total, begin = row["total"], instant(row["startsAt"])
    if total is None:
        return None
    if abs(begin - moment) > FARTHEST or begin.timestamp() % QUARTER_HOUR.total_seconds():
        raise ValueError(f"{begin} is far off, or no quarter-hour begins then")
    level = row.get("level")
    slot = Slot(begin, begin + length, number(total), str(level).lower() if level else None)
    return slot, currency(row.get("currency"))


def _zone(name: object) -> str:
    try:
        return ZoneInfo(str(name)).key
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        log.warning("Tibber names an unknown time zone %r; its days are counted in %s", name, FALLBACK_ZONE)
        return FALLBACK_ZONE


def _personal(home: Json) -> dict[str, str]:
    metering = home.get("meteringPointData") or {}
    numbers = {"consumption_ean": metering.get("consumptionEan"), "production_ean": metering.get("productionEan")}
    facts = {**(home.get("address") or {}), **numbers}
    return {key: str(value) for key, value in facts.items() if value}
