"""Tibber's GraphQL endpoint: a request goes in, what the live service would answer comes out.

Documents are really executed against a schema; a bad token is therefore an error of the field `viewer`, in HTTP 200.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from graphql import GraphQLError, build_schema

from bridge.simulator.faults import Fault, Faults
from bridge.simulator.graphql import Outcome, Question, Refusal, as_json, asked, outcome, question, resolve
from bridge.simulator.homes import DEFAULT_HOMES, Home
from bridge.simulator.mutations import Root, Written
from bridge.simulator.server import Hangup, Request, Response
from bridge.simulator.tibber_schema import SDL
from bridge.simulator.viewer import Account

__all__ = ["DEFAULT_HOMES", "PATH", "Asked", "Home", "Tibber", "Written"]

PATH = "/v1-beta/gql"
SCHEMA = build_schema(SDL)
REMEMBERED = 10_000  # requests
PUBLISH_AT = time(13)  # in Oslo
CODES = {
    Refusal.SYNTAX: "GRAPHQL_PARSE_FAILED",
    Refusal.INVALID: "GRAPHQL_VALIDATION_FAILED",
    Refusal.NO_OPERATION: "OPERATION_RESOLUTION_FAILURE",
    Refusal.VARIABLES: "BAD_USER_INPUT",
}


@dataclass(frozen=True)
class Asked:
    """A request that arrived; what could not be read of it is None or empty."""

    moment: datetime
    operation: str | None
    variables: Mapping[str, Any]
    user_agent: str | None


class Tibber:
    """A customer's account at the provider, at the time `now` tells.

    `publish_at` is the wall-clock time in Oslo at which tomorrow's prices appear; `requests` holds the newest 10,000, `written`
    all that was carried out. A message goes to `devices` phones; with `is_demo` nothing may be written at all.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        token: str = "demo-token",  # noqa: S107 - opens nothing but this simulator
        homes: Sequence[Home] = DEFAULT_HOMES,
        faults: Faults | None = None,
    ) -> None:
        self._now = now
        self._token = token
        self.homes = homes
        self.faults = faults or Faults()
        self.publish_at = PUBLISH_AT
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)
        self.written: list[Written] = []
        self.devices = 2
        self.is_demo = False

    async def handle(self, request: Request) -> Response:
        """Answer one request; raises `Hangup` where the connection is to be dropped."""
        if request.path != PATH:
            return Response(404, b"Not Found", "text/plain; charset=utf-8")
        if request.method != "POST":
            return Response(405, b"Method Not Allowed", "text/plain; charset=utf-8", (("Allow", "POST"),))
        moment = self._now()
        posted = question(request.body)
        agent = request.headers.get("user-agent")
        self.requests.append(_asked(moment, posted, agent))
        fault = self.faults.take()
        if fault is Fault.DROP:
            raise Hangup
        if fault is Fault.SLOW:
            await asyncio.sleep(self.faults.slow_s)
            moment = self._now()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if answer := self.faults.answer(fault) or _failure(fault, token):
            return answer
        if not agent:
            return _refusal(400, "BAD_REQUEST", "A User-Agent header is required.")
        if posted is None:
            return _refusal(400, "BAD_REQUEST", "The body must be a JSON object with a query.")
        known = scheme == "Bearer" and token == self._token and fault is not Fault.UNAUTHENTICATED
        answer = _executed(posted, Root(moment, self.homes, self.publish_at, known, fault, self))
        return replace(answer, truncate_at=len(answer.body) // 2) if fault is Fault.TRUNCATED else answer


def _asked(moment: datetime, posted: Question | None, agent: str | None) -> Asked:
    if posted is None:
        return Asked(moment, None, {}, agent)
    return Asked(moment, asked(SCHEMA, posted)[0], posted.variables, agent)


def _failure(fault: Fault | None, token: str) -> Response | None:
    match fault:
        case Fault.UNAUTHENTICATED_400:
            return _refusal(400, "UNAUTHENTICATED", "Context creation failed: invalid token")
        case Fault.ERRORS_200:
            return _refusal(200, "INTERNAL_SERVER_ERROR", "Something went wrong.", data=None)
        case Fault.ECHO_TOKEN:
            return _refusal(200, "INTERNAL_SERVER_ERROR", f"Could not serve the token {token}.", data=None)
        case _:
            return None


def _executed(question: Question, account: Account) -> Response:
    came = outcome(SCHEMA, question, account, resolve)
    if came.refusal:
        return _rejection(came, CODES[came.refusal])
    formatted = {"errors": [_formatted(error, "INTERNAL_SERVER_ERROR") for error in came.errors]} if came.errors else {}
    return as_json(200, {**formatted, "data": came.data})


def _rejection(came: Outcome, code: str) -> Response:
    """The provider quotes names with " where graphql-core has '."""
    formatted = [_formatted(error, code) for error in came.errors]
    return as_json(400, {"errors": [{**each, "message": each["message"].replace("'", '"')} for each in formatted]})


def _formatted(error: GraphQLError, code: str) -> dict[str, Any]:
    return {**error.formatted, "extensions": {"code": code, **(error.extensions or {})}}


def _refusal(status: int, code: str, message: str, **more: object) -> Response:
    return as_json(status, {"errors": [{"message": message, "extensions": {"code": code}}], **more})
