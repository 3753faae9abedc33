"""Whatever a document says: it is a document or a fault, and none gets through that reaches what no document may."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.commands.documents import Document, load, offers
from bridge.errors import BadRequest, Fault
from bridge.providers.base import DocumentSettings, Endpoint, Guard, Kind, SourceSettings
from bridge.transport.graphql import Result
from tests.commands.office import NOW
from tests.commands.strange import json_values

MANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
GUARD = Guard(writes=frozenset({"notify", "update"}), hidden=frozenset({"apiKey", "refreshToken"}))
NAMES = ("notify", "update", "deleteAll", "sites", "apiKey", "refreshToken", "name", "__typename")
TYPES = ("Int", "Int!", "Float", "String!", "[String!]!", "[[ID]!]", "Boolean", "HomeInput!")


@dataclass(frozen=True)
class Selected:
    """One line of a selection: a field with its alias, an inline fragment, or a spread; `inner` is what stands in its braces."""

    name: str = ""
    alias: str = ""
    spread: str = ""
    inner: tuple["Selected", ...] = ()

    def __str__(self) -> str:
        braces = f" {{ {' '.join(map(str, self.inner))} }}" if self.inner else ""
        if self.spread:
            return f"...{self.spread}"
        if not self.name:
            return f"... on Any{braces}"
        return f"{f'{self.alias}: ' if self.alias else ''}{self.name}{braces}"


@dataclass(frozen=True)
class Written:
    """A document that can be parsed, and what it really asks for."""

    kind: Kind
    selected: tuple[Selected, ...]
    fragments: Mapping[str, tuple[Selected, ...]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self.variables.items())
        head = f"{'query' if self.kind is Kind.QUERY else 'mutation'} notify{f'({declared})' if declared else ''}"
        parts = [f"fragment {name} on Any {{ {' '.join(map(str, lines))} }}" for name, lines in self.fragments.items()]
        return " ".join([*parts[:1], f"{head} {{ {' '.join(map(str, self.selected))} }}", *parts[1:]])

    def roots(self, lines: Sequence[Selected] | None = None, entered: frozenset[str] = frozenset()) -> set[str]:
        found: set[str] = set()
        for line in self.selected if lines is None else lines:
            if line.name:
                found.add(line.name)
            elif line.spread and line.spread not in entered:
                found |= self.roots(self.fragments[line.spread], entered | {line.spread})
            elif not line.spread:
                found |= self.roots(line.inner, entered)
        return found

    def fields(self) -> set[str]:
        ahead = [*self.selected, *(line for lines in self.fragments.values() for line in lines)]
        found: set[str] = set()
        while ahead:
            line = ahead.pop()
            found |= {line.name} - {""}
            ahead += line.inner
        return found

    @property
    def may_be_sent(self) -> bool:
        written = self.roots() - {"__typename"} if self.kind is Kind.WRITE else set()
        allowed = len(written) <= 1 and not written - {"notify", "update"}
        return bool(self.roots()) and allowed and not self.fields() & GUARD.hidden


fragments = ("a", "b", "c")
names, aliases = st.sampled_from(NAMES), st.sampled_from(["", "", "notify", "sites"])


def _lines(inner: st.SearchStrategy[Selected]) -> st.SearchStrategy[tuple[Selected, ...]]:
    return st.lists(inner, min_size=1, max_size=3).map(tuple)


lines = st.recursive(
    st.builds(Selected, name=names, alias=st.sampled_from(["", "", "notify", "sites"]))
    | st.builds(Selected, spread=st.sampled_from(fragments)),
    lambda inner: st.builds(Selected, name=names, inner=_lines(inner)) | st.builds(Selected, inner=_lines(inner)),
    max_leaves=6,
)
written = st.builds(
    Written,
    st.sampled_from(Kind),
    _lines(lines),
    st.fixed_dictionaries({name: _lines(lines) for name in fragments}),
    st.dictionaries(st.sampled_from(["a", "b", "first"]), st.sampled_from(TYPES), max_size=3),
)
anything = st.text(max_size=200) | st.binary(max_size=200) | written.flatmap(
    lambda one: st.integers(0, len(str(one))).map(lambda at: str(one)[:at] + str(one)[at + 1 :])
)  # fmt: skip


def judged(folder: Path, text: str | bytes) -> Document | Fault:
    file = folder / "mine.graphql"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    own = SourceSettings(provider="any", operations={"mine": DocumentSettings(document=file)})
    (found,) = load(own, "sources.home", GUARD, (), folder, None)
    return found


class Source:
    """Takes what is JSON."""

    async def send(self, document: str, variables: dict[str, Any]) -> Result:
        json.dumps(variables, allow_nan=False)
        return Result({})

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (Endpoint("", self.send, {}, self.send),)


@pytest.mark.parametrize("examples", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_document_is_judged_by_what_it_really_asks_for(tmp_path: Path, examples: int) -> None:
    @settings(MANY, max_examples=examples)
    @given(written)
    def whatever(document: Written) -> None:
        found = judged(tmp_path, str(document))
        assert isinstance(found, Document) is document.may_be_sent, (str(document), found)
        if isinstance(found, Document):
            assert (found.kind, found.parsed.roots) == (document.kind, frozenset(document.roots()))

    whatever()


@pytest.mark.parametrize("examples", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_any_text_is_a_document_or_a_fault(tmp_path: Path, examples: int) -> None:
    @settings(MANY, max_examples=examples)
    @given(anything)
    def whatever(text: str | bytes) -> None:
        found = judged(tmp_path, text)
        assert isinstance(found, Document | Fault)
        assert isinstance(found, Document) or str(found).count("\n") == 0

    whatever()


@pytest.mark.parametrize("examples", [500, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_any_variables_are_sent_as_json_or_are_a_bad_request(tmp_path: Path, examples: int) -> None:
    chosen = {name: NAMES[index] for index, name in enumerate("abc")}
    document = Written(Kind.QUERY, (Selected(name="sites"),), {}, {name: TYPES[index] for index, name in enumerate(chosen)})
    found = judged(tmp_path, str(document))
    assert isinstance(found, Document)
    (offer,) = offers("home", {"mine": found}, Source())

    @settings(MANY, max_examples=examples)
    @given(st.dictionaries(st.sampled_from(["a", "b", "c"]) | st.text(max_size=5), json_values, max_size=4))
    def whatever(given_: dict[str, Any]) -> None:
        try:
            variables = offer.read(json.loads(json.dumps(given_)))
        except BadRequest:
            return
        coroutine = offer.run(variables, NOW)
        with pytest.raises(StopIteration):
            coroutine.send(None)  # type: ignore[attr-defined]

    whatever()
