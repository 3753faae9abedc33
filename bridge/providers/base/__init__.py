"""What a provider is: a module whose `PROVIDER` names its settings and how a source is made of them.

They are found by looking into this folder and at the entry points `kwh2mqtt.providers`, and imported when they are used.
"""

import importlib
import pkgutil
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from bridge.clock import Clock
from bridge.models.device import Device
from bridge.models.observation import Observation
from bridge.models.price import Curve
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.base.settings import DocumentSettings as DocumentSettings
from bridge.providers.base.settings import HeaderSecret as HeaderSecret
from bridge.providers.base.settings import RequestBudget as RequestBudget
from bridge.providers.base.settings import SourceSettings as SourceSettings
from bridge.providers.base.settings import Url as Url
from bridge.providers.base.settings import from_json as from_json
from bridge.providers.base.settings import secrets as secrets
from bridge.redact import Redactor
from bridge.transport.graphql import Json, Result
from bridge.transport.http import PAUSE, Http

GROUP = "kwh2mqtt.providers"


class Known(Protocol):
    """What is known of a source already, so that a poll need not ask for it."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """The sites by the provider's id."""
        ...

    def curve(self, site: str, stream: str) -> Curve | None: ...

    def devices(self, site: str) -> Sequence[Device]: ...

    def meters(self, site: str) -> Mapping[str, str]:
        """Return the names of a site's meters by the provider's id, of those that a MetersSeen has named."""
        ...

    def seen(self, kind: type[Observation]) -> datetime | None:
        """Return when an observation of this kind last came, also before a restart."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """A source that can be told to ask for everything at its next poll, whenever that was last asked for."""

    def expire(self) -> None: ...


class Source(Protocol):
    """One configured account at a provider."""

    def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        """Ask for what is due at `moment` and yield it. Raises SourceError where nothing more can be had."""
        ...

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        """Return when something is due next; not after `moment` where it is due now."""
        ...

    async def sign_in(self) -> str:
        """Try the credentials with one request and say for whom they are. Raises SourceError."""
        ...


@dataclass(frozen=True)
class Endpoint:
    """One GraphQL endpoint of a source, and every document that we send to it."""

    name: str  # tells several apart; empty for the only or the main one
    ask: Callable[[str, Json], Awaitable[Result]]  # a document and its variables, signed in; raises SourceError
    documents: Mapping[str, str]  # what it is for → the document
    write: Callable[[str, Json], Awaitable[Result]] | None = None  # a mutation, sent once; None where there is none to send
    mend: str | None = None  # what to do where a document no longer fits; None: what is usual


@runtime_checkable
class Introspectable(Protocol):
    """A source that speaks GraphQL."""

    def endpoints(self) -> Sequence[Endpoint]: ...


class Kind(StrEnum):
    """Whether an operation changes anything at the provider."""

    QUERY = "query"
    WRITE = "write"


@dataclass(frozen=True)
class Operation:
    """Something that a device may ask of a source."""

    kind: Kind
    about: str  # one line, for whoever lists the operations
    arguments: type[BaseModel]
    result: type[BaseModel]


@dataclass(frozen=True)
class Span:
    """Which readings are asked for: those of [start, end), of one meter and quantity where these are given."""

    start: datetime | None
    end: datetime | None
    meter: str | None = None
    quantity: str | None = None
    first: int = 100  # at the most
    after: str | None = None  # the cursor that the page before ended with


@dataclass(frozen=True)
class Page:
    """Some readings, oldest first, and the cursor of those that follow, None at the end."""

    readings: tuple[Reading, ...]
    next: str | None = None


@runtime_checkable
class Historian(Protocol):
    """A source that can be asked for readings of the past."""

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:
        """Return a page of the readings of a site (its id). Raises SourceError."""
        ...


@runtime_checkable
class Listening(Protocol):
    """A source that is told things besides, without asking: it is listened to for as long as the bridge runs."""

    def listen(self, known: Known) -> AsyncGenerator[Observation, None]:
        """Yield what comes, as it comes; ends only where there is nothing to listen to. Raises SourceError where the line breaks.

        The first observation says that the line stands: an empty one will do while nothing has come. A site that is not
        `known` yet is told before anything else of it. After an error it is asked anew.
        """
        ...


@runtime_checkable
class Loginable(Protocol):
    """A source that needs a person to sign it in, once."""

    async def login(self, tell: Callable[[str], None], *, browser: bool) -> str:
        """Sign in with a person's help, `tell` being what to show them, and keep the tokens; return what to say at the end.

        With `browser` by a page of the provider's that comes back to this machine, else by a code that is typed in anywhere.
        Raises SourceError, or Misconfigured where this source needs no person or cannot do it this way.
        """
        ...


@runtime_checkable
class Executor(Protocol):
    """A source that carries out the operations that its provider declares."""

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Return what the provider answered. A write is sent once, whatever happens. Raises SourceError."""
        ...


@dataclass(frozen=True)
class Guard:
    """What no document may reach, a user's own neither: what a stolen grant must not be able to do."""

    writes: frozenset[str] | None = None  # the only mutations there are for us, by root field; None: all
    hidden: frozenset[str] = frozenset()  # fields that would show a secret, wherever they stand


class Pocket(Protocol):
    """Where a source keeps its tokens over a restart; what another account kept there is not given out."""

    def read(self) -> str | None: ...
    def write(self, text: str | None) -> None: ...


class _Nowhere:
    """A pocket that keeps nothing."""

    def read(self) -> str | None:
        return None

    def write(self, text: str | None) -> None:
        pass


NOWHERE = _Nowhere()


@dataclass(frozen=True)
class Surroundings:
    """What a source is given to work with."""

    name: str
    http: Http
    clock: Clock
    redact: Redactor
    share: float  # of this installation, in [0, 1): spreads what all would do at one moment
    chance: random.Random | None = None  # likewise, anew each time
    tokens: Pocket = NOWHERE
    may_write: bool = True  # whether any client is granted a write of this source; else a token that can only read will do


@dataclass(frozen=True)
class Provider:
    """A service that we can talk to."""

    settings: type[SourceSettings]
    source: Callable[[Any, Surroundings], Source]  # settings of that type
    pause: timedelta = PAUSE  # after a 429 that does not say how long
    heeds_rate_limits: bool = False  # whether its answers say in `RateLimit-*` when the next may be asked for
    operations: Mapping[str, Operation] = field(default_factory=dict)  # then its source is an Executor
    guard: Guard = Guard()


def names() -> list[str]:
    """Return every provider that can be configured."""
    from bridge import providers

    own = {module.name for module in pkgutil.iter_modules(providers.__path__)} - {"base"}
    return sorted(own | {entry.name for entry in entry_points(group=GROUP)})


def find(name: str) -> Provider | None:
    """Return the provider called `name`, our own before a foreign one, or None."""
    from bridge import providers

    if name in {module.name for module in pkgutil.iter_modules(providers.__path__)} - {"base"}:
        found = importlib.import_module(f"{providers.__name__}.{name}").PROVIDER
    else:
        found = next((entry.load() for entry in entry_points(group=GROUP, name=name)), None)
    if found is not None and not isinstance(found, Provider):
        raise TypeError(f"provider {name} does not end in a Provider")
    return found
