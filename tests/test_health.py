"""`kwh2mqtt health`: 0 while the bridge lives and every source does what it can, else 1 and the reason."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from bridge.health import health
from bridge.simulator.broker import free_port
from bridge.simulator.faults import Fault
from bridge.transport.mqtt.exchange import Unanswered
from bridge.transport.settings import MqttSettings
from tests.conftest import subscribed
from tests.support import HandClock, utc
from tests.test_cli import command
from tests.test_run import started, tibber, write

NOON = utc("2026-06-10T12:00")
SOON = "2026-06-10T12:05:00Z"
UNREACHABLE = {"code": "unavailable", "message": "the provider answered 502"}


def stamp(**ago: float) -> str:
    return (NOON - timedelta(**ago)).isoformat().replace("+00:00", "Z")


Told = tuple[str, dict[str, Any]]


def told(sources: dict[str, Told], state: str = "online", at: str | None = stamp(seconds=59)) -> dict[str, str]:
    """Return what a bridge tells: each source with its state and what else stands in its health."""
    topics = {"bridge/state": state, "bridge/info": json.dumps({"sources": {name: {} for name in sources}})}
    if at is not None:
        topics["bridge/health"] = json.dumps({"at": at})
    for name, (state_, more) in sources.items():
        topics[f"{name}/state"] = state_
        topics[f"{name}/health"] = json.dumps({"next_poll": SOON, "error": None, **more})
    return topics


@asynccontextmanager
async def telling(mqtt: MqttSettings, topics: dict[str, str]) -> AsyncIterator[None]:
    async with aiomqtt.Client(mqtt.host, mqtt.port) as client:
        for topic, payload in topics.items():
            await client.publish(f"kwh2mqtt/{topic}", payload, qos=1, retain=True)
        yield


WELL = told({"home": ("online", {})})
MEND = "(kwh2mqtt/bridge/state): start it with kwh2mqtt run; where it runs, compare its broker and base_topic"
HEALTHS = [
    (WELL, "ok"),
    (told({"home": ("offline", {"error": UNREACHABLE})}), "ok"),
    (told({"home": ("offline", {"error": {"code": "rate_limited", "message": "wait"}})}), "ok"),
    (
        told({"home": ("offline", {"error": {"code": "unauthenticated", "message": "put new ones"}}), "cabin": ("online", {})}),
        "home: unauthenticated: put new ones",
    ),
    (told({"home": ("offline", {})}), "home: has brought nothing yet"),
    (
        told({"home": ("offline", {"error": UNREACHABLE, "next_poll": stamp(minutes=11)})}),
        "home: was to be asked at 11:49:00 UTC, and was not",
    ),
    ({**WELL, "bridge/state": "offline"}, f"the bridge is offline {MEND}"),
    (told({"home": ("online", {})}, at=stamp(seconds=181)), "the bridge is stuck: its last sign of life is 181 s old"),
    (
        told({"home": ("online", {})}, at=None),
        "the bridge tells nothing on kwh2mqtt/bridge/health: it has just begun, or waits for its clock to be set",
    ),
    ({**WELL, "bridge/info": "{}"}, "the bridge names no source on kwh2mqtt/bridge/info"),
    ({**WELL, "home/health": "[", "home/state": "offline"}, "home: has brought nothing yet"),
    ({}, f"the bridge is not there {MEND}"),
]


@pytest.mark.parametrize(("topics", "expected"), HEALTHS, ids=[expected for _, expected in HEALTHS])
async def test_the_reason_is_told(
    topics: dict[str, str], expected: str, mqtt: MqttSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with telling(mqtt, topics):
        well = await health(mqtt, HandClock(NOON), patience_s=5 if len(topics) == len(WELL) else 0.5)
    assert (capsys.readouterr().out, well) == (f"{expected}\n", expected == "ok")


async def test_without_a_broker_the_mend_is_told() -> None:
    with pytest.raises(Unanswered, match=r"is the broker running, and may this login read kwh2mqtt/bridge/#\?$"):
        await health(MqttSettings(host="127.0.0.1", port=free_port()), HandClock(NOON))


async def asked(config: Path) -> tuple[int, str]:
    done = await asyncio.to_thread(command, config.parent, "health", "--config", str(config))
    return done.returncode, done.stdout


async def test_the_command_says_how_a_running_bridge_fares(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            assert await asked(config) == (0, "ok\n")
            bridge.process.kill()
            await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "offline")
        assert await asked(config) == (1, f"the bridge is offline {MEND}\n")
        simulated.faults.set(Fault.UNAUTHENTICATED)
        async with started(config):
            await seen.until(lambda seen: "unauthenticated" in (seen.get("kwh2mqtt/home/health") or ""))
            code, out = await asked(config)
        assert (code, out.split(" (")[0]) == (1, "home: unauthenticated: the provider does not accept the credentials")
