"""Executing a GraphQL document as every simulated provider does; how an answer is dressed is each provider's own.

Documents are really parsed, validated and executed against a schema, so that a wrong one fails here as it would there.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import lru_cache
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
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from bridge.simulator.server import Response

log = logging.getLogger(__name__)

PREPARED = 256  # documents


@dataclass(frozen=True)
class Question:
    """What was posted."""

    query: str
    variables: dict[str, Any]
    operation: str | None


class Refusal(StrEnum):
    """Why nothing of a document was executed."""

    SYNTAX = auto()
    INVALID = auto()
    """It asks for what the schema does not have."""
    NO_OPERATION = auto()
    """It has none of the name that was given, or several and no name was given."""
    VARIABLES = auto()
    """They are not of the types that the operation declares."""


@dataclass(frozen=True)
class Outcome:
    """What executing a question came to; with a `refusal` there are errors and no data."""

    data: dict[str, Any] | None
    errors: Sequence[GraphQLError] = ()
    refusal: Refusal | None = None


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
    only = operation(schema, question)
    if only is None:
        return question.operation, ()
    roots = tuple(node.name.value for node in only.selection_set.selections if isinstance(node, FieldNode))
    return only.name.value if only.name else None, roots


def operation(schema: GraphQLSchema, question: Question) -> OperationDefinitionNode | None:
    """Return the operation that is to be executed, None where the document is not valid or has none of that name."""
    document = prepared(schema, question.query)
    return get_operation_ast(document, question.operation) if isinstance(document, DocumentNode) else None


def outcome(schema: GraphQLSchema, question: Question, root: object, resolver: GraphQLFieldResolver) -> Outcome:
    """Execute a question; a resolver that fails by accident is logged, see `accidental`."""
    document = prepared(schema, question.query)
    if not isinstance(document, DocumentNode):
        return document
    if get_operation_ast(document, question.operation) is None:
        error = GraphQLError("There is no single operation of that name in the document.")
        return Outcome(None, (error,), Refusal.NO_OPERATION)
    result = execute_sync(
        schema,
        document,
        root_value=root,
        variable_values=question.variables,
        operation_name=question.operation,
        field_resolver=resolver,
    )
    errors = result.errors or []
    for error in filter(accidental, errors):
        log.error("a resolver failed at %s", error.path, exc_info=error.original_error)
    nothing = errors and all(error.path is None for error in errors)
    return Outcome(result.data, errors, Refusal.VARIABLES if nothing else None)


@lru_cache(maxsize=PREPARED)
def prepared(schema: GraphQLSchema, query: str) -> DocumentNode | Outcome:
    """Return the valid document, or the outcome that says what is wrong with it."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return Outcome(None, (error,), Refusal.SYNTAX)
    errors = validate(schema, document)
    return Outcome(None, errors, Refusal.INVALID) if errors else document


def accidental(error: GraphQLError) -> bool:
    """Tell whether a resolver did not mean to raise this."""
    return error.original_error is not None and not isinstance(error.original_error, GraphQLError)


def as_json(status: int, content: Mapping[str, Any], content_type: str = Response.content_type) -> Response:
    """Return an answer as compact as the providers' own."""
    return Response(status, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), content_type)


def resolve(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
    """Read a mapping by the provider's name and anything else by its snake case, calling what can be called."""
    if isinstance(source, dict):
        return source[info.field_name]
    value = getattr(source, snake(info.field_name))
    return value(**{snake(name): each for name, each in arguments.items()}) if callable(value) else value


@lru_cache(maxsize=256)
def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
