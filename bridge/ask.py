"""`kwh2mqtt request`: a command goes over the broker as any device's does, and its answer is printed.

It needs neither sources nor state, and has no rights but those of its login: a shell on another machine has `[mqtt]` alone.
"""

import json
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from bridge.errors import Fault, Misconfigured
from bridge.models.message import Arrival, Message
from bridge.topics import LONGEST_CLIENT, Errand, Topics
from bridge.transport.mqtt.exchange import Barred, Unanswered, Unconnected, Unheard, answered, retained
from bridge.transport.settings import MqttSettings

USUAL_CLIENT = "kwh2mqtt-cli"  # of a login without a name
LONGEST_ID = 64
EXPIRY_S = 30  # a command that waits longer at the broker is not to be carried out any more
PATIENCE_S = 35.0  # the bridge answers within 30 s
LIST_S = 5.0  # for what is retained and comes at once


@dataclass(frozen=True)
class Question:
    """A command as it was typed."""

    errand: Errand
    id: str
    args: Mapping[str, Any]

    def payload(self) -> bytes:
        return json.dumps({"id": self.id, "args": self.args}).encode()


def question(words: Sequence[str], *, client: str | None, id_: str | None) -> Question:
    """Return what SOURCE OPERATION [KEY=VALUE …] asks for. Raises Misconfigured, which names all that is wrong with it."""
    source, operation, *pairs = words
    errand = Errand(USUAL_CLIENT if client is None else client, source, operation)
    if faults := [*_misnamed(errand), *_misshapen(pairs), *_misnumbered(id_)]:
        raise Misconfigured(faults)
    args = {key: value_of(text) for key, _, text in (pair.partition("=") for pair in pairs)}
    return Question(errand, secrets.token_hex(8) if id_ is None else id_, args)


def value_of(text: str) -> Any:
    """Return `text` read as JSON where it is some, else as it stands."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value


async def ask(mqtt: MqttSettings, asked: Question, *, patience_s: float = PATIENCE_S) -> bool:
    """Send a command, print its answer, and tell whether that is `ok`. Raises Unanswered."""
    topics, is_5 = Topics(mqtt.base_topic), mqtt.protocol == "5"
    own, correlation = f"{topics.responses(asked.errand.client)}cli-{secrets.token_hex(4)}", secrets.token_bytes(8)
    command = Message(topics.command_of(asked.errand), asked.payload(), retain=False, correlation=correlation, response_topic=own)
    answers, is_it = (own, partial(_bears, correlation)) if is_5 else (topics.response(asked.errand), partial(_answers, asked.id))
    try:
        payload = await answered(mqtt, command, EXPIRY_S, answers, is_it, patience_s)
    except Unanswered as error:
        _explain(error, topics, asked)
    try:
        answer = json.loads(payload)
    except ValueError:
        raise Unanswered("the answer is not JSON; is it another program that answers there?") from None
    _say(json.dumps(answer, ensure_ascii=False, indent=2))
    return isinstance(answer, dict) and answer.get("status") == "ok"


async def listed(mqtt: MqttSettings, source: str | None, *, patience_s: float = LIST_S) -> bool:
    """Print the operations of one source or of all, with their kind. Raises Unanswered, or Misconfigured: no such source."""
    found = await operations(mqtt, patience_s)
    if source is not None and source not in found:
        raise Misconfigured([Fault("SOURCE", f"{source} is not there", f"use one of: {', '.join(found) or 'none'}")])
    for name in [source] if source else found:
        for operation, kind in found[name].items():
            _say(f"{f'{name} {operation}':<40} {kind}")
    return True


async def operations(mqtt: MqttSettings, patience_s: float) -> dict[str, dict[str, str]]:
    """Return each source's operations with their kinds, as the bridge tells them. Raises Unanswered."""
    topic = Topics(mqtt.base_topic).bridge("info")
    try:
        info = json.loads(await retained(mqtt, topic, patience_s))
    except Unconnected:
        raise
    except Unanswered as error:
        raise Unanswered(f"{error}; has the bridge ever run, and may this login read {topic}?") from None
    except ValueError:
        raise Unanswered(f"what stands on {topic} is not JSON; is it the bridge's?") from None
    told = info.get("operations") if isinstance(info, dict) else None
    found: dict[str, dict[str, str]] = {}
    for name, kind in sorted(told.items()) if isinstance(told, dict) else ():
        source, _, operation = name.partition(".")
        found.setdefault(source, {})[operation] = kind
    return found


def _bears(correlation: bytes, arrival: Arrival) -> bool:
    return arrival.correlation == correlation


def _answers(id_: str, arrival: Arrival) -> bool:
    answer = json.loads(arrival.payload)
    return isinstance(answer, dict) and answer.get("id") == id_


def _explain(error: Unanswered, topics: Topics, asked: Question) -> NoReturn:
    write, read = f"{topics.own_commands(asked.errand.client)}#", f"{topics.responses(asked.errand.client)}#"
    match error:
        case Unconnected():
            raise error
        case Unheard():
            mend = f"is the bridge running, and may its login read {topics.commands}?"
        case Barred():
            mend = f"let this login write to {write} and read {read}, or name its own client with --client"
        case _:
            mend = f"is the bridge running? may this login write to {write} and read {read}? --id {asked.id} repeats it"
    raise type(error)(f"{error}; {mend}") from None


def _misnamed(errand: Errand) -> Iterator[Fault]:
    for key, name in zip(("--client", "SOURCE", "OPERATION"), errand, strict=True):
        if not name.isprintable() or not 0 < len(name.encode()) <= LONGEST_CLIENT or set(name) & set("+#/="):
            yield Fault(key, "is no name", "use one level of a topic, up to 64 bytes; KEY=VALUE comes after SOURCE OPERATION")


def _misshapen(pairs: Sequence[str]) -> Iterator[Fault]:
    keys = [pair.partition("=")[0] for pair in pairs]
    for pair, key in zip(pairs, keys, strict=True):
        if "=" not in pair or not key:
            yield Fault(pair, "is no KEY=VALUE", 'write such as first=5, from=2026-11-20T00:00:00Z or sites=["a"]')
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Fault(key, "is there twice", "give it once")


def _misnumbered(id_: str | None) -> Iterator[Fault]:
    if id_ is not None and not (0 < len(id_) <= LONGEST_ID and id_.isprintable()):
        yield Fault("--id", "is no id", f"use 1 to {LONGEST_ID} characters")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
