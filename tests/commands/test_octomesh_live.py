"""OctoMesh through a real mosquitto: a tenant of each dialect side by side, its readings on topics, and a device's commands."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bridge.clock import SystemClock
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.identity import Identity
from bridge.simulator.octomesh.plant import plant, rt_id
from bridge.simulator.octomesh.service import OctoMesh
from bridge.simulator.server import Server
from bridge.transport.settings import MqttSettings
from tests.commands.life import device, living, outcome, written
from tests.providers.operator import METER, STREAMS, Front

SECOND = rt_id("65b1", 2)
CHANGES = {Dialect.DOCUMENTED: {"status": "Maintenance"}, Dialect.ACTUAL: {"machineState": "IDLE"}}
GRANT = '[clients.box]\nallow = ["*", "documented.entity_update", "actual.entity_update"]\n'


@asynccontextmanager
async def tenants() -> AsyncIterator[tuple[dict[Dialect, OctoMesh], str]]:
    """Serve a tenant of each dialect; yield them with the configuration of a source for each, of the dialect's name."""
    now, meshes, sections = SystemClock().now, dict[Dialect, OctoMesh](), ""
    async with AsyncExitStack() as stack:
        for dialect in Dialect:
            identity = Identity(now)
            meshes[dialect] = OctoMesh(now, dialect=dialect, plant=plant(meters=2, inverters=0), tokens=identity)
            server = await stack.enter_async_context(Server(Front(identity, meshes[dialect]).handle))
            sections += (
                f'[sources.{dialect.value}]\nprovider = "octomesh"\nurl = "{server.url}"\nidentity_url = "{server.url}"\n'
                f'tenant = "demo"\nclient_id = "demo-service"\nclient_secret = "demo-secret"\n'
                f'[[sources.{dialect.value}.entities]]\ntype = "{METER}"\nattributes = ["name"]\n'
                f'stream = "{STREAMS[dialect]}"\nstream_attributes = ["power"]\n'
            )
        yield meshes, sections


async def test_a_device_reads_and_writes_entities_of_either_dialect(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with (
        tenants() as (meshes, sections),
        living(written(tmp_path, mqtt, sections + GRANT)) as app,
        device(mqtt, "box") as box,
    ):
        topics = {message.topic: json.loads(message.payload) for message in app.shelf.messages() if "/reading/" in message.topic}
        for dialect, mesh in meshes.items():
            source = dialect.value
            assert topics[f"kwh2mqtt/{source}/demo/reading/meter-0002/name"]["value"] == "Meter 2"
            assert isinstance(topics[f"kwh2mqtt/{source}/demo/reading/main-building-meter/power"]["value"], float)
            about = {"type": METER, "attributes": ["name"]}
            found = await box.ask(f"{source}/entities", {"args": {**about, "filter": {"name": {"startsWith": "Meter"}}}})
            assert [entity["rt_id"] for entity in found["data"]["entities"]] == [SECOND]
            change = {"id": f"{source}-1", "args": {"type": METER, "rt_id": SECOND, "attributes": CHANGES[dialect]}}
            done = await box.ask(f"{source}/entity_update", change)
            assert done["data"]["attributes"] == CHANGES[dialect]
            assert (await box.ask(f"{source}/entity_update", change))["replayed"] is True
            assert len(mesh.written) == 1
            gone = {"id": f"{source}-2", "args": {"type": METER, "rt_id": SECOND}}
            assert outcome(await box.ask(f"{source}/entity_delete", gone)) == "not_allowed"
            past = await box.ask(f"{source}/readings", {"args": {"meter": "main-building-meter", "previous": "10m"}})
            assert {reading["meter"] for reading in past["data"]["readings"]} == {"main-building-meter"}
            assert len(past["data"]["readings"]) >= 9
