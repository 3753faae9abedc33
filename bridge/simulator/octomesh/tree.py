"""The upper fields of a schema as a tree: branches that only hold others, and leaves that answer for a visit.

A leaf below `mutation` is a write, and is noted once it was carried out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLResolveInfo, GraphQLSchema, OperationDefinitionNode, OperationType

from bridge.simulator.graphql import Question, operation, resolve, snake
from bridge.simulator.octomesh.visit import Visit

Leaf = Callable[..., object]
"""Answers a field for a visit; arguments are in snake case."""
Tree = Mapping[str, "Leaf | Tree"]

QUERY, MUTATION = "query", "mutation"


@dataclass(frozen=True)
class Branch:
    """A place in the tree during one request; `path` is how it was reached from the root."""

    visit: Visit
    tree: Tree
    is_write: bool = False
    path: tuple[str, ...] = ()

    def field(self, name: str, arguments: Mapping[str, Any]) -> object:
        path, found = (*self.path, name), self.tree[name]
        if not callable(found):
            return Branch(self.visit, found, self.is_write, path)
        self.visit.admit(path[1], arguments.get("after"))
        answer = found(self.visit, **{snake(each): value for each, value in arguments.items()})
        if self.is_write:
            self.visit.write(".".join(path[1:]), arguments)
        return answer


def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
    """Resolve a field of either schema."""
    if isinstance(source, Branch):
        return source.field(info.field_name, arguments)
    return resolve(source, info, **arguments)


@dataclass(frozen=True)
class Purpose:
    """What a request is about; `fields` are those below the root, as `runtimeEntities`, or of the root in an introspection."""

    operation: str | None = None
    fields: tuple[str, ...] = ()
    is_write: bool = False
    is_later: bool = False
    """Whether it asks for a page after the first."""


def purpose(schema: GraphQLSchema, question: Question | None) -> Purpose:
    """Return what a question is about, as far as it is valid."""
    if question is None:
        return Purpose()
    node = operation(schema, question)
    if node is None:
        return Purpose(question.operation)
    roots = _fields(node)
    leaves = [leaf for root in roots for leaf in (_fields(root) if not root.name.value.startswith("__") else [root])]
    return Purpose(
        node.name.value if node.name else None,
        tuple(leaf.name.value for leaf in leaves),
        node.operation is OperationType.MUTATION,
        any(_is_later(leaf, question.variables) for leaf in leaves),
    )


def _fields(node: OperationDefinitionNode | FieldNode) -> list[FieldNode]:
    selections = node.selection_set.selections if node.selection_set else ()
    return [each for each in selections if isinstance(each, FieldNode)]


def _is_later(node: FieldNode, variables: Mapping[str, Any]) -> bool:
    for each in node.arguments or ():
        if each.name.value == "after":
            written = each.value.to_dict()
            name = (written.get("name") or {}).get("value")
            return (variables.get(name) if name else written.get("value")) is not None
    return any(_is_later(inner, variables) for inner in _fields(node))
