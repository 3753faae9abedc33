"""How Tibber writes numbers, times and cursors: pure. One odd row is left out, with one line in the log for all of them."""

import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from bridge.models.price import sane

log = logging.getLogger(__name__)

T = TypeVar("T")

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError, ValidationError)


def instant(text: str) -> datetime:
    """Return the UTC instant of a text that bears its offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def number(value: object) -> Decimal:
    """Return a number that comes as one. Raises ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"{value!r} is not a number")
    return sane(Decimal(value))


def currency(value: object) -> str | None:
    """Return an ISO 4217 code, or None: a contract that has not begun says `N/A`."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) else None


def cursor(moment: datetime) -> str:
    """Return the cursor of the rows from `moment` on, or after it: the provider is not known to be sure which of the two."""
    return b64encode(moment.isoformat().encode()).decode()


def each(rows: Iterable[object], what: str, read: Callable[[Any], T | None]) -> list[T]:
    """Return what `read` makes of each row; the ones that it cannot read are left out, with one line for all of them."""
    found: list[T] = []
    odd: list[Exception] = []
    for row in rows:
        try:
            value = read(row)
        except ODD as error:
            odd.append(error)
            continue
        if value is not None:
            found.append(value)
    if odd:
        log.warning("%d %s row(s) of Tibber's are left out, the first for %s", len(odd), what, type(odd[0]).__name__)
        log.debug("the first %s row left out", what, exc_info=odd[0])
    return found
