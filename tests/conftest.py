"""Fixtures of the tests that need real parts: a private mosquitto, and a subscriber that remembers what it saw."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from bridge.simulator.broker import HOST, Running, broker, programs
from bridge.transport.settings import MqttSettings
from tests.support import close_stores

PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def _stores_are_closed() -> Iterator[None]:
    yield
    close_stores()


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Running]:
    """A mosquitto of the test's own on a free port."""
    if programs()[0] is None:
        pytest.skip("mosquitto is not installed")
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    async with broker(folder) as running:
        yield running


@pytest.fixture
def mqtt(mosquitto: Running) -> MqttSettings:
    return MqttSettings(host=HOST, port=mosquitto.port)


class Seen:
    """What a subscriber saw: the newest payload of each topic, and everything in order."""

    def __init__(self) -> None:
        self.latest: dict[str, bytes] = {}
        self.messages: list[aiomqtt.Message] = []
        self._change = asyncio.Condition()

    async def note(self, message: aiomqtt.Message) -> None:
        async with self._change:
            assert isinstance(message.payload, bytes)
            self.messages.append(message)
            if message.payload:
                self.latest[str(message.topic)] = message.payload
            else:
                self.latest.pop(str(message.topic), None)
            self._change.notify_all()

    async def until(self, condition: Callable[["Seen"], object], patience_s: float = PATIENCE_S) -> None:
        """Return as soon as `condition` holds; fail when it does not within the patience."""
        async with asyncio.timeout(patience_s), self._change:
            await self._change.wait_for(lambda: bool(condition(self)))

    def standing(self, below: str) -> list[str]:
        """Return the topics with `below` in them that hold something; an event is heard, and stands nowhere."""
        return [topic for topic in self.latest if below in topic and not topic.endswith("/event")]

    def get(self, topic: str) -> str | None:
        payload = self.latest.get(topic)
        return payload.decode() if payload is not None else None


@asynccontextmanager
async def subscribed(settings: MqttSettings, topic: str = "#") -> AsyncIterator[Seen]:
    """Yield what a subscriber of its own sees."""
    seen = Seen()
    protocol = aiomqtt.ProtocolVersion.V5 if settings.protocol == "5" else aiomqtt.ProtocolVersion.V311
    password = settings.password.get_secret_value() if settings.password else None
    async with aiomqtt.Client(
        settings.host, settings.port, protocol=protocol, username=settings.username, password=password
    ) as client:
        await client.subscribe(topic, qos=1)

        async def listen() -> None:
            async for message in client.messages:
                await seen.note(message)

        task = asyncio.create_task(listen())
        try:
            yield seen
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
