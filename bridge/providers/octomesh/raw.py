"""How OctoMesh writes numbers and times: pure. One odd item is left out, with one line in the log for all of them."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from bridge.models.price import sane

log = logging.getLogger(__name__)

T = TypeVar("T")

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError)


def instant(text: Any) -> datetime:
    """Return the UTC instant of a text; one without an offset is UTC, as the server keeps all its times."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def scalar(value: Any) -> Decimal | bool | str | None:
    """Return a value that a topic can show, or None: what is unknown, and what is no plain value."""
    if isinstance(value, (bool, str)):
        return value
    return sane(Decimal(value)) if isinstance(value, (int, Decimal)) else None


def each(items: Iterable[Any], what: str, read: Callable[[Any], T]) -> list[T]:
    """Return what `read` makes of each item; the ones that it cannot read are left out."""
    found: list[T] = []
    odd: list[Exception] = []
    for item in items:
        try:
            found.append(read(item))
        except ODD as error:
            odd.append(error)
    if odd:
        log.warning("%d %s(s) of OctoMesh's are left out, the first for %s", len(odd), what, type(odd[0]).__name__)
        log.debug("the first %s left out", what, exc_info=odd[0])
    return found
