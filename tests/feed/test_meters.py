"""Meters that a provider calls as it likes bear one name for good; what is gone takes its topics with it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.feed.latest import Latest
from bridge.models.observation import DeprecationsSeen, MetersSeen, ReadingsSeen, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from tests.feed.test_publish import BELOW, House
from tests.support import store, utc

NOW = utc("2026-06-10T10:05")
PLANT = Site(id="1", title="Home", timezone="UTC")


def power(meter: str, value: str = "1.5") -> Reading:
    return Reading(meter=meter, quantity="power", value=Decimal(value), unit="kW", at=NOW)


def plant(folder: Path) -> House:
    house = House(folder)
    house.see(SitesSeen((PLANT,)), MetersSeen("1", {"a1": "Main Meter", "b2": "main-meter"}))
    return house


def test_two_titles_that_fold_to_one_get_a_number(tmp_path: Path) -> None:
    house = plant(tmp_path)
    topics = house.see(ReadingsSeen("1", (power("a1"), power("b2", "2"))))
    assert topics == ["reading/main-meter/power", "reading/main-meter-2/power"]
    assert json.loads(house.stands("reading/main-meter-2/power")) == {"value": 2.0, "unit": "kW", "at": "2026-06-10T10:05:00Z"}


def test_a_meter_keeps_its_name_when_it_is_renamed_and_when_another_goes(tmp_path: Path) -> None:
    plant(tmp_path).see(ReadingsSeen("1", (power("a1"), power("b2"))))
    again = House(tmp_path)
    again.see(SitesSeen((PLANT,)), MetersSeen("1", {"b2": "Roof"}))
    assert again.see(ReadingsSeen("1", (power("b2", "3"),))) == ["reading/main-meter-2/power"]


def test_only_the_readings_that_are_seen_are_drawn(tmp_path: Path) -> None:
    house = plant(tmp_path)
    house.see(ReadingsSeen("1", (power("a1"), power("b2"))))
    house.shelf.clear([f"{BELOW}/reading/main-meter/power"])
    assert house.see(ReadingsSeen("1", (power("b2", "3"), power("b2", "4")))) == ["reading/main-meter-2/power"]
    assert json.loads(house.stands("reading/main-meter-2/power"))["value"] == 4


def test_the_readings_of_a_meter_that_is_gone_are_cleared_and_forgotten(tmp_path: Path) -> None:
    house = plant(tmp_path)
    house.see(ReadingsSeen("1", (power("a1"), power("b2"))))
    house.see(MetersSeen("1", {"b2": "main-meter"}))
    assert house.stands("reading/main-meter/power") == b""
    assert house.stands("reading/main-meter-2/power") != b""
    kept = Latest("octopus", {}, store(tmp_path, NOW), "account").places["1"]
    assert (list(kept.readings), dict(kept.meters)) == ([("main-meter-2", "power")], {"b2": "main-meter-2"})


def test_a_quantity_that_a_meter_has_no_more_is_cleared_and_forgotten(tmp_path: Path) -> None:
    house = plant(tmp_path)
    house.see(ReadingsSeen("1", (power("a1"), power("b2"), Reading(meter="a1", quantity="energy", value=Decimal(1), at=NOW))))
    house.see(MetersSeen("1", {"a1": "Main Meter"}, complete=False, quantities=frozenset({"energy"})))
    assert house.stands("reading/main-meter/power") == b""
    assert house.stands("reading/main-meter/energy") != b""
    assert house.stands("reading/main-meter-2/power") != b""  # nothing was said of it
    kept = Latest("octopus", {}, store(tmp_path, NOW), "account").places["1"]
    assert set(kept.readings) == {("main-meter", "energy"), ("main-meter-2", "power")}


def test_half_a_list_removes_no_meter(tmp_path: Path) -> None:
    house = plant(tmp_path)
    house.see(ReadingsSeen("1", (power("a1"), power("b2"))))
    house.see(MetersSeen("1", {"c3": "Main meter"}, complete=False))
    topics = house.see(ReadingsSeen("1", (power("c3"), power("a1", "9"))))
    assert sorted(topics) == ["reading/main-meter-3/power", "reading/main-meter/power"]


def test_what_is_no_number_is_told_as_it_is_and_survives_a_restart(tmp_path: Path) -> None:
    house = plant(tmp_path)
    others: dict[str, Any] = {"name": "12.5", "machine-state": "IDLE", "enabled": False}
    house.see(ReadingsSeen("1", tuple(Reading(meter="a1", quantity=name, other=what) for name, what in others.items())))
    told = {name: json.loads(house.stands(f"reading/main-meter/{name}")) for name in others}
    assert told == {name: {"value": what} for name, what in others.items()}
    kept = Latest("octopus", {}, store(tmp_path, NOW), "account").places["1"]
    assert {quantity: reading.shown for (_, quantity), reading in kept.readings.items()} == others


def test_deprecations_that_a_poll_tells_are_kept_for_the_health_topic(tmp_path: Path) -> None:
    state = store(tmp_path, NOW)
    latest = Latest("plant", {}, state, "account", "ampere")
    latest.save(latest.keep(DeprecationsSeen(("Facility.pac is deprecated: use readings",)), NOW))
    assert state.deprecations("plant", "ampere") == ("Facility.pac is deprecated: use readings",)
    latest.save(latest.keep(DeprecationsSeen(()), NOW))
    assert state.deprecations("plant", "ampere") == ()
