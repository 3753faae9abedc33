"""A window switches its topic on time, from what is known; nothing is early, nothing flickers, and a restart changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.feed.latest import Latest
from bridge.feed.leftovers import Leftovers
from bridge.feed.publish import Publisher
from bridge.feed.slots import Slots
from bridge.models.message import Message
from bridge.models.observation import PricesSeen, SitesSeen
from bridge.models.price import Curve
from bridge.models.site import Site
from bridge.pricing.windows import WindowSettings
from bridge.topics import Topics
from bridge.transport.shelf import Shelf
from tests.support import Diary, HandClock, curve, settle, store, utc

SITE = Site(id="1", title="Home", timezone="Europe/Berlin", currency="EUR", streams=("import",))
TOPICS = Topics("kwh2mqtt")
WINDOW = "kwh2mqtt/home/home/price/import/window/night"
START = utc("2026-06-10T16:00")  # 18:00 in Berlin
NIGHT = {"night": WindowSettings.model_validate({"duration": "PT1H", "not_before": "18:00", "deadline": "07:00"})}
PIECES = {"night": WindowSettings.model_validate({"duration": "PT2H", "contiguous": False, "not_before": "18:00"})}
EVENING = [4, 2, 4, 4, 4, 4]  # the hours from 18:00 on
WHOLE = [*EVENING, 4, 4, 1, 4, 4, 4, 4]  # to 07:00


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def hours(values: Sequence[float]) -> Curve:
    return curve(START, [value for value in values for _ in range(4)])


class Home:
    """One site with windows, its prices coming as polls bring them."""

    def __init__(self, folder: Path, clock: HandClock, windows: dict[str, WindowSettings] | None = None) -> None:
        self.clock, self.shelf = clock, Diary(clock)
        self.latest = Latest("home", {}, store(folder, clock.now()), "account", windows=NIGHT if windows is None else windows)
        self.slots = Slots(TOPICS, [self.latest], self.shelf, clock)
        self._publisher = Publisher(TOPICS, self.latest, self.shelf)

    def see(self, known: Curve) -> None:
        now = self.clock.now()
        for observation in (SitesSeen((SITE,)), PricesSeen("1", "import", known)):
            self.latest.save(self._publisher.publish(observation, now, now))

    def switched(self) -> list[tuple[datetime, str]]:
        return self.shelf.payloads(f"{WINDOW}/active")

    def told(self) -> Any:
        payload = self.shelf._messages[WINDOW].payload
        return json.loads(payload) if payload else None

    def events(self) -> list[Any]:
        found = [json.loads(message.payload) for message in self.shelf._events]
        return [event for event in found if event["event_type"] == "window_started"]


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


async def test_a_window_switches_on_at_its_start_and_off_at_its_end_and_says_so(tmp_path: Path) -> None:
    clock = HandClock(at(0.1))
    home = Home(tmp_path, clock)
    home.see(hours(WHOLE))
    assert home.told() == {"start": "2026-06-11T00:00:00Z", "end": "2026-06-11T01:00:00Z", "mean": 1.0}
    async with running(home):
        await clock.go_to(at(8) - timedelta(microseconds=1))
        assert (home.switched(), home.events()) == ([(at(0.1), "OFF")], [])
        await clock.go_to(at(10))
    assert home.switched() == [(at(0.1), "OFF"), (at(8), "ON"), (at(9), "OFF")]
    window = {
        "window": "night",
        "stream": "import",
        "start": "2026-06-11T00:00:00Z",
        "end": "2026-06-11T01:00:00Z",
        "mean": 1.0,
    }
    assert home.events() == [{"event_type": "window_started", **window}]
    assert home.told() is None  # the frame has had its window, and the next one is not known


async def test_on_expires_a_minute_after_its_window_and_off_does_not(tmp_path: Path) -> None:
    home = Home(tmp_path, HandClock(at(0)))
    home.see(hours(WHOLE))
    expiries = []
    for moment in (at(0), at(8), at(9)):
        await home.slots.show(moment)
        expiries.append(home.shelf._messages[f"{WINDOW}/active"].expires_at)
    assert expiries == [None, at(9) + timedelta(minutes=1), None]


async def test_better_prices_move_what_has_not_begun_and_leave_what_has(tmp_path: Path) -> None:
    for minutes, expected in ((-1, [(at(8), "ON"), (at(9), "OFF")]), (0, [(at(1), "ON"), (at(2), "OFF")]), (59, None)):
        clock = HandClock(at(0.1))
        home = Home(tmp_path / f"{minutes}", clock)
        home.see(hours(EVENING))
        async with running(home):
            await clock.go_to(at(1) + timedelta(minutes=minutes))
            home.see(hours(WHOLE))
            await clock.go_to(at(12))
        assert home.switched()[1:] == (expected or [(at(1), "ON"), (at(2), "OFF")]), minutes


async def test_a_restart_in_the_middle_of_a_window_leaves_it_on_though_better_is_known(tmp_path: Path) -> None:
    clock = HandClock(at(0.1))
    first = Home(tmp_path, clock)
    first.see(hours(EVENING))
    clock.set(at(1.5))
    again = Home(tmp_path, clock)
    again.see(hours(WHOLE))
    async with running(again):
        await clock.go_to(at(12))
    assert again.switched() == [(at(1.5), "ON"), (at(2), "OFF")]


async def test_what_a_clock_that_was_ahead_passed_over_is_chosen_when_it_is_set_back(tmp_path: Path) -> None:
    clock = HandClock(at(0.1))
    home = Home(tmp_path, clock)
    home.see(hours(WHOLE))
    async with running(home):
        clock.set(at(30))
        home.see(hours([*WHOLE, *[3] * 24]))
        clock.set(at(0.5))
        await clock.go_to(at(12))
    assert home.switched() == [(at(0.1), "OFF"), (at(8), "ON"), (at(9), "OFF")]


async def test_a_window_that_is_chosen_at_the_last_moment_begins_and_says_so(tmp_path: Path) -> None:
    clock = HandClock(at(1) - timedelta(seconds=0.1))
    home = Home(tmp_path, clock)
    async with running(home):
        home.see(hours(EVENING))
        await clock.go_to(at(3))
    assert [payload for _, payload in home.switched()] == ["OFF", "ON", "OFF"]
    assert [event["start"] for event in home.events()] == ["2026-06-10T17:00:00Z"]


async def test_another_configuration_is_another_window(tmp_path: Path) -> None:
    clock = HandClock(at(0.1))
    Home(tmp_path, clock).see(hours(EVENING))
    longer = {"night": WindowSettings.model_validate({"duration": "PT2H", "not_before": "18:00", "deadline": "07:00"})}
    again = Home(tmp_path, clock, longer)
    await again.slots.show(clock.now())
    assert again.told() == {"start": "2026-06-10T16:15:00Z", "end": "2026-06-10T18:15:00Z", "mean": 3.0}  # of equals the first


async def test_a_window_in_pieces_is_on_in_each_and_begins_once(tmp_path: Path) -> None:
    clock = HandClock(at(0.1))
    home = Home(tmp_path, clock, PIECES)
    home.see(hours(WHOLE))
    async with running(home):
        await clock.go_to(at(12))
    assert home.switched() == [(at(0.1), "OFF"), (at(1), "ON"), (at(2), "OFF"), (at(8), "ON"), (at(9), "OFF")]
    assert len(home.events()) == 1
    await home.slots.show(at(0.5))
    assert home.told() == {
        "start": "2026-06-10T17:00:00Z",
        "end": "2026-06-11T01:00:00Z",
        "mean": 1.5,
        "segments": [
            {"start": "2026-06-10T17:00:00Z", "end": "2026-06-10T18:00:00Z", "mean": 2.0},
            {"start": "2026-06-11T00:00:00Z", "end": "2026-06-11T01:00:00Z", "mean": 1.0},
        ],
    }


async def test_where_nothing_fits_the_window_is_empty_and_off(tmp_path: Path) -> None:
    home = Home(tmp_path, HandClock(at(5.5)))
    home.see(hours(EVENING))
    assert (home.told(), home.switched()) == (None, [(at(5.5), "OFF")])


async def test_a_stream_without_prices_has_no_windows(tmp_path: Path) -> None:
    home = Home(tmp_path, HandClock(at(0)), {"sale": WindowSettings.model_validate({"duration": "PT1H", "stream": "export"})})
    home.see(hours(WHOLE))
    assert [topic for topic in home.shelf._messages if "/window/" in topic] == []


async def test_the_same_prices_and_moment_give_the_same_bytes(tmp_path: Path) -> None:
    shelves = []
    for name in ("one", "other"):
        home = Home(tmp_path / name, HandClock(at(0.1)))
        home.see(hours(WHOLE))
        await home.slots.show(at(3.25))
        shelves.append(home.shelf._messages)
    assert shelves[0] == shelves[1]


def test_a_window_that_is_configured_no_longer_is_cleared(tmp_path: Path) -> None:
    home = Home(tmp_path, HandClock(at(0)))
    home.see(hours(WHOLE))
    state, shelf = store(tmp_path, at(0)), Shelf()
    gone = {f"{WINDOW.replace('night', 'noon')}/active", WINDOW.replace("import", "export")}
    state.remember_topics([WINDOW, f"{WINDOW}/active", *gone])
    Leftovers(TOPICS, shelf, state).clear({"home": home.latest})
    assert set(shelf._messages.values()) == {Message(topic, b"") for topic in gone}
