"""Yesterday's half-hours by GraphQL, else by REST; and what a Home Mini shows now. Gas that comes in m³ becomes kWh.

Readings of a day come on the next, some days later, and half-hours may be missing. Telemetry comes in Wh and W, negative when
exporting.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from bridge.errors import Denied, Malformed, NotFound, Refused, Unauthenticated
from bridge.models.figure import Live
from bridge.models.reading import Reading
from bridge.pricing.day import midnight
from bridge.providers.octopus.documents import MEASUREMENTS, TELEMETRY
from bridge.providers.octopus.household import EXPORT, GAS, Household, Supply
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.raw import each, instant, number
from bridge.providers.octopus.rest import Rest, stamp
from bridge.providers.octopus.tariffs import HALF_HOUR
from bridge.providers.octopus.tenants import Tenant
from bridge.transport.graphql import Json

VOLUME_CORRECTION = Decimal("1.02264")  # gas bills: m³ at the meter → at standard temperature and pressure
MJ_PER_KWH = Decimal("3.6")
WH_PER_KWH = 1000
ARRIVAL = time(6)  # when the readings of yesterday have mostly come, local
CUBIC_METRES = ("m3", "m³", "cubic_meters", "cubic metres")
KILOWATT_HOURS = ("kwh", "kilowatt_hours")
REST_AGAIN = timedelta(hours=23)  # after REST had nothing for a meter point either, or did not take the key
NONE_BY_REST = (Denied, NotFound, Refused, Malformed, Unauthenticated)  # it knows the key alone, so the sign-in may be good

log = logging.getLogger(__name__)


class Span(NamedTuple):
    """What a meter measured over [start, end)."""

    start: datetime
    end: datetime
    value: Decimal
    in_cubic_metres: bool


class Readings:
    """Asks for half-hours; remembers of each meter point which of the two ways has them."""

    def __init__(self, kraken: Kraken, rest: Rest | None, tenant: Tenant, calorific_value: Decimal) -> None:
        self._kraken, self._rest, self._tenant, self._calorific_value = kraken, rest, tenant, calorific_value
        self._by_rest: dict[str, bool] = {}  # meter point → whether REST is the way
        self._vain: dict[str, datetime] = {}  # meter point → when REST had nothing
        self._unitless: set[str] = set()  # meter points of which the log says so already

    async def yesterday(self, household: Household, supply: Supply, moment: datetime) -> tuple[tuple[Reading, ...], bool]:
        """Return the newest half-hour of the last days, yesterday's sum where it is whole, and whether it is."""
        zone = self._tenant.zone
        begin, end = midnight(moment, zone, -1), midnight(moment, zone)
        early = moment.astimezone(zone).time() < ARRIVAL  # so early the newest are of the day before
        spans = await self._spans(household, supply, midnight(moment, zone, -2) if early else begin, moment)
        whole = sum((span.end - span.start for span in spans if begin <= span.start < end), timedelta()) == end - begin
        return tuple(self._readings(household, supply, spans, (begin, end) if whole else None)), whole

    async def live(self, supply: Supply) -> tuple[Live, ...]:
        """Return what the Home Mini shows; nothing where there is none, or where it is silent."""
        result = await self._kraken.ask(TELEMETRY, alone=True, device=supply.device)
        rows = result.data.get("smartMeterTelemetry") or ()
        newest = max(each(rows, "telemetry row", lambda row: (instant(row["readAt"]), row)), key=lambda one: one[0], default=None)
        return tuple(_live(*newest)) if newest else ()

    async def _spans(self, household: Household, supply: Supply, begin: datetime, end: datetime) -> list[Span]:
        rest = self._way(supply, end)
        spans: list[Span] = []
        failed: Exception | None = None
        if rest is None or self._by_rest.get(supply.number) is not True:
            try:
                spans = await self._by_measurements(household, supply, begin, end)
            except (Denied, NotFound, Refused, Malformed) as error:
                failed = error
            if spans:
                self._by_rest[supply.number] = False
        if not spans and rest is not None:
            spans = await self._had_by_rest(rest, supply, begin, end)
        if not spans and failed is not None:
            raise failed
        once = {span.start: span for span in spans if begin <= span.start and span.end <= end}  # a half-hour may come twice
        return [once[start] for start in sorted(once)]

    def _way(self, supply: Supply, moment: datetime) -> Rest | None:
        """Return REST where it can be asked for a meter point, and has not been in vain of late."""
        rest, vain = self._rest, self._vain.get(supply.number)
        if rest is None or not rest.has_key or not supply.serials or self._by_rest.get(supply.number) is False:
            return None
        recent = vain is not None and vain <= moment < vain + REST_AGAIN
        return None if recent or supply.in_cubic_metres is None else rest  # it tells no unit

    async def _had_by_rest(self, rest: Rest, supply: Supply, begin: datetime, end: datetime) -> list[Span]:
        try:
            spans = await self._from_rest(rest, supply, begin, end)
        except NONE_BY_REST:
            spans = []
            self._by_rest.pop(supply.number, None)  # it may have been the way, and is it no longer
        if spans:
            self._by_rest[supply.number] = True
        elif supply.number not in self._by_rest:
            self._vain[supply.number] = end
        return spans

    async def _by_measurements(self, household: Household, supply: Supply, begin: datetime, end: datetime) -> list[Span]:
        filters: Json = {"readingFrequencyType": "THIRTY_MIN_INTERVAL", "marketSupplyPointId": supply.number}
        if supply.stream == GAS:
            of = {"gasFilters": filters}
        else:
            direction = "GENERATION" if supply.stream == EXPORT else "CONSUMPTION"
            of = {"electricityFilters": {**filters, "readingDirection": direction}}
        path = ("property", "measurements")
        about = {"property": household.id, "start": stamp(begin), "end": stamp(end), "filters": [of]}
        nodes = await self._kraken.nodes(MEASUREMENTS, path, **about)
        if supply.in_cubic_metres is None and any(_is_volume(node, supply) is None for node in nodes):
            self._say_unitless(household, supply)
        return each(nodes, "measurement", lambda node: _measured(node, supply))

    def _say_unitless(self, household: Household, supply: Supply) -> None:
        if supply.number not in self._unitless:
            self._unitless.add(supply.number)
            log.warning("%s: nothing tells whether it counts m³ or kWh; its readings are left out", _meter(household, supply))

    async def _from_rest(self, rest: Rest, supply: Supply, begin: datetime, end: datetime) -> list[Span]:
        fuel = "gas" if supply.stream == GAS else "electricity"
        spans: list[Span] = []
        for serial in supply.serials:
            path = f"/{fuel}-meter-points/{supply.number}/meters/{serial}/consumption/"
            rows = await rest.rows(path, signed=True, period_from=stamp(begin), period_to=stamp(end))
            spans += each(rows, "consumption row", lambda row: _consumed(row, supply))
        return spans

    def _readings(
        self, household: Household, supply: Supply, spans: Sequence[Span], day: tuple[datetime, datetime] | None
    ) -> Iterator[Reading]:
        if spans:
            yield from self._of(household, supply, spans[-1:], "", HALF_HOUR)
        if day is not None:
            yield from self._of(household, supply, [span for span in spans if day[0] <= span.start < day[1]], "-day", None)

    def _of(
        self, household: Household, supply: Supply, spans: Sequence[Span], suffix: str, resolution: timedelta | None
    ) -> Iterator[Reading]:
        facts: Json = {
            "meter": _meter(household, supply),
            "start": spans[0].start,
            "end": spans[-1].end,
            "direction": "export" if supply.stream == EXPORT else "import",
            "resolution": resolution,
            "aggregation": "sum",
        }
        energy = sum((self._kwh(span) for span in spans), Decimal())
        yield Reading(quantity=f"energy{suffix}", value=energy, unit="kWh", **facts)
        if all(span.in_cubic_metres for span in spans):
            volume = sum((span.value for span in spans), Decimal())
            yield Reading(quantity=f"volume{suffix}", value=volume, unit="m³", **facts)

    def _kwh(self, span: Span) -> Decimal:
        """Return the energy: of a gas volume, V · 1.02264 · calorific value / 3.6, as British gas bills reckon it."""
        return span.value * VOLUME_CORRECTION * self._calorific_value / MJ_PER_KWH if span.in_cubic_metres else span.value


def _meter(household: Household, supply: Supply) -> str:
    alike = [one.number for one in household.supplies if one.stream == supply.stream]
    place = alike.index(supply.number) + 1
    return supply.stream if place == 1 else f"{supply.stream}-{place}"


def _measured(node: Json, supply: Supply) -> Span | None:
    if not node.get("startAt") or not node.get("endAt"):
        return None
    volume = _is_volume(node, supply)
    if volume is None:
        return None
    return _span(instant(node["startAt"]), instant(node["endAt"]), number(node["value"]), in_cubic_metres=volume)


def _is_volume(node: Json, supply: Supply) -> bool | None:
    """Tell whether a measurement is in m³: its own unit says so, or else its meter; None where neither does."""
    unit = str(node.get("unit") or "").lower()
    if supply.stream != GAS or unit in KILOWATT_HOURS:
        return False
    return True if unit in CUBIC_METRES else supply.in_cubic_metres


def _consumed(row: Json, supply: Supply) -> Span:
    volume = supply.stream == GAS and bool(supply.in_cubic_metres)
    start, end = instant(row["interval_start"]), instant(row["interval_end"])
    return _span(start, end, number(row["consumption"]), in_cubic_metres=volume)


def _span(start: datetime, end: datetime, value: Decimal, *, in_cubic_metres: bool) -> Span:
    if end <= start:
        raise ValueError("a reading ends before it begins")
    return Span(start, end, value, in_cubic_metres)


def _live(at: datetime, row: Json) -> Iterator[Live]:
    if row.get("demand") is not None:
        yield Live(quantity="power", value=number(row["demand"]), unit="W", at=at)
    if row.get("consumption") is not None:
        yield Live(quantity="energy", value=number(row["consumption"]) / WH_PER_KWH, unit="kWh", at=at)
    if row.get("export") is not None:
        yield Live(quantity="energy-export", value=number(row["export"]) / WH_PER_KWH, unit="kWh", at=at)
