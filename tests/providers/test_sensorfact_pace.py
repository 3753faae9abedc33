"""How fast a Sensorfact account is asked: as `RateLimit-*` tells, with room for the polls, and with small gaps in a long row."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from bridge.errors import BudgetSpent
from bridge.providers.sensorfact.pace import BURST, GAP, LONGEST_GAP, Pace
from bridge.state.budget import KEPT_BACK
from tests.providers.factory import LINE, Factory
from tests.support import Impatient, Uncounted, utc

NOON = utc("2026-06-10T12:00")
SECOND = timedelta(seconds=1)


def told(
    remaining: int | str, reset: int | str | None = 100, limit: int | None = 200, policy: str | None = None
) -> dict[str, str]:
    given = {"remaining": remaining, "reset": reset, "limit": limit, "policy": policy}
    return {f"ratelimit-{name}": str(value) for name, value in given.items() if value is not None}


@contextmanager
def command() -> Iterator[None]:
    """Ask as a command does, which leaves a quarter alone."""
    token = KEPT_BACK.set(0.25)
    yield
    KEPT_BACK.reset(token)


async def waited(pace: Pace, clock: Impatient, times: int = 1) -> list[timedelta]:
    """Return how long each of so many requests in a row had to wait."""
    found: list[timedelta] = []
    for _ in range(times):
        before: datetime = clock.now()
        await pace.turn()
        found.append(clock.now() - before)
    return found


async def test_the_first_few_go_at_once_and_a_long_row_goes_with_gaps() -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    assert await waited(pace, clock, BURST) == [timedelta()] * BURST
    assert await waited(pace, clock, 20) == [GAP] * 20
    clock.set(clock.now() + timedelta(minutes=1))
    assert await waited(pace, clock, BURST) == [timedelta()] * BURST


async def test_where_little_is_left_it_is_spread_over_the_rest_of_the_window() -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    pace.note(told(51), NOON)
    assert await waited(pace, clock) == [timedelta()]
    pace.note(told(50), clock.now())
    assert await waited(pace, clock) == [2 * SECOND]
    pace.note(told(1), clock.now())
    assert await waited(pace, clock) == [LONGEST_GAP]


async def test_what_goes_out_before_the_next_answer_is_counted() -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    pace.note(told(2, reset=1, limit=4), NOON)
    await waited(pace, clock, 2)
    pace.note(told(2, reset=50, limit=4), clock.now())
    await pace.turn()
    await pace.turn()
    with pytest.raises(BudgetSpent, match="the provider allows 0 more requests in the next"):
        await pace.turn()


async def test_nothing_goes_out_where_nothing_is_left_until_the_window_ends() -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    pace.note(told(0), NOON)
    with pytest.raises(BudgetSpent, match="the provider allows 0 more requests in the next 100 s") as caught:
        await pace.turn()
    assert caught.value.retry_after == 100 * SECOND
    clock.set(NOON + 100 * SECOND)
    assert await waited(pace, clock) == [timedelta()]


async def test_commands_leave_the_last_quarter_to_the_polls() -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    pace.note(told(51), NOON)
    with command():
        await pace.turn()
        pace.note(told(50), NOON)
        with pytest.raises(BudgetSpent, match="the provider allows 50 more requests in the next 100 s, which are the polls'"):
            await pace.turn()
    await pace.turn()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (told(0, reset=None, limit=None, policy="200;w=300"), 300),
        (told(0, reset=7, limit=None, policy="200;w=300"), 7),
        (told("0, 5", reset="7;x=1"), 7),
        (told(0, reset=10**8), 7 * 24 * 3600),
        (told(0, reset=None, limit=None), None),
        (told(0, reset="soon"), None),
        (told("none"), None),
        (told(-1), None),
        ({}, None),
    ],
)
async def test_the_headers_are_read_as_far_as_they_can_be(headers: dict[str, str], wait: int | None) -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    pace.note(headers, NOON)
    if wait is None:
        await pace.turn()
        return
    with pytest.raises(BudgetSpent) as caught:
        await pace.turn()
    assert caught.value.retry_after == wait * SECOND


async def test_a_clock_that_is_set_back_makes_nobody_wait_long() -> None:
    clock = Impatient(NOON)
    pace = Pace(clock)
    await waited(pace, clock, BURST)
    clock.set(NOON - timedelta(days=1))
    assert await waited(pace, clock) == [timedelta()]


async def test_a_busy_hour_never_runs_into_the_providers_limit() -> None:
    lines = tuple({**LINE, "name": f"Line {number}"} for number in range(15))
    factory = Factory(NOON, lines, simulated={"limit": 40})
    await factory.live_until(NOON + timedelta(hours=1))
    assert isinstance(factory.meter, Uncounted)
    assert factory.meter.paused == []
    assert 15 * 2 * 4 <= len(factory.provider.requests) <= 15 * 2 * 6
