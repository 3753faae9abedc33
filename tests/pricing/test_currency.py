"""How prices are spoken of: in the minor unit where the trade does so, in the major one elsewhere."""

import pytest

from bridge.pricing.currency import display, unit


@pytest.mark.parametrize(
    ("currency", "price_unit", "shown"),
    [
        ("EUR", "EUR/kWh", ("ct/kWh", 100)),
        ("GBP", "GBP/kWh", ("p/kWh", 100)),
        ("NOK", "NOK/kWh", ("øre/kWh", 100)),
        ("DKK", "DKK/kWh", ("øre/kWh", 100)),
        ("SEK", "SEK/kWh", ("öre/kWh", 100)),
        ("CHF", "CHF/kWh", ("Rp./kWh", 100)),
        ("PLN", "PLN/kWh", ("PLN/kWh", 1)),
        (None, None, (None, 1)),
    ],
)
def test_a_currency_has_its_unit_and_its_way_of_being_shown(
    currency: str | None, price_unit: str | None, shown: tuple[str | None, int]
) -> None:
    assert (unit(currency), display(currency)) == (price_unit, shown)
