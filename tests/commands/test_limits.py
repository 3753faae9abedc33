"""How often a client may ask: so many in any sixty seconds, each client for itself, and nothing waits."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.commands.limits import MOST_CLIENTS, Rate
from tests.commands.office import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def taken(rate: Rate, *seconds: float, client: str = "wallbox") -> list[float | None]:
    """Return the wait, in seconds, that each of these moments is told; None where it is let in."""
    waits = [rate.wait(client, NOW + second * SECOND) for second in seconds]
    return [None if wait is None else wait / SECOND for wait in waits]


def test_so_many_are_let_in_and_the_next_is_told_when_there_is_room() -> None:
    assert taken(Rate(3), 0, 1, 2, 3, 59.5) == [None, None, None, 57, 0.5]


def test_a_minute_after_the_first_there_is_room_for_one_more() -> None:
    assert taken(Rate(2), 0, 30, 59, 60, 61, 90, 91) == [None, None, 1, None, 29, None, 29]


def test_what_was_refused_does_not_count() -> None:
    assert taken(Rate(1), 0, *[30] * 100, 60) == [None, *[30.0] * 100, None]


def test_each_client_has_its_own() -> None:
    rate = Rate(1)
    assert [taken(rate, 0, 1, client=client) for client in ("wallbox", "button")] == [[None, 59], [None, 59]]


@pytest.mark.parametrize("back", [1, 59, 3600, 1e8])
def test_a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_minute(back: float) -> None:
    rate = Rate(2)
    assert taken(rate, 0, 0) == [None, None]
    assert all(wait is None or wait <= 60 for wait in taken(rate, -back, -back + 1, -back + 2))
    assert taken(rate, -back + 62) == [None]


def test_those_that_were_silent_for_longest_are_forgotten() -> None:
    rate = Rate(1)
    for number in range(MOST_CLIENTS + 10):
        rate.wait(f"client-{number}", NOW)
    assert len(rate._taken) == MOST_CLIENTS
    assert taken(rate, 1, client=f"client-{MOST_CLIENTS}") == [59]
    assert taken(rate, 1, client="client-0") == [None]


@given(st.integers(1, 5), st.lists(st.floats(0, 300), max_size=60).map(sorted))
def test_never_more_than_so_many_in_any_minute_and_the_wait_is_exact(most: int, seconds: Sequence[float]) -> None:
    rate = Rate(most)
    let_in: list[float] = []
    for second, wait in zip(seconds, taken(rate, *seconds), strict=True):
        recent = [moment for moment in let_in if NOW + second * SECOND - MINUTE < NOW + moment * SECOND]
        assert (wait is None) == (len(recent) < most)
        if wait is None:
            let_in.append(second)
        else:
            assert 0 < wait <= 60
            assert NOW + wait * SECOND + second * SECOND - NOW - recent[0] * SECOND == pytest.approx(MINUTE, abs=SECOND / 1e5)
