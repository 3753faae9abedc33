"""`{site}/info`, `reading/…`, `account/…` and `live/…`: what a site is, what its meters say, and its account."""

from datetime import datetime, timedelta
from typing import NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from bridge.models.payload.base import Number, Payload, Rounded


class SiteInfo(Payload):
    """`{site}/info`; `personal` only where the user asked for it."""

    name: str  # the provider's name for it
    timezone: str  # such as Europe/Oslo
    currency: str | None  # ISO 4217
    price_area: str | None  # such as NO1
    streams: tuple[str, ...]  # import, export, gas
    standing_charges: dict[str, Number]  # stream → major unit per day, tax included
    tariffs: dict[str, str]  # stream → the provider's code of the tariff in force
    personal: dict[str, str] | None = None

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude={"personal"} if self.personal is None else None).encode()


class ReadingPayload(TypedDict):
    """`reading/{meter}/{quantity}`: `start` and `end` of a span, or `at`."""

    value: bool | float | str  # a number in `unit`; else a state or a name
    unit: NotRequired[str]  # such as kWh
    start: NotRequired[datetime]
    end: NotRequired[datetime]
    at: NotRequired[datetime]
    direction: NotRequired[str]  # import, export
    resolution: NotRequired[timedelta]  # how long a span the meter's values are of, ISO 8601
    aggregation: NotRequired[str]  # mean, sum, p95


class FigurePayload(Payload):
    """`account/{figure}`: money in the major unit of its `currency`, a credit positive; anything else in its `unit`."""

    value: Number
    currency: str | None = None  # left out where there is none, and so is `unit`
    unit: str | None = None
    at: datetime

    def encoded(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


class CostPayload(Payload):
    """`cost/{stream}/…`: what the energy of [start, end) cost, at `export` what it earned; money in the major unit."""

    value: Rounded  # `standing_charge` in it
    currency: str | None
    start: datetime
    end: datetime
    complete: bool  # whether no moment of it lacks a reading or a price
    energy: Rounded  # kWh
    standing_charge: Rounded | None  # of the days that are begun; null where the provider does not tell


class LivePayload(Payload):
    """`live/{quantity}`: what a meter showed at `at`."""

    value: Number  # power is negative while more is exported than imported
    unit: str  # such as W
    at: datetime
    age_s: int  # s, at the moment of publication


_READING: TypeAdapter[ReadingPayload] = TypeAdapter(ReadingPayload)


def encoded_reading(reading: ReadingPayload) -> bytes:
    return _READING.dump_json(reading)
