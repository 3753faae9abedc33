"""The stream points of entities: one every `Entity.step`, for the 31 days before now.

They are counted rather than stored, so a month of minutes costs nothing until somebody looks at it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from math import ceil
from operator import attrgetter
from typing import Any, NamedTuple, overload

from bridge.simulator.octomesh.plant import Entity
from bridge.simulator.octomesh.values import shown

KEPT = timedelta(days=31)
MOMENT = timedelta(microseconds=1)
ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)  # points lie on whole steps from here on


class Point(NamedTuple):
    timestamp: datetime
    entity: Entity

    def values(self) -> dict[str, Any]:
        return shown(self.entity.rt_id, self.entity.type, self.timestamp)


@dataclass(frozen=True)
class Span:
    """[start, end); None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def narrowed(self, start: datetime | None = None, end: datetime | None = None) -> "Span":
        """Return what lies in both; an `end` is exclusive."""
        starts, ends = [each for each in (self.start, start) if each], [each for each in (self.end, end) if each]
        return Span(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True)
class Series(Sequence[Point]):
    """The points of one entity from `first` on; a negative `step` goes back in time."""

    entity: Entity
    first: datetime
    step: timedelta
    length: int

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | Sequence[Point]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self.length))]
        if not 0 <= index < self.length:
            raise IndexError(index)
        return Point(self.first + index * self.step, self.entity)


@dataclass(frozen=True)
class Merged(Sequence[Point]):
    """The points of several entities in the order of time, as far as somebody looks: most want the newest few."""

    series: Sequence[Series]
    newest_first: bool

    def __len__(self) -> int:
        return sum(map(len, self.series))

    def __iter__(self) -> Iterator[Point]:
        return merge(*self.series, key=attrgetter("timestamp"), reverse=self.newest_first)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | Sequence[Point]:
        if isinstance(index, slice):
            return [*islice(self, *index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        return next(islice(self, index, None))


def points(entities: Iterable[Entity], span: Span, now: datetime, *, newest_first: bool = False) -> Sequence[Point]:
    """Return the points within `span` that had been recorded by `now`, in the order of time."""
    series = [_series(each, span, now, newest_first=newest_first) for each in entities]
    return series[0] if len(series) == 1 else Merged(series, newest_first)


def _series(entity: Entity, span: Span, now: datetime, *, newest_first: bool) -> Series:
    whole = span.narrowed(max(entity.created, now - KEPT), now + MOMENT)
    first, end = (ceil((each - ORIGIN) / entity.step) for each in (whole.start or now, whole.end or now))
    count = max(0, end - first)
    begin = ORIGIN + entity.step * (end - 1 if newest_first else first)
    return Series(entity, begin, -entity.step if newest_first else entity.step, count)
