"""A source that tells things by itself: they are published at once, a broken line is told and mended, the disk is spared."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import RateLimited, SourceError, TimedOut, Unreachable
from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.feed.listen import LONGEST_BACK_OFF, Listener
from bridge.feed.poll import Poller
from bridge.models.message import Message
from bridge.models.observation import MetersSeen, Observation, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.base import Known, Listening
from bridge.redact import Redactor
from bridge.state.budget import Budget, BudgetSettings
from bridge.state.database import Statement
from bridge.state.store import Store
from bridge.topics import Topics
from tests.support import Diary, HandClock, settle, utc

NOW = utc("2026-06-10T10:05")
SITES = SitesSeen((Site(id="1", title="Works", timezone="UTC"),))
QUIET = ReadingsSeen("1", ())
POWER = "kwh2mqtt/mesh/works/reading/press/power"


def power(value: float, meter: str = "press") -> ReadingsSeen:
    return ReadingsSeen("1", (Reading(meter=meter, quantity="power", value=Decimal(str(value)), unit="kW", at=NOW),))


@dataclass
class Teller:
    """A source that tells what it is given, and has nothing to be asked for."""

    clock: HandClock
    begun: list[datetime] = field(default_factory=list)
    closed: int = 0
    lines: asyncio.Queue[Observation | Exception | None] = field(default_factory=asyncio.Queue)

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        yield SITES

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        seen = known.seen(ReadingsSeen)
        return moment + timedelta(hours=1) if seen is None else seen + timedelta(days=1)

    async def sign_in(self) -> str:
        return ""

    async def listen(self, known: Known) -> AsyncGenerator[Observation, None]:
        self.begun.append(self.clock.now())
        try:
            while (line := await self.lines.get()) is not None:
                if isinstance(line, Exception):
                    raise line
                yield line
        finally:
            self.closed += 1


class Ledge(Diary):
    """A shelf that notes the topic of each message that is laid on it, also of one that says nothing new."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.laid: list[str] = []

    def put(self, messages: Iterable[Message]) -> None:
        kept = list(messages)
        self.laid += [message.topic for message in kept]
        super().put(kept)


class Counted(Store):
    """A state that notes how many statements each transaction had."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, NOW)
        self.written: list[int] = []

    def save(self, statements: Iterable[Statement]) -> None:
        kept = list(statements)
        self.written.append(len(kept))
        super().save(kept)


class Bench:
    """A listener with all that it needs, beside a poller of the same source."""

    def __init__(self, state: Counted) -> None:
        self.clock = HandClock(NOW)
        self.shelf, topics = Ledge(self.clock), Topics("kwh2mqtt")
        self.store = state
        self.latest = Latest("mesh", {}, self.store, "account")
        self.report = SourceReport(topics, "mesh", self.latest, Budget("mesh", BudgetSettings(), self.store.database))
        self.source = Teller(self.clock)
        self.saved = 0
        given = (self.source, self.report, topics, self.shelf, self.clock, Redactor(["sesame-open"]))
        self.poller = Poller(*given, after_poll=lambda: None)
        self.listener = Listener(*given, after_save=self._count, chance=random.Random(1))

    def _count(self) -> None:
        self.saved += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Bench"]:
        await self.poller.poll()
        self.task = asyncio.create_task(self.listener.run())
        await settle()
        yield self
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        assert self.source.closed == len(self.source.begun)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def hear(self, *lines: Observation | Exception | None) -> None:
        for line in lines:
            self.source.lines.put_nowait(line)
        await settle()

    async def after(self, wait: timedelta) -> None:
        await self.clock.go_to(self.clock.now() + wait)

    def values(self) -> list[float]:
        return [json.loads(payload)["value"] for _, payload in self.shelf.payloads(POWER)]

    def health(self) -> dict[str, Any]:
        """Return what stands on the topic."""
        (*_, (_, payload)) = self.shelf.payloads("kwh2mqtt/mesh/health")
        told: dict[str, Any] = json.loads(payload)
        return told

    def on_disk(self) -> dict[str, int]:
        return {reading.meter: int(reading.value or 0) for reading in self.store.readings("mesh").get("1", ())}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Counted(tmp_path) as state:
        yield Bench(state)


def told(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> Iterator[str]:
    return (record.getMessage() for record in caplog.records if record.levelno >= level)


def test_a_source_that_tells_is_listening(bench: Bench) -> None:
    assert isinstance(bench.source, Listening)


async def test_what_comes_is_published_at_once_and_in_order(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(power(1), power(2.5), power(2))
        assert bench.values() == [1, 2.5, 2]
        assert {moment for moment, _ in bench.shelf.payloads(POWER)} == {NOW}


async def test_only_what_changed_is_drawn(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(power(1), power(7, "lathe"))
        bench.shelf.laid.clear()
        await bench.hear(power(2))
        assert bench.shelf.laid == [POWER]


async def test_what_is_heard_does_not_put_off_the_polls(bench: Bench) -> None:
    async with bench.running():
        before = bench.latest.record
        await bench.hear(power(1))
        assert bench.latest.seen(ReadingsSeen) is None
        assert bench.latest.record == before
        assert bench.source.next_poll(bench.latest, NOW) == NOW + timedelta(hours=1)


async def test_a_site_that_only_the_line_tells_of_is_shown(bench: Bench) -> None:
    async with bench.running():
        other = Site(id="2", title="Mill", timezone="UTC")
        await bench.hear(SitesSeen((other,), complete=False), ReadingsSeen("2", power(3).readings))
        assert bench.shelf.payloads(POWER.replace("works", "mill")) != []
        assert set(bench.latest.sites) == {"1", "2"}


async def test_what_comes_of_a_site_that_nobody_knows_is_passed_over(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(ReadingsSeen("9", power(3).readings), power(4))
        assert (bench.values(), len(bench.source.begun)) == ([4], 1)


# the line breaks


async def test_a_broken_line_is_told_in_the_health_and_the_source_is_not_stale(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with bench.running():
        await bench.hear(power(1), Unreachable("the broker is away"))
        error = {"code": "unavailable", "message": "the broker is away"}
        assert (bench.health()["error"], bench.health()["stale"]) == (error, False)
        await bench.poller.poll()  # goes well, and takes nothing back
        bench.shelf.put(bench.report.messages(bench.clock.now()))
        assert (bench.health()["error"], bench.health()["stale"]) == (error, False)
        await bench.after(LONGEST_BACK_OFF)
        await bench.hear(QUIET)
        assert bench.health()["error"] is None
    assert list(told(caplog)) == [
        "mesh: it cannot be listened to: the broker is away; it is tried again in 1 s",
        "mesh: it is listened to again",
    ]


async def test_a_poll_that_fails_says_so_before_the_line_does(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(power(1), Unreachable("the broker is away"))
        bench.report.fortune.error = TimedOut("no answer")
        bench.shelf.put(bench.report.messages(NOW))
        assert bench.health()["error"] == {"code": "timeout", "message": "no answer"}


async def test_the_pauses_double_up_to_five_minutes_and_are_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async with bench.running():
        await bench.hear(*[Unreachable("away")] * 12)
        await bench.after(timedelta(hours=1))
        waits = [(later - earlier).total_seconds() for earlier, later in pairwise(bench.source.begun)]
    bounds = [min(2**failures, 300) for failures in range(1, 13)]
    assert all(max(bound / 2, 1) <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert len(set(waits)) > 10  # chance has a hand in it
    (line,) = told(caplog, logging.WARNING)
    assert line.startswith("mesh: it cannot be listened to: away; it is tried again in ")


async def test_what_says_how_long_to_wait_is_waited_for(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(RateLimited("too many", retry_after=timedelta(minutes=10)))
        await bench.after(timedelta(minutes=10) - timedelta(seconds=1))
        assert len(bench.source.begun) == 1
        await bench.after(timedelta(seconds=31))
        assert len(bench.source.begun) == 2


@pytest.mark.parametrize(("stood", "failures"), [(timedelta(seconds=59), 4), (timedelta(seconds=60), 1)])
async def test_a_line_that_stood_for_a_minute_was_well(bench: Bench, stood: timedelta, failures: int) -> None:
    async with bench.running():
        await bench.hear(*[Unreachable("away")] * 3)
        await bench.after(timedelta(seconds=1 + 4 + 8))
        assert len(bench.source.begun) == 4
        await bench.hear(QUIET)
        await bench.clock.go_to(bench.source.begun[-1] + stood)
        await bench.hear(Unreachable("away"))
        assert bench.listener._failures == failures


async def test_a_fault_of_ours_is_logged_whole_once_and_tried_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async with bench.running():
        for _ in range(2):
            await bench.hear(ZeroDivisionError("with sesame-open in it"))
            await bench.after(LONGEST_BACK_OFF)
        assert bench.health()["error"] == {"code": "internal", "message": "ZeroDivisionError: with *** in it"}
        assert len(bench.source.begun) == 3
    assert [record.exc_info is not None for record in caplog.records if record.levelno == logging.ERROR] == [True]
    caplog.clear()


async def test_what_cannot_be_published_does_not_break_the_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    odd: Any = ReadingsSeen("1", (None,))  # type: ignore[arg-type]  # what no provider ought to say
    async with bench.running():
        await bench.hear(odd, odd, power(3))
        assert (bench.values(), len(bench.source.begun)) == ([3], 1)
    assert list(told(caplog, logging.ERROR)) == ["mesh: what came cannot be published"]
    caplog.clear()


async def test_a_part_that_fails_stands_in_the_health_until_the_line_is_renewed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async with bench.running():
        await bench.hear(power(1), Shortfall(SourceError("press is off")), power(2))
        assert (bench.health()["error"], bench.health()["stale"]) == ({"code": "unavailable", "message": "press is off"}, False)
        assert bench.values() == [1, 2]
        await bench.hear(Unreachable("away"))
        await bench.after(LONGEST_BACK_OFF)
        await bench.hear(QUIET)
        assert bench.health()["error"] is None
    assert list(told(caplog, logging.WARNING)) == ["mesh: it cannot be listened to: press is off; the rest is heard"]


async def test_where_there_is_nothing_to_listen_to_it_ends(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(None)
        assert bench.task.done()
        assert bench.task.result() is None


# the disk


async def test_the_disk_is_written_once_a_minute_however_much_comes(bench: Bench) -> None:
    async with bench.running():
        written = bench.store.written
        written.clear()
        for second in range(150):
            await bench.hear(power(second), power(second, "lathe"))
            await bench.after(timedelta(seconds=1))
        assert written == [2, 2]  # each meter's newest, twice in two and a half minutes
        assert (bench.saved, bench.on_disk()) == (2, {"press": 119, "lathe": 119})
        await bench.after(timedelta(minutes=5))
        assert len(written) == 3  # nothing came since
    assert bench.on_disk() == {"press": 149, "lathe": 149}


async def test_what_is_not_written_yet_is_written_at_the_end(bench: Bench) -> None:
    async with bench.running():
        await bench.hear(power(1), power(2))
        assert bench.on_disk() == {}
    assert (bench.on_disk(), bench.saved) == ({"press": 2}, 1)


async def test_a_meter_that_goes_and_comes_is_written_as_it_is_at_last(bench: Bench) -> None:
    async with bench.running():
        named = MetersSeen("1", {"m1": "press"})
        await bench.hear(named, power(1, "m1"), MetersSeen("1", {}))
        await bench.after(timedelta(minutes=1))
        assert bench.on_disk() == {}
        await bench.hear(MetersSeen("1", {}), named, power(2, "m1"))
    assert bench.on_disk() == {"press": 2}


async def test_a_poll_under_way_is_not_written_as_done(bench: Bench) -> None:
    async with bench.running():
        before = bench.store.source("mesh")
        bench.latest.note(last_attempt=NOW + timedelta(seconds=30))  # as a poll does when it begins
        await bench.hear(power(1))
        await bench.after(timedelta(minutes=1))
        assert bench.on_disk() == {"press": 1}
        assert bench.store.source("mesh") == before
