"""A curve as an even grid: every step has its value, and a gap has none."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import Curve, Slot
from bridge.pricing.grid import resolution, step, values
from tests.support import utc

NOON = utc("2026-06-10T12:00:00")


def slots(*spans: tuple[int, int, int]) -> tuple[Slot, ...]:
    """Return slots, each as (minutes from noon to its start, to its end, value)."""
    return tuple(
        Slot(NOON + timedelta(minutes=start), NOON + timedelta(minutes=end), Decimal(value)) for start, end, value in spans
    )


@pytest.mark.parametrize(
    ("spans", "minutes", "row", "common"),
    [
        ([(0, 15, 1)], 15, (1,), 15),
        ([(0, 60, 1)], 60, (1,), 60),
        ([(0, 15, 1), (15, 30, -2)], 15, (1, -2), 15),
        ([(0, 30, 1), (30, 60, 2)], 30, (1, 2), 30),
        ([(0, 60, 1), (60, 75, 2)], 15, (1, 1, 1, 1, 2), None),
        ([(0, 60, 1), (60, 90, 2)], 30, (1, 1, 2), None),
        ([(0, 15, 1), (30, 45, 2)], 15, (1, None, 2), 15),
        ([(0, 60, 1), (120, 180, 2)], 60, (1, None, 2), 60),
        ([(0, 60, 1), (75, 135, 2)], 15, (1, 1, 1, 1, None, 2, 2, 2, 2), 60),
        ([(0, 30, 1), (60, 90, 0), (150, 180, 3)], 30, (1, None, 0, None, None, 3), 30),
    ],
)
def test_every_step_has_its_value(
    spans: list[tuple[int, int, int]], minutes: int, row: tuple[int | None, ...], common: int | None
) -> None:
    given = slots(*spans)
    every = step(given)
    assert (every, values(given, every, given[-1].end)) == (timedelta(minutes=minutes), row)
    assert resolution(given) == (None if common is None else timedelta(minutes=common))


@pytest.mark.parametrize(
    ("spans", "until", "row"),
    [
        ([(0, 15, 1), (15, 30, 2)], 75, (1, 2, None, None, None)),
        ([(0, 60, 1)], 120, (1, None)),
        ([(0, 60, 1)], 61, (1, None)),
        ([(0, 60, 1)], 60, (1,)),
        ([(0, 60, 1), (60, 120, 2)], 90, (1, 2)),
        ([(0, 15, 1), (30, 45, 2)], -600, (1, None, 2)),
    ],
    ids=["to its end", "hours", "up to a whole step", "reached", "passed", "long ago"],
)
def test_a_grid_runs_on_with_nothing_to_the_moment_that_it_must_reach(
    spans: list[tuple[int, int, int]], until: int, row: tuple[int | None, ...]
) -> None:
    given = slots(*spans)
    assert values(given, step(given), NOON + timedelta(minutes=until)) == row


def test_the_step_is_counted_from_the_first_slot_not_from_the_full_hour() -> None:
    assert step(slots((7, 37, 1), (37, 67, 2))) == timedelta(minutes=30)


def test_no_slots_have_no_resolution() -> None:
    assert resolution(()) is None


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    made: list[Slot] = []
    moment: datetime = NOON
    for _ in range(draw(st.integers(1, 15))):
        moment += draw(st.sampled_from([0, 0, 15, 30])) * timedelta(minutes=1)
        end = moment + draw(st.sampled_from([15, 30, 60])) * timedelta(minutes=1)
        made.append(Slot(moment, end, draw(st.decimals(-2, 2, places=3))))
        moment = end
    return Curve(currency="EUR", slots=tuple(made))


@given(curves())
def test_the_grid_says_at_every_step_what_the_curve_says(given: Curve) -> None:
    every = step(given.slots)
    row = values(given.slots, every, given.slots[0].end)
    begins = [given.slots[0].start + number * every for number in range(len(row))]
    found = [given.at(begin) for begin in begins]
    assert list(row) == [slot.value if slot else None for slot in found]
    assert begins[-1] + every == given.end
