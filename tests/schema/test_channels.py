"""What the schema says of a topic is what the demo does there."""

import re

from bridge import topics
from bridge.models.message import Message
from bridge.schema import examples
from bridge.schema.channels import channels
from bridge.schema.shapes import Schema
from bridge.topics import Topics
from tests.reference import MOMENT, Told, name_of, value_of
from tests.schema.against import DRAWN, faults

ASKING_S = 10  # that the questions take, by the clock in the hand
SILENT: dict[str, str] = {}  # a channel on which the demo says nothing → why


def test_everything_that_is_published_has_a_channel_and_is_what_it_says(found: Told) -> None:
    told = [message for message in found.published if message.payload]
    assert len(told) > 400
    names = {message.topic: name_of(message, DRAWN) for message in told}
    assert [topic for topic, name in names.items() if name is None] == []
    wrong = [fault for message in told for fault in faults(str(name_of(message, DRAWN)), value_of(message))]
    assert wrong == []


def test_something_is_published_on_every_channel(found: Told) -> None:
    heard = {name_of(message, DRAWN) for message in found.published if message.payload}
    sent = (name for operation in DRAWN["operations"].values() if operation["action"] == "send" for name in names_of(operation))
    assert {name for name in sent if name not in heard} == SILENT.keys()


def names_of(operation: Schema) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in operation["messages"]]


def test_everything_is_retained_and_expires_as_its_channel_says(found: Told) -> None:
    for message in found.published:
        if not message.payload:
            continue
        binding = binding_of(message)
        assert (message.qos, message.retain) == (binding["qos"], binding["retain"]), message.topic
        match binding.get("messageExpiryInterval"):
            case None:
                assert message.expires_at is None, message.topic
            case int(seconds) if message.topic.endswith("/audit") or "/live/" in message.topic:  # while it was asked
                assert message.expires_at is not None
                assert 0 <= (message.expires_at - MOMENT).total_seconds() - seconds < ASKING_S, message.topic


def binding_of(message: Message) -> Schema:
    name = str(name_of(message, DRAWN))
    operation = DRAWN["operations"].get(name) or DRAWN["operations"][name.partition(".")[0]]
    found: Schema = operation["bindings"]["mqtt"]
    return found


def test_a_key_too_many_or_too_few_is_a_fault() -> None:
    price = examples()["price.current"]
    assert faults("price.current", price) == []
    assert len(faults("price.current", {**price, "colour": "red"})) == 1
    assert len(faults("price.current", {key: value for key, value in price.items() if key != "rank"})) == 1
    assert len(faults("price.current", {**price, "value": str(price["value"])})) == 1
    assert len(faults("price.current", {**price, "start": "2026-11-20T12:00:00+01:00"})) == 1


def test_the_table_of_topics_names_every_channel() -> None:
    """The docstring of bridge/topics.py has several on a line; those of readers lie elsewhere and in shapes of their own."""
    table = (topics.__doc__ or "").partition("below a prefix of its own")[0]
    listed = [line.split("  ")[0] for line in table.splitlines() if re.match(r"[{a-z]\S*/", line)]
    patterns = [re.compile(pattern_of(line)) for line in listed]
    named = [channel.address.removeprefix("B/") for channel in channels(Topics("B"))]
    assert [address for address in named if not any(one.fullmatch(address) for one in patterns)] == []
    ours = [one for one in patterns if not one.pattern.startswith(("command", "response"))]
    assert [one.pattern for one in ours if not any(one.fullmatch(address) for address in named)] == []


def pattern_of(line: str) -> str:
    """Return what `{source}/{state,health}` and `plan/{client}/{name}[/active]` match."""
    line = re.sub(r"\[(/\w+)\]$", r"(\1)?", line)
    line = re.sub(r"{(\w+(?:,\w+)+)}", lambda match: f"({match[1].replace(',', '|')})", line)
    return re.sub(r"{\w+}", r"({\\w+}|\\w+)", line)
