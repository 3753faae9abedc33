"""From the start of the process to the first price from the cache at a subscriber, while the provider cannot be reached.

The floor is a process that imports the libraries and ends.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import aiomqtt

from bench.programs import KWH2MQTT, SOURCE, TOKEN, configuration, running
from bench.table import Row, at_most
from bridge.simulator.broker import HOST, broker
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber

PAIRS = 9
TARGET = 2
PRICE_S = 30.0
IMPORTS = "import aiomqtt, httpx2, pydantic_settings, tenacity"
PRICES = f"kwh2mqtt/{SOURCE}/+/price/import/value"
READINGS = f"kwh2mqtt/{SOURCE}/+/reading/#"  # the last that a first poll brings


async def measured(folder: Path) -> list[Row]:
    url = await _fill_cache(folder)
    await _imports()
    pairs = [(await _first_price(folder, url), await _imports()) for _ in range(PAIRS)]
    price, floor = zip(*pairs, strict=True)
    text = f"{median(price) * 1000:.0f} ms against {median(floor) * 1000:.0f}"
    return [at_most("first price from the cache", text, median(ours / theirs for ours, theirs in pairs), TARGET)]


async def _fill_cache(folder: Path) -> str:
    """Let a first run fill the state folder; return the provider's address, where nobody listens any more."""
    async with Server(Tibber(lambda: datetime.now(UTC), token=TOKEN).handle) as server:
        url = f"{server.url}{PATH}"
        await _until(READINGS, folder, url)
    return url


async def _first_price(folder: Path, url: str) -> float:
    return await _until(PRICES, folder, url)


async def _until(topics: str, folder: Path, url: str) -> float:
    """Return the seconds from the start of a bridge to the first message on `topics`, through an empty broker."""
    async with broker(folder) as mqtt, _subscribed(mqtt.port, topics) as messages:
        file = configuration(folder, port=mqtt.port, url=url)
        begun = perf_counter()
        async with running(KWH2MQTT, "run", "--config", str(file), log=folder / "bridge.log"):
            async with asyncio.timeout(PRICE_S):
                await anext(messages)
            return perf_counter() - begun


@asynccontextmanager
async def _subscribed(port: int, topics: str) -> AsyncIterator[AsyncIterator[aiomqtt.Message]]:
    async with aiomqtt.Client(HOST, port) as client:
        await client.subscribe(topics)
        yield aiter(client.messages)


async def _imports() -> float:
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", IMPORTS)
    await process.wait()
    return perf_counter() - begun
