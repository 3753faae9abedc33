"""Tibber's GraphQL endpoint: a request goes in, what the live service would answer comes out.

Documents are really executed against a schema; a bad token is therefore an error of the field `viewer`, in HTTP 200.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from bridge.simulator.faults import Fault, Faults
from bridge.simulator.homes import DEFAULT_HOMES, Home
from bridge.simulator.mutations import Root, Written
from bridge.simulator.server import Hangup, Request, Response
from bridge.simulator.tibber_schema import SDL
from bridge.simulator.viewer import Account, resolve

__all__ = ["DEFAULT_HOMES", "PATH", "Asked", "Home", "Tibber", "Written"]

log = logging.getLogger(__name__)

PATH = "/v1-beta/gql"
SCHEMA = build_schema(SDL)
REMEMBERED = 10_000  # requests
PUBLISH_AT = time(13)  # in Oslo


@dataclass(frozen=True)
class Asked:
    """A request that arrived; what could not be read of it is None or empty."""

    moment: datetime
    operation: str | None
    variables: Mapping[str, Any]
    user_agent: str | None


@dataclass(frozen=True)
class _Question:
    query: str
    variables: dict[str, Any]
    operation: str | None


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
        question = _question(request.body)
        agent = request.headers.get("user-agent")
        self.requests.append(_asked(moment, question, agent))
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
        if question is None:
            return _refusal(400, "BAD_REQUEST", "The body must be a JSON object with a query.")
        known = scheme == "Bearer" and token == self._token and fault is not Fault.UNAUTHENTICATED
        answer = _execute(question, Root(moment, self.homes, self.publish_at, known, fault, self))
        return replace(answer, truncate_at=len(answer.body) // 2) if fault is Fault.TRUNCATED else answer


def _question(body: bytes) -> _Question | None:
    try:
        posted = json.loads(body)
    except ValueError:
        return None
    match posted:
        case {"query": str(query)}:
            variables, operation = posted.get("variables") or {}, posted.get("operationName")
            if isinstance(variables, dict) and isinstance(operation, str | None):
                return _Question(query, variables, operation)
    return None


def _asked(moment: datetime, question: _Question | None, agent: str | None) -> Asked:
    if question is None:
        return Asked(moment, None, {}, agent)
    operation = question.operation
    if operation is None and isinstance(document := _prepared(question.query), DocumentNode):
        only = get_operation_ast(document)
        operation = only.name.value if only and only.name else None
    return Asked(moment, operation, question.variables, agent)


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


def _execute(question: _Question, account: Account) -> Response:
    document = _prepared(question.query)
    if not isinstance(document, DocumentNode):
        return document
    if get_operation_ast(document, question.operation) is None:
        return _refusal(400, "OPERATION_RESOLUTION_FAILURE", "No single operation of that name is in the query.")
    result = execute_sync(
        SCHEMA,
        document,
        root_value=account,
        variable_values=question.variables,
        operation_name=question.operation,
        field_resolver=resolve,
    )
    errors = result.errors or []
    if errors and all(error.path is None for error in errors):  # nothing was executed
        return _rejection(errors, "BAD_USER_INPUT")
    for error in errors:
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
            log.error("a resolver failed at %s", error.path, exc_info=error.original_error)
    formatted = {"errors": [_formatted(error, "INTERNAL_SERVER_ERROR") for error in errors]} if errors else {}
    return _json(200, {**formatted, "data": result.data})


@lru_cache(maxsize=128)
def _prepared(query: str) -> DocumentNode | Response:
    """The valid document, or the answer that says what is wrong with it."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return _rejection([error], "GRAPHQL_PARSE_FAILED")
    if errors := validate(SCHEMA, document):
        return _rejection(errors, "GRAPHQL_VALIDATION_FAILED")
    return document


def _rejection(errors: Sequence[GraphQLError], code: str) -> Response:
    """The provider quotes names with " where graphql-core has '."""
    formatted = [_formatted(error, code) for error in errors]
    return _json(400, {"errors": [{**each, "message": each["message"].replace("'", '"')} for each in formatted]})


def _formatted(error: GraphQLError, code: str) -> dict[str, Any]:
    return {**error.formatted, "extensions": {"code": code, **(error.extensions or {})}}


def _refusal(status: int, code: str, message: str, **more: object) -> Response:
    return _json(status, {"errors": [{"message": message, "extensions": {"code": code}}], **more})


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
