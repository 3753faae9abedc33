"""A local day has 92, 96 or 100 quarters; tomorrow's appear at one o'clock in Oslo."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from bridge.simulator.tibber import Home
from tests.simulator.conftest import Customer

BERLIN = Home("b7a9e0d4-91c8-4e1f-8a55-3b2d7c90e622", "Cabin", "Europe/Berlin", "EUR", "DE-LU")
HELSINKI = Home("0f3b6a52-64cf-4a8b-9e37-9b1b7b7f0a44", None, "Europe/Helsinki", "EUR", "FI")
HOURS_ONLY = Home("f3b0c1de-0000-4000-8000-000000000001", None, "Europe/Amsterdam", "EUR", "NL", quarter_hourly=False)


@pytest.fixture
def customer() -> Customer:
    customer = Customer(datetime(2026, 6, 10, 10, 0, tzinfo=UTC))
    customer.tibber.homes = (BERLIN, HELSINKI, HOURS_ONLY)
    return customer


def instants(rows: list[dict[str, str]]) -> list[datetime]:
    return [datetime.fromisoformat(row["startsAt"]).astimezone(UTC) for row in rows]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-06-10", 24), ("2026-10-25", 25)])
@pytest.mark.parametrize("which", ["today", "tomorrow"])
@pytest.mark.parametrize(("resolution", "per_hour"), [("HOURLY", 1), ("QUARTER_HOURLY", 4)])
def test_each_slot_of_the_local_day_comes_once(
    customer: Customer, day: str, hours: int, which: str, resolution: str, per_hour: int
) -> None:
    evening = datetime.fromisoformat(f"{day}T20:00:00+00:00")
    customer.moment = evening - timedelta(days=which == "tomorrow")
    rows = customer.prices(resolution, f"{which} {{ startsAt total }}")[which]
    begun = datetime.fromisoformat(rows[0]["startsAt"])
    assert rows[0]["startsAt"].startswith(f"{day}T00:00:00.000+0")
    step = timedelta(hours=1) / per_hour
    assert instants(rows) == [begun.astimezone(UTC) + step * index for index in range(hours * per_hour)]


def test_the_doubled_hour_has_prices_of_its_own(customer: Customer) -> None:
    customer.moment = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    rows = customer.prices("QUARTER_HOURLY", "today { startsAt total }")["today"]
    doubled = {row["startsAt"]: row["total"] for row in rows if "T02:15" in row["startsAt"]}
    assert list(doubled) == ["2026-10-25T02:15:00.000+02:00", "2026-10-25T02:15:00.000+01:00"]
    assert len(set(doubled.values())) == 2


@pytest.mark.parametrize(("hour", "expected"), [(0, "+02:00"), (1, "+01:00")])
def test_the_current_price_is_that_of_the_right_doubled_quarter(customer: Customer, hour: int, expected: str) -> None:
    customer.moment = datetime(2026, 10, 25, hour, 20, tzinfo=UTC)
    current = customer.prices("QUARTER_HOURLY", "current { startsAt }")["current"]
    assert current == {"startsAt": f"2026-10-25T02:15:00.000{expected}"}


def test_an_hour_costs_the_mean_of_its_quarters(customer: Customer) -> None:
    quarters = customer.prices("QUARTER_HOURLY", "today { total energy }")["today"]
    hours = customer.prices("HOURLY", "today { total energy tax }")["today"]
    for index, hour in enumerate(hours):
        for name in ("total", "energy"):
            four = [Decimal(str(row[name])) for row in quarters[4 * index : 4 * index + 4]]
            mean = sum(four, Decimal()) / 4
            assert hour[name] == float(round(mean, 4))
        assert hour["total"] == pytest.approx(hour["energy"] + hour["tax"])


def test_hours_are_what_comes_without_a_resolution(customer: Customer) -> None:
    rows = customer.home("currentSubscription { priceInfo { today { startsAt } } }")
    assert len(rows["currentSubscription"]["priceInfo"]["today"]) == 24


@pytest.mark.parametrize(
    ("moment", "home", "rows"),
    [
        ("2026-06-10T10:59:59+00:00", BERLIN, 0),
        ("2026-06-10T11:00:00+00:00", BERLIN, 24),
        ("2026-06-10T21:30:00+00:00", BERLIN, 24),
        ("2026-06-10T22:00:00+00:00", BERLIN, 0),
        ("2026-06-10T20:59:00+00:00", HELSINKI, 24),
        ("2026-06-10T21:30:00+00:00", HELSINKI, 0),  # already the next day there, while Oslo is past one o'clock
        ("2026-12-10T11:59:59+00:00", BERLIN, 0),
        ("2026-12-10T12:00:00+00:00", BERLIN, 24),
    ],
)
def test_tomorrow_appears_at_one_in_oslo(customer: Customer, moment: str, home: Home, rows: int) -> None:
    customer.moment = datetime.fromisoformat(moment)
    assert len(customer.prices("HOURLY", "tomorrow { total }", home)["tomorrow"]) == rows


def test_a_test_can_publish_later(customer: Customer) -> None:
    customer.moment = datetime(2026, 6, 10, 15, 0, tzinfo=UTC)
    customer.tibber.publish_at = time(18, 30)
    assert customer.prices("HOURLY", "tomorrow { total }")["tomorrow"] == []


def test_tomorrow_becomes_today_unchanged(customer: Customer) -> None:
    customer.moment = datetime(2026, 10, 24, 13, 0, tzinfo=UTC)
    before = customer.prices("QUARTER_HOURLY", "tomorrow { startsAt total level }")["tomorrow"]
    customer.moment += timedelta(days=1)
    assert customer.prices("QUARTER_HOURLY", "today { startsAt total level }")["today"] == before


def test_the_level_is_against_the_three_days_before(customer: Customer) -> None:
    rows = customer.range("resolution: QUARTER_HOURLY, last: 672", "nodes { total level }")["nodes"]
    ratios: dict[str, list[float]] = {}
    for index in range(288, 672):
        average = sum(row["total"] for row in rows[index - 288 : index]) / 288
        ratios.setdefault(rows[index]["level"], []).append(rows[index]["total"] / average)
    bounds = {level: (min(each), max(each)) for level, each in ratios.items()}
    assert set(bounds) == {"VERY_CHEAP", "CHEAP", "NORMAL", "EXPENSIVE", "VERY_EXPENSIVE"}
    assert bounds["VERY_CHEAP"][1] <= 0.6 < bounds["CHEAP"][0] <= bounds["CHEAP"][1] <= 0.9 < bounds["NORMAL"][0]
    assert bounds["NORMAL"][1] < 1.15 <= bounds["EXPENSIVE"][0] <= bounds["EXPENSIVE"][1] < 1.4
    assert bounds["VERY_EXPENSIVE"][0] >= 1.4


def test_an_hourly_contract_has_quarters_in_the_range_only(customer: Customer) -> None:
    customer.moment = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)
    info = customer.prices("QUARTER_HOURLY", "current { total } today { total } tomorrow { total }", HOURS_ONLY)
    assert info == {"current": None, "today": [], "tomorrow": []}
    hourly = customer.prices("HOURLY", "today { total } tomorrow { total }", HOURS_ONLY)
    assert [len(hourly["today"]), len(hourly["tomorrow"])] == [24, 24]
    rows = customer.range("resolution: QUARTER_HOURLY, last: 96", "nodes { startsAt }", HOURS_ONLY)["nodes"]
    assert [rows[0]["startsAt"], rows[-1]["startsAt"]] == [
        "2026-06-10T00:00:00.000+02:00",
        "2026-06-10T23:45:00.000+02:00",
    ]
