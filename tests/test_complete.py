"""Tab in a shell: the names that may stand at the cursor, and nothing but names, within a second."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bridge.complete import Typed, offered, typed
from bridge.models.message import Message
from bridge.transport.mqtt import connection
from bridge.transport.settings import MqttSettings
from tests.test_cli import COMMANDS as ALL

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("run", "request", "poll")
INFO = b'{"operations":{"octopus.boost_start":"write","home.prices":"query","home.notify":"write"}}'
CONFIG = Path("b.toml")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kwh2mqtt ", Typed(("kwh2mqtt",), "", None, is_name=True)),
        ("kwh2mqtt re", Typed(("kwh2mqtt",), "re", None, is_name=True)),
        ("kwh2mqtt request ho", Typed(("kwh2mqtt", "request"), "ho", None, is_name=True)),
        ("kwh2mqtt --config b.toml request home ", Typed(("kwh2mqtt", "request", "home"), "", CONFIG, is_name=True)),
        ("kwh2mqtt request --config=b.toml --verbose ho", Typed(("kwh2mqtt", "request"), "ho", CONFIG, is_name=True)),
        ("kwh2mqtt request --client ", Typed(("kwh2mqtt", "request"), "", None, is_name=False)),
        ("kwh2mqtt request --client wallbox home ", Typed(("kwh2mqtt", "request", "home"), "", None, is_name=True)),
        ("kwh2mqtt request --cl", Typed(("kwh2mqtt", "request"), "--cl", None, is_name=False)),
        ("", Typed((), "", None, is_name=True)),
    ],
)
def test_a_line_is_read_up_to_the_cursor(line: str, expected: Typed) -> None:
    assert typed(line) == expected


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("kwh2mqtt ", ["run", "request", "poll"]),
        ("kwh2mqtt re", ["request"]),
        ("kwh2mqtt run ", []),
        ("kwh2mqtt request --client ", []),
        ("kwh2mqtt request --l", []),
        ("kwh2mqtt request home prices fi", []),
        ("", []),
    ],
)
def test_the_commands_need_no_broker(line: str, names: list[str]) -> None:
    assert offered(typed(line), COMMANDS) == names


def completed(folder: Path, mqtt: MqttSettings, line: str, rest: str = "", sources: str = "", **more: str) -> list[str]:
    """Return what a shell gets that has `line` before the cursor and `rest` behind it."""
    (folder / "b.toml").write_text(
        f'[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\nusername = "me"\npassword = "a-password"\n{sources}'
    )
    (folder / "b.toml").chmod(0o644)  # which is warned of elsewhere
    variables = {"COMP_LINE": f"{line}{rest}", "COMP_POINT": str(len(line)), "PYTHONPATH": str(ROOT), **more}
    called = [sys.executable, "-m", "bridge", "request", "--complete", "kwh2mqtt", line.rpartition(" ")[2], "--client"]
    ran = subprocess.run(called, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


async def test_sources_and_operations_are_those_that_the_bridge_tells(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with connection(mqtt, "kwh2mqtt-test") as client:
        await client.send(Message("kwh2mqtt/bridge/info", INFO), None)
    assert completed(tmp_path, mqtt, "kwh2mqtt request --config b.toml ") == ["home", "octopus"]
    assert completed(tmp_path, mqtt, "kwh2mqtt request --config b.toml home n", "oti") == ["notify"]
    assert completed(tmp_path, mqtt, "kwh2mqtt request --config b.toml cabin ") == []


@pytest.mark.parametrize("command", ["poll", "introspect", "login"])
def test_whom_to_poll_or_sign_in_stands_in_the_configuration_and_needs_no_broker(tmp_path: Path, command: str) -> None:
    nobody = MqttSettings(host="127.0.0.1", port=9)
    sources = "[sources.mesh]\n[sources.home]\nprovider = 7\n"  # neither is right, which is for check to say
    line, variables = f"kwh2mqtt {command} --config b.toml ", {"KWH2MQTT_SOURCES__OCTOPUS__API_KEY": "sk_live_x"}
    assert completed(tmp_path, nobody, line, sources=sources, **variables) == ["home", "mesh", "octopus"]
    assert completed(tmp_path, nobody, f"{line}m", sources=sources) == ["mesh"]
    assert completed(tmp_path, nobody, line, sources="[sources\n") == []


def test_every_command_is_offered(tmp_path: Path, mqtt: MqttSettings) -> None:
    assert sorted(completed(tmp_path, mqtt, "kwh2mqtt ")) == sorted(ALL)


@pytest.mark.parametrize("listens", [False, True])
def test_a_broker_that_does_not_answer_costs_a_second_and_nothing_is_said(tmp_path: Path, *, listens: bool) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        began = time.monotonic()
        mqtt = MqttSettings(host="127.0.0.1", port=silent.getsockname()[1])
        assert completed(tmp_path, mqtt, "kwh2mqtt request --config b.toml ") == []
        assert time.monotonic() - began < 5  # of a busy machine; the bound is WITHIN_S after the start of Python


def test_without_a_configuration_nothing_is_said(tmp_path: Path, mqtt: MqttSettings) -> None:
    assert completed(tmp_path, mqtt, "kwh2mqtt request --config none.toml ") == []
