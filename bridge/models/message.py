"""A message on its way to the broker."""

from datetime import datetime
from typing import NamedTuple


class Message(NamedTuple):
    """A retained message; an empty payload clears its topic, and at `expires_at` it is worth nothing any more."""

    topic: str
    payload: bytes
    expires_at: datetime | None = None
