"""One account at ampere.cloud: facilities and devices once a day, their readings every ten minutes, the schema once a day.

Each facility is asked for by itself, whichever has waited longest first, so that none holds up another.
"""

import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from pydantic import BaseModel

from bridge.errors import Failed, Malformed, NotFound, RateLimited, SourceError, Unauthenticated, Unreachable
from bridge.models.observation import DeprecationsSeen, MetersSeen, Observation, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.site import Site
from bridge.pricing.day import bounds
from bridge.providers.ampere import profile as profiles
from bridge.providers.ampere import rows
from bridge.providers.ampere.execute import Commands
from bridge.providers.ampere.gateway import Gateway, Outdated, span
from bridge.providers.ampere.history import History
from bridge.providers.ampere.lists import Lists
from bridge.providers.ampere.rota import OUTDATED_FOR, Rota
from bridge.providers.ampere.settings import AmpereSettings
from bridge.providers.base import Endpoint, Known, Page, Span, Surroundings
from bridge.transport.deprecations import deprecations

log = logging.getLogger(__name__)

LISTS_EVERY = timedelta(hours=24)
SCHEMA_EVERY = timedelta(hours=24)
UNLISTED_AFTER = timedelta(hours=1)  # so long after the last list a device that is not on it makes us ask for another
MOST_AT_ONCE = 100  # facilities, where the profile asks for several in one request

Key = tuple[str, ...]  # what is asked for, of what
FACILITIES, SCHEMA = ("facilities",), ("schema",)


@dataclass(frozen=True)
class Task:
    """`work` asks and yields what came. Raises SourceError."""

    key: Key
    due: datetime
    work: Callable[[], AsyncIterator[Observation]]
    site: str | None = None


class Ampere:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: AmpereSettings, surroundings: Surroundings) -> None:
        """Raises Misconfigured where the profile cannot be used."""
        self._profile, self._redact = profiles.read(settings.profile), surroundings.redact
        self._file = settings.profile
        self._every = settings.poll_interval
        self._gateway = Gateway(settings, self._profile, surroundings)
        self._lists = Lists(self._gateway)
        self._history = History(self._gateway)
        self._commands = Commands(self._gateway, self._lists)
        self._rota = Rota(surroundings.chance or random.Random())
        self._told: dict[Key, list[Shortfall]] = {}  # what each task lacked when it was last done
        self._fresh: datetime | None = None  # when readings last came

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        return min(task.due for task in self._tasks(known, moment))

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        done: set[Key] = set()
        for phase in (self._account, self._facilities):
            for task in list(phase(known, moment)):
                done.add(task.key)
                async for observation in self._done(task, moment):
                    yield observation
        self._told = {key: told for key, told in self._told.items() if key in done}

    def expire(self) -> None:
        self._rota.expire(but=SCHEMA)
        self._gateway.forget()

    async def sign_in(self) -> str:
        section = "facilities" if self._profile.companies is None else "companies"
        listing = getattr(self._profile, section)
        result = await self._gateway.first(section, {})
        try:
            number = len(listing.items.list(result.data))
        except Malformed as error:
            raise self._gateway.misread(section, error) from None
        return f"signed in; {section}: {number or 'none'}{' or more' if number else ''}"

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the one endpoint; see `bridge.providers.base.Introspectable`."""
        documents = {name: document.document for name, document in self._profile.documents().items()}
        mend = f"Mend it in {self._file}"
        return (Endpoint("", self._gateway.query, documents, self._gateway.mutate, mend),)

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Carry out one of `OPERATIONS`. Raises SourceError."""
        return await self._commands.execute(operation, arguments, known, moment)

    async def history(self, site: str, asked: Span, known: Known, moment: datetime) -> Page:
        """Return a page of the readings of a facility; see `bridge.providers.base.Historian`."""
        return await self._history.page(known.sites[site], asked, moment)

    # what is due

    def _tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        yield from self._account(known, moment)
        yield from self._facilities(known, moment)

    def _account(self, known: Known, moment: datetime) -> Iterator[Task]:
        due = self._rota.due(FACILITIES, LISTS_EVERY, moment, known.seen(SitesSeen) if known.sites else None)
        yield Task(FACILITIES, due, partial(self._sites, moment))

    def _facilities(self, known: Known, moment: datetime) -> Iterator[Task]:
        """Yield what is due of each facility. Its devices come before its readings, whose topics bear their names."""
        devices, seen = known.seen(MetersSeen), known.seen(ReadingsSeen)
        groups = {key[1]: (key, group) for key, group in self._groups(known)}
        for site in sorted(known.sites.values(), key=lambda site: self._rota.last(("readings", site.id))):
            listed = ("devices", site.id)
            due = self._rota.due(listed, LISTS_EVERY, moment, devices if known.meters(site.id) else None)
            yield Task(listed, due, partial(self._meters, site, moment), site.id)
            if site.id in groups:
                asked, group = groups[site.id]
                due = self._rota.due(asked, self._every, moment, seen)
                yield Task(asked, due, partial(self._readings, group, known, moment), site.id if len(group) == 1 else None)
        if known.sites:
            due = self._rota.due(SCHEMA, SCHEMA_EVERY, moment, known.seen(DeprecationsSeen))
            yield Task(SCHEMA, due, self._deprecations)

    def _groups(self, known: Known) -> Iterator[tuple[Key, Sequence[Site]]]:
        """Yield which facilities are asked for in one request: each, or as many of a time zone as the profile lets us."""
        zones: dict[str, list[Site]] = {}
        for site in known.sites.values():
            zones.setdefault(site.timezone, []).append(site)
        size = MOST_AT_ONCE if self._profile.poll.told("facilities") else 1
        for sites in zones.values():
            for begin in range(0, len(sites), size):
                group = sites[begin : begin + size]
                yield ("readings", group[0].id), group

    # doing it

    async def _done(self, task: Task, moment: datetime) -> AsyncIterator[Observation]:
        """Do one task where it is due. What fails is a shortfall; what would befall all others too is raised."""
        if task.due > moment:
            for shortfall in self._told.get(task.key, ()):
                yield shortfall  # not asked again yet, so it still holds
            return
        told: list[Shortfall] = []
        self._told[task.key] = told
        try:
            async for observation in task.work():
                if isinstance(observation, Shortfall):
                    told.append(observation)
                yield observation
            self._rota.note(task.key, moment, vain=bool(told))
        except SourceError as error:
            if _stops(error):
                raise
            if isinstance(error, Outdated):
                self._rota.put_off(task.key, moment, OUTDATED_FOR)
            else:
                self._rota.note(task.key, moment, vain=True)
            told.append(Shortfall(error, task.site, behind=self._is_behind(task, moment)))
            yield told[-1]

    def _is_behind(self, task: Task, moment: datetime) -> bool:
        """Tell whether readings are missing by now: those of all facilities, as each may be one that is down for good."""
        return task.key[0] != "devices" and (self._fresh is None or moment - self._fresh > 1.5 * self._every)

    async def _sites(self, moment: datetime) -> AsyncIterator[Observation]:
        found = await self._lists.facilities(moment)
        yield SitesSeen(tuple(found.items), complete=not found.errors)
        for error in found.errors:
            yield Shortfall(error, behind=not found.items)
        if not found.items and not found.errors:
            yield Shortfall(NotFound("the token reaches no facility"))

    async def _meters(self, site: Site, moment: datetime) -> AsyncIterator[Observation]:
        found = await self._lists.devices(site.id, moment)
        titles = {site.id: rows.FACILITY} | {one.id: one.name for one in found.items}
        yield MetersSeen(site.id, titles, complete=not found.errors)
        for error in found.errors:
            yield Shortfall(error, site.id, behind=False)

    async def _readings(self, group: Sequence[Site], known: Known, moment: datetime) -> AsyncIterator[Observation]:
        """Ask for the newest readings of facilities of one time zone."""
        poll, only = self._profile.poll, group[0].id if len(group) == 1 and self._profile.poll.told("facility") else None
        end = (
            moment - (moment - rows.EPOCH) % self._every + self._every
        )  # the same for a while: what broke off goes on where it was
        words = {
            "facility": group[0].id,
            "facilities": [site.id for site in group],
            "reading_types": self._profile.types("readings"),
            "analysis_types": self._profile.types("analysis"),
            **span(end - poll.window, end),
            **span(*bounds(moment, group[0].zone, 0), "day_"),
        }
        results = await self._gateway.all("poll", words, f"readings of {group[0].title}", moment)
        try:
            found = [row for result in results for row in rows.measured(result.data, poll.series, only, moment)]
        except Malformed as error:
            raise self._gateway.misread("poll", error) from None
        newest = rows.newest(found)
        for site in group:
            own = [row for row in newest if row.facility == site.id]
            named = [row for row in own if row.meter in known.meters(site.id)]
            if len(named) < len(own):
                self._rota.hasten(("devices", site.id), UNLISTED_AFTER)
            yield ReadingsSeen(site.id, tuple(rows.readings(named, self._profile)))
        errors = [self._gateway.error(error) for result in results for error in result.errors]
        if found:
            self._fresh = moment
        if errors:
            yield Shortfall(errors[0], group[0].id, behind=not found)

    async def _deprecations(self) -> AsyncIterator[Observation]:
        """Have our documents judged against the schema; where it is not told, nothing is said of it."""
        documents = {name: document.document for name, document in self._profile.documents().items()}
        try:
            texts = await deprecations(self._gateway.text, documents)
        except SourceError as error:
            log.debug("what ampere.cloud has deprecated cannot be told: %s", error)
            return
        yield DeprecationsSeen(tuple(map(self._redact, texts)))


def _stops(error: SourceError) -> bool:
    """Tell whether what is left would most likely be told the same."""
    return isinstance(error, Unauthenticated | RateLimited | Unreachable) and not isinstance(error, Failed)
