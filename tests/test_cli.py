"""The command: exit code 0 done, 2 wrong usage or configuration, 1 anything else; faults on standard error, a line each."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import __version__
from bridge.cli import _parsed

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ["run", "demo", "check", "poll", "introspect", "login", "health", "schema", "request"]
SECRET = "planted-9f2c"
HOME = '[sources.home]\nprovider = "tibber"\n'
NOWHERE = "http://127.0.0.1:9/gql"  # the discard port: nobody listens


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KWH2MQTT_", "CREDENTIALS_", "STATE_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **more}


def command(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-m", "bridge", *arguments]
    return subprocess.run(
        called, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


def configured(folder: Path, text: str) -> Path:
    (folder / "bridge.toml").touch(0o600)
    (folder / "bridge.toml").write_text(text)
    return folder


def whole(folder: Path, more: str = "") -> Path:
    """Write a configuration that is right, with a provider that is not there."""
    state = f"[state]\ndirectory = '{folder / 'state'}'\n[mqtt]\nport = 9\nhost = '127.0.0.1'\n"
    return configured(folder, f"{state}{HOME}token = '{SECRET}'\nurl = '{NOWHERE}'\n{more}")


def test_the_version_is_told(tmp_path: Path) -> None:
    ran = command(tmp_path, "--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"kwh2mqtt {__version__}\n", "")


def test_the_version_is_told_after_a_command_too(tmp_path: Path) -> None:
    assert command(tmp_path, "run", "--version").stdout == f"kwh2mqtt {__version__}\n"


def test_help_names_every_command_with_examples_and_exit_codes(tmp_path: Path) -> None:
    ran = command(tmp_path, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.findall(r"^    (\w+) ", ran.stdout, re.MULTILINE) == COMMANDS
    assert re.findall(r"^  (kwh2mqtt \w+)", ran.stdout, re.MULTILINE) == [
        "kwh2mqtt demo",
        "kwh2mqtt check",
        "kwh2mqtt run",
        "kwh2mqtt poll",
        "kwh2mqtt login",
        "kwh2mqtt introspect",
        "kwh2mqtt request",
    ]
    assert "exit codes: 0 done, 2 wrong usage or configuration, 1 anything else" in ran.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_an_example(name: str, tmp_path: Path) -> None:
    ran = command(tmp_path, name, "--help")
    assert (ran.returncode, f"example:\n  kwh2mqtt {name}" in ran.stdout) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["brew"],
        [],
        ["poll"],
        ["introspect"],
        ["login"],
        ["login", "mesh", "--once"],
        ["run", "--brew"],
        ["--config"],
        ["poll", "home", "cabin"],
        ["introspect", "a", "b"],
        ["request", "home", "prices", "--brew"],
        ["request", "home", "prices", "--id"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], tmp_path: Path) -> None:
    ran = command(tmp_path, *arguments)
    assert (ran.returncode, ran.stdout, "usage: kwh2mqtt" in ran.stderr) == (2, "", True)


@pytest.mark.parametrize("name", ["run", "check", "poll", "introspect", "login", "health", "request"])
def test_each_fault_of_the_configuration_is_a_line_with_file_key_and_mend(name: str, tmp_path: Path) -> None:
    configured(tmp_path, f"[mqtt]\nport = '{SECRET}'\n{HOME}tokn = '{SECRET}'\n")
    ran = command(tmp_path, name, *(["home"] if name in ("poll", "introspect", "login") else []), "--config", "bridge.toml")
    assert (ran.returncode, ran.stdout) == (2, "")
    places = [line.split("; ")[0] for line in ran.stderr.splitlines()]
    assert sorted(places) == [
        "bridge.toml: mqtt.port: is wrong: input should be a valid integer, unable to parse string as an integer",
        "bridge.toml: sources.home.token: is missing",
        "bridge.toml: sources.home.tokn: is not a known key",
    ]
    assert SECRET not in ran.stderr


@pytest.mark.parametrize("verbose", [[], ["--verbose"]])
def test_without_a_configuration_it_is_two(verbose: list[str], tmp_path: Path) -> None:
    ran = command(tmp_path, "run", "--config", "none.toml", *verbose)
    line = "none.toml: there is no such file; give the path of your bridge.toml with --config\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


def test_the_configuration_may_be_named_before_the_command(tmp_path: Path) -> None:
    assert command(tmp_path, "--config", "none.toml", "check").stderr.startswith("none.toml: there is no such file")


def test_more_may_be_asked_for_before_the_command() -> None:
    assert _parsed(["--verbose", "check"]).verbose


def test_more_may_be_asked_for_after_the_command() -> None:
    assert [_parsed(arguments).verbose for arguments in (["check", "--verbose"], ["check"])] == [True, False]


def test_a_right_configuration_is_checked_without_a_network(tmp_path: Path) -> None:
    ran = command(whole(tmp_path), "check", "--config", "bridge.toml")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "ok     configuration: bridge.toml: 1 source(s)",
        f"ok     state.directory: {tmp_path / 'state'} can be written",
    ]


def test_what_is_not_there_is_found_online_and_is_one(tmp_path: Path) -> None:
    ran = command(whole(tmp_path), "check", "--online", "--config", "bridge.toml")
    findings = [line.split(":")[0].split() for line in ran.stdout.splitlines()]
    assert findings == [
        ["ok", "configuration"],
        ["ok", "state.directory"],
        ["fault", "mqtt"],
        ["fault", "sources.home"],
        ["ok", "clock"],
    ]
    assert (ran.returncode, SECRET in ran.stdout + ran.stderr, "Traceback" in ran.stderr) == (1, False, False)


def test_an_unusable_state_folder_is_two(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    for name in (["run"], ["check"], ["poll", "home"], ["introspect", "home"], ["login", "home"]):
        ran = command(whole(tmp_path), *name, "--config", "bridge.toml")
        mend = "name a folder that the user of kwh2mqtt can write to"
        line = f"state.directory: {tmp_path / 'state'} cannot be used (File exists); {mend}"
        assert (ran.returncode, ran.stderr.splitlines()[-1]) == (2, line)


@pytest.mark.parametrize("name", ["poll", "introspect", "login"])
def test_an_unknown_source_is_two(name: str, tmp_path: Path) -> None:
    ran = command(whole(tmp_path), name, "cabin", "--config", "bridge.toml")
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", "SOURCE: cabin is not configured; use one of: home\n")


def test_a_login_where_none_is_needed_is_two_and_says_what_to_do(tmp_path: Path) -> None:
    ran = command(whole(tmp_path), "login", "home", "--config", "bridge.toml")
    problem = "tibber needs no login: the configuration holds all that it signs in with"
    line = f"sources.home: {problem}; try it with kwh2mqtt check --online\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


def test_a_source_that_cannot_be_asked_is_one_and_says_why(tmp_path: Path) -> None:
    ran = command(whole(tmp_path), "poll", "home", "--config", "bridge.toml")
    assert [line.split(" ")[0] for line in ran.stdout.splitlines()] == ["kwh2mqtt/home/health", "kwh2mqtt/home/state"]
    assert '"error":{"code":"unavailable","message":"127.0.0.1:9 cannot be reached' in ran.stdout
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)


def test_a_schema_that_cannot_be_had_is_one_and_says_why(tmp_path: Path) -> None:
    ran = command(whole(tmp_path), "introspect", "home", "--config", "bridge.toml")
    assert ran.stdout.startswith("fault      home: 127.0.0.1:9 cannot be reached")
    assert ran.stdout.endswith("; check the internet connection and the source's address, then try again\n")
    assert (ran.returncode, ran.stderr, (tmp_path / "state" / "schemas").exists()) == (1, "", False)


def test_a_word_that_is_no_key_and_value_is_two(tmp_path: Path) -> None:
    ran = command(whole(tmp_path), "request", "--id", "7", "home", "--config", "bridge.toml", "readings", "first")
    line = 'first: is no KEY=VALUE; write such as first=5, from=2026-11-20T00:00:00Z or sites=["a"]\n'
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", line)


@pytest.mark.parametrize("words", [["home", "prices"], [], ["--list"], ["home"]])
def test_a_request_needs_no_source_but_a_broker(words: list[str], tmp_path: Path) -> None:
    configured(tmp_path, "[mqtt]\nhost = '127.0.0.1'\nport = 9\n")
    ran = command(tmp_path, "request", *words, "--config", "bridge.toml")
    line = "127.0.0.1:9: Connection refused; check mqtt.host and mqtt.port, and that the broker runs\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", line)


def test_words_after_an_option_belong_to_those_before_it() -> None:
    for line in (
        "request home prices a=1 b=2 --id 7",
        "request --id 7 home prices a=1 b=2",
        "request home --id 7 prices a=1 b=2",
    ):
        given = _parsed(line.split())
        assert ([*given.words, *given.left], given.id) == (["home", "prices", "a=1", "b=2"], "7")


def test_no_output_shows_the_token_however_much_is_said(tmp_path: Path) -> None:
    for arguments in (["poll", "home"], ["check", "--online"], ["introspect", "home"]):
        ran = command(whole(tmp_path), *arguments, "--verbose", "--config", "bridge.toml")
        assert SECRET not in ran.stdout + ran.stderr


def test_the_configuration_may_come_from_the_environment_alone(tmp_path: Path) -> None:
    given = {
        "KWH2MQTT_SOURCES__HOME__PROVIDER": "tibber",
        "KWH2MQTT_SOURCES__HOME__TOKEN": SECRET,
        "KWH2MQTT_STATE__DIRECTORY": str(tmp_path / "state"),
    }
    ran = command(tmp_path, "check", **given)
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, "ok     configuration: from the environment: 1 source(s)")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_main_job_ends_with_zero_when_it_is_told_to(number: signal.Signals, tmp_path: Path) -> None:
    called = [sys.executable, "-m", "bridge", "run", "--config", "bridge.toml"]
    with subprocess.Popen(called, cwd=whole(tmp_path), env=environment(), stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        said = running.stderr.readline()
        running.send_signal(number)
        _, rest = running.communicate(timeout=30)
    assert (running.returncode, f"kwh2mqtt {__version__}: 1 source(s)" in said) == (0, True)
    assert ("Traceback" in rest, SECRET in said + rest) == (False, False)


def test_a_second_run_on_one_state_folder_is_two(tmp_path: Path) -> None:
    called = [sys.executable, "-m", "bridge", "run", "--config", "bridge.toml"]
    with subprocess.Popen(called, cwd=whole(tmp_path), env=environment(), stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        running.stderr.readline()
        second = command(tmp_path, "run", "--config", "bridge.toml")
        running.terminate()
        running.communicate(timeout=30)
    assert (second.returncode, "is in use by another kwh2mqtt; stop the other one" in second.stderr) == (2, True)


def test_a_reader_that_goes_away_is_no_fault_of_ours(tmp_path: Path) -> None:
    called = f"{sys.executable} -m bridge --help | true"
    ran = subprocess.run(["sh", "-c", called], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
