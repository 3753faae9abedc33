"""What the identity service gives out: access tokens that end, refresh tokens good for one use, codes for a browser or a device.

A token is shaped like a JWT, but what it says is looked up here: nobody can make one, and all of them can be made to end.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any

READ_WRITE, READ_ONLY, OFFLINE = "octo_api", "octo_api.read_only", "offline_access"
SCOPES = frozenset({"openid", "profile", "email", "role", OFFLINE, READ_WRITE, READ_ONLY, "octo_api.data_model_management"})

ACCESS_LIFE = timedelta(hours=1)
SLIDING, ABSOLUTE = timedelta(days=15), timedelta(days=30)  # of refresh tokens: since the last use, since the sign-in
CODE_LIFE = timedelta(minutes=5)
DEVICE_LIFE = timedelta(minutes=5)
INTERVAL = timedelta(seconds=5)


@dataclass(frozen=True)
class Pass:
    """Whom a token speaks for."""

    client_id: str
    tenant: str
    scopes: frozenset[str]
    person: str | None  # None: the client speaks for itself
    begun: datetime  # when somebody signed in
    until: datetime


class Outcome(StrEnum):
    """How far a device code has come."""

    WAITING = auto()
    GRANTED = auto()
    DENIED = auto()
    USED = auto()


@dataclass
class Device:
    """A device that waits for a person; polled sooner than `interval` after the last time it is told to slow down."""

    user_code: str
    wanted: Pass
    until: datetime
    interval: timedelta
    outcome: Outcome = Outcome.WAITING
    polled: datetime | None = None

    def is_hasty(self, moment: datetime) -> bool:
        """Tell whether this poll comes too soon; if so, the next ones have to be 5 s farther apart (RFC 8628 §3.5)."""
        hasty = self.polled is not None and moment < self.polled + self.interval
        self.polled = moment
        self.interval += timedelta(seconds=5) * hasty
        return hasty


@dataclass(frozen=True)
class BrowserCode:
    """An authorization code and what it is bound to."""

    wanted: Pass
    redirect_uri: str
    challenge: str
    until: datetime


@dataclass
class Passes:
    """Every token and code that is about."""

    access_life: timedelta = ACCESS_LIFE
    access: dict[str, Pass] = field(default_factory=dict)
    refresh: dict[str, Pass] = field(default_factory=dict)
    codes: dict[str, BrowserCode] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def give(self, wanted: Pass, moment: datetime) -> dict[str, Any]:
        """Return the body that answers a good token request."""
        token = _token({"client_id": wanted.client_id, "tenant_id": wanted.tenant, "scope": sorted(wanted.scopes)})
        self.access[token] = replace(wanted, until=moment + self.access_life)
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(self.access_life.total_seconds()),
            "scope": " ".join(sorted(wanted.scopes)),
        }
        if wanted.person is not None and OFFLINE in wanted.scopes:
            refresh = secrets.token_hex(32).upper()
            self.refresh[refresh] = replace(wanted, until=min(moment + SLIDING, wanted.begun + ABSOLUTE))
            body["refresh_token"] = refresh
        return body

    def expire_all(self) -> None:
        """End every access token; refresh tokens stay good."""
        self.access = {}

    def sign_out(self) -> None:
        """End every token and code, as when a person withdraws what was granted."""
        for kind in (self.access, self.refresh, self.codes, self.devices):
            kind.clear()


def _token(claims: Mapping[str, Any]) -> str:
    head, body = (_encoded(json.dumps(part).encode()) for part in ({"alg": "none", "typ": "at+jwt"}, claims))
    return f"{head}.{body}.{secrets.token_urlsafe(24)}"


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
