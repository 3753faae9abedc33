"""From Tibber's JSON to our words: pure. One odd row is left out, with one line for all; an odd home is a shortfall."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bridge.errors import Malformed
from bridge.models.observation import Observation, Shortfall
from bridge.models.price import HOUR, QUARTER_HOUR, Curve, Slot, sane, split
from bridge.models.reading import Reading
from bridge.models.site import Site

log = logging.getLogger(__name__)

Json = dict[str, Any]
T = TypeVar("T")

FALLBACK_ZONE = "Europe/Oslo"  # where Tibber is at home
FALLBACK_TITLE = "home"
LATE_ZEROS = timedelta(hours=24)  # consumption of the newest hours comes as 0 until it is known
FARTHEST = timedelta(days=8)  # from now: what was asked for lies nearer
ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError, ValidationError)


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
    priced = _each(rows, "price", lambda row: _slot(row, resolution, moment))
    money = next((money for _, money in reversed(priced) if money), None)
    pieces = (piece for slot, own in priced if own in (money, None) for piece in split(slot, QUARTER_HOUR))
    slots = {piece.start: piece for piece in pieces}
    ordered = tuple(slots[start] for start in sorted(slots))
    return Curve(currency=money, slots=ordered, source_resolution=resolution)


def consumption(rows: Sequence[object], moment: datetime) -> Reading | None:
    """Return the newest hour of `rows` that is over and known, or None.

    A run of zeros at the end is not taken for known before it is a day old.
    """
    known = _energies(rows, "consumption", "import", moment)
    while known and not known[-1].value and moment - _end(known[-1]) < LATE_ZEROS:
        known.pop()
    return known[-1] if known else None


def production(rows: Sequence[object], moment: datetime) -> Reading | None:
    """Return the newest hour of `rows` that is over and known, or None; null is unknown, 0 is a dark hour."""
    known = _energies(rows, "production", "export", moment)
    return known[-1] if known else None


def currency(value: object) -> str | None:
    """Return an ISO 4217 code, or None: a contract that has not begun says `N/A`."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) else None


def _each(rows: Iterable[object], what: str, read: Callable[[Any], T | None]) -> list[T]:
    """Return what `read` makes of each row; the ones that it cannot read are left out, with one line for all of them."""
    found: list[T] = []
    odd: list[Exception] = []
    for row in rows:
        try:
            value = read(row)
        except ODD as error:
            odd.append(error)
            continue
        if value is not None:
            found.append(value)
    if odd:
        log.warning("%d %s row(s) of Tibber's are left out, the first for %s", len(odd), what, type(odd[0]).__name__)
        log.debug("the first %s row left out", what, exc_info=odd[0])
    return found


def _slot(row: Any, length: timedelta, moment: datetime) -> tuple[Slot, str | None] | None:
    total, begin = row["total"], _instant(row["startsAt"])
    if total is None:
        return None
    if abs(begin - moment) > FARTHEST or begin.timestamp() % QUARTER_HOUR.total_seconds():
        raise ValueError(f"{begin} is far off, or no quarter-hour begins then")
    level = row.get("level")
    slot = Slot(begin, begin + length, _number(total), str(level).lower() if level else None)
    return slot, currency(row.get("currency"))


def _energies(rows: Sequence[object], key: str, direction: str, moment: datetime) -> list[Reading]:
    def read(row: Any) -> Reading | None:
        value, start, end = row[key], _instant(row["from"]), _instant(row["to"])
        if value is None or end > moment:
            return None
        return Reading(
            meter=direction, quantity="energy", value=_number(value), unit=row.get(f"{key}Unit") or "kWh",
            start=start, end=end, direction=direction, resolution=HOUR, aggregation="sum",
        )  # fmt: skip

    return sorted(_each(rows, key, read), key=_end)


def _end(reading: Reading) -> datetime:
    assert reading.end is not None
    return reading.end


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"{value!r} is not a number")
    return sane(Decimal(value))


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
