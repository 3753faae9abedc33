"""A message on its way to the broker."""

from datetime import datetime, timedelta
from typing import NamedTuple

NOTHING, ON, OFF = b"", b"ON", b"OFF"
GRACE = timedelta(seconds=60)  # that a price outlives its slot, and `ON` what it switches
NEWS = timedelta(minutes=10)  # that an event waits for the broker


class Message(NamedTuple):
    """What stands on a topic; an empty payload clears it, and at `expires_at` it is worth nothing any more.

    One that the broker is not to retain is an event or an answer: it goes to those who listen then, and stands nowhere.
    """

    topic: str
    payload: bytes
    expires_at: datetime | None = None
    retain: bool = True
    qos: int = 1
    correlation: bytes | None = None  # the Correlation Data of the request that this answers (MQTT 5 §4.10)
    answer: bool = False  # to a command: where too much waits for the broker, it outlives the events
    response_topic: str | None = None  # where the answer to a command is to go (MQTT 5)
    instead: bytes = b""  # a short payload for a broker that does not take the long one


class Arrival(NamedTuple):
    """A message that came from the broker. What MQTT 3.1.1 does not have is None."""

    topic: str
    payload: bytes
    qos: int = 1
    retained: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    expires_in_s: int | None = None  # what is left of its message expiry
