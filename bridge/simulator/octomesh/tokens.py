"""Who may come in: what the service asks an identity service about a request's token, and one that knows a single token."""

import json
from dataclasses import dataclass
from typing import Protocol

from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.server import Response

FULL, READ_ONLY = "octo_api", "octo_api.read_only"
OTHER_TENANT = "other_tenant"
CHALLENGE = (("WWW-Authenticate", 'Bearer error="invalid_token"'),)


class Tokens(Protocol):
    """The identity service, as far as others need it."""

    def token_is_good(self, authorization: str | None, tenant: str) -> str | None:
        """Return what is wrong with an `Authorization` header for a tenant's address, or None."""

    def scopes_of(self, authorization: str | None) -> frozenset[str]: ...


@dataclass
class OneToken:
    """Knows one token, which opens every tenant; a test may change it, as if the old one had expired."""

    token: str = "demo-token"  # noqa: S105 - opens nothing but this simulator
    scopes: frozenset[str] = frozenset({FULL})

    def token_is_good(self, authorization: str | None, tenant: str) -> str | None:
        del tenant
        return None if authorization == f"Bearer {self.token}" else "unknown"

    def scopes_of(self, authorization: str | None) -> frozenset[str]:
        return frozenset() if self.token_is_good(authorization, "") else self.scopes


def unauthorised(dialect: Dialect) -> Response:
    """Return HTTP 401, which only the document's dialect explains in its body."""
    body = _errors("UNAUTHORIZED", "Missing or invalid token") if dialect is Dialect.DOCUMENTED else b""
    return Response(401, body, headers=CHALLENGE)


def forbidden(dialect: Dialect) -> Response:
    if dialect is Dialect.DOCUMENTED:
        return Response(403, _errors("FORBIDDEN", "Insufficient permissions"))
    return failed(403, "Forbidden", "The token does not allow this.")


def failed(status: int, description: str, message: str) -> Response:
    """Return an error in the shape of the published server's REST."""
    body = {"statusCode": status, "statusDescription": description, "message": message}
    return Response(status, json.dumps(body).encode())


def _errors(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"message": message, "extensions": {"code": code}}]}).encode()
