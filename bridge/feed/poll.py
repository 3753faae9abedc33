"""Asks one source whenever something is due, and keeps what comes. Whatever fails here fails for this source alone."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.errors import BridgeError, BudgetSpent, NotSignedIn, RateLimited, SourceError, TooMany, Unauthenticated
from bridge.feed.health import SourceReport
from bridge.feed.publish import Publisher
from bridge.models.observation import (
    DevicesSeen,
    FiguresSeen,
    LiveSeen,
    MetersSeen,
    Observation,
    PricesSeen,
    ReadingsSeen,
    SchedulesSeen,
    Shortfall,
    SitesSeen,
)
from bridge.providers.base import Refreshable, Source
from bridge.redact import Redactor
from bridge.state.database import Statement
from bridge.topics import Topics
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)

SHORTEST_PAUSE = timedelta(seconds=60)  # between two polls, whatever a source says
FIRST_BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(minutes=30)
BAD_CREDENTIALS = timedelta(minutes=15)  # asking again is hardly any use, but providers have erred before: ever more rarely
LONGEST_BAD_CREDENTIALS = timedelta(hours=4)
PERSON_AWAITED = timedelta(seconds=30)  # until one has signed in, nothing is sent, so that looking again costs nothing
LONGEST_TEXT, LONGEST_TOLD = 300, 1000  # characters of a fault of ours, and of any error on the topics
REFRESH_PAUSE = timedelta(minutes=5)  # between two that devices ask for: the budget is the pollers' too


class Internal(BridgeError):
    """A fault of ours; the log has the details."""


KINDS: dict[type[Observation], str] = {
    SitesSeen: "sites",
    PricesSeen: "prices",
    MetersSeen: "meters",
    ReadingsSeen: "readings",
    LiveSeen: "live",
    FiguresSeen: "account",
    SchedulesSeen: "schedules",
    DevicesSeen: "dispatches",
}


class Poller:
    """Polls one source for ever."""

    def __init__(
        self,
        source: Source,
        report: SourceReport,
        topics: Topics,
        shelf: Shelf,
        clock: Clock,
        redact: Redactor,
        *,
        after_poll: Callable[[], None],
        chance: random.Random | None = None,
    ) -> None:
        self._source, self._latest, self._report, self._shelf, self._clock = source, report.latest, report, shelf, clock
        self._publisher = Publisher(topics, report.latest, shelf)
        self._redact, self._after_poll = redact, after_poll
        self._chance = chance or random.Random()
        self._failures = 0  # in a row
        self._polling = asyncio.Lock()
        self._refreshed: datetime | None = None
        self._refreshing: asyncio.Task[list[str]] | None = None

    async def run(self) -> None:
        """Poll whenever something is due, until cancelled."""
        while True:
            now = self._clock.now()
            due = max(self._due(now), self._report.fortune.next_poll or now)
            self._tell(now, due)
            await self._clock.sleep_until(due)
            if self._clock.now() < due:  # the clock was set back: what was reckoned with the wrong one is void
                self._report.fortune.next_poll = None
                continue
            await self.poll()
            if self._report.fortune.polls == 1 and self._report.fortune.error is None:
                sites = ", ".join(self._report.info().sites) or "none"
                log.info("%s: the first poll went well; sites: %s", self._latest.source, sites)

    def _due(self, now: datetime) -> datetime:
        try:
            return self._source.next_poll(self._latest, now)
        except Exception:
            log.exception("%s: an unforeseen fault", self._latest.source)
            return now + LONGEST_BACK_OFF

    async def refresh(self) -> list[str]:
        """Ask for everything now and return what came. Raises TooMany soon after the last time, or why the poll failed."""
        now = self._clock.now()
        if self._refreshed is not None and self._refreshed <= now < self._refreshed + REFRESH_PAUSE:
            wait = self._refreshed + REFRESH_PAUSE - now
            raise TooMany("the source was refreshed a moment ago", retry_after=wait)
        self._refreshed = now
        if isinstance(self._source, Refreshable):
            self._source.expire()
        self._refreshing = asyncio.create_task(self.poll(), name="refresh")  # it ends, though nobody may wait for it any more
        came = await asyncio.shield(self._refreshing)
        if (error := self._report.fortune.error) is not None and not came:
            raise error
        return came

    async def poll(self) -> list[str]:
        """Poll once and return what came. What went wrong stands in the report and the log; nothing is raised."""
        async with self._polling:
            return await self._poll()

    async def _poll(self) -> list[str]:
        moment, fortune = self._clock.now(), self._report.fortune
        fortune.polls += 1
        statements: list[Statement] = []
        shortfalls: list[Shortfall] = []
        error: BridgeError | None = None
        came: set[type[Observation]] = set()
        self._latest.note(last_attempt=moment)
        try:
            async for observation in self._source.poll(self._latest, moment):
                now = self._clock.now()  # not `moment`: the slot may have changed while the provider thought
                statements += self._publisher.publish(observation, moment, now)
                came.add(type(observation))
                if isinstance(observation, Shortfall):
                    shortfalls.append(observation)
                await asyncio.sleep(0)  # a thousand sites must not hold up a slot's end
        except asyncio.CancelledError:
            self._latest.save(statements)  # it is on the topics already, and has to be cleared from there one day
            raise
        except NotSignedIn as raised:
            error = raised
        except Unauthenticated as raised:
            mend = f"put new ones into sources.{self._latest.source} and reload (SIGHUP) or restart"
            error = Unauthenticated(f"the provider does not accept the credentials ({raised}); {mend}")
        except SourceError as raised:
            error = raised
        except Exception as raised:
            again = isinstance(fortune.error, Internal)
            log.log(logging.DEBUG if again else logging.ERROR, "%s: an unforeseen fault", self._latest.source, exc_info=True)
            error = Internal(self._redact(f"{type(raised).__name__}: {raised}")[:LONGEST_TEXT])
        if error is None:
            self._latest.note(last_success=moment)
        self._latest.save(statements)
        self._judge(error, shortfalls)
        self._after_poll()
        return [name for kind, name in KINDS.items() if kind in came]

    def _judge(self, error: BridgeError | None, shortfalls: list[Shortfall]) -> None:
        fortune, now = self._report.fortune, self._clock.now()
        spent = isinstance(error, BudgetSpent)  # nothing was asked: what is known is as good as before
        behind = fortune.behind if spent else error is not None or any(shortfall.behind for shortfall in shortfalls)
        worst_first = sorted(shortfalls, key=lambda shortfall: not shortfall.behind)
        reasons: list[BridgeError] = [error] if error else [shortfall.error for shortfall in worst_first]
        reason = next(iter(reasons), None)
        self._log(fortune.error, reason)
        fortune.error, fortune.behind = reason, behind
        fortune.told = self._redact("; ".join(dict.fromkeys(map(str, reasons))))[:LONGEST_TOLD]
        if error is None:
            self._failures = 0
            fortune.next_poll = now + SHORTEST_PAUSE
            return
        self._failures += 0 if spent else 1
        fortune.failures += 0 if spent else 1
        fortune.next_poll = now + self._back_off(error)

    def _back_off(self, error: BridgeError) -> timedelta:
        if isinstance(error, NotSignedIn):
            return PERSON_AWAITED
        if isinstance(error, Unauthenticated):
            return min(BAD_CREDENTIALS * (1 << 2 * min(self._failures - 1, 5)), LONGEST_BAD_CREDENTIALS)
        jittered = self._chance.uniform(0.5, 1) * min(FIRST_BACK_OFF * (1 << min(self._failures, 10)), LONGEST_BACK_OFF)
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after + timedelta(seconds=self._chance.uniform(0, 30))
        return max(jittered, FIRST_BACK_OFF)

    def _tell(self, now: datetime, due: datetime) -> None:
        self._report.fortune.next_poll = due
        self._shelf.put(self._report.messages(now))

    def _log(self, before: BridgeError | None, after: BridgeError | None) -> None:
        name = self._latest.source
        if after is None:
            if before is not None:
                log.info("%s: well again", name)
        elif before is None or before.code != after.code:
            log.warning("%s: %s", name, after)
        else:
            log.debug("%s: still %s", name, after)
