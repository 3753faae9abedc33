"""One account at ampere.cloud: facilities and devices once a day, their readings every ten minutes, the schema once a day.

Each facility is asked for by itself, whichever has waited longest first, so that none holds up another.
"""

import logging
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from pydantic import BaseModel

from bridge.errors import Malformed, NotFound, SourceError
from bridge.models.observation import DeprecationsSeen, MetersSeen, Observation, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.site import Site
from bridge.providers.ampere import load, rows
from bridge.providers.ampere.execute import Commands
from bridge.providers.ampere.gateway import Gateway, Outdated, stops
from bridge.providers.ampere.history import History
from bridge.providers.ampere.lists import Lists
from bridge.providers.ampere.newest import READINGS, Newest
from bridge.providers.ampere.rota import OUTDATED_FOR, Rota
from bridge.providers.ampere.settings import AmpereSettings
from bridge.providers.ampere.task import Key, Task
from bridge.providers.base import Endpoint, Known, Page, Span, Surroundings
from bridge.transport.deprecations import deprecations

log = logging.getLogger(__name__)

LISTS_EVERY = timedelta(hours=24)
SCHEMA_EVERY = timedelta(hours=24)

FACILITIES, SCHEMA = ("facilities",), ("schema",)


class Ampere:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: AmpereSettings, surroundings: Surroundings) -> None:
        """Raises Misconfigured where the profile cannot be used."""
        self._profile, self._redact = load.read(settings.profile), surroundings.redact
        self._file = settings.profile
        self._every = settings.poll_interval
        self._gateway = Gateway(settings, self._profile, surroundings)
        self._lists = Lists(self._gateway)
        self._history = History(self._gateway)
        self._commands = Commands(self._gateway, self._lists)
        self._rota = Rota(surroundings.chance or random.Random())
        self._newest = Newest(self._gateway, self._rota, self._every)
        self._told: dict[Key, list[Shortfall]] = {}  # what each task lacked when it was last done

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
        for key, group in sorted(self._newest.groups(known), key=lambda one: self._rota.last(one[0])):
            for site in group:
                listed = ("devices", site.id)
                has_any = bool(known.meters(site.id).keys() - {site.id})
                due = self._rota.due(listed, LISTS_EVERY, moment, devices if has_any else None)
                yield Task(listed, due, partial(self._meters, site, moment), site.id)
            due = self._rota.due(key, self._every, moment, seen)
            yield Task(key, due, partial(self._newest.ask, group, known, moment), group[0].id if len(group) == 1 else None)
        if known.sites:
            due = self._rota.due(SCHEMA, SCHEMA_EVERY, moment, known.seen(DeprecationsSeen))
            yield Task(SCHEMA, due, self._deprecations)

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
            self._rota.note(task.key, moment, vain=any(one.behind or task.key[0] != READINGS for one in told))
        except SourceError as error:
            if stops(error):
                raise
            if isinstance(error, Outdated):
                self._rota.put_off(task.key, moment, OUTDATED_FOR)
            else:
                self._rota.note(task.key, moment, vain=True)
            told.append(Shortfall(error, task.site, behind=self._is_behind(task, moment)))
            yield told[-1]

    def _is_behind(self, task: Task, moment: datetime) -> bool:
        """Tell whether readings are missing by now: those of all facilities, as each may be one that is down for good."""
        fresh = self._newest.came
        return task.key[0] != "devices" and (fresh is None or moment - fresh > 1.5 * self._every)

    async def _sites(self, moment: datetime) -> AsyncIterator[Observation]:
        found = await self._lists.facilities(moment)
        yield SitesSeen(tuple(found.items), complete=not found.errors)
        for error in found.errors:
            yield Shortfall(error, behind=not found.items)
        if not found.items and not found.errors:
            yield Shortfall(NotFound("the token reaches no facility"))

    async def _meters(self, site: Site, moment: datetime) -> AsyncIterator[Observation]:
        own = {site.id: rows.FACILITY}  # the facility's own readings need no list of devices
        try:
            found = await self._lists.devices(site.id, moment)
        except SourceError:
            yield MetersSeen(site.id, own, complete=False)
            raise
        yield MetersSeen(site.id, own | {one.id: one.name for one in found.items}, complete=not found.errors)
        for error in found.errors:
            yield Shortfall(error, site.id, behind=False)

    async def _deprecations(self) -> AsyncIterator[Observation]:
        """Have our documents judged against the schema; where it is not told, nothing is said of it."""
        documents = {name: document.document for name, document in self._profile.documents().items()}
        try:
            texts = await deprecations(self._gateway.text, documents)
        except SourceError as error:
            log.debug("what ampere.cloud has deprecated cannot be told: %s", error)
            return
        yield DeprecationsSeen(tuple(map(self._redact, texts)))
