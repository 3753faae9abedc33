"""A factory whose provider is the simulator, and whose clock is in the test's hand."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bridge.models.observation import Observation, ReadingsSeen, Shortfall
from bridge.models.reading import Reading
from bridge.providers.base import Page, Span, Surroundings
from bridge.providers.sensorfact import PAUSE
from bridge.providers.sensorfact.operations import OPERATIONS, Readings
from bridge.providers.sensorfact.settings import SensorfactSettings
from bridge.providers.sensorfact.source import Sensorfact
from bridge.redact import Redactor
from bridge.simulator.sensorfact import KEY
from bridge.simulator.sensorfact import Sensorfact as Simulated
from bridge.transport.http import Http, Meter
from tests.providers.direct import Direct
from tests.support import Impatient, Knowledge, Uncounted

HOST = "http://127.0.0.1"
AMSTERDAM = "Europe/Amsterdam"
LINE: Mapping[str, Any] = {
    "name": "Line 1",
    "kind": "electricity",
    "path": "/v1/electricity/measurements",
    "params": {"meter": 17},
    "site_timezone": AMSTERDAM,
    "fields": {"power": "kW", "energy": "kWh"},
}
BOILER: Mapping[str, Any] = {
    "name": "Boiler",
    "kind": "gas",
    "path": "/v1/gas/measurements",
    "fields": {"energy": "kWh"},
}
PRESS: Mapping[str, Any] = {
    "name": "Press",
    "kind": "maintenance",
    "path": "/v1/maintenance/measurements",
    "fields": {"vibration": "mm/s"},
}
MINUTE = timedelta(minutes=1)


def settings(*measurements: Mapping[str, Any], **given: Any) -> SensorfactSettings:
    """Return the settings of a source with these measurements, of which the first tells the zone."""
    first, *rest = measurements or (LINE,)
    listed = [{"site_timezone": AMSTERDAM, **first}, *rest]
    about = {"provider": "sensorfact", "url": HOST, "api_key": KEY, "site": "plant-1", "measurements": listed}
    return SensorfactSettings.model_validate({**about, **given})


@dataclass
class Factory:
    """A source on the simulator; `known` grows as the feed's would, `simulated` are the simulator's own arguments."""

    moment: datetime
    measurements: tuple[Mapping[str, Any], ...] = (LINE,)
    given: dict[str, Any] = field(default_factory=dict)
    simulated: dict[str, Any] = field(default_factory=dict)
    share: float = 0.5
    meter: Meter = field(default_factory=Uncounted)

    def __post_init__(self) -> None:
        self.clock, self.known, self.redact = Impatient(self.moment), Knowledge(), Redactor([KEY])
        self.provider = Simulated(self.clock.now, **self.simulated)
        self.http = Http(
            self.meter, self.clock, self.redact, pause=PAUSE, heeds_rate_limits=True, chance=random.Random(1),
            transport=Direct(self.provider),
        )  # fmt: skip
        about = Surroundings("factory", self.http, self.clock, self.redact, self.share, random.Random(1))
        self.source = Sensorfact(settings(*self.measurements, **self.given), about)

    async def poll(self) -> list[Observation]:
        now, seen = self.clock.now(), []
        async for observation in self.source.poll(self.known, now):
            self.known.keep(observation, now)
            seen.append(observation)
        return seen

    async def live_until(self, moment: datetime) -> list[Observation]:
        """Poll whenever something is due, as the feed does, a minute apart at least."""
        seen: list[Observation] = []
        while (due := self.source.next_poll(self.known, self.clock.now())) <= moment:
            self.clock.set(max(due, self.clock.now()))
            seen += await self.poll()
            self.clock.set(self.clock.now() + MINUTE)
        self.clock.set(max(moment, self.clock.now()))
        return seen

    async def readings(self) -> list[Reading]:
        return read(await self.poll())

    async def ask(self, **arguments: Any) -> Readings:
        given = OPERATIONS["measurements"].arguments.model_validate(arguments)
        return await self.source.execute("measurements", given, self.known, self.clock.now())

    async def history(self, span: Span) -> Page:
        return await self.source.history("plant-1", span, self.known, self.clock.now())

    def asked(self) -> list[str]:
        return [asked.path for asked in self.provider.requests]


def read(seen: list[Observation]) -> list[Reading]:
    return [reading for observation in seen if isinstance(observation, ReadingsSeen) for reading in observation.readings]


def shortfalls(seen: list[Observation]) -> list[tuple[str, str, bool]]:
    found = (observation for observation in seen if isinstance(observation, Shortfall))
    return [(shortfall.error.code, str(shortfall.error), shortfall.behind) for shortfall in found]
