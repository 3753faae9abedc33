"""How much prices differ: against the standard library where that knows it, and by hand where it does not."""

import statistics
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.models.price import Slot
from bridge.pricing.settings import USUAL
from bridge.pricing.sums import Sums
from bridge.pricing.volatility import Volatility, variation, volatility
from tests.pricing.curves import MIDNIGHT, hourly, prices
from tests.support import quarters

LIMITS = USUAL.volatility_limits


def of(slots: Sequence[Slot]) -> Volatility | None:
    return volatility(slots, variation(Sums(slots)), LIMITS)


def judged(*values: float | str) -> Volatility:
    found = of(quarters(MIDNIGHT, values))
    assert found is not None
    return found


@given(st.lists(prices, min_size=2, max_size=100))
def test_of_equal_slots_it_is_the_sample_standard_deviation_over_the_mean(values: list[Decimal]) -> None:
    mean = statistics.mean(values)
    assume(mean)
    cv = judged(*map(str, values)).cv
    assert cv is not None
    assert float(cv) == pytest.approx(float(statistics.stdev(values) / abs(mean) * 100), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("spread", "word"), [("0", "low"), ("0.10", "low"), ("0.11", "moderate"), ("0.25", "high"), ("0.5", "very_high")]
)
def test_it_is_said_in_one_of_four_words(spread: str, word: str) -> None:
    assert judged(*(str(1 + sign * Decimal(spread)) for sign in (-1, 1))).word == word


def test_negative_prices_are_as_volatile_as_positive_ones() -> None:
    assert judged("-1", "-2", "-4").cv == judged("1", "2", "4").cv


def test_of_one_slot_or_around_zero_it_is_unknown() -> None:
    assert (judged(1).cv, judged(1).word, judged(-1, 1).cv) == (None, None, None)
    assert of(()) is None


def test_quartiles_part_the_time() -> None:
    found = judged(4, 1, 3, 2)
    assert (found.q25, found.median, found.q75) == (Decimal("1.5"), Decimal("2.5"), Decimal("3.5"))
    assert found.spread == 80


def test_a_spike_lies_beyond_the_fences_of_tukey() -> None:
    assert judged(*[1] * 10, *[2] * 10, 9, -9).spikes == 2
    assert judged(1, 1, 9).spikes == 0  # of three nobody can say


def test_an_hour_has_the_quartiles_of_its_quarters() -> None:
    hours = of(hourly([1, 5, 2, 8]))
    pieces = judged(*(value for value in (1, 5, 2, 8) for _ in range(4)))
    assert hours is not None
    assert (hours.q25, hours.median, hours.q75, hours.spread) == (pieces.q25, pieces.median, pieces.q75, pieces.spread)
