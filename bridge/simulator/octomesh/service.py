"""OctoMesh's asset repository: a request goes in, what GraphQL or REST would answer comes out.

Tokens are another service's; see `tokens.Tokens`, which `identity.Identity` is.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from graphql import GraphQLSchema

from bridge.simulator.graphql import Outcome, Refusal, accidental, as_json, outcome, question
from bridge.simulator.octomesh import actual, actual_schema, documented, documented_schema
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.faults import OctoFault, OctoFaults, failure, too_many
from bridge.simulator.octomesh.limits import Limits, Sort
from bridge.simulator.octomesh.plant import Plant
from bridge.simulator.octomesh.plant import plant as usual_plant
from bridge.simulator.octomesh.rest import Call, route
from bridge.simulator.octomesh.tokens import FULL, OTHER_TENANT, READ_ONLY, OneToken, Tokens, failed, forbidden, unauthorised
from bridge.simulator.octomesh.tree import MUTATION, QUERY, Branch, Purpose, Tree, purpose, resolved
from bridge.simulator.octomesh.visit import Visit, Written
from bridge.simulator.server import Hangup, Request, Response

GRAPHQL_PATH = re.compile(r"/tenants/(?P<tenant>[^/]+)/graphql/?", re.IGNORECASE)
SCHEMAS: Mapping[Dialect, tuple[GraphQLSchema, Mapping[str, Tree]]] = MappingProxyType(
    {Dialect.DOCUMENTED: (documented_schema.SCHEMA, documented.TREE), Dialect.ACTUAL: (actual_schema.SCHEMA, actual.TREE)}
)
REMEMBERED = 10_000  # requests


@dataclass(frozen=True)
class Asked:
    """A request that arrived. `operation` is the document's name or the path of REST; what could not be read is None or empty."""

    moment: datetime
    operation: str | None
    variables: Mapping[str, Any]
    fields: tuple[str, ...]
    is_write: bool
    authorised: bool
    user_agent: str | None


class OctoMesh:
    """One tenant on a server of one dialect, at the time that `now` tells.

    `requests` holds the newest 10,000, `written` all writes that were carried out; `limits` may be None.
    `rest` is the shape of the paths of REST, that of the dialect where it is None.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        tenant: str = "demo",
        dialect: Dialect = Dialect.ACTUAL,
        rest: Dialect | None = None,
        plant: Plant | None = None,
        tokens: Tokens | None = None,
        limits: Limits | None = None,
        faults: OctoFaults | None = None,
    ) -> None:
        self._now = now
        self.tenant, self.dialect, self.rest = tenant, dialect, rest or dialect
        self.plant = plant or usual_plant()
        self.tokens = tokens or OneToken()
        self.limits: Limits | None = limits or Limits()
        self.faults = faults or OctoFaults()
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)
        self.written: list[Written] = []

    @property
    def path(self) -> str:
        """Where GraphQL is asked."""
        return f"/tenants/{self.tenant}/graphql"

    async def handle(self, request: Request) -> Response:
        """Answer one request; raises `Hangup` where the connection is to be dropped."""
        if found := GRAPHQL_PATH.fullmatch(request.path):
            return await self._graphql(request, found["tenant"])
        return await self._rest(request)

    async def _graphql(self, request: Request, tenant: str) -> Response:
        if request.method != "POST":
            return Response(405, b"", "text/plain; charset=utf-8", (("Allow", "POST"),))
        schema, tree = SCHEMAS[self.dialect]
        posted = question(request.body)
        about = purpose(schema, posted)
        visit = await self._visit(request, about, posted.variables if posted else {}, tenant)
        sort = Sort.WRITE if about.is_write else Sort.QUERY
        if refused := self._refusal(request, visit, tenant, sort):
            return refused
        if posted is None:
            return as_json(400, {"errors": [{"message": "The body must be a JSON object with a query."}]})
        root = Branch(visit, tree[MUTATION if about.is_write else QUERY], about.is_write)
        answer = _dressed(outcome(schema, posted, root, resolved), visit)
        return _cut(answer, visit.met.fault)

    async def _rest(self, request: Request) -> Response:
        tail = request.path.rpartition("/")[2]
        found = route(self.rest, request)
        is_write = found is not None and found[0].sort in {Sort.WRITE, Sort.UPLOAD}
        about = Purpose(request.path, (tail,), is_write)
        tenant = found[1].get("tenant", self.tenant) if found else self.tenant
        visit = await self._visit(request, about, dict(parse_qsl(request.query)), tenant)
        if found is None:
            return failed(404, "Not Found", "There is nothing at this address.")
        way, named = found
        refused = failure(visit.met.fault) if way.sort is None else self._refusal(request, visit, tenant, way.sort)
        if refused is None and way.sort is not None and not self._may(request, is_write=is_write):
            refused = forbidden(self.dialect)
        return refused or _cut(way.answer(Call(visit, request, tenant, named.get("id"))), visit.met.fault)

    def _may(self, request: Request, *, is_write: bool) -> bool:
        """Tell whether the token's scopes allow REST; GraphQL asks for none."""
        needed = {FULL} if is_write else {FULL, READ_ONLY}
        return not needed.isdisjoint(self.tokens.scopes_of(request.headers.get("authorization")))

    async def _visit(self, request: Request, about: Purpose, variables: Mapping[str, Any], tenant: str) -> Visit:
        """Note the request; return what it meets, after the wait where it is to be slow."""
        moment, met = self._now(), self.faults.take(about.fields, is_later=about.is_later)
        token, agent = request.headers.get("authorization"), request.headers.get("user-agent")
        known = self.tokens.token_is_good(token, tenant) is None
        self.requests.append(Asked(moment, about.operation, variables, about.fields, about.is_write, known, agent))
        if met.fault is OctoFault.DROP:
            raise Hangup
        if met.fault is OctoFault.SLOW:
            await asyncio.sleep(self.faults.slow_s)
            moment = self._now()
        return Visit(self.plant, moment, self.dialect, met, self.faults.missing, self.written)

    def _refusal(self, request: Request, visit: Visit, tenant: str, sort: Sort) -> Response | None:
        """Return the answer to a request that is not let in, None for one that is."""
        fault, token = visit.met.fault, request.headers.get("authorization")
        if answer := failure(fault):
            return answer
        unfit = self.tokens.token_is_good(token, tenant)
        if fault in {OctoFault.EXPIRED, OctoFault.EXPIRED_LATER} or unfit not in {None, OTHER_TENANT}:
            return unauthorised(self.dialect)
        if tenant.lower() != self.tenant.lower():
            return failed(404, "Not Found", f"Tenant '{tenant}' does not exist.")
        if unfit or fault is OctoFault.FORBIDDEN:
            return forbidden(self.dialect)
        if fault is OctoFault.ECHO_TOKEN:
            return as_json(200, {"errors": [{"message": f"Could not serve {token}."}], "data": None})
        passes = self.limits is None or self.limits.lets_pass(sort, visit.moment)
        return None if passes else too_many()


def _dressed(came: Outcome, visit: Visit) -> Response:
    """Return the answer in the words of the dialect; those of a document that is not valid are inferred."""
    if came.refusal:
        code = "SYNTAX_ERROR" if came.refusal is Refusal.SYNTAX else "VALIDATION_ERROR"
        return as_json(400, {"errors": [{**error.formatted, "extensions": {"code": code}} for error in came.errors]})
    common = visit.common().extensions
    told = [{**each.formatted, **({"extensions": common} if accidental(each) else {})} for each in came.errors]
    return as_json(200, {"data": came.data, **({"errors": told} if told else {})})


def _cut(response: Response, fault: OctoFault | None) -> Response:
    if fault is OctoFault.DROP_AFTER:
        raise Hangup
    return replace(response, truncate_at=len(response.body) // 2) if fault is OctoFault.TRUNCATED else response
