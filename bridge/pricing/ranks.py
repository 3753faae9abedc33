"""Where a price stands among others: its rank, and how much of the time is cheaper."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter

from bridge.models.price import Slot
from bridge.pricing.sums import SECOND


class Ranks:
    """The order of some slots by price. Building it is O(n log n), and a rank O(log n)."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        ordered = sorted(slots, key=attrgetter("value"))
        self._values = [slot.value for slot in ordered]
        self._passed = [0, *accumulate((slot.end - slot.start) // SECOND for slot in ordered)]

    def rank(self, value: Decimal) -> int:
        """Return 1 + how many of the slots are cheaper than `value`."""
        return 1 + bisect_left(self._values, value)

    def percentile(self, value: Decimal) -> Decimal:
        """Return how much of the slots' time is cheaper than `value`, in %; 0 is the cheapest. There must be a slot."""
        return Decimal(100 * self._passed[bisect_left(self._values, value)]) / self._passed[-1]

    def all(self, slots: Iterable[Slot]) -> list[int]:
        return [self.rank(slot.value) for slot in slots]
