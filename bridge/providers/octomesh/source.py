"""One tenant of an OctoMesh server: its entities are meters, and commands reach any type that its schema has."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime

from pydantic import BaseModel

from bridge.errors import Malformed
from bridge.models.observation import Observation, SitesSeen
from bridge.models.site import Site
from bridge.providers.base import Endpoint, Kind, Known, Page, Span, Surroundings
from bridge.providers.octomesh.amqp import DataFlow
from bridge.providers.octomesh.codes import CODES, STATUSES, WORDS, Outdated
from bridge.providers.octomesh.execute import Commands
from bridge.providers.octomesh.limits import Limits
from bridge.providers.octomesh.mesh import Mesh
from bridge.providers.octomesh.operations import OPERATIONS
from bridge.providers.octomesh.past import Past
from bridge.providers.octomesh.raw import ODD
from bridge.providers.octomesh.rest import Rest
from bridge.providers.octomesh.rounds import Rounds
from bridge.providers.octomesh.samples import Samples
from bridge.providers.octomesh.settings import OctoMeshSettings
from bridge.providers.octomesh.sign_in import SignIn
from bridge.providers.octomesh.units import Units
from bridge.transport.graphql import GraphQL, Json, Result
from bridge.transport.http import unknown


class OctoMesh:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: OctoMeshSettings, about: Surroundings) -> None:
        self._settings, limits = settings, Limits()
        self._site = Site(id=settings.tenant, title=settings.tenant, timezone=settings.timezone)
        self._flow = DataFlow(settings.amqp, about.name, settings.tenant, self._site, about.clock) if settings.amqp else None
        self._sign_in = SignIn(settings.client(), about)
        graphql = GraphQL(about.http, settings.graphql_url, about.redact, codes=CODES, words=WORDS, statuses=STATUSES)
        self._mesh = Mesh(graphql, self._sign_in, limits, about.clock, settings.dialect)
        self._units = Units(self._mesh)
        self._rounds = Rounds(settings, self._mesh, self._units)
        rest = Rest(about.http, settings.rest_url, settings.tenant, self._mesh, limits, about.clock, about.redact)
        self._commands = Commands(settings, self._mesh, rest)
        self._past = Past(settings, self._mesh, self._rounds, self._units, self._commands)
        self._samples = Samples(settings, self._mesh)

    def next_poll(self, known: Known, moment: datetime) -> datetime:  # noqa: ARG002 - the rounds remember
        return self._rounds.next(moment)

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:  # noqa: ARG002 - likewise
        """Do a round of polls; see `bridge.providers.base.Source`."""
        yield SitesSeen((self._site,))
        try:
            async for observation in self._rounds.go(moment):
                yield observation
        except Outdated:
            self._mesh.forget()
            raise
        except ODD as raised:
            raise _odd(raised) from None

    async def listen(self, known: Known) -> AsyncGenerator[Observation, None]:
        """Yield what the message bus brings, where one is configured; see `bridge.providers.base.Listening`."""
        if self._flow is not None:
            async with aclosing(self._flow.listen(known)) as heard:
                async for observation in heard:
                    yield observation

    def expire(self) -> None:
        self._rounds.expire()

    async def sign_in(self) -> str:
        await self._mesh.alive()
        dialect = await self._mesh.dialect()
        said = f"signed in; the tenant {self._settings.tenant} speaks the {dialect.name} dialect"
        if self._flow is None:
            return said
        await self._flow.reach()
        return f"{said}, and its message bus can be listened to"

    async def login(self, tell: Callable[[str], None], *, browser: bool) -> str:
        """Sign in with a person's help; see `bridge.providers.base.Loginable`."""
        return await self._sign_in.login(tell, browser=browser)

    def endpoints(self) -> Sequence[Endpoint]:
        return [Endpoint("", self._introspect, self._samples.documents, self._mesh.write)]

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:  # noqa: ARG002
        """Carry out one of `OPERATIONS`. Raises SourceError, or BadRequest for what the tenant's schema does not have."""
        try:
            return await self._commands.execute(operation, arguments)
        except Outdated:
            self._mesh.forget()
            raise
        except ODD as raised:
            raise (unknown(_odd(raised)) if OPERATIONS[operation].kind is Kind.WRITE else _odd(raised)) from None

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:  # noqa: ARG002 - the rounds remember
        """Return a page of the points of a meter; see `bridge.providers.base.Historian`."""
        try:
            return await self._past.page(site, span, moment)
        except ODD as raised:
            raise _odd(raised) from None

    async def _introspect(self, document: str, variables: Json) -> Result:
        """Ask a document of anybody's, having written down what is sent for this configuration."""
        await self._samples.write_down()
        return await self._mesh.ask(document, variables)


def _odd(error: Exception) -> Malformed:
    return Malformed(f"the answer came in a shape that cannot be read ({type(error).__name__})")
