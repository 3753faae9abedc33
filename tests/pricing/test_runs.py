"""The table over steps, against every way there is to take them."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.pricing.runs import cheapest_runs

X = None


def joined(steps: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for step in steps:
        if runs and runs[-1][1] == step:
            runs[-1] = runs[-1][0], step + 1
        else:
            runs.append((step, step + 1))
    return runs


def every_way(costs: Sequence[int | None], count: int, least: int) -> Iterator[tuple[int, ...]]:
    taken = combinations([index for index, cost in enumerate(costs) if cost is not None], count)
    return (steps for steps in taken if all(end - start >= least for start, end in joined(steps)))


def by_force(costs: Sequence[int | None], count: int, least: int) -> list[tuple[int, int]]:
    """Return the best of all ways: the cheapest, of equals those of the fewest runs, and of these the one that is done first."""

    def rank(steps: Sequence[int]) -> tuple[int, int, Sequence[int]]:
        return sum(costs[step] or 0 for step in steps), len(joined(steps)), steps[::-1]

    return joined(min(every_way(costs, count, least), key=rank, default=()))


@pytest.mark.parametrize(
    ("costs", "count", "least", "runs"),
    [
        ([3, 1, 2, 1], 1, 1, [(1, 2)]),
        ([3, 1, 2, 1], 2, 1, [(1, 2), (3, 4)]),
        ([3, 1, 2, 1], 2, 2, [(1, 3)]),
        ([1, 9, 9, 1, 1], 3, 2, [(2, 5)]),
        ([1, 1, 9, 1, 1], 4, 2, [(0, 2), (3, 5)]),
        ([1, 1, X, 1, 1], 4, 2, [(0, 2), (3, 5)]),
        ([1, 1, X, 1, 1], 4, 3, []),
        ([-1, 5, -1, 5, -1], 3, 1, [(0, 1), (2, 3), (4, 5)]),
        ([5, 5, 5, 5, 5], 3, 2, [(0, 3)]),
        ([1, 2, 9, 1, 2, 1], 4, 1, [(0, 1), (3, 6)]),
        ([2, 1, 3, 2, 1], 3, 1, [(0, 2), (4, 5)]),
        ([2, 1, 9, 1, 2, 1], 4, 1, [(1, 2), (3, 6)]),
        ([X, X], 1, 1, []),
        ([], 1, 1, []),
    ],
)
def test_the_steps_that_cost_the_least_are_taken_in_runs_that_are_long_enough(
    costs: list[int | None], count: int, least: int, runs: list[tuple[int, int]]
) -> None:
    assert cheapest_runs(costs, count, least) == runs == by_force(costs, count, least)


some_costs = st.lists(st.none() | st.integers(-4, 4), min_size=1, max_size=13)


@given(some_costs, st.integers(1, 8), st.integers(1, 5))
def test_no_other_way_is_better(costs: list[int | None], count: int, least: int) -> None:
    assert cheapest_runs(costs, count, min(count, least)) == by_force(costs, count, min(count, least))
