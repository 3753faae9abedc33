"""What a login may do at the broker, found out by doing it: a few empty messages that are not retained, and subscriptions.

With MQTT 3.1.1 a broker takes a message that it then drops, and mosquitto grants every subscription and delivers nothing. So what
is sent on a topic that is subscribed to has to come back; where it does not, only MQTT 5 tells which of the two is forbidden.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import aiomqtt

from bridge.models.message import Arrival, Message
from bridge.transport.mqtt.connection import Client, connection, explained
from bridge.transport.settings import MqttSettings

WITHIN_S = 30.0
COMES_BACK_S = 2.0


@dataclass(frozen=True)
class Trial:
    """What came of it."""

    trouble: str | None = None  # why there is no connection, and its mend
    is_told: bool = True  # whether the broker says what it refuses
    unwritable: Mapping[str, str] = field(default_factory=dict)  # topic → why
    unreadable: Mapping[str, str] = field(default_factory=dict)  # filter → why
    heard: bool | None = None  # whether what was sent came back; None where nobody can tell


async def tried(settings: MqttSettings, writes: Iterable[str], commands: str, command: str, births: str | None) -> Trial:
    """Subscribe to `commands` and `births`, write to the topics `writes`, look whether what is sent to `command` comes back."""
    try:
        async with asyncio.timeout(WITHIN_S), connection(settings, f"kwh2mqtt-check-{random.randrange(2**32):08x}") as client:
            came = asyncio.Event()
            client.arrived = lambda arrival: _note(came, arrival, command)
            answers = {topic_filter: await client.hear(topic_filter) for topic_filter in (commands, births) if topic_filter}
            unreadable = {topic_filter: why for topic_filter, why in answers.items() if why is not None}
            refusals = {topic: await _refusal(client, topic) for topic in (*writes, command)}
            unwritable = {topic: why for topic, why in refusals.items() if why is not None}
            is_told = settings.protocol == "5"
            heard = None if unreadable or command in unwritable else await _is_set(came) or (False if is_told else None)
            unwritable.pop(command, None)  # the bridge itself asks nobody
            return Trial(is_told=is_told, unwritable=unwritable, unreadable=unreadable, heard=heard)
    except (aiomqtt.MqttError, OSError, TimeoutError) as error:
        return Trial(trouble=explained(error))
    except ValueError as error:  # a topic that this broker cannot take
        return Trial(trouble=str(error))


def _note(came: asyncio.Event, arrival: Arrival, command: str) -> None:
    if arrival.topic == command:
        came.set()


async def _refusal(client: Client, topic: str) -> str | None:
    client.refused = None
    await client.send(Message(topic, b"", retain=False), None)
    return client.refused


async def _is_set(came: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(COMES_BACK_S):
            return await came.wait()
    except TimeoutError:
        return False
