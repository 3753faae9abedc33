"""The machine's clock: aware, in UTC, and never early."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bridge.clock import SystemClock


def test_the_present_is_told_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


@pytest.mark.parametrize("ahead", [timedelta(milliseconds=30), timedelta(0), timedelta(days=-1)], ids=str)
async def test_a_sleeper_wakes_at_its_moment_or_after_it(ahead: timedelta) -> None:
    clock = SystemClock()
    moment = clock.now() + ahead
    await clock.sleep_until(moment)
    assert clock.now() >= moment


async def test_a_sleeper_wakes_when_the_clock_is_set_back() -> None:
    class Corrected(SystemClock):
        ahead = timedelta(days=3650)

        def now(self) -> datetime:
            return super().now() + self.ahead

    clock = Corrected()
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(hours=1)))
    await asyncio.sleep(0)
    clock.ahead = timedelta(0)
    await asyncio.wait_for(sleeper, 10)
