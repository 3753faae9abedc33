"""Made-up prices never change, are never the same twice in a day, and fall below zero often enough to be seen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.simulator.prices import Price, mean, price, trailing_mean

QUARTER = timedelta(minutes=15)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def day(ordinal: int, key: str = "home", currency: str = "EUR") -> list[Price]:
    return [price(BEGIN + timedelta(days=ordinal) + QUARTER * index, key, currency) for index in range(96)]


def test_a_price_is_the_same_in_every_run() -> None:
    assert price(datetime(2026, 10, 25, 1, 15, tzinfo=UTC), "home") == Price(
        Decimal("0.0946"), Decimal("0.0386"), Decimal("0.1332")
    )


def test_every_quarter_of_a_day_has_its_own_total() -> None:
    for ordinal in range(365):
        assert len({each.total for each in day(ordinal)}) == 96


@pytest.mark.parametrize("currency", ["EUR", "SEK", "NOK"])
def test_the_total_is_energy_and_tax(currency: str) -> None:
    for each in day(3, currency=currency):
        assert each.total == each.energy + each.tax
        assert each.tax > 0
        assert each.total.as_tuple().exponent == -4


@pytest.mark.parametrize("key", ["home", "b7a9e0d4-91c8-4e1f-8a55-3b2d7c90e622", ""])
def test_of_any_three_days_one_goes_below_zero_and_not_every_day_does(key: str) -> None:
    below = [min(each.total for each in day(ordinal, key)) < 0 for ordinal in range(365)]
    assert all(any(below[first : first + 3]) for first in range(363))
    assert not all(below)


def test_the_evening_costs_more_than_the_night_and_noon() -> None:
    for ordinal in range(30):
        totals = [each.total for each in day(ordinal)]
        assert totals[18 * 4] > totals[2 * 4] > totals[12 * 4]


def test_other_currencies_are_dearer_by_their_rate() -> None:
    moment = BEGIN + timedelta(hours=18)
    euros = price(moment, "home", "EUR").energy
    assert price(moment, "home", "SEK").energy == euros * 11
    assert abs(price(moment, "home", "NOK").energy - euros * Decimal("11.5")) < Decimal("0.0001")


def test_the_mean_keeps_total_and_energy_and_lets_tax_give() -> None:
    prices = [Price(Decimal("0.0001"), Decimal("0.0002"), Decimal("0.0003"))] * 3
    prices.append(Price(Decimal("0.0003"), Decimal("0.0002"), Decimal("0.0005")))
    assert mean(prices) == Price(Decimal("0.0002"), Decimal("0.0002"), Decimal("0.0004"))


def test_the_trailing_mean_is_that_of_the_quarters_before() -> None:
    moment = BEGIN + timedelta(days=40, hours=7, minutes=45)
    before = [price(moment - QUARTER * age, "home").total for age in range(1, 3 * 96 + 1)]
    assert trailing_mean(moment, "home", "EUR", 3) == sum(before) / len(before)
