"""What a device asks `cheapest` and `plan` for, and what that means at a moment: every time and length settled. Pure.

A run begins on a whole minute, unless it is asked for otherwise. With a least piece, lengths are whole five minutes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from bridge.commands.generic import Arguments, Holdings, Place, stamp
from bridge.errors import BadRequest, NotFound
from bridge.models.plan import Wish
from bridge.pricing.day import next_at
from bridge.topics import is_publishable

SECOND, MINUTE, GRID = timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5)
SECONDS_OF_AN_HOUR = 3600
LONGEST = timedelta(days=7)  # no prices are known for longer
HORIZON = timedelta(hours=48)  # in which a device runs that names no deadline
FARTHEST = timedelta(days=30)  # that anybody plans ahead
MOST_PARTS = 48  # of a power
LARGEST = 10**6  # kW and kWh: no home has more, and no sum overflows
LONGEST_NAME = 64  # bytes
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        found = time.fromisoformat(text) if CLOCK.fullmatch(text) else datetime.fromisoformat(text)
    except ValueError:
        found = time(tzinfo=UTC)
    if isinstance(found, datetime) and found.tzinfo is not None:
        return found.astimezone(UTC)
    if isinstance(found, time) and found.tzinfo is None:
        return found
    raise ValueError('must be an instant such as "2026-11-21T07:00:00+01:00", or a time on the local clock such as "07:00"')


def _power(value: object) -> tuple[Decimal, ...]:
    parts = value if isinstance(value, list) else [value]
    numbers = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part <= LARGEST]
    if len(numbers) < len(parts) or not 0 < len(parts) <= MOST_PARTS or not any(numbers):
        raise ValueError(f"must be a positive number of kW, or a list of up to {MOST_PARTS} for equal parts of the duration")
    return tuple(Decimal(str(number)) for number in numbers)


def _name(text: str) -> str:
    if "/" in text or len(text.encode("utf-8", "replace")) > LONGEST_NAME or not is_publishable(text):
        raise ValueError(f"must be one level of a topic, of up to {LONGEST_NAME} bytes")
    return text


def _sorted(levels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(levels)))


Length = Annotated[timedelta, BeforeValidator(_length)]
Time = Annotated[datetime | time, BeforeValidator(_time)]
Name = Annotated[str, AfterValidator(_name)]
Level = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]


class CheapestArguments(Arguments):
    """When to run, and for how long: `duration`, or `energy_kwh` with `power_kw`."""

    source: str
    site: str | None = None  # may be left out where there is one
    stream: str = "import"
    duration: Length | None = None
    contiguous: bool | None = None  # default: yes, unless there is a `min_segment`
    min_segment: Length | None = None
    not_before: Time | None = None
    deadline: Time | None = None
    power_kw: Annotated[tuple[Decimal, ...], BeforeValidator(_power)] = ()
    energy_kwh: Decimal | None = Field(default=None, gt=0, le=LARGEST)
    max_price: Decimal | None = Field(default=None, ge=-LARGEST, le=LARGEST)
    levels: Annotated[tuple[Level, ...], AfterValidator(_sorted)] | None = Field(default=None, min_length=1, max_length=16)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        changes = len(self.power_kw) > 1
        if self.duration is None and (self.energy_kwh is None or not self.power_kw):
            raise ValueError("duration is missing: give it, or energy_kwh and power_kw")
        if self.energy_kwh is not None and self.power_kw and (changes or self.duration is not None):
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

    name: Name


class PlanArguments(CheapestArguments, Named):
    """What a plan is to be called, and what `cheapest` wants."""


def place_of(given: CheapestArguments, sources: Mapping[str, Holdings]) -> Place:
    """Return the site that is meant. Raises NotFound, or BadRequest where it could be any of several."""
    if given.source not in sources:
        raise NotFound(f"there is no source {given.source[:LONGEST_NAME]}; there is: {', '.join(sources) or 'none'}")
    places = list(sources[given.source].places.values())
    names = ", ".join(place.name for place in places) or "none"
    if given.site is None and len(places) > 1:
        raise BadRequest(f"args: site: name one of: {names}")
    found = [place for place in places if given.site in (None, place.name)]
    if not found:
        raise NotFound(f"{given.source} has no site {(given.site or 'yet')[:LONGEST_NAME]}; it has: {names}")
    if given.stream not in {*found[0].site.streams, *found[0].curves}:
        streams = ", ".join({*found[0].site.streams, *found[0].curves}) or "none"
        raise NotFound(f"{found[0].name} has no stream {given.stream[:LONGEST_NAME]}; it has: {streams}")
    return found[0]


def wish_of(given: CheapestArguments, place: Place, moment: datetime) -> Wish:
    """Return what `given` means at `moment`. Raises BadRequest where no time is left for it."""
    least = None if given.in_one_go else given.min_segment
    length = given.length if least is None else rounded_up(given.length, GRID)
    earliest, latest = _limits(given, place.site.zone, moment)
    if latest - earliest < length:
        span = f"{LENGTH.dump_python(length, mode='json')} do not fit from {stamp(earliest)} to {stamp(latest)}"
        raise BadRequest(f"args: deadline: too early: {span}; set it later, or ask for less")
    return Wish(
        source=given.source,
        site=place.site.id,
        stream=given.stream,
        duration=length,
        earliest=earliest,
        latest=latest,
        contiguous=given.in_one_go,
        min_segment=timedelta() if least is None else rounded_up(least, GRID),
        max_price=given.max_price,
        levels=given.levels,
        power=given.power_kw,
        energy_kwh=_energy(given, length),
    )


def _limits(given: CheapestArguments, zone: ZoneInfo, moment: datetime) -> tuple[datetime, datetime]:
    """Return when to begin at the earliest, and to be done at the latest."""
    earliest, first, last = whole(moment, MINUTE), given.not_before, given.deadline
    if isinstance(first, time):
        first = next_at(first, zone, moment - timedelta.resolution)
    if first is not None and first > moment + FARTHEST:
        raise BadRequest(f"args: not_before: lies more than {FARTHEST.days} days ahead")
    earliest = earliest if first is None else max(first, earliest)
    if isinstance(last, time):
        last = next_at(last, zone, earliest)
    return earliest, earliest + HORIZON if last is None else min(last, earliest + FARTHEST)


def _energy(given: CheapestArguments, length: timedelta) -> Decimal | None:
    """Return the energy of a run of `length`, kWh; None where that is unknown."""
    if given.energy_kwh is not None or not given.power_kw:
        return given.energy_kwh
    mean = sum(given.power_kw, Decimal()) / len(given.power_kw)
    return mean * Decimal(length // SECOND) / SECONDS_OF_AN_HOUR


def whole(moment: datetime, step: timedelta) -> datetime:
    """Return the first multiple of `step` that is not before `moment`."""
    return EPOCH + rounded_up(moment - EPOCH, step)


def rounded_up(length: timedelta, step: timedelta) -> timedelta:
    return -(-length // step) * step
