"""Memory of `kwh2mqtt run` that has polled and is idle, against the floor: with one source, and with one of every provider.

The one provider is simulated over here, the five in a process of their own.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import aiomqtt

from bench.programs import KWH2MQTT, MIB, TOKEN, Memory, configuration, inside, running, said, settled
from bench.table import Row, at_most
from bridge.simulator.broker import HOST, broker
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber

PAIRS, PAIRS_OF_ALL = 5, 3
TARGET, TARGET_OF_ALL = 1.35, 1.5
FIRST_POLL = {"Homes", "Prices", "Readings"}
POLL_S = 30.0
FLOOR = Path(__file__).with_name("floor.py")

Pairs = list[tuple[Memory, Memory]]  # of the bridge and of the floor
Bridge = Callable[[Path, int], Awaitable[Memory]]


async def measured(folder: Path) -> list[Row]:
    pairs = await _pairs(_bridge, inside(folder, "one"), PAIRS)
    ours, theirs = _shown(pairs)
    private = median(bridge.anonymous / floor.anonymous for bridge, floor in pairs)
    anonymous = [median(pair[side].anonymous for pair in pairs) / MIB for side in (0, 1)]
    return [
        at_most("memory idle (resident)", f"{ours} MiB against {theirs}", _ratio(pairs), TARGET),
        Row("memory idle (anonymous part)", f"{anonymous[0]:.1f} MiB against {anonymous[1]:.1f}", f"{private:.2f} ×"),
        await _of_all(inside(folder, "all")),
    ]


async def _of_all(folder: Path) -> Row:
    async with running(sys.executable, "-m", "bench.stage", log=folder / "stage.log") as stage:
        tables = await said(stage)

        async def bridge(folder: Path, port: int) -> Memory:
            return await _bridge_of(tables, folder, port)

        pairs = await _pairs(bridge, folder, PAIRS_OF_ALL)
    ours, theirs = _shown(pairs)
    number = len(json.loads(tables))
    return at_most(
        f"memory idle with {number} providers (resident)", f"{ours} MiB against {theirs}", _ratio(pairs), TARGET_OF_ALL
    )


async def _pairs(bridge: Bridge, folder: Path, number: int) -> Pairs:
    _, *pairs = [await _pair(bridge, inside(folder, f"{one}")) for one in range(1 + number)]  # the first one compiles
    return pairs


async def _pair(bridge: Bridge, folder: Path) -> tuple[Memory, Memory]:
    async with broker(folder) as mqtt:
        return await bridge(folder, mqtt.port), await _floor(folder, mqtt.port)


def _shown(pairs: Pairs) -> tuple[str, str]:
    """Return the resident sets of both sides, in MiB."""
    ours, theirs = (f"{median(pair[side].rss for pair in pairs) / MIB:.1f}" for side in (0, 1))
    return ours, theirs


def _ratio(pairs: Pairs) -> float:
    return median(bridge.rss / floor.rss for bridge, floor in pairs)


async def _bridge(folder: Path, port: int) -> Memory:
    tibber = Tibber(lambda: datetime.now(UTC), token=TOKEN)
    async with Server(tibber.handle) as server:
        file = configuration(folder, port=port, url=f"{server.url}{PATH}")
        async with running(KWH2MQTT, "run", "--config", str(file), log=folder / "bridge.log") as process:
            async with asyncio.timeout(POLL_S):
                while not {asked.operation for asked in tibber.requests} >= FIRST_POLL:  # noqa: ASYNC110 - the simulator has no event
                    await asyncio.sleep(0.05)
            return await settled(process.pid)


async def _bridge_of(tables: str, folder: Path, port: int) -> Memory:
    """Return what a bridge holds with these sections as its only sources, once each is online."""
    file = folder / "bridge.toml"
    file.write_text(f'[mqtt]\nhost = "{HOST}"\nport = {port}\n[state]\ndirectory = "{folder / "state"}"\n', "utf-8")
    waited_for = {f"kwh2mqtt/{name}/state" for name in json.loads(tables)}
    async with aiomqtt.Client(HOST, port) as client:
        await client.subscribe("kwh2mqtt/+/state")
        command = (KWH2MQTT, "run", "--config", str(file))
        async with running(*command, log=folder / "bridge.log", KWH2MQTT_SOURCES=tables) as process:
            async with asyncio.timeout(POLL_S):
                while waited_for:
                    message = await anext(aiter(client.messages))
                    if message.payload == b"online":
                        waited_for.discard(str(message.topic))
            return await settled(process.pid)


async def _floor(folder: Path, port: int) -> Memory:
    async with running(sys.executable, "-P", str(FLOOR), HOST, str(port), log=folder / "floor.log") as process:
        await said(process)
        return await settled(process.pid)
