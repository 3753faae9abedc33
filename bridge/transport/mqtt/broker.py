"""The broker: connected for good, whatever it does; what is on the shelf goes up, and commands come down.

After every connect the whole shelf is published: a broker that was killed has lost what it held since its last autosave.
Commands are asked for first, so whoever sees us online is heard.
"""

import asyncio
import contextlib
import logging
import math
import random
import struct
from collections.abc import Callable

import aiomqtt

from bridge.clock import Clock
from bridge.models.message import Arrival, Message
from bridge.transport.mqtt.connection import Client, explained
from bridge.transport.mqtt.line import Line
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)

SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
STEADY_S = 90.0  # a connection that lasts so long was a good one: two that bear one name take turns sooner
SHORT_LIVED = 3  # so many connections in a row that do not are no chance any more
SUBSCRIBE_S = 30.0
FLUSH_S = 3.0  # what may still be sent when we are asked to stop
LONGEST_SHOWN = 100  # characters of a topic
ONLINE = b"online"


class Broker:
    """Keeps the shelf's messages at the broker, and `state_topic` at online until the process goes.

    What matches the topic filters `commands` and `births` is handed to `arrived`, which must not wait: whatever it raises is
    logged. `births` is where another program says that it has begun.
    `progress` is told of each message that the broker took, and of each attempt to connect.
    """

    def __init__(  # noqa: PLR0913 - what goes up, what comes down, and who we are
        self,
        settings: MqttSettings,
        shelf: Shelf,
        clock: Clock,
        *,
        state_topic: str,
        client_id: str,
        commands: str | None = None,
        births: str | None = None,
        arrived: Callable[[Arrival], None] | None = None,
        progress: Callable[[], None] = lambda: None,
        chance: random.Random | None = None,
    ) -> None:
        self._settings, self._shelf, self._clock = settings, shelf, clock
        self._state_topic, self._client_id = state_topic, settings.client_id or client_id
        self._arrived, self._progress = arrived, progress
        costs = {commands: "no command is heard", births: "what begins there is not noticed"}  # to be deaf to it
        self._heard = {topic_filter: cost for topic_filter, cost in costs.items() if topic_filter is not None}
        self._chance = chance or random.Random()
        self._told_of_refusal = self._told_of_connection = False
        self._deaf: set[str] = set()  # filters of which the log says so already
        self._under_way, self._none_under_way = 0, asyncio.Event()  # messages that the broker has yet to take
        self.published = 0
        self.connects = 0
        self.connected = False
        shelf.put([Message(state_topic, ONLINE)])  # after every connect the first of what is retained

    async def run(self, line: Line | None = None) -> None:
        """Stay connected until cancelled; then say offline and go, unless the `line` is to be kept."""
        failures, line = 0, line or Line()
        self._told_of_connection = line.is_open
        while True:
            began, connects = asyncio.get_running_loop().time(), self.connects
            self._progress()
            try:
                async with line.client(self._settings, self._client_id, self._state_topic) as client:
                    await self._serve(client, line)
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                steady = asyncio.get_running_loop().time() - began > STEADY_S
                failures = 1 if steady else failures + 1
                in_vain = self.connects == connects
                self._report(error, first=failures == 1 or (in_vain and self._told_of_connection))
                if failures == SHORT_LIVED and not in_vain:
                    log.warning("no connection to the broker lasts; has another program the client id %s?", self._client_id)
            await asyncio.sleep(self._wait(failures))

    def _wait(self, failures: int) -> float:
        ceiling = min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 2 ** min(failures, 10))
        return max(SHORTEST_WAIT_S, self._chance.uniform(0, ceiling))

    async def _serve(self, client: Client, line: Line) -> None:
        self.connects += 1
        self.connected = True
        level = logging.DEBUG if self._told_of_connection else logging.INFO
        log.log(level, "connected to the broker at %s (MQTT %s)", self._settings.address, self._settings.protocol)
        self._told_of_connection = True
        line.hand_over(self._arrived)
        try:
            self._shelf.drop_expired(self._clock.now())
            self._shelf.put_all_again()
            await self._until_disconnected(client, line)
        finally:
            self.connected = False

    async def _until_disconnected(self, client: Client, line: Line) -> None:
        subscriber = asyncio.create_task(self._subscribe(client), name="subscribe")  # begun first, it is sent first
        publishers = self._publishers(client)
        listener = asyncio.create_task(self._listen(client), name="listen")
        try:
            done, _ = await asyncio.wait((listener, *publishers), return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: task is not listener):  # the listener knows best why
                task.result()
        except asyncio.CancelledError:
            line.hold()  # what is asked for now would be begun and not answered
            await self._flush()
            raise
        finally:
            await _cancelled(subscriber, listener, *publishers)

    async def _subscribe(self, client: Client) -> None:
        """Ask for what is to be heard, one after the other; where the broker does not let us, the prices go up all the same."""
        with contextlib.suppress(aiomqtt.MqttError):  # the connection is gone, which the listener tells
            for topic_filter, cost in self._heard.items():
                self._note_deafness(topic_filter, cost, await self._refusal(client, topic_filter))

    async def _refusal(self, client: Client, topic_filter: str) -> str | None:
        try:
            async with asyncio.timeout(SUBSCRIBE_S):
                return await client.hear(topic_filter)
        except TimeoutError:
            return f"no answer in {SUBSCRIBE_S:.0f} s"

    def _note_deafness(self, topic_filter: str, cost: str, refusal: str | None) -> None:
        if refusal and topic_filter not in self._deaf:
            text = "the broker does not let us subscribe to %s (%s), so %s; allow it in its access list"
            log.warning(text, topic_filter, refusal, cost)
            self._deaf.add(topic_filter)
        elif not refusal:
            self._deaf.discard(topic_filter)

    def _publishers(self, client: Client) -> list[asyncio.Task[None]]:
        numbers = range(client.receive_maximum)
        return [asyncio.create_task(self._publish(client), name=f"publish-{number}") for number in numbers]

    async def _publish(self, client: Client) -> None:
        while True:
            message = await self._shelf.take()
            self._under_way += 1
            self._none_under_way.clear()
            try:
                await self._send(client, message)
            except (ValueError, struct.error) as error:  # no broker can take it: the others must not suffer
                log.warning("%s cannot be published: %s", message.topic[:LONGEST_SHOWN], error)
                if message.instead:
                    self._shelf.put([message._replace(payload=message.instead, instead=b"")])
            except BaseException:
                self._shelf.put_again(message)
                raise
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._none_under_way.set()

    async def _send(self, client: Client, message: Message) -> None:
        left_s = None
        if message.expires_at is not None:
            left_s = math.ceil((message.expires_at - self._clock.now()).total_seconds())
            if left_s <= 0:
                return  # too late: it would only mislead
        await client.send(message, left_s)
        if client.refused and not self._told_of_refusal:
            self._told_of_refusal = True
            log.warning("the broker does not let us publish (%s); check its access list for this login", client.refused)
        self.published += 1
        self._progress()

    async def _listen(self, client: Client) -> None:
        async for _ in client.messages:
            pass  # the client hands on what arrives; the iterator is what notices that the connection is gone

    async def _flush(self) -> None:
        """Send what waits, for a while: each once, so that no answer comes twice."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                while len(self._shelf) or self._under_way:
                    await self._shelf.emptied()
                    await asyncio.sleep(0)  # the last one taken is on its way
                    await self._none_under_way.wait()

    def _report(self, error: Exception, *, first: bool) -> None:
        log.log(
            logging.WARNING if first else logging.DEBUG,
            "no connection to the broker at %s: %s; trying again, at most a minute apart",
            self._settings.address,
            explained(error),
        )
        if first:
            self._told_of_connection = False


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
