"""Pages of a list: by cursor or by `next`, a thousand items and more, and never a key to another host."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import (
    BudgetSpent,
    Failed,
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from bridge.providers.sensorfact.api import Api, fault, following, own
from bridge.providers.sensorfact.operations import Measured, Readings
from bridge.redact import Redactor
from bridge.simulator.sensorfact import KEY, Paging, SensorfactFault
from bridge.transport.answer import Answer
from bridge.transport.http import Http
from tests.providers.factory import LINE, Factory
from tests.support import Impatient, Uncounted, utc

NOON = utc("2026-06-10T12:04")
HERE = "https://api.example.com/v1/lines?previous=1d&cursor_after=old"
F = SensorfactFault
MANY = {**LINE, "window": "23h-now", "aggregation": "1m"}
COUNT, PAGES = 23 * 60 + 4, 14  # minutes that are over


def many(**more: Any) -> Factory:
    return Factory(NOON, (MANY,), **more)


async def items(factory: Factory) -> int:
    """Return how many minutes the list has, asked as a command does."""
    return len((await factory.ask(name="Line 1", first=1000)).readings)


# a list of more than a thousand items


@pytest.mark.parametrize("paging", Paging)
async def test_more_than_a_thousand_items_are_read_whole_whatever_way_they_are_paged(paging: Paging) -> None:
    factory = many(simulated={"paging": paging})
    found: list[Measured] = []
    page: Readings | None = None
    while page is None or page.next is not None:
        page = await factory.ask(name="Line 1", first=1000, after=page and page.next)
        found += page.readings
    assert len(factory.provider.requests) == 3 * PAGES  # our own pages, too, are three
    starts = [reading.start for reading in found if reading.quantity == "power"]
    assert starts == [utc("2026-06-09T13:00") + number * timedelta(minutes=1) for number in range(COUNT)]
    assert len(found) == 2 * COUNT


async def test_the_size_of_a_page_is_asked_for_where_it_is_configured() -> None:
    factory = many(given={"page_size_parameter": "limit", "page_size": 1000})
    await factory.poll()
    assert [asked.query.get("limit") for asked in factory.provider.requests] == ["1000", "1000"]


# pages that mislead


async def caught(factory: Factory) -> SourceError:
    with pytest.raises(SourceError) as raised:
        await factory.ask(name="Line 1")
    assert KEY not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("paging", Paging)
async def test_a_cursor_that_repeats_ends_in_an_error_and_not_in_a_loop(paging: Paging) -> None:
    factory = many(simulated={"paging": paging})
    factory.provider.faults.set(F.REPEATED_CURSOR)
    error = await caught(factory)
    assert isinstance(error, Malformed)
    assert str(error) == "the pages of Line 1 do not move on: after page 2 the cursor came twice"
    assert len(factory.provider.requests) == 2


@pytest.mark.parametrize("paging", Paging)
@pytest.mark.parametrize("before", [0, 2])
async def test_a_next_on_another_host_is_named_and_not_asked_for(paging: Paging, before: int) -> None:
    factory = many(simulated={"paging": paging})
    factory.provider.faults.next(*[None] * before, F.FOREIGN_NEXT)
    error = await caught(factory)
    assert isinstance(error, Malformed)
    assert "the next page is said to be at https://elsewhere.example, which is not http://127.0.0.1: it is not asked for" in str(
        error
    )
    assert str(error).startswith("page 3 of Line 1: ") is (before == 2)
    assert len(factory.provider.requests) == before + 1


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1/lines?a=1",
        "//elsewhere.example/v1/lines",
        "http://api.example.com/v1/lines",
        "https://api.example.com:8443/v1/lines",
        "https://api.example.com.elsewhere.example/v1",
        "https://api.example.com@elsewhere.example/v1",
        "https://user:pass@api.example.com/v1",
        "ftp://api.example.com/v1",
        "javascript:alert(1)",
        "https://elsewhere.example\\@api.example.com/",
        "https://[::1/v1",
        "https://api.example.com:99999/v1",
        "/v1/lines?a=1 b",
        "/v1/lines\n?a=1",
        "/\\elsewhere.example/",
        "x" * 9000,
    ],
)
def test_no_way_of_writing_a_next_leads_to_another_host(link: str) -> None:
    with pytest.raises(Malformed):
        following(HERE, {"next": link})
    with pytest.raises(Malformed):
        following(HERE, {"next": link, "cursors": {"after": "x" * (9000 if len(link) == 9000 else 1)}})


PIECES = [
    "https:",
    "http:",
    "/",
    "//",
    "\\",
    "@",
    ":",
    "443",
    "?",
    "#",
    "%2f",
    "%00",
    "api.example.com",
    "elsewhere.example",
    ".",
    "\t",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_whatever_a_next_says_the_request_goes_to_the_configured_host(link: str) -> None:
    try:
        url = httpx2.URL(own(HERE, link))
    except Malformed:
        return
    assert (url.scheme, url.host, url.port, url.userinfo) == ("https", "api.example.com", None, b"")


@pytest.mark.parametrize(
    ("link", "then"),
    [
        ("https://api.example.com/v2/other?token=abc&x=1", "https://api.example.com/v2/other?token=abc&x=1"),
        ("HTTPS://API.example.com:443/v1/lines?p=2", "https://api.example.com/v1/lines?p=2"),
        ("/v1/lines?p=2", "https://api.example.com/v1/lines?p=2"),
        ("?p=2", "https://api.example.com/v1/lines?p=2"),
        ("//api.example.com/v1?p=2", "https://api.example.com/v1?p=2"),
        ("url_to_fetch_next_page", "https://api.example.com/v1/url_to_fetch_next_page"),
    ],
)
def test_a_next_on_the_same_host_is_followed_as_it_stands(link: str, then: str) -> None:
    assert own(HERE, link) == then
    assert following(HERE, {"next": link}) == then


@pytest.mark.parametrize(
    "end", [None, {}, {"cursors": None}, {"cursors": {}}, {"cursors": {"after": None}}, {"next": None}, {"next": ""}]
)
def test_without_a_cursor_and_a_next_there_are_no_more_pages(end: Any) -> None:
    assert following(HERE, end) is None


@pytest.mark.parametrize("odd", [5, "text", [], {"next": 5}, {"cursors": {"after": {}}}, {"cursors": {"after": 1.5}}])
def test_what_cannot_be_read_is_no_end(odd: Any) -> None:
    with pytest.raises(Malformed):
        following(HERE, odd)


def test_a_cursor_takes_the_place_of_the_one_before_and_goes_before_a_next() -> None:
    then = "https://api.example.com/v1/lines?previous=1d&cursor_after=a%2Bb%3D"
    assert following(HERE, {"cursors": {"after": "a+b="}}) == then
    assert following(HERE, {"cursors": {"after": "a+b="}, "next": "/v1/other"}) == then


# a page that fails half-way


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        (F.BAD_GATEWAY, Unreachable, "page 3 of Line 1: 127.0.0.1 answered 502: a page of HTML, 502 Bad Gateway"),
        (F.DROP, Unreachable, "page 3 of Line 1: 127.0.0.1 cannot be reached"),
        (F.INTERNAL, Failed, "page 3 of Line 1: the provider answered 500: INTERNAL_ERROR: an error occurred on the server"),
        (F.TRUNCATED, Malformed, "page 3 of Line 1: the answer is not JSON"),
        (F.BAD_KEY, Unauthenticated, "page 3 of Line 1: the provider answered 403: UNAUTHORIZED: invalid or missing API key"),
        (F.INVALID, Refused, "page 3 of Line 1: the provider answered 400: INVALID_REQUEST_PARAMETERS"),
        (F.TOO_MANY, RateLimited, "page 3 of Line 1: the provider answered 429"),
        (F.HTML_200, Malformed, "page 3 of Line 1: the answer is not JSON"),
    ],
)
async def test_a_page_that_fails_half_way_says_which_one(kind: SensorfactFault, error: type[SourceError], said: str) -> None:
    factory = many()
    factory.provider.faults.next(None, None, *[kind] * 3)
    raised = await caught(factory)
    assert type(raised) is error
    assert str(raised).startswith(said), str(raised)


@pytest.mark.parametrize("kind", [F.TOO_MANY_RETRY_AFTER, F.INTERNAL, F.BAD_GATEWAY, F.DROP])
async def test_what_was_read_before_a_failure_is_not_asked_for_again(kind: SensorfactFault) -> None:
    factory = many()
    factory.provider.faults.next(*[None] * 5, *[kind] * (1 if kind in (F.TOO_MANY_RETRY_AFTER, F.INTERNAL) else 3))
    await caught(factory)
    factory.clock.set(factory.clock.now() + timedelta(seconds=61))
    factory.provider.requests.clear()
    assert await items(factory) == 1000
    assert len(factory.provider.requests) == 9  # 14 but for the five


async def test_cursors_are_not_kept_for_long_nor_used_after_a_refusal() -> None:
    for kind, wait in ((F.INTERNAL, timedelta(minutes=16)), (F.INVALID, timedelta(seconds=1))):
        factory = many()
        factory.provider.faults.next(None, None, kind)
        await caught(factory)
        factory.clock.set(factory.clock.now() + wait)
        factory.provider.requests.clear()
        await items(factory)
        assert "cursor_after" not in factory.provider.requests[0].query


async def test_the_last_one_that_is_allowed_in_the_middle_of_a_list_waits_and_loses_nothing() -> None:
    factory = many()
    factory.provider.faults.next(None, None, F.NONE_LEFT)
    error = await caught(factory)
    assert isinstance(error, BudgetSpent)
    assert error.retry_after is not None
    assert timedelta(seconds=290) <= error.retry_after <= timedelta(seconds=300)
    assert len(factory.provider.requests) == 3
    factory.clock.set(factory.clock.now() + error.retry_after)
    factory.provider.requests.clear()
    assert await items(factory) == 1000
    assert len(factory.provider.requests) == 11


# errors


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (F.BAD_KEY, Unauthenticated),
        (F.HTML_403, Unreachable),
        (F.INVALID, Refused),
        (F.NOT_FOUND, NotFound),
        (F.INTERNAL, Failed),
        (F.BAD_GATEWAY, Unreachable),
        (F.TOO_MANY, RateLimited),
        (F.TOO_MANY_BARE, RateLimited),
        (F.DROP, Unreachable),
    ],
)
async def test_an_error_of_the_provider_is_one_of_ours(kind: SensorfactFault, error: type[SourceError]) -> None:
    factory = many()
    factory.provider.faults.set(kind)
    assert type(await caught(factory)) is error


async def test_a_refusal_gives_the_providers_own_words() -> None:
    factory = many()
    factory.provider.faults.set(F.INVALID)
    assert (await caught(factory)).reasons == ("INVALID_REQUEST_PARAMETERS: the query parameters did not pass validation",)


@pytest.mark.parametrize(
    ("kind", "wait"), [(F.TOO_MANY_RETRY_AFTER, (60, 60)), (F.TOO_MANY, (300, 300)), (F.TOO_MANY_BARE, (300, 360))]
)
async def test_too_many_requests_wait_as_told_or_for_five_minutes(kind: SensorfactFault, wait: tuple[int, int]) -> None:
    factory = many()
    factory.provider.faults.set(kind)
    error = await caught(factory)
    assert error.retry_after is not None
    assert wait[0] <= error.retry_after.total_seconds() <= wait[1]
    assert len(factory.provider.requests) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"code": "A", "message": "b"}, ("A", "b")),
        ({"error": "A", "message": "b"}, ("A", "b")),
        ({"type": "A", "message": "b"}, ("A", "b")),
        ({"error": {"code": "A", "message": "b"}}, ("A", "b")),
        ({"error": {"type": "A"}, "message": "b"}, ("A", "b")),
        ({"errors": [{"code": "A", "message": "b"}, {"code": "C"}]}, ("A", "b")),
        ({"code": 403, "error": "A", "detail": "b"}, ("A", "b")),
        ({"message": "b"}, ("", "b")),
        ([], ("", "")),
        ("text", ("", "")),
        ({}, ("", "")),
    ],
)
def test_the_code_and_the_text_of_an_error_are_found_whatever_they_are_called(body: Any, said: tuple[str, str]) -> None:
    assert fault(Answer(400, "application/json", json.dumps(body))) == said


@pytest.mark.parametrize("body", [[], {}, {"data": None}, {"data": {}}, {"items": []}, 5])
async def test_an_answer_without_a_list_is_malformed(body: Any) -> None:
    api = hand_made(lambda _: httpx2.Response(200, json=body))
    with pytest.raises(Malformed, match="holds no list in data"):
        await api.all("lines", "/v1/lines", [], NOON)


def hand_made(answer: Any) -> Api:
    clock = Impatient(NOON)
    http = Http(Uncounted(), clock, Redactor([KEY]), transport=httpx2.MockTransport(answer))
    return Api(http, clock, Redactor([KEY]), "https://api.example.com", KEY)


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(302, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(Refused, match="answered 302"):
        await hand_made(answer).all("lines", "/v1/lines", [], NOON)
    assert asked == ["api.example.com"]


async def test_a_provider_that_repeats_the_key_shows_it_to_nobody() -> None:
    api = hand_made(lambda _: httpx2.Response(400, json={"code": "BAD", "message": f"what is {KEY}?"}))
    with pytest.raises(Refused) as raised:
        await api.all("lines", "/v1/lines", [], NOON)
    assert KEY not in f"{raised.value} {raised.value.reasons}"


async def test_a_provider_that_is_silent_is_given_up() -> None:
    def silent(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("nothing")

    with pytest.raises(TimedOut):
        await hand_made(silent).all("lines", "/v1/lines", [], NOON)
