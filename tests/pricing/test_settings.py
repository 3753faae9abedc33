"""What cannot be a threshold is refused, and says what it should be."""

from typing import Any

import pytest
from pydantic import ValidationError

from bridge.pricing.settings import USUAL, PricingSettings

UNSET: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rating_low": 10}, "Input should be less than 0"),
        ({"rating_high": -10}, "Input should be greater than 0"),
        ({"rating_gap": "15m"}, 'Value error, must be a length of time such as "PT15M" or "PT1H30M"'),
        ({"rating_gap": "P"}, 'Value error, must be a length of time such as "PT15M" or "PT1H30M"'),
        ({"rating_gap": "PT"}, 'Value error, must be a length of time such as "PT15M" or "PT1H30M"'),
        ({"best_length": "P2D"}, "Value error, must be between PT0S and P1D"),
        ({"level_limits": [-40, -10, 15]}, "Value error, must be 4 numbers in ascending order"),
        ({"level_limits": [-40, -10, 15, 15]}, "Value error, must be 4 numbers in ascending order"),
        ({"trend_limits": [0, 9]}, "Value error, must be greater than 0"),
        ({"volatility_limits": [50, 30, 15]}, "Value error, must be 3 numbers in ascending order"),
        ({"least_known": 101}, "Input should be less than or equal to 100"),
        ({"flexibility": 15}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PricingSettings.model_validate(settings)
    assert [error["msg"] for error in raised.value.errors()] == [message]


def test_what_a_variable_holds_is_text_and_read_all_the_same() -> None:
    given = {"rating_low": "-10", "trend_limits": ["3", "9"], "trend_ahead": "PT3H", "periods_wanted": "2"}
    assert PricingSettings.model_validate(given) == PricingSettings.model_validate(UNSET) == USUAL
