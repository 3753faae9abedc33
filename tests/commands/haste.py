"""The loop's own clock in a test's hand: what waits for a timeout of half a minute need not be waited for."""

import asyncio

import pytest


class Haste:
    """The running loop's time, ahead of the machine's by as much as has been let pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._ahead_s, real = 0.0, loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self._ahead_s)

    def passes(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead_s += seconds
