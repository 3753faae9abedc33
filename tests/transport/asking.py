"""What the tests of HTTP ask with: a provider's answers by hand, a clock that does not wait, and a meter that counts."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx2
import pytest

from bridge.errors import BudgetSpent, SourceError
from bridge.redact import Redactor
from bridge.transport.answer import Answer
from bridge.transport.http import Http
from tests.support import HandClock, utc

NOON = utc("2026-06-10T12:00:00")
URL = "https://api.example.com/gql"
SECRET = "planted-9f2c-0123456789-abcdefghij"
TEXT, HTML = {"Content-Type": "text/plain"}, {"Content-Type": "text/html"}


class EagerClock(HandClock):
    """A clock on which every wait is over at once; `waits` says how long each would have been."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.waits: list[timedelta] = []

    async def sleep_until(self, moment: datetime) -> None:
        self.waits.append(moment - self.now())
        self.set(max(moment, self.now()))


class Meter:
    """Counts; refuses what is beyond `limit`."""

    def __init__(self, limit: int = 100) -> None:
        self.limit, self.spent, self.pauses = limit, list[datetime](), list[datetime]()

    def spend(self, moment: datetime) -> None:
        if len(self.spent) == self.limit:
            raise BudgetSpent("spent", retry_after=timedelta(seconds=7))
        self.spent.append(moment)

    def pause(self, until: datetime) -> None:
        self.pauses.append(until)


class Setup:
    """An Http, with all that it was given."""

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None, limit: int = 100) -> None:
        self.clock, self.meter = EagerClock(), Meter(limit)
        self.http = Http(self.meter, self.clock, Redactor([SECRET]), chance=random.Random(1), transport=transport)

    async def read(self, url: str = URL) -> Answer:
        return await self.http.read("POST", url, headers={"Authorization": f"Bearer {SECRET}"}, body={"query": "{ a }"})

    async def failed(self, url: str = URL) -> SourceError:
        with pytest.raises(SourceError) as caught:
            await self.read(url)
        return caught.value

    async def failed_once(self) -> SourceError:
        with pytest.raises(SourceError) as caught:
            await self.http.write("POST", URL, headers={}, body={})
        return caught.value


@asynccontextmanager
async def answering(*answers: httpx2.Response | Exception, limit: int = 100) -> AsyncIterator[Setup]:
    """Yield an Http whose requests meet `answers` one after the other, the last one for ever."""

    def handle(_: httpx2.Request) -> httpx2.Response:
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    queue = list(answers)
    setup = Setup(httpx2.MockTransport(handle), limit)
    yield setup
    await setup.http.aclose()


class Pieces(httpx2.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
