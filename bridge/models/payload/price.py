"""`price/{stream}/…`: a slot, the day as an array and as an even grid, and a glance at it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bridge.models.payload.base import Number, Payload
from bridge.models.price import Slot


class Price(Payload):
    """`price/{stream}/current` and `next`: one slot and where it stands in its local day."""

    start: datetime
    end: datetime
    value: Number  # major unit per kWh, tax included
    currency: str | None
    unit: str | None  # such as EUR/kWh
    level: str | None  # very_cheap, cheap, normal, expensive, very_expensive
    rating: str | None  # low, normal, high
    rank: int  # 1 is the cheapest known slot of its local day; equal prices share the lower rank
    rank_of: int  # how many slots are ranked
    min: Number  # of its local day, like the two that follow
    max: Number
    mean: Number  # weighted by the slots' length


class PriceSlot(TypedDict):
    """An element of `price/{stream}/slots`: exactly these keys."""

    start: datetime
    end: datetime
    value: Number


class Columns(Payload):
    """`price/{stream}/columns`: `values[(now - start) / step]` is the price now."""

    start: int  # Unix time, s
    step: int  # s
    unit: str | None
    values: tuple[Number | None, ...]


class DayFigures(Payload):
    """The known slots of one local day."""

    start: datetime
    end: datetime
    min: Number
    min_at: datetime
    max: Number
    max_at: datetime
    mean: Number
    median: Number
    complete: bool  # whether every moment of the day is known


class Summary(Payload):
    """`price/{stream}/summary`: a glance, under 1 KiB; the plain figures are today's."""

    currency: str | None
    unit: str | None
    display_unit: str | None  # the minor unit, such as ct/kWh, where prices are spoken of in it
    display_factor: int  # what a value is multiplied with to be in `display_unit`
    min: Number | None
    max: Number | None
    mean: Number | None
    median: Number | None
    today: DayFigures | None
    tomorrow: DayFigures | None
    data_until: datetime | None
    resolution: timedelta | None  # of the slots on the topics, ISO 8601
    source_resolution: timedelta | None  # of the provider's own prices


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
