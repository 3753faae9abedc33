"""A GraphQL document judged by what it really asks for: by its fields after aliases and fragments, never by its look.

graphql-core reads it, which costs 5 MiB and 80 ms: loaded when the first document has to be judged, not before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from bridge.errors import Fault, Misconfigured
from bridge.transport.answer import shortened

if TYPE_CHECKING:
    import graphql

    Fragments = Mapping[str, graphql.FragmentDefinitionNode]  # by name

MAX_TOKENS = 1000  # words and signs: our longest document has 175, GraphQL's own introspection 180
KEY = "document"  # in `[sources.NAME.operations.OP]`
HARMLESS = frozenset({"__typename"})  # a field that every type has, the mutations' too


class Variable(NamedTuple):
    """A variable that an operation declares."""

    name: str  # without its $
    type: str  # such as [String!]!
    required: bool  # it must be given: null is not allowed, and there is no default


@dataclass(frozen=True)
class Parsed:
    """What one operation asks for. Fields go by the schema's names, in which case counts, not by their aliases."""

    kind: Literal["query", "write"]
    roots: frozenset[str]  # the operation's own fields, those that its fragments bring among them
    fields: frozenset[str]  # every field of the document, wherever it stands
    variables: tuple[Variable, ...]
    keys: frozenset[str] = frozenset()  # under which anything stands in the answer: the aliases, where there are any


def parsed(text: str) -> Parsed:
    """Return what the one operation in `text` asks for. Raises Misconfigured: a fault of the key `document`, without a file."""
    operation, fragments = _parts(tree(text))
    fields, roots = _fields(operation, fragments), _roots(operation, fragments)
    if not roots:
        raise _fault("asks for nothing", "name a field")
    if operation.operation.value == "subscription":
        raise _fault("is a subscription", "ask once, with a query")
    kind: Literal["query", "write"] = "query" if operation.operation.value == "query" else "write"
    variables = _variables(operation.variable_definitions or ())
    if strange := sorted(_used(operation, fragments) - {variable.name for variable in variables}):
        raise _fault(f"uses ${shortened(strange[0])}, which it does not declare", "declare it with its type behind the name")
    return Parsed(kind, roots, fields, variables, _keys(operation, fragments))


def refusal(parsed: Parsed, writes: frozenset[str] | None, hidden: frozenset[str]) -> str | None:
    """Return why `parsed` may not be sent, and the mend; None where it may. The sets are a Guard's (bridge.providers.base)."""
    if shown := sorted(parsed.fields & hidden):
        return f"asks for {', '.join(shown)}, which may show a secret; take it out"
    if parsed.kind == "query" or writes is None:
        return None
    if others := sorted(parsed.roots - writes - HARMLESS):
        return f"writes by {', '.join(others)}, which no document may reach; take it out"
    return None


def tree(text: str) -> "graphql.DocumentNode":
    """Return the document in `text`. Raises Misconfigured where it is none, is too long or nested too deeply."""
    import graphql

    if not text.strip():
        raise _fault("is empty", "write a query or a mutation there")
    try:
        return graphql.parse(text, no_location=True, max_tokens=MAX_TOKENS)
    except graphql.GraphQLError as error:
        raise _unreadable(error) from None
    except RecursionError:  # the parser recurses: some 200 brackets exhaust Python's stack, and old releases leave it at that
        raise _fault("is nested too deeply", "flatten it") from None


def _unreadable(error: "graphql.GraphQLError") -> Misconfigured:
    problem = shortened(error.message.removeprefix("Syntax Error: ").rstrip("."))
    if "aborted" in problem:  # too long, or too deep
        return _fault(f"is too much to read ({problem})", f"divide or flatten it; {MAX_TOKENS} words and signs are the most")
    line = f"line {error.locations[0].line}: " if error.locations else ""
    return _fault(f"cannot be read ({line}{problem})", "put it right there")


def _parts(document: "graphql.DocumentNode") -> "tuple[graphql.OperationDefinitionNode, Fragments]":
    import graphql

    operations = [node for node in document.definitions if isinstance(node, graphql.OperationDefinitionNode)]
    fragments = [node for node in document.definitions if isinstance(node, graphql.FragmentDefinitionNode)]
    if len(operations) != 1:
        raise _fault(f"holds {len(operations) or 'no'} operations", "it must be exactly one")
    if len(fragments) + 1 < len(document.definitions):
        raise _fault("defines types", "leave nothing but the operation and its fragments")
    named = {fragment.name.value: fragment for fragment in fragments}
    if len(named) < len(fragments):  # which of the two a server takes is its own affair
        raise _fault("has two fragments of one name", "rename one of them")
    return operations[0], named


def _fields(operation: "graphql.OperationDefinitionNode", fragments: "Fragments") -> frozenset[str]:
    """Return the names of all fields, also of those in a fragment that nothing uses."""
    import graphql

    selections = list(_selections(node.selection_set for node in (operation, *fragments.values())))
    spread = {selection.name.value for selection in selections if isinstance(selection, graphql.FragmentSpreadNode)}
    if lacking := sorted(spread - fragments.keys()):
        raise _fault(f"lacks the fragment {shortened(lacking[0])}", "write it below the operation")
    return frozenset(selection.name.value for selection in selections if isinstance(selection, graphql.FieldNode))


def _keys(operation: "graphql.OperationDefinitionNode", fragments: "Fragments") -> frozenset[str]:
    import graphql

    selections = _selections(node.selection_set for node in (operation, *fragments.values()))
    nodes = (selection for selection in selections if isinstance(selection, graphql.FieldNode))
    return frozenset((node.alias or node.name).value for node in nodes)


def _selections(sets: "Iterable[graphql.SelectionSetNode]") -> "Iterator[graphql.SelectionNode]":
    """Yield what stands in `sets` at any depth. A fragment that is spread there is not entered."""
    ahead = list(sets)
    while ahead:
        for selection in ahead.pop().selections:
            yield selection
            inner = getattr(selection, "selection_set", None)
            ahead += [inner] if inner else []


def _roots(operation: "graphql.OperationDefinitionNode", fragments: "Fragments") -> frozenset[str]:
    """Return the names of the operation's own fields. A fragment is entered once, so one that leads back to itself ends."""
    import graphql

    names: set[str] = set()
    entered: set[str] = set()
    ahead = [operation.selection_set]
    while ahead:
        for selection in ahead.pop().selections:
            if isinstance(selection, graphql.FieldNode):
                names.add(selection.name.value)
            elif isinstance(selection, graphql.InlineFragmentNode):
                ahead.append(selection.selection_set)
            elif isinstance(selection, graphql.FragmentSpreadNode) and selection.name.value not in entered:
                entered.add(selection.name.value)
                ahead.append(fragments[selection.name.value].selection_set)
    return frozenset(names)


def _used(operation: "graphql.OperationDefinitionNode", fragments: "Fragments") -> frozenset[str]:
    """Return the names of all variables that stand anywhere below the operation and its fragments."""
    import graphql

    names: set[str] = set()

    class Variables(graphql.Visitor):
        def enter_variable(self, node: graphql.VariableNode, *_: object) -> None:
            names.add(node.name.value)

    for node in (operation.selection_set, *fragments.values()):
        graphql.visit(node, Variables())
    return frozenset(names)


def _variables(nodes: "Sequence[graphql.VariableDefinitionNode]") -> tuple[Variable, ...]:
    import graphql

    variables = tuple(
        Variable(
            name=node.variable.name.value,
            type=graphql.print_ast(node.type),
            required=isinstance(node.type, graphql.NonNullTypeNode) and node.default_value is None,
        )
        for node in nodes
    )
    if len({variable.name for variable in variables}) < len(variables):
        raise _fault("declares a variable twice", "leave one of them")
    return variables


def _fault(problem: str, mend: str) -> Misconfigured:
    return Misconfigured([Fault(KEY, problem, mend)])
