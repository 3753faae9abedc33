"""`[home_assistant]`: off without the section, on with it, and no key taken for another."""

from pathlib import Path

import pytest

from bridge.errors import Misconfigured
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.settings import Settings, load

SOURCE = '[sources.home]\nprovider = "tibber"\ntoken = "planted-9f2c"\n'


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str) -> Settings:
    path = Path("bridge.toml")
    path.write_text(f"{SOURCE}{text}", "utf-8")
    path.chmod(0o600)
    return load(path)


def faults(text: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        loaded(text)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("text", ["", "[home_assistant]\nenabled = false\n"])
def test_home_assistant_is_told_nothing_unless_it_is_asked_for(text: str) -> None:
    assert loaded(text).home_assistant is None


@pytest.mark.parametrize("text", ["[home_assistant]\n", "[home_assistant]\nenabled = true\n"])
def test_the_section_switches_it_on(text: str) -> None:
    assert loaded(text).home_assistant == HomeAssistantSettings(
        enabled=True, prefix="homeassistant", discovery="device", client="homeassistant", without=()
    )


@pytest.mark.parametrize("without", ["rank, trend", '["rank", "trend"]'])
def test_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    monkeypatch.setenv("KWH2MQTT_HOME_ASSISTANT__ENABLED", "true")
    monkeypatch.setenv("KWH2MQTT_HOME_ASSISTANT__WITHOUT", without)
    assert loaded("").home_assistant == HomeAssistantSettings(without=("rank", "trend"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('prefix = "ha/#"', "home_assistant.prefix: is wrong: must be one or several topic levels, such as homeassistant; "),
        ('prefix = "/ha"', "home_assistant.prefix: is wrong: must be one or several topic levels, such as homeassistant; "),
        ('client = "a/b"', "home_assistant.client: is wrong: must be one topic level of up to 64 bytes; "),
        ('discovery = "devices"', "home_assistant.discovery: is wrong: input should be 'device' or 'component'; "),
    ],
)
def test_a_fault_names_the_key_and_the_mend(line: str, fault: str) -> None:
    assert faults(f"[home_assistant]\n{line}\n") == [f"bridge.toml: {fault}correct its value"]


def test_an_unknown_kind_of_entity_is_answered_with_the_known_ones() -> None:
    (fault,) = faults('[home_assistant]\nwithout = ["prices"]\n')
    assert fault.startswith("bridge.toml: home_assistant.without.0: is wrong: input should be 'price', 'next_price', ")


def test_a_mistyped_key_is_answered_with_the_nearest() -> None:
    assert faults("[home_assistant]\nenable = true\n") == [
        "bridge.toml: home_assistant.enable: is not a known key; did you mean enabled?"
    ]
