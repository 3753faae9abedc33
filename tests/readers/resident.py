"""Home Assistant itself with MQTT alone, run by its own interpreter: `python resident.py PORT FOLDER`.

It answers each line on its input with a line of JSON: `states` with every entity's, `press ENTITY` when it is pressed. FOLDER is
its configuration, which a second run finds again. It must not import anything of ours.
"""

import asyncio
import contextlib
import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

QUIET_S, LONGEST_S = 1.0, 20.0  # without a change; in any case


def module(name: str) -> Any:
    return importlib.import_module(f"homeassistant.{name}")


class Kept(logging.Handler):
    """Keeps what MQTT warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("homeassistant.components", "homeassistant.helpers.template")):
            self.lines.append(f"{record.name}: {record.getMessage()}")


def furnish(folder: Path, port: int) -> None:
    """Write the configuration of one that has set up MQTT, unless it is there."""
    storage = folder / ".storage"
    if storage.is_dir():
        return
    storage.mkdir(parents=True)
    (folder / "configuration.yaml").write_text("{}\n")
    entry = {"entry_id": "mqtt", "version": 1, "domain": "mqtt", "title": "mqtt", "data": {"broker": "127.0.0.1", "port": port},
             "options": {}, "source": "user", "unique_id": None, "disabled_by": None, "pref_disable_new_entities": False,
             "pref_disable_polling": False}  # fmt: skip
    content = {"version": 1, "minor_version": 1, "key": "core.config_entries", "data": {"entries": [entry]}}
    (storage / "core.config_entries").write_text(json.dumps(content))


async def begun(folder: Path) -> Any:
    hass = module("core").HomeAssistant(str(folder))
    module("loader").async_setup(hass)
    with contextlib.suppress(AttributeError):  # of later versions
        module("helpers.frame").async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = module("config_entries").ConfigEntries(hass, {})
    await module("bootstrap").async_load_base_functionality(hass)
    hass.data["http"] = None
    hass.config.components.update({"http", "file_upload"})  # which MQTT wants, and discovery does not need
    await hass.config_entries.async_setup("mqtt")
    hass.set_state(module("core").CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    return hass


async def settled(hass: Any) -> dict[str, Any]:
    """Return the states once they do not change any more."""
    before, loop = None, asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    while (now := states(hass)) != before and loop.time() < until:
        before = now
        await asyncio.sleep(QUIET_S)
        await hass.async_block_till_done()
    return now


def states(hass: Any) -> dict[str, Any]:
    return {one.entity_id: one.state for one in hass.states.async_all()}


async def main(port: int, folder: Path) -> None:
    kept = Kept()
    logging.getLogger("homeassistant").addHandler(kept)
    furnish(folder, port)
    hass = await begun(folder)
    registry, devices = module("helpers.entity_registry").async_get(hass), module("helpers.device_registry").async_get(hass)
    loop = asyncio.get_running_loop()
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).split():
        if line[0] == "press":
            await hass.services.async_call("button", "press", {"entity_id": line[1]}, blocking=True)
        told = {
            "version": module("const").__version__,
            "states": await settled(hass),
            "unique": {one.unique_id: one.entity_id for one in registry.entities.values()},
            "devices": sorted(one.name for one in devices.devices.values()),
            "warnings": kept.lines,
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()
    await hass.async_stop(force=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
