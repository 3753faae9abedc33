"""The shape of a day in a word, and its phases."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.pricing.pattern import Shape, shape
from bridge.pricing.settings import USUAL
from bridge.pricing.sums import Sums
from bridge.pricing.volatility import variation
from tests.pricing.curves import duck, hourly, prices, sums


def line(*points: float) -> list[float]:
    """Return 96 prices on straight lines through `points`, which are evenly spread over the day."""
    steps = len(points) - 1
    return [
        points[int(at)] + (points[min(int(at) + 1, steps)] - points[int(at)]) * (at - int(at))
        for at in (index * steps / 95 for index in range(96))
    ]


def shaped(known: Sums) -> Shape:
    return shape(known, variation(known), USUAL)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (line(1, 1), "flat"),
        (line(1, 1.05, 1), "flat"),
        (line(1, 3), "rising"),
        (line(3, 1), "falling"),
        (line(3, 1, 3), "valley"),
        (line(1, 3, 1), "peak"),
        (line(3, 1, 3, 1, 3), "double_dip"),
        (line(1, 3, 1, 3, 1), "duck_curve"),
        (line(2, 1, 3, 1.5, 3, 1), "duck_curve"),
        (line(2, 1.9, 4, 2), "peak"),
        (line(1, 3, 1, 3, 1, 3, 1), "mixed"),
        (line(-1, -3, -1), "valley"),
    ],
)
def test_a_day_is_named_by_its_turns(values: Sequence[float], word: str) -> None:
    assert shaped(sums([f"{value:.4f}" for value in values])).word == word


def test_a_duck_rises_twice_and_falls_twice() -> None:
    words = [phase.word for phase in shaped(sums(duck())).phases]
    assert [word for word in words if word != "flat"] == ["rising", "falling", "rising", "falling"]


def test_a_day_and_night_tariff_is_flat_but_for_its_steps() -> None:
    found = shaped(sums([*[1] * 28, *[3] * 64, *[1] * 4]))
    assert [phase.word for phase in found.phases] == ["flat", "rising", "flat", "falling"]


def test_hours_are_judged_like_quarters() -> None:
    values = [1, 1, 2, 3, 5, 7, 9, 8, 6, 4, 2, 1, 0, 1, 3, 5, 7, 9, 9, 7, 5, 3, 2, 1]
    assert shaped(Sums(hourly(values))).word == "duck_curve"


@given(st.lists(prices, min_size=1, max_size=100))
def test_phases_fill_the_day_without_a_gap(values: list[Decimal]) -> None:
    known = sums(values)
    phases = shaped(known).phases
    assert (phases[0].start, phases[-1].end) == (known.origin, known.moment(known.ends[-1]))
    assert all(one.end == other.start and one.word != other.word for one, other in pairwise(phases))
    assert all(shaped(known).phase(phase.start) == phase.word for phase in phases[:3])
