"""The service: its unit is sound and closed, and what systemd is told is true."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.pulse import LONGEST_SILENCE_S, Pulse
from bridge.systemd import Systemd
from bridge.transport.settings import MqttSettings
from tests.test_pulse import Seconds
from tests.test_run import ROOT, tibber, write

UNIT = ROOT / "systemd" / "kwh2mqtt.service"
PATIENCE_S = 30.0
analyses = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


class Manager:
    """The end of the socket at which systemd would listen."""

    def __init__(self, address: Path | str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        self._socket.settimeout(PATIENCE_S)

    def hears(self) -> list[str]:
        return self._socket.recv(4096).decode().split("\n")

    def until(self, word: str) -> list[list[str]]:
        """Return all that is said, up to what `word` is a part of."""
        said = [self.hears()]
        while not any(word in line for line in said[-1]):
            said.append(self.hears())
        return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


def spoken_to(folder: Path, **more: str) -> Systemd:
    return Systemd({"NOTIFY_SOCKET": str(folder / "notify"), **more})


async def guarded(systemd: Systemd, pulse: Pulse, rounds: int) -> None:
    """Let the guard look `rounds` times."""
    looks = iter(range(rounds))

    def status() -> str:
        return f"look {next(looks)}"

    task = asyncio.create_task(systemd.guard(pulse, status))
    for _ in range(rounds):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_watchdog_is_fed_while_every_part_makes_progress(tmp_path: Path, manager: Manager) -> None:
    await guarded(spoken_to(tmp_path), Pulse(Seconds()), 1)
    assert manager.hears() == ["WATCHDOG=1", "STATUS=look 0"]


async def test_the_watchdog_starves_when_a_part_is_stuck(
    tmp_path: Path, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = Seconds()
    pulse = Pulse(seconds)
    seconds.passed = LONGEST_SILENCE_S + 1
    await guarded(spoken_to(tmp_path), pulse, 1)
    assert manager.hears() == ["STATUS=the scheduler has made no progress for minutes"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_without_systemd_nothing_is_said() -> None:
    Systemd({}).say("READY=1")
    Systemd({"NOTIFY_SOCKET": "/nowhere/at/all"}).say("READY=1")


def test_an_abstract_socket_is_reached_too() -> None:
    name = f"kwh2mqtt-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    Systemd({"NOTIFY_SOCKET": f"@{name}"}).say("READY=1", "STATUS=well")
    assert manager.hears() == ["READY=1", "STATUS=well"]
    manager.close()


@pytest.mark.parametrize(
    ("limit", "owner", "expected"),
    [("300000000", None, 300.0), ("300000000", "1", None), ("", None, None), ("soon", None, None)],
)
def test_the_watchdog_is_ours_only_where_it_names_us(
    tmp_path: Path, limit: str, owner: str | None, expected: float | None
) -> None:
    more = {"WATCHDOG_USEC": limit, **({"WATCHDOG_PID": owner} if owner else {})}
    assert spoken_to(tmp_path, **more).watchdog_s == expected


async def test_the_bridge_tells_when_it_is_ready_reloads_and_stops(tmp_path: Path, mqtt: MqttSettings, manager: Manager) -> None:
    async with tibber() as (_, url):
        config = write(tmp_path, mqtt, ("home", url))
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        command = [sys.executable, "-m", "bridge", "run", "--config", str(config)]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=log)
        try:
            assert await asyncio.to_thread(manager.until, "READY=1") == [["READY=1"]]
            said = await asyncio.to_thread(manager.until, "1 of 1 sources online")
            assert all(lines[0] == "WATCHDOG=1" for lines in said)
            process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(manager.until, "RELOADING=1")
            await asyncio.to_thread(manager.until, "READY=1")
            config.write_text("[sources.home]\nprovider = 'nobody'\n")
            process.send_signal(signal.SIGHUP)
            (reloading,) = (await asyncio.to_thread(manager.until, "RELOADING=1"))[-1:]
            assert re.fullmatch(r"MONOTONIC_USEC=\d+", reloading[1])
            await asyncio.to_thread(manager.until, "READY=1")
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(manager.until, "STOPPING=1")
            assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
        finally:
            process.kill()
            process.wait()
    assert "the configuration stays as it is" in (tmp_path / "log").read_text()


# the unit


@analyses
def test_the_unit_is_sound(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/kwh2mqtt/bin/kwh2mqtt", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@analyses
def test_the_unit_is_closed_but_for_the_network() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--json=short", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    open_ = {line["set"] is False and line["name"] for line in json.loads(done.stdout)} - {False}
    listed = subprocess.run([part for part in command if "json" not in part], capture_output=True, text=True, check=True).stdout
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", listed)
    assert float(level) <= 1.5
    assert "PrivateNetwork=" in open_


def test_the_unit_starves_later_than_a_part_falls_silent() -> None:
    (limit,) = re.findall(r"^WatchdogSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(limit) > LONGEST_SILENCE_S
