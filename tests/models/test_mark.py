"""A cursor brings back the place it was made of, and any other text is the client's mistake."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadRequest
from bridge.models.mark import Mark
from tests.support import utc

NOON = utc("2026-06-10T12:00")


@pytest.mark.parametrize("mark", [Mark(NOON), Mark(NOON, "import-2"), Mark(NOON, "gas", "volume")])
def test_a_cursor_brings_back_its_mark(mark: Mark) -> None:
    assert Mark.read(mark.cursor()) == mark
    assert mark.cursor().isascii()


def test_marks_are_in_the_order_of_pages() -> None:
    marks = [
        Mark(NOON),
        Mark(NOON, "export", "energy"),
        Mark(NOON, "import"),
        Mark(NOON, "import", "energy"),
        Mark(utc("2026-06-11T00:00")),
    ]
    assert all(first < second for first, second in pairwise(marks))


def test_the_two_hours_of_an_autumn_night_are_two_places() -> None:
    first, second = (datetime.fromisoformat(f"2026-10-25T02:00{offset}") for offset in ("+02:00", "+01:00"))
    assert [Mark.read(Mark(each).cursor()).start for each in (first, second)] == [first.astimezone(UTC), second.astimezone(UTC)]


@pytest.mark.parametrize(
    "text", ["", "?", "ä", "bm8=", "MjAyNi0wNi0xMFQxMjowMDowMAoK", "MDAwMS0wMS0wMVQwMDowMDowMCsxMjowMAoK", "Zm9vCgo=", "CgoK"]
)
def test_any_other_text_is_the_clients_mistake(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^after: this is no cursor"):
        Mark.read(text)


@given(st.text())
def test_no_text_is_anything_but_a_mark_or_a_mistake(text: str) -> None:
    try:
        Mark.read(text)
    except BadRequest:
        return
