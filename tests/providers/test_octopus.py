"""An Octopus account against the simulator: what a poll brings, of every kind of tariff, and how often it is asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bridge.models.observation import (
    DevicesSeen,
    FiguresSeen,
    LiveSeen,
    Observation,
    PricesSeen,
    ReadingsSeen,
    SchedulesSeen,
    Shortfall,
    SitesSeen,
)
from bridge.models.price import Slot
from bridge.pricing.day import bounds
from bridge.simulator.octopus.homes import EXPORT, GAS, IMPORT, Agreement, MeterPoint, Property
from bridge.simulator.octopus.products import STOCK, Tariff, find
from bridge.simulator.octopus.tariffs import NON_DIRECT_DEBIT, Published
from tests.providers.customer import Customer
from tests.support import utc

LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
NOON = utc("2026-06-10T12:00")
HOME = "2000001"
PLAIN = {"home_mini": False, "devices": ()}  # neither live values nor dispatches


def home(*points: MeterPoint) -> dict[str, object]:
    return {"properties": (Property(HOME, "EC1A 1ZZ", "1 Example Street", points),), **PLAIN}


def supplied(point: MeterPoint, *agreements: Agreement) -> MeterPoint:
    return replace(point, agreements=agreements)


def true_prices(code: str, begin: datetime, end: datetime, now: datetime) -> Iterator[tuple[datetime, Decimal]]:
    """Yield each half-hour of [begin, end) that has a price, as the provider reckons it, in pounds."""
    found = find(code)
    assert found is not None
    tariff, region = found
    published = Published(now, time(16))
    while begin < end:
        rates = tariff.effective.rates(region, begin, begin + HALF_HOUR, published)
        if usual := [rate for rate in rates if rate.payment != NON_DIRECT_DEBIT and rate.start <= begin]:
            yield begin, usual[-1].gross / 100
        begin += HALF_HOUR


def priced(slots: tuple[Slot, ...]) -> list[tuple[datetime, Decimal]]:
    return [(slot.start, slot.value) for slot in slots]


def shortfalls(observations: list[Observation]) -> list[tuple[str, str, bool]]:
    found = (observation for observation in observations if isinstance(observation, Shortfall))
    return [(shortfall.error.code, str(shortfall.error), shortfall.behind) for shortfall in found]


# a first poll


async def test_the_first_poll_brings_everything_that_an_account_has() -> None:
    customer = Customer(NOON)
    seen = await customer.poll()
    assert shortfalls(seen) == []
    assert Counter(type(observation) for observation in seen) == {
        SitesSeen: 1,
        PricesSeen: 3,
        DevicesSeen: 3,  # the list, the plan, what was done
        LiveSeen: 1,
        ReadingsSeen: 3,
        FiguresSeen: 2,
        SchedulesSeen: 3,
    }
    assert list(customer.originals()) == ["api_key"]


async def test_a_site_tells_its_streams_tariffs_and_standing_charges_and_nothing_personal() -> None:
    customer = Customer(NOON)
    await customer.poll()
    (site,) = customer.known.sites.values()
    assert (site.title, site.timezone, site.currency, site.price_area) == ("home", "Europe/London", "GBP", "C")
    assert site.streams == ("import", "export", "gas")
    assert site.tariffs == {
        "import": "E-1R-AGILE-24-10-01-C",
        "export": "E-1R-AGILE-OUTGOING-19-05-13-C",
        "gas": "G-1R-VAR-22-11-01-C",
    }
    assert set(site.standing_charges) == {"import", "export", "gas"}
    assert site.standing_charges["export"] == 0
    assert Decimal("0.2") < site.standing_charges["gas"] < site.standing_charges["import"] < Decimal("0.7")
    assert site.personal is None


async def test_address_and_numbers_are_told_where_the_user_says_so() -> None:
    customer = Customer(NOON, settings={"publish_personal_data": True})
    await customer.poll()
    assert customer.known.sites[HOME].personal == {
        "account": "A-DEMO0001",
        "postcode": "EC1A 1ZZ",
        "address": "1 Example Street, London, EC1A 1ZZ",
        "import_mpan": "1000000000017",
        "export_mpan": "1000000000026",
        "gas_mprn": "1000000035",
    }


async def test_before_the_release_todays_last_hour_is_unknown_and_after_it_tomorrows() -> None:
    customer = Customer(utc("2026-01-14T12:00"), simulated=PLAIN)  # winter: London's clock is UTC
    await customer.poll()
    assert customer.curve().end == utc("2026-01-14T23:00")
    assert customer.curve().at(utc("2026-01-14T23:10")) is None
    await customer.live_until(utc("2026-01-14T16:30"))
    assert customer.curve().end == utc("2026-01-15T23:00")
    assert customer.curve().covers(utc("2026-01-12T00:00"), utc("2026-01-15T23:00"))
    assert {slot.end - slot.start for slot in customer.curve().slots} == {HALF_HOUR}


async def test_a_late_tomorrow_is_asked_for_until_it_is_there_and_told_without_alarm() -> None:
    customer = Customer(utc("2026-01-14T12:00"), simulated=PLAIN)
    customer.provider.publish_at = time(18, 40)
    seen = await customer.live_until(utc("2026-01-14T18:39"))
    assert {(code, behind) for code, _, behind in shortfalls(seen)} == {("unavailable", False)}
    seen = await customer.live_until(utc("2026-01-14T20:15"))
    assert customer.curve().end == customer.curve("export").end == utc("2026-01-15T23:00")
    assert shortfalls(await customer.poll()) == []


# every kind of tariff


def test_the_stock_has_every_kind() -> None:
    assert {tariff.kind for tariff in STOCK} == {
        "StandardTariff",
        "HalfHourlyTariff",
        "DayNightTariff",
        "ThreeRateTariff",
        "FourRateEvTariff",
        "PrepayTariff",
        "GasTariffType",
    }


@pytest.mark.parametrize("moment", ["2026-01-14T17:30", "2026-06-10T17:30", "2026-03-28T17:30", "2026-10-24T17:30"])
@pytest.mark.parametrize("tariff", STOCK, ids=lambda tariff: tariff.code("C"))
async def test_the_curve_of_every_tariff_is_the_providers_also_where_the_clock_changes(tariff: Tariff, moment: str) -> None:
    now = utc(moment)
    point = GAS if tariff.gas else EXPORT if tariff.export else IMPORT
    stream = "gas" if tariff.gas else "export" if tariff.export else "import"
    customer = Customer(now, simulated=home(supplied(point, Agreement(tariff.code("C")))))
    seen = await customer.poll()
    assert shortfalls(seen) == []
    curve = customer.curve(stream)
    begin, end = bounds(now, LONDON, -2)[0], bounds(now, LONDON, 1)[1]
    expected = dict(true_prices(tariff.code("C"), begin, end, now))
    assert dict(priced(curve.between(begin, end))) == expected
    tomorrow = curve.between(*bounds(now, LONDON, 1))
    hours = {"2026-03-28T17:30": 23, "2026-10-24T17:30": 25}.get(moment, 24)
    daily = tariff.kind == "HalfHourlyTariff" and "AGILE" in tariff.product
    assert len(tomorrow) == 2 * (hours - daily)


async def test_a_curve_spans_the_change_of_an_agreement() -> None:
    change = utc("2026-06-10T23:00")  # midnight in London
    go, agile = "E-1R-GO-VAR-22-10-14-C", "E-1R-AGILE-24-10-01-C"
    point = supplied(IMPORT, Agreement(go, valid_to=change), Agreement(agile, valid_from=change))
    now = utc("2026-06-10T17:30")
    customer = Customer(now, simulated=home(point))
    await customer.poll()
    before = dict(true_prices(go, utc("2026-06-07T23:00"), change, now))
    after = dict(true_prices(agile, change, utc("2026-06-11T22:00"), now))
    assert dict(priced(customer.curve().slots)) == before | after
    assert customer.known.sites[HOME].tariffs == {"import": go}
    customer.clock.set(utc("2026-06-11T12:00"))
    await customer.poll()
    assert customer.known.sites[HOME].tariffs == {"import": agile}


async def test_the_dearer_price_is_the_one_without_a_direct_debit() -> None:
    point = supplied(IMPORT, Agreement("E-1R-VAR-22-11-01-C"))
    values = []
    for method in ("direct_debit", "non_direct_debit"):
        customer = Customer(NOON, simulated=home(point), settings={"payment_method": method})
        await customer.poll()
        values.append(customer.curve().slots[0].value)
    assert values[0] < values[1]


async def test_an_export_point_that_is_listed_first_is_not_taken_for_the_import() -> None:
    points = [replace(point, tells_direction=False) for point in (EXPORT, IMPORT)]
    customer = Customer(NOON, simulated=home(*points))
    await customer.poll()
    assert customer.known.sites[HOME].tariffs == {
        "import": "E-1R-AGILE-24-10-01-C",
        "export": "E-1R-AGILE-OUTGOING-19-05-13-C",
    }


# how often


async def a_day(customer: Customer, begin: str) -> list[str | None]:
    """Return what was asked from `begin` on for 24 hours, of an account that has been running for a while."""
    await customer.live_until(utc(begin))
    customer.provider.requests.clear()
    await customer.live_until(utc(begin) + timedelta(hours=24))
    return customer.asked()


@pytest.mark.parametrize("share", [0.0, 0.31, 0.99])
async def test_a_day_of_agile_prices_and_readings_takes_forty_requests_at_most(share: float) -> None:
    customer = Customer(utc("2026-06-08T07:00"), simulated=PLAIN, share=share)
    asked = await a_day(customer, "2026-06-10T07:00")
    assert len(asked) <= 40, Counter(asked)


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_a_day_on_which_tomorrow_comes_four_hours_late_takes_no_more(share: float) -> None:
    customer = Customer(utc("2026-06-08T07:00"), simulated=PLAIN, share=share)
    await customer.live_until(utc("2026-06-10T07:00"))
    customer.provider.publish_at = time(20)
    asked = await a_day(customer, "2026-06-10T07:01")
    assert len(asked) <= 40, Counter(asked)
    assert customer.curve().end == utc("2026-06-11T22:00")


async def test_an_hour_of_telemetry_leaves_the_phone_app_its_share_of_the_hundred() -> None:
    customer = Customer(utc("2026-06-10T07:00"))
    await customer.poll()
    customer.clock.set(utc("2026-06-10T08:00"))
    customer.provider.requests.clear()
    seen = await customer.live_until(utc("2026-06-10T09:00"))
    asked = Counter(customer.asked())
    assert 50 <= asked["Telemetry"] <= 61
    assert sum(isinstance(observation, LiveSeen) for observation in seen) == asked["Telemetry"]
    assert asked["PlannedDispatches"] <= 21


async def test_a_home_without_a_mini_is_asked_for_live_values_once_a_day() -> None:
    customer = Customer(utc("2026-06-08T07:00"), simulated={"home_mini": False})
    asked = await a_day(customer, "2026-06-09T07:00")
    assert asked.count("Telemetry") == 1


async def test_after_a_restart_what_came_lately_is_not_asked_for_again() -> None:
    customer = Customer(NOON, simulated=PLAIN)
    await customer.poll()
    customer.clock.set(NOON + timedelta(minutes=2))
    customer.restart()
    customer.provider.requests.clear()
    await customer.poll()
    assert (
        set(customer.asked()) & {"Balance", "Points", "SavingSessions", "GreenerNights", "Measurements", "ObtainToken"} == set()
    )
    assert "Household" in customer.asked()
