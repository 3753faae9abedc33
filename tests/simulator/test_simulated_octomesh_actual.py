"""The published server's dialect: entities of any type and of typed fields, filters, orders, pages, and the kit."""

import json
from typing import Any

import pytest

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.plant import plant
from tests.simulator.tenant import BATTERY, HALL, INVERTER, MAIN, NOBODY, OTHER, OTHER_HALL, Tenant

GENERIC = """
query Entities($type: String, $first: Int, $after: String, $filter: [FieldFilter], $order: [Sort], $id: OctoObjectId,
               $ids: [OctoObjectId], $options: GlobalQueryOptions) {
  runtime { runtimeEntities(ckId: $type, first: $first, after: $after, fieldFilter: $filter, sortOrder: $order, rtId: $id,
                            rtIds: $ids, options: $options) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    items { rtId ckTypeId rtWellKnownName }
  } }
}
"""


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def entities(tenant: Tenant, type_id: str = kit.ENERGY_METER, **asked: Any) -> Any:
    return tenant.runtime(GENERIC, type=type_id, **asked)["runtimeEntities"]


def names(tenant: Tenant, *conditions: tuple[Any, ...], type_id: str = kit.ENERGY_METER, **asked: Any) -> list[str]:
    words = ("attributePath", "operator", "comparisonValue", "secondaryValue")
    entries = [dict(zip(words, each, strict=False)) for each in conditions]
    return [each["rtWellKnownName"] for each in entities(tenant, type_id, filter=entries, **asked)["items"]]


def test_an_entity_of_any_type_shows_the_attributes_that_are_asked_for(tenant: Tenant) -> None:
    query = """query One($id: OctoObjectId!, $names: [String]) {
      runtime { runtimeEntities(ckId: "Industry.Energy/EnergyMeter", rtId: $id) { items {
        rtId ckTypeId rtWellKnownName rtVersion rtCreationDateTime rtChangedDateTime
        attributes(attributeNames: $names) { items { attributeName value } }
        named: attributes(attributeNames: ["machineState"], resolveEnumValuesToNames: true) { items { value } } } } } }"""
    [found] = tenant.runtime(query, id=MAIN, names=["name", "power", "machineState", "nothing"])["runtimeEntities"]["items"]
    attributes = {each["attributeName"]: each["value"] for each in found.pop("attributes")["items"]}
    assert found == {
        "rtId": MAIN,
        "ckTypeId": kit.ENERGY_METER,
        "rtWellKnownName": "main-building-meter",
        "rtVersion": 1,
        "rtCreationDateTime": "2026-01-15T08:00:00Z",
        "rtChangedDateTime": "2026-06-10T10:00:00Z",
        "named": {"items": [{"value": "On"}]},
    }
    assert attributes == {"name": "Main Building Meter", "machineState": 1, "power": attributes["power"]}
    assert 5 < attributes["power"] < 70


def test_a_typed_field_shows_the_same(tenant: Tenant) -> None:
    query = """query One($id: OctoObjectId!) { runtime {
      industryEnergyInverter(rtId: $id) { totalCount pageInfo { hasNextPage } edges { cursor node { rtId } } items {
        __typename rtWellKnownName machineState maximumPower aCL1 { power voltage } namePlate { serialNumber manufacturerName }
        constructionKitType { rtCkTypeId }
        associations(ckId: "Basic/TreeNode", direction: OUTBOUND, roleId: "System/ParentChild") { items { rtWellKnownName } } } }
      runtimeEntities(ckId: "Industry.Energy/Inverter", rtId: $id) { items {
        attributes { items { attributeName value } } } } } }"""
    found = tenant.runtime(query, id=INVERTER)
    generic = {each["attributeName"]: each["value"] for each in found["runtimeEntities"]["items"][0]["attributes"]["items"]}
    [inverter] = found["industryEnergyInverter"].pop("items")
    assert found["industryEnergyInverter"] == {
        "totalCount": 1,
        "pageInfo": {"hasNextPage": False},
        "edges": [{"cursor": "YXJyYXljb25uZWN0aW9uOjA=", "node": {"rtId": INVERTER}}],
    }
    assert inverter == {
        "__typename": "IndustryEnergyInverter",
        "rtWellKnownName": "inverter-1",
        "machineState": "ON",
        "maximumPower": generic["maximumPower"],
        "aCL1": {key: generic["aCL1"][key] for key in ("power", "voltage")},
        "namePlate": {"serialNumber": "EM-2024-0501", "manufacturerName": "Siemens"},
        "constructionKitType": {"rtCkTypeId": kit.INVERTER},
        "associations": {"items": [{"rtWellKnownName": "hall-2"}]},
    }


def test_entities_come_by_pages_of_a_cursor_that_is_their_place(tenant: Tenant) -> None:
    pages = [entities(tenant, first=5)]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append(entities(tenant, first=5, after=pages[-1]["pageInfo"]["endCursor"]))
    assert [len(page["items"]) for page in pages] == [5, 5, 2]
    assert pages[1]["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": "YXJyYXljb25uZWN0aW9uOjU=",
        "endCursor": "YXJyYXljb25uZWN0aW9uOjk=",
    }
    assert {page["totalCount"] for page in pages} == {12}


def test_without_a_count_everything_comes(tenant: Tenant) -> None:
    tenant.mesh.plant = plant(1000)
    assert len(entities(tenant)["items"]) == 1000


def test_unknown_and_no_ids_bring_nothing_and_no_error(tenant: Tenant) -> None:
    nobody: tuple[dict[str, Any], ...] = ({"id": NOBODY}, {"ids": []}, {"ids": [NOBODY]})
    assert [entities(tenant, **asked)["items"] for asked in nobody] == [[], [], []]
    assert [each["rtId"] for each in entities(tenant, ids=[OTHER, MAIN])["items"]] == [MAIN, OTHER]


def test_a_type_brings_those_that_extend_it(tenant: Tenant) -> None:
    assert [entities(tenant, each)["totalCount"] for each in ("Industry.Basic/Machine", kit.TREE_NODE, kit.STORAGE)] == [
        18,
        20,
        1,
    ]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([("name", "EQUALS", "Meter 3")], ["meter-0003"]),
        ([("rtWellKnownName", "EQUALS", "main-building-meter")], ["main-building-meter"]),
        ([("name", "LIKE", "METER 1")], ["meter-0010", "meter-0011", "meter-0012"]),
        ([("name", "MATCH_REG_EX", "^Main")], ["main-building-meter"]),
        ([("name", "MATCH_REG_EX", "meter 3$")], []),
        ([("name", "IN", ["Meter 3", "Meter 4"])], ["meter-0003", "meter-0004"]),
        ([("name", "LIKE", "meter 1"), ("name", "NOT_EQUALS", "Meter 11")], ["meter-0010", "meter-0012"]),
        ([("name", "LIKE", "meter 1"), ("name", "NOT_IN", ["Meter 10"])], ["meter-0011", "meter-0012"]),
        ([("name", "BETWEEN", "Meter 5", "Meter 7")], ["meter-0005", "meter-0006", "meter-0007"]),
        ([("namePlate.serialNumber", "EQUALS", "EM-2024-0004")], ["meter-0004"]),
        ([("name", "ANY_EQ", "Meter 3")], ["meter-0003"]),
        ([("name", "ANY_LIKE", "eter 3")], ["meter-0003"]),
        ([("description", "IS_NOT_NULL")], []),
        ([("machineState", "NOT_EQUALS", "on")], []),
        ([("rtChangedDateTime", "GREATER_THAN", "2026-06-10T10:00:00Z")], []),
        ([("power", "LESS_THAN", 0)], []),
    ],
)
def test_entries_of_a_filter_must_all_hold(tenant: Tenant, conditions: list[tuple[Any, ...]], found: list[str]) -> None:
    assert names(tenant, *conditions) == found


@pytest.mark.parametrize(
    "condition",
    [
        ("machineState", "EQUALS", 1),
        ("machineState", "IN", ["On", 0]),
        ("description", "IS_NULL"),
        ("power", "GREATER_EQUAL_THAN", 0),
    ],
)
def test_every_meter_meets_what_is_true_of_all(tenant: Tenant, condition: tuple[Any, ...]) -> None:
    assert len(names(tenant, condition)) == 12


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (("colour", "EQUALS", "red"), "ASSET1004"),
        (("name", "MATCH_REG_EX", "("), "ASSET1000"),
        (("name", "IN", "Meter 3"), "ASSET1000"),
        (("power", "LESS_THAN", "much"), "ASSET1000"),
    ],
)
def test_a_filter_that_makes_no_sense_is_an_error(tenant: Tenant, condition: tuple[Any, ...], code: str) -> None:
    entry = dict(zip(("attributePath", "operator", "comparisonValue"), condition, strict=True))
    error = tenant.error(GENERIC, type=kit.ENERGY_METER, filter=[entry])
    assert error["code"] == code
    assert condition[0] in error["OctoDetails"][0]["message"]


def test_entities_are_ordered_the_first_order_counting_most(tenant: Tenant) -> None:
    orders = [{"attributePath": "namePlate.manufacturerName"}, {"attributePath": "name", "sortOrder": "DESCENDING"}]
    found = names(tenant, order=orders, first=5)
    assert found == ["meter-0007", "meter-0004", "meter-0010", "main-building-meter", "meter-0008"]


def test_a_tree_is_walked_up_and_down(tenant: Tenant) -> None:
    query = """query Tree($id: OctoObjectId!) { runtime { industryEnergyEnergyMeter(rtId: $id) { items {
      parent(ckTypeIds: ["Basic/TreeNode"]) { items { ... on IndustryEnergyEnergyMeter { rtId name } } }
      children(ckTypeIds: ["Industry.Energy/EnergyMeter"], first: 2) { totalCount items { __typename } } } } } }"""
    up, down = (tenant.runtime(query, id=each)["industryEnergyEnergyMeter"]["items"][0] for each in (OTHER, MAIN))
    assert up["parent"]["items"] == [{"rtId": MAIN, "name": "Main Building Meter"}]
    assert down["children"] == {"totalCount": 11, "items": [{"__typename": "IndustryEnergyEnergyMeter"}] * 2}


def test_associations_are_told_with_both_ends(tenant: Tenant) -> None:
    query = """query Ends($id: OctoObjectId!) {
      runtime { runtimeEntities(ckId: "Basic/TreeNode", rtId: $id) { items { associations {
      targets(ckId: "Basic/TreeNode", direction: INBOUND, roleId: "System/ParentChild") { items { rtWellKnownName } }
      definitions(direction: INBOUND, roleId: "System/ParentChild") { items {
        ckAssociationRoleId originRtId originCkTypeId targetRtId targetCkTypeId } } } } } } }"""
    [found] = tenant.runtime(query, id=HALL)["runtimeEntities"]["items"]
    ends = {"originRtId": MAIN, "originCkTypeId": kit.ENERGY_METER, "targetRtId": HALL, "targetCkTypeId": kit.TREE_NODE}
    assert found["associations"] == {
        "targets": {"items": [{"rtWellKnownName": "main-building-meter"}]},
        "definitions": {"items": [{"ckAssociationRoleId": kit.PARENT_CHILD, **ends}]},
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"type": "Industry.Energy/Nothing"}, "ASSET1004"), ({}, "ASSET1000"), ({"type": kit.STORAGE, "after": "x"}, "ASSET1000")],
)
def test_what_cannot_be_listed_is_an_error(tenant: Tenant, asked: dict[str, Any], code: str) -> None:
    assert tenant.error(GENERIC, **asked)["code"] == code


def test_what_is_no_rt_id_and_what_is_not_in_the_schema_is_http_400(tenant: Tenant) -> None:
    answers = [
        tenant.post(GENERIC, type=kit.STORAGE, id="invalid-id"),
        tenant.post("{ runtime { rtIndustryEnergyEnergyMeter { items } } }"),
    ]
    assert [answer.status for answer in answers] == [400, 400]
    assert "Cannot query field 'rtIndustryEnergyEnergyMeter'" in json.loads(answers[1].body)["errors"][0]["message"]


def test_one_field_may_fail_while_others_have_data(tenant: Tenant) -> None:
    query = """{ runtime { bad: runtimeEntities(ckId: "No/Type") { totalCount }
      good: runtimeEntities(ckId: "Industry.Energy/EnergyStorage") { items { rtId } } } }"""
    answer = tenant.answer(query)
    assert answer["data"] == {"runtime": {"bad": None, "good": {"items": [{"rtId": BATTERY}]}}}
    assert [error["path"] for error in answer["errors"]] == [["runtime", "bad"]]


def test_units_are_told_by_the_kit(tenant: Tenant) -> None:
    query = """query Units($type: String!) {
      constructionKit { types(rtCkId: $type) { items { rtCkTypeId isAbstract baseType { rtCkTypeId }
        attributes { items { attributeName attributeValueType isOptional
          attribute { isDataStream metaData { key value } } } } } } } }"""
    [found] = tenant.ask(query, type=kit.STORAGE)["constructionKit"]["types"]["items"]
    units = {
        each["attributeName"]: meta["value"] for each in found["attributes"]["items"] for meta in each["attribute"]["metaData"]
    }
    state = next(each for each in found["attributes"]["items"] if each["attributeName"] == "machineState")
    assert (found["rtCkTypeId"], found["isAbstract"], found["baseType"]["rtCkTypeId"]) == (
        kit.STORAGE,
        False,
        "Industry.Basic/Machine",
    )
    assert units == {
        "power": "kW",
        "voltage": "V",
        "ampere": "A",
        "importedEnergy": "kWh",
        "exportedEnergy": "kWh",
        "capacity": "kWh",
        "soC": "%",
        "soH": "%",
    }
    assert state == {
        "attributeName": "machineState",
        "attributeValueType": "ENUM",
        "isOptional": False,
        "attribute": {"isDataStream": True, "metaData": []},
    }


def test_the_kit_is_listed(tenant: Tenant) -> None:
    query = """{ constructionKit { models { items { id { fullName name version } modelState } }
      types(ckModelIds: ["Industry.Fluid"]) { items { rtCkTypeId ckTypeId { fullName } } }
      attributes(ckId: "Industry.Energy/Power") { items { ckAttributeId { semanticVersionedFullName } metaData { value } } }
      enums { items { rtCkEnumId values { key name } } } } }"""
    found = tenant.ask(query)["constructionKit"]
    assert [each["id"]["name"] for each in found["models"]["items"]] == [
        "System",
        "Basic",
        "Industry.Basic",
        "Industry.Energy",
        "Industry.Fluid",
    ]
    assert [each["rtCkTypeId"] for each in found["types"]["items"]] == [kit.HEAT_METER, kit.WATER_METER]
    assert found["attributes"]["items"] == [
        {"ckAttributeId": {"semanticVersionedFullName": "Industry.Energy-2/Power"}, "metaData": [{"value": "kW"}]}
    ]
    assert [each["name"] for each in found["enums"]["items"][0]["values"]] == ["Off", "On", "Unknown", "Error", "Idle"]


def test_every_hall_is_there_by_its_general_type(tenant: Tenant) -> None:
    found = entities(
        tenant, kit.TREE_NODE, filter=[{"attributePath": "ckTypeId", "operator": "EQUALS", "comparisonValue": kit.TREE_NODE}]
    )
    assert [each["rtId"] for each in found["items"]] == [HALL, OTHER_HALL]
