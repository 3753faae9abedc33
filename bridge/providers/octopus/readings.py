"""Readings of half-hours, yesterday's among them; and what a Home Mini shows now. Gas that comes in m³ becomes kWh.

Readings of a day come on the next, some days later, and half-hours may be missing. Telemetry comes in Wh and W, negative when
exporting.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from bridge.models.figure import Live
from bridge.models.reading import Reading
from bridge.pricing.day import midnight
from bridge.providers.octopus.documents import TELEMETRY
from bridge.providers.octopus.halfhours import HalfHours, Span
from bridge.providers.octopus.household import EXPORT, Household, Supply
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.raw import each, instant, number
from bridge.providers.octopus.rest import Rest
from bridge.providers.octopus.tariffs import HALF_HOUR
from bridge.providers.octopus.tenants import Tenant
from bridge.transport.graphql import Json

VOLUME_CORRECTION = Decimal("1.02264")  # gas bills: m³ at the meter → at standard temperature and pressure
MJ_PER_KWH = Decimal("3.6")
WH_PER_KWH = 1000
ARRIVAL = time(6)  # when the readings of yesterday have mostly come, local


class Measured(NamedTuple):
    """The newest readings, whether yesterday is whole, and the half-hours before the newest."""

    readings: tuple[Reading, ...]
    whole: bool
    past: tuple[Reading, ...]


class Readings:
    """Makes readings of half-hours."""

    def __init__(self, kraken: Kraken, rest: Rest | None, tenant: Tenant, calorific_value: Decimal) -> None:
        self._kraken, self._tenant, self._calorific_value = kraken, tenant, calorific_value
        self.halfhours = HalfHours(kraken, rest)

    async def yesterday(self, household: Household, supply: Supply, moment: datetime) -> Measured:
        """Return the newest half-hour of the last days, yesterday's sum where it is whole, and the half-hours before."""
        zone = self._tenant.zone
        begin, end = midnight(moment, zone, -1), midnight(moment, zone)
        early = moment.astimezone(zone).time() < ARRIVAL  # so early the newest are of the day before
        spans = await self.halfhours.all(household, supply, midnight(moment, zone, -2) if early else begin, moment)
        whole = sum((span.end - span.start for span in spans if begin <= span.start < end), timedelta()) == end - begin
        past = (reading for span in spans[:-1] for reading in self.of_span(household, supply, span))
        newest = self._readings(household, supply, spans, (begin, end) if whole else None)
        return Measured(tuple(newest), whole, tuple(past))

    async def live(self, supply: Supply) -> tuple[Live, ...]:
        """Return what the Home Mini shows; nothing where there is none, or where it is silent."""
        result = await self._kraken.ask(TELEMETRY, alone=True, device=supply.device)
        rows = result.data.get("smartMeterTelemetry") or ()
        newest = max(each(rows, "telemetry row", lambda row: (instant(row["readAt"]), row)), key=lambda one: one[0], default=None)
        return tuple(_live(*newest)) if newest else ()

    def of_span(self, household: Household, supply: Supply, span: Span) -> Iterator[Reading]:
        """Yield what one half-hour says: the energy, and the volume where gas came in m³."""
        yield from self._of(household, supply, [span], "", HALF_HOUR)

    def _readings(
        self, household: Household, supply: Supply, spans: Sequence[Span], day: tuple[datetime, datetime] | None
    ) -> Iterator[Reading]:
        for span in spans[-1:]:
            yield from self.of_span(household, supply, span)
        if day is not None:
            yield from self._of(household, supply, [span for span in spans if day[0] <= span.start < day[1]], "-day", None)

    def _of(
        self, household: Household, supply: Supply, spans: Sequence[Span], suffix: str, resolution: timedelta | None
    ) -> Iterator[Reading]:
        facts: Json = {
            "meter": household.meter(supply),
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


def _live(at: datetime, row: Json) -> Iterator[Live]:
    if row.get("demand") is not None:
        yield Live(quantity="power", value=number(row["demand"]), unit="W", at=at)
    if row.get("consumption") is not None:
        yield Live(quantity="energy", value=number(row["consumption"]) / WH_PER_KWH, unit="kWh", at=at)
    if row.get("export") is not None:
        yield Live(quantity="energy-export", value=number(row["export"]) / WH_PER_KWH, unit="kWh", at=at)
