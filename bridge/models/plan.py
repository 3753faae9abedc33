"""A plan that is kept for a client: what it asked for, and when the device is to run.

A site is meant by the provider's id, as its name on the topics may be set anew.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from bridge.models.price import Instant


class Segment(NamedTuple):
    """One span in which the device runs; `mean` is the price, weighted by length, or by the power where that changes."""

    start: Instant
    end: Instant
    mean: Decimal


class Wish(BaseModel):
    """How long a device is to run, when, and at which prices; every instant and length is settled."""

    model_config = ConfigDict(frozen=True)

    source: str
    site: str  # the provider's id
    stream: str
    duration: timedelta
    earliest: Instant
    latest: Instant
    contiguous: bool = True
    min_segment: timedelta = timedelta()
    max_price: Decimal | None = None  # major unit per kWh
    levels: tuple[str, ...] | None = None
    power: tuple[Decimal, ...] = ()  # kW, in equal parts of the duration
    energy_kwh: Decimal | None = None  # None where the power is unknown


class Plan(BaseModel):
    """A wish with the segments that were chosen for it: one or more, in order."""

    model_config = ConfigDict(frozen=True)

    client: str
    name: str
    asked: str  # the arguments as they came: the same again mean the same plan
    wish: Wish
    segments: Annotated[tuple[Segment, ...], Field(min_length=1)]
    at_once: Decimal | None  # the mean price of starting when it was asked for; None where that is not known
    currency: str | None
    data_until: Instant  # the end of the prices that were known when the segments were chosen
    finished: bool = False  # whether its end has been told

    @property
    def key(self) -> tuple[str, str]:
        return self.client, self.name

    @property
    def end(self) -> Instant:
        return self.segments[-1].end
