"""The access list of config/ on a real mosquitto: who may write and read where, and that the bridge works with its login."""

import asyncio
import getpass
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.app import built
from bridge.ask import ask, question
from bridge.clock import SystemClock
from bridge.demo import _settings
from bridge.models.message import Message
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.redact import Redactor
from bridge.simulator.broker import HOST, free_port
from bridge.simulator.stage import served
from bridge.transport.mqtt import connection, greet
from bridge.transport.mqtt.exchange import Barred
from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed
from tests.test_docs import one
from tests.test_docs_commands import PAGE
from tests.transport.link import configured, reached

CONFIG = Path(__file__).resolve().parents[1] / "config"
BASE = "kwh2mqtt"
BRIDGE, ADMIN, WALLBOX, HEATING, HOME_ASSISTANT = "kwh2mqtt", "admin", "wallbox", "heating", "homeassistant"
CAR = "00000000-0001-4000-8000-0000000c0a01"


@dataclass(frozen=True)
class Guarded:
    """A mosquitto with the files of config/."""

    port: int

    def as_(self, name: str) -> MqttSettings:
        return MqttSettings(host=HOST, port=self.port, username=name, password=SecretStr(f"{name}-pass"))


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    program, passwords = shutil.which("mosquitto_passwd"), tmp_path / "passwords"
    if program is None:
        pytest.skip("mosquitto is not installed")
    passwords.touch(0o600)
    for name in (BRIDGE, ADMIN, WALLBOX, HEATING, HOME_ASSISTANT):
        subprocess.run([program, "-b", str(passwords), name, f"{name}-pass"], check=True, capture_output=True)
    port = free_port()
    lines = (CONFIG / "mosquitto.example.conf").read_text("utf-8")
    for said, meant in {
        "listener 1883": f"listener {port} {HOST}",
        "/etc/mosquitto/kwh2mqtt.passwd": str(passwords),
        "/etc/mosquitto/kwh2mqtt.acl": str(shutil.copy(CONFIG / "mosquitto.acl", tmp_path / "acl")),
    }.items():
        assert lines.count(f"{said}\n") == 1
        lines = lines.replace(said, meant)
    async with configured(tmp_path, f"{lines}\nuser {getpass.getuser()}\n"):
        mosquitto = Guarded(port)
        assert await reached(mosquitto.as_(ADMIN)) is None
        yield mosquitto


@asynccontextmanager
async def bridged(mqtt: MqttSettings, folder: Path) -> AsyncIterator[None]:
    """Run the bridge, with simulated providers; the wallbox may start a boost, plan, and ask home."""
    clock, stop = SystemClock(), asyncio.Event()
    async with served(clock.now) as tables:
        settings = _settings(mqtt, folder, {"home": tables["tibber"], "octopus": tables["octopus"]})
        grants = {WALLBOX: ("home.*", "bridge.plan", "octopus.boost_start")}
        async with built(replace(settings, grants=grants, home_assistant=HomeAssistantSettings()), clock, Redactor()) as app:
            task = asyncio.create_task(app.run(stop))
            try:
                yield
            finally:
                stop.set()
                await task


async def asked(mqtt: MqttSettings, *words: str, client: str) -> bool:
    return await ask(mqtt, question(words, client=client, id_="7"), patience_s=10)


async def refused(mqtt: MqttSettings, *messages: Message) -> list[str]:
    """Return the topics of those messages that the broker refuses."""
    found = []
    for message in messages:
        async with connection(mqtt, "kwh2mqtt-forger") as client:
            await client.send(message, None)
            found += [message.topic] if client.refused == "Not authorized" else []
    return found


def holds(topic: str) -> Callable[[Seen], bool]:
    return lambda seen: any(str(message.topic) == topic for message in seen.messages)


async def test_without_a_login_or_with_a_wrong_password_nobody_gets_in(guarded: Guarded) -> None:
    for stranger in (
        MqttSettings(host=HOST, port=guarded.port),
        guarded.as_(WALLBOX).model_copy(update={"password": SecretStr("other")}),
    ):
        assert await greet(stranger) == "it refused the login; check mqtt.username and mqtt.password"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_the_bridge_works_with_its_login_and_each_client_is_answered(
    guarded: Guarded, tmp_path: Path, protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own, admin = (guarded.as_(name).model_copy(update={"protocol": protocol}) for name in (WALLBOX, ADMIN))
    async with subscribed(own) as seen, subscribed(admin) as all_, bridged(guarded.as_(BRIDGE), tmp_path):
        await seen.until(lambda seen: all(seen.get(f"{BASE}/{source}/state") == "online" for source in ("home", "octopus")))
        await seen.until(holds(f"{BASE}/octopus/home/dispatch/family-car"))
        assert await asked(own, "octopus", "boost_start", f"device_id={CAR}", client=WALLBOX)
        await all_.until(holds(f"{BASE}/bridge/audit"))
    (line,) = (json.loads(message.payload) for message in all_.messages if str(message.topic) == f"{BASE}/bridge/audit")
    assert [line[key] for key in ("client", "operation", "id", "outcome")] == [WALLBOX, "octopus.boost_start", "7", "ok"]
    assert json.loads(capsys.readouterr().out)["data"]["device_id"] == CAR
    hidden = {str(message.topic) for message in all_.messages} - {str(message.topic) for message in seen.messages}
    assert {topic for topic in hidden if not topic.startswith(f"{BASE}/command/")} == {f"{BASE}/bridge/audit"}


async def test_one_client_reads_nothing_of_anothers_commands_and_answers(guarded: Guarded, tmp_path: Path) -> None:
    async with subscribed(guarded.as_(HEATING)) as seen, bridged(guarded.as_(BRIDGE), tmp_path):
        await seen.until(lambda seen: seen.get(f"{BASE}/home/state") == "online")
        assert not await asked(guarded.as_(WALLBOX), "home", "notify", "title=a", "message=b", client=WALLBOX)
        assert await asked(guarded.as_(HEATING), "home", "sites", client=HEATING)
        await seen.until(lambda seen: any(topic.startswith(f"{BASE}/response/") for topic in seen.latest))
    levels = {tuple(str(message.topic).split("/")[1:3]) for message in seen.messages}
    shared = {("bridge", name) for name in ("state", "info", "health")}
    assert {pair for pair in levels if pair[0] not in ("home", "octopus")} == {*shared, ("response", HEATING)}


async def test_one_client_reads_its_own_plans_and_none_of_anothers(guarded: Guarded, tmp_path: Path) -> None:
    wanted = ("name=car", "source=home", "site=cabin", "duration=PT1H")
    async with subscribed(guarded.as_(HEATING)) as seen, bridged(guarded.as_(BRIDGE), tmp_path):
        await seen.until(lambda seen: seen.get(f"{BASE}/home/state") == "online")
        for client in (WALLBOX, HEATING):
            assert await asked(guarded.as_(client), "bridge", "plan", *wanted, client=client)
        await seen.until(holds(f"{BASE}/plan/{HEATING}/car"))
    assert {topic for topic in seen.latest if "/plan/" in topic} == {f"{BASE}/plan/{HEATING}/car{end}" for end in ("", "/active")}
    assert await refused(guarded.as_(WALLBOX), Message(f"{BASE}/plan/{WALLBOX}/car/active", b"ON")) != []


async def test_one_client_forges_nothing_of_anothers_nor_of_the_bridges(guarded: Guarded, tmp_path: Path) -> None:
    wallbox, mark = guarded.as_(WALLBOX), f"{BASE}/bridge/mark"
    forged = [
        f"{BASE}/command/{HEATING}/home/sites",
        f"{BASE}/response/{HEATING}/home/sites",
        f"{BASE}/response/{WALLBOX}/home/sites",
        f"{BASE}/home/cabin/price/import/value",
        f"{BASE}/bridge/state",
        f"{BASE}/bridge/audit",
    ]
    async with subscribed(guarded.as_(ADMIN)) as seen:
        assert await refused(wallbox, *(Message(topic, b"0") for topic in forged)) == forged
        assert await refused(guarded.as_(BRIDGE), Message(mark, b"0", retain=False)) == []
        await seen.until(holds(mark))
    assert [str(message.topic) for message in seen.messages] == [mark]


async def test_home_assistant_finds_all_with_its_login_and_is_answered(guarded: Guarded, tmp_path: Path) -> None:
    own = guarded.as_(HOME_ASSISTANT)
    async with subscribed(own) as seen, bridged(guarded.as_(BRIDGE), tmp_path):
        await seen.until(lambda seen: len(found := discovered(seen)) == 4 and "octopus_home_account_balance" in str(found))
        await seen.until(lambda seen: {f"{BASE}/home/state", f"{BASE}/octopus/home/price/gas/current"} <= seen.latest.keys())
        before = len(seen.messages)
        assert await refused(own, Message("homeassistant/status", b"online", retain=False)) == []
        await seen.until(lambda seen: sum(str(one.topic).endswith("/config") for one in seen.messages[before:]) >= 4)
        assert await asked(own, "home", "refresh", client=HOME_ASSISTANT)
    forged = Message("homeassistant/device/kwh2mqtt/config", b"{}")
    assert await refused(guarded.as_(WALLBOX), forged) == [forged.topic]


def discovered(seen: Seen) -> list[dict[str, Any]]:
    return [json.loads(payload) for topic, payload in seen.latest.items() if topic.startswith("homeassistant/device/")]


async def test_the_example_with_mosquitto_rr_works_with_the_access_list(guarded: Guarded, tmp_path: Path) -> None:
    if shutil.which("mosquitto_rr") is None:
        pytest.skip("mosquitto-clients is not installed")
    script = one(PAGE, "sh", "mosquitto_rr").replace("-h localhost", f"-h {HOST} -p {guarded.port}").replace("-W 35", "-W 10")
    async with subscribed(guarded.as_(WALLBOX)) as seen, bridged(guarded.as_(BRIDGE), tmp_path):
        await seen.until(lambda seen: seen.get(f"{BASE}/home/state") == "online")
        variables = {**os.environ, "PASSWORD": f"{WALLBOX}-pass"}
        ran = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=subprocess.PIPE, env=variables)
        out, _ = await ran.communicate()
    answer = json.loads(out)
    assert (answer["id"], answer["status"], [price["site"] for price in answer["data"]["prices"]]) == ("a1b2", "ok", ["cabin"])


async def test_a_command_in_anothers_name_is_said_to_be_barred(guarded: Guarded) -> None:
    with pytest.raises(
        Barred, match=r"does not let us write to kwh2mqtt/command/heating/home/sites \(Not authorized\); let this"
    ):
        await asked(guarded.as_(WALLBOX), "home", "sites", client=HEATING)


async def test_an_answer_that_is_to_go_to_another_client_goes_to_neither(guarded: Guarded, tmp_path: Path) -> None:
    usual, foreign = f"{BASE}/response/{WALLBOX}/home/sites", f"{BASE}/response/{HEATING}/home/sites"
    async with subscribed(guarded.as_(ADMIN)) as seen, bridged(guarded.as_(BRIDGE), tmp_path):
        await seen.until(lambda seen: seen.get(f"{BASE}/home/state") == "online")
        command = Message(f"{BASE}/command/{WALLBOX}/home/sites", b'{"id": "7"}', retain=False, response_topic=foreign)
        assert await refused(guarded.as_(WALLBOX), command) == []
        await seen.until(holds(usual))
        await asked(guarded.as_(HEATING), "home", "sites", client=HEATING)
    answer = json.loads(seen.latest[usual])
    assert (answer["status"], answer["error"]["code"], answer["id"]) == ("error", "bad_request", "7")
    assert "data" not in answer
    assert foreign not in seen.latest
