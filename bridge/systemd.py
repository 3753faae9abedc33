"""What systemd is told of a service with `Type=notify`: ready, reloading, stopping, and that it is alive (sd_notify(3)).

The watchdog is fed only while every part of the bridge makes progress: a bare timer would guard nothing.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping

from bridge.pulse import Pulse

log = logging.getLogger(__name__)

LOOK_S = 10.0  # between two looks
READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"


class Systemd:
    """Speaks to the socket that systemd has given us; where it has given none, to nobody."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit = environment.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(limit) / 1e6 if ours and limit.isdigit() and self._address else None

    def say(self, *words: str) -> None:
        """Tell systemd; it is no harm where it does not hear."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
            wire.connect(self._address)
            wire.sendall("\n".join(words).encode())

    def reloading(self) -> None:
        """Say that the configuration is read anew; READY ends it."""
        self.say("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    async def guard(self, pulse: Pulse, status: Callable[[], str]) -> None:
        """Say that all is well, for as long as it is; until cancelled."""
        silent: str | None = None
        while True:
            before, silent = silent, pulse.silent()
            if silent is None:
                self.say(ALIVE, f"STATUS={status()}")
            elif before is None:
                log.error("the %s has made no progress for minutes; the watchdog is not told otherwise", silent)
                self.say(f"STATUS=the {silent} has made no progress for minutes")
            await asyncio.sleep(min(LOOK_S, self.watchdog_s / 2) if self.watchdog_s else LOOK_S)
