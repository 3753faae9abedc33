"""What stands in an item, wherever the configuration says that it stands: pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError)
BEYOND_REASON = 10**15  # in any unit, joules too; what is greater is no number that every reader of JSON knows exactly
DEEPEST, LONGEST = 6, 60  # steps down, and characters of a field, that an error shows


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


def paths(item: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the fields of an item as `at` takes them, cut where they are longer than anybody would write."""
    for key, value in item.items():
        path = f"{above}{key}"[:LONGEST]
        if isinstance(value, dict) and path.count(".") < DEEPEST:
            yield from paths(value, f"{path}.")
        else:
            yield path


def instant(text: str) -> datetime:
    """Return the UTC instant of a text that bears its offset. Raises ValueError, TypeError or OverflowError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC)


def number(value: object) -> Decimal:
    """Return a number, which may come as a text. Raises TypeError, ValueError or ArithmeticError."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise TypeError(f"{value!r} is not a number")
    found = Decimal(value)
    if not found.is_finite() or abs(found) > BEYOND_REASON:
        raise ValueError("a number is beyond all reason")
    return found
