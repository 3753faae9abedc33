"""Home Assistant's own code accepts what it is told, and makes states of what stands on the topics.

`HOME_ASSISTANT_PYTHON` names interpreters that have it installed, with `:` between them; without, these tests are skipped.
"""

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.app import built
from bridge.demo import _settings
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.simulator.stage import served
from bridge.transport.settings import MqttSettings
from tests.readers.villa import ASKS, Villa
from tests.support import HandClock
from tests.test_docs import MOMENT, REDACT

INTERPRETERS = [name for name in os.environ.get("HOME_ASSISTANT_PYTHON", "").split(":") if name]
JUDGE = Path(__file__).with_name("judge.py")
WINDOWS = {"cheapest-3h": {"duration": "PT3H"}, "pieces": {"duration": "PT2H", "contiguous": False}}
GRANTS = {"homeassistant": ("*", "octopus.boost_start", "octopus.boost_cancel", "octopus.meter_reading_send")}
MOST_ATTRIBUTES = 16_384  # bytes; the recorder drops more
SILENT = ("", "None", "unrendered")  # what becomes unknown, or changes nothing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INTERPRETERS, reason="HOME_ASSISTANT_PYTHON names no interpreter"),
    pytest.mark.parametrize("interpreter", INTERPRETERS or [""]),
    pytest.mark.parametrize("form", ["component", "device"]),
]


async def judgement(interpreter: str, found: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(interpreter, str(JUDGE), stdin=pipe, stdout=pipe, stderr=pipe)
    out, error = await process.communicate(json.dumps({"found": found, "told": told}).encode())
    assert process.returncode == 0, error.decode()
    judged: dict[str, Any] = json.loads(out)
    if form_unknown(judged["version"], found):
        pytest.skip(f"{judged['version']} knows no devices")
    return judged


def form_unknown(version: str, found: dict[str, Any]) -> bool:
    before = [int(number) for number in version.split(".")[:2]] < [2024, 11]
    return before and any("components" in payload for payload in found.values())


async def demo(form: str, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the demo tells Home Assistant, and what stands on its other topics."""
    clock = HandClock(MOMENT)
    async with served(clock.now) as tables:
        windowed = {name: {**table, "windows": WINDOWS} for name, table in tables.items()}
        own = HomeAssistantSettings.model_validate({"discovery": form})
        settings = replace(_settings(MqttSettings(), folder, windowed), home_assistant=own, grants=GRANTS)
        async with built(settings, clock, REDACT) as app:
            assert app.announcer is not None
            for account in app.accounts:
                await app.poller(account).poll()
                app.shelf.put(account.report.messages(MOMENT))
            await app.slots.show(MOMENT)
            await app.announcer.announce()
            app.shelf.put([app.report.info(), app.report.health(MOMENT)])
            stands = {message.topic: message.payload.decode() for message in app.shelf.messages()}
    found = {topic: json.loads(payload) for topic, payload in stands.items() if topic.startswith("homeassistant/")}
    return found, {topic: payload for topic, payload in stands.items() if topic not in found}


async def test_all_that_the_demo_tells_is_accepted_and_every_state_is_made(tmp_path: Path, interpreter: str, form: str) -> None:
    judged = await judgement(interpreter, *await demo(form, tmp_path))
    templates = [(id_, template, made) for id_, states in judged["states"].items() for template, made in states.items()]
    assert judged["refused"] == {}
    assert all(
        made[1] in SILENT for _, template, made in templates if template in ("value_template", "last_reset_value_template")
    )
    values = {id_: made[0] for id_, template, made in templates if template == "value_template"}
    lacking = {id_.split("_", 3)[-1] for id_, made in values.items() if made in SILENT}
    assert lacking == {"answer", "cost_export_today", "cost_import_today", "cost_gas_today"}  # nothing is known of them yet
    attributes = [made for _, template, made in templates if template == "json_attributes_template"]
    assert all(
        isinstance(json.loads(text), dict) and len(text.encode()) < MOST_ATTRIBUTES for made in attributes for text in made
    )
    commands = [json.loads(made[0]) for _, template, made in templates if template == "command_template"]
    assert {"id", "args"} == {name for command in commands for name in command}
    assert any(command.get("args", {}).get("reading") == 4711 for command in commands)


async def test_all_that_can_be_told_of_a_site_is_accepted(tmp_path: Path, interpreter: str, form: str) -> None:
    villa = Villa(tmp_path)
    villa.begin(ASKS, discovery=form)
    assert (await judgement(interpreter, await villa.told(), {}))["refused"] == {}
