"""Octopus Energy Germany: market locations, cents, quarter-hours of a forecast, and hours of the day on Berlin's clock."""

import logging
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import Incomplete, Malformed, NotFound
from bridge.models.price import QUARTER_HOUR, Slot
from bridge.models.site import Site
from bridge.pricing.day import bounds
from bridge.providers.octopus.germany import households, rates
from bridge.providers.octopus.household import Household
from bridge.providers.octopus.prices import Prices
from bridge.providers.octopus.tariffs import slots
from bridge.providers.octopus.tenants import TENANTS
from tests.providers.wire import NOON, Wire, from_json, settings
from tests.support import utc

BERLIN = ZoneInfo("Europe/Berlin")
ONE = utc("2026-06-10T13:00")
GERMANY = TENANTS["germany"]
SIGNING = {"tenant": "germany", "email": "someone@example.com", "password": "planted-9f2c"}


def simple(cents: object) -> dict[str, Any]:
    return {"__typename": "SimpleProductUnitRateInformation", "latestGrossUnitRateCentsPerKwh": cents}


def by_hours(*given: tuple[object, *tuple[tuple[str, str], ...]]) -> dict[str, Any]:
    """Return rates that hold in hours of the day: cents, then from and to."""
    told = [
        {
            "latestGrossUnitRateCentsPerKwh": cents,
            "timeslotActivationRules": [{"activeFromTime": start, "activeToTime": end} for start, end in hours],
        }
        for cents, *hours in given
    ]
    return {"__typename": "TimeOfUseProductUnitRateInformation", "rates": told}


def agreed(information: Any, start: str = "2026-01-01T00:00:00+01:00", end: str | None = None, **more: Any) -> dict[str, Any]:
    product = {"code": more.pop("code", "DYNAMIC-1"), "isTimeOfUse": False}
    return {"validFrom": start, "validTo": end, "isActive": True, "product": product, "unitRateInformation": information, **more}


def ahead(*rows: tuple[str, str, Any]) -> list[dict[str, Any]]:
    return [
        {"validFrom": f"{start}:00+00:00", "validTo": f"{end}:00+00:00", "unitRateInformation": told} for start, end, told in rows
    ]


def account(*agreements: Any, gas: Any = (), malo: str = "500") -> Any:
    one = {"id": "7", "electricityMalos": [{"maloNumber": malo, "agreements": list(agreements)}], "gasMalos": list(gas)}
    return from_json({"account": {"number": "A-1", "allProperties": [one]}})


def curve(*agreements: Any, begin: datetime = NOON, end: datetime = ONE) -> list[tuple[str, str]]:
    found = slots(rates(account(*agreements), "A-1", "500", begin, end, BERLIN), begin, end)
    return [(f"{slot.start:%H:%M}-{slot.end:%H:%M}", str(slot.value)) for slot in found]


# households


def test_a_property_with_market_locations_is_a_site_in_berlin_and_euros() -> None:
    gas = {"maloNumber": "600", "agreements": [agreed([simple("9.1")], code="GAS-1")]}
    [home] = households(account(agreed(simple("30")), gas=[gas]), "A-1", NOON)
    assert home.site(GERMANY, NOON, {}, personal=True) == Site(
        id="7",
        title="home",
        timezone="Europe/Berlin",
        currency="EUR",
        streams=("import", "gas"),
        tariffs={"import": "DYNAMIC-1", "gas": "GAS-1"},
        personal={"account": "A-1", "import_malo": "500", "gas_malo": "600"},
    )


def test_agreements_without_a_product_or_a_beginning_are_passed_over() -> None:
    odd = [{**agreed(simple("1")), "product": None}, {**agreed(simple("1")), "validFrom": None}]
    [home] = households(account(*odd, agreed(simple("30"))), "A-1", NOON)
    assert [one.tariff.code for one in home.supplies[0].agreements] == ["DYNAMIC-1"]


def test_an_odd_location_is_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        [home] = households(account(agreed(simple("30")), gas=[{"agreements": []}, 5]), "A-1", NOON)
    assert [supply.stream for supply in home.supplies] == ["import"]
    assert [record.getMessage() for record in caplog.records] == [
        "2 market location(s) of Octopus' are left out, the first for KeyError"
    ]


@pytest.mark.parametrize(
    ("data", "kind"), [({"account": None}, NotFound), ({}, NotFound), ({"account": {"allProperties": None}}, Malformed)]
)
def test_an_odd_whole_says_so(data: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="account A-1"):
        households(data, "A-1", NOON)


# rates


@pytest.mark.parametrize("cents", ["30.1275000", "30.1275", 30.1275])
def test_cents_become_euros_however_they_come(cents: object) -> None:
    expected = [("12:00-12:30", "0.301275"), ("12:30-13:00", "0.301275")]
    assert curve(agreed(simple(cents))) == curve(agreed([simple(cents), None])) == expected


@pytest.mark.parametrize(("date", "count", "cheap"), [("2026-06-10", 48, 10), ("2026-03-29", 46, 8), ("2026-10-25", 50, 12)])
def test_hours_of_the_day_are_berlins_also_where_the_clock_changes(date: str, count: int, cheap: int) -> None:
    begin, end = bounds(utc(f"{date}T12:00"), BERLIN)
    told = by_hours(("20", ("00:00:00", "05:00:00")), ("35", ("05:00:00", "00:00:00")))
    found = slots(rates(account(agreed(told)), "A-1", "500", begin, end, BERLIN), begin, end)
    assert len(found) == count
    night = [slot.start.astimezone(BERLIN).time() for slot in found if slot.value == Decimal("0.2")]
    assert (len(night), f"{night[0]:%H:%M}", f"{night[-1]:%H:%M}") == (cheap, "00:00", "04:30")


def test_a_night_that_passes_midnight_holds_on_both_sides_of_it() -> None:
    told = by_hours(("20", ("22:00:00", "06:00:00"), ("12:00:00", "14:00:00")), ("35", ("06:00:00", "12:00:00")))
    begin, end = utc("2026-06-10T19:30"), utc("2026-06-10T22:30")
    assert [time for time, _ in curve(agreed(told), begin=begin, end=end)] == [
        f"{hour}-{after}" for hour, after in pairwise(("20:00", "20:30", "21:00", "21:30", "22:00", "22:30"))
    ]


def test_a_forecast_takes_the_place_of_the_average_that_a_dynamic_tariff_tells() -> None:
    rows = ahead(
        ("2026-06-10T12:00", "2026-06-10T12:15", simple("-1.5")),
        ("2026-06-10T12:15", "2026-06-10T12:30", by_hours(("12.5",))),
        ("2026-06-10T12:45", "2026-06-10T12:45", simple("99")),
        ("2026-06-10T12:45", "2026-06-10T13:00", None),
    )
    assert curve(agreed(simple("30"), unitRateForecast=rows)) == [("12:00-12:15", "-0.015"), ("12:15-12:30", "0.125")]


def test_a_forecast_ends_with_its_agreement() -> None:
    rows = ahead(("2026-06-10T12:00", "2026-06-10T12:30", simple("10")), ("2026-06-10T12:30", "2026-06-10T13:00", simple("99")))
    change = "2026-06-10T12:30:00+00:00"
    first, second = agreed(simple("30"), end=change, unitRateForecast=rows), agreed(simple("25"), change)
    assert curve(first, second) == curve(second, first) == [("12:00-12:30", "0.1"), ("12:30-13:00", "0.25")]


def test_another_location_tells_nothing_of_this_one() -> None:
    assert rates(account(agreed(simple("30")), malo="501"), "A-1", "500", NOON, ONE, BERLIN) == []


# as a source


async def test_prices_are_asked_of_the_account_and_bear_the_forecasts_resolution() -> None:
    rows = ahead(("2026-06-10T12:00", "2026-06-10T12:15", simple("10")), ("2026-06-10T12:15", "2026-06-10T12:30", simple("11")))
    wire = Wire({"Household": [{"data": account(agreed(simple("30"), unitRateForecast=rows))}, {"data": account()}]})
    [home] = households(account(agreed(simple("30"))), "A-1", NOON)
    prices = Prices(None, wire.kraken, settings(**SIGNING))
    found = await asked(prices, home)
    assert (found.currency, found.source_resolution) == ("EUR", QUARTER_HOUR)
    assert found.slots == tuple(
        Slot(NOON + number * QUARTER_HOUR, NOON + (number + 1) * QUARTER_HOUR, Decimal(10 + number) / 100) for number in range(2)
    )
    with pytest.raises(Incomplete, match="the provider tells no prices of import"):
        await asked(prices, home)


async def asked(prices: Prices, home: Household) -> Any:
    return await prices.curve(home, home.supplies[0], NOON, NOON, utc("2026-06-10T14:00"))
