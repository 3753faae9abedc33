"""How OctoMesh writes numbers and times: pure. One odd item is left out, with one line in the log for all of them."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from bridge.models.price import sane

log = logging.getLogger(__name__)

T = TypeVar("T")
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
NUMBERS = frozenset({"Int", "Float", "Decimal", "Long", "ULong", "BigInt", "Seconds"})  # GraphQL's, and the published server's

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError)


def instant(text: Any) -> datetime:
    """Return the UTC instant of a text; one without an offset is UTC, as the server keeps all its times."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def perhaps(text: Any) -> datetime | None:
    """Return the instant of a text, None where it tells none: .NET's year 1 stands for no time at all."""
    try:
        moment = instant(text)
    except ODD:
        return None
    return moment if moment > LONG_AGO else None


def number(value: Any) -> Any:
    """Return the value of a numeric attribute: a number also where it came as a text, None where that is none."""
    if not isinstance(value, str):
        return value
    try:
        found = Decimal(value)
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def scalar(value: Any) -> Decimal | bool | str | None:
    """Return a value that a topic can show, or None: what is unknown, and what is no plain value."""
    if isinstance(value, (bool, str)):
        return value
    return sane(Decimal(value)) if isinstance(value, (int, Decimal)) else None


class Read(NamedTuple, Generic[T]):
    """The items that could be read, and how many could not."""

    found: list[T]
    odd: int


def each(items: Iterable[Any], what: str, read: Callable[[Any], T]) -> Read[T]:
    """Return what `read` makes of each item; the ones that it cannot read are left out, and so are those that are null."""
    found: list[T] = []
    odd: list[Exception] = []
    nulls = 0
    for item in items:
        if item is None:  # the server could not tell it
            nulls += 1
            continue
        try:
            found.append(read(item))
        except ODD as error:
            odd.append(error)
    if odd:
        log.warning("%d %s(s) of OctoMesh's are left out, the first for %s", len(odd), what, type(odd[0]).__name__)
        log.debug("the first %s left out", what, exc_info=odd[0])
    return Read(found, nulls + len(odd))
