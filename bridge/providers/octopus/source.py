"""One account at a supplier on Kraken: each feature is asked for when it is due, and none holds up another.

Prices need no key where REST shows them, so they go on while a sign-in fails.
"""

import random
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from bridge.errors import Denied, Failed, Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.models.observation import Observation, Shortfall
from bridge.providers.base import Endpoint, Kind, Known, Page, Span, Surroundings
from bridge.providers.octopus import germany
from bridge.providers.octopus.codes import CODES, WORDS, Outdated
from bridge.providers.octopus.curves import Curves
from bridge.providers.octopus.devices import Devices
from bridge.providers.octopus.dispatching import Dispatching
from bridge.providers.octopus.documents import BACKEND_DOCUMENTS, DOCUMENTS
from bridge.providers.octopus.execute import Commands
from bridge.providers.octopus.history import History
from bridge.providers.octopus.households import KEY as HOUSEHOLDS
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.kraken import Kraken, LockedOut
from bridge.providers.octopus.metering import Metering
from bridge.providers.octopus.notices import Notices
from bridge.providers.octopus.operations import OPERATIONS
from bridge.providers.octopus.raw import ODD
from bridge.providers.octopus.rest import Rest
from bridge.providers.octopus.rota import Rota
from bridge.providers.octopus.settings import OctopusSettings
from bridge.providers.octopus.sign_in import SignIn
from bridge.providers.octopus.task import Desk, Key, Task
from bridge.transport.graphql import GraphQL
from bridge.transport.http import unknown

OUTDATED_FOR = timedelta(hours=24)


class Octopus:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: OctopusSettings, surroundings: Surroundings) -> None:
        self._desk = desk = _desk(settings, surroundings)
        self._households = Households(desk)
        devices = Devices(desk.kraken)
        self._curves = Curves(desk, self._households)
        self._dispatching = Dispatching(desk, self._households, devices)
        self._metering = Metering(desk, self._households)
        self._notices = Notices(desk, self._households)
        self._history = History(desk, self._households, self._metering.readings)
        self._commands = Commands(desk, self._households, devices, self._metering.readings)
        self._told: dict[Key, list[Shortfall]] = {}  # what each task lacked when it was last done

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        return min(task.due for task in self._tasks(known, moment))

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        locked_out: SourceError | None = None
        done: set[Key] = set()
        while (task := self._next(known, moment, done, only_prices=locked_out is not None)) is not None:
            done.add(task.key)
            if task.due > moment:
                for shortfall in self._told.get(task.key, ()):
                    yield shortfall  # not asked again yet, so it still holds
                continue
            try:
                async for observation in self._done(task, known, moment):
                    yield observation
            except LockedOut as error:
                locked_out = error
            except (RateLimited, Unreachable):
                if task.stream or not self._households.all:
                    raise
                return  # the rest is due at the next poll, without this one
        self._told = {key: told for key, told in self._told.items() if key in done}
        if locked_out is not None:
            raise locked_out

    def expire(self) -> None:
        self._desk.rota.expire()

    async def sign_in(self) -> str:
        return f"signed in; account(s): {', '.join(await self._households.numbers())}"

    def endpoints(self) -> Sequence[Endpoint]:
        kraken, backend = self._desk.kraken, self._desk.backend
        documents = DOCUMENTS if self._desk.tenant.british else germany.DOCUMENTS
        main = Endpoint("", kraken.introspect, documents, kraken.mutate)
        return [main, Endpoint("backend", backend.introspect, BACKEND_DOCUMENTS, backend.mutate)] if backend else [main]

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Carry out one of `OPERATIONS`. Raises SourceError."""
        try:
            return await self._commands.execute(operation, arguments, known, moment)
        except ODD as raised:
            raise (unknown(_odd(raised)) if OPERATIONS[operation].kind is Kind.WRITE else _odd(raised)) from None

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:
        """Return a page of the half-hours of a property; see `bridge.providers.base.Historian`."""
        try:
            return await self._history.page(site, span, known, moment)
        except ODD as raised:
            raise _odd(raised) from None

    def _tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        """Yield all there is to ask for, the most wanted first."""
        yield from self._households.tasks(known, moment)
        yield from self._curves.tasks(known, moment)
        yield from self._dispatching.tasks(known, moment)
        yield from self._metering.live_tasks(known, moment)
        yield from self._metering.tasks(known, moment)
        yield from self._notices.tasks(known, moment)

    def _next(self, known: Known, moment: datetime, done: set[Key], *, only_prices: bool) -> Task | None:
        """Return the task that comes next; there may be others than before, as the account is known better."""
        tasks = (task for task in self._tasks(known, moment) if task.key not in done)
        return next((task for task in tasks if task.stream or not only_prices), None)

    async def _done(self, task: Task, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        """Do one task. What fails is a shortfall; what must stop the poll is raised besides."""
        told: list[Shortfall] = []
        self._told[task.key] = told
        try:
            async for observation in task.work():
                if isinstance(observation, Shortfall):
                    told.append(observation)
                yield observation
        except (*ODD, SourceError) as raised:
            error = raised if isinstance(raised, SourceError) else _odd(raised)
            self._note(task, error, moment)
            kind = Denied if type(error) is Unauthenticated else type(error)  # the sign-in is good: this one thing is refused
            named = kind(f"{task.name}: {error}", retry_after=error.retry_after, reasons=error.reasons)
            if not isinstance(error, LockedOut):  # which the poll ends with
                told.append(Shortfall(named, task.site, behind=self._is_behind(task, known, moment)))
                yield told[-1]
            if _stops(error):
                raise error from None

    def _note(self, task: Task, error: SourceError, moment: datetime) -> None:
        rota, of_a_feature = self._desk.rota, task.stream is None and task.key != HOUSEHOLDS
        if isinstance(error, Outdated) and of_a_feature:
            rota.put_off(task.key, moment, OUTDATED_FOR)
        elif isinstance(error, RateLimited) and error.retry_after is not None:
            rota.put_off(task.key, moment, error.retry_after)
        else:
            refused = isinstance(error, Denied | Refused | Unauthenticated) and of_a_feature
            rota.note(task.key, moment, vain=True, refused=refused)

    def _is_behind(self, task: Task, known: Known, moment: datetime) -> bool:
        if task.stream:
            curve = known.curve(task.site or "", task.stream)
            return curve is None or curve.at(moment) is None
        return not self._households.all


def _desk(settings: OctopusSettings, surroundings: Surroundings) -> Desk:
    http, redact, tenant = surroundings.http, surroundings.redact, settings.place
    main = GraphQL(http, settings.url or tenant.url, redact, codes=CODES, words=WORDS)
    sign_in = SignIn(main, settings.credentials(), surroundings.tokens, surroundings.clock, redact.learn)
    rest_url, backend_url = settings.rest_url or tenant.rest_url, settings.backend_url or tenant.backend_url
    gateway = GraphQL(http, backend_url, redact, codes=CODES, words=WORDS) if backend_url else None
    return Desk(
        settings=settings,
        tenant=tenant,
        kraken=Kraken(main, sign_in),
        backend=Kraken(gateway, sign_in) if gateway else None,
        rest=Rest(http, rest_url, redact, settings.api_key) if rest_url else None,
        rota=Rota(tenant, surroundings.share, surroundings.chance or random.Random(), surroundings.clock.now()),
    )


def _stops(error: SourceError) -> bool:
    """Tell whether what is left would most likely be told the same."""
    return isinstance(error, LockedOut | RateLimited | Unreachable) and not isinstance(error, Failed)


def _odd(error: Exception) -> Malformed:
    return Malformed(f"the answer came in a shape that cannot be read ({type(error).__name__})")
