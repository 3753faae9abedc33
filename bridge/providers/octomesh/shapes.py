"""What is known of a tenant's GraphQL schema: asked for by type, as it is needed, and kept in memory until it proves outdated.

A tenant's whole schema is 2 MB: it is never asked for. Types that are needed together are asked for together.
"""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import Malformed, Refused
from bridge.providers.octomesh.questions import Argument, Question
from bridge.transport.graphql import Json

Ask = Callable[[list[Question]], Awaitable[list[Any]]]  # raises SourceError where any of them is not answered

QUERY, MUTATION = "query", "mutation"
DEEPEST = 5  # from a connection or an input to the innermost type that matters
DEEPEST_REFERENCE = 6  # [[X!]!]! and no deeper
NAMED = "kind name " + "ofType { kind name " * DEEPEST_REFERENCE + "} " * DEEPEST_REFERENCE
VALUED = f"name type {{ {NAMED}}}"
TYPE = (
    f"kind name fields(includeDeprecated: true) {{ {VALUED} args {{ {VALUED} }} }} inputFields {{ {VALUED} }} "
    "enumValues(includeDeprecated: true) { name }"
)
ROOTS = f"queryType {{ {TYPE} }} mutationType {{ {TYPE} }}"
INPUT, ENUM, LEAVES = "INPUT_OBJECT", "ENUM", ("SCALAR", "ENUM")
BUILT_IN = frozenset({"Int", "Float", "String", "Boolean", "ID"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a type, or of an input."""

    name: str
    type: str  # as it is written: [String!]!
    kind: str  # of the innermost type: SCALAR, ENUM, OBJECT, INPUT_OBJECT, …
    named: str  # the innermost type
    arguments: Mapping[str, str]  # name → type as it is written

    @property
    def is_scalar(self) -> bool:
        """Whether it is one plain value that can be had without saying more."""
        needs = any(type_.endswith("!") for type_ in self.arguments.values())
        return self.kind in LEAVES and not self.type.startswith("[") and not needs


@dataclass(frozen=True, slots=True)
class Type:
    """A type of the schema; of an enum, `values` are its words."""

    name: str
    kind: str
    fields: Mapping[str, Field]
    values: tuple[str, ...] = ()

    def onward(self) -> set[str]:
        """Return the types that have to be known besides, to read or to write values of this one."""
        if self.kind == INPUT:
            return {field.named for field in self.fields.values() if field.kind in (INPUT, ENUM)}
        return {field.named for name, field in self.fields.items() if name in ("items", "pageInfo") or field.kind == ENUM}


class Shapes:
    """Asks for types, and remembers them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._types: dict[str, Type] = {}
        self._old: dict[str, Type] = {}  # for whoever is in the middle of a question when all is forgotten
        self._roots: dict[str, Type] = {}

    async def root(self, kind: str) -> Type:
        """Return the type at the root of queries or mutations. Raises Refused where there is none."""
        roots = self._roots
        if not roots:
            (told,) = await self._ask([Question((), "__schema", {}, ROOTS)])
            found = {QUERY: told.get("queryType"), MUTATION: told.get("mutationType")}
            roots = self._roots = {name: _type(one) for name, one in found.items() if one}
        if kind not in roots:
            raise Refused(f"the tenant's schema has no {kind}")
        return roots[kind]

    async def at(self, kind: str, *path: str) -> Type:
        """Return the type that one comes to from a root by the fields of `path`. Raises Refused where a field is missing."""
        found = await self.root(kind)
        for step in path:
            if step not in found.fields:
                raise Refused(f"the tenant's schema has no {step} in its {kind}")
            found = await self.type(found.fields[step].named)
        return found

    async def type(self, name: str) -> Type:
        """Return one type. Raises Refused where the schema has none of that name."""
        await self._fetch([name])
        return self.known(name)

    async def explore(self, names: Iterable[str]) -> None:
        """Get to know types, and those that lie behind them, a depth in one request."""
        wanted = set(names)
        for _ in range(DEEPEST):
            await self._fetch(wanted)
            wanted |= {inner for name in wanted for inner in self.known(name).onward()}
            if wanted <= self._types.keys():
                return

    def known(self, name: str) -> Type:
        """Return a type that was explored before. Raises Malformed where it was not, as the schema goes deeper than any known."""
        found = self._types.get(name) or self._old.get(name)
        if found is None:
            raise Malformed(f"the tenant's schema hides {name} too deeply")
        return found

    def forget(self) -> None:
        """Ask for everything anew: the tenant has other types than before."""
        self._old, self._types, self._roots = self._types or self._old, {}, {}

    async def _fetch(self, names: Iterable[str]) -> None:
        lacking = sorted(set(names) - self._types.keys())
        if not lacking:
            return
        questions = [Question((), "__type", {"name": Argument("String!", name)}, TYPE) for name in lacking]
        for name, told in zip(lacking, await self._ask(questions), strict=True):
            if not isinstance(told, dict):
                raise Refused(f"the tenant's schema has no type {name}")
            self._types[name] = _type(told)


def bare(type_: str) -> str:
    """Return `String` for `[String!]!`."""
    return type_.strip("[]!")


def mentioned(field: Field, *arguments: str) -> set[str]:
    """Return the types of a field and of its arguments, or of those `arguments` alone."""
    types = {bare(type_) for name, type_ in field.arguments.items() if not arguments or name in arguments}
    return {field.named, *types} - BUILT_IN


def typed(field: Field, given: Mapping[str, Any]) -> dict[str, Argument]:
    """Return arguments with the types that the schema has for them, those without a value left out. Raises Refused."""
    wanted = {name: value for name, value in given.items() if value is not None}
    for name in wanted:
        if name not in field.arguments:
            raise Refused(f"{field.name} of the tenant's schema takes no {name}")
    return {name: Argument(field.arguments[name], value) for name, value in wanted.items()}


def _type(told: Json) -> Type:
    entries = [*(told.get("fields") or ()), *(told.get("inputFields") or ())]
    fields = {entry["name"]: _field(entry) for entry in entries}
    values = tuple(str(value["name"]) for value in told.get("enumValues") or ())
    return Type(str(told["name"]), str(told["kind"]), fields, values)


def _field(told: Json) -> Field:
    innermost = told["type"]
    while innermost.get("ofType"):
        innermost = innermost["ofType"]
    arguments = {argument["name"]: _reference(argument["type"]) for argument in told.get("args") or ()}
    return Field(told["name"], _reference(told["type"]), innermost["kind"], sys.intern(innermost["name"]), arguments)


def _reference(told: Json) -> str:
    """Return a reference as it is written; interned, as a tenant's thousand fields have the same few."""
    match told["kind"]:
        case "NON_NULL":
            return sys.intern(f"{_reference(told['ofType'])}!")
        case "LIST":
            return sys.intern(f"[{_reference(told['ofType'])}]")
    return sys.intern(str(told["name"]))
