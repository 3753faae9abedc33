"""The three endpoints refuse what they refuse, are one server, and remember who asked what."""

import asyncio
import json
from base64 import b64encode
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH, REST_PATH, Octopus
from bridge.simulator.server import Request, Response, Server
from tests.simulator.conftest import AGENT, Household

VIEWER = "query Viewer($x: Boolean = true) { viewer @include(if: $x) { id } rateLimitInfo { __typename } }"
NIGHTS = "{ greenerNightsForecast { date } }"


@pytest.mark.parametrize("path", [GRAPHQL_PATH, BACKEND_PATH])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"query": "{ viewer "}, "Syntax Error: Expected Name, found <EOF>."),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing' on type 'Query'."),
        ({"query": "fragment A on Query { __typename }"}, 'Fragment "A" is never used.'),
        ({"query": ""}, "Syntax Error: Unexpected <EOF>."),
        ({"query": "query A { __typename }", "operationName": "B"}, "There is no single operation of that name in the document."),
        ({"query": 5}, "Must provide query string."),
        ({"query": "{ __typename }", "variables": [1]}, "Must provide query string."),
        ([], "Must provide query string."),
        (None, "Must provide query string."),
    ],
)
def test_what_cannot_be_executed_is_refused(household: Household, path: str, content: object, message: str) -> None:
    response = household.post(content, household.token(), path)
    answer = json.loads(response.body)
    assert (response.status, set(answer), answer["errors"][0]["message"].replace("'A'", '"A"')) == (400, {"errors"}, message)


def test_a_variable_of_another_kind_is_refused(household: Household) -> None:
    response = household.post({"query": VIEWER, "variables": {"x": "y"}}, household.token())
    assert (response.status, set(json.loads(response.body))) == (400, {"errors"})


def test_no_variables_may_be_null(household: Household) -> None:
    response = household.post({"query": "{ __typename }", "variables": None, "operationName": None}, household.token())
    assert json.loads(response.body) == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", GRAPHQL_PATH, 405),
        ("GET", BACKEND_PATH, 405),
        ("POST", "/v1/products/AGILE-24-10-01/", 405),
        ("POST", "/", 404),
        ("POST", "/backend/v1/other/", 404),
        ("GET", "/v1", 404),
    ],
)
def test_there_are_three_endpoints(household: Household, method: str, path: str, status: int) -> None:
    assert asyncio.run(household.octopus.handle(Request(method, path, AGENT))).status == status


def test_every_request_is_remembered(household: Household) -> None:
    token = household.token()
    household.post({"query": VIEWER, "variables": {"x": False}}, f"JWT {token}")
    household.post({"query": NIGHTS}, f"JWT {token}", BACKEND_PATH)
    household.post({"query": NIGHTS, "operationName": "Other"}, token, BACKEND_PATH)
    household.post({"query": "{"})
    household.post(None)
    household.get("/v1/products/AGILE-24-10-01/?page=2&a=%2B")
    household.get("/v1/accounts/A-DEMO0001/", "sk_live_demo")
    asyncio.run(household.octopus.handle(Request("GET", "/v1/accounts/A-DEMO0001/", {"authorization": "Basic !"})))
    agent, moment = AGENT["user-agent"], household.moment
    assert [astuple(asked) for asked in household.octopus.requests] == [
        (moment, "graphql", "SignIn", {"input": {"APIKey": "sk_live_demo"}}, False, agent, ("obtainKrakenToken",)),
        (moment, "graphql", "Viewer", {"x": False}, True, agent, ("viewer", "rateLimitInfo")),
        (moment, "backend", None, {}, False, agent, ("greenerNightsForecast",)),
        (moment, "backend", "Other", {}, True, agent, ()),
        (moment, "graphql", None, {}, False, agent, ()),
        (moment, "graphql", None, {}, False, agent, ()),
        (moment, "rest", "/v1/products/AGILE-24-10-01/", {"page": "2", "a": "+"}, False, agent, ()),
        (moment, "rest", "/v1/accounts/A-DEMO0001/", {}, True, agent, ()),
        (moment, "rest", "/v1/accounts/A-DEMO0001/", {}, False, None, ()),
    ]


def test_two_customers_at_the_same_time_hear_the_same() -> None:
    moment = datetime(2026, 6, 10, 17, tzinfo=UTC)
    query = '{ account(accountNumber: "A-DEMO0001") { balance transactions(first: 9) { edges { node { id title } } } } '
    query += 'devices(accountNumber: "A-DEMO0001") { id status { currentState } } }'
    one, other = Household(moment), Household(moment)
    assert one.ask(query) == other.ask(query)
    assert one.rates("E-1R-AGILE-24-10-01-C", "period_from=2026-06-10T00:00Z") == other.rates(
        "E-1R-AGILE-24-10-01-C", "period_from=2026-06-10T00:00Z"
    )


def test_a_failing_resolver_is_logged_and_answered(household: Household, caplog: pytest.LogCaptureFixture) -> None:
    household.octopus.properties = ("nonsense",)  # type: ignore[assignment]
    answer = household.answer('{ account(accountNumber: "A-DEMO0001") { number properties { id } } }')
    assert answer["data"]["account"] == {"number": "A-DEMO0001", "properties": None}
    [error] = answer["errors"]
    assert error["extensions"] == {"errorType": "APPLICATION", "errorCode": "KT-CT-7899", "errorDescription": ""}
    assert [record.getMessage() for record in caplog.records] == ["a resolver failed at ['account', 'properties']"]


async def test_over_a_wire_pages_are_followed_to_the_end() -> None:
    octopus = Octopus(lambda: datetime(2026, 6, 10, 10, tzinfo=UTC))
    found: list[Any] = []
    content: dict[str, Any] = {}
    async with asyncio.timeout(10), Server(octopus.handle) as server, httpx2.AsyncClient() as client:
        octopus.base_url = server.url
        folder = f"{server.url}{REST_PATH}/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C"
        address: str | None = f"{folder}/standard-unit-rates/?period_from=2026-06-09T00:00:00Z&page_size=50"
        while address:
            content = (await client.get(address)).json()
            found += content["results"]
            address = content["next"]
        key = {"Authorization": f"Basic {b64encode(b'sk_live_demo:').decode()}"}
        account = await client.get(f"{server.url}{REST_PATH}/accounts/A-DEMO0001/", headers=key)
    assert (len(found), content["count"], account.status_code) == (93, 93, 200)


async def test_the_query_of_a_request_reaches_the_handler_as_it_was_sent() -> None:
    seen: list[tuple[str, str]] = []

    async def handler(request: Request) -> Response:
        seen.append((request.path, request.query))
        return Response()

    async with asyncio.timeout(10), Server(handler) as server, httpx2.AsyncClient() as client:
        for address in ("/a?b=c%20d&e=?", "/a", "/a?"):
            await client.get(f"{server.url}{address}")
    assert seen == [("/a", "b=c%20d&e=?"), ("/a", ""), ("/a", "")]
