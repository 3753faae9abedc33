"""Our two schemas are what is known of the provider's with parts left out, and tell of themselves."""

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
    is_required_argument,
    is_specified_scalar_type,
    print_ast,
)

from bridge.simulator.octomesh import actual_schema, documented_schema
from bridge.simulator.octomesh.errors import Dialect
from tests.simulator.conftest import SHARED
from tests.simulator.tenant import INVERTER, MAIN, Tenant

SCHEMAS = {Dialect.DOCUMENTED: documented_schema.SCHEMA, Dialect.ACTUAL: actual_schema.SCHEMA}
METER, NODE, ROLE = "Industry.Energy/EnergyMeter", "Basic/TreeNode", "System/ParentChild"
ARGUMENTS = {
    "ckId": f'ckId: "{METER}"',
    "ckTypeIds": f'ckTypeIds: ["{NODE}"]',
    "columnPaths": 'columnPaths: ["power", "timestamp"]',
    "direction": "direction: ANY",
    "first": "first: 1",
    "limit": "limit: 2",
    "roleId": f'roleId: "{ROLE}"',
    "rtId": f'rtId: "{MAIN}"',
    "wellKnownName": 'wellKnownName: "main-building-meter"',
    "from": 'from: "2026-06-10T08:00:00Z"',
    "to": 'to: "2026-06-10T09:00:00Z"',
}
COLUMNS = 'columnPaths: [{ attributePath: "power", aggregationType: AVG }]'
OPTIONAL = {"first"}
ROOTS = {Dialect.DOCUMENTED: ("runtime", "streamData"), Dialect.ACTUAL: ("runtime", "streamData", "constructionKit")}


def theirs(name: str) -> GraphQLSchema:
    path = SHARED / "schemas" / f"octomesh_{name}.graphql"
    if not path.exists():
        pytest.skip("what is known of the provider's schema is not at hand")
    return build_schema(path.read_text(encoding="utf-8"))


def default(argument: Any) -> str | None:
    written = argument.ast_node.default_value
    return None if written is None else print_ast(written)


def described(schema: GraphQLSchema) -> dict[str, Any]:
    """Flatten a schema to names: types of fields, types and defaults of arguments and inputs, members."""
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
                facts[f"{name}.{field}"] = str(definition.type)
                arguments = definition.args.items()
                facts.update({f"{name}.{field}({key})": (str(each.type), default(each)) for key, each in arguments})
    return facts


def test_the_documented_schema_is_all_of_the_documents_and_the_same_for_inverters() -> None:
    known = described(theirs("documented"))
    ours = described(documented_schema.SCHEMA)
    assert {name: ours.get(name) for name in known} == known
    assert {name for name in set(ours) - set(known) if "Inverter" not in name} == set()


def test_the_actual_schema_is_a_part_of_the_servers() -> None:
    known = described(theirs("actual"))
    ours = described(actual_schema.SCHEMA)
    assert len(ours) > 500
    assert {name: (each, known.get(name)) for name, each in ours.items() if each != known.get(name)} == {}


def test_no_member_of_its_enums_and_no_field_of_its_generic_inputs_is_missing() -> None:
    known = theirs("actual").type_map
    for name, type_ in actual_schema.SCHEMA.type_map.items():
        if isinstance(type_, GraphQLEnumType) and not name.startswith("__"):
            assert set(type_.values) == set(known[name].values), name  # type: ignore[attr-defined]  # of one kind, see above
        if isinstance(type_, GraphQLInputObjectType) and name.startswith("Rt"):
            assert set(type_.fields) == set(known[name].fields), name  # type: ignore[attr-defined]  # likewise


@pytest.mark.parametrize("dialect", [*Dialect])
def test_the_schema_tells_of_itself(dialect: Dialect) -> None:
    answer = Tenant(dialect).post(get_introspection_query())
    assert build_client_schema(json.loads(answer.body)["data"]).mutation_type


def test_one_type_can_be_asked_for() -> None:
    query = """query Types($name: String!) { a: __type(name: $name) { inputFields { name type { name kind ofType { name } } } }
      b: __type(name: "Nothing") { name } }"""
    found = Tenant(Dialect.DOCUMENTED).ask(query, name="EnergyMeterOrder")
    field = {"name": "name", "type": {"name": "SortOrder", "kind": "ENUM", "ofType": None}}
    assert found == {"a": {"inputFields": [field]}, "b": None}


@pytest.mark.parametrize(("dialect", "root"), [(dialect, root) for dialect in Dialect for root in ROOTS[dialect]])
def test_every_field_can_be_asked_for(dialect: Dialect, root: str) -> None:
    schema = SCHEMAS[dialect]
    assert schema.query_type is not None
    branch = get_named_type(schema.query_type.fields[root].type)
    for field in branch.fields:
        query = everything(schema, branch, set(), only=field)
        if "Inverter" in field:
            query = query.replace(MAIN, INVERTER).replace("main-building-meter", "inverter-1")
        answer = Tenant(dialect).ask(f"{{ {root} {query} }}")
        assert answer[root][field] is not None


def everything(schema: GraphQLSchema, type_: Any, there: set[str], only: str | None = None) -> str:
    """Return a selection of all fields, each type of them once: all of its paths would be thousands."""
    if is_abstract_type(type_):
        return "{ __typename " + " ".join(f"... on {each.name} {{ rtId }}" for each in schema.get_possible_types(type_)) + " }"
    there.add(type_.name)
    parts = []
    for name, definition in type_.fields.items():
        inner = get_named_type(definition.type)
        if inner.name in there or only not in (None, name):
            continue
        selection = "" if is_leaf_type(inner) else everything(schema, inner, there)
        parts.append(f"{name}{arguments(definition)} {selection}")
    return "{ __typename " + " ".join(parts) + " }"


def arguments(field: Any) -> str:
    """Return what a field has to be asked with, and a count of one where it takes a count."""
    wanted = [name for name, each in field.args.items() if is_required_argument(each) or name in OPTIONAL]
    folded = "columnPaths" in wanted and "StreamDataQueryColumnInput" in str(field.args["columnPaths"].type)
    given = [COLUMNS if folded and name == "columnPaths" else ARGUMENTS[name] for name in wanted]
    if "ckId" in field.args and "ckIds" not in field.args and "ckId" not in wanted:
        given.append(ARGUMENTS["ckId"])
    if "StreamDataArguments" in str(field.args["arg"].type if "arg" in field.args else ""):
        given.append(f"arg: {{ queryMode: DEFAULT, {ARGUMENTS['from']}, {ARGUMENTS['to']} }}")
    return f"({', '.join(given)})" if given else ""
