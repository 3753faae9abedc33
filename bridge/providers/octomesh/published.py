"""The published server's schema, looked up: where a type's own field leads, and what stands in a connection."""

from bridge.providers.octomesh import fits
from bridge.providers.octomesh.naming import camel
from bridge.providers.octomesh.shapes import ENUM, QUERY, Field, Shapes, Type

RUNTIME, STREAMS, KIT = "runtime", "streamData", "constructionKit"
GENERIC = "runtimeEntities"  # the field, of queries and of mutations, that takes entities of any type


class Published:
    """What queries and writes of this dialect have in common."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    async def item(self, place: str, type_: str) -> Type:
        """Return the type of the items of a type's own field, which tells its attributes. Raises Refused where there is none."""
        found = fits.field(await self._shapes.at(QUERY, place), camel(type_), type_)
        await self._shapes.explore([found.named])
        items = fits.field(self._shapes.known(found.named), "items", type_)
        item = self._shapes.known(items.named)
        await self._shapes.explore(field.named for field in item.fields.values() if field.kind == ENUM)
        return item

    def within(self, connection: Field, name: str) -> Field:
        """Return a field of the items of a connection that was explored."""
        items = fits.field(self._shapes.known(connection.named), "items", connection.name)
        return fits.field(self._shapes.known(items.named), name, connection.name)
