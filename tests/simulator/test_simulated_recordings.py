"""Recorded questions get answers of the recorded form."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from bridge.simulator.faults import Fault
from bridge.simulator.tibber import Home
from tests.simulator.conftest import Customer

Recorded = Callable[[str], dict[str, Any]]

VITAHUSET = Home("96a14971-525a-4420-aae9-e5aedaa129ff", "Vitahuset", "Europe/Stockholm", "SEK", "SE3", produces=True)


@pytest.fixture
def customer() -> Customer:
    """The recorded home, shortly after the time of the recordings but in a year that has simulated values."""
    customer = Customer(datetime.fromisoformat("2026-04-28T13:08:35+00:00"))
    customer.tibber.homes = (VITAHUSET,)
    return customer


def form(value: object) -> object:
    """Reduce an answer to its names and kinds of values; a null says nothing of its kind."""
    if isinstance(value, dict):
        return {name: form(each) for name, each in value.items()}
    if isinstance(value, list):
        return [form(each) for each in value]
    return "number or null" if value is None or isinstance(value, int | float) else type(value).__name__


@pytest.mark.parametrize(
    "name",
    [
        "homes.json",
        "prices_current.json",
        "prices_tomorrow.json",
        "consumptions.json",
        "consumptions_1.json",
        "productions.json",
        "productions_1.json",
    ],
)
def test_the_answer_has_the_recorded_form(customer: Customer, recorded: Recorded, name: str) -> None:
    exchange = recorded(name)
    response = customer.post(exchange["request"])
    assert response.status == exchange["status"]["code"]
    assert [response.content_type] == exchange["headers"]["Content-Type"]
    assert form(json.loads(response.body)) == form(exchange["response"])


@pytest.mark.parametrize("name", ["homes.json", "consumptions_hidden_error.json"])
def test_the_answer_is_the_recorded_one(customer: Customer, recorded: Recorded, name: str) -> None:
    exchange = recorded(name)
    response = customer.post(exchange["request"])
    assert (response.status, json.loads(response.body)) == (exchange["status"]["code"], exchange["response"])


def test_a_value_outside_the_enum_is_refused_as_recorded(customer: Customer, recorded: Recorded) -> None:
    exchange = recorded("consumptions_error.json")
    response = customer.post(exchange["request"])
    answer = json.loads(response.body)
    [expected] = exchange["response"]["errors"]
    assert response.status == exchange["status"]["code"]
    assert set(answer) == {"errors"}
    assert answer["errors"][0]["extensions"] == expected["extensions"]
    told = 'Value "BIWEEKLY" does not exist in "EnergyResolution" enum. Did you mean the enum value "WEEKLY"?'
    assert told in answer["errors"][0]["message"]
    assert told in expected["message"]


def test_a_bad_token_is_answered_as_recorded(customer: Customer, recorded: Recorded) -> None:
    exchange = recorded("unauthenticated-200.json")
    headers = {"authorization": "Bearer wrong", "user-agent": "kwh2mqtt/0.1.0"}
    response = customer.post({"query": "{  viewer { userId } }"}, headers)
    assert (response.status, json.loads(response.body)) == (200, exchange["response"])


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Fault.UNAUTHENTICATED, "unauthenticated-200.json"),
        (Fault.UNAUTHENTICATED_400, "unauthenticated-400-legacy.json"),
        (Fault.RATE_LIMITED, "rate-limit-429.json"),
    ],
)
def test_a_fault_has_the_recorded_answer(customer: Customer, recorded: Recorded, fault: Fault, name: str) -> None:
    exchange = recorded(name)
    customer.tibber.faults.next(fault)
    response = customer.post({"query": "{  viewer { userId } }"})
    assert response.status == exchange["_http"]["status"]
    if "response_text" in exchange:
        assert response.body.decode() == exchange["response_text"]
        assert response.content_type.startswith(exchange["_http"]["content_type"])
    else:
        assert json.loads(response.body) == exchange["response"]


def test_an_unknown_home_is_answered_as_known(customer: Customer, recorded: Recorded) -> None:
    exchange = recorded("home-not-found.json")
    status, answer = customer.ask('{ viewer { home(id: "nowhere") { id } } }')
    [expected] = exchange["response"]["errors"]
    [error] = answer["errors"]
    assert (status, answer["data"], error["message"]) == (200, None, expected["message"])
    assert (error["extensions"], error["path"]) == (expected["extensions"], ["viewer", "home"])
