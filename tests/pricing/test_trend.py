"""Where the price is going, near zero and below it too, and when that changes."""

from collections.abc import Sequence
from typing import Any

import pytest

from bridge.pricing.meaning import Meaning
from bridge.pricing.settings import PricingSettings
from bridge.pricing.trend import direction
from tests.pricing.curves import BERLIN, MIDNIGHT
from tests.support import curve


def trend(now: float | str, then: float | str, before: Sequence[float | str] = (), **settings: Any) -> str | None:
    """Return the trend of a quarter at `now` before three hours at `then`, and 24 h of `before` where that is given."""
    known = curve(MIDNIGHT, [*before, now, *[then] * 12])
    return Meaning(known, BERLIN, PricingSettings(**settings)).trends[len(before)]


@pytest.mark.parametrize(
    ("now", "then", "word"),
    [
        ("1", "1", "stable"),
        ("1", "1.019", "stable"),
        ("1", "1.03", "rising"),
        ("1", "1.054", "rising"),
        ("1", "1.08", "strongly_rising"),
        ("1", "0.97", "falling"),
        ("1", "0.90", "strongly_falling"),
        ("-1", "-0.90", "strongly_rising"),
        ("-1", "-1.10", "strongly_falling"),
        ("0", "0.3", "strongly_rising"),
        ("0", "-0.3", "strongly_falling"),
        ("0", "0", "stable"),
    ],
)
def test_the_mean_of_the_next_hours_is_compared_with_the_price(now: str, then: str, word: str) -> None:
    assert trend(now, then) == word


def test_near_zero_a_trifle_is_no_trend() -> None:
    assert trend("0.0001", "0.0009", ["0.30"] * 96) == "stable"  # nine times as much, and nobody minds


def test_where_much_is_going_on_ahead_more_is_asked_for() -> None:
    calm = curve(MIDNIGHT, [1, *["1.03"] * 12])
    lively = curve(MIDNIGHT, [1, *["0.53", "1.53"] * 6])
    assert [Meaning(known, BERLIN).trends[0] for known in (calm, lively)] == ["rising", "stable"]


def test_where_most_of_the_hours_ahead_are_unknown_so_is_the_trend() -> None:
    found = Meaning(curve(MIDNIGHT, range(1, 14)), BERLIN).trends
    assert found[6] is not None
    assert set(found[7:]) == {None}


def test_the_next_change_is_where_another_direction_holds() -> None:
    known = curve(MIDNIGHT, [*[1] * 20, *[2] * 20, *[1] * 20])
    meaning = Meaning(known, BERLIN)
    turn = meaning.verdict(known.slots[0]).trend_change
    assert turn is not None
    index = next(index for index, slot in enumerate(known.slots) if slot.start == turn)
    directions = [direction(word) for word in meaning.trends]
    assert directions[0] == "stable"
    assert set(directions[:index]) == {"stable"}
    assert directions[index : index + 3] == ["rising"] * 3


def test_what_holds_for_a_quarter_is_no_change() -> None:
    flat = [10] * 40
    flat[20] = 11
    known = curve(MIDNIGHT, flat)
    meaning = Meaning(known, BERLIN)
    assert {direction(word) for word in meaning.trends if word} == {"stable", "falling"}
    assert meaning.verdict(known.slots[0]).trend_change is None
