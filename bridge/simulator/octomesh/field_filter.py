"""The filters and orders of the published server: entries of a path, an operator and a value, all of which must hold.

LIKE finds a part of a text in either case; MATCH_REG_EX minds the case.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from graphql import GraphQLError

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.errors import INVALID, asset
from bridge.simulator.octomesh.scalars import instant

T = TypeVar("T")
Value = Callable[[str], Any]
"""Returns what lies at a path of a row; raises GraphQLError for what can lie nowhere."""
Entry = Mapping[str, Any]


def _is_in(value: Any, given: Any) -> bool:
    if not isinstance(given, list):
        raise TypeError(given)
    return value in given


def _is_like(value: str, given: str) -> bool:
    return given.casefold() in value.casefold()


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


OF_ANYTHING: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "EQUALS": operator.eq,
        "NOT_EQUALS": operator.ne,
        "IS_NULL": lambda value, _: value is None,
        "IS_NOT_NULL": lambda value, _: value is not None,
        "IN": _is_in,
        "NOT_IN": lambda value, given: not _is_in(value, given),
        "ANY_EQ": lambda value, given: given in _several(value),
        "ANY_LIKE": lambda value, given: any(_is_like(each, given) for each in _several(value)),
    }
)
OF_VALUES: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "LESS_THAN": operator.lt,
        "LESS_EQUAL_THAN": operator.le,
        "GREATER_THAN": operator.gt,
        "GREATER_EQUAL_THAN": operator.ge,
        "LIKE": _is_like,
        "MATCH_REG_EX": lambda value, given: re.search(given, value) is not None,
        "BETWEEN": lambda value, given: given[0] <= value <= given[1],
    }
)
"""What holds for nothing that has no value."""


def meets(entries: Sequence[Entry | None] | None, value_of: Value) -> bool:
    """Tell whether all entries hold; raises GraphQLError for one that makes no sense."""
    return all(_holds(entry, value_of) for entry in entries or () if entry is not None)


def _holds(entry: Entry, value_of: Value) -> bool:
    word, path, given = entry["operator"], entry["attributePath"], entry.get("comparisonValue")
    value = value_of(path)
    try:
        if word in OF_ANYTHING:
            return OF_ANYTHING[word](value, _like(path, value, given))
        wanted = [given, entry.get("secondaryValue")] if word == "BETWEEN" else given
        return value is not None and OF_VALUES[word](value, _like(path, value, wanted))
    except (TypeError, AttributeError, re.error) as error:
        raise _senseless(entry) from error


def _like(path: str, value: Any, given: Any) -> Any:
    """Return what was given as the kind of thing that it is compared with: an enum's value by its key, an instant."""
    if isinstance(given, list):
        return [_like(path, value, each) for each in given]
    if path == kit.STATE and isinstance(given, str):
        return next((key for key, name in enumerate(kit.MACHINE_STATES) if name.casefold() == given.casefold()), given)
    return instant(given) if isinstance(value, datetime) and isinstance(given, str) else given


def _senseless(entry: Entry) -> GraphQLError:
    return asset(INVALID, "Invalid argument", f"Cannot apply {entry['operator']} to '{entry['attributePath']}'.")


def ordered(rows: Iterable[T], orders: Sequence[Mapping[str, Any] | None] | None, value_of: Callable[[T, str], Any]) -> list[T]:
    """Return rows in order, the first order counting most; what has no value comes first."""
    result = list(rows)
    for each in reversed([each for each in orders or () if each is not None]):
        path = each["attributePath"]
        result.sort(key=lambda row: _rank(value_of(row, path)), reverse=each.get("sortOrder") == "DESCENDING")
    return result


def _rank(value: Any) -> tuple[bool, str, Any]:
    """Return what sorts values of any kind: none first, then numbers, then others as texts."""
    if isinstance(value, int | float):
        return (True, "", value)
    return (value is not None, type(value).__name__, str(value))
