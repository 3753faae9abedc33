"""OctoMesh's identity service (Duende IdentityServer): tokens by secret, by device code, by browser with PKCE, and anew.

The test user says yes, no, or nothing at all (`person`). A client is looked up in the tenant that `acr_values` names, so `strict`
knows nobody without it, as the published server does.
"""

import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bridge.simulator.octomesh.clients import (
    ANY_GRANT,
    CLIENT_CREDENTIALS,
    CLIENTS,
    CODE,
    DEVICE_CODE,
    REFRESH,
    Registered,
    Rejected,
    challenge_of,
    credentials,
    may_redirect,
)
from bridge.simulator.octomesh.passes import (
    ACCESS_LIFE,
    CODE_LIFE,
    DEVICE_LIFE,
    INTERVAL,
    OFFLINE,
    SCOPES,
    BrowserCode,
    Device,
    Outcome,
    Pass,
    Passes,
)
from bridge.simulator.server import Request, Response

DISCOVERY = "/.well-known/openid-configuration"
TOKEN, AUTHORIZE, DEVICE, VERIFY = "/connect/token", "/connect/authorize", "/connect/deviceauthorization", "/device"
PATHS = frozenset({DISCOVERY, TOKEN, AUTHORIZE, DEVICE, VERIFY})
PERSON = "demo-person"


class Says(StrEnum):
    """What the test user does with a request."""

    YES = auto()
    NO = auto()
    NOTHING = auto()
    """Until `decide` is called or the page for the code is opened."""


class Unfit(StrEnum):
    """Why a token does not open a tenant."""

    MISSING = auto()
    UNKNOWN = auto()
    """Made up, or ended by hand."""
    EXPIRED = auto()
    OTHER_TENANT = auto()
    """HTTP 403, the others 401."""


@dataclass(frozen=True)
class Asked:
    """A request, and the error that answered it, None where all was well."""

    moment: datetime
    path: str
    fields: Mapping[str, str]
    error: str | None

    @property
    def grant(self) -> str:
        return self.fields.get("grant_type", "")


@dataclass
class Identity:
    """One identity service with one tenant; `now` tells the time."""

    now: Callable[[], datetime]
    tenant: str = "demo"
    clients: tuple[Registered, ...] = CLIENTS
    strict: bool = False
    person: Says = Says.YES
    access_life: timedelta = ACCESS_LIFE
    interval: timedelta = INTERVAL  # between two polls for a device
    base_url: str = "http://127.0.0.1"
    bad_client_status: int = 400  # 401 from others
    requests: list[Asked] = field(default_factory=list)
    faults: deque[Response | Exception] = field(default_factory=deque)  # each answers, or is raised for, one request

    def __post_init__(self) -> None:
        self._passes = Passes(self.access_life)

    async def handle(self, request: Request) -> Response:
        fields = dict(parse_qsl(request.query if request.method == "GET" else request.body.decode("utf-8", "replace")))
        if self.faults:
            self._note(request, fields, "fault")
            return _raised_or_returned(self.faults.popleft())
        try:
            response = self._answered(request, fields)
        except Rejected as error:
            self._note(request, fields, error.code)
            return self._rejection(error)
        self._note(request, fields, None)
        return response

    # for whoever judges requests by their token

    def token_is_good(self, authorization: str | None, tenant: str) -> Unfit | None:
        """Return what is wrong with an `Authorization` header for a tenant's address, or None."""
        if not authorization or not authorization.startswith("Bearer "):
            return Unfit.MISSING
        known = self._pass(authorization)
        if known is None:
            return Unfit.UNKNOWN
        if self.now() >= known.until:
            return Unfit.EXPIRED
        return Unfit.OTHER_TENANT if known.person is not None and known.tenant.lower() != tenant.lower() else None

    def scopes_of(self, authorization: str | None) -> frozenset[str]:
        known = self._pass(authorization or "")
        return known.scopes if known else frozenset()

    def expire_all(self) -> None:
        """End every access token; refresh tokens stay good."""
        self._passes.expire_all()

    def sign_out(self) -> None:
        """End refresh tokens and codes too."""
        self._passes.sign_out()

    # for whoever plays the person

    @property
    def user_codes(self) -> list[str]:
        """The codes that wait to be typed in."""
        return [device.user_code for device in self._passes.devices.values() if device.outcome is Outcome.WAITING]

    def decide(self, user_code: str, says: Says) -> None:
        """Let the person answer for the device that shows `user_code`."""
        for device in self._passes.devices.values():
            if device.user_code == user_code and device.outcome is Outcome.WAITING and says is not Says.NOTHING:
                device.outcome = Outcome.GRANTED if says is Says.YES else Outcome.DENIED

    # the requests

    def _answered(self, request: Request, fields: Mapping[str, str]) -> Response:
        match request.method, request.path:
            case "POST", "/connect/token":
                return _json(200, self._passes.give(self._granted(request, fields), self.now()))
            case "POST", "/connect/deviceauthorization":
                return _json(200, self._device(request, fields))
            case "GET", "/connect/authorize":
                return self._authorized(fields)
            case "GET", "/device":
                self.decide(fields.get("userCode", ""), Says.YES)
                return Response(200, b"<title>Thank you</title>", "text/html; charset=utf-8")
            case "GET", "/.well-known/openid-configuration":
                return _json(200, self._discovery())
            case _:
                return Response(404, b"", "text/plain")

    def _granted(self, request: Request, fields: Mapping[str, str]) -> Pass:
        client = self._client(request, fields)
        grant = fields.get("grant_type", "")
        if grant not in ANY_GRANT:
            raise Rejected("unsupported_grant_type")
        if grant not in client.grants:
            raise Rejected("unauthorized_client")
        if grant == CLIENT_CREDENTIALS:
            return self._wanted(client, fields, None)
        ways = {REFRESH: self._by_refresh_token, CODE: self._by_code, DEVICE_CODE: self._by_device_code}
        return ways[grant](client, fields)

    def _by_refresh_token(self, client: Registered, fields: Mapping[str, str]) -> Pass:
        known = self._passes.refresh.pop(fields.get("refresh_token", ""), None)  # one use, and no other
        if known is None or known.client_id != client.id or self.now() >= known.until:
            raise Rejected("invalid_grant")
        return known

    def _by_code(self, client: Registered, fields: Mapping[str, str]) -> Pass:
        code = self._passes.codes.pop(fields.get("code", ""), None)
        if code is None or code.wanted.client_id != client.id or self.now() >= code.until:
            raise Rejected("invalid_grant")
        if code.redirect_uri != fields.get("redirect_uri") or code.challenge != challenge_of(fields.get("code_verifier", "")):
            raise Rejected("invalid_grant")
        return replace(code.wanted, begun=self.now())

    def _by_device_code(self, client: Registered, fields: Mapping[str, str]) -> Pass:
        device = self._passes.devices.get(fields.get("device_code", ""))
        if device is None or device.wanted.client_id != client.id or device.outcome is Outcome.USED:
            raise Rejected("invalid_grant")
        if self.now() >= device.until:
            raise Rejected("expired_token")
        if device.is_hasty(self.now()):
            raise Rejected("slow_down")
        if device.outcome is Outcome.WAITING:
            raise Rejected("authorization_pending")
        if device.outcome is Outcome.DENIED:
            raise Rejected("access_denied")
        device.outcome = Outcome.USED
        return replace(device.wanted, begun=self.now())

    def _device(self, request: Request, fields: Mapping[str, str]) -> dict[str, Any]:
        client = self._client(request, fields)
        if DEVICE_CODE not in client.grants:
            raise Rejected("unauthorized_client")
        user_code = f"{secrets.randbelow(10**9):09}"
        code = secrets.token_hex(32).upper()
        wanted, until = self._wanted(client, fields, PERSON), self.now() + DEVICE_LIFE
        self._passes.devices[code] = Device(user_code, wanted, until, self.interval)
        self.decide(user_code, self.person)
        verify = f"{self.base_url}{VERIFY}"
        return {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": verify,
            "verification_uri_complete": f"{verify}?userCode={user_code}",
            "expires_in": int(DEVICE_LIFE.total_seconds()),
            "interval": int(self.interval.total_seconds()),
        }

    def _authorized(self, fields: Mapping[str, str]) -> Response:
        client = next((client for client in self._here(fields) if client.id == fields.get("client_id")), None)
        redirect = fields.get("redirect_uri", "")
        if client is None or not may_redirect(client, redirect):  # nobody is sent to an address that nobody knows
            raise Rejected("invalid_request", "unknown client or redirect_uri")
        answer = {"state": fields.get("state", ""), "iss": self.base_url}
        if self.person is not Says.YES:
            answer["error"] = "access_denied"
        elif fields.get("response_type") != "code" or fields.get("code_challenge_method") != "S256":
            answer["error"] = "invalid_request"
        else:
            answer["code"] = secrets.token_hex(32).upper()
            wanted = self._wanted(client, fields, PERSON)
            challenge = fields.get("code_challenge", "")
            self._passes.codes[answer["code"]] = BrowserCode(wanted, redirect, challenge, self.now() + CODE_LIFE)
        return Response(302, headers=(("location", f"{redirect}?{urlencode(answer)}"),))

    def _wanted(self, client: Registered, fields: Mapping[str, str], person: str | None) -> Pass:
        scopes = frozenset(fields.get("scope", "").split()) or client.scopes - {OFFLINE}  # that one has to be asked for
        if not scopes <= client.scopes or (person is None and OFFLINE in scopes):
            raise Rejected("invalid_scope")
        return Pass(client.id, self.tenant, scopes, person, self.now(), self.now())

    def _client(self, request: Request, fields: Mapping[str, str]) -> Registered:
        id_, secret = credentials(request, fields)
        for client in self._here(fields):
            if client.id == id_ and client.secret == secret:
                return client
        raise Rejected("invalid_client")

    def _here(self, fields: Mapping[str, str]) -> tuple[Registered, ...]:
        """Return the clients of the tenant that the request is for."""
        named = fields.get("acr_values")
        is_here = named == f"tenant:{self.tenant}" if named is not None else not self.strict
        return self.clients if is_here else ()

    def _pass(self, authorization: str) -> Pass | None:
        return self._passes.access.get(authorization.removeprefix("Bearer "))

    def _note(self, request: Request, fields: Mapping[str, str], error: str | None) -> None:
        self.requests.append(Asked(self.now(), request.path, fields, error))

    def _rejection(self, error: Rejected) -> Response:
        body = {"error": error.code} | ({"error_description": error.description} if error.description else {})
        return _json(self.bad_client_status if error.code == "invalid_client" else 400, body)

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.base_url,
            "authorization_endpoint": f"{self.base_url}{AUTHORIZE}",
            "token_endpoint": f"{self.base_url}{TOKEN}",
            "device_authorization_endpoint": f"{self.base_url}{DEVICE}",
            "grant_types_supported": sorted(ANY_GRANT),
            "scopes_supported": sorted(SCOPES),
            "code_challenge_methods_supported": ["S256"],
        }


def _json(status: int, content: object) -> Response:
    return Response(status, json.dumps(content).encode(), headers=(("cache-control", "no-store"),))


def _raised_or_returned(fault: Response | Exception) -> Response:
    if isinstance(fault, Exception):
        raise fault
    return fault
