"""Figures over slots: means and medians of time, ranks that equals share."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import HOUR, QUARTER_HOUR, Slot
from bridge.pricing.figures import Figures, figures, mean, median
from tests.support import quarters, utc

NOON = utc("2026-06-10T12:00:00")


def slots(*pairs: tuple[int, str | Decimal]) -> tuple[Slot, ...]:
    """Return slots one after the other, each as (minutes, value)."""
    made: list[Slot] = []
    begin: datetime = NOON
    for minutes, value in pairs:
        made.append(Slot(begin, begin + timedelta(minutes=minutes), Decimal(value)))
        begin = made[-1].end
    return tuple(made)


some_slots = st.lists(
    st.tuples(st.sampled_from([15, 30, 60]), st.decimals(-5, 5, places=4)), min_size=1, max_size=30
).map(lambda pairs: slots(*pairs))  # fmt: skip


def moved(given: tuple[Slot, ...], by: Decimal) -> tuple[Slot, ...]:
    return tuple(slot._replace(value=slot.value + by) for slot in given)


def scaled(given: tuple[Slot, ...], by: Decimal) -> tuple[Slot, ...]:
    return tuple(slot._replace(value=slot.value * by) for slot in given)


def near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) < Decimal("1e-20")


def test_of_no_slots_there_are_no_figures() -> None:
    assert figures(()) is None


def test_one_slot_is_all_its_figures() -> None:
    (slot,) = slots((15, "-0.1"))
    assert figures((slot,)) == Figures(slot, slot, slot.value, slot.value)


def test_the_earliest_of_equals_is_the_least_and_the_greatest() -> None:
    given = quarters(NOON, [1, 2, 1, 2])
    found = figures(given)
    assert found is not None
    assert (found.least, found.greatest) == (given[0], given[1])


def test_negative_prices_are_prices() -> None:
    given = quarters(NOON, ["-0.3", "-0.1", "-0.2"])
    assert figures(given) == Figures(given[0], given[1], Decimal("-0.2"), Decimal("-0.2"))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(15, "1"), (15, "2")], "1.5"),
        ([(60, "1"), (15, "2")], "1.2"),
        ([(15, "1"), (30, "2"), (60, "-4")], "-1.571428571428571428571428571"),
        ([(15, "0.1"), (15, "0.2")], "0.15"),
    ],
)
def test_the_mean_is_weighted_by_length(pairs: list[tuple[int, str]], expected: str) -> None:
    assert mean(slots(*pairs)) == Decimal(expected)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(15, "3"), (15, "1"), (15, "2")], "2"),
        ([(15, "3"), (15, "1"), (15, "2"), (15, "4")], "2.5"),
        ([(60, "1"), (15, "9"), (15, "8")], "1"),
        ([(30, "1"), (15, "9"), (15, "8")], "4.5"),
        ([(15, "2"), (15, "2"), (15, "2"), (15, "9")], "2"),
    ],
)
def test_half_of_the_time_lies_below_the_median(pairs: list[tuple[int, str]], expected: str) -> None:
    assert median(slots(*pairs)) == Decimal(expected)


@given(some_slots)
def test_an_hour_weighs_as_much_as_its_quarters(given: tuple[Slot, ...]) -> None:
    pieces = tuple(
        slot._replace(start=slot.start + number * QUARTER_HOUR, end=slot.start + (number + 1) * QUARTER_HOUR)
        for slot in given
        for number in range((slot.end - slot.start) // QUARTER_HOUR)
    )
    assert (mean(given), median(given)) == (mean(pieces), median(pieces))


@given(some_slots, st.randoms())
def test_the_order_of_the_slots_does_not_matter(given: tuple[Slot, ...], chance: object) -> None:
    shuffled = sorted(given, key=lambda slot: hash((slot, repr(chance))))
    assert (mean(shuffled), median(shuffled)) == (mean(given), median(given))


@given(some_slots, st.decimals(-5, 5, places=4))
def test_a_surcharge_moves_every_figure_by_as_much(given: tuple[Slot, ...], by: Decimal) -> None:
    more = moved(given, by)
    assert near(mean(more), mean(given) + by)
    assert median(more) == median(given) + by


@given(some_slots, st.sampled_from([Decimal("0.5"), Decimal(100), Decimal("1.25")]))
def test_another_unit_scales_every_figure(given: tuple[Slot, ...], by: Decimal) -> None:
    more = scaled(given, by)
    assert near(mean(more), mean(given) * by)
    assert median(more) == median(given) * by


@given(some_slots)
def test_mean_and_median_lie_between_the_least_and_the_greatest(given: tuple[Slot, ...]) -> None:
    found = figures(given)
    assert found is not None
    assert found.least.value <= found.median <= found.greatest.value
    assert found.least.value - Decimal("1e-20") <= found.mean <= found.greatest.value + Decimal("1e-20")


@given(some_slots)
def test_the_mean_is_the_exact_one_to_twenty_digits(given: tuple[Slot, ...]) -> None:
    total = sum((Fraction(slot.value) * ((slot.end - slot.start) // QUARTER_HOUR) for slot in given), Fraction())
    exact = total / sum((slot.end - slot.start) // QUARTER_HOUR for slot in given)
    assert abs(Fraction(mean(given)) - exact) < Fraction(1, 10**20)


def test_a_day_of_hours_has_the_figures_of_its_quarters() -> None:
    hours = tuple(Slot(NOON + number * HOUR, NOON + (number + 1) * HOUR, Decimal(number)) for number in range(24))
    quartered = quarters(NOON, [number // 4 for number in range(96)])
    assert (mean(hours), median(hours)) == (mean(quartered), median(quartered)) == (Decimal("11.5"), Decimal("11.5"))
