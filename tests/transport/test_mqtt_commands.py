"""What comes from a real mosquitto: every command once, with all that belongs to it, and none from before."""

import asyncio
import json
import logging
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bridge.clock import SystemClock
from bridge.models.message import Arrival, Message
from bridge.simulator.broker import HOST, broker, free_port
from bridge.transport.mqtt import Broker, Client, connection, explained
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf
from tests.conftest import subscribed
from tests.transport.link import COMMANDS, STATE, bridged, configured, messages, reached, until

TOPIC = "kwh2mqtt/command/wallbox/home/prices"
PLUGINS = [
    Path(f"/usr/{place}/mosquitto_dynamic_security.so") for place in ("lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib")
]
BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@asynccontextmanager
async def device(settings: MqttSettings) -> AsyncIterator[aiomqtt.Client]:
    protocol = aiomqtt.ProtocolVersion.V5 if settings.protocol == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client(settings.host, settings.port, protocol=protocol) as client:
        yield client


def properties(**given: Any) -> Properties:
    about: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in given.items():
        setattr(about, name, value)
    return about  # type: ignore[no-any-return]


def speaking(settings: MqttSettings, protocol: str) -> MqttSettings:
    return MqttSettings.model_validate({"host": settings.host, "port": settings.port, "protocol": protocol})


async def test_a_command_arrives_with_all_that_belongs_to_it(mqtt: MqttSettings) -> None:
    seen: list[Arrival] = []
    about = properties(ResponseTopic="kwh2mqtt/response/wallbox/x", CorrelationData=b"\x00\xff", MessageExpiryInterval=30)
    async with bridged(mqtt, Shelf(), seen.append) as link, device(mqtt) as wallbox:
        await until(lambda: link.published == 1)
        await wallbox.publish(TOPIC, b'{"id": "7"}', qos=1, properties=about)
        await until(lambda: len(seen) == 1)
    left_s = seen[0].expires_in_s
    assert left_s in (29, 30)
    assert seen == [Arrival(TOPIC, b'{"id": "7"}', 1, False, "kwh2mqtt/response/wallbox/x", b"\x00\xff", left_s)]  # noqa: FBT003


@pytest.mark.parametrize("sender", ["5", "3.1.1"])
@BOTH
async def test_a_command_keeps_its_own_quality_of_service(mqtt: MqttSettings, protocol: str, sender: str) -> None:
    seen: list[Arrival] = []
    async with bridged(speaking(mqtt, protocol), Shelf(), seen.append) as link, device(speaking(mqtt, sender)) as wallbox:
        await until(lambda: link.published == 1)
        for qos in (0, 1, 2):
            await wallbox.publish(TOPIC, b"%d" % qos, qos=qos)
            await until(lambda: len(seen) > qos)  # noqa: B023 - awaited at once
    assert seen == [Arrival(TOPIC, b"%d" % qos, qos) for qos in (0, 1, 2)]


async def test_other_topics_are_not_heard(mqtt: MqttSettings) -> None:
    seen: list[Arrival] = []
    async with bridged(mqtt, Shelf(), seen.append) as link, device(mqtt) as wallbox:
        await until(lambda: link.published == 1)
        for topic in ("kwh2mqtt/command/x/y", "kwh2mqtt/command/x/y/z/z", "kwh2mqtt/response/x/y/z", "command/x/y/z", TOPIC):
            await wallbox.publish(topic, b"", qos=1)
        await until(lambda: bool(seen))
    assert seen == [Arrival(TOPIC, b"")]


@BOTH
async def test_whoever_sees_the_bridge_online_is_heard(mqtt: MqttSettings, protocol: str) -> None:
    seen: list[Arrival] = []
    for number in range(10):
        async with subscribed(mqtt, STATE) as state, device(mqtt) as wallbox:
            async with bridged(speaking(mqtt, protocol), Shelf(), seen.append):
                await state.until(lambda state: state.get(STATE) == "online")
                await wallbox.publish(TOPIC, b"%d" % number)
                await until(lambda: len(seen) > number)  # noqa: B023 - awaited at once
            await state.until(lambda state: state.get(STATE) == "offline")
    assert seen == [Arrival(TOPIC, b"%d" % number, 0) for number in range(10)]


@BOTH
async def test_a_command_that_the_broker_has_retained_is_told_from_others_at_each_connect(
    mqtt: MqttSettings, protocol: str
) -> None:
    async with device(mqtt) as wallbox:
        await wallbox.publish(TOPIC, b"old", qos=1, retain=True)
    seen: list[Arrival] = []
    for number in range(2):
        async with bridged(speaking(mqtt, protocol), Shelf(), seen.append):
            await until(lambda: len(seen) > number)  # noqa: B023 - awaited at once
    assert seen == [Arrival(TOPIC, b"old", 1, retained=True)] * 2


@pytest.mark.parametrize(("protocol", "retained"), [("5", True), ("3.1.1", False)])
async def test_mqtt_5_tells_of_a_new_command_that_it_is_retained(mqtt: MqttSettings, protocol: str, retained: bool) -> None:  # noqa: FBT001
    seen: list[Arrival] = []
    async with bridged(speaking(mqtt, protocol), Shelf(), seen.append) as link, device(mqtt) as wallbox:
        await until(lambda: link.published == 1)
        await wallbox.publish(TOPIC, b"new", qos=1, retain=True)
        await until(lambda: bool(seen))
    assert seen == [Arrival(TOPIC, b"new", 1, retained=retained)]


class Cable:
    """A cable to the broker that a test can cut, and mend."""

    def __init__(self, settings: MqttSettings) -> None:
        self._far, self.port = settings, free_port()
        self._ends: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._joined, HOST, self.port)

    async def cut(self) -> None:
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()
        await self._server.wait_closed()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._far.host, self._far.port)
        self._ends += [writer, far_writer]
        await asyncio.gather(_carried(reader, far_writer), _carried(far_reader, writer))


async def _carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


@BOTH
async def test_what_was_sent_while_the_bridge_was_away_is_never_replayed(mqtt: MqttSettings, protocol: str) -> None:
    seen: list[Arrival] = []
    async with Cable(mqtt) as cable, device(mqtt) as wallbox:
        settings = speaking(MqttSettings(host=HOST, port=cable.port), protocol)
        for start in range(2):  # anew, as after a restart of the bridge
            async with bridged(settings, Shelf(), seen.append) as link:
                link._wait = lambda failures: 0.01  # type: ignore[method-assign]
                await until(lambda: link.published == 1)
                await wallbox.publish(TOPIC, b"before %d" % start, qos=2)
                await until(lambda: len(seen) == 2 * start + 1)  # noqa: B023 - awaited at once
                await cable.cut()
                await until(lambda: not link.connected)
                await wallbox.publish(TOPIC, b"without a connection", qos=2)
                await cable.mend()
                await until(lambda: link.published == 2)
                await wallbox.publish(TOPIC, b"after %d" % start, qos=2)
                await until(lambda: len(seen) == 2 * start + 2)  # noqa: B023 - awaited at once
            await wallbox.publish(TOPIC, b"without a bridge", qos=2)
    assert [arrival.payload for arrival in seen] == [b"before 0", b"after 0", b"before 1", b"after 1"]


async def test_a_fault_in_whoever_is_handed_a_command_is_told_once_and_kills_nothing(
    mqtt: MqttSettings, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Arrival] = []

    def arrived(arrival: Arrival) -> None:
        seen.append(arrival)
        raise ZeroDivisionError

    async with bridged(mqtt, Shelf(), arrived) as link, device(mqtt) as wallbox:
        await until(lambda: link.published == 1)
        for qos in (0, 1, 2, 1):
            await wallbox.publish(TOPIC, b"x", qos=qos)
        await until(lambda: len(seen) == 4)
        assert (link.connects, link.connected) == (1, True)
    assert [record.getMessage() for record in caplog.records] == ["a message from the broker could not be taken in"]


@BOTH
async def test_a_broker_that_forbids_subscribing_is_told_of_once_and_has_the_prices_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    if not PLUGINS:
        pytest.skip("mosquitto's dynamic security is not installed")
    port, seen = free_port(), list[Arrival]()
    rules = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
    (tmp_path / "rules.json").write_text(json.dumps({"defaultACLAccess": rules}))
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\nplugin {PLUGINS[0]}\n"
    lines += f"plugin_opt_config_file {tmp_path}/rules.json\n"
    async with configured(tmp_path, lines):
        settings = speaking(MqttSettings(host=HOST, port=port), protocol)
        assert await reached(settings) is None
        async with Cable(settings) as cable:
            shelf = Shelf()
            shelf.put(messages(20))
            async with bridged(settings.model_copy(update={"port": cable.port}), shelf, seen.append) as link:
                link._wait = lambda failures: 0.01  # type: ignore[method-assign]
                await until(lambda: link.published == 21)
                await cable.cut()
                await until(lambda: not link.connected)
                await cable.mend()
                await until(lambda: link.published == 42)
    reason = {"5": "Not authorized", "3.1.1": "Unspecified error"}[protocol]
    told = f"the broker does not let us subscribe to kwh2mqtt/command/+/+/+ ({reason}), so no command is heard; "
    assert [line for line in caplog.messages if "subscribe" in line] == [f"{told}allow it in its access list"]


async def test_when_the_bridge_is_asked_to_stop_nobody_is_heard_any_more(tmp_path: Path) -> None:
    port, seen, shelf = free_port(), list[Arrival](), Shelf()
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\npersistence false\nmax_inflight_messages 1\n"
    async with configured(tmp_path, lines):  # without TCP_NODELAY and one at a time: 44 ms each
        settings = MqttSettings(host=HOST, port=port)
        assert await reached(settings) is None
        async with device(settings) as wallbox, subscribed(settings, "kwh2mqtt/home/#") as told:
            async with bridged(settings, shelf, seen.append):
                await shelf.emptied()
                await wallbox.publish(TOPIC, b"in time", qos=1)
                await until(lambda: bool(seen))
                shelf.put(messages(30))
                late = asyncio.create_task(_late(wallbox, told))
            await late
    assert [arrival.payload for arrival in seen] == [b"in time"]


async def _late(wallbox: aiomqtt.Client, told: Any) -> None:
    await told.until(lambda told: len(told.latest) > 3)  # the goodbye is under way
    await wallbox.publish(TOPIC, b"too late", qos=1)


async def test_of_thousands_that_come_at_once_every_one_arrives(mqtt: MqttSettings) -> None:
    seen: list[Arrival] = []
    body = counted(TOPIC.encode())
    flood = b"".join(b"\x32" + length(len(body) + 2 + 4) + body + struct.pack("!HL", number, number) for number in range(1, 5001))
    async with bridged(mqtt, Shelf(), seen.append) as link:
        await until(lambda: link.published == 1)
        _, writer = await asyncio.open_connection(HOST, mqtt.port)
        writer.write(b"\x10\x11" + counted(b"MQTT") + b"\x04\x02\x00\x3c" + counted(b"flood") + flood)  # MQTT 3.1.1
        await until(lambda: len(seen) == 5000)
        writer.close()
    assert [arrival.payload for arrival in seen] == [struct.pack("!L", number) for number in range(1, 5001)]


# answers


def answer(payload: bytes, qos: int = 1, topic: str = "kwh2mqtt/response/wallbox/home/prices", **more: Any) -> Message:
    return Message(topic, payload, retain=False, qos=qos, answer=True, **more)


@BOTH
async def test_an_answer_has_the_qos_and_the_correlation_that_it_is_given_and_is_not_retained(
    mqtt: MqttSettings, protocol: str
) -> None:
    shelf, own = Shelf(), speaking(mqtt, protocol)
    async with bridged(own, shelf), device(mqtt) as wallbox:
        await wallbox.subscribe("kwh2mqtt/response/wallbox/#", qos=2)
        shelf.put(answer(b"%d" % qos, qos, correlation=b"\x00%d" % qos) for qos in (0, 1, 2))
        got = [await anext(wallbox.messages) for _ in range(3)]
    carried = [getattr(message.properties, "CorrelationData", None) for message in got]
    assert sorted((message.payload, message.qos, message.retain) for message in got) == [
        (b"0", 0, False),
        (b"1", 1, False),
        (b"2", 2, False),
    ]
    assert carried == ([b"\x00%s" % bytes(message.payload) for message in got] if protocol == "5" else [None] * 3)


async def test_a_broker_that_takes_less_is_given_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port, shelf = free_port(), Shelf()
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\nmax_qos 1\nmax_packet_size 2000\n"
    async with configured(tmp_path, lines):
        settings = MqttSettings(host=HOST, port=port)
        assert await reached(settings) is None
        async with bridged(settings, shelf) as link, subscribed(settings, "kwh2mqtt/response/#") as seen:
            shelf.put([answer(b"x" * 2000), answer(b"y" * 2000)._replace(instead=b"short"), answer(b"two", 2)])
            await seen.until(lambda seen: len(seen.messages) == 2)
            assert sorted((message.payload, message.qos) for message in seen.messages) == [(b"short", 1), (b"two", 1)]
            assert link.connects == 1
    told = "kwh2mqtt/response/wallbox/home/prices cannot be published: it has 2069 bytes, and the broker takes 2000 at the most"
    assert caplog.messages == [told, told]


@pytest.mark.parametrize("end", ["/" * 300, "\x01", "\uffff", "a" * 2000], ids=["levels", "control", "no letter", "long"])
async def test_a_topic_at_which_some_brokers_hang_up_is_never_published_to(
    mqtt: MqttSettings, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    shelf = Shelf()
    async with bridged(mqtt, shelf) as link, subscribed(mqtt, "kwh2mqtt/response/#") as seen:
        shelf.put([answer(b"x", topic=f"kwh2mqtt/response/wallbox/{end}"), answer(b"good")])
        await seen.until(lambda seen: seen.messages)
        assert ([message.payload for message in seen.messages], link.connects) == ([b"good"], 1)
    assert [line.partition(": ")[2] for line in caplog.messages] == ["some brokers take no such topic"]


async def test_an_answer_that_the_broker_refuses_holds_up_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port, shelf = free_port(), Shelf()
    (tmp_path / "acl").write_text("topic write kwh2mqtt/bridge/#\ntopic write kwh2mqtt/response/wallbox/#\ntopic read #\n")
    tmp_path.chmod(0o755)
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\npersistence false\nacl_file {tmp_path}/acl\n"
    async with configured(tmp_path, lines):
        settings = MqttSettings(host=HOST, port=port)
        assert await reached(settings) is None
        async with bridged(settings, shelf) as link, subscribed(settings, "kwh2mqtt/response/#") as seen:
            shelf.put(answer(b"x", number % 3, f"kwh2mqtt/response/other/{number}") for number in range(120))
            shelf.put([answer(b"good", 2)])
            await seen.until(lambda seen: seen.messages)
            await until(lambda: link.published == 122)
            assert ([message.payload for message in seen.messages], link.connects) == ([b"good"], 1)
    assert [line[:52] for line in caplog.messages] == ["the broker does not let us publish (Not authorized);"]


# two that bear one name, and brokers that come and go


async def test_two_bridges_that_bear_one_name_say_so_once_and_make_no_storm(
    mqtt: MqttSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with bridged(mqtt, Shelf(), lambda _: None) as one, bridged(mqtt, Shelf(), lambda _: None) as two:
        for link in (one, two):
            link._wait = lambda failures: 0.05 * failures  # type: ignore[method-assign]
        await until(lambda: one.connects > 5 and two.connects > 5)
    place = f"{HOST}:{mqtt.port}"
    lines = [
        f"connected to the broker at {place} (MQTT 5)",
        f"no connection to the broker at {place}: the connection was lost; trying again, at most a minute apart",
        f"connected to the broker at {place} (MQTT 5)",
        "no connection to the broker lasts; has another program the client id kwh2mqtt-test?",
    ]
    assert sorted(caplog.messages) == sorted(lines * 2)


def test_a_name_that_another_has_taken_is_explained() -> None:
    lost = aiomqtt.MqttError("Disconnected during message iteration")
    lost.__cause__ = aiomqtt.MqttCodeError(142)
    told = "another program has connected with the same client id; stop it, or give each its own mqtt.client_id"
    assert (explained(lost), explained(aiomqtt.MqttCodeError(4))) == (told, "the connection was lost")


async def test_a_broker_that_stays_away_after_a_short_visit_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    async with bridged(MqttSettings(host=HOST, port=port), Shelf()) as link:
        link._wait = lambda failures: 0.01  # type: ignore[method-assign]
        await until(lambda: bool(caplog.messages))
        async with broker(tmp_path, port=port):
            await until(lambda: link.connected)
        await until(lambda: len(caplog.messages) == 3)
    assert [(record.levelname, record.getMessage()[:22]) for record in caplog.records] == [
        ("WARNING", "no connection to the b"),
        ("INFO", "connected to the broke"),
        ("WARNING", "no connection to the b"),
    ]


# whatever a sender may put beside its payload


def text(chance: random.Random) -> bytes:
    letters = "aé\u2028\ufeff\U0001f600ß/$" if chance.random() < 0.8 else "a\x01\x7f\uffff+#"
    return counted("".join(chance.choice(letters) for _ in range(chance.randint(0, 6))).encode())


def counted(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content


def beside(chance: random.Random) -> bytes:
    """Return a property as a sender may write it, good or not."""
    return chance.choice([
        b"\x01" + bytes([chance.randint(0, 3)]),
        b"\x02" + struct.pack("!L", chance.choice([1, 60, 2**32 - 1])),
        b"\x03" + text(chance),
        b"\x08" + text(chance),
        b"\x09" + counted(chance.randbytes(chance.randint(0, 40))),
        b"\x26" + text(chance) + text(chance),
    ])  # fmt: skip


def length(number: int) -> bytes:
    low, high = number % 128, number // 128
    return bytes([low | 0x80]) + length(high) if high else bytes([low])


def published(chance: random.Random, topic: bytes = TOPIC.encode()) -> bytes:
    about = b"".join(beside(chance) for _ in range(chance.randint(0, 3)))
    body = counted(topic) + length(len(about)) + about + chance.randbytes(chance.randint(0, 9))
    return bytes([0x30 | chance.randint(0, 1)]) + length(len(body)) + body


def hello(name: str) -> bytes:
    body = counted(b"MQTT") + b"\x05\x02\x00\x3c\x00" + counted(name.encode())
    return b"\x10" + length(len(body)) + body


async def test_no_sender_can_end_the_connection_by_what_it_puts_beside_its_payload(mqtt: MqttSettings) -> None:
    chance, seen, names = random.Random(4), list[Arrival](), count()
    async with bridged(mqtt, Shelf(), seen.append) as link, device(mqtt) as wallbox:
        await until(lambda: link.published == 1)
        for _ in range(400):  # one packet a connection: the broker hangs up on what it does not like
            reader, writer = await asyncio.open_connection(HOST, mqtt.port)
            writer.write(hello(f"odd-{next(names)}") + published(chance) + b"\xe0\x00")
            with suppress(ConnectionError):
                await reader.read()
            writer.close()
        await wallbox.publish(TOPIC, b"the last one", qos=1)
        await until(lambda: bool(seen) and seen[-1].payload == b"the last one")
        assert (link.connects, len(seen) > 200) == (1, True)


@pytest.mark.parametrize("about", [{"UserProperty": ("a", "\ufeff")}, {"ContentType": "\ufeff"}, {"ResponseTopic": "\ufeff"}])
async def test_a_retained_letter_that_the_library_does_not_like_is_read(mqtt: MqttSettings, about: dict[str, Any]) -> None:
    seen: list[Arrival] = []
    async with device(mqtt) as wallbox:
        await wallbox.publish(TOPIC, b"x", qos=1, retain=True, properties=properties(**about))
    async with bridged(mqtt, Shelf(), seen.append) as link:
        await until(lambda: bool(seen))
        assert (seen, link.connects) == ([Arrival(TOPIC, b"x", 1, True, about.get("ResponseTopic"))], 1)  # noqa: FBT003


async def test_a_packet_too_large_for_a_small_machine_is_not_sent_to_it(mqtt: MqttSettings) -> None:
    seen: list[Arrival] = []
    async with bridged(mqtt, Shelf(), seen.append) as link, device(mqtt) as wallbox:
        await until(lambda: link.published == 1)
        await wallbox.publish(TOPIC, bytes(2**24), qos=1)
        await wallbox.publish(TOPIC, bytes(2**20), qos=1)
        await until(lambda: bool(seen))
        assert ([len(arrival.payload) for arrival in seen], link.connects) == ([2**20], 1)


async def test_what_arrives_at_a_connection_without_a_taker_is_let_go(mqtt: MqttSettings) -> None:
    async with connection(mqtt, "nobody") as client, device(mqtt) as wallbox:
        assert isinstance(client, Client)
        assert await client.hear("kwh2mqtt/#") is None
        await wallbox.publish(TOPIC, b"x", qos=1)
        await client.publish(TOPIC, b"x", qos=1)
        assert len(client.messages) == 0


def test_without_a_filter_nothing_is_subscribed_to() -> None:
    assert Broker(MqttSettings(), Shelf(), Any, state_topic=STATE, client_id="x")._heard == {}  # type: ignore[arg-type]


async def test_births_of_another_program_are_heard_beside_commands(mqtt: MqttSettings) -> None:
    seen: list[Arrival] = []
    link = Broker(
        mqtt, Shelf(), SystemClock(), state_topic=STATE, client_id="x", commands=COMMANDS, births="ha/status", arrived=seen.append
    )
    task = asyncio.create_task(link.run())
    async with device(mqtt) as other:
        await other.publish("ha/status", b"online", qos=1, retain=True)
        await until(lambda: bool(seen))
        await other.publish(TOPIC, b"{}", qos=1)
        await until(lambda: len(seen) > 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert seen == [Arrival("ha/status", b"online", 1, retained=True), Arrival(TOPIC, b"{}", 1)]
