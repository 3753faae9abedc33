"""The server keeps connections, bounds bodies, and leaves nothing behind."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from bridge.simulator.faults import Fault
from bridge.simulator.server import MAX_BODY, Handler, Hangup, Request, Response, Server
from bridge.simulator.tibber import PATH
from tests.simulator.conftest import HEADERS, Customer

Seen = list[Request]


def run(handler: Handler, talk: Callable[[Server], Awaitable[None]]) -> None:
    """Hold a conversation with a served handler, within ten seconds."""

    async def hold() -> None:
        async with asyncio.timeout(10), Server(handler) as server:
            await talk(server)

    asyncio.run(hold())


async def echo(request: Request) -> Response:
    return Response(body=json.dumps([request.method, request.path, request.body.decode()]).encode())


async def raw(server: Server, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(sent)
    received = await reader.read()
    writer.close()
    return received


def test_a_request_reaches_the_handler_and_its_answer_the_client() -> None:
    seen: Seen = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(201, b"made", "text/plain", (("X-Odd", "1"),))

    async def talk(server: Server) -> None:
        async with httpx2.AsyncClient() as client:
            response = await client.post(f"{server.url}/a?b=c", content=b"body", headers={"User-Agent": "me/1"})
        assert (response.status_code, response.text, response.headers["x-odd"]) == (201, "made", "1")

    run(handler, talk)
    [request] = seen
    assert (request.method, request.path, request.body) == ("POST", "/a", b"body")
    assert request.headers["user-agent"] == "me/1"


def test_a_connection_serves_many_requests() -> None:
    async def talk(server: Server) -> None:
        one = b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d"
        last = b"GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        received = await raw(server, one % (1, 1) + one % (2, 2) + last)
        assert received.count(b"HTTP/1.1 200") == 3
        assert received.index(b'["POST", "/1", "1"]') < received.index(b'["POST", "/2", "2"]')
        assert received.endswith(b'["GET", "/3", ""]')

    run(echo, talk)


def test_a_chunked_body_is_put_together() -> None:
    async def talk(server: Server) -> None:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert (await raw(server, head + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")).endswith(b'["POST", "/", "abc"]')

    run(echo, talk)


def test_a_head_request_gets_no_body() -> None:
    async def talk(server: Server) -> None:
        received = await raw(server, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert received.endswith(b"\r\n\r\n")

    run(echo, talk)


@pytest.mark.parametrize(("length", "status"), [(MAX_BODY, 200), (MAX_BODY + 1, 413)])
def test_a_body_is_bounded(length: int, status: int) -> None:
    async def handler(request: Request) -> Response:
        return Response(body=str(len(request.body)).encode())

    async def talk(server: Server) -> None:
        async with httpx2.AsyncClient() as client:
            assert (await client.post(server.url, content=b"x" * length)).status_code == status
            assert (await client.post(server.url, content=b"x")).text == "1"

    run(handler, talk)


def test_what_is_not_http_is_refused() -> None:
    async def talk(server: Server) -> None:
        assert (await raw(server, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")

    run(echo, talk)


def test_a_failing_handler_is_a_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_: Request) -> Response:
        raise LookupError("lost")

    async def talk(server: Server) -> None:
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"{server.url}/here")).status_code == 500

    with caplog.at_level(logging.ERROR, "bridge.simulator.server"):
        run(handler, talk)
    assert [record.getMessage() for record in caplog.records] == ["the handler failed on GET /here; answering 500"]
    caplog.clear()


def test_a_truncated_body_is_noticed() -> None:
    async def handler(_: Request) -> Response:
        return Response(body=b"0123456789", truncate_at=4)

    async def talk(server: Server) -> None:
        received = await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"content-length: 10" in received.lower()
        assert received.endswith(b"\r\n\r\n0123")
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get(server.url)

    run(handler, talk)


def test_a_hangup_answers_nothing() -> None:
    async def handler(_: Request) -> Response:
        raise Hangup

    async def talk(server: Server) -> None:
        assert await raw(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""

    run(handler, talk)


def test_leaving_cancels_a_hanging_handler_and_closes_idle_connections() -> None:
    cancelled = asyncio.Event()
    arrived = asyncio.Event()

    async def handler(request: Request) -> Response:
        if request.path == "/quick":
            return Response()
        arrived.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response()

    async def hold() -> float:
        async with httpx2.AsyncClient() as idle, httpx2.AsyncClient() as client:
            async with Server(handler) as server:
                await idle.get(f"{server.url}/quick")
                hanging = asyncio.create_task(client.get(f"{server.url}/slow"))
                await arrived.wait()
                begun = time.monotonic()
            took = time.monotonic() - begun
            with pytest.raises(httpx2.TransportError):
                await hanging
            with pytest.raises(httpx2.ConnectError):
                await idle.get(f"{server.url}/quick")
            return took

    assert asyncio.run(hold()) < 1
    assert cancelled.is_set()


def test_the_account_is_served(customer: Customer) -> None:
    async def talk(server: Server) -> None:
        async with httpx2.AsyncClient(headers=HEADERS) as client:
            query = {"query": "{ viewer { homes { appNickname } } }"}
            response = await client.post(server.url + PATH, json=query)
            assert response.json() == {"data": {"viewer": {"homes": [{"appNickname": "Holm Street"}, {"appNickname": "Cabin"}]}}}
            customer.tibber.faults.next(Fault.DROP)
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.post(server.url + PATH, json=query)
            customer.tibber.faults.next(Fault.TRUNCATED)
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.post(server.url + PATH, json=query)
            customer.tibber.faults.next(Fault.SLOW)
            with pytest.raises(httpx2.ReadTimeout):
                await client.post(server.url + PATH, json=query, timeout=0.1)
            assert (await client.post(server.url + PATH, json=query)).status_code == 200

    run(customer.tibber.handle, talk)
