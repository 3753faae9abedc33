"""From what the profile's expressions find to our words: pure. One odd row is left out, with one line in the log for all.

A meter is a device of the facility's, or the facility itself, under its own id.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeVar

from bridge.errors import Malformed
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.ampere import cells
from bridge.providers.ampere.profile import Devices, Facilities, Profile, Quantity, Series

log = logging.getLogger(__name__)

T = TypeVar("T")

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError, Malformed)
FACILITY = "facility"  # the name of the meter that is the facility itself
LONGEST = 200  # characters of a reason


class Appliance(NamedTuple):
    """One device of a facility."""

    id: str
    name: str
    type: str | None = None


class Type(NamedTuple):
    """One reading type of a device."""

    device: str
    type: str
    name: str | None = None
    unit: str | None = None


class Group(NamedTuple):
    """What the rows of one meter hang on."""

    facility: str
    meter: str
    content: Any


class Row(NamedTuple):
    """What was measured, at an instant or over [start, end)."""

    facility: str
    meter: str
    type: str
    value: Decimal | bool | str
    at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def moment(self) -> datetime:
        """By which the newest is the newest."""
        found = self.at or self.end
        assert found is not None
        return found


def site(row: Any, mapping: Facilities) -> Site:
    """Return the site that a facility is. Raises one of ODD."""
    currency = cells.word(mapping.currency, row)
    return Site(
        id=cells.id_of(mapping.id, row),
        title=cells.word(mapping.name, row) or FACILITY,
        timezone=cells.zone(cells.word(mapping.timezone, row), mapping.default_timezone),
        currency=currency if currency and len(currency) == len("EUR") and currency.isupper() else None,
    )


def appliance(row: Any, mapping: Devices) -> Appliance:
    """Return a device. Raises one of ODD."""
    id_ = cells.id_of(mapping.id, row)
    return Appliance(id_, cells.word(mapping.name, row) or id_, cells.word(mapping.type, row))


def types(row: Any, mapping: Devices) -> list[Type]:
    """Return what a device can be asked for; nothing where the profile does not say. Raises one of ODD."""
    inner = mapping.reading_types
    if inner is None:
        return []
    device = cells.id_of(mapping.id, row)
    found = inner.items(row) or ()
    return [Type(device, cells.id_of(inner.type, one), cells.word(inner.name, one), cells.word(inner.unit, one)) for one in found]


def measured(result: Any, series: Series, facility: str | None, moment: datetime) -> list[Row]:
    """Return what an answer holds, of `facility` or of each; what has no value is left out.

    Raises Malformed where the series does not fit the answer, or not one of its rows can be read.
    """
    found = [(one, raw) for one in _groups(result, series, facility) for raw in _raw(series, one)]
    read = each(found, "readings", partial(_row, series))
    if found and not read:
        raise Malformed(f"no row that rows = {series.rows.text!r} found can be read")
    return list(_begun(read, moment))


def everything(answers: Iterable[Any], series: Sequence[Series], facility: str, moment: datetime) -> list[Row]:
    """Return what the pages of an answer hold of all series. Raises Malformed where one of them does not fit."""
    return [row for answer in answers for one in series for row in measured(answer, one, facility, moment)]


def readings(rows: Iterable[Row], profile: Profile) -> list[Reading]:
    """Return the rows of the quantities that the profile has, in its units."""
    known = ((row, profile.quantity(row.type)) for row in rows)
    return [_reading(row, quantity) for row, quantity in known if quantity is not None]


def newest(rows: Iterable[Row]) -> list[Row]:
    """Return the newest row of each meter and type."""
    found: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        key = (row.facility, row.meter, row.type)
        if key not in found or found[key].moment <= row.moment:
            found[key] = row
    return list(found.values())


def each(rows: Iterable[Any], what: str, read: Callable[[Any], T]) -> list[T]:
    """Return what `read` makes of each row; the ones that it cannot read are left out."""
    found: list[T] = []
    odd: list[Exception] = []
    for row in rows:
        try:
            found.append(read(row))
        except ODD as error:
            odd.append(error)
    if odd:
        log.warning("%d of ampere.cloud's %s left out, the first for %s", len(odd), what, _reason(odd[0]))
    return found


def _groups(result: Any, series: Series, facility: str | None) -> Iterator[Group]:
    for found in series.each.list(result):
        if found is not None:  # a facility that failed, or is there no more
            own = facility or cells.id_of(series.facility, found)
            yield Group(own, cells.word(series.meter, found) or own, found)


def _raw(series: Series, group: Group) -> list[Any]:
    """Return the rows that have a value; none where this of the group failed."""
    found = series.rows(group.content)
    if found is not None and not isinstance(found, list):
        raise Malformed(f"rows = {series.rows.text!r} found no list in the answer")
    return [row for row in found or () if row is not None and series.value(row) is not None]


def _begun(rows: Iterable[Row], moment: datetime) -> Iterator[Row]:
    """Yield the rows that are of the past, those that still run as far as they have come."""
    for row in rows:
        if row.start is None or row.end is None or row.end <= moment:
            yield row
        elif row.start < moment:
            yield row._replace(end=moment.replace(microsecond=0))


def _row(series: Series, found: tuple[Group, Any]) -> Row:
    group, row = found
    start, end = cells.instant(series.start, row), cells.instant(series.end, row)
    if start is not None and end is not None and end <= start:
        raise ValueError("it ends before it begins")
    return Row(
        facility=group.facility,
        meter=cells.word(series.meter_of_row, row) or group.meter,
        type=cells.id_of(series.type, row),
        value=cells.value(series.value(row)),
        at=cells.instant(series.at, row),
        start=start,
        end=end,
    )


def _reading(row: Row, quantity: Quantity) -> Reading:
    number = row.value * quantity.factor if isinstance(row.value, Decimal) else None
    return Reading(
        meter=row.meter,
        quantity=quantity.quantity,
        value=number,
        other=None if isinstance(row.value, Decimal) else row.value,
        unit=None if number is None else quantity.unit,
        start=row.start,
        end=row.end,
        at=row.at,
        direction=quantity.direction,
        resolution=quantity.resolution,
        aggregation=quantity.aggregation,
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:LONGEST] if isinstance(error, ValueError | Malformed) else type(error).__name__
