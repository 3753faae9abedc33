"""What a removed source, site or device left at the broker is cleared at the start, also when its clearing was cut off."""

from pathlib import Path

from bridge.feed.latest import Latest
from bridge.feed.leftovers import Leftovers
from bridge.models.device import Device
from bridge.models.message import Message
from bridge.models.observation import DevicesSeen, SitesSeen
from bridge.models.site import Site
from bridge.state.store import Store
from bridge.topics import Topics
from bridge.transport.shelf import Shelf
from tests.support import store, utc

NOW = utc("2026-06-10T10:05")
SITE = Site(id="1", title="Home", timezone="Europe/London")
HOME = "kwh2mqtt/octopus/home"
TOPICS = {
    "kwh2mqtt/octopus/state",
    f"{HOME}/info",
    f"{HOME}/dispatch/car",
    f"{HOME}/dispatch/car/active",
    f"{HOME}/dispatch/bus",
    f"{HOME}/dispatch/bus/active",
    "kwh2mqtt/octopus/cabin/live/power",
    "kwh2mqtt/old/state",
    "elsewhere/octopus/cabin/info",
}
GONE = {topic for topic in TOPICS if "/bus" in topic or "/octopus/cabin/live" in topic or "/old/" in topic}


def remembering(folder: Path) -> tuple[Store, Latest]:
    """Return a state that remembers TOPICS, and a source with one site and one device."""
    state = store(folder, NOW)
    state.remember_topics(TOPICS)
    latest = Latest("octopus", {}, state, "account")
    latest.keep(SitesSeen((SITE,)), NOW)
    latest.keep(DevicesSeen("1", (Device(id="0001", title="Car"),)), NOW)
    return state, latest


def cleared(shelf: Shelf) -> set[str]:
    return {topic for topic, message in shelf._messages.items() if not message.payload}


async def test_topics_of_what_is_gone_are_cleared_and_forgotten_once_the_broker_knows(tmp_path: Path) -> None:
    state, latest = remembering(tmp_path)
    shelf = Shelf()
    leftovers = Leftovers(Topics("kwh2mqtt"), shelf, state)
    leftovers.clear({"octopus": latest})
    leftovers.remember()
    assert (cleared(shelf), state.topics()) == (GONE, TOPICS)
    for _ in range(len(shelf)):
        await shelf.take()
    leftovers.remember()
    assert state.topics() == TOPICS - GONE


async def test_a_device_that_comes_back_before_the_broker_knows_is_remembered(tmp_path: Path) -> None:
    state, latest = remembering(tmp_path)
    shelf = Shelf()
    leftovers = Leftovers(Topics("kwh2mqtt"), shelf, state)
    leftovers.clear({"octopus": latest})
    shelf.put([Message(f"{HOME}/dispatch/bus", b"{}")])
    leftovers.remember()
    for _ in range(len(shelf)):
        await shelf.take()
    leftovers.remember()
    assert state.topics() == (TOPICS - GONE) | {f"{HOME}/dispatch/bus"}


def test_an_event_is_nothing_that_is_left(tmp_path: Path) -> None:
    state = store(tmp_path, NOW)
    shelf = Shelf()
    shelf.put([Message(f"{HOME}/event", b"{}", retain=False), Message(f"{HOME}/info", b"{}")])
    Leftovers(Topics("kwh2mqtt"), shelf, state).remember()
    assert state.topics() == {f"{HOME}/info"}


async def test_a_reader_forgets_what_it_is_no_longer_told(tmp_path: Path) -> None:
    state, latest = remembering(tmp_path)
    state.remember_topics({"reader/one", "reader/two"})
    shelf = Shelf()
    shelf.put([Message("reader/one", b"still"), Message("reader/three", b"new")])
    leftovers = Leftovers(Topics("kwh2mqtt"), shelf, state, lambda topic: topic.startswith("reader/"))
    leftovers.clear({"octopus": latest})
    assert cleared(shelf) == {*GONE, "reader/two"}
    leftovers.remember()
    assert "reader/three" in state.topics()


def test_what_a_reader_is_told_no_more_is_cleared_wherever_it_stands(tmp_path: Path) -> None:
    state, latest = remembering(tmp_path)
    readers = {f"homeassistant/device/{name}/config" for name in ("home", "old")} | {"ha/device/home/config"}
    state.remember_topics(readers)
    shelf = Shelf()
    shelf.put([Message("homeassistant/device/home/config", b"{}")])
    Leftovers(Topics("kwh2mqtt"), shelf, state, readers.__contains__).clear({"octopus": latest})
    assert cleared(shelf) == GONE | readers - {"homeassistant/device/home/config"}


def test_what_a_reader_is_told_is_remembered(tmp_path: Path) -> None:
    state = store(tmp_path, NOW)
    shelf = Shelf()
    shelf.put([Message("homeassistant/device/home/config", b"{}"), Message("homeassistant/device/other/config", b"{}")])
    Leftovers(Topics("kwh2mqtt"), shelf, state, lambda topic: "/home/" in topic).remember()
    assert state.topics() == {"homeassistant/device/home/config"}
