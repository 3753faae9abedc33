"""An ampere.cloud account in the whole program; its provider is the simulator behind a real socket, its clock the test's."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.app import App, built
from bridge.models.message import Arrival
from bridge.providers.ampere import PROVIDER
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.simulator.ampere import PATH, Ampere, Company, park
from bridge.simulator.server import Server
from bridge.state.settings import StateSettings
from bridge.transport.settings import MqttSettings
from tests.support import Impatient, utc

TOKEN = "pl4nted-t0ken-that-nobody-may-see"
NOON = utc("2026-06-10T10:02")  # two minutes past noon in Berlin
WIDE = {"requests": 10_000, "seconds": 300}
ONE_PARK = (Company("c-1", "Sonnenfeld GmbH", (park(1, 3),)),)


@dataclass
class Plant:
    """A source called `plant` and all around it."""

    app: App
    simulated: Ampere
    clock: Impatient
    port: int

    async def poll(self) -> dict[str, Any]:
        """Poll once, and return the source's health."""
        account = self.app.account("plant")
        await self.app._pollers["plant"].poll()
        health, _ = account.report.messages(self.clock.now())
        told: dict[str, Any] = json.loads(health.payload)
        return told

    def topics(self, part: str = "/reading/") -> dict[str, Any]:
        """Return what stands below `plant/` on the topics that hold `part`."""
        lead = f"{self.app.topics.base}/plant/"
        return {
            message.topic.removeprefix(lead): json.loads(message.payload)
            for message in self.app.shelf.messages()
            if message.topic.startswith(lead) and part in message.topic
        }

    async def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Ask as a device does, and return its answer."""
        while len(self.app.shelf):
            await self.app.shelf.take()
        command = json.dumps({"id": "1", "args": arguments}).encode()
        self.app.desk.arrived(Arrival(f"kwh2mqtt/command/wallbox/plant/{operation}", command))
        while "/response/" not in (message := await self.app.shelf.take()).topic:
            pass
        answer: dict[str, Any] = json.loads(message.payload)
        return answer

    def asked(self) -> list[str | None]:
        return [asked.operation for asked in self.simulated.requests]

    def stock(self, *parks: Any) -> None:
        self.simulated.companies = (Company("c-1", "Sonnenfeld GmbH", parks),)


def configured(folder: Path, url: str, **more: Any) -> Settings:
    own = PROVIDER.settings.model_validate({"provider": "ampere", "token": TOKEN, "url": url, "budget": WIDE, **more})
    return Settings(None, MqttSettings(), StateSettings(directory=folder / "state"), {"plant": own}, {"plant": PROVIDER})


@asynccontextmanager
async def plant(
    folder: Path,
    companies: Sequence[Company] = ONE_PARK,
    moment: datetime = NOON,
    simulated: Ampere | None = None,
    port: int = 0,
    *,
    introspects: bool = False,
    **settings: Any,
) -> AsyncIterator[Plant]:
    """Yield an account; `simulated` may be one that a test has changed, or used before, then at its `port`.

    Judging a schema starts a process, so the provider `introspects` only where a test is of that.
    """
    clock = Impatient(moment)
    provider = simulated or Ampere(clock.now, token=TOKEN, companies=companies)
    provider._now, provider.introspects = clock.now, introspects
    async with (
        Server(provider.handle, port) as server,
        built(configured(folder, f"{server.url}{PATH}", **settings), clock, Redactor([TOKEN])) as app,
    ):
        yield Plant(app, provider, clock, server._port)
