"""The documented dialect: every question of the provider's document has its answer."""

import json
from typing import Any

import pytest

from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.plant import plant
from tests.simulator.tenant import HALL, INVERTER, MAIN, MOMENT, NOBODY, OTHER, OTHER_HALL, Tenant

METERS = "rtIndustryEnergyEnergyMeter"
READINGS = "tsIndustryEnergyMeterReading"
DAY = 'timestamp: { gte: "2026-06-09T00:00:00Z", lt: "2026-06-10T00:00:00Z" }'


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(Dialect.DOCUMENTED)


def names(tenant: Tenant, arguments: str) -> list[str]:
    query = f"{{ runtime {{ {METERS}({arguments}) {{ items {{ wellKnownName }} }} }} }}"
    return [each["wellKnownName"] for each in tenant.runtime(query)[METERS]["items"]]


def test_a_meter_shows_its_attributes_and_where_it_is(tenant: Tenant) -> None:
    query = f"""query Meter($name: String!) {{ runtime {{ {METERS}ByWellKnownName(wellKnownName: $name) {{
      rtId ckTypeId wellKnownName name serialNumber manufacturer status maxCapacity
      location {{ items {{ rtId name address }} }} readings(first: 1) {{ items {{ timestamp value }} }} }} }} }}"""
    assert tenant.runtime(query, name="main-building-meter")[f"{METERS}ByWellKnownName"] == {
        "rtId": MAIN,
        "ckTypeId": "Industry.Energy/EnergyMeter",
        "wellKnownName": "main-building-meter",
        "name": "Main Building Meter",
        "serialNumber": "EM-2024-0001",
        "manufacturer": "ABB",
        "status": "Active",
        "maxCapacity": 60.0,
        "location": {"items": [{"rtId": OTHER_HALL, "name": "Hall 2", "address": "Werkstrasse 2"}]},
        "readings": {"items": [{"timestamp": "2026-06-10T10:00:00Z", "value": power(tenant)}]},
    }


def power(tenant: Tenant) -> float:
    query = f'{{ streamData {{ {READINGS}(first: 1, filter: {{ rtId: {{ eq: "{MAIN}" }} }}, orderBy: {{ timestamp: DESC }}) '
    [point] = tenant.stream(query + "{ items { power } } } }")[READINGS]["items"]
    found: float = point["power"]
    return found


def test_meters_come_by_pages_of_a_cursor_that_is_their_place(tenant: Tenant) -> None:
    query = f"""query Meters($after: String) {{ runtime {{ {METERS}(first: 5, after: $after) {{
      items {{ wellKnownName }} pageInfo {{ hasNextPage endCursor totalCount }} }} }} }}"""
    pages: list[Any] = [tenant.runtime(query, after=None)[METERS]]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append(tenant.runtime(query, after=pages[-1]["pageInfo"]["endCursor"])[METERS])
    assert [len(page["items"]) for page in pages] == [5, 5, 2]
    assert pages[0]["pageInfo"] == {"hasNextPage": True, "endCursor": "YXJyYXljb25uZWN0aW9uOjQ=", "totalCount": 12}
    assert [request.is_write for request in tenant.mesh.requests] == [False] * 3


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('status: { eq: "Maintenance" }', ["meter-0005", "meter-0010"]),
        ('status: { neq: "Active" }', ["meter-0005", "meter-0010"]),
        ('name: { contains: "ter 1" }', ["meter-0010", "meter-0011", "meter-0012"]),
        ('name: { startsWith: "Main" }', ["main-building-meter"]),
        ('serialNumber: { endsWith: "02" }', ["meter-0002"]),
        ('name: { in: ["Meter 3", "Meter 4"] }', ["meter-0003", "meter-0004"]),
        ("maxCapacity: { gt: 120, lte: 130 }", ["meter-0008"]),
        ("maxCapacity: { gte: 130, lt: 150 }", ["meter-0008", "meter-0009"]),
        (f'rtId: {{ eq: "{OTHER}" }}', ["meter-0002"]),
        ("rtId: { in: [] }", []),
        ('status: null, name: { eq: null, contains: "ter 2" }', ["meter-0002"]),
        (
            (
                'AND: [{ status: { eq: "Active" } }, { OR: [{ manufacturer: { contains: "Siemens" } }, '
                '{ manufacturer: { contains: "ABB" } }] }, { maxCapacity: { gte: 100 } }]'
            ),
            ["meter-0006", "meter-0007", "meter-0009"],
        ),
    ],
)
def test_a_filter_leaves_what_meets_it(tenant: Tenant, condition: str, found: list[str]) -> None:
    assert names(tenant, f"filter: {{ {condition} }}") == found


def test_meters_are_ordered_by_name(tenant: Tenant) -> None:
    assert names(tenant, "orderBy: { name: DESC }, first: 2") == ["meter-0009", "meter-0008"]
    assert names(tenant, "orderBy: { name: ASC }, first: 2") == ["main-building-meter", "meter-0010"]


@pytest.mark.parametrize(
    ("field", "details"),
    [
        (f'{METERS}ById(rtId: "invalid-id")', {"rtId": "invalid-id"}),
        (f'{METERS}ById(rtId: "{INVERTER}")', {"rtId": INVERTER}),
        (f'{METERS}ByWellKnownName(wellKnownName: "nobody")', {"wellKnownName": "nobody"}),
    ],
)
def test_what_is_not_there_is_an_error(tenant: Tenant, field: str, details: Any) -> None:
    answer = tenant.answer(f"{{ runtime {{ {field} {{ rtId }} }} }}")
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "ENTITY_NOT_FOUND", "details": details}
    assert (error["path"], answer["data"]) == (["runtime", field.partition("(")[0]], {"runtime": {field.partition("(")[0]: None}})


def test_a_day_of_readings_has_a_point_each_quarter_hour_and_its_counter_grows(tenant: Tenant) -> None:
    query = f"""{{ streamData {{ {READINGS}(filter: {{ rtId: {{ eq: "{OTHER}" }}, {DAY} }}) {{
      items {{ rtId timestamp voltage current power energy }} pageInfo {{ totalCount }} }} }} }}"""
    found = tenant.stream(query)[READINGS]
    counters = [each["energy"] for each in found["items"]]
    assert found["pageInfo"] == {"totalCount": 96}
    assert [found["items"][place]["timestamp"] for place in (0, 1, 95)] == [
        "2026-06-09T00:00:00Z",
        "2026-06-09T00:15:00Z",
        "2026-06-09T23:45:00Z",
    ]
    assert counters == sorted(counters)
    mean = sum(each["power"] for each in found["items"]) / 96
    assert counters[-1] - counters[0] == pytest.approx(mean * 23.75, rel=0.02)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (f'rtId: {{ eq: "{MAIN}" }}, {DAY}', 1440),
        (f'AND: [{{ rtId: {{ eq: "{OTHER}" }} }}, {{ {DAY} }}]', 96),
        (f'rtId: {{ eq: "{OTHER}" }}, OR: [{{ {DAY} }}, {{ timestamp: {{ eq: "2026-06-08T00:00:00Z" }} }}]', 97),
        (f'rtId: {{ eq: "{OTHER}" }}, timestamp: {{ gt: "2026-06-10T09:45:00Z" }}', 1),
        (f'rtId: {{ eq: "{OTHER}" }}, timestamp: {{ gt: "2026-06-10T10:00:00Z" }}', 0),
        (f'rtId: {{ neq: "{MAIN}" }}, timestamp: {{ eq: "2026-06-08T00:00:00Z" }}', 11),
        (f'rtId: {{ eq: "{OTHER}" }}, timestamp: {{ gte: "2026-06-10T09:45:00Z", lte: null }}', 2),
        (f'rtId: {{ eq: "{NOBODY}" }}', 0),
    ],
)
def test_readings_are_those_of_the_span_and_the_meters(tenant: Tenant, condition: str, count: int) -> None:
    query = f"{{ streamData {{ {READINGS}(filter: {{ {condition} }}) {{ pageInfo {{ totalCount }} }} }} }}"
    assert tenant.stream(query)[READINGS] == {"pageInfo": {"totalCount": count}}


def test_readings_of_several_meters_come_in_the_order_of_time(tenant: Tenant) -> None:
    query = f"""query Newest($ids: [OctoObjectId!]) {{ streamData {{ {READINGS}(first: 3, orderBy: {{ timestamp: DESC }},
      filter: {{ rtId: {{ in: $ids }} }}) {{ items {{ rtId timestamp }} }} }} }}"""
    assert [tuple(each.values()) for each in tenant.stream(query, ids=[MAIN, OTHER])[READINGS]["items"]] == [
        (MAIN, "2026-06-10T10:00:00Z"),
        (OTHER, "2026-06-10T10:00:00Z"),
        (MAIN, "2026-06-10T09:59:00Z"),
    ]


def test_an_entity_is_made_changed_put_in_its_place_and_taken_away(tenant: Tenant) -> None:
    make = """mutation Make($entity: EnergyMeterEntity!) { runtime { createRtIndustryEnergyEnergyMeter(entity: $entity) {
      rtId wellKnownName status } } }"""
    entity = {"wellKnownName": "new-meter-001", "attributes": {"name": "New", "status": "Active"}}
    made = tenant.runtime(make, entity=entity)["createRtIndustryEnergyEnergyMeter"]
    change = f"""mutation Change($id: OctoObjectId!, $hall: OctoObjectId!) {{ runtime {{
      updateRtIndustryEnergyEnergyMeter(rtId: $id, entity: {{ attributes: {{ status: Maintenance }} }}) {{ name status }}
      add{METERS[0].upper()}{METERS[1:]}: addAssociationRtIndustryEnergyEnergyMeter(
        rtId: $id, association: "location", targetRtIds: [$hall]) {{ location {{ items {{ rtId }} }} }} }} }}"""
    changed = tenant.runtime(change, id=made["rtId"], hall=HALL)
    gone = f'mutation {{ runtime {{ deleteRtIndustryEnergyEnergyMeter(rtId: "{made["rtId"]}") }} }}'
    assert made == {"rtId": made["rtId"], "wellKnownName": "new-meter-001", "status": "Active"}
    assert list(changed.values()) == [{"name": "New", "status": "Maintenance"}, {"location": {"items": [{"rtId": HALL}]}}]
    assert tenant.runtime(gone) == {"deleteRtIndustryEnergyEnergyMeter": True}
    assert tenant.error(gone) == {"code": "ENTITY_NOT_FOUND", "details": {"rtId": made["rtId"]}}
    assert [each.mutation for each in tenant.mesh.written] == [
        "createRtIndustryEnergyEnergyMeter",
        "updateRtIndustryEnergyEnergyMeter",
        "addAssociationRtIndustryEnergyEnergyMeter",
        "deleteRtIndustryEnergyEnergyMeter",
    ]
    assert tenant.mesh.written[0].arguments == {"entity": entity}
    assert {each.moment for each in tenant.mesh.written} == {MOMENT}


@pytest.mark.parametrize(("association", "target"), [("roof", HALL), ("location", NOBODY), ("location", OTHER)])
def test_an_association_that_cannot_be_is_refused(tenant: Tenant, association: str, target: str) -> None:
    query = f"""mutation {{ runtime {{ addAssociationRtIndustryEnergyEnergyMeter(rtId: "{MAIN}", association: "{association}",
      targetRtIds: ["{target}"]) {{ rtId }} }} }}"""
    assert tenant.error(query)["code"] == "ASSOCIATION_ERROR"
    assert tenant.mesh.written == []


def test_inverters_have_the_same_shape(tenant: Tenant) -> None:
    query = "{ runtime { rtIndustryEnergyInverter(first: 9) { items { wellKnownName } } } "
    query += "streamData { tsIndustryEnergyInverterReading(first: 2) { items { power } } } }"
    found = tenant.ask(query)
    assert [each["wellKnownName"] for each in found["runtime"]["rtIndustryEnergyInverter"]["items"]] == [
        "inverter-1",
        "inverter-2",
        "inverter-3",
    ]
    assert len(found["streamData"]["tsIndustryEnergyInverterReading"]["items"]) == 2


def test_a_document_that_is_not_valid_is_http_400(tenant: Tenant) -> None:
    responses = [
        tenant.post(query)
        for query in ("{ runtime { nothing } }", "{ runtime {", "query A { __typename } query B { a: __typename }")
    ]
    assert [response.status for response in responses] == [400, 400, 400]
    assert json.loads(responses[0].body)["errors"][0]["extensions"] == {"code": "VALIDATION_ERROR"}


def test_a_cursor_that_is_none_is_an_error(tenant: Tenant) -> None:
    assert (
        tenant.error(f'{{ runtime {{ {METERS}(first: 1, after: "x") {{ items {{ rtId }} }} }} }}')["code"] == "VALIDATION_ERROR"
    )


def test_a_thousand_meters_are_soon_read(tenant: Tenant) -> None:
    tenant.mesh.plant = plant(1000)
    query = f"{{ runtime {{ {METERS} {{ items {{ rtId name }} pageInfo {{ totalCount hasNextPage }} }} }} }}"
    found = tenant.runtime(query)[METERS]
    assert (len(found["items"]), found["pageInfo"]) == (1000, {"totalCount": 1000, "hasNextPage": False})
