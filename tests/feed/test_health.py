"""A source is stale where nothing is known, or where its prices have run out."""

from decimal import Decimal
from pathlib import Path

import pytest

from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.models.device import Device
from bridge.models.figure import Figure, Live
from bridge.models.observation import (
    DevicesSeen,
    FiguresSeen,
    LiveSeen,
    MetersSeen,
    Observation,
    PricesSeen,
    SchedulesSeen,
    SitesSeen,
)
from bridge.models.schedule import Schedule
from bridge.models.site import Site
from bridge.state.budget import Budget, BudgetSettings
from bridge.topics import Topics
from tests.support import curve, store, utc

NOW = utc("2026-06-10T10:05")
SITES = SitesSeen((Site(id="1", title="Home", timezone="Europe/London"),))
CAR = DevicesSeen("1", (Device(id="0001", title="Car"),))
PRICES = PricesSeen("1", "import", curve(utc("2026-06-10T10:00"), [0.1]))
PAST_PRICES = PricesSeen("1", "import", curve(utc("2026-06-09T10:00"), [0.1]))


def stale(folder: Path, *observations: Observation) -> bool:
    state = store(folder, NOW)
    latest = Latest("home", {}, state, "account")
    for observation in observations:
        latest.keep(observation, NOW)
    return SourceReport(Topics("kwh2mqtt"), "octopus", latest, Budget("home", BudgetSettings(), state.database)).stale(NOW)


@pytest.mark.parametrize(
    "told",
    [
        FiguresSeen("1", (Figure(name="balance", value=Decimal(1), currency="GBP", at=NOW),)),
        CAR,
        LiveSeen("1", (Live(quantity="power", value=Decimal(1), unit="W", at=NOW),)),
        SchedulesSeen("1", (Schedule(kind="greener-nights", spans=()),)),
    ],
    ids=lambda told: type(told).__name__,
)
def test_a_source_without_prices_is_not_stale_once_it_tells_something(tmp_path: Path, told: Observation) -> None:
    assert (stale(tmp_path, SITES), stale(tmp_path, SITES, told)) == (True, False)


def test_where_there_are_prices_they_alone_tell_whether_it_is_stale(tmp_path: Path) -> None:
    assert (stale(tmp_path, SITES, CAR, PRICES), stale(tmp_path, SITES, CAR, PAST_PRICES)) == (False, True)


def test_a_source_without_devices_tells_nothing_by_saying_so(tmp_path: Path) -> None:
    assert stale(tmp_path, SITES, DevicesSeen("1", ())) is True


def test_a_source_that_says_it_has_no_meters_has_nothing_out_of_date_and_one_with_meters_has(tmp_path: Path) -> None:
    assert stale(tmp_path, SITES, MetersSeen("1", {})) is False
    assert stale(tmp_path, SITES, MetersSeen("1", {"65b1": "main"})) is True
    assert stale(tmp_path, SITES, MetersSeen("1", {}), PAST_PRICES) is True
