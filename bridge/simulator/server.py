"""A small HTTP/1.1 server on 127.0.0.1 for one handler.

It can misbehave when asked: cut a body short (`Response.truncate_at`) or close without an answer (`Hangup`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import h11

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_HEAD = 64 * 1024  # bytes of request line and headers
MAX_BODY = 1024 * 1024  # bytes kept; a longer body is answered with 413
MAX_DISCARDED = 64 * MAX_BODY  # bytes read past MAX_BODY so that the client can still read its 413
IDLE_S = 60.0  # patience with a silent client
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One request; header names are lower case, the path is without its query, which stands as it was sent in `query`."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: str = ""


@dataclass(frozen=True)
class Response:
    """One answer; with `truncate_at`, the whole length is announced and only that many bytes sent before closing."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    truncate_at: int | None = None


class Hangup(Exception):
    """Raised by a handler to close the connection without an answer."""


Handler = Callable[[Request], Awaitable[Response]]


class Server:
    """Answer with `handler` while the context is open; port 0 takes a free one. Leaving cancels what is under way."""

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self._handler = handler
        self._port = port
        self._listener: asyncio.Server | None = None
        self._closing = False
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The base address without a trailing slash; known once the context is entered."""
        return f"http://{HOST}:{self._port}"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accepted, HOST, self._port)
        self._port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        if self._listener is None:
            return
        self._listener.close()
        while tasks := tuple(self._conversations):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._conversations.difference_update(tasks)
        await self._listener.wait_closed()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing:
            writer.transport.abort()
            return
        task = asyncio.create_task(_Conversation(self._handler, reader, writer).run(), name="simulator connection")
        # A task cancelled before its first step runs none of its code, so this is not left to it.
        task.add_done_callback(lambda _: writer.close())
        task.add_done_callback(self._conversations.discard)
        self._conversations.add(task)


@dataclass
class _Conversation:
    handler: Handler
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    wire: h11.Connection = field(default_factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD))

    async def run(self) -> None:
        """Serve request after request until one side has had enough."""
        try:
            with suppress(ConnectionError, TimeoutError, Hangup):
                while await self._exchange():
                    self.wire.start_next_cycle()
            with suppress(ConnectionError):
                self.writer.close()
                await self.writer.wait_closed()
        except asyncio.CancelledError:
            self.writer.transport.abort()
            raise

    async def _exchange(self) -> bool:
        """Answer one request; True when another may follow."""
        try:
            head = await self._event()
            if not isinstance(head, h11.Request):
                return False
            body = await self._body()
        except h11.RemoteProtocolError as error:
            await self._send(Response(error.error_status_hint, str(error).encode(), "text/plain"), head_only=False)
            return False
        response = Response(413, b"Too large.", "text/plain") if body is None else await self._answer(head, body)
        await self._send(response, head_only=head.method == b"HEAD")
        return self.wire.our_state is h11.DONE and self.wire.their_state is h11.DONE

    async def _event(self) -> object:
        while (event := self.wire.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(IDLE_S):
                self.wire.receive_data(await self.reader.read(CHUNK))
        return event

    async def _body(self) -> bytes | None:
        """Return the body, or None when it is longer than MAX_BODY."""
        body = bytearray()
        length = 0
        while isinstance(event := await self._event(), h11.Data):
            length += len(event.data)
            if length > MAX_DISCARDED:
                raise Hangup
            if length <= MAX_BODY:
                body += event.data
        return bytes(body) if length <= MAX_BODY else None

    async def _answer(self, head: h11.Request, body: bytes) -> Response:
        headers: dict[str, str] = {}
        for name, value in ((name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        path, _, query = head.target.decode("ascii").partition("?")
        try:
            return await self.handler(Request(head.method.decode("ascii"), path, headers, body, query))
        except Hangup:
            raise
        except Exception:
            log.exception("the handler failed on %s %s; answering 500", head.method.decode("ascii"), path)
            return Response(500, b"Internal Server Error", "text/plain")

    async def _send(self, response: Response, *, head_only: bool) -> None:
        if self.wire.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        cut = response.truncate_at is not None and response.truncate_at < len(response.body)
        headers = [("content-type", response.content_type), ("content-length", str(len(response.body)))]
        self._write(h11.Response(status_code=response.status, headers=[*headers, *response.headers]))
        if not head_only:
            self._write(h11.Data(data=response.body[: response.truncate_at] if cut else response.body))
        if not cut:
            self._write(h11.EndOfMessage())
        async with asyncio.timeout(IDLE_S):
            await self.writer.drain()

    def _write(self, event: h11.Event) -> None:
        if sent := self.wire.send(event):
            self.writer.write(sent)
