"""A message on its way to the broker."""

from datetime import datetime
from typing import NamedTuple


class Message(NamedTuple):
    """What stands on a topic; an empty payload clears it, and at `expires_at` it is worth nothing any more.

    One that the broker is not to retain is an event: it goes to those who listen then, and stands nowhere.
    """

    topic: str
    payload: bytes
    expires_at: datetime | None = None
    retain: bool = True
