"""`kwh2mqtt check --online` on a real mosquitto with an access list, and on simulated providers: every finding has its mend."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.check.broker import examined, written
from bridge.check.finding import Finding, well
from bridge.check.names import hosts, looked_up
from bridge.check.sources import LARGEST_ERROR, clock
from bridge.providers.octopus.settings import OctopusSettings
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.readers.settings import ReadersSettings
from bridge.settings import Settings
from bridge.simulator.broker import HOST, free_port
from bridge.simulator.server import Request, Response, Server
from bridge.simulator.tibber import PATH, Tibber
from bridge.state.settings import StateSettings
from bridge.topics import Topics
from bridge.transport.settings import MqttSettings
from tests.conftest import subscribed
from tests.test_cli import ROOT, SECRET, environment
from tests.transport.link import configured, reached

BASE, OURS = "kwh2mqtt", "kwh2mqtt_1234abcd"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHARGER = "warp3/ABC/day_ahead_prices/prices_update"
HEARD = "does not reach us, so no command would; add `topic read kwh2mqtt/command/#` for this login to the broker's access list"


@asynccontextmanager
async def listing(folder: Path, *lines: str) -> AsyncIterator[MqttSettings]:
    """Run a mosquitto that lets everybody in, who then may do what `lines` say; somebody may read all of it."""
    port, acl = free_port(), folder / "acl"
    acl.write_text("\n".join((*lines, "user admin", "topic read #", "")))
    acl.chmod(0o600)
    text = f"listener {port} {HOST}\nallow_anonymous true\nuser {os.environ.get('USER', 'root')}\nacl_file {acl}\n"
    async with configured(folder, text):
        mqtt = MqttSettings(host=HOST, port=port)
        assert await reached(mqtt) is None
        yield mqtt


def settings(mqtt: MqttSettings, folder: Path = Path()) -> Settings:
    """Return a configuration that tells Home Assistant and a charger too."""
    warp = {"garage": {"topic": "warp3/ABC", "source": "home", "site": "cabin"}}
    readers = ReadersSettings.model_validate({"warp": warp})
    return Settings(
        None, mqtt, StateSettings(directory=folder), {}, {}, readers=readers, home_assistant=HomeAssistantSettings()
    )  # fmt: skip


async def found(mqtt: MqttSettings) -> list[str]:
    """Return the findings on the broker, without the first, which tells that there is one."""
    first, *others = await examined(settings(mqtt), OURS)
    assert first == Finding("ok", "mqtt", f"connected to {mqtt.address} (MQTT {mqtt.protocol})")
    return [str(finding) for finding in others]


def missing(topic: str, line: str) -> str:
    """Return the finding where the access list lacks `topic write {line}`."""
    mend = f"add `topic write {line}` for this login to the broker's access list"
    return f"fault  mqtt.write: the broker does not let us write to {topic} (Not authorized); {mend}"


async def test_a_login_that_may_do_all_is_found_to_do_it_and_nobody_is_told_anything(tmp_path: Path) -> None:
    lines = ("topic readwrite kwh2mqtt/#", "topic readwrite homeassistant/#", f"topic write {CHARGER}")
    async with listing(tmp_path, *lines) as mqtt, subscribed(mqtt.model_copy(update={"username": "admin"})) as seen:
        assert await found(mqtt) == [
            "ok     mqtt.write: may write to kwh2mqtt/#",
            "ok     mqtt.write: may write to homeassistant/#",
            f"ok     mqtt.write: may write to {CHARGER}",
            "ok     mqtt.read: may read kwh2mqtt/command/+/+/+",
            "ok     mqtt.read: may read homeassistant/status, as far as the broker says",
        ]
        command = f"{BASE}/command/kwh2mqtt-check/bridge/check"
        topics = [topic for topic, _ in written(settings(mqtt), Topics(BASE), OURS)]
        await seen.until(lambda seen: len(seen.messages) == len(topics) + 1)
    assert {str(message.topic) for message in seen.messages} == {*topics, command}
    assert {message.payload for message in seen.messages} == {b""}
    assert not any(message.retain for message in seen.messages)


async def test_what_the_access_list_lacks_is_named_with_the_line_to_add(tmp_path: Path) -> None:
    async with listing(tmp_path, "topic write kwh2mqtt/bridge/#", "topic write kwh2mqtt/command/#") as mqtt:
        assert await found(mqtt) == [
            missing("kwh2mqtt/response/kwh2mqtt-check/bridge/check", "kwh2mqtt/#"),
            missing(f"homeassistant/device/{OURS}_check/config", "homeassistant/#"),
            missing(CHARGER, CHARGER),
            f"fault  mqtt.read: what is sent to kwh2mqtt/command/+/+/+ {HEARD}",
            "ok     mqtt.read: may read homeassistant/status, as far as the broker says",
        ]


async def test_with_mqtt_311_what_the_broker_does_not_say_is_not_made_up(tmp_path: Path) -> None:
    untold = "ok     mqtt.write: with MQTT 3.1.1 no broker says whether we may write to {}; where topics stay empty, look there"
    async with listing(tmp_path, "topic write kwh2mqtt/bridge/#") as mqtt:
        assert await found(mqtt.model_copy(update={"protocol": "3.1.1"})) == [
            *(untold.format(line) for line in ("kwh2mqtt/#", "homeassistant/#", CHARGER)),
            "ok     mqtt.read: may read kwh2mqtt/command/+/+/+, as far as the broker says",
            "ok     mqtt.read: may read homeassistant/status, as far as the broker says",
        ]


async def test_a_login_that_is_refused_is_a_fault_that_names_the_keys(tmp_path: Path) -> None:
    port = free_port()
    async with configured(tmp_path, f"listener {port} {HOST}\nallow_anonymous false\n"):
        mqtt = MqttSettings(host=HOST, port=port, username="kwh2mqtt", password=SecretStr(SECRET))
        assert await reached(mqtt) == "it refused the login; check mqtt.username and mqtt.password"
        (only,) = await examined(settings(mqtt), OURS)
    assert str(only) == f"fault  mqtt: {HOST}:{port}: it refused the login; check mqtt.username and mqtt.password"


# names


async def look(host: str) -> str:
    """Stand in for the name servers: one name is known, one asked in vain, and all others are not."""
    match host:
        case "broker.lan":
            return "192.168.1.5"
        case "slow.lan":
            raise TimeoutError
        case "away.lan":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_each_host_is_looked_up_once_and_an_address_not_at_all() -> None:
    named = [
        ("mqtt.host", "broker.lan"),
        ("a.url", "brokr.lan"),
        ("b.url", "brokr.lan"),
        ("c.url", "192.168.1.5"),
        ("d.url", "::1"),
    ]
    assert list(map(str, await looked_up([*named, ("e.url", "away.lan"), ("f.url", "slow.lan")], look))) == [
        "ok     mqtt.host: broker.lan is 192.168.1.5",
        (
            "fault  a.url: brokr.lan is not found (Name or service not known); check its spelling, then the name servers in "
            "/etc/resolv.conf and the network (getent hosts brokr.lan)"
        ),
        (
            "fault  e.url: away.lan is not found (Temporary failure in name resolution); check the name servers in "
            "/etc/resolv.conf and the network, then its spelling (getent hosts away.lan)"
        ),
        (
            "fault  f.url: slow.lan is not found (no name server answered in 10 s); check the name servers in "
            "/etc/resolv.conf and the network, then its spelling (getent hosts slow.lan)"
        ),
    ]


async def test_a_broker_whose_host_is_not_found_is_not_tried() -> None:
    found = await examined(settings(MqttSettings(host="brokr.lan")), OURS, look)
    assert [finding.key for finding in found] == ["mqtt.host", "mqtt"]
    assert str(found[1]) == "fault  mqtt: brokr.lan:1883: not tried, for its host is not found"


def test_the_hosts_of_a_source_are_those_of_its_tenant_unless_its_keys_name_others() -> None:
    own = OctopusSettings.model_validate(
        {"provider": "octopus", "api_key": "sk_live_x", "rest_url": "https://prices.example.com/v1"}
    )
    assert list(hosts("octopus", own, dict)) == [
        ("sources.octopus.url", "api.octopus.energy"),
        ("sources.octopus.rest_url", "prices.example.com"),
        ("sources.octopus.backend_url", "api.backend.octopus.energy"),
    ]


def test_behind_a_proxy_no_host_of_a_source_is_looked_up() -> None:
    own = OctopusSettings.model_validate({"provider": "octopus", "api_key": "sk_live_x"})
    assert list(hosts("octopus", own, lambda: {"https": "http://proxy.lan:3128"})) == []


# the clock


@pytest.mark.parametrize(
    ("now", "ahead", "said"),
    [
        (NOW, [], "ok     clock: 2026-11-20T12:00:00Z"),
        (NOW, [None, LARGEST_ERROR], "ok     clock: 2026-11-20T12:00:00Z, as the providers' answers are dated"),
        (
            NOW,
            [timedelta(days=1), -timedelta(seconds=1)],
            "ok     clock: 2026-11-20T12:00:00Z, as the providers' answers are dated",
        ),
        (
            NOW,
            [-timedelta(hours=1, seconds=2), None],
            (
                "fault  clock: 2026-11-20T12:00:00Z is 1:00:02 behind what the providers' answers are dated; "
                "set it (timedatectl set-ntp true)"
            ),
        ),
        (
            NOW,
            [timedelta(seconds=31)],
            (
                "fault  clock: 2026-11-20T12:00:00Z is 0:00:31 ahead of what the providers' answers are dated; "
                "set it (timedatectl set-ntp true)"
            ),
        ),
        (datetime(1970, 1, 1, tzinfo=UTC), [], "fault  clock: it says 1970-01-01; set it (timedatectl set-ntp true)"),
    ],
)
def test_the_clock_is_compared_with_the_answers(now: datetime, ahead: list[timedelta | None], said: str) -> None:
    assert str(clock(now, ahead)) == said


# the command


@asynccontextmanager
async def tibber(behind: timedelta = timedelta(), after: asyncio.Event | None = None) -> AsyncIterator[str]:
    """Serve a Tibber that dates its answers `behind` us, and does not answer before `after` is set."""
    simulated = Tibber(lambda: datetime.now(UTC), token=SECRET)

    async def handle(request: Request) -> Response:
        if after is not None:
            await after.wait()
        answer = await simulated.handle(request)
        dated = ("Date", format_datetime(datetime.now(UTC) - behind, usegmt=True))
        return Response(answer.status, answer.body, answer.content_type, (*answer.headers, dated))

    async with Server(handle) as server:
        yield f"{server.url}{PATH}"


def write(folder: Path, mqtt: MqttSettings, **urls: str) -> Path:
    config = folder / "bridge.toml"
    config.touch(0o600)
    sources = "".join(f'[sources.{name}]\nprovider = "tibber"\ntoken = "{SECRET}"\nurl = "{url}"\n' for name, url in urls.items())
    config.write_text(f'[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\n[state]\ndirectory = "{folder / "state"}"\n{sources}')
    return config


async def checked(config: Path) -> asyncio.subprocess.Process:
    called = (sys.executable, "-m", "bridge", "check", "--online", "--config", str(config))
    return await asyncio.create_subprocess_exec(*called, stdout=-1, stderr=-1, cwd=ROOT, env=environment())


async def test_a_slow_source_does_not_hold_up_the_others(tmp_path: Path, mqtt: MqttSettings) -> None:
    held = asyncio.Event()
    async with tibber() as quick, tibber(after=held) as slow:
        process = await checked(write(tmp_path, mqtt, slow=slow, quick=quick))
        assert process.stdout is not None
        async with asyncio.timeout(20):
            lines = [(await process.stdout.readline()).decode() for _ in range(6)]
        held.set()
        out, err = await process.communicate()
    keys = [line.split(":")[0].split() for line in (*lines, *out.decode().splitlines())]
    assert sorted(keys[:6]) == [
        ["ok", "configuration"], ["ok", "mqtt"], ["ok", "mqtt.read"], ["ok", "mqtt.write"], ["ok", "sources.quick"],
        ["ok", "state.directory"],
    ]  # fmt: skip
    assert keys[6:] == [["ok", "sources.slow"], ["ok", "clock"]]
    assert (process.returncode, err) == (0, b"")


async def test_a_clock_that_is_not_the_providers_is_a_fault_and_nothing_secret_is_shown(
    tmp_path: Path, mqtt: MqttSettings
) -> None:
    async with tibber(behind=timedelta(hours=1)) as url:
        process = await checked(write(tmp_path, mqtt, home=url))
        out, err = await process.communicate()
    *_, last = out.decode().splitlines()
    assert last.endswith("ahead of what the providers' answers are dated; set it (timedatectl set-ntp true)")
    assert (process.returncode, SECRET in f"{out!r}{err!r}") == (1, False)


async def test_a_host_that_there_is_not_is_named_by_key_and_the_rest_is_tried(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as url:
        process = await checked(write(tmp_path, mqtt, home=url, typo="https://api.tibber.invalid/gql"))
        out, _ = await process.communicate()
    lines = {line.split(": ")[0]: line for line in out.decode().splitlines()}
    assert lines["fault  sources.typo.url"].startswith("fault  sources.typo.url: api.tibber.invalid is not found (")
    assert lines["fault  sources.typo"] == "fault  sources.typo: not tried, for a host of it is not found"
    assert process.returncode == 1
    assert {"ok     mqtt", "ok     sources.home"} <= lines.keys()


def test_a_secret_file_that_others_can_read_is_warned_of_and_is_no_fault(tmp_path: Path) -> None:
    config = write(tmp_path, MqttSettings(), home="http://127.0.0.1:9/gql")
    config.chmod(0o644)
    called = [sys.executable, "-m", "bridge", "check", "--config", str(config)]
    ran = subprocess.run(called, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    line = f"warn   secrets: {config} holds a secret and others can read it; run: chmod 600 {config}"
    assert ran.stdout.splitlines()[1] == line


def test_a_secret_file_that_cannot_be_read_is_two_and_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(f'secrets_directory = "{tmp_path}"\n[sources.home]\nprovider = "tibber"\n')
    file = tmp_path / "sources.home.token"
    file.symlink_to("/proc/self/mem")  # which nobody can read from its beginning, root neither
    called = [sys.executable, "-m", "bridge", "check", "--config", str(tmp_path / "bridge.toml")]
    ran = subprocess.run(called, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    mend = "let the user that runs kwh2mqtt read it, as UTF-8 text"
    line = f"{file}: sources.home.token: cannot be read (Input/output error); {mend}"
    assert (ran.returncode, ran.stdout, ran.stderr.splitlines()[0]) == (2, "", line)


def test_what_is_only_warned_of_is_well() -> None:
    assert [well([Finding(verdict, "a", "b")]) for verdict in ("ok", "warn", "fault")] == [True, True, False]
