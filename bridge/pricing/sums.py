"""Sums of prices over any span of time, each found by two look-ups, however long the span.

Prices are whole numbers here, multiples of the finest decimal among them, and time is whole seconds: sums are exact, and so
the same curve in another unit of money is judged alike to the last digit.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from bridge.models.price import Slot

SECOND = timedelta(seconds=1)
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # that the seconds of no slots are counted from


class Total(NamedTuple):
    """Σ(price · seconds) of what is known of a span, and the known seconds."""

    sum: int
    seconds: int

    def is_known(self, span_s: int, least: Decimal) -> bool:
        """Tell whether anything, and `least` % or more, of a span of that length is known."""
        return 0 < self.seconds >= least * span_s / 100


class Sums:
    """The running sums of a curve. Building them is O(n), and a span O(log n)."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.origin = slots[0].start if slots else SOME_TIME
        self.places = max((_places(slot.value) for slot in slots), default=0)
        self.prices = tuple(int(slot.value.scaleb(self.places)) for slot in slots)
        self.starts = tuple((slot.start - self.origin) // SECOND for slot in slots)
        self.ends = tuple((slot.end - self.origin) // SECOND for slot in slots)
        self._known = (0, *accumulate(end - start for start, end in zip(self.starts, self.ends, strict=True)))
        self._sums = self._running(lambda price: price)

    def _running(self, of: Callable[[int], int]) -> tuple[int, ...]:
        lengths = zip(self.prices, self.starts, self.ends, strict=True)
        return (0, *accumulate(of(price) * (end - start) for price, start, end in lengths))

    def total(self, start: int, end: int) -> Total:
        """Return the total of [start, end), in seconds since `origin`; what is unknown of it is left out."""
        (last, until), (first, since) = self._upto(end), self._upto(start)
        return Total(last - first, until - since)

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
        other._sums = self._running(of)  # noqa: SLF001 - it is one of us
        return other

    def _upto(self, second: int) -> tuple[int, int]:
        """Return Σ(price · seconds), and the known seconds, before `second`."""
        index = bisect_right(self.starts, second) - 1
        if index < 0:
            return 0, 0
        if second >= self.ends[index]:
            return self._sums[index + 1], self._known[index + 1]
        begun = second - self.starts[index]
        share = (self._sums[index + 1] - self._sums[index]) // (self.ends[index] - self.starts[index])
        return self._sums[index] + share * begun, self._known[index] + begun


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
