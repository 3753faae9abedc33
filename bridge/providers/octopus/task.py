"""One thing that is due at some time: what the features of the source hand to it, and what all of them work with."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.models.observation import Observation
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.rest import Rest
from bridge.providers.octopus.rota import Rota
from bridge.providers.octopus.settings import OctopusSettings
from bridge.providers.octopus.tenants import Tenant

Key = tuple[str, ...]  # what is asked for, of what


@dataclass(frozen=True)
class Task:
    """`work` asks and yields what came; at its end it has noted in the rota when to ask again. Raises SourceError."""

    key: Key
    due: datetime
    work: Callable[[], AsyncIterator[Observation]]
    site: str | None = None
    stream: str | None = None  # of a price

    @property
    def name(self) -> str:
        return f"{self.stream} prices" if self.stream else self.key[0]


@dataclass(frozen=True)
class Desk:
    """What every feature works with."""

    settings: OctopusSettings
    tenant: Tenant
    kraken: Kraken
    backend: Kraken | None  # Octopus' own gateway
    rest: Rest | None
    rota: Rota
