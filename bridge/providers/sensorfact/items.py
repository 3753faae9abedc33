"""What stands in an item, wherever the configuration says that it stands: pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge.models.price import sane

ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, ArithmeticError)


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
    """Yield every field of an item as `at` takes it."""
    for key, value in item.items():
        if isinstance(value, dict):
            yield from paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


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
    return sane(Decimal(value))
