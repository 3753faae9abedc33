"""A command whose answer is known, there and back through a real broker, against a bare echo by aiomqtt in turns.

With the broker's TCP_NODELAY, and with its default, where the broker itself holds a message with QoS 1 back for 44 ms.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import aiomqtt

from bench.programs import KWH2MQTT, SOURCE, TOKEN, configuration, inside, running, said
from bench.table import Row, at_most
from bridge.simulator.broker import HOST, free_port, programs
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber

ROUNDS, EACH = 10, 60  # a pair of series a round
SLOW_ROUNDS, SLOW_EACH = 3, 15
PATIENCE_S = 30.0
RATIO, LATEST_MS = 3, 15.0
OWN_DELAY = 1.25  # times the echo, where the broker holds back
COMMAND = f"kwh2mqtt/command/bench/{SOURCE}/sites"
ANSWER = f"kwh2mqtt/response/bench/{SOURCE}/sites"
LIMITS = "\n[commands]\nper_minute = 1000000\n"


async def measured(folder: Path) -> list[Row]:
    rows = []
    for nodelay in (True, False):
        async with Server(Tibber(lambda: datetime.now(UTC), token=TOKEN).handle) as provider:
            place = inside(folder, "quick" if nodelay else "usual")
            async with _mosquitto(place, nodelay=nodelay) as port, _bridge(place, port, f"{provider.url}{PATH}"):
                rows += [row for qos in (0, 1) for row in await _rows(port, qos, nodelay=nodelay)]
    return rows


async def _rows(port: int, qos: int, *, nodelay: bool) -> list[Row]:
    rounds, each = (ROUNDS, EACH) if nodelay else (SLOW_ROUNDS, SLOW_EACH)
    ours: list[float] = []
    echoes: list[float] = []
    async with _client(port) as client:
        await client.subscribe(ANSWER, qos=qos)
        await client.subscribe("back/#", qos=qos)
        await _series(client, COMMAND, 10, qos)  # warm
        for _ in range(rounds):
            ours += await _series(client, COMMAND, each, qos)
            echoes += await _series(client, "echo/bench", each, qos)
    about = f"a command, QoS {qos}{'' if nodelay else ', a broker that holds back'}"
    text = f"50 % {median(ours):.2f} ms against {median(echoes):.2f}, 99 % {_late(ours):.2f} against {_late(echoes):.2f}"
    ratio = median(ours) / median(echoes)
    if not nodelay:
        return [at_most(about, text, ratio, OWN_DELAY if qos else RATIO)]
    latest = Row(
        f"{about}: the latest", text, f"99 %: {_late(ours):.1f} ms", f"99 % ≤ {LATEST_MS:.0f} ms", _late(ours) <= LATEST_MS
    )
    return [at_most(about, text, ratio, RATIO), latest]


def _late(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


async def _series(client: aiomqtt.Client, topic: str, count: int, qos: int) -> list[float]:
    """Return how long each of `count` round trips took, ms."""
    times = []
    for _ in range(count):
        begun = perf_counter()
        await client.publish(topic, b"{}", qos=qos)
        async with asyncio.timeout(PATIENCE_S):
            await anext(client.messages)
        times.append((perf_counter() - begun) * 1000)
    return times


@asynccontextmanager
async def _client(port: int) -> AsyncIterator[aiomqtt.Client]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client(HOST, port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=options) as client:
        yield client


@asynccontextmanager
async def _mosquitto(folder: Path, *, nodelay: bool) -> AsyncIterator[int]:
    """Yield the port of a mosquitto with a bare echo at it."""
    port, program = free_port(), programs()[0]
    assert program is not None
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} {HOST}\nallow_anonymous true\n" + "set_tcp_nodelay true\n" * nodelay)
    async with running(program, "-c", str(file), log=folder / "mosquitto.log"):
        await _until_open(port)
        async with running(sys.executable, "-m", "bench.echo", str(port), log=folder / "echo.log") as process:
            await said(process)
            yield port


@asynccontextmanager
async def _bridge(folder: Path, port: int, url: str) -> AsyncIterator[None]:
    """Run the bridge until it has published the provider's prices."""
    file = configuration(folder, port=port, url=url)
    file.write_text(file.read_text("utf-8") + LIMITS, "utf-8")
    async with _client(port) as client:
        await client.subscribe(f"kwh2mqtt/{SOURCE}/+/price/import/summary")
        async with running(KWH2MQTT, "run", "--config", str(file), log=folder / "bridge.log"):
            async with asyncio.timeout(PATIENCE_S):
                await anext(client.messages)
            yield


async def _until_open(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
