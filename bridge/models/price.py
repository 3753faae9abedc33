"""A price curve: what a kWh costs, slot by slot.

Slots are half-open and keyed by UTC instant: the second 02:15 of an autumn day is another slot than the first.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, model_validator

QUARTER_HOUR = timedelta(minutes=15)
HOUR = timedelta(hours=1)
BEYOND_REASON = 10**9  # no price of a kWh and no hour's energy is greater: it is a fault, and may be no JSON number
NOTHING = Decimal("1e-12")  # what is less is zero that went through binary fractions

Instant = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class Slot(NamedTuple):
    """A span of one price: `value` in the currency's major unit per kWh, tax included; negative is real."""

    start: Instant
    end: Instant
    value: Decimal
    level: str | None = None  # the provider's own judgement, in lower case; an open set


class Curve(BaseModel):
    """The known slots of one stream, in order and disjoint; what is unknown is a gap, never a zero."""

    model_config = ConfigDict(frozen=True)

    currency: str | None  # ISO 4217, None where the provider does not say
    slots: tuple[Slot, ...]
    source_resolution: timedelta = QUARTER_HOUR  # of the provider's own data, before any splitting

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(slot.end <= slot.start for slot in self.slots) or any(a.end > b.start for a, b in pairwise(self.slots)):
            raise ValueError("slots must be in order, disjoint and not empty")
        for slot in self.slots:
            sane(slot.value)
        return self

    @property
    def end(self) -> datetime | None:
        """The end of the last known slot, None of an empty curve."""
        return self.slots[-1].end if self.slots else None

    def at(self, moment: datetime) -> Slot | None:
        """Return the slot in force at `moment`, or None outside the curve."""
        index = bisect_right(self.slots, moment, key=_start) - 1
        return self.slots[index] if index >= 0 and moment < self.slots[index].end else None

    def after(self, slot: Slot) -> Slot | None:
        """Return the slot that begins where `slot` ends, or None where that is unknown."""
        return self.at(slot.end)

    def between(self, start: datetime, end: datetime) -> tuple[Slot, ...]:
        """Return the slots that begin in [start, end)."""
        return self.slots[bisect_left(self.slots, start, key=_start) : bisect_left(self.slots, end, key=_start)]

    def covers(self, start: datetime, end: datetime) -> bool:
        """Tell whether every moment of [start, end) is known."""
        first = self.at(start)
        if first is None:
            return False
        reach = first.end
        for slot in self.between(reach, end):
            if slot.start != reach:
                return False
            reach = slot.end
        return reach >= end

    def change_after(self, moment: datetime) -> datetime | None:
        """Return the first instant after `moment` at which the price in force changes, begins or ends."""
        index = bisect_right(self.slots, moment, key=_start)
        if index and moment < self.slots[index - 1].end:
            return self.slots[index - 1].end
        return self.slots[index].start if index < len(self.slots) else None

    def updated(self, newer: "Curve") -> "Curve":
        """Return this curve with `newer`'s slots in it; where they overlap, or differ in currency, the newer ones stand."""
        if newer.slots and newer.currency and self.currency and newer.currency != self.currency:
            return newer
        kept = [slot for slot in self.slots if not newer.overlaps(slot)]
        slots = tuple(sorted((*kept, *newer.slots), key=_start))
        currency = newer.currency or self.currency
        return Curve.model_construct(currency=currency, slots=slots, source_resolution=newer.source_resolution)

    def without(self, start: datetime, end: datetime) -> "Curve":
        """Return the curve without the slots that share a moment with [start, end)."""
        kept = tuple(slot for slot in self.slots if slot.end <= start or slot.start >= end)
        return self.model_copy(update={"slots": kept})

    def until(self, moment: datetime) -> "Curve":
        """Return the part of the curve that begins before `moment`."""
        return self.model_copy(update={"slots": tuple(slot for slot in self.slots if slot.start < moment)})

    def since(self, moment: datetime) -> "Curve":
        """Return the part of the curve that ends after `moment`."""
        return self.model_copy(update={"slots": tuple(slot for slot in self.slots if slot.end > moment)})

    def overlaps(self, slot: Slot) -> bool:
        """Tell whether any slot of the curve shares a moment with `slot`."""
        index = bisect_left(self.slots, slot.end, key=_start) - 1
        return index >= 0 and self.slots[index].end > slot.start


def sane(value: Decimal) -> Decimal:
    """Return `value`, 0 for the residue of one. Raises ValueError where it is beyond all reason."""
    if not value.is_finite() or abs(value) > BEYOND_REASON:
        raise ValueError("a number is beyond all reason")
    return value if abs(value) >= NOTHING else Decimal()


def split(slot: Slot, step: timedelta) -> Iterable[Slot]:
    """Yield `slot` cut into pieces of `step`, each at the same price."""
    start = slot.start
    while start < slot.end:
        yield slot._replace(start=start, end=min(start + step, slot.end))
        start += step


def _start(slot: Slot) -> datetime:
    return slot.start
