"""Octopus Energy: a request goes in, what Kraken's GraphQL, its REST paths or the provider's gateway would answer comes out.

The gateway is another host in truth; here all three are one server and told apart by their paths.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from bridge.simulator.graphql import Question, asked, question
from bridge.simulator.octopus import backend, rest
from bridge.simulator.octopus.faults import OctopusFault, OctopusFaults, failure
from bridge.simulator.octopus.graphql import Root, breakdown, executed, rejection, removal, resolver
from bridge.simulator.octopus.homes import DEFAULT_DEVICES, DEFAULT_PROPERTIES, Account, Device, Property
from bridge.simulator.octopus.platform import Asked, Platform, Visit
from bridge.simulator.octopus.root import ROOT, admit
from bridge.simulator.octopus.schema import SCHEMA
from bridge.simulator.octopus.tokens import METHODS, Credentials
from bridge.simulator.server import Hangup, Request, Response

GRAPHQL_PATH = "/v1/graphql/"
REST_PATH = rest.PATH
BACKEND_PATH = "/backend/v1/graphql/"
SCHEMAS = {"graphql": (SCHEMA, ROOT, resolver(admit)), "backend": (backend.SCHEMA, backend.ROOT, resolver(backend.admit))}
KINDS = {GRAPHQL_PATH: "graphql", BACKEND_PATH: "backend"}


class Octopus(Platform):
    """A customer's account at the provider, at the time `now` tells.

    `publish_at` is the wall-clock time in London at which Agile's prices of tomorrow appear, None: not before tomorrow.
    `base_url` is what absolute links begin with. `requests` holds the newest 10,000, `sign_ins` and `written` all there were;
    `accounts` can be added to.
    """

    def __init__(  # noqa: PLR0913 - as many as there are ways to sign in
        self,
        now: Callable[[], datetime],
        *,
        account: str = "A-DEMO0001",
        api_key: str = "sk_live_demo",
        email: str = "demo@example.com",
        password: str = "demo-password",  # noqa: S107 - opens nothing but this simulator
        pre_signed_key: str = "psk-demo",
        organization_secret_key: str = "org-demo",  # noqa: S107 - likewise
        base_url: str = "http://127.0.0.1",
        properties: Sequence[Property] = DEFAULT_PROPERTIES,
        devices: Sequence[Device] = DEFAULT_DEVICES,
        home_mini: bool = True,
        token_life: timedelta = timedelta(minutes=60),
        refresh_life: timedelta = timedelta(days=7),
        faults: OctopusFaults | None = None,
    ) -> None:
        credentials = Credentials(api_key, email, password, pre_signed_key, organization_secret_key)
        super().__init__(Account(account, tuple(properties), tuple(devices)), credentials, token_life, refresh_life)
        self._now = now
        self.base_url, self.home_mini = base_url, home_mini
        self.faults = faults or OctopusFaults()

    async def handle(self, request: Request) -> Response:
        """Answer one request; raises `Hangup` where the connection is to be dropped."""
        if kind := KINDS.get(request.path):
            return await self._graphql(kind, request)
        if request.path.startswith(f"{REST_PATH}/"):
            return await self._rest(request)
        return Response(404, b'{"detail":"Not found."}', "application/json")

    async def _graphql(self, kind: str, request: Request) -> Response:
        if request.method != "POST":
            return Response(405, b"", "text/plain; charset=utf-8", (("Allow", "POST"),))
        schema, root, field_resolver = SCHEMAS[kind]
        posted = question(request.body)
        operation, fields = asked(schema, posted) if posted else (None, ())
        visit = await self._visit(kind, request, operation, posted.variables if posted else {}, fields)
        fault = visit.met.fault
        if fault is OctopusFault.ECHO_TOKEN:
            return breakdown(f"Could not serve {_secret(visit, posted)}.")
        if answer := failure(fault):
            return answer
        if posted is None:
            return rejection("Must provide query string.")
        if fault in {OctopusFault.REMOVED_FIELD, OctopusFault.REMOVED_FIELD_BARE}:
            bare = fault is OctopusFault.REMOVED_FIELD_BARE
            if answer := removal(schema, posted, self.faults.removed, bare=bare):
                return answer
        return _cut(executed(schema, posted, Root(visit, root), field_resolver), fault)

    async def _rest(self, request: Request) -> Response:
        visit = await self._visit("rest", request, request.path, dict(parse_qsl(request.query)), ())
        fault = visit.met.fault
        if fault is OctopusFault.ECHO_TOKEN:
            return Response(500, f'{{"detail":"Could not serve {visit.authorisation}."}}'.encode(), "application/json")
        return failure(fault) or _cut(rest.answered(visit, request.method, request.path, request.query), fault)

    async def _visit(
        self, kind: str, request: Request, operation: str | None, variables: Mapping[str, Any], fields: tuple[str, ...]
    ) -> Visit:
        """Note the request; return what it meets, after the wait where it is to be slow."""
        visit = Visit(self, self._now(), request.headers.get("authorization", ""), self.faults.take(kind, operation, fields))
        known = {"graphql": visit.refusal() is None, "backend": not backend.refused(visit), "rest": rest.authorised(visit)}
        agent = request.headers.get("user-agent")
        self.requests.append(Asked(visit.moment, kind, operation, variables, known[kind], agent, fields))
        if visit.met.fault is OctopusFault.DROP:
            raise Hangup
        if visit.met.fault is OctopusFault.SLOW:
            await asyncio.sleep(self.faults.slow_s)
            visit = replace(visit, moment=self._now())
        return visit


def _secret(visit: Visit, posted: Question | None) -> str:
    """Return what no answer should repeat: the token, or the credentials of a sign-in."""
    given = posted.variables.get("input") if posted else None
    keys = [str(given[name]) for name in (*METHODS, "password") if isinstance(given, dict) and given.get(name)]
    return visit.authorisation or " ".join(keys)


def _cut(response: Response, fault: OctopusFault | None) -> Response:
    return replace(response, truncate_at=len(response.body) // 2) if fault is OctopusFault.TRUNCATED else response
