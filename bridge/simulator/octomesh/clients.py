"""The clients that an administrator has added to the identity service, and how a request proves to come from one."""

import hashlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlsplit

from bridge.simulator.octomesh.passes import SCOPES
from bridge.simulator.server import Request

CLIENT_CREDENTIALS, REFRESH, CODE = "client_credentials", "refresh_token", "authorization_code"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
ANY_GRANT = frozenset({CLIENT_CREDENTIALS, REFRESH, CODE, DEVICE_CODE})


@dataclass(frozen=True)
class Registered:
    """A client that an administrator has added; without `secret` a public one. No `redirects` means any loopback address."""

    id: str
    secret: str | None = None
    grants: frozenset[str] = ANY_GRANT
    scopes: frozenset[str] = SCOPES
    redirects: tuple[str, ...] = ()


CLIENTS = (Registered("demo-service", "demo-secret"), Registered("demo-box", grants=ANY_GRANT - {CLIENT_CREDENTIALS}))


class Rejected(Exception):
    """An error of RFC 6749 §5.2 or RFC 8628 §3.5, by its code."""

    def __init__(self, code: str, description: str | None = None) -> None:
        super().__init__(code)
        self.code, self.description = code, description


def credentials(request: Request, fields: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return id and secret from the body, or from a header of basic authentication (RFC 6749 §2.3.1)."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind != "Basic":
        return fields.get("client_id"), fields.get("client_secret")
    id_, _, secret = b64decode(encoded).decode().partition(":")
    return unquote_plus(id_), unquote_plus(secret)


def may_redirect(client: Registered, redirect: str) -> bool:
    if client.redirects:
        return redirect in client.redirects
    return urlsplit(redirect).scheme == "http" and urlsplit(redirect).hostname in ("127.0.0.1", "::1")


def challenge_of(verifier: str) -> str:
    """Return what a verifier comes to by S256 (RFC 7636 §4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
