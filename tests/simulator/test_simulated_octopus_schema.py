"""Our two schemas are what is known of the provider's with parts left out, and every field of them has an answer."""

import json
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_client_schema,
    build_schema,
    get_introspection_query,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_specified_scalar_type,
    print_ast,
)

from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH
from bridge.simulator.octopus.backend import SCHEMA as BACKEND
from bridge.simulator.octopus.schema import SCHEMA as KRAKEN
from tests.simulator.conftest import SHARED, Household

BOTH = pytest.mark.parametrize(("schema", "name"), [(KRAKEN, "octopus_uk_2026"), (BACKEND, "octopus_backend")])
ACCOUNT = 'accountNumber: "A-DEMO0001"'
SPAN = f'{ACCOUNT}, mpxn: "1000000000017", startAt: "2026-06-09T00:00:00Z", endAt: "2026-06-10T00:00:00Z", first: 3'
DEVICE = "00000000-0001-4000-8000-0000000c0a01"
ARGUMENTS = {
    "Query.account": ACCOUNT,
    "Query.properties": ACCOUNT,
    "Query.property": 'id: "2000001"',
    "Query.node": 'id: "{node}"',
    "Query.applicableRates": SPAN,
    "Query.applicableStandingCharges": SPAN,
    "Query.smartMeterTelemetry": 'deviceId: "00-11-22-33-44-55-66-01"',
    "Query.devices": ACCOUNT,
    "Query.flexPlannedDispatches": f'deviceId: "{DEVICE}"',
    "Query.completedDispatches": ACCOUNT,
    "Query.plannedDispatches": ACCOUNT,
    "Query.registeredKrakenflexDevice": ACCOUNT,
    "Query.octoplusAccountInfo": ACCOUNT,
    "Query.customerFlexibilityCampaignEvents": f'{ACCOUNT}, supplyPointIdentifier: "1000000000017", '
    'campaignSlug: "free_electricity", first: 9',
    "Query.wheelOfFortuneSpinsAllowed": f"{ACCOUNT}, fuelType: GAS",
    "SavingSessions.account": ACCOUNT,
    "AccountInterface.transactions": "first: 9",
    "AccountType.transactions": "first: 9",
    "LedgerType.transactions": "first: 9",
    "PropertyType.measurements": "first: 3",
}


def theirs(name: str) -> GraphQLSchema:
    path = SHARED / "schemas" / f"{name}.graphql"
    if not path.exists():
        pytest.skip("what is known of the provider's schema is not at hand")
    return build_schema(path.read_text(encoding="utf-8"))


def default(argument: Any) -> str | None:
    written = argument.ast_node.default_value
    return None if written is None else print_ast(written)


def described(schema: GraphQLSchema) -> dict[str, Any]:
    """Flatten a schema to names: types and deprecation of fields, types and defaults of arguments, members."""
    facts: dict[str, Any] = {}
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        facts[name] = type(type_).__name__
        if isinstance(type_, GraphQLEnumType):
            facts.update({f"{name}.{value}": True for value in type_.values})
        if isinstance(type_, GraphQLUnionType):
            facts.update({f"{name} of {member.name}": True for member in type_.types})
        if isinstance(type_, GraphQLInputObjectType):
            facts.update({f"{name}.{key}": (str(each.type), default(each)) for key, each in type_.fields.items()})
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            facts.update({f"{name} is {interface.name}": True for interface in type_.interfaces})
            for field, definition in type_.fields.items():
                facts[f"{name}.{field}"] = (str(definition.type), definition.deprecation_reason is not None)
                arguments = definition.args.items()
                facts.update({f"{name}.{field}({key})": (str(each.type), default(each)) for key, each in arguments})
    return facts


@BOTH
def test_every_name_and_type_is_the_providers(schema: GraphQLSchema, name: str) -> None:
    known = described(theirs(name))
    ours = described(schema)
    assert len(ours) > 40
    assert ours == {each: known.get(each) for each in ours}


@BOTH
def test_nothing_is_missing_in_enums_unions_inputs_and_arguments(schema: GraphQLSchema, name: str) -> None:
    known = theirs(name).type_map
    for each, type_ in schema.type_map.items():
        if each.startswith("__"):
            continue
        if isinstance(type_, GraphQLEnumType):
            assert set(type_.values) == set(known[each].values), each  # type: ignore[attr-defined]
        if isinstance(type_, GraphQLInputObjectType):
            assert set(type_.fields) == set(known[each].fields), each  # type: ignore[attr-defined]
        if isinstance(type_, GraphQLObjectType):
            for field, definition in type_.fields.items():
                assert set(definition.args) == set(known[each].fields[field].args), field  # type: ignore[attr-defined]


def test_there_are_no_subscriptions() -> None:
    assert [schema.subscription_type for schema in (KRAKEN, BACKEND)] == [None, None]


@pytest.mark.parametrize(("schema", "path"), [(KRAKEN, GRAPHQL_PATH), (BACKEND, BACKEND_PATH)])
def test_every_field_can_be_asked_for(household: Household, schema: GraphQLSchema, path: str) -> None:
    meter = household.ask(f"{{ account({ACCOUNT}) {{ properties {{ electricityMeterPoints {{ meters {{ nodeId }} }} }} }} }}")
    node = meter["account"]["properties"][0]["electricityMeterPoints"][0]["meters"][0]["nodeId"]
    for field in schema.query_type.fields if schema.query_type else ():
        query = everything(schema, schema.query_type, (), only=field).replace("{node}", node)
        assert household.ask(query, path=path)[field]


def everything(schema: GraphQLSchema, type_: Any, above: tuple[str, ...], only: str | None = None) -> str:
    """Return a selection of all fields, without going through the same type twice on one path."""
    if is_abstract_type(type_):
        possible = (each for each in schema.get_possible_types(type_) if each.name not in above)
        parts = [f"... on {each.name} {everything(schema, each, above)}" for each in possible]
        return "{ __typename " + " ".join(parts) + " }"
    parts = []
    for field, definition in type_.fields.items():
        inner = get_named_type(definition.type)
        if inner.name in above or only not in (None, field):
            continue
        name = f"{type_.name}.{field}"
        arguments = f"({ARGUMENTS[name]})" if name in ARGUMENTS else ""
        selection = "" if is_leaf_type(inner) else everything(schema, inner, (*above, type_.name))
        # One field may have another type in each member of a union.
        parts.append(f"{type_.name}_{field}: {field}{arguments} {selection}" if above else f"{field}{arguments} {selection}")
    return "{ __typename " + " ".join(parts) + " }"


@pytest.mark.parametrize("path", [GRAPHQL_PATH, BACKEND_PATH])
@pytest.mark.parametrize("deprecated", [True, False])
def test_the_schema_tells_of_itself_to_anybody(household: Household, path: str, *, deprecated: bool) -> None:
    query = get_introspection_query(input_value_deprecation=deprecated)
    answer = json.loads(household.post({"query": query}, path=path).body)
    assert set(answer) == {"data"}
    assert build_client_schema(answer["data"]).mutation_type


def test_what_is_deprecated_in_an_input_is_told_only_when_asked_for(household: Household) -> None:
    query = 'query($all: Boolean!) { __type(name: "ObtainJSONWebTokenInput") { inputFields(includeDeprecated: $all) { name } } }'
    plain, whole = (
        {each["name"] for each in household.ask(query, all=every)["__type"]["inputFields"]} for every in (False, True)
    )
    assert whole - plain == {"email", "password"}


def test_what_is_deprecated_says_what_to_use(household: Household) -> None:
    query = '{ __type(name: "Query") { fields(includeDeprecated: true) { name isDeprecated deprecationReason } } }'
    told = {each["name"]: each["deprecationReason"] for each in household.ask(query)["__type"]["fields"] if each["isDeprecated"]}
    assert told == {"plannedDispatches": "Use flexPlannedDispatches.", "registeredKrakenflexDevice": "Use devices."}


def test_a_node_that_is_none_is_refused(household: Household) -> None:
    assert household.code('{ node(id: "x") { id } }') == "KT-CT-1111"
