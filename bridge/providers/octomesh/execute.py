"""Carries out the operations of `operations.py`: queries as often as need be, a write once.

A filter that the server has no words for is judged here, over all pages, as far as so many are to be had in one go.
"""

import json
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from bridge.errors import BadRequest, NotFound, Refused
from bridge.providers.octomesh import filters
from bridge.providers.octomesh import operations as words
from bridge.providers.octomesh.dialect import Dialect, Need, Order, Point, Row, Rows, Search, Stretch, Target
from bridge.providers.octomesh.filters import Every, holds
from bridge.providers.octomesh.mesh import Mesh
from bridge.providers.octomesh.questions import Question
from bridge.providers.octomesh.rest import Rest
from bridge.providers.octomesh.settings import OctoMeshSettings
from bridge.transport.http import Upload

Do = Callable[[Any], Awaitable[BaseModel]]

HERE = "here:"  # what a cursor of ours begins with: how many of those found here were told already
PAGE_HERE, MOST_PAGES_HERE = 500, 10


class Commands:
    """The operations of one source."""

    def __init__(self, settings: OctoMeshSettings, mesh: Mesh, rest: Rest, *, page: int = PAGE_HERE) -> None:
        """`page` is how many entities are asked for at once where a filter is judged here."""
        self._settings, self._mesh, self._rest, self._page = settings, mesh, rest, page
        self._by_name: dict[str, Do] = {
            "entities": self._entities,
            "entity": self._entity,
            "history": self._history,
            "tenant": self._tenant,
            "libraries": self._libraries,
            "service_health": self._health,
            "entity_create": self._create,
            "entity_update": self._update,
            "entity_delete": self._delete,
            "association_add": lambda given: self._associate(given, remove=False),
            "association_remove": lambda given: self._associate(given, remove=True),
            "file_upload": self._upload_file,
            "library_upload": self._upload_library,
        }

    async def execute(self, operation: str, arguments: BaseModel) -> BaseModel:
        """Return what the server answered. Raises SourceError, or BadRequest for what its schema does not have."""
        return await self._by_name[operation](arguments)

    # queries

    async def _entities(self, given: words.Entities) -> words.FoundEntities:
        return await self._mesh.fitting(lambda dialect: self._found(given, dialect))

    async def _found(self, given: words.Entities, dialect: Dialect) -> words.FoundEntities:
        wanted = filters.read(given.filter) if given.filter is not None else Every()
        order = tuple(Order(filters.SAME.get(name, name), direction == "desc") for name, direction in given.order.items())
        need = Need(given.type, given.attributes, wanted, order, given.first, given.after)
        search = await dialect.search(need)
        _must_be_there(search.lacking)
        if search.rest is not None:
            rows = await self._filtered(need, dialect)
        elif given.after is not None and given.after.startswith(HERE):
            raise BadRequest("after: it is of another filter; begin anew without it")
        else:
            rows = dialect.rows(await self._mesh.only(search.question), search)
        states = tuple(_state(row, given.type, search.attributes) for row in rows.rows)
        return words.FoundEntities(
            entities=states, next=rows.next, total=rows.total, filtered=None if given.filter is None else _judge(search)
        )

    async def _filtered(self, need: Need, dialect: Dialect) -> Rows:
        """Return a page of what is filtered here, all pages of the server's being read for it. Raises Refused for too many."""
        told = _told_already(need.after)
        found: list[Row] = []
        after: str | None = None
        for _ in range(MOST_PAGES_HERE):
            search = await dialect.search(Need(need.type, need.attributes, need.filter, need.order, self._page, after))
            rows = dialect.rows(await self._mesh.only(search.question), search)
            found += [row for row in rows.rows if search.rest is None or holds(search.rest, row.value)]
            if rows.next is None:
                end = told + need.first
                return Rows(tuple(found[told:end]), f"{HERE}{end}" if end < len(found) else None, len(found))
            if rows.next == after:
                raise Refused("the pages of the server do not move on: a cursor came twice")
            after = rows.next
        most = self._page * MOST_PAGES_HERE
        raise Refused(
            f"the {dialect.name} dialect cannot judge this filter, and here it is judged for {most} entities "
            "at the most; add a condition that the server can judge, such as eq on a plain attribute"
        )

    async def _entity(self, given: words.Entity) -> words.FoundEntity:
        async def ask(dialect: Dialect) -> words.FoundEntity:
            search = await dialect.one(given.type, given.rt_id, given.well_known_name, given.attributes)
            _must_be_there(search.lacking)
            row = await self._one(search, dialect)
            if row is None:
                raise NotFound(f"there is no {given.type} {given.rt_id or given.well_known_name}")
            return words.FoundEntity(entity=_state(row, given.type, search.attributes))

        return await self._mesh.fitting(ask)

    async def _one(self, search: Search, dialect: Dialect) -> Row | None:
        rows = dialect.rows(await self._mesh.only(search.question), search).rows
        return next((row for row in rows if search.rest is None or holds(search.rest, row.value)), None)

    async def _history(self, given: words.History) -> words.FoundPoints:
        entity = next((one for one in self._settings.entities if one.stream and given.type in (one.type, one.stream)), None)
        stretch = Stretch(
            entity.stream if entity and entity.stream else given.type,
            given.rt_id,
            given.attributes,
            given.start,
            given.end,
            first=given.first,
            after=given.after,
            of=entity.type if entity else None,
        )
        points, attributes, following = await self.points(stretch)
        found = tuple(words.StreamPoint(at=point.at, attributes=_plain(point.values, attributes)) for point in points)
        return words.FoundPoints(points=found, next=following)

    async def points(self, stretch: Stretch) -> tuple[list[Point], tuple[str, ...], str | None]:
        """Return a page of points inside the stretch, the attributes that they have, and the cursor of the next page."""

        async def ask(dialect: Dialect) -> tuple[list[Point], tuple[str, ...], str | None]:
            sounding = await dialect.points(stretch)
            _must_be_there(sounding.lacking)
            read = dialect.read_points(await self._mesh.only(sounding.question), sounding)
            inside = [point for point in read.points if _is_in(point.at, stretch)]  # a server may count its end in
            return inside, sounding.attributes, read.next

        return await self._mesh.fitting(ask)

    async def _tenant(self, _: words.Nothing) -> words.Told:
        return words.Told(await self._rest.tenant(await self._shape()))

    async def _libraries(self, _: words.Nothing) -> words.Told:
        return words.Told(await self._rest.libraries(await self._shape()))

    async def _health(self, _: words.Nothing) -> words.Told:
        return words.Told(await self._rest.health())

    async def _shape(self) -> str:
        return self._settings.rest or (await self._mesh.dialect()).name

    # writes

    async def _create(self, given: words.Create) -> words.EntityState:
        dialect = await self._mesh.dialect()
        return await self._done(dialect, given.type, await dialect.create(given.type, given.well_known_name, given.attributes))

    async def _update(self, given: words.Update) -> words.EntityState:
        dialect = await self._mesh.dialect()
        return await self._done(dialect, given.type, await dialect.update(given.type, given.rt_id, given.attributes))

    async def _delete(self, given: words.Delete) -> words.Gone:
        dialect = await self._mesh.dialect()
        if await self._mesh.done(await dialect.delete(given.type, given.rt_id)) is False:
            raise NotFound(f"there is no {given.type} {given.rt_id}: the server deleted nothing")
        return words.Gone()

    async def _associate(self, given: words.Associate, *, remove: bool) -> words.EntityState:
        dialect = await self._mesh.dialect()
        targets = [Target(one) if isinstance(one, str) else Target(one.rt_id, one.type) for one in given.targets]
        question = await dialect.associate(given.type, given.rt_id, given.association, targets, remove=remove)
        return await self._done(dialect, given.type, question)

    async def _done(self, dialect: Dialect, type_: str, question: Question) -> words.EntityState:
        row = dialect.confirmed(await self._mesh.done(question))
        return _state(row, type_, tuple(row.attributes))

    async def _upload_file(self, given: words.File) -> words.Told:
        return words.Told(await self._rest.upload_file(await self._shape(), Upload(given.name, given.binary, given.content_type)))

    async def _upload_library(self, given: words.Library) -> words.Told:
        shape = await self._shape()
        content = b64decode(given.content) if given.content is not None else json.dumps(given.library).encode()
        body = given.library if given.library is not None or shape == "actual" else _object(content)
        return words.Told(await self._rest.upload_library(shape, body, Upload(given.title, content, given.content_type)))


def _must_be_there(lacking: Mapping[str, str]) -> None:
    """Raises BadRequest for the first attribute that the schema lacks."""
    for text in lacking.values():
        raise BadRequest(f"attributes: {text}")


def _judge(search: Search) -> Literal["server", "here"]:
    return "server" if search.rest is None else "here"


def _told_already(after: str | None) -> int:
    if after is None:
        return 0
    number = after.removeprefix(HERE)
    if number == after or not (number.isascii() and number.isdigit()) or len(number) > len(str(PAGE_HERE * MOST_PAGES_HERE)):
        raise BadRequest("after: it is of another filter; begin anew without it")
    return int(number)


def _is_in(at: datetime, stretch: Stretch) -> bool:
    return (stretch.start is None or at >= stretch.start) and (stretch.end is None or at < stretch.end)


def _state(row: Row, type_: str, attributes: Sequence[str]) -> words.EntityState:
    """Return an entity; where it does not tell its type, it is of the one that was asked for."""
    told = _plain(row.attributes, attributes)
    return words.EntityState(rt_id=row.rt_id, type=row.type or type_, well_known_name=row.well_known_name, attributes=told)


def _plain(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values.get(name) for name in names}


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadRequest("content: this server takes a library as JSON; give an object")
    return found
