"""A write is done once: recorded before it is sent, its answer kept for a day, and the same id brings that answer again.

What certainly never reached the provider is forgotten, so that the same id may be tried again.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

from bridge.clock import Clock
from bridge.commands import answer
from bridge.errors import BadRequest, BridgeError, Expired, OutcomeUnknown, RateLimited, TooMany, Unreachable
from bridge.state.ledger import Ledger


class NotSent(Exception):
    """Nothing was sent, as `error` came before."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


NOT_SENT = (NotSent, Expired, RateLimited, TooMany, Unreachable)  # after a write: nothing reached the provider

Given = dict[str, Any]  # an answer


class Unrecorded(BridgeError):
    """A write cannot be recorded, so it is not sent."""

    code = "unavailable"


class Write(NamedTuple):
    """One write: `digest` tells its operation and arguments, `reply` where its answer goes."""

    client: str
    id: str
    digest: str
    reply: str


class Once:
    """Sees to it that each write is done once."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._under_way: dict[tuple[str, str], tuple[str, asyncio.Task[Given]]] = {}

    async def answered(
        self, write: Write, moment: datetime, admit: Callable[[], None], work: Callable[[], Awaitable[Given]]
    ) -> Given:
        """Return the answer of `work`, or the one that the same write had. `admit` raises where a new one has no room."""
        key = (write.client, write.id)
        if key in self._under_way:
            digest, task = self._under_way[key]
            _must_be_alike(write, digest)
            return {**await asyncio.shield(task), "replayed": True}
        if (entry := self._ledger.find(*key, moment)) is not None:
            _must_be_alike(write, entry.digest)
            return {**_kept(entry.answer), "replayed": True}
        admit()
        if not self._ledger.begin(write.client, write.id, write.digest, write.reply, moment):
            raise Unrecorded("the write cannot be recorded, so it is not sent; is the state folder writable, is there room?")
        task = asyncio.create_task(self._done(key, work), name=f"write {write.id}")
        self._under_way[key] = (write.digest, task)
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    def is_under_way(self, client: str, id_: str) -> bool:
        return (client, id_) in self._under_way

    async def finished(self, patience_s: float) -> None:
        """Return when no write is under way any more, or after `patience_s`."""
        tasks = [task for _, task in self._under_way.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _done(self, key: tuple[str, str], work: Callable[[], Awaitable[Given]]) -> Given:
        try:
            found = await work()
        except NOT_SENT:
            self._ledger.drop(*key)
            raise
        self._ledger.finish(*key, answer.encoded(found), self._clock.now())
        return found


def _must_be_alike(write: Write, digest: str) -> None:
    if write.digest != digest:
        text = f"id: {write.id} was used in the last 24 hours for something else; go on counting, or take a random one"
        raise BadRequest(text)


def _kept(kept: bytes | None) -> Given:
    if kept is None:
        raise OutcomeUnknown("it was cut off half-way: whether it was done, only the provider knows")
    found: Given = json.loads(kept)
    return found
