"""From a device and its entities to discovery messages: pure. One for the device, or one for each entity.

A device key that Home Assistant does not know makes it refuse the whole message, so there is none but the oldest: 2024.3 refuses
`model_id`. Of an entity it ignores unknown keys: `object_id` is for versions that do not know `default_entity_id` yet.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge import HOMEPAGE, __version__
from bridge.models.message import Message
from bridge.readers.home_assistant.entity import Entity, available
from bridge.topics import DiscoveryTopics

ORIGIN = {"name": "kwh2mqtt", "sw_version": __version__, "support_url": HOMEPAGE}
MIGRATE = b'{"migrate_discovery":true}'
QOS = 1


@dataclass(frozen=True)
class Device:
    """One device: `id` is for ever, `slug` begins the ids of its entities when they are first seen."""

    id: str
    slug: str
    name: str
    manufacturer: str
    model: str
    via: str | None = None  # the id of the device that stands between
    states: tuple[str, ...] = ()  # topics that are all `online` while its entities are available

    def described(self) -> dict[str, Any]:
        known = {"identifiers": [self.id], "name": self.name, "manufacturer": self.manufacturer, "model": self.model}
        return {**known, "sw_version": __version__, **({"via_device": self.via} if self.via else {})}

    def availability(self) -> dict[str, Any]:
        return {"availability": available(self.states), "availability_mode": "all"} if self.states else {}


def together(topics: DiscoveryTopics, device: Device, entities: Iterable[Entity], gone: Mapping[str, str]) -> list[Message]:
    """Return the message of a device; of entities that are `gone`, key → platform, it keeps the platform alone."""
    components: dict[str, dict[str, Any]] = {key: {"platform": platform} for key, platform in gone.items()}
    components |= {one.key: {"platform": one.platform, **_described(device, one)} for one in entities}
    shared = {"device": device.described(), "origin": ORIGIN, **device.availability(), "qos": QOS}
    return [Message(topics.device(device.id), _encoded({**shared, "components": components}))]


def apart(topics: DiscoveryTopics, device: Device, entities: Iterable[Entity], gone: Mapping[str, str]) -> list[Message]:
    """Return a message for each entity; those that are `gone` are emptied."""
    shared = {"device": device.described(), "origin": ORIGIN, **device.availability(), "qos": QOS}
    found = [Message(topics.entity(platform, device.id, key), b"") for key, platform in gone.items()]
    for one in entities:
        payload = _encoded({**shared, **_described(device, one)})
        found.append(Message(topics.entity(one.platform, device.id, one.key), payload))
    return found


def migrating(topics: Sequence[str]) -> list[Message]:
    """Return what has Home Assistant keep the entities that it found on `topics`, which are about to be emptied."""
    return [Message(topic, MIGRATE, retain=False) for topic in topics]


def _described(device: Device, one: Entity) -> dict[str, Any]:
    slug = re.sub(r"[^a-z0-9]+", "_", f"{device.slug}_{one.key}".lower()).strip("_")
    names = {"unique_id": f"{device.id}_{one.key}", "object_id": slug, "default_entity_id": f"{one.platform}.{slug}"}
    return {**names, "name": one.name, **one.about}


def _encoded(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
