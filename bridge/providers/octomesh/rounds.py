"""Polls, a round at a time: all types in one request and the pages that follow, then the newest point of every stream.

A round that is cut short goes on where it broke off: what was read is not asked for again, and no page is lost.
"""

from collections.abc import AsyncIterator, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bridge.errors import Malformed, NotFound, Refused, SourceError
from bridge.models.observation import MetersSeen, Observation, ReadingsSeen, Shortfall
from bridge.models.reading import Reading
from bridge.providers.base.pages import Leaf, Pages
from bridge.providers.octomesh.absent import absent, unread
from bridge.providers.octomesh.codes import Lacking, Outdated
from bridge.providers.octomesh.dialect import Dialect, Need, Row, Search
from bridge.providers.octomesh.filters import holds
from bridge.providers.octomesh.mesh import Answered, Mesh, stops
from bridge.providers.octomesh.newest import MOST_AT_ONCE, Key, Newest, is_missed
from bridge.providers.octomesh.raw import ODD
from bridge.providers.octomesh.readings import Standing, title
from bridge.providers.octomesh.settings import EntitySettings, OctoMeshSettings
from bridge.providers.octomesh.units import Units

KEPT_FOR = timedelta(minutes=15)  # a round that was cut short
SCHEMA_EVERY = timedelta(hours=1)  # while it lacks something, it is asked for anew


@dataclass
class Round:
    """What is left to be asked."""

    begun: datetime
    left: list[int]  # entities, by their number in the configuration
    points: list[Key] = field(default_factory=list)
    withheld: dict[Key, list[Reading]] = field(default_factory=dict)  # of entities, which their streams tell better
    ahead: dict[Key, Answered] = field(default_factory=dict)  # points that came before they were asked for
    told: list[Shortfall] = field(default_factory=list)
    is_whole: bool = True  # whether every entity there is was read; one that was not is not gone, so its meter stays


class Rounds:
    """Polls the configured entities of one tenant."""

    def __init__(self, settings: OctoMeshSettings, mesh: Mesh, units: Units) -> None:
        self._settings, self._mesh, self._units = settings, mesh, units
        self._site, self._entities = settings.tenant, settings.entities
        self._pages, self._standing = Pages(), Standing()
        self._round: Round | None = None
        self._last: datetime | None = None  # when the last whole round began
        self._broken: set[int] = set()  # entities whose pages broke off
        self._titles: dict[int, dict[str, str]] = {}  # of the meters of each entity, by id, as they were last read
        self._newest = Newest(settings.entities, mesh, units)
        self._renewed: datetime | None = None  # when the schema was last forgotten

    def next(self, moment: datetime) -> datetime:
        """Return when a round is due."""
        if self._round is not None or self._last is None or self._last > moment:
            return moment
        return self._last + self._settings.every

    def entity_of(self, rt_id: str) -> EntitySettings | None:
        """Return the configured entities that one of this id was found among, None where it was not seen yet."""
        return next((self._entities[number] for number, titles in self._titles.items() if rt_id in titles), None)

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
        if round_.is_whole and len(self._titles) == len(self._entities):
            meters = {rt_id: name for titles in self._titles.values() for rt_id, name in titles.items()}
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
        first = await self._first_pages(round_, searches, dialect)
        for number, search in searches.items():
            try:
                rows, odd = await self._all_rows(number, search, dialect, first.get(number), moment)
            except SourceError as error:
                yield self._failed(round_, number, error, moment)
                continue
            round_.left.remove(number)
            round_.is_whole = round_.is_whole and not odd
            if search.lacking:
                self._renew(moment)
            for shortfall in self._missing(round_, number, search, rows, odd):
                yield shortfall
            by_stream = await self._newest.columns(number, dialect)
            for observation in self._seen(round_, number, search.attributes, by_stream, rows, dialect):
                yield observation

    async def _first_pages(self, round_: Round, searches: dict[int, Search], dialect: Dialect) -> dict[int, Answered]:
        """Return the first page of each; the newest points of the meters known already come in the same request, if few."""
        numbers = [number for number in searches if number not in self._broken]
        known = [(number, rt_id) for number in numbers if self._entities[number].stream for rt_id in self._titles.get(number, ())]
        wanted = (await self._newest.sought(known, dialect)).wanted if len(known) <= MOST_AT_ONCE else []
        questions = [*(searches[number].question for number in numbers), *(one.sounding.question for one in wanted)]
        answers = await self._mesh.answers(questions) if questions else []
        round_.ahead = {one.key: value for one, value in zip(wanted, answers[len(numbers) :], strict=True)}
        return dict(zip(numbers, answers[: len(numbers)], strict=True))

    async def _all_rows(
        self, number: int, search: Search, dialect: Dialect, first: Answered | None, moment: datetime
    ) -> tuple[dict[str, Row], int]:
        """Return the entities of one configured type by id, and how many could not be read. Raises SourceError."""
        entity = self._entities[number]

        async def turn(cursor: str | None) -> Leaf:
            value = first if cursor is None and first is not None else await self._page(number, dialect, cursor)
            if isinstance(value, SourceError):
                raise value
            rows = dialect.rows(value, search)
            meant = [row for row in rows.rows if search.rest is None or holds(search.rest, row.value)]
            return Leaf([*meant, *[None] * rows.odd], rows.next)

        most = -(-entity.limit // entity.first)
        self._broken.add(number)
        try:
            items = await self._pages.all(number, entity.type, moment, turn, most)
        except ODD as error:
            raise Malformed(f"{entity.type} came in a shape that cannot be read ({type(error).__name__})") from None
        except Malformed as error:
            mend = "; raise limit, or ask for less by filter" if str(error).startswith("there are more than") else ""
            raise Malformed(f"{error}{mend}") from None
        self._broken.discard(number)
        rows = {row.rt_id: row for row in items if row is not None}
        return rows, items.count(None)

    async def _page(self, number: int, dialect: Dialect, cursor: str | None) -> Any:
        return await self._mesh.only((await dialect.search(replace(self._need(number), after=cursor))).question)

    def _need(self, number: int) -> Need:
        entity = self._entities[number]
        return Need(entity.type, entity.attributes, entity.wanted, first=entity.first)

    def _seen(
        self,
        round_: Round,
        number: int,
        attributes: Sequence[str],
        by_stream: Container[str],
        rows: Mapping[str, Row],
        dialect: Dialect,
    ) -> Iterator[Observation]:
        """Yield the meters of one configured type and their readings, but for those quantities that come from their stream."""
        entity, found = self._entities[number], list[Reading]()
        titles = {rt_id: title(row) for rt_id, row in rows.items()}
        self._titles[number] = titles if round_.is_whole else {**self._titles.get(number, {}), **titles}
        yield MetersSeen(self._site, titles, complete=False)
        unit = partial(self._units.of, entity, entity.type, dialect)
        for rt_id, row in rows.items():
            readings = self._standing.of_row(row, attributes, unit, round_.begun)
            found += [reading for reading in readings if reading.quantity not in by_stream]
            round_.withheld[number, rt_id] = [reading for reading in readings if reading.quantity in by_stream]
        yield ReadingsSeen(self._site, tuple(found))
        if entity.stream is not None:
            round_.points += [(number, rt_id) for rt_id in rows]

    def _missing(self, round_: Round, number: int, search: Search, rows: Mapping[str, Row], odd: int) -> Iterator[Shortfall]:
        """Yield what did not come of one configured type, though the others may have."""
        entity = self._entities[number]
        for text in search.lacking.values():
            yield self._shortfall(round_, "", Refused(text), behind=False)
        if odd:
            yield self._shortfall(round_, entity.type, Malformed(unread(odd)), behind=not rows)
        elif said := absent(entity, rows):
            yield self._shortfall(round_, "", NotFound(said), behind=False)

    # streams

    async def _all_points(self, round_: Round, dialect: Dialect) -> AsyncIterator[Observation]:
        lacking: set[str] = set()
        while round_.points:
            some = round_.points[:MOST_AT_ONCE]
            sought = await self._newest.sought(some, dialect)
            answers = await self._newest.answers(sought.wanted, round_.ahead)
            found = self._newest.found(sought.wanted, answers, dialect, round_.withheld)
            yield ReadingsSeen(self._site, tuple(found.readings))
            for stream, error in found.errors.items():
                yield self._shortfall(round_, f"newest points of {stream}", error, behind=is_missed(error))
            lacking |= sought.lacking
            del round_.points[: len(some)]
        for text in sorted(lacking):
            self._renew(round_.begun)
            yield self._shortfall(round_, "", Refused(text), behind=False)

    # what went wrong

    def _failed(self, round_: Round, number: int, error: SourceError, moment: datetime) -> Shortfall:
        """Return what to tell of a type that could not be read. Raises `error` where it stops everything."""
        if stops(error):
            raise error
        round_.left.remove(number)
        if isinstance(error, Outdated):
            self._mesh.forget()
        elif isinstance(error, Lacking):  # the tenant has no such type, so there are none of it
            self._renew(moment)
            self._titles[number] = {}
        behind = is_missed(error) or len(self._entities) == 1
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
