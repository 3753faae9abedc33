"""What can be asked for from Home Assistant: buttons, and a number for a meter reading, each a command in its client's name.

A write is offered only where it is granted to that client. Each press bears an id of its own, which the template makes as it is
pressed: so each is one command, and none is taken for an earlier one.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.readers.home_assistant.entity import BUTTON, EVENT, NUMBER, Entity, available, key, spoken, title
from bridge.readers.home_assistant.place import Place
from bridge.topics import Errand, Topics

ID = "{{ now().timestamp() }}"
NUMBER_GIVEN = "{{ value | int }}"
PLAIN_ID = r"[A-Za-z0-9:_.-]{1,128}"  # anything else might be read as a template
REFRESH, SEND_READING, OF_A_DEVICE = "refresh", "meter_reading_send", frozenset({"device_id"})
READ_BY_PEOPLE = ("import", "gas")  # the streams whose meters a person reads
LARGEST_READING = 99_999_999
OUTCOMES = ("ok", "error")
OUTCOME = (
    "{% set error = (value_json.error | default({})).get('message') %}"
    "{{ {'event_type': value_json.status, 'operation': value_json.operation, 'error': error} | to_json }}"
)


@dataclass(frozen=True)
class Ask:
    """One operation that Home Assistant's client may ask for."""

    operation: str
    arguments: frozenset[str]  # their names


Asks = Mapping[str, tuple[Ask, ...]]  # by source


def buttons(topics: Topics, client: str, source: str, place: Place, asks: Iterable[Ask]) -> Iterator[Entity]:
    """Yield a button for each device of a site and each thing that may be asked of it."""
    granted = [ask for ask in asks if ask.arguments == OF_A_DEVICE]
    for id_, named in place.devices.items():
        for ask in granted if re.fullmatch(PLAIN_ID, id_) else ():
            at, name = key("ask", named.name, ask.operation), title(spoken(named.name, ask.operation))
            yield Entity("button", BUTTON, at, name, _pressed(topics, client, source, ask.operation, {"device_id": id_}))


def numbers(topics: Topics, client: str, source: str, place: Place, asks: Iterable[Ask]) -> Iterator[Entity]:
    """Yield where to type what a meter shows; it is sent to the supplier as it is entered."""
    if SEND_READING not in {ask.operation for ask in asks}:
        return
    for stream in (stream for stream in READ_BY_PEOPLE if stream in place.site.streams):
        arguments = {"site": place.name, "meter": stream, "reading": NUMBER_GIVEN}
        about = {
            "command_topic": topics.command_of(Errand(client, source, SEND_READING)),
            "command_template": _template(arguments),
            "min": 0, "max": LARGEST_READING, "step": 1, "mode": "box", "qos": 1, "retain": False, "entity_category": "config",
        }  # fmt: skip
        yield Entity("number", NUMBER, key("ask", SEND_READING, stream), f"Send {stream} meter reading", about)


def refreshes(topics: Topics, client: str, asks: Asks) -> Iterator[Entity]:
    """Yield a button for each source that may be asked for everything anew."""
    for source, own in asks.items():
        if REFRESH in {ask.operation for ask in own}:
            about = {**_pressed(topics, client, source, REFRESH, {}), **_of_the_bridge(topics)}
            yield Entity("button", BUTTON, key(source, REFRESH), f"Refresh {source}", about)


def outcomes(topics: Topics, client: str) -> Iterator[Entity]:
    """Yield what tells how the last command of this client ended."""
    about = {"state_topic": f"{topics.responses(client)}+/+", "event_types": list(OUTCOMES), "value_template": OUTCOME}
    yield Entity("button", EVENT, "answer", "Command answered", {**about, **_of_the_bridge(topics)})


def _pressed(topics: Topics, client: str, source: str, operation: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    topic = topics.command_of(Errand(client, source, operation))
    return {"command_topic": topic, "command_template": _template(arguments), "qos": 1, "retain": False}


def _of_the_bridge(topics: Topics) -> dict[str, Any]:
    return {"entity_category": "diagnostic", "availability": available([topics.bridge("state")])}


def _template(arguments: Mapping[str, str]) -> str:
    written = json.dumps({"id": ID, "args": arguments} if arguments else {"id": ID})
    return written.replace(f'"{NUMBER_GIVEN}"', NUMBER_GIVEN)
