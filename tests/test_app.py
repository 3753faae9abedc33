"""The main job on real parts: a real mosquitto, the provider's protocol served locally, real files. In one process."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.app import App, built
from bridge.clock import Clock, SystemClock
from bridge.models.payload import BridgeHealth, BridgeInfo, Columns, Payload, Price, SiteInfo, SourceHealth, Summary
from bridge.providers import base as providers
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.simulator.broker import free_port
from bridge.simulator.faults import Fault
from bridge.simulator.homes import DEFAULT_HOMES, Home
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber
from bridge.state.settings import StateSettings
from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed
from tests.support import utc

TOKEN = "a-token-that-must-stay-secret"
HOME = "kwh2mqtt/home/holm-street"


def configured(folder: Path, mqtt: MqttSettings, **urls: str) -> Settings:
    """Return settings with one Tibber source a keyword, at that address."""
    provider = providers.find("tibber")
    assert provider is not None
    sections = {name: {"provider": "tibber", "token": TOKEN, "url": url} for name, url in urls.items()}
    sources = {name: provider.settings.model_validate(section) for name, section in sections.items()}
    return Settings(None, mqtt, StateSettings(directory=folder / "state"), sources, dict.fromkeys(sources, provider))


AHEAD = utc("2026-06-10T10:10") - SystemClock().now()


class Noon(SystemClock):
    """A clock that goes as ours does, from 12:10 in Oslo on: prices of tomorrow are not out, and no day ends soon."""

    def now(self) -> datetime:
        return super().now() + AHEAD


@asynccontextmanager
async def tibber(homes: Sequence[Home] = DEFAULT_HOMES) -> AsyncIterator[tuple[Tibber, str]]:
    simulated = Tibber(Noon().now, token=TOKEN, homes=homes)
    async with Server(simulated.handle) as server:
        yield simulated, f"{server.url}{PATH}"


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[App]:
    stop = asyncio.Event()
    async with built(settings, clock or Noon(), Redactor(settings.secrets())) as app:
        task = asyncio.create_task(app.run(stop))
        try:
            yield app
        finally:
            stop.set()
            await task


def state(source: str) -> str:
    return f"kwh2mqtt/{source}/state"


def health(seen: Seen, source: str = "home") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(seen.latest.get(f"kwh2mqtt/{source}/health", b"{}"))
    return told


async def test_everything_in_the_topic_table_is_published_in_its_shape(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen, running(configured(tmp_path, mqtt, home=url)):
        await seen.until(lambda seen: seen.get(state("home")) == "online" and "kwh2mqtt/home/cabin/info" in seen.latest)
        await seen.until(lambda seen: f"{HOME}/reading/import/energy" in seen.latest)
        shapes: dict[str, type[Payload]] = {
            "kwh2mqtt/bridge/info": BridgeInfo,
            "kwh2mqtt/bridge/health": BridgeHealth,
            "kwh2mqtt/home/health": SourceHealth,
            f"{HOME}/info": SiteInfo,
            f"{HOME}/price/import/current": Price,
            f"{HOME}/price/import/next": Price,
            f"{HOME}/price/import/columns": Columns,
            f"{HOME}/price/import/summary": Summary,
        }
        for topic, shape in shapes.items():
            shape.model_validate_json(seen.latest[topic])
        slots = json.loads(seen.latest[f"{HOME}/price/import/slots"])
        current = json.loads(seen.latest[f"{HOME}/price/import/current"])
        assert all(list(slot) == ["start", "end", "value"] for slot in slots)
        assert {key: current[key] for key in ("start", "end", "value")} in slots
        assert json.loads(seen.latest[f"{HOME}/price/import/value"]) == current["value"]
        assert len(seen.latest[f"{HOME}/price/import/summary"]) < 1024
        assert set(json.loads(seen.latest[f"{HOME}/reading/import/energy"])) == {
            "value", "unit", "start", "end", "direction", "resolution", "aggregation",
        }  # fmt: skip
        assert json.loads(seen.latest["kwh2mqtt/bridge/info"])["sources"] == {
            "home": {"provider": "tibber", "sites": ["cabin", "holm-street"]}
        }


FAILS: list[tuple[Fault, str]] = [
    (Fault.ERRORS_200, "unavailable"),
    (Fault.UNAUTHENTICATED, "unauthenticated"),
    (Fault.HTTP_401, "unauthenticated"),
    (Fault.RATE_LIMITED, "rate_limited"),
    (Fault.BAD_GATEWAY, "unavailable"),
    (Fault.TRUNCATED, "unavailable"),
    (Fault.NULL_SUBSCRIPTION, "not_found"),
    (Fault.DROP, "unavailable"),
    (Fault.HTML_200, "unavailable"),
]


@pytest.mark.parametrize(("fault", "code"), FAILS)
async def test_a_failing_source_keeps_its_prices_tells_why_and_disturbs_no_other(
    tmp_path: Path, mqtt: MqttSettings, fault: Fault, code: str
) -> None:
    async with tibber() as (broken, url), tibber() as (_, other_url):
        settings = configured(tmp_path, mqtt, home=url, other=other_url)
        async with running(settings), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == seen.get(state("other")) == "online")
            price = f"{HOME}/price/import/slots"
            before = seen.latest[price]
        broken.faults.set(fault)
        asked = len(broken.requests)
        async with running(settings), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == "offline")
            told = health(seen)
            assert (told["stale"], told["error"]["code"]) == (True, code)
            assert seen.latest[price] == before
            assert f"{HOME}/price/import/value" in seen.latest
            assert seen.get(state("other")) == "online"
            assert health(seen, "other")["error"] is None
            assert len(broken.requests) - asked <= 3
            assert TOKEN not in json.dumps(told)


@pytest.mark.parametrize("fault", [Fault.EMPTY_QUARTERS, Fault.NULL_HOME])
async def test_a_source_that_gives_less_goes_on_with_what_it_gives(tmp_path: Path, mqtt: MqttSettings, fault: Fault) -> None:
    async with tibber() as (partial, url):
        partial.faults.set(fault)
        async with running(configured(tmp_path, mqtt, home=url)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/cabin/price/import/value"))
            await seen.until(lambda seen: seen.get(state("home")) == "online")
            assert health(seen)["stale"] is False


async def test_without_internet_the_cached_prices_are_there_before_the_first_request(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url):
        settings = configured(tmp_path, mqtt, home=url)
        async with running(settings), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == "online")
            price = seen.latest[f"{HOME}/price/import/slots"]
            asked = len(simulated.requests)
        simulated.faults.set(Fault.SLOW)
        async with subscribed(mqtt, "kwh2mqtt/home/#") as seen:
            count = len(seen.messages)
            async with running(settings):
                await seen.until(lambda _: len(simulated.requests) > asked)
                fresh = [str(message.topic) for message in seen.messages[count:]]
                assert f"{HOME}/price/import/value" in fresh
                assert seen.latest[f"{HOME}/price/import/slots"] == price


async def test_a_damaged_state_file_is_set_aside_and_the_job_goes_on(
    tmp_path: Path, mqtt: MqttSettings, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "state.db").write_bytes(b"not a database" * 1000)
    async with tibber() as (_, url), subscribed(mqtt) as seen, running(configured(tmp_path, mqtt, home=url)):
        await seen.until(lambda seen: seen.get(state("home")) == "online")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is kept as" in caplog.text
    assert len(list(folder.glob("state.db.damaged-*"))) == 1
    with sqlite3.connect(folder / "state.db") as connection:
        assert connection.execute("SELECT count(*) FROM curves").fetchone() == (2,)
    connection.close()


async def test_what_a_removed_source_left_is_cleared_and_nothing_else(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url):
        async with running(configured(tmp_path, mqtt, home=url, old=url)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == seen.get(state("old")) == "online")
        async with running(configured(tmp_path, mqtt, other=url)) as app:
            app.shelf.put([])
            async with subscribed(mqtt) as seen:
                await seen.until(lambda seen: not seen.standing("/old/") and not seen.standing("/home/"))
                await seen.until(lambda seen: seen.get(state("other")) == "online")


async def test_a_removed_source_is_cleared_also_where_the_broker_was_away_at_first(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url):
        async with running(configured(tmp_path, mqtt, old=url)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("old")) == "online")
        away = mqtt.model_copy(update={"port": free_port()})
        async with running(configured(tmp_path, away, other=url)) as app:
            async with asyncio.timeout(20):
                while app.accounts[0].latest.record.last_success is None:
                    await asyncio.sleep(0.02)
        async with running(configured(tmp_path, mqtt, other=url)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("other")) == "online")
            await seen.until(lambda seen: not seen.standing("/old/"))


async def test_a_topic_of_another_program_below_our_base_is_left_alone(tmp_path: Path, mqtt: MqttSettings) -> None:
    import aiomqtt

    async with aiomqtt.Client(mqtt.host, mqtt.port) as client:
        await client.publish("kwh2mqtt/old/somebody/else", b"stays", qos=1, retain=True)
    async with tibber() as (_, url), running(configured(tmp_path, mqtt, home=url)), subscribed(mqtt) as seen:
        await seen.until(lambda seen: seen.get(state("home")) == "online")
        assert seen.get("kwh2mqtt/old/somebody/else") == "stays"


class Pi(Noon):
    """A clock that says 1970 until somebody tells it better."""

    def __init__(self) -> None:
        self.set = False

    def now(self) -> datetime:
        return super().now() if self.set else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=30)


async def test_with_a_clock_of_1970_no_price_is_published_and_nobody_is_asked(
    tmp_path: Path, mqtt: MqttSettings, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Pi()
    async with tibber() as (simulated, url), subscribed(mqtt) as seen, running(configured(tmp_path, mqtt, home=url), clock):
        await seen.until(lambda seen: "kwh2mqtt/bridge/info" in seen.latest)
        await asyncio.sleep(0.3)
        assert sorted(seen.latest) == ["kwh2mqtt/bridge/info", "kwh2mqtt/bridge/state"]
        assert not simulated.requests
        clock.set = True
        await seen.until(lambda seen: seen.get(state("home")) == "online")
    assert [record.getMessage()[:21] for record in caplog.records] == ["the clock says 1970-0"]


async def test_personal_data_is_published_only_while_it_is_wanted(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url):
        settings = configured(tmp_path, mqtt, home=url)
        async with subscribed(mqtt) as seen, running(settings):
            await seen.until(lambda seen: seen.get(state("home")) == "online")
            assert set(json.loads(seen.latest[f"{HOME}/info"])) <= {
                "name", "timezone", "currency", "price_area", "streams", "standing_charges", "tariffs",
            }  # fmt: skip
        wanting = {"home": settings.sources["home"].model_copy(update={"publish_personal_data": True})}
        again = Settings(None, mqtt, StateSettings(directory=tmp_path / "fresh"), wanting, settings.providers)
        async with running(again), subscribed(mqtt) as seen:
            await seen.until(lambda seen: "personal" in json.loads(seen.latest.get(f"{HOME}/info", b"{}")))
        simulated.faults.set(Fault.SLOW)
        taken_back = Settings(None, mqtt, again.state, settings.sources, settings.providers)
        async with running(taken_back), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "online")
            await seen.until(lambda seen: "personal" not in json.loads(seen.latest.get(f"{HOME}/info", b'{"personal": 1}')))
