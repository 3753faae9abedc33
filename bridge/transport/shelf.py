"""The shelf: the newest message of each retained topic. It is state, not a queue: bounded by the number of topics."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from bridge.models.message import Message


class Shelf:
    """Holds what ought to stand at the broker, and which of it the broker has yet to be told."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._waiting: dict[str, None] = {}  # topics, in the order in which they changed
        self._more, self._none = asyncio.Event(), asyncio.Event()

    def put(self, messages: Iterable[Message]) -> None:
        """Lay `messages` on the shelf; one that says nothing new is not sent again."""
        for message in messages:
            if self._messages.get(message.topic) != message:
                self._messages[message.topic] = message
                self._waiting[message.topic] = None
        if self._waiting:
            self._more.set()

    def clear(self, topics: Iterable[str]) -> None:
        """Empty `topics` at the broker."""
        self.put(Message(topic, b"") for topic in topics)

    def put_again(self, topic: str) -> None:
        """Note that the broker may not have taken `topic`."""
        if topic in self._messages:
            self._waiting[topic] = None
            self._more.set()

    def put_all_again(self) -> None:
        """Note that the broker may know nothing."""
        self._waiting = dict.fromkeys(self._messages)
        if self._waiting:
            self._more.set()

    async def take(self) -> Message:
        """Return the message that has waited longest, once there is one."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        topic = next(iter(self._waiting))
        del self._waiting[topic]
        if not self._waiting:
            self._none.set()
        return self._messages[topic]

    async def emptied(self) -> None:
        """Return once no message waits to be sent."""
        while self._waiting:
            self._none.clear()
            await self._none.wait()

    def messages(self) -> list[Message]:
        """Return what is on the shelf, without the topics that are to be empty."""
        return [message for message in self._messages.values() if message.payload]

    def topics(self, *, below: str = "") -> list[str]:
        """Return the topics that hold something and begin with `below`."""
        return [message.topic for message in self.messages() if message.topic.startswith(below)]

    def drop_expired(self, moment: datetime) -> None:
        """Let go of what is worth nothing any more: after a reconnect it must not come back."""
        for message in list(self._messages.values()):
            if message.expires_at is not None and message.expires_at <= moment:
                del self._messages[message.topic]
                self._waiting.pop(message.topic, None)
        if not self._waiting:
            self._none.set()

    def __len__(self) -> int:
        """How many messages wait for the broker."""
        return len(self._waiting)
