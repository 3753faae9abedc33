"""The page on Home Assistant: every entity it names is told of by the demo, and its configuration is what it says."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from bridge.app import built
from bridge.commands.settings import ClientSettings
from bridge.demo import _settings
from bridge.readers.home_assistant.settings import HomeAssistantSettings, Kind
from bridge.simulator.stage import served
from bridge.transport.settings import MqttSettings
from tests.support import HandClock
from tests.test_docs import HOME_ASSISTANT, MOMENT, REDACT, blocks, rows

PLATFORMS = ("sensor", "binary_sensor", "button", "number", "event")
SECTIONS = [tomllib.loads(block) for block in blocks(HOME_ASSISTANT, "toml")]


def one(section: str) -> dict[str, Any]:
    (found,) = (table[section] for table in SECTIONS if section in table and (section != "home_assistant" or len(table) > 1))
    return dict(found)


@pytest.fixture
async def told(tmp_path: Path) -> dict[str, Any]:
    """Return what Home Assistant is told of each entity, by its id; the demo is configured as the page says."""
    clock = HandClock(MOMENT)
    async with served(clock.now) as tables:
        shown = {"home": {**tables["tibber"], **one("sources")["home"]}, "octopus": tables["octopus"]}
        own = HomeAssistantSettings.model_validate(one("home_assistant"))
        granted = {name: ClientSettings.model_validate(section).allow for name, section in one("clients").items()}
        settings = replace(_settings(MqttSettings(), tmp_path, shown), home_assistant=own, grants=granted)
        async with built(settings, clock, REDACT) as app:
            assert app.announcer is not None
            for account in app.accounts:
                await app.poller(account).poll()
            await app.announcer.announce()
            found = [json.loads(one.payload) for one in app.shelf.messages() if one.topic.startswith("homeassistant/")]
    return {one["default_entity_id"]: one for device in found for one in device["components"].values()}


async def test_every_entity_that_the_page_names_is_there(told: dict[str, Any]) -> None:
    named = set(re.findall(rf"\b((?:{'|'.join(PLATFORMS)})\.[a-z0-9_]+)", HOME_ASSISTANT))
    assert len(named) > 12
    assert named - told.keys() == set()


async def test_the_dashboard_takes_what_the_page_says(told: dict[str, Any]) -> None:
    """As Home Assistant's `energy/validate.py` has it: energy with a sum, and a price whose unit is money for energy."""
    for where, *cells in rows(HOME_ASSISTANT, "| where | at Tibber | at Octopus |"):
        for id_ in [cell.strip("`") for cell in cells if cell]:
            about = told[id_]
            if "price" in where:
                assert re.fullmatch("[A-Z]{3}/kWh", about["unit_of_measurement"])
            else:
                assert (about["device_class"], about["state_class"], about["unit_of_measurement"]) == ("energy", "total", "kWh")


def test_the_page_names_every_kind_of_entity() -> None:
    assert [row[0].strip("`") for row in rows(HOME_ASSISTANT, "| kind | entities |")] == list(get_args(Kind))


def test_the_defaults_on_the_page_are_those_that_hold() -> None:
    (shown,) = (table["home_assistant"] for table in SECTIONS if "prefix" in table.get("home_assistant", {}))
    usual = HomeAssistantSettings()
    assert (shown["prefix"], shown["client"], usual.discovery) == (usual.prefix, usual.client, "device")
