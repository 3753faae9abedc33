"""Made-up spot prices: the same for ever for the same quarter-hour and key.

At least one UTC day in any three has totals below zero around noon, and no two quarters of a UTC day cost the same.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

QUARTERS = 96  # of a UTC day
PLACES = Decimal("0.0001")

# All of the following are in ten-thousandths of a euro per kWh.
BASE, MORNING, EVENING, NOON = 900, 700, 900, -1600
SWING = 200  # of a whole day, either way
NOISE = 60  # of a quarter, either way
FIXED = 150  # tax that does not depend on the energy price

TENTHS = {"EUR": 10, "SEK": 110, "NOK": 115}  # of a currency unit to the euro; any other currency counts as euro
VAT_DIVISOR = 4  # 25 %, on positive energy prices only
SUNNY = 100  # of 256: how often a day beyond the promised one is sunny


@dataclass(frozen=True, slots=True)
class Price:
    """A price in the currency's major unit per kWh, four places; total = energy + tax."""

    energy: Decimal
    tax: Decimal
    total: Decimal


def price(start: datetime, key: str, currency: str = "EUR") -> Price:
    """Return the price of the quarter-hour that starts at `start`, which must be UTC."""
    energy = _scaled(_energies(start.toordinal(), key)[_index(start)], currency)
    tax = _tax(energy, currency)
    return Price(_units(energy), _units(tax), _units(energy + tax))


def mean(prices: Sequence[Price]) -> Price:
    """Return the mean; energy and total are rounded to four places and tax is what lies between them."""
    energy = (sum((price.energy for price in prices), Decimal()) / len(prices)).quantize(PLACES, ROUND_HALF_EVEN)
    total = (sum((price.total for price in prices), Decimal()) / len(prices)).quantize(PLACES, ROUND_HALF_EVEN)
    return Price(energy, total - energy, total)


def trailing_mean(start: datetime, key: str, currency: str, days: int) -> Decimal:
    """Return the mean total of the `days` times 24 h before `start` (UTC, on a quarter-hour)."""
    ordinal, index = start.toordinal(), _index(start)
    oldest = _sums(ordinal - days, key, currency)
    total = oldest[-1] - oldest[index] + _sums(ordinal, key, currency)[index]
    total += sum(_sums(ordinal - age, key, currency)[-1] for age in range(1, days))
    return _units(total) / (days * QUARTERS)


def is_sunny(ordinal: int, key: str) -> bool:
    """Tell whether the sun presses the price below zero on the UTC day with that ordinal; one day in three it must."""
    return (ordinal + _hash(key, 1)[0]) % 3 == 0 or _hash(f"{key}|{ordinal}|sun", 1)[0] < SUNNY


@lru_cache(maxsize=8192)
def _energies(ordinal: int, key: str) -> tuple[int, ...]:
    """The energy prices of a UTC day in ten-thousandths of a euro, each only once."""
    noise = _hash(f"{key}|{ordinal}", 2 * QUARTERS + 1)
    day = round(SWING * (noise[-1] / 127.5 - 1))
    noon = NOON if is_sunny(ordinal, key) else NOON // 4
    energies: dict[int, None] = {}
    for index in range(QUARTERS):
        deviation = int.from_bytes(noise[2 * index : 2 * index + 2], "big") / 32767.5 - 1
        energy = BASE + day + round(_shape(index, noon) + NOISE * deviation)
        while energy in energies:
            energy += 1
        energies[energy] = None
    return tuple(energies)


def _shape(index: int, noon: int) -> float:
    hour = (index / 4 + 1) % 24  # UTC+1: the peaks stay where they are in summer
    return MORNING * _bell(hour, 8, 1.5) + EVENING * _bell(hour, 19, 2) + noon * _bell(hour, 13, 2)


def _bell(hour: float, peak: float, width: float) -> float:
    return math.exp(-(((hour - peak) / width) ** 2) / 2)


@lru_cache(maxsize=8192)
def _sums(ordinal: int, key: str, currency: str) -> tuple[int, ...]:
    """The running sum of totals before each quarter of a UTC day and, last, of all; in ten-thousandths."""
    sums = [0]
    for energy in (_scaled(energy, currency) for energy in _energies(ordinal, key)):
        sums.append(sums[-1] + energy + _tax(energy, currency))
    return tuple(sums)


def _scaled(euros: int, currency: str) -> int:
    return euros * TENTHS.get(currency, 10) // 10


def _tax(energy: int, currency: str) -> int:
    return _scaled(FIXED, currency) + max(energy, 0) // VAT_DIVISOR


def _units(ten_thousandths: int) -> Decimal:
    return Decimal(ten_thousandths).scaleb(-4)


def _index(start: datetime) -> int:
    return start.hour * 4 + start.minute // 15


def _hash(text: str, length: int) -> bytes:
    return hashlib.shake_128(text.encode()).digest(length)
