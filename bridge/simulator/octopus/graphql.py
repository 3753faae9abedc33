"""Executing a document as Kraken does: 200 with the errors beside the data, and 400 for what cannot be executed at all.

Both of the provider's endpoints are served by this, each with its own schema and root fields.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLFieldResolver,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql import visit as walk

from bridge.simulator.octopus.errors import odd
from bridge.simulator.octopus.faults import OctopusFault
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.server import Response
from bridge.simulator.viewer import resolve

log = logging.getLogger(__name__)

RootField = Callable[..., object]
"""Answers a field of the root for a visit; field and arguments are in snake case."""
INTERNAL = {"errorType": "APPLICATION", "errorCode": "KT-CT-7899", "errorDescription": ""}


@dataclass(frozen=True)
class Question:
    """What was posted."""

    query: str
    variables: dict[str, Any]
    operation: str | None


def question(body: bytes) -> Question | None:
    """Return what was posted, None where that is no question."""
    try:
        posted = json.loads(body)
    except ValueError:
        return None
    match posted:
        case {"query": str(query)}:
            variables, operation = posted.get("variables") or {}, posted.get("operationName")
            if isinstance(variables, dict) and isinstance(operation, str | None):
                return Question(query, variables, operation)
    return None


def asked(schema: GraphQLSchema, question: Question) -> tuple[str | None, tuple[str, ...]]:
    """Return the name of the operation and its root fields, as far as the document is valid."""
    document = _prepared(schema, question.query)
    only = get_operation_ast(document, question.operation) if isinstance(document, DocumentNode) else None
    if only is None:
        return question.operation, ()
    roots = tuple(node.name.value for node in only.selection_set.selections if isinstance(node, FieldNode))
    return only.name.value if only.name else None, roots


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
    document = _prepared(schema, question.query)
    if not isinstance(document, DocumentNode):
        return document
    only = get_operation_ast(document, question.operation)
    if only is None:
        return rejection("There is no single operation of that name in the document.")
    result = execute_sync(
        schema,
        document,
        root_value=root,
        variable_values=question.variables,
        operation_name=question.operation,
        field_resolver=resolver,
    )
    errors = result.errors or []
    if errors and all(error.path is None for error in errors):  # nothing was executed
        return _json(400, {"errors": [error.formatted for error in errors]})
    formatted = {"errors": [_formatted(error) for error in errors]} if errors else {}
    return _json(200, {**formatted, "data": result.data})


def rejection(message: str) -> Response:
    """Return the answer to what is no question."""
    return _json(400, {"errors": [{"message": message}]})


def breakdown(message: str) -> Response:
    """Return the answer that holds nothing but an error of no place."""
    return _json(200, {"errors": [{"message": message, "extensions": INTERNAL}], "data": None})


def removal(schema: GraphQLSchema, question: Question, removed: str | None, *, bare: bool) -> Response | None:
    """Return the refusal of a document that asks for the field `removed`, None where it does not; see `OctopusFaults`."""
    document = _prepared(schema, question.query)
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


@lru_cache(maxsize=256)
def _prepared(schema: GraphQLSchema, query: str) -> DocumentNode | Response:
    """The valid document, or the answer that says what is wrong with it."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return _json(400, {"errors": [error.formatted]})
    if errors := validate(schema, document):
        return _json(400, {"errors": [error.formatted for error in errors]})
    if any(isinstance(node, OperationDefinitionNode) for node in document.definitions):
        return document
    return rejection("There is no operation in the document.")


def _formatted(error: GraphQLError) -> Mapping[str, Any]:
    if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
        log.error("a resolver failed at %s", error.path, exc_info=error.original_error)
        return {**error.formatted, "extensions": INTERNAL}
    return {**error.formatted}


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), "application/json")
