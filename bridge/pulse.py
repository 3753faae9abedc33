"""Signs of life: whoever keeps the bridge going gives one now and then, and whoever guards it asks who has fallen silent.

Counted by the machine's own seconds, never by the time of day, which may be set.
"""

import time
from collections.abc import Callable

LONGEST_SILENCE_S = 150.0  # the slots wake once a minute, and the broker takes a message a minute or is tried again

SCHEDULER, BROKER = "scheduler", "broker"


class Pulse:
    """The last sign of life of each part."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._last = dict.fromkeys((SCHEDULER, BROKER), seconds())

    def beat(self, part: str) -> None:
        """Note that `part` has made progress."""
        self._last[part] = self._seconds()

    def silent(self) -> str | None:
        """Return which part has made none for too long, or None."""
        now = self._seconds()
        return next((part for part, last in self._last.items() if now - last > LONGEST_SILENCE_S), None)
