"""The slot changes on time, from what is known, on every kind of day; nothing is ever early."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bridge.feed.latest import Latest
from bridge.feed.slots import Slots
from bridge.models.observation import PricesSeen, SitesSeen
from bridge.models.price import QUARTER_HOUR, Curve, Slot
from bridge.models.site import Site
from bridge.topics import Topics
from tests.support import Diary, HandClock, curve, settle, store, utc

SITE = Site(id="1", title="Home", timezone="Europe/Berlin", currency="EUR", streams=("import",))
BELOW = "kwh2mqtt/home/home/price/import"


class Home:
    """One site with a curve, under the watch of `Slots`."""

    def __init__(self, folder: Path, clock: HandClock, known: Curve) -> None:
        self.clock, self.shelf = clock, Diary(clock)
        self.latest = Latest("home", {}, store(folder, clock.now()), "account")
        self.latest.keep(SitesSeen((SITE,)), clock.now())
        self.latest.keep(PricesSeen("1", "import", known), clock.now())
        self.slots = Slots(Topics("kwh2mqtt"), [self.latest], self.shelf, clock)

    def values(self) -> list[tuple[datetime, str]]:
        return self.shelf.payloads(f"{BELOW}/value")

    def payload(self, figure: str) -> Any:
        message = next(message for message in self.shelf._messages.values() if message.topic == f"{BELOW}/{figure}")
        return json.loads(message.payload) if message.payload else None


@asynccontextmanager
async def running(home: Home) -> AsyncIterator[None]:
    task = asyncio.create_task(home.slots.run())
    try:
        await settle()
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_price_changes_at_the_boundary_and_not_before(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.20, -0.30]))
    async with running(home):
        await clock.go_to(utc("2026-06-10T10:14:59.999000"))
        assert home.values() == [(utc("2026-06-10T10:05"), "0.1")]
        await clock.go_to(utc("2026-06-10T10:31"))
    assert home.values() == [
        (utc("2026-06-10T10:05"), "0.1"),
        (utc("2026-06-10T10:15"), "0.2"),
        (utc("2026-06-10T10:30"), "-0.3"),
    ]


async def test_current_and_next_go_on_and_an_unknown_price_is_cleared(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.20]))
    async with running(home):
        assert (home.payload("current")["value"], home.payload("next")["value"]) == (0.1, 0.2)
        await clock.go_to(utc("2026-06-10T10:15"))
        assert (home.payload("current")["value"], home.payload("next")) == (0.2, None)
        await clock.go_to(utc("2026-06-10T10:30"))
        assert (home.payload("value"), home.payload("current"), home.payload("next")) == (None, None, None)
    assert home.values()[-1] == (utc("2026-06-10T10:30"), "")


async def test_the_summary_goes_on_with_the_slot(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.01, 0.02, 0.03, 0.04, 0.50, 0.06, 0.07, 0.30, 0.30]))
    async with running(home):
        first = home.payload("summary")["cheapest"]["1h"], home.payload("summary")["trend"]
        await clock.go_to(utc("2026-06-10T11:10"))
        then = home.payload("summary")["cheapest"]["1h"], home.payload("summary")["trend"]
    assert first == ("2026-06-10T10:00:00Z", "strongly_rising")
    assert then == ("2026-06-10T11:15:00Z", None)


async def test_the_same_prices_and_moment_give_the_same_bytes(tmp_path: Path) -> None:
    told = []
    for name in ("one", "other"):
        clock = HandClock(utc("2026-06-10T10:05"))
        home = Home(tmp_path / name, clock, curve(utc("2026-06-08T22:00"), [number % 37 / 100 for number in range(300)]))
        async with running(home):
            await clock.go_to(utc("2026-06-10T11:10"))
        told.append(home.shelf._messages)
    assert told[0] == told[1]


async def test_a_price_expires_a_minute_after_its_slot_and_a_curve_with_its_last(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.20, 0.30]))
    await home.slots.show(clock.now())
    expiries = {message.topic.rsplit("/", 1)[1]: message.expires_at for message in home.shelf.messages()}
    assert expiries == {
        "value": utc("2026-06-10T10:16"),
        "current": utc("2026-06-10T10:16"),
        "next": utc("2026-06-10T10:31"),
        "slots": utc("2026-06-10T10:45"),
        "columns": utc("2026-06-10T10:45"),
        "summary": None,
        "info": None,
    }


async def test_an_equal_price_in_the_next_slot_is_sent_all_the_same_as_it_expires_later(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.10]))
    async with running(home):
        await clock.go_to(utc("2026-06-10T10:15"))
    assert home.values() == [(utc("2026-06-10T10:05"), "0.1"), (utc("2026-06-10T10:15"), "0.1")]


@pytest.mark.parametrize(("start", "quarters"), [("2026-03-28T23:00", 92), ("2026-10-24T22:00", 100), ("2026-06-09T22:00", 96)])
async def test_on_every_kind_of_day_each_slot_is_shown_once_and_on_time(tmp_path: Path, start: str, quarters: int) -> None:
    begin = utc(start)
    clock = HandClock(begin)
    home = Home(tmp_path, clock, curve(begin, [number / 1000 for number in range(quarters + 4)]))
    async with running(home):
        assert len(home.payload("slots")) == quarters + 4
        await clock.go_to(begin + quarters * QUARTER_HOUR - timedelta(seconds=1))
        ranks = home.payload("current")["rank"], home.payload("current")["rank_of"]
    expected = [(begin + number * QUARTER_HOUR, format(Decimal(number) / 1000, "f")) for number in range(quarters)]
    assert [(moment, Decimal(text)) for moment, text in home.values()] == [(moment, Decimal(text)) for moment, text in expected]
    assert ranks == (quarters, quarters)


async def test_slots_begin_with_the_local_day_and_turn_over_at_its_midnight(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T21:50"))
    home = Home(tmp_path, clock, curve(utc("2026-06-09T22:00"), [0.1] * 192))
    async with running(home):
        assert home.payload("slots")[0]["start"] == "2026-06-09T22:00:00Z"
        assert home.payload("columns")["start"] == int(utc("2026-06-09T22:00").timestamp())
        await clock.go_to(utc("2026-06-10T22:00"))
        assert home.payload("slots")[0]["start"] == "2026-06-10T22:00:00Z"
        assert len(home.payload("columns")["values"]) == 96
        assert home.payload("summary")["today"]["start"] == "2026-06-10T22:00:00Z"


async def test_prices_that_come_just_before_the_boundary_are_the_ones_shown(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.20]))
    async with running(home):
        await clock.go_to(utc("2026-06-10T10:14:58"))
        home.latest.keep(PricesSeen("1", "import", curve(utc("2026-06-10T10:15"), [0.25, 0.35])), clock.now())
        await clock.go_to(utc("2026-06-10T10:15"))
        assert (home.payload("value"), home.payload("next")["value"]) == (0.25, 0.35)


async def test_the_first_prices_may_come_a_moment_before_their_slot_ends(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:14:30"))
    home = Home(tmp_path, clock, Curve(currency="EUR", slots=()))
    async with running(home):
        await clock.go_to(utc("2026-06-10T10:14:50"))
        home.latest.keep(PricesSeen("1", "import", curve(utc("2026-06-10T10:00"), [0.10, 0.20, 0.30])), clock.now())
        await clock.go_to(utc("2026-06-10T10:15"))
        assert home.payload("value") == 0.2


async def test_prices_that_come_a_blink_before_their_slot_ends_are_a_blink_late(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:14:30"))
    home = Home(tmp_path, clock, Curve(currency="EUR", slots=()))
    async with running(home):
        await clock.go_to(utc("2026-06-10T10:14:59.900000"))
        home.latest.keep(PricesSeen("1", "import", curve(utc("2026-06-10T10:00"), [0.10, 0.20, 0.30])), clock.now())
        await clock.go_to(utc("2026-06-10T10:15:00.200000"))
        assert home.payload("value") == 0.2


@pytest.mark.parametrize("turns", range(4))
async def test_prices_that_come_while_the_next_slot_is_drawn_are_the_ones_shown(tmp_path: Path, turns: int) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.20]))

    async def meddle() -> None:
        while clock.now() < utc("2026-06-10T10:14:55"):
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        home.latest.keep(PricesSeen("1", "import", curve(utc("2026-06-10T10:15"), [0.25])), clock.now())

    async with running(home):
        meddler = asyncio.create_task(meddle())
        await clock.go_to(utc("2026-06-10T10:15"))
        await meddler
        assert home.payload("value") == 0.25


async def test_after_the_clock_leaps_forward_everything_is_as_it_is_now(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T21:05"))
    home = Home(tmp_path, clock, curve(utc("2026-06-09T22:00"), [number / 1000 for number in range(192)]))
    async with running(home):
        await clock.go_to(utc("2026-06-10T21:14:56"))
        clock.set(utc("2026-06-11T06:20"))
        await clock.go_to(utc("2026-06-11T06:20:01"))
        assert home.payload("current")["start"] == "2026-06-11T06:15:00Z"
        assert home.payload("slots")[0]["start"] == "2026-06-10T22:00:00Z"


async def test_after_the_clock_is_set_back_the_price_is_that_of_the_earlier_time(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:31"))
    home = Home(tmp_path, clock, curve(utc("2026-06-10T10:00"), [0.10, 0.20, 0.30, 0.40]))
    async with running(home):
        assert home.payload("value") == 0.3
        clock.set(utc("2026-06-10T10:20"))
        await clock.go_to(utc("2026-06-10T10:45"))
    assert [text for _, text in home.values()] == ["0.3", "0.2", "0.3", "0.4"]


async def test_hours_and_day_and_night_change_at_their_own_ends(tmp_path: Path) -> None:
    night = Slot(utc("2026-06-10T20:00"), utc("2026-06-11T04:00"), Decimal("0.08"))
    day = Slot(utc("2026-06-11T04:00"), utc("2026-06-11T20:00"), Decimal("0.31"))
    clock = HandClock(utc("2026-06-10T21:00"))
    home = Home(tmp_path, clock, Curve(currency="EUR", slots=(night, day)))
    async with running(home):
        await clock.go_to(utc("2026-06-11T05:00"))
        assert home.payload("columns")["step"] == 1800  # what holds for longer than an hour is told in half-hours
    changes = [value for before, value in pairwise([(clock.now(), ""), *home.values()]) if before[1] != value[1]]
    assert changes == [(utc("2026-06-10T21:00"), "0.08"), (utc("2026-06-11T04:00"), "0.31")]


async def test_nothing_known_is_no_reason_to_spin(tmp_path: Path) -> None:
    clock = HandClock(utc("2026-06-10T10:05"))
    home = Home(tmp_path, clock, Curve(currency="EUR", slots=()))
    async with running(home):
        await clock.go_to(utc("2026-06-10T12:00"))
    assert home.payload("value") is None
