"""The configuration: every fault in one line with key, file and mend; no line ever shows a value that may be a secret."""

import json
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.errors import Misconfigured
from bridge.providers import base as providers
from bridge.providers.tibber import PROVIDER
from bridge.settings import Settings, load

SECRET = "planted-9f2c"
KNOWN = ", ".join(providers.names())
HOME = """
[sources.home]
provider = "tibber"
"""
WHOLE = f'{HOME}token = "toml-token"\n'
HERE = "bridge.toml: "
ADD_TOKEN = 'add token = "…", or the secret file sources.home.token, or the variable KWH2MQTT_SOURCES__HOME__TOKEN'


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("KWH2MQTT_") or name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def written(text: str, mode: int = 0o600) -> Path:
    path = Path("bridge.toml")
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def loaded(text: str) -> Settings:
    return load(written(text))


def faults(text: str) -> list[str]:
    """Return the lines that a user reads."""
    return faults_of(written(text))


def faults_of(path: Path | None) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        load(path)
    return str(caught.value).splitlines()


def wrong(key: str, problem: str) -> str:
    return f"{key}: is wrong: {problem}; correct its value"


def token(settings: Settings, source: str = "home") -> str:
    chosen = settings.sources[source]
    assert isinstance(chosen, PROVIDER.settings)
    (secret,) = (value for value in settings.secrets() if value in str(chosen.identity()))
    return secret


def secret_file(folder: str, name: str, content: bytes) -> Path:
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / name).write_bytes(content)
    return Path(folder)


# what is right


def test_a_token_is_all_that_a_source_needs() -> None:
    settings = loaded(WHOLE)
    home = settings.sources["home"]
    assert (list(settings.sources), home.provider, home.budget.requests, home.budget.seconds) == (["home"], "tibber", 20, 300)
    assert (settings.mqtt.address, settings.mqtt.base_topic, settings.mqtt.protocol) == ("localhost:1883", "kwh2mqtt", "5")
    assert settings.providers == {"home": PROVIDER}
    assert settings.secrets() == ["toml-token"]


def test_a_secret_is_not_shown_with_the_settings() -> None:
    assert "toml-token" not in repr(loaded(WHOLE))


def test_several_sources_of_one_provider_stand_side_by_side() -> None:
    settings = loaded(WHOLE + WHOLE.replace("home", "cabin_2-b").replace("toml", "other"))
    assert {name: token(settings, name) for name in settings.sources} == {"home": "toml-token", "cabin_2-b": "other-token"}


def test_the_protocol_may_be_a_number() -> None:
    assert loaded(f"[mqtt]\nprotocol = 5\n{WHOLE}").mqtt.protocol == "5"


# faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            HOME,
            [f"sources.home.token: is missing; {ADD_TOKEN}"],
        ),
        ("[sources.home]\ntoken = 'x'", [f"sources.home.provider: is missing; add one of: {KNOWN}"]),
        (f"{WHOLE}tokn = 1", ["sources.home.tokn: is not a known key; did you mean token?"]),
        (f"[mqtt]\nhots = 'x'\n{WHOLE}", ["mqtt.hots: is not a known key; did you mean host?"]),
        (f"[mqtt.tls]\nca_fiel = 'x'\n{WHOLE}", ["mqtt.tls.ca_fiel: is not a known key; did you mean ca_file?"]),
        (f"[mqqt]\nhost = 'x'\n{WHOLE}", ["mqqt: is not a known key; did you mean mqtt?"]),
        (f"{WHOLE}budget = {{ request = 3 }}", ["sources.home.budget.request: is not a known key; did you mean requests?"]),
        (
            f"{WHOLE}zzz = 1",
            ["sources.home.zzz: is not a known key; remove it, or use one of: " + ", ".join(PROVIDER.settings.model_fields)],
        ),
        (
            f"[mqtt]\nport = 'x'\n{WHOLE}",
            [wrong("mqtt.port", "input should be a valid integer, unable to parse string as an integer")],
        ),
        (f"[mqtt]\nport = 0\n{WHOLE}", [wrong("mqtt.port", "input should be greater than or equal to 1")]),
        (f"[mqtt]\nport = 65536\n{WHOLE}", [wrong("mqtt.port", "input should be less than or equal to 65535")]),
        (f"[mqtt]\nprotocol = '4'\n{WHOLE}", [wrong("mqtt.protocol", "input should be '5' or '3.1.1'")]),
        (
            f"[mqtt]\nbase_topic = 'a/#'\n{WHOLE}",
            [wrong("mqtt.base_topic", "must be a topic without wildcards, such as kwh2mqtt or home/energy")],
        ),
        (f"[mqtt.tls]\nca_file = 'none.pem'\n{WHOLE}", [wrong("mqtt.tls.ca_file", "is not a file that can be read")]),
        (f"[mqtt.tls]\nkey_file = 'bridge.toml'\n{WHOLE}", [wrong("mqtt.tls", "cert_file and key_file go together")]),
        (f"{HOME}token = ['x']", [wrong("sources.home.token", "input should be a valid string")]),
        (f"{HOME}token = ''", [wrong("sources.home.token", "must not be empty")]),
        (
            f"{WHOLE}budget = {{ requests = 0 }}",
            [wrong("sources.home.budget.requests", "input should be greater than or equal to 1")],
        ),
        (
            f"{WHOLE}sites = {{ some-id = 'My Cabin' }}",
            [wrong("sources.home.sites.some-id", "must be lower-case letters, digits, - and _")],
        ),
        ("sources = 'x'", [wrong("sources", "input should be a valid dictionary")]),
        ("[sources]\nhome = 'x'", [wrong("sources.home", "input should be a valid dictionary")]),
        ("", ["sources: none is configured; add a section such as [sources.home]"]),
    ],
)
def test_a_fault_is_one_line_with_file_key_and_mend(text: str, expected: list[str]) -> None:
    assert faults(text) == [HERE + line for line in expected]


def test_an_unknown_provider_is_answered_with_the_known_ones() -> None:
    known = f"is not known; use one of: {KNOWN}"
    assert faults(WHOLE.replace('"tibber"', '"tiber"')) == [f"{HERE}sources.home.provider: {known}"]


def test_all_faults_are_told_at_once() -> None:
    text = "[mqtt]\nport = 'x'\nhots = 'y'\n[mqtt.tls]\nca_file = 'none.pem'\n"
    assert [line.split(": ")[1] for line in faults(text)] == ["mqtt.port", "mqtt.tls.ca_file", "mqtt.hots"]


def test_the_faults_of_all_sources_are_told_at_once() -> None:
    text = HOME + HOME.replace("home", "cabin") + "[sources.bridge]\n"
    assert [line.split(": ")[1] for line in faults(text)] == ["sources.home.token", "sources.cabin.token", "sources.bridge"]


def test_the_faults_of_every_section_are_told_at_once() -> None:
    assert [line.split(": ")[1] for line in faults(f"[mqtt]\nport = 'x'\n{HOME}")] == ["mqtt.port", "sources.home.token"]


@pytest.mark.parametrize("name", ["bridge", "command", "response", "plan", "homeassistant"])
def test_a_topic_of_the_bridges_own_names_no_source(name: str) -> None:
    line = f"sources.{name}: {name} is a topic of the bridge's own; choose another name"
    assert faults(WHOLE.replace("home", name)) == [HERE + line]


@pytest.mark.parametrize("name", ["Home", "ho me", "1a", "-a", "_a", "über", "a/b", "a.b", "a+", "#", "$a", ""])
def test_an_odd_name_names_no_source(name: str) -> None:
    line = f"sources.{name}: is no name for a source; use lower-case letters, digits, - and _"
    assert faults(WHOLE.replace("sources.home", f'sources."{name}"')) == [HERE + line]


@pytest.mark.parametrize("name", ["a", "home", "my_home", "home-2", "state", "health"])
def test_a_plain_name_names_a_source(name: str) -> None:
    assert list(loaded(WHOLE.replace("home", name)).sources) == [name]


def test_two_sources_of_one_name_are_a_fault() -> None:
    line = "is not TOML: Cannot declare ('sources', 'home') twice (at line 5, column 14); give each source a name of its own"
    assert faults(WHOLE + HOME.strip()) == [HERE + line]


@pytest.mark.parametrize("name", ["state", "health"])
def test_a_topic_of_the_source_names_no_site(name: str) -> None:
    assert faults(f"{WHOLE}sites = {{ some-id = '{name}' }}")


def test_two_sites_of_one_name_are_a_fault() -> None:
    assert faults(f"{WHOLE}sites = {{ some-id = 'cabin', other-id = 'cabin' }}")


# addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/gql",
        "HTTPS://api.example.com:8443",
        "http://127.0.0.1:8080/gql",
        "http://127.9.9.9",
        "http://[::1]:8080/gql",
        "http://localhost/gql",
    ],
)
def test_an_address_is_https_or_on_this_machine(url: str) -> None:
    assert loaded(f"{WHOLE}url = '{url}'").sources["home"].model_dump()["url"] == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://api.example.com", "must begin with https:// (plain http:// is for a loopback address only)"),
        ("http://192.168.1.2/gql", "must begin with https:// (plain http:// is for a loopback address only)"),
        ("http://127.0.0.1.example.com", "must begin with https:// (plain http:// is for a loopback address only)"),
        ("http://localhost.example.com", "must begin with https:// (plain http:// is for a loopback address only)"),
        ("https://user:word@example.com", "must not hold a user name or password"),
        ("http://localhost@example.com", "must not hold a user name or password"),
        ("ftp://example.com", "must be a whole address such as https://example.com/graphql"),
        ("api.example.com", "must be a whole address such as https://example.com/graphql"),
        ("https:///gql", "must be a whole address such as https://example.com/graphql"),
        ("", "must be a whole address such as https://example.com/graphql"),
        ("https://[::1", "Invalid IPv6 URL"),
    ],
)
def test_another_address_is_refused(url: str, problem: str) -> None:
    assert faults(f"{WHOLE}url = '{url}'") == [f"{HERE}sources.home.url: is wrong: {problem}; correct its value"]


@pytest.mark.parametrize("url", ["https://example.com:99999/", "https://x\\u0001y/", "https://ex ample.com/"])
def test_an_impossible_address_is_refused(url: str) -> None:
    assert faults(f'{WHOLE}url = "{url}"')


# the file


def test_a_missing_file_is_a_fault() -> None:
    line = "there is no such file; give the path of your bridge.toml with --config"
    assert faults_of(Path("bridge.toml")) == [HERE + line]


def test_a_directory_is_a_fault() -> None:
    Path("bridge.toml").mkdir()
    assert faults_of(Path("bridge.toml")) == [f"{HERE}cannot be read (Is a directory); let the user that runs kwh2mqtt read it"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_a_fault() -> None:
    path = written(WHOLE, 0o000)
    assert faults_of(path) == [f"{HERE}cannot be read (Permission denied); let the user that runs kwh2mqtt read it"]


def test_a_file_that_is_not_utf8_is_a_fault() -> None:
    Path("bridge.toml").write_bytes("[sources.hütte]".encode("latin-1"))
    assert faults_of(Path("bridge.toml")) == [f"{HERE}is not UTF-8 text; save it as UTF-8"]


@pytest.mark.parametrize("line", [f"token = '{SECRET}", f"token = {SECRET}", f"'token' '{SECRET}'", "[sources.cabin", "token"])
def test_broken_toml_is_a_fault_with_its_place(line: str) -> None:
    (told,) = faults(f"{HOME}{line}\n")
    assert re.fullmatch(rf"{HERE}is not TOML: .+ \(at (line 4, column \d+|end of document)\); mend the line \(.*\)", told)
    assert SECRET not in told


def test_a_key_given_twice_is_told_as_such() -> None:
    assert "source" not in faults(f"{WHOLE}token = 'again'\n")[0].replace("[sources", "")


def test_a_fault_stays_on_its_line_whatever_the_key() -> None:
    assert len(faults(f'{WHOLE}"a\\nb" = 1')) == 1


def test_the_file_is_looked_for_in_its_usual_place() -> None:
    Path("config").mkdir()
    written(WHOLE).rename("config/bridge.toml")
    assert load().file == Path("config/bridge.toml")


def test_the_variable_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_CONFIG", str(written(WHOLE).rename("elsewhere.toml")))
    assert load().file == Path("elsewhere.toml")


def test_the_argument_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_CONFIG", "elsewhere.toml")
    assert load(written(WHOLE)).file == Path("bridge.toml")


def test_a_variable_that_names_no_file_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_CONFIG", "elsewhere.toml")
    (line,) = faults_of(None)
    assert line.startswith("elsewhere.toml: there is no such file; ")


@pytest.mark.skipif(Path("/etc/kwh2mqtt/bridge.toml").exists(), reason="this machine has a configuration of its own")
def test_without_any_configuration_the_places_are_named() -> None:
    looked = "looked for in --config, $KWH2MQTT_CONFIG, config/bridge.toml, /etc/kwh2mqtt/bridge.toml"
    assert faults_of(None) == [f"sources: no configuration was found ({looked}); write one; README.md shows it"]


def test_the_demo_wants_no_source() -> None:
    assert load(written("[mqtt]\nport = 1999"), sources_wanted=False).mqtt.port == 1999


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_with_a_secret_that_others_can_read_is_warned_of(mode: int, caplog: pytest.LogCaptureFixture) -> None:
    load(written(WHOLE, mode))
    warning = "bridge.toml holds a secret and others can read it; run: chmod 600 bridge.toml"
    assert caplog.record_tuples == [("bridge.settings", logging.WARNING, warning)]


@pytest.mark.parametrize(("text", "mode"), [(WHOLE, 0o600), (HOME, 0o644), (f"{HOME}token = ''", 0o644)])
def test_no_other_file_is_warned_of(
    text: str, mode: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__TOKEN", "environment-token")
    load(written(text, mode))
    assert caplog.record_tuples == []


def test_the_password_of_the_broker_is_a_secret_too(caplog: pytest.LogCaptureFixture) -> None:
    Path("secrets").mkdir()
    settings = load(written(f"secrets_directory = 'secrets'\n[mqtt]\npassword = 'broker-word'\n{WHOLE}", 0o644))
    assert (settings.secrets(), len(caplog.records)) == (["broker-word", "toml-token"], 1)


# environment and secret files


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__TOKEN", "environment-token")
    monkeypatch.setenv("KWH2MQTT_MQTT__PORT", "1999")
    settings = loaded(f"[mqtt]\nport = 1\nhost = 'broker'\n{WHOLE}")
    assert (token(settings), settings.mqtt.address) == ("environment-token", "broker:1999")


def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__PROVIDER", "tibber")
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__TOKEN", "environment-token")
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__BUDGET__REQUESTS", "5")
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__PUBLISH_PERSONAL_DATA", "true")
    monkeypatch.setenv("KWH2MQTT_STATE__DIRECTORY", "state-folder")
    monkeypatch.setenv("KWH2MQTT_MQTT__TLS__CA_FILE", str(written("")))
    settings = load()
    home = settings.sources["home"]
    assert (settings.file, settings.state.directory, token(settings)) == (None, Path("state-folder"), "environment-token")
    assert (home.budget.requests, home.publish_personal_data) == (5, True)
    assert settings.mqtt.tls is not None
    assert settings.mqtt.tls.ca_file == Path("bridge.toml")


@pytest.mark.parametrize("value", ["123456", "true", "null", "1e5", '"quoted"', "[1]", "{"])
def test_a_token_in_the_environment_is_text_whatever_it_looks_like(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__TOKEN", value)
    monkeypatch.setenv("KWH2MQTT_MQTT__PASSWORD", value)
    assert loaded(HOME).secrets() == [value, value]


def test_a_mistyped_key_in_the_environment_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_MQTT__HOTS", "x")
    (line,) = faults(WHOLE)
    assert line.endswith("mqtt.hots: is not a known key; did you mean host?")


def test_a_mistyped_section_in_the_environment_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_MQQT__HOST", "x")
    assert faults(WHOLE) == ["environment: KWH2MQTT_MQQT__HOST: is not a known variable; did you mean KWH2MQTT_MQTT?"]


def test_a_fault_of_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_MQTT__PORT", "0")
    line = wrong("mqtt.port", "input should be greater than or equal to 1")
    assert faults(WHOLE) == [f"$KWH2MQTT_MQTT__PORT: {line}"]


def test_a_fault_of_a_secret_file_names_the_file() -> None:
    folder = secret_file("secrets", "sources.home.tokn", b"x")
    (_, line) = faults(f"secrets_directory = '{folder}'\n{HOME}")
    assert line == "secrets/sources.home.tokn: sources.home.tokn: is not a known key; did you mean token?"


@pytest.mark.parametrize("name", ["KWH2MQTT_SOURCES", "KWH2MQTT_MQTT"])
def test_a_section_in_the_environment_that_is_not_json_is_a_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SECRET)
    (line,) = faults(WHOLE)
    assert line == f"environment: {name}: is no JSON; correct it, or set its keys one by one"


def test_a_secret_file_goes_before_the_configuration_and_loses_its_line_end() -> None:
    secret_file("secrets", "sources.home.token", b"file-token\r\n")
    secret_file("secrets", "mqtt.password", b"123456\n")
    settings = loaded(f"secrets_directory = 'secrets'\n[mqtt]\npassword = 'toml'\n{WHOLE}")
    assert settings.secrets() == ["123456", "file-token"]


def test_the_environment_goes_before_a_secret_file(monkeypatch: pytest.MonkeyPatch) -> None:
    secret_file("secrets", "sources.home.token", b"file-token\n")
    monkeypatch.setenv("KWH2MQTT_SOURCES__HOME__TOKEN", "environment-token")
    assert loaded(f"secrets_directory = 'secrets'\n{WHOLE}").secrets() == ["environment-token"]


def test_the_credentials_of_the_service_manager_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret_file("credentials", "sources.home.token", b"manager-token\n")))
    assert loaded(HOME).secrets() == ["manager-token"]


def test_a_whole_folder_of_credentials_is_read_and_its_guard_is_systemds_affair(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = secret_file("credentials", "kwh2mqtt_sources.home.token", b"manager-token\n")
    (folder / "kwh2mqtt_sources.home.token").chmod(0o440)  # as systemd's access list looks
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert loaded(HOME).secrets() == ["manager-token"]
    assert caplog.record_tuples == []


def test_both_folders_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    secret_file("secrets", "mqtt.password", b"broker-word\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret_file("credentials", "sources.home.token", b"manager-token\n")))
    assert loaded(f"secrets_directory = 'secrets'\n{HOME}").secrets() == ["broker-word", "manager-token"]


def test_the_folder_may_be_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_SECRETS_DIRECTORY", str(secret_file("secrets", "sources.home.token", b"file-token\n")))
    assert loaded(HOME).secrets() == ["file-token"]


@pytest.mark.parametrize("folder", ["none", "bridge.toml", "x" * 5000], ids=["missing", "file", "impossible"])
def test_a_secrets_folder_that_cannot_be_read_is_warned_of(folder: str, caplog: pytest.LogCaptureFixture) -> None:
    assert loaded(f"secrets_directory = '{folder}'\n{WHOLE}").secrets() == ["toml-token"]
    warning = "secrets_directory is no folder that can be read: secrets are not looked for there"
    assert caplog.record_tuples == [("bridge.settings", logging.WARNING, warning)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_secrets_folder_that_is_closed_to_us_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    folder = secret_file("secrets", "sources.home.token", b"file-token\n")
    folder.chmod(0)
    assert loaded(f"secrets_directory = 'secrets'\n{WHOLE}").secrets() == ["toml-token"]
    folder.chmod(0o700)
    assert "secrets_directory is no folder that can be read: secrets are not looked for there" in caplog.messages


def test_a_service_that_is_handed_its_secrets_need_not_read_their_folder(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret_file("credentials", "sources.home.token", b"manager-token\n")))
    assert loaded(f"secrets_directory = 'none'\n{HOME}").secrets() == ["manager-token"]
    assert caplog.record_tuples == []


@pytest.mark.parametrize(
    "name", ["ca.pem", "README", "sources.home.token.bak", "sources.home.token.password", "sources.home.amqp.txt"]
)
def test_a_file_that_is_no_secret_of_ours_is_passed_over(name: str) -> None:
    secret_file("secrets", "sources.home.token", b"file-token\n")
    secret_file("secrets", name, b"old\n")
    assert loaded(f"secrets_directory = 'secrets'\n{HOME}").secrets() == ["file-token"]


def test_a_part_of_a_source_has_secret_files_too() -> None:
    secret_file("secrets", "sources.home.budget.token", b"deep-token\n")
    secret_file("secrets", "sources.home.token", b"file-token\n")
    (line,) = faults(f"secrets_directory = 'secrets'\n{HOME}budget = {{ requests = 3 }}")
    key = "sources.home.budget.token"
    assert line == f"secrets/{key}: {key}: is not a known key; remove it, or use one of: requests, seconds"


def test_a_secret_file_in_the_way_of_a_part_is_no_more_than_a_fault() -> None:
    secret_file("secrets", "sources.home.token.password", b"deep\n")
    secret_file("secrets", "sources.home.budget", b"flat\n")
    secret_file("secrets", "sources.home.budget.password", b"deep\n")
    assert len(faults(f"secrets_directory = 'secrets'\n{WHOLE}")) == 1


@pytest.mark.parametrize("name", ["sources.home.token", "key.der"])
def test_a_secret_file_that_is_not_text_is_a_fault_or_passed_over(name: str) -> None:
    secret_file("secrets", name, b"\xff\xfe\x00")
    assert len(faults(f"secrets_directory = 'secrets'\n{HOME}")) == 1


def test_a_path_that_the_system_refuses_is_a_fault() -> None:
    text = f"mqtt.tls.ca_file = '{'x' * 5000}'\n{WHOLE}"
    assert faults(text) == [HERE + wrong("mqtt.tls.ca_file", "is not a file that can be read")]


# no message shows a secret

TABLES: Mapping[str, object] = {"sources.home.provider": "tibber", "sources.home.token": "toml-token"}
MQTT_KEYS = ("host", "port", "base_topic", "protocol", "transport", "websocket_path", "username", "password", "client_id")
KEYS = [
    "secrets_directory",
    "mqtt",
    *(f"mqtt.{key}" for key in (*MQTT_KEYS, "keepalive", "tls", "pasword")),
    *(f"mqtt.tls.{key}" for key in ("ca_file", "cert_file", "key_file", "pasword")),
    "state",
    "state.directory",
    "state.token",
    "sources",
    "sources.home",
    "sources.Home",
    *(
        f"sources.home.{key}"
        for key in ("provider", "token", "tokn", "api_key", "url", "publish_personal_data", "budget", "sites")
    ),
    "sources.home.budget.requests",
    "sources.home.budget.token",
    "sources.home.sites.some-id",
    "sources.cabin.token",
    "token",
]
SHAPES = {
    "text": SECRET,
    "list": [SECRET],
    "table": {"token": SECRET},
    "deep": {"x": [{"y": SECRET}]},
    "url": f"http://x:{SECRET}@example.com",
}


def told(path: Path | None, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that a user is told."""
    try:
        load(path)
    except Misconfigured as error:
        return f"{error}\n{error!r}\n{error.faults}\n{caplog.text}"
    return caplog.text


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("key", KEYS)
def test_a_secret_in_the_file_is_never_told(key: str, shape: str, caplog: pytest.LogCaptureFixture) -> None:
    others = {other: value for other, value in TABLES.items() if not other.startswith(key)}
    lines = {**others, key: SHAPES[shape]}
    assert SECRET not in told(written("\n".join(f"{name} = {toml(value)}" for name, value in lines.items()), 0o644), caplog)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [SECRET, json.dumps({"x": SECRET}), f"{{{SECRET}"])
def test_a_secret_in_the_environment_is_never_told(
    key: str, value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KWH2MQTT_" + key.upper().replace(".", "__"), value)
    assert SECRET not in told(written(WHOLE), caplog)


@pytest.mark.parametrize("key", KEYS)
def test_a_secret_in_a_secret_file_is_never_told(key: str, caplog: pytest.LogCaptureFixture) -> None:
    secret_file("secrets", key, SECRET.encode())
    assert SECRET not in told(written(f"secrets_directory = 'secrets'\n{WHOLE}"), caplog)


@pytest.mark.parametrize(
    ("granted", "expected"),
    [(["home.notify"], True), (["home.prices"], False), (["home.*", "*"], False), (["octopus.boost_start"], False), ([], False)],
)
def test_a_source_may_write_where_a_grant_names_a_write_of_its_own(granted: list[str], tmp_path: Path, *, expected: bool) -> None:
    text = f"""
[sources.home]
provider = "tibber"
token = "abcd"
[sources.octopus]
provider = "octopus"
api_key = "abcd"
[clients.wallbox]
allow = {granted}
"""
    file = tmp_path / "bridge.toml"
    file.write_text(text)
    file.chmod(0o600)
    assert load(file).may_write("home") is expected
