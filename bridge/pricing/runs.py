"""Which steps of an even grid to take at the least cost, in runs of a least length: a table over steps and how many are taken.

Of equals it is the one with the fewest runs, and of these the one that is done first. It takes O(steps · taken) time.
"""

from collections.abc import Sequence

NEVER = float("inf")  # the cost of what cannot be

Row = list[int | float]  # by how many steps have been taken


def cheapest_runs(costs: Sequence[int | None], count: int, least: int) -> list[tuple[int, int]]:
    """Return `count` steps as half-open runs of `least` or more, in order, or nothing where there are no such runs.

    `costs` are of each step, None where it cannot be taken; `least` is 1 at the least. Let S(i, k) be the least cost of k steps
    among the first i, R(i, k) the same where step i is taken, and C(i) the cost of the `least` steps up to i. Then
    R(i, k) = min(R(i-1, k-1) + cost(i), S(i-least-1, k-least) + C(i)) and S(i, k) = min(S(i-1, k), R(i, k)).
    A run that begins costs a little more than its steps: less than any difference, so that it tells between equals alone.
    """
    more = len(costs) + 1  # than there can be runs, each of which costs 1 more
    table = _Table([None if cost is None else cost * more for cost in costs], least)
    table.fill(count)
    return table.read(count)


class _Table:
    """S and R for one grid."""

    def __init__(self, costs: Sequence[int | None], least: int) -> None:
        self._costs, self._least = costs, least
        self._sums = [0]  # of the costs so far; those that cannot be taken count nothing
        self._reach = [0]  # how many steps before here can be taken in a row
        for cost in costs:
            self._sums.append(self._sums[-1] + (cost or 0))
            self._reach.append(0 if cost is None else self._reach[-1] + 1)
        self._best: list[Row] = []  # S
        self._running: list[Row] = []  # R

    def fill(self, count: int) -> None:
        never: Row = [NEVER] * (count + 1)
        self._best.append([0, *never[1:]])
        self._running.append(never)
        for index, cost in enumerate(self._costs, start=1):
            if cost is None:
                self._running.append(never)
                self._best.append(self._best[-1])
                continue
            row: Row = [NEVER, *[taken + cost for taken in self._running[-1][:-1]]]
            if self._reach[index] >= self._least:
                begun = self._begun(index)
                others = zip(row[self._least :], self._before(index), strict=False)
                row[self._least :] = [min(taken, before + begun) for taken, before in others]
            self._running.append(row)
            self._best.append(list(map(min, self._best[-1], row)))

    def read(self, count: int) -> list[tuple[int, int]]:
        """Return the runs of the optimum, found from the end: a step is not taken where that costs no more."""
        index, runs = len(self._costs), list[tuple[int, int]]()
        if self._best[index][count] == NEVER:
            return []
        while count:
            while self._best[index - 1][count] == self._best[index][count]:
                index -= 1
            end = index
            while not self._begins(index, count):
                index, count = index - 1, count - 1
            index, count = index - self._least, count - self._least
            runs.append((index, end))
            index = max(index - 1, 0)  # between two runs lies a step
        return runs[::-1]

    def _begins(self, index: int, count: int) -> bool:
        """Tell whether a run that takes the step before `index` may have begun `least` steps ago."""
        if count < self._least or self._reach[index] < self._least:
            return False
        return self._before(index)[count - self._least] + self._begun(index) == self._running[index][count]

    def _begun(self, index: int) -> int:
        return self._sums[index] - self._sums[index - self._least] + 1

    def _before(self, index: int) -> Row:
        return self._best[max(index - self._least - 1, 0)]
