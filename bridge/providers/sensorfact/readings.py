"""From the provider's items to readings: pure. An item stands for a bucket of time; whether its stamp is the bucket's start or
its end, only the configuration knows.

Null is unknown and never 0. A bucket that is not over yet is none: what stands in it will change.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    """The item of [start, end)."""

    start: datetime
    end: datetime
    item: Mapping[str, Any]


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
        level = _level(self.level, sorted(stamped))
        spans = _spans(sorted(stamped), level, zone, stamp) if level else self._only(sorted(stamped), stamp, moment)
        length = level.length if level and level.unit != "M" else None
        odd: set[str] = set()
        found = [
            reading
            for (start, end), at_ in zip(spans, sorted(stamped), strict=False)
            if start < end <= moment
            for reading in _of(Bucket(start, end, stamped[at_]), self.measurement, length, odd)
        ]
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

    def _only(self, stamps: Sequence[datetime], stamp: str, moment: datetime) -> list[tuple[datetime, datetime]]:
        """Return the span of an item alone, whose length nobody tells: it fills the window, which must be over."""
        if self.end >= moment:
            return []
        return [(at_, self.end) if stamp == "start" else (self.start, at_) for at_ in stamps]


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


def _spans(stamps: Sequence[datetime], level: Level, zone: ZoneInfo, stamp: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield the bucket of each stamp; none reaches over its neighbour."""
    for index, at_ in enumerate(stamps):
        if stamp == "start":
            following = stamps[index + 1] if index + 1 < len(stamps) else None
            end = level.moved(at_, zone)
            yield at_, min(end, following) if following else end
        else:
            start = level.moved(at_, zone, -1)
            yield max(start, stamps[index - 1]) if index else start, at_


def _of(bucket: Bucket, measurement: MeasurementSettings, length: timedelta | None, odd: set[str]) -> list[Reading]:
    """Return the readings of a bucket in the order of their quantities; `odd` takes the fields that hold no number."""
    found: list[Reading] = []
    for quantity, field in sorted((measurement.quantity(field), field) for field in measurement.fields):
        value = at(bucket.item, field) if has(bucket.item, field) else None
        try:
            known = None if value is None else number(value)
        except ODD:
            odd.add(field)
            continue
        if known is not None:
            found.append(
                Reading(
                    meter=measurement.id, quantity=quantity, value=known, unit=measurement.fields[field],
                    start=bucket.start, end=bucket.end, resolution=length or bucket.end - bucket.start,
                    aggregation=method(measurement.kind, quantity, field),
                )
            )  # fmt: skip
    return found


def _paths(item: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in item.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"
