"""24 hours are 24 hours on every day of the year, and an hour is 60 minutes."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bridge.models.price import Curve
from bridge.pricing.averages import DAY_S, difference, hour, leading, trailing
from bridge.pricing.figures import mean
from bridge.pricing.meaning import Meaning
from bridge.pricing.sums import Sums, Total
from tests.pricing.curves import BERLIN, curves, sums
from tests.support import curve, quarters, utc

HALF = Decimal(50)


@pytest.mark.parametrize("first", ["2026-03-27T23:00", "2026-10-23T22:00", "2026-06-09T22:00"])
def test_the_mean_of_the_24_hours_before_is_that_of_96_quarters_also_when_the_clock_changes(first: str) -> None:
    known = curve(utc(first), [number / 100 for number in range(96 * 3)])
    verdict = Meaning(known, BERLIN).verdict(known.slots[150])
    assert verdict.trailing_mean == mean(known.slots[54:150])
    assert verdict.leading_mean == mean(known.slots[150:246])


@given(curves())
def test_means_of_24_hours_count_each_slot_by_the_part_of_it_that_lies_in_them(known: Curve) -> None:
    found = Sums(known.slots)
    for slot, start in zip(known.slots, found.starts, strict=True):
        before, span = trailing(found, start, Decimal(0)), timedelta(seconds=DAY_S)
        inside = [
            other._replace(start=max(other.start, slot.start - span), end=min(other.end, slot.start))
            for other in known.slots
            if other.start < slot.start and other.end > slot.start - span
        ]
        assert (before is None) == (not inside)
        assert before is None or abs(found.money(before) - mean(inside)) < Decimal("1e-20")


def test_where_less_than_half_of_24_hours_is_known_their_mean_is_unknown() -> None:
    found = sums([1] * 96)
    starts = found.starts
    assert [trailing(found, starts[index], HALF) for index in (0, 47)] == [None, None]
    assert trailing(found, starts[48], HALF) is not None
    assert leading(found, starts[48], HALF) is not None
    assert leading(found, starts[49], HALF) is None


@pytest.mark.parametrize(
    ("price", "mean_price", "expected"),
    [(15, 10, "50"), (5, 10, "-50"), (-15, -10, "-50"), (-5, -10, "50"), (5, -10, "150"), (-5, 10, "-150"), (0, 10, "-100")],
)
def test_a_difference_is_positive_where_the_price_is_above_the_mean_whatever_its_sign(
    price: int, mean_price: int, expected: str
) -> None:
    assert difference(price, Total(mean_price * 100, 100)) == Decimal(expected)


def test_a_difference_from_nothing_or_from_zero_is_unknown() -> None:
    assert (difference(5, None), difference(5, Total(0, 100))) == (None, None)


@pytest.mark.parametrize(("zone", "first"), [("Europe/Berlin", "10:00"), ("Asia/Kolkata", "09:30"), ("Asia/Kathmandu", "10:15")])
def test_an_hour_is_the_clock_hour_of_the_site(zone: str, first: str) -> None:
    row = [Decimal(number * number) for number in range(9)]
    known = quarters(utc("2026-06-10T09:00"), [str(value) for value in row])
    inside = [slot.value for slot in known if slot.start >= utc(f"2026-06-10T{first}")][:4]
    assert hour(Sums(known), utc("2026-06-10T10:20"), ZoneInfo(zone)) == sum(inside) / 4


def test_both_hours_of_the_autumn_night_have_means_of_their_own() -> None:
    found = sums([1, 1, 1, 1, 3, 3, 3, 3], utc("2026-10-25T00:00"))
    first, second = (datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=fold).astimezone(ZoneInfo("UTC")) for fold in (0, 1))
    assert (hour(found, first, BERLIN), hour(found, second, BERLIN)) == (Decimal(1), Decimal(3))
