"""Connections of Kraken: forward only, by `first` and an opaque cursor that is in truth a position.

What lies behind is never told: `hasPreviousPage` is always false.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar

from bridge.simulator.octopus.errors import odd

PREFIX = "arrayconnection:"
MOST = 100  # rows of a page
Item = TypeVar("Item")


class Cursors(TypedDict, total=False):
    """The arguments by which every connection is paged."""

    first: int | None
    last: int | None
    before: str | None
    after: str | None


def connection(
    items: Sequence[Item], form: Callable[[Item], dict[str, Any]], cursors: Cursors, *, stuck: bool = False
) -> dict[str, Any]:
    """Return a page of `items`, of which only those on it are given their form; a `stuck` one is always the first."""
    first = cursors.get("first")
    if first is None or not 0 <= first <= MOST:
        raise odd(f"Paging is enforced: 'first' must be given, and not be greater than {MOST}.")
    after, before = cursors.get("after"), cursors.get("before")
    begin = 0 if stuck or not after else position(after) + 1
    end = min(begin + first, position(before) if before else len(items), len(items))
    edges = [{"cursor": cursor(at), "node": form(items[at])} for at in range(begin, end)]
    return {
        "pageInfo": {
            "hasNextPage": stuck or end < len(items),
            "hasPreviousPage": False,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
        "edges": edges,
        "totalCount": len(items),
        "edgeCount": len(edges),
    }


def cursor(position: int) -> str:
    return b64encode(f"{PREFIX}{position}".encode()).decode()


def position(cursor: str) -> int:
    """Return which row a cursor names; raises GraphQLError for any other text."""
    try:
        text = b64decode(cursor, validate=True).decode()
        return int(text.removeprefix(PREFIX))
    except (binascii.Error, ValueError):
        raise odd("The cursor is not one that was given out.") from None
