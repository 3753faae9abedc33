"""What a device may ask of an ampere.cloud account, as models: arguments in, what the provider knows out.

A facility goes by the provider's id or by the name of its site; writes are for documents of the user's own.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bridge.models.payload.base import Number
from bridge.models.price import Instant
from bridge.providers.base import Kind, Operation

LONGEST_SPAN = timedelta(days=366)


class Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Arguments):
    """No arguments."""


class OfFacility(Arguments):
    facility: str = Field(min_length=1, max_length=200)


class Analysis(OfFacility):
    quantity: str | None = Field(default=None, max_length=200)  # default: all that the profile has
    start: Instant | None = Field(default=None, alias="from")  # default: the start of the local day
    end: Instant | None = Field(default=None, alias="to")  # default: now
    first: int = Field(default=100, ge=1, le=1000)

    @model_validator(mode="after")
    def _a_span(self) -> Self:
        if self.start is not None and self.end is not None and not timedelta() < self.end - self.start <= LONGEST_SPAN:
            raise ValueError(f"to must lie after from, by no more than {LONGEST_SPAN.days} days")
        return self


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Facility(Result):
    facility: str  # the provider's id
    site: str
    name: str
    timezone: str
    currency: str | None


class Facilities(Result):
    facilities: tuple[Facility, ...]


class Device(Result):
    device_id: str
    name: str
    type: str | None


class Devices(Result):
    devices: tuple[Device, ...]


class ReadingType(Result):
    device_id: str
    type: str  # the provider's word
    name: str | None
    unit: str | None  # as the provider has it
    quantity: str | None  # what it is published as; None where it is not


class ReadingTypes(Result):
    reading_types: tuple[ReadingType, ...]


class Figure(Result):
    site: str
    device_id: str | None  # None: the facility itself
    quantity: str
    value: Number | bool | str
    unit: str | None
    start: Instant | None
    end: Instant | None
    at: Instant | None


class Figures(Result):
    analysis: tuple[Figure, ...]


OPERATIONS: Mapping[str, Operation] = {
    "facilities": Operation(Kind.QUERY, "the facilities of all companies, asked for anew", Nothing, Facilities),
    "devices": Operation(Kind.QUERY, "the devices of a facility", OfFacility, Devices),
    "reading_types": Operation(Kind.QUERY, "what each device of a facility can be asked for", OfFacility, ReadingTypes),
    "analysis": Operation(Kind.QUERY, "interpreted figures of a facility, such as self-consumption", Analysis, Figures),
}
