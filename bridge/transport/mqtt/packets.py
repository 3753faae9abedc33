"""What stands in a packet beside its payload, as paho reads and writes it, between its words and ours."""

from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from bridge.models.message import Arrival

NUMBERS = {0x01: 1, 0x02: 4, 0x23: 2}  # payload format indicator, message expiry, topic alias: how many bytes
CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION, SUBSCRIPTION, PAIR = 0x03, 0x08, 0x09, 0x0B, 0x26
COUNTED = {CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION}
KEPT = {0x02: "MessageExpiryInterval", RESPONSE_TOPIC: "ResponseTopic", CORRELATION: "CorrelationData"}


def arrival(message: Any) -> Arrival:
    """Return a message of paho's as one of ours. Raises ValueError for a topic that is no text."""
    about = message.properties  # None with MQTT 3.1.1
    return Arrival(
        topic=message.topic,
        payload=bytes(message.payload),
        qos=message.qos,
        retained=bool(message.retain),
        response_topic=getattr(about, "ResponseTopic", None),
        correlation=getattr(about, "CorrelationData", None),
        expires_in_s=getattr(about, "MessageExpiryInterval", None),
    )


def properties(packet: int, **given: Any) -> Properties | None:
    """Return what is `given` and not None as the properties of a packet, None where that is nothing."""
    kept = {name: value for name, value in given.items() if value is not None}
    about: Any = Properties(packet) if kept else None  # type: ignore[no-untyped-call]
    for name, value in kept.items():
        setattr(about, name, value)
    return about  # type: ignore[no-any-return]


def _unpacked(self: Any, buffer: bytes) -> tuple[Any, int]:
    """Read the properties of a packet into `self`, and return how many bytes they take; of a PUBLISH, those that we want.

    paho ends the connection where a sender's content type has an odd letter or its format indicator an odd number. Brokers pass
    on both, so that one retained message would keep us off the broker for good.
    """
    if self.packetType != PacketTypes.PUBLISH:
        return _strictly_unpacked(self, buffer)  # type: ignore[no-any-return]
    length, at = _integer(buffer)
    end = at + length
    while at < end:
        kind, value, at = _property(buffer, at)
        if kind in KEPT:
            object.__setattr__(self, KEPT[kind], value)
    if at != end:
        raise ValueError("the properties do not end where they say")
    return self, end


def _property(buffer: bytes, at: int) -> tuple[int, object, int]:
    """Return the property that begins at `at` (§2.2.2.2): its identifier, its value, and where the next one begins."""
    kind, at = buffer[at], at + 1
    if kind in NUMBERS:
        end = at + NUMBERS[kind]
        return kind, int.from_bytes(buffer[at:end], "big"), end
    if kind == SUBSCRIPTION:
        return kind, None, at + _integer(buffer[at:])[1]
    first, end = _counted(buffer, at)
    if kind == PAIR:
        _, end = _counted(buffer, end)
    elif kind not in COUNTED:
        raise ValueError(f"a PUBLISH has no property {kind}")
    return kind, first.decode("utf-8", "replace") if kind == RESPONSE_TOPIC else first, end


def _counted(buffer: bytes, at: int) -> tuple[bytes, int]:
    begin = at + 2
    end = begin + int.from_bytes(buffer[at:begin], "big")
    return bytes(buffer[begin:end]), end


_integer: Any = VariableByteIntegers.decode
_strictly_unpacked: Any = Properties.unpack
Properties.unpack = _unpacked  # type: ignore[method-assign]
