"""Stream data as the published server shows it: rows of one point or, downsampled, of all points of a span.

Whether `to` belongs to a span is not published; here it does. Nothing is interpolated.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from statistics import fmean
from types import MappingProxyType
from typing import Any

from graphql import GraphQLError

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.entities import EntityAnswer, known_type
from bridge.simulator.octomesh.errors import INVALID, asset
from bridge.simulator.octomesh.field_filter import meets, ordered
from bridge.simulator.octomesh.plant import Entity
from bridge.simulator.octomesh.streams import MOMENT, ORIGIN, Point, Span, points
from bridge.simulator.octomesh.visit import Visit

AVERAGE = "AVG"
FOLDED: Mapping[str, Callable[[Sequence[Any]], Any]] = MappingProxyType(
    {AVERAGE: fmean, "COUNT": len, "MAX": max, "MIN": min, "SUM": sum}
)
OF_ENTITY = MappingProxyType({"rtId": "rt_id", "ckTypeId": "ck_type_id", "rtWellKnownName": "rt_well_known_name"})
SYSTEM = frozenset({"timestamp", *OF_ENTITY})
Asked = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """Points of one entity, or of several where `entity` is None; `timestamp` is the first one's or that of their span."""

    visit: Visit
    timestamp: datetime | None
    entity: Entity | None
    points: Sequence[Point]

    @cached_property
    def _values(self) -> Sequence[Mapping[str, Any]]:
        return [self.visit.without_missing(point.values()) for point in self.points]

    def value(self, path: str, how: str = AVERAGE) -> Any:
        """Return an attribute of the one point, or what an aggregation makes of that of all points."""
        if path in SYSTEM:
            return self.timestamp if path == "timestamp" else getattr(self._answer, OF_ENTITY[path], None)
        found = [each[path] for each in self._values if path in each]
        if len(self.points) == 1 and how != "COUNT":
            return next(iter(found), None)
        if path == kit.STATE and how != "COUNT":
            return found[-1] if found else None
        return FOLDED[how](found) if found or how == "COUNT" else None

    @cached_property
    def _answer(self) -> EntityAnswer | None:
        return EntityAnswer(self.visit, self.entity) if self.entity else None


def rows(visit: Visit, type_id: str, asked: Asked) -> Sequence[Row]:
    """Return the rows that `arg`, `rtId`, `rtIds`, `fieldFilter` and `sortOrder` leave, those in the order of time first."""
    arg = asked.get("arg") or {"queryMode": "DEFAULT"}
    width = _interval(arg)
    orders = [each for each in asked.get("sort_order") or () if each]
    newest_first = [(each["attributePath"], each.get("sortOrder")) for each in orders] == [("timestamp", "DESCENDING")]
    found = points(_entities(visit, type_id, asked), _span(arg), visit.moment, newest_first=newest_first)
    made: Sequence[Row] = buckets(visit, found, width, newest_first=newest_first) if width else _Rows(visit, found)
    if asked.get("field_filter"):
        made = [row for row in made if meets(asked["field_filter"], row.value)]
    if orders and not newest_first:
        made = ordered(made, orders, Row.value)
    return made if arg.get("limit") is None else made[: arg["limit"]]


@dataclass(frozen=True)
class _Rows(Sequence[Row]):
    """A row for each point, made when it is looked at."""

    visit: Visit
    points: Sequence[Point]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, self.points)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._row(point) for point in self.points[index]]
        return self._row(self.points[index])

    def _row(self, point: Point) -> Row:
        return Row(self.visit, point.timestamp, point.entity, (point,))


def buckets(
    visit: Visit, found: Sequence[Point], width: timedelta, *, newest_first: bool = False, origin: datetime = ORIGIN
) -> list[Row]:
    """Return a row for each entity and span of `width`; one span begins at `origin`."""

    def place(point: Point) -> tuple[str, int]:
        return point.entity.rt_id, (point.timestamp - origin) // width

    groups = [(number, [*group]) for (_, number), group in groupby(sorted(found, key=place), place)]
    groups.sort(key=lambda each: each[0], reverse=newest_first)
    return [Row(visit, origin + number * width, group[0].entity, group) for number, group in groups]


def _interval(arg: Asked) -> timedelta | None:
    """Return how long the span of a row is, None where each point has a row of its own."""
    if arg["queryMode"] == "DEFAULT":
        return None
    if arg["queryMode"] == "DOWNSAMPLING" and (seconds := arg.get("interval")):
        return timedelta(seconds=seconds)
    raise asset(INVALID, "Invalid argument", "Downsampling needs an interval, and nothing is interpolated.")


def _span(arg: Asked) -> Span:
    end = arg.get("to")
    return Span(arg.get("from"), end + MOMENT if end else None)


def _entities(visit: Visit, type_id: str, asked: Asked) -> list[Entity]:
    rt_id, rt_ids = asked.get("rt_id"), asked.get("rt_ids")
    there = visit.plant.of_type(type_id)
    return [each for each in there if rt_id in (None, each.rt_id) and (rt_ids is None or each.rt_id in rt_ids)]


def archived(type_id: str) -> str:
    """Return a type whose values are recorded; raises GraphQLError for any other."""
    if not kit.has_stream(known_type(type_id)):
        message = f"There is no archive of '{type_id}'."
        raise GraphQLError(message, extensions={"code": "STREAMDATA_ARCHIVE_NOT_FOUND"})
    return type_id


def columns(type_id: str, paths: Sequence[str]) -> Sequence[str]:
    """Return paths that are recorded; raises GraphQLError where one is not."""
    known = SYSTEM.union(each.name for each in kit.streamed(archived(type_id)))
    for path in paths:
        if path not in known:
            message = f"'{path}' is not recorded of '{type_id}'."
            raise GraphQLError(message, extensions={"code": "STREAMDATA_PATH_INVALID"})
    return paths
