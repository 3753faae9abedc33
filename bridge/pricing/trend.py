"""Where the price is going: the mean of the next hours against the price now, and when that changes."""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from bridge.pricing.averages import DAY_S
from bridge.pricing.blocks import Block
from bridge.pricing.settings import PricingSettings
from bridge.pricing.sums import SECOND, Sums, Total, least_seconds

WORDS = ("strongly_falling", "falling", "stable", "rising", "strongly_rising")
STABLE = WORDS.index("stable")
CALM, LIVELY = Decimal("0.6"), Decimal("1.4")  # times the limits, where little or much is going on ahead

Limit = tuple[int, int, int, int]  # numerator and denominator of a limit, and of its floor


class Trends:
    """Judges the slots of one curve, in whole numbers throughout: no rounding decides."""

    def __init__(self, sums: Sums, settings: PricingSettings) -> None:
        self._sums = sums
        self._squares, self._sizes = sums.mapped(lambda price: price * price), sums.mapped(abs)
        self._ahead = settings.trend_ahead // SECOND
        self._least = least_seconds(self._ahead, settings.least_known)
        self._low, self._high = (((limit / 100) ** 2).as_integer_ratio() for limit in settings.volatility_limits[:2])
        both = list(zip(settings.trend_limits, settings.trend_floor, strict=True))
        self._calm, self._usual, self._lively = (
            [(*(factor * limit).as_integer_ratio(), *floor.as_integer_ratio()) for limit, floor in both]
            for factor in (CALM, Decimal(1), LIVELY)
        )

    def words(self) -> list[str | None]:
        """Return the trend of each slot, None where less than `least_known` of the hours ahead is known.

        With p the price, f the mean of the `trend_ahead` after the slot and m the mean |price| of the 24 h before and after,
        it rises where (f − p) / |p| reaches the limit times a factor and f − p also the floor's share of m. The floor is what
        keeps a price near zero from soaring by thousands of per cent; at p = 0 it decides alone. The factor goes by the
        coefficient of variation of the hours ahead.
        """
        sums = self._sums
        ahead = sums.marks(sums.ends), sums.marks(end + self._ahead for end in sums.ends)
        around = sums.marks(start - DAY_S for start in sums.starts), sums.marks(start + DAY_S for start in sums.starts)
        totals = sums.totals(*ahead), self._squares.totals(*ahead), self._sizes.totals(*around)
        return list(map(self._word, sums.prices, *totals))

    def _word(self, price: int, future: Total, squares: Total, usual: Total) -> str | None:
        if not future.is_known(self._least):
            return None
        move = future.sum - price * future.seconds  # times the seconds, as is all that it is compared with
        if not move:
            return WORDS[STABLE]
        size, against = abs(move), abs(price) * future.seconds
        often, most = size * usual.seconds, usual.sum * future.seconds
        steps = 0
        for limit, of, floor, part in self._limits(future, squares):
            steps += 100 * size * of >= limit * against and 100 * often * part >= floor * most
        return WORDS[STABLE + (steps if move > 0 else -steps)]

    def _limits(self, future: Total, squares: Total) -> Sequence[Limit]:
        """Return the limits that hold where the hours ahead have that much variation."""
        size = future.sum * future.sum
        spread = squares.sum * future.seconds - size  # (cv / 100)² = spread / size
        if spread * self._low[1] < self._low[0] * size:
            return self._calm
        return self._usual if spread * self._high[1] < self._high[0] * size else self._lively


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
