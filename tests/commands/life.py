"""The bridge at work on simulated providers and a real broker, and devices that ask it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.app import App, built
from bridge.clock import Clock, SystemClock
from bridge.redact import Redactor
from bridge.settings import load
from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH, REST_PATH, Octopus
from bridge.simulator.octopus.homes import Device as Owned
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber
from bridge.transport.settings import MqttSettings

Protocol = Literal["5", "3.1.1"]
Json = dict[str, Any]
TOKEN, API_KEY = "a-token-that-must-stay-secret", "sk_live_that-must-stay-secret"
CAR = "00000000-0001-4000-8000-0000000c0a01"
ALL = '[clients."*"]\nallow = ["*", "octopus.boost_start", "octopus.smart_control_suspend", "home.notify"]\n'
PATIENCE_S = 30.0


@dataclass
class Providers:
    """Both simulated providers, and where they listen."""

    tibber: Tibber
    octopus: Octopus
    tibber_url: str
    octopus_url: str

    def sections(self, *, budget: str = "{ requests = 100000, seconds = 1 }") -> str:
        """Return the configuration of a source for each: `home` and `octopus`."""
        places = {"url": GRAPHQL_PATH, "rest_url": REST_PATH, "backend_url": BACKEND_PATH}
        addresses = "".join(f'{key} = "{self.octopus_url}{path}"\n' for key, path in places.items())
        return (
            f'[sources.home]\nprovider = "tibber"\ntoken = "{TOKEN}"\nurl = "{self.tibber_url}{PATH}"\nbudget = {budget}\n'
            f'[sources.octopus]\nprovider = "octopus"\napi_key = "{API_KEY}"\n{addresses}budget = {budget}\n'
        )


@asynccontextmanager
async def providers(devices: int = 1, clock: Clock | None = None) -> AsyncIterator[Providers]:
    """Serve both; the account at Octopus has so many devices, the first of which is CAR."""
    now = (clock or SystemClock()).now
    owned = [Owned(CAR if number == 0 else f"device-{number}", f"Device {number}") for number in range(devices)]
    tibber, octopus = Tibber(now, token=TOKEN), Octopus(now, api_key=API_KEY, devices=owned)
    async with Server(tibber.handle) as one, Server(octopus.handle) as other:
        octopus.base_url = other.url
        yield Providers(tibber, octopus, one.url, other.url)


def written(folder: Path, mqtt: MqttSettings, sections: str, about: str = "") -> Path:
    """Write a configuration and return its place; `about` goes into [mqtt]."""
    folder.mkdir(exist_ok=True)
    file = folder / "bridge.toml"
    head = f'[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\nprotocol = "{mqtt.protocol}"\n{about}'
    file.write_text(f'{head}[state]\ndirectory = "{folder / "state"}"\n{sections}', "utf-8")
    file.chmod(0o600)
    return file


@asynccontextmanager
async def living(file: Path, clock: Clock | None = None) -> AsyncIterator[App]:
    """Run the bridge of a configuration in this process; both sources are online by then."""
    settings, stop = load(file), asyncio.Event()
    async with built(settings, clock or SystemClock(), Redactor(settings.secrets())) as app:
        task = asyncio.create_task(app.run(stop))
        try:
            await until(lambda: all(account.latest.record.last_success for account in app.accounts) and not len(app.shelf))
            yield app
        finally:
            stop.set()
            await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


@dataclass
class Device:
    """A client of the broker that asks, and keeps every message on its response topics in order."""

    name: str
    client: aiomqtt.Client
    base: str = "kwh2mqtt"
    messages: list[aiomqtt.Message] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, errand: str, body: Json | bytes = b"", *, qos: int = 1, retain: bool = False, **about: Any) -> None:
        """Publish a command to `source/operation`; `about` are properties of MQTT 5."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        properties: Any = Properties(PacketTypes.PUBLISH) if about else None  # type: ignore[no-untyped-call]
        for key, value in about.items():
            setattr(properties, key, value)
        await self.client.publish(f"{self.base}/command/{self.name}/{errand}", payload, qos, retain, properties)

    async def ask(self, errand: str, body: Json | bytes = b"", **about: Any) -> Json:
        """Do so and return the next answer."""
        count = len(self.messages)
        await self.post(errand, body, **about)
        await self.until(count + 1)
        return self.answers()[count]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.messages) < count:
                self.more.clear()
                await self.more.wait()

    def answers(self) -> list[Json]:
        return [json.loads(bytes(message.payload)) for message in self.messages]

    def outcomes(self) -> list[tuple[str | None, str]]:
        """Return the id of each answer, and what became of its command."""
        return [(answer["id"], outcome(answer)) for answer in self.answers()]

    async def listen(self) -> None:
        async for message in self.client.messages:
            self.messages.append(message)
            self.more.set()


def outcome(answer: Mapping[str, Any]) -> str:
    """Return `ok`, or the code of the error."""
    return "ok" if answer["status"] == "ok" else str(answer["error"]["code"])


@asynccontextmanager
async def device(
    mqtt: MqttSettings, name: str = "wallbox", protocol: Protocol = "5", topic: str = "", base: str = "kwh2mqtt"
) -> AsyncIterator[Device]:
    """Yield a device that hears what is published below its own response topic, or on `topic`."""
    version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
    at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]  # else a message may leave 44 ms after it was sent
    async with aiomqtt.Client(mqtt.host, mqtt.port, protocol=version, socket_options=at_once) as client:
        own = Device(name, client, base)
        heard = topic or f"{base}/response/{name}/#"
        await client.subscribe(heard, **({"options": SubscribeOptions(2)} if protocol == "5" else {"qos": 2}))
        task = asyncio.create_task(own.listen())
        try:
            yield own
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
