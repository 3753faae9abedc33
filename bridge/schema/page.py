"""docs/topics.md: the AsyncAPI document as a page for people. What it says of a topic stands in the document, nothing here."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bridge.schema.asyncapi import ANSWERED
from bridge.schema.shapes import Schema

HEAD = """\
# Topics

{about}

All topics lie below `{base}` (or your `mqtt.base_topic`). A key with a `?` may be absent; `[]` stands for each element of an
array, `*` for any key. `kwh2mqtt schema` writes all this as an AsyncAPI 3.0 document, `kwh2mqtt schema --json-schemas FOLDER` the
JSON Schema of every payload, and `kwh2mqtt schema --markdown` this page.

| level | what it stands for |
|---|---|
"""
COMMANDS = """
## Commands

A client publishes to the topic of an operation, never retained, and hears one answer on the same topic with `response` in place
of `command`, or on the Response Topic that it names. [commands.md](commands.md) tells how; here is what is in the messages.
The answer is {answered}.

A command, whose payload may be empty too:

"""
KINDS = {"date-time": "instant", "duration": "duration", "date": "date"}
PLAIN = {
    "object": "object",
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "`true` or `false`",
    "null": "`null`",
}
OF_TOPIC = re.compile(r"^`[^`]*`(?: and `[^`]*`)*[.:;]? ?")  # how the docstring of a payload begins

DEEPEST = 6  # keys within keys: a shape may hold itself


class Page:
    """Writes one document."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        will: str = document["servers"]["broker"]["bindings"]["mqtt"]["lastWill"]["topic"]
        self._base = will.removesuffix("/bridge/state")
        self._told: dict[str, str] = {}  # a schema → the topic below which its keys stand

    def written(self) -> str:
        """Return the page."""
        document, base = self._document, self._base
        parameters = {key: one["description"] for each in document["channels"].values() for key, one in _parameters(each)}
        lines = [HEAD.format(about=document["info"]["description"].partition("\n\n")[2], base=base)]
        lines += [f"| `{{{key}}}` | {text} |\n" for key, text in sorted(parameters.items())]
        sent = [name for name, operation in document["operations"].items() if operation["action"] == "send"]
        asked = [name for name, operation in document["operations"].items() if operation["action"] == "receive"]
        lines += [*self._index("Published", sent), *self._index("Operations", asked), "\n## What the bridge publishes\n"]
        for name in sent:
            lines += self._topic(name)
        lines += [COMMANDS.format(answered=ANSWERED), *self._envelopes()]
        for name in asked:
            lines += self._operation(name)
        return "".join(lines)

    def _address(self, name: str) -> str:
        address: str = self._document["channels"][name]["address"]
        return address.removeprefix(f"{self._base}/")

    def _index(self, title: str, names: list[str]) -> Iterator[str]:
        yield f"\n{title}:\n\n"
        for name in names:
            topic = self._address(name)
            yield f"- [`{topic.removeprefix('command/{client}/')}`](#{anchor(topic)})\n"

    def _topic(self, name: str) -> Iterator[str]:
        channel, operation = self._document["channels"][name], self._document["operations"][name]
        topic = self._address(name)
        yield f"\n### `{topic}`\n\n{_sentence(channel['description'])} {_manner(operation['bindings']['mqtt'])}\n"
        for message in channel["messages"]:
            payload = self._message(message)["payload"]
            yield from self._payload(message.rpartition(".")[2] if len(channel["messages"]) > 1 else "", payload, topic)
            yield from self._example(message)

    def _payload(self, name: str, payload: Schema, topic: str) -> Iterator[str]:
        known = self._told.setdefault(json.dumps(payload), topic)
        about = OF_TOPIC.sub("", self._at(payload.get("items", payload)).get("description", ""))
        table = "".join(self._table(payload))
        if not table:
            yield f"\nThe payload: {self._kind(payload)}.\n"
        elif known != topic:
            yield f"\nKeys as on `{known}`.\n"
        else:
            yield f"\n`{name}`: {about}\n" if name else f"\n{_sentence(about)}\n" if about else ""
            yield table

    def _envelopes(self) -> Iterator[str]:
        (first, *_) = (name for name in self._document["channels"] if name.startswith("command."))
        answers = self._document["channels"][first.replace("command.", "response.")]["messages"]
        done, failed = (self._message(name)["payload"] for name in answers)
        yield "".join(self._table(self._message(first)["payload"]["allOf"][0])).lstrip("\n")
        yield f"\n{_sentence(self._at(done['allOf'][0])['description'])}\n"
        yield from self._table(done["allOf"][0])
        yield f"\n{_sentence(self._at(failed)['description'])}\n"
        yield from self._table(failed)

    def _operation(self, name: str) -> Iterator[str]:
        channel, topic = self._document["channels"][name], self._address(name)
        arguments = self._message(name)["payload"]["allOf"][1]["properties"]["args"]
        answer = name.replace("command.", "response.")
        result = self._message(answer)["payload"]["allOf"][1]["properties"]["data"]["anyOf"][0]
        yield f"\n### `{topic}`\n\n{_sentence(channel['description'])}\n"
        yield from self._part("args", arguments, topic)
        yield from self._example(name)
        yield from self._part("data", result, topic)
        yield from self._example(answer)

    def _part(self, name: str, schema: Schema, topic: str) -> Iterator[str]:
        if table := "".join(self._table(schema)):
            known = self._told.setdefault(f"{name} {json.dumps(schema)}", topic)
            yield f"\n`{name}`:\n{table}" if known == topic else f"\n`{name}` as of `{known}`.\n"

    def _table(self, schema: Schema) -> Iterator[str]:
        found = list(self._rows(schema, ""))
        if found:
            yield "\n| key | type | meaning |\n|---|---|---|\n"
        for row in found:
            yield f"| {' | '.join(row)} |\n"

    def _rows(self, schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
        """Yield a row for each key of what `schema` may be: key, type, meaning."""
        schema = self._at(schema)
        if schema.get("type") == "array" and isinstance(schema["items"], dict):
            yield from self._rows(schema["items"], f"{path}[]")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from self._rows(schema["additionalProperties"], f"{path}.*" if path else "*")
        for key, inner in schema.get("properties", {}).items():
            place = f"{path}.{key}" if path else key
            absent = "" if key in schema.get("required", ()) else "?"
            yield f"`{place}{absent}`", self._kind(inner), self._meaning(inner).replace("|", "\\|")
            for each in self._either(inner) if place.count(".") < DEEPEST else ():
                yield from self._rows(each, place)
        if schema.get("additionalProperties") is True and "properties" in schema:
            yield f"`{path}.*?`" if path else "`*?`", "any", "whatever else is known"

    def _meaning(self, schema: Schema) -> str:
        """Return what a key means; where nobody says it, what its object is."""
        if said := schema.get("description"):
            return str(said)
        text = next((each["description"] for each in self._either(schema) if "description" in each), "")
        return f"{text[0].lower()}{text[1:].rstrip('.')}" if text else ""

    def _kind(self, schema: Schema) -> str:
        kinds = dict.fromkeys(self._one_kind(each) for each in self._either(schema))
        return " or ".join(kinds)

    def _one_kind(self, schema: Schema) -> str:
        if words := schema.get("enum", [schema["const"]] if "const" in schema else []):
            return ", ".join(f"`{word if isinstance(word, str) else json.dumps(word)}`" for word in words)
        match schema.get("items"):
            case dict(inner):
                return f"array of {self._kind(inner)}"
            case list(inner):
                return f"array: {', '.join(map(self._kind, inner))}"
        return KINDS.get(schema.get("format", "")) or f"{PLAIN.get(schema.get('type', ''), 'any')}{_bounds(schema)}"

    def _either(self, schema: Schema) -> Iterator[Schema]:
        """Yield what `schema` may be, one by one."""
        there = self._at(schema)
        for each in there.get("anyOf", ()):
            yield from self._either(each)
        if "anyOf" not in there:
            yield there

    def _at(self, schema: Schema) -> Schema:
        """Return `schema`, or what it refers to."""
        if "allOf" in schema:
            (schema,) = schema["allOf"]
        if "$ref" not in schema:
            return schema
        found: Schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found

    def _message(self, name: str) -> Schema:
        found: Schema = self._document["components"]["messages"][name]
        return found

    def _example(self, message: str) -> Iterator[str]:
        for example in self._message(message).get("examples", ()):
            is_word = isinstance(example["payload"], str)
            text = example["payload"] if is_word else _drawn(example["payload"])
            yield f"\n```{'' if is_word else 'json'}\n{text}\n```\n"


def anchor(heading: str) -> str:
    """Return what a link to `heading` names, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")


def _parameters(channel: Schema) -> Any:
    return channel.get("parameters", {}).items()


def _manner(binding: Schema) -> str:
    """Return how the messages of a topic go out: retained or not, with which QoS, and until when."""
    how = f"{'Retained' if binding['retain'] else 'Not retained'}, QoS {binding['qos']}"
    match binding.get("messageExpiryInterval"):
        case None:
            return f"{how}."
        case int(seconds):
            return f"{how}; expires {seconds} s after it was published."
        case told:
            return f"{how}; {told['description'].removeprefix('s; it ')}."


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _bounds(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    return (
        f", {low:,.10g} to {high:,.10g}"
        if high is not None and low is not None
        else f", {low:,.10g} or more"
        if high is None
        else ""
    )


def _drawn(payload: Any, width: int = 130) -> str:
    """Return JSON in lines of `width`, broken between the outermost keys or elements where one line would not do."""
    line = json.dumps(payload, ensure_ascii=False)
    if len(line) <= width or not isinstance(payload, dict | list):
        return line
    start, end = "{}" if isinstance(payload, dict) else "[]"
    items = payload.items() if isinstance(payload, dict) else ((None, each) for each in payload)
    text, room = start, width - 1
    for number, (key, inner) in enumerate(items):
        part = ("" if key is None else f"{json.dumps(key)}: ") + _drawn(inner, width - 1).replace("\n", "\n ")
        fits = "\n" not in part and len(part) + 2 <= room
        text += ("" if not number else ", " if fits else ",\n ") + part
        room = (room if fits else width - 1) - len(part.rpartition("\n")[2]) - 2
    return text + end
