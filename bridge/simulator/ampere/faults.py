"""Faults on demand, each as an Apollo gateway or what stands before it is known to fail."""

import json
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bridge.simulator.faults import MAINTENANCE, PAGE
from bridge.simulator.server import Response


class AmpereFault(StrEnum):
    """What goes wrong with a request."""

    RATE_LIMITED = auto()
    """HTTP 429 that does not say how long."""
    RATE_LIMITED_RETRY_AFTER = auto()
    """HTTP 429 with a Retry-After of `AmpereFaults.retry_after_s`."""
    THROTTLED = auto()
    """HTTP 200, no data, and an error that says so."""
    EXPIRED = auto()
    """HTTP 200, no data, UNAUTHENTICATED although the token is good."""
    FORBIDDEN = auto()
    """HTTP 200, no data, FORBIDDEN."""
    BROKEN = auto()
    """HTTP 200, no data, INTERNAL_SERVER_ERROR."""
    DOWNSTREAM = auto()
    """Readings are null with a DOWNSTREAM_SERVICE_ERROR at their path, beside data that is good."""
    STUCK = auto()
    """A page whose cursor leads to itself."""
    ODD_ROW = auto()
    """The first row of readings has a time that is none."""
    BAD_GATEWAY = auto()
    """HTTP 502 with a page."""
    HTML_200 = auto()
    """A page where JSON was expected, with HTTP 200."""
    TRUNCATED = auto()
    """The right answer, cut in the middle of its body."""
    ECHO_TOKEN = auto()
    """HTTP 200, no data, and an error message that repeats the token sent."""
    DROP = auto()
    """The connection is closed without an answer."""


CODED: dict[AmpereFault, tuple[str, str]] = {
    AmpereFault.THROTTLED: ("TOO_MANY_REQUESTS", "Too many requests: fair use is exceeded."),
    AmpereFault.EXPIRED: ("UNAUTHENTICATED", "The token has expired."),
    AmpereFault.FORBIDDEN: ("FORBIDDEN", "Your role does not allow this."),
    AmpereFault.BROKEN: ("INTERNAL_SERVER_ERROR", "Something went wrong."),
}


@dataclass
class AmpereFaults:
    """Which fault the following requests meet: first those queued with `next`, then the one that was `set`."""

    retry_after_s: int = 60
    _standing: AmpereFault | None = None
    _queue: deque[AmpereFault | None] = field(default_factory=deque)

    def set(self, kind: AmpereFault | None) -> None:
        """Make every request meet `kind` from now on, or none."""
        self._standing = kind

    def next(self, *kinds: AmpereFault | None) -> None:
        """Let the next requests meet one each, None being none, after those already queued."""
        self._queue.extend(kinds)

    def take(self) -> AmpereFault | None:
        """Return the fault of the request that has just arrived, using up one queued."""
        return self._queue.popleft() if self._queue else self._standing

    def answer(self, kind: AmpereFault | None, token: str) -> Response | None:
        """Return the answer of a fault that needs to know nothing of the question, else None."""
        match kind:
            case AmpereFault.RATE_LIMITED:
                return Response(429, b"Too Many Requests", "text/plain; charset=utf-8")
            case AmpereFault.RATE_LIMITED_RETRY_AFTER:
                headers = (("Retry-After", str(self.retry_after_s)),)
                return Response(429, b"Too Many Requests", "text/plain; charset=utf-8", headers)
            case AmpereFault.BAD_GATEWAY:
                return Response(502, PAGE, "text/html")
            case AmpereFault.HTML_200:
                return Response(200, MAINTENANCE, "text/html; charset=utf-8")
            case AmpereFault.ECHO_TOKEN:
                return refusal(200, "INTERNAL_SERVER_ERROR", f"Could not serve the token {token}.")
            case _:
                return refusal(200, *CODED[kind]) if kind in CODED else None


def refusal(status: int, code: str, message: str) -> Response:
    """Return an answer that holds an error and no data."""
    body = {"errors": [{"message": message, "extensions": {"code": code}}], "data": None}
    return Response(status, json.dumps(body).encode())
