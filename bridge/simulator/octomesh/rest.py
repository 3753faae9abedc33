"""REST beside GraphQL, in the shape of the provider's document and in that of the published server.

Paths may have any case. What the document leaves open of an answer's body is made up after the published server's.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from bridge.simulator.graphql import as_json
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.kits import MODELS, VERSION
from bridge.simulator.octomesh.limits import Sort
from bridge.simulator.octomesh.plant import rt_id
from bridge.simulator.octomesh.tokens import failed
from bridge.simulator.octomesh.visit import Visit
from bridge.simulator.server import Request, Response

TAKEN = 50  # rows where nobody says how many


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    visit: Visit
    request: Request
    tenant: str
    id: str | None
    """What a path names below the tenant, None where it names nothing."""


@dataclass(frozen=True)
class Route:
    """A path, with the groups `tenant` and `id` where it has them; without a `sort` it is open to everybody."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[Call], Response]
    sort: Sort | None = Sort.QUERY


def route(shape: Dialect, request: Request) -> tuple[Route, Mapping[str, str]] | None:
    """Return where a request goes, with what its path names, or None."""
    for each in ROUTES[shape]:
        if each.method == request.method and (found := each.path.fullmatch(request.path)):
            return each, found.groupdict()
    return None


def _healthy(_: Call) -> Response:
    results: list[dict[str, Any]] = [
        {"title": each, "status": "Healthy", "description": None, "data": {}} for each in ("MongoDB", "CrateDB")
    ]
    return as_json(200, {"status": "Healthy", "results": results})


def _plainly_healthy(_: Call) -> Response:
    return Response(200, b"Healthy", "text/plain; charset=utf-8")


def _tenant(call: Call) -> Response:
    return as_json(200, {"tenantId": call.tenant.lower(), "database": f"octo_{call.tenant.lower()}"})


def _tenants(call: Call) -> Response:
    """Return the tenants below this one, of which there is one."""
    asked = parse_qs(call.request.query)
    skip, take = (int(asked.get(name, [str(usual)])[0]) for name, usual in (("skip", 0), ("take", TAKEN)))
    rows = [_child(call)]
    return as_json(200, {"totalCount": len(rows), "skip": skip, "take": take, "list": rows[skip : skip + take]})


def _one_tenant(call: Call) -> Response:
    child = _child(call)
    if (call.id or "").lower() != child["tenantId"]:
        return failed(404, "Not Found", f"Tenant '{call.id}' does not exist.")
    return as_json(200, child)


def _child(call: Call) -> dict[str, str]:
    name = f"{call.tenant.lower()}-site"
    return {"tenantId": name, "database": f"octo_{name}"}


def _kits(call: Call) -> Response:
    added = [each.arguments for each in call.visit.written if each.mutation == "construction-kits"]
    known = [{"libraryId": each, "version": VERSION} for each in MODELS]
    rows = [*known, *({"libraryId": each["libraryId"], "version": each["version"]} for each in added)]
    return Response(200, json.dumps(rows).encode())


def _library_status(_: Call) -> Response:
    rows = [{"modelId": f"{each}-{VERSION}", "name": each, "version": VERSION, "modelState": "Available"} for each in MODELS]
    return Response(200, json.dumps(rows).encode())


def _add_kit(call: Call) -> Response:
    try:
        library = json.loads(call.request.body)
        named = {key: str(library[key]) for key in ("libraryId", "version")}
    except (ValueError, KeyError, TypeError):
        return failed(400, "Bad Request", "libraryId and version are missing.")
    call.visit.write("construction-kits", library)
    return as_json(201, named)


def _add_file(call: Call) -> Response:
    file = uploaded(call.request)
    if file is None:
        return failed(400, "Bad Request", "The form has no file.")
    call.visit.write("files", file)
    said = {"fileName": file["name"], "contentType": file["content_type"], "size": len(file["content"])}
    return as_json(201, {"fileId": _made(call), **said})


def _import(call: Call) -> Response:
    """Take a file for a job, which nobody carries out."""
    file = uploaded(call.request)
    if file is None:
        return failed(400, "Bad Request", "The form has no file.")
    call.visit.write(call.request.path.rpartition("/")[2], file)
    return as_json(200, {"jobId": _made(call)})


def _made(call: Call) -> str:
    return rt_id("70f1", len(call.visit.written))


def uploaded(request: Request) -> dict[str, Any] | None:
    """Return name, content type and bytes of the part `file` of a form, None where there is none."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n"
    form = message_from_bytes(head.encode() + request.body)
    for part in form.walk():
        if part.get_param("name", header="content-disposition") == "file":
            return {
                "name": part.get_filename(),
                "content_type": part.get_content_type(),
                "content": part.get_payload(decode=True),
            }
    return None


def _path(pattern: str) -> re.Pattern[str]:
    named = pattern.replace("{tenant}", "(?P<tenant>[^/]+)").replace("{id}", "(?P<id>[^/]+)")
    return re.compile(named, re.IGNORECASE)


ROUTES: Mapping[Dialect, Sequence[Route]] = MappingProxyType(
    {
        Dialect.DOCUMENTED: (
            Route("GET", _path("/health"), _healthy, None),
            Route("GET", _path("/api/tenants/{tenant}"), _tenant),
            Route("POST", _path("/api/tenants/{tenant}/files"), _add_file, Sort.UPLOAD),
            Route("GET", _path("/api/tenants/{tenant}/construction-kits"), _kits),
            Route("POST", _path("/api/tenants/{tenant}/construction-kits"), _add_kit, Sort.WRITE),
        ),
        Dialect.ACTUAL: (
            Route("GET", _path("/health"), _healthy, None),
            Route("GET", _path("/healthz/(?:ready|live)"), _plainly_healthy, None),
            Route("GET", _path("/{tenant}/v1/tenants"), _tenants),
            Route("GET", _path("/{tenant}/v1/tenants/{id}"), _one_tenant),
            Route("GET", _path("/{tenant}/v1/models/LibraryStatus"), _library_status),
            Route("POST", _path("/{tenant}/v1/models/Import(?:Ck|Rt)"), _import, Sort.UPLOAD),
        ),
    }
)
