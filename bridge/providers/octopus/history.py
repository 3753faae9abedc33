"""Half-hours of the past, one meter after another, each from the oldest on: a page takes one request, or one more for each meter
that ends on it.

A cursor names the next half-hour by its instant and not by the provider's own, which counts rows: of those some come days late.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from bridge.errors import BadRequest, NotFound, Refused
from bridge.models.mark import Mark
from bridge.models.reading import Reading
from bridge.providers.base import Known, Page, Span
from bridge.providers.octopus.household import GAS, Household, Supply
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.readings import Readings
from bridge.providers.octopus.tariffs import HALF_HOUR
from bridge.providers.octopus.task import Desk

LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)  # before the first half-hour of any smart meter


class Meter(NamedTuple):
    """A meter point under the name of its readings."""

    name: str
    supply: Supply


class History:
    """Asks for the half-hours of one property."""

    def __init__(self, desk: Desk, households: Households, readings: Readings) -> None:
        self._desk, self._households, self._readings = desk, households, readings

    async def page(self, site: str, span: Span, known: Known, moment: datetime) -> Page:
        """Return a page of the half-hours that start in `span`. Raises SourceError, or BadRequest for a strange cursor."""
        if not self._desk.tenant.british:
            raise Refused(f"the half-hours of the tenant {self._desk.settings.tenant} cannot be read yet")
        mark = Mark.read(span.after) if span.after is not None else None
        household = await self._household(site, known, moment)
        begin, end = max(span.start or LONG_AGO, LONG_AGO), min(span.end or moment, moment)
        found: list[Reading] = []
        for meter in _left(_meters(household, span), mark):
            place = Mark(begin, meter.name)
            if mark is not None and mark.meter == meter.name:
                place = max(place, mark)
            if len(found) == span.first:
                return Page(tuple(found), place.cursor())
            own, following = await self._of(household, meter, span, place, end, span.first - len(found))
            found += own
            if following is not None:
                return Page(tuple(found), following.cursor())
        return Page(tuple(found))

    async def _household(self, site: str, known: Known, moment: datetime) -> Household:
        for household in await self._households.at_hand(known, moment):
            if household.id == site:
                return household
        raise NotFound(f"there is no property {site}")

    async def _of(
        self, household: Household, meter: Meter, span: Span, place: Mark, end: datetime, most: int
    ) -> tuple[list[Reading], Mark | None]:
        """Return up to `most` readings of one meter from `place` on, and with which one it goes on."""
        begin = _whole(min(place.start, end))
        if begin >= end:
            return [], None
        both = meter.supply.in_cubic_metres and span.quantity is None  # then a half-hour brings two readings, the first maybe one
        reel = await self._readings.halfhours.first(household, meter.supply, begin, end, most // 2 + 1 if both else most)
        told = (reading for half in reel.spans for reading in self._readings.of_span(household, meter.supply, half))
        wanted = [one for one in told if span.quantity in (None, one.quantity) and _place(one) >= place]
        if len(wanted) > most:
            return wanted[:most], _place(wanted[most])
        return wanted, Mark(reel.spans[-1].end, meter.name) if reel.more else None


def _meters(household: Household, span: Span) -> list[Meter]:
    """Return the meters that are asked for, in an order that stays."""
    named = {household.meter(supply): supply for supply in household.supplies}
    meters = (Meter(name, named[name]) for name in sorted(named))
    return [meter for meter in meters if span.meter in (None, meter.name) and _has(meter.supply, span.quantity)]


def _has(supply: Supply, quantity: str | None) -> bool:
    return quantity in (None, "energy") or (quantity == "volume" and supply.stream == GAS)


def _left(meters: Sequence[Meter], mark: Mark | None) -> Sequence[Meter]:
    """Return the meters of this page and those to come."""
    names = [meter.name for meter in meters]
    if mark is None:
        return meters
    if mark.meter not in names:
        raise BadRequest("after: it goes on with a meter that is not asked for; begin anew without it")
    return meters[names.index(mark.meter) :]


def _whole(moment: datetime) -> datetime:
    """Return the first half-hour's start that is not before `moment`."""
    past = (moment - LONG_AGO) % HALF_HOUR
    return moment + HALF_HOUR - past if past else moment


def _place(reading: Reading) -> Mark:
    assert reading.start is not None
    return Mark(reading.start, reading.meter, reading.quantity)
