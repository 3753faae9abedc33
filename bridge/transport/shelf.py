"""The shelf: the newest message of each retained topic. It is state, not a queue: bounded by the number of topics.

Beside it wait the answers and the events, which are not retained: each is sent once, before the rest, or dropped when it is old.
Where too much of them waits, the oldest event goes first, and an answer only when there is no event left.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from bridge.models.message import Message

log = logging.getLogger(__name__)

MOST_WAITING = 20_000  # answers and events
LARGEST_WAITING = 2**25  # bytes of their payloads: a Pi must outlive a broker that is away


class Shelf:
    """Holds what ought to stand at the broker, and which of it the broker has yet to be told."""

    def __init__(self, also: Callable[[Message], Iterable[Message]] = lambda _: ()) -> None:
        """`also` returns what is to be laid there with a retained message: the same, for a reader that cannot read ours."""
        self.also = also
        self._messages: dict[str, Message] = {}
        self._waiting: dict[str, None] = {}  # topics, in the order in which they changed
        self._answers: deque[Message] = deque()  # all of them wait
        self._events: deque[Message] = deque()  # likewise
        self._size = 0  # bytes of both
        self._told_of_loss = False
        self._more, self._none = asyncio.Event(), asyncio.Event()

    def put(self, messages: Iterable[Message]) -> None:
        """Lay `messages` on the shelf; one that says nothing new is not sent again, unless it is not retained."""
        for message in messages:
            if not message.retain:
                self._told_of_loss = self._told_of_loss and bool(self._answers or self._events)
                self._queue(message).append(message)
                self._grown(message)
            elif self._messages.get(message.topic) != message:
                for one in (message, *self.also(message)):
                    self._messages[one.topic] = one
                    self._waiting[one.topic] = None
        self._wake()

    def clear(self, topics: Iterable[str]) -> None:
        """Empty `topics` at the broker."""
        self.put(Message(topic, b"") for topic in topics)

    def put_again(self, message: Message) -> None:
        """Note that the broker may not have taken `message`, or what took its place since."""
        if not message.retain:
            self._queue(message).appendleft(message)
            self._grown(message)
        elif message.topic in self._messages:
            self._waiting[message.topic] = None
        self._wake()

    def put_all_again(self) -> None:
        """Note that the broker may know nothing of what is retained."""
        self._waiting = dict.fromkeys(self._messages)
        self._wake()

    async def take(self) -> Message:
        """Return the answer that has waited longest, or else such an event, or else such a message, once there is one."""
        while not len(self):
            self._more.clear()
            await self._more.wait()
        if self._answers or self._events:
            message = self._oldest(self._answers or self._events)
        else:
            topic = next(iter(self._waiting))
            del self._waiting[topic]
            message = self._messages[topic]
        self._wake()
        return message

    async def emptied(self) -> None:
        """Return once no message waits to be sent."""
        while len(self):
            self._none.clear()
            await self._none.wait()

    def messages(self) -> list[Message]:
        """Return what is on the shelf, without answers, events and the topics that are to be empty."""
        return [message for message in self._messages.values() if message.payload]

    def topics(self, *, below: str = "") -> list[str]:
        """Return the topics that hold something and begin with `below`."""
        return [message.topic for message in self.messages() if message.topic.startswith(below)]

    def drop_expired(self, moment: datetime) -> None:
        """Let go of what is worth nothing any more: after a reconnect it must not come back."""
        for message in [message for message in self._messages.values() if _is_over(message, moment)]:
            del self._messages[message.topic]
            self._waiting.pop(message.topic, None)
        self._answers = deque(answer for answer in self._answers if not _is_over(answer, moment))
        self._events = deque(event for event in self._events if not _is_over(event, moment))
        self._size = sum(len(message.payload) for queue in (self._answers, self._events) for message in queue)
        self._wake()

    def __len__(self) -> int:
        """How many messages wait for the broker."""
        return len(self._waiting) + len(self._answers) + len(self._events)

    def _wake(self) -> None:
        (self._more if len(self) else self._none).set()

    def _queue(self, message: Message) -> deque[Message]:
        return self._answers if message.answer else self._events

    def _oldest(self, queue: deque[Message]) -> Message:
        message = queue.popleft()
        self._size -= len(message.payload)
        return message

    def _grown(self, message: Message) -> None:
        """Note that `message` waits too, and drop what is too much."""
        self._size += len(message.payload)
        while len(self._answers) + len(self._events) > MOST_WAITING or self._size > LARGEST_WAITING:
            self._oldest(self._events or self._answers)
            if not self._told_of_loss:  # until the queue begins anew
                text = "more than %d answers and events, or %d MiB, wait for the broker: the oldest are dropped, events first"
                log.warning(text, MOST_WAITING, LARGEST_WAITING >> 20)
            self._told_of_loss = True


def _is_over(message: Message, moment: datetime) -> bool:
    return message.expires_at is not None and message.expires_at <= moment
