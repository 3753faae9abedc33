"""What a document really asks for: nothing hides behind an alias, a fragment, a comment or a letter's case."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import Misconfigured
from bridge.providers.base import Guard, Kind
from bridge.providers.tibber.documents import QUERIES
from bridge.transport.document import MAX_TOKENS, Parsed, Variable, parsed, refusal

ROOT = Path(__file__).resolve().parents[2]
GUARD = Guard(writes=frozenset({"boostStart", "boostCancel"}), hidden=frozenset({"token", "secretKey"}))


def roots(text: str) -> set[str]:
    return set(parsed(text).roots)


def judged(text: str, guard: Guard = GUARD) -> str | None:
    return refusal(parsed(text), guard.writes, guard.hidden)


def refused(text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        parsed(text)
    (fault,) = caught.value.faults
    assert (fault.key, fault.file) == ("document", None)
    return f"{fault.problem}; {fault.mend}"


@pytest.mark.parametrize(
    "text",
    [
        "query ($a: Int) { home(last: $days) }",
        "query ($a: Int) { home(in: { of: [1, $days] }) @include(if: true) }",
        "query ($a: Int) { ...F } fragment F on Query { home @skip(if: $days) }",
    ],
)
def test_a_variable_that_is_used_and_not_declared_is_a_fault(text: str) -> None:
    assert refused(text) == "uses $days, which it does not declare; declare it with its type behind the name"


# what is found


def test_a_query_is_told_whole() -> None:
    text = """query Mine($id: ID!, $last: Int = 3, $days: [Date!]!, $level: Level! = LOW) {
      homes: viewer { home(id: $id) { hourly: consumption(last: $last) { nodes { from } } } }
    }"""
    assert parsed(text) == Parsed(
        kind="query",
        roots=frozenset({"viewer"}),
        fields=frozenset({"viewer", "home", "consumption", "nodes", "from"}),
        variables=(
            Variable("id", "ID!", required=True),
            Variable("last", "Int", required=False),
            Variable("days", "[Date!]!", required=True),
            Variable("level", "Level!", required=False),
        ),
        keys=frozenset({"homes", "home", "hourly", "nodes", "from"}),
    )


def test_a_mutation_is_a_write() -> None:
    told = parsed("mutation { boostStart(id: 1) { ok } }")
    both = frozenset({"boostStart", "ok"})
    assert told == Parsed("write", frozenset({"boostStart"}), both, (), both)
    assert [Kind(parsed(text).kind) for text in ("{ a }", "mutation { a }")] == [Kind.QUERY, Kind.WRITE]


@pytest.mark.parametrize(
    "text",
    [
        "mutation { boostStart: deleteAll }",
        "mutation { ... { deleteAll } }",
        "mutation { ... on Mutation { x: deleteAll } }",
        "mutation { ... @include(if: true) { ... on Mutation @skip(if: false) { deleteAll @include(if: false) } } }",
        "mutation { ...A } fragment A on Mutation { ...B } fragment B on Mutation { boostStart: deleteAll }",
        "fragment A on Mutation { ... { deleteAll } } mutation { ... { ...A @skip(if: true) } }",
        "mutation { ...A } fragment A on Mutation { ...B deleteAll } fragment B on Mutation { ...A }",
        "#mutation { boostStart }\nmutation\n# {\n{\tdeleteAll,,,}",
        'mutation M($s: String = "} query {") @d(x: "}") { deleteAll(s: "}", t: """ } """) }',
    ],
)
def test_a_root_field_is_found_behind_all_that_may_stand_before_it(text: str) -> None:
    assert roots(text) == {"deleteAll"}
    assert judged(text) == "writes by deleteAll, which no document may reach; take it out"


def test_what_stands_in_a_comment_or_a_string_is_not_asked_for() -> None:
    text = '# { token }\n{ a(s: "{ token }", t: """\n } mutation { token } \n""") # token }\n }'
    assert parsed(text).fields == {"a"}


def test_words_of_the_language_are_names_like_others() -> None:
    text = "query query { on fragment: mutation ... on on { query true } ...type } fragment type on fragment { subscription }"
    assert roots(text) == {"on", "mutation", "query", "true", "subscription"}


def test_a_root_field_that_two_ways_lead_to_is_one() -> None:
    assert roots("{ a b: a ...F ... { a } } fragment F on Query { a }") == {"a"}


def test_fields_of_a_fragment_that_nothing_uses_count() -> None:
    assert parsed("{ a } fragment F on T { token }").fields == {"a", "token"}


def test_a_fragment_that_leads_back_to_itself_ends() -> None:
    text = "{ ...A } fragment A on T { a { ...B } } fragment B on T { b { ...A ...B } }"
    assert (parsed(text).roots, parsed(text).fields) == (frozenset("a"), frozenset("ab"))


def test_many_spreads_of_many_fragments_take_no_time() -> None:
    """Followed one by one they would be 3 ** 60."""
    chain = "".join(f" fragment F{number} on T {{ ...F{number + 1} ...F{number + 1} ...F{number + 1} }}" for number in range(60))
    assert roots(f"{{ ...F0 }}{chain} fragment F60 on T {{ a }}") == {"a"}


@pytest.mark.parametrize("text", [*QUERIES.values(), get_introspection_query(input_value_deprecation=True)])
def test_our_own_documents_and_an_introspection_pass(text: str) -> None:
    assert (parsed(text).kind, judged(text)) == ("query", None)


# what is refused


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty; write a query or a mutation there"),
        (" \n\t", "is empty; write a query or a mutation there"),
        ("# nothing", "cannot be read (line 1: Unexpected <EOF>); put it right there"),
        ("{ a }\n{ b", "cannot be read (line 2: Expected Name, found <EOF>); put it right there"),
        (
            "{ a('x') }",
            "cannot be read (line 1: Unexpected single quote character ('), did you mean to use a double quote (\")?)",
        ),
        ("query A { a } query B { b }", "holds 2 operations; it must be exactly one"),
        ("{ a } mutation { b }", "holds 2 operations; it must be exactly one"),
        ("fragment F on T { a }", "holds no operations; it must be exactly one"),
        ("type T { a: Int }", "holds no operations; it must be exactly one"),
        ("{ a } type T { a: Int }", "defines types; leave nothing but the operation and its fragments"),
        ("{ a } extend type T { a: Int }", "defines types; leave nothing but the operation and its fragments"),
        ("subscription { live }", "is a subscription; ask once, with a query"),
        ("{ }", "asks for nothing; name a field"),
        ("{ ...A } fragment A on T { ...A }", "asks for nothing; name a field"),
        ("{ ...A }", "lacks the fragment A; write it below the operation"),
        ("{ a { b { ...A } } }", "lacks the fragment A; write it below the operation"),
        ("{ ...A } fragment A on T { a } fragment A on T { b }", "has two fragments of one name; rename one of them"),
        ("query($a: Int, $a: Int!) { a(a: $a) }", "declares a variable twice; leave one of them"),
    ],
)
def test_what_is_not_one_plain_operation_is_refused_with_its_mend(text: str, why: str) -> None:
    assert refused(text).startswith(why)


def nests(depth: int) -> list[str]:
    return [
        "{a" * depth + "}" * depth,
        "{a" * depth,
        "{" + "...{" * depth + "a" + "}" * depth + "}",
        "{a(x:" + "[" * depth + "]" * depth + ")}",
        "{a(x:" + "{a:" * depth + "1" + "}" * depth + ")}",
        "query($a:" + "[" * depth + "I" + "]" * depth + "){a}",
        "{a(x:" + "[" * depth,
    ]


@pytest.mark.parametrize("text", [text for depth in (300, 100_000) for text in nests(depth)])
def test_deep_nesting_is_refused_politely(text: str) -> None:
    assert f"divide or flatten it; {MAX_TOKENS} words and signs are the most" in refused(text)


@pytest.mark.parametrize("text", [nest for nest in nests(60) if nest.endswith("}")])
def test_what_a_person_might_nest_is_read(text: str) -> None:
    assert parsed(text).roots == {"a"}


@pytest.mark.parametrize("text", ["{" + "a " * MAX_TOKENS + "}", "{a}" + "#\n" * MAX_TOKENS])
def test_a_document_without_end_is_refused(text: str) -> None:
    assert refused(text).startswith(f"is too much to read (Document contains more than {MAX_TOKENS} tokens")


def test_a_refusal_is_one_line_of_no_great_length() -> None:
    assert len(refused("{" + "a" * 10_000 + "!")) < 250
    assert "\n" not in refused("{ ..." + "A" * 10_000 + " }")


def test_the_parser_is_loaded_with_the_first_document() -> None:
    program = (
        "import sys; from bridge.transport.document import parsed; print('graphql' in sys.modules);"
        "parsed('{ a }'); print('graphql' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


# the guard


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("mutation { boostStart { ok } }", None),
        ("mutation { a: boostStart { ok } b: boostCancel { ok } __typename }", None),
        ("mutation { BoostStart { ok } }", "writes by BoostStart, which no document may reach; take it out"),
        (
            "mutation { boostStart zap: deleteAll addAll }",
            "writes by addAll, deleteAll, which no document may reach; take it out",
        ),
        ("{ deleteAll }", None),
        ("{ viewer { t: token } }", "asks for token, which may show a secret; take it out"),
        ("{ viewer { Token token_: secretkey } }", None),
        ("mutation { boostStart { secretKey token } }", "asks for secretKey, token, which may show a secret; take it out"),
        ("{ a ... { b { ... on T { secretKey } } } }", "asks for secretKey, which may show a secret; take it out"),
        ("{ a { token: name } }", None),
        ('{ __schema { types { name } } __type(name: "token") { name } }', None),
    ],
)
def test_the_guard_names_what_it_refuses(text: str, why: str | None) -> None:
    assert judged(text) == why


def test_a_guard_without_limits_lets_everything_pass() -> None:
    assert judged("mutation { deleteAll { token } }", Guard()) is None


def test_a_guard_may_allow_no_write_at_all() -> None:
    why = "writes by boostStart, which no document may reach; take it out"
    assert judged("mutation { boostStart }", Guard(writes=frozenset())) == why


# any document, against a plain reading of the same tree


@dataclass(frozen=True)
class Field:
    name: str
    alias: str | None
    inner: "Sequence[Any]"

    def written(self) -> list[str]:
        alias = [self.alias, ":"] if self.alias else []
        return [*alias, self.name, "(", "s", ":", '"} { #"', ")", *(braced(self.inner) if self.inner else [])]


@dataclass(frozen=True)
class Inline:
    on: str | None
    inner: "Sequence[Any]"

    def written(self) -> list[str]:
        return ["...", *(["on", self.on] if self.on else []), "@include", "(", "if", ":", "true", ")", *braced(self.inner)]


@dataclass(frozen=True)
class Spread:
    number: int

    def written(self) -> list[str]:
        return ["...", f"F{self.number}"]


FRAGMENTS = 3
NAMES = st.sampled_from(["viewer", "deleteAll", "DeleteAll", "on", "query", "fragment", "mutation", "null", "token"])
NOISE = ["\n", " , ", '\n# } deleteAll { " """\n', "\t\ufeff", "\r"]
LEAVES = st.builds(Field, NAMES, st.none() | NAMES, st.just(())) | st.builds(Spread, st.integers(0, FRAGMENTS - 1))


def inner(selections: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    sets = st.lists(selections, min_size=1, max_size=3)
    return st.builds(Field, NAMES, st.none() | NAMES, sets) | st.builds(Inline, st.none() | NAMES, sets)


SELECTIONS = st.lists(st.recursive(LEAVES, inner, max_leaves=6), min_size=1, max_size=3)


def braced(selections: Sequence[Any]) -> list[str]:
    return ["{", *(word for selection in selections for word in selection.written()), "}"]


def expected_roots(selections: Sequence[Any], fragments: Sequence[Sequence[Any]], ways: frozenset[int] = frozenset()) -> set[str]:
    names: set[str] = set()
    for selection in selections:
        if isinstance(selection, Field):
            names.add(selection.name)
        elif isinstance(selection, Inline):
            names |= expected_roots(selection.inner, fragments, ways)
        elif selection.number not in ways:
            names |= expected_roots(fragments[selection.number], fragments, ways | {selection.number})
    return names


def expected_fields(selections: Sequence[Any]) -> set[str]:
    here = {selection.name for selection in selections if isinstance(selection, Field)}
    return here.union(*(expected_fields(selection.inner) for selection in selections if not isinstance(selection, Spread)))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    SELECTIONS,
    st.lists(SELECTIONS, min_size=FRAGMENTS, max_size=FRAGMENTS),
    st.sampled_from(["query", "mutation"]),
    st.lists(st.sampled_from(NOISE), min_size=1, max_size=7),
)
def test_every_document_is_read_as_what_it_is(
    asked: Sequence[Any], fragments: Sequence[Sequence[Any]], kind: str, noise: list[str]
) -> None:
    words = [kind, "Q", *braced(asked)]
    for number, fragment in enumerate(fragments):
        words += ["fragment", f"F{number}", "on", "T", *braced(fragment)]
    text = "".join(word + noise[index % len(noise)] for index, word in enumerate(words))
    wanted = expected_roots(asked, fragments)
    if not wanted:
        assert refused(text) == "asks for nothing; name a field"
        return
    told = parsed(text)
    everything = [*asked, *(selection for fragment in fragments for selection in fragment)]
    assert (set(told.roots), set(told.fields)) == (wanted, expected_fields(everything))
    others = wanted - {"viewer"} if kind == "mutation" else set()
    why = refusal(told, frozenset({"viewer"}), frozenset())
    assert why == (f"writes by {', '.join(sorted(others))}, which no document may reach; take it out" if others else None)


WORDS = ["{", "}", "(", ")", "[", "]", ":", "!", "=", "$a", "@d", "...", "a", "on", "query", "mutation", "fragment", '"', '"""',
         "#", "\n", "1", "true", "type", "subscription", "\\", "\ud800", "\x00", "é"]  # fmt: skip


@given(st.text() | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_whatever_the_text_it_is_read_or_refused(text: str) -> None:
    with suppress(Misconfigured):
        assert parsed(text).roots <= parsed(text).fields
