"""What a device may ask of a Sensorfact account, as models. Everything is a query: the provider documents nothing that writes."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.models.payload.base import Number, Second
from bridge.providers.base import Kind, Operation
from bridge.providers.sensorfact.values import LevelName, Text, WindowName, ZoneName


class Measurements(BaseModel):
    """One configured measurement; without a window, its own. A time without an offset is of `timezone`, else of the site's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Text  # the configured one, or as on the topics
    start: datetime | None = Field(default=None, alias="from")
    end: datetime | None = Field(default=None, alias="to")
    previous: WindowName | None = None  # such as 1d or 2w-now, by the site's calendar
    timezone: ZoneName | None = None  # that is sent to the provider; default: UTC
    aggregation: LevelName | None = None  # default: the configured one, or the finest that is allowed
    first: int = Field(default=100, ge=1, le=1000, strict=True)
    after: str | None = Field(default=None, max_length=1024)  # the `next` of the page before

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("from and to go together: give both or neither")
        if self.previous is not None and self.start is not None:
            raise ValueError("from and to, or previous: not both")
        return self


class Measured(BaseModel):
    """A value of one bucket [start, end), of which one end is null where nobody tells how long it is."""

    model_config = ConfigDict(frozen=True)

    site: str
    meter: str
    quantity: str
    value: Number
    unit: str
    start: Second | None
    end: Second | None
    resolution: timedelta | None
    aggregation: str | None  # mean, sum, p95, where known


class Readings(BaseModel):
    """Oldest first; `next` is where to go on, null at the end."""

    model_config = ConfigDict(frozen=True)

    readings: tuple[Measured, ...]
    next: str | None


OPERATIONS = {
    "measurements": Operation(Kind.QUERY, "what one measurement showed over a window of time", Measurements, Readings),
}
