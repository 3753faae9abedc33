"""A schema as its endpoint tells it, and our documents against it: what is gone, and what will go."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import build_schema, graphql_sync, introspection_from_schema

from bridge.errors import Malformed, RateLimited, Refused, SourceError, Unauthenticated, Unreachable
from bridge.transport.graphql import Json, PathError, Result
from bridge.transport.schema import Finding, findings, introspected

SDL = r'''
type Query {
  prices(level: Level, old: Int @deprecated(reason: "use `level`")): [Price!]! @deprecated(reason: "moved to\n`tariff`")
  tariff(level: Level): Price
}

enum Level { LOW CHEAP @deprecated(reason: "use LOW") }

"""What a kWh costs; not how `it's` made."""
type Price { total: Float gross: Float @deprecated }

type Mutation { signIn(input: SignIn!): String }

input SignIn { key: String email: String @deprecated(reason: "use `key`") }
'''
NEWER = "inputFields(includeDeprecated: true)"  # what a server of before 2021 does not understand
MEND = "Update kwh2mqtt, or mend the document where it is your own"


@dataclass
class Server:
    """Tells the schema `sdl`; `older` is what it says to a question that is too new for it."""

    sdl: str = SDL
    older: SourceError | Result | None = None
    asked: list[str] = field(default_factory=list)

    async def ask(self, document: str, variables: Json) -> Result:
        assert variables == {}
        self.asked.append(document)
        if self.older is not None and NEWER in document:
            if isinstance(self.older, Result):
                return self.older
            raise self.older
        result = graphql_sync(build_schema(self.sdl), document)
        assert not result.errors
        return Result(result.data or {})


@dataclass
class Parrot:
    """Says the same whatever it is asked."""

    answer: Result | SourceError
    asked: int = 0

    async def ask(self, document: str, variables: Json) -> Result:
        self.asked += 1
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


# the schema


async def test_a_schema_is_told_whole_and_sorted_in_one_request() -> None:
    server = Server()
    sdl = await introspected(server.ask)
    assert len(server.asked) == 1
    assert sdl.startswith('enum Level {\n  CHEAP @deprecated(reason: "use LOW")\n  LOW\n}\n\ntype Mutation {')
    assert '"""What a kWh costs; not how `it\'s` made."""\ntype Price {' in sdl
    assert 'input SignIn {\n  email: String @deprecated(reason: "use `key`")\n  key: String\n}' in sdl
    assert introspection_from_schema(build_schema(sdl)).keys() == {"__schema"}


async def test_a_schema_that_did_not_change_is_the_same_text() -> None:
    turned = "\n\n".join(reversed(SDL.split("\n\n")))
    assert await introspected(Server(turned).ask) == await introspected(Server().ask)


async def test_a_type_that_is_called_subscription_stays_a_type() -> None:
    sdl = await introspected(Server("schema { query: Query } type Query { of: Subscription } type Subscription { id: ID }").ask)
    assert build_schema(sdl).subscription_type is None


UNKNOWN = 'Unknown argument "includeDeprecated" on field "inputFields" of type "__Type".'


@pytest.mark.parametrize(
    "older",
    [
        Refused(UNKNOWN),
        Refused("the provider answered 400: Bad Request"),
        Unreachable(UNKNOWN),  # so is an error without a code
        Unreachable('Cannot query field "isDeprecated" on type "__InputValue".'),
        Result({"__schema": None}, (PathError(UNKNOWN, None, ("__schema",)),)),
    ],
    ids=str,
)
async def test_an_older_server_is_asked_again_in_its_own_words(older: SourceError | Result) -> None:
    server = Server(older=older)
    sdl = await introspected(server.ask)
    assert [NEWER in document for document in server.asked] == [True, False]
    assert "input SignIn {\n  key: String\n}" in sdl  # it hides the deprecated ones
    assert findings(sdl, {"Prices": "{ tariff { gross } }"}) == [
        Finding("Prices", "deprecated", "Price.gross is deprecated: No longer supported")
    ]


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (Unauthenticated("no"), 1),
        (RateLimited("no"), 1),
        (Unreachable("api.example.com cannot be reached"), 1),
        (Refused("introspection is off"), 2),
    ],
    ids=str,
)
async def test_an_endpoint_that_cannot_be_asked_says_why(answer: SourceError, requests: int) -> None:
    parrot = Parrot(answer)
    with pytest.raises(type(answer), match=str(answer)):
        await introspected(parrot.ask)
    assert parrot.asked == requests


async def test_a_schema_that_is_withheld_beside_data_says_why() -> None:
    error = PathError("Introspection is off.", None, ("__schema",))
    with pytest.raises(Refused, match=r"^Introspection is off\.$"):
        await introspected(Parrot(Result({"__schema": None}, (error,))).ask)


def told(**changes: Any) -> Json:
    """Return what introspection brings, with another first type."""
    data: Json = introspection_from_schema(build_schema("type Query { a: Int }"))  # type: ignore[assignment]
    data["__schema"]["types"][0] |= changes
    return data


@pytest.mark.parametrize(
    "data",
    [
        {"viewer": None},
        {"__schema": []},
        {"__schema": {}},
        {"__schema": {"types": None, "queryType": {"name": "Query"}}},
        told(name="not a name"),
        told(fields=None),
        told(fields=[{"name": "a", "type": {"kind": "OBJECT", "name": "Gone"}, "args": []}]),
        told(kind="CIRCLE"),
    ],
    ids=[*range(8)],
)
async def test_what_is_no_schema_is_malformed_and_nothing_of_it_is_quoted(data: Json) -> None:
    data["a-planted-secret"] = "a-planted-secret"
    with pytest.raises(Malformed, match=r"^the answer is no schema \(\w+") as caught:
        await introspected(Parrot(Result(data)).ask)
    assert ("a-planted-secret" in str(caught.value), "\n" in str(caught.value)) == (False, False)


async def test_what_is_deprecated_without_a_reason_is_deprecated_all_the_same() -> None:
    data = told(fields=[{"name": "a", "args": [], "type": {"kind": "SCALAR", "name": "Int"},
                         "isDeprecated": True, "deprecationReason": None}])  # fmt: skip
    sdl = await introspected(Parrot(Result(data)).ask)
    assert findings(sdl, {"A": "{ a }"}) == [Finding("A", "deprecated", "Query.a is deprecated: no reason is given")]


# documents


def found(document: str, sdl: str = SDL) -> list[tuple[str, str]]:
    return [(finding.kind, finding.text) for finding in findings(sdl, {"Prices": document})]


def test_documents_that_fit_bring_no_finding() -> None:
    documents = {"Tariff": "query ($l: Level) { tariff(level: $l) { total } }", "In": 'mutation { signIn(input: {key: "k"}) }'}
    assert findings(SDL, documents) == []


def test_each_document_is_judged_under_its_name_in_its_turn() -> None:
    documents = {"B": "{ gone }", "A": "{ tariff { gross } }", "C": "{ tariff { total } }"}
    assert [(finding.document, finding.kind) for finding in findings(SDL, documents)] == [("B", "error"), ("A", "deprecated")]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{ tariff { tota } }", "Cannot query field 'tota' on type 'Price'. Did you mean 'total'?"),
        ("{ tariff(since: 1) { total } }", "Unknown argument 'since' on field 'Query.tariff'. It takes: level."),
        ("query ($l: Tier) { tariff(level: $l) { total } }", "Unknown type 'Tier'."),
        ("{ tariff(level: HIGH) { total } }", "Value 'HIGH' does not exist in 'Level' enum."),
        ("{ tariff }", "Field 'tariff' of type 'Price' must have a selection of subfields. Did you mean 'tariff { ... }'?"),
        ("mutation { signIn }", "Argument 'Mutation.signIn(input:)' of type 'SignIn!' is required, but it was not provided."),
        ("{ a: tariff { tax } b: tariff { tax } }", "Cannot query field 'tax' on type 'Price'. It has: total, gross."),
    ],
)
def test_what_the_schema_does_not_know_is_an_error_named_once(document: str, text: str) -> None:
    assert found(document) == [("error", f"{text} {MEND}")]


def test_where_nothing_is_alike_no_more_than_a_dozen_names_are_told() -> None:
    sdl = f"type Query {{ {' '.join(f'field{number:02}: Int' for number in range(15))} }}"
    [finding] = findings(sdl, {"Mine": "{ zzz }"}, "Mend it.")
    names = ", ".join(f"field{number:02}" for number in range(12))
    assert finding.text == f"Cannot query field 'zzz' on type 'Query'. It has: {names} and 3 more. Mend it."


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        ("{ prices { total } }", ["Query.prices is deprecated: moved to `tariff`"]),
        ("{ tariff { gross again: gross } x: tariff { gross } }", ["Price.gross is deprecated: No longer supported"]),
        ("{ tariff { ...F } } fragment F on Price { gross }", ["Price.gross is deprecated: No longer supported"]),
        ("{ tariff(level: CHEAP) { total } }", ["Level.CHEAP is deprecated: use LOW"]),
        ("query ($l: Level = CHEAP) { tariff(level: $l) { total } }", ["Level.CHEAP is deprecated: use LOW"]),
        ('mutation { signIn(input: {email: "e"}) }', ["SignIn.email is deprecated: use `key`"]),
        (
            "{ prices(old: 1) { total } }",
            ["Query.prices is deprecated: moved to `tariff`", "Query.prices(old:) is deprecated: use `level`"],
        ),
    ],
)
def test_what_is_deprecated_is_named_with_its_reason_on_one_line(document: str, texts: list[str]) -> None:
    assert found(document) == [("deprecated", text) for text in texts]


def test_a_hidden_input_field_given_through_a_variable_is_no_finding() -> None:
    without = SDL.replace('email: String @deprecated(reason: "use `key`")', "")
    assert "email" not in without
    assert found("mutation ($input: SignIn!) { signIn(input: $input) }", without) == []


def test_a_document_that_cannot_be_read_is_an_error_with_its_mend() -> None:
    problem = "cannot be read (line 1: Expected Name, found <EOF>); put it right there"
    assert findings(SDL, {"A": "{", "B": "{ tariff { total } }"}) == [Finding("A", "error", problem)]


def test_a_subscription_is_a_document_like_others() -> None:
    live = f'{SDL} type Subscription {{ live: Int old: Int @deprecated(reason: "use live") }}'
    assert found("subscription { live }", live) == []
    assert found("subscription { old }", live) == [("deprecated", "Subscription.old is deprecated: use live")]


def test_slips_of_the_providers_own_are_not_judged() -> None:
    odd = "type Query { a: Int __mine: Int } type Empty interface I { id: ID } type T implements I { a: Int }"
    assert found("{ a }", odd) == []


def test_what_is_no_sdl_is_malformed() -> None:
    with pytest.raises(Malformed, match=r"^the answer is no schema \(GraphQLSyntaxError: Syntax Error\)$"):
        findings("type {", {})
