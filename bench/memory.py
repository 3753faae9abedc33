"""Memory of `kwh2mqtt run` that has polled one source and is idle, against the floor; the provider is simulated over here."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.programs import KWH2MQTT, MIB, TOKEN, Memory, configuration, inside, running, said, settled
from bench.table import Row, at_most
from bridge.simulator.broker import HOST, broker
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber

PAIRS = 5
TARGET = 1.35
FIRST_POLL = {"Homes", "Prices", "Readings"}
POLL_S = 30.0
FLOOR = Path(__file__).with_name("floor.py")


async def measured(folder: Path) -> list[Row]:
    _, *pairs = [await _pair(inside(folder, f"{number}")) for number in range(1 + PAIRS)]  # the first one compiles
    bridge, floor = zip(*pairs, strict=True)

    def shown(sizes: list[int]) -> str:
        return f"{median(sizes) / MIB:.1f}"

    text = f"{shown([one.rss for one in bridge])} MiB against {shown([one.rss for one in floor])}"
    anonymous = f"{shown([one.anonymous for one in bridge])} MiB against {shown([one.anonymous for one in floor])}"
    private = median(ours.anonymous / theirs.anonymous for ours, theirs in pairs)
    return [
        at_most("memory idle (resident)", text, median(ours.rss / theirs.rss for ours, theirs in pairs), TARGET),
        Row("memory idle (anonymous part)", anonymous, f"{private:.2f} ×"),
    ]


async def _pair(folder: Path) -> tuple[Memory, Memory]:
    async with broker(folder) as mqtt:
        return await _bridge(folder, mqtt.port), await _floor(folder, mqtt.port)


async def _bridge(folder: Path, port: int) -> Memory:
    tibber = Tibber(lambda: datetime.now(UTC), token=TOKEN)
    async with Server(tibber.handle) as server:
        file = configuration(folder, port=port, url=f"{server.url}{PATH}")
        async with running(KWH2MQTT, "run", "--config", str(file), log=folder / "bridge.log") as process:
            async with asyncio.timeout(POLL_S):
                while not {asked.operation for asked in tibber.requests} >= FIRST_POLL:  # noqa: ASYNC110 - the simulator has no event
                    await asyncio.sleep(0.05)
            return await settled(process.pid)


async def _floor(folder: Path, port: int) -> Memory:
    async with running(sys.executable, "-P", str(FLOOR), HOST, str(port), log=folder / "floor.log") as process:
        await said(process)
        return await settled(process.pid)
