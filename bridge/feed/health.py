"""How each source fares, and the bridge itself, as messages."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bridge import __version__
from bridge.clock import Clock
from bridge.errors import BridgeError
from bridge.feed.latest import Latest
from bridge.models.message import Message
from bridge.models.observation import MetersSeen
from bridge.models.payload import (
    SCHEMA_VERSION,
    BridgeHealth,
    BridgeInfo,
    ErrorFigure,
    SourceCounters,
    SourceHealth,
    SourceInfo,
)
from bridge.state.budget import Budget
from bridge.topics import Topics
from bridge.transport.mqtt import OFFLINE, ONLINE, Broker
from bridge.transport.shelf import Shelf

EVERY_S = 60.0
LAG_SAMPLE_S = 1.0
MIB = 2**20


@dataclass
class Fortune:
    """What became of a source's polls since the start."""

    next_poll: datetime | None = None
    error: BridgeError | None = None
    told: str = ""  # its text as others may see it: without secrets, and of no great length
    behind: bool = False  # the last poll did not bring what ought to be known by now
    polls: int = 0
    failures: int = 0
    deaf: BridgeError | None = None  # why nothing is heard of what the source tells by itself; its polls may be well


class SourceReport:
    """Tells how one source fares."""

    def __init__(
        self, topics: Topics, provider: str, latest: Latest, budget: Budget, deprecations: Callable[[], tuple[str, ...]] = tuple
    ) -> None:
        """`deprecations` returns what the last `kwh2mqtt introspect` found of this source."""
        self._topics, self.provider, self.latest, self._budget = topics, provider, latest, budget
        self._look_up = deprecations
        self.fortune = Fortune()
        self.refresh()

    def refresh(self) -> None:
        """Look up anew what another process may have written beside us."""
        self._deprecations = self._look_up()

    def stale(self, moment: datetime) -> bool:
        """Tell whether what stands on the topics may be out of date: a poll failed, or no site has a price now.

        A source that has said that it has no meters, and has no prices either, has nothing that could be.
        """
        places = self.latest.places.values()
        curves = [curve for place in places for curve in place.curves.values()]
        is_empty = self.latest.seen(MetersSeen) is not None and not any(place.meters for place in places)
        others = is_empty or any(place.tells for place in places)
        nothing = not any(curve.at(moment) for curve in curves) if curves else not others
        return self.fortune.behind or nothing

    def messages(self, moment: datetime) -> list[Message]:
        """Return `{source}/health` and `{source}/state`: the reason is there before the alarm."""
        source, fortune, record = self.latest.source, self.fortune, self.latest.record
        stale = self.stale(moment)
        error = fortune.error or fortune.deaf
        told = (fortune.told if fortune.error else "") or str(error)
        health = SourceHealth(
            last_success=record.last_success,
            last_attempt=record.last_attempt,
            next_poll=fortune.next_poll,
            stale=stale,
            error=ErrorFigure(code=error.code, message=told) if error else None,
            deprecations=self._deprecations,
            requests_today=self._budget.requests_today(moment),
            budget=self._budget.figures(moment),
        )
        return [
            Message(self._topics.source(source, "health"), health.encoded()),
            Message(self._topics.source(source, "state"), OFFLINE if stale else ONLINE),
        ]

    def counters(self, moment: datetime) -> SourceCounters:
        return SourceCounters(
            polls=self.fortune.polls,
            failures=self.fortune.failures,
            requests_today=self._budget.requests_today(moment),
            stale=self.stale(moment),
        )

    def info(self) -> SourceInfo:
        sites = sorted(place.name for place in self.latest.places.values())
        return SourceInfo(provider=self.provider, sites=tuple(sites))


class BridgeReport:
    """Tells how the bridge fares, every minute, and who it is."""

    def __init__(
        self,
        topics: Topics,
        sources: Sequence[SourceReport],
        shelf: Shelf,
        broker: Broker,
        clock: Clock,
        operations: Mapping[str, str] | None = None,
        silent: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`silent` names a part of the bridge that makes no progress: then `bridge/health` is left to grow old."""
        self._silent = silent
        self._operations = dict(operations or {})  # name → query or write
        self._topics, self._sources, self._shelf, self._broker, self._clock = topics, sources, shelf, broker, clock
        self._lag_s = 0.0
        self._started = clock.now()

    def info(self) -> Message:
        payload = BridgeInfo(
            version=__version__,
            schema_version=SCHEMA_VERSION,
            sources={report.latest.source: report.info() for report in self._sources},
            operations=self._operations,
        )
        return Message(self._topics.bridge("info"), payload.encoded())

    async def run(self) -> None:
        """Publish `bridge/health` every minute, until cancelled; the sources' own too, as their budgets fill again."""
        while True:
            moment = self._clock.now()
            if self._silent() is None:
                self._shelf.put([self.health(moment)])
            for report in self._sources:
                report.refresh()
                self._shelf.put(report.messages(moment))
            self._lag_s = 0.0
            await self._measure_lag()

    def health(self, moment: datetime) -> Message:
        """Return `bridge/health`."""
        memory = resident_bytes()
        payload = BridgeHealth(
            at=moment,
            uptime_s=max(0, int((moment - self._started).total_seconds())),
            memory_mib=round(memory / MIB, 1) if memory else None,
            loop_lag_ms=round(self._lag_s * 1000, 1),
            publish_queue=len(self._shelf),
            published=self._broker.published,
            reconnects=max(0, self._broker.connects - 1),
            sources={report.latest.source: report.counters(moment) for report in self._sources},
        )
        return Message(self._topics.bridge("health"), payload.encoded())

    async def _measure_lag(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + EVERY_S  # not the clock's time, which may be set
        while loop.time() < until:
            due = loop.time() + LAG_SAMPLE_S
            await asyncio.sleep(LAG_SAMPLE_S)
            self._lag_s = max(self._lag_s, loop.time() - due)


def resident_bytes() -> int | None:
    """Return the resident set of this process, or None where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return None
