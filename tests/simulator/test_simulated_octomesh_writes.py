"""Writes at the published server: entities of any type and of typed fields, associations, and what is refused."""

from typing import Any

import pytest

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.visit import Written
from tests.simulator.tenant import BATTERY, HALL, MAIN, MOMENT, NOBODY, OTHER, OTHER_HALL, Tenant

CREATE = """
mutation Create($entities: [RtEntityInput]!) { runtime { runtimeEntities { create(entities: $entities) {
  rtId ckTypeId rtWellKnownName rtVersion rtChangedDateTime attributes { items { attributeName value } } } } } }
"""
UPDATE = """
mutation Update($entities: [RtEntityUpdate]!) { runtime { runtimeEntities { update(entities: $entities) {
  rtId rtVersion rtChangedDateTime attributes(attributeNames: ["name", "power", "machineState"]) { items { attributeName value } }
} } } }
"""
DELETE = """
mutation Delete($entities: [RtEntityId]!, $options: DeleteStrategies) { runtime { runtimeEntities {
  delete(entities: $entities, options: $options) } } }
"""
PARENT = """
query Parent($id: OctoObjectId!) { runtime { runtimeEntities(ckId: "Basic/TreeNode", rtId: $id) { items { associations {
  targets(ckId: "Basic/TreeNode", direction: OUTBOUND, roleId: "System/ParentChild") { items { rtId } } } } } } }
"""
COUNT = """
query Count($archived: Boolean) { runtime { runtimeEntities(ckId: "Industry.Energy/EnergyStorage",
  options: { includeArchivedEntities: $archived }) { totalCount } } }
"""


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def attributes(**values: Any) -> list[dict[str, Any]]:
    return [{"attributeName": name, "value": value} for name, value in values.items()]


def shown(entity: Any) -> dict[str, Any]:
    return {each["attributeName"]: each["value"] for each in entity["attributes"]["items"]}


def change(rt_id: str, type_id: str = kit.ENERGY_METER, **item: Any) -> dict[str, Any]:
    return {"entities": [{"rtId": rt_id, "item": {"ckTypeId": type_id, "attributes": [], **item}}]}


def linked(target: str, mod_option: str = "CREATE", role: str = "parent", type_id: str = kit.TREE_NODE) -> list[dict[str, Any]]:
    return [{"roleName": role, "targets": [{"modOption": mod_option, "target": {"rtId": target, "ckTypeId": type_id}}]}]


def parents(tenant: Tenant, rt_id: str) -> list[str]:
    [found] = tenant.runtime(PARENT, id=rt_id)["runtimeEntities"]["items"]
    return [each["rtId"] for each in found["associations"]["targets"]["items"]]


def deleted(rt_id: str, type_id: str = kit.STORAGE) -> dict[str, Any]:
    return {"entities": [{"rtId": rt_id, "ckTypeId": type_id}]}


def test_an_entity_is_created_in_its_place(tenant: Tenant) -> None:
    entity = {
        "ckTypeId": kit.TREE_NODE,
        "rtWellKnownName": "office",
        "attributes": attributes(name="Office", description="Upstairs"),
        "associations": linked(HALL),
    }
    [made] = tenant.runtime(CREATE, entities=[entity])["runtimeEntities"]["create"]
    assert shown(made) == {"name": "Office", "description": "Upstairs"}
    assert parents(tenant, made["rtId"]) == [HALL]
    assert (made["rtVersion"], made["rtChangedDateTime"]) == (1, "2026-06-10T10:00:30Z")
    assert tenant.mesh.written == [Written(MOMENT, "runtimeEntities.create", {"entities": [entity]})]


def test_what_was_written_stands_from_then_on(tenant: Tenant) -> None:
    [found] = tenant.runtime(UPDATE, **change(MAIN, attributes=attributes(power=12.5, machineState="error")))["runtimeEntities"][
        "update"
    ]
    assert shown(found) == {"name": "Main Building Meter", "power": 12.5, "machineState": 3}
    assert (found["rtVersion"], found["rtChangedDateTime"]) == (2, "2026-06-10T10:00:30Z")


def test_a_typed_update_changes_what_is_given_and_nothing_else(tenant: Tenant) -> None:
    query = """mutation Typed($entities: [IndustryEnergyEnergyMeterInputUpdate]!) { runtime { industryEnergyEnergyMeters {
      update(entities: $entities) { rtId name power machineState description } } } }"""
    item = {"power": 3, "machineState": "IDLE", "description": "By hand", "parent": linked(HALL)[0]["targets"]}
    [found] = tenant.runtime(query, entities=[{"rtId": OTHER, "item": item}])["industryEnergyEnergyMeters"]["update"]
    assert found == {"rtId": OTHER, "name": "Meter 2", "power": 3, "machineState": "IDLE", "description": "By hand"}
    assert parents(tenant, OTHER) == [MAIN, HALL]
    assert [each.mutation for each in tenant.mesh.written] == ["industryEnergyEnergyMeters.update"]


def test_a_typed_entity_is_created(tenant: Tenant) -> None:
    query = """mutation Typed($entities: [IndustryEnergyInverterInput]!) { runtime { industryEnergyInverters {
      create(entities: $entities) { rtWellKnownName name maximumPower } } } }"""
    given = {"rtWellKnownName": "inverter-9", "name": "Nine", "maximumPower": 9, "power": 0, "ampere": 0, "dCAmpere": 0}
    made = tenant.runtime(query, entities=[{**given, "machineState": "OFF"}])["industryEnergyInverters"]["create"]
    assert made == [{"rtWellKnownName": "inverter-9", "name": "Nine", "maximumPower": 9}]


def test_an_association_is_made_and_taken_away(tenant: Tenant) -> None:
    tenant.runtime(UPDATE, **change(OTHER, associations=linked(HALL, role="System/ParentChild")))
    assert parents(tenant, OTHER) == [MAIN, HALL]
    tenant.runtime(UPDATE, **change(OTHER, associations=linked(HALL, "DELETE")))
    assert parents(tenant, OTHER) == [MAIN]


def test_children_are_parents_the_other_way_round(tenant: Tenant) -> None:
    tenant.runtime(UPDATE, **change(HALL, kit.TREE_NODE, associations=linked(OTHER_HALL, role="children")))
    assert parents(tenant, OTHER_HALL) == [HALL]


@pytest.mark.parametrize(("options", "archived"), [({}, 1), ({"options": "ARCHIVE"}, 1), ({"options": "ERASE"}, 0)])
def test_what_is_deleted_is_archived_unless_erased(tenant: Tenant, options: dict[str, Any], archived: int) -> None:
    assert tenant.runtime(DELETE, **deleted(BATTERY), **options) == {"runtimeEntities": {"delete": True}}
    counts = [tenant.runtime(COUNT, archived=each)["runtimeEntities"]["totalCount"] for each in (False, True)]
    assert counts == [0, archived]
    assert tenant.error(DELETE, **deleted(BATTERY))["code"] == "ASSET1004"


METER = {"name": "New", "power": 1, "ampere": 1, "machineState": 1}


@pytest.mark.parametrize(
    ("item", "code", "told"),
    [
        ({"attributes": attributes(power=1)}, "ASSET1004", "'name' is mandatory"),
        ({"attributes": attributes(**METER, colour="red")}, "ASSET1004", "'colour' does not exist"),
        ({"attributes": attributes(**{**METER, "power": "much"})}, "ASSET1004", "'power' is not of type DOUBLE"),
        ({"attributes": attributes(**{**METER, "machineState": 9})}, "ASSET1004", "'machineState' is not of type ENUM"),
        ({"attributes": attributes(**{**METER, "name": None})}, "ASSET1004", "'name' is mandatory"),
        ({"attributes": attributes(**METER), "associations": linked(HALL, role="roof")}, "ASSET1004", "'roof' does not exist"),
        ({"attributes": attributes(**METER), "associations": linked(NOBODY)}, "ASSET1004", f"'{NOBODY}'"),
        ({"attributes": attributes(**METER), "associations": linked(HALL, "DELETE")}, "ASSET1003", None),
    ],
)
def test_what_cannot_be_created_is_refused_as_a_whole(tenant: Tenant, item: dict[str, Any], code: str, told: str | None) -> None:
    good = {"ckTypeId": kit.ENERGY_METER, "attributes": attributes(**METER)}
    error = tenant.error(CREATE, entities=[good, {"ckTypeId": kit.ENERGY_METER, **item}])
    assert error["code"] == code
    assert told is None or told in error["OctoDetails"][0]["message"]
    assert len(tenant.mesh.plant.of_type(kit.ENERGY_METER)) == 12
    assert tenant.mesh.written == []


@pytest.mark.parametrize(
    "asked",
    [change(NOBODY), change(MAIN, kit.STORAGE), change(MAIN, "No/Type"), change(OTHER, associations=linked(HALL, "DELETE"))],
)
def test_what_is_not_there_cannot_be_changed(tenant: Tenant, asked: dict[str, Any]) -> None:
    assert tenant.error(UPDATE, **asked)["code"] == "ASSET1004"


def test_what_is_required_cannot_be_taken_away(tenant: Tenant) -> None:
    assert (
        "'name' is mandatory"
        in tenant.error(UPDATE, **change(MAIN, attributes=attributes(name=None)))["OctoDetails"][0]["message"]
    )
