"""`kwh2mqtt request`: what is typed becomes a command, and its answer is printed; a stand-in for the bridge answers."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.ask import Question, ask, listed, question, value_of
from bridge.errors import Misconfigured
from bridge.models.message import Arrival, Message
from bridge.simulator.broker import Running, free_port
from bridge.topics import Errand
from bridge.transport.mqtt.exchange import Unanswered, Unconnected, Unheard
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf
from tests.transport.link import bridged

ERRAND = Errand("wallbox", "home", "prices")
COMMAND, RESPONSE = "kwh2mqtt/command/wallbox/home/prices", "kwh2mqtt/response/wallbox/home/prices"
INFO = Message(
    "kwh2mqtt/bridge/info",
    b'{"operations":{"octopus.boost_start":"write","home.prices":"query","home.notify":"write"}}',
)

Answering = Callable[[Arrival], list[Message]]


@asynccontextmanager
async def answering(mqtt: MqttSettings, answers: Answering, *retained: Message) -> AsyncIterator[list[Arrival]]:
    """Stand in for the bridge; yield the commands that arrive."""
    shelf, heard = Shelf(), list[Arrival]()
    shelf.put(retained)

    def arrived(arrival: Arrival) -> None:
        heard.append(arrival)
        shelf.put(answers(arrival))

    async with bridged(mqtt, shelf, arrived) as link:
        async with asyncio.timeout(10):
            while not (link.connected and not len(shelf)):
                await asyncio.sleep(0.01)
        yield heard


def answer(id_: str, status: str = "ok", **more: Any) -> bytes:
    return json.dumps({"id": id_, "status": status, **more}).encode()


def asked(**args: Any) -> Question:
    return Question(ERRAND, "7", args)


def faults(*words: str, client: str | None = None, id_: str | None = None) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        question(words, client=client, id_=id_)
    return [f"{fault.key}: {fault.problem}" for fault in caught.value.faults]


# what is typed


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("5", 5),
        ("-0.5", -0.5),
        ("true", True),
        ("null", None),
        ('["a"]', ["a"]),
        ('{"a": 1}', {"a": 1}),
        ('"5"', "5"),
        ("cabin", "cabin"),
        ("", ""),
        ("007", "007"),
        ("2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("a=b", "a=b"),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_json_where_it_parses_as_json_and_else_a_text(typed: str, value: object) -> None:
    assert value_of(typed) == value
    assert json.loads(question(["home", "prices", f"key={typed}"], client=None, id_=None).payload())["args"] == {"key": value}


def test_without_a_name_and_an_id_there_is_a_usual_client_and_a_random_id() -> None:
    first, second = (question(["home", "prices"], client=None, id_=None) for _ in range(2))
    assert first.errand == Errand("kwh2mqtt-cli", "home", "prices")
    assert (len(first.id), first.id != second.id, first.args) == (16, True, {})


def test_all_that_is_wrong_is_named_at_once() -> None:
    assert faults("home", "prices", "first", "=5", "a=1", "a=2", client="", id_="7" * 65) == [
        "--client: is no name",
        "first: is no KEY=VALUE",
        "=5: is no KEY=VALUE",
        "a: is there twice",
        "--id: is no id",
    ]


@pytest.mark.parametrize("word", ["a/b", "+", "#", "first=5", "", "x" * 65, "a\n", "\udcff"])
def test_what_is_no_level_of_a_topic_is_no_name(word: str) -> None:
    assert faults(word, word, client=word) == ["--client: is no name", "SOURCE: is no name", "OPERATION: is no name"]


# over the broker


async def test_a_command_bears_its_own_response_topic_correlation_and_expiry(
    mqtt: MqttSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    def answers(arrival: Arrival) -> list[Message]:
        topic, correlation = arrival.response_topic or "", arrival.correlation
        others = Message(topic, answer("7", data="another's"), retain=False, correlation=b"other")
        return [others, Message(topic, answer("7", data={"näme": 1}), retain=False, correlation=correlation)]

    async with answering(mqtt, answers) as heard:
        assert await ask(mqtt, asked(first=5), patience_s=10)
        assert await ask(mqtt, asked(), patience_s=10)
    one, other = heard
    assert (one.topic, one.qos, one.retained, one.expires_in_s) == (COMMAND, 1, False, 30)
    assert json.loads(one.payload) == {"id": "7", "args": {"first": 5}}
    assert one.response_topic is not None
    assert one.response_topic.startswith("kwh2mqtt/response/wallbox/")
    assert one.response_topic != other.response_topic
    assert one.correlation not in (None, other.correlation)
    expected = '{\n  "id": "7",\n  "status": "ok",\n  "data": {\n    "näme": 1\n  }\n}\n'
    assert capsys.readouterr().out == expected * 2


async def test_with_mqtt_3_1_1_the_answer_on_the_usual_topic_is_known_by_its_id(
    mqtt: MqttSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    old = mqtt.model_copy(update={"protocol": "3.1.1"})

    def answers(arrival: Arrival) -> list[Message]:
        found = [Message(RESPONSE, answer("6"), retain=False), Message(RESPONSE, b"[]", retain=False)]
        return [*found, Message(RESPONSE, answer("7"), retain=False)]

    async with answering(mqtt, answers) as heard:
        assert await ask(old, asked(), patience_s=10)
    assert json.loads(capsys.readouterr().out)["id"] == "7"
    assert [(arrival.topic, arrival.response_topic, arrival.correlation) for arrival in heard] == [(COMMAND, None, None)]


async def test_an_error_is_printed_and_is_not_ok(mqtt: MqttSettings, capsys: pytest.CaptureFixture[str]) -> None:
    def answers(arrival: Arrival) -> list[Message]:
        refusal = answer("7", "error", error={"code": "not_allowed"})
        return [Message(arrival.response_topic or "", refusal, retain=False, correlation=arrival.correlation)]

    async with answering(mqtt, answers):
        assert not await ask(mqtt, asked(), patience_s=10)
    assert json.loads(capsys.readouterr().out)["error"] == {"code": "not_allowed"}


async def test_where_no_answer_comes_the_questions_to_ask_are_told(
    mqtt: MqttSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with answering(mqtt, lambda _: []):
        with pytest.raises(Unanswered) as caught:
            await ask(mqtt, asked(), patience_s=0.5)
    mends = "may this login write to kwh2mqtt/command/wallbox/# and read kwh2mqtt/response/wallbox/#? --id 7 repeats it"
    assert str(caught.value) == f"no answer in 0 s; is the bridge running? {mends}"
    assert capsys.readouterr().out == ""


async def test_where_nobody_listens_that_is_told_at_once(mqtt: MqttSettings) -> None:
    with pytest.raises(Unheard, match=r"^nobody listens to kwh2mqtt/command/wallbox/home/prices; is the bridge running, and may"):
        await ask(mqtt, asked())


async def test_a_broker_that_goes_away_is_not_waited_for(mqtt: MqttSettings, mosquitto: Running) -> None:
    async with answering(mqtt, lambda _: []) as heard:
        waiting = asyncio.create_task(ask(mqtt, asked()))
        async with asyncio.timeout(10):
            while not heard:
                await asyncio.sleep(0.01)
        os.kill(mosquitto.pid, signal.SIGTERM)
        with pytest.raises(Unconnected, match="the connection was lost"):
            await asyncio.wait_for(waiting, 10)


async def test_a_broker_that_is_not_there_is_named() -> None:
    nowhere = MqttSettings(host="127.0.0.1", port=free_port())
    with pytest.raises(Unconnected, match=rf"^{nowhere.address}: Connection refused; check mqtt.host and mqtt.port"):
        await ask(nowhere, asked())


# what there is


async def test_the_operations_are_listed_with_their_kind(mqtt: MqttSettings, capsys: pytest.CaptureFixture[str]) -> None:
    async with answering(mqtt, lambda _: [], INFO):
        assert await listed(mqtt, None)
        assert await listed(mqtt, "octopus")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    boost = ["octopus", "boost_start", "write"]
    assert lines == [["home", "notify", "write"], ["home", "prices", "query"], boost, boost]


async def test_a_source_that_is_not_there_is_told_with_those_that_are(mqtt: MqttSettings) -> None:
    async with answering(mqtt, lambda _: [], INFO):
        with pytest.raises(Misconfigured, match="SOURCE: cabin is not there; use one of: home, octopus"):
            await listed(mqtt, "cabin")


async def test_where_the_bridge_tells_nothing_there_is_no_list(mqtt: MqttSettings) -> None:
    with pytest.raises(
        Unanswered, match=r"^no answer in 0 s; has the bridge ever run, and may this login read kwh2mqtt/bridge/info"
    ):
        await listed(mqtt, None, patience_s=0.2)
