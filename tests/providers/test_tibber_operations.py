"""What a device may ask of Tibber: the words are the schema's, the bounds the API's; only listed writes are reachable."""

from typing import Any, get_args

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLSchema, build_schema
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from bridge.providers.base import Kind
from bridge.providers.tibber import PROVIDER, operations
from bridge.providers.tibber.documents import DOCUMENTS, QUERIES
from bridge.providers.tibber.operations import OPERATIONS, HomeUpdate
from bridge.providers.tibber.reach import GUARD
from bridge.transport.document import parsed, refusal
from tests.support import FACTS

GOOD: dict[str, dict[str, Any]] = {
    "consumption": {},
    "production": {},
    "notify": {"title": "Washing machine", "message": "Done."},
    "home_update": {"size": 120},
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    file = FACTS / "providers" / "schemas" / "tibber.graphql"
    if not file.exists():
        pytest.skip("the folder of facts is not here")
    return build_schema(file.read_text())


def given(operation: str, **arguments: Any) -> BaseModel:
    return OPERATIONS[operation].arguments.model_validate({**GOOD[operation], **arguments})


def refused(operation: str, **arguments: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        given(operation, **arguments)
    return str(caught.value)


def test_the_operations_are_those_of_the_contract_and_writes_are_marked() -> None:
    kinds = {name: operation.kind for name, operation in OPERATIONS.items()}
    assert kinds == {"consumption": Kind.QUERY, "production": Kind.QUERY, "notify": Kind.WRITE, "home_update": Kind.WRITE}
    assert (PROVIDER.operations, PROVIDER.guard) == (OPERATIONS, GUARD)


@pytest.mark.parametrize("operation", GOOD)
def test_every_operation_refuses_a_key_that_it_does_not_know(operation: str) -> None:
    given(operation)
    assert "Extra inputs are not permitted" in refused(operation, sight="home")


@pytest.mark.parametrize("operation", GOOD)
def test_no_refusal_repeats_what_was_given(operation: str) -> None:
    for key in (*GOOD[operation], "site", "password"):
        assert "planted-9f2c" not in refused(operation, **{key: {"planted-9f2c": "planted-9f2c"}})


# consumption and production


def test_without_a_word_the_last_day_is_asked_for_by_the_hour_of_all_homes() -> None:
    assert given("consumption").model_dump() == {"site": None, "resolution": "hourly", "last": None}
    assert operations.USUAL["hourly"] == 24
    assert operations.USUAL.keys() == operations.MOST.keys() == operations.LENGTHS.keys() == set(get_args(operations.Resolution))
    assert all(operations.USUAL[resolution] <= most for resolution, most in operations.MOST.items())


@pytest.mark.parametrize(("resolution", "most"), operations.MOST.items())
def test_last_is_what_the_provider_does_not_cut_off(resolution: str, most: int) -> None:
    for operation in ("consumption", "production"):
        given(operation, resolution=resolution, last=most)
        told = refused(operation, resolution=resolution, last=most + 1)
        assert f"last must not be greater than {most} where resolution is {resolution}" in told


@pytest.mark.parametrize("last", [0, -1, 1.5, "many"])
def test_last_is_a_number_of_rows(last: object) -> None:
    assert "last" in refused("consumption", last=last)


@pytest.mark.parametrize("resolution", ["HOURLY", "quarter_hourly", "PT1H", "", None])
def test_a_resolution_is_a_word_of_the_providers_in_lower_case(resolution: object) -> None:
    assert "resolution" in refused("production", resolution=resolution)


# writes


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"message": ""}, "message"),
        ({"message": "x" * 801}, "message"),
        ({"screen": "HOME"}, "screen"),
        ({"screen": "kitchen"}, "screen"),
    ],
)
def test_a_message_has_a_title_and_fits_a_push(arguments: dict[str, Any], key: str) -> None:
    assert key in refused("notify", **arguments)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("app_nickname", ""),
        ("app_avatar", "CASTLE"),
        ("size", 0),
        ("size", 12.5),
        ("type", "tent"),
        ("number_of_residents", -1),
        ("primary_heating_source", "sun"),
        ("has_ventilation_system", "perhaps"),
        ("main_fuse_size", 2**31),
    ],
)
def test_a_home_is_told_in_the_providers_words_and_within_reason(key: str, value: object) -> None:
    assert key in refused("home_update", **{key: value})


@pytest.mark.parametrize("arguments", [{}, {"site": "1"}, {"size": None}])
def test_an_update_changes_something(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="name at least one of app_nickname, app_avatar, size, type, number_of_residents"):
        HomeUpdate.model_validate(arguments)


def test_what_is_not_given_is_not_changed() -> None:
    found = HomeUpdate.model_validate({"site": "1", "has_ventilation_system": False, "size": None, "type": "house"})
    assert found.changes() == {"has_ventilation_system": False, "type": "house"}


# against the provider's schema


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (operations.Resolution, "EnergyResolution"),
        (operations.Screen, "AppScreen"),
        (operations.Avatar, "HomeAvatar"),
        (operations.HomeType, "HomeType"),
        (operations.Heating, "HeatingSource"),
    ],
)
def test_every_set_of_words_is_the_providers(words: Any, name: str, schema: GraphQLSchema) -> None:
    type_ = schema.type_map[name]
    assert isinstance(type_, GraphQLEnumType)
    assert {word.upper() for word in get_args(words)} == type_.values.keys()


def test_all_that_an_owner_may_set_can_be_set(schema: GraphQLSchema) -> None:
    input_ = schema.type_map["UpdateHomeInput"]
    assert isinstance(input_, GraphQLInputObjectType)
    assert {to_camel(name) for name in HomeUpdate.model_fields if name != "site"} == input_.fields.keys() - {"homeId"}


def test_no_mutation_is_overlooked_and_none_that_is_gone_is_reachable(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    fields = schema.mutation_type.fields
    assert GUARD.writes == frozenset(name for name, field in fields.items() if field.deprecation_reason is None)


# what no document may reach


@pytest.mark.parametrize("name", DOCUMENTS)
def test_our_own_documents_pass_the_guard(name: str) -> None:
    found = parsed(DOCUMENTS[name])
    assert found.kind == ("query" if name in QUERIES else "write")
    assert refusal(found, GUARD.writes, GUARD.hidden) is None


@pytest.mark.parametrize(
    "document",
    [
        'mutation { sendMeterReading(input: { homeId: "1", reading: 7 }) { reading } }',
        'mutation { a: sendMeterReading(input: { homeId: "1", reading: 7 }) { reading } }',
        "mutation { sendPushNotification(input: {}) { successful } deleteHome { id } }",
        "mutation { ...F } fragment F on RootMutation { cancelSubscription { id } }",
        "query { viewer { websocketSubscriptionUrl } }",
        "query { viewer { url: websocketSubscriptionUrl } }",
    ],
)
def test_what_does_nothing_what_is_unknown_and_the_live_stream_are_out_of_reach(document: str) -> None:
    assert refusal(parsed(document), GUARD.writes, GUARD.hidden) is not None
