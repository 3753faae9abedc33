"""How prices are spoken of: in the minor unit where the trade does so. Values themselves stay in the major unit.

Minor units are those that energy suppliers print on their price lists; ISO 4217 gives all of them the factor of 100.
"""

MINOR_UNITS = {"EUR": "ct", "GBP": "p", "NOK": "øre", "DKK": "øre", "SEK": "öre", "CHF": "Rp."}
MINOR_FACTOR = 100


def unit(currency: str | None) -> str | None:
    """Return the unit of a price, such as `EUR/kWh`, or None where the currency is unknown."""
    return f"{currency}/kWh" if currency else None


def display(currency: str | None) -> tuple[str | None, int]:
    """Return the unit for display and the factor that leads to it: `("ct/kWh", 100)`."""
    minor = MINOR_UNITS.get(currency or "")
    return (f"{minor}/kWh", MINOR_FACTOR) if minor else (unit(currency), 1)
