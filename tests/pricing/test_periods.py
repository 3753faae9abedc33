"""Best and peak periods: what stands out, and nothing on a day on which nothing does."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.pricing import periods
from bridge.pricing.periods import Period
from bridge.pricing.settings import PricingSettings
from bridge.pricing.sums import Sums
from bridge.pricing.volatility import variation
from tests.pricing.curves import MIDNIGHT, duck, hourly, prices, sums


def spans(found: Sequence[Period]) -> list[tuple[float, float]]:
    """Return the periods in hours since midnight."""
    return [((one.start - MIDNIGHT).total_seconds() / 3600, (one.end - MIDNIGHT).total_seconds() / 3600) for one in found]


def best_of(known: Sums, settings: PricingSettings) -> list[Period]:
    return periods.best(known, variation(known), settings)


def peak_of(known: Sums, settings: PricingSettings) -> list[Period]:
    return periods.peak(known, variation(known), settings)


def best(values: Sequence[Any], **settings: Any) -> list[tuple[float, float]]:
    return spans(best_of(sums(values), PricingSettings(**settings)))


def peak(values: Sequence[Any], **settings: Any) -> list[tuple[float, float]]:
    return spans(peak_of(sums(values), PricingSettings(**settings)))


DIP = [*[10] * 40, *[5] * 8, *[10] * 48]
HILL = [*[10] * 40, *[15] * 8, *[10] * 48]


def test_a_dip_is_the_best_period_and_a_hill_the_peak() -> None:
    assert (best(DIP), peak(HILL)) == ([(10, 12)], [(10, 12)])


def test_the_rest_of_such_a_day_does_not_stand_out() -> None:
    assert (peak(DIP), best(HILL)) == ([], [])  # the rest is less than 5 % from the mean


@pytest.mark.parametrize("values", [[10] * 96, [10, "10.3"] * 48, ["-10", "-10.3"] * 48, [0] * 96])
def test_a_flat_day_has_no_period_however_far_it_is_relaxed(values: list[Any]) -> None:
    assert (best(values), peak(values)) == ([], [])


def test_a_day_of_two_dips_has_two_best_periods_and_the_second_may_need_relaxing() -> None:
    values = [10] * 96
    values[20:28], values[60:68] = [4] * 8, [5] * 8
    assert best(values, relaxation_steps=0) == [(5, 7)]
    assert best(values) == [(5, 7), (15, 17)]


def test_where_one_period_is_wanted_nothing_is_relaxed_for_a_second() -> None:
    values = [10] * 96
    values[20:28], values[60:68] = [4] * 8, [5] * 8
    assert best(values, periods_wanted=1) == [(5, 7)]


def test_what_is_too_short_is_none_unless_shorter_will_do() -> None:
    values = [10] * 96
    values[20:23] = [4] * 3
    assert best(values) == []
    assert best(values, best_length="PT45M") == [(5, 5.75)]


def test_a_quarter_between_does_not_part_a_period_unless_it_is_beyond_the_mean() -> None:
    values = [*DIP]
    values[44] = 8
    assert best(values) == [(10, 12)]
    values[44] = 11
    assert best(values, best_length="PT1H", relaxation_steps=0) == [(10, 11)]
    assert best([*values[:44], 8, *values[45:]], period_gap="PT0S", best_length="PT30M", relaxation_steps=0) == [
        (10, 11),
        (11.25, 12),
    ]


def test_prices_of_zero_and_less_are_always_among_the_best_on_a_day_that_is_not() -> None:
    values = [10] * 96
    values[20:28], values[60:68] = [-5] * 8, [0] * 8
    assert best(values) == [(5, 7), (15, 17)]


def test_on_a_day_below_zero_only_what_stands_out_is_best() -> None:
    values = [-5] * 96
    values[20:28], values[60:68] = [-10] * 8, [-1] * 8
    assert (best(values), peak(values)) == ([(5, 7)], [(15, 17)])


def test_around_zero_there_are_periods_too() -> None:
    assert (best([-1] * 48 + [1] * 48), peak([-1] * 48 + [1] * 48)) == ([(0, 12)], [(12, 24)])


def test_a_night_tariff_is_one_period() -> None:
    known = Sums(hourly([*["0.10"] * 7, *["0.30"] * 16, "0.10"]))
    assert spans(best_of(known, PricingSettings())) == [(0, 7), (23, 24)]
    assert spans(peak_of(known, PricingSettings())) == [(7, 23)]


def test_the_duck_has_its_noon_and_two_peaks() -> None:
    (noon,) = best(duck(), relaxation_steps=0)
    assert noon[0] < 13 < noon[1]
    morning, evening = peak(duck())
    assert morning[0] < 8 < morning[1] < evening[0] < 19 < evening[1]


def test_periods_that_touch_at_midnight_are_one() -> None:
    known = sums([*[3] * 4, *[1] * 4])
    middle = known.moment(4 * 900)
    halves = [Period(known.origin, middle, Decimal(3)), Period(middle, known.moment(8 * 900), Decimal(1))]
    assert periods.joined(halves, known) == [Period(known.origin, known.moment(8 * 900), Decimal(2))]


@given(st.lists(prices, min_size=96, max_size=96))
def test_every_best_period_is_below_the_mean_by_the_distance_and_every_peak_above(values: list[Decimal]) -> None:
    mean, size = sum(values, Decimal()) / 96, sum(map(abs, values), Decimal()) / 96
    known, settings = sums(values), PricingSettings(period_gap="PT0S")  # type: ignore[arg-type]  # ISO 8601, as in the file
    for one in best_of(known, settings):
        assert one.mean <= max(mean - size / 20, Decimal())
    for one in peak_of(known, settings):
        assert one.mean >= mean + size / 20


@given(st.lists(prices, min_size=1, max_size=96))
def test_a_peak_is_a_best_period_of_the_prices_turned_round(values: list[Decimal]) -> None:
    alike = {"best_flexibility": 20, "peak_flexibility": 20, "best_length": "PT30M", "peak_length": "PT30M"}
    turned = [-value for value in values]
    if sum(turned) <= 0:  # above it, prices of zero and less are best in any case
        assert peak(values, **alike) == best(turned, **alike)
