"""OctoMesh's REST in both shapes: health, tenants, construction kits, uploads, and who may."""

import json
from typing import Any

import pytest

from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.service import OctoMesh
from bridge.simulator.octomesh.tokens import READ_ONLY, OneToken
from tests.simulator.tenant import HEADERS, Tenant

FORM = {**HEADERS, "content-type": "multipart/form-data; boundary=edge"}
FILE = (
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="plan.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    b"\x00plan\r\n--edge--\r\n"
)
UPLOADED = {"name": "plan.pdf", "content_type": "application/pdf", "content": b"\x00plan"}
LIBRARY = {"libraryId": "MyCompany.Domain", "version": "1.0.0", "types": [], "enums": []}
UPLOADS = [
    (Dialect.DOCUMENTED, "/api/tenants/demo/files", "files", 201),
    (Dialect.ACTUAL, "/demo/v1/models/ImportCk", "ImportCk", 200),
    (Dialect.ACTUAL, "/demo/v1/models/ImportRt?importStrategy=0", "ImportRt", 200),
]


def get(tenant: Tenant, path: str, headers: dict[str, str] = HEADERS) -> tuple[int, Any]:
    response = tenant.send("GET", path, headers=headers)
    return response.status, json.loads(response.body)


@pytest.mark.parametrize("dialect", [*Dialect])
def test_health_is_told_to_everybody(dialect: Dialect) -> None:
    status, health = get(Tenant(dialect), "/health", {})
    assert (status, health["status"], [each["title"] for each in health["results"]]) == (200, "Healthy", ["MongoDB", "CrateDB"])


def test_the_published_server_is_ready_and_alive_in_plain_text() -> None:
    answers = [Tenant().send("GET", f"/healthz/{each}", headers={}) for each in ("ready", "live")]
    assert [(answer.status, answer.body, answer.content_type) for answer in answers] == [
        (200, b"Healthy", "text/plain; charset=utf-8")
    ] * 2


def test_the_documents_paths_tell_of_the_tenant_and_its_kits() -> None:
    tenant = Tenant(Dialect.DOCUMENTED)
    assert get(tenant, "/api/tenants/demo") == (200, {"tenantId": "demo", "database": "octo_demo"})
    assert get(tenant, "/api/tenants/demo/construction-kits")[1][-1] == {"libraryId": "Industry.Fluid", "version": "2.0.0"}


def test_a_library_is_among_the_kits_once_it_was_uploaded() -> None:
    tenant = Tenant(Dialect.DOCUMENTED)
    response = tenant.send("POST", "/api/tenants/demo/construction-kits", json.dumps(LIBRARY).encode())
    assert (response.status, json.loads(response.body)) == (201, {"libraryId": "MyCompany.Domain", "version": "1.0.0"})
    assert get(tenant, "/api/tenants/demo/construction-kits")[1][-1] == {"libraryId": "MyCompany.Domain", "version": "1.0.0"}
    assert [(each.mutation, each.arguments) for each in tenant.mesh.written] == [("construction-kits", LIBRARY)]
    assert tenant.send("POST", "/api/tenants/demo/construction-kits", b"{}").status == 400


def test_the_published_paths_tell_of_child_tenants_and_libraries() -> None:
    tenant = Tenant()
    child = {"tenantId": "demo-site", "database": "octo_demo-site"}
    assert get(tenant, "/demo/v1/tenants?skip=0&take=5") == (200, {"totalCount": 1, "skip": 0, "take": 5, "list": [child]})
    assert get(tenant, "/Demo/v1/Tenants/demo-site") == (200, child)
    assert get(tenant, "/demo/v1/tenants/other") == (
        404,
        {"statusCode": 404, "statusDescription": "Not Found", "message": "Tenant 'other' does not exist."},
    )
    status, libraries = get(tenant, "/demo/v1/models/LibraryStatus")
    assert (status, libraries[0]) == (
        200,
        {"modelId": "System-2.0.0", "name": "System", "version": "2.0.0", "modelState": "Available"},
    )


@pytest.mark.parametrize(("dialect", "path", "name", "status"), UPLOADS)
def test_a_file_is_uploaded(dialect: Dialect, path: str, name: str, status: int) -> None:
    tenant = Tenant(dialect)
    response = tenant.send("POST", path, FILE, FORM)
    assert response.status == status
    assert len(next(iter(json.loads(response.body).values()))) == 24
    assert [(each.mutation, each.arguments) for each in tenant.mesh.written] == [(name, UPLOADED)]


@pytest.mark.parametrize(("dialect", "path", "name", "status"), UPLOADS)
def test_a_form_without_a_file_is_refused(dialect: Dialect, path: str, name: str, status: int) -> None:
    del name, status
    assert Tenant(dialect).send("POST", path, b"--edge--\r\n", FORM).status == 400


@pytest.mark.parametrize(("dialect", "path", "name", "status"), UPLOADS)
def test_the_eleventh_upload_of_a_minute_has_to_wait(dialect: Dialect, path: str, name: str, status: int) -> None:
    del name
    tenant = Tenant(dialect)
    assert [tenant.send("POST", path, FILE, FORM).status for _ in range(11)] == [*[status] * 10, 429]


@pytest.mark.parametrize(
    ("dialect", "read", "write"),
    [
        (Dialect.DOCUMENTED, "/api/tenants/demo", "/api/tenants/demo/files"),
        (Dialect.ACTUAL, "/demo/v1/tenants", "/demo/v1/models/ImportCk"),
    ],
)
def test_scopes_decide_who_may(dialect: Dialect, read: str, write: str) -> None:
    tenant = Tenant(dialect)
    allowed = {}
    for scopes in ({"octo_api"}, {READ_ONLY}, {"openid"}):
        tenant.mesh.tokens = OneToken(scopes=frozenset(scopes))
        allowed[next(iter(scopes))] = (tenant.send("GET", read).status, tenant.send("POST", write, FILE, FORM).status // 100)
    assert allowed == {"octo_api": (200, 2), READ_ONLY: (200, 4), "openid": (403, 4)}
    assert tenant.send("GET", read, headers={}).status == 401
    assert tenant.send("GET", read.replace("demo", "other")).status == 404


def test_the_shape_of_the_paths_may_be_the_other_one() -> None:
    mesh = OctoMesh(lambda: Tenant().moment, dialect=Dialect.ACTUAL, rest=Dialect.DOCUMENTED)
    tenant = Tenant()
    tenant.mesh = mesh
    assert [tenant.send("GET", path).status for path in ("/api/tenants/demo", "/demo/v1/tenants")] == [200, 404]


def test_requests_are_remembered_by_their_path() -> None:
    tenant = Tenant()
    tenant.send("GET", "/demo/v1/tenants?take=5")
    [asked] = tenant.mesh.requests
    assert (asked.operation, asked.variables, asked.fields, asked.is_write) == (
        "/demo/v1/tenants",
        {"take": "5"},
        ("tenants",),
        False,
    )
