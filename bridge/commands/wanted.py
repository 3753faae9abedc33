"""What a device may ask `cheapest` and `plan` for. A time on the local clock and a missing end are settled in `wish.py`."""

import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from bridge.commands.generic import Arguments
from bridge.topics import is_publishable

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LONGEST = timedelta(days=7)  # no prices are known for longer
MOST_PARTS = 48  # of a power
LARGEST = 10**6  # kW and kWh: no home has more, and no sum overflows
LONGEST_NAME = 64  # bytes
MOST_LEVELS, LONGEST_LEVEL = 16, 64  # which of them there are is for the provider to say
CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
LENGTH: TypeAdapter[timedelta] = TypeAdapter(timedelta)


def _length(value: object) -> timedelta:
    try:
        length = LENGTH.validate_python(value) if isinstance(value, str) and value.startswith("P") else timedelta()
    except ValidationError:
        length = timedelta()
    if not MINUTE <= length <= LONGEST or length % SECOND:
        raise ValueError('must be a duration such as "PT3H" or "PT1H30M", of a minute to seven days')
    return length


def _time(value: object) -> datetime | time:
    text = value if isinstance(value, str) else ""
    try:
        if CLOCK.fullmatch(text):
            return time.fromisoformat(text)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter where UTC has no such year
        pass
    raise ValueError('must be an instant such as "2026-11-21T07:00:00+01:00", or a time on the local clock such as "07:00"')


def _power(value: object) -> tuple[Decimal, ...]:
    if value is None:
        return ()
    parts = value if isinstance(value, list) else [value]
    numbers = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part <= LARGEST]
    if len(numbers) < len(parts) or not 0 < len(parts) <= MOST_PARTS or not any(numbers):
        raise ValueError(f"must be a positive number of kW, or a list of up to {MOST_PARTS} for equal parts of the duration")
    return tuple(Decimal(str(number)) for number in numbers)


def _name(text: str) -> str:
    if "/" in text or len(text.encode("utf-8", "replace")) > LONGEST_NAME or not is_publishable(text):
        raise ValueError(f"must be one level of a topic, of up to {LONGEST_NAME} bytes")
    return text


def _levels(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    words = value if isinstance(value, list | tuple) else []
    if not 0 < len(words) <= MOST_LEVELS or not all(isinstance(word, str) and _is_level(word) for word in words):
        raise ValueError('must be a list of levels such as ["very_cheap", "cheap"], in lower case')
    return tuple(sorted(set(words)))


def _is_level(word: str) -> bool:
    return 0 < len(word) <= LONGEST_LEVEL and word == word.lower()


def told(length: timedelta) -> str:
    """Return `length` as ISO 8601 has it."""
    text: str = LENGTH.dump_python(length, mode="json")
    return text


def rounded_up(length: timedelta, step: timedelta) -> timedelta:
    return -(-length // step) * step


Length = Annotated[timedelta, BeforeValidator(_length)]
Hours = Annotated[str, StringConstraints(pattern=f"^{CLOCK.pattern}$")]
Time = Annotated[datetime | time, BeforeValidator(_time, json_schema_input_type=datetime | Hours)]
Kilowatts = Annotated[float, Field(ge=0, le=LARGEST)]
Parts = Annotated[list[Kilowatts], Field(min_length=1, max_length=MOST_PARTS)]
Power = Annotated[tuple[Decimal, ...], BeforeValidator(_power, json_schema_input_type=Kilowatts | Parts | None)]
Name = Annotated[str, AfterValidator(_name)]
Level = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_LEVEL)]
Listed = Annotated[list[Level], Field(min_length=1, max_length=MOST_LEVELS)]
Levels = Annotated[tuple[str, ...] | None, BeforeValidator(_levels, json_schema_input_type=Listed | None)]


class CheapestArguments(Arguments):
    """When to run, and for how long: `duration`, or `energy_kwh` with `power_kw`."""

    source: str  # its name
    site: str | None = None  # its name on the topics; may be left out where there is one
    stream: str = "import"
    duration: Length | None = None  # a minute to seven days; or else `energy_kwh` and `power_kw`
    contiguous: bool | None = None  # default: yes, unless there is a `min_segment`
    min_segment: Length | None = None  # no segment is shorter
    not_before: Time | None = None  # an instant, or a time on the local clock; default: now
    deadline: Time | None = None  # likewise; default: within 48 hours
    power_kw: Power = ()  # kW; a list is for equal parts of the duration
    energy_kwh: Decimal | None = Field(default=None, gt=0, le=LARGEST)  # kWh
    max_price: Decimal | None = Field(default=None, ge=-LARGEST, le=LARGEST)  # major unit per kWh
    levels: Levels = None  # what the topics tell: the provider's words, or else ours

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        changes = len(self.power_kw) > 1
        if changes and self.energy_kwh is not None:
            raise ValueError("power_kw is a list, which says the energy already: leave energy_kwh out")
        if self.duration is None and (self.energy_kwh is None or not self.power_kw):
            raise ValueError("duration is missing: give it, or energy_kwh and power_kw")
        if self.duration is not None and self.energy_kwh is not None and self.power_kw:
            raise ValueError("duration, energy_kwh and power_kw are given: leave one of them out")
        if changes and not self.in_one_go:
            raise ValueError("power_kw is a list, which can only run in one go: leave contiguous and min_segment out")
        if not MINUTE <= self.length <= LONGEST:
            raise ValueError("energy_kwh and power_kw must make up a minute to seven days")
        if self.min_segment is not None and self.min_segment > self.length:
            raise ValueError("min_segment is longer than the duration")
        return self

    @property
    def in_one_go(self) -> bool:
        return self.contiguous if self.contiguous is not None else self.min_segment is None

    @property
    def length(self) -> timedelta:
        """How long the device runs; that of an energy in whole minutes, rounded up."""
        if self.duration is not None:
            return self.duration
        assert self.energy_kwh is not None
        hours = min(self.energy_kwh / self.power_kw[0], Decimal(LARGEST))
        return rounded_up(timedelta(hours=float(hours)), MINUTE)


class Named(Arguments):
    """Which of the client's plans is meant."""

    name: Name  # of the plan: one level of a topic


class PlanArguments(CheapestArguments, Named):
    """What a plan is to be called, and what `cheapest` wants."""
