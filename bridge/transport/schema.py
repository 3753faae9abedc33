"""The schema that a GraphQL endpoint tells of itself, and whether documents still fit it.

What is given through a variable is not looked into: an input field that a server hides and still honours is no finding.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bridge.errors import Malformed, Misconfigured, Refused, SourceError
from bridge.transport.document import tree

if TYPE_CHECKING:  # `judge.py` does without HTTP
    import graphql

    from bridge.transport.graphql import Json, Result

    Ask = Callable[[str, Json], Awaitable[Result]]  # a document and its variables

MOST, LONGEST = 20, 200  # deprecations in a source's health, and characters of one
MOST_NAMES = 12  # that are told where none is like the one that was asked for
NO_REASON = "no reason is given"
MEND = "Update kwh2mqtt, or mend the document where it is your own"


class Finding(NamedTuple):
    """What is wrong with a document, or will be one day."""

    document: str
    kind: Literal["error", "deprecated"]
    text: str  # one line


async def introspected(ask: "Ask") -> str:
    """Return the whole schema of an endpoint as SDL, sorted; asked in one request or two. Raises SourceError."""
    from graphql import get_introspection_query

    try:
        answer = await _answer(ask, get_introspection_query(input_value_deprecation=True))
    except SourceError as error:
        if not isinstance(error, Refused) and "deprecat" not in str(error).lower():
            raise
        answer = await _answer(ask, get_introspection_query())  # a server from before inputs could be deprecated
    return sdl(answer)


async def _answer(ask: "Ask", document: str) -> "Json":
    result = await ask(document, {})
    if result.errors and not result.data.get("__schema"):
        raise Refused(result.errors[0].message)
    return result.data


def findings(sdl: str, documents: Mapping[str, str], mend: str = MEND) -> list[Finding]:
    """Return what in `documents`, by name, the schema does not know or calls deprecated. Raises Malformed where `sdl` is none."""
    from graphql import build_schema

    with _as_malformed():
        schema = build_schema(sdl, assume_valid=True, no_location=True)  # a provider's own slips are not ours to judge
    return [finding for name, text in documents.items() for finding in _judged(schema, name, text, mend)]


def notices(found: Iterable[Finding]) -> list[str]:
    """Return the deprecations as they stand in `{source}/health`."""
    lines = [f"{finding.document}: {finding.text}" for finding in found if finding.kind == "deprecated"]
    return [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines[:MOST]]


def _judged(schema: "graphql.GraphQLSchema", name: str, text: str, mend: str) -> Iterator[Finding]:
    from graphql import NoDeprecatedCustomRule, validate

    try:
        document = tree(text)
    except Misconfigured as error:
        yield from (Finding(name, "error", f"{fault.problem}; {fault.mend}") for fault in error.faults)
        return
    for problem in _lines(validate(schema, document)):
        yield Finding(name, "error", f"{problem}{_known(schema, problem)} {mend}")
    for notice in _lines(validate(schema, document, [NoDeprecatedCustomRule])):
        yield Finding(name, "deprecated", _deprecation(notice))


def _lines(errors: "list[graphql.GraphQLError]") -> list[str]:
    """Return the messages, each once: what is asked for in two places is wrong in both."""
    return list(dict.fromkeys(" ".join(error.message.split()) for error in errors))


def _known(schema: "graphql.GraphQLSchema", problem: str) -> str:
    """Return what there is in place of a field or an argument that nothing is like; graphql-core tells the nearest by itself."""
    if "Did you mean" in problem:
        return ""
    if field := re.match(r"Cannot query field '\w+' on type '(\w+)'", problem):
        return _names("It has", getattr(schema.type_map.get(field[1]), "fields", ()))
    if argument := re.match(r"Unknown argument '\w+' on field '(\w+)\.(\w+)'", problem):
        fields = getattr(schema.type_map.get(argument[1]), "fields", {})
        return _names("It takes", fields[argument[2]].args) if argument[2] in fields else ""
    return ""


def _names(told: str, names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f" {told}: {', '.join(names[:MOST_NAMES]) or 'none'}{more}."


def _deprecation(notice: str) -> str:
    """Return `Query.prices is deprecated: reason` for graphql-core's `The field Query.prices is deprecated. reason`."""
    subject, apart, reason = notice.partition(" is deprecated. ")
    return f"{subject.split()[-1].strip(chr(39))} is deprecated: {reason}" if apart else notice


def sdl(answer: Any) -> str:
    """Return what a server answered to an introspection as SDL, sorted. Raises Malformed."""
    from graphql import build_client_schema, lexicographic_sort_schema, print_schema

    with _as_malformed():
        schema = build_client_schema(_reasoned(answer), assume_valid=True)
        return print_schema(lexicographic_sort_schema(schema))


def _reasoned(value: Any) -> Any:
    """Return `value` with a reason for everything deprecated: without one, graphql-core takes it for not deprecated."""
    match value:
        case list():
            return [_reasoned(item) for item in value]
        case dict():
            whole = {key: _reasoned(item) for key, item in value.items()}
            lacks = whole.get("isDeprecated") is True and not whole.get("deprecationReason")
            return whole | {"deprecationReason": NO_REASON} if lacks else whole
        case _:
            return value


@contextmanager
def _as_malformed() -> Iterator[None]:
    from graphql import GraphQLError

    try:
        yield
    except (GraphQLError, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        problem = str(error).partition(":")[0]  # after it stands what the provider sent
        raise Malformed(f"the answer is no schema ({type(error).__name__}: {problem})") from None
