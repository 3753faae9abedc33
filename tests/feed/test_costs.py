"""Costs are on their topics as readings come, survive a restart, and turn over at midnight."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.feed.latest import Latest
from bridge.feed.publish import Publisher
from bridge.feed.slots import Slots
from bridge.models.observation import MetersSeen, Observation, PricesSeen, ReadingsSeen, SitesSeen
from bridge.models.price import HOUR
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.topics import Topics
from tests.support import Diary, HandClock, curve, store, utc

START = utc("2026-06-09T22:00")  # midnight in Berlin
SITE = Site(id="1", title="Home", timezone="Europe/Berlin", currency="EUR", standing_charges={"import": Decimal("0.5")})
COST = "kwh2mqtt/home/home/cost/import"


class Home:
    """One site whose hours cost 0.1, 0.2, 0.3, … and the state that outlives it."""

    def __init__(self, folder: Path, moment: datetime) -> None:
        self.moment = moment
        self.shelf = Diary(HandClock(moment))
        self.latest = Latest("home", {}, store(folder, moment), "account")
        self.publisher = Publisher(Topics("kwh2mqtt"), self.latest, self.shelf)

    def see(self, *hours: int, value: str = "1", newest: bool = True) -> None:
        readings = tuple(reading(hour, value) for hour in hours)
        seen = ReadingsSeen("1", readings[-1:], readings[:-1]) if newest else ReadingsSeen("1", (), readings)
        self.latest.save(self.publisher.publish(seen, self.moment, self.moment))

    def prices(self) -> None:
        known = curve(START, [f"{number // 4 / 10 + 0.1:.1f}" for number in range(96)])
        for observation in (SitesSeen((SITE,)), PricesSeen("1", "import", known)):
            self.latest.save(self.publisher.publish(observation, self.moment, self.moment))

    def told(self, period: str) -> Any:
        message = self.shelf._messages.get(f"{COST}/{period}")
        return json.loads(message.payload) if message and message.payload else None


def reading(hour: int, value: str = "1") -> Reading:
    start = START + hour * HOUR
    return Reading(meter="import", quantity="energy", value=Decimal(value), unit="kWh", start=start, end=start + HOUR)


def test_readings_and_those_that_came_before_them_are_counted(tmp_path: Path) -> None:
    home = Home(tmp_path, START + 5 * HOUR)
    home.prices()
    home.see(0, 1, 2)
    expected = {
        "value": 1.1, "currency": "EUR", "start": "2026-06-09T22:00:00Z", "end": "2026-06-10T01:00:00Z",
        "complete": True, "energy": 3.0, "standing_charge": 0.5,
    }  # fmt: skip
    assert (home.told("today"), home.told("yesterday")) == (expected, None)
    month = {**expected, "start": "2026-05-31T22:00:00Z", "complete": False, "standing_charge": 5.0, "value": 5.6}
    assert home.told("month") == month


def test_what_was_counted_survives_a_restart_and_a_correction_replaces_it(tmp_path: Path) -> None:
    first = Home(tmp_path, START + 5 * HOUR)
    first.prices()
    first.see(0, 1)
    again = Home(tmp_path, START + 6 * HOUR)
    again.see(1, 2, value="2")
    assert again.told("today")["value"] == 0.5 + 0.1 + 2 * 0.2 + 2 * 0.3


def test_the_hours_before_the_newest_are_not_shown(tmp_path: Path) -> None:
    home = Home(tmp_path, START + 5 * HOUR)
    home.prices()
    home.see(0, 1, newest=False)
    assert [topic for topic in home.shelf._messages if "/reading/" in topic] == []
    assert home.told("today")["energy"] == 2


async def test_at_midnight_today_becomes_yesterday(tmp_path: Path) -> None:
    home = Home(tmp_path, START + 23 * HOUR)
    home.prices()
    home.see(*range(20))
    await Slots(Topics("kwh2mqtt"), [home.latest], home.shelf, HandClock(home.moment)).show(START + 24 * HOUR)
    assert (home.told("today"), home.told("yesterday")["complete"], home.told("yesterday")["energy"]) == (None, False, 20)


def test_without_prices_there_is_no_cost(tmp_path: Path) -> None:
    home = Home(tmp_path, START + 5 * HOUR)
    home.latest.save(home.publisher.publish(SitesSeen((SITE,)), home.moment, home.moment))
    home.see(0, 1)
    assert [topic for topic in home.shelf._messages if "/cost/" in topic] == []


def test_a_meter_that_the_provider_names_counts_where_its_name_is_a_stream(tmp_path: Path) -> None:
    home = Home(tmp_path, START + 5 * HOUR)
    home.prices()
    seen: list[Observation] = [
        MetersSeen("1", {"m-7": "Import"}),
        ReadingsSeen("1", (reading(0).model_copy(update={"meter": "m-7"}),)),
    ]
    for observation in seen:
        home.publisher.publish(observation, home.moment, home.moment)
    assert home.told("today")["value"] == 0.6


def test_days_of_another_month_are_forgotten_in_the_state_too(tmp_path: Path) -> None:
    home = Home(tmp_path, START + 5 * HOUR)
    home.prices()
    home.see(0)
    later = Home(tmp_path, START + timedelta(days=40))
    later.see(40 * 24 - 1)
    assert list(Home(tmp_path, later.moment).latest.places["1"].costs) == [("import", date(2026, 7, 19))]
