"""Page after page of a list, whatever the provider calls its cursors: no loop, no end that is not one, and nothing asked twice.

What was read before a page could not be had is kept for a while: whoever asks again goes on from there.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bridge.errors import Malformed, NotFound, Refused, SourceError

MOST_PAGES = 1000
KEPT_FOR = timedelta(minutes=15)  # after the last page that came: providers ask that cursors be not kept for long
MOST_KEPT = 8  # lists that broke off


@dataclass(frozen=True)
class Leaf:
    """One page: its items as they came, and the cursor of the next, None at the end."""

    items: list[Any]
    next: str | None


@dataclass
class _Reel:
    """What was read of a list so far."""

    read: datetime  # when the last page came
    items: list[Any] = field(default_factory=list)
    next: str | None = None
    seen: set[str] = field(default_factory=set)  # cursors
    pages: int = 0


class Pages:
    """Reads whole lists of one source; those that broke off are kept in memory, never on disk."""

    def __init__(self) -> None:
        self._broken: dict[Hashable, _Reel] = {}

    async def all(
        self, key: Hashable, what: str, moment: datetime, turn: Callable[[str | None], Awaitable[Leaf]], most: int = MOST_PAGES
    ) -> list[Any]:
        """Return every item of the list that `key` names and errors call `what`; `turn` asks for the page at a cursor.

        Raises SourceError, which says on which page; Malformed where a cursor comes twice or there is no end.
        """
        reel = self._taken_up(key, moment)
        before = reel.pages
        while True:
            try:
                leaf = await turn(reel.next)
            except SourceError as error:
                if reel.pages and not isinstance(error, Refused | NotFound | Malformed):
                    reel.read = moment if reel.pages > before else reel.read
                    self._broken[key] = reel
                    for oldest in list(self._broken)[:-MOST_KEPT]:
                        del self._broken[oldest]
                raise on_page(reel.pages + 1, what, error) from None
            reel.items += leaf.items
            reel.pages += 1
            if leaf.next is None:
                return reel.items
            if leaf.next in reel.seen:
                raise Malformed(f"the pages of {what} do not move on: after page {reel.pages} the cursor came twice")
            if reel.pages >= most:
                raise Malformed(f"there are more than {most} pages of {what}")
            reel.seen.add(leaf.next)
            reel.next = leaf.next

    def forget(self) -> None:
        """Begin every list anew."""
        self._broken.clear()

    def _taken_up(self, key: Hashable, moment: datetime) -> _Reel:
        reel = self._broken.pop(key, None)
        return reel if reel is not None and timedelta() <= moment - reel.read < KEPT_FOR else _Reel(moment)


def on_page(number: int, what: str, error: SourceError) -> SourceError:
    """Return `error` with the page on which it came; the first one needs no number."""
    if number == 1:
        return error
    return type(error)(f"page {number} of {what}: {error}", retry_after=error.retry_after, reasons=error.reasons)
