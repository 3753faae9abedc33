"""Sums over any span are exact, whatever the slots' lengths and however many gaps there are."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import Curve, Slot
from bridge.pricing.sums import Sums, Total, least_seconds
from tests.pricing.curves import MIDNIGHT, curves


def counted(curve: Curve, start: int, end: int) -> tuple[Fraction, int]:
    """Return Σ(price · seconds) and the known seconds, slot by slot."""
    total, known = Fraction(), 0
    for slot in curve.slots:
        first, last = ((moment - curve.slots[0].start) // timedelta(seconds=1) for moment in (slot.start, slot.end))
        shared = max(0, min(end, last) - max(start, first))
        total, known = total + Fraction(slot.value) * shared, known + shared
    return total, known


@given(curves(), st.integers(-90_000, 400_000), st.integers(0, 200_000))
def test_a_total_is_what_counting_slot_by_slot_brings(curve: Curve, start: int, length: int) -> None:
    found = Sums(curve.slots)
    total = found.total(start, start + length)
    assert (Fraction(total.sum, 10**found.places), total.seconds) == counted(curve, start, start + length)


@given(curves(), st.integers(-90_000, 400_000), st.integers(1, 200_000))
def test_a_mean_is_known_where_anything_is(curve: Curve, start: int, length: int) -> None:
    total, known = counted(curve, start, start + length)
    mean = Sums(curve.slots).mean(start, start + length)
    assert (mean is None) == (known == 0)
    assert mean is None or abs(Fraction(mean) - total / known) < Fraction(1, 10**20)


def test_of_no_slots_nothing_is_known() -> None:
    assert Sums(()).total(0, 100) == Total(0, 0)
    assert Sums(()).mean(0, 100) is None


def test_a_price_of_many_digits_loses_none() -> None:
    price = Decimal("0.1234567890123456789")
    assert Sums((Slot(MIDNIGHT, MIDNIGHT + timedelta(days=1), price),)).mean(0, 86_400) == price


def test_enough_is_known_from_the_share_on() -> None:
    least = least_seconds(99, Decimal(50))
    assert [Total(1, seconds).is_known(least) for seconds in (49, 50, 51)] == [False, True, True]
    assert not Total(0, 0).is_known(least_seconds(100, Decimal(0)))
