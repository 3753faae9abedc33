"""Entities of what is measured and announced: readings, live values, figures of the account, schedules and devices.

A price or a meter goes by the name that its topics bear, so whatever the provider's app renames moves no entity.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from bridge.models.payload import Event
from bridge.models.reading import Reading
from bridge.readers.home_assistant import entity, units
from bridge.readers.home_assistant.entity import (
    BINARY_SENSOR,
    EVENT,
    MEASUREMENT,
    ON_OFF,
    SENSOR,
    TOTAL,
    TOTAL_INCREASING,
    Entity,
    key,
    spoken,
    title,
)
from bridge.readers.home_assistant.place import Place
from bridge.topics import Topics

LIVE_S = 180  # a live value comes every minute, now and then a little later
MOST_SPANS = 20  # shown beside a state, which has room for 16 KiB
EVENT_TYPES = [kind.model_fields["event_type"].default for kind in get_args(Event)]
AHEAD = "(value_json | default([]) | selectattr('end', 'gt', utcnow().strftime('%Y-%m-%dT%H:%M:%SZ')) | list)"
NEXT_START = f"{{{{ ({AHEAD} | first).start if {AHEAD} else None }}}}"
SPANS = f"{{{{ {{'spans': {AHEAD}[:{MOST_SPANS}]}} | to_json }}}}"
PLANNED = "(value_json | default({})).get('planned', [])"
NEXT_DISPATCH = f"{{{{ {PLANNED}[0].start if {PLANNED} else None }}}}"
DISPATCHES = f"{{{{ {{'planned': {PLANNED}[:{MOST_SPANS}]}} | to_json }}}}"
TEXT = "{{ (value_json.value | string)[:255] if value_json is defined else None }}"  # Home Assistant takes no longer state
TRUTH = "{{ ('ON' if value_json.value else 'OFF') if value_json is defined else None }}"


def readings(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    for (meter, quantity), reading in place.readings.items():
        topic = topics.reading(source, place.name, meter, quantity)
        at, name = key("reading", meter, quantity), title(spoken(meter, quantity))
        about = {"state_topic": topic, **entity.attributes(topic)}
        if isinstance(reading.other, bool):
            yield Entity("reading", BINARY_SENSOR, f"{at}_on", name, {**about, **ON_OFF, "value_template": TRUTH})
        elif reading.other is not None:
            yield Entity("reading", SENSOR, f"{at}_text", name, {**about, "value_template": TEXT})
        else:
            yield Entity("reading", SENSOR, at, name, {**about, **_measured(reading)})


def live(topics: Topics, source: str, place: Place, quantities: Mapping[str, str]) -> Iterator[Entity]:
    """Yield the live values: `quantities` with their units, also those that are not known of this run yet."""
    for quantity, written in quantities.items():
        unit = units.known_unit(written)
        found = units.device_class(unit, quantity)
        grows = found in units.SUMS  # what a meter shows is its register
        about = {
            "state_topic": topics.live(source, place.name, quantity),
            "value_template": entity.value("value"),
            "unit_of_measurement": unit,
            "state_class": TOTAL_INCREASING if grows else MEASUREMENT,
            "expire_after": LIVE_S,
        }
        name = f"Live {spoken(quantity)}"
        yield Entity("live", SENSOR, key("live", quantity), name, {**about, **({"device_class": found} if found else {})})


def figures(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    for figure in place.figures.values():
        topic = topics.account(source, place.name, figure.name)
        about: dict[str, Any] = {"state_topic": topic, "value_template": entity.value("value"), **entity.attributes(topic)}
        if figure.currency:
            about |= {"device_class": "monetary", "state_class": TOTAL, "unit_of_measurement": figure.currency}
        else:
            about |= {"state_class": MEASUREMENT} | ({"unit_of_measurement": figure.unit} if figure.unit else {})
        yield Entity("account", SENSOR, key("account", figure.name), f"Account {spoken(figure.name)}", about)


def schedules(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    for kind in place.schedules:
        topic = topics.schedule(source, place.name, kind)
        about = {"state_topic": topic, "device_class": "timestamp", "value_template": NEXT_START}
        name = f"{title(spoken(kind))} next start"
        yield Entity("schedule", SENSOR, key("schedule", kind), name, {**about, **entity.attributes(topic, SPANS)})


def dispatches(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    for named in place.devices.values():
        topic, name = topics.dispatch(source, place.name, named.name), title(spoken(named.name))
        active = {"state_topic": topics.dispatch_active(source, place.name, named.name), "device_class": "running", **ON_OFF}
        yield Entity("dispatch", BINARY_SENSOR, key("dispatch", named.name, "active"), f"{name} dispatching", active)
        following = {"state_topic": topic, "device_class": "timestamp", "value_template": NEXT_DISPATCH}
        about = {**following, **entity.attributes(topic, DISPATCHES)}
        yield Entity("dispatch", SENSOR, key("dispatch", named.name, "next"), f"{name} next dispatch", about)


def events(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    about = {"state_topic": topics.event(source, place.name), "event_types": EVENT_TYPES}
    yield Entity("event", EVENT, "event", "Event", about)


def _measured(reading: Reading) -> dict[str, Any]:
    unit = units.known_unit(reading.unit)
    found = units.device_class(unit, reading.meter, reading.quantity)
    state_class = units.state_class(found, reading)
    about = {"unit_of_measurement": unit, "device_class": found, "state_class": state_class}
    known = {name: given for name, given in about.items() if given is not None}
    return {"value_template": entity.value("value"), **known, **(entity.reset() if state_class == TOTAL else {})}
