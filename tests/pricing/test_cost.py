"""What energy cost: priced once, corrected by later readings, and never a guess."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import HOUR, Curve
from bridge.models.reading import Reading
from bridge.pricing.cost import Cost, CostDay, Days, Metered, cost, counted
from tests.pricing.curves import BERLIN
from tests.support import curve, utc

START = utc("2026-06-09T22:00")  # midnight in Berlin
NOON = START + timedelta(hours=12)
PRICES = curve(START, [value for value in range(1, 25) for _ in range(4)])  # 1 €/kWh in the first hour, 2 in the second, …


def energy(hour: int, value: str = "1", hours: int = 1, **facts: Any) -> Reading:
    """Return the energy of some hours from the one on that begins `hour` after midnight."""
    start = START + hour * HOUR
    whole = {"meter": "import", "quantity": "energy", "unit": "kWh", "start": start, "end": start + hours * HOUR, **facts}
    return Reading(value=Decimal(value), **whole)


def count(*batches: Sequence[Reading], known: Curve = PRICES, moment: datetime = NOON) -> Days:
    days: Days = {}
    for batch in batches:
        days = counted(days, batch, {"import": known}, BERLIN, moment)
    return days


def of(days: Days, period: str = "today", moment: datetime = NOON, charge: str | None = None) -> Cost | None:
    return cost(days, "import", period, BERLIN, moment, Decimal(charge) if charge else None)


def test_each_hour_costs_its_energy_at_its_price() -> None:
    days = count([energy(0, "2"), energy(1, "0.5")])
    assert of(days) == Cost(Decimal(3), START, START + 2 * HOUR, complete=True, energy=Decimal("2.5"), standing_charge=None)


def test_the_standing_charge_of_the_day_is_in_it_and_told() -> None:
    found = of(count([energy(0)]), charge="0.48")
    assert found is not None
    assert (found.value, found.standing_charge) == (Decimal("1.48"), Decimal("0.48"))


def test_an_hour_of_four_prices_costs_their_mean() -> None:
    found = of(count([energy(0, "2")], known=curve(START, [1, 2, 3, 6])))
    assert found is not None
    assert found.value == 6


def test_what_came_before_stays_counted() -> None:
    days = count([energy(0)], [energy(1)], [energy(2)])
    found = of(days)
    assert found is not None
    assert (found.value, found.end, found.complete) == (Decimal(6), START + 3 * HOUR, True)


def test_a_late_correction_takes_the_place_of_what_was_there() -> None:
    found = of(count([energy(0), energy(1)], [energy(1, "3")]))
    assert found is not None
    assert found.value == 1 + 2 * 3


def test_half_hours_take_the_place_of_their_hour() -> None:
    halves = [energy(0).model_copy(update={"end": START + HOUR / 2}), energy(0).model_copy(update={"start": START + HOUR / 2})]
    assert [span.energy for day in count([energy(0, "9")], halves).values() for span in day.spans] == [1, 1]


def test_a_gap_makes_it_incomplete_and_nothing_is_put_in_its_place() -> None:
    found = of(count([energy(0), energy(2)]))
    assert found is not None
    assert (found.value, found.complete) == (Decimal(4), False)


def test_what_has_no_price_makes_it_incomplete_until_it_has_one() -> None:
    part = PRICES.until(START + HOUR)
    days = count([energy(0), energy(1)], known=part)
    before = of(days)
    after = of(counted(days, (), {"import": PRICES}, BERLIN, NOON))
    assert before is not None
    assert after is not None
    assert (before.value, before.energy, before.complete) == (Decimal(1), Decimal(1), False)
    assert (after.value, after.energy, after.complete) == (Decimal(3), Decimal(2), True)


def test_a_price_that_is_known_no_longer_is_kept() -> None:
    days = counted(count([energy(0)]), [energy(0, "2")], {"import": PRICES.since(START + HOUR)}, BERLIN, NOON)
    found = of(days)
    assert found is not None
    assert (found.value, found.complete) == (Decimal(2), True)


def test_where_nothing_is_known_there_is_no_cost_and_not_zero() -> None:
    assert of({}) is None
    assert of(count([energy(0)], known=curve(NOON, [1]))) is None
    assert of(count([energy(0)]), "yesterday") is None


@pytest.mark.parametrize(
    "other",
    [
        energy(0, meter="import-2"),
        energy(0, quantity="energy-day"),
        energy(0, unit="m³"),
        energy(0, end=None),
        energy(0, meter="gas"),
    ],
)
def test_what_is_no_energy_of_the_stream_does_not_count(other: Reading) -> None:
    assert count([other]) == {}


def test_of_more_than_an_hour_only_one_price_will_do() -> None:
    assert of(count([energy(0, "2", hours=2)])) is None  # nobody knows when in these two hours
    found = of(count([energy(0, "2", hours=2)], known=curve(START, [3] * 8)))
    assert found is not None
    assert found.value == 6


def test_prices_below_zero_earn() -> None:
    found = of(count([energy(0, "2")], known=curve(START, ["-0.25"] * 4)))
    assert found is not None
    assert found.value == Decimal("-0.5")


def test_today_becomes_yesterday_which_is_whole_or_not() -> None:
    days = count([energy(hour) for hour in range(24)])
    tomorrow = START + timedelta(days=1, hours=3)
    assert (of(days, moment=tomorrow), of(count([energy(0)]), "yesterday", tomorrow)) == (
        None,
        Cost(Decimal(1), START, START + timedelta(days=1), complete=False, energy=Decimal(1), standing_charge=None),
    )
    found = of(days, "yesterday", tomorrow, "0.5")
    assert found == Cost(
        sum((Decimal(hour) for hour in range(1, 25)), Decimal("0.5")),
        START,
        START + timedelta(days=1),
        complete=True,
        energy=Decimal(24),
        standing_charge=Decimal("0.5"),
    )


def test_the_month_has_every_day_since_its_first_and_their_standing_charges() -> None:
    first = utc("2026-05-31T22:00")
    known = curve(first, [1] * 96 * 11)
    readings = [energy(0, start=first + hour * HOUR, end=first + (hour + 1) * HOUR) for hour in range(24 * 9 + 4)]
    found = of(count(readings, known=known), "month", charge="0.5")
    assert found == Cost(
        Decimal(220 + 5), first, START + 4 * HOUR, complete=True, energy=Decimal(220), standing_charge=Decimal(5)
    )  # ten days are begun


def test_a_month_that_was_joined_late_is_incomplete() -> None:
    found = of(count([energy(0)]), "month", charge="0.5")
    assert found is not None
    assert (found.start, found.complete, found.standing_charge) == (utc("2026-05-31T22:00"), False, Decimal(5))


def test_days_that_neither_yesterday_nor_the_month_needs_are_let_go() -> None:
    days = count([energy(0)])
    in_july, on_the_first = utc("2026-07-02T10:00"), utc("2026-06-30T23:00")
    assert counted(days, (), {}, BERLIN, in_july) == {}
    last = CostDay(
        stream="import", day=date(2026, 6, 30), spans=(Metered(on_the_first - HOUR, on_the_first, Decimal(1), Decimal(1)),)
    )
    assert counted({last.key: last}, (), {}, BERLIN, on_the_first) == {last.key: last}


@pytest.mark.parametrize(("start", "hours"), [("2026-03-28T23:00", 23), ("2026-10-24T22:00", 25)])
def test_days_on_which_the_clock_changes_are_whole_with_all_their_hours(start: str, hours: int) -> None:
    begin = utc(start)
    readings = [energy(0, start=begin + number * HOUR, end=begin + (number + 1) * HOUR) for number in range(hours)]
    moment = begin + (hours + 1) * HOUR
    days = count(readings, known=curve(begin, [1] * 4 * hours), moment=moment)
    found, short = (
        of(given, "yesterday", moment) for given in (days, count(readings[1:], known=curve(begin, [1] * 100), moment=moment))
    )
    assert found is not None
    assert short is not None
    assert (found.value, found.complete, short.complete) == (Decimal(hours), True, False)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(-3, 9)), min_size=1, max_size=30), st.integers(1, 5))
def test_it_does_not_matter_in_how_many_polls_readings_come(pairs: list[tuple[int, int]], size: int) -> None:
    readings = [energy(hour, str(value)) for hour, value in pairs]
    batches = [readings[index : index + size] for index in range(0, len(readings), size)]
    newest = dict(pairs)
    days = count(*batches)
    assert days == count(readings) == count(readings, readings)
    found = of(days)
    assert found is not None
    assert found.value == sum((hour + 1) * value for hour, value in newest.items())
