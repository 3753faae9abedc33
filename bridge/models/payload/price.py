"""`price/{stream}/…`: a slot, the day as an array and as an even grid, and a glance at it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bridge.models.payload.base import Number, Payload, Rounded, Short
from bridge.models.price import Slot

LONGEST_SUMMARY = 1024  # bytes; a payload is shorter
LEAST_WANTED = ("limits", "cheapest", "peak", "best")  # in this order


class Price(Payload):
    """`price/{stream}/current` and `next`: one slot, where it stands in its local day, and what it means. Unknown is null."""

    start: datetime
    end: datetime
    value: Number  # major unit per kWh, tax included
    currency: str | None
    unit: str | None  # such as EUR/kWh
    level: str | None  # very_cheap, cheap, normal, expensive, very_expensive: the provider's, or else ours
    rating: str | None  # low, normal, high: against the 24 h before
    rank: int  # 1 is the cheapest known slot of its local day; equal prices share the lower rank
    rank_of: int  # how many slots are ranked
    percentile: Rounded  # how much of the day's known time is cheaper, %
    min: Number  # of its local day, like the two that follow
    max: Number
    mean: Rounded  # weighted by the slots' length
    trailing_mean: Rounded | None  # of the 24 h before the slot
    leading_mean: Rounded | None  # of the 24 h from its start
    difference: Rounded | None  # of the value from `trailing_mean`, %
    hour_mean: Rounded | None  # of the clock hour that it lies in
    trend: str | None  # strongly_falling, falling, stable, rising, strongly_rising: the next hours against now
    trend_change: datetime | None  # when another direction begins
    phase: str | None  # rising, falling, flat: the part of the day's curve
    period: str | None  # best, peak: the period that it lies in


class PriceSlot(TypedDict):
    """An element of `price/{stream}/slots`: exactly these keys."""

    start: datetime
    end: datetime
    value: Number  # major unit per kWh, tax included


class Columns(Payload):
    """`price/{stream}/columns`: `values[(now - start) / step]` is the price now."""

    start: int  # Unix time, s
    step: int  # s
    unit: str | None  # such as EUR/kWh
    values: tuple[Number | None, ...]  # major unit per kWh, tax included; null is unknown


class DayFigures(Payload):
    """The known slots of one local day."""

    start: datetime
    end: datetime
    min: Number
    min_at: datetime
    max: Number
    max_at: datetime
    mean: Rounded  # weighted by the slots' length
    median: Rounded
    complete: bool  # whether every moment of the day is known


class Summary(Payload):
    """`price/{stream}/summary`: a glance, under 1 KiB; the plain figures are today's, and what is unknown is null."""

    currency: str | None
    unit: str | None
    display_unit: str | None  # the minor unit, such as ct/kWh, where prices are spoken of in it
    display_factor: int  # what a value is multiplied with to be in `display_unit`
    min: Number | None
    max: Number | None
    mean: Rounded | None
    median: Rounded | None
    today: DayFigures | None
    tomorrow: DayFigures | None
    data_until: datetime | None  # the end of the known prices
    resolution: timedelta | None  # of the slots on the topics, ISO 8601
    source_resolution: timedelta | None  # of the provider's own prices
    trailing_mean: Rounded | None  # of the 24 h before the slot in force
    limits: tuple[Short, ...] | None  # the four prices between our levels
    volatility: str | None  # today's: low, moderate, high, very_high
    trend: str | None  # as in `current`
    cheapest: dict[str, datetime | None] | None  # when the cheapest 1h and 3h without interruption begin, from now on
    best: tuple[datetime, datetime] | None  # [start, end) of the best period now, or of the next
    peak: tuple[datetime, datetime] | None  # likewise

    def encoded(self) -> bytes:
        """Return the JSON object; where prices of many digits would make it too long, the least of it becomes null."""
        payload, short = super().encoded(), self
        for key in LEAST_WANTED:
            if len(payload) < LONGEST_SUMMARY:
                break
            short = short.model_copy(update={key: None})
            payload = short.model_dump_json().encode()
        return payload


class StretchPayload(Payload):
    """One span of a window that has several."""

    start: datetime
    end: datetime
    mean: Rounded


class WindowPayload(Payload):
    """`price/{stream}/window/{name}`: the window in force, or else the next one; `segments` where it may have several."""

    start: datetime
    end: datetime
    mean: Rounded  # major unit per kWh, over all of its segments
    segments: tuple[StretchPayload, ...] | None = None

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


_SLOTS: TypeAdapter[list[PriceSlot]] = TypeAdapter(list[PriceSlot])


def encoded_slots(slots: Sequence[Slot]) -> bytes:
    """Return the bare array that evcc reads."""
    return _SLOTS.dump_json([{"start": slot.start, "end": slot.end, "value": slot.value} for slot in slots])


def bare(value: Decimal) -> bytes:
    """Return the number alone, without an exponent: `0.2512`."""
    whole, _, fraction = format(value, "f").partition(".")
    fraction = fraction.rstrip("0")
    text = f"{whole}.{fraction}" if fraction else whole
    return b"0" if text == "-0" else text.encode()
