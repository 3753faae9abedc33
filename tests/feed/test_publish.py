"""What an observation changes is laid on the shelf, what is gone is cleared, and what is new is told once."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.feed.latest import Latest
from bridge.feed.publish import Publisher
from bridge.models.device import Device, Dispatch
from bridge.models.figure import Figure, Live
from bridge.models.message import Message
from bridge.models.observation import DevicesSeen, FiguresSeen, LiveSeen, Observation, PricesSeen, SchedulesSeen, SitesSeen
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.topics import Topics
from tests.support import Diary, HandClock, curve, store, utc

NOW = utc("2026-06-10T10:05")
SITE = Site(id="1", title="Home", timezone="Europe/London")
BELOW = "kwh2mqtt/octopus/home"
DISPATCH = Dispatch(start=utc("2026-06-10T10:00"), end=utc("2026-06-10T11:00"), type="smart", energy_kwh=Decimal("7.5"))
CAR, BUS = Device(id="0001", title="Car", planned=(DISPATCH,)), Device(id="0002", title="Car 2")
PLANNED = {
    "event_type": "dispatch_planned", "device": "car", "device_id": "0001",
    "start": "2026-06-10T10:00:00Z", "end": "2026-06-10T11:00:00Z", "type": "smart", "energy_kwh": 7.5,
}  # fmt: skip


class House:
    """A source with its state and its shelf."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock(NOW)
        self.shelf = Diary(self.clock)
        self.latest = Latest("octopus", {}, store(folder, NOW), "account")
        self._publisher = Publisher(Topics("kwh2mqtt"), self.latest, self.shelf)

    def see(self, *observations: Observation, now: datetime = NOW) -> list[str]:
        """Publish `observations` and return the topics on which something new was laid."""
        begun = len(self.shelf.entries)
        for observation in observations:
            self.latest.save(self._publisher.publish(observation, NOW, now))
        return [message.topic.removeprefix(f"{BELOW}/") for _, message in self.shelf.entries[begun:]]

    def events(self) -> list[Any]:
        return [json.loads(message.payload) for message in self.shelf._events]

    def stands(self, topic: str) -> bytes:
        return self.shelf._messages[f"{BELOW}/{topic}"].payload


def home(folder: Path, *observations: Observation) -> House:
    house = House(folder)
    house.see(SitesSeen((SITE,)), *observations)
    return house


def test_each_kind_draws_its_own_topics_and_no_others(tmp_path: Path) -> None:
    house = home(tmp_path, PricesSeen("1", "import", curve(utc("2026-06-10T10:00"), [0.1, 0.2])))
    live = Live(quantity="power", value=Decimal(1), unit="W", at=NOW)
    assert house.see(LiveSeen("1", (live,))) == ["live/power"]
    assert house.see(FiguresSeen("1", (Figure(name="points", value=Decimal(1), unit="points", at=NOW),))) == ["account/points"]
    assert house.see(SchedulesSeen("1", (Schedule(kind="greener-nights", spans=()),))) == ["schedule/greener-nights"]
    assert house.see(DevicesSeen("1", (BUS,))) == ["dispatch/car-2/active", "dispatch/car-2"]
    assert house.see(DevicesSeen("1", (BUS,))) == []


def test_a_live_value_is_as_old_as_it_is_when_it_is_published_not_when_it_was_asked_for(tmp_path: Path) -> None:
    house = home(tmp_path)
    house.see(LiveSeen("1", (Live(quantity="power", value=Decimal(1), unit="W", at=NOW),)), now=NOW + timedelta(seconds=9))
    message = house.shelf._messages[f"{BELOW}/live/power"]
    assert (json.loads(message.payload)["age_s"], message.expires_at) == (9, NOW + timedelta(seconds=69))


def test_of_live_values_only_those_that_came_are_told_again(tmp_path: Path) -> None:
    power, energy = (Live(quantity=quantity, value=Decimal(1), unit="x", at=NOW) for quantity in ("power", "energy"))
    house = home(tmp_path, LiveSeen("1", (power, energy)))
    assert house.see(LiveSeen("1", (power,)), now=NOW + timedelta(seconds=60)) == ["live/power"]


def test_a_new_dispatch_is_told_before_it_is_shown(tmp_path: Path) -> None:
    house = home(tmp_path)
    assert house.see(DevicesSeen("1", (CAR,))) == ["event", "dispatch/car/active", "dispatch/car"]
    assert (house.events(), house.stands("dispatch/car/active")) == ([PLANNED], b"ON")


def test_an_event_is_not_retained_and_waits_for_ten_minutes(tmp_path: Path) -> None:
    house = home(tmp_path, DevicesSeen("1", (CAR,)))
    (event,) = house.shelf._events
    assert event == Message(f"{BELOW}/event", event.payload, NOW + timedelta(minutes=10), retain=False)
    assert f"{BELOW}/event" not in house.shelf.topics()


def test_what_was_known_is_told_neither_again_nor_after_a_restart(tmp_path: Path) -> None:
    house = home(tmp_path, DevicesSeen("1", (CAR,)))
    house.see(DevicesSeen("1", (CAR, BUS)))
    assert len(house.events()) == 1
    again = House(tmp_path)
    again.see(SitesSeen((SITE,)), DevicesSeen("1", (CAR,)))
    assert again.events() == []


def test_a_saving_session_is_told_once(tmp_path: Path) -> None:
    span = Span(start=utc("2026-06-10T17:00"), end=utc("2026-06-10T18:00"), facts={"joined": False})
    house = home(tmp_path, SchedulesSeen("1", (Schedule(kind="saving-sessions", spans=(span,)),)))
    joined = span.model_copy(update={"facts": {"joined": True}})
    house.see(SchedulesSeen("1", (Schedule(kind="saving-sessions", spans=(joined,)),)))
    assert house.events() == [
        {"event_type": "saving_session", "start": "2026-06-10T17:00:00Z", "end": "2026-06-10T18:00:00Z", "joined": False}
    ]
    assert json.loads(house.stands("schedule/saving-sessions"))[0]["joined"] is True


def test_a_device_that_is_gone_has_its_topics_cleared_and_no_other(tmp_path: Path) -> None:
    house = home(tmp_path, DevicesSeen("1", (CAR, BUS)))
    assert house.see(DevicesSeen("1", (BUS,))) == ["dispatch/car", "dispatch/car/active"]
    assert (house.stands("dispatch/car"), house.stands("dispatch/car/active")) == (b"", b"")
    assert (house.stands("dispatch/car-2")[:1], house.stands("dispatch/car-2/active")) == (b"{", b"OFF")


def test_a_device_that_takes_the_place_and_name_of_another_is_shown_there(tmp_path: Path) -> None:
    house = home(tmp_path, DevicesSeen("1", (CAR,)))
    house.see(DevicesSeen("1", (Device(id="0009", title="Car"),)))
    assert (json.loads(house.stands("dispatch/car"))["device_id"], house.stands("dispatch/car/active")) == ("0009", b"OFF")


def test_a_device_that_went_while_the_bridge_was_away_has_its_topics_cleared(tmp_path: Path) -> None:
    home(tmp_path, DevicesSeen("1", (CAR,)))
    again = House(tmp_path)
    again.see(DevicesSeen("1", ()))
    assert (again.stands("dispatch/car"), again.stands("dispatch/car/active")) == (b"", b"")


def test_a_site_that_is_gone_has_all_of_its_topics_cleared(tmp_path: Path) -> None:
    live = Live(quantity="power", value=Decimal(1), unit="W", at=NOW)
    house = home(tmp_path, DevicesSeen("1", (CAR,)), LiveSeen("1", (live,)))
    house.see(SitesSeen(()))
    assert house.shelf.topics(below=f"{BELOW}/") == []
