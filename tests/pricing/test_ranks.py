"""Ranks and percentiles of a day."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import Curve
from bridge.pricing.ranks import Ranks
from tests.pricing.curves import MIDNIGHT, curves, hourly
from tests.support import quarters


def test_equal_prices_share_the_lower_rank() -> None:
    given = quarters(MIDNIGHT, [2, 1, 2, 3, 1])
    assert Ranks(given).all(given) == [3, 1, 3, 5, 1]


def test_a_percentile_is_the_share_of_the_time_that_is_cheaper() -> None:
    given = (*hourly([1]), *quarters(MIDNIGHT.replace(hour=23), [2, 3, 4, 5]))
    ranks = Ranks(given)
    assert [ranks.percentile(slot.value) for slot in given] == [Decimal(text) for text in ("0", "50", "62.5", "75", "87.5")]


@given(curves())
def test_a_rank_is_one_more_than_those_that_are_cheaper(curve: Curve) -> None:
    expected = [1 + sum(other.value < slot.value for other in curve.slots) for slot in curve.slots]
    assert Ranks(curve.slots).all(curve.slots) == expected


@given(curves(), st.randoms(use_true_random=False))
def test_the_order_of_the_slots_does_not_matter(curve: Curve, chance: object) -> None:
    shuffled = sorted(curve.slots, key=lambda slot: hash((slot.start, repr(chance))))
    assert Ranks(shuffled).all(curve.slots) == Ranks(curve.slots).all(curve.slots)
    of_both = [[ranks.percentile(slot.value) for slot in curve.slots] for ranks in (Ranks(shuffled), Ranks(curve.slots))]
    assert of_both[0] == of_both[1]
