"""The shape of a day: its pattern in one word, and its phases of rising, falling and flat prices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from bridge.models.price import HOUR
from bridge.pricing.blocks import blocks
from bridge.pricing.settings import PricingSettings
from bridge.pricing.sums import SECOND, Sums

RISING, FALLING, FLAT = "rising", "falling", "flat"
HOUR_S = HOUR // SECOND
TWICE = 2


class Phase(NamedTuple):
    """A span in which the price rises, falls or is flat."""

    start: datetime
    end: datetime
    word: str


@dataclass(frozen=True)
class Shape:
    """`word` is valley, peak, double_dip, duck_curve, rising, falling, flat or mixed; the phases fill the day."""

    word: str
    phases: tuple[Phase, ...]

    def phase(self, moment: datetime) -> str | None:
        return next((phase.word for phase in self.phases if phase.start <= moment < phase.end), None)


def shape(sums: Sums, cv: Decimal | None, settings: PricingSettings) -> Shape:
    """Return the shape of the slots of `sums`, which must be one at least, and touch each other; `cv` is their variation.

    Each price counts as the mean of the hour around the middle of its slot. A turn is an extreme that is parted from the next
    by `pattern_prominence` % of the day's spread or more. Two maxima make a duck curve, else two minima a double dip; of one
    of each, the one that is further from the day's mean gives the name; without any the day rises or falls. It is flat where
    its coefficient of variation is at most `flat_day`.
    """
    row = _smooth(sums)
    spread = max(row) - min(row)
    turns = list(_turns(row, settings.pattern_prominence * spread / 100)) if spread else []
    flat = not spread or (cv is not None and cv <= settings.flat_day)
    return Shape(FLAT if flat else _word(row, turns), tuple(_phases(sums, row, turns, settings.phase_flat * spread / 100)))


def _smooth(sums: Sums) -> list[Decimal]:
    """Return the mean of the hour around the middle of each slot, of what is known of it."""
    begins = [(start + end - HOUR_S) // 2 for start, end in zip(sums.starts, sums.ends, strict=True)]
    first = sums.marks(map(min, begins, sums.starts))
    last = sums.marks(max(begin + HOUR_S, end) for begin, end in zip(begins, sums.ends, strict=True))
    return [Decimal(around.sum) / around.seconds for around in sums.totals(first, last)]


def _turns(row: Sequence[Decimal], least: Decimal) -> Iterator[tuple[int, int]]:
    """Yield the index of each turn, and 1 for a maximum, -1 for a minimum."""
    low = high = way = 0
    for index, price in enumerate(row):
        high = index if price > row[high] else high
        low = index if price < row[low] else low
        if way >= 0 and row[high] - price >= least:
            if way:
                yield high, 1
            way, low = -1, index
        elif way <= 0 and price - row[low] >= least:
            if way:
                yield low, -1
            way, high = 1, index


def _word(row: Sequence[Decimal], turns: Sequence[tuple[int, int]]) -> str:
    peaks, valleys = (sum(kind == wanted for _, kind in turns) for wanted in (1, -1))
    if not turns:
        return RISING if row[-1] > row[0] else FALLING
    if max(peaks, valleys) == 1:
        mean = sum(row, Decimal()) / len(row)
        return "peak" if max(turns, key=lambda turn: abs(row[turn[0]] - mean))[1] == 1 else "valley"
    if peaks == TWICE:
        return "duck_curve"
    return "double_dip" if valleys == TWICE and peaks == 1 else "mixed"


def _phases(sums: Sums, row: Sequence[Decimal], turns: Sequence[tuple[int, int]], flat: Decimal) -> Iterator[Phase]:
    """Yield what lies between the turns. Its ends are flat where they move less than `flat` for an hour or longer."""
    words, ways = [FLAT] * len(row), [FLAT] * len(row)
    marks = [0, *(index for index, _ in turns), len(row) - 1]
    for first, last in pairwise(marks):
        way, sign = (RISING, 1) if row[last] > row[first] else (FALLING, -1)
        for index in range(first, last + 1):
            ways[index] = way
            moves = sign * (row[index] - row[first]) > flat and sign * (row[last] - row[index]) > flat
            words[index] = way if moves else FLAT
    for block in blocks(words, sums.starts, sums.ends):
        if block.word == FLAT and block.seconds < HOUR_S:
            words[block.first : block.end] = ways[block.first : block.end]
    for block in blocks(words, sums.starts, sums.ends):
        yield Phase(sums.moment(sums.starts[block.first]), sums.moment(sums.ends[block.end - 1]), str(block.word))
