"""`kwh2mqtt demo`: the main job with nothing set up. Simulated providers that speak the real protocols, and a broker of its own.

A broker that `--config` or the environment names is used instead. A configuration that merely lies about is not: the demo's
made-up prices must never get onto the topics that somebody's charger listens to.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bridge.app import App, built
from bridge.clock import SystemClock
from bridge.faults import PREFIX
from bridge.models.message import Message
from bridge.providers import base as providers
from bridge.redact import Redactor
from bridge.settings import Settings, load
from bridge.simulator.broker import HOST, USUAL_PORT, NoBroker, broker
from bridge.simulator.stage import Tables, served
from bridge.state.settings import StateSettings
from bridge.transport.settings import MqttSettings

POLL_S = 0.1
WIDTH = 150  # of a line in the listing
LACKS_5 = "MQTT 3.1.1 lacks message expiry: if the bridge dies, old prices stay (each tells its `end`); and request/response."


async def demonstrate(config: Path | None, *, once: bool) -> int:
    """Run the demo until it is interrupted, or with `once` until everything is published; return the exit code."""
    clock, stop = SystemClock(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="kwh2mqtt-demo-") as folder:
        try:
            async with _mqtt(config, Path(folder)) as mqtt, served(clock.now) as tables:
                settings = _settings(mqtt, Path(folder), tables)
                async with built(settings, clock, Redactor(settings.secrets())) as app:
                    return await _show(app, mqtt, stop, once=once)
        except NoBroker as error:
            sys.stderr.write(f"{error}\n")
            return 1


@contextlib.asynccontextmanager
async def _mqtt(config: Path | None, folder: Path) -> AsyncIterator[MqttSettings]:
    in_environment = any(name.startswith(f"{PREFIX}MQTT__") for name in os.environ)
    if config is not None or in_environment or "KWH2MQTT_CONFIG" in os.environ:
        yield load(config, sources_wanted=False).mqtt
        return
    async with broker(folder, preferred_port=USUAL_PORT) as running:
        _say(f"broker: {running.program} on {HOST}:{running.port}, MQTT {running.protocol}")
        if running.protocol != "5":
            _say(f"  mosquitto is not installed. {LACKS_5}")
        yield MqttSettings(host=HOST, port=running.port, protocol=running.protocol)


def _settings(mqtt: MqttSettings, folder: Path, tables: Tables) -> Settings:
    used = {name: providers.find(table["provider"]) for name, table in tables.items()}
    found = {name: provider for name, provider in used.items() if provider is not None}
    sources = {name: provider.settings.model_validate(tables[name]) for name, provider in found.items()}
    return Settings(None, mqtt, StateSettings(directory=folder / "state"), sources, found)


async def _show(app: App, mqtt: MqttSettings, stop: asyncio.Event, *, once: bool) -> int:
    job = asyncio.create_task(app.run(stop))
    try:
        if await _all_published(app, stop):
            _list(app)
            _say(f"\nSubscribe with: mosquitto_sub -h {mqtt.host} -p {mqtt.port} -v -t '{mqtt.base_topic}/#'")
            if once:
                stop.set()
            else:
                _say("The price changes every quarter of an hour. Ctrl-C ends the demo.")
        await stop.wait()
    finally:
        stop.set()
        await job
    return 0


async def _all_published(app: App, stop: asyncio.Event) -> bool:
    """Wait until every source is online and the broker has taken all; return False where it is stopped before."""
    while not stop.is_set():
        now = app.clock.now()
        polled = all(account.latest.record.last_success for account in app.accounts)
        fresh = not any(account.report.stale(now) for account in app.accounts)
        if polled and fresh and app.broker.connected and not len(app.shelf):
            return True
        await asyncio.sleep(POLL_S)
    return False


def _list(app: App) -> None:
    _say("\nThese are retained on the broker now:\n")
    for message in sorted(app.shelf.messages()):
        _say(_line(message))


def _line(message: Message) -> str:
    line = f"{message.topic} {message.payload.decode()}"
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
