"""ampere.cloud's one address: a request goes in, what an Apollo gateway would answer comes out.

What cannot be executed at all is HTTP 400 with the code of why; what fails inside is HTTP 200 with errors beside the data.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graphql import GraphQLError, build_schema

from bridge.simulator.ampere.faults import AmpereFault, AmpereFaults, refusal
from bridge.simulator.ampere.plant import DEFAULT_COMPANIES, Company
from bridge.simulator.ampere.root import Root, resolved
from bridge.simulator.ampere.schema import SDL
from bridge.simulator.graphql import Outcome, Question, Refusal, accidental, as_json, asked, outcome, question
from bridge.simulator.server import Hangup, Request, Response

PATH = "/apollo-gateway"
REMEMBERED = 10_000  # requests
CODES = {
    Refusal.SYNTAX: "GRAPHQL_PARSE_FAILED",
    Refusal.INVALID: "GRAPHQL_VALIDATION_FAILED",
    Refusal.NO_OPERATION: "OPERATION_RESOLUTION_FAILURE",
    Refusal.VARIABLES: "BAD_USER_INPUT",
}
INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True)
class Asked:
    """A request that arrived; what could not be read of it is None or empty."""

    moment: datetime
    operation: str | None
    variables: Mapping[str, Any]
    token: str
    fields: tuple[str, ...] = ()


class Ampere:
    """What a user may see, at the time `now` tells; with another `sdl`, as another version of the schema would have it.

    `requests` holds the newest 10,000, `written` all that was carried out. Without `introspects` nobody is told the schema.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        token: str = "demo-token",  # noqa: S107 - opens nothing but this simulator
        companies: Sequence[Company] = DEFAULT_COMPANIES,
        sdl: str = SDL,
        faults: AmpereFaults | None = None,
    ) -> None:
        self._now, self.token, self.companies = now, token, tuple(companies)
        self.faults = faults or AmpereFaults()
        self.schema = build_schema(sdl)
        self.introspects = True
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)
        self.written: list[tuple[str, float]] = []

    async def handle(self, request: Request) -> Response:
        """Answer one request; raises `Hangup` where the connection is to be dropped."""
        if request.path != PATH:
            return Response(404, b"Not Found", "text/plain; charset=utf-8")
        if request.method != "POST":
            return Response(405, b"Method Not Allowed", "text/plain; charset=utf-8", (("Allow", "POST"),))
        posted = question(request.body)
        operation, fields = asked(self.schema, posted) if posted else (None, ())
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        self.requests.append(Asked(self._now(), operation, posted.variables if posted else {}, token, fields))
        fault = self.faults.take()
        if fault is AmpereFault.DROP:
            raise Hangup
        if answer := self.faults.answer(fault, token):
            return answer
        if (scheme, token) != ("Bearer", self.token):
            return refusal(401, "UNAUTHENTICATED", "A valid API token is wanted.")
        if "application/json" not in request.headers.get("content-type", "") or posted is None:
            return refusal(400, "BAD_REQUEST", "Blocked as a possible cross-site request forgery, or no JSON with a query.")
        answer = self._answer(posted, fields, fault)
        return replace(answer, truncate_at=len(answer.body) // 2) if fault is AmpereFault.TRUNCATED else answer

    def _answer(self, posted: Question, fields: Sequence[str], fault: AmpereFault | None) -> Response:
        if not self.introspects and INTROSPECTION & set(fields):
            return refusal(400, "GRAPHQL_VALIDATION_FAILED", "GraphQL introspection is not allowed by Apollo Server.")
        root = Root(self.companies, self.written, self._now(), fault)
        return _dressed(outcome(self.schema, posted, root, resolved))


def _dressed(found: Outcome) -> Response:
    """Return the answer as Apollo dresses it."""
    code = CODES[found.refusal] if found.refusal else "INTERNAL_SERVER_ERROR"
    errors = [_formatted(error, code) for error in found.errors]
    if found.refusal is not None:
        return as_json(400, {"errors": errors})
    return as_json(200, {**({"errors": errors} if errors else {}), "data": found.data})


def _formatted(error: GraphQLError, code: str) -> dict[str, Any]:
    """Apollo quotes names with " where graphql-core has '."""
    message = "Internal server error" if accidental(error) else error.message.replace("'", '"')
    extensions = {"code": code, **(error.extensions or {})}
    return {**error.formatted, "message": message, "extensions": extensions}
