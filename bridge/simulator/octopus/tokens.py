"""Kraken's tokens: made from one of five credentials, good for an hour, renewed for a week.

They need no memory: what a token says is sealed in it, so one from before a restart is still good, as at the provider.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from graphql import GraphQLError

from bridge.simulator.octopus.errors import input_error, kraken_error

METHODS = {  # field of the input → how we call the method, and the provider in the token
    "APIKey": ("api_key", "API-KEY"),
    "email": ("email", "EMAIL-AND-PASSWORD"),
    "preSignedKey": ("pre_signed_key", "PRE-SIGNED-KEY"),
    "organizationSecretKey": ("organization_secret_key", "ORGANIZATION-SECRET-KEY"),
    "refreshToken": ("refresh_token", "REFRESH-TOKEN"),
}
USER_ID = 1000001
HEAD = 16  # hexadecimal digits of a refresh token that tell when it ends; the other 48 seal them


@dataclass(frozen=True)
class SignIn:
    """An attempt to get a token; `method` is one of those in `METHODS`, empty where none or several were tried."""

    moment: datetime
    method: str
    ok: bool


@dataclass
class Credentials:
    """What opens the account; the API key can be made anew."""

    api_key: str
    email: str
    password: str
    pre_signed_key: str
    organization_secret_key: str

    def of(self, given: Mapping[str, str]) -> bool:
        """Tell whether `given`, which holds a single method, is right; a refresh token never is."""
        expected = {
            "APIKey": self.api_key,
            "email": self.email,
            "preSignedKey": self.pre_signed_key,
            "organizationSecretKey": self.organization_secret_key,
        }
        return all(given[name] == value for name, value in expected.items() if name in given) and (
            "email" not in given or given.get("password") == self.password
        )


class Tokens:
    """Makes tokens and knows its own."""

    def __init__(self, credentials: Credentials, life: timedelta, refresh_life: timedelta) -> None:
        self._credentials, self._life, self._refresh_life = credentials, life, refresh_life
        self._numbers = count(1)

    def grant(self, given: Mapping[str, str], moment: datetime, issuer: str) -> dict[str, Any]:
        """Return the payload for the input of a sign-in; raises GraphQLError where it is refused."""
        name = only_method(given)
        if name is None or ("email" in given) != ("password" in given):
            raise input_error("KT-CT-1135", "input")
        refresh = given.get("refreshToken")
        until = self._refreshable(refresh) if refresh else int((moment + self._refresh_life).timestamp())
        right = until > moment.timestamp() if refresh else self._credentials.of(given)
        if not right:
            raise _refusal(name)
        claims = self._claims(METHODS[name][1], moment, issuer)
        refresh = refresh or self._refresh_token(until)
        return {"token": self._token(claims), "payload": claims, "refreshToken": refresh, "refreshExpiresIn": until}

    def refusal(self, token: str, moment: datetime) -> GraphQLError | None:
        """Return what is wrong with an access token, or None."""
        parts = token.split(".")
        if len(parts) != 3 or not hmac.compare_digest(parts[2].encode(), self._seal(f"{parts[0]}.{parts[1]}").encode()):  # noqa: PLR2004 - of any JWT
            return kraken_error("KT-CT-1111")
        return kraken_error("KT-CT-1124") if moment.timestamp() >= _claims_of(parts[1])["exp"] else None

    def _claims(self, grant_type: str, moment: datetime, issuer: str) -> dict[str, Any]:
        issued = int(moment.timestamp())
        return {
            "sub": f"kraken|account-user:{USER_ID}",
            "gty": grant_type,
            "email": self._credentials.email,
            "tokenUse": "access",
            "iss": issuer,
            "iat": issued,
            "exp": issued + int(self._life.total_seconds()),
            "origIat": issued,
        }

    def _token(self, claims: Mapping[str, Any]) -> str:
        head = _encoded({"alg": "none", "typ": "JWT", "kid": f"simulator-{next(self._numbers)}"})
        signed = f"{head}.{_encoded(claims)}"
        return f"{signed}.{self._seal(signed)}"

    def _refresh_token(self, until: int) -> str:
        head = f"{until:x}".zfill(HEAD // 2) + f"{next(self._numbers):x}".zfill(HEAD // 2)
        return head + self._mark(head)

    def _refreshable(self, token: str) -> int:
        """Return until when a refresh token is good, as Unix time; 0 for one that is not ours."""
        head = token[:HEAD]
        return int(head[: HEAD // 2], 16) if hmac.compare_digest(token[HEAD:].encode(), self._mark(head).encode()) else 0

    def _mark(self, text: str) -> str:
        return self._digest(text).hex()[HEAD:]

    def _seal(self, text: str) -> str:
        return _base64(self._digest(text))

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._credentials.email.encode(), text.encode(), hashlib.sha256).digest()


def only_method(given: Mapping[str, str]) -> str | None:
    """Return the field of the one method that was given, or None."""
    names = [name for name in given if name in METHODS]
    return names[0] if len(names) == 1 else None


def _refusal(name: str) -> GraphQLError:
    if name == "email":
        return input_error("KT-CT-1138", "input")
    return input_error("KT-CT-1139", "input", "apiKey" if name == "APIKey" else name)


def _claims_of(part: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _encoded(content: Mapping[str, Any]) -> str:
    return _base64(json.dumps(content, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
