"""Low, normal and high: thresholds, and what keeps a rating from going to and fro."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from bridge.pricing.rating import level, limits, ratings
from bridge.pricing.settings import PricingSettings

USUAL = PricingSettings()


def rated(differences: Sequence[float | None], **settings: Any) -> str:
    """Return a letter a slot."""
    values = [None if value is None else Decimal(str(value)) for value in differences]
    return "".join(word[0] if word else "?" for word in ratings(values, PricingSettings(**settings)))


def test_the_thresholds_belong_to_low_and_high() -> None:
    assert rated([-10]) + rated([-9.99]) + rated([9.99]) + rated([10]) == "lnnh"


def test_what_is_low_or_high_stays_so_until_it_has_come_back_by_more_than_the_hysteresis() -> None:
    assert rated([-10, -9, -8, -7.9, -9]) == "lllnn"
    assert rated([10, 9, 8, 7.9, 9]) == "hhhnn"


def test_without_hysteresis_a_price_at_the_threshold_goes_to_and_fro() -> None:
    assert rated([-10, -9, -10, -9], rating_hysteresis=0) == "lnln"


def test_low_turns_to_high_at_once() -> None:
    assert rated([-20, 20, -20]) == "lhl"


def test_after_the_unknown_nothing_is_remembered() -> None:
    assert rated([-10, None, -9]) == "l?n"


@pytest.mark.parametrize(
    ("off", "word"),
    [
        ("-40", "very_cheap"),
        ("-39.9", "cheap"),
        ("-10", "cheap"),
        ("-9.9", "normal"),
        ("14.9", "normal"),
        ("15", "expensive"),
        ("39.9", "expensive"),
        ("40", "very_expensive"),
    ],
)
def test_levels_are_parted_as_tibber_documents_them(off: str, word: str) -> None:
    assert level(Decimal(off), USUAL.level_limits) == word


def test_an_unknown_difference_has_no_level() -> None:
    assert level(None, USUAL.level_limits) is None


@pytest.mark.parametrize("mean", ["0.20", "-0.20"])
def test_the_limits_of_levels_are_in_order_also_around_a_negative_mean(mean: str) -> None:
    found = limits(Decimal(mean), USUAL.level_limits)
    assert list(found) == sorted(found)
    assert found[0] == Decimal(mean) - Decimal("0.08")
