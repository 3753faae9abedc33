"""Readings of the past: the points of one meter's stream, a page at a time, the oldest first."""

from datetime import datetime
from functools import partial

from bridge.errors import BadRequest, NotFound
from bridge.providers.base import Page, Span
from bridge.providers.octomesh.dialect import Stretch
from bridge.providers.octomesh.execute import Commands
from bridge.providers.octomesh.mesh import Mesh
from bridge.providers.octomesh.readings import of_point
from bridge.providers.octomesh.rounds import Rounds
from bridge.providers.octomesh.settings import EntitySettings, OctoMeshSettings
from bridge.providers.octomesh.units import Units
from bridge.topics import fold


class Past:
    """Reads the streams that the configuration names."""

    def __init__(self, settings: OctoMeshSettings, mesh: Mesh, rounds: Rounds, units: Units, commands: Commands) -> None:
        self._settings, self._mesh, self._rounds, self._units, self._commands = settings, mesh, rounds, units, commands

    async def page(self, site: str, span: Span, moment: datetime) -> Page:
        """Return the readings in `span`. Raises SourceError, or BadRequest where no meter is named or it has no stream."""
        if site != self._settings.tenant:
            raise NotFound(f"there is no tenant {site}")
        if span.meter is None:
            raise BadRequest("meter: name one, as each has pages of its own")
        entity = self._entity(span.meter)
        dialect = await self._mesh.dialect()
        stream = entity.stream or entity.type
        columns = (await dialect.points(Stretch(stream, span.meter, entity.stream_attributes, of=entity.type))).attributes
        wanted = tuple(name for name in columns if span.quantity in (None, fold(name)))
        if not wanted:
            raise NotFound(f"the stream has no {span.quantity}; it has: {', '.join(map(fold, columns)) or 'nothing'}")
        most = max(1, span.first // len(wanted))
        end = min(span.end, moment) if span.end is not None else moment
        asked = Stretch(stream, span.meter, wanted, span.start, end, first=most, after=span.after, of=entity.type)
        points, _, following = await self._commands.points(asked)
        unit = partial(self._units.of, entity, stream, dialect)
        return Page(tuple(reading for point in points for reading in of_point(span.meter, point, unit)), following)

    def _entity(self, meter: str) -> EntitySettings:
        """Return where a meter is configured: as it was last seen, else the only configured stream there is."""
        seen = self._rounds.entity_of(meter)
        streams = [entity for entity in self._settings.entities if entity.stream is not None]
        if seen is None and len(streams) == 1:
            return streams[0]
        if seen is None:
            raise NotFound(f"meter: nothing is known of an entity {meter} yet")
        if seen.stream is None:
            raise BadRequest("meter: it has no configured stream, so nothing is known of its past")
        return seen
