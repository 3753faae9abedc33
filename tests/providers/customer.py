"""An Octopus customer whose provider is the simulator, and whose clock is in the test's hand."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from bridge.models.observation import Observation
from bridge.models.price import Curve
from bridge.providers.base import Surroundings
from bridge.providers.octopus.operations import OPERATIONS
from bridge.providers.octopus.settings import PAUSE, OctopusSettings
from bridge.providers.octopus.source import Octopus
from bridge.redact import Redactor
from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH, REST_PATH
from bridge.simulator.octopus import Octopus as Simulated
from bridge.transport.http import Http
from tests.providers.direct import Direct
from tests.support import Impatient, Knowledge, Purse, Uncounted

HOST = "http://127.0.0.1"
KEY = "sk_live_demo"
MINUTE = timedelta(minutes=1)


@dataclass
class Customer:
    """An Octopus source on the simulator; `known` grows as the feed's would, `simulated` takes the simulator's own arguments."""

    moment: datetime
    settings: dict[str, Any] = field(default_factory=dict)
    simulated: dict[str, Any] = field(default_factory=dict)
    share: float = 0.5
    seed: int = 1

    def __post_init__(self) -> None:
        self.clock, self.purse, self.known = Impatient(self.moment), Purse(), Knowledge()
        self.provider = Simulated(self.clock.now, **self.simulated)
        self.meter, self.redact = Uncounted(), Redactor([KEY])
        self.restart()

    def restart(self) -> None:
        """Begin with a new source; the pocket and what is known are as they were."""
        http = Http(self.meter, self.clock, self.redact, pause=PAUSE, chance=random.Random(1), transport=Direct(self.provider))
        addresses = {
            "url": f"{HOST}{GRAPHQL_PATH}",
            "rest_url": f"{HOST}{REST_PATH}",
            "backend_url": f"{HOST}{BACKEND_PATH}",
        }
        signing = {} if {"email", "pre_signed_key", "organization_secret_key"} & self.settings.keys() else {"api_key": KEY}
        given = OctopusSettings.model_validate({"provider": "octopus", **addresses, **signing, **self.settings})
        chance = random.Random(self.seed)
        self.source = Octopus(given, Surroundings("home", http, self.clock, self.redact, self.share, chance, self.purse))

    async def poll(self) -> list[Observation]:
        return [observation async for observation in self._poll()]

    async def _poll(self) -> Any:
        now = self.clock.now()
        async for observation in self.source.poll(self.known, now):
            self.known.keep(observation, now)
            yield observation

    async def live_until(self, moment: datetime) -> list[Observation]:
        """Poll whenever something is due, as the feed does, a minute apart at least."""
        seen: list[Observation] = []
        while (due := self.source.next_poll(self.known, self.clock.now())) <= moment:
            self.clock.set(max(due, self.clock.now()))
            seen += await self.poll()
            self.clock.set(self.clock.now() + MINUTE)
        self.clock.set(max(moment, self.clock.now()))
        return seen

    async def execute(self, operation: str, **arguments: Any) -> BaseModel:
        given = OPERATIONS[operation].arguments.model_validate(arguments)
        return await self.source.execute(operation, given, self.known, self.clock.now())

    def curve(self, stream: str = "import", site: str | None = None) -> Curve:
        return self.known.curves[site or next(iter(self.known.sites)), stream]

    def asked(self) -> list[str | None]:
        return [asked.operation for asked in self.provider.requests]

    def originals(self) -> Iterator[str]:
        """Yield the method of each sign-in that was not by refresh token."""
        yield from (sign_in.method for sign_in in self.provider.sign_ins if sign_in.method != "refresh_token")
