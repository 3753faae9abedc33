"""OctoMesh's REST by commands, in both published shapes: what is told, what is uploaded, and what is refused with the reason."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BadRequest, Denied, NotFound, OutcomeUnknown, RateLimited, Refused, Unauthenticated
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.faults import OctoFault
from bridge.simulator.server import Response
from tests.providers.operator import Operator

DOCUMENTED, ACTUAL = Dialect.DOCUMENTED, Dialect.ACTUAL
LIBRARY = {"libraryId": "MyCompany.Domain", "version": "1.0.0", "types": [], "enums": []}
FILE = {"name": "plan.pdf", "content": b64encode(b"\x00plan").decode(), "content_type": "application/pdf"}
UPLOADED = {"name": "plan.pdf", "content_type": "application/pdf", "content": b"\x00plan"}

both = pytest.mark.parametrize("dialect", list(Dialect))


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
        (DOCUMENTED, {"tenantId": "demo", "database": "octo_demo"}),
        (
            ACTUAL,
            {"totalCount": 1, "skip": 0, "take": 100, "list": [{"tenantId": "demo-site", "database": "octo_demo-site"}]},
        ),
    ],
)
async def test_the_tenant_is_told_as_the_server_tells_it(tmp_path: Path, dialect: Dialect, told: dict[str, Any]) -> None:
    assert (await Operator(dialect).command(tmp_path, "tenant")) == {"status": "ok", "data": told}


@both
async def test_libraries_are_told(tmp_path: Path, dialect: Dialect) -> None:
    answer = await Operator(dialect).command(tmp_path, "libraries")
    assert "Industry.Energy" in json.dumps(answer["data"])


@both
async def test_health_is_told_without_a_sign_in(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect, settings={"client_secret": "wrong-secret", "dialect": dialect.value})
    answer = await operator.command(tmp_path, "service_health")
    assert (answer["status"], answer["data"]["status"]) == ("ok", "Healthy")
    assert not operator.identity.requests


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (Response(503, b'{"status": "Unhealthy", "results": []}'), {"status": "Unhealthy", "results": []}),
        (Response(200, b"Healthy", "text/plain"), "Healthy"),
    ],
)
async def test_health_is_told_also_where_it_is_bad_and_where_it_is_a_word(response: Response, told: Any) -> None:
    operator = Operator(ACTUAL)
    operator.front.instead.append(response)
    assert await operator.execute("service_health") == told


async def test_a_file_is_uploaded_as_the_document_has_it(tmp_path: Path) -> None:
    operator = Operator(DOCUMENTED)
    answer = await operator.command(tmp_path, "file_upload", **FILE)
    assert (answer["data"]["fileName"], answer["data"]["size"]) == ("plan.pdf", 5)
    assert [(each.mutation, each.arguments) for each in operator.mesh.written] == [("files", UPLOADED)]


async def test_the_published_server_has_no_upload_of_files_and_the_refusal_says_why(tmp_path: Path) -> None:
    operator = Operator(ACTUAL)
    answer = await operator.command(tmp_path, "file_upload", **FILE)
    assert answer["error"]["code"] == "refused"
    assert "has no upload of files" in answer["error"]["message"]
    assert operator.mesh.written == []


async def test_a_library_goes_as_json_or_as_a_file_as_the_shape_has_it(tmp_path: Path) -> None:
    documented, actual = Operator(DOCUMENTED), Operator(ACTUAL)
    content = b64encode(json.dumps(LIBRARY).encode()).decode()
    for given in ({"library": LIBRARY}, {"name": "own.json", "content": content}):
        assert (await documented.command(tmp_path, "library_upload", **given))["data"]["libraryId"] == "MyCompany.Domain"
    answer = await actual.command(tmp_path / "actual", "library_upload", library=LIBRARY)
    assert answer["data"].keys() == {"jobId"}
    assert [each.arguments for each in documented.mesh.written] == [LIBRARY, LIBRARY]
    (sent,) = actual.mesh.written
    assert (sent.mutation, sent.arguments["name"]) == ("ImportCk", "MyCompany.Domain.json")
    assert json.loads(sent.arguments["content"]) == LIBRARY


async def test_a_library_that_is_no_json_is_refused_where_the_server_takes_nothing_else() -> None:
    operator = Operator(DOCUMENTED)
    with pytest.raises(BadRequest, match="content: this server takes a library as JSON"):
        await operator.execute("library_upload", name="own.zip", content=b64encode(b"PK\x03").decode())


async def test_the_shape_can_be_another_than_the_dialects() -> None:
    operator = Operator(ACTUAL, settings={"rest": "documented"})
    with pytest.raises(NotFound, match="look at tenant, url and rest"):
        await operator.execute("tenant")


async def test_more_uploads_than_the_document_allows_are_not_sent() -> None:
    operator = Operator(DOCUMENTED)
    for _ in range(10):
        await operator.execute("file_upload", **FILE)
    with pytest.raises(RateLimited, match="10 uploads a minute"):
        await operator.execute("file_upload", **FILE)
    assert len(operator.mesh.written) == 10


async def test_a_scope_that_only_reads_cannot_write_and_is_told_the_mend() -> None:
    operator = Operator(ACTUAL, settings={"scope": "octo_api.read_only"})
    with pytest.raises(Denied, match="the scope of the client"):
        await operator.execute("library_upload", library=LIBRARY)
    assert operator.mesh.written == []


@both
async def test_a_token_that_ended_is_renewed_for_a_question_and_not_for_an_upload(dialect: Dialect) -> None:
    operator = Operator(dialect)
    await operator.execute("tenant")
    operator.mesh.faults.next(OctoFault.EXPIRED)
    assert await operator.execute("tenant")
    operator.clock.set(operator.clock.now().replace(hour=13))
    operator.mesh.faults.next(OctoFault.EXPIRED)
    with pytest.raises(Unauthenticated):
        await operator.execute("library_upload", library=LIBRARY)
    assert operator.mesh.written == []
    await operator.execute("library_upload", library=LIBRARY)
    assert len(operator.mesh.written) == 1


async def test_an_upload_whose_answer_is_lost_is_unknown() -> None:
    operator = Operator(ACTUAL)
    await operator.execute("tenant")
    operator.mesh.faults.next(OctoFault.DROP_AFTER)
    with pytest.raises(OutcomeUnknown):
        await operator.execute("library_upload", library=LIBRARY)
    assert len(operator.mesh.written) == 1


async def test_the_servers_words_are_the_reasons_of_a_refusal() -> None:
    operator = Operator(DOCUMENTED)
    with pytest.raises(Refused, match="libraryId and version are missing") as caught:
        await operator.execute("library_upload", library={"types": []})
    assert caught.value.reasons == ("Bad Request", "libraryId and version are missing.")
