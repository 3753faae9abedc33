"""The service for real: installed as README.md says into a Debian of the test's own, booted by systemd-nspawn."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed
from tests.test_container import OF_THIS_MACHINE
from tests.test_run import PASSWORD, ROOT, TOKEN, tibber
from tests.test_systemd import UNIT

PACKAGES = "systemd,systemd-sysv,dbus,procps,python3,python3-venv,ca-certificates"
PROGRAMS = ("debootstrap", "systemd-nspawn")
SOURCE = "/source"
REPORT = """[Unit]
After=kwh2mqtt.service
Requires=kwh2mqtt.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'systemctl show kwh2mqtt -p ActiveState,WatchdogUSec,StatusText,User,NRestarts >/root/shown'
ExecStart=/bin/sh -c 'ls -l /var/lib/private >/root/state'
ExecStart=/bin/sh -c 'echo "[commands]" >>/etc/kwh2mqtt/bridge.toml; echo "per_minute = 29" >>/etc/kwh2mqtt/bridge.toml'
ExecStart=/bin/systemctl reload kwh2mqtt
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)), reason=f"needs root, {' and '.join(PROGRAMS)}"),
]


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Debian with the bridge in /opt/kwh2mqtt."""
    root = tmp_path_factory.mktemp("nspawn") / "debian"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)], check=True, capture_output=True
    )
    for file in filter(os.path.exists, OF_THIS_MACHINE):
        shutil.copy(file, f"{root}{file}")
    kept = ("bridge", "requirements.lock", "pyproject.toml", "README.md", "LICENSE")
    for name in kept:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (root / "source").mkdir(exist_ok=True)
        copy(ROOT / name, root / "source" / name)
    pip = ["/opt/kwh2mqtt/bin/python", "-m", "pip", "install", "--quiet"]
    for command in (
        ["python3", "-m", "venv", "/opt/kwh2mqtt"],
        [*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", f"{SOURCE}/requirements.lock"],
        [*pip, "--no-deps", "--no-build-isolation", SOURCE],
    ):
        subprocess.run(["chroot", str(root), *command], check=True, capture_output=True)
    shutil.copy(UNIT, root / "etc" / "systemd" / "system")
    (root / "etc" / "systemd" / "system" / "report.service").write_text(REPORT)
    (root / "etc" / "systemd" / "system" / "multi-user.target.wants" / UNIT.name).symlink_to(f"/etc/systemd/system/{UNIT.name}")
    yield root
    shutil.rmtree(root.parent, ignore_errors=True)


def configured(root: Path, mqtt: MqttSettings, url: str) -> None:
    etc = root / "etc" / "kwh2mqtt"
    (etc / "secrets").mkdir(parents=True, exist_ok=True)
    for name, secret in {"sources.home.token": TOKEN, "mqtt.password": PASSWORD}.items():
        (etc / "secrets" / name).write_text(secret)
        (etc / "secrets" / name).chmod(0o600)
    (etc / "secrets").chmod(0o700)
    (etc / "bridge.toml").write_text(
        f'secrets_directory = "/etc/kwh2mqtt/secrets"\n[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\nusername = "bridge"\n'
        f'[sources.home]\nprovider = "tibber"\nurl = "{url}"\n'
    )


def starts(seen: Seen) -> int:
    """Return how often the bridge has come online."""
    return sum(str(one.topic) == "kwh2mqtt/bridge/state" and one.payload == b"online" for one in seen.messages)


async def test_the_service_runs_with_its_credentials_and_its_state_and_reloads(debian: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        configured(debian, mqtt, url)
        command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe", "-D", str(debian)]
        with (debian.parent / "console").open("wb") as console:
            process = subprocess.Popen([*command, "systemd.wants=report.service"], stdout=console, stderr=console)
        try:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online", 90)
            await seen.until(lambda seen: starts(seen) > 1, 60)  # the report's last word was to reload it
        finally:
            process.send_signal(signal.SIGTERM)  # which nspawn makes a shutdown of
            process.wait(60)
        await seen.until(lambda seen: seen.get("kwh2mqtt/bridge/state") == "offline")
    shown = dict(line.split("=", 1) for line in (debian / "root" / "shown").read_text().splitlines())
    assert (shown["ActiveState"], shown["WatchdogUSec"], shown["NRestarts"]) == ("active", "5min", "0")
    assert re.search(r"^drwx------ .* kwh2mqtt$", (debian / "root" / "state").read_text(), re.MULTILINE)
    assert json.loads(seen.latest["kwh2mqtt/bridge/info"])["sources"]["home"]["provider"] == "tibber"
