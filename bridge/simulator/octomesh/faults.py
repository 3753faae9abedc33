"""Faults on demand, each as a server of the provider or what stands before it is known or likely to fail.

A fault waits for a request that can meet it: one of later pages for a request with a cursor.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bridge.simulator.faults import MAINTENANCE, PAGE
from bridge.simulator.server import Response

RETRY_AFTER = (("Retry-After", "60"),)


class OctoFault(StrEnum):
    """What goes wrong with a request."""

    RATE_LIMITED = auto()
    """HTTP 429 with a Retry-After of 60 seconds."""
    BAD_GATEWAY = auto()
    """HTTP 502 with a page."""
    HTML_200 = auto()
    """A page where JSON was expected, with HTTP 200."""
    EXPIRED = auto()
    """HTTP 401 although the token is good."""
    EXPIRED_LATER = auto()
    """The same, for a page after the first."""
    FORBIDDEN = auto()
    """HTTP 403."""
    TRUNCATED = auto()
    """The right answer, cut in the middle of its body."""
    DROP = auto()
    """The connection is closed without an answer; a write is not carried out."""
    DROP_AFTER = auto()
    """The same, after all was carried out."""
    SLOW = auto()
    """The right answer after `OctoFaults.slow_s`."""
    COMMON = auto()
    """ASSET1002, or what the document's dialect would say, for one field; data for the others."""
    LATER_PAGE = auto()
    """ASSET1001 for a page after the first."""
    STUCK_CURSOR = auto()
    """Every page is the first, and says that another follows."""
    BROKEN_ITEM = auto()
    """Null for the item in the middle of each list, and an error of its place."""
    MISSING_ATTRIBUTE = auto()
    """`OctoFaults.missing` has no value anywhere."""
    ECHO_TOKEN = auto()
    """No data, and an error message that repeats the token sent."""


LATER = frozenset({OctoFault.EXPIRED_LATER, OctoFault.LATER_PAGE})


@dataclass(frozen=True)
class Met:
    """The fault that a request meets, and the field that it is about."""

    fault: OctoFault | None = None
    field: str | None = None


@dataclass
class OctoFaults:
    """Which fault the following requests meet: first those queued with `next`, then those put `on`, then the one `set`."""

    slow_s: float = 600.0
    missing: str = "power"
    _standing: OctoFault | None = None
    _queue: deque[OctoFault] = field(default_factory=deque)
    _placed: dict[str, OctoFault] = field(default_factory=dict)

    def set(self, kind: OctoFault | None) -> None:
        """Make every request that can meet `kind` do so from now on, or none."""
        self._standing = kind

    def next(self, kind: OctoFault, times: int = 1) -> None:
        """Let the next `times` requests that can meet `kind` do so, after what is queued."""
        self._queue.extend([kind] * times)

    def on(self, name: str, kind: OctoFault | None) -> None:
        """Put `kind` on a field such as `runtimeEntities` or on a path of REST, until None is put there."""
        if kind is None:
            self._placed.pop(name, None)
        else:
            self._placed[name] = kind

    def take(self, names: Iterable[str], *, is_later: bool) -> Met:
        """Return what the request that has just arrived meets, using up one queued; `names` are its fields or its path."""
        asked = tuple(names)
        first = next(iter(asked), None)
        for fault in self._queue:
            if _concerns(fault, is_later=is_later):
                self._queue.remove(fault)
                return Met(fault, first)
        for name in asked:
            if (fault_there := self._placed.get(name)) and _concerns(fault_there, is_later=is_later):
                return Met(fault_there, name)
        if self._standing and _concerns(self._standing, is_later=is_later):
            return Met(self._standing, first)
        return Met()


def _concerns(fault: OctoFault, *, is_later: bool) -> bool:
    return is_later or fault not in LATER


def failure(fault: OctoFault | None) -> Response | None:
    """Return the answer of a fault that needs to know nothing of the request, else None."""
    match fault:
        case OctoFault.RATE_LIMITED:
            return too_many()
        case OctoFault.BAD_GATEWAY:
            return Response(502, PAGE, "text/html")
        case OctoFault.HTML_200:
            return Response(200, MAINTENANCE, "text/html; charset=utf-8")
        case _:
            return None


def too_many() -> Response:
    return Response(429, b"Too Many Requests", "text/plain; charset=utf-8", RETRY_AFTER)
