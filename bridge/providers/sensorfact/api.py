"""The wire: pages of a list by `cursor_after` or `next`, and what its errors mean.

The key travels with every request, so a `next` is followed on the configured scheme, host and port only. A bad key is a 403 here.
Source: https://api-docs.sensorfact.nl/docs/key-concepts, "Pagination" and "API Response Codes".
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from bridge.clock import Clock
from bridge.errors import Failed, Malformed, NotFound, Refused, SourceError, Unauthenticated, Unreachable
from bridge.providers.base.pages import Leaf, Pages
from bridge.providers.sensorfact.pace import Pace
from bridge.providers.sensorfact.values import CURSOR
from bridge.transport.answer import (
    HTTP_FORBIDDEN,
    HTTP_NOT_FOUND,
    HTTP_SERVER_ERRORS,
    HTTP_UNAUTHORIZED,
    Answer,
    shortened,
)
from bridge.transport.http import Http

Query = list[tuple[str, str]]
PORTS = {"http": 80, "https": 443}
LONGEST_ADDRESS = 8000  # of a page
CODE_KEYS, TEXT_KEYS = ("code", "error", "type"), ("message", "detail", "error_description", "title")


class Api:
    """Asks one account."""

    def __init__(self, http: Http, clock: Clock, redact: Callable[[str], str], url: str, key: str) -> None:
        self._http, self._clock, self._redact, self._url = http, clock, redact, url
        self._headers = {"x-api-key": key}
        self._pace = Pace(clock)
        self.pages = Pages()

    async def all(self, what: str, path: str, query: Query, moment: datetime) -> list[Any]:
        """Return every item of a list, which errors call `what`. Raises SourceError, and keeps what was read by then."""
        first = self._first(path, query)
        return await self.pages.all(first, what, moment, lambda address: self._page(address or first))

    async def begun(self, path: str, query: Query) -> Leaf:
        """Return the first page alone. Raises SourceError."""
        return await self._page(self._first(path, query))

    def _first(self, path: str, query: Query) -> str:
        return f"{self._url}{path}{'?' if query else ''}{urlencode(query)}"

    async def _page(self, address: str) -> Leaf:
        """Return the page at `address`; its `next` is the address of the one that follows."""
        await self._pace.turn()
        answer = await self._http.read("GET", address, headers=self._headers)
        self._pace.note(answer.headers, self._clock.now())
        body = self._judged(answer).json()
        items = body.get("data") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise Malformed("the answer holds no list in data")
        return Leaf(items, following(address, body.get("paging")))

    def _judged(self, answer: Answer) -> Answer:
        """Return `answer` where it is a success. Raises SourceError where it is not."""
        if answer.is_success:
            return answer
        code, text = fault(answer)
        said = shortened(self._redact(": ".join(filter(None, (code, text))))) or answer.excerpt(self._redact)
        raise _error(answer)(f"the provider answered {answer.status}: {said}", reasons=(said,))


def following(address: str, paging: Any) -> str | None:
    """Return the address of the page after the one at `address`, None at the end. Raises Malformed, also for another host."""
    if paging is None:
        return None
    if not isinstance(paging, dict):
        raise Malformed("paging is no object")
    cursors, link = paging.get("cursors"), paging.get("next")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str | int | None) or not isinstance(link, str | None):
        raise Malformed("paging holds a cursor or a next that is no text")
    linked = own(address, link) if link else None
    found = _with_cursor(address, str(after)) if after not in (None, "") else linked
    if found is not None and len(found) > LONGEST_ADDRESS:
        raise Malformed("the address of the next page is longer than any server takes")
    return found


def own(address: str, link: str) -> str:
    """Return `link`, which may be relative to `address`, as an address on the same scheme, host and port. Raises Malformed.

    It is put together anew, so that no way of writing it leads anywhere else.
    """
    here = urlsplit(address)
    try:
        there = urlsplit(urljoin(address, link))
        foreign = _origin(there) != _origin(here) or "@" in there.netloc
    except ValueError:
        raise Malformed("the next page has an address that cannot be read") from None
    if foreign:
        host = shortened(f"{there.scheme}://{there.netloc.rpartition('@')[2]}")
        raise Malformed(f"the next page is said to be at {host}, which is not {here.scheme}://{here.netloc}: it is not asked for")
    if any(letter.isspace() or not letter.isprintable() or letter == "\\" for letter in link):
        raise Malformed("the next page has an address that no request can be sent to")
    return f"{here.scheme}://{here.netloc}{there.path or '/'}{'?' if there.query else ''}{there.query}"


def fault(answer: Answer) -> tuple[str, str]:
    """Return the code and the text of an error's body, empty where it has none; the provider does not say how it names them."""
    if not answer.is_json:
        return "", ""
    try:
        body = answer.json()
    except Malformed:
        return "", ""
    levels = list(_levels(body))
    return _said(levels, CODE_KEYS), _said(levels, TEXT_KEYS)


def _error(answer: Answer) -> type[SourceError]:
    match answer.status:
        case status if status == HTTP_UNAUTHORIZED or (status == HTTP_FORBIDDEN and answer.is_json):
            return Unauthenticated
        case status if status == HTTP_FORBIDDEN:  # a page of HTML is a gateway's, not the provider's
            return Unreachable
        case status if status == HTTP_NOT_FOUND:
            return NotFound
        case status if status >= HTTP_SERVER_ERRORS:
            return Failed
    return Refused


def _levels(body: Any) -> Iterator[Mapping[str, Any]]:
    """Yield an error's object and those inside it, the innermost first."""
    if isinstance(body, list):
        body = body[0] if body else None
    if isinstance(body, dict):
        for key in ("error", "errors"):
            yield from _levels(body.get(key))
        yield body


def _said(levels: list[Mapping[str, Any]], keys: tuple[str, ...]) -> str:
    return next((level[key] for level in levels for key in keys if isinstance(level.get(key), str)), "")


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower())


def _with_cursor(address: str, after: str) -> str:
    here = urlsplit(address)
    query = [(name, value) for name, value in parse_qsl(here.query, keep_blank_values=True) if name != CURSOR]
    return here._replace(query=urlencode([*query, (CURSOR, after)])).geturl()
