"""The shelf: the newest message of each retained topic. It is state, not a queue: bounded by the number of topics.

Beside it lies a short queue of events, which are not retained: each is sent once, before the rest, or dropped when it is old.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from datetime import datetime

from bridge.models.message import Message

log = logging.getLogger(__name__)

MOST_EVENTS = 200


class Shelf:
    """Holds what ought to stand at the broker, and which of it the broker has yet to be told."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._waiting: dict[str, None] = {}  # topics, in the order in which they changed
        self._events: deque[Message] = deque()  # all of them wait
        self._told_of_loss = False
        self._more, self._none = asyncio.Event(), asyncio.Event()

    def put(self, messages: Iterable[Message]) -> None:
        """Lay `messages` on the shelf; one that says nothing new is not sent again, unless it is an event."""
        for message in messages:
            if not message.retain:
                self._told_of_loss = self._told_of_loss and bool(self._events)
                self._events.append(message)
                self._keep_short()
            elif self._messages.get(message.topic) != message:
                self._messages[message.topic] = message
                self._waiting[message.topic] = None
        self._wake()

    def clear(self, topics: Iterable[str]) -> None:
        """Empty `topics` at the broker."""
        self.put(Message(topic, b"") for topic in topics)

    def put_again(self, message: Message) -> None:
        """Note that the broker may not have taken `message`, or what took its place since."""
        if not message.retain:
            self._events.appendleft(message)
            self._keep_short()
        elif message.topic in self._messages:
            self._waiting[message.topic] = None
        self._wake()

    def put_all_again(self) -> None:
        """Note that the broker may know nothing of what is retained."""
        self._waiting = dict.fromkeys(self._messages)
        self._wake()

    async def take(self) -> Message:
        """Return the event that has waited longest, or else such a message, once there is one."""
        while not self._waiting and not self._events:
            self._more.clear()
            await self._more.wait()
        if self._events:
            message = self._events.popleft()
        else:
            topic = next(iter(self._waiting))
            del self._waiting[topic]
            message = self._messages[topic]
        self._wake()
        return message

    async def emptied(self) -> None:
        """Return once no message waits to be sent."""
        while self._waiting or self._events:
            self._none.clear()
            await self._none.wait()

    def messages(self) -> list[Message]:
        """Return what is on the shelf, without events and the topics that are to be empty."""
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
        self._events = deque(event for event in self._events if event.expires_at is None or event.expires_at > moment)
        self._wake()

    def __len__(self) -> int:
        """How many messages wait for the broker."""
        return len(self._waiting) + len(self._events)

    def _wake(self) -> None:
        (self._more if self._waiting or self._events else self._none).set()

    def _keep_short(self) -> None:
        if len(self._events) > MOST_EVENTS:
            self._events.popleft()
            if not self._told_of_loss:  # until the queue begins anew
                log.warning("more than %d events wait for the broker: the oldest are dropped", MOST_EVENTS)
            self._told_of_loss = True
