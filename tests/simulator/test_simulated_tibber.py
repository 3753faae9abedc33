"""The endpoint refuses what the provider refuses, and remembers who asked what."""

import asyncio
import json

import pytest

from bridge.simulator.server import Request
from bridge.simulator.tibber import PATH, Asked, Tibber
from tests.simulator.conftest import HEADERS, Customer

NAMED = "query Homes { viewer { homes { id } } }"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"query": "{ viewer "}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ viewer { nothing } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($id: ID!) { viewer { home(id: $id) { id } } }"}, "BAD_USER_INPUT"),
        ({"query": NAMED, "operationName": "Other"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": 5}, "BAD_REQUEST"),
        ({"query": NAMED, "variables": []}, None),
        ({"query": NAMED, "variables": [1]}, "BAD_REQUEST"),
        ([], "BAD_REQUEST"),
    ],
)
def test_what_cannot_be_executed_is_refused(customer: Customer, content: object, code: str | None) -> None:
    response = customer.post(content)
    if code is None:
        assert response.status == 200
        return
    answer = json.loads(response.body)
    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (400, code)
    assert "data" not in answer


def test_a_subscription_is_not_served(customer: Customer) -> None:
    status, answer = customer.ask("subscription { liveMeasurement { power } }")
    assert (status, set(answer)) == (400, {"errors"})  # the code depends on the version of graphql-core


def test_names_are_quoted_as_the_provider_quotes_them(customer: Customer) -> None:
    _, answer = customer.ask("{ viewer { nothing } }")
    assert answer["errors"][0]["message"] == 'Cannot query field "nothing" on type "Viewer".'


@pytest.mark.parametrize("authorisation", ["", "demo-token", "Bearer other", "Basic demo-token"])
def test_only_the_token_opens(customer: Customer, authorisation: str) -> None:
    response = customer.post({"query": NAMED}, {**HEADERS, "authorization": authorisation})
    answer = json.loads(response.body)
    assert (response.status, answer["data"]) == (200, None)
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


def test_a_user_agent_is_required(customer: Customer) -> None:
    response = customer.post({"query": NAMED}, {"authorization": "Bearer demo-token"})
    assert response.status == 400
    assert json.loads(response.body)["errors"][0]["message"] == "A User-Agent header is required."


@pytest.mark.parametrize(("method", "path", "status"), [("GET", PATH, 405), ("POST", "/", 404)])
def test_there_is_one_endpoint(customer: Customer, method: str, path: str, status: int) -> None:
    assert asyncio.run(customer.tibber.handle(Request(method, path, HEADERS))).status == status


def test_every_request_is_remembered_without_its_token(customer: Customer) -> None:
    customer.post({"query": NAMED})
    customer.post({"query": NAMED, "operationName": "Homes", "variables": {"last": 1}}, {"authorization": "Bearer x"})
    customer.post({"query": "{ viewer { name } }"})
    customer.post({"query": "{"})
    customer.post(None)
    moment, agent = customer.moment, HEADERS["user-agent"]
    assert list(customer.tibber.requests) == [
        Asked(moment, "Homes", {}, agent),
        Asked(moment, "Homes", {"last": 1}, None),
        Asked(moment, None, {}, agent),
        Asked(moment, None, {}, agent),
        Asked(moment, None, {}, agent),
    ]
    assert "demo-token" not in repr(customer.tibber.requests)


def test_two_accounts_at_the_same_time_answer_the_same(customer: Customer) -> None:
    query = "{ viewer { homes { id address { address1 } meteringPointData { consumptionEan }"
    query += " currentSubscription { id priceInfo(resolution: QUARTER_HOURLY) { today { total } } }"
    query += " consumption(resolution: HOURLY, last: 24) { nodes { consumption } } } } }"
    other = Customer(customer.moment)
    assert customer.ask(query) == other.ask(query)
    homes = customer.ask(query)[1]["data"]["viewer"]["homes"]
    assert all(homes[0][name] != homes[1][name] for name in homes[0])


def test_as_many_homes_as_wanted_are_served(customer: Customer) -> None:
    customer.tibber.homes = [*customer.tibber.homes] * 5
    query = "{ viewer { homes { currentSubscription { priceInfo(resolution: QUARTER_HOURLY) { today { total } } } } } }"
    homes = customer.ask(query)[1]["data"]["viewer"]["homes"]
    assert [len(home["currentSubscription"]["priceInfo"]["today"]) for home in homes] == [96] * 10


def test_a_failing_clock_is_not_hidden() -> None:
    def stopped() -> object:
        raise RuntimeError("the clock stopped")

    tibber = Tibber(stopped)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="the clock stopped"):
        asyncio.run(tibber.handle(Request("POST", PATH, HEADERS, b"{}")))
