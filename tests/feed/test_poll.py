"""A source that fails: what is known stays, the reason is told, the wait is right, and nobody else notices."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    BudgetSpent,
    Incomplete,
    Malformed,
    NotSignedIn,
    RateLimited,
    Refused,
    SourceError,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.feed.poll import Poller
from bridge.models.observation import Observation, PricesSeen, Shortfall, SitesSeen
from bridge.models.site import Site
from bridge.providers.base import Known
from bridge.redact import Redactor
from bridge.state.budget import Budget, BudgetSettings
from bridge.topics import Topics
from bridge.transport.shelf import Shelf
from tests.support import HandClock, curve, settle, store, utc

NOW = utc("2026-06-10T10:05")
SITE = Site(id="1", title="Home", timezone="Europe/Berlin")
PRICES = PricesSeen("1", "import", curve(utc("2026-06-10T10:00"), [0.1] * 96))


@dataclass
class Scripted:
    """A source that yields, or raises, what the script says, a line a poll; it is due every hour."""

    script: list[Sequence[Observation | Exception]]
    polls: list[datetime] = field(default_factory=list)
    stuck: bool = False  # whether it never comes to an end

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        self.polls.append(moment)
        for step in self.script.pop(0) if self.script else []:
            if isinstance(step, Exception):
                raise step
            yield step
        if self.stuck:
            await asyncio.Event().wait()

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        return self.polls[-1] + timedelta(hours=1) if self.polls else moment

    async def sign_in(self) -> str:
        return "signed in"


class Bench:
    """A poller with all that it needs."""

    def __init__(
        self, folder: Path, *script: Sequence[Observation | Exception], after_poll: Callable[[], None] = lambda: None
    ) -> None:
        self.clock, self.shelf, self.topics = HandClock(NOW), Shelf(), Topics("kwh2mqtt")
        self.store = store(folder, NOW)
        self.latest = Latest("home", {}, self.store, "account")
        budget = Budget("home", BudgetSettings(), self.store.database)
        self.report = SourceReport(self.topics, "tibber", self.latest, budget)
        self.source = Scripted(list(script))
        self.poller = Poller(
            self.source, self.report, self.topics, self.shelf, self.clock, Redactor(["sesame-open"]),
            after_poll=after_poll, chance=random.Random(1),
        )  # fmt: skip

    async def poll(self) -> dict[str, Any]:
        await self.poller.poll()
        return self.health()

    def health(self) -> dict[str, Any]:
        health, state = self.report.messages(self.clock.now())
        told: dict[str, Any] = json.loads(health.payload)
        assert state.payload == (b"offline" if told["stale"] else b"online")
        return told

    def wait(self) -> timedelta:
        assert self.report.fortune.next_poll is not None
        return self.report.fortune.next_poll - self.clock.now()

    def value(self) -> bytes:
        return next((message.payload for message in self.shelf.messages() if message.topic.endswith("/value")), b"")


GOOD: list[Observation | Exception] = [SitesSeen((SITE,)), PRICES]


async def test_a_good_poll_is_online_and_says_when(tmp_path: Path) -> None:
    bench = Bench(tmp_path, GOOD)
    assert await bench.poll() == {
        "last_success": "2026-06-10T10:05:00Z",
        "last_attempt": "2026-06-10T10:05:00Z",
        "next_poll": "2026-06-10T10:06:00Z",
        "stale": False,
        "error": None,
        "deprecations": [],
        "requests_today": 0,
        "budget": {"limit": 20, "remaining": 20, "resets_at": None},
    }
    assert bench.value() == b"0.1"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unreachable("it answered 502"), "unavailable"),
        (TimedOut("no answer"), "timeout"),
        (Malformed("not JSON"), "unavailable"),
        (Unauthenticated("invalid token"), "unauthenticated"),
        (RateLimited("banned", retry_after=timedelta(minutes=10)), "rate_limited"),
        (ZeroDivisionError("a fault of ours, with sesame-open in it"), "internal"),
    ],
)
async def test_a_failed_poll_keeps_the_data_and_tells_that_it_is_stale_and_why(
    tmp_path: Path, error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, GOOD, [error])
    await bench.poll()
    bench.clock.set(utc("2026-06-10T11:05"))
    health = await bench.poll()
    assert (health["stale"], health["error"]["code"]) == (True, code)
    assert (health["last_success"], health["last_attempt"]) == ("2026-06-10T10:05:00Z", "2026-06-10T11:05:00Z")
    assert "sesame-open" not in health["error"]["message"]
    assert bench.value() == b"0.1"
    assert len(caplog.records) == 1 + (code == "internal")


async def test_it_heals_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bench = Bench(tmp_path, GOOD, [Unreachable("away")], [Unreachable("away")], GOOD)
    for _ in range(4):
        await bench.poll()
    assert [record.getMessage() for record in caplog.records] == ["home: away", "home: well again"]
    assert bench.health()["error"] is None


async def test_a_shortfall_is_told_and_the_rest_of_the_poll_goes_on(tmp_path: Path) -> None:
    shortfall = Shortfall(Incomplete("home Cabin came back empty"), "2")
    health = await Bench(tmp_path, [SitesSeen((SITE,)), shortfall, PRICES]).poll()
    assert (health["stale"], health["error"]["message"]) == (True, "home Cabin came back empty")
    assert health["last_success"] == "2026-06-10T10:05:00Z"


async def test_a_part_that_is_only_late_does_not_make_the_rest_stale(tmp_path: Path) -> None:
    late = Shortfall(Incomplete("tomorrow: 10 h of 24 h"), "1", behind=False)
    health = await Bench(tmp_path, [*GOOD, late]).poll()
    assert (health["stale"], health["error"]["message"]) == (False, "tomorrow: 10 h of 24 h")


async def test_our_own_budget_spent_says_nothing_about_the_data(tmp_path: Path) -> None:
    bench = Bench(tmp_path, GOOD, [BudgetSpent("spent", retry_after=timedelta(seconds=90))])
    await bench.poll()
    health = await bench.poll()
    assert (health["stale"], health["error"]["code"]) == (False, "rate_limited")
    assert timedelta(seconds=90) <= bench.wait() <= timedelta(seconds=120)


async def test_without_any_data_a_source_is_stale(tmp_path: Path) -> None:
    assert Bench(tmp_path).health()["stale"] is True


async def test_data_that_ran_out_is_stale(tmp_path: Path) -> None:
    bench = Bench(tmp_path, GOOD)
    await bench.poll()
    bench.clock.set(utc("2026-06-11T10:01"))
    assert bench.health()["stale"] is True


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        (Unreachable("away"), timedelta(minutes=1), timedelta(minutes=2)),
        (RateLimited("banned", retry_after=timedelta(minutes=47)), timedelta(minutes=47), timedelta(minutes=47, seconds=30)),
        (RateLimited("banned, for long"), timedelta(minutes=1), timedelta(minutes=30)),
        (Unauthenticated("no"), timedelta(minutes=15), timedelta(minutes=15)),
    ],
)
async def test_the_wait_fits_the_failure(tmp_path: Path, error: SourceError, least: timedelta, most: timedelta) -> None:
    bench = Bench(tmp_path, [error])
    await bench.poll()
    assert least <= bench.wait() <= most


async def test_the_wait_grows_to_half_an_hour_and_is_never_under_a_minute(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[[Unreachable("away")] for _ in range(50)])
    waits = []
    for _ in range(50):
        await bench.poll()
        waits.append(bench.wait())
    assert all(timedelta(minutes=1) <= wait <= timedelta(minutes=30) for wait in waits)
    assert max(waits[:2]) < timedelta(minutes=5)
    assert max(waits[10:]) > timedelta(minutes=20)


async def test_it_polls_when_the_source_says_so_and_waits_out_a_back_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, GOOD, [RateLimited("banned", retry_after=timedelta(hours=3))], GOOD)
    task = asyncio.create_task(bench.poller.run())
    await bench.clock.go_to(utc("2026-06-10T14:04"))
    assert bench.source.polls == [utc("2026-06-10T10:05"), utc("2026-06-10T11:05")]
    await bench.clock.go_to(utc("2026-06-10T14:06"))
    assert len(bench.source.polls) == 3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("first", "told"),
    [(GOOD, ["home: the first poll went well; sites: home"]), ([Unreachable("away")], ["home: away", "home: well again"])],
)
async def test_a_bridge_that_runs_says_once_what_it_has_found(
    tmp_path: Path, first: Sequence[Observation | Exception], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    bench = Bench(tmp_path, first, GOOD, GOOD)
    task = asyncio.create_task(bench.poller.run())
    await bench.clock.go_to(utc("2026-06-10T12:30"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(bench.source.polls) == 3
    assert [record.getMessage() for record in caplog.records] == told


async def test_the_slot_shown_is_that_of_the_moment_at_which_the_answer_came(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [SitesSeen((SITE,))])
    await bench.poll()

    async def slow(known: Known, moment: datetime) -> AsyncIterator[Observation]:
        bench.clock.set(utc("2026-06-10T10:16"))
        yield PricesSeen("1", "import", curve(utc("2026-06-10T10:00"), [0.1, 0.2]))

    bench.source.poll = slow  # type: ignore[method-assign]
    await bench.poller.poll()
    assert bench.value() == b"0.2"


async def test_a_site_that_is_gone_has_its_topics_cleared_and_no_other(tmp_path: Path) -> None:
    cabin = Site(id="2", title="Cabin", timezone="Europe/Berlin")
    both: list[Observation | Exception] = [SitesSeen((SITE, cabin)), PRICES, PricesSeen("2", "import", PRICES.curve)]
    bench = Bench(tmp_path, both, [SitesSeen((SITE,))])
    await bench.poll()
    assert len(bench.shelf.topics(below="kwh2mqtt/home/cabin/")) == 7
    await bench.poll()
    assert bench.shelf.topics(below="kwh2mqtt/home/cabin/") == []
    assert len(bench.shelf.topics(below="kwh2mqtt/home/home/")) == 7
    cleared = [topic for topic, message in bench.shelf._messages.items() if not message.payload]
    assert len(cleared) == 7


async def test_what_was_polled_is_written_even_when_the_poll_then_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [*GOOD, Unreachable("away")])
    await bench.poll()
    assert Latest("home", {}, bench.store, "account").curve("1", "import") is not None
    await settle(1)


async def test_what_was_polled_is_written_even_when_the_poll_is_cut_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [SitesSeen((SITE,)), PRICES])
    bench.source.stuck = True
    task = asyncio.create_task(bench.poller.poll())
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.store.curves("home") == {("1", "import"): PRICES.curve}


async def test_a_wait_that_a_wrong_clock_reckoned_is_void_once_the_clock_is_right(tmp_path: Path) -> None:
    bench = Bench(tmp_path, GOOD, GOOD, GOOD)
    bench.clock.set(utc("2036-01-01T00:00"))
    task = asyncio.create_task(bench.poller.run())
    await settle()
    bench.source.next_poll = lambda known, moment: max(moment, utc("2026-06-10T12:00"))  # type: ignore[method-assign]
    bench.clock.set(utc("2026-06-10T11:00"))
    await bench.clock.go_to(utc("2026-06-10T12:00:30"))
    assert bench.source.polls == [utc("2036-01-01T00:00"), utc("2026-06-10T12:00")]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_login_is_waited_for_and_found_within_half_a_minute_however_long_it_took(tmp_path: Path) -> None:
    text = "no sign-in is kept: a person has to sign in; run kwh2mqtt login home"
    bench = Bench(tmp_path, *[[NotSignedIn(text)] for _ in range(9)], GOOD)
    for _ in range(9):
        assert (await bench.poll())["error"] == {"code": "unauthenticated", "message": text}
        assert bench.wait() == timedelta(seconds=30)
        bench.clock.set(bench.clock.now() + bench.wait())
    assert (await bench.poll())["error"] is None


async def test_what_a_provider_says_is_told_without_secrets_and_at_no_great_length(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [Malformed("the next page is at https://sesame-open.example " + "x" * 10_000)], [])
    message = (await bench.poll())["error"]["message"]
    assert message.startswith("the next page is at https://***.example x")
    assert len(message) == 1000
    assert (await bench.poll())["error"] is None


async def test_every_part_that_failed_is_told_the_worst_first(tmp_path: Path) -> None:
    parts = [
        Shortfall(Refused("line 1: no"), behind=False),
        Shortfall(Malformed("line 2: what?")),
        Shortfall(Refused("line 1: no"), behind=False),
    ]
    bench = Bench(tmp_path, [*GOOD, *parts])
    assert (await bench.poll())["error"] == {"code": "unavailable", "message": "line 2: what?; line 1: no"}


async def test_bad_credentials_are_tried_ever_more_rarely_to_once_in_four_hours(tmp_path: Path) -> None:
    bench = Bench(tmp_path, *[[Unauthenticated("no")] for _ in range(7)])
    waits = []
    for _ in range(7):
        await bench.poll()
        waits.append(bench.wait() / timedelta(hours=1))
    assert waits == [0.25, 1, 4, 4, 4, 4, 4]


async def test_a_home_that_takes_the_place_and_name_of_another_does_not_inherit_its_prices(tmp_path: Path) -> None:
    other = Site(id="9", title="Home", timezone="Europe/Berlin")
    bench = Bench(tmp_path, GOOD, [SitesSeen((other,))])
    await bench.poll()
    await bench.poll()
    assert [place.name for place in bench.latest.places.values()] == ["home"]
    assert bench.shelf.topics(below="kwh2mqtt/home/home/") == ["kwh2mqtt/home/home/info"]


async def test_a_source_that_cannot_even_say_when_is_asked_again_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, GOOD)
    bench.source.next_poll = lambda known, moment: 1 / 0  # type: ignore[assignment, return-value]
    task = asyncio.create_task(bench.poller.run())
    await bench.clock.go_to(utc("2026-06-10T10:36"))
    assert bench.source.polls == [utc("2026-06-10T10:35")]
    assert "an unforeseen fault" in caplog.text
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
