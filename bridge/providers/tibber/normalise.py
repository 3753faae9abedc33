"""From Tibber's JSON to our words: pure. One odd row is logged and left out; an odd whole is Malformed."""

import logging
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.models.price import HOUR, QUARTER_HOUR, Curve, Slot, split
from bridge.models.reading import Reading
from bridge.models.site import Site

log = logging.getLogger(__name__)

Json = dict[str, Any]

MOST_DIGITS = 9  # before the point: no price and no hour of energy has more
FALLBACK_ZONE = "Europe/Oslo"  # where Tibber is at home
FALLBACK_TITLE = "home"
LATE_ZEROS = timedelta(hours=24)  # consumption of the newest hours comes as 0 until it is known


def site(home: Json, *, personal: bool) -> Site:
    """Return the site that a home is. Address and numbers only where `personal`."""
    metering = home.get("meteringPointData") or {}
    subscription = home.get("currentSubscription") or {}
    current = (subscription.get("priceInfo") or {}).get("current") or {}
    return Site(
        id=str(home["id"]),
        title=_text(home.get("appNickname")) or FALLBACK_TITLE,
        timezone=_zone(home.get("timeZone")),
        currency=currency(current.get("currency")),
        price_area=metering.get("priceAreaCode"),
        streams=("import", "export") if metering.get("productionEan") else ("import",),
        personal=_personal(home) if personal else None,
    )


def curve(rows: Iterable[object], resolution: timedelta) -> Curve:
    """Return the curve of price rows of one `resolution`; whole hours are cut into quarters. Rows may repeat."""
    slots: dict[datetime, Slot] = {}
    money: str | None = None
    for row in rows:
        if (slot := _slot(row, resolution)) is not None:
            money = money or currency(row.get("currency") if isinstance(row, dict) else None)
            slots.update((piece.start, piece) for piece in split(slot, QUARTER_HOUR))
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


def _slot(row: object, length: timedelta) -> Slot | None:
    try:
        total, start = row["total"], row["startsAt"]  # type: ignore[index]
        if total is None:
            return None
        begin = _instant(start)
        level = row.get("level")  # type: ignore[attr-defined]
        return Slot(begin, begin + length, _number(total), str(level).lower() if level else None)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("a price row of Tibber's is left out: %s: %s", type(error).__name__, error)
        return None


def _energies(rows: Sequence[object], key: str, direction: str, moment: datetime) -> list[Reading]:
    found = []
    for row in rows:
        try:
            value, start, end = row[key], _instant(row["from"]), _instant(row["to"])  # type: ignore[index]
            if value is None or end > moment:
                continue
            unit = row.get(f"{key}Unit") or "kWh"  # type: ignore[attr-defined]
            reading = Reading(
                meter=direction, quantity="energy", value=_number(value), unit=unit, start=start, end=end,
                direction=direction, resolution=HOUR, aggregation="sum",
            )  # fmt: skip
            found.append(reading)
        except (KeyError, TypeError, ValueError) as error:
            log.warning("a %s row of Tibber's is left out: %s: %s", key, type(error).__name__, error)
    return sorted(found, key=_end)


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
    number = Decimal(value)
    if number.adjusted() >= MOST_DIGITS or number.adjusted() < -MOST_DIGITS:
        raise ValueError("a number beyond all reason")
    return number


def _zone(name: object) -> str:
    try:
        return ZoneInfo(str(name)).key
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        log.warning("Tibber names an unknown time zone %r; its days are counted in %s", name, FALLBACK_ZONE)
        return FALLBACK_ZONE


def _text(value: object) -> str:
    """Return `value` as text that can be encoded: half a surrogate pair cannot."""
    return str(value or "").encode("utf-8", "replace").decode()


def _personal(home: Json) -> dict[str, str]:
    metering = home.get("meteringPointData") or {}
    numbers = {"consumption_ean": metering.get("consumptionEan"), "production_ean": metering.get("productionEan")}
    facts = {**(home.get("address") or {}), **numbers}
    return {key: _text(value) for key, value in facts.items() if value}
