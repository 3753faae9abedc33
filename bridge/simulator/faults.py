"""Faults on demand, each as the provider is known to fail.

Some replace the whole answer, the others only alter the values in it.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bridge.simulator.server import Response

BANNED = b"Too many requests. Your IP is now temporarily banned for calling API for a few minutes."
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
MAINTENANCE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"


class Fault(StrEnum):
    """What goes wrong with a request."""

    UNAUTHENTICATED = auto()
    """HTTP 200 and the error code of a bad token, whatever the token."""
    UNAUTHENTICATED_400 = auto()
    """The same as it was answered before 2025."""
    HTTP_401 = auto()
    RATE_LIMITED = auto()
    """HTTP 429 in plain text."""
    RATE_LIMITED_RETRY_AFTER = auto()
    """The same with a Retry-After of `Faults.retry_after_s`."""
    BAD_GATEWAY = auto()
    """HTTP 502 with a page."""
    HTML_200 = auto()
    """A page where JSON was expected, with HTTP 200."""
    TRUNCATED = auto()
    """The right answer, cut in the middle of its body."""
    ERRORS_200 = auto()
    """HTTP 200, no data, one INTERNAL_SERVER_ERROR."""
    NULL_SUBSCRIPTION = auto()
    """No home has a current subscription."""
    EMPTY_QUARTERS = auto()
    """No home has quarter-hours of today and tomorrow; hours are there."""
    PARTIAL_TOMORROW = auto()
    """Only the first ten hours of tomorrow, which are 40 quarters."""
    NO_TOMORROW = auto()
    """Nothing of tomorrow, however late it is."""
    NULL_HOME = auto()
    """The first of `homes` is null."""
    ECHO_TOKEN = auto()
    """HTTP 200, no data, and an error message that repeats the token sent."""
    SLOW = auto()
    """The right answer after `Faults.slow_s`."""
    DROP = auto()
    """The connection is closed without an answer."""


@dataclass
class Faults:
    """Which fault the following requests meet: first those queued with `next`, then the one that was `set`."""

    retry_after_s: int = 600
    slow_s: float = 600.0
    _standing: Fault | None = None
    _queue: deque[Fault] = field(default_factory=deque)

    def set(self, kind: Fault | None) -> None:
        """Make every request meet `kind` from now on, or none."""
        self._standing = kind

    def next(self, kind: Fault, times: int = 1) -> None:
        """Let the next `times` requests meet `kind`, after those already queued."""
        self._queue.extend([kind] * times)

    def take(self) -> Fault | None:
        """Return the fault of the request that has just arrived, using up one queued."""
        return self._queue.popleft() if self._queue else self._standing

    def answer(self, kind: Fault | None) -> Response | None:
        """Return the answer of a fault that needs to know nothing of the request, else None."""
        match kind:
            case Fault.HTTP_401:
                return Response(401, b"Unauthorized", "text/plain; charset=utf-8")
            case Fault.RATE_LIMITED:
                return Response(429, BANNED, "text/plain; charset=utf-8")
            case Fault.RATE_LIMITED_RETRY_AFTER:
                headers = (("Retry-After", str(self.retry_after_s)),)
                return Response(429, BANNED, "text/plain; charset=utf-8", headers)
            case Fault.BAD_GATEWAY:
                return Response(502, PAGE, "text/html")
            case Fault.HTML_200:
                return Response(200, MAINTENANCE, "text/html; charset=utf-8")
            case _:
                return None
