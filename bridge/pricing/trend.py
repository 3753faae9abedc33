"""Where the price is going: the mean of the next hours against the price now, and when that changes."""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from bridge.pricing.averages import DAY_S
from bridge.pricing.blocks import Block
from bridge.pricing.settings import PricingSettings
from bridge.pricing.sums import SECOND, Sums

WORDS = ("strongly_falling", "falling", "stable", "rising", "strongly_rising")
STABLE = WORDS.index("stable")
CALM, LIVELY = Decimal("0.6"), Decimal("1.4")  # times the thresholds, where little or much is going on ahead


class Trends:
    """Judges the slots of one curve."""

    def __init__(self, sums: Sums, settings: PricingSettings) -> None:
        self._sums, self._settings = sums, settings
        self._squares, self._sizes = sums.mapped(lambda price: price * price), sums.mapped(abs)
        self._ahead = settings.trend_ahead // SECOND
        self._calm, self._lively = ((limit / 100) ** 2 for limit in settings.volatility_limits[:2])

    def words(self) -> list[str | None]:
        return [self._word(index) for index in range(len(self._sums.prices))]

    def _word(self, index: int) -> str | None:
        """Return the trend of a slot, None where less than `least_known` of the hours ahead is known.

        With p the price, f the mean of the `trend_ahead` after the slot and m the mean |price| of the 24 h before and after,
        it rises where (f − p) / |p| reaches the limit times a factor and f − p also the floor's share of m. The floor is what
        keeps a price near zero from soaring by thousands of per cent; at p = 0 it decides alone.
        """
        sums, settings, price = self._sums, self._settings, self._sums.prices[index]
        start, end = sums.starts[index], sums.ends[index]
        future = sums.total(end, end + self._ahead)
        if not future.is_known(self._ahead, settings.least_known):
            return None
        move = future.sum - price * future.seconds  # times the seconds, as is all that it is compared with
        around = self._sizes.total(start - DAY_S, start + DAY_S)
        size = Decimal(abs(move) * around.seconds) / (around.sum * future.seconds) if around.sum else Decimal()
        share = Decimal(abs(move)) / (abs(price) * future.seconds) if price else Decimal("Infinity")
        factor = self._factor(end, future.sum, future.seconds)
        limits = zip(settings.trend_limits, settings.trend_floor, strict=True)
        steps = sum(100 * share >= limit * factor and 100 * size >= floor for limit, floor in limits)
        return WORDS[STABLE + (steps if move > 0 else -steps)]

    def _factor(self, start: int, total: int, seconds: int) -> Decimal:
        """Return what the limits are multiplied with, by the coefficient of variation of the hours ahead."""
        squares = self._squares.total(start, start + self._ahead).sum
        spread, size = squares * seconds - total * total, total * total  # (cv / 100)² = spread / size
        if spread < self._calm * size:
            return CALM
        return Decimal(1) if spread < self._lively * size else LIVELY


def direction(word: str | None) -> str | None:
    """Return rising, falling or stable."""
    return word.removeprefix("strongly_") if word else None


def change(row: Sequence[Block], index: int, sums: Sums, holds_s: int) -> int | None:
    """Return the start of the next slot after `index` from which another direction holds for `holds_s`.

    `row` are the blocks of directions. None where the next 24 h have none, or where the unknown comes before it.
    """
    own = bisect_right(row, index, key=lambda block: block.first) - 1
    for before, block in pairwise(row[own:]):
        start = sums.starts[block.first]
        if None in (before.word, block.word) or start != sums.ends[before.end - 1] or start - sums.starts[index] > DAY_S:
            return None
        if block.word != row[own].word and block.seconds >= holds_s:
            return start
    return None
