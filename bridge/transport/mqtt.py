"""The broker: connected for good, whatever it does. Only this module knows aiomqtt (asyncio-mqtt's present name) and paho.

After every connect the whole shelf is published: a broker that was killed has lost what it held since its last autosave.
TCP_NODELAY is set: without it on both sides a QoS 1 round trip takes 44 ms or 88 ms instead of 0.4.
"""

import asyncio
import contextlib
import logging
import math
import random
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from typing import Any, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bridge.clock import Clock
from bridge.models.message import Message
from bridge.transport.settings import MqttSettings, TlsSettings
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)
_silent = logging.getLogger("bridge.transport.paho")
_silent.setLevel(logging.CRITICAL)  # what paho says is said again by the exception it raises

QOS = 1
IN_FLIGHT = 32  # publications under way at once: a broker 44 ms away still takes 700 a second
SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
CONNECT_S = 10.0
STEADY_S = 60.0  # a connection that lasts so long was a good one
FLUSH_S, GOODBYE_S = 3.0, 2.0  # what may still be sent when we are asked to stop, and the word that we do
LONGEST_EXPIRY_S = 2**32 - 1
LONGEST_SHOWN = 100  # characters of a topic
ONLINE, OFFLINE = b"online", b"offline"


class _Client(aiomqtt.Client):
    """What the library leaves out: the broker's Receive Maximum, its refusals of messages, and the socket of a vain attempt."""

    receive_maximum = 0  # how many messages the broker takes at once (MQTT 5 §3.2.2.3.3): some hang up on one more
    refused: str | None = None  # why the broker took a message for nothing (MQTT 5 §3.4.2.1)

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except BaseException:
            with contextlib.suppress(Exception):
                self._client.disconnect()  # else its socket stays open until the keep-alive finds it
            raise

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        self.receive_maximum = min(getattr(properties, "ReceiveMaximum", IN_FLIGHT), IN_FLIGHT)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if getattr(reason_code, "is_failure", False):
            self.refused = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)


class Broker:
    """Keeps the shelf's messages at the broker, and `state_topic` at online until the process goes."""

    def __init__(
        self,
        settings: MqttSettings,
        shelf: Shelf,
        clock: Clock,
        *,
        state_topic: str,
        client_id: str,
        chance: random.Random | None = None,
    ) -> None:
        self._settings, self._shelf, self._clock = settings, shelf, clock
        self._state_topic, self._client_id = state_topic, settings.client_id or client_id
        self._chance = chance or random.Random()
        self._told_of_refusal = False
        self.published = 0
        self.connects = 0
        self.connected = False
        shelf.put([Message(state_topic, ONLINE)])  # after every connect the first of what is retained

    async def run(self) -> None:
        """Stay connected until cancelled; then say offline and go."""
        failures = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                async with connection(self._settings, self._client_id, will=self._state_topic) as client:
                    await self._serve(client)
            except (aiomqtt.MqttError, OSError, TimeoutError) as error:
                steady = asyncio.get_running_loop().time() - began > STEADY_S
                failures = 1 if steady else failures + 1
                self._report(error, first=failures == 1)
            await asyncio.sleep(self._wait(failures))

    def _wait(self, failures: int) -> float:
        ceiling = min(LONGEST_WAIT_S, SHORTEST_WAIT_S * 2 ** min(failures, 10))
        return max(SHORTEST_WAIT_S, self._chance.uniform(0, ceiling))

    async def _serve(self, client: _Client) -> None:
        self.connects += 1
        self.connected = True
        log.info("connected to the broker at %s (MQTT %s)", self._settings.address, self._settings.protocol)
        try:
            self._shelf.drop_expired(self._clock.now())
            self._shelf.put_all_again()
            await self._until_disconnected(client)
        except asyncio.CancelledError:
            await self._say_goodbye(client)
            raise
        finally:
            self.connected = False

    async def _until_disconnected(self, client: _Client) -> None:
        publishers = self._publishers(client)
        listener = asyncio.create_task(self._listen(client), name="listen")
        try:
            done, _ = await asyncio.wait((listener, *publishers), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _cancelled(listener, *publishers)

    def _publishers(self, client: _Client) -> list[asyncio.Task[None]]:
        numbers = range(client.receive_maximum)
        return [asyncio.create_task(self._publish(client), name=f"publish-{number}") for number in numbers]

    async def _publish(self, client: _Client) -> None:
        while True:
            message = await self._shelf.take()
            try:
                await self._send(client, message)
            except (ValueError, struct.error) as error:  # no broker can take it: the others must not suffer
                log.warning("%s cannot be published: %s", message.topic[:LONGEST_SHOWN], error)
            except BaseException:
                self._shelf.put_again(message)
                raise

    async def _send(self, client: _Client, message: Message) -> None:
        expiry = None
        if message.expires_at is not None:
            left = math.ceil((message.expires_at - self._clock.now()).total_seconds())
            if left <= 0:
                return  # too late: it would only mislead
            expiry = expiring(min(left, LONGEST_EXPIRY_S)) if self._settings.protocol == "5" else None
        await client.publish(
            message.topic, message.payload, qos=QOS, retain=message.retain, properties=expiry, timeout=math.inf
        )  # without a limit: a slow broker is not a dead one, and the keep-alive finds a dead one
        if client.refused and not self._told_of_refusal:
            self._told_of_refusal = True
            log.warning("the broker does not let us publish (%s); check its access list for this login", client.refused)
        self.published += 1

    async def _listen(self, client: _Client) -> None:
        async for _ in client.messages:
            pass  # nothing is subscribed to yet; the iterator is what notices that the connection is gone

    async def _say_goodbye(self, client: _Client) -> None:
        """Send what waits, for a while, and then in any case that we go: a will is only for those who do not say so."""
        publishers = self._publishers(client)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._shelf.emptied()
                await asyncio.sleep(0)  # the last one taken is on its way
        await _cancelled(*publishers)
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await client.publish(self._state_topic, OFFLINE, qos=QOS, retain=True)

    def _report(self, error: Exception, *, first: bool) -> None:
        log.log(
            logging.WARNING if first else logging.DEBUG,
            "no connection to the broker at %s: %s; trying again, at most a minute apart",
            self._settings.address,
            explained(error),
        )


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def connection(settings: MqttSettings, client_id: str, *, will: str | None = None) -> AsyncIterator[_Client]:
    """Yield a client that is connected as `settings` say. Raises MqttError or OSError."""
    client = _Client(
        settings.host,
        settings.port,
        identifier=client_id,
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else None,
        protocol=aiomqtt.ProtocolVersion.V5 if settings.protocol == "5" else aiomqtt.ProtocolVersion.V311,
        transport=settings.transport,
        websocket_path=settings.websocket_path if settings.transport == "websockets" else None,
        keepalive=settings.keepalive,
        tls_context=_tls_context(settings.tls) if settings.tls else None,
        will=aiomqtt.Will(will, OFFLINE, qos=QOS, retain=True) if will else None,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        timeout=CONNECT_S,
        max_inflight_messages=IN_FLIGHT,
        logger=_silent,
    )
    async with client:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # before 3.12, wait_for loses a cancellation that comes with the answer
            raise asyncio.CancelledError
        yield client


async def greet(settings: MqttSettings) -> str | None:
    """Connect to the broker and leave again; return what is wrong, or None."""
    try:
        async with connection(settings, f"kwh2mqtt-check-{random.randrange(2**32):08x}"):
            return None
    except (aiomqtt.MqttError, OSError, TimeoutError) as error:
        return explained(error)


def expiring(seconds: int) -> Properties:
    """Return the MQTT 5 property that lets a message expire after `seconds`."""
    properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = seconds
    return properties  # type: ignore[no-any-return]


def explained(error: Exception) -> str:
    """Return what went wrong, and what a user can do about it."""
    code = getattr(getattr(error, "rc", None), "value", getattr(error, "rc", None))
    if code in (4, 5, 134, 135):  # CONNACK: bad user name or password, not authorised (3.1.1 and 5)
        return "it refused the login; check mqtt.username and mqtt.password"
    if code in (1, 132):  # CONNACK: unacceptable protocol version (3.1.1 and 5)
        return "it does not speak this protocol version; set mqtt.protocol to the other of 5 and 3.1.1"
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
    if text.startswith("Disconnected"):
        return "the connection was lost"
    if "certificate" in text.lower() or "ssl" in text.lower():
        return f"{text}; check [mqtt.tls]"
    return f"{text}; check mqtt.host and mqtt.port, and that the broker runs"


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context
