"""Low, normal or high against the 24 hours before; and five levels in the same way, where a provider has none of its own.

A rating is sticky: a price that hovers about a threshold does not switch a device to and fro.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from bridge.pricing.settings import PricingSettings

LOW, NORMAL, HIGH = "low", "normal", "high"
LEVELS = ("very_cheap", "cheap", "normal", "expensive", "very_expensive")


def ratings(differences: Iterable[Decimal | None], settings: PricingSettings) -> list[str | None]:
    """Return the rating of each slot by its difference d in %, in order of time; None where d is unknown.

    d ≤ `rating_low` is low, d ≥ `rating_high` high. What is low stays so until d > low + hysteresis, what is high until
    d < high − hysteresis. After an unknown one nothing is remembered.
    """
    found: list[str | None] = []
    for off in differences:
        before = found[-1] if found else None
        found.append(None if off is None else _rating(off, before, settings))
    return found


def _rating(off: Decimal, before: str | None, settings: PricingSettings) -> str:
    stays_low = before == LOW and off <= settings.rating_low + settings.rating_hysteresis
    stays_high = before == HIGH and off >= settings.rating_high - settings.rating_hysteresis
    if off <= settings.rating_low or (stays_low and off < settings.rating_high):
        return LOW
    return HIGH if off >= settings.rating_high or stays_high else NORMAL


def level(off: Decimal | None, limits: Sequence[Decimal]) -> str | None:
    """Return the level of a slot by its difference in %: up to the first limit very cheap, up to the second cheap,
    from the third on expensive, from the fourth on very expensive; None where it is unknown.

    The limits that Tibber documents for its own, -40, -10, 15 and 40, are the usual ones.
    """
    if off is None:
        return None
    return LEVELS[sum(off > limit for limit in limits[:2]) + sum(off >= limit for limit in limits[2:])]


def limits(mean: Decimal, shares: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """Return the prices that are `shares` % off `mean`: mean + |mean| · share / 100."""
    return tuple(mean + abs(mean) * share / 100 for share in shares)
