"""The line: a connection that one broker leaves to the next, with what came between them."""

import asyncio
from contextlib import suppress

from bridge.clock import SystemClock
from bridge.models.message import Arrival, Message
from bridge.transport.mqtt import Broker, Line, connection
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf
from tests.conftest import subscribed
from tests.transport.link import COMMANDS, STATE, until

TOPIC = "kwh2mqtt/command/me/home/sites"


def broker(settings: MqttSettings, arrived: list[Arrival]) -> Broker:
    return Broker(
        settings, Shelf(), SystemClock(), state_topic=STATE, client_id="kwh2mqtt-test", commands=COMMANDS, arrived=arrived.append
    )


async def served(mqtt: MqttSettings, line: Line, arrived: list[Arrival], word: bytes) -> None:
    """Let a broker use the line until it has heard a command that says `word`, then end it."""
    task = asyncio.create_task(broker(mqtt, arrived).run(line))
    async with connection(mqtt, "kwh2mqtt-other") as client, asyncio.timeout(20):
        while not any(arrival.payload == word for arrival in arrived):
            await client.send(Message(TOPIC, word, retain=False), None)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_comes_between_two_is_taken_by_the_next_and_nobody_hears_of_it(mqtt: MqttSettings) -> None:
    first, second = list[Arrival](), list[Arrival]()
    async with subscribed(mqtt, STATE) as seen, connection(mqtt, "kwh2mqtt-asker") as client:
        async with Line() as line:
            line.kept = True
            await served(mqtt, line, first, b"first")
            await client.send(Message(TOPIC, b"between", retain=False), None)
            line.kept = False
            await served(mqtt, line, second, b"second")
        await seen.until(lambda seen: seen.get(STATE) == "offline")
    assert {arrival.payload for arrival in first} == {b"first"}
    assert [arrival.payload for arrival in second if arrival.payload != b"first"][:2] == [b"between", b"second"]
    assert [message.payload for message in seen.messages] == [b"online", b"online", b"offline"]


async def test_a_line_that_nobody_takes_up_says_offline_when_it_ends(mqtt: MqttSettings) -> None:
    async with subscribed(mqtt, STATE) as seen:
        async with Line() as line:
            line.kept = True
            await served(mqtt, line, [], b"first")
            assert line.is_open
        await seen.until(lambda seen: seen.get(STATE) == "offline")
    assert not line.is_open


async def test_a_connection_that_was_lost_while_it_was_kept_is_made_anew(mqtt: MqttSettings) -> None:
    async with Line() as line:
        line.kept = True
        await served(mqtt, line, [], b"first")
        async with connection(mqtt, "kwh2mqtt-test"):
            pass  # it takes the name, so that the broker ends the one that is kept
        link = broker(mqtt, [])
        task = asyncio.create_task(link.run(line))
        await until(lambda: link.connects >= 2 and link.connected)
        line.kept = False
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
