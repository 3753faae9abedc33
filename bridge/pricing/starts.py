"""When to begin, from any moment on, so that a span of a given length is cheapest: looked for once, then looked up."""

from array import array
from bisect import bisect_left

from bridge.pricing.sums import Sums


class Starts:
    """The best start from each moment on, for one length in seconds. Building it is O(n log n), and a look-up O(log n)."""

    def __init__(self, sums: Sums, length: int) -> None:
        # the price is constant inside a slot, so that the best span begins or ends where a slot does
        starts = sorted({*sums.starts, *(end - length for end in sums.ends)})
        totals = sums.totals(sums.marks(starts), sums.marks(start + length for start in starts))
        whole = [(start, total.sum) for start, total in zip(starts, totals, strict=True) if total.seconds == length]
        best, least = list[int](), None
        for start, total in reversed(whole):
            if least is None or total <= least:
                least, choice = total, start
            else:
                choice = best[-1]
            best.append(choice)
        self._starts, self._best = array("q", (start for start, _ in whole)), array("q", reversed(best))

    def since(self, second: int) -> int | None:
        """Return the best start at `second` or later, the earliest of equals; None where no such span is wholly known."""
        index = bisect_left(self._starts, second)
        return self._best[index] if index < len(self._best) else None
