"""One connection to a broker, as the settings say, and what aiomqtt and paho leave out of one.

A connection is a client of its own and a session of its own, with either protocol: what was sent while there was none is lost.
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
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.models.message import Arrival, Message
from bridge.topics import is_publishable
from bridge.transport.mqtt.packets import arrival, properties
from bridge.transport.settings import MqttSettings, TlsSettings

log = logging.getLogger(__name__)
_silent = logging.getLogger("bridge.transport.paho")
_silent.setLevel(logging.CRITICAL)  # what paho says is said again by the exception it raises

QOS = 1
AS_SENT = 2  # the QoS of a subscription that leaves each message its own
IN_FLIGHT = 32  # publications under way at once: a broker 44 ms away still takes 700 a second
CONNECT_S, GOODBYE_S = 10.0, 2.0
LARGEST_EXPIRY_S = 2**32 - 1
OUR_LIMITS = {  # of what may come to us (MQTT 5 §3.1.2.11)
    "MaximumPacketSize": 2**24,  # bytes: a Pi has no room for the 256 MiB that a broker may send
    "ReceiveMaximum": 65_535,  # the default, but said: else mosquitto sends 20 at a time, keeps 1000, and drops what comes beside
}
REFUSED_LOGIN, UNKNOWN_PROTOCOL = (134, 135), 132  # CONNACK, as paho tells it for 3.1.1 too
TAKEN_OVER = 142  # DISCONNECT (MQTT 5 §3.14.2.1)
LOST = (4, 7)  # paho's own words for it
MOST_OVERHEAD = 32  # bytes of a PUBLISH beside its topic, payload and correlation
OFFLINE = b"offline"


class Client(aiomqtt.Client):
    """What the library leaves out: the broker's limits, its refusals of messages, and the socket of a vain attempt."""

    def __init__(self, settings: MqttSettings, client_id: str, *, will: str | None = None) -> None:
        self._is_5 = settings.protocol == "5"
        self.receive_maximum = 0  # how many messages the broker takes at once (MQTT 5 §3.2.2.3.3): some hang up on one more
        self.maximum_qos, self.maximum_packet = 2, math.inf  # what it takes at all (§3.2.2.3.4, §3.2.2.3.6)
        self.refused: str | None = None  # why it took a message for nothing (§3.4.2.1)
        self.arrived: Callable[[Arrival], None] | None = None  # whoever is handed what arrives
        self._told: set[type[Exception]] = set()
        super().__init__(
            settings.host,
            settings.port,
            identifier=client_id,
            username=settings.username,
            password=settings.password.get_secret_value() if settings.password else None,
            protocol=aiomqtt.ProtocolVersion.V5 if self._is_5 else aiomqtt.ProtocolVersion.V311,
            transport=settings.transport,
            websocket_path=settings.websocket_path if settings.transport == "websockets" else None,
            keepalive=settings.keepalive,
            tls_context=_tls_context(settings.tls) if settings.tls else None,
            will=aiomqtt.Will(will, OFFLINE, qos=QOS, retain=True) if will else None,
            properties=properties(PacketTypes.CONNECT, **OUR_LIMITS) if self._is_5 else None,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            timeout=CONNECT_S,
            max_inflight_messages=IN_FLIGHT,
            logger=_silent,
        )

    async def __aenter__(self) -> Self:
        try:
            return await super().__aenter__()
        except BaseException:
            with contextlib.suppress(Exception):
                self._client.disconnect()  # else its socket stays open until the keep-alive finds it
            raise

    async def send(self, message: Message, left_s: int | None) -> None:
        """Publish `message`, worth something for `left_s`. Raises ValueError where no broker, or not this one, can take it."""
        if not is_publishable(message.topic):  # it would hang up, and again at the next attempt
            raise ValueError("some brokers take no such topic")
        texts = (message.topic, message.response_topic or "")
        size = sum(len(text.encode()) for text in texts) + len(message.payload) + len(message.correlation or b"") + MOST_OVERHEAD
        if size > self.maximum_packet:  # likewise
            raise ValueError(f"it has {size} bytes, and the broker takes {self.maximum_packet} at the most")
        expiry = None if left_s is None else min(left_s, LARGEST_EXPIRY_S)
        given = {"MessageExpiryInterval": expiry, "CorrelationData": message.correlation, "ResponseTopic": message.response_topic}
        about = properties(PacketTypes.PUBLISH, **given) if self._is_5 else None
        qos = min(message.qos, self.maximum_qos)
        await self.publish(
            message.topic, message.payload, qos=qos, retain=message.retain, properties=about, timeout=math.inf
        )  # without a limit: a slow broker is not a dead one, and the keep-alive finds a dead one

    async def hear(self, topic_filter: str) -> str | None:
        """Subscribe, and return why the broker refuses, or None. Each message keeps its QoS, and with MQTT 5 its retain flag.

        What is retained comes after each connect (§3.3.1.3, §3.8.3.1), so that whoever hears it can refuse it.
        """
        options = SubscribeOptions(AS_SENT, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE)
        if self._is_5:
            codes: Any = await self.subscribe(topic_filter, options=options, timeout=math.inf)
        else:
            codes = await self.subscribe(topic_filter, AS_SENT, timeout=math.inf)
        return next((str(code) for code in codes if code.is_failure), None)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        self.receive_maximum = min(getattr(properties, "ReceiveMaximum", IN_FLIGHT), IN_FLIGHT)
        self.maximum_qos = getattr(properties, "MaximumQoS", self.maximum_qos)
        self.maximum_packet = getattr(properties, "MaximumPacketSize", self.maximum_packet)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # else asyncio complains where nobody comes to look at it

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if getattr(reason_code, "is_failure", False):
            self.refused = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    def _on_message(self, _: Any, __: Any, message: Any) -> None:
        """Hand the message on at once: the library's queue would grow without bounds, and costs a task a message."""
        if self.arrived is None:
            return
        try:
            self.arrived(arrival(message))
        except Exception as error:  # the connection, and those who are heard next, must not suffer
            level = logging.DEBUG if type(error) in self._told else logging.ERROR
            self._told.add(type(error))
            log.log(level, "a message from the broker could not be taken in", exc_info=error)

    def _on_socket_register_write(self, client: Any, _: Any, sock: Any) -> None:
        """Watch for room in the socket's buffer, provided that it is still open by then: its number may be another's."""
        self._loop.call_soon_threadsafe(self._watch, client, sock)

    def _watch(self, client: Any, sock: Any) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _write(self, client: Any) -> None:
        try:
            client.loop_write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection is gone
            if not self._disconnected.done():
                self._disconnected.set_exception(error)


@contextlib.asynccontextmanager
async def connection(settings: MqttSettings, client_id: str, *, will: str | None = None) -> AsyncIterator[Client]:
    """Yield a client that is connected as `settings` say. Raises MqttError or OSError."""
    client = Client(settings, client_id, will=will)
    async with client:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # before 3.12, wait_for loses a cancellation that comes with the answer
            raise asyncio.CancelledError
        yield client


async def farewell(client: Client, word: Message) -> None:
    """Send a last word; a will is only for those who leave without one."""
    with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            await client.send(word, None)


async def greet(settings: MqttSettings) -> str | None:
    """Connect to the broker and leave again; return what is wrong, or None."""
    try:
        async with connection(settings, f"kwh2mqtt-check-{random.randrange(2**32):08x}"):
            return None
    except (aiomqtt.MqttError, OSError, TimeoutError) as error:
        return explained(error)


def explained(error: Exception) -> str:
    """Return what went wrong, and what a user can do about it."""
    code = _code(error)
    if code in REFUSED_LOGIN:
        return "it refused the login; check mqtt.username and mqtt.password"
    if code == UNKNOWN_PROTOCOL:
        return "it does not speak this protocol version; set mqtt.protocol to the other of 5 and 3.1.1"
    if TAKEN_OVER in (code, _code(error.__cause__)):
        return "another program has connected with the same client id; stop it, or give each its own mqtt.client_id"
    text = re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__
    if text.startswith("Disconnected") or code in LOST:
        return "the connection was lost"
    if "certificate" in text.lower() or "ssl" in text.lower():
        return f"{text}; check [mqtt.tls]"
    return f"{text}; check mqtt.host and mqtt.port, and that the broker runs"


def _code(error: BaseException | None) -> object:
    return getattr(getattr(error, "rc", None), "value", getattr(error, "rc", None))


def _tls_context(tls: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context
