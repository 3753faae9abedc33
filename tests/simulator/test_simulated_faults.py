"""Each fault on demand, and the next request without it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.simulator.faults import Fault, Faults
from bridge.simulator.server import Hangup, Request, Response
from bridge.simulator.tibber import PATH
from tests.simulator.conftest import HEADERS, Customer

QUERY = "{ viewer { homes { id currentSubscription { priceInfo(resolution: QUARTER_HOURLY) "
QUERY += "{ today { total } tomorrow { total } } } } } }"


@pytest.fixture
def customer() -> Customer:
    """In the afternoon, when tomorrow's prices are there."""
    return Customer(datetime(2026, 6, 10, 14, 0, tzinfo=UTC))


def ask(customer: Customer, fault: Fault | None) -> Response:
    if fault is not None:
        customer.tibber.faults.next(fault)
    return customer.post({"query": QUERY})


def homes(response: Response) -> Any:
    return json.loads(response.body)["data"]["viewer"]["homes"]


def rows(response: Response) -> list[list[int]]:
    infos = [home["currentSubscription"]["priceInfo"] for home in homes(response)]
    return [[len(info["today"]), len(info["tomorrow"])] for info in infos]


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "told"),
    [
        (Fault.UNAUTHENTICATED, 200, "application/json", "invalid token"),
        (Fault.UNAUTHENTICATED_400, 400, "application/json", "Context creation failed: invalid token"),
        (Fault.HTTP_401, 401, "text/plain", "Unauthorized"),
        (Fault.RATE_LIMITED, 429, "text/plain", "Too many requests."),
        (Fault.RATE_LIMITED_RETRY_AFTER, 429, "text/plain", "Too many requests."),
        (Fault.BAD_GATEWAY, 502, "text/html", "<html>"),
        (Fault.HTML_200, 200, "text/html", "<html>"),
        (Fault.ERRORS_200, 200, "application/json", '"code":"INTERNAL_SERVER_ERROR"'),
        (Fault.ECHO_TOKEN, 200, "application/json", "demo-token"),
    ],
)
def test_a_fault_replaces_the_answer(customer: Customer, fault: Fault, status: int, content_type: str, told: str) -> None:
    response = ask(customer, fault)
    assert (response.status, response.content_type.partition(";")[0]) == (status, content_type)
    assert told in response.body.decode()
    if (status, content_type) == (200, "application/json"):
        assert json.loads(response.body)["data"] is None
    assert rows(ask(customer, None)) == [[96, 96], [96, 96]]


def test_the_wait_is_announced_where_asked(customer: Customer) -> None:
    customer.tibber.faults.retry_after_s = 90
    assert ask(customer, Fault.RATE_LIMITED_RETRY_AFTER).headers == (("Retry-After", "90"),)
    assert ask(customer, Fault.RATE_LIMITED).headers == ()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Fault.EMPTY_QUARTERS, [0, 0]), (Fault.PARTIAL_TOMORROW, [96, 40]), (Fault.NO_TOMORROW, [96, 0])],
)
def test_a_fault_takes_prices_away(customer: Customer, fault: Fault, expected: list[int]) -> None:
    assert rows(ask(customer, fault)) == [expected, expected]
    assert rows(ask(customer, None)) == [[96, 96], [96, 96]]


def test_hours_are_there_when_quarters_are_not(customer: Customer) -> None:
    customer.tibber.faults.set(Fault.EMPTY_QUARTERS)
    info = customer.prices("HOURLY", "today { total } tomorrow { total }")
    assert [len(info["today"]), len(info["tomorrow"])] == [24, 24]
    assert customer.range("resolution: QUARTER_HOURLY, last: 96", "pageInfo { count }") == {"pageInfo": {"count": 96}}


def test_a_partial_tomorrow_is_as_short_in_hours(customer: Customer) -> None:
    customer.tibber.faults.set(Fault.PARTIAL_TOMORROW)
    assert len(customer.prices("HOURLY", "tomorrow { total }")["tomorrow"]) == 10


def test_a_subscription_can_be_null(customer: Customer) -> None:
    assert [home["currentSubscription"] for home in homes(ask(customer, Fault.NULL_SUBSCRIPTION))] == [None, None]


def test_a_home_can_be_null(customer: Customer) -> None:
    first, second = homes(ask(customer, Fault.NULL_HOME))
    assert (first, second["id"]) == (None, customer.tibber.homes[1].id)


def test_a_body_can_be_cut(customer: Customer) -> None:
    whole, cut = ask(customer, None), ask(customer, Fault.TRUNCATED)
    assert cut.body == whole.body
    assert cut.truncate_at == len(whole.body) // 2


def test_a_connection_can_be_dropped(customer: Customer) -> None:
    with pytest.raises(Hangup):
        ask(customer, Fault.DROP)


def test_a_slow_answer_is_the_right_one(customer: Customer) -> None:
    customer.tibber.faults.slow_s = 0.0
    assert ask(customer, Fault.SLOW) == ask(customer, None)


def test_a_slow_answer_can_be_given_up(customer: Customer) -> None:
    async def impatient() -> Response:
        async with asyncio.timeout(0.01):
            return await customer.tibber.handle(Request("POST", PATH, HEADERS, b"{}"))

    customer.tibber.faults.next(Fault.SLOW)
    with pytest.raises(TimeoutError):
        asyncio.run(impatient())


def test_queued_faults_come_before_the_standing_one() -> None:
    faults = Faults()
    faults.set(Fault.NO_TOMORROW)
    faults.next(Fault.DROP, times=2)
    faults.next(Fault.SLOW)
    assert [faults.take() for _ in range(4)] == [Fault.DROP, Fault.DROP, Fault.SLOW, Fault.NO_TOMORROW]
    faults.set(None)
    assert faults.take() is None


def test_a_faulty_request_is_remembered_too(customer: Customer) -> None:
    ask(customer, Fault.RATE_LIMITED)
    with pytest.raises(Hangup):
        ask(customer, Fault.DROP)
    assert len(customer.tibber.requests) == 2
