"""The AsyncAPI 3.0 document of the bridge: what it sends and what it takes, from its own point of view.

An operation of a provider has channels of its own, in which the level of the source is named for the provider: `{octopus}` is
the name of any source whose `provider` is `octopus`. An answer may go elsewhere (MQTT 5's Response Topic), as a binding says.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bridge import __version__
from bridge.commands.desk import ANSWER_LIVES
from bridge.commands.request import Body
from bridge.commands.results import Done, NotDone
from bridge.schema.channels import PARAMETERS, Channel, channels
from bridge.schema.operations import Asked, Configured, operations
from bridge.schema.shapes import Schema, Wanted, schemas
from bridge.topics import Errand, Topics
from bridge.transport.settings import MqttSettings

BINDING = {"bindingVersion": "0.2.0"}
JSON, WORD = "application/json", "text/plain"
ABOUT = """\
Energy prices and readings on retained MQTT topics, and commands back.

Prices are in the currency's major unit per kWh, tax included, and may be negative. Instants are RFC 3339 in UTC. What is
unknown is null or left out, never 0; an empty payload clears a topic, and as a command it stands for `{}`. There may be more keys
one day: let pass what you do not know."""
NOTHING = {"type": "object", "maxProperties": 0}  # after a dry run, and of a write whose answer the broker finds too long
FAILURE = "response.error"
ANSWERED = f"not retained, with the command's own QoS, expires {ANSWER_LIVES.seconds} s after it was published"


def document(mqtt: MqttSettings, examples: Mapping[str, Any], configured: Configured | None = None) -> Schema:
    """Return the document of a bridge that publishes below the base topic of `mqtt`; `examples` are payloads by message."""
    topics, asked = Topics(mqtt.base_topic), list(operations(configured))
    sent = list(channels(topics))
    draft = Draft(topics, examples, configured)
    draft.draw(sent, asked)
    for channel in sent:
        draft.publish(channel)
    for one in asked:
        draft.answer(one)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "kwh2mqtt", "version": __version__, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": JSON,
        "servers": {"broker": _server(mqtt, topics)},
        "channels": draft.channels,
        "operations": draft.operations,
        "components": {"messages": draft.messages, "schemas": dict(sorted(draft.schemas.items()))},
    }


class Draft:
    """The parts of the document, as they are gathered."""

    def __init__(self, topics: Topics, examples: Mapping[str, Any], configured: Configured | None) -> None:
        self._topics, self._examples, self._configured = topics, examples, configured
        self.channels: dict[str, Schema] = {}
        self.operations: dict[str, Schema] = {}
        self.messages: dict[str, Schema] = {}
        self.schemas: dict[str, Schema] = {}
        self._drawn: dict[tuple[str, Wanted], Schema] = {}

    def draw(self, sent: Iterable[Channel], asked: Iterable[Asked]) -> None:
        """Draw every schema, all that belong together at once: pydantic tells apart what has one name."""
        payloads = [payload for channel in sent for payload in channel.payloads]
        groups = {"": [Wanted(Body, "validation"), *(Wanted(each, "serialization") for each in (*payloads, Done, NotDone))]}
        for one in asked:
            groups.setdefault(one.provider, []).extend((_arguments(one), _result(one)))
        for group, wanted in groups.items():
            found, named = schemas(wanted, f"{group}." if group else "")
            self.schemas |= named
            self._drawn |= {(group, each): schema for each, schema in found.items()}

    def publish(self, channel: Channel) -> None:
        """Add a channel that the bridge sends to."""
        several, content = len(channel.payloads) > 1, WORD if channel.bare else JSON
        names = []
        for payload in channel.payloads:
            names.append(f"{channel.name}.{_snake(payload.__name__)}" if several else channel.name)
            self._add_message(names[-1], channel.about, self._drawn["", Wanted(payload, "serialization")], content)
        self._add_channel(channel.name, channel.address, channel.about, names)
        binding = {"qos": 1, "retain": channel.retain, **_expiry(channel.expires), **BINDING}
        self._add_operation(channel.name, "send", channel.about, names, {"bindings": {"mqtt": binding}})

    def answer(self, asked: Asked) -> None:
        """Add the channels of an operation: that of its command, and that of its answer."""
        command, response = f"command.{asked.full_name}", f"response.{asked.full_name}"
        errand, about = Errand("{client}", asked.source, asked.name), f"{asked.about} ({asked.kind})"
        own = re.escape(self._topics.responses("CLIENT")).replace("CLIENT", "[^/+#]+")
        binding = {"responseTopic": {"type": "string", "pattern": f"^{own}.+$"}, **BINDING}
        self._add_message(command, asked.about, self._command(asked), more={"bindings": {"mqtt": binding}})
        self._add_message(response, f"the answer: {asked.about}", self._response(asked))
        self._add_message(FAILURE, "it was not done, or nobody knows", self._drawn["", Wanted(NotDone, "serialization")])
        answers = [response, FAILURE]
        self._add_channel(command, self._topics.command_of(errand), about, [command])
        self._add_channel(response, self._topics.response(errand), f"the answer: {asked.about}; {ANSWERED}", answers)
        reply = {"channel": _ref("channels", response), "messages": _messages(response, answers)}
        more = {"reply": reply, "bindings": {"mqtt": {"retain": False, **BINDING}}}
        self._add_operation(command, "receive", about, [command], more)

    def _command(self, asked: Asked) -> Schema:
        body, arguments = self._drawn["", Wanted(Body, "validation")], self._drawn[asked.provider, _arguments(asked)]
        needed = {"required": ["id"]} if asked.kind == "write" else {}
        return {"allOf": [body, {"properties": {"args": arguments}, **needed}]}

    def _response(self, asked: Asked) -> Schema:
        done, result = self._drawn["", Wanted(Done, "serialization")], self._drawn[asked.provider, _result(asked)]
        return {"allOf": [done, {"properties": {"data": {"anyOf": [result, NOTHING]}}}]}

    def _add_channel(self, name: str, address: str, about: str, messages: Sequence[str]) -> None:
        levels = re.findall(r"{(\w+)}", address)
        parameters = {"parameters": {level: self._parameter(level) for level in levels}} if levels else {}
        there = {message: _ref("components/messages", message) for message in messages}
        self.channels[name] = {"address": address, "description": about, "messages": there, **parameters}

    def _parameter(self, level: str) -> Schema:
        names = self._configured.called(level) if self._configured else []
        return {"description": told(level), **({"enum": names} if names else {})}

    def _add_operation(self, name: str, action: str, about: str, messages: Sequence[str], more: Mapping[str, Any]) -> None:
        named = {"action": action, "summary": about, "channel": _ref("channels", name)}
        self.operations[name] = {**named, "messages": _messages(name, messages), **more}

    def _add_message(
        self, name: str, about: str, payload: Schema, content: str = JSON, *, more: Mapping[str, Any] | None = None
    ) -> None:
        drawn = {"name": name, "summary": about, "contentType": content, "payload": payload, **(more or {})}
        if name.startswith(("command.", "response.")):
            drawn["correlationId"] = {"location": "$message.payload#/id"}
        if name in self._examples:
            drawn["examples"] = [{"payload": self._examples[name]}]
        self.messages[name] = drawn


def told(level: str) -> str:
    """Return what a braced level of a topic stands for; one that is named for a provider, for any source of it."""
    return PARAMETERS.get(level, f'the name of a configured source whose `provider` is "{level}"')


def _arguments(asked: Asked) -> Wanted:
    return Wanted(asked.arguments, "validation")


def _result(asked: Asked) -> Wanted:
    return Wanted(asked.result, "serialization")


def _server(mqtt: MqttSettings, topics: Topics) -> Schema:
    will = {"topic": topics.bridge("state"), "qos": 1, "retain": True, "message": "offline"}
    return {
        "host": f"{mqtt.host}:{mqtt.port}",
        "protocol": "mqtt",
        "protocolVersion": mqtt.protocol,
        "description": "your broker; with MQTT 3.1.1 nothing expires, and nothing carries a Response Topic",
        "bindings": {"mqtt": {"lastWill": will, **BINDING}},
    }


def _expiry(expires: str | timedelta | None) -> Schema:
    match expires:
        case None:
            return {}
        case timedelta():
            return {"messageExpiryInterval": int(expires.total_seconds())}
    return {"messageExpiryInterval": {"type": "integer", "minimum": 1, "description": f"s; it expires {expires}"}}


def _messages(channel: str, names: Iterable[str]) -> list[Schema]:
    return [_ref(f"channels/{channel}/messages", name) for name in names]


def _ref(place: str, name: str) -> Schema:
    return {"$ref": f"#/{place}/{name}"}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
