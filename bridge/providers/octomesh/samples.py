"""The documents that are sent for this configuration, for `kwh2mqtt introspect` to check against the tenant's schema.

They are written from that schema, so they are there only after it has been asked: whoever holds the mapping sees it filled then.
What the schema lacks is never sent; a document of the names as they are configured brings it to light.
"""

from collections.abc import Awaitable
from typing import Literal

from bridge.errors import SourceError
from bridge.providers.octomesh.dialect import Dialect, Need, Stretch
from bridge.providers.octomesh.mesh import Mesh
from bridge.providers.octomesh.questions import Question, written
from bridge.providers.octomesh.settings import EntitySettings, OctoMeshSettings

SOME_ID = "0" * 24
Kind = Literal["query", "mutation"]


class Samples:
    """Writes the documents down, once."""

    def __init__(self, settings: OctoMeshSettings, mesh: Mesh) -> None:
        self._settings, self._mesh = settings, mesh
        self.documents: dict[str, str] = {}

    async def write_down(self) -> None:
        """Fill `documents`. What cannot be asked of this schema is left out: a poll tells it by name. Raises SourceError."""
        if self.documents:
            return
        dialect = await self._mesh.dialect()
        for entity in self._settings.entities:
            for name, question, kind in await self._of(entity, dialect):
                self.documents[f"{name} {entity.type}"] = written([question], kind).text

    async def _of(self, entity: EntitySettings, dialect: Dialect) -> list[tuple[str, Question, Kind]]:
        found: list[tuple[str, Question, Kind]] = []

        async def note(name: str, work: Awaitable[Question], kind: Kind = "query") -> None:
            try:
                found.append((name, await work, kind))
            except SourceError:
                return

        found.append(("names of", dialect.configured(entity.type, entity.attributes or (), stream=False), "query"))
        await note("entities", self._search(entity, dialect))
        if entity.stream is not None:
            names = dialect.configured(entity.stream, entity.stream_attributes or (), stream=True)
            found.append((f"names of the stream {entity.stream} of", names, "query"))
            await note("newest point", self._points(entity, dialect))
        await note("entity", self._one(entity, dialect))
        await note("entity_create", dialect.create(entity.type, "name", {}), "mutation")
        await note("entity_update", dialect.update(entity.type, SOME_ID, {}), "mutation")
        await note("entity_delete", dialect.delete(entity.type, SOME_ID), "mutation")
        return found

    async def _search(self, entity: EntitySettings, dialect: Dialect) -> Question:
        return (await dialect.search(Need(entity.type, entity.attributes, entity.wanted, first=entity.first))).question

    async def _one(self, entity: EntitySettings, dialect: Dialect) -> Question:
        return (await dialect.one(entity.type, SOME_ID, None, entity.attributes)).question

    async def _points(self, entity: EntitySettings, dialect: Dialect) -> Question:
        columns = entity.stream_attributes
        stretch = Stretch(entity.stream or "", SOME_ID, columns, newest_first=True, first=1, of=entity.type)
        return (await dialect.points(stretch)).question
