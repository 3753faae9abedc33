"""A write over HTTP: sent once, and afterwards either not sent, or answered, or nobody knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest

from bridge.errors import BudgetSpent, OutcomeUnknown, RateLimited, SourceError, TimedOut, Unreachable
from bridge.simulator.faults import PAGE
from bridge.transport.http import LARGEST_ANSWER, NOT_SENT
from tests.transport.asking import HTML, NOON, URL, Pieces, Setup, answering

UNSURE = "; it may have been done all the same, so look before asking again"


@pytest.mark.parametrize(
    ("failure", "kind", "text"),
    [
        (httpx2.ConnectError("refused"), Unreachable, "api.example.com cannot be reached: refused"),
        (httpx2.ConnectTimeout(""), TimedOut, "api.example.com did not answer in time (ConnectTimeout)"),
        (httpx2.PoolTimeout(""), TimedOut, "api.example.com did not answer in time (PoolTimeout)"),
        (httpx2.ProxyError("no"), Unreachable, "api.example.com cannot be reached: no"),
        (httpx2.UnsupportedProtocol("no"), Unreachable, "api.example.com cannot be reached: no"),
        (httpx2.LocalProtocolError("no"), Unreachable, "api.example.com cannot be reached: no"),
    ],
)
async def test_a_write_that_was_not_sent_is_unreachable(failure: Exception, kind: type[SourceError], text: str) -> None:
    async with answering(failure) as setup:
        error = await setup.failed_once()
    assert (type(error), str(error)) == (kind, text)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (httpx2.ReadTimeout(""), "api.example.com did not answer in time (ReadTimeout)"),
        (httpx2.WriteTimeout(""), "api.example.com did not answer in time (WriteTimeout)"),
        (httpx2.ReadError("reset"), "api.example.com cannot be reached: reset"),
        (httpx2.WriteError("reset"), "api.example.com cannot be reached: reset"),
        (httpx2.CloseError("reset"), "api.example.com cannot be reached: reset"),
        (httpx2.RemoteProtocolError("cut"), "api.example.com cannot be reached: cut"),
        (httpx2.DecodingError("odd"), "api.example.com cannot be reached: odd"),
        (OSError("away"), "api.example.com cannot be reached: away"),
        (httpx2.Response(500, text="oops"), "api.example.com answered 500: oops"),
        (httpx2.Response(502, content=PAGE, headers=HTML), "api.example.com answered 502: a page of HTML, 502 Bad Gateway"),
        (httpx2.Response(504), "api.example.com answered 504: "),
    ],
)
async def test_of_a_write_that_may_have_arrived_nobody_knows(failure: httpx2.Response | Exception, text: str) -> None:
    async with answering(failure) as setup:
        error = await setup.failed_once()
    assert (type(error), str(error), error.retry_after) == (OutcomeUnknown, f"{text}{UNSURE}", None)


def failures(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(each for below in kind.__subclasses__() for each in failures(below))]


@pytest.mark.parametrize("failure", failures(httpx2.RequestError))
async def test_whatever_else_the_library_raises_leaves_the_outcome_unknown(failure: Callable[[str], Exception]) -> None:
    async with answering(failure("")) as setup:
        error = await setup.failed_once()
    assert isinstance(error, Unreachable if failure in NOT_SENT else OutcomeUnknown)


async def test_a_write_whose_answer_does_not_end_or_is_too_large_may_have_been_done() -> None:
    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise TimeoutError

    large = Pieces(*[bytes(2**20)] * (LARGEST_ANSWER // 2**20), b"x")
    for stream, headers in ((Endless(), {}), (large, {}), (Pieces(b"no gzip"), {"Content-Encoding": "gzip"})):
        async with answering(httpx2.Response(200, stream=stream, headers=headers)) as setup:
            assert type(await setup.failed_once()) is OutcomeUnknown


async def test_an_answer_of_a_server_in_trouble_is_judged_by_the_writer_where_it_is_json() -> None:
    async with answering(httpx2.Response(500, json={"errors": []})) as setup:
        got = await setup.http.write("POST", URL, headers={}, body={})
    assert (got.status, got.json()) == (500, {"errors": []})


@pytest.mark.parametrize("header", [{"Retry-After": "30"}, {}])
async def test_a_write_that_came_too_soon_was_not_taken(header: dict[str, str]) -> None:
    async with answering(httpx2.Response(429, text="no", headers=header)) as setup:
        error = await setup.failed_once()
    assert (type(error), str(error), len(setup.meter.pauses)) == (RateLimited, "the provider answered 429: no", 1)


async def test_a_server_in_trouble_that_names_a_wait_has_it_and_may_have_done_the_write() -> None:
    async with answering(httpx2.Response(503, text="busy", headers={"Retry-After": "30"})) as setup:
        error = await setup.failed_once()
    assert (type(error), str(error)) == (OutcomeUnknown, f"api.example.com answered 503: busy{UNSURE}")
    assert setup.meter.pauses == [NOON + timedelta(seconds=30)]


async def test_a_write_that_was_taken_asks_for_no_pause() -> None:
    async with answering(httpx2.Response(202, json={}, headers={"Retry-After": "30"})) as setup:
        await setup.http.write("POST", URL, headers={}, body={})
    assert setup.meter.pauses == []


async def test_with_a_spent_budget_no_write_is_sent() -> None:
    async with answering(httpx2.Response(200), limit=0) as setup:
        assert type(await setup.failed_once()) is BudgetSpent


async def test_a_read_never_says_that_its_outcome_is_unknown() -> None:
    for failure in (httpx2.ReadTimeout("slow"), httpx2.ReadError("cut"), httpx2.Response(500, text="no"), OSError("away")):
        async with answering(failure) as setup:
            assert isinstance(await setup.failed(), Unreachable)


@asynccontextmanager
async def raw(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Yield the address of a server that gives these answers, whatever it is asked, and hangs up; and what it was sent."""
    left, seen = list(answers), list[bytes]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            given = left.pop(0)
            seen.append(await reader.read(65536) if given else b"")
            writer.write(given)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("end", [1, 9, 30, len(WHOLE) - 2, len(WHOLE) - 1])
async def test_a_write_whose_answer_is_cut_off_may_have_been_done(end: int) -> None:
    async with raw(WHOLE[:end]) as (address, seen):
        setup = Setup()
        with pytest.raises(OutcomeUnknown):
            await setup.http.write("POST", f"http://{address}/", headers={}, body={"a": 1})
        await setup.http.aclose()
    assert b"".join(seen).endswith(b'{"a": 1}')


async def test_a_write_over_a_connection_that_ends_may_have_been_done() -> None:
    async with raw(WHOLE, b"\r\n") as (address, _):
        setup = Setup()
        got = await setup.http.write("POST", f"http://{address}/", headers={}, body={})
        with pytest.raises(OutcomeUnknown):
            await setup.http.write("POST", f"http://{address}/", headers={}, body={})
        await setup.http.aclose()
    assert (got.status, len(setup.meter.spent)) == (200, 2)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
async def test_a_write_whose_encryption_does_not_come_about_was_not_sent(answer: bytes) -> None:
    async with raw(answer) as (address, seen):
        setup = Setup()
        with pytest.raises(Unreachable):
            await setup.http.write("POST", f"https://{address}/", headers={}, body={"a": 1})
        await setup.http.aclose()
    assert b"POST" not in b"".join(seen)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-machine.invalid/", "https://x\x01y/", "ftp://x/"])
async def test_a_write_to_an_address_where_nobody_is_was_not_sent(url: str) -> None:
    setup = Setup()
    with pytest.raises(Unreachable):
        await setup.http.write("POST", url, headers={}, body={})
    await setup.http.aclose()
