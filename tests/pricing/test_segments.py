"""Segments that touch are one, at their mean price; each holds from its start until just before its end."""

from datetime import timedelta
from decimal import Decimal

from bridge.models.plan import Segment
from bridge.pricing.segments import begun, joined, length, mean, running
from tests.support import utc

START = utc("2026-10-25T00:30")  # 02:30 in Berlin, for the first time


def segment(start: int, end: int, price: str) -> Segment:
    """Return the span between two minutes after START."""
    return Segment(START + timedelta(minutes=start), START + timedelta(minutes=end), Decimal(price))


EARLY, NEXT, LATE = segment(0, 60, "0.1"), segment(60, 90, "-0.2"), segment(120, 150, "0.3")


def test_the_mean_is_weighted_by_length() -> None:
    assert mean((EARLY, NEXT, LATE)) == Decimal("0.075")


def test_those_that_touch_are_one() -> None:
    assert joined((EARLY, NEXT, LATE)) == (segment(0, 90, "0"), LATE)
    assert joined((EARLY, LATE)) == (EARLY, LATE)
    assert joined(()) == ()


def test_one_is_in_force_until_just_before_its_end() -> None:
    minutes = (-1, 0, 59, 60, 90, 120, 149, 150)
    found = [running((EARLY, NEXT, LATE), START + timedelta(minutes=minute)) for minute in minutes]
    assert found == [None, EARLY, EARLY, NEXT, None, LATE, LATE, None]


def test_what_has_begun_may_be_over() -> None:
    assert begun((EARLY, NEXT, LATE), START + timedelta(minutes=60)) == (EARLY, NEXT)


def test_they_are_as_long_as_all_of_them() -> None:
    assert (length((EARLY, NEXT, LATE)), length(())) == (timedelta(hours=2), timedelta())
