"""Questions to providers: equal ones that are under way are one, and so many at once are enough."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from bridge.errors import TimedOut, TooMany

LONGEST = timedelta(seconds=30)  # that a command may take
SOON = timedelta(seconds=1)


class Seats:
    """Room for so many commands that wait for a provider."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0

    def must_be_free(self) -> None:
        """Raises TooMany where none is."""
        if self._taken >= self._most:
            raise TooMany(f"{self._most} commands are being carried out already", retry_after=SOON)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one for as long as the context is open. Raises TooMany where none is free."""
        self.must_be_free()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


class Shared:
    """Asks a question once, however many have it at the same time."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._under_way: dict[str, asyncio.Task[Any]] = {}

    async def asked(self, key: str, ask: Callable[[], Awaitable[Any]], patience_s: float) -> Any:
        """Return what `ask` brings, at once for all who come with the same `key`. Raises TimedOut after `patience_s`."""
        task = self._under_way.get(key)
        if task is None:
            self._seats.must_be_free()
            task = asyncio.create_task(self._seated(ask), name=f"query {key[:64]}")
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._over(key, done))
        try:
            async with asyncio.timeout(max(0.0, patience_s)):
                return await asyncio.shield(task)
        except TimeoutError:
            raise TimedOut("no answer came in time") from None

    async def closed(self) -> None:
        """Ask no more: nobody is there any longer to hear the answers."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _seated(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        with self._seats.taken():
            try:
                async with asyncio.timeout(LONGEST.total_seconds()):
                    return await ask()
            except TimeoutError:
                raise TimedOut(f"no answer came in {LONGEST.total_seconds():.0f} s") from None

    def _over(self, key: str, done: asyncio.Task[Any]) -> None:
        self._under_way.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever asked may have given up: it is nobody's then
