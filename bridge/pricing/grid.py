"""A curve as an even grid, for a reader that can only index an array."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import gcd

from bridge.models.price import Slot


def step(slots: Sequence[Slot]) -> timedelta:
    """Return the longest step that every slot begins and ends on, counted from the first. `slots` must not be empty."""
    origin = slots[0].start
    marks = [moment - origin for slot in slots for moment in (slot.start, slot.end)]
    return timedelta(seconds=gcd(*(int(mark.total_seconds()) for mark in marks)))


def values(slots: Sequence[Slot], every: timedelta, until: datetime) -> tuple[Decimal | None, ...]:
    """Return the price of each step from the first slot to the later of the last one's end and `until`, None where unknown."""
    row: list[Decimal | None] = []
    for slot, following in pairwise((*slots, None)):
        assert slot is not None
        row += [slot.value] * ((slot.end - slot.start) // every)
        if following is not None:
            row += [None] * ((following.start - slot.end) // every)
    row += [None] * -((slots[-1].end - until) // every)  # rounded up; where the slots reach further it is none
    return tuple(row)


def resolution(slots: Sequence[Slot]) -> timedelta | None:
    """Return the slots' common length, or None where they differ or there are none."""
    lengths = {slot.end - slot.start for slot in slots}
    return lengths.pop() if len(lengths) == 1 else None
