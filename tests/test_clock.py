"""The machine's clock: aware, in UTC, and never early."""

from datetime import UTC, timedelta

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
