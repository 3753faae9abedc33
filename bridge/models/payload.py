"""What stands on the topics: one model a shape, the JSON Schemas' only source.

Numbers are JSON numbers, never strings; instants are RFC 3339 in UTC with `Z`; what is unknown is null.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, NotRequired

from pydantic import BaseModel, ConfigDict, PlainSerializer, TypeAdapter
from typing_extensions import TypedDict

from bridge.models.price import Slot

SCHEMA_VERSION = 1

Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


Second = Annotated[datetime, PlainSerializer(lambda moment: moment.replace(microsecond=0), when_used="json")]


class Payload(BaseModel):
    """The base of every JSON object that is published."""

    model_config = ConfigDict(frozen=True)

    def encoded(self) -> bytes:
        return self.model_dump_json().encode()


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


class SiteInfo(Payload):
    """`{site}/info`; `personal` only where the user asked for it."""

    name: str
    timezone: str
    currency: str | None
    price_area: str | None
    streams: tuple[str, ...]
    standing_charges: dict[str, Number]
    personal: dict[str, str] | None = None

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude={"personal"} if self.personal is None else None).encode()


class ReadingPayload(TypedDict):
    """`reading/{meter}/{quantity}`: `start` and `end` of a span, or `at`."""

    value: Number
    unit: str
    start: NotRequired[datetime]
    end: NotRequired[datetime]
    at: NotRequired[datetime]
    direction: NotRequired[str]
    resolution: NotRequired[timedelta]
    aggregation: NotRequired[str]


class ErrorFigure(Payload):
    """Why something is not as it should be."""

    code: str
    message: str


class BudgetFigures(Payload):
    """The request budget of a source: `remaining` of `limit`, one more at `resets_at` (null: all are free)."""

    limit: int
    remaining: int
    resets_at: Second | None


class SourceHealth(Payload):
    """`{source}/health`."""

    last_success: Second | None
    last_attempt: Second | None
    next_poll: Second | None
    stale: bool
    error: ErrorFigure | None
    deprecations: tuple[str, ...]
    requests_today: int  # since midnight UTC
    budget: BudgetFigures


class SourceInfo(Payload):
    """A source, in `bridge/info`."""

    provider: str
    sites: tuple[str, ...]


class BridgeInfo(Payload):
    """`bridge/info`."""

    version: str
    schema_version: int
    sources: dict[str, SourceInfo]
    operations: dict[str, str]  # name → query or write


class SourceCounters(Payload):
    """What a source did since the start, in `bridge/health`."""

    polls: int
    failures: int
    requests_today: int
    stale: bool


class BridgeHealth(Payload):
    """`bridge/health`, every minute."""

    at: Second
    uptime_s: int
    memory_mib: float | None  # resident set, MiB
    loop_lag_ms: float  # the longest that the event loop kept a timer waiting in the last minute
    publish_queue: int  # messages waiting for the broker
    published: int  # messages the broker took since the start
    reconnects: int
    sources: dict[str, SourceCounters]


_SLOTS: TypeAdapter[list[PriceSlot]] = TypeAdapter(list[PriceSlot])
_READING: TypeAdapter[ReadingPayload] = TypeAdapter(ReadingPayload)


def encoded_slots(slots: Sequence[Slot]) -> bytes:
    """Return the bare array that evcc reads."""
    return _SLOTS.dump_json([{"start": slot.start, "end": slot.end, "value": slot.value} for slot in slots])


def encoded_reading(reading: ReadingPayload) -> bytes:
    return _READING.dump_json(reading)


def bare(value: Decimal) -> bytes:
    """Return the number alone, without an exponent: `0.2512`."""
    whole, _, fraction = format(value, "f").partition(".")
    fraction = fraction.rstrip("0")
    text = f"{whole}.{fraction}" if fraction else whole
    return b"0" if text == "-0" else text.encode()
