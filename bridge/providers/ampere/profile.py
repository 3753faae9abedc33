"""The profile: what is asked of ampere.cloud, and how its answers are read. Every name that is only inferred stands in that file.

The shipped one is read without a GraphQL library, as the tests have judged it; a user's own is judged when it is read.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path as File
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bridge.errors import Fault, Misconfigured
from bridge.faults import Origin, found_by
from bridge.providers.ampere.expression import Path
from bridge.topics import fold

SHIPPED = File(__file__).with_name("ampere.toml")

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


def read(file: File) -> Profile:
    """Return the profile in `file`. Raises Misconfigured, each fault with the file, the key there and the mend."""
    text = _text(file)
    try:
        profile = Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(file, f"is not TOML: {error}", "mend the line (https://toml.io)") from None
    except ValidationError as error:
        raise Misconfigured(list(found_by(error, "", Profile, Origin(file)))) from None
    faults = list(_faults(profile, str(file)))
    if not faults and text != SHIPPED.read_text("utf-8"):
        faults = list(_judged(profile, str(file)))
    if faults:
        raise Misconfigured(faults)
    return profile


def _text(file: File) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        mend = "give the path of a profile, or leave it out for the one that comes with kwh2mqtt"
        raise _unreadable(file, f"cannot be read ({error.strerror})", mend) from None
    except UnicodeDecodeError:
        raise _unreadable(file, "is not UTF-8 text", "save it as UTF-8") from None


def _unreadable(file: File, problem: str, mend: str) -> Misconfigured:
    return Misconfigured([Fault("", problem, mend, str(file))])


def _faults(profile: Profile, file: str) -> Iterator[Fault]:
    """Yield what can be told without reading a document."""
    for section, document in profile.documents().items():
        for name, word in document.variables.items():
            if word not in WORDS[section]:
                yield Fault(
                    f"{section}.variables.{name}",
                    f"{word} is none of our words",
                    f"use one of: {', '.join(WORDS[section])}",
                    file,
                )
        if (document.next is None) == document.told("after"):
            yield Fault(f"{section}.next", "and a variable that is told `after` belong together", "give both, or none", file)
    if (profile.companies is None) == profile.facilities.told("company"):
        mend = "add a section [companies], and tell a variable of [facilities] `company`; or leave both out"
        yield Fault("companies", "is there to tell [facilities] of which company they are", mend, file)
    if profile.poll.told("facility") == profile.poll.told("facilities"):
        yield Fault(
            "poll.variables", "must tell for which facility it asks", "tell a variable either facility or facilities", file
        )
    if profile.poll.told("facilities") and any(series.facility is None for series in profile.poll.series):
        yield Fault(
            "poll.series", "lacks facility, as one answer holds several", "say where a facility's id stands in `each`", file
        )


def _judged(profile: Profile, file: str) -> Iterator[Fault]:
    """Yield what is wrong with the documents themselves."""
    from bridge.transport.document import parsed

    for section, document in profile.documents().items():
        try:
            judged = parsed(document.document)
        except Misconfigured as error:
            yield from (Fault(f"{section}.document", fault.problem, fault.mend, file) for fault in error.faults)
            continue
        if judged.kind == "write":
            yield Fault(f"{section}.document", "is a mutation", "ask with a query; writes are for documents of your own", file)
        declared = {variable.name for variable in judged.variables}
        for name in document.variables.keys() - declared:
            mend = f"declare ${name} there, or take it out here"
            yield Fault(f"{section}.variables.{name}", "is no variable that the document declares", mend, file)
        for variable in judged.variables:
            if variable.required and variable.name not in document.variables:
                mend = f'say what it is told: {variable.name} = "{WORDS[section][0]}", or another of our words'
                yield Fault(f"{section}.variables.{variable.name}", "is missing, and the document wants it", mend, file)
