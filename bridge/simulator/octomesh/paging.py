"""Lists by pages: a cursor is the place in the whole list, so it moves when something before it comes or goes.

Without `first` everything comes. A fault makes every page the first.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
PREFIX = "arrayconnection:"


def cursor(place: int) -> str:
    return b64encode(f"{PREFIX}{place}".encode()).decode()


def place(cursor: str) -> int | None:
    """Return the place that a cursor names, None where it is none."""
    try:
        text = b64decode(cursor, validate=True).decode("ascii")
    except ValueError:  # not in base64, not ASCII
        return None
    number = text.removeprefix(PREFIX)
    return int(number) if text.startswith(PREFIX) and number.isdigit() else None


def page(rows: Sequence[T], first: int | None, after: str | None, show: Callable[[T], object]) -> dict[str, Any]:
    """Return the page of a connection, each row of it as `show` makes it; raises ValueError for what is no cursor or count."""
    start = 0
    if after is not None:
        found = place(after)
        if found is None:
            raise ValueError(after)
        start = found + 1
    if first is not None and first < 0:
        raise ValueError(first)
    end = len(rows) if first is None else min(len(rows), start + first)
    items = [show(row) for row in rows[start:end]]
    cursors = [cursor(start + each) for each in range(len(items))]
    return {
        "items": items,
        "edges": [{"cursor": each, "node": item} for each, item in zip(cursors, items, strict=True)],
        "totalCount": len(rows),
        "pageInfo": {
            "hasNextPage": end < len(rows),
            "hasPreviousPage": start > 0,
            "startCursor": next(iter(cursors), None),
            "endCursor": next(reversed(cursors), None),
            "totalCount": len(rows),
        },
    }
