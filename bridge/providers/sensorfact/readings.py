"""From the provider's items to readings: pure. An item stands for a bucket of time; whether its stamp is the bucket's start or
its end, only the configuration knows.

Null is unknown and never 0. A bucket that is not over yet is none: what stands in it will change.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bridge.errors import Malformed
from bridge.models.reading import Reading
from bridge.providers.sensorfact.aggregation import AUTO, Level, method
from bridge.providers.sensorfact.items import ODD, at, has, instant, number, paths
from bridge.providers.sensorfact.settings import MeasurementSettings

log = logging.getLogger(__name__)

MOST_FIELDS = 12  # of an item that an error lists


class Bucket(NamedTuple):
    """The span [start, end); one end is None where nobody tells how long it is."""

    start: datetime | None
    end: datetime | None

    def is_over(self, moment: datetime) -> bool:
        """Tell whether it is known to be over; one without a length never is."""
        return self.start is not None and self.end is not None and self.start < self.end <= moment


class Column(NamedTuple):
    """One field of every item, and what its values are called."""

    quantity: str
    field: str
    unit: str
    meter: str
    method: str | None

    def read(self, item: Mapping[str, Any], bucket: Bucket, level: Level | None, odd: set[str]) -> Reading | None:
        """Return the reading of one item, None where it is unknown; `odd` takes the field where it holds no number."""
        value = at(item, self.field) if has(item, self.field) else None
        try:
            known = None if value is None else number(value)
        except ODD:
            odd.add(self.field)
            return None
        if known is None:
            return None
        length = bucket.end - bucket.start if bucket.start and bucket.end else None
        return Reading(
            meter=self.meter, quantity=self.quantity, value=known, unit=self.unit, start=bucket.start, end=bucket.end,
            resolution=level.length if level and level.unit != "M" else length, aggregation=self.method,
        )  # fmt: skip


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
        level, over = self._over(zone, stamp, moment)
        with self._tallied() as odd:
            read = (column.read(item, bucket, level, odd) for item, bucket in over for column in self._columns)
            return [reading for reading in read if reading is not None]

    def newest(self, zone: ZoneInfo, stamp: str, moment: datetime) -> tuple[Reading, ...]:
        """Return the newest reading of each quantity, of the buckets that are over. Raises Malformed likewise."""
        level, over = self._over(zone, stamp, moment)
        found: dict[str, Reading] = {}
        with self._tallied() as odd:
            for item, bucket in reversed(over):
                wanted = [column for column in self._columns if column.quantity not in found]
                if not wanted:
                    break
                read = (column.read(item, bucket, level, odd) for column in wanted)
                found |= {reading.quantity: reading for reading in read if reading is not None}
        return tuple(found[quantity] for quantity in sorted(found))

    def missing(self) -> list[str]:
        """Return the configured fields that no item has."""
        objects = [item for item in self.items if isinstance(item, dict)]
        return [field for field in self.measurement.fields if objects and not any(has(item, field) for item in objects)]

    def fields(self) -> str:
        """Return which fields an item has, for whoever looks for the right one."""
        names = sorted(paths(next((item for item in self.items if isinstance(item, dict)), {})))
        return ", ".join([*names[:MOST_FIELDS], *(["…"] if len(names) > MOST_FIELDS else [])]) or "nothing"

    @cached_property
    def _columns(self) -> list[Column]:
        """What is read of each item, in the order of the quantities."""
        one = self.measurement
        named = sorted((one.quantity(field), field) for field in one.fields)
        return [Column(name, field, one.fields[field], one.id, method(one.kind, name, field)) for name, field in named]

    def _over(self, zone: ZoneInfo, stamp: str, moment: datetime) -> tuple[Level | None, list[tuple[Mapping[str, Any], Bucket]]]:
        """Return the level of the items, None where nobody tells it, and those whose bucket is over, oldest first."""
        stamped = self._stamped()
        stamps = sorted(stamped)
        level = _level(self.level, stamps)
        if level is None:
            return None, [(stamped[at_], _open(at_, stamp)) for at_ in stamps if self._is_long_ago(at_, stamp, moment)]
        buckets = zip(stamps, _buckets(stamps, level, zone, stamp), strict=True)
        return level, [(stamped[at_], bucket) for at_, bucket in buckets if bucket.is_over(moment)]

    def _stamped(self) -> dict[datetime, Mapping[str, Any]]:
        """Return the items by their stamp; of two with one stamp, the later."""
        found: dict[datetime, Mapping[str, Any]] = {}
        odd = 0
        for item in self.items:
            try:
                found[instant(at(item, self.measurement.timestamp_field))] = item
            except ODD:
                odd += 1
        if odd and not found:
            field = self.measurement.timestamp_field
            raise Malformed(f"no item has a time with an offset in {field} (timestamp_field); an item has: {self.fields()}")
        if odd:
            log.warning("%s: %d item(s) without a time are left out", self.measurement.name, odd)
        return found

    def _is_long_ago(self, at_: datetime, stamp: str, moment: datetime) -> bool:
        """Tell whether a bucket of unknown length is over all the same: no bucket is longer than the window."""
        return at_ <= moment if stamp == "end" else self.end < moment or at_ + (self.end - self.start) <= moment

    @contextmanager
    def _tallied(self) -> Iterator[set[str]]:
        """Yield a set for the fields that hold something odd, and tell of them in one line."""
        odd: set[str] = set()
        yield odd
        if odd:
            log.warning("%s: values of %s that are no numbers are left out", self.measurement.name, ", ".join(sorted(odd)))


def _level(asked: str, stamps: Sequence[datetime]) -> Level | None:
    """Return the level of the items, with `auto` as their spacing shows it; None where a stamp alone shows none."""
    if asked != AUTO:
        return Level.parse(asked)
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    return Level.spanning(min(gaps)) if gaps else None


def _buckets(stamps: Sequence[datetime], level: Level, zone: ZoneInfo, stamp: str) -> Iterator[Bucket]:
    """Yield the bucket of each stamp; none reaches over its neighbour."""
    for index, at_ in enumerate(stamps):
        if stamp == "start":
            yield Bucket(at_, min([level.moved(at_, zone), *stamps[index + 1 : index + 2]]))
        else:
            yield Bucket(max([level.moved(at_, zone, -1), *stamps[max(index - 1, 0) : index]]), at_)


def _open(at_: datetime, stamp: str) -> Bucket:
    return Bucket(at_, None) if stamp == "start" else Bucket(None, at_)
