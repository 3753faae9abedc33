"""What a meter measured, half-hour by half-hour: by GraphQL, else by REST; which of the two is remembered of each meter point.

Half-hours may be missing, come twice, or come a little outside of what was asked for.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from bridge.errors import Denied, Malformed, NotFound, Refused, Unauthenticated
from bridge.providers.octopus.documents import MEASUREMENTS
from bridge.providers.octopus.household import EXPORT, GAS, Household, Supply
from bridge.providers.octopus.kraken import PAGE, Kraken
from bridge.providers.octopus.raw import each, instant, number
from bridge.providers.octopus.rest import PAGE_SIZE, Rest, stamp
from bridge.transport.graphql import Json

log = logging.getLogger(__name__)

KILOWATT_HOURS = ("kwh", "kilowatt_hours")
CUBIC_METRES = ("m3", "m³", "cubic_meters", "cubic metres")
PATH = ("property", "measurements")
ELSEWHERE = (Denied, NotFound, Refused, Malformed)  # the other way may still have what this one has not
NONE_BY_REST = (*ELSEWHERE, Unauthenticated)  # REST knows the key alone, so the sign-in may be good
REST_AGAIN = timedelta(hours=23)  # after REST had nothing for a meter point either, or did not take the key


class Span(NamedTuple):
    """What a meter measured over [start, end)."""

    start: datetime
    end: datetime
    value: Decimal
    in_cubic_metres: bool


class Reel(NamedTuple):
    """The first of some half-hours, in order, and whether there are more."""

    spans: Sequence[Span]
    more: bool = False


class HalfHours:
    """Asks one account for half-hours."""

    def __init__(self, kraken: Kraken, rest: Rest | None) -> None:
        self._kraken, self._rest = kraken, rest
        self._by_rest: dict[str, bool] = {}  # meter point → whether REST is the way
        self._vain: dict[str, datetime] = {}  # meter point → when REST had nothing
        self._unitless: set[str] = set()  # meter points of which the log says so already

    async def all(self, household: Household, supply: Supply, begin: datetime, end: datetime) -> Sequence[Span]:
        """Return the half-hours that lie in [begin, end)."""
        found = await self._either(
            supply,
            lambda: self._by_measurements(household, supply, begin, end),
            lambda rest: self._from_rest(rest, supply, begin, end),
            end,
        )
        return [span for span in found.spans if begin <= span.start and span.end <= end]

    async def first(self, household: Household, supply: Supply, begin: datetime, end: datetime, most: int) -> Reel:
        """Return the first of those that start in [begin, end): one request, or one for each meter where REST is the way."""
        found = await self._either(
            supply,
            lambda: self._first_measurements(household, supply, begin, end, most),
            lambda rest: self._first_from_rest(rest, supply, begin, end, most),
            None,
        )
        spans = [span for span in found.spans if begin <= span.start < end]
        more = found.more and not any(span.start >= end for span in found.spans)
        if more and not spans:
            raise Malformed("the pages of a meter's half-hours do not move on")
        return Reel(spans[:most], more or len(spans) > most)

    async def _either(
        self,
        supply: Supply,
        ask: Callable[[], Awaitable[Reel]],
        ask_rest: Callable[[Rest], Awaitable[Reel]],
        moment: datetime | None,
    ) -> Reel:
        """Ask by GraphQL, then by REST; at the `moment` of a poll REST is spared where it has been in vain of late."""
        rest, found = self._way(supply, moment), Reel(())
        failed: Exception | None = None
        if rest is None or self._by_rest.get(supply.number) is not True:
            try:
                found = await ask()
            except ELSEWHERE as error:
                failed = error
            if found.spans:
                self._by_rest[supply.number] = False
        if not found.spans and rest is not None and (failed is not None or self._by_rest.get(supply.number) is not False):
            by_rest = await self._had_by_rest(supply, lambda: ask_rest(rest), moment)
            if by_rest is not None and (by_rest.spans or moment is None):
                return by_rest if by_rest.spans or failed is not None else found
        if not found.spans and failed is not None:
            raise failed
        return found

    def _way(self, supply: Supply, moment: datetime | None) -> Rest | None:
        """Return REST where it can be asked for a meter point, and has not been in vain of late."""
        rest, vain = self._rest, self._vain.get(supply.number)
        if rest is None or not rest.has_key or not supply.serials or supply.in_cubic_metres is None:  # it tells no unit
            return None
        return None if moment is not None and vain is not None and vain <= moment < vain + REST_AGAIN else rest

    async def _had_by_rest(self, supply: Supply, ask: Callable[[], Awaitable[Reel]], moment: datetime | None) -> Reel | None:
        """Return what REST says, None where it does not show this meter."""
        try:
            found: Reel | None = await ask()
        except NONE_BY_REST:
            found = None
            self._by_rest.pop(supply.number, None)  # it may have been the way, and is it no longer
        if found is not None and found.spans:
            self._by_rest[supply.number] = True
        elif supply.number not in self._by_rest and moment is not None:
            self._vain[supply.number] = moment
        return found

    # by GraphQL

    async def _by_measurements(self, household: Household, supply: Supply, begin: datetime, end: datetime) -> Reel:
        nodes = await self._kraken.nodes(MEASUREMENTS, PATH, **_about(household, supply, begin, end))
        if supply.in_cubic_metres is None and any(is_volume(node, supply) is None for node in nodes):
            self._say_unitless(supply)
        return Reel(_ordered(each(nodes, "measurement", lambda node: measured(node, supply))))

    async def _first_measurements(self, household: Household, supply: Supply, begin: datetime, end: datetime, most: int) -> Reel:
        about = _about(household, supply, begin, end)
        result = await self._kraken.ask(MEASUREMENTS, first=min(most + 1, PAGE), after=None, **about)
        nodes, following = self._kraken.page(result, PATH)
        spans = each(nodes, "measurement", lambda node: measured(node, supply))
        if following is not None and spans and spans[0].start > spans[-1].start:
            raise Malformed("the half-hours come newest first, so the oldest are not on this page")
        return Reel(_ordered(spans), following is not None)

    def _say_unitless(self, supply: Supply) -> None:
        if supply.number not in self._unitless:
            self._unitless.add(supply.number)
            log.warning("%s: nothing tells whether it counts m³ or kWh; its readings are left out", supply.stream)

    # by REST

    async def _from_rest(self, rest: Rest, supply: Supply, begin: datetime, end: datetime) -> Reel:
        spans: list[Span] = []
        for path in _paths(supply):
            rows = await rest.rows(path, signed=True, **_period(begin, end))
            spans += each(rows, "consumption row", lambda row: consumed(row, supply))
        return Reel(_ordered(spans))

    async def _first_from_rest(self, rest: Rest, supply: Supply, begin: datetime, end: datetime, most: int) -> Reel:
        """Each meter tells its first ones; what lies behind the last of a meter that has more is for the next page."""
        spans: list[Span] = []
        until: list[datetime] = []
        for path in _paths(supply):
            size = min(most + 1, PAGE_SIZE)
            rows, more = await rest.first(path, size, signed=True, order_by="period", **_period(begin, end))
            own = each(rows, "consumption row", lambda row: consumed(row, supply))
            spans += own
            until += [own[-1].start] if more and own else []
        last = min(until, default=end)
        return Reel([span for span in _ordered(spans) if span.start <= last], bool(until))


def measured(node: Json, supply: Supply) -> Span | None:
    """Return a row of `measurements`, None for one that is no half-hour's."""
    if not node.get("startAt") or not node.get("endAt"):
        return None
    if (volume := is_volume(node, supply)) is None:
        return None
    return _span(instant(node["startAt"]), instant(node["endAt"]), number(node["value"]), in_cubic_metres=volume)


def is_volume(node: Json, supply: Supply) -> bool | None:
    """Tell whether a measurement is in m³: its own unit says so, or else its meter; None where neither does."""
    unit = str(node.get("unit") or "").lower()
    if supply.stream != GAS or unit in KILOWATT_HOURS:
        return False
    return True if unit in CUBIC_METRES else supply.in_cubic_metres


def consumed(row: Json, supply: Supply) -> Span:
    """Return a row of REST's."""
    volume = supply.stream == GAS and bool(supply.in_cubic_metres)
    start, end = instant(row["interval_start"]), instant(row["interval_end"])
    return _span(start, end, number(row["consumption"]), in_cubic_metres=volume)


def _span(start: datetime, end: datetime, value: Decimal, *, in_cubic_metres: bool) -> Span:
    if end <= start:
        raise ValueError("a reading ends before it begins")
    return Span(start, end, value, in_cubic_metres)


def _ordered(spans: Iterable[Span]) -> list[Span]:
    once = {span.start: span for span in spans}
    return [once[start] for start in sorted(once)]


def _about(household: Household, supply: Supply, begin: datetime, end: datetime) -> Json:
    filters: Json = {"readingFrequencyType": "THIRTY_MIN_INTERVAL", "marketSupplyPointId": supply.number}
    if supply.stream == GAS:
        of = {"gasFilters": filters}
    else:
        direction = "GENERATION" if supply.stream == EXPORT else "CONSUMPTION"
        of = {"electricityFilters": {**filters, "readingDirection": direction}}
    return {"property": household.id, "start": stamp(begin), "end": stamp(end), "filters": [of]}


def _paths(supply: Supply) -> list[str]:
    fuel = "gas" if supply.stream == GAS else "electricity"
    return [f"/{fuel}-meter-points/{supply.number}/meters/{serial}/consumption/" for serial in supply.serials]


def _period(begin: datetime, end: datetime) -> dict[str, str]:
    return {"period_from": stamp(begin), "period_to": stamp(end)}
