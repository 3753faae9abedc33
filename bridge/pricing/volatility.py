"""How much the prices of a span differ: coefficient of variation, quartiles, and spikes. All is weighted by time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import mul

from bridge.models.price import Slot
from bridge.pricing.figures import quantiles
from bridge.pricing.sums import Sums

WORDS = ("low", "moderate", "high", "very_high")
FENCE = Decimal("1.5")  # Tukey's: so many interquartile ranges beyond the quartiles lies a spike
FEWEST = 4  # slots in which a spike can be told
QUARTERS = Decimal("0.25"), Decimal("0.5"), Decimal("0.75")


@dataclass(frozen=True)
class Volatility:
    """`cv` in %, None of a single slot or where the mean is 0; `spread` is (q75 − q25) / |median| in %, None where that is 0."""

    cv: Decimal | None
    word: str | None
    q25: Decimal
    median: Decimal
    q75: Decimal
    spread: Decimal | None
    spikes: int  # slots


def volatility(slots: Sequence[Slot], cv: Decimal | None, limits: Sequence[Decimal]) -> Volatility | None:
    """Return how volatile `slots` are, None where there are none; `cv` is their `variation`.

    `limits` part the four words, in % of cv.
    """
    if not slots:
        return None
    q25, median, q75 = quantiles(slots, QUARTERS)
    return Volatility(
        cv=cv,
        word=None if cv is None else WORDS[sum(cv >= limit for limit in limits)],
        q25=q25,
        median=median,
        q75=q75,
        spread=(q75 - q25) / abs(median) * 100 if median else None,
        spikes=_spikes(slots, q25, q75),
    )


def variation(sums: Sums) -> Decimal | None:
    """Return the coefficient of variation s / |mean| · 100, in %, None of a single slot or where the mean is 0.

    s is the standard deviation of a sample in which each slot counts by its length w: s² = Σ w·(x − mean)² / (Σ w − Σ w² / Σ w),
    which is the usual n − 1 where all are equally long.
    """
    weights, prices = sums.lengths, sums.prices
    whole, weighted = sum(weights), list(map(mul, weights, prices))
    total, freedom = sum(weighted), whole * whole - sum(map(mul, weights, weights))
    if not freedom or not total:
        return None
    squares = sum(map(mul, weighted, prices))
    ratio: Decimal = Decimal((squares * whole - total * total) * whole * whole) / (freedom * total * total)  # (s / mean)²
    return Decimal(100) * ratio.sqrt()


def _spikes(slots: Sequence[Slot], q25: Decimal, q75: Decimal) -> int:
    if len(slots) < FEWEST:
        return 0
    least, most = q25 - FENCE * (q75 - q25), q75 + FENCE * (q75 - q25)
    return sum(not least <= slot.value <= most for slot in slots)
