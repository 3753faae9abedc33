"""Figures over a handful of slots. Means are weighted by the slots' length, so that any mixture of lengths is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bridge.models.price import Slot

HALF = Decimal("0.5")


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
        least=min(slots, key=lambda slot: slot.value),
        greatest=max(slots, key=lambda slot: slot.value),
        mean=mean(slots),
        median=median(slots),
    )


def mean(slots: Sequence[Slot]) -> Decimal:
    """Return Σ(value · length) / Σ length. `slots` must not be empty."""
    lengths = [_seconds(slot) for slot in slots]
    return sum((slot.value * length for slot, length in zip(slots, lengths, strict=True)), Decimal()) / sum(lengths)


def median(slots: Sequence[Slot]) -> Decimal:
    """Return the price that half of the time lies below: the mean of the two middle ones where it falls between."""
    return quantile(slots, HALF)


def quantile(slots: Sequence[Slot], share: Decimal) -> Decimal:
    """Return the price that `share` of the time lies below, in (0, 1); the mean of two where it falls between them.

    `slots` must not be empty. For slots of one length it is the second of Hyndman and Fan's nine kinds (1996).
    """
    ordered = sorted(slots, key=lambda slot: slot.value)
    wanted = sum(map(_seconds, ordered)) * share
    passed = 0
    for index, slot in enumerate(ordered):
        passed += _seconds(slot)
        if passed > wanted:
            return slot.value
        if passed == wanted:
            return (slot.value + ordered[index + 1].value) / 2
    raise ValueError("no slots")


def _seconds(slot: Slot) -> int:
    length = slot.end - slot.start
    return length.days * 86_400 + length.seconds
