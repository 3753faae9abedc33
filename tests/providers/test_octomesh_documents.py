"""What is sent in each dialect is valid against the published schemas, its values are variables, and its types the schema's."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, graphql_sync, parse, validate

from bridge.errors import Refused
from bridge.providers.octomesh.actual import Actual
from bridge.providers.octomesh.dialect import Dialect, Need, Order, Stretch, Target
from bridge.providers.octomesh.documented import Documented
from bridge.providers.octomesh.filters import read
from bridge.providers.octomesh.questions import Question, written
from bridge.providers.octomesh.shapes import Shapes
from tests.support import FACTS, utc

METER, READING = "Industry.Energy/EnergyMeter", "Industry.Energy/MeterReading"
START, END = utc("2024-01-01T00:00"), utc("2024-02-01T00:00")
FOLDER = FACTS / "providers" / "schemas"
DIALECTS: dict[str, Callable[[Shapes], Dialect]] = {"documented": Documented, "actual": Actual}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the facts folder is not here")


@cache
def published(name: str, *removed: str) -> GraphQLSchema:
    """Return a published schema without some fields of its streams."""
    schema = build_schema((FOLDER / f"octomesh_{name}.graphql").read_text("utf-8"))
    for field in removed:
        del schema.type_map["StreamDataModelQuery"].fields[field]  # type: ignore[attr-defined]  # a type of the SDL has fields
    return schema


class Tenant:
    """A schema that answers introspection, and notes how often it was asked."""

    def __init__(self, name: str, *removed: str) -> None:
        self.schema = published(name, *removed)
        self.requests = 0
        self.dialect = DIALECTS[name](Shapes(self.ask))

    async def ask(self, questions: list[Question]) -> list[Any]:
        self.requests += 1
        text, variables = written(questions)
        result = graphql_sync(self.schema, text, variable_values=variables)
        assert not result.errors, result.errors
        data = result.data or {}
        return [data[f"q{number}"] for number in range(len(questions))]

    def problems(self, *questions: Question, kind: Any = "query") -> list[str]:
        document = parse(written(questions, kind).text)
        return [error.message for error in validate(self.schema, document)]


@pytest.fixture(params=list(DIALECTS))
def tenant(request: pytest.FixtureRequest) -> Tenant:
    return Tenant(request.param)


@pytest.fixture
def documented() -> Tenant:
    return Tenant("documented")


@pytest.fixture
def actual() -> Tenant:
    return Tenant("actual")


QUERIES: dict[str, Callable[[Dialect], Awaitable[Any]]] = {
    "every entity": lambda one: one.search(Need(METER)),
    "filtered": lambda one: one.search(Need(METER, ("name",), read({"name": {"contains": "a"}, "rt_id": {"in": ["1", "2"]}}))),
    "sorted": lambda one: one.search(Need(METER, ("name",), order=(Order("name", descending=True),), first=5, after="cursor")),
    "by id": lambda one: one.one(METER, "65f1", None, ("name",)),
    "by name": lambda one: one.one(METER, None, "main-building-meter", None),
}


@pytest.mark.parametrize("question", QUERIES.values(), ids=QUERIES.keys())
async def test_a_query_is_valid(tenant: Tenant, question: Callable[[Dialect], Awaitable[Any]]) -> None:
    search = await question(tenant.dialect)
    assert tenant.problems(search.question) == []
    assert search.lacking == {}


WRITES: dict[str, Callable[[Dialect], Awaitable[Question]]] = {
    "create": lambda one: one.create(METER, "new-meter-001", {"name": "New"}),
    "update": lambda one: one.update(METER, "65f1", {"name": "Other"}),
    "delete": lambda one: one.delete(METER, "65f1"),
}


@pytest.mark.parametrize("question", WRITES.values(), ids=WRITES.keys())
async def test_a_write_is_valid(tenant: Tenant, question: Callable[[Dialect], Awaitable[Question]]) -> None:
    assert tenant.problems(await question(tenant.dialect), kind="mutation") == []


@pytest.mark.parametrize(("name", "stream", "association"), [("documented", READING, "location"), ("actual", METER, "parent")])
async def test_points_and_associations_are_valid(name: str, stream: str, association: str) -> None:
    tenant = Tenant(name)
    sounding = await tenant.dialect.points(Stretch(stream, "65f1", ("power",), START, END, newest_first=True))
    every = await tenant.dialect.points(Stretch(stream, "65f1"))
    targets = [Target("65f2", "Basic/TreeNode")]
    added = await tenant.dialect.associate(METER, "65f1", association, targets, remove=False)
    assert tenant.problems(sounding.question, every.question) == []
    assert tenant.problems(added, kind="mutation") == []
    assert "power" in every.attributes


async def test_several_needs_are_one_document(tenant: Tenant) -> None:
    searches = [await tenant.dialect.search(Need(METER, ("name",), first=number)) for number in (1, 2)]
    text, variables = written([search.question for search in searches])
    assert tenant.problems(*(search.question for search in searches)) == []
    assert text.count("runtime {") == 1
    assert {variables["q0_first"], variables["q1_first"]} == {1, 2}


async def test_no_value_is_ever_pasted_into_the_text(tenant: Tenant) -> None:
    evil = '"}) { rtId } } evil { x'
    found = await tenant.dialect.search(Need(METER, ("name",), read({"name": {"startsWith": evil}}), after=evil))
    named = await tenant.dialect.one(METER, None, evil, None)
    new = await tenant.dialect.create(METER, evil, {"name": evil})
    for question in (found.question, named.question, new):
        assert "evil" not in written([question]).text


async def test_what_is_needed_of_a_schema_is_asked_for_in_few_requests(tenant: Tenant) -> None:
    await tenant.dialect.prepare([METER, "Industry.Energy/Inverter"], [READING, METER])
    await tenant.dialect.search(Need(METER, filter=read({"name": {"eq": "x"}})))
    assert tenant.requests <= 5
    asked = tenant.requests
    await tenant.dialect.search(Need(METER))
    assert tenant.requests == asked


async def test_without_attributes_every_plain_one_of_the_schema_is_asked_for(documented: Tenant, actual: Tenant) -> None:
    told = await documented.dialect.search(Need(METER))
    assert told.attributes == ("name", "serialNumber", "manufacturer", "status", "maxCapacity")
    assert "machineState" in (await actual.dialect.search(Need(METER))).attributes
    assert "aCL1" not in (await actual.dialect.search(Need(METER))).attributes


async def test_an_attribute_that_the_schema_lacks_is_named_with_the_nearest_and_the_others_go_on(tenant: Tenant) -> None:
    search = await tenant.dialect.search(Need(METER, ("nmae", "name")))
    assert search.attributes == ("name",)
    assert search.lacking == {"nmae": f"{METER} has no attribute nmae; the nearest is name"}


async def test_a_type_that_the_schema_lacks_is_refused_with_the_nearest(actual: Tenant, documented: Tenant) -> None:
    with pytest.raises(Refused, match=r"has no industryEnergyEnergyMetre .*the nearest is industryEnergyEnergyMeter$"):
        await actual.dialect.search(Need("Industry.Energy/EnergyMetre"))
    with pytest.raises(Refused, match=r"the nearest is rtIndustryEnergyEnergyMeter$"):
        await documented.dialect.search(Need("Industry.Energy/EnergyMetre"))


async def test_the_documents_filter_is_the_servers_own_in_its_dialect_and_in_part_ours_in_the_other(
    documented: Tenant, actual: Tenant
) -> None:
    wanted = read({
        "AND": [
            {"name": {"eq": "Main"}},
            {"OR": [{"name": {"contains": "Siemens"}}, {"name": {"contains": "ABB"}}]},
            {"name": {"startsWith": "M."}},
        ]
    })  # fmt: skip
    there = await documented.dialect.search(Need(METER, filter=wanted))
    assert there.rest is None
    assert documented.problems(there.question) == []
    assert there.question.arguments["filter"].type == "EnergyMeterFilter"
    here = await actual.dialect.search(Need(METER, filter=wanted))
    assert here.rest == read({"OR": [{"name": {"contains": "Siemens"}}, {"name": {"contains": "ABB"}}]})
    assert actual.problems(here.question) == []
    assert here.question.arguments["fieldFilter"].value == [
        {"attributePath": "name", "operator": "EQUALS", "comparisonValue": "Main"},
        {"attributePath": "name", "operator": "MATCH_REG_EX", "comparisonValue": "^M\\."},
    ]


async def test_a_well_known_name_is_filtered_here_in_the_documented_dialect(documented: Tenant) -> None:
    search = await documented.dialect.search(Need(METER, ("name",), read({"well_known_name": {"eq": "a"}, "name": {"eq": "b"}})))
    assert search.rest == read({"wellKnownName": {"eq": "a"}})
    assert search.question.arguments["filter"].value == {"name": {"eq": "b"}}


async def test_words_of_an_enum_are_taken_whatever_their_capitals_and_others_are_refused(
    documented: Tenant, actual: Tenant
) -> None:
    new = await documented.dialect.create(METER, None, {"status": "active"})
    assert new.arguments["entity"].value == {"attributes": {"status": "Active"}}
    other = await actual.dialect.update(METER, "65f1", {"machineState": "Off"})
    assert other.arguments["entities"].value == [{"rtId": "65f1", "item": {"machineState": "OFF"}}]
    with pytest.raises(Refused, match="machineState must be one of: ERROR, IDLE, OFF, ON, UNKNOWN"):
        await actual.dialect.update(METER, "65f1", {"machineState": "Broken"})


async def test_a_type_without_a_mutation_of_its_own_is_written_generically_and_its_enums_by_number(actual: Tenant) -> None:
    storage = "Industry.Energy/EnergyStorage"
    new = await actual.dialect.create(storage, "battery", {"power": 1.5, "machineState": 1})
    assert actual.problems(new, kind="mutation") == []
    assert new.arguments["entities"].type == "[RtEntityInput]!"
    with pytest.raises(Refused, match="must be the whole number"):
        await actual.dialect.create(storage, None, {"machineState": "ON"})


async def test_what_a_dialect_lacks_is_refused_with_the_reason(documented: Tenant, actual: Tenant) -> None:
    with pytest.raises(Refused, match="no way to take an association away"):
        await documented.dialect.associate(METER, "65f1", "location", [Target("65f2")], remove=True)
    with pytest.raises(Refused, match="wants the type of a target"):
        await actual.dialect.associate(METER, "65f1", "parent", [Target("65f2")], remove=False)
    with pytest.raises(Refused, match="no association parnet; the nearest is parent"):
        await actual.dialect.associate(METER, "65f1", "parnet", [Target("65f2", "Basic/TreeNode")], remove=True)


async def test_units_are_asked_of_the_construction_kit_where_there_is_one(documented: Tenant, actual: Tenant) -> None:
    assert await documented.dialect.units([METER]) is None
    question = await actual.dialect.units([METER])
    assert question is not None
    assert actual.problems(question) == []


async def test_a_server_without_types_of_streams_is_asked_by_the_entitys_columns_and_one_without_entities_says_why() -> None:
    typed = [name for name in published("actual").type_map["StreamDataModelQuery"].fields if name.startswith("industry")]  # type: ignore[attr-defined]  # likewise
    later = Tenant("actual", *typed)
    sounding = await later.dialect.points(Stretch(METER, "65f1", ("power", "powr")))
    assert later.problems(sounding.question) == []
    assert (sounding.attributes, list(sounding.lacking)) == (("power",), ["powr"])
    newest = Tenant("actual", *typed, "streamDataEntities")
    with pytest.raises(Refused, match="reads stream data by archives"):
        await newest.dialect.points(Stretch(METER, "65f1", ("power",)))
