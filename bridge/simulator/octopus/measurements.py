"""`measurements` of a property: its half-hours, or sums of them, with what they cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from bridge.simulator.days import Resolution, floor, midnight, shift
from bridge.simulator.octopus.homes import KWH, Meter, MeterPoint, Property, Supply
from bridge.simulator.octopus.meters import HalfHour, readings
from bridge.simulator.octopus.paging import Cursors, connection
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.products import current, find
from bridge.simulator.octopus.tariffs import Rate
from bridge.simulator.octopus.times import EARLIEST, HALF_HOUR, asked, day_of, stamp, zone_of

LONGER = {
    "HOUR_INTERVAL": Resolution.HOURLY,
    "DAY_INTERVAL": Resolution.DAILY,
    "WEEK_INTERVAL": Resolution.WEEKLY,
    "MONTH_INTERVAL": Resolution.MONTHLY,
}
HALVES = ("RAW_INTERVAL", "THIRTY_MIN_INTERVAL")
SUPPLIES = {"CONSUMPTION": Supply.IMPORT, "GENERATION": Supply.EXPORT}
DEFAULT_FILTERS: list[dict[str, Any]] = [{"electricityFilters": {}}]


class MeasurementArguments(Cursors, total=False):
    """The arguments of the field."""

    start_at: str | None
    end_at: str | None
    start_on: str | None
    end_on: str | None
    timezone: str | None
    utility_filters: list[dict[str, Any]] | None


@dataclass(frozen=True)
class Interval:
    """One row: what a meter measured over [start, end)."""

    point: MeterPoint
    meter: Meter
    start: datetime
    end: datetime
    value: Decimal


def measurements(visit: Visit, home: Property, arguments: MeasurementArguments) -> dict[str, Any]:
    """Return a page of the property's intervals in the order of time, one filter's after another's."""
    zone = zone_of(arguments.get("timezone") or "Europe/London")
    begin = max(asked(arguments.get("start_at")) or EARLIEST, _first(arguments.get("start_on"), zone, EARLIEST))
    end = min(asked(arguments.get("end_at")) or visit.moment, _first(arguments.get("end_on"), zone, visit.moment))
    rows: list[Interval] = []
    for each in arguments.get("utility_filters") or DEFAULT_FILTERS:
        rows += _rows(visit, home, each, (begin, end), zone)
    return connection(rows, lambda row: _answer(visit, row, zone), _cursors(arguments), stuck=visit.stuck)


def _cursors(arguments: MeasurementArguments) -> Cursors:
    return Cursors(first=arguments.get("first"), after=arguments.get("after"), before=arguments.get("before"))


def _first(day: str | None, zone: ZoneInfo, otherwise: datetime) -> datetime:
    return midnight(day_of(day), zone) if day else otherwise


def _rows(
    visit: Visit, home: Property, filters: dict[str, Any], span: tuple[datetime, datetime], zone: ZoneInfo
) -> list[Interval]:
    gas = filters.get("gasFilters")
    wanted: dict[str, Any] = gas if gas is not None else filters.get("electricityFilters") or {}
    supply = Supply.GAS if gas is not None else SUPPLIES[wanted.get("readingDirection") or "CONSUMPTION"]
    frequency = wanted.get("readingFrequencyType") or "RAW_INTERVAL"
    rows: list[Interval] = []
    for point, meter in _meters(home, supply, wanted):
        halves = readings(point, meter, *span, visit.moment)
        if frequency in HALVES:
            rows += [Interval(point, meter, half.start, half.start + HALF_HOUR, half.value) for half in halves]
        elif frequency in LONGER:
            rows += _sums(point, meter, halves, LONGER[frequency], zone)
    return rows


def _meters(home: Property, supply: Supply, wanted: dict[str, Any]) -> list[tuple[MeterPoint, Meter]]:
    name, device = wanted.get("marketSupplyPointId"), wanted.get("deviceId")
    return [
        (point, meter)
        for point in home.points
        for meter in point.meters
        if point.supply is supply and name in (None, point.number) and device in (None, meter.device_id)
    ]


def _sums(point: MeterPoint, meter: Meter, halves: Sequence[HalfHour], resolution: Resolution, zone: ZoneInfo) -> list[Interval]:
    key: Callable[[HalfHour], datetime] = lambda half: floor(half.start, resolution, zone)  # noqa: E731 - typed
    sums = ((start, sum((half.value for half in group), Decimal())) for start, group in groupby(halves, key))
    return [Interval(point, meter, start, shift(start, resolution, zone), value) for start, value in sums]


def _answer(visit: Visit, row: Interval, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "__typename": "IntervalMeasurementType",
        "source": "SMART_METER",
        "metaData": Costs(visit, row),
        "value": f"{row.value:.6f}",
        "unit": "kWh" if row.meter.unit == KWH else "m3",
        "readAt": stamp(row.end, zone),
        "startAt": stamp(row.start, zone),
        "endAt": stamp(row.end, zone),
        "durationInSeconds": int((row.end - row.start) / timedelta(seconds=1)),
        "accumulation": None,
    }


@dataclass(frozen=True)
class Costs:
    """What a half-hour cost, worked out only for whoever asks."""

    visit: Visit
    row: Interval

    def statistics(self) -> list[dict[str, Any]]:
        """Return the cost in pence under the agreement that was in force; nothing for a sum, nor for cubic metres."""
        row = self.row
        agreements = [each for each in row.point.agreements if each.holds(row.start)]
        known = agreements and row.end - row.start == HALF_HOUR and row.meter.unit == KWH
        found = find(agreements[-1].tariff) if known else None
        rate = current(found[0].effective, found[1], self.visit.published._replace(moment=row.start)) if found else None
        return [_statistic(row, rate)] if rate else []


def _statistic(row: Interval, rate: Rate) -> dict[str, Any]:
    kind = "GENERATION_VALUE" if row.point.supply is Supply.EXPORT else "CONSUMPTION_COST"
    net, gross = (
        {"estimatedAmount": f"{price * row.value:.16f}", "costCurrency": "GBP"} for price in (rate.net, rate.gross)
    )  # fmt: skip
    return {"type": kind, "label": kind.lower(), "description": None, "costExclTax": net, "costInclTax": gross, "value": None}
