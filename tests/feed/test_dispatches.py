"""A dispatch switches on at its start and off at its end, from what is known; nothing is early, nothing flickers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.feed.latest import Latest
from bridge.feed.slots import Slots
from bridge.models.device import Device, Dispatch
from bridge.models.observation import DevicesSeen, PricesSeen, SchedulesSeen, SitesSeen
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.topics import Topics
from tests.support import Diary, HandClock, curve, settle, store, utc

SITE = Site(id="1", title="Home", timezone="Europe/London")
CAR = "kwh2mqtt/home/home/dispatch/car"
ACTIVE = f"{CAR}/active"


def at(time: str) -> datetime:
    return utc(f"2026-06-10T{time}")


def dispatch(start: str, end: str) -> Dispatch:
    return Dispatch(start=at(start), end=at(end))


def car(*planned: tuple[str, str], completed: tuple[Dispatch, ...] = ()) -> Device:
    return Device(id="0001", title="Car", planned=tuple(dispatch(*span) for span in planned), completed=completed)


class Home:
    """A site with a car and nothing else, under the watch of `Slots`."""

    def __init__(self, folder: Path, clock: HandClock, *devices: Device) -> None:
        self.clock, self.shelf = clock, Diary(clock)
        self.latest = Latest("home", {}, store(folder, clock.now()), "account")
        self.latest.keep(SitesSeen((SITE,)), clock.now())
        self.latest.keep(DevicesSeen("1", devices), clock.now())
        self.slots = Slots(Topics("kwh2mqtt"), [self.latest], self.shelf, clock)

    def switched(self) -> list[tuple[datetime, str]]:
        return self.shelf.payloads(ACTIVE)

    def told(self, topic: str = CAR) -> Any:
        return json.loads(self.shelf._messages[topic].payload)


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


async def test_a_planned_dispatch_switches_on_at_its_start_and_off_at_its_end(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:07", "10:41")))
    async with running(home):
        await clock.go_to(at("10:06:59.999999"))
        assert home.switched() == [(at("10:00"), "OFF")]
        await clock.go_to(at("12:00"))
    assert home.switched() == [(at("10:00"), "OFF"), (at("10:07"), "ON"), (at("10:41"), "OFF")]


async def test_what_is_told_of_the_device_changes_with_it(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:30", "11:00"), ("12:00", "13:00")))
    seen = []
    async with running(home):
        for time in ("10:00", "10:30", "11:00"):
            await clock.go_to(at(time))
            seen.append((home.told()["dispatching"], len(home.told()["planned"])))
    assert seen == [(False, 2), (True, 2), (False, 1)]


async def test_on_expires_a_minute_after_its_dispatch_and_off_never(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:30", "11:00")))
    async with running(home):
        await clock.go_to(at("11:00"))
    expiries = [(message.payload, message.expires_at) for _, message in home.shelf.entries if message.topic == ACTIVE]
    assert expiries == [(b"OFF", None), (b"ON", at("11:01")), (b"OFF", None)]


@pytest.mark.parametrize(
    ("planned", "switches"),
    [
        ([("10:30", "11:00"), ("11:00", "11:30")], [("10:30", "ON"), ("11:00", "ON"), ("11:30", "OFF")]),
        ([("10:30", "11:00"), ("10:45", "11:30")], [("10:30", "ON"), ("11:00", "ON"), ("11:30", "OFF")]),
        ([("10:30", "11:30"), ("10:45", "11:00")], [("10:30", "ON"), ("11:30", "OFF")]),
        ([("10:30", "11:00"), ("11:01", "11:30")], [("10:30", "ON"), ("11:00", "OFF"), ("11:01", "ON"), ("11:30", "OFF")]),
    ],
    ids=["touching", "overlapping", "one within the other", "a minute apart"],
)
async def test_between_dispatches_that_touch_nothing_flickers(
    tmp_path: Path, planned: list[tuple[str, str]], switches: list[tuple[str, str]]
) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(*planned))
    async with running(home):
        await clock.go_to(at("12:00"))
    assert home.switched() == [(at("10:00"), "OFF"), *((at(time), state) for time, state in switches)]


async def test_two_devices_switch_each_at_its_own_time(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    battery = Device(id="0002", title="Battery", planned=(dispatch("10:20", "10:30"),))
    home = Home(tmp_path, clock, car(("10:10", "10:40")), battery)
    async with running(home):
        await clock.go_to(at("11:00"))
    assert home.switched() == [(at("10:00"), "OFF"), (at("10:10"), "ON"), (at("10:40"), "OFF")]
    assert home.shelf.payloads("kwh2mqtt/home/home/dispatch/battery/active") == [
        (at("10:00"), "OFF"),
        (at("10:20"), "ON"),
        (at("10:30"), "OFF"),
    ]


async def test_at_a_dispatchs_boundary_no_price_is_drawn_and_at_a_prices_no_dispatch(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:20", "10:40")))
    home.latest.keep(PricesSeen("1", "import", curve(at("10:00"), [0.1, 0.1, 0.1, 0.1])), clock.now())
    drawn: list[tuple[datetime, str]] = []

    def noting(name: str, draw: Any) -> Any:
        def noted(*arguments: Any) -> Any:
            drawn.append((arguments[-1], name))
            return draw(*arguments)

        return noted

    ((_, painter),) = home.slots._painters
    async with running(home):
        painter.now, painter.device = noting("prices", painter.now), noting("device", painter.device)  # type: ignore[method-assign]
        await clock.go_to(at("10:46"))
    assert drawn == [(at("10:15"), "prices"), (at("10:20"), "device"), (at("10:30"), "prices"), (at("10:40"), "device"),
                     (at("10:45"), "prices")]  # fmt: skip


async def test_a_dispatch_that_becomes_known_late_is_on_at_once_and_one_a_moment_before_on_time(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car())
    async with running(home):
        await clock.go_to(at("10:29:57"))
        home.latest.keep(DevicesSeen("1", (car(("10:30", "11:00")),)), clock.now())
        await clock.go_to(at("10:45"))
        home.latest.keep(DevicesSeen("1", (car(("10:40", "11:15")),)), clock.now())
        await clock.go_to(at("12:00"))
    assert home.switched() == [(at("10:00"), "OFF"), (at("10:30"), "ON"), (at("10:45:00.200000"), "ON"), (at("11:15"), "OFF")]


async def test_a_dispatch_that_is_taken_back_while_the_next_moment_is_awaited_does_not_switch_on(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:30", "11:00")))
    async with running(home):
        await clock.go_to(at("10:29:58"))
        home.latest.keep(DevicesSeen("1", (car(("11:30", "12:00")),)), clock.now())
        await clock.go_to(at("11:00"))
    assert home.switched() == [(at("10:00"), "OFF")]


async def test_a_dispatch_that_begins_while_another_moment_is_awaited_is_on_by_then(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:30", "11:00")), Device(id="0002", title="Battery"))
    async with running(home):
        await clock.go_to(at("10:29:56"))
        battery = Device(id="0002", title="Battery", planned=(dispatch("10:29:58", "11:00"),))
        home.latest.keep(DevicesSeen("1", (car(("10:30", "11:00")), battery)), clock.now())
        await clock.go_to(at("10:30"))
    assert home.shelf.payloads("kwh2mqtt/home/home/dispatch/battery/active")[-1] == (at("10:30"), "ON")


async def test_after_the_clock_leaps_forward_the_device_is_as_it_is_now(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(("10:30", "11:00"), ("12:00", "13:00")))
    async with running(home):
        await clock.go_to(at("10:29:57"))
        clock.set(at("11:30"))
        await clock.go_to(at("11:30:01"))
        assert [state for _, state in home.switched()] == ["OFF"]
        await clock.go_to(at("12:00"))
    assert [state for _, state in home.switched()] == ["OFF", "ON"]


async def test_what_was_completed_is_shown_for_two_days_and_what_was_announced_for_one(tmp_path: Path) -> None:
    clock = HandClock(at("10:00"))
    home = Home(tmp_path, clock, car(completed=(dispatch("08:00", "09:03"),)))
    sessions = Schedule(kind="saving-sessions", spans=(Span(start=at("17:00"), end=at("18:07")),))
    home.latest.keep(SchedulesSeen("1", (sessions,)), clock.now())
    async with running(home):
        await clock.go_to(utc("2026-06-12T09:02"))
        assert len(home.told()["completed"]) == 1
        await clock.go_to(utc("2026-06-12T09:03"))
        assert home.told()["completed"] == []
    gone = [(moment, payload) for moment, payload in home.shelf.payloads("kwh2mqtt/home/home/schedule/saving-sessions")]
    assert gone[1:] == [(utc("2026-06-11T18:07"), "[]")]
