"""`[commands]` and `[clients.NAME]`: what may be granted, and what is said of a grant of what there is not."""

import json
import os
from pathlib import Path

import pytest

from bridge.commands.settings import CommandsSettings
from bridge.errors import Misconfigured
from bridge.settings import Settings, load

HOME = '[sources.home]\nprovider = "tibber"\ntoken = "a-token"\n'
OCTOPUS = '[sources.octopus]\nprovider = "octopus"\napi_key = "sk_live_a"\n'
MINE = f'{HOME}[sources.home.operations.mine]\ndocument = "mine.graphql"\n'
GRANT = 'must be a source and an operation such as "home.prices", "home.*" for its queries, or "*" for all of them'


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("KWH2MQTT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def loaded(text: str) -> Settings:
    path = Path("bridge.toml")
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return load(path)


def allowed(*grants: str, client: str = "wallbox") -> str:
    return f"[clients.{json.dumps(client)}]\nallow = {json.dumps(grants)}\n"


def faults(text: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        loaded(text)
    return str(caught.value).splitlines()


def test_what_there_is_may_be_granted_by_name_or_by_wildcard_also_the_bridge_s_own() -> None:
    grants = ("home.prices", "home.notify", "octopus.boost_start", "home.*", "*", "bridge.plan", "bridge.*")
    settings = loaded(HOME + OCTOPUS + allowed(*grants) + allowed(client="*"))
    assert settings.grants == {"wallbox": grants, "*": ()}


def test_a_document_of_the_user_s_own_may_be_granted(tmp_path: Path) -> None:
    (tmp_path / "mine.graphql").write_text("{ viewer { name } }")
    assert loaded(MINE + allowed("home.mine")).grants == {"wallbox": ("home.mine",)}


@pytest.mark.parametrize(
    ("grant", "mend"),
    [
        ("home.price", "did you mean home.prices?"),
        ("hom.prices", "did you mean home.prices?"),
        ("Home.notify", "did you mean home.notify?"),
        ("home.home-update", "did you mean home.home_update?"),
    ],
)
def test_a_grant_of_what_there_is_not_is_a_fault_that_names_the_nearest(grant: str, mend: str) -> None:
    assert faults(HOME + allowed(grant)) == [f"bridge.toml: clients.wallbox.allow: {grant} is no operation; {mend}"]


def test_where_none_is_near_all_are_named() -> None:
    (fault,) = faults(HOME + allowed("other.q"))
    assert fault.startswith(
        "bridge.toml: clients.wallbox.allow: other.q is no operation; remove it, or use one of: bridge.cheapest, "
    )


@pytest.mark.parametrize("grant", ["prices", "", ".", "home.", ".prices", "*x"])
def test_a_grant_is_a_source_and_an_operation_or_a_wildcard(grant: str) -> None:
    assert faults(HOME + allowed(grant)) == [f"bridge.toml: clients.wallbox.allow.0: is wrong: {GRANT}; correct its value"]


def test_a_wildcard_stands_for_every_operation_and_for_no_source() -> None:
    (fault,) = faults(HOME + allowed("*.prices"))
    assert fault.startswith("bridge.toml: clients.wallbox.allow: *.prices is no operation; ")


@pytest.mark.parametrize("client", ["", "a/b", "a+", "#", "x" * 65, "ü" * 33])
def test_a_client_is_one_level_of_a_topic_of_up_to_64_bytes(client: str) -> None:
    assert faults(HOME + allowed(client=client)) == [
        f"bridge.toml: clients.{client}: is no name for a client; use one topic level of up to 64 bytes"
    ]


@pytest.mark.parametrize("client", ["x" * 64, "ü" * 32, "Wallbox 2", "*", "$SYS"])
def test_any_other_name_will_do(client: str) -> None:
    assert loaded(HOME + allowed("home.prices", client=client)).grants == {client: ("home.prices",)}


def test_a_section_that_grants_nothing_or_says_something_else_is_a_fault() -> None:
    assert faults(f'{HOME}[clients.wallbox]\nalow = ["home.prices"]') == [
        "bridge.toml: clients.wallbox.allow: is missing; add allow = …, or the variable KWH2MQTT_CLIENTS__WALLBOX__ALLOW",
        "bridge.toml: clients.wallbox.alow: is not a known key; did you mean allow?",
    ]


@pytest.mark.parametrize("text", ['["home.prices", "home.notify"]', "home.prices, home.notify", "home.prices,home.notify"])
def test_a_variable_grants_too(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("KWH2MQTT_CLIENTS__WALLBOX__ALLOW", text)
    assert loaded(HOME).grants == {"wallbox": ("home.prices", "home.notify")}


def test_a_variable_that_grants_what_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_CLIENTS__WALLBOX__ALLOW", "home.price")
    assert faults(HOME) == [
        "$KWH2MQTT_CLIENTS__WALLBOX__ALLOW: clients.wallbox.allow: home.price is no operation; did you mean home.prices?"
    ]


def test_limits_have_defaults_and_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(HOME).commands == CommandsSettings(per_minute=30, writes_per_minute=10, concurrent=16)
    monkeypatch.setenv("KWH2MQTT_COMMANDS__CONCURRENT", "4")
    assert loaded(f"{HOME}[commands]\nper_minute = 60").commands == CommandsSettings(
        per_minute=60, writes_per_minute=10, concurrent=4
    )


def test_a_limit_lets_something_through() -> None:
    assert faults(f"{HOME}[commands]\nper_minute = 0\nwrites_per_minut = 5") == [
        "bridge.toml: commands.per_minute: is wrong: input should be greater than or equal to 1; correct its value",
        "bridge.toml: commands.writes_per_minut: is not a known key; did you mean writes_per_minute?",
    ]


def test_a_document_that_may_not_be_sent_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "mine.graphql").write_text("mutation { sendMeterReading { success } }")
    assert faults(MINE) == [
        "bridge.toml: sources.home.operations.mine.document: writes by sendMeterReading, which no document may reach; take it out"
    ]


def test_a_document_under_the_name_of_an_operation_is_a_fault(tmp_path: Path) -> None:
    assert faults(MINE.replace("mine]", "prices]")) == [
        "bridge.toml: sources.home.operations.prices: there is an operation of this name already; choose another name"
    ]
