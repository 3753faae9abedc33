"""Entities of the bridge itself and of its sources: are they well? All of them are diagnostic.

Whether the bridge is there must be told while it is not, so that one entity is always available.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.readers.home_assistant import entity
from bridge.readers.home_assistant.entity import BINARY_SENSOR, MEASUREMENT, SENSOR, Entity, key
from bridge.topics import Topics

THERE: Mapping[str, str] = {"payload_on": "online", "payload_off": "offline", "device_class": "connectivity"}
HEALTH = (
    "{% set told = value_json | default({}) %}{{ {'error': told.get('error'), 'last_success': told.get('last_success'),"
    " 'requests_today': told.get('requests_today'), 'budget': told.get('budget')} | to_json }}"
)
DIAGNOSTIC: Mapping[str, str] = {"entity_category": "diagnostic"}


def itself(topics: Topics) -> Iterator[Entity]:
    info, health = topics.bridge("info"), topics.bridge("health")
    mebibytes = {"device_class": "data_size", "unit_of_measurement": "MiB", "state_class": MEASUREMENT}
    there = {"state_topic": topics.bridge("state"), **THERE, **DIAGNOSTIC}
    yield Entity("diagnostic", BINARY_SENSOR, "state", "Connection", there)
    yield _told(topics, "version", "Version", {"state_topic": info, "value_template": entity.value("version")})
    memory = {"state_topic": health, "value_template": entity.value("memory_mib"), **mebibytes}
    yield _told(topics, "memory", "Memory", memory)
    queue = {"state_topic": health, "value_template": entity.value("publish_queue"), "state_class": MEASUREMENT}
    yield _told(topics, "queue", "Waiting messages", {**queue, "enabled_by_default": False})


def sources(topics: Topics, names: Iterable[str]) -> Iterator[Entity]:
    """Yield how each source fares."""
    for name in names:
        state, health = topics.source(name, "state"), topics.source(name, "health")
        about = {"state_topic": state, **THERE, **entity.attributes(health, HEALTH)}
        yield _told(topics, key(name, "state"), f"{name} online", about, BINARY_SENSOR)
        yield _told(topics, key(name, "next_poll"), f"{name} next poll", entity.instant(health, "next_poll"))


def _told(topics: Topics, at: str, name: str, about: Mapping[str, Any], platform: str = SENSOR) -> Entity:
    return Entity(
        "diagnostic", platform, at, name, {**about, **DIAGNOSTIC, "availability": entity.available([topics.bridge("state")])}
    )
