"""A user's own GraphQL documents: judged when the bridge starts, their variables before anything is sent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.documents import Document, fits, load, offers
from bridge.commands.offer import Offer
from bridge.errors import BadRequest, Fault, Misconfigured, Refused
from bridge.providers.base import DocumentSettings, Endpoint, Guard, Kind, SourceSettings
from bridge.transport.graphql import PathError, Result
from tests.commands.office import NOW

GUARD = Guard(writes=frozenset({"notify", "update"}), hidden=frozenset({"apiKey"}))
QUERY = "query ($first: Int = 5, $site: ID!) { sites(first: $first, id: $site) { name } }"
WRITE = "mutation ($title: String!) { notify(title: $title) { ok } }"


class Source:
    """Speaks GraphQL on two endpoints, and notes what is sent."""

    def __init__(self, answer: dict[str, Any] | None = None, *errors: PathError, writes: bool = True) -> None:
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self._answer, self._errors, self._writes = answer or {}, errors, writes

    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(
            Endpoint(
                name, self._noting(f"ask {name}".strip()), {}, self._noting(f"write {name}".strip()) if self._writes else None
            )
            for name in ("", "backend")
        )

    def _noting(self, how: str) -> Any:
        async def send(document: str, variables: dict[str, Any]) -> Result:
            self.sent.append((how, document, variables))
            return Result(self._answer, self._errors)

        return send


def loaded(folder: Path, text: str | bytes | None, guard: Guard = GUARD, **more: Any) -> Document | Fault:
    """Return what becomes of a document of this text, under the name `mine`."""
    if text is not None:
        (folder / "mine.graphql").write_bytes(text if isinstance(text, bytes) else text.encode())
    given = {"mine": DocumentSettings(document=Path("mine.graphql"), **more)}
    settings = SourceSettings(provider="any", operations=given)
    (found,) = load(settings, "sources.home", guard, {"prices", "taken"}, folder, "bridge.toml")
    return found


def good(folder: Path, text: str, **more: Any) -> Document:
    found = loaded(folder, text, **more)
    assert isinstance(found, Document), found
    return found


def offered(folder: Path, text: str, source: Source | None = None, **more: Any) -> Offer:
    (offer,) = offers("home", {"mine": good(folder, text, **more)}, source or Source())
    return offer


# at the start


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{ sites { name } }", Kind.QUERY),
        ("query notify { notify: sites { name } }", Kind.QUERY),
        ('mutation { notify(title: "a") { ok } }', Kind.WRITE),
        ('mutation sites { sites: notify(title: "a") { ok } }', Kind.WRITE),
        ("fragment f on Mutation { update { ok } } mutation { ...f ... on Mutation { __typename } }", Kind.WRITE),
    ],
)
def test_the_kind_is_what_parsing_says_whatever_the_names(tmp_path: Path, text: str, kind: Kind) -> None:
    assert good(tmp_path, text).kind is kind


def test_a_path_is_relative_to_the_configuration_or_absolute(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    file = tmp_path / "queries" / "mine.graphql"
    file.write_text("{ sites { name } }")
    for path in (Path("queries/mine.graphql"), file):
        settings = SourceSettings(provider="any", operations={"mine": DocumentSettings(document=path)})
        (found,) = load(settings, "sources.home", GUARD, (), tmp_path, None)
        assert isinstance(found, Document)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "{folder}/mine.graphql cannot be read (No such file or directory); give the path of a GraphQL document"),
        (b"\xff", "{folder}/mine.graphql cannot be read (it is not UTF-8 text); give the path of a GraphQL document"),
        ("", "is empty; write a query or a mutation there"),
        ("query {", "cannot be read (line 1: Expected Name, found <EOF>); put it right there"),
        ("query a { b } query c { d }", "holds 2 operations; it must be exactly one"),
        ("subscription { live { power } }", "is a subscription; ask once, with a query"),
        ("{ me { apiKey } }", "asks for apiKey, which may show a secret; take it out"),
        ("{ me { harmless: apiKey } }", "asks for apiKey, which may show a secret; take it out"),
        ("{ me { ...f } } fragment f on Me { deep { apiKey } }", "asks for apiKey, which may show a secret; take it out"),
        ("mutation { deleteAll { ok } }", "writes by deleteAll, which no document may reach; take it out"),
        ("mutation { notify: deleteAll { ok } }", "writes by deleteAll, which no document may reach; take it out"),
        (
            "mutation { notify { ok } ...f } fragment f on Mutation { deleteAll { ok } }",
            "writes by deleteAll, which no document may reach; take it out",
        ),
        ("mutation { ... on Mutation { deleteAll { ok } } }", "writes by deleteAll, which no document may reach; take it out"),
    ],
)
def test_a_document_that_may_not_be_sent_is_a_fault_with_its_mend(tmp_path: Path, text: str | bytes | None, fault: str) -> None:
    found = loaded(tmp_path, text)
    assert str(found) == f"bridge.toml: sources.home.operations.mine.document: {fault.format(folder=tmp_path)}"


def test_where_no_writes_are_listed_none_is_refused(tmp_path: Path) -> None:
    assert isinstance(loaded(tmp_path, "mutation { deleteAll { ok } }", Guard()), Document)


def test_a_name_that_an_operation_bears_already_is_a_fault(tmp_path: Path) -> None:
    settings = SourceSettings(provider="any", operations={"taken": DocumentSettings(document=tmp_path)})
    (found,) = load(settings, "sources.home", GUARD, {"taken"}, tmp_path, "bridge.toml")
    assert str(found) == (
        "bridge.toml: sources.home.operations.taken: there is an operation of this name already; choose another name"
    )


def test_every_document_is_judged(tmp_path: Path) -> None:
    (tmp_path / "good.graphql").write_text("{ a }")
    names = ("first", "good", "last")
    given = {name: DocumentSettings(document=Path(f"{name}.graphql")) for name in names}
    found = list(load(SourceSettings(provider="any", operations=given), "sources.home", GUARD, (), tmp_path, None))
    assert [getattr(one, "key", getattr(one, "name", None)) for one in found] == [
        "sources.home.operations.first.document",
        "good",
        "sources.home.operations.last.document",
    ]


def test_an_endpoint_that_the_source_does_not_have_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        offered(tmp_path, QUERY, endpoint="backened")
    assert str(caught.value) == (
        "sources.home.operations.mine.endpoint: is none of this source's; leave it out, or use one of: backend"
    )


# when it is asked for


async def asked(offer: Offer, variables: Mapping[str, Any]) -> Any:
    return await offer.run(offer.read(variables), NOW)


async def test_a_query_is_asked_with_its_variables_and_brings_the_data(tmp_path: Path) -> None:
    source = Source({"sites": [{"name": "Home"}]})
    offer = offered(tmp_path, QUERY, source)
    assert (offer.full_name, offer.kind, offer.about) == ("home.mine", Kind.QUERY, "a document of the user's: sites")
    assert await asked(offer, {"site": "1"}) == {"sites": [{"name": "Home"}]}
    assert source.sent == [("ask", QUERY, {"site": "1"})]


async def test_a_mutation_is_written(tmp_path: Path) -> None:
    source = Source({"notify": {"ok": True}})
    assert await asked(offered(tmp_path, WRITE, source, endpoint="backend"), {"title": "Hi"}) == {"notify": {"ok": True}}
    assert source.sent == [("write backend", WRITE, {"title": "Hi"})]


async def test_a_mutation_at_a_source_that_takes_none_is_a_bad_request(tmp_path: Path) -> None:
    source = Source(writes=False)
    with pytest.raises(BadRequest, match=r"^this source takes no writes$"):
        await asked(offered(tmp_path, WRITE, source), {"title": "Hi"})
    assert source.sent == []


@pytest.mark.parametrize(
    ("given", "told"), [((), ("There is no such site.",)), (("NO_SITE", "ASK_AGAIN"), ("NO_SITE", "ASK_AGAIN"))]
)
async def test_where_nothing_came_but_errors_the_provider_has_refused(
    tmp_path: Path, given: tuple[str, ...], told: tuple[str, ...]
) -> None:
    error = PathError("There is no such site.", None, ("sites",), reasons=given)
    with pytest.raises(Refused) as caught:
        await asked(offered(tmp_path, QUERY, Source({"sites": None, "more": None}, error)), {"site": "1"})
    assert (str(caught.value), caught.value.reasons) == ("the provider answered: There is no such site.", told)


async def test_what_came_beside_errors_is_told_and_so_is_nothing_without_any(tmp_path: Path) -> None:
    error = PathError("No.", None, ("more",))
    partial: dict[str, Any] = {"sites": [], "more": None}
    assert await asked(offered(tmp_path, QUERY, Source(partial, error)), {"site": "1"}) == partial
    assert await asked(offered(tmp_path, QUERY, Source({"sites": None})), {"site": "1"}) == {"sites": None}


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, "args.site: is missing; it is a ID!"),
        ({"site": None}, "args.site: must be a ID!"),
        ({"site": True}, "args.site: must be a ID!"),
        ({"site": "1", "first": "5"}, "args.first: must be a Int"),
        ({"site": "1", "first": 2**31}, "args.first: must be a Int"),
        ({"site": "1", "sight": 1}, "args.sight: is not a variable of the document; it has: first, site"),
        ({"site": "1", "x" * 100: 1}, f"args.{'x' * 64}: is not a variable of the document; it has: first, site"),
    ],
)
def test_variables_are_checked_before_anything_is_sent(tmp_path: Path, variables: dict[str, Any], text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        offered(tmp_path, QUERY).read(variables)
    assert str(caught.value) == text


def test_a_document_without_variables_takes_none(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"^args\.a: is not a variable of the document; it has: none$"):
        offered(tmp_path, "{ sites { name } }").read({"a": 1})


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("Int", [0, -(2**31), 2**31 - 1, None], [1.5, "1", True, 2**31, -(2**31) - 1, [], {}]),
        ("Float", [0, 1.5, -1, None], ["1.5", False, [1.5]]),
        ("String", ["", "a", None], [1, True, ["a"], {}]),
        ("Boolean", [True, False, None], [0, 1, "true", []]),
        ("ID", ["1", 1, None], [1.5, True, {}]),
        ("Int!", [1], [None, "1"]),
        ("[Int]", [[], [1, None], None, 1], [["1"], "1", [[1]]]),
        ("[Int!]", [[], [1], None], [[None], [1, None]]),
        ("[Int!]!", [[], [1], 1], [None, [None]]),
        ("[[String!]!]!", [[], [[]], [["a"]], "a"], [[None], [["a"], [None]], None]),
        ("HomeInput!", [{}, {"a": 1}, "WORD", 1], [None]),
        ("[HomeInput!]!", [[{}]], [[None], None]),
    ],
)
def test_a_value_fits_a_type_as_far_as_that_can_be_told_without_the_schema(type_: str, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fits(value, type_)] == []
    assert [value for value in bad if fits(value, type_)] == []


def test_a_document_writes_one_thing_as_nobody_could_tell_which_of_two_was_done(tmp_path: Path) -> None:
    two = 'mutation { notify(title: "a") { ok } update(name: "b") { ok } }'
    found = loaded(tmp_path, two)
    place = "sources.home.operations.mine.document"
    assert found == Fault(place, "writes by several fields at once", "give each a document of its own", "bridge.toml")
    assert isinstance(loaded(tmp_path, 'mutation { __typename notify(title: "a") { ok } }'), Document)
