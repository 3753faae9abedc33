"""Faults on demand: those that the provider's page names, those of the machines in between, and pages that mislead."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto

FORBIDDEN_PAGE = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class SensorfactFault(StrEnum):
    """What goes wrong with a request."""

    BAD_KEY = auto()
    """403 UNAUTHORIZED, whatever the key."""
    HTML_403 = auto()
    """A gateway's page, about which the key can do nothing."""
    INVALID = auto()
    """400 INVALID_REQUEST_PARAMETERS."""
    NOT_FOUND = auto()
    """404 ENTITY_NOT_FOUND."""
    INTERNAL = auto()
    """500 INTERNAL_ERROR."""
    BAD_GATEWAY = auto()
    """502 with a page."""
    TOO_MANY = auto()
    """429 with `RateLimit-*`, nothing left."""
    TOO_MANY_BARE = auto()
    """429 without any of these headers."""
    TOO_MANY_RETRY_AFTER = auto()
    """429 with a `Retry-After` of `Faults.retry_after_s`."""
    NONE_LEFT = auto()
    """The right answer, with `RateLimit-Remaining: 0`."""
    REPEATED_CURSOR = auto()
    """The right answer, with the cursor and the `next` of a page that was there before."""
    FOREIGN_NEXT = auto()
    """The right answer, with a `next` on another host."""
    TRUNCATED = auto()
    """The right answer, cut in the middle of its body."""
    HTML_200 = auto()
    """A page where JSON was expected, with HTTP 200."""
    DROP = auto()
    """The connection is closed without an answer."""


Refusal = tuple[int, str | None, str]  # status, code, message

TOO_MANY = "Too many requests"
UNAUTHORIZED: Refusal = (403, "UNAUTHORIZED", "invalid or missing API key")
NOT_FOUND: Refusal = (404, "ENTITY_NOT_FOUND", "the requested entity was not found")
REFUSALS: Mapping[SensorfactFault | None, Refusal] = {
    SensorfactFault.BAD_KEY: UNAUTHORIZED,
    SensorfactFault.INVALID: (400, "INVALID_REQUEST_PARAMETERS", "the query parameters did not pass validation"),
    SensorfactFault.NOT_FOUND: NOT_FOUND,
    SensorfactFault.INTERNAL: (500, "INTERNAL_ERROR", "an error occurred on the server"),
    SensorfactFault.TOO_MANY: (429, None, TOO_MANY),
}
PAGES: Mapping[SensorfactFault | None, tuple[int, bytes]] = {
    SensorfactFault.HTML_403: (403, FORBIDDEN_PAGE),
    SensorfactFault.BAD_GATEWAY: (502, GATEWAY_PAGE),
    SensorfactFault.HTML_200: (200, GATEWAY_PAGE),
}


@dataclass
class Faults:
    """Which fault the following requests meet: first those queued with `next`, then those put `on` a path, then the one `set`."""

    retry_after_s: int = 60
    foreign: str = "https://elsewhere.example"
    _standing: SensorfactFault | None = None
    _queue: deque[SensorfactFault | None] = field(default_factory=deque)
    _placed: dict[str, SensorfactFault] = field(default_factory=dict)

    def set(self, kind: SensorfactFault | None) -> None:
        """Make every request meet `kind` from now on, or none."""
        self._standing = kind

    def next(self, *kinds: SensorfactFault | None) -> None:
        """Let the next requests meet these in turn, after those already queued; None is a good answer."""
        self._queue.extend(kinds)

    def on(self, paths: Iterable[str], kind: SensorfactFault | None) -> None:
        """Put `kind` on some paths, or take it away."""
        for path in paths:
            if kind is None:
                self._placed.pop(path, None)
            else:
                self._placed[path] = kind

    def take(self, path: str) -> SensorfactFault | None:
        """Return the fault of the request that has just arrived, using up one queued."""
        return self._queue.popleft() if self._queue else self._placed.get(path, self._standing)
