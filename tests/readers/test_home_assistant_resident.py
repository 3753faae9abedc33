"""A real Home Assistant finds everything, presses a button, and loses what is removed: with a real broker and the main job.

`HOME_ASSISTANT_PYTHON` names interpreters that have it installed, with `:` between them; without, these tests are skipped.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.pricing.windows import WindowSettings
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.settings import Settings
from bridge.simulator.homes import DEFAULT_HOMES
from bridge.transport.settings import MqttSettings
from tests.conftest import subscribed
from tests.readers.test_home_assistant_judged import INTERPRETERS
from tests.readers.test_home_assistant_live import ALL, complete
from tests.test_app import configured, running, state, tibber

RESIDENT = Path(__file__).with_name("resident.py")
PATIENCE_S = 60.0
PRICE = "sensor.home_cabin_price_import"
WINDOW = "binary_sensor.home_cabin_window_cheapest_3h_active"
NO_INSTANT = "Invalid state message"  # what 2024.3 says when an instant becomes unknown
SILENT = ("button", "event")  # platforms that are unknown until something happens
Told = dict[str, Any]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INTERPRETERS, reason="HOME_ASSISTANT_PYTHON names no interpreter"),
    pytest.mark.parametrize("interpreter", INTERPRETERS or [""]),
]


class HomeAssistant:
    """One that runs, and the last that it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def told(self, order: str = "states") -> Told:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{order}\n".encode())
        told: Told = json.loads(await self._process.stdout.readline())
        return told

    async def until(self, condition: Callable[[Told], object]) -> Told:
        async with asyncio.timeout(PATIENCE_S):
            while not condition(told := await self.told()):
                pass
        return told


@asynccontextmanager
async def begun(interpreter: str, mqtt: MqttSettings, folder: Path) -> AsyncIterator[HomeAssistant]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        interpreter,
        str(RESIDENT),
        str(mqtt.port),
        str(folder),
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**22,
    )
    try:
        yield HomeAssistant(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def shown(settings: Settings, form: str, *, windows: bool = True) -> Settings:
    """Return `settings` with Home Assistant told in this form, and a window where it is wanted."""
    window = {"cheapest-3h": WindowSettings.model_validate({"duration": "PT3H"})} if windows else {}
    sources = {name: own.model_copy(update={"windows": window}) for name, own in settings.sources.items()}
    return replace(settings, sources=sources, home_assistant=HomeAssistantSettings.model_validate({"discovery": form}))


async def form_of(interpreter: str) -> str:
    """Return the form of discovery that this version knows."""
    program = "import homeassistant.const as c; print((c.MAJOR_VERSION, c.MINOR_VERSION) >= (2024, 11))"
    process = await asyncio.create_subprocess_exec(interpreter, "-c", program, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return "device" if out.strip() == b"True" else "component"


async def test_all_is_found_a_press_is_answered_and_what_is_removed_is_gone(
    tmp_path: Path, mqtt: MqttSettings, interpreter: str
) -> None:
    form = await form_of(interpreter)
    async with tibber() as (simulated, url), begun(interpreter, mqtt, tmp_path / "ha") as home_assistant:
        both = configured(tmp_path, mqtt, home=url, other=url)
        async with running(shown(both, form)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == seen.get(state("other")) == "online")
            found = await home_assistant.until(
                lambda told: len(told["devices"]) == 2 * len(DEFAULT_HOMES) + 1 and WINDOW in told["states"]
            )
            found = await home_assistant.until(
                lambda told: float(told["states"][PRICE]) and len(told["unique"]) >= len(found["unique"])
            )
            assert found["warnings"] == []
            unknown = {id_ for id_, value in found["states"].items() if value in ("unknown", "unavailable")}
            assert {id_ for id_ in unknown if id_.split(".")[0] not in SILENT} == set()
            await home_assistant.told("press button.kwh2mqtt_home_refresh")
            await home_assistant.until(lambda told: told["states"]["event.kwh2mqtt_answer"] != "unknown")
        gone = await home_assistant.until(lambda told: told["states"][PRICE] == "unavailable")
        assert gone["states"]["binary_sensor.kwh2mqtt_state"] == "off"
        simulated.homes = [replace(home, nickname=f"New {home.nickname}") for home in DEFAULT_HOMES]
        async with running(shown(configured(tmp_path, mqtt, home=url), form, windows=False)):
            left = await home_assistant.until(lambda told: len(told["devices"]) == len(ALL) and WINDOW not in told["states"])
            kept = {unique: id_ for unique, id_ in found["unique"].items() if "other" not in id_ and "window" not in id_}
            assert (set(left["devices"]), left["unique"]) == (ALL, kept)
            assert [line for line in left["warnings"] if NO_INSTANT not in line] == []


async def test_another_form_of_discovery_keeps_every_entity(tmp_path: Path, mqtt: MqttSettings, interpreter: str) -> None:
    if await form_of(interpreter) == "component":
        pytest.skip("this version knows no other form")
    async with tibber() as (_, url), begun(interpreter, mqtt, tmp_path / "ha") as home_assistant:
        settings = configured(tmp_path, mqtt, home=url)
        async with running(shown(settings, "component")), subscribed(mqtt) as seen:
            await complete(seen)
            before = await home_assistant.until(lambda told: set(told["devices"]) == ALL and PRICE in told["states"])
        async with running(shown(settings, "device")), subscribed(mqtt) as seen:
            await complete(seen)
            await seen.until(lambda seen: not [topic for topic in seen.latest if topic.startswith("homeassistant/sensor/")])
            after = await home_assistant.until(lambda told: told["states"].get(PRICE, "unavailable") != "unavailable")
            assert after["unique"] == before["unique"]
