"""ampere.cloud's one address: a request goes in, what an Apollo gateway would answer comes out.

What cannot be executed at all is HTTP 400 with the code of why; what fails inside is HTTP 200 with errors beside the data.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, build_schema

from bridge.simulator.ampere.faults import AmpereFault, AmpereFaults, refusal
from bridge.simulator.ampere.plant import DEFAULT_COMPANIES, UNITS, Company, Device, Facility
from bridge.simulator.ampere.schema import SDL
from bridge.simulator.graphql import Outcome, Question, Refusal, accidental, as_json, asked, outcome, question, resolve
from bridge.simulator.server import Hangup, Request, Response

PATH = "/apollo-gateway"
MOST = 1000  # rows of a page
REMEMBERED = 10_000  # requests
CODES = {
    Refusal.SYNTAX: "GRAPHQL_PARSE_FAILED",
    Refusal.INVALID: "GRAPHQL_VALIDATION_FAILED",
    Refusal.NO_OPERATION: "OPERATION_RESOLUTION_FAILURE",
    Refusal.VARIABLES: "BAD_USER_INPUT",
}
INTROSPECTION = frozenset({"__schema", "__type"})

Row = dict[str, Any]


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
        return _dressed(outcome(self.schema, posted, _Root(self, self._now(), fault), _resolved))

    def facilities(self) -> dict[str, Facility]:
        return {facility.id: facility for company in self.companies for facility in company.facilities}


@dataclass(frozen=True)
class _Root:
    """The root fields for one request."""

    ampere: Ampere
    moment: datetime
    fault: AmpereFault | None

    def me(self) -> Row:
        return {"id": "u-1", "email": "operator@example.com", "companies": self._companies}

    def company(self, id: str) -> Row | None:  # noqa: A002 - the provider's name
        return next((self._company(company) for company in self.ampere.companies if company.id == id), None)

    def facility(self, id: str) -> Row | None:  # noqa: A002 - the provider's name
        facility = self.ampere.facilities().get(id)
        return self._facility(facility) if facility else None

    def facilities(self, ids: Sequence[str]) -> list[Row | None]:
        return [self.facility(id_) for id_ in ids]

    def device(self, facility_id: str, **cursors: Any) -> Row:
        facility = self.ampere.facilities().get(facility_id)
        if facility is None:
            raise GraphQLError("There is no such facility.", extensions={"code": "BAD_USER_INPUT"})
        return self._page([_device(device) for device in facility.devices], **cursors)

    def set_power_limit(self, facility_id: str, limit: float) -> Row:
        self.ampere.written.append((facility_id, limit))
        return self._facility(self.ampere.facilities()[facility_id])

    def _companies(self, **cursors: Any) -> Row:
        return self._page([self._company(company) for company in self.ampere.companies], **cursors)

    def _company(self, company: Company) -> Row:
        def facilities(**cursors: Any) -> Row:
            return self._page([self._facility(facility) for facility in company.facilities], **cursors)

        return {"id": company.id, "name": company.name, "facilities": facilities}

    def _facility(self, facility: Facility) -> Row:
        def readings(readingInput: Row, **cursors: Any) -> Row:  # noqa: N803 - the provider's name
            if self.fault is AmpereFault.DOWNSTREAM:
                raise GraphQLError("The readings' service does not answer.", extensions={"code": "DOWNSTREAM_SERVICE_ERROR"})
            start, end = _instant(readingInput["from"]), _instant(readingInput["to"])
            end = min(end, self.moment)
            found = facility.readings(readingInput["readingTypes"], start, end)
            return self._page([_reading(*row) for row in found], **cursors)

        def analysis(analysisInput: Row) -> list[Row]:  # noqa: N803 - the provider's name
            start, end = analysisInput["from"], analysisInput["to"]
            over = min(_instant(end), self.moment)
            figures = {kind: facility.analysis(kind, _instant(start), over) for kind in analysisInput["types"]}
            return [{"type": kind, "from": start, "to": end, "value": value, "unit": UNITS.get(kind)}
                    for kind, value in figures.items() if value is not None]  # fmt: skip

        return {
            "id": facility.id,
            "name": facility.name,
            "timezone": facility.timezone,
            "timeZone": facility.timezone,
            "currency": facility.currency,
            "money": facility.currency,
            "nominalPower": facility.peak,
            "address": facility.address,
            "powerLimit": next((limit for id_, limit in reversed(self.ampere.written) if id_ == facility.id), 1.0),
            "readings": readings,
            "analysis": analysis,
        }

    def _page(self, rows: Sequence[Row], first: int = 100, after: str | None = None) -> Row:
        if not 0 < first <= MOST:
            raise GraphQLError(f"first must be from 1 to {MOST}.", extensions={"code": "BAD_USER_INPUT"})
        stuck, begin = self.fault is AmpereFault.STUCK, _position(after)
        end = min(begin + first, len(rows))
        nodes = list(rows[begin:end])
        if self.fault is AmpereFault.ODD_ROW and nodes and "timestamp" in nodes[0]:
            nodes[0] = {**nodes[0], "timestamp": "once upon a time"}
        more = stuck or end < len(rows)
        return {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": f"at:{begin if stuck else end}" if more else None}}


def _resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
    """Resolve as all do, and call what stands in a row to be called."""
    value = source.get(info.field_name) if isinstance(source, dict) else None
    return value(**arguments) if callable(value) else resolve(source, info, **arguments)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.startswith("at:") or not cursor[3:].isdigit():
        raise GraphQLError("The cursor is not one that was given out.", extensions={"code": "BAD_USER_INPUT"})
    return int(cursor[3:])


def _instant(text: Any) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(str(text))
        if moment.tzinfo is not None:
            return moment
    raise GraphQLError(f"{text} is no DateTime.", extensions={"code": "BAD_USER_INPUT"})


def _device(device: Device) -> Row:
    types = [{"id": kind, "name": kind, "unit": UNITS[kind]} for kind in device.reads]
    return {"id": device.id, "name": device.name, "type": device.type, "serialNumber": f"SN-{device.id}", "readingTypes": types}


def _reading(device: Device, kind: str, moment: datetime, value: float) -> Row:
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"deviceId": device.id, "readingType": kind, "timestamp": stamp, "value": value}


def _dressed(found: Outcome) -> Response:
    """Return the answer as Apollo dresses it."""
    code = CODES[found.refusal] if found.refusal else "INTERNAL_SERVER_ERROR"
    errors = [_formatted(error, code) for error in found.errors]
    if found.refusal is not None:
        return as_json(400, {"errors": errors})
    return as_json(200, {**({"errors": errors} if errors else {}), "data": found.data})


def _formatted(error: GraphQLError, code: str) -> Row:
    """Apollo quotes names with " where graphql-core has '."""
    message = "Internal server error" if accidental(error) else error.message.replace("'", '"')
    extensions = {"code": code, **(error.extensions or {})}
    return {**error.formatted, "message": message, "extensions": extensions}
