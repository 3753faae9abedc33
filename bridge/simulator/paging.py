"""Pages of slots by `first` or `last` and a cursor.

A cursor is a slot start in Base64. `after` includes the slot it names, `before` does not.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from graphql import GraphQLError

from bridge.simulator.days import Resolution, ceiling, shift, stamp, starts


class PagingArguments(TypedDict, total=False):
    """The arguments by which every connection is paged."""

    first: int | None
    last: int | None
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Paging:
    """The arguments of a connection called `name`; which of them go together is checked when made."""

    name: str
    first: int | None = None
    last: int | None = None
    before: str | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        connection = f'the "{self.name}" connection'
        if self.first is None and self.last is None:
            raise GraphQLError(f'You must provide a "first" or "last" value to properly paginate {connection}.')
        if self.first is not None and self.last is not None:
            raise GraphQLError(f'"first" and "last" exclude each other on {connection}.')
        if self.before is not None and self.after is not None:
            raise GraphQLError(f'"before" and "after" exclude each other on {connection}.')
        if (self.first or self.last or 0) < 0:
            raise GraphQLError(f'"first" and "last" must not be negative on {connection}.')


@dataclass(frozen=True)
class Page:
    """Slot starts in time order, and whether there are others on either side."""

    starts: tuple[datetime, ...]
    has_previous: bool
    has_next: bool


@dataclass(frozen=True)
class Shelf:
    """The slots there are: all of `resolution` in [begin, end), of which one page holds `cap` at most."""

    begin: datetime
    end: datetime
    resolution: Resolution
    zone: ZoneInfo
    cap: int

    def page(self, paging: Paging) -> Page:
        """Return the slots asked for; more than `cap` are cut off without a word."""
        if paging.first is not None:
            begin = max(self.begin, self._at(paging.after) or self.begin)
            end = min(self.end, self._shift(begin, min(paging.first, self.cap)))
        else:
            end = max(self.begin, min(self.end, self._at(paging.before) or self.end))
            begin = max(self.begin, self._shift(end, -min(paging.last or 0, self.cap)))
        chosen = tuple(starts(begin, end, self.resolution, self.zone))
        return Page(chosen, has_previous=self.begin < begin, has_next=end < self.end)

    def _shift(self, start: datetime, count: int) -> datetime:
        return shift(start, self.resolution, self.zone, count)

    def _at(self, cursor: str | None) -> datetime | None:
        return None if cursor is None else ceiling(moment(cursor), self.resolution, self.zone)


def cursor(start: datetime, zone: ZoneInfo) -> str:
    return b64encode(stamp(start, zone).encode()).decode()


def moment(cursor: str) -> datetime:
    """Return the instant a cursor names; one without an offset counts as UTC."""
    try:
        named = datetime.fromisoformat(b64decode(cursor, validate=True).decode())
    except (binascii.Error, ValueError) as error:
        raise GraphQLError("The cursor is not a Base64-encoded ISO 8601 time.") from error
    return (named if named.tzinfo else named.replace(tzinfo=UTC)).astimezone(UTC)


def connection(page: Page, rows: Sequence[Any], zone: ZoneInfo, **info: object) -> dict[str, Any]:
    """Return the provider's form of a page: `rows` belong to its starts, `info` joins the pageInfo.

    A row of None was filtered: it is left out, and takes no part in the count.
    """
    kept = [(cursor(start, zone), row) for start, row in zip(page.starts, rows, strict=True) if row is not None]
    return {
        "pageInfo": {
            "startCursor": kept[0][0] if kept else None,
            "endCursor": kept[-1][0] if kept else None,
            "hasPreviousPage": page.has_previous,
            "hasNextPage": page.has_next,
            "count": len(kept),
            **info,
        },
        "nodes": [row for _, row in kept],
        "edges": [{"cursor": cursor, "node": row} for cursor, row in kept],
    }
