"""The profile: what is asked of ampere.cloud, and how its answers are read. Every name that is only inferred stands in that file.

A part of it is a section of TOML; what an expression is applied to, and what it has to find, stands in `config/ampere.toml`.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.providers.ampere.expression import Path
from bridge.topics import fold

PAGING = ("first", "after")
SPAN = ("from", "to", "from_ms", "to_ms")
DAY = ("day_from", "day_to", "day_from_ms", "day_to_ms")
TYPES = ("reading_types", "analysis_types")
WORDS: Mapping[str, tuple[str, ...]] = {  # section → what its variables can be told
    "companies": PAGING,
    "facilities": ("company", *PAGING),
    "devices": ("facility", *PAGING),
    "poll": ("facility", "facilities", *TYPES, *SPAN, *DAY, *PAGING),
    "readings": ("facility", *TYPES, *SPAN, *PAGING),
    "analysis": ("facility", *TYPES, *SPAN, *PAGING),
}


def _level(name: str) -> str:
    if not name or fold(name) != name:
        raise ValueError("must be lower-case letters, digits and -")
    return name


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError) as error:
        raise ValueError("is not a known time zone") from error


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Quantity(Part):
    """What one type of the provider's is published as."""

    type: str
    quantity: Annotated[str, AfterValidator(_level)]
    of: Literal["readings", "analysis"] = "readings"
    unit: str | None = None
    factor: Decimal = Decimal(1)  # from the provider's unit to `unit`
    aggregation: str | None = None
    direction: Literal["import", "export"] | None = None
    resolution: timedelta | None = None


class Document(Part):
    """A GraphQL document with the variables that it takes: the document's name for it → our word."""

    document: str
    variables: dict[str, str] = Field(default_factory=dict)
    next: Path | None = None  # the cursor of the next page; nothing or false at the end

    def told(self, word: str) -> bool:
        return word in self.variables.values()


class Listing(Document):
    items: Path
    id: Path


class Facilities(Listing):
    name: Path
    timezone: Path | None = None
    currency: Path | None = None
    default_timezone: Annotated[str, AfterValidator(_zone)] = "UTC"


class ReadingTypes(Part):
    items: Path
    type: Path
    name: Path | None = None
    unit: Path | None = None


class Devices(Listing):
    name: Path
    type: Path | None = None
    reading_types: ReadingTypes | None = None


class Series(Part):
    """Where rows of measurements stand in an answer, and what of a row is what."""

    each: Path
    facility: Path | None = None
    meter: Path | None = None
    rows: Path
    meter_of_row: Path | None = None
    type: Path
    at: Path | None = None
    start: Path | None = None
    end: Path | None = None
    value: Path

    @model_validator(mode="after")
    def _a_time(self) -> Self:
        if (self.at is None) == (self.start is None) or (self.start is None) != (self.end is None):
            raise ValueError("give either at, or start and end")
        return self


class Measurements(Document):
    series: tuple[Series, ...]


class Poll(Measurements):
    window: timedelta = timedelta(hours=1)


class Profile(Part):
    """The whole file."""

    page_size: int = Field(default=100, ge=1)
    quantities: tuple[Quantity, ...]
    companies: Listing | None = None
    facilities: Facilities
    devices: Devices
    poll: Poll
    readings: Measurements | None = None
    analysis: Measurements | None = None

    def documents(self) -> Mapping[str, Document]:
        """Return every document by its section."""
        found = {name: getattr(self, name) for name in WORDS}
        return {name: document for name, document in found.items() if document is not None}

    def types(self, of: str, quantity: str | None = None) -> list[str]:
        """Return the provider's types of all quantities, or of one."""
        return [one.type for one in self.quantities if one.of == of and quantity in (None, one.quantity)]

    def quantity(self, type_: str) -> Quantity | None:
        return next((one for one in self.quantities if one.type == type_), None)
