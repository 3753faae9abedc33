"""Devices under smart control as GraphQL shows them, and the commands that they take."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from bridge.simulator.octopus.dispatches import boost_of, devices_of, runs
from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.homes import Device, number
from bridge.simulator.octopus.platform import Control, Visit
from bridge.simulator.octopus.times import stamp

BOOST = timedelta(hours=1)
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
EARLIEST_READY, LATEST_READY, LOWEST, HIGHEST, STEP = "04:00:00", "11:00:00", 10.0, 100.0, 5.0
USUAL = {
    "mode": "CHARGE",
    "unit": "PERCENTAGE",
    "schedules": [{"dayOfWeek": day, "time": "07:00:00", "min": None, "max": 80.0} for day in DAYS],
}


def devices(
    visit: Visit,
    account_number: str,
    property_id: str | None = None,
    device_id: str | None = None,
    integration_device_id: str | None = None,
) -> list[dict[str, Any]]:
    """Return the account's; raises GraphQLError where the one asked for by its id is not among them."""
    found = [
        device
        for device in visit.platform.account(account_number).devices
        if device_id in (None, device.id)
        and property_id in (None, device.property_id)
        and integration_device_id in (None, _integration(device))
    ]
    if device_id is not None and not found:
        raise kraken_error("KT-CT-4301")
    return [shown(visit, device) for device in found]


def registered_krakenflex_device(visit: Visit, account_number: str) -> dict[str, Any]:
    """Return the first device in the old form."""
    device, *_ = devices_of(visit, account_number)
    return {
        "krakenflexDeviceId": device.id,
        "provider": device.provider,
        "vehicleMake": device.make,
        "vehicleModel": device.model,
        "vehicleBatterySizeInKwh": "75.0000",
        "chargePointMake": None,
        "chargePointModel": None,
        "chargePointPowerInKw": None,
        "status": "Live",
        "suspended": visit.platform.control(device).suspended_at is not None,
        "hasToken": True,
        "createdAt": "2025-03-01T10:00:00+00:00",
        "stateOfChargeLimit": None,
        "testDispatchFailureReason": None,
    }


def shown(visit: Visit, device: Device) -> dict[str, Any]:
    """Return the device as GraphQL shows it."""
    control = visit.platform.control(device)
    preferences = control.preferences or USUAL
    setting = {"timeFrom": EARLIEST_READY, "timeTo": LATEST_READY, "timeStep": 30, "min": LOWEST, "max": HIGHEST, "step": STEP}
    kind = {"deviceType": device.device_type, "mode": preferences["mode"], "unit": preferences["unit"]}
    return {
        "__typename": device.type_name,
        "id": device.id,
        "name": device.name,
        "deviceType": device.device_type,
        "provider": device.provider,
        "integrationDeviceId": _integration(device),
        "propertyId": device.property_id,
        "make": device.make,
        "model": device.model,
        "alerts": [],
        "status": _status(visit, device, control),
        "preferences": _preferences(preferences),
        "preferenceSetting": {
            "__typename": "FlexDevicePreferenceSetting",
            "id": device.id,
            **kind,
            "scheduleSettings": [{"id": day, **setting} for day in DAYS],
        },
    }


def _preferences(preferences: Mapping[str, Any]) -> dict[str, Any]:
    schedules = [{**schedule, "upperLimit": None} for schedule in preferences["schedules"]]
    capped = {"gridExport": "NOT_APPLICABLE", "isChargingDurationCapped": "DISABLED"}
    target = {"targetType": "ABSOLUTE_STATE_OF_CHARGE", "schedules": schedules}
    wanted = {"mode": preferences["mode"], "unit": preferences["unit"]}
    return {"__typename": "SmartFlexDevicePreferences", **capped, **wanted, **target}


def _status(visit: Visit, device: Device, control: Control) -> dict[str, Any]:
    names = {"SmartFlexVehicle": "SmartFlexVehicleStatus", "SmartFlexChargePoint": "SmartFlexChargePointStatus"}
    charge = 20 + number(device.id, visit.moment.replace(minute=0, second=0, microsecond=0), "charge", below=60)
    return {
        "__typename": names.get(device.type_name, "SmartFlexDeviceStatus"),
        "current": device.lifecycle,
        "currentState": _state(visit, device, control),
        "isSuspended": control.suspended_at is not None,
        "stateOfCharge": {"value": f"{charge}.0000", "timestamp": stamp(visit.moment)},
        "stateOfChargeLimit": {"upperSocLimit": 90, "timestamp": stamp(visit.moment), "isLimitViolated": False},
        "testDispatchFailureReason": None,
    }


def _state(visit: Visit, device: Device, control: Control) -> str:
    if device.lifecycle == "RETIRED":
        return "RETIRED"
    if device.lifecycle != "LIVE":
        return "SMART_CONTROL_NOT_AVAILABLE"
    if boost_of(visit, device):
        return "BOOSTING"
    if control.suspended_at is not None:
        return "SMART_CONTROL_OFF"
    return "SMART_CONTROL_IN_PROGRESS" if runs(visit, device) else "SMART_CONTROL_CAPABLE"


def _integration(device: Device) -> str:
    return f"integration-{number(device.id, 'integration')}"


def update_boost_charge(visit: Visit, input: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: A002 - the provider's argument
    """Start a boost of an hour, or end the one that runs."""
    wanted = input or {"deviceId": "", "action": "BOOST"}
    device = visit.platform.device(wanted["deviceId"])
    control, running = visit.platform.control(device), boost_of(visit, device)
    if wanted["action"] == "BOOST":
        if reasons := _refusals(device, control, boosting=running is not None):
            raise kraken_error("KT-CT-4357", boostChargeRefusalReasons=reasons)
        control.boosts.append((visit.moment, visit.moment + BOOST))
    elif running is None:
        raise kraken_error("KT-CT-4354")
    else:
        control.boosts[-1] = (running[0], visit.moment)
    visit.write("updateBoostCharge", wanted)
    return shown(visit, device)


def _refusals(device: Device, control: Control, *, boosting: bool) -> list[str]:
    reasons = list(device.refusals)
    if device.lifecycle != "LIVE":
        reasons.append("BC_DEVICE_RETIRED" if device.lifecycle == "RETIRED" else "BC_DEVICE_NOT_YET_LIVE")
    if control.suspended_at is not None:
        reasons.append("BC_DEVICE_SUSPENDED")
    if boosting:
        reasons.append("BC_BOOST_CHARGE_IN_PROGRESS")
    return reasons


def update_device_smart_control(visit: Visit, input: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - the provider's argument
    device = visit.platform.device(input["deviceId"])
    control = visit.platform.control(device)
    control.suspended_at = (control.suspended_at or visit.moment) if input["action"] == "SUSPEND" else None
    visit.write("updateDeviceSmartControl", input)
    return shown(visit, device)


def set_device_preferences(visit: Visit, input: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - the provider's argument
    """Take the wishes for every day of the week; raises GraphQLError for any that the device's limits do not allow."""
    device = visit.platform.device(input["deviceId"])
    try:
        schedules = [_schedule(each) for each in input["schedules"]]
    except (TypeError, ValueError):
        raise kraken_error("KT-CT-4321") from None
    if {each["dayOfWeek"] for each in schedules} != set(DAYS):
        raise kraken_error("KT-CT-4321")
    if any(not (LOWEST <= each["max"] <= HIGHEST and EARLIEST_READY <= each["time"] <= LATEST_READY) for each in schedules):
        raise kraken_error("KT-CT-4353")
    wanted = {"mode": input["mode"], "unit": input["unit"], "schedules": schedules}
    visit.platform.control(device).preferences = wanted
    visit.write("setDevicePreferences", input)
    return shown(visit, device)


def _schedule(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a day's wish in the form in which it is told; raises TypeError or ValueError for what is none."""
    ready, low = time.fromisoformat(given["time"]).isoformat(), given.get("min")
    return {
        "dayOfWeek": given["dayOfWeek"],
        "time": ready,
        "min": None if low is None else float(low),
        "max": float(given["max"]),
    }
