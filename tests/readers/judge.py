"""Home Assistant's own judgement of discovery messages, run by its interpreter: what it refuses, what it makes of payloads.

Reads `{"found": {topic: discovery payload}, "told": {topic: payload}}` and writes `{"version", "refused", "states"}`, the states
by unique id: rendered from the payload told, and from an empty one. It must not import anything of ours.
"""

import asyncio
import contextlib
import importlib
import json
import sys
import tempfile
import warnings
from typing import Any

PLATFORMS = ("sensor", "binary_sensor", "event", "button", "number")
SHARED = ("device", "origin", "availability", "availability_mode", "qos")
UNKNOWN = "unrendered"


def module(name: str) -> Any:
    return importlib.import_module(f"homeassistant.{name}")


def entities(topic: str, payload: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the platform and the configuration of each entity, as Home Assistant takes a device apart."""
    if "components" not in payload:
        return [(topic.split("/")[1], payload)]
    shared = {name: payload[name] for name in SHARED if name in payload}
    parts = [({**shared, **part}, part["platform"]) for part in payload["components"].values() if len(part) > 1]
    return [(platform, {name: value for name, value in part.items() if name != "platform"}) for part, platform in parts]


def judged(platform: str, config: dict[str, Any]) -> None:
    """Raise for what the schema refuses, or what the entity would warn of later."""
    module(f"components.mqtt.{platform}").DISCOVERY_SCHEMA(dict(config))
    found, state_class = config.get("device_class"), config.get("state_class")
    const = module("components.sensor.const")
    if platform == "sensor" and found:
        units, allowed = const.DEVICE_CLASS_UNITS.get(found), const.DEVICE_CLASS_STATE_CLASSES[found]
        if units and config.get("unit_of_measurement") not in units:
            raise ValueError(f"{found} in {config.get('unit_of_measurement')}")
        if state_class and state_class not in allowed:
            raise ValueError(f"{found} as {state_class}")


def rendered(hass: Any, config: dict[str, Any], told: dict[str, str]) -> dict[str, list[str]]:
    """Return what each template makes of what stands on its topic, and of an empty payload."""
    pairs = {"value_template": "state_topic", "json_attributes_template": "json_attributes_topic",
             "last_reset_value_template": "state_topic"}  # fmt: skip
    states = {}
    for template, topic in pairs.items():
        if template in config:
            tried = module("helpers.template").Template(config[template], hass)
            payloads = [told.get(config[topic], ""), ""]
            states[template] = [str(tried.async_render_with_possible_json_value(payload, UNKNOWN)) for payload in payloads]
    if "command_template" in config:
        tried = module("helpers.template").Template(config["command_template"], hass)
        states["command_template"] = [tried.async_render({"value": 4711.0}, parse_result=False)]
    return states


async def main() -> None:
    given = json.load(sys.stdin)
    hass = module("core").HomeAssistant(*([tempfile.gettempdir()] if takes_a_folder() else []))
    with contextlib.suppress(AttributeError):  # of later versions
        module("helpers.frame").async_setup(hass)
    refused, states = {}, {}
    for topic, payload in given["found"].items():
        try:
            if "components" in payload:
                module("components.mqtt.schemas").DEVICE_DISCOVERY_SCHEMA(json.loads(json.dumps(payload)))
            for platform, config in entities(topic, payload):
                judged(platform, config)
                states[config["unique_id"]] = rendered(hass, config, given["told"])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is refused
            refused[topic] = repr(error)
    json.dump({"version": module("const").__version__, "refused": refused, "states": states}, sys.stdout)


def takes_a_folder() -> bool:
    return "config_dir" in module("core").HomeAssistant.__init__.__code__.co_varnames


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asyncio.run(main())
