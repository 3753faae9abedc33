"""What a request may carry besides JSON, and the limits that an answer tells in its headers."""

from contextlib import suppress
from datetime import timedelta

import httpx2
import pytest

from bridge.errors import Malformed, RateLimited
from bridge.redact import Redactor
from bridge.simulator.server import Request, Response, Server
from bridge.transport.answer import Answer
from bridge.transport.http import Form, Http, Upload
from tests.support import Impatient, Uncounted, utc

NOON = utc("2026-06-10T12:00")
RESET = {"RateLimit-Limit": "200", "RateLimit-Remaining": "0", "RateLimit-Reset": "42", "RateLimit-Policy": "200;w=300"}


class Limited:
    """An Http whose requests are all answered alike, and the meter that it counts with."""

    def __init__(self, status: int, headers: dict[str, str], *, heeds_rate_limits: bool = True) -> None:
        self.meter = Uncounted()
        transport = httpx2.MockTransport(lambda _: httpx2.Response(status, headers=headers, json={}))
        self.http = Http(
            self.meter, Impatient(NOON), Redactor(), heeds_rate_limits=heeds_rate_limits, transport=transport,
            pause=timedelta(minutes=10),
        )  # fmt: skip

    async def ask(self) -> dict[str, str]:
        return dict((await self.http.read("GET", "https://api.example.com/", headers={})).headers)


async def received(body: object) -> Request:
    seen: list[Request] = []

    async def handle(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"{}")

    async with Server(handle) as server:
        http = Http(Uncounted(), Impatient(NOON), Redactor())
        await http.write("POST", server.url, headers={"Authorization": "Bearer token"}, body=body)
        await http.aclose()
    (request,) = seen
    assert request.headers["authorization"] == "Bearer token"
    return request


async def test_a_form_goes_as_pages_send_them() -> None:
    request = await received(Form({"grant_type": "client_credentials", "client_secret": "a b&c=ü"}))
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"grant_type=client_credentials&client_secret=a+b%26c%3D%C3%BC"


async def test_an_upload_is_one_file_of_a_form() -> None:
    request = await received(Upload("kit.json", b'{"a": 1}', "application/json"))
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert request.body.split(b"\r\n") == [
        f"--{boundary}".encode(),
        b'Content-Disposition: form-data; name="file"; filename="kit.json"',
        b"Content-Type: application/json",
        b"",
        b'{"a": 1}',
        f"--{boundary}--".encode(),
        b"",
    ]


async def test_an_answer_that_says_that_none_is_left_holds_the_next_request_back() -> None:
    limited = Limited(200, RESET)
    assert (await limited.ask())["ratelimit-limit"] == "200"
    assert limited.meter.paused == [NOON + timedelta(seconds=42)]


async def test_a_refusal_for_too_many_waits_until_the_window_ends() -> None:
    limited = Limited(429, RESET)
    with pytest.raises(RateLimited) as caught:
        await limited.ask()
    assert caught.value.retry_after == timedelta(seconds=42)
    assert limited.meter.paused == [NOON + timedelta(seconds=42)]


async def test_retry_after_goes_before_the_windows_end() -> None:
    with pytest.raises(RateLimited) as caught:
        await Limited(429, {**RESET, "Retry-After": "60"}).ask()
    assert caught.value.retry_after == timedelta(seconds=60)


@pytest.mark.parametrize(
    "headers", [{**RESET, "RateLimit-Remaining": "1"}, {**RESET, "RateLimit-Reset": "soon"}, {"Retry-After": "9"}]
)
async def test_a_good_answer_with_requests_left_holds_nothing_back(headers: dict[str, str]) -> None:
    limited = Limited(200, headers)
    await limited.ask()
    assert limited.meter.paused == []


async def test_limits_in_headers_are_heeded_only_of_a_provider_that_means_them_so() -> None:
    limited = Limited(200, RESET, heeds_rate_limits=False)
    await limited.ask()
    assert limited.meter.paused == []


async def test_a_window_of_a_thousand_years_is_a_mistake_of_theirs() -> None:
    limited = Limited(200, {**RESET, "RateLimit-Reset": "31557600000"})
    await limited.ask()
    assert limited.meter.paused == [NOON + timedelta(days=7)]


async def test_a_number_longer_than_python_reads_says_nothing() -> None:
    limited = Limited(200, {**RESET, "RateLimit-Reset": "9" * 5000})
    await limited.ask()
    assert limited.meter.paused == []


@pytest.mark.parametrize("depth", [300, 600, 900, 5000, 200_000])
def test_what_is_nested_however_deep_is_read_or_malformed(depth: int) -> None:
    with suppress(Malformed):
        assert isinstance(Answer(200, "application/json", "[" * depth + '"\\ud800"' + "]" * depth).json(), list)
