"""Kraken's and REST's wire in a test's hand: answers come from a table, and what was sent is remembered."""

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2

from bridge.providers.base import Surroundings
from bridge.providers.octopus.codes import CODES, WORDS
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.rest import Rest
from bridge.providers.octopus.settings import PAUSE, OctopusSettings
from bridge.providers.octopus.sign_in import SignIn
from bridge.providers.octopus.source import Octopus
from bridge.redact import Redactor
from bridge.transport.graphql import GraphQL, Json
from bridge.transport.http import Http
from tests.support import Impatient, Purse, Uncounted, utc

NOON = utc("2026-06-10T12:00")
KEY = "sk_live_planted_0123456789"
URL = "https://api.octopus.energy/v1/graphql/"
REST_URL = "https://api.octopus.energy/v1"
SIGN_IN = "ObtainToken"
NOT_FOUND = httpx2.Response(404, json={"detail": "Not found."})
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Sent:
    """A request as it arrived: `about` is a document's name, or what stands behind the address of REST."""

    about: str
    given: Mapping[str, Any]  # variables, or the query of REST
    authorization: str | None
    host: str


class Wire:
    """`answers` by what is asked: JSON, a response, an exception, a callable of what was sent, or a list of them in turn.

    The last one of a list stands for ever. A sign-in that is not in the table brings token-1, token-2, …
    """

    def __init__(self, answers: Mapping[str, Any] | None = None, moment: datetime = NOON, purse: Any = None) -> None:
        self.answers = dict(answers or {})
        self.sent: list[Sent] = []
        self.clock, self.meter, self.redact, self.purse = Impatient(moment), Uncounted(), Redactor([KEY]), purse or Purse()
        transport = httpx2.MockTransport(self._handle)
        self.http = Http(self.meter, self.clock, self.redact, pause=PAUSE, chance=random.Random(1), transport=transport)
        self.graphql = GraphQL(self.http, URL, self.redact, codes=CODES, words=WORDS)
        self.signing = SignIn(self.graphql, {"APIKey": KEY}, self.purse, self.clock, self.redact.learn)
        self.kraken = Kraken(self.graphql, self.signing)
        self.rest = Rest(self.http, REST_URL, self.redact, settings().api_key)
        self._tokens = 0

    def source(self, **given: Any) -> Octopus:
        about = Surroundings("home", self.http, self.clock, self.redact, 0.5, random.Random(1), self.purse)
        return Octopus(settings(**given), about)

    def asked(self) -> list[str]:
        return [sent.about for sent in self.sent]

    def pass_(self, **span: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**span))

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        sent = _sent(request)
        self.sent.append(sent)
        answer = self.answers.get(sent.about, self._signed_in if sent.about == SIGN_IN else NOT_FOUND)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        while callable(answer):
            answer = answer(sent)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return httpx2.Response(200, headers=JSON, content=json.dumps(answer, default=str).encode())

    def _signed_in(self, _: Sent) -> Json:
        self._tokens += 1
        return granted(f"token-{self._tokens}", self.clock.now())


def _sent(request: httpx2.Request) -> Sent:
    authorization, host = request.headers.get("Authorization"), request.url.host
    if request.method == "GET":
        return Sent(request.url.path.removeprefix("/v1"), dict(request.url.params), authorization, host)
    body = json.loads(request.content)
    name = re.search(r"(?:query|mutation) (\w+)", body["query"])
    assert name is not None
    return Sent(name[1], body["variables"], authorization, host)


def settings(**given: Any) -> OctopusSettings:
    ways = {"api_key", "email", "pre_signed_key", "organization_secret_key"}
    signing = {} if ways & given.keys() else {"api_key": KEY}
    return OctopusSettings.model_validate({"provider": "octopus", **signing, **given})


def granted(token: str = "token-1", issued: datetime = NOON, **given: Any) -> Json:
    """Return the answer to a sign-in: an hour for the token, a week for the refresh token; `given` takes a field's place."""
    began = int(issued.timestamp())
    grant = {
        "token": token,
        "refreshToken": f"refresh-of-{token}",
        "refreshExpiresIn": began + 7 * 86400,
        "payload": {"sub": "kraken|account-user:1", "iat": began, "exp": began + 3600},
    }
    return {"data": {"obtainKrakenToken": grant | given}}


def failure(code: str, *path: str | int, message: str = "No.", data: Json | None = None, **extensions: Any) -> Json:
    """Return an answer with one of Kraken's errors; without `data`, null at the path's first step."""
    error = {"message": message, "path": list(path), "extensions": {"errorCode": code, **extensions}}
    return {"data": data if data is not None else {path[0]: None} if path else None, "errors": [error]}


def page(nodes: list[Json], cursor: str | None = None, **info: Any) -> Json:
    """Return a page of a connection, the last one where there is no `cursor`."""
    about = {"hasNextPage": cursor is not None, "endCursor": cursor, **info}
    return {"pageInfo": about, "edges": [{"node": node} for node in nodes]}


def from_json(value: object) -> Any:
    """Return `value` as it comes off the wire: fractions as Decimal."""
    return json.loads(json.dumps(value), parse_float=Decimal)
