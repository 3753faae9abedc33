"""Who is let in by OctoMesh, where, how often, and what is remembered of it."""

from datetime import timedelta

import pytest

from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.service import Asked
from bridge.simulator.octomesh.tokens import OneToken
from tests.simulator.tenant import HEADERS, MOMENT, Tenant

EMPTY = "query Nothing { __typename }"
WRITE = {
    Dialect.DOCUMENTED: 'mutation { runtime { deleteRtIndustryEnergyInverter(rtId: "x") } }',
    Dialect.ACTUAL: "mutation { runtime { runtimeEntities { delete(entities: []) } } }",
}
BOTH = pytest.mark.parametrize("dialect", [*WRITE])


@BOTH
def test_a_bad_token_is_401(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    for headers in ({"user-agent": "x"}, {"authorization": "Bearer other"}):
        response = tenant.post(EMPTY, headers=headers)
        assert (response.status, response.headers) == (401, (("WWW-Authenticate", 'Bearer error="invalid_token"'),))
    assert [request.authorised for request in tenant.mesh.requests] == [False, False]


def test_the_documents_dialect_says_why() -> None:
    body = Tenant(Dialect.DOCUMENTED).post(EMPTY, headers={}).body
    assert body == b'{"errors": [{"message": "Missing or invalid token", "extensions": {"code": "UNAUTHORIZED"}}]}'


@BOTH
def test_an_address_may_have_any_case_but_only_one_tenant(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    paths = ("/tenants/demo/graphql", "/Tenants/DEMO/GraphQL", "/tenants/other/graphql", "/graphql")
    assert [tenant.post(EMPTY, path).status for path in paths] == [200, 200, 404, 404]


class ElseWhere(OneToken):
    """Knows a token of another tenant."""

    def token_is_good(self, authorization: str | None, tenant: str) -> str | None:
        return super().token_is_good(authorization, tenant) or "other_tenant"


@BOTH
def test_a_token_of_another_tenant_is_403(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    tenant.mesh.tokens = ElseWhere()
    assert tenant.post(EMPTY).status == 403


@BOTH
def test_what_is_not_posted_or_not_a_question_is_refused(dialect: Dialect) -> None:
    tenant = Tenant(dialect)
    assert tenant.send("GET", tenant.mesh.path).status == 405
    assert tenant.send("POST", tenant.mesh.path, b"[]").status == 400
    assert tenant.send("POST", tenant.mesh.path, b'{"query": "{ __typename }", "variables": 7}').status == 400


@BOTH
@pytest.mark.parametrize(("is_write", "allowed"), [(False, 100), (True, 50)])
def test_requests_beyond_the_limit_wait_a_minute(dialect: Dialect, *, is_write: bool, allowed: int) -> None:
    tenant = Tenant(dialect)
    query = WRITE[dialect] if is_write else EMPTY
    assert {tenant.post(query).status for _ in range(allowed)} == {200}
    refused = tenant.post(query)
    assert (refused.status, refused.headers) == (429, (("Retry-After", "60"),))
    assert tenant.post(EMPTY if is_write else WRITE[dialect]).status == 200
    tenant.moment += timedelta(minutes=1)
    assert tenant.post(query).status == 200


def test_limits_can_be_taken_away() -> None:
    tenant = Tenant(Dialect.DOCUMENTED)
    tenant.mesh.limits = None
    assert {tenant.post(EMPTY).status for _ in range(120)} == {200}


def test_requests_are_remembered_with_what_they_asked() -> None:
    tenant = Tenant(Dialect.DOCUMENTED)
    query = """query Meters($after: String) { runtime { a: rtIndustryEnergyEnergyMeter(first: 1, after: $after) { items { rtId } }
      rtIndustryEnergyInverter { items { rtId } } } }"""
    tenant.post(query, after=None)
    tenant.post("{ runtime { nothing } }", headers={**HEADERS, "user-agent": "other"})
    fields = ("rtIndustryEnergyEnergyMeter", "rtIndustryEnergyInverter")
    assert [*tenant.mesh.requests] == [
        Asked(MOMENT, "Meters", {"after": None}, fields, is_write=False, authorised=True, user_agent="kwh2mqtt/0.1.0"),
        Asked(MOMENT, None, {}, (), is_write=False, authorised=True, user_agent="other"),
    ]
