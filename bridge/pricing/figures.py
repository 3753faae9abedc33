"""Figures over a handful of slots. Means are weighted by the slots' length, so that any mixture of lengths is right."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from operator import attrgetter

from bridge.models.price import Slot

HALF = Decimal("0.5")
_value = attrgetter("value")


@dataclass(frozen=True)
class Figures:
    """Least, greatest, mean and median price, and the slots where the first two are (the earliest of equals)."""

    least: Slot
    greatest: Slot
    mean: Decimal
    median: Decimal


def figures(slots: Sequence[Slot]) -> Figures | None:
    """Return the figures of `slots`, or None where there are none."""
    if not slots:
        return None
    return Figures(
        least=min(slots, key=_value),
        greatest=max(slots, key=_value),
        mean=mean(slots),
        median=median(slots),
    )


def mean(slots: Sequence[Slot]) -> Decimal:
    """Return Σ(value · length) / Σ length. `slots` must not be empty."""
    lengths = [_seconds(slot) for slot in slots]
    return sum((slot.value * length for slot, length in zip(slots, lengths, strict=True)), Decimal()) / sum(lengths)


def median(slots: Sequence[Slot]) -> Decimal:
    """Return the price that half of the time lies below: the mean of the two middle ones where it falls between."""
    return quantiles(slots, (HALF,))[0]


def quantiles(slots: Sequence[Slot], shares: Iterable[Decimal]) -> list[Decimal]:
    """Return the prices that `shares` of the time lie below, each in (0, 1); the mean of two where one falls between them.

    `slots` must not be empty. For slots of one length it is the second of Hyndman and Fan's nine kinds (1996).
    """
    ordered = sorted(slots, key=_value)
    passed = list(accumulate(map(_seconds, ordered)))
    return [_quantile(ordered, passed, share * passed[-1]) for share in shares]


def _quantile(ordered: Sequence[Slot], passed: Sequence[int], wanted: Decimal) -> Decimal:
    index = bisect_left(passed, wanted)
    value = ordered[index].value
    return (value + ordered[index + 1].value) / 2 if passed[index] == wanted else value


def _seconds(slot: Slot) -> int:
    length = slot.end - slot.start
    return length.days * 86_400 + length.seconds
