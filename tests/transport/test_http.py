"""HTTP to a provider: reads are retried, writes never, waits are obeyed in full, and every attempt is counted."""

import platform
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import httpx2
import pytest

from bridge import __version__
from bridge.errors import (
    BudgetSpent,
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from bridge.redact import Redactor
from bridge.simulator.faults import BANNED, PAGE
from bridge.simulator.server import Hangup, Request, Response, Server
from bridge.transport.answer import Answer, judged, retry_after
from bridge.transport.http import ATTEMPTS, LARGEST_ANSWER, Http
from tests.support import HandClock, utc
from tests.transport.asking import HTML, NOON, SECRET, TEXT, URL, Meter, Pieces, Setup, answering


@asynccontextmanager
async def served(handler: Callable[[Request], Response]) -> AsyncIterator[tuple[Setup, Server]]:
    """Yield an Http, and a real server on this machine."""

    async def handle(request: Request) -> Response:
        return handler(request)

    setup = Setup()
    async with Server(handle) as server:
        yield setup, server
        await setup.http.aclose()


def answer(status: int = 200, text: str = "{}", content_type: str = "application/json") -> Answer:
    return Answer(status, content_type, text)


# what goes out and comes back


async def test_a_request_says_who_asks_and_carries_json() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response(201, '{"näme": 0.1}'.encode())

    async with served(handle) as (setup, server):
        got = await setup.read(f"{server.url}/gql")
    assert got == Answer(201, "application/json; charset=utf-8", '{"näme": 0.1}')
    ((method, path, body),) = [(request.method, request.path, request.body) for request in seen]
    assert (method, path, body) == ("POST", "/gql", b'{"query": "{ a }"}')
    headers = {name: seen[0].headers[name] for name in ("user-agent", "accept", "content-type", "authorization")}
    assert headers == {
        "user-agent": f"kwh2mqtt/{__version__} (Python {platform.python_version()}; {platform.system()} {platform.machine()})",
        "accept": "application/json",
        "content-type": "application/json",
        "authorization": f"Bearer {SECRET}",
    }
    assert re.fullmatch(r"kwh2mqtt/\d+\.\d+\.\d+ \(Python [^;()]+; [^()]+\)", headers["user-agent"])


async def test_two_requests_share_one_connection() -> None:
    async with served(lambda _: Response(200, b"{}")) as (setup, server):
        for _ in range(2):
            await setup.read(f"{server.url}/gql")
        assert (len(server._conversations), len(setup.meter.spent)) == (1, 2)


async def test_a_read_without_body_carries_none() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response()

    async with served(handle) as (setup, server):
        await setup.http.read("GET", server.url, headers={})
    assert [(request.method, request.body, "content-type" in request.headers) for request in seen] == [("GET", b"", False)]


async def test_a_redirect_is_not_followed() -> None:
    paths: list[str] = []

    def handle(request: Request) -> Response:
        paths.append(request.path)
        return Response(302, b"", "text/plain", (("Location", "/elsewhere"),))

    async with served(handle) as (setup, server):
        got = await setup.read(f"{server.url}/gql")
    assert (got.status, paths) == (302, ["/gql"])
    with pytest.raises(Refused, match="answered 302"):
        judged(got, str)


async def test_closing_what_was_never_opened_is_nothing() -> None:
    await Setup().http.aclose()


# retries


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut"),
        httpx2.Response(502, content=PAGE, headers=HTML),
        httpx2.Response(503, text="busy"),
    ],
    ids=["refused", "slow", "cut", "502", "503"],
)
async def test_a_read_is_tried_again_until_it_succeeds(failure: httpx2.Response | Exception) -> None:
    async with answering(failure, failure, httpx2.Response(200, json={"a": 1})) as setup:
        got = await setup.read()
    assert (got.json(), len(setup.meter.spent)) == ({"a": 1}, 3)


async def test_a_read_is_given_up_after_three_attempts_each_counted() -> None:
    async with answering(httpx2.ConnectError("refused")) as setup:
        error = await setup.failed()
    assert (type(error), str(error)) == (Unreachable, "api.example.com cannot be reached: refused")
    assert len(setup.meter.spent) == ATTEMPTS == 3


async def test_the_waits_between_attempts_have_full_jitter() -> None:
    waits = []
    for _ in range(60):
        async with answering(httpx2.ConnectError("refused")) as setup:
            await setup.failed()
        waits.append([wait.total_seconds() for wait in setup.clock.waits])
    first, second = zip(*waits, strict=True)
    assert 0 <= min(first) < 0.15
    assert 0.35 < max(first) <= 0.5
    assert 0 <= min(second) < 0.3
    assert 0.7 < max(second) <= 1.0


async def test_a_spent_budget_ends_the_attempts() -> None:
    async with answering(httpx2.ConnectError("refused"), limit=2) as setup:
        error = await setup.failed()
    assert (type(error), error.retry_after, len(setup.meter.spent)) == (BudgetSpent, timedelta(seconds=7), 2)


async def test_with_a_spent_budget_nothing_is_sent() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response()

    async with served(handle) as (setup, server):
        setup.meter.limit = 0
        assert type(await setup.failed(server.url)) is BudgetSpent
    assert seen == []


@pytest.mark.parametrize("failure", [httpx2.ReadTimeout("slow"), httpx2.ConnectError("x"), httpx2.Response(502, text="x")])
async def test_a_write_is_sent_once_whatever_happens(failure: httpx2.Response | Exception) -> None:
    async with answering(failure) as setup:
        await setup.failed_once()
    assert (len(setup.meter.spent), setup.clock.waits) == (1, [])


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 422])
async def test_an_answer_that_would_be_the_same_again_is_returned_at_once(status: int) -> None:
    async with answering(httpx2.Response(status, text="no")) as setup:
        got = await setup.read()
    assert (got.status, got.text, len(setup.meter.spent)) == (status, "no", 1)


# what may come instead of an answer


async def test_an_answer_that_does_not_begin_is_timed_out() -> None:
    async with answering(httpx2.ReadTimeout("")) as setup:
        error = await setup.failed()
    assert (type(error), str(error)) == (TimedOut, "api.example.com did not answer in time (ReadTimeout)")


async def test_an_answer_that_does_not_end_is_timed_out() -> None:
    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise TimeoutError

    async with answering(*(httpx2.Response(200, stream=Endless()) for _ in range(ATTEMPTS))) as setup:
        error = await setup.failed()
    assert (type(error), str(error)) == (TimedOut, "api.example.com did not finish its answer in 60 s")


async def test_a_page_of_a_gateway_is_unreachable() -> None:
    async with answering(httpx2.Response(502, content=PAGE, headers=HTML)) as setup:
        error = await setup.failed()
    assert (type(error), str(error)) == (Unreachable, "api.example.com answered 502: a page of HTML, 502 Bad Gateway")


async def test_a_body_cut_short_is_unreachable() -> None:
    async with served(lambda _: Response(200, b'{"data": {}}', truncate_at=5)) as (setup, server):
        error = await setup.failed(server.url)
    assert (type(error), len(setup.meter.spent)) == (Unreachable, 3)


async def test_a_connection_closed_without_an_answer_is_unreachable() -> None:
    def handle(_: Request) -> Response:
        raise Hangup

    async with served(handle) as (setup, server):
        error = await setup.failed(server.url)
    assert (type(error), len(setup.meter.spent)) == (Unreachable, 3)


async def test_a_machine_that_refuses_the_connection_is_unreachable() -> None:
    async with served(lambda _: Response()) as (setup, server):
        address = server.url
    assert type(await Setup().failed(address)) is Unreachable
    assert setup.meter.spent == []


async def test_a_body_that_does_not_unpack_is_unreachable() -> None:
    answers = [httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=Pieces(b"no gzip")) for _ in range(ATTEMPTS)]
    async with answering(*answers) as setup:
        assert type(await setup.failed()) is Unreachable


async def test_too_large_an_answer_is_given_up() -> None:
    async with answering(httpx2.Response(200, stream=Pieces(*[bytes(2**20)] * (LARGEST_ANSWER // 2**20), b"x"))) as setup:
        error = await setup.failed()
    assert (type(error), str(error)) == (Malformed, "api.example.com answered with more than 64 MiB")
    assert len(setup.meter.spent) == 1


@pytest.mark.parametrize("charset", ["no-such-charset", "iso-8859-1"])
async def test_any_charset_is_read_as_well_as_can_be(charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    async with answering(httpx2.Response(200, content=b'{"a": "b"}', headers=headers)) as setup:
        assert (await setup.read()).json() == {"a": "b"}


@pytest.mark.parametrize("charset", ["hex", "base64", "rot13"])
async def test_a_charset_that_is_no_texts_is_no_obstacle(charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    async with answering(httpx2.Response(200, content=b'{"a": "b"}', headers=headers)) as setup:
        assert (await setup.read()).json() == {"a": "b"}


async def test_an_address_that_cannot_be_read_is_unreachable() -> None:
    async with answering(httpx2.Response(200)) as setup:
        assert type(await setup.failed("https://x\x01y/")) is Unreachable


async def test_a_token_that_no_header_can_carry_is_one_of_our_errors() -> None:
    async with answering(httpx2.Response(200)) as setup:
        with pytest.raises(SourceError):
            await setup.http.write("POST", URL, headers={"Authorization": "Bearer tökén"})


# waits


@pytest.mark.parametrize(
    ("header", "wait"),
    [("1", 1), ("120", 120), (" 30 ", 30), ("86400", 86400), (format_datetime(NOON + timedelta(minutes=5), usegmt=True), 300)],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_wait_that_the_provider_names_is_obeyed_in_full(header: str, wait: int, status: int) -> None:
    async with answering(httpx2.Response(status, content=BANNED, headers={**TEXT, "Retry-After": header})) as setup:
        error = await setup.failed()
    assert (type(error), error.retry_after) == (RateLimited, timedelta(seconds=wait))
    assert (setup.meter.pauses, len(setup.meter.spent)) == ([NOON + timedelta(seconds=wait)], 1)


@pytest.mark.parametrize("header", [None, "", "0", "-5", "soon", "1.5", "9" * 400, "Wed, 10 Jun 2026 11:59:59 GMT"])
async def test_without_a_usable_wait_a_429_means_ten_minutes_and_up_to_one_more(header: str | None) -> None:
    headers = TEXT if header is None else {**TEXT, "Retry-After": header}
    async with answering(httpx2.Response(429, content=BANNED, headers=headers)) as setup:
        error = await setup.failed()
    assert (type(error), str(error)) == (RateLimited, f"the provider answered 429: {BANNED.decode()}")
    assert error.retry_after is not None
    assert timedelta(minutes=10) < error.retry_after < timedelta(minutes=11)
    assert setup.meter.pauses == [NOON + error.retry_after]


def test_the_pause_is_the_providers_own_where_it_has_one() -> None:
    meter = Meter()
    http = Http(meter, HandClock(NOON), Redactor(), pause=timedelta(hours=2))
    with pytest.raises(RateLimited):
        http.pause("RATE_LIMIT_EXCEEDED")
    assert timedelta(hours=2) <= meter.pauses[0] - NOON <= timedelta(hours=2, minutes=1)


@pytest.mark.parametrize("header", ["9999999999999", "999999999999"])
async def test_a_wait_beyond_all_calendars_is_a_pause_too(header: str) -> None:
    async with answering(httpx2.Response(429, headers={"Retry-After": header})) as setup:
        assert (type(await setup.failed()), len(setup.meter.pauses)) == (RateLimited, 1)


def test_a_wait_leaves_room_for_those_who_add_to_it() -> None:
    wait = retry_after("Fri, 31 Dec 9999 23:59:59 GMT", NOON)
    assert wait is not None
    assert wait < datetime.max.replace(tzinfo=UTC) - NOON - timedelta(seconds=30)


@pytest.mark.parametrize("zone", [timedelta(hours=2), timedelta()])
def test_a_date_with_an_offset_is_the_same_instant(zone: timedelta) -> None:
    then = NOON + timedelta(minutes=5)
    header = format_datetime(then.astimezone(UTC) + zone).replace("+0000", f"+0{zone // timedelta(hours=1)}00")
    assert retry_after(header, NOON) == timedelta(minutes=5)


# judgement


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        (answer(401, "no", "text/plain"), Unauthenticated, "401: no"),
        (answer(403, "{}"), Unauthenticated, "403: {}"),
        (answer(403, "<html>", "text/html"), Unreachable, "the provider answered 403: a page of HTML"),
        (answer(404, "no"), NotFound, "the provider answered 404: no"),
        (answer(400, "bad"), Refused, "the provider answered 400: bad"),
        (answer(302, ""), Refused, "the provider answered 302: "),
        (answer(500, "{}"), Unreachable, "the provider answered 500: {}"),
    ],
)
def test_a_status_becomes_an_error_named_for_the_next_step(given: Answer, kind: type[SourceError], text: str) -> None:
    with pytest.raises(SourceError) as caught:
        judged(given, str)
    assert (type(caught.value), str(caught.value)) == (kind, text)


def test_a_success_is_returned() -> None:
    assert judged(answer(), str) == answer()


def test_a_fraction_is_read_to_its_last_digit() -> None:
    assert answer(text='{"a": [0.30000000000000004, 1, -1e-7]}').json() == {
        "a": [Decimal("0.30000000000000004"), 1, Decimal("-1e-7")]
    }


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "[" * 100_000, f'{{"a": {"9" * 5000}}}', "\ufeff{}"])
def test_what_is_no_json_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="the answer is not JSON"):
        answer(text=text).json()


def test_a_number_beyond_all_bounds_is_malformed() -> None:
    with pytest.raises(Malformed):
        answer(text="[1e9999999999999999999]").json()


# secrets


def echoing(before: str = "") -> list[httpx2.Response | Exception]:
    text = f"{before}{SECRET}"
    return [
        httpx2.Response(502, text=text, headers=TEXT),
        httpx2.Response(429, text=text, headers=TEXT),
        httpx2.Response(503, text=text, headers={"Retry-After": "9"}),
        httpx2.ConnectError(text),
    ]


@pytest.mark.parametrize("echo", echoing(), ids=["502", "429", "503", "network"])
async def test_no_error_repeats_a_secret(echo: httpx2.Response | Exception) -> None:
    async with answering(echo) as setup:
        error = await setup.failed()
    assert str(error).endswith("***")
    assert SECRET not in f"{error!r} {error.reasons}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_no_judgement_repeats_a_secret(status: int) -> None:
    with pytest.raises(SourceError) as caught:
        judged(answer(status, f"your token {SECRET}"), Redactor([SECRET]))
    assert SECRET not in f"{caught.value!r} {caught.value.reasons}"


@pytest.mark.parametrize("echo", echoing("x" * 100)[:3], ids=["502", "429", "503"])
async def test_no_error_repeats_a_part_of_a_secret(echo: httpx2.Response | Exception) -> None:
    async with answering(echo) as setup:
        assert SECRET[:10] not in str(await setup.failed())


def test_no_judgement_repeats_a_part_of_a_secret() -> None:
    with pytest.raises(SourceError) as caught:
        judged(answer(400, f"{'x' * 100}{SECRET}"), Redactor([SECRET]))
    assert SECRET[:10] not in str(caught.value)


async def test_the_usual_pause_doubles_up_to_an_hour_while_it_is_not_enough() -> None:
    clock = HandClock(utc("2026-06-10T10:00"))
    http = Http(Meter(), clock, Redactor(), pause=timedelta(minutes=5), chance=random.Random(1))
    waits = []
    for _ in range(6):
        with pytest.raises(RateLimited) as caught:
            http.pause("slow down")
        assert caught.value.retry_after is not None
        waits.append(int(caught.value.retry_after / timedelta(minutes=5)))
        clock.set(clock.now() + caught.value.retry_after + timedelta(seconds=20))
    assert waits == [1, 2, 4, 8, 12, 12]
    clock.set(clock.now() + timedelta(hours=2))
    with pytest.raises(RateLimited) as caught:
        http.pause("slow down")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after < timedelta(minutes=7)
