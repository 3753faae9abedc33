"""A broker and a connection to it, as the tests of both need them."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.models.message import Arrival, Message
from bridge.simulator.broker import programs
from bridge.transport.mqtt import Broker, greet
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf

STATE = "kwh2mqtt/bridge/state"
COMMANDS = "kwh2mqtt/command/+/+/+"


@asynccontextmanager
async def bridged(
    settings: MqttSettings, shelf: Shelf, arrived: Callable[[Arrival], None] | None = None
) -> AsyncIterator[Broker]:
    """Yield a broker connection that runs, and end it in good order."""
    commands = COMMANDS if arrived else None
    link = Broker(
        settings, shelf, SystemClock(), state_topic=STATE, client_id="kwh2mqtt-test", commands=commands, arrived=arrived
    )
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def messages(count: int) -> list[Message]:
    return [Message(f"kwh2mqtt/home/site-{number}/info", f"{number}".encode()) for number in range(count)]


async def until(condition: Callable[[], bool], patience_s: float = 20) -> None:
    async with asyncio.timeout(patience_s):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def configured(folder: Path, lines: str, program: str | None = None) -> AsyncIterator[None]:
    """Run a broker, mosquitto unless it is named, with a configuration of the test's own."""
    program = program or programs()[0]
    if program is None:
        pytest.skip("mosquitto is not installed")
    (folder / "own.conf").write_text(lines)
    process = subprocess.Popen([program, "-c", str(folder / "own.conf")], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def reached(settings: MqttSettings) -> str | None:
    """Greet the broker until it listens."""
    async with asyncio.timeout(20):
        while True:
            trouble = await greet(settings)
            if trouble is None or "refused" not in trouble.lower() or "login" in trouble:
                return trouble
            await asyncio.sleep(0.05)
