"""The filters of the documented dialect: conditions on a name, joined by AND and OR.

A null is taken for what is not asked, as everywhere in GraphQL's inputs; whether the provider does so is not known.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bridge.simulator.octomesh.streams import MOMENT, Span

Condition = Mapping[str, Any]
COMPARED: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "gt": operator.gt,
        "gte": operator.ge,
        "lt": operator.lt,
        "lte": operator.le,
        "contains": operator.contains,
        "startsWith": str.startswith,
        "endsWith": str.endswith,
        "in": lambda value, wanted: value in wanted,
    }
)
NARROWING = frozenset({"gt", "gte", "lt", "lte"})


def matches(condition: Condition | None, value_of: Callable[[str], Any]) -> bool:
    """Tell whether everything in a condition holds for a row, whose values `value_of` tells by name."""
    return all(_holds(name, wanted, value_of) for name, wanted in (condition or {}).items() if wanted is not None)


def _holds(name: str, wanted: Any, value_of: Callable[[str], Any]) -> bool:
    if name == "AND":
        return all(matches(each, value_of) for each in wanted)
    if name == "OR":
        return any(matches(each, value_of) for each in wanted)
    return all(_compared(word, value_of(name), bound) for word, bound in wanted.items() if bound is not None)


def _compared(word: str, value: Any, bound: Any) -> bool:
    if word in {"eq", "neq"}:
        return bool(value == bound) is (word == "eq")
    return value is not None and COMPARED[word](value, bound)


def span_of(condition: Condition | None) -> Span:
    """Return a span outside of which no point can meet a condition."""
    span = Span()
    for word, bound in ((condition or {}).get("timestamp") or {}).items():
        span = span if bound is None else _narrowed(span, word, bound)
    for each in (condition or {}).get("AND") or ():
        inner = span_of(each)
        span = span.narrowed(inner.start, inner.end)
    return span


def _narrowed(span: Span, word: str, bound: datetime) -> Span:
    match word:
        case "gt" | "gte":
            return span.narrowed(start=bound + MOMENT if word == "gt" else bound)
        case "lt" | "lte":
            return span.narrowed(end=bound if word == "lt" else bound + MOMENT)
        case "eq":
            return span.narrowed(bound, bound + MOMENT)
        case _:
            return span


def about(name: str, condition: Condition | None) -> Condition:
    """Return what a condition says of a name for certain, so outside of any OR."""
    asked = {key: wanted for key, wanted in (condition or {}).items() if wanted is not None}
    direct = {name: asked[name]} if name in asked else {}
    return {**direct, "AND": [about(name, each) for each in asked.get("AND", ())]}


def is_only_span(condition: Condition | None) -> bool:
    """Tell whether a condition says nothing that `span_of` and `about` of the rtIds do not."""
    asked = {name: wanted for name, wanted in (condition or {}).items() if wanted is not None and name != "rtId"}
    words: Sequence[str] = [*(asked.pop("timestamp", None) or ())]
    return set(words) <= NARROWING and all(is_only_span(each) for each in asked.pop("AND", ())) and not asked
