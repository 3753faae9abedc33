"""How the published server words filters, orders and answers: pure.

Attributes come as a list of names and values, whose capitals are not relied on; units stand in the construction kit.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bridge.providers.octomesh.dialect import Order, Point, Row, Search
from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME, Condition, Every, Filter, Some
from bridge.providers.octomesh.raw import instant, number, perhaps
from bridge.transport.graphql import Json

OWN_NAMES = {WELL_KNOWN_NAME: "rtWellKnownName"}  # ours → the server's
OPERATORS = {
    "eq": "EQUALS", "neq": "NOT_EQUALS", "gt": "GREATER_THAN", "gte": "GREATER_EQUAL_THAN", "lt": "LESS_THAN",
    "lte": "LESS_EQUAL_THAN", "contains": "LIKE", "startsWith": "MATCH_REG_EX", "endsWith": "MATCH_REG_EX", "in": "IN",
}  # fmt: skip
ENTITY = "rtId ckTypeId rtWellKnownName rtChangedDateTime"
UNIT = "unit"  # the key of an attribute's metadata, whatever its capitals


def units(value: Any) -> dict[tuple[str, str], str]:
    """Return the units of attributes by type and name in small letters; a kit that tells nothing tells none."""
    found: dict[tuple[str, str], str] = {}
    for type_ in _items(value):
        for one in _items(type_.get("attributes")):
            facts = (one.get("attribute") or {}).get("metaData") or ()
            unit = next((fact.get("value") for fact in facts if str(fact.get("key")).lower() == UNIT), None)
            if unit:
                found[type_["rtCkTypeId"], one["attributeName"].casefold()] = str(unit)
    return found


def _items(page: Any) -> list[Any]:
    return [item for item in (page or {}).get("items") or () if item]


def worded(filter_: Filter, words: Mapping[str, Mapping[str, str]]) -> Filter:
    """Return a filter with the words of enums as the schema has them."""
    match filter_:
        case Condition(attribute, _, value) if attribute in words:
            own = words[attribute]
            own_words = [own.get(str(one).casefold(), one) for one in (value if isinstance(value, list) else [value])]
            return replace(filter_, value=own_words if isinstance(value, list) else own_words[0])
        case Every(parts):
            return Every(tuple(worded(part, words) for part in parts))
        case Some(parts):
            return Some(tuple(worded(part, words) for part in parts))
    return filter_


def told(condition: Condition) -> Json:
    """Return a condition as the server's input has it. A beginning or an end goes as a regular expression, its signs escaped."""
    value = condition.value
    if condition.operator in ("startsWith", "endsWith"):
        value = f"^{re.escape(value)}" if condition.operator == "startsWith" else f"{re.escape(value)}$"
    return compared(OWN_NAMES.get(condition.attribute, condition.attribute), OPERATORS[condition.operator], value)


def compared(path: str, operator: str, value: Any) -> Json:
    return {"attributePath": path, "operator": operator, "comparisonValue": value}


def sorted_by(order: Order) -> Json:
    path = OWN_NAMES.get(order.attribute, order.attribute)
    return {"attributePath": path, "sortOrder": "DESCENDING" if order.descending else "ASCENDING"}


def row(item: Json, search: Search | None) -> Row:
    """Return an entity, with the attributes of `search`, or with those that stand in it. Raises one of ODD."""
    shown = {str(one["attributeName"]).casefold(): one.get("value") for one in _items(item.get("attributes"))}
    wanted = search.question.inner["names"].value if search and search.question.inner else []
    plain = {name: value for name, value in item.items() if name not in (*ENTITY.split(), "attributes")}
    return Row(
        rt_id=str(item[RT_ID]),
        type=str(item.get("ckTypeId") or ""),
        well_known_name=item.get("rtWellKnownName"),
        changed=perhaps(item.get("rtChangedDateTime")),
        attributes=plain | {name: _value(shown.get(name.casefold()), name, search) for name in wanted},
    )


def _value(value: Any, name: str, search: Search | None) -> Any:
    """Return a value as the schema has it: the word of an enum, a number as a number."""
    if search is None or not isinstance(value, str):
        return value
    words = search.words.get(name)
    if words is not None:
        return words.get(value.casefold(), value)
    return number(value) if name in search.numbers else value


def point(item: Json, names: Iterable[str], numbers: Container[str]) -> Point:
    """Return a point with the columns `names`, of which some are `numbers`. Raises one of ODD."""
    shown = {str(cell["attributePath"]).casefold(): cell.get("value") for cell in _items(item.get("cells"))}
    values = {name: shown.get(name.casefold()) for name in names}
    return Point(
        instant(item["timestamp"]), {name: number(value) if name in numbers else value for name, value in values.items()}
    )
