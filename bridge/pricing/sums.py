"""Sums of prices over any span of time, each found by two look-ups, however long the span.

Prices are whole numbers here, multiples of the finest decimal among them, and time is whole seconds: sums are exact, and so
the same curve in another unit of money is judged alike to the last digit.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from itertools import accumulate
from math import ceil
from operator import mul, sub
from typing import NamedTuple

from bridge.models.price import Slot

SECOND = timedelta(seconds=1)
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # that the seconds of no slots are counted from


WIDE = Context(prec=100)  # digits; a price has less than half as many

Mark = tuple[int, int]  # a slot by its index, and seconds into it


class Total(NamedTuple):
    """Σ(price · seconds) of what is known of a span, and the known seconds."""

    sum: int
    seconds: int

    def is_known(self, least_s: int) -> bool:
        """Tell whether anything, and `least_s` or more, is known."""
        return 0 < self.seconds >= least_s


def least_seconds(span_s: int, percent: Decimal) -> int:
    """Return how much of a span must be known where `percent` of it must be."""
    return ceil(span_s * percent / 100)


class Sums:
    """The running sums of a curve. Building them is O(n), and a span O(log n). Seconds are in arrays, which are small."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.origin = slots[0].start if slots else SOME_TIME
        self.places = _places(slots)
        self.prices = tuple(int(slot.value.scaleb(self.places)) for slot in slots)
        self.starts = array("q", ((slot.start - self.origin) // SECOND for slot in slots))
        self.ends = array("q", ((slot.end - self.origin) // SECOND for slot in slots))
        self.lengths: array[int] = array("q", map(sub, self.ends, self.starts))
        self._known = array("q", (0, *accumulate(self.lengths)))
        self._values, self._sums = self.prices, self._running(self.prices)

    def _running(self, values: Iterable[int]) -> tuple[int, ...]:
        return (0, *accumulate(map(mul, values, self.lengths)))

    def total(self, start: int, end: int) -> Total:
        """Return the total of [start, end), in seconds since `origin`; what is unknown of it is left out."""
        return self.between(self.mark(start), self.mark(end))

    def mark(self, second: int) -> Mark:
        """Return where a second lies; sums that are `mapped` from these have the same marks."""
        index = bisect_right(self.starts, second) - 1
        return (index, min(second - self.starts[index], self.lengths[index])) if index >= 0 else (0, 0)

    def marks(self, seconds: Iterable[int]) -> list[Mark]:
        """Return where each of `seconds` lies, which must be in order: all of them in one pass."""
        starts, lengths, index = self.starts.tolist(), self.lengths.tolist(), -1
        last, found = len(starts) - 1, list[Mark]()
        for second in seconds:
            while index < last and starts[index + 1] <= second:
                index += 1
            if index < 0:
                found.append((0, 0))
                continue
            into, length = second - starts[index], lengths[index]
            found.append((index, into if into < length else length))  # noqa: FURB136 - a call costs more: there are thousands
        return found

    def totals(self, starts: Iterable[Mark], ends: Iterable[Mark]) -> Iterator[Total]:
        """Yield `between` of each pair of marks."""
        sums, values, known = self._sums, self._values, self._known.tolist()
        for (i, since), (j, until) in zip(starts, ends, strict=True):
            yield Total(sums[j] + values[j] * until - sums[i] - values[i] * since, known[j] + until - known[i] - since)

    def between(self, start: Mark, end: Mark) -> Total:
        """Return the total between two marks."""
        if not self._values:
            return Total(0, 0)
        (first, since), (last, until) = start, end
        known = self._known[last] + until - self._known[first] - since
        return Total(self._sums[last] + self._values[last] * until - self._sums[first] - self._values[first] * since, known)

    def mean(self, start: int, end: int) -> Decimal | None:
        """Return the mean price of what is known of [start, end), None where nothing is."""
        total = self.total(start, end)
        return self.money(total) if total.seconds else None

    def money(self, total: Total) -> Decimal:
        """Return the mean of a total that is not empty, in the unit of the curve."""
        return Decimal(total.sum).scaleb(-self.places) / total.seconds

    def second(self, moment: datetime) -> int:
        return (moment - self.origin) // SECOND

    def moment(self, second: int) -> datetime:
        return self.origin + second * SECOND

    def mapped(self, of: Callable[[int], int]) -> "Sums":
        """Return the sums of what `of` makes of each price, such as its square; what they say of money is void."""
        other = copy(self)
        other._values = tuple(map(of, self.prices))  # noqa: SLF001 - it is one of us, here and below
        other._sums = self._running(other._values)  # noqa: SLF001
        return other


def _places(slots: Iterable[Slot]) -> int:
    """Return how many decimals the finest price has: as many as their sum, which is exact."""
    exponent = reduce(WIDE.add, (slot.value for slot in slots), Decimal()).as_tuple().exponent
    assert isinstance(exponent, int)  # no price is infinite
    return max(0, -exponent)
