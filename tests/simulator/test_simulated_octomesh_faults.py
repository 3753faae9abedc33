"""Each fault on demand, on the requests that can meet it, and the next request without it."""

import asyncio
import json
from typing import Any

import pytest

from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.faults import Met, OctoFault, OctoFaults
from bridge.simulator.server import Hangup, Request
from tests.simulator.tenant import BATTERY, HEADERS, Tenant

F = OctoFault
BOTH = pytest.mark.parametrize("dialect", [*Dialect])
PAGE = {
    Dialect.DOCUMENTED: """query Page($after: String) { runtime { page: rtIndustryEnergyEnergyMeter(first: 4, after: $after) {
      items { name } pageInfo { hasNextPage endCursor } } } }""",
    Dialect.ACTUAL: """query Page($after: String) { runtime { page: runtimeEntities(ckId: "Industry.Energy/EnergyMeter", first: 4,
      after: $after) { items { rtWellKnownName } pageInfo { hasNextPage endCursor } } } }""",
}
COMMON = {Dialect.DOCUMENTED: "INTERNAL_ERROR", Dialect.ACTUAL: "ASSET1002"}
STORE = {Dialect.DOCUMENTED: "INTERNAL_ERROR", Dialect.ACTUAL: "ASSET1001"}
WRITE = """mutation Move($rename: [RtEntityAttributeInput]!, $id: OctoObjectId!) { runtime { runtimeEntities { update(entities: [
  { rtId: $id, item: { ckTypeId: "Industry.Energy/EnergyStorage", attributes: $rename } }]) { rtId } } } }"""


def page(tenant: Tenant, after: str | None = None) -> Any:
    return json.loads(tenant.post(PAGE[tenant.dialect], after=after).body)


@BOTH
@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        (F.RATE_LIMITED, 429, "Too Many Requests"),
        (F.BAD_GATEWAY, 502, "<html>"),
        (F.HTML_200, 200, "<html>"),
        (F.EXPIRED, 401, ""),
        (F.FORBIDDEN, 403, ""),
        (F.ECHO_TOKEN, 200, "Bearer demo-token"),
    ],
)
def test_a_fault_replaces_one_answer(dialect: Dialect, fault: F, status: int, told: str) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.faults.next(fault)
    response = tenant.post(PAGE[dialect])
    assert response.status == status
    assert told in response.body.decode()
    assert "errors" not in page(tenant)


def test_how_long_to_wait_is_told() -> None:
    tenant = Tenant()
    tenant.mesh.faults.next(F.RATE_LIMITED)
    assert tenant.post("{ __typename }").headers == (("Retry-After", "60"),)


@BOTH
@pytest.mark.parametrize("fault", [F.EXPIRED_LATER, F.LATER_PAGE])
def test_a_fault_of_later_pages_waits_for_one(dialect: Dialect, fault: F) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.faults.next(fault)
    first = page(tenant)["data"]["runtime"]["page"]
    response = tenant.post(PAGE[dialect], after=first["pageInfo"]["endCursor"])
    if fault is F.EXPIRED_LATER:
        assert response.status == 401
    else:
        answer = json.loads(response.body)
        assert answer["data"] == {"runtime": {"page": None}}
        assert [error["extensions"]["code"] for error in answer["errors"]] == [STORE[dialect]]
    assert len(page(tenant, first["pageInfo"]["endCursor"])["data"]["runtime"]["page"]["items"]) == 4


@BOTH
def test_a_cursor_that_is_written_into_the_document_makes_a_later_page_too(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.faults.next(F.EXPIRED_LATER)
    query = PAGE[dialect].replace("($after: String)", "").replace("$after", '"YXJyYXljb25uZWN0aW9uOjQ="')
    first = query.replace('"YXJyYXljb25uZWN0aW9uOjQ="', "null")
    assert [tenant.post(each).status for each in (first, query)] == [200, 401]


@BOTH
def test_a_stuck_cursor_brings_the_first_page_for_ever(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.faults.set(F.STUCK_CURSOR)
    first = page(tenant)
    assert page(tenant, first["data"]["runtime"]["page"]["pageInfo"]["endCursor"]) == first
    assert first["data"]["runtime"]["page"]["pageInfo"]["hasNextPage"]


@BOTH
def test_one_item_of_a_page_may_be_broken(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.faults.next(F.BROKEN_ITEM)
    answer = page(tenant)
    assert [each is None for each in answer["data"]["runtime"]["page"]["items"]] == [False, False, True, False]
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["runtime", "page", "items", 2], COMMON[dialect])
    ]


@BOTH
def test_an_error_of_one_field_leaves_the_others_their_data(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    fields = {
        Dialect.DOCUMENTED: ("rtIndustryEnergyEnergyMeter", "rtIndustryEnergyInverter"),
        Dialect.ACTUAL: ("industryEnergyEnergyMeter", "industryEnergyInverter"),
    }
    inverter = fields[dialect][1]
    query = "{ runtime { " + " ".join(f"{each}(first: 1) {{ items {{ rtId }} }}" for each in fields[dialect]) + " } }"
    tenant.mesh.faults.on(inverter, F.COMMON)
    answer = tenant.answer(query)
    assert [each is None for each in answer["data"]["runtime"].values()] == [False, True]
    assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [
        (["runtime", inverter], COMMON[dialect])
    ]
    tenant.mesh.faults.on(inverter, None)
    assert "errors" not in tenant.answer(query)


def test_an_attribute_may_have_no_value_any_more() -> None:
    tenant = Tenant()
    tenant.mesh.faults.set(F.MISSING_ATTRIBUTE)
    query = """{ runtime { runtimeEntities(ckId: "Industry.Energy/EnergyStorage") { items {
      attributes(attributeNames: ["power", "soC"]) { items { attributeName } } } }
      industryEnergyEnergyStorage { items { power } } } }"""
    answer = tenant.answer(query)
    [found] = answer["data"]["runtime"]["runtimeEntities"]["items"]
    assert found["attributes"]["items"] == [{"attributeName": "soC"}]
    assert answer["data"]["runtime"]["industryEnergyEnergyStorage"] == {"items": [None]}  # it cannot be null, so its entity is


def test_a_write_may_be_lost_before_or_after_it_was_carried_out() -> None:
    tenant = Tenant()
    asked: dict[str, Any] = {"id": BATTERY, "rename": [{"attributeName": "name", "value": "New"}]}
    written = []
    for fault in (F.DROP, F.DROP_AFTER):
        tenant.mesh.faults.next(fault)
        with pytest.raises(Hangup):
            tenant.post(WRITE, **asked)
        written.append(len(tenant.mesh.written))
    assert written == [0, 1]


@BOTH
def test_an_answer_may_be_cut_short_or_late(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.faults.next(F.TRUNCATED)
    cut = tenant.post(PAGE[dialect])
    tenant.mesh.faults.slow_s = 0.0
    tenant.mesh.faults.next(F.SLOW)
    assert cut.truncate_at == len(cut.body) // 2
    assert "errors" not in page(tenant)


@BOTH
def test_rest_meets_faults_by_its_path(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    path, tail = ("/api/tenants/demo", "demo") if dialect is Dialect.DOCUMENTED else ("/demo/v1/tenants", "tenants")
    tenant.mesh.faults.on(tail, F.BAD_GATEWAY)
    assert [tenant.send("GET", each).status for each in (path, "/health")] == [502, 200]


def test_faults_come_in_the_order_of_queue_place_and_standing() -> None:
    faults = OctoFaults()
    faults.set(F.FORBIDDEN)
    faults.on("types", F.COMMON)
    faults.next(F.LATER_PAGE)
    faults.next(F.EXPIRED)
    taken = [faults.take(("models", "types"), is_later=later) for later in (False, True, False, False)]
    taken.append(faults.take((), is_later=False))
    assert taken == [
        Met(F.EXPIRED, "models"),
        Met(F.LATER_PAGE, "models"),
        Met(F.COMMON, "types"),
        Met(F.COMMON, "types"),
        Met(F.FORBIDDEN, None),
    ]


def test_a_resolver_that_fails_by_accident_is_told_as_what_nobody_thought_of(caplog: pytest.LogCaptureFixture) -> None:
    tenant = Tenant()
    tenant.mesh.plant.entities[BATTERY].attributes["namePlate"] = "odd"  # type: ignore[index]  # no write would let it in
    query = "{ runtime { industryEnergyEnergyStorage { items { namePlate { serialNumber } } } } }"
    assert tenant.error(query) == {"code": "ASSET1002"}
    assert "a resolver failed at" in caplog.text
    caplog.clear()


def test_slow_means_as_slow_as_is_said() -> None:
    tenant = Tenant()
    tenant.mesh.faults.next(F.SLOW)

    async def asked() -> bool:
        request = Request("POST", tenant.mesh.path, HEADERS, b'{"query": "{ __typename }"}')
        waiting = asyncio.ensure_future(tenant.mesh.handle(request))
        done, _ = await asyncio.wait({waiting}, timeout=0.01)
        waiting.cancel()
        return bool(done)

    assert not asyncio.run(asked())
