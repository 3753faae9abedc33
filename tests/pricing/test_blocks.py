"""A word that holds for a moment gives way to its neighbours; what borders on the unknown does not."""

import pytest

from bridge.pricing.blocks import Block, blocks, smoothed

QUARTER = 900


def smooth(text: str, longest_s: int = QUARTER, gap_before: int | None = None) -> str:
    """Smooth a letter a quarter-hour, a blank being unknown."""
    starts = [index * QUARTER + (60 if gap_before is not None and index >= gap_before else 0) for index in range(len(text))]
    ends = [start + QUARTER for start in starts]
    words = [None if letter == " " else letter for letter in text]
    return "".join(word or " " for word in smoothed(words, starts, ends, longest_s))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a", "a"),
        ("aabaa", "aaaaa"),
        ("aabbaa", "aabbaa"),
        ("baaa", "baaa"),
        ("aaab", "aaab"),
        ("aabccc", "aacccc"),
        ("aaabcc", "aaaacc"),
        ("aabcc", "aaacc"),
        ("ababab", "aaaaab"),
        ("aa b aa", "aa b aa"),
        ("a b a", "a b a"),
    ],
)
def test_a_quarter_between_others_gives_way_to_the_longer_neighbour(text: str, expected: str) -> None:
    assert smooth(text) == expected


def test_a_longer_tolerance_takes_more() -> None:
    assert smooth("aaabbaaa", 2 * QUARTER) == "aaaaaaaa"


def test_without_tolerance_all_stays() -> None:
    assert smooth("abaca", 0) == "abaca"


def test_a_gap_parts_what_is_alike() -> None:
    assert smooth("aabaa", gap_before=3) == "aabaa"
    assert blocks(["a", "a", "a"], [0, 900, 2000], [900, 1800, 2900]) == [Block("a", 0, 2, 1800), Block("a", 2, 3, 900)]


def test_an_hour_is_longer_than_a_quarter() -> None:
    starts, ends = [0, 3600, 7200], [3600, 7200, 10_800]
    assert smoothed(["a", "b", "a"], starts, ends, QUARTER) == ("a", "b", "a")
