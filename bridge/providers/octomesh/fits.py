"""Whether what is wanted or given fits the types of a tenant's schema; what does not is named, beside what is most like it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bridge.errors import Refused
from bridge.providers.octomesh.codes import Lacking
from bridge.providers.octomesh.dialect import SYSTEM, Order
from bridge.providers.octomesh.filters import Filter, conditions
from bridge.providers.octomesh.naming import hint
from bridge.providers.octomesh.raw import NUMBERS
from bridge.providers.octomesh.shapes import Field, Shapes, Type


class Chosen(NamedTuple):
    """The attributes that can be had of those wanted, and what to say of the others."""

    names: tuple[str, ...]
    lacking: Mapping[str, str]


def field(parent: Type, name: str, type_: str) -> Field:
    """Return the field by which a type goes. Raises Refused, with the field that is most like it."""
    if name not in parent.fields:
        raise Lacking(f"the tenant's schema has no {name} for {type_}{hint(name, parent.fields)}")
    return parent.fields[name]


def scalars(item: Type) -> tuple[str, ...]:
    """Return every plain attribute that is the type's own."""
    return tuple(name for name, found in item.fields.items() if found.is_scalar and name not in SYSTEM)


def numbers(item: Type) -> frozenset[str]:
    """Return the attributes whose values are numbers."""
    return frozenset(name for name, found in item.fields.items() if found.named in NUMBERS)


def chosen(item: Type, wanted: Iterable[str] | None, type_: str) -> Chosen:
    """Return what can be had of the attributes that are wanted; None wants every plain one."""
    if wanted is None:
        return Chosen(scalars(item), {})
    names: list[str] = []
    lacking: dict[str, str] = {}
    for name in dict.fromkeys(wanted):
        if name not in item.fields:
            lacking[name] = f"{type_} has no attribute {name}{hint(name, scalars(item))}"
        elif not item.fields[name].is_scalar:
            lacking[name] = f"{name} of {type_} is no plain value"
        else:
            names.append(name)
    return Chosen(tuple(names), lacking)


def besides(item: Type, rest: Filter | None) -> list[str]:
    """Return what is to be asked for though nobody wants it: what is filtered by here, and what an entity is called."""
    named = ["name"] if "name" in item.fields and item.fields["name"].is_scalar else []
    return named + [condition.attribute for condition in conditions(rest)] if rest is not None else named


def must_be_known(item: Type, filter_: Filter, order: Iterable[Order], own: Mapping[str, str], type_: str) -> None:
    """Raises Refused where a filter or an order names what the type does not have; `own` has the dialect's names."""
    named = [*(condition.attribute for condition in conditions(filter_)), *(one.attribute for one in order)]
    for name in named:
        if own.get(name, name) not in item.fields:
            raise Refused(f"{type_} has no attribute {name}{hint(name, scalars(item))}")


def accepted(shapes: Shapes, taken: Type, given: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """Return the attributes of a write as the input `taken` wants them. Raises Refused for one that it does not have."""
    for name in given:
        if name not in taken.fields:
            raise Refused(f"{type_} takes no attribute {name}{hint(name, taken.fields)}")
    return {name: _worded(shapes, taken.fields[name], value) for name, value in given.items()}


def _worded(shapes: Shapes, taken: Field, value: Any) -> Any:
    """Return a word of an enum as the schema writes it, whatever its capitals."""
    if taken.kind != "ENUM" or value is None:
        return value
    words = {word.casefold(): word for word in shapes.known(taken.named).values}
    if not isinstance(value, str) or value.casefold() not in words:
        raise Refused(f"{taken.name} must be one of: {', '.join(words.values())}")
    return words[value.casefold()]
