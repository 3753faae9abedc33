"""GraphQL over HTTP: partial data with errors by path, and every way in which no data comes."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from bridge.errors import (
    Denied,
    Failed,
    Malformed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SourceError,
    Unauthenticated,
    Unreachable,
)
from bridge.redact import Redactor
from bridge.transport.graphql import GraphQL, PathError, Result
from bridge.transport.http import Http
from tests.support import HandClock, utc

NOON = utc("2026-06-10T12:00:00")
SECRET = "planted-9f2c-0123456789-abcdefghij"
CODES: Mapping[str, type[SourceError]] = {"RATE_LIMIT_EXCEEDED": RateLimited, "HOME_NOT_FOUND": NotFound, "FORBIDDEN": Denied}
JSON, HTML, PLAIN = "application/json; charset=utf-8", "text/html", "text/plain"
PAGE = b"<html><title>\n Back soon </title>"


class Meter:
    def __init__(self) -> None:
        self.requests, self.pauses = 0, list[datetime]()

    def spend(self, moment: datetime) -> None:
        self.requests += 1

    def pause(self, until: datetime) -> None:
        self.pauses.append(until)


class EagerClock(HandClock):
    async def sleep_until(self, moment: datetime) -> None:
        self.set(moment)


@asynccontextmanager
async def endpoint(
    answer: object, status: int = 200, content_type: str = JSON, sent: list[Any] | None = None, meter: Meter | None = None
) -> AsyncIterator[GraphQL]:
    """Yield a GraphQL that is answered with `answer`: bytes as they are, anything else as JSON."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        if sent is not None:
            sent.append(json.loads(request.content))
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return httpx2.Response(status, content=body, headers={"Content-Type": content_type} if content_type else {})

    redact = Redactor([SECRET])
    http = Http(meter or Meter(), EagerClock(NOON), redact, transport=httpx2.MockTransport(handle))
    yield GraphQL(http, "https://api.example.com/gql", redact, codes=CODES, words={"invalid token": Unauthenticated})
    await http.aclose()


async def asked(answer: object, status: int = 200, content_type: str = JSON) -> Result:
    async with endpoint(answer, status, content_type) as graphql:
        return await graphql.query("{ a }", {}, {})


async def failed(answer: object, status: int = 200, content_type: str = JSON) -> tuple[type[SourceError], str]:
    with pytest.raises(SourceError) as caught:
        await asked(answer, status, content_type)
    return type(caught.value), str(caught.value)


def error(message: str = "no", code: str | None = None, path: Sequence[str | int] | None = None) -> dict[str, Any]:
    return {"message": message, **({"extensions": {"code": code}} if code else {}), **({"path": list(path)} if path else {})}


async def test_a_document_goes_out_with_its_variables_beside_it() -> None:
    sent: list[Any] = []
    async with endpoint({"data": {"a": 1}}, sent=sent) as graphql:
        await graphql.query("query($name: String!) { a(name: $name) }", {"name": '"quoted" {'}, {})
    assert sent == [{"query": "query($name: String!) { a(name: $name) }", "variables": {"name": '"quoted" {'}}]


async def test_data_comes_back() -> None:
    assert await asked({"data": {"viewer": {"homes": [None]}}}) == Result({"viewer": {"homes": [None]}})


async def test_partial_data_comes_back_with_its_errors_by_path() -> None:
    path = ("viewer", "homes", 0, "consumption")
    answer = {"data": {"viewer": {"homes": [{"consumption": None}]}}, "errors": [error("late", "INTERNAL_SERVER_ERROR", path)]}
    assert await asked(answer) == Result(
        {"viewer": {"homes": [{"consumption": None}]}},
        (PathError("late", "INTERNAL_SERVER_ERROR", ("viewer", "homes", 0, "consumption")),),
    )


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        (("viewer", "homes", 0, "prices"), True),
        (("viewer", "homes", 0, "prices", "today"), True),
        (("viewer", "homes"), True),
        ((), True),
        (("viewer", "homes", 1, "prices"), False),
        (("viewer", "homes", 0, "readings"), False),
    ],
)
def test_an_error_concerns_what_lies_above_and_below_it(path: tuple[str | int, ...], concerned: bool) -> None:  # noqa: FBT001
    found = PathError("late", None, path)
    assert Result({}, (found,)).error_at("viewer", "homes", 0, "prices") == (found if concerned else None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAUTHENTICATED", Unauthenticated),
        ("BAD_USER_INPUT", Refused),
        ("GRAPHQL_PARSE_FAILED", Refused),
        ("GRAPHQL_VALIDATION_FAILED", Refused),
        ("HOME_NOT_FOUND", NotFound),
        ("INTERNAL_SERVER_ERROR", Failed),
        ("SOMETHING_NEW", Failed),
    ],
)
@pytest.mark.parametrize("data", [{"data": None}, {}, {"data": {}}], ids=["null", "absent", "empty"])
async def test_without_data_the_code_names_the_error(data: dict[str, Any], code: str, kind: type[SourceError]) -> None:
    assert await failed({**data, "errors": [error("no", code)]}) == (kind, f"no ({code})")


async def test_an_error_without_a_code_may_pass() -> None:
    assert await failed({"data": None, "errors": [error("oops")]}) == (Failed, "oops")


async def test_of_several_errors_the_one_that_can_be_mended_is_told() -> None:
    answer = {"data": None, "errors": [error("oops"), error("invalid token", "UNAUTHENTICATED")]}
    assert await failed(answer) == (Unauthenticated, "invalid token (UNAUTHENTICATED)")


async def test_a_bad_token_is_told_even_beside_data() -> None:
    answer = {"data": {"viewer": None}, "errors": [error("invalid token", "UNAUTHENTICATED", ["viewer"])]}
    assert await failed(answer) == (Unauthenticated, "invalid token (UNAUTHENTICATED)")


async def test_a_missing_home_beside_data_is_left_to_the_asker() -> None:
    found = error("gone", "HOME_NOT_FOUND", ["viewer", "home"])
    got = await asked({"data": {"viewer": {"home": None}}, "errors": [found]})
    assert got.errors == (PathError("gone", "HOME_NOT_FOUND", ("viewer", "home")),)


async def test_a_rate_limit_told_by_code_is_a_pause() -> None:
    meter = Meter()
    async with endpoint({"data": None, "errors": [error("Too Many Requests", "RATE_LIMIT_EXCEEDED")]}, meter=meter) as graphql:
        with pytest.raises(RateLimited, match="Too Many Requests") as caught:
            await graphql.query("{ a }", {}, {})
    assert caught.value.retry_after is not None
    assert timedelta(minutes=10) <= caught.value.retry_after <= timedelta(minutes=11)
    assert meter.pauses == [NOON + caught.value.retry_after]


@pytest.mark.parametrize(
    ("status", "answer", "content_type", "kind", "text"),
    [
        (400, {"errors": [error("bad variable", "BAD_USER_INPUT")]}, JSON, Refused, "bad variable (BAD_USER_INPUT)"),
        (400, {"errors": [error("Syntax Error")]}, JSON, Refused, "the provider answered 400"),
        (400, b"Bad Request", PLAIN, Unreachable, "the provider answered 400: Bad Request"),
        (400, b'{"errors": [{"mess', JSON, Unreachable, "the provider answered 400: "),
        (400, {"errors": ["no"]}, JSON, Unreachable, "the provider answered 400: "),
        (404, {"detail": "Not found."}, JSON, Unreachable, "the provider answered 404: "),
        (404, {"errors": [error("gone", "HOME_NOT_FOUND")]}, JSON, NotFound, "gone (HOME_NOT_FOUND)"),
        (405, b"<html>", HTML, Unreachable, "the provider answered 405: a page of HTML"),
        (413, b"", "", Unreachable, "the provider answered 413: "),
        (401, {"message": "no"}, JSON, Unauthenticated, "401: "),
        (401, b"Unauthorized", "text/plain", Unauthenticated, "401: Unauthorized"),
        (403, {"message": "no"}, JSON, Unauthenticated, "403: "),
        (403, b"<html>", HTML, Unreachable, "the provider answered 403: a page of HTML"),
        (404, b"<html>", HTML, Unreachable, "the provider answered 404: a page of HTML"),
        (500, {"errors": [error("oops")]}, JSON, Unreachable, "the provider answered 500"),
        (502, b"<html>", HTML, Unreachable, "api.example.com answered 502: a page of HTML"),
        (200, PAGE, HTML, Unreachable, "expected JSON, got text/html: a page of HTML, Back soon"),
        (200, b"", "", Unreachable, "expected JSON, got nothing: "),
        (200, [1], JSON, Malformed, "the answer is not a JSON object: [1]"),
        (200, "text", JSON, Malformed, "the answer is not a JSON object"),
        (200, {}, JSON, Malformed, "the answer holds neither data nor errors: {}"),
        (200, {"data": None}, JSON, Malformed, "the answer holds neither data nor errors"),
        (200, {"data": None, "errors": []}, JSON, Malformed, "the answer holds neither data nor errors"),
        (200, {"data": [1]}, JSON, Malformed, "the answer holds neither data nor errors"),
        (200, b'{"data": {"a": NaN}}', JSON, Malformed, "the answer is not JSON (NaN is not a JSON number)"),
        (200, b'{"data": {"a": ', JSON, Malformed, "the answer is not JSON ("),
        (200, b"[" * 100_000, JSON, Malformed, "the answer is not JSON ("),
        (200, b'{"data":' * 100_000, JSON, Malformed, "the answer is not JSON ("),
    ],
)  # fmt: skip
async def test_where_no_data_comes_the_error_names_the_next_step(
    status: int, answer: object, content_type: str, kind: type[SourceError], text: str
) -> None:
    got, told = await failed(answer, status, content_type)
    assert (got, told[: len(text)]) == (kind, text)


async def test_a_bad_token_as_it_was_told_before_2025_is_told_as_such() -> None:
    kind, _ = await failed({"errors": [error("Context creation failed: invalid token")]}, 400)
    assert kind is Unauthenticated


@pytest.mark.parametrize("errors", [5, True, 1.5])
async def test_errors_that_are_no_list_are_malformed_or_passed_over(errors: object) -> None:
    with pytest.raises(Malformed):
        await asked({"errors": errors})


@pytest.mark.parametrize("entry", ["text", None, 5, [], {}, {"message": 5}, {"message": "x", "path": "a", "extensions": []}])
async def test_an_odd_error_beside_data_does_no_harm(entry: object) -> None:
    assert (await asked({"data": {"a": 1}, "errors": [entry]})).data == {"a": 1}


async def test_a_mutation_is_sent_once() -> None:
    meter = Meter()
    async with endpoint(b"<html>", 502, HTML, meter=meter) as graphql:
        with pytest.raises(OutcomeUnknown):
            await graphql.mutate("mutation { a }", {}, {})
    assert meter.requests == 1


NOTHING = {"a": None}
UNSURE = "; it may have been done all the same, so look before asking again"


async def mutated(answer: object, status: int = 200, content_type: str = JSON) -> Result:
    async with endpoint(answer, status, content_type) as graphql:
        return await graphql.mutate("mutation { a }", {}, {})


@pytest.mark.parametrize(
    ("status", "answer", "content_type", "text"),
    [
        (200, PAGE, HTML, "expected JSON, got text/html: a page of HTML, Back soon"),
        (200, b"", "", "expected JSON, got nothing: "),
        (403, b"<html>", HTML, "the provider answered 403: a page of HTML"),
        (502, b"<html>", HTML, "api.example.com answered 502: a page of HTML"),
        (500, {"errors": [error("oops")]}, JSON, 'the provider answered 500: {"errors": [{"message": "oops"}]}'),
        (500, {"data": {"a": 1}}, JSON, 'the provider answered 500: {"data": {"a": 1}}'),
        (200, [1], JSON, "the answer is not a JSON object: [1]"),
        (200, {}, JSON, "the answer holds neither data nor errors: {}"),
        (200, {"data": [1]}, JSON, 'the answer holds neither data nor errors: {"data": [1]}'),
        (200, b"[NaN]", JSON, "the answer is not JSON (NaN is not a JSON number): [NaN]"),
        (200, {"errors": [error("oops")]}, JSON, "oops"),
        (200, {"data": None, "errors": [error("oops", "SOMETHING_NEW")]}, JSON, "oops (SOMETHING_NEW)"),
    ],
)
async def test_after_an_answer_that_says_nothing_a_mutation_may_have_been_done(
    status: int, answer: object, content_type: str, text: str
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        await mutated(answer, status, content_type)
    assert str(caught.value) == f"{text}{UNSURE}"


@pytest.mark.parametrize(
    ("status", "answer", "kind", "text"),
    [
        (200, {"data": None, "errors": [error("no", "HOME_NOT_FOUND")]}, NotFound, "no (HOME_NOT_FOUND)"),
        (200, {"data": None, "errors": [error("no", "BAD_USER_INPUT")]}, Refused, "no (BAD_USER_INPUT)"),
        (200, {"data": NOTHING, "errors": [error("no", "UNAUTHENTICATED", ["a"])]}, Unauthenticated, "no (UNAUTHENTICATED)"),
        (200, {"data": NOTHING, "errors": [error("no", "RATE_LIMIT_EXCEEDED", ["a"])]}, RateLimited, "no (RATE_LIMIT_EXCEEDED)"),
        (400, {"errors": [error("no")]}, Refused, 'the provider answered 400: {"errors": [{"message": "no"}]}'),
        (401, {"message": "no"}, Unauthenticated, '401: {"message": "no"}'),
        (401, b"{", Unauthenticated, "401: {"),
        (429, {"message": "no"}, RateLimited, 'the provider answered 429: {"message": "no"}'),
    ],
)  # fmt: skip
async def test_a_mutation_that_was_refused_says_so(status: int, answer: object, kind: type[SourceError], text: str) -> None:
    with pytest.raises(SourceError) as caught:
        await mutated(answer, status)
    assert (type(caught.value), str(caught.value)) == (kind, text)


@pytest.mark.parametrize("code", ["RATE_LIMIT_EXCEEDED", "UNAUTHENTICATED"])
async def test_a_mutation_whose_confirmation_was_refused_may_have_been_done(code: str) -> None:
    with pytest.raises(OutcomeUnknown, match="no"):
        await mutated({"data": {"a": {"b": None}}, "errors": [error("no", code, ["a", "b"])]})


async def test_a_mutation_with_an_error_beside_its_data_may_have_been_done() -> None:
    with pytest.raises(OutcomeUnknown, match="gone"):
        await mutated({"data": {"a": {"b": None}}, "errors": [error("gone", "HOME_NOT_FOUND", ["a", "b"])]})


async def test_a_mutation_that_came_to_nothing_was_refused() -> None:
    with pytest.raises(NotFound, match="gone"):
        await mutated({"data": {"a": None}, "errors": [error("gone", "HOME_NOT_FOUND", ["a"])]})


async def test_a_server_that_errs_may_have_done_what_it_refuses() -> None:
    with pytest.raises(OutcomeUnknown, match="no"):
        await mutated({"errors": [error("no", "BAD_USER_INPUT")]}, 500)


async def test_a_mutation_that_cannot_be_sent_is_unreachable() -> None:
    redact = Redactor()
    graphql = GraphQL(http := Http(Meter(), EagerClock(NOON), redact), "http://127.0.0.1:1/gql", redact)
    with pytest.raises(Unreachable):
        await graphql.mutate("mutation { a }", {}, {})
    await http.aclose()


async def test_a_query_is_sent_again() -> None:
    meter = Meter()
    async with endpoint(b"<html>", 502, HTML, meter=meter) as graphql:
        with pytest.raises(Unreachable):
            await graphql.query("{ a }", {}, {})
    assert meter.requests == 3


@pytest.mark.parametrize(
    ("status", "answer", "content_type"),
    [
        (200, {"data": None, "errors": [error(f"token {SECRET}", f"CODE {SECRET}")]}, JSON),
        (200, [SECRET], JSON),
        (200, {SECRET: 1}, JSON),
        (200, f'{{"{SECRET}'.encode(), JSON),
        (200, f"<title>{SECRET}</title>".encode(), HTML),
        (400, {"errors": [error(SECRET, "BAD_USER_INPUT")]}, JSON),
        (400, {"errors": [error(SECRET)]}, JSON),
        (401, {"message": SECRET}, JSON),
        (403, SECRET.encode(), PLAIN),
        (429, {"errors": [error(SECRET, "RATE_LIMIT_EXCEEDED")]}, JSON),
        (500, {"errors": [error(SECRET, "RATE_LIMIT_EXCEEDED")]}, JSON),
    ],
)
async def test_no_error_repeats_a_secret(status: int, answer: object, content_type: str) -> None:
    with pytest.raises(SourceError) as caught:
        await asked(answer, status, content_type)
    assert SECRET not in f"{caught.value!r} {caught.value.reasons}"
    assert "***" in str(caught.value)


async def test_no_error_beside_data_repeats_a_secret() -> None:
    assert (await asked({"data": {"a": 1}, "errors": [error(f"token {SECRET}")]})).errors == (PathError("token ***", None, ()),)


@pytest.mark.parametrize(
    ("answer", "content_type"),
    [
        (["x" * 100, SECRET], JSON),
        ({"x" * 100: SECRET}, JSON),
        (f"{'x' * 100}{SECRET}".encode(), JSON),
        (f"{'x' * 100}{SECRET}".encode(), PLAIN),
        (f"<title>{'x' * 100}{SECRET}</title>".encode(), HTML),
    ],
)
async def test_no_error_repeats_a_part_of_a_secret(answer: object, content_type: str) -> None:
    _, told = await failed(answer, 200, content_type)
    assert SECRET[:10] not in told


@pytest.mark.parametrize("content_type", [JSON, PLAIN, HTML, ""])
@pytest.mark.parametrize("status", [200, 201, 203])
async def test_an_object_of_json_is_taken_as_one_whatever_it_is_called_and_with_any_success(
    status: int, content_type: str
) -> None:
    assert await asked({"data": {"a": 1}}, status, content_type) == Result({"a": 1})
    assert await failed({"errors": [error("gone", "HOME_NOT_FOUND")]}, status, content_type) == (
        NotFound,
        "gone (HOME_NOT_FOUND)",
    )


@pytest.mark.parametrize("content_type", [JSON, PLAIN, HTML, ""])
@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 418, 429, 500, 503])
@pytest.mark.parametrize(
    "answer",
    [
        b'{"data": {"token": "OPAQUE',
        b"<title>OPAQUE</title>",
        b"OPAQUE",
        {"OPAQUE": 1},
        ["OPAQUE"],
        {"data": None, "message": "OPAQUE"},
        {"errors": [error("OPAQUE")]},
        {"errors": [error("Invalid token OPAQUE")]},
        {"errors": "OPAQUE"},
    ],
)
async def test_of_a_secret_answer_no_error_quotes_a_word(answer: object, status: int, content_type: str) -> None:
    async with endpoint(answer, status, content_type) as graphql:
        with pytest.raises(SourceError) as caught:
            await graphql.query("{ a }", {}, {}, is_secret=True)
    assert "OPAQUE" not in f"{caught.value!r} {caught.value.reasons} {caught.value.__cause__!r}"


async def test_of_a_secret_answer_a_message_with_a_code_is_told_and_one_without_keeps_its_kind() -> None:
    for message, code, kind, told in (
        ("no", "HOME_NOT_FOUND", NotFound, "no (HOME_NOT_FOUND)"),
        ("An Invalid Token it was", None, Unauthenticated, "invalid token"),
        ("oops", None, Failed, "an error without a code"),
    ):
        async with endpoint({"data": None, "errors": [error(message, code)]}) as graphql:
            with pytest.raises(kind) as caught:
                await graphql.query("{ a }", {}, {}, is_secret=True)
        assert (type(caught.value), str(caught.value)) == (kind, told)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(403, "FORBIDDEN", Denied), (403, "OTHER", Unauthenticated), (401, "FORBIDDEN", Unauthenticated)],
)
async def test_a_403_that_says_by_its_code_that_the_credentials_are_good_is_no_wrong_key(
    status: int, code: str, kind: type[SourceError]
) -> None:
    assert (await failed({"errors": [error(code=code)], "data": None}, status))[0] is kind


async def test_an_answer_can_be_had_as_it_came_and_a_failure_is_told_all_the_same() -> None:
    async with endpoint(b'{"data": {"a": 1.50}}') as graphql:
        assert await graphql.text("{ a }", {}, {}) == '{"data": {"a": 1.50}}'
    async with endpoint({"errors": [error("off", "GRAPHQL_VALIDATION_FAILED")]}, 400) as graphql:
        with pytest.raises(Refused, match="off"):
            await graphql.text("{ a }", {}, {})
