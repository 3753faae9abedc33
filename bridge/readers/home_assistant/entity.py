"""One entity of Home Assistant, and the words that several kinds of them share.

An empty payload, by which we say that something is unknown, is no JSON: a template must say `None` then, or the last value stays
and the log fills.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.readers.home_assistant.settings import Kind

SENSOR, BINARY_SENSOR, EVENT, BUTTON, NUMBER = "sensor", "binary_sensor", "event", "button", "number"
MEASUREMENT, TOTAL, TOTAL_INCREASING = "measurement", "total", "total_increasing"
ON_OFF: Mapping[str, str] = {"payload_on": "ON", "payload_off": "OFF"}
ATTRIBUTES = "{{ value_json | default({}) | to_json }}"


@dataclass(frozen=True)
class Entity:
    """One entity: `key` tells it from the others of its device, `about` is what Home Assistant calls its configuration."""

    kind: Kind
    platform: str
    key: str
    name: str
    about: Mapping[str, Any] = field(default_factory=dict)


def key(*parts: str) -> str:
    """Return `parts` as one key, such as `window_cheapest-3h_start`; no two lists of topic levels make the same."""
    return "_".join(re.sub(r"[^a-zA-Z0-9-]", "-", part.replace("_", "--")) for part in parts)


def spoken(*levels: str) -> str:
    """Return topic levels as people would say them: `energy-day` → `energy day`."""
    return " ".join(level.replace("-", " ").replace("_", " ") for level in levels)


def title(text: str) -> str:
    """Return `text` with its first letter a capital."""
    return text[:1].upper() + text[1:]


def value(name: str) -> str:
    """Return the template of one member of a JSON object; unknown where there is no object, or it is null."""
    return f"{{{{ value_json.{name} if value_json is defined else None }}}}"


def reset(name: str = "start") -> dict[str, str]:
    """Return what tells a total when it began anew; nothing, which is ignored, where there is no object."""
    return {"last_reset_value_template": f"{{{{ value_json.{name} if value_json is defined }}}}"}


def one_of(name: str, words: tuple[str, ...]) -> dict[str, Any]:
    """Return what an enumeration is described by; a word that is not among `words` is unknown, not an error."""
    known = f"value_json is defined and value_json.{name} in {list(words)}"
    template = f"{{{{ value_json.{name} if {known} else None }}}}"
    return {"device_class": "enum", "options": list(words), "value_template": template}


def instant(topic: str, name: str) -> dict[str, Any]:
    """Return what a sensor of the instant `name` in the object on `topic` is described by."""
    return {"state_topic": topic, "device_class": "timestamp", "value_template": value(name)}


def attributes(topic: str, template: str = ATTRIBUTES) -> dict[str, str]:
    """Return what shows the object on `topic` beside the state. The recorder takes 16 KiB of it, so `slots` never go there."""
    return {"json_attributes_topic": topic, "json_attributes_template": template}


def available(states: Iterable[str]) -> list[dict[str, str]]:
    """Return what makes an entity available while all of `states` are online."""
    return [{"topic": state, "payload_available": "online", "payload_not_available": "offline"} for state in states]
