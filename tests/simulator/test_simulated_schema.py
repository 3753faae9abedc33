"""Our schema is the provider's with parts left out, and every field of it has an answer."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_specified_scalar_type,
)
from graphql.pyutils import Undefined

from bridge.simulator.tibber import SCHEMA
from tests.simulator.conftest import Customer

ARGUMENTS = {
    "Viewer.home": '(id: "{id}")',
    "Home.consumption": "(resolution: HOURLY, last: 3)",
    "Home.production": "(resolution: DAILY, last: 3)",
    "Subscription.priceInfoRange": "(resolution: DAILY, last: 3)",
    "RootMutation.sendMeterReading": '(input: { homeId: "{id}", reading: 7 })',
    "RootMutation.updateHome": '(input: { homeId: "{id}", size: 130 })',
    "RootMutation.sendPushNotification": '(input: { message: "Hello." })',
}


def described(schema: GraphQLSchema) -> dict[str, Any]:
    """Flatten a schema to names: types of fields, types and defaults of arguments and inputs, members, what is deprecated."""
    facts: dict[str, Any] = {}
    for name, type_ in schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        facts[name] = type(type_).__name__
        if isinstance(type_, GraphQLEnumType):
            facts.update({f"{name}.{value}": True for value in type_.values})
        if isinstance(type_, GraphQLInputObjectType):
            facts.update({f"{name}.{field}": (str(its.type), its.default_value) for field, its in type_.fields.items()})
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            facts.update({f"{name} is {interface.name}": True for interface in type_.interfaces})
            for field, definition in type_.fields.items():
                facts[f"{name}.{field}"] = (str(definition.type), definition.deprecation_reason)
                for argument, its in definition.args.items():
                    default = None if its.default_value is Undefined else its.default_value
                    facts[f"{name}.{field}({argument})"] = (str(its.type), default)
    return facts


def test_every_name_and_type_is_the_providers(provider_sdl: str) -> None:
    theirs = described(build_schema(provider_sdl))
    ours = described(SCHEMA)
    assert len(ours) > 200
    assert ours == {name: theirs.get(name) for name in ours}


def test_no_argument_input_or_enum_value_of_a_served_field_is_missing(provider_sdl: str) -> None:
    theirs = build_schema(provider_sdl)
    for name, type_ in SCHEMA.type_map.items():
        if isinstance(type_, GraphQLEnumType) and not name.startswith("__"):
            assert set(type_.values) == set(theirs.type_map[name].values), name  # type: ignore[attr-defined]
        if isinstance(type_, GraphQLInputObjectType):
            assert set(type_.fields) == set(theirs.type_map[name].fields), name  # type: ignore[attr-defined]
        if isinstance(type_, GraphQLObjectType) and not name.startswith("__"):
            for field, definition in type_.fields.items():
                assert set(definition.args) == set(theirs.type_map[name].fields[field].args), field  # type: ignore[attr-defined]


def test_the_customers_subscription_is_no_graphql_subscription() -> None:
    assert SCHEMA.subscription_type is None


def test_every_mutation_there_is_can_be_sent(provider_sdl: str) -> None:
    assert SCHEMA.mutation_type is not None
    theirs = build_schema(provider_sdl).mutation_type
    assert theirs is not None
    assert set(SCHEMA.mutation_type.fields) == set(theirs.fields)


def test_every_field_can_be_asked_for(customer: Customer) -> None:
    cabin = customer.tibber.homes[1]
    for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type)):
        status, answer = customer.ask(kind + everything(root, ()).replace("{id}", cabin.id))
        assert (status, answer.get("errors")) == (200, None)


def everything(type_: Any, above: tuple[str, ...]) -> str:
    """Return a selection of all fields, without going through the same type twice on one path."""
    parts = []
    for field, definition in type_.fields.items():
        inner = get_named_type(definition.type)
        if inner.name in above:
            continue
        selection = "" if is_leaf_type(inner) else everything(inner, (*above, type_.name))
        parts.append(f"{field}{ARGUMENTS.get(f'{type_.name}.{field}', '')} {selection}")
    return "{ " + " ".join(parts) + " }"
