"""The fields of `streamData` at the published server: typed ones, any type's by column paths, and queries of the moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.entities import EntityAnswer, by_snake, constant
from bridge.simulator.octomesh.errors import INVALID, asset
from bridge.simulator.octomesh.kits import KitType
from bridge.simulator.octomesh.recordings import AVERAGE, Asked, Row, archived, buckets, columns, rows
from bridge.simulator.octomesh.scalars import stamp
from bridge.simulator.octomesh.visit import Visit

LONG = {"AVG": "AVERAGE", "COUNT": "COUNT", "MAX": "MAXIMUM", "MIN": "MINIMUM", "SUM": "SUM"}
Column = tuple[str, str | None]  # a path, and how it is aggregated


class TypedPoint(EntityAnswer):
    """A row of a typed stream field."""

    def __init__(self, row: Row) -> None:
        assert row.entity is not None
        super().__init__(row.visit, row.entity)
        self._row, self.timestamp = row, row.timestamp

    def construction_kit_type(self) -> KitType:
        return KitType(self._visit, self.ck_type_id)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._read, by_snake(self.ck_type_id)[name])

    def _read(self, name: str, arg: Asked | None = None) -> Any:
        return constant(name, self._row.value(name, (arg or {}).get("aggregationType") or AVERAGE))


class CellsOf:
    """A row of cells; of several entities, it shows none of their own fields."""

    def __init__(self, wanted: Sequence[Column], row: Row) -> None:
        self._wanted, self._row, self.timestamp = wanted, row, row.timestamp
        self._answer = EntityAnswer(row.visit, row.entity) if row.entity else None

    def cells(self, first: int | None = None, after: str | None = None) -> dict[str, Any]:
        return self._row.visit.whole(self._wanted, first, after, self._cell)

    def _cell(self, column: Column) -> dict[str, Any]:
        path, how = column
        value = self._row.value(path, how or AVERAGE)
        return {"attributePath": path, "value": stamp(value) if isinstance(value, datetime) else value}

    def __getattr__(self, name: str) -> object:
        return getattr(self._answer, name) if self._answer else None


def typed(type_id: str, visit: Visit, **asked: Any) -> dict[str, Any]:
    return visit.paged(rows(visit, type_id, asked), asked.get("first"), asked.get("after"), TypedPoint)


def generic(visit: Visit, ck_id: str, column_paths: Sequence[str], **asked: Any) -> dict[str, Any]:
    wanted = [(path, None) for path in columns(ck_id, column_paths)]
    return visit.paged(rows(visit, ck_id, asked), asked.get("first"), asked.get("after"), partial(CellsOf, wanted))


@dataclass(frozen=True)
class Transient:
    """The one item of a query of the moment; `make` returns its rows."""

    visit: Visit
    query_ck_type_id: str
    wanted: Sequence[Column]
    make: Callable[[Asked], Sequence[Row]]

    def columns(self) -> list[dict[str, Any]]:
        kinds = {each.name: each.kind for each in kit.streamed(self.query_ck_type_id)}
        return [
            {
                "aggregationType": LONG[how] if how else "NONE",
                "attributePath": path,
                "attributeValueType": kinds.get(path, "DATE_TIME" if path == "timestamp" else "STRING"),
            }
            for path, how in self.wanted
        ]

    def rows(self, first: int | None = None, after: str | None = None, **asked: Any) -> dict[str, Any]:
        return self.visit.paged(self.make(asked), first, after, partial(CellsOf, self.wanted))


def _transient(
    visit: Visit, ck_id: str, wanted: Sequence[Column], make: Callable[[Asked], Sequence[Row]], asked: Asked
) -> dict[str, Any]:
    columns(ck_id, [path for path, _ in wanted])
    item = Transient(visit, ck_id, wanted, make)
    return visit.whole([item], asked.get("first"), asked.get("after"), lambda each: each)


def simple(visit: Visit, ck_id: str, column_paths: Sequence[str], **asked: Any) -> dict[str, Any]:
    wanted = [(path, None) for path in column_paths]
    return _transient(visit, ck_id, wanted, lambda more: rows(visit, ck_id, {**asked, **_given(more)}), asked)


def aggregation(visit: Visit, ck_id: str, column_paths: Sequence[Asked], **asked: Any) -> dict[str, Any]:
    """Return a query of a single row, which is made of all points."""

    def make(more: Asked) -> Sequence[Row]:
        found = rows(visit, ck_id, {**asked, **_given(more)})
        return [Row(visit, None, None, [point for row in found for point in row.points])]

    return _transient(visit, ck_id, _aggregated(column_paths), make, asked)


def downsampling(visit: Visit, ck_id: str, column_paths: Sequence[Asked], limit: int, **asked: Any) -> dict[str, Any]:
    """Return a query of at most `limit` rows of each entity between `from` and `to`."""
    start, end = asked.pop("from"), asked.pop("to")
    if limit < 1 or start >= end:
        raise asset(INVALID, "Invalid argument", "There is no span to be divided.")
    arg = {"queryMode": "DEFAULT", "from": start, "to": end}

    def make(more: Asked) -> Sequence[Row]:
        del more
        found = [point for row in rows(visit, ck_id, {**asked, "arg": arg}) for point in row.points]
        return buckets(visit, found, (end - start) / limit, origin=start)

    return _transient(visit, ck_id, _aggregated(column_paths), make, asked)


def _given(more: Asked) -> Mapping[str, Any]:
    return {name: value for name, value in more.items() if value is not None}


def _aggregated(column_paths: Sequence[Asked]) -> list[Column]:
    return [(each["attributePath"], each["aggregationType"]) for each in column_paths]


def for_type(type_id: str) -> Callable[..., object]:
    """Return the typed field of a type whose values are recorded."""
    return partial(typed, archived(type_id))
