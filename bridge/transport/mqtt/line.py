"""A connection that outlives whoever uses it: a reload hands it to the next broker, and nobody hears the bridge go.

What arrives between the two is held for the next one.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from bridge.models.message import Arrival, Message
from bridge.transport.mqtt.connection import OFFLINE, Client, connection, farewell
from bridge.transport.settings import MqttSettings


class Line:
    """A place for a connection; where `kept` is set, whoever leaves it leaves it open. Leaving the context says offline."""

    def __init__(self) -> None:
        self.kept = False
        self._client: Client | None = None
        self._state_topic = ""
        self._held: list[Arrival] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.hang_up()

    @property
    def is_open(self) -> bool:
        return self._client is not None

    @contextlib.asynccontextmanager
    async def client(self, settings: MqttSettings, client_id: str, state_topic: str) -> AsyncIterator[Client]:
        """Yield the client that was kept, or a new one; it is closed unless it is kept again. Raises MqttError or OSError."""
        if self._client is None:
            self._client = await self._stack.enter_async_context(connection(settings, client_id, will=state_topic))
        self._state_topic = state_topic
        try:
            yield self._client
        except Exception:  # it is broken
            await self._close()
            raise
        finally:
            self.hold()
            if not self.kept:
                await self.hang_up()

    def hold(self) -> None:
        """Hold what arrives from now on for the next one, or, where there is to be none, let it pass."""
        if self._client is not None:
            self._client.arrived = self._held.append if self.kept else None

    def hand_over(self, arrived: Callable[[Arrival], None] | None) -> None:
        """Hand on what was held, and from now on whatever arrives."""
        held, self._held = self._held, []
        if self._client is not None:
            self._client.arrived = arrived
        if arrived is not None:
            for arrival in held:
                arrived(arrival)

    async def hang_up(self) -> None:
        """Say that we go, and close the connection; where there is none, nothing is done."""
        if self._client is not None:
            await farewell(self._client, Message(self._state_topic, OFFLINE))
            await self._close()

    async def _close(self) -> None:
        self._client = None
        await self._stack.aclose()
