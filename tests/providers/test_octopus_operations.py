"""What a device may ask: unknown keys are refused, a week names each day once, and no write is reachable that is not listed."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from bridge.providers.base import Kind
from bridge.providers.octopus import PROVIDER, documents
from bridge.providers.octopus.operations import OPERATIONS, WEEK, ChargePreferences
from bridge.providers.octopus.reach import GUARD
from bridge.transport.document import parsed, refusal

OF_DEVICE = {"device_id": "00000000-0009-4000-8020-00000002d7da"}
WORKDAYS, WEEKEND = list(WEEK[:5]), list(WEEK[5:])
GOOD: dict[str, dict[str, Any]] = {
    "transactions": {},
    "balance": {},
    "telemetry": {},
    "dispatches": {},
    "devices": {},
    "saving_sessions": {},
    "boost_start": OF_DEVICE,
    "boost_cancel": OF_DEVICE,
    "smart_control_suspend": OF_DEVICE,
    "smart_control_resume": OF_DEVICE,
    "charge_preferences_set": {**OF_DEVICE, "schedules": [{"time": "07:00", "max": 80}]},
    "saving_session_join": {"event_code": "EVENT_1_140626"},
    "meter_reading_send": {"reading": 12345},
}


def given(operation: str, **arguments: Any) -> BaseModel:
    return OPERATIONS[operation].arguments.model_validate({**GOOD[operation], **arguments})


def refused(operation: str, **arguments: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        given(operation, **arguments)
    return str(caught.value)


def test_the_operations_are_those_of_the_contract_and_writes_are_marked() -> None:
    writes = {name for name, operation in OPERATIONS.items() if operation.kind is Kind.WRITE}
    assert OPERATIONS.keys() == GOOD.keys()
    assert writes == {
        name for name in GOOD if name.endswith(("_start", "_cancel", "_suspend", "_resume", "_set", "_join", "_send"))
    }
    assert PROVIDER.operations == OPERATIONS


@pytest.mark.parametrize("operation", GOOD)
def test_every_operation_refuses_a_key_that_it_does_not_know(operation: str) -> None:
    given(operation)
    assert "Extra inputs are not permitted" in refused(operation, devise_id="1")


@pytest.mark.parametrize("operation", GOOD)
def test_no_refusal_repeats_what_was_given(operation: str) -> None:
    for key in (*GOOD[operation], "password"):
        assert "planted-9f2c" not in refused(operation, **{key: {"planted-9f2c": "planted-9f2c"}})


@pytest.mark.parametrize("operation", [name for name in GOOD if "device_id" in GOOD[name]])
@pytest.mark.parametrize("id_", ["", " ", 'a"b', "a b", "a/b", "a\n", "x" * 129, None, 5, "ä", "{}"])
def test_a_devices_id_is_a_plain_word(operation: str, id_: object) -> None:
    assert "device_id" in refused(operation, device_id=id_)


# preferences


@pytest.mark.parametrize(
    "schedules",
    [
        [{"time": "07:00", "max": 80}],
        [{"time": "07:00", "max": 80, "days": WORKDAYS}, {"time": "09:00", "max": 100, "days": WEEKEND}],
        [{"time": "00:00", "max": 80.5, "min": 20, "days": [day]} for day in reversed(WEEK)],
    ],
)
def test_a_week_that_names_each_day_once_is_taken(schedules: Any) -> None:
    found = given("charge_preferences_set", schedules=schedules)
    assert isinstance(found, ChargePreferences)
    assert sorted(day for target in found.schedules for day in target.days) == sorted(WEEK)
    assert (found.mode, found.unit) == ("charge", "percentage")


@pytest.mark.parametrize(
    "schedules",
    [
        [],
        [{"time": "07:00", "max": 80, "days": []}],
        [{"time": "07:00", "max": 80, "days": WORKDAYS}],
        [{"time": "07:00", "max": 80}, {"time": "09:00", "max": 100, "days": ["monday"]}],
        [{"time": "07:00", "max": 80, "days": [*WEEK, "monday"]}],
        [{"time": "07:00", "max": 80, "days": [*WORKDAYS, "saturday", "Sunday"]}],
        [{"time": "07:00", "max": 80, "days": [*WORKDAYS, "saturday", "saturday"]}],
    ],
)
def test_a_week_that_lacks_a_day_or_names_one_twice_is_refused(schedules: Any) -> None:
    assert "schedules" in refused("charge_preferences_set", schedules=schedules)


@pytest.mark.parametrize(
    "target",
    [
        {"time": "7:00", "max": 80},
        {"time": "24:00", "max": 80},
        {"time": "07:00:00", "max": 80},
        {"time": "07:60", "max": 80},
        {"time": 700, "max": 80},
        {"time": "07:00"},
        {"time": "07:00", "max": None},
        {"time": "07:00", "max": "full"},
        {"time": "07:00", "max": "NaN"},
        {"time": "07:00", "max": float("inf")},
        {"time": "07:00", "max": 80, "min": "-Infinity"},
        {"time": "07:00", "max": 80, "upper": 90},
    ],
)
def test_a_target_is_a_time_of_day_and_a_number(target: Any) -> None:
    assert "schedules.0" in refused("charge_preferences_set", schedules=[target])


@pytest.mark.parametrize(("key", "value"), [("mode", "CHARGE"), ("mode", "drive"), ("unit", "%"), ("unit", "kWh")])
def test_modes_and_units_are_those_of_the_provider_in_lower_case(key: str, value: str) -> None:
    assert key in refused("charge_preferences_set", **{key: value})


# the others


@pytest.mark.parametrize("first", [0, -1, 100, "many", 1.5])
def test_a_page_has_one_to_99_rows(first: object) -> None:
    assert "first" in refused("transactions", first=first)
    assert given("transactions", first=99, after="YXJy").model_dump() == {"first": 99, "after": "YXJy"}


@pytest.mark.parametrize("reading", [-1, 10**8, 1.5, "much", None])
def test_a_meter_shows_whole_units(reading: object) -> None:
    assert "reading" in refused("meter_reading_send", reading=reading)


def test_a_reading_is_of_the_import_meter_today_unless_it_says_otherwise() -> None:
    usual = {"reading": 12345, "meter": "import", "site": None, "on": None, "register_id": None}
    assert given("meter_reading_send").model_dump() == usual
    assert "meter" in refused("meter_reading_send", meter="water")
    assert "on" in refused("meter_reading_send", on="yesterday")


# what no document may reach


@pytest.mark.parametrize("name", sorted({**documents.DOCUMENTS, **documents.BACKEND_DOCUMENTS}.keys() - {"sign-in"}))
def test_our_own_documents_pass_the_guard(name: str) -> None:
    found = parsed({**documents.DOCUMENTS, **documents.BACKEND_DOCUMENTS}[name])
    assert refusal(found, GUARD.writes, GUARD.hidden) is None


@pytest.mark.parametrize(
    "document",
    [
        documents.SIGN_IN,
        "mutation { regenerateSecretKey { key } }",
        "mutation { updateBoostCharge(input: {}) { id } leaveSupplier { id } }",
        "mutation { a: changeTariff { id } }",
        "mutation { createDirectDebit(input: {}) { id } }",
        "query { viewer { liveSecretKey } }",
        "query { viewer { name: liveSecretKey } }",
        "mutation { ...F } fragment F on Mutation { registerDevice { id } }",
    ],
)
def test_keys_tokens_tariffs_and_payments_are_out_of_reach(document: str) -> None:
    assert refusal(parsed(document), GUARD.writes, GUARD.hidden) is not None
