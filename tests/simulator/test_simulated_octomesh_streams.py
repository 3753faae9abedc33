"""Stream data of the published server: typed fields, column paths, queries of the moment, and spans of points."""

from typing import Any

import pytest

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.plant import plant
from tests.simulator.tenant import BATTERY, INVERTER, MAIN, NOBODY, OTHER, Tenant

TYPED = """
query Points($id: OctoObjectId, $ids: [OctoObjectId], $arg: StreamDataArguments, $first: Int, $after: String, $order: [Sort]) {
  streamData { industryEnergyEnergyMeter(rtId: $id, rtIds: $ids, arg: $arg, first: $first, after: $after, sortOrder: $order) {
    totalCount pageInfo { hasNextPage endCursor } items { rtId timestamp power importedEnergy machineState } } }
}
"""
COLUMNS = """
query Points($type: String!, $paths: [String!]!, $ids: [OctoObjectId], $arg: StreamDataArguments, $first: Int, $order: [Sort],
             $filter: [FieldFilter]) {
  streamData { streamDataEntities(ckId: $type, columnPaths: $paths, rtIds: $ids, arg: $arg, first: $first, sortOrder: $order,
                                  fieldFilter: $filter) {
    totalCount items { rtId rtWellKnownName timestamp cells { items { attributePath value } } } } }
}
"""
DAY = {"queryMode": "DEFAULT", "from": "2026-06-09T00:00:00Z", "to": "2026-06-09T23:59:59Z"}
NEWEST = [{"attributePath": "timestamp", "sortOrder": "DESCENDING"}]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


def typed(tenant: Tenant, **asked: Any) -> Any:
    return tenant.stream(TYPED, **asked)["industryEnergyEnergyMeter"]


def by_columns(tenant: Tenant, *paths: str, type_id: str = kit.ENERGY_METER, **asked: Any) -> Any:
    return tenant.stream(COLUMNS, type=type_id, paths=paths, **asked)["streamDataEntities"]


def cells(row: Any) -> dict[str, Any]:
    return {each["attributePath"]: each["value"] for each in row["cells"]["items"]}


def test_a_day_has_a_point_each_step(tenant: Tenant) -> None:
    assert [typed(tenant, id=each, arg=DAY, first=1)["totalCount"] for each in (MAIN, OTHER, NOBODY)] == [1440, 96, 0]
    first = typed(tenant, id=OTHER, arg=DAY)["items"][0]
    assert (first["timestamp"], first["rtId"], first["machineState"]) == ("2026-06-09T00:00:00Z", OTHER, "ON")


def test_a_thousand_points_and_more_come_by_pages(tenant: Tenant) -> None:
    page = typed(tenant, id=MAIN, arg=DAY, first=1000)
    rest = typed(tenant, id=MAIN, arg=DAY, first=1000, after=page["pageInfo"]["endCursor"])
    stamps = [each["timestamp"] for each in (*page["items"], *rest["items"])]
    assert (len(page["items"]), len(rest["items"]), rest["pageInfo"]["hasNextPage"]) == (1000, 440, False)
    assert stamps == sorted(set(stamps))


def test_the_newest_point_of_each_is_where_a_reversed_order_begins(tenant: Tenant) -> None:
    found = typed(tenant, ids=[MAIN, OTHER], order=NEWEST, first=3)["items"]
    assert [(each["rtId"], each["timestamp"]) for each in found] == [
        (MAIN, "2026-06-10T10:00:00Z"),
        (OTHER, "2026-06-10T10:00:00Z"),
        (MAIN, "2026-06-10T09:59:00Z"),
    ]
    assert typed(tenant, ids=[], order=NEWEST)["items"] == []


def test_the_newest_points_of_a_thousand_meters_are_soon_there(tenant: Tenant) -> None:
    tenant.mesh.plant = plant(1000)
    found = by_columns(tenant, "power", order=NEWEST, first=1000)
    assert found["totalCount"] == 999 * 31 * 96 + 31 * 1440
    assert {each["timestamp"] for each in found["items"]} == {"2026-06-10T10:00:00Z"}
    assert len({each["rtId"] for each in found["items"]}) == 1000


def test_a_limit_bounds_the_whole(tenant: Tenant) -> None:
    assert typed(tenant, id=OTHER, arg={**DAY, "limit": 7}, first=5)["totalCount"] == 7


def test_both_ways_show_the_same_values(tenant: Tenant) -> None:
    [one] = typed(tenant, id=OTHER, order=NEWEST, first=1)["items"]
    [other] = by_columns(tenant, "power", "importedEnergy", "timestamp", ids=[OTHER], order=NEWEST, first=1)["items"]
    assert other["rtWellKnownName"] == "meter-0002"
    assert cells(other) == {key: one[key] for key in ("power", "importedEnergy", "timestamp")}


def test_downsampled_points_are_the_mean_of_their_span(tenant: Tenant) -> None:
    hours = typed(tenant, id=OTHER, arg={**DAY, "queryMode": "DOWNSAMPLING", "interval": 3600})
    quarters = typed(tenant, id=OTHER, arg=DAY)["items"]
    assert (hours["totalCount"], hours["items"][1]["timestamp"]) == (24, "2026-06-09T01:00:00Z")
    assert hours["items"][1]["power"] == pytest.approx(sum(each["power"] for each in quarters[4:8]) / 4)


def test_a_field_says_how_it_is_aggregated(tenant: Tenant) -> None:
    query = """query Hour($id: OctoObjectId!, $arg: StreamDataArguments) { streamData {
      industryEnergyInverter(rtId: $id, arg: $arg, first: 1) { items {
        high: power(arg: { aggregationType: MAX }) low: power(arg: { aggregationType: MIN })
        count: power(arg: { aggregationType: COUNT }) power } } } }"""
    arg = {"queryMode": "DOWNSAMPLING", "interval": 3600, "from": "2026-06-09T08:00:00Z", "to": "2026-06-09T08:59:00Z"}
    [hour] = tenant.stream(query, id=INVERTER, arg=arg)["industryEnergyInverter"]["items"]
    assert hour["low"] < hour["power"] < hour["high"]
    assert hour["count"] == 4


def test_rows_may_be_filtered_and_ordered_by_their_values(tenant: Tenant) -> None:
    positive = [{"attributePath": "power", "operator": "GREATER_THAN", "comparisonValue": 3.9}]
    order = [{"attributePath": "power", "sortOrder": "ASCENDING"}]
    found = by_columns(tenant, "power", type_id=kit.STORAGE, ids=[BATTERY], arg=DAY, filter=positive, order=order)
    powers = [cells(each)["power"] for each in found["items"]]
    assert 0 < found["totalCount"] < 96
    assert powers == sorted(powers)
    assert powers[0] > 3.9


def test_a_query_of_the_moment_has_columns_and_rows(tenant: Tenant) -> None:
    query = """query Simple($ids: [OctoObjectId], $arg: StreamDataArguments) { streamData { transientStreamDataQuery {
      simple(ckId: "Industry.Energy/EnergyMeter", columnPaths: ["timestamp", "power"], rtIds: $ids, arg: $arg) { items {
        queryCkTypeId columns { attributePath attributeValueType aggregationType }
        rows(first: 2) { totalCount items { rtId timestamp cells { items { attributePath value } } } } } } } } }"""
    [found] = tenant.stream(query, ids=[OTHER], arg=DAY)["transientStreamDataQuery"]["simple"]["items"]
    assert (found["queryCkTypeId"], found["rows"]["totalCount"]) == (kit.ENERGY_METER, 96)
    assert found["columns"] == [
        {"attributePath": "timestamp", "attributeValueType": "DATE_TIME", "aggregationType": "NONE"},
        {"attributePath": "power", "attributeValueType": "DOUBLE", "aggregationType": "NONE"},
    ]
    second = found["rows"]["items"][1]
    assert cells(second) == {"timestamp": second["timestamp"], "power": cells(second)["power"]}
    assert (second["rtId"], second["timestamp"]) == (OTHER, "2026-06-09T00:15:00Z")


def test_all_points_may_become_one_row_or_as_many_as_are_wanted(tenant: Tenant) -> None:
    query = """query Folded($ids: [OctoObjectId], $arg: StreamDataArguments, $columns: [StreamDataQueryColumnInput!]!) {
      streamData { transientStreamDataQuery {
        aggregation(ckId: "Industry.Energy/EnergyMeter", columnPaths: $columns, rtIds: $ids, arg: $arg) { items {
          rows { items { rtId timestamp cells { items { value } } } } } }
        downsampling(ckId: "Industry.Energy/EnergyMeter", columnPaths: $columns, rtIds: $ids, limit: 4,
          from: "2026-06-09T00:00:00Z", to: "2026-06-09T23:59:59Z") { items {
          rows { items { rtId timestamp cells { items { value } } } } } } } } }"""
    columns = [{"attributePath": "power", "aggregationType": "COUNT"}]
    found = tenant.stream(query, ids=[OTHER], arg=DAY, columns=columns)["transientStreamDataQuery"]
    whole, parts = (found[name]["items"][0]["rows"]["items"] for name in ("aggregation", "downsampling"))
    assert whole == [{"rtId": None, "timestamp": None, "cells": {"items": [{"value": 96}]}}]
    assert [(each["rtId"], each["cells"]["items"][0]["value"]) for each in parts] == [(OTHER, 24)] * 4
    assert parts[0]["timestamp"] == "2026-06-09T00:00:00Z"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"type": kit.HEAT_METER, "paths": ["power"]}, "STREAMDATA_ARCHIVE_NOT_FOUND"),
        ({"type": kit.ENERGY_METER, "paths": ["current"]}, "STREAMDATA_PATH_INVALID"),
        ({"type": "No/Type", "paths": ["power"]}, "ASSET1004"),
        ({"type": kit.ENERGY_METER, "paths": ["power"], "arg": {"queryMode": "INTERPOLATION"}}, "ASSET1000"),
        ({"type": kit.ENERGY_METER, "paths": ["power"], "arg": {"queryMode": "DOWNSAMPLING"}}, "ASSET1000"),
    ],
)
def test_what_is_not_recorded_is_an_error(tenant: Tenant, asked: dict[str, Any], code: str) -> None:
    assert tenant.error(COLUMNS, **asked)["code"] == code
