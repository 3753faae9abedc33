"""The newest point of every stream: one question a meter, forty of them in one request."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bridge.errors import Denied, Malformed, NotFound, Refused, SourceError
from bridge.models.reading import Reading
from bridge.providers.octomesh.dialect import Dialect, Sounding, Stretch
from bridge.providers.octomesh.mesh import Answered, Mesh, stops
from bridge.providers.octomesh.raw import ODD
from bridge.providers.octomesh.readings import of_point
from bridge.providers.octomesh.settings import EntitySettings
from bridge.providers.octomesh.units import Units
from bridge.topics import fold

MOST_AT_ONCE = 40  # streams in one request

Key = tuple[int, str]  # of a meter: the number of its entities in the configuration, and its id


class Wanted(NamedTuple):
    """The point of one meter that is wanted."""

    number: int  # of its entities in the configuration
    rt_id: str
    sounding: Sounding

    @property
    def key(self) -> Key:
        return self.number, self.rt_id


class Sought(NamedTuple):
    """What can be asked for, and what the schema lacks of what is configured."""

    wanted: list[Wanted]
    lacking: set[str]


class Found(NamedTuple):
    """The readings that came, and of each stream the first error."""

    readings: list[Reading]
    errors: dict[str, SourceError]


class Newest:
    """Asks for the newest points of the streams that the configuration names."""

    def __init__(self, entities: Sequence[EntitySettings], mesh: Mesh, units: Units) -> None:
        self._entities, self._mesh, self._units = entities, mesh, units

    async def columns(self, number: int, dialect: Dialect) -> frozenset[str]:
        """Return the quantities that come from the stream of an entity: what both have is published from there."""
        if self._entities[number].stream is None:
            return frozenset()
        try:
            return frozenset(map(fold, (await dialect.points(self._stretch(number, ""))).attributes))
        except SourceError:  # which the points are going to tell
            return frozenset()

    async def sought(self, meters: Sequence[Key], dialect: Dialect) -> Sought:
        """Return the questions for the points of `meters`. Raises SourceError for what stops everything."""
        wanted: list[Wanted] = []
        lacking: set[str] = set()
        for number, rt_id in meters:
            try:
                wanted.append(Wanted(number, rt_id, await dialect.points(self._stretch(number, rt_id))))
            except SourceError as error:
                if stops(error):
                    raise
                lacking.add(str(error))
        for one in wanted:
            lacking |= {*one.sounding.lacking.values(), *filter(None, [one.sounding.note])}
        return Sought(wanted, lacking)

    async def answers(self, wanted: Sequence[Wanted], ahead: Mapping[Key, Answered]) -> list[Answered]:
        """Return what comes for each, nothing being asked for that came `ahead`. Raises SourceError for what stops everything."""
        left = [one for one in wanted if one.key not in ahead]
        asked = await self._mesh.answers([one.sounding.question for one in left]) if left else []
        came = {**ahead, **{one.key: value for one, value in zip(left, asked, strict=True)}}
        return [came[one.key] for one in wanted]

    def found(
        self, wanted: Sequence[Wanted], answers: Sequence[Answered], dialect: Dialect, withheld: Mapping[Key, Sequence[Reading]]
    ) -> Found:
        """Return what the answers say; where a point leaves a quantity out, what the entity itself says stands in: `withheld`.

        So it does where there is no stream to be had. One that failed for once leaves what its last point said.
        """
        found = Found([], {})
        for one, value in zip(wanted, answers, strict=True):
            stream = self._entities[one.number].stream or ""
            readings: list[Reading] = []
            try:
                readings = self._readings(one, stream, value, dialect)
            except SourceError as error:
                found.errors.setdefault(stream, error)
                if is_missed(error):
                    continue
            except ODD as error:
                found.errors.setdefault(stream, Malformed(f"a point cannot be read ({type(error).__name__})"))
                continue
            there = {reading.quantity for reading in readings}
            found.readings.extend(readings)
            found.readings.extend(own for own in withheld.get(one.key, ()) if own.quantity not in there)
        return found

    def _readings(self, one: Wanted, stream: str, value: Answered, dialect: Dialect) -> list[Reading]:
        if isinstance(value, SourceError):
            raise value
        unit = partial(self._units.of, self._entities[one.number], stream, dialect)
        points = dialect.read_points(value, one.sounding).points
        newest = max(points, key=lambda point: point.at, default=None)  # whatever order the server keeps
        return list(of_point(one.rt_id, newest, unit)) if newest is not None else []

    def _stretch(self, number: int, rt_id: str) -> Stretch:
        entity = self._entities[number]
        return Stretch(entity.stream or "", rt_id, entity.stream_attributes, newest_first=True, first=1, of=entity.type)


def is_missed(error: SourceError) -> bool:
    """Tell whether what was not told would be there, had all gone well."""
    return not isinstance(error, Refused | NotFound | Denied)
