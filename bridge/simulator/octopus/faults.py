"""Faults on demand, each as Kraken, its REST paths or what stands before them are known to fail.

A fault waits for a request that can meet it: a bad key for a sign-in, an expired token for a question.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bridge.simulator.faults import MAINTENANCE, PAGE
from bridge.simulator.server import Response

SIGN_IN = "obtainKrakenToken"
DISPATCHES = frozenset({"flexPlannedDispatches", "plannedDispatches"})


class OctopusFault(StrEnum):
    """What goes wrong with a request. A fault of one field meets the one it was put `on`, else the first of the document."""

    RATE_LIMITED = auto()
    """KT-CT-1199 for every field, in HTTP 200; HTTP 429 for REST."""
    RATE_LIMITED_FIELD = auto()
    """KT-CT-1199 for one field, data for the others."""
    BAD_GATEWAY = auto()
    """HTTP 502 with a page."""
    HTTP_401 = auto()
    UNAUTHORIZED_FIELD = auto()
    """KT-CT-1111 for one field, as where a permission lacks."""
    EXPIRED = auto()
    """KT-CT-1124 although the token is good; OE-0103 from the backend."""
    HTML_200 = auto()
    """A page where JSON was expected, with HTTP 200."""
    TRUNCATED = auto()
    """The right answer, cut in the middle of its body."""
    DROP = auto()
    """The connection is closed without an answer."""
    SLOW = auto()
    """The right answer after `OctopusFaults.slow_s`."""
    NULL_FIELD = auto()
    """Null for one field, and no error."""
    DISPATCHES_UNAVAILABLE = auto()
    """KT-CT-4340 for planned dispatches."""
    REMOVED_FIELD = auto()
    """HTTP 400: the schema no longer has a field that the document asks for, see `OctopusFaults.removed`."""
    REMOVED_FIELD_BARE = auto()
    """The same without extensions."""
    STUCK_CURSOR = auto()
    """Every page is the first, and says that another follows."""
    BAD_KEY = auto()
    """KT-CT-1139 for a sign-in, however good its key."""
    ECHO_TOKEN = auto()
    """No data, and an error message that repeats the token or key sent."""


OF_FIELDS = frozenset({OctopusFault.RATE_LIMITED_FIELD, OctopusFault.UNAUTHORIZED_FIELD, OctopusFault.NULL_FIELD})
OF_QUESTIONS = frozenset(
    {*OF_FIELDS, OctopusFault.EXPIRED, OctopusFault.REMOVED_FIELD, OctopusFault.REMOVED_FIELD_BARE}
)  # of GraphQL other than the sign-in


@dataclass(frozen=True)
class Met:
    """The fault that a request meets, and the root field which one of `OF_FIELDS` is about."""

    fault: OctopusFault | None = None
    field: str | None = None


@dataclass
class OctopusFaults:
    """Which fault the following requests meet: first those queued with `next`, then those put `on`, then the one `set`."""

    slow_s: float = 600.0
    removed: str | None = None
    """The field that is no longer there, as in "UnitRate.preVatValue"; None: the first one of the document."""
    _standing: OctopusFault | None = None
    _queue: deque[OctopusFault] = field(default_factory=deque)
    _placed: dict[str, deque[OctopusFault] | OctopusFault] = field(default_factory=dict)

    def set(self, kind: OctopusFault | None) -> None:
        """Make every request that can meet `kind` do so from now on, or none."""
        self._standing = kind

    def next(self, kind: OctopusFault, times: int = 1) -> None:
        """Let the next `times` requests that can meet `kind` do so, after what is queued."""
        self._queue.extend([kind] * times)

    def on(self, name: str, kind: OctopusFault | None, times: int | None = None) -> None:
        """Put `kind` on an operation, a root field, a REST path or its last part; for `times` requests or, None, for all."""
        if kind is None:
            self._placed.pop(name, None)
        else:
            self._placed[name] = kind if times is None else deque([kind] * times)

    def take(self, kind: str, operation: str | None, fields: Iterable[str] = ()) -> Met:
        """Return what the request that has just arrived meets, using up one queued or counted; `kind` as in `Asked`."""
        roots = tuple(fields)
        first = next(iter(roots), None)
        for fault in self._queue:
            if _concerns(fault, kind, roots):
                self._queue.remove(fault)
                return Met(fault, first)
        names = (operation, *roots) if kind != "rest" else (operation, (operation or "").rstrip("/").rpartition("/")[2])
        for name in names:
            if name is not None and (fault_there := self._placed_on(name)):
                return Met(fault_there, name if name in roots else first)
        if self._standing and _concerns(self._standing, kind, roots):
            return Met(self._standing, first)
        return Met()

    def _placed_on(self, name: str) -> OctopusFault | None:
        placed = self._placed.get(name)
        if isinstance(placed, deque):
            return placed.popleft() if placed else None
        return placed


def _concerns(fault: OctopusFault, kind: str, fields: tuple[str, ...]) -> bool:
    if fault is OctopusFault.BAD_KEY:
        return SIGN_IN in fields
    if fault is OctopusFault.DISPATCHES_UNAVAILABLE:
        return not DISPATCHES.isdisjoint(fields)
    if fault in OF_QUESTIONS:
        return kind != "rest" and SIGN_IN not in fields
    return True


def failure(fault: OctopusFault | None) -> Response | None:
    """Return the answer of a fault that needs to know nothing of the request, else None."""
    match fault:
        case OctopusFault.HTTP_401:
            return Response(401, b'{"detail":"Authentication credentials were not accepted."}', "application/json")
        case OctopusFault.BAD_GATEWAY:
            return Response(502, PAGE, "text/html")
        case OctopusFault.HTML_200:
            return Response(200, MAINTENANCE, "text/html; charset=utf-8")
        case _:
            return None
