"""Questions, and how several of them become one GraphQL document: each under an alias, all values as variables. Pure.

Names in a question must have been found in the tenant's schema, or be this program's own: they are written as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

from bridge.errors import Malformed
from bridge.transport.graphql import Json, PathError, Result


class Argument(NamedTuple):
    """A value and the GraphQL type that it is declared with, such as `[String]!`."""

    type: str
    value: Any


@dataclass(frozen=True)
class Question:
    """One field to be asked for, and where it stands below the root."""

    place: tuple[str, ...]  # such as runtime
    name: str  # of the field
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    selection: str = ""  # without its braces; `$name` in it is one of `inner`; empty for what has no fields
    inner: Mapping[str, Argument] = field(default_factory=dict)


class Written(NamedTuple):
    """A document and its variables."""

    text: str
    variables: Json


def alias(number: int) -> str:
    return f"q{number}"


def written(questions: Sequence[Question], kind: Literal["query", "mutation"] = "query") -> Written:
    """Return the one document that asks all `questions`; the answers stand where `answer` finds them."""
    variables: dict[str, Argument] = {}
    placed: list[tuple[tuple[str, ...], str]] = []
    for number, question in enumerate(questions):
        own = alias(number)
        variables |= {f"{own}_{name}": given for name, given in {**question.arguments, **question.inner}.items()}
        placed.append((question.place, _field(own, question)))
    declared = ", ".join(f"${name}: {given.type}" for name, given in variables.items())
    body = " ".join(_nested(place, [text for _, text in group]) for place, group in groupby(placed, key=lambda one: one[0]))
    head = f"{kind} Bridge({declared})" if declared else f"{kind} Bridge"
    return Written(f"{head} {{ {body} }}", {name: given.value for name, given in variables.items()})


def answer(result: Result, questions: Sequence[Question], number: int) -> Any | PathError:
    """Return what came for one of `questions`, None where nothing did; the error in its place where there is one."""
    path = (*questions[number].place, alias(number))
    found: Any = result.data
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    error = result.error_at(*path) if found is None else None
    return error if error is not None else found


def connection(value: Any, what: str) -> Json:
    """Return `value` where it is a page of `what`. Raises Malformed."""
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise Malformed(f"the answer holds no page of {what}")
    return value


def following(page: Json, what: str) -> str | None:
    """Return the cursor of the next page, None at the end. Raises Malformed where there is more, and nobody says where."""
    told = page.get("pageInfo") or {}
    if not told.get("hasNextPage"):
        return None
    cursor = told.get("endCursor")
    if not isinstance(cursor, str) or not cursor:
        raise Malformed(f"a page of {what} says that there is more, and not where")
    return cursor


def _field(own: str, question: Question) -> str:
    given = ", ".join(f"{name}: ${own}_{name}" for name in question.arguments)
    called = f"{own}: {question.name}" + (f"({given})" if given else "")
    selection = question.selection.replace("$", f"${own}_")
    return f"{called} {{ {selection} }}" if selection else called


def _nested(place: tuple[str, ...], fields: Sequence[str]) -> str:
    body = " ".join(fields)
    for step in reversed(place):
        body = f"{step} {{ {body} }}"
    return body
