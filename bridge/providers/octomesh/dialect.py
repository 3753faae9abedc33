"""What both dialects of OctoMesh's GraphQL are asked: a small set of questions, and one shape of rows and points for the answers.

Each dialect writes its own GraphQL, from names that it found in the tenant's schema; it asks for nothing but the schema itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME, Every, Filter
from bridge.providers.octomesh.questions import Question

SYSTEM = frozenset({
    "rtId", "ckTypeId", "wellKnownName", "rtWellKnownName", "rtCreationDateTime", "rtChangedDateTime", "rtVersion",
    "rtBlueprintAppliedAt", "rtBlueprintLocked", "rtBlueprintSource", "timestamp",
})  # fmt: skip  # fields that every entity or point has: none of the type's own attributes


@dataclass(frozen=True)
class Order:
    """Sorted by one attribute."""

    attribute: str
    descending: bool = False


@dataclass(frozen=True)
class Need:
    """Some entities of one type; without `attributes`, with every scalar one that the schema has."""

    type: str
    attributes: tuple[str, ...] | None = None
    filter: Filter = field(default_factory=Every)
    order: tuple[Order, ...] = ()
    first: int = 100  # at the most
    after: str | None = None  # the provider's cursor


@dataclass(frozen=True)
class Search:
    """A question for entities, what of its filter is left to be done here, and which wanted attributes the schema lacks."""

    question: Question
    attributes: tuple[str, ...]  # those that were wanted and are there
    rest: Filter | None = None
    lacking: Mapping[str, str] = field(default_factory=dict)  # name → what to say of it
    is_single: bool = False  # the answer is the entity itself, and no page
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of each enum: small letters → the schema's
    numbers: frozenset[str] = frozenset()  # attributes that are numeric, where their values may come as texts


@dataclass(frozen=True)
class Row:
    """One entity as it came."""

    rt_id: str
    type: str
    well_known_name: str | None
    changed: datetime | None  # when it was last changed, where the dialect tells
    attributes: Mapping[str, Any]

    def value(self, name: str) -> Any:
        """Return what a filter compares."""
        if name == RT_ID:
            return self.rt_id
        return self.well_known_name if name == WELL_KNOWN_NAME else self.attributes.get(name)


@dataclass(frozen=True)
class Rows:
    """A page of entities."""

    rows: tuple[Row, ...]
    next: str | None
    total: int | None = None  # of all pages, where the server tells
    odd: int = 0  # entities that could not be told, or not be read


@dataclass(frozen=True)
class Stretch:
    """The points of one entity in [start, end)."""

    type: str  # the stream's
    rt_id: str
    attributes: tuple[str, ...] | None = None
    start: datetime | None = None
    end: datetime | None = None
    newest_first: bool = False
    first: int = 100
    after: str | None = None
    of: str | None = None  # the type of the entity, where it is known


@dataclass(frozen=True)
class Sounding:
    """A question for points, and which wanted attributes the schema lacks."""

    question: Question
    attributes: tuple[str, ...]
    lacking: Mapping[str, str] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()  # likewise
    note: str | None = None  # what else to tell of it


@dataclass(frozen=True)
class Point:
    """What a stream tells of one instant."""

    at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Points:
    """A page of points."""

    points: tuple[Point, ...]
    next: str | None


@dataclass(frozen=True)
class Target:
    """An entity that an association leads to; its type where it was given."""

    rt_id: str
    type: str | None = None


class Dialect(Protocol):
    """Writes the questions and reads the answers. What the dialect or the tenant's schema lacks is Refused, with the reason."""

    name: str
    tells_units: bool  # whether the construction kit can be asked for them

    async def prepare(self, types: Iterable[str], streams: Iterable[str]) -> None:
        """Get to know these types in as few requests as may be; what the schema lacks is told when it is asked for."""
        ...

    def configured(self, type_: str, attributes: Sequence[str], *, stream: bool) -> Question:
        """Return a question of these names whether or not the schema has them: for `introspect` alone, never sent."""
        ...

    async def search(self, need: Need) -> Search: ...
    async def one(self, type_: str, rt_id: str | None, well_known_name: str | None, wanted: tuple[str, ...] | None) -> Search: ...
    def rows(self, value: Any, search: Search) -> Rows: ...
    async def points(self, stretch: Stretch) -> Sounding: ...
    def read_points(self, value: Any, sounding: Sounding) -> Points: ...
    async def units(self, types: Sequence[str]) -> Question | None: ...
    def read_units(self, value: Any) -> Mapping[tuple[str, str], str]: ...
    async def create(self, type_: str, well_known_name: str | None, attributes: Mapping[str, Any]) -> Question: ...
    async def update(self, type_: str, rt_id: str, attributes: Mapping[str, Any]) -> Question: ...
    async def delete(self, type_: str, rt_id: str) -> Question: ...
    async def associate(
        self, type_: str, rt_id: str, association: str, targets: Sequence[Target], *, remove: bool
    ) -> Question: ...
    def confirmed(self, value: Any) -> Row:
        """Return the entity that a write brought. Raises Malformed where it brought none."""
        ...
