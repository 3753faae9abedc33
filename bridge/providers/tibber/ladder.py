"""Prices by a ladder: quarter-hours; where today is empty the range of quarter-hours; where that leaves a gap, whole hours.

A contract without quarter-hours answers the first rung with an empty day and no error (tibber.md calls it the chain).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bridge.errors import Incomplete, NotFound, SourceError
from bridge.models.observation import Observation, PricesSeen, Shortfall
from bridge.models.price import HOUR, QUARTER_HOUR
from bridge.models.site import Site
from bridge.pricing.day import midnight
from bridge.providers.base import Known
from bridge.providers.tibber import normalise
from bridge.providers.tibber.documents import PRICE_RANGE, PRICES
from bridge.providers.tibber.raw import cursor
from bridge.providers.tibber.schedule import progress
from bridge.providers.tibber.timetable import STREAM, Timetable
from bridge.transport.graphql import PathError, Result

HISTORY_DAYS = 2  # before today: with today and tomorrow that is four days, 384 quarter-hours
RANGE_FIRST = 4 * 25 * (HISTORY_DAYS + 1) + 2  # quarter-hours: the history and today
QUARTERS, RANGE, HOURS = range(3)

Ask = Callable[..., Awaitable[Result]]


class Ladder:
    """Asks for prices; remembers for a while which rung a site needs."""

    def __init__(self, ask: Ask, timetable: Timetable, translate: Callable[[PathError], SourceError]) -> None:
        self._ask, self._timetable, self._translate = ask, timetable, translate
        self.without_contract: set[str] = set()
        self._history_asked: set[str] = set()
        self._rungs: dict[str, tuple[date, int]] = {}  # site → local day, rung that was needed on it
        self._empty: set[str] = set()  # sites that had no quarter-hours of today: the range is asked for along with them

    async def climb(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        """Yield the prices of every site, and a shortfall for each that did not get all it should have."""
        sites = sorted(known.sites.values(), key=lambda site: site.id)
        rungs = {site.id: self._first_rung(site, moment) for site in sites}
        settled: set[str] = set()  # no lower rung can help them
        for rung in (QUARTERS, RANGE, HOURS):
            here = [site for site in sites if rungs[site.id] == rung and site.id not in settled]
            if not here:
                continue
            result, ranged = await self._ask_rung(rung, here, known, moment)
            rows = {home["id"]: (index, home) for index, home in enumerate(normalise.homes(result.data)) if home}
            for site in here:
                found = normalise.guarded(self._read(rung, result, rows.get(site.id), site, known, moment), site)
                settled |= {site.id for observation in found if isinstance(observation, Shortfall)}
                for observation in found:
                    yield observation
                if rung < HOURS and site.id not in settled and self._must_climb(rung, rows[site.id][1], known, site, moment):
                    rungs[site.id] = HOURS if rung == RANGE or ranged else RANGE
                    self._rungs[site.id] = (moment.astimezone(site.zone).date(), rungs[site.id])
        for site in sites:
            if site.id not in settled:
                for shortfall in self._gap(known, site, moment):
                    yield shortfall

    async def _ask_rung(self, rung: int, sites: Sequence[Site], known: Known, moment: datetime) -> tuple[Result, bool]:
        """Return the answer, and whether it holds the range of today."""
        if rung == RANGE:
            start = min(midnight(moment, site.zone) for site in sites)
            return await self._ask(PRICE_RANGE, first=RANGE_FIRST, after=_cursor(start)), True
        if rung == HOURS:
            return await self._ask(PRICES, resolution="HOURLY", history=False, first=None, after=None), False
        begins = {site.id: midnight(moment, site.zone, -HISTORY_DAYS) for site in sites}
        lacks = [id_ for id_, begin in begins.items() if id_ not in self._history_asked and not _reaches(known, id_, begin)]
        ranged = bool(lacks) or not self._empty.isdisjoint(begins)
        starts = begins.values() if lacks else [midnight(moment, site.zone) for site in sites]
        cursor = _cursor(min(starts)) if ranged else None
        result = await self._ask(PRICES, resolution="QUARTER_HOURLY", history=ranged, first=RANGE_FIRST, after=cursor)
        self._history_asked.update(begins)
        return result, ranged

    def _read(
        self,
        rung: int,
        result: Result,
        found: tuple[int, dict[str, Any]] | None,
        site: Site,
        known: Known,
        moment: datetime,
    ) -> Iterator[Observation]:
        if found is None:
            yield Shortfall(Incomplete(f"home {site.title} came back empty"), site.id)
            return
        index, home = found
        field = "priceInfoRange" if rung == RANGE else "priceInfo"
        subscription = home.get("currentSubscription")
        error = result.error_at("viewer", "homes", index, "currentSubscription", field)
        if error is not None:
            yield Shortfall(self._translate(error), site.id)
        if not subscription:
            if error is None:
                yield self._no_contract(site, known, moment)
            return
        self.without_contract.discard(site.id)
        curve = normalise.curve(normalise.price_rows(subscription), HOUR if rung == HOURS else QUARTER_HOUR, moment)
        if rung == HOURS and (finer := known.curve(site.id, STREAM)) is not None:
            curve = curve.model_copy(update={"slots": tuple(slot for slot in curve.slots if not finer.overlaps(slot))})
        if curve.slots:
            yield PricesSeen(site.id, STREAM, curve)

    def _no_contract(self, site: Site, known: Known, moment: datetime) -> Shortfall:
        self.without_contract.add(site.id)
        curve = known.curve(site.id, STREAM)
        holds = curve is not None and curve.at(moment) is not None  # what is known of it holds until it runs out
        return Shortfall(NotFound(f"home {site.title} has no contract"), site.id, behind=holds)

    def _must_climb(self, rung: int, home: Mapping[str, Any], known: Known, site: Site, moment: datetime) -> bool:
        if rung == QUARTERS:
            # an empty today tells an account without quarter-hours from a late tomorrow
            if (home["currentSubscription"].get("priceInfo") or {}).get("today"):
                self._empty.discard(site.id)
                return False
            self._empty.add(site.id)
        return self._timetable.lacking(known, site, moment) is not None

    def _first_rung(self, site: Site, moment: datetime) -> int:
        """Return where to begin: at the rung that was needed earlier on the same day, on another day at the top."""
        day, rung = self._rungs.get(site.id, (None, QUARTERS))
        return rung if day == moment.astimezone(site.zone).date() else QUARTERS

    def _gap(self, known: Known, site: Site, moment: datetime) -> Iterator[Shortfall]:
        curve = known.curve(site.id, STREAM)
        day_end = midnight(moment, site.zone, 1)
        if curve is None or not curve.covers(moment, day_end):
            known_part = progress(curve, site.zone, moment, 0)
            yield Shortfall(Incomplete(f"home {site.title}: of today's prices {known_part} are known"), site.id)
        elif curve.end and curve.end > day_end and not curve.covers(day_end, midnight(moment, site.zone, 2)):
            known_part = progress(curve, site.zone, moment, 1)
            text = f"home {site.title}: of tomorrow's prices {known_part} are known, the rest is asked for again"
            yield Shortfall(Incomplete(text), site.id, behind=False)


def _reaches(known: Known, site: str, begin: datetime) -> bool:
    curve = known.curve(site, STREAM)
    return curve is not None and bool(curve.slots) and curve.slots[0].start <= begin


def _cursor(start: datetime) -> str:
    """Return the cursor of the quarter-hours from `start` on; a quarter earlier, as nothing says whether `after` is inclusive."""
    return cursor(start - QUARTER_HOUR)
