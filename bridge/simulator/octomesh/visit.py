"""What one request sees of the tenant: its plant at the moment of the request, through the fault that the request meets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from graphql import GraphQLError

from bridge.simulator.octomesh.errors import COMMON, DATA_STORE, INVALID, Dialect, asset, documented
from bridge.simulator.octomesh.faults import Met, OctoFault
from bridge.simulator.octomesh.paging import page
from bridge.simulator.octomesh.plant import Entity, Plant

T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """A write that was carried out: the mutation's name with that of what it is a field of, or the path of REST."""

    moment: datetime
    mutation: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Visit:
    plant: Plant
    moment: datetime
    dialect: Dialect
    met: Met = field(default_factory=Met)
    missing: str = "power"
    """The attribute that is not there under `OctoFault.MISSING_ATTRIBUTE`."""
    written: list[Written] = field(default_factory=list)

    def attributes(self, entity: Entity) -> dict[str, Any]:
        """Return what an entity has a value of."""
        return self.without_missing(entity.at(self.moment))

    def without_missing(self, values: Mapping[str, Any]) -> dict[str, Any]:
        gone = self.missing if self.met.fault is OctoFault.MISSING_ATTRIBUTE else None
        return {name: value for name, value in values.items() if name != gone}

    def whole(self, rows: Sequence[T], first: int | None, after: str | None, show: Callable[[T], object]) -> dict[str, Any]:
        """Return a page that no fault touches, such as one of an entity's attributes."""
        try:
            return page(rows, first, after, show)
        except ValueError as error:
            raise self._invalid(f"'{error}' is no cursor or count.") from error

    def paged(self, rows: Sequence[T], first: int | None, after: str | None, show: Callable[[T], object]) -> dict[str, Any]:
        """Return a page of a connection; raises GraphQLError for a bad cursor or count."""
        stuck = self.met.fault is OctoFault.STUCK_CURSOR
        answer = self.whole(rows, first, None if stuck else after, show)
        if stuck:
            answer["pageInfo"]["hasNextPage"] = True
        if self.met.fault is OctoFault.BROKEN_ITEM and answer["items"]:
            broken = len(answer["items"]) // 2
            answer["items"][broken] = answer["edges"][broken]["node"] = self.common()
        return answer

    def admit(self, name: str, after: str | None) -> None:
        """Let the request have a field and the page of it that begins at a cursor, or raise GraphQLError."""
        if self.met.field not in (None, name):
            return
        if self.met.fault is OctoFault.COMMON:
            raise self.common()
        if self.met.fault is OctoFault.LATER_PAGE and after is not None:
            raise self._store()

    def common(self) -> GraphQLError:
        """Return the error of what nobody thought of."""
        is_actual = self.dialect is Dialect.ACTUAL
        return asset(COMMON, "An error occurred") if is_actual else documented("INTERNAL_ERROR", "An error occurred")

    def write(self, mutation: str, arguments: Mapping[str, Any]) -> None:
        self.written.append(Written(self.moment, mutation, dict(arguments)))

    def _store(self) -> GraphQLError:
        message = "The data store did not answer."
        return asset(DATA_STORE, message) if self.dialect is Dialect.ACTUAL else documented("INTERNAL_ERROR", message)

    def _invalid(self, message: str) -> GraphQLError:
        return asset(INVALID, message) if self.dialect is Dialect.ACTUAL else documented("VALIDATION_ERROR", message)
