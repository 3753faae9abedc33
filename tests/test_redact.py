"""Secrets leave every text, in whatever dress they come."""

import json
import logging
import sys
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.redact import MASK, RedactingFormatter, Redactor

SECRET = 'p/w "ö" +\\&\n\t9'


@pytest.mark.parametrize(
    "dressed",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        repr(SECRET)[1:-1],
    ],
    ids=["raw", "URL", "form", "JSON", "repr"],
)
def test_a_secret_is_masked_in_each_of_its_forms(dressed: str) -> None:
    assert Redactor([SECRET])(f"before {dressed} after") == f"before {MASK} after"


def test_a_secret_is_masked_inside_a_query_string() -> None:
    assert Redactor([SECRET])("https://example.com/?" + urlencode({"token": SECRET})) == f"https://example.com/?token={MASK}"


@pytest.mark.parametrize("dressed", [json.dumps(SECRET, ensure_ascii=False)[1:-1], quote(SECRET)], ids=["UTF-8 JSON", "path"])
def test_a_secret_is_masked_in_its_rarer_forms(dressed: str) -> None:
    assert Redactor([SECRET])(dressed) == MASK


def test_a_secret_that_contains_another_goes_as_a_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == f"{MASK} {MASK}"


def test_a_secret_that_is_too_short_is_left_alone() -> None:
    assert Redactor(["abc", ""])("abc of the alphabet") == "abc of the alphabet"


def test_without_secrets_nothing_changes() -> None:
    assert Redactor()("token=x") == "token=x"


@given(st.from_regex(r"[A-Za-z0-9_-]{4,}", fullmatch=True), st.text(), st.text())
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret])(f"{before}{secret}{after}")


def test_a_log_line_loses_its_secrets_in_message_arguments_and_traceback() -> None:
    formatter = RedactingFormatter(Redactor(["s3cret-token"]), "%(levelname)s %(message)s")
    try:
        raise ValueError("no use for s3cret-token")
    except ValueError:
        trouble = sys.exc_info()
    record = logging.LogRecord("bridge", logging.WARNING, __file__, 1, "sent %s", ("s3cret-token",), trouble)
    lines = formatter.format(record).splitlines()
    assert (lines[0], lines[-1]) == (f"WARNING sent {MASK}", f"ValueError: no use for {MASK}")
    assert "s3cret" not in formatter.format(record)


def test_a_log_line_loses_its_secrets_in_the_cause_of_an_error() -> None:
    formatter = RedactingFormatter(Redactor(["s3cret-token"]), "%(message)s")
    try:
        try:
            raise KeyError("s3cret-token")
        except KeyError as cause:
            raise ValueError("wrapped") from cause
    except ValueError:
        trouble = sys.exc_info()
    assert "s3cret" not in formatter.format(logging.LogRecord("bridge", logging.ERROR, __file__, 1, "x", (), trouble))
