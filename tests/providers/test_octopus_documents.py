"""Every document against the provider's own schemas, where they are here; and what each must say for pages and permissions."""

from functools import cache

import pytest
from graphql import GraphQLSchema, NoDeprecatedCustomRule, build_schema, parse, validate

from bridge.providers.octopus import documents, germany
from bridge.providers.octopus.documents import BACKEND_DOCUMENTS, DOCUMENTS, HOUSEHOLD, HOUSEHOLD_2024
from bridge.transport.document import MAX_TOKENS, parsed
from tests.providers.wire import Wire
from tests.support import FACTS

UK = {**DOCUMENTS, "household of 2024": HOUSEHOLD_2024}
ALL = {**UK, **BACKEND_DOCUMENTS, "german household": germany.HOUSEHOLD}


@cache
def schema(name: str) -> GraphQLSchema:
    file = FACTS / "providers" / "schemas" / f"{name}.graphql"
    if not file.exists():
        pytest.skip("the folder of facts is not here")
    return build_schema(file.read_text(), assume_valid=True, no_location=True)


@pytest.mark.parametrize(
    ("where", "name"), [*(("octopus_uk_2026", name) for name in UK), *(("octopus_backend", name) for name in BACKEND_DOCUMENTS)]
)
def test_every_document_is_valid_and_asks_for_nothing_deprecated(where: str, name: str) -> None:
    document = parse(ALL[name], max_tokens=MAX_TOKENS)
    assert [error.message for error in validate(schema(where), document)] == []
    assert [error.message for error in validate(schema(where), document, [NoDeprecatedCustomRule])] == []


def test_every_document_that_is_written_down_is_listed_for_introspection() -> None:
    written = {
        text
        for name, text in vars(documents).items()
        if isinstance(text, str) and name.isupper() and not name.startswith("_") and text != HOUSEHOLD_2024
    }
    assert written == {*DOCUMENTS.values(), *BACKEND_DOCUMENTS.values()}


@pytest.mark.parametrize("name", ALL)
def test_every_document_holds_one_operation_and_passes_its_variables_beside_it(name: str) -> None:
    found = parsed(ALL[name])
    assert len(found.roots) == (2 if name == "planned dispatches" else 1)
    assert "%" not in ALL[name]
    assert "{}" not in ALL[name]


@pytest.mark.parametrize("name", [name for name, text in ALL.items() if "edges" in text])
def test_a_page_is_asked_for_with_its_cursor_and_without_whether_there_was_one_before(name: str) -> None:
    found = parsed(ALL[name])
    assert {"pageInfo", "hasNextPage", "endCursor", "node"} <= found.fields
    assert "hasPreviousPage" not in found.fields
    assert {variable.name for variable in found.variables} >= {"first", "after"}


@pytest.mark.parametrize("name", ["household", "household of 2024"])
def test_address_and_postcode_are_asked_for_only_where_they_are_wanted(name: str) -> None:
    for field in ("postcode", "address"):
        assert f"{field} @include(if: $personal)" in UK[name]


def test_the_document_of_2024_lacks_the_newer_fields_alone() -> None:
    assert parsed(HOUSEHOLD).fields - parsed(HOUSEHOLD_2024).fields == {"direction", "isExport"}
    assert parsed(HOUSEHOLD_2024).fields < parsed(HOUSEHOLD).fields


def test_the_german_document_can_be_read_and_bears_no_british_word() -> None:
    found = parsed(germany.HOUSEHOLD)
    assert found.kind == "query"
    assert found.roots == {"account"}
    assert not {"electricityMeterPoints", "gasMeterPoints", "mpan", "mprn", "tariff"} & found.fields


def test_what_is_checked_on_a_live_system_is_what_is_asked_there() -> None:
    [main, backend] = Wire().source().endpoints()
    assert (main.documents, backend.documents) == (DOCUMENTS, BACKEND_DOCUMENTS)
    [german] = Wire().source(tenant="germany").endpoints()
    assert german.documents["household"] == germany.HOUSEHOLD
    assert german.documents.keys() < DOCUMENTS.keys()
    assert not {"telemetry", "points", "measurements", "applicable rates", "gas reading"} & german.documents.keys()
