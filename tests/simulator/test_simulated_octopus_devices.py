"""The car charges by night as planned, takes commands, and refuses what it cannot do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.simulator.octopus import DEFAULT_DEVICES, Written
from tests.simulator.conftest import Household

CAR = DEFAULT_DEVICES[0].id
ACCOUNT = "A-DEMO0001"
STATUS = "status { current currentState isSuspended ... on SmartFlexVehicleStatus { stateOfCharge { value } } }"
PLANNED = "query($id: String!) { flexPlannedDispatches(deviceId: $id) { start end type energyAddedKwh } }"
DEVICES = f'query($id: String) {{ devices(accountNumber: "{ACCOUNT}", deviceId: $id) {{ __typename id name {STATUS} }} }}'
BOOST = f"mutation Boost($input: UpdateBoostChargeInput) {{ updateBoostCharge(input: $input) {{ id {STATUS} }} }}"
CONTROL = f"mutation Control($input: SmartControlInput!) {{ updateDeviceSmartControl(input: $input) {{ id {STATUS} }} }}"
PREFERENCES = """
mutation Preferences($input: SmartFlexDevicePreferencesInput!) {
  setDevicePreferences(input: $input) { id preferences { mode unit targetType schedules { dayOfWeek time min max } } }
}
"""
COMPLETED = f'{{ completedDispatches(accountNumber: "{ACCOUNT}") {{ start end delta deltaKwh meta {{ source location }} }} }}'
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def planned(household: Household) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = household.ask(PLANNED, id=CAR)["flexPlannedDispatches"]
    return found


def completed(household: Household) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = household.ask(COMPLETED)["completedDispatches"]
    return found


def state(household: Household) -> str:
    [device] = household.ask(DEVICES)["devices"]
    told: str = device["status"]["currentState"]
    return told


def boost(household: Household, action: str = "BOOST", device: str = CAR) -> Any:
    return household.answer(BOOST, input={"deviceId": device, "action": action})


def control(household: Household, action: str) -> Any:
    return household.ask(CONTROL, input={"deviceId": CAR, "action": action})["updateDeviceSmartControl"]["status"]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_live_car_is_in_the_account(household: Household) -> None:
    [device] = household.ask(DEVICES)["devices"]
    charge = device["status"].pop("stateOfCharge")["value"]
    assert device == {
        "__typename": "SmartFlexVehicle",
        "id": CAR,
        "name": "Family car",
        "status": {"current": "LIVE", "currentState": "SMART_CONTROL_CAPABLE", "isSuspended": False},
    }
    assert 0 < float(charge) < 100


def test_the_night_is_planned_in_half_hours_and_in_order(household: Household) -> None:
    for day in range(30):
        household.moment = datetime(2026, 3, 15, 12, tzinfo=UTC) + timedelta(days=day)
        dispatches = planned(household)
        times = [instant(each[name]) for each in dispatches for name in ("start", "end")]
        local = [each.astimezone(ZoneInfo("Europe/London")) for each in times]
        assert len(dispatches) == 3
        assert all(earlier < later for earlier, later in pairwise(times))
        assert {(each.minute, each.second) for each in times} <= {(0, 0), (30, 0)}
        assert local[0].isoformat()[11:16] in {"23:30", "00:00"}
        assert local[-1].hour <= 6
        assert {(each["type"], float(each["energyAddedKwh"]) > 0) for each in dispatches} == {("SMART", True)}


def test_the_plan_is_the_same_whenever_it_is_asked_for(household: Household) -> None:
    first = planned(household)
    household.moment += timedelta(hours=10)
    assert planned(household) == first
    household.moment += timedelta(days=1)
    assert planned(household) != first


def test_a_dispatch_is_no_longer_told_once_it_runs(household: Household) -> None:
    first, *others = planned(household)
    household.moment = instant(first["start"])
    assert (planned(household), state(household)) == (others, "SMART_CONTROL_IN_PROGRESS")
    household.moment = instant(first["end"])
    assert state(household) == "SMART_CONTROL_CAPABLE"
    done = completed(household)[0]
    assert (done["start"], done["end"]) == (first["start"], first["end"])


def test_what_was_done_is_told_newest_first_and_as_taken_from_the_grid(household: Household) -> None:
    night = planned(household)
    household.moment = instant(night[-1]["end"]) + timedelta(hours=1)
    done = completed(household)
    assert [(each["start"], float(each["delta"])) for each in done] == [
        (each["start"], -float(each["energyAddedKwh"])) for each in reversed(night)
    ]
    assert {len(each["delta"].partition(".")[2]) for each in done} == {4}
    assert {each["meta"]["source"] for each in done} == {"smart-charge"}
    household.moment += timedelta(hours=12)
    assert completed(household) == []


def test_a_boost_begins_now_and_lasts_an_hour(household: Household) -> None:
    before = planned(household)
    answer = boost(household)["data"]["updateBoostCharge"]
    assert (answer["id"], answer["status"]["currentState"]) == (CAR, "BOOSTING")
    running, *others = planned(household)
    assert others == before
    assert running == {
        "start": "2026-06-10T10:00:00+00:00",
        "end": "2026-06-10T11:00:00+00:00",
        "type": "BOOST",
        "energyAddedKwh": "7.2000",
    }
    household.moment += timedelta(hours=1)
    assert (planned(household), state(household)) == (before, "SMART_CONTROL_CAPABLE")
    assert completed(household)[0]["meta"] == {"source": "bump-charge", "location": "AT_HOME"}
    written = {"deviceId": CAR, "action": "BOOST"}
    moment = datetime(2026, 6, 10, 10, tzinfo=UTC)
    assert household.octopus.written == [Written(moment, "updateBoostCharge", written)]


def test_a_boost_can_be_cancelled_once(household: Household) -> None:
    boost(household)
    household.moment += timedelta(minutes=30)
    assert boost(household, "CANCEL")["data"]["updateBoostCharge"]["status"]["currentState"] == "SMART_CONTROL_CAPABLE"
    assert completed(household)[0]["delta"] == "-3.6000"
    [error] = boost(household, "CANCEL")["errors"]
    assert error["extensions"]["errorCode"] == "KT-CT-4354"
    assert [each.input["action"] for each in household.octopus.written] == ["BOOST", "CANCEL"]


def refusal(household: Household) -> Any:
    answer = boost(household)
    [error] = answer["errors"]
    assert answer["data"] == {"updateBoostCharge": None}
    assert (error["path"], error["extensions"]["errorCode"]) == (["updateBoostCharge"], "KT-CT-4357")
    return error["extensions"]["boostChargeRefusalReasons"]


def test_a_refused_boost_says_why_and_changes_nothing(household: Household) -> None:
    control(household, "SUSPEND")
    assert refusal(household) == ["BC_DEVICE_SUSPENDED"]
    control(household, "UNSUSPEND")
    boost(household)
    assert refusal(household) == ["BC_BOOST_CHARGE_IN_PROGRESS"]
    assert [each.mutation for each in household.octopus.written] == [*["updateDeviceSmartControl"] * 2, "updateBoostCharge"]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"lifecycle": "RETIRED"}, ["BC_DEVICE_RETIRED"]),
        ({"lifecycle": "ONBOARDING"}, ["BC_DEVICE_NOT_YET_LIVE"]),
        ({"refusals": ("BC_DEVICE_NOT_AT_HOME", "BC_DEVICE_DISCONNECTED")}, ["BC_DEVICE_NOT_AT_HOME", "BC_DEVICE_DISCONNECTED"]),
    ],
)
def test_a_device_may_have_its_own_reasons(household: Household, change: dict[str, Any], reasons: list[str]) -> None:
    household.octopus.devices = [replace(DEFAULT_DEVICES[0], **change)]
    assert refusal(household) == reasons


def test_a_suspended_car_has_no_plans(household: Household) -> None:
    before = planned(household)
    status = control(household, "SUSPEND")
    assert (status["currentState"], status["isSuspended"]) == ("SMART_CONTROL_OFF", True)
    assert planned(household) == []
    household.moment = instant(before[-1]["end"])
    assert [each for each in completed(household) if each["start"] == before[0]["start"]] == []
    status = control(household, "UNSUSPEND")
    assert (status["currentState"], status["isSuspended"]) == ("SMART_CONTROL_CAPABLE", False)


def schedules(**change: Any) -> list[dict[str, Any]]:
    return [{"dayOfWeek": day, "time": "06:30", "max": 90, **change} for day in DAYS]


def wishes(household: Household, given: list[Any]) -> Any:
    wanted = {"deviceId": CAR, "mode": "CHARGE", "unit": "PERCENTAGE", "schedules": given}
    return household.answer(PREFERENCES, input=wanted)


def test_preferences_are_taken_and_told_again(household: Household) -> None:
    answer = wishes(household, schedules(min=20))["data"]["setDevicePreferences"]
    expected = {
        "mode": "CHARGE",
        "unit": "PERCENTAGE",
        "targetType": "ABSOLUTE_STATE_OF_CHARGE",
        "schedules": [{"dayOfWeek": day, "time": "06:30:00", "min": 20.0, "max": 90.0} for day in DAYS],
    }
    assert answer == {"id": CAR, "preferences": expected}
    query = f'{{ devices(accountNumber: "{ACCOUNT}") {{ '
    query += "preferences { mode unit targetType schedules { dayOfWeek time min max } } "
    query += "preferenceSetting { unit scheduleSettings { id timeFrom timeTo timeStep min max step } } } }"
    [device] = household.ask(query)["devices"]
    assert device["preferences"] == expected
    limits = {"timeFrom": "04:00:00", "timeTo": "11:00:00", "timeStep": 30, "min": 10.0, "max": 100.0, "step": 5.0}
    assert device["preferenceSetting"]["scheduleSettings"][0] == {"id": "MONDAY", **limits}
    assert [each.mutation for each in household.octopus.written] == ["setDevicePreferences"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (schedules()[:6], "KT-CT-4321"),
        (schedules(time="soon"), "KT-CT-4321"),
        (schedules(max="much"), "KT-CT-4321"),
        ([*schedules(), None], "KT-CT-4321"),
        (schedules(time="03:30"), "KT-CT-4353"),
        (schedules(time="11:30"), "KT-CT-4353"),
        (schedules(max=5), "KT-CT-4353"),
        (schedules(max=101), "KT-CT-4353"),
    ],
)
def test_preferences_beyond_the_limits_are_refused(household: Household, given: list[Any], code: str) -> None:
    [error] = wishes(household, given)["errors"]
    assert error["extensions"]["errorCode"] == code
    assert household.octopus.written == []


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (PLANNED, {"id": "other"}),
        (DEVICES, {"id": "other"}),
        (BOOST, {"input": {"deviceId": "other", "action": "BOOST"}}),
        (CONTROL, {"input": {"deviceId": "other", "action": "SUSPEND"}}),
        (PREFERENCES, {"input": {"deviceId": "other", "mode": "CHARGE", "unit": "PERCENTAGE", "schedules": []}}),
        (BOOST, {"input": None}),
    ],
)
def test_an_unknown_device_is_not_found(household: Household, query: str, variables: dict[str, Any]) -> None:
    [error] = household.answer(query, **variables)["errors"]
    assert (error["message"], error["extensions"]["errorCode"]) == ("Unable to find device for given account.", "KT-CT-4301")


def test_an_account_without_devices_has_none_to_plan_for(household: Household) -> None:
    household.octopus.devices = ()
    assert household.ask(DEVICES) == {"devices": []}
    assert household.code(COMPLETED) == "KT-CT-4301"
    assert household.code(f'{{ plannedDispatches(accountNumber: "{ACCOUNT}") {{ start }} }}') == "KT-CT-4301"


def test_two_devices_have_plans_and_states_of_their_own(household: Household) -> None:
    charger = replace(DEFAULT_DEVICES[0], id="wall", name="Wall box", type_name="SmartFlexChargePoint", provider="OHME")
    household.octopus.devices = (*DEFAULT_DEVICES, charger)
    boost(household)
    found = household.ask(DEVICES)["devices"]
    assert [(each["__typename"], each["status"]["currentState"]) for each in found] == [
        ("SmartFlexVehicle", "BOOSTING"),
        ("SmartFlexChargePoint", "SMART_CONTROL_CAPABLE"),
    ]
    others = household.ask(PLANNED, id="wall")["flexPlannedDispatches"]
    assert [each["type"] for each in others] == ["SMART"] * 3
    old = household.ask(f'{{ plannedDispatches(accountNumber: "{ACCOUNT}") {{ start startDt delta }} }}')["plannedDispatches"]
    assert [each["start"] for each in old] == sorted(each["start"] for each in planned(household)[1:] + others)
    assert {float(each["delta"]) < 0 for each in old} == {True}
