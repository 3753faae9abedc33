"""From what the profile's expressions find to our words: pure. One odd row is left out, with one line in the log for all.

A meter is a device of the facility's, or the facility itself, under its own id.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from bridge.errors import Malformed
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.ampere.expression import Expression
from bridge.providers.ampere.profile import Devices, Facilities, Profile, Quantity, Series

log = logging.getLogger(__name__)

T = TypeVar("T")

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError, Malformed)
FACILITY = "facility"  # the name of the meter that is the facility itself
LONGEST = 200  # characters of a text that is a value
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GREATEST = Decimal(10) ** 15  # what is more is a fault


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
    currency = _word(mapping.currency, row)
    return Site(
        id=id_of(mapping.id, row),
        title=_word(mapping.name, row) or FACILITY,
        timezone=_zone(_word(mapping.timezone, row), mapping.default_timezone),
        currency=currency if currency and len(currency) == len("EUR") and currency.isupper() else None,
    )


def appliance(row: Any, mapping: Devices) -> Appliance:
    """Return a device. Raises one of ODD."""
    id_ = id_of(mapping.id, row)
    return Appliance(id_, _word(mapping.name, row) or id_, _word(mapping.type, row))


def types(row: Any, mapping: Devices) -> list[Type]:
    """Return what a device can be asked for; nothing where the profile does not say. Raises one of ODD."""
    inner = mapping.reading_types
    if inner is None:
        return []
    device = id_of(mapping.id, row)
    found = inner.items(row) or ()
    return [Type(device, id_of(inner.type, one), _word(inner.name, one), _word(inner.unit, one)) for one in found]


def measured(result: Any, series: Sequence[Series], facility: str | None, moment: datetime) -> list[Row]:
    """Return what an answer holds, of `facility` or of each; what has no value is left out. Raises Malformed."""
    return [row for one in series for row in _of_series(result, one, facility, moment)]


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
        log.warning("%d %s(s) of ampere.cloud's are left out, the first for %s", len(odd), what, _reason(odd[0]))
    return found


def _of_series(result: Any, series: Series, facility: str | None, moment: datetime) -> Iterator[Row]:
    for group in series.each.list(result):
        if group is None:  # a facility that failed, or is there no more
            continue
        own = facility or id_of(series.facility, group)
        meter = _word(series.meter, group) or own
        found = series.rows(group)
        if found is None:  # this of it failed
            continue
        if not isinstance(found, list):
            raise Malformed(f"rows = {series.rows.text!r} found no list in the answer")
        wanted = [row for row in found if row is not None and series.value(row) is not None]
        yield from _begun(each(wanted, "reading", partial(_row, series, own, meter)), moment)


def _begun(rows: Iterable[Row], moment: datetime) -> Iterator[Row]:
    """Yield the rows that are of the past, those that still run as far as they have come."""
    for row in rows:
        if row.start is None or row.end is None or row.end <= moment:
            yield row
        elif row.start < moment:
            yield row._replace(end=moment)


def _row(series: Series, facility: str, meter: str, row: Any) -> Row:
    start, end = _instant(series.start, row), _instant(series.end, row)
    if start is not None and end is not None and end <= start:
        raise ValueError("it ends before it begins")
    meter = _word(series.meter_of_row, row) or meter
    return Row(facility, meter, id_of(series.type, row), _value(series.value(row)), _instant(series.at, row), start, end)


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


def _value(found: Any) -> Decimal | bool | str:
    match found:
        case bool():
            return found
        case int() | Decimal():
            return _sane(Decimal(found))
        case str() if found.strip():
            try:
                return _sane(Decimal(found))
            except InvalidOperation:
                return found[:LONGEST]
    raise TypeError("its value is neither a number nor a text")


def _sane(number: Decimal) -> Decimal:
    if not number.is_finite() or abs(number) > GREATEST:
        raise ValueError("its value is beyond reason")
    return number


def _instant(expression: Expression | None, row: Any) -> datetime | None:
    """Return an instant that comes as ISO 8601 with its offset, or as milliseconds since 1970."""
    if expression is None:
        return None
    found = expression(row)
    if isinstance(found, int) and not isinstance(found, bool):
        return EPOCH + timedelta(milliseconds=found)
    moment = datetime.fromisoformat(found)
    if moment.tzinfo is None:
        raise ValueError("its time has no offset")
    return moment.astimezone(UTC)


def id_of(expression: Expression | None, row: Any) -> str:
    """Return the id that stands in a row. Raises ValueError where there is none."""
    found = expression(row) if expression else None
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise ValueError(f"{expression.text if expression else 'facility'!r} finds no id or name")
    return str(found)


def _word(expression: Expression | None, row: Any) -> str | None:
    found = expression(row) if expression else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None


def _zone(name: str | None, default: str) -> str:
    if name is None:
        return default
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        log.warning("ampere.cloud names an unknown time zone; the facility's days are counted in %s", default)
        return default


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST] if isinstance(error, ValueError | Malformed) else type(error).__name__
