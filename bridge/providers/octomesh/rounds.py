"""Polls, a round at a time: all types in one request and the pages that follow, then the newest point of every stream.

A round that is cut short goes on where it broke off: what was read is not asked for again, and no page is lost.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bridge.errors import Denied, Malformed, NotFound, Refused, SourceError
from bridge.models.observation import MetersSeen, Observation, ReadingsSeen, Shortfall
from bridge.models.reading import Reading
from bridge.providers.base.pages import Leaf, Pages
from bridge.providers.octomesh.codes import Outdated
from bridge.providers.octomesh.dialect import Dialect, Need, Row, Search, Sounding, Stretch
from bridge.providers.octomesh.filters import holds
from bridge.providers.octomesh.mesh import Answered, Mesh, stops
from bridge.providers.octomesh.raw import ODD
from bridge.providers.octomesh.readings import Standing, of_point, title
from bridge.providers.octomesh.settings import EntitySettings, OctoMeshSettings
from bridge.providers.octomesh.units import Units
from bridge.topics import fold

MOST_AT_ONCE = 40  # streams in one request
KEPT_FOR = timedelta(minutes=15)  # a round that was cut short
SCHEMA_EVERY = timedelta(hours=1)  # while it lacks something, it is asked for anew


@dataclass
class Round:
    """What is left to be asked."""

    begun: datetime
    left: list[int]  # entities, by their number in the configuration
    points: list[tuple[int, str]] = field(default_factory=list)  # entity and id
    told: list[Shortfall] = field(default_factory=list)


class Rounds:
    """Polls the configured entities of one tenant."""

    def __init__(self, settings: OctoMeshSettings, mesh: Mesh, units: Units) -> None:
        self._settings, self._mesh, self._units = settings, mesh, units
        self._site, self._entities = settings.tenant, settings.entities
        self._pages, self._standing = Pages(), Standing()
        self._round: Round | None = None
        self._last: datetime | None = None  # when the last whole round began
        self._broken: set[int] = set()  # entities whose pages broke off
        self._rows: dict[int, dict[str, Row]] = {}  # of each entity, by id, as they were last read
        self._renewed: datetime | None = None  # when the schema was last forgotten

    def next(self, moment: datetime) -> datetime:
        """Return when a round is due."""
        if self._round is not None or self._last is None or self._last > moment:
            return moment
        return self._last + self._settings.every

    def entity_of(self, rt_id: str) -> EntitySettings | None:
        """Return the configured entities that one of this id was found among, None where it was not seen yet."""
        return next((self._entities[number] for number, rows in self._rows.items() if rt_id in rows), None)

    async def go(self, moment: datetime) -> AsyncIterator[Observation]:
        """Do a round, or what is left of one. Raises SourceError for what stops everything."""
        round_ = self._round = self._taken_up(moment)
        for shortfall in round_.told:
            yield shortfall
        dialect = await self._mesh.dialect()
        streams = [entity.stream for entity in self._entities if entity.stream is not None]
        await dialect.prepare([entity.type for entity in self._entities], streams)
        if not self._entities:
            await self._mesh.alive()
        elif (error := await self._units.refresh(sorted({entity.type for entity in self._entities}), moment)) is not None:
            yield self._shortfall(round_, "units", error, behind=False)
        async for observation in self._all_entities(round_, dialect, moment):
            yield observation
        async for observation in self._all_points(round_, dialect):
            yield observation
        if self._entities and len(self._rows) == len(self._entities):
            meters = {rt_id: title(row) for rows in self._rows.values() for rt_id, row in rows.items()}
            self._standing.keep(meters)
            yield MetersSeen(self._site, meters)
        self._round, self._last = None, round_.begun

    def expire(self) -> None:
        """Ask for everything anew, the schema too."""
        self._round = self._last = None
        self._pages.forget()
        self._broken.clear()
        self._mesh.forget()
        self._units.forget()

    def _taken_up(self, moment: datetime) -> Round:
        kept = self._round
        if kept is not None and timedelta() <= moment - kept.begun < KEPT_FOR:
            return kept
        return Round(moment, list(range(len(self._entities))))

    # entities

    async def _all_entities(self, round_: Round, dialect: Dialect, moment: datetime) -> AsyncIterator[Observation]:
        searches: dict[int, Search] = {}
        for number in list(round_.left):
            try:
                searches[number] = await dialect.search(self._need(number))
            except SourceError as error:
                yield self._failed(round_, number, error, moment)
        first = await self._first_pages([number for number in searches if number not in self._broken], searches)
        for number, search in searches.items():
            try:
                rows = await self._all_rows(number, search, dialect, first.get(number), moment)
            except SourceError as error:
                yield self._failed(round_, number, error, moment)
                continue
            round_.left.remove(number)
            for text in search.lacking.values():
                self._renew(moment)
                yield self._shortfall(round_, "", Refused(text), behind=False)
            by_stream = await self._columns(number, dialect)
            plain = [name for name in search.attributes if fold(name) not in by_stream]
            for observation in self._seen(round_, number, plain, rows, dialect, moment):
                yield observation

    async def _first_pages(self, numbers: Sequence[int], searches: dict[int, Search]) -> dict[int, Answered]:
        """Return the first page of each, all in one request."""
        if not numbers:
            return {}
        found = await self._mesh.answers([searches[number].question for number in numbers])
        return dict(zip(numbers, found, strict=True))

    async def _all_rows(
        self, number: int, search: Search, dialect: Dialect, first: Answered | None, moment: datetime
    ) -> dict[str, Row]:
        """Return the entities of one configured type by id. Raises SourceError."""
        entity = self._entities[number]

        async def turn(cursor: str | None) -> Leaf:
            value = first if cursor is None and first is not None else await self._page(number, dialect, cursor)
            if isinstance(value, SourceError):
                raise value
            rows = dialect.rows(value, search)
            return Leaf([row for row in rows.rows if search.rest is None or holds(search.rest, row.value)], rows.next)

        most = -(-entity.limit // entity.first)
        self._broken.add(number)
        try:
            rows = await self._pages.all(number, entity.type, moment, turn, most)
        except ODD as error:
            raise Malformed(f"{entity.type} came in a shape that cannot be read ({type(error).__name__})") from None
        except Malformed as error:
            mend = "; raise limit, or ask for less by filter" if str(error).startswith("there are more than") else ""
            raise Malformed(f"{error}{mend}") from None
        self._broken.discard(number)
        return {row.rt_id: row for row in rows}

    async def _page(self, number: int, dialect: Dialect, cursor: str | None) -> Any:
        return await self._mesh.only((await dialect.search(replace(self._need(number), after=cursor))).question)

    def _need(self, number: int) -> Need:
        entity = self._entities[number]
        return Need(entity.type, entity.attributes, entity.wanted, first=entity.first)

    async def _columns(self, number: int, dialect: Dialect) -> frozenset[str]:
        """Return the quantities that come from the stream of an entity: what both have is published from there alone."""
        if self._entities[number].stream is None:
            return frozenset()
        try:
            return frozenset(map(fold, (await dialect.points(self._newest(number, ""))).attributes))
        except SourceError:  # which the points are going to tell
            return frozenset()

    def _seen(
        self, round_: Round, number: int, plain: Sequence[str], rows: dict[str, Row], dialect: Dialect, moment: datetime
    ) -> Iterator[Observation]:
        entity, self._rows[number] = self._entities[number], rows
        yield MetersSeen(self._site, {rt_id: title(row) for rt_id, row in rows.items()}, complete=False)
        unit = partial(self._units.of, entity, entity.type, dialect)
        found = [one for row in rows.values() for one in self._standing.of_row(row, plain, unit, moment)]
        yield ReadingsSeen(self._site, tuple(found))
        if entity.stream is not None:
            round_.points += [(number, rt_id) for rt_id in rows]

    # streams

    async def _all_points(self, round_: Round, dialect: Dialect) -> AsyncIterator[Observation]:
        lacking: set[str] = set()
        while round_.points:
            some = round_.points[:MOST_AT_ONCE]
            asked: list[tuple[int, str, Sounding]] = []
            for number, rt_id in some:
                try:
                    asked.append((number, rt_id, await dialect.points(self._newest(number, rt_id))))
                except SourceError as error:
                    if stops(error):
                        raise
                    lacking |= {str(error)}
            lacking |= {text for _, _, sounding in asked for text in sounding.lacking.values()}
            answers = await self._mesh.answers([sounding.question for _, _, sounding in asked]) if asked else []
            readings, errors = self._of_points(asked, answers, dialect)
            yield ReadingsSeen(self._site, tuple(readings))
            for name, told in errors.items():
                yield self._shortfall(round_, f"newest points of {name}", told, behind=_is_missed(told))
            del round_.points[: len(some)]
        for text in sorted(lacking):
            self._renew(round_.begun)
            yield self._shortfall(round_, "", Refused(text), behind=False)

    def _newest(self, number: int, rt_id: str) -> Stretch:
        entity = self._entities[number]
        return Stretch(entity.stream or "", rt_id, entity.stream_attributes, newest_first=True, first=1)

    def _of_points(
        self, asked: Sequence[tuple[int, str, Sounding]], answers: Sequence[Answered], dialect: Dialect
    ) -> tuple[list[Reading], dict[str, SourceError]]:
        """Return the readings of the newest points, and of each stream the first error."""
        found: list[Reading] = []
        errors: dict[str, SourceError] = {}
        for (number, rt_id, sounding), value in zip(asked, answers, strict=True):
            entity = self._entities[number]
            stream = entity.stream or ""
            try:
                if isinstance(value, SourceError):
                    raise value
                points = dialect.read_points(value, sounding).points
            except (*ODD, SourceError) as error:
                told = error if isinstance(error, SourceError) else Malformed(f"a point cannot be read ({type(error).__name__})")
                errors.setdefault(stream, told)
                continue
            unit = partial(self._units.of, entity, stream, dialect)
            found += [one for point in points[:1] for one in of_point(rt_id, point, unit)]
        return found, errors

    # what went wrong

    def _failed(self, round_: Round, number: int, error: SourceError, moment: datetime) -> Shortfall:
        """Return what to tell of a type that could not be read. Raises `error` where it stops everything."""
        if stops(error):
            raise error
        round_.left.remove(number)
        if isinstance(error, Outdated):
            self._mesh.forget()
        elif isinstance(error, Refused):  # the tenant has no such type, so there are none of it
            self._renew(moment)
            self._rows[number] = {}
        behind = _is_missed(error) or len(self._entities) == 1
        return self._shortfall(round_, self._entities[number].type, error, behind=behind)

    def _shortfall(self, round_: Round, what: str, error: SourceError, *, behind: bool) -> Shortfall:
        text = f"{what}: {error}" if what else str(error)
        told = Shortfall(type(error)(text, retry_after=error.retry_after, reasons=error.reasons), self._site, behind=behind)
        round_.told.append(told)
        return told

    def _renew(self, moment: datetime) -> None:
        """Ask for the schema anew now and then, as it lacks something that may be there one day."""
        if self._renewed is None or not self._renewed <= moment < self._renewed + SCHEMA_EVERY:
            if self._renewed is not None:
                self._mesh.forget()
            self._renewed = moment


def _is_missed(error: SourceError) -> bool:
    """Tell whether what was not told would be there, had all gone well."""
    return not isinstance(error, Refused | NotFound | Denied)
