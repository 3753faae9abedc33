"""From the provider's items to readings: pure. An item stands for a bucket of time; whether its stamp is the bucket's start or
its end, only the configuration knows.

Null is unknown and never 0. A bucket that is not over yet is none: what stands in it will change.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bridge.errors import Malformed
from bridge.models.price import sane
from bridge.models.reading import Reading
from bridge.providers.sensorfact.aggregation import AUTO, Level, method
from bridge.providers.sensorfact.settings import MeasurementSettings

log = logging.getLogger(__name__)

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError)
MOST_KEYS = 12  # of an item that an error lists


class Bucket(NamedTuple):
    """The span [start, end); one end is None where nobody tells how long it is."""

    start: datetime | None
    end: datetime | None

    def is_over(self, moment: datetime) -> bool:
        """Tell whether it is known to be over; one without a length never is."""
        return self.start is not None and self.end is not None and self.start < self.end <= moment


@dataclass(frozen=True)
class Series:
    """What came of one measurement: `items` as they came, asked for with `level` over [start, end)."""

    measurement: MeasurementSettings
    items: Sequence[Any]
    level: str
    start: datetime
    end: datetime

    def readings(self, zone: ZoneInfo, stamp: str, moment: datetime) -> list[Reading]:
        """Return all that is known of the buckets that are over, oldest first. Raises Malformed where no item has a time."""
        stamped = self._stamped()
        stamps = sorted(stamped)
        level = _level(self.level, stamps)
        if level is None:
            over = {at_: _without_length(at_, stamp) for at_ in stamps if self._is_long_ago(at_, stamp, moment)}
        else:
            spans = zip(stamps, _spans(stamps, level, zone, stamp), strict=True)
            over = {at_: bucket for at_, bucket in spans if bucket.is_over(moment)}
        odd: set[str] = set()
        found = [one for at_, bucket in over.items() for one in _of(stamped[at_], bucket, level, self.measurement, odd)]
        if odd:
            log.warning("%s: values of %s that are no numbers are left out", self.measurement.name, ", ".join(sorted(odd)))
        return found

    def missing(self) -> list[str]:
        """Return the configured fields that no item has."""
        objects = [item for item in self.items if isinstance(item, dict)]
        return [field for field in self.measurement.fields if objects and not any(has(item, field) for item in objects)]

    def keys(self) -> str:
        """Return which fields an item has, for whoever looks for the right one."""
        first = next((item for item in self.items if isinstance(item, dict)), {})
        names = sorted(_paths(first))
        return ", ".join([*names[:MOST_KEYS], *(["…"] if len(names) > MOST_KEYS else [])]) or "nothing"

    def _stamped(self) -> dict[datetime, Mapping[str, Any]]:
        """Return the items by their stamp; of two with one stamp, the later."""
        found: dict[datetime, Mapping[str, Any]] = {}
        odd: list[Exception] = []
        for item in self.items:
            try:
                found[instant(at(item, self.measurement.timestamp_field))] = item
            except ODD as error:
                odd.append(error)
        if odd and not found:
            field = self.measurement.timestamp_field
            raise Malformed(f"no item has a time with an offset in {field} (timestamp_field); an item has: {self.keys()}")
        if odd:
            log.warning("%s: %d item(s) without a time are left out", self.measurement.name, len(odd))
        return found

    def _is_long_ago(self, at_: datetime, stamp: str, moment: datetime) -> bool:
        """Tell whether a bucket of unknown length is over all the same: no bucket is longer than the window."""
        return at_ <= moment if stamp == "end" else self.end < moment or at_ + (self.end - self.start) <= moment


def newest(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return the newest reading of each quantity, of `readings` with the oldest first."""
    return tuple({reading.quantity: reading for reading in readings}.values())


def at(item: Any, field: str) -> Any:
    """Return what stands in `field` of an item, a dot for each step down. Raises KeyError or TypeError where nothing does."""
    if field in item:
        return item[field]
    for step in field.split("."):
        item = item[step]
    return item


def has(item: Any, field: str) -> bool:
    """Tell whether an item has `field`, though it be null."""
    try:
        at(item, field)
    except (KeyError, TypeError, IndexError):
        return False
    return True


def instant(text: str) -> datetime:
    """Return the UTC instant of a text that bears its offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def number(value: object) -> Decimal:
    """Return a number, which may come as a text. Raises TypeError, ValueError or ArithmeticError."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise TypeError(f"{value!r} is not a number")
    return sane(Decimal(value))


def _level(asked: str, stamps: Sequence[datetime]) -> Level | None:
    """Return the level of the items, with `auto` as their spacing shows it; None where a stamp alone shows none."""
    if asked != AUTO:
        return Level.parse(asked)
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    return Level.spanning(min(gaps)) if gaps else None


def _spans(stamps: Sequence[datetime], level: Level, zone: ZoneInfo, stamp: str) -> Iterator[Bucket]:
    """Yield the bucket of each stamp; none reaches over its neighbour."""
    for index, at_ in enumerate(stamps):
        if stamp == "start":
            end = level.moved(at_, zone)
            yield Bucket(at_, min([end, *stamps[index + 1 : index + 2]]))
        else:
            start = level.moved(at_, zone, -1)
            yield Bucket(max([start, *stamps[max(index - 1, 0) : index]]), at_)


def _without_length(at_: datetime, stamp: str) -> Bucket:
    return Bucket(at_, None) if stamp == "start" else Bucket(None, at_)


def _of(
    item: Mapping[str, Any], bucket: Bucket, level: Level | None, measurement: MeasurementSettings, odd: set[str]
) -> Iterator[Reading]:
    """Yield the readings of a bucket in the order of their quantities; `odd` takes the fields that hold no number."""
    length = bucket.end - bucket.start if bucket.start and bucket.end else None
    for quantity, field in sorted((measurement.quantity(field), field) for field in measurement.fields):
        value = at(item, field) if has(item, field) else None
        try:
            known = None if value is None else number(value)
        except ODD:
            odd.add(field)
            continue
        if known is not None:
            yield Reading(
                meter=measurement.id, quantity=quantity, value=known, unit=measurement.fields[field],
                start=bucket.start, end=bucket.end, resolution=level.length if level and level.unit != "M" else length,
                aggregation=method(measurement.kind, quantity, field),
            )  # fmt: skip


def _paths(item: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in item.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"
