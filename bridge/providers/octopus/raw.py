"""How Kraken writes numbers and times: pure. One odd row is left out, with one line in the log for all of them."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from bridge.models.price import sane

log = logging.getLogger(__name__)

T = TypeVar("T")

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError)


def instant(text: Any) -> datetime:
    """Return the UTC instant of a text that bears its offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def number(value: Any) -> Decimal:
    """Return a number that comes as one, or as a string with many zeros. Raises ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise TypeError(f"{value!r} is not a number")
    try:
        found = sane(Decimal(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    return found.normalize() if isinstance(value, str) else found


def each(rows: Iterable[Any] | None, what: str, read: Callable[[Any], T | None]) -> list[T]:
    """Return what `read` makes of each row; the ones that it cannot read are left out."""
    found: list[T] = []
    odd: list[Exception] = []
    for row in rows or ():
        try:
            value = read(row)
        except ODD as error:
            odd.append(error)
            continue
        if value is not None:
            found.append(value)
    if odd:
        log.warning("%d %s(s) of Octopus' are left out, the first for %s", len(odd), what, type(odd[0]).__name__)
        log.debug("the first %s left out", what, exc_info=odd[0])
    return found
