"""The answer to a command: JSON that any reader takes, whatever was found."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import pytest
from pydantic import BaseModel

from bridge.commands import answer
from bridge.errors import Malformed, RateLimited, Refused, TooMany
from tests.commands.office import failed, ok


class Colour(StrEnum):
    RED = "red"


class Found(BaseModel):
    at: datetime
    value: Decimal
    inner: tuple["Found", ...] = ()
    note: str | None = None


AT = datetime(2026, 6, 10, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        ("ø", "ø"),
        (10**30, 10**30),
        (Decimal("0.2512"), 0.2512),
        (Decimal("1E+2"), 100.0),
        (Decimal("1e400"), None),
        (float("nan"), None),
        (float("-inf"), None),
        (AT, "2026-06-10T10:05:00Z"),
        (date(2026, 6, 10), "2026-06-10"),
        (timedelta(minutes=15), "PT15M"),
        (Colour.RED, "red"),
        ({1: (Decimal(1), {2})}, {"1": [1.0, [2]]}),
        (Found(at=AT, value=Decimal("0.1"), inner=(Found(at=AT, value=Decimal(-1)),)), {
            "at": "2026-06-10T10:05:00Z",
            "value": 0.1,
            "inner": [{"at": "2026-06-10T10:05:00Z", "value": -1.0, "inner": [], "note": None}],
            "note": None,
        }),
    ],
)  # fmt: skip
def test_what_was_found_is_told_as_json_has_it(value: object, plain: object) -> None:
    assert answer.plain(value) == plain


def test_an_answer_is_compact_json_in_utf_8() -> None:
    assert answer.encoded(answer.ok("7", "home.ask", {"name": "Küche"}, timedelta(milliseconds=84))) == (
        '{"id":"7","status":"ok","operation":"home.ask","data":{"name":"Küche"},"duration_ms":84}'.encode()
    )


def test_half_a_letter_keeps_no_answer_back() -> None:
    assert json.loads(answer.encoded({"data": "a\ud800b"})) == {"data": "a?b"}


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    assert answer.ok(None, "home.ask", {}, -timedelta(seconds=5)) == ok({})


@pytest.mark.parametrize(("wait", "seconds"), [(None, None), (0, 1), (0.2, 1), (1, 1), (1.01, 2), (299.5, 300), (-5, 1)])
def test_retry_after_is_whole_seconds_rounded_up(wait: float | None, seconds: int | None) -> None:
    error = TooMany("no", retry_after=None if wait is None else timedelta(seconds=wait))
    assert answer.failed(None, "home.ask", error, timedelta(), str) == failed("rate_limited", "no", retry_after=seconds)


def test_the_provider_s_reasons_and_its_wait_are_told() -> None:
    error = Refused("the boost was refused", reasons=("BC_DEVICE_SUSPENDED", "BC_LOW"))
    assert answer.failed("7", "home.ask", error, timedelta(), str) == failed(
        "refused", "the boost was refused", "7", reasons=["BC_DEVICE_SUSPENDED", "BC_LOW"]
    )
    limited = RateLimited("wait", retry_after=timedelta(minutes=5))
    assert answer.failed("7", "home.ask", limited, timedelta(), str) == failed("rate_limited", "wait", "7", retry_after=300)


def test_message_and_reasons_are_made_fit_for_anybody_s_eyes() -> None:
    error = Malformed("the token sesame", reasons=("sesame", "other"))
    assert answer.failed(None, "home.ask", error, timedelta(), lambda text: text.replace("sesame", "***")) == failed(
        "unavailable", "the token ***", reasons=["***", "other"]
    )


def test_a_long_answer_has_a_short_one_for_a_broker_that_does_not_take_it() -> None:
    long = answer.ok("7", "home.prices", {"prices": "x" * 5000}, timedelta())
    payload = answer.encoded(long)
    short = json.loads(answer.instead(long, payload))
    text = f"the answer has {len(payload)} bytes, more than the broker takes: ask for less at once"
    told: dict[str, object] = {"code": "unavailable", "message": text, "retry_after": None, "reasons": []}
    assert short == {"id": "7", "status": "error", "operation": "home.prices", "error": told, "duration_ms": 0}
    assert answer.instead(long, b"{}") == b""
    assert json.loads(answer.instead(long, payload, is_write=True)) == {
        **long,
        "data": {},
    }  # what was done is not told as not done
