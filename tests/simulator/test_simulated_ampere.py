"""The simulated Apollo gateway: what it takes, how its errors look, and that a day's numbers hang together."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import build_schema

from bridge.simulator.ampere import AGEING, PATH, RENAMED, SDL, Ampere, AmpereFault, Company, Facility, park
from bridge.simulator.server import Hangup, Request, Response
from tests.support import utc

NOON = utc("2026-06-10T10:02")
HEADERS = {"authorization": "Bearer demo-token", "content-type": "application/json"}
FACILITIES = "query Mine($id: ID!, $first: Int, $after: String) { company(id: $id) "
FACILITIES += "{ facilities(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }"
READINGS = 'query R($in: ReadingInput!) { facility(id: "f-1") { id readings(readingInput: $in) '
READINGS += "{ nodes { deviceId readingType timestamp value } } } }"
HOUR = {"from": "2026-06-10T09:50:00Z", "to": "2026-06-10T11:00:00Z"}


def ampere(**given: Any) -> Ampere:
    return Ampere(lambda: NOON, **given)


def post(of: Ampere, content: object, headers: Mapping[str, str] = HEADERS, method: str = "POST", path: str = PATH) -> Response:
    return asyncio.run(of.handle(Request(method, path, headers, json.dumps(content).encode())))


def ask(of: Ampere, query: str, **variables: Any) -> tuple[int, Any]:
    response = post(of, {"query": query, "variables": variables})
    return response.status, json.loads(response.body)


def refusal(status: int, code: str, response: Response) -> bool:
    errors = json.loads(response.body)["errors"]
    return (response.status, errors[0]["extensions"]["code"]) == (status, code)


@pytest.mark.parametrize("sdl", [SDL, AGEING, RENAMED])
def test_every_version_of_the_schema_is_one(sdl: str) -> None:
    assert build_schema(sdl).query_type is not None


def test_the_other_versions_differ_from_the_first() -> None:
    assert len({SDL, AGEING, RENAMED}) == 3


def test_facilities_come_page_by_page() -> None:
    of = ampere(companies=(Company("c-1", "Many", tuple(Facility(f"f-{number}", "F") for number in range(1001))),))
    seen: list[str] = []
    after = None
    while True:
        _, answer = ask(of, FACILITIES, id="c-1", first=500, after=after)
        page = answer["data"]["company"]["facilities"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [f"f-{number}" for number in range(1001)]
    assert [asked.variables["after"] for asked in of.requests] == [None, "at:500", "at:1000"]


def test_readings_are_every_five_minutes_up_to_now_of_those_that_have_them() -> None:
    status, answer = ask(ampere(), READINGS, **{"in": {"readingTypes": ["Pac", "Irradiation"], **HOUR}})
    rows = answer["data"]["facility"]["readings"]["nodes"]
    assert status == 200
    assert {row["timestamp"] for row in rows} == {f"2026-06-10T{at}:00.000Z" for at in ("09:50", "09:55", "10:00")}
    kinds = {(row["deviceId"], row["readingType"]) for row in rows}
    assert kinds == {("d-1-1", "Pac"), ("d-1-2", "Pac"), ("d-1-3", "Irradiation")}


def test_the_produced_energy_is_about_the_area_of_the_power() -> None:
    facility = park(1, 2)
    day = (utc("2026-06-09T22:00"), utc("2026-06-10T22:00"))
    area = sum(value for *_, value in facility.readings(["Pac"], *day)) / 12
    energy = facility.analysis("ProducedEnergy", *day)
    assert energy is not None
    assert abs(energy - area) / area < 0.02
    assert facility.analysis("Else", *day) is None


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        ({"query": "{ me { id } }"}, {"content-type": "application/json"}, 401, "UNAUTHENTICATED"),
        ({"query": "{ me { id } }"}, {**HEADERS, "authorization": "Bearer other"}, 401, "UNAUTHENTICATED"),
        ({"query": "{ me { id } }"}, {**HEADERS, "authorization": "demo-token"}, 401, "UNAUTHENTICATED"),
        ({"query": "{ me { id } }"}, {**HEADERS, "content-type": "text/plain"}, 400, "BAD_REQUEST"),
        ({"queries": 1}, HEADERS, 400, "BAD_REQUEST"),
        ({"query": "{ me { "}, HEADERS, 400, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ me { age } }"}, HEADERS, 400, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { me { id } } query B { me { id } }"}, HEADERS, 400, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": FACILITIES, "variables": {"id": ["c"]}}, HEADERS, 400, "BAD_USER_INPUT"),
        ({"query": FACILITIES, "variables": {"id": "c-1", "first": 1001}}, HEADERS, 200, "BAD_USER_INPUT"),
        ({"query": FACILITIES, "variables": {"id": "c-1", "after": "x"}}, HEADERS, 200, "BAD_USER_INPUT"),
        ({"query": READINGS, "variables": {"in": {"readingTypes": [], "from": "x", "to": "y"}}}, HEADERS, 200, "BAD_USER_INPUT"),
    ],
)
def test_what_it_does_not_take_is_refused_with_apollos_codes(content: object, headers: Any, status: int, code: str) -> None:
    assert refusal(status, code, post(ampere(), content, headers))


def test_names_in_messages_are_quoted_as_apollo_does() -> None:
    _, answer = ask(ampere(), "{ me { age } }")
    assert answer["errors"][0]["message"] == 'Cannot query field "age" on type "User".'


def test_another_path_or_method_is_none() -> None:
    assert post(ampere(), {}, path="/").status == 404
    assert post(ampere(), {}, method="GET").status == 405


def test_a_mutation_is_carried_out_and_remembered() -> None:
    of = ampere()
    _, answer = ask(of, 'mutation { setPowerLimit(facilityId: "f-1", limit: 0.5) { powerLimit } }')
    assert answer == {"data": {"setPowerLimit": {"powerLimit": 0.5}}}
    assert of.written == [("f-1", 0.5)]


def test_introspection_is_answered_or_refused() -> None:
    of = ampere()
    assert ask(of, "{ __schema { queryType { name } } }") == (200, {"data": {"__schema": {"queryType": {"name": "Query"}}}})
    of.introspects = False
    assert refusal(400, "GRAPHQL_VALIDATION_FAILED", post(of, {"query": "{ __schema { queryType { name } } }"}))


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (AmpereFault.THROTTLED, 200, "TOO_MANY_REQUESTS"),
        (AmpereFault.EXPIRED, 200, "UNAUTHENTICATED"),
        (AmpereFault.FORBIDDEN, 200, "FORBIDDEN"),
        (AmpereFault.BROKEN, 200, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_fault_meets_one_request_and_the_next_is_answered(fault: AmpereFault, status: int, code: str) -> None:
    of = ampere()
    of.faults.next(None, fault)
    answers = [post(of, {"query": "{ me { id } }"}) for _ in range(3)]
    assert [refusal(status, code, answers[1]), "errors" in answers[0].body.decode(), "errors" in answers[2].body.decode()] == [
        True, False, False,
    ]  # fmt: skip


def test_too_many_requests_may_say_how_long() -> None:
    of = ampere()
    of.faults.next(AmpereFault.RATE_LIMITED, AmpereFault.RATE_LIMITED_RETRY_AFTER)
    answers = [post(of, {"query": "{ me { id } }"}) for _ in range(2)]
    assert [(answer.status, dict(answer.headers)) for answer in answers] == [(429, {}), (429, {"Retry-After": "60"})]


def test_readings_may_fail_beside_what_is_good() -> None:
    of = ampere()
    of.faults.set(AmpereFault.DOWNSTREAM)
    status, answer = ask(of, READINGS, **{"in": {"readingTypes": ["Pac"], **HOUR}})
    assert (status, answer["data"]) == (200, {"facility": {"id": "f-1", "readings": None}})
    assert answer["errors"][0]["path"] == ["facility", "readings"]


def test_a_connection_may_be_dropped_and_a_body_cut() -> None:
    of = ampere()
    of.faults.next(AmpereFault.TRUNCATED, AmpereFault.DROP)
    assert post(of, {"query": "{ me { id } }"}).truncate_at is not None
    with pytest.raises(Hangup):
        post(of, {"query": "{ me { id } }"})
