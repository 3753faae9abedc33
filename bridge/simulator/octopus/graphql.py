"""Executing a document as Kraken does: 200 with the errors beside the data, and 400 for what cannot be executed at all.

Both of the provider's endpoints are served by this, each with its own schema and root fields.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLFieldResolver,
    GraphQLResolveInfo,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
)
from graphql import visit as walk

from bridge.simulator.graphql import Question, accidental, as_json, outcome, prepared, resolve
from bridge.simulator.octopus.errors import odd
from bridge.simulator.octopus.faults import OctopusFault
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.server import Response

RootField = Callable[..., object]
"""Answers a field of the root for a visit; field and arguments are in snake case."""
INTERNAL = {"errorType": "APPLICATION", "errorCode": "KT-CT-7899", "errorDescription": ""}


@dataclass(frozen=True)
class Root:
    """The root of one request: its attributes are the root fields, bound to the visit."""

    visit: Visit
    fields: Mapping[str, RootField]

    def __getattr__(self, name: str) -> RootField:
        return partial(self.fields[name], self.visit)


def resolver(admit: Callable[[Visit, str], None]) -> GraphQLFieldResolver:
    """Return what resolves every field: one of the root only after the visitor was admitted to it."""

    def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
        if isinstance(source, Root):
            admit(source.visit, info.field_name)
            if source.visit.met.fault is OctopusFault.NULL_FIELD and source.visit.met.field == info.field_name:
                return None
        return resolve(source, info, **arguments)

    return resolved


def executed(schema: GraphQLSchema, question: Question, root: Root, resolver: GraphQLFieldResolver) -> Response:
    """Return the answer to a question."""
    came = outcome(schema, question, root, resolver)
    if came.refusal:
        return _json(400, {"errors": [error.formatted for error in came.errors]})
    formatted = {"errors": [_formatted(error) for error in came.errors]} if came.errors else {}
    return _json(200, {**formatted, "data": came.data})


def rejection(message: str) -> Response:
    """Return the answer to what is no question."""
    return _json(400, {"errors": [{"message": message}]})


def breakdown(message: str) -> Response:
    """Return the answer that holds nothing but an error of no place."""
    return _json(200, {"errors": [{"message": message, "extensions": INTERNAL}], "data": None})


def removal(schema: GraphQLSchema, question: Question, removed: str | None, *, bare: bool) -> Response | None:
    """Return the refusal of a document that asks for the field `removed`, None where it does not; see `OctopusFaults`."""
    document = prepared(schema, question.query)
    if not isinstance(document, DocumentNode):
        return None
    for type_name, node in _fields(schema, document):
        name = node.name.value
        if f"{type_name}.{name}" == removed or (removed is None and node.selection_set is None):
            error = GraphQLError(f"Cannot query field '{name}' on type '{type_name}'.", node)
            extensions = {} if bare else {"extensions": odd("").extensions}
            return _json(400, {"errors": [{**error.formatted, **extensions}]})
    return None


def _fields(schema: GraphQLSchema, document: DocumentNode) -> Sequence[tuple[str, FieldNode]]:
    """Every field of a document, and the type that it is asked of."""
    found: list[tuple[str, FieldNode]] = []
    types = TypeInfo(schema)

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            if (parent := types.get_parent_type()) is not None:
                found.append((parent.name, node))

    walk(document, TypeInfoVisitor(types, Fields()))
    return found


def _formatted(error: GraphQLError) -> Mapping[str, Any]:
    return {**error.formatted, **({"extensions": INTERNAL} if accidental(error) else {})}


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return as_json(status, content, "application/json")
