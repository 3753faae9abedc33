"""The program as a user runs it: a process of its own, signals, kill -9, and a secret planted everywhere."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.providers import base as providers
from bridge.simulator.broker import free_port
from bridge.simulator.faults import Fault
from bridge.simulator.server import Server
from bridge.simulator.stage import served
from bridge.simulator.tibber import PATH, Tibber
from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed

TOKEN = "s3cret-t0ken-that-nobody/may+see"
PASSWORD = 's3cret-pass"w0rd-that-nobody-may-see'
ROOT = Path(__file__).resolve().parents[1]


class Bridge:
    """A `kwh2mqtt run` in a process of its own, its log in a file."""

    def __init__(self, config: Path, *arguments: str) -> None:
        self.log = config.parent / "log"
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "bridge", "run", "--config", str(config), *arguments]
            self.process = subprocess.Popen(command, stderr=log, stdout=log, cwd=ROOT)

    async def ended(self, number: signal.Signals | None = None) -> int:
        """Send a signal where one is given, and return the exit code."""
        if number is not None:
            self.process.send_signal(number)
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), 30)


@asynccontextmanager
async def started(config: Path, *arguments: str) -> AsyncIterator[Bridge]:
    bridge = Bridge(config, *arguments)
    try:
        yield bridge
    finally:
        bridge.process.kill()
        bridge.process.wait()


@asynccontextmanager
async def tibber() -> AsyncIterator[tuple[Tibber, str]]:
    simulated = Tibber(lambda: datetime.now(UTC), token=TOKEN)
    async with Server(simulated.handle) as server:
        yield simulated, f"{server.url}{PATH}"


def write(folder: Path, mqtt: MqttSettings, *sources: tuple[str, str]) -> Path:
    """Write a configuration with a Tibber source for each name and address."""
    sections = [f'[sources.{name}]\nprovider = "tibber"\ntoken = "{TOKEN}"\nurl = "{url}"\n' for name, url in sources]
    config = folder / "bridge.toml"
    config.write_text(
        f'[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\nusername = "bridge"\npassword = {json.dumps(PASSWORD)}\n'
        f'[state]\ndirectory = "{folder / "state"}"\n' + "".join(sections)
    )
    config.chmod(0o600)
    return config


def prices(seen: Seen) -> dict[str, bytes]:
    """Return what is known of prices and readings; not `next`, of which there is none in the last quarter of a day."""
    below = ("/price/", "/reading/")
    return {
        topic: payload
        for topic, payload in seen.latest.items()
        if any(part in topic for part in below) and not topic.endswith("/next")
    }


async def test_it_runs_until_sigterm_and_ends_with_0_saying_offline(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen, started(write(tmp_path, mqtt, ("home", url))) as bridge:
        await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
        assert await bridge.ended(signal.SIGTERM) == 0
        await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "offline")
        assert len(prices(seen)) == 13
    log = bridge.log.read_text()
    assert "Traceback" not in log
    assert log.count("WARNING") == 0


async def test_a_restart_loop_of_20_kills_loses_no_topic_and_keeps_within_the_budget(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            await bridge.ended(signal.SIGKILL)
        known = prices(seen).keys()
        for number in range(20):
            count = len(seen.messages)
            async with started(config) as bridge:
                await seen.until(lambda seen, count=count: "kwh2mqtt/bridge/info" in  # type: ignore[misc]
                                 {str(message.topic) for message in seen.messages[count:]})  # fmt: skip
                await asyncio.sleep(0.03 * (number % 5))  # a moment that differs; nothing is waited for
                await bridge.ended(signal.SIGKILL)
        assert len(simulated.requests) <= 20
        async with started(config):
            count = len(seen.messages)
            await seen.until(lambda seen: known <= {str(message.topic) for message in seen.messages[count:]})
        assert prices(seen).keys() == known
        assert len(simulated.requests) <= 20
    assert "damaged" not in (tmp_path / "log").read_text()


async def test_a_secret_reaches_no_log_no_topic_and_no_state(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url), ("gone", f"http://127.0.0.1:{free_port()}/{PATH}"))
        async with started(config, "--verbose") as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            await bridge.ended(signal.SIGTERM)
        for fault in (Fault.ECHO_TOKEN, Fault.UNAUTHENTICATED, Fault.TRUNCATED, Fault.BAD_GATEWAY):
            simulated.faults.set(fault)
            count = len(seen.messages)
            async with started(config, "--verbose") as bridge:
                await seen.until(lambda seen, count=count: any(  # type: ignore[misc]
                    str(message.topic) == "kwh2mqtt/home/health" and b'"stale":true' in message.payload
                    for message in seen.messages[count:]
                ))  # fmt: skip
                await bridge.ended(signal.SIGTERM)
    places = [bridge.log.read_bytes(), *(bytes(message.payload) for message in seen.messages)]
    places += [file.read_bytes() for file in (tmp_path / "state").iterdir()]
    assert b"***" in b"".join(places)
    for secret in (TOKEN, PASSWORD):
        for form in (secret, json.dumps(secret)[1:-1], TOKEN.replace("/", "%2F").replace("+", "%2B")):
            assert not any(form.encode() in place for place in places)


async def test_sighup_takes_a_new_configuration_and_keeps_the_old_where_the_new_is_broken(
    tmp_path: Path, mqtt: MqttSettings
) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url), ("old", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/old/state") == "online")
            good = config.read_text()
            config.write_text(good.replace("token", "tokken"))
            bridge.process.send_signal(signal.SIGHUP)
            await until_logged(bridge, "did you mean token?")
            assert seen.get("kwh2mqtt/bridge/state") == "online"
            write(tmp_path, mqtt, ("home", url))
            bridge.process.send_signal(signal.SIGHUP)
            await seen.until(lambda seen: not seen.standing("/old/"))
            await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "online")
            assert await bridge.ended(signal.SIGINT) == 0


async def test_sigterm_ends_it_also_while_it_reloads(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        async with started(write(tmp_path, mqtt, ("home", url))) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            for _ in range(3):
                bridge.process.send_signal(signal.SIGHUP)
            assert await bridge.ended(signal.SIGTERM) == 0
        await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "offline")


async def test_sighup_never_kills_it_however_early_or_often(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen, started(write(tmp_path, mqtt, ("home", url))) as bridge:
        await until_ignored(bridge.process.pid)
        for _ in range(100):
            bridge.process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.005)
        await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
        assert await bridge.ended(signal.SIGTERM) == 0


async def until_ignored(process: int) -> None:
    """Return once the process is past the start of the interpreter, which nobody can guard."""
    async with asyncio.timeout(20):
        while True:
            status = Path(f"/proc/{process}/status").read_text()
            masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith(("SigIgn", "SigCgt")))
            if any(int(mask, 16) & 1 << (signal.SIGHUP - 1) for mask in masks.values()):
                return
            await asyncio.sleep(0.005)


async def test_a_reload_to_a_state_folder_that_cannot_be_used_keeps_the_old_one(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            config.write_text(config.read_text().replace('/state"', '/log/state"'))  # `log` is a file
            bridge.process.send_signal(signal.SIGHUP)
            await until_logged(bridge, "the configuration stays as it is")
            await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "online")
            assert await bridge.ended(signal.SIGTERM) == 0


async def until_logged(bridge: Bridge, text: str) -> None:
    async with asyncio.timeout(20):
        while text not in bridge.log.read_text():
            await asyncio.sleep(0.02)


async def test_a_second_one_with_the_same_state_is_refused(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config):
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            second = Bridge(config)
            assert await second.ended() == 2
    assert "is in use by another kwh2mqtt" in second.log.read_text()


async def test_an_absent_broker_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    async with tibber() as (simulated, url):
        config = write(tmp_path, MqttSettings(host="127.0.0.1", port=port), ("home", url))
        async with started(config) as bridge:
            await until_logged(bridge, f"no connection to the broker at 127.0.0.1:{port}")
            async with asyncio.timeout(20):
                while len(simulated.requests) < 3:
                    await asyncio.sleep(0.02)
            assert await bridge.ended(signal.SIGTERM) == 0
    assert bridge.log.read_text().count("no connection") == 1


def test_poll_prints_what_would_be_published_and_publishes_nothing(tmp_path: Path, mqtt: MqttSettings) -> None:
    async def polled() -> tuple[int, str, str, int]:
        async with tibber() as (_, url), subscribed(mqtt) as seen:
            config = write(tmp_path, mqtt, ("home", url))
            command = (sys.executable, "-m", "bridge", "poll", "home", "--config", str(config))
            process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1, cwd=ROOT)
            out, err = await process.communicate()
            return process.returncode or 0, out.decode(), err.decode(), len(seen.messages)

    code, out, err, published = asyncio.run(polled())
    assert (code, err, published) == (0, "", 0)
    topics = [line.split(" ", 1)[0] for line in out.splitlines()]
    assert "kwh2mqtt/home/holm-street/price/import/value" in topics
    assert len(set(topics)) == len(topics) >= 17


async def test_a_request_is_answered_and_the_exit_code_tells_how(tmp_path: Path, mqtt: MqttSettings) -> None:
    async def requested(*words: str) -> tuple[int, Any, str]:
        (tmp_path / "shell.toml").write_text(f'[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\n')
        command = (sys.executable, "-m", "bridge", "request", *words, "--config", str(tmp_path / "shell.toml"))
        process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1, cwd=ROOT)
        out, err = await process.communicate()
        return process.returncode or 0, json.loads(out), err.decode()

    async with tibber() as (_, url), subscribed(mqtt) as seen, started(write(tmp_path, mqtt, ("home", url))) as bridge:
        await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
        good, bad = await requested("home", "sites", "--id", "7"), await requested("home", "brew", "--client", "me")
        assert await bridge.ended(signal.SIGTERM) == 0
    code, answer, err = good
    assert (code, err, answer["id"], answer["status"]) == (0, "", "7", "ok")
    assert [site["site"] for site in answer["data"]["sites"]] == ["holm-street", "cabin"]
    code, answer, err = bad
    assert (code, err, answer["error"]["code"]) == (1, "", "unknown_operation")
    clients = {str(message.topic).split("/")[2] for message in seen.messages if "/response/" in str(message.topic)}
    assert clients == {"kwh2mqtt-cli", "me"}


async def test_the_demo_has_a_source_of_every_provider() -> None:
    async with served(lambda: datetime.now(UTC)) as tables:
        assert sorted(table["provider"] for table in tables.values()) == sorted(providers.names())


@pytest.mark.parametrize("programs", ["mosquitto", "nats-server"])
def test_the_demo_shows_every_source_and_ends_by_itself(tmp_path: Path, programs: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KWH2MQTT")}
    if programs == "nats-server":
        environment["PATH"] = str(tmp_path)
    code = (
        "import bridge.simulator.broker as b, sys; b.SBIN = (); from bridge.cli import main; sys.exit(main(['demo', '--once']))"
    )
    command = [sys.executable, *(["-c", code] if programs == "nats-server" else ["-m", "bridge", "demo", "--once"])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, cwd=ROOT, check=False)
    if "no broker is installed" in done.stderr:
        pytest.skip(f"{programs} is not installed")
    assert done.returncode == 0, done.stderr
    assert programs in done.stdout
    assert "kwh2mqtt/tibber/holm-street/price/import/value" in done.stdout
    assert all(f"kwh2mqtt/octopus/home/price/{stream}/value" in done.stdout for stream in ("import", "export", "gas"))
    assert [line for line in done.stderr.splitlines() if " WARNING " in line or " ERROR " in line] == []
    assert "mosquitto_sub -h 127.0.0.1" in done.stdout
    assert ("lacks message expiry" in done.stdout) is (programs == "nats-server")
