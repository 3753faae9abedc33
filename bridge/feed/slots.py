"""The end of a slot, a window or a dispatch: what is known is drawn for then a little early, and laid on the shelf on time.

Drawing a thousand sites takes a second; waiting until the boundary to begin would make them that late.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.feed import agenda
from bridge.feed.latest import Latest
from bridge.feed.messages import Painter
from bridge.feed.place import Place
from bridge.models.message import Message
from bridge.pricing.day import midnight
from bridge.topics import Topics
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)

Draw = Callable[[Painter, Place], Iterable[Message]]

LEAD = timedelta(seconds=5)  # how long before the boundary the drawing begins
LONGEST_SLEEP = timedelta(seconds=60)  # so that a clock set back is noticed
NEWS_PAUSE = timedelta(seconds=0.2)
BREATH = 20  # sites drawn before others get their turn


class Slots:
    """Keeps the topics of all sources at the present slot and dispatch."""

    def __init__(
        self,
        topics: Topics,
        sources: Sequence[Latest],
        shelf: Shelf,
        clock: Clock,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        """`progress` is told once a minute at the least that we go on."""
        self._painters = [(latest, Painter(topics, latest)) for latest in sources]
        self._shelf, self._clock, self._progress = shelf, clock, progress
        self._shown: datetime | None = None  # the moment that stands on the topics

    async def show(self, moment: datetime) -> None:
        """Lay everything that is known on the shelf as it is at `moment`, and tell which windows began since the last time."""
        since = self._shown or moment  # what began before we did is no news
        self._choose(moment)
        async for messages in self._drawn(lambda painter, place: painter.site(place, moment)):
            self._shelf.put(messages)
        async for messages in self._drawn(lambda painter, place: painter.started(place, since, moment)):
            self._shelf.put(messages)
        self._shown = moment

    def _choose(self, moment: datetime) -> None:
        """Choose the windows for which that has not been done, as after a restart, or in vain, as by a clock that was wrong."""
        for latest, _ in self._painters:
            for id_, place in list(latest.places.items()):
                try:
                    if statements := latest.choose(moment, [id_]):
                        latest.save(statements)
                except Exception:
                    log.exception("%s: the windows of site %s cannot be chosen", latest.source, place.name)

    async def run(self) -> None:
        """Change the slots on time, until cancelled."""
        while True:
            now = self._clock.now()
            self._progress()
            if self._is_untrue(now):
                await self.show(now)
            boundary = self.next_boundary(now)
            if boundary is not None and boundary - LEAD <= now + LONGEST_SLEEP:
                if not await self._slept(max(boundary - LEAD, now)):
                    await self._change(boundary)
            else:
                await self._slept(now + LONGEST_SLEEP)

    def _is_untrue(self, now: datetime) -> bool:
        """Tell whether what was shown is not what holds now: the clock was set back, or a boundary has been missed."""
        if self._shown is None or now < self._shown:
            return True
        boundary = self.next_boundary(self._shown)
        return boundary is not None and boundary <= now

    async def _slept(self, until: datetime) -> bool:
        """Sleep, and tell whether news came before the end: its slots may end sooner than all those known."""
        nap = asyncio.create_task(self._clock.sleep_until(until))
        news = [asyncio.create_task(latest.changed.wait()) for latest, _ in self._painters]
        try:
            await asyncio.wait((nap, *news), return_when=asyncio.FIRST_COMPLETED)
            early = not nap.done()
        finally:
            for task in (nap, *news):
                task.cancel()
            await asyncio.gather(nap, *news, return_exceptions=True)
        for latest, _ in self._painters:
            latest.changed.clear()
        if early:
            await self._clock.sleep_until(self._clock.now() + NEWS_PAUSE)  # news of a thousand sites are one
        return early

    def next_boundary(self, moment: datetime) -> datetime | None:
        """Return when a slot, a window, a dispatch or a local day next begins or ends, or None where nothing is known."""
        return min(self._changes(moment), default=None)

    async def _change(self, boundary: datetime) -> None:
        since, known, drawn = self._shown, self._known(), await self._turned(boundary)
        assert since is not None  # who runs has shown
        upcoming = self.next_boundary(boundary)
        await self._clock.sleep_until(boundary)
        if self._clock.now() < boundary:
            return  # the clock was set back
        if upcoming is not None and self._clock.now() >= upcoming:  # the machine slept, or its clock was set
            await self.show(self._clock.now())
            return
        while self._known() != known:  # prices came in between, perhaps while others were drawn
            known, drawn = self._known(), await self._turned(boundary)
        self._shelf.put(drawn)
        self._shown = boundary
        async for messages in self._drawn(lambda painter, place: _less_urgent(painter, place, since, boundary)):
            self._shelf.put(messages)

    async def _turned(self, boundary: datetime) -> list[Message]:
        since = self._shown
        assert since is not None  # who runs has shown
        drawn = self._drawn(lambda painter, place: _turned(painter, place, since, boundary))
        return [message async for messages in drawn for message in messages]

    async def _drawn(self, draw: Draw) -> AsyncIterator[list[Message]]:
        """Yield what `draw` makes of each place, letting others have their turn; one that cannot be drawn is left out."""
        for latest, painter in self._painters:
            for count, id_ in enumerate(list(latest.places)):
                if (place := latest.places.get(id_)) is None:
                    continue  # gone meanwhile
                drawn: list[Message] = []
                try:
                    drawn += draw(painter, place)
                except Exception:
                    log.exception("%s: site %s cannot be shown", latest.source, place.name)
                yield drawn
                if count % BREATH == 0:
                    await asyncio.sleep(0)

    def _known(self) -> list[int]:
        return [latest.version for latest, _ in self._painters]

    def _changes(self, moment: datetime) -> Iterator[datetime]:
        for latest, _ in self._painters:
            for place in latest.places.values():
                yield from agenda.changes(place, moment)
                for curve in place.curves.values():
                    yield midnight(moment, place.site.zone, 1)
                    if (change := curve.change_after(moment)) is not None:
                        yield change


def _turned(painter: Painter, place: Place, since: datetime, boundary: datetime) -> Iterator[Message]:
    """Yield what is another at `boundary` than at `since`."""
    if _has_new_slot(place, since, boundary):
        yield from painter.now(place, boundary)
    for named in place.devices.values():
        if any(since < change <= boundary for change in agenda.device_changes(named.device)):
            yield from painter.device(place, named, boundary)
    for window in place.windows.values():
        if any(since < change <= boundary for change in agenda.window_changes(window)):
            yield from painter.window(place, window, boundary)
    yield from painter.started(place, since, boundary)
    for schedule in place.schedules.values():
        if any(since < change <= boundary for change in agenda.schedule_changes(schedule)):
            yield painter.schedule(place, schedule, boundary)


def _less_urgent(painter: Painter, place: Place, since: datetime, boundary: datetime) -> Iterator[Message]:
    """Yield what may come a moment later."""
    if midnight(boundary, place.site.zone) == boundary:
        yield from painter.day(place, boundary)
        yield from painter.costs(place, boundary)
    elif _has_new_slot(place, since, boundary):
        yield from painter.glance(place, boundary)


def _has_new_slot(place: Place, since: datetime, boundary: datetime) -> bool:
    return any((change := curve.change_after(since)) and change <= boundary for curve in place.curves.values())
