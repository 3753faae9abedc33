"""The time, as an argument: what needs a clock is given one, so that a test can hand it another.

Wall-clock time may jump (a Pi without a clock of its own learns the time from the network), so no sleep is longer than a second.
"""

import asyncio
from datetime import UTC, datetime
from typing import Protocol

SANE = datetime(2025, 1, 1, tzinfo=UTC)  # quarter-hour prices begin in October 2025: an earlier clock is a wrong one
LONGEST_NAP_S = 1.0


class Clock(Protocol):
    """What tells the time and waits for it."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return at `moment` or as soon after it as can be; before it only where the clock is set back meanwhile."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        before = self.now()
        while (remaining := (moment - before).total_seconds()) > 0:
            await asyncio.sleep(min(remaining, LONGEST_NAP_S))
            now = self.now()
            if now < before:
                return
            before = now
