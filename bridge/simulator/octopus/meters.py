"""What the meters measured: half-hours of electricity and gas, and the live values that a Home Mini passes on.

The same half-hour always has the same value, and the live counters add up to the half-hours.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from bridge.simulator.days import midnight
from bridge.simulator.octopus.homes import KWH, Meter, MeterPoint, Supply
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.products import current, find
from bridge.simulator.octopus.times import EARLIEST, LONDON, asked, half_hours, read_until, stamp
from bridge.simulator.prices import is_sunny

DAY = 48  # half-hours
KWH_PER_CUBIC_METRE = Decimal("11.2")
GROUPINGS = {"TEN_SECONDS": 10, "ONE_MINUTE": 60, "FIVE_MINUTES": 300, "HALF_HOURLY": 1800, "HOURLY": 3600}
LIVE_S = GROUPINGS["TEN_SECONDS"]
MOST_LIVE = 10_000  # rows of one answer


@dataclass(frozen=True)
class HalfHour:
    """What one meter measured in the half-hour from `start`, in the unit of its readings."""

    start: datetime
    value: Decimal


def readings(point: MeterPoint, meter: Meter, begin: datetime, end: datetime, moment: datetime) -> list[HalfHour]:
    """Return the half-hours that start in [begin, end) and have arrived."""
    until = min(end, read_until(moment))
    if meter.active_to is not None:
        until = min(until, midnight(meter.active_to, LONDON))
    since = max(begin, midnight(meter.active_from, LONDON), EARLIEST)
    starts = (start for start in half_hours(since, until) if start >= since and start not in meter.holes)
    return [HalfHour(start, value(point, meter, start)) for start in starts]


def value(point: MeterPoint, meter: Meter, start: datetime) -> Decimal:
    """Return the value of a half-hour: kWh, or of gas what the meter counts in."""
    measured = Decimal(_thousandths(point.supply, point.number, start)).scaleb(-3)
    in_kwh = point.supply is Supply.GAS and meter.unit == KWH
    return (measured * KWH_PER_CUBIC_METRE).quantize(Decimal("0.001")) if in_kwh else measured


def smart_meter_telemetry(
    visit: Visit, device_id: str, start: str | None = None, end: str | None = None, grouping: str | None = None
) -> list[dict[str, Any]]:
    """Return the rows of the smart meter, the newest alone where no range is asked for; none without a Home Mini."""
    points = [point for point in visit.platform.points() if any(meter.device_id == device_id for meter in point.meters)]
    shown: dict[Supply, MeterPoint] = {point.supply: point for point in points if point.supply is not Supply.GAS}
    if not visit.platform.home_mini or not shown:
        return []
    length = GROUPINGS[grouping or "TEN_SECONDS"]
    newest = int(visit.moment.timestamp()) // LIVE_S * LIVE_S
    begin, until = asked(start), asked(end)
    if begin is None and until is None:
        return [_live(visit, shown, newest - LIVE_S, LIVE_S)]
    first = -(-int((begin or visit.moment - timedelta(days=1)).timestamp()) // length) * length
    last = min(newest, int(until.timestamp()) if until else newest)
    return [_live(visit, shown, at, min(length, newest - at)) for at in range(first, last, length)][:MOST_LIVE]


def _live(visit: Visit, points: dict[Supply, MeterPoint], at: int, length: int) -> dict[str, Any]:
    begin, end = (datetime.fromtimestamp(second, UTC) for second in (at, at + length))
    taken, given = points.get(Supply.IMPORT), points.get(Supply.EXPORT)
    delta = _counted(taken, end) - _counted(taken, begin)
    out = _counted(given, end) - _counted(given, begin)
    cost = _cost(visit, taken, begin, delta)
    return {
        "readAt": stamp(begin),
        "consumption": _decimal(_counted(taken, begin)),
        "demand": _decimal((delta - out) * 3600 / length),
        "consumptionDelta": _decimal(delta),
        "costDelta": None if cost is None else _decimal(cost[0]),
        "costDeltaWithTax": None if cost is None else _decimal(cost[1]),
        "export": _decimal(_counted(given, begin)) if given else None,
    }


def _cost(visit: Visit, point: MeterPoint | None, moment: datetime, delta: Decimal) -> tuple[Decimal, Decimal] | None:
    """Return what `delta` Wh cost in pence, without VAT and with it."""
    agreements = [each for each in point.agreements if each.holds(moment)] if point else []
    found = find(agreements[-1].tariff) if agreements else None
    rate = current(found[0].effective, found[1], visit.published._replace(moment=moment)) if found else None
    return (rate.net * delta / 1000, rate.gross * delta / 1000) if rate else None


def _decimal(value: Decimal) -> str:
    return f"{value:.4f}"


def _counted(point: MeterPoint | None, moment: datetime) -> Decimal:
    """Return what a counter shows, in Wh."""
    if point is None:
        return Decimal()
    ordinal, start = moment.toordinal(), moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)
    today = _day(point.supply, point.number, ordinal)
    index = start.hour * 2 + start.minute // 30
    share = Decimal((moment - start).seconds) / 1800
    return _before(point.supply, point.number, ordinal) + sum(today[:index]) + today[index] * share


def _before(supply: Supply, name: str, ordinal: int) -> Decimal:
    """What had been counted when a UTC day began: 1 MWh, and every day since the earliest."""
    days = _running(supply, name)
    for missing in range(EARLIEST.toordinal() + len(days) - 1, ordinal):
        days.append(days[-1] + sum(_day(supply, name, missing)))
    return Decimal(days[ordinal - EARLIEST.toordinal()])


@lru_cache(maxsize=64)
def _running(_supply: Supply, _name: str) -> list[int]:
    return [1_000_000]


def _thousandths(supply: Supply, name: str, start: datetime) -> int:
    return _day(supply, name, start.toordinal())[start.hour * 2 + start.minute // 30]


@lru_cache(maxsize=4096)
def _day(supply: Supply, name: str, ordinal: int) -> tuple[int, ...]:
    """The half-hours of a UTC day in Wh, of gas in litres."""
    shape = {Supply.IMPORT: _used, Supply.EXPORT: _made, Supply.GAS: _burnt}[supply]
    sunny = is_sunny(ordinal, "sun")
    chance = hashlib.shake_128(f"{name}|{ordinal}".encode()).digest(DAY)
    return tuple(round(shape(index / 2, sunny=sunny) * (700 + 600 * chance[index] / 255)) for index in range(DAY))


def _used(hour: float, *, sunny: bool) -> float:
    own_sun = 0.5 if sunny and 10 <= hour < 15 else 1.0  # noqa: PLR2004 - the panels carry a part of the day
    return own_sun * (0.12 + 0.5 * _bell(hour, 7.5, 1.2) + 0.9 * _bell(hour, 18.5, 1.6))


def _made(hour: float, *, sunny: bool) -> float:
    height = math.cos((hour - 12) / 24 * 2 * math.pi)
    return max(height - 0.2, 0.0) * (2.2 if sunny else 0.6)


def _burnt(hour: float, *, sunny: bool) -> float:
    return (0.02 if sunny else 0.05) + 0.3 * _bell(hour, 7, 1) + 0.35 * _bell(hour, 19, 2)


def _bell(hour: float, peak: float, width: float) -> float:
    return math.exp(-(((hour - peak) / width) ** 2) / 2)
