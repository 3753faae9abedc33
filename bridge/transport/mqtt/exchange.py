"""From the side of whoever asks: a command and its answer, or what is retained; a connection of its own for each.

Which message is the answer is for the caller to tell: by its Correlation Data, or with MQTT 3.1.1 by the id in it.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import aiomqtt

from bridge.errors import BridgeError
from bridge.models.message import Arrival, Message
from bridge.transport.mqtt.connection import Client, explained
from bridge.transport.settings import MqttSettings

T = TypeVar("T")

NOBODY_LISTENS = 16  # PUBACK: no matching subscribers (MQTT 5 §3.4.2.1)


class Unanswered(BridgeError):
    """A command was sent and no answer came; or nothing stands on a topic."""

    code = "timeout"


class Unheard(Unanswered):
    """The broker has nobody to give the command to."""


class Barred(Unanswered):
    """The broker lets this login not write or read there."""


class Unconnected(Unanswered):
    """There is no connection to the broker."""


class Asker(Client):
    """A client that also notes whether anybody listens to what it sends (MQTT 5)."""

    unheard = False

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        self.unheard = getattr(reason_code, "value", 0) == NOBODY_LISTENS
        super()._on_publish(client, userdata, mid, reason_code, properties)


async def answered(
    settings: MqttSettings, command: Message, lives_s: int, answers: str, is_it: Callable[[Arrival], bool], patience_s: float
) -> bytes:
    """Send `command`, worth something for `lives_s`, and return the payload of its answer on `answers`. Raises Unanswered."""
    async with _connected(settings, patience_s) as client:
        answer = _first(client, is_it)
        await _hear(client, answers)
        await client.send(command, lives_s)
        if client.refused:
            raise Barred(f"the broker does not let us write to {command.topic} ({client.refused})")
        if client.unheard:
            raise Unheard(f"nobody listens to {command.topic}")
        return (await _before_the_end(client, answer)).payload


async def retained(settings: MqttSettings, topic: str, patience_s: float) -> bytes:
    """Return what is retained on `topic`. Raises Unanswered."""
    async with _connected(settings, patience_s) as client:
        first = _first(client, lambda arrival: bool(arrival.payload))
        await _hear(client, topic)
        return (await _before_the_end(client, first)).payload


async def gathered(
    settings: MqttSettings, filters: Sequence[str], is_enough: Callable[[Mapping[str, bytes]], bool], patience_s: float
) -> dict[str, bytes]:
    """Return what is retained on topics that match `filters`, as soon as it `is_enough` or the patience is over.

    Raises Unanswered where there is no connection, or the broker does not let us read.
    """
    found: dict[str, bytes] = {}
    heard = False

    def is_last(arrival: Arrival) -> bool:
        found[arrival.topic] = arrival.payload
        return is_enough(found)

    try:
        async with _connected(settings, patience_s) as client:
            last = _first(client, is_last)
            for each in filters:
                await _hear(client, each)
            heard = True
            await _before_the_end(client, last)
    except Unanswered:
        if not heard:
            raise
    return found


@contextlib.asynccontextmanager
async def _connected(settings: MqttSettings, patience_s: float) -> AsyncIterator[Asker]:
    """Yield a client, whose name never is the bridge's. Raises Unanswered where it lasts longer than `patience_s`."""
    limit = asyncio.timeout(patience_s)
    try:
        async with limit, Asker(settings, f"kwh2mqtt-ask-{random.randrange(2**32):08x}") as client:
            yield client
    except (aiomqtt.MqttError, OSError) as error:
        if limit.expired():
            raise Unanswered(f"no answer in {patience_s:.0f} s") from None
        raise Unconnected(f"{settings.address}: {explained(error)}") from None
    except ValueError as error:  # of `send`: the broker takes no such message
        raise Unconnected(str(error)) from None


async def _hear(client: Asker, topic_filter: str) -> None:
    if (refusal := await client.hear(topic_filter)) is not None:
        raise Barred(f"the broker does not let us read {topic_filter} ({refusal})")


def _first(client: Client, is_it: Callable[[Arrival], bool]) -> asyncio.Future[Arrival]:
    """Return what will be the first message to arrive that `is_it`."""
    first = asyncio.get_running_loop().create_future()

    def arrived(arrival: Arrival) -> None:
        if not first.done() and is_it(arrival):
            first.set_result(arrival)

    client.arrived = arrived
    return first


async def _before_the_end(client: Client, awaited: Awaitable[T]) -> T:
    """Return what is awaited. Raises MqttError where the connection ends before."""
    listener = asyncio.create_task(_listen(client), name="listen")
    wanted = asyncio.ensure_future(awaited)
    try:
        await asyncio.wait((wanted, listener), return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            listener.result()
        return await wanted
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(client: Client) -> None:
    async for _ in client.messages:
        pass  # the client hands on what arrives; the iterator is what notices that the connection is gone
