"""What stands in one field of a row: a value, an instant, an id, a word. Raises one of `rows.ODD` for anything else. Pure."""

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from bridge.providers.ampere.expression import Expression

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GREATEST = Decimal(10) ** 15  # what is more is a fault
LONGEST = 200  # characters of a text that is a value


def value(found: Any) -> Decimal | bool | str:
    """Return a number, also one that comes as a text; else a switch or a word as it is."""
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


def instant(expression: Expression | None, row: Any) -> datetime | None:
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


def word(expression: Expression | None, row: Any) -> str | None:
    """Return the text or number that stands in a row, None where there is none."""
    found = expression(row) if expression else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None


def zone(name: str | None, default: str) -> str:
    """Return `name` where it is an IANA name, else `default`, with a line in the log."""
    if name is None:
        return default
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        log.warning("ampere.cloud names an unknown time zone; the facility's days are counted in %s", default)
        return default
