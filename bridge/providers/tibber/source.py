"""One Tibber account: its features are asked for as the timetable says, and none holds up another."""

import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from bridge.errors import Denied, Incomplete, Malformed, NotFound, RateLimited, SourceError, Unauthenticated
from bridge.models.observation import Observation, ReadingsSeen, Shortfall, SitesSeen
from bridge.providers.base import Endpoint, HeaderSecret, Kind, Known, Page, SourceSettings, Span, Surroundings, Url
from bridge.providers.tibber import energy, normalise
from bridge.providers.tibber.documents import DOCUMENTS, HOMES, READINGS, VIEWER
from bridge.providers.tibber.energy import REGISTERS
from bridge.providers.tibber.execute import Commands
from bridge.providers.tibber.history import History
from bridge.providers.tibber.ladder import Ladder
from bridge.providers.tibber.operations import OPERATIONS
from bridge.providers.tibber.raw import ODD
from bridge.providers.tibber.timetable import Feature, Timetable
from bridge.transport.graphql import GraphQL, Json, Result
from bridge.transport.http import unknown

READINGS_LAST = 72  # h: they come late and are corrected later
CODES: Mapping[str, type[SourceError]] = {
    "RATE_LIMIT_EXCEEDED": RateLimited,
    "HOME_NOT_FOUND": NotFound,
    "NOT_FOUND": NotFound,
}
WORDS: Mapping[str, type[SourceError]] = {
    "invalid token": Unauthenticated,  # before 2025 it came without a code
    "no valid access token": Unauthenticated,
    "operation not allowed": Denied,  # a write for the demo account; its code is that of any fault
}


class TibberSettings(SourceSettings):
    """`[sources.NAME]` with `provider = "tibber"`."""

    provider: Literal["tibber"]
    token: HeaderSecret  # a personal access token or an OAuth one
    url: Url = "https://api.tibber.com/v1-beta/gql"

    def identity(self) -> str:
        return f"{self.url} {self.token.get_secret_value()}"


class Tibber:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: TibberSettings, surroundings: Surroundings) -> None:
        self._graphql = GraphQL(surroundings.http, settings.url, surroundings.redact, codes=CODES, words=WORDS)
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._personal = settings.publish_personal_data
        self.timetable = Timetable(surroundings.share, surroundings.chance or random.Random())
        self._ladder = Ladder(self._ask, self.timetable, self._graphql.error)
        self.timetable.without_contract = self._ladder.without_contract
        self._commands = Commands(self._ask, self._write, self._graphql.error)
        self._history = History(self._ask, self._graphql.error)
        self._told: dict[Feature, list[Shortfall]] = {}  # what each feature lacked when it was last asked for

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        return self.timetable.next(known, moment)

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        for feature in Feature:
            if self.timetable.due(feature, known, moment) > moment:
                for shortfall in self._told.get(feature, ()):
                    yield shortfall  # not asked again yet, so it still holds
            elif known.sites or feature is Feature.HOMES:
                async for observation in self._feature(feature, known, moment):
                    yield observation

    async def _feature(self, feature: Feature, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        """Ask for one feature. Homes and readings that fail are a shortfall; without prices the poll has failed."""
        told: list[Shortfall] = []
        self._told[feature] = told
        failed = False
        try:
            async for observation in self._asked(feature, known, moment):
                if isinstance(observation, Shortfall):
                    told.append(observation)
                yield observation
        except SourceError as error:
            fatal = isinstance(error, Unauthenticated | RateLimited)
            if fatal or feature is Feature.PRICES or not known.sites:
                raise
            failed = True
            told.append(Shortfall(error, behind=False))
            yield told[-1]
        behind = any(shortfall.behind for shortfall in told)
        lacks = feature is Feature.PRICES and self.timetable.lacks(known, moment)
        incomplete = feature is Feature.HOMES and bool(told)
        self.timetable.note(feature, known, moment, vain=failed or behind or lacks or incomplete)

    async def _asked(self, feature: Feature, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        match feature:
            case Feature.HOMES:
                for observation in self._homes(await self._ask(HOMES, personal=self._personal)):
                    yield observation
            case Feature.PRICES:
                async for observation in self._ladder.climb(known, moment):
                    yield observation
            case Feature.READINGS:
                for observation in self._readings(await self._ask(READINGS, last=READINGS_LAST), known, moment):
                    yield observation

    def expire(self) -> None:
        self.timetable.expire()

    async def sign_in(self) -> str:
        homes = normalise.homes((await self._ask(VIEWER)).data)
        names = [f"{home['id']} ({home.get('appNickname') or 'no name'})" for home in homes if home]
        return f"signed in; homes: {', '.join(names) or 'none'}"

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the one endpoint; see `bridge.providers.base.Introspectable`."""
        return (Endpoint("", self._query, DOCUMENTS, self._mutate),)

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Carry out one of `OPERATIONS`. Raises SourceError."""
        try:
            return await self._commands.execute(operation, arguments, known, moment)
        except ODD as raised:
            raise (unknown(_odd(raised)) if OPERATIONS[operation].kind is Kind.WRITE else _odd(raised)) from None

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:  # noqa: ARG002 - the provider knows
        """Return a page of the hours of a home; see `bridge.providers.base.Historian`."""
        try:
            return await self._history.page(site, span, moment)
        except ODD as raised:
            raise _odd(raised) from None

    async def _query(self, document: str, variables: Json) -> Result:
        return await self._graphql.query(document, variables, self._headers)

    async def _mutate(self, document: str, variables: Json) -> Result:
        return await self._graphql.mutate(document, variables, self._headers)

    async def _ask(self, document: str, **variables: Any) -> Result:
        return await self._query(document, variables)

    async def _write(self, document: str, **variables: Any) -> Result:
        return await self._mutate(document, variables)

    def _homes(self, result: Result) -> Iterator[Observation]:
        homes = normalise.homes(result.data)
        sites = tuple(site for home in homes if (site := normalise.site(home, personal=self._personal)) is not None)
        yield SitesSeen(sites, complete=bool(homes) and len(sites) == len(homes))
        if missing := len(homes) - len(sites):
            error = result.error_at("viewer", "homes")
            why = f": {error.message}" if error else ""
            yield Shortfall(Incomplete(f"{missing} of {len(homes)} homes came back empty{why}"), behind=not sites)
        elif not sites:
            yield Shortfall(NotFound("the account has no home"))

    def _readings(self, result: Result, known: Known, moment: datetime) -> Iterator[Observation]:
        for index, home in enumerate(normalise.homes(result.data)):
            site = known.sites.get(home["id"]) if home else None
            if home is not None and site is not None:
                yield from normalise.guarded(self._home_readings(index, home, result, moment), site, behind=False)

    def _home_readings(self, index: int, home: dict[str, Any], result: Result, moment: datetime) -> Iterator[Observation]:
        found = [energy.told(home, register, moment) for register in REGISTERS]
        newest = tuple(readings[-1] for readings in found if readings)
        yield ReadingsSeen(home["id"], newest, tuple(reading for readings in found for reading in readings[:-1]))
        for register in REGISTERS:
            if error := result.error_at("viewer", "homes", index, register.field):
                yield Shortfall(self._graphql.error(error), home["id"], behind=False)


def _odd(error: Exception) -> Malformed:
    return Malformed(f"the answer came in a shape that cannot be read ({type(error).__name__})")
