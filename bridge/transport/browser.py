"""A person's browser: sent to a page, and heard when it comes back to this machine (RFC 8252 §7.3).

It listens on 127.0.0.1 alone, and hears nobody who does not bring back the state that was given along.
"""

import asyncio
import hmac
import os
import sys
import threading
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

HOST = "127.0.0.1"
LONGEST_HEAD = 16 * 1024  # bytes of request line and headers
PATIENCE_S = 10.0  # with a browser that connects and says nothing, as they do beforehand
HEARD = "Thank you. Now go back to the terminal: it says whether you are signed in."
UNHEARD = "This is not the answer that kwh2mqtt waits for. Go back to the terminal."
PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>kwh2mqtt</title><p>{}</p></html>'


class Loopback:
    """Listens while the context is open; port 0 takes a free one. Raises OSError where it cannot."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._state: str | None = None
        self._listener: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self._came: asyncio.Queue[str] = asyncio.Queue()

    @property
    def address(self) -> str:
        """The address to send the browser back to; known once the context is entered."""
        return f"http://{HOST}:{self._port}{self._path}"

    def expect(self, state: str) -> None:
        """Hear from now on whoever brings `state` along."""
        self._state = state

    async def heard(self) -> str:
        """Return the whole address that the browser came back to."""
        return await self._came.get()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accepted, HOST, self._port, limit=LONGEST_HEAD)
        self._port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in tuple(self._conversations):
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(reader, writer), name="browser")
        task.add_done_callback(lambda _: writer.close())
        task.add_done_callback(self._conversations.discard)
        self._conversations.add(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                target = self._target(head)
                writer.write(_page(200, HEARD) if target else _page(400, UNHEARD))
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):  # a timeout is an OSError
            return
        if target:
            self._came.put_nowait(f"http://{HOST}:{self._port}{target}")

    def _target(self, head: bytes) -> str | None:
        """Return what the browser asks for, where that is the answer we wait for."""
        method, _, rest = head.decode("latin-1").partition(" ")
        target = rest.partition(" ")[0]
        path, _, query = target.partition("?")  # not urlsplit: a stranger may send what is no address
        state = parse_qs(query).get("state", [""])[0]
        if method != "GET" or path != self._path or self._state is None:
            return None
        return target if hmac.compare_digest(state.encode(), self._state.encode()) else None


def _page(status: int, text: str) -> bytes:
    body = PAGE.format(text).encode()
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Bad Request'}",  # noqa: PLR2004 - HTTP's own number
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def show(address: str) -> None:
    """Open `address` in the browser of this machine, where it has one that does not take the terminal over."""
    if any(name in os.environ for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")) or sys.platform in ("darwin", "win32"):
        import webbrowser

        # not waited for: some return when their window is closed
        threading.Thread(target=webbrowser.open, args=(address,), name="show", daemon=True).start()
