"""Publishes many retained messages once and says how many a second: `python -m bench.publisher bridge|bare PORT COUNT`.

`bridge` lays them on the shelf, `bare` hands them to aiomqtt; both have the same number under way at once.
"""

import asyncio
import sys
from collections.abc import Iterator
from time import perf_counter

import aiomqtt

from bridge.clock import SystemClock
from bridge.models.message import Message
from bridge.simulator.broker import HOST
from bridge.transport.mqtt import IN_FLIGHT, QOS, Broker, connection
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf

PAYLOAD = b"x" * 200
STATE = "kwh2mqtt/bridge/state"


def messages(count: int) -> list[Message]:
    return [Message(f"kwh2mqtt/home/site-{number}/price/import/value", PAYLOAD) for number in range(count)]


async def bridge(settings: MqttSettings, wanted: list[Message]) -> float:
    """Return the seconds from the first message on the shelf to the last acknowledgement."""
    shelf = Shelf()
    broker = Broker(settings, shelf, SystemClock(), state_topic=STATE, client_id="bridge")
    running = asyncio.create_task(broker.run())
    while not broker.connected:  # noqa: ASYNC110 - a benchmark may look
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    begun = perf_counter()
    shelf.put(wanted)
    while broker.published < len(wanted):  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    ended = perf_counter()
    running.cancel()
    await asyncio.wait([running])
    return ended - begun


async def bare(settings: MqttSettings, wanted: list[Message]) -> float:
    async with connection(settings, "bare") as client:
        await asyncio.sleep(0.1)
        begun = perf_counter()
        left = iter(wanted)
        async with asyncio.TaskGroup() as publishers:
            for _ in range(IN_FLIGHT):
                publishers.create_task(_publish(client, left))
        return perf_counter() - begun


async def _publish(client: aiomqtt.Client, left: Iterator[Message]) -> None:
    for message in left:
        await client.publish(message.topic, message.payload, qos=QOS, retain=True)


async def main(kind: str, port: int, count: int) -> None:
    settings, wanted = MqttSettings(host=HOST, port=port), messages(count)
    seconds = await {"bridge": bridge, "bare": bare}[kind](settings, wanted)
    print(count / seconds)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
