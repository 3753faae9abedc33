"""What a customer writes is carried out and written down, and what is refused is neither."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.simulator.faults import Fault
from bridge.simulator.homes import DEFAULT_HOMES, Profile
from bridge.simulator.tibber import Written
from tests.simulator.conftest import HEADERS, Customer

OSLO, CABIN = DEFAULT_HOMES
UPDATE = "mutation Update($input: UpdateHomeInput!) { updateHome(input: $input) { id appNickname size type mainFuseSize } }"
NOTIFY = "mutation Notify($input: PushNotificationInput!) { sendPushNotification(input: $input) "
NOTIFY += "{ successful pushedToNumberOfDevices } }"
DETAILS = "{ viewer { homes { appNickname size type mainFuseSize } } }"
BEFORE = {"appNickname": "Cabin", "size": 120, "type": "HOUSE", "mainFuseSize": 25}


def refusal(customer: Customer, query: str, **given: Any) -> str:
    status, answer = customer.ask(query, input=given)
    [error] = answer["errors"]
    assert (status, answer["data"]) == (200, None)
    return f"{error['extensions']['code']}: {error['message']}"


def test_what_is_given_of_a_home_is_changed_and_nothing_else(customer: Customer) -> None:
    given = {"homeId": CABIN.id, "appNickname": "Hut", "size": 90, "type": "COTTAGE", "mainFuseSize": None}
    status, answer = customer.ask(UPDATE, input=given)
    after = {"appNickname": "Hut", "size": 90, "type": "COTTAGE", "mainFuseSize": 25}
    assert (status, answer) == (200, {"data": {"updateHome": {"id": CABIN.id, **after}}})
    assert customer.tibber.homes == (OSLO, replace(CABIN, nickname="Hut", profile=Profile(size=90, type="COTTAGE")))
    assert customer.ask(DETAILS)[1]["data"]["viewer"]["homes"][1] == after
    assert customer.tibber.written == [Written(customer.moment, "updateHome", given)]


def test_two_changes_in_one_document_are_both_made(customer: Customer) -> None:
    query = f'mutation {{ a: updateHome(input: {{ homeId: "{CABIN.id}", size: 1 }}) {{ size }} '
    query += f'b: updateHome(input: {{ homeId: "{CABIN.id}", mainFuseSize: 2 }}) {{ size mainFuseSize }} }}'
    assert customer.ask(query)[1]["data"] == {"a": {"size": 1}, "b": {"size": 1, "mainFuseSize": 2}}
    assert [one.mutation for one in customer.tibber.written] == ["updateHome", "updateHome"]


def test_a_message_goes_to_all_phones(customer: Customer) -> None:
    given = {"title": "Washing machine", "message": "Done.", "screenToOpen": "HOME"}
    for devices in (2, 0):
        customer.tibber.devices = devices
        told = {"successful": devices > 0, "pushedToNumberOfDevices": devices}
        assert customer.ask(NOTIFY, input=given)[1] == {"data": {"sendPushNotification": told}}
    assert customer.tibber.written == 2 * [Written(customer.moment, "sendPushNotification", given)]


def test_a_meter_reading_is_taken_and_comes_to_nothing(customer: Customer) -> None:
    query = f'mutation {{ sendMeterReading(input: {{ homeId: "{CABIN.id}", reading: 7 }}) {{ homeId time reading }} }}'
    assert customer.ask(query)[1] == {"data": {"sendMeterReading": {"homeId": CABIN.id, "time": None, "reading": 0}}}
    assert customer.tibber.written == []


def test_an_unknown_home_is_not_changed(customer: Customer) -> None:
    assert refusal(customer, UPDATE, homeId="nowhere", size=1) == "HOME_NOT_FOUND: home not found"
    assert customer.tibber.written == []


@pytest.mark.parametrize(
    ("query", "given"),
    [
        (UPDATE, {"homeId": CABIN.id, "type": "TENT"}),
        (UPDATE, {"homeId": CABIN.id, "timeZone": "Europe/Oslo"}),
        (UPDATE, {"size": 1}),
        (NOTIFY, {"title": "Hello"}),
        (NOTIFY, {"message": "Hello.", "screenToOpen": "home"}),
    ],
)
def test_what_is_not_in_the_schema_is_refused_before_anything_is_done(customer: Customer, query: str, given: Any) -> None:
    status, answer = customer.ask(query, input=given)
    assert (status, set(answer)) == (400, {"errors"})
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert (customer.tibber.homes, customer.tibber.written) == (DEFAULT_HOMES, [])


@pytest.mark.parametrize(("query", "given"), [(UPDATE, {"homeId": CABIN.id, "size": 1}), (NOTIFY, {"message": "Hello."})])
def test_the_demo_account_and_a_stranger_may_write_nothing(customer: Customer, query: str, given: Any) -> None:
    customer.tibber.is_demo = True
    assert refusal(customer, query, **given) == "INTERNAL_SERVER_ERROR: operation not allowed for demo user"
    response = customer.post({"query": query, "variables": {"input": given}}, {**HEADERS, "authorization": "Bearer other"})
    assert json.loads(response.body)["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert (customer.tibber.homes, customer.tibber.written) == (DEFAULT_HOMES, [])


@pytest.mark.parametrize(("fault", "done"), [(Fault.RATE_LIMITED, 0), (Fault.ERRORS_200, 0), (Fault.TRUNCATED, 1)])
def test_a_fault_strikes_before_it_is_done_or_after(customer: Customer, fault: Fault, done: int) -> None:
    customer.tibber.faults.next(fault)
    customer.post({"query": NOTIFY, "variables": {"input": {"message": "Hello."}}})
    assert len(customer.tibber.written) == done


def test_the_refusal_of_the_demo_account_is_the_recorded_one(customer: Customer, recorded: Any) -> None:
    [expected] = recorded("demo-user-mutation-200.json")["response"]["errors"]
    customer.tibber.is_demo = True
    assert refusal(customer, NOTIFY, message="Hello.") == f"{expected['extensions']['code']}: {expected['message']}"
