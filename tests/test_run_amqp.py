"""An OctoMesh source that listens, on real parts: what is put on a RabbitMQ is on a mosquitto at once, and in the state file.

The tenant is the simulator; RabbitMQ is killed, and started anew on its port, while the bridge runs.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractExchange
from aio_pika.exceptions import DeliveryError

from bridge.app import App, built
from bridge.clock import SystemClock
from bridge.models.payload import SourceHealth
from bridge.providers.octomesh.pipeline import CONTENT_TYPE
from bridge.redact import Redactor
from bridge.settings import Settings, load
from bridge.simulator.broker import HOST
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.identity import Identity
from bridge.simulator.octomesh.service import OctoMesh
from bridge.simulator.server import Request, Response, Server
from bridge.state.store import Store
from bridge.transport.settings import MqttSettings
from tests.conftest import PATIENCE_S, Seen, subscribed
from tests.providers.test_octomesh_amqp import PIPELINE, envelope
from tests.transport.rabbit import Rabbit, is_installed, rabbit

EXCHANGE = "octo::com::dataflow-demo-df1"
POWER, STATE = "kwh2mqtt/mesh/demo/reading/press-1/power", "kwh2mqtt/mesh/state"
CONFIGURATION = """
secrets_directory = "{folder}/secrets"
[mqtt]
port = {mqtt_port}
[state]
directory = "{folder}/state"
[sources.mesh]
provider = "octomesh"
url = "{url}"
identity_url = "{url}"
tenant = "demo"
client_id = "demo-service"
[[sources.mesh.entities]]
type = "Industry.Energy/EnergyMeter"
attributes = ["name"]
[sources.mesh.amqp]
host = "127.0.0.1"
port = {amqp_port}
username = "{username}"
data_flow = "DF1"
pipeline = "{pipeline}"
[[sources.mesh.amqp.values]]
value = "$.power"
meter = "$.name"
quantity = "power"
unit = "kW"
"""


@asynccontextmanager
async def tenant() -> AsyncIterator[str]:
    identity = Identity(SystemClock().now)
    mesh = OctoMesh(SystemClock().now, dialect=Dialect.DOCUMENTED, tokens=identity)

    async def handle(request: Request) -> Response:
        return await (identity if request.path.startswith("/connect") else mesh).handle(request)

    async with Server(handle) as server:
        yield server.url


def configured(folder: Path, mqtt: MqttSettings, broker: Rabbit, url: str) -> Settings:
    (folder / "secrets").mkdir(mode=0o700)
    for name, secret in {"client_secret": "demo-secret", "amqp.password": broker.password}.items():
        (file := folder / "secrets" / f"sources.mesh.{name}").write_text(secret)
        file.chmod(0o600)
    given = {"folder": folder, "mqtt_port": mqtt.port, "url": url, "amqp_port": broker.port, "username": broker.username}
    (folder / "bridge.toml").write_text(CONFIGURATION.format(**given, pipeline=PIPELINE))
    return load(folder / "bridge.toml")


@asynccontextmanager
async def pipeline(broker: Rabbit) -> AsyncIterator["Pipeline"]:
    """Yield a pipeline; the exchange is made where it is not there."""
    async with await aio_pika.connect(host=HOST, port=broker.port, login=broker.username, password=broker.password) as connection:
        channel = await connection.channel(on_return_raises=True)
        yield Pipeline(await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True))


class Pipeline:
    """Sends messages."""

    def __init__(self, exchange: AbstractExchange) -> None:
        self._exchange = exchange

    async def send(self, body: bytes) -> None:
        """Send `body`. Raises DeliveryError where nobody listens."""
        await self._exchange.publish(aio_pika.Message(body, content_type=CONTENT_TYPE), PIPELINE)

    async def tell(self, content: Any) -> None:
        await self.send(json.dumps(envelope(content)).encode())

    async def is_heard(self) -> None:
        """Return once somebody listens, who is sent what nobody can read."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await self.send(b"no JSON")
                except DeliveryError:
                    await asyncio.sleep(0.05)
                else:
                    return


def value(seen: Seen) -> object:
    return json.loads(seen.latest[POWER])["value"]


def code(seen: Seen) -> object:
    """Return the code of the error in the source's health, None where there is none."""
    return (json.loads(seen.latest["kwh2mqtt/mesh/health"])["error"] or {}).get("code")


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[App]:
    stop = asyncio.Event()
    async with built(settings, SystemClock(), Redactor(settings.secrets())) as app:
        task = asyncio.create_task(app.run(stop))
        try:
            yield app
        finally:
            stop.set()
            await task


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    if not is_installed():
        pytest.skip("RabbitMQ is not installed")
    found = [tmp_path / name for name in ("bridge", "first", "second")]
    for folder in found:
        folder.mkdir()
    return found


@pytest.mark.slow
async def test_what_comes_over_amqp_is_published_at_once_and_a_broken_line_mends(
    folders: list[Path], mqtt: MqttSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    own, first, second = folders
    async with AsyncExitStack() as later, tenant() as url, subscribed(mqtt) as seen:
        broker = await later.enter_async_context(rabbit(first))
        sender = await later.enter_async_context(pipeline(broker))
        settings = configured(own, mqtt, broker, url)
        async with running(settings) as app:
            await seen.until(lambda seen: seen.get(STATE) == "online")
            assert (await app.account("mesh").source.sign_in()).endswith(", and its message bus can be listened to")
            await sender.is_heard()
            await sender.tell({"power": 41.5, "name": "Press 1"})
            await seen.until(lambda seen: seen.get(POWER))
            assert json.loads(seen.latest[POWER]) == {"value": 41.5, "unit": "kW", "at": "2026-06-10T10:04:59Z"}

            broker.process.kill()
            await seen.until(lambda seen: code(seen) == "unavailable")
            assert seen.get(STATE) == "online"
            again = await later.enter_async_context(rabbit(second, broker))
            sender = await later.enter_async_context(pipeline(again))
            await sender.is_heard()
            await sender.tell({"power": 42, "name": "Press 1"})
            await seen.until(lambda seen: value(seen) == 42 and code(seen) is None)
            assert SourceHealth.model_validate_json(seen.latest["kwh2mqtt/mesh/health"]).stale is False
    with Store(own / "state", SystemClock().now()) as state:
        kept = {(reading.meter, reading.quantity): reading.value for reading in state.readings("mesh")["demo"]}
    assert kept["press-1", "power"] == 42
    assert broker.password not in caplog.text
    told = [record.getMessage() for record in caplog.records if record.name.startswith("bridge.")]
    about = [line for line in told if "listened" in line or "left out" in line]
    assert [
        line.partition(";")[0] for line in about if "has no exchange" not in line
    ] == [  # nor has it for a moment, when it starts anew
        "mesh: a message is left out: JSONDecodeError",
        "mesh: it cannot be listened to: the connection to the AMQP broker was lost",
        "mesh: it is listened to again",
    ]
