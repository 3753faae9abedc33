"""Words side by side: one that holds for a moment only gives way to its neighbours, so that a device is not switched for it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Block(NamedTuple):
    """Slots [first, end) by their index, which touch each other and bear one word; `seconds` is their length."""

    word: str | None
    first: int
    end: int
    seconds: int


def blocks(words: Sequence[str | None], starts: Sequence[int], ends: Sequence[int]) -> list[Block]:
    """Return the blocks of equal words; a gap between two slots ends a block."""
    found: list[Block] = []
    first = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or words[index] != words[first] or starts[index] != ends[index - 1]:
            found.append(Block(words[first], first, index, ends[index - 1] - starts[first]))
            first = index
    return found


def smoothed(words: Sequence[str | None], starts: Sequence[int], ends: Sequence[int], longest_s: int) -> tuple[str | None, ...]:
    """Return `words`, those that hold no longer than `longest_s` replaced by the word of the longer neighbour.

    Of two equally long ones it is the earlier. What borders on the unknown stays.
    """
    row = blocks(words, starts, ends)
    kept: list[Block] = []
    for index, block in enumerate(row):
        before = kept[-1] if kept and _touch(kept[-1], block, starts, ends) else None
        after = row[index + 1] if index + 1 < len(row) and _touch(block, row[index + 1], starts, ends) else None
        if before and before.word == block.word:
            kept[-1] = _joined(before, block)
        elif before and after and block.seconds <= longest_s and None not in (before.word, block.word, after.word):
            if before.seconds >= after.seconds:
                kept[-1] = _joined(before, block)
            else:
                row[index + 1] = _joined(block, after)._replace(word=after.word)
        else:
            kept.append(block)
    return tuple(_words(kept))


def _touch(one: Block, other: Block, starts: Sequence[int], ends: Sequence[int]) -> bool:
    return ends[one.end - 1] == starts[other.first]


def _joined(one: Block, other: Block) -> Block:
    return one._replace(end=other.end, seconds=one.seconds + other.seconds)


def _words(row: Iterable[Block]) -> Iterable[str | None]:
    for block in row:
        yield from [block.word] * (block.end - block.first)
