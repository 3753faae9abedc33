"""What prices mean, for a thousand sites: all of it when new prices arrive, and the switch of all their windows at a boundary.

Time is made up here, so that a boundary comes when the measuring is ready for it; what is measured is the work of one core.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time
from zoneinfo import ZoneInfo

from bench.table import Row
from bridge.feed.latest import Latest
from bridge.feed.publish import Publisher
from bridge.feed.slots import Slots
from bridge.models.observation import PricesSeen, SitesSeen
from bridge.models.price import QUARTER_HOUR, Curve, Slot
from bridge.models.site import Site
from bridge.pricing.meaning import Meaning
from bridge.pricing.periods import best, peak
from bridge.pricing.ranks import Ranks
from bridge.pricing.settings import USUAL
from bridge.pricing.sums import Sums
from bridge.pricing.volatility import variation
from bridge.pricing.windows import WindowSettings
from bridge.simulator import prices
from bridge.state.store import Store
from bridge.topics import Topics
from bridge.transport.shelf import Shelf

SITES = 1000
ZONE = "Europe/Berlin"
MIDNIGHT = datetime(2026, 11, 18, 23, tzinfo=UTC)  # there
NOW = MIDNIGHT + timedelta(hours=14, minutes=1)  # tomorrow's prices have just come
FEW, MANY = 192, 19_200  # slots
ROUNDS = 5
WINDOW = "cheapest-3h"
TOPICS = Topics("kwh2mqtt")


class Leap:
    """A clock that is where its sleepers want it to be; it stops at `end`."""

    def __init__(self, moment: datetime, end: datetime) -> None:
        self._moment, self._end = moment, end

    def now(self) -> datetime:
        return self._moment

    async def sleep_until(self, moment: datetime) -> None:
        if moment > self._end:
            await asyncio.Event().wait()
        self._moment = max(self._moment, moment)
        await asyncio.sleep(0)


async def measured(folder: Path) -> list[Row]:
    with Store(folder, NOW) as store:
        windows = {WINDOW: WindowSettings.model_validate({"duration": "PT3H", "not_before": "16:00", "deadline": "07:00"})}
        latest, shelf = Latest("fleet", {}, store, "", windows=windows), Shelf()
        arrival = _arrived(latest, shelf)
        ready, laid = await _switched(latest, shelf)
    return [
        *_growth(),
        Row(f"new prices for {SITES:,} sites", "judged, windows chosen, drawn", f"{arrival:.2f} s", "≤ 5 s", arrival <= 5),
        Row(
            f"the windows of {SITES:,} sites switched",
            f"drawn before it in {ready:.2f} s",
            f"{laid:.2f} s",
            "≤ 2 s",
            ready + laid <= 2,
        ),
    ]


def _growth() -> list[Row]:
    """Return how much longer a hundred times as many slots take: 100 where it is O(n), 187 O(n log n), 10,000 O(n²)."""
    zone = ZoneInfo(ZONE)
    works: dict[str, Callable[[Curve], object]] = {
        "averages, ratings, trends": lambda curve: Meaning(curve, zone),
        "ranks": lambda curve: Ranks(curve.slots).all(curve.slots),
        "best and peak periods": _periods,
    }
    rows = []
    for what, work in works.items():
        few, many = (_seconds(work, _curve(count)) for count in (FEW, MANY))
        text = f"{few * 1000:.2f} ms for {FEW} slots, {many * 1000:.0f} for {MANY:,}"
        rows.append(Row(what, text, f"{many / few:.0f} ×", "≤ 300 ×", many / few <= 300))
    return rows


def _periods(curve: Curve) -> None:
    sums = Sums(curve.slots)
    for found in (best, peak):
        found(sums, variation(sums), USUAL)


def _seconds(work: Callable[[Curve], object], curve: Curve) -> float:
    return median(_timed(lambda: work(curve)) for _ in range(ROUNDS))


def _timed(work: Callable[[], object]) -> float:
    begun = process_time()
    work()
    return process_time() - begun


def _curve(count: int) -> Curve:
    starts = (MIDNIGHT + number * QUARTER_HOUR for number in range(count))
    slots = tuple(Slot(start, start + QUARTER_HOUR, prices.price(start, "bench").total) for start in starts)
    return Curve(currency="EUR", slots=slots)


def _arrived(latest: Latest, shelf: Shelf) -> float:
    """Return how long it takes until the prices of all sites are judged and on the shelf, in s."""
    publisher, numbers = Publisher(TOPICS, latest, shelf), range(SITES)
    sites = tuple(Site(id=f"{number}", title=f"Site {number}", timezone=ZONE, streams=("import",)) for number in numbers)
    publisher.publish(SitesSeen(sites), NOW, NOW)
    today, tomorrow = (_curves(_curve(count), sites) for count in (FEW // 2, FEW))
    _see(publisher, today)
    return _timed(lambda: _see(publisher, tomorrow))


def _curves(curve: Curve, sites: Iterable[Site]) -> dict[str, Curve]:
    """Return a curve of its own for each site, as it comes from a provider."""
    return {site.id: Curve(currency=curve.currency, slots=curve.slots) for site in sites}


def _see(publisher: Publisher, curves: Mapping[str, Curve]) -> None:
    for site, curve in curves.items():
        publisher.publish(PricesSeen(site, "import", curve), NOW, NOW)


async def _switched(latest: Latest, shelf: Shelf) -> tuple[float, float]:
    """Return how long it takes to draw the boundary at which all windows begin, and from then until all is laid, in s."""
    start = next(iter(latest.places.values())).windows[WINDOW].chosen[0].start
    clock = _Watched(start - timedelta(minutes=1), start)
    slots = Slots(TOPICS, [latest], shelf, clock)
    await slots.show(clock.now())
    running = asyncio.create_task(slots.run())
    await clock.ended.wait()
    done = process_time()
    running.cancel()
    topics = [TOPICS.window_active("fleet", place.name, "import", WINDOW) for place in latest.places.values()]
    standing = {message.topic: message.payload for message in shelf.messages()}
    if any(standing[topic] != b"ON" for topic in topics):
        raise RuntimeError("a window was not switched")
    return clock.struck - clock.begun, done - clock.struck


class _Watched(Leap):
    """Notes when the drawing for `boundary` begins, when it is done, and when the next is slept for: all is laid then."""

    def __init__(self, moment: datetime, boundary: datetime) -> None:
        super().__init__(moment, boundary)
        self._boundary = boundary
        self.begun = self.struck = 0.0
        self.ended = asyncio.Event()

    async def sleep_until(self, moment: datetime) -> None:
        if moment == self._boundary:
            self.struck = process_time()
        if moment > self._boundary:
            self.ended.set()
        await super().sleep_until(moment)
        self.begun = self.begun if self.struck else process_time()
