"""Filters as they are asked for, `{"status": {"eq": "Active"}, "OR": [{…}, {…}]}`: read, taken apart, and judged here. Pure.

What stands side by side must all hold. Text is compared letter by letter; `contains`, and whatever compares ids, takes capitals
for small letters.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte", "contains", "startsWith", "endsWith", "in")
TEXTUAL = ("contains", "startsWith", "endsWith")
MOST_CONDITIONS, DEEPEST, LONGEST_LIST = 50, 8, 1000
RT_ID, WELL_KNOWN_NAME = "rtId", "wellKnownName"  # what every entity has, as filters and orders call it in either dialect
SAME = {"rt_id": RT_ID, "well_known_name": WELL_KNOWN_NAME, "rtWellKnownName": WELL_KNOWN_NAME}


@dataclass(frozen=True)
class Condition:
    """One attribute compared with one value; a list of them for `in`."""

    attribute: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Every:
    """All of `parts` must hold; of none, it holds."""

    parts: "tuple[Filter, ...]" = ()


@dataclass(frozen=True)
class Some:
    """One of `parts` must hold."""

    parts: "tuple[Filter, ...]"


Filter = Condition | Every | Some


def read(given: Mapping[str, Any]) -> Filter:
    """Return the filter in `given`. Raises ValueError, which says where it is wrong."""
    found = _every(given, 1)
    if sum(1 for _ in conditions(found)) > MOST_CONDITIONS:
        raise ValueError(f"has more than {MOST_CONDITIONS} conditions; ask for less at once")
    return found


def conditions(filter_: Filter) -> Iterator[Condition]:
    """Yield every condition in `filter_`, however deep."""
    if isinstance(filter_, Condition):
        yield filter_
    else:
        for part in filter_.parts:
            yield from conditions(part)


def conjuncts(filter_: Filter) -> list[Filter]:
    """Return what must all hold for `filter_` to hold, none of it an Every."""
    if not isinstance(filter_, Every):
        return [filter_]
    return [inner for part in filter_.parts for inner in conjuncts(part)]


def every(parts: Iterable[Filter]) -> Filter:
    """Return the filter that holds where all of `parts` do."""
    found = tuple(parts)
    return found[0] if len(found) == 1 else Every(found)


def holds(filter_: Filter, value: Callable[[str], Any]) -> bool:
    """Tell whether `filter_` holds for what `value` knows by attribute; what is unknown (None) equals nothing."""
    match filter_:
        case Condition(attribute, operator, compared):
            if attribute == RT_ID:  # hexadecimal digits, whose capitals say nothing
                return _meets(folded(value(attribute)), operator, folded(compared))
            return _meets(value(attribute), operator, compared)
        case Every(parts):
            return all(holds(part, value) for part in parts)
        case Some(parts):
            return any(holds(part, value) for part in parts)


def folded(value: Any) -> Any:
    """Return a text, or a list of texts, in small letters."""
    if isinstance(value, list):
        return [folded(one) for one in value]
    return value.casefold() if isinstance(value, str) else value


def _every(given: Any, depth: int) -> Filter:
    if not isinstance(given, Mapping) or not given:
        raise ValueError('must be an object such as {"status": {"eq": "Active"}}')
    if depth > DEEPEST:
        raise ValueError("is nested too deeply; flatten it")
    return every(part for key, value in given.items() for part in _parts(str(key), value, depth))


def _parts(key: str, value: Any, depth: int) -> Iterator[Filter]:
    if key in ("AND", "OR"):
        if not isinstance(value, list) or not value:
            raise ValueError(f"{key} must be a list of filters")
        inner = tuple(_every(item, depth + 1) for item in value)
        yield Every(inner) if key == "AND" else Some(inner)
        return
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f'{key[:64]} must be an object such as {{"eq": …}}')
    for operator, compared in value.items():
        yield _condition(key, str(operator), compared)


def _condition(attribute: str, operator: str, value: Any) -> Condition:
    if operator not in OPERATORS:
        raise ValueError(f"{attribute[:64]}: there is no operator {operator[:64]}; there is: {', '.join(OPERATORS)}")
    values = value if operator == "in" else [value]
    if not isinstance(values, list) or not 0 < len(values) <= LONGEST_LIST:
        raise ValueError(f"{attribute[:64]}: in wants a list of 1 to {LONGEST_LIST} values")
    if not all(isinstance(one, (str, int, Decimal, bool)) or (isinstance(one, float) and isfinite(one)) for one in values):
        raise ValueError(f"{attribute[:64]}: {operator} compares with texts, numbers and truth values only")
    if operator in TEXTUAL and not isinstance(value, str):
        raise ValueError(f"{attribute[:64]}: {operator} wants a text")
    return Condition(SAME.get(attribute, attribute), operator, value)


def _meets(found: Any, operator: str, value: Any) -> bool:
    if operator == "neq":
        return not _equal(found, value)
    if operator == "in":
        return any(_equal(found, one) for one in value)
    if found is None:
        return False
    if operator in TEXTUAL:
        return isinstance(found, str) and _textual(found, operator, value)
    return _equal(found, value) if operator == "eq" else _compared(found, operator, value)


def _textual(found: str, operator: str, value: str) -> bool:
    if operator == "contains":
        return value.casefold() in found.casefold()
    return found.startswith(value) if operator == "startsWith" else found.endswith(value)


def _equal(found: Any, value: Any) -> bool:
    return isinstance(found, bool) is isinstance(value, bool) and _plain(found) == _plain(value)


def _compared(found: Any, operator: str, value: Any) -> bool:
    a, b = _plain(found), _plain(value)
    if type(a) is not type(b) or isinstance(a, bool):
        return False
    return bool({"gt": a > b, "gte": a >= b, "lt": a < b, "lte": a <= b}[operator])


def _plain(value: Any) -> Any:
    """Return every number as a Decimal, so that 0.1 as it was typed equals 0.1 as it came."""
    is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value
