"""Intelligent devices: a dispatch that vanishes at its start goes on, no plan is no news, and each device has what is its own."""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import Denied, Unreachable
from bridge.models.device import Device, Dispatch
from bridge.providers.octopus.devices import IDLE, Devices
from bridge.providers.octopus.household import Household
from tests.providers.wire import NOON, SIGN_IN, Wire, failure
from tests.support import Knowledge

HOMES = [Household("A-1", "7", (), {}), Household("A-1", "8", (), {}), Household("A-2", "9", (), {})]
MINUTE = timedelta(minutes=1)
PLANNED, COMPLETED = "PlannedDispatches", "CompletedDispatches"


def device(id_: str = "ev-1", state: str | None = "SMART_CONTROL_IN_PROGRESS", **more: Any) -> Any:
    status = {"current": more.pop("current", "LIVE"), "currentState": state, "isSuspended": False}
    return {"id": id_, "name": f"Car {id_}", "deviceType": "ELECTRIC_VEHICLES", "propertyId": "7", "status": status, **more}


def listed(*devices: Any) -> Any:
    return {"data": {"devices": list(devices)}}


def at(start: float, end: float) -> dict[str, str]:
    """Return a span in minutes from noon, as Kraken writes it."""
    return {key: f"{NOON + value * MINUTE:%Y-%m-%dT%H:%M:%S}+00:00" for key, value in (("start", start), ("end", end))}


def planned(*spans: tuple[float, float], state: str | None = "SMART_CONTROL_IN_PROGRESS", id_: str = "ev-1") -> Any:
    told = [{**at(*span), "type": "SMART", "energyAddedKwh": "-1.50"} for span in spans]
    return {"data": {"flexPlannedDispatches": told, "devices": [device(id_, state)]}}


def no_plan(state: str = "SMART_CONTROL_IN_PROGRESS", code: str = "KT-CT-4340") -> Any:
    return failure(code, "flexPlannedDispatches", data={"flexPlannedDispatches": None, "devices": [device(state=state)]})


def completed(*spans: tuple[float, float]) -> Any:
    done = [{**at(*span), "delta": "-2.250", "meta": {"source": "smart-charge"}} for span in reversed(spans)]
    return {"data": {"completedDispatches": done}}


def minutes(dispatches: tuple[Dispatch, ...]) -> list[tuple[float, float]]:
    return [((one.start - NOON) / MINUTE, (one.end - NOON) / MINUTE) for one in dispatches]


async def found(wire: Wire, known: Knowledge | None = None, account: str = "A-1") -> Devices:
    """Return the devices of an account, looked for."""
    devices = Devices(wire.kraken)
    await devices.look(account, HOMES, known or Knowledge())
    return devices


async def plans(*answers: tuple[float, Any]) -> list[list[tuple[float, float]]]:
    """Return what is planned after each answer, which comes so many minutes after noon."""
    wire = Wire({"Devices": listed(device()), PLANNED: [answer for _, answer in answers]})
    devices, seen = await found(wire), []
    for minute, _ in answers:
        await devices.plan("ev-1", NOON + minute * MINUTE)
        seen.append(minutes(devices.of("7")[0].planned))
    return seen


# which there are


async def test_devices_are_told_at_their_property_and_those_that_are_not_live_are_left_out() -> None:
    others = [device("ev-2", None, propertyId="8"), device("pv", current="RETIRED"), device("new", current="ONBOARDING")]
    stray = device("ev-3", propertyId=None, name=None, deviceType="BATTERIES", status=None)
    devices = await found(Wire({"Devices": listed(device(), *others, stray)}))
    assert devices.of("7") == (
        Device(id="ev-1", title="Car ev-1", type="electric_vehicles", state="smart_control_in_progress"),
        Device(id="ev-3", title="BATTERIES", type="batteries"),
    )
    assert devices.of("8") == (Device(id="ev-2", title="Car ev-2", type="electric_vehicles"),)


@pytest.mark.parametrize("answer", [listed(), {"data": {"devices": None}}, failure("KT-CT-4301", "devices")])
async def test_an_account_without_intelligent_devices_has_none_and_that_is_no_fault(answer: Any) -> None:
    assert (await found(Wire({"Devices": answer}))).owned == {}


async def test_a_device_that_is_gone_is_gone_and_those_of_other_accounts_stay() -> None:
    wire = Wire({"Devices": [listed(device()), listed(device("ev-9", propertyId="9")), listed()]})
    devices = await found(wire)
    await devices.look("A-2", HOMES, Knowledge())
    await devices.look("A-1", HOMES, Knowledge())
    assert (devices.of("7"), [one.id for one in devices.of("9")]) == ((), ["ev-9"])


async def test_an_odd_device_is_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        devices = await found(Wire({"Devices": listed({}, 5, device(), {"status": 5})}))
    assert list(devices.owned) == ["ev-1"]
    assert [record.getMessage() for record in caplog.records] == ["3 device(s) of Octopus' are left out, the first for KeyError"]


# what is planned


async def test_a_plan_comes_in_order_of_time_with_energy_and_kind() -> None:
    wire = Wire({"Devices": listed(device()), PLANNED: planned((60, 90), (30, 60))})
    devices = await found(wire)
    await devices.plan("ev-1", NOON)
    assert devices.of("7")[0].planned == tuple(
        Dispatch(start=NOON + start * MINUTE, end=NOON + (start + 30) * MINUTE, type="smart", energy_kwh=Decimal("-1.5"))
        for start in (30, 60)
    )
    assert wire.sent[-1].given == {"account": "A-1", "device": "ev-1"}


async def test_a_dispatch_that_vanishes_at_its_start_goes_on_to_its_end() -> None:
    span = (0, 30)
    assert await plans((-3, planned(span)), (3, planned()), (27, planned()), (30, planned())) == [[span], [span], [span], []]


@pytest.mark.parametrize("state", sorted(IDLE))
async def test_a_dispatch_that_vanishes_is_over_where_the_device_is_idle(state: str) -> None:
    assert await plans((-3, planned((0, 30))), (3, planned(state=state.upper()))) == [[(0, 30)], []]


async def test_a_dispatch_that_vanished_is_over_as_soon_as_the_device_is_idle() -> None:
    capable = planned(state="SMART_CONTROL_CAPABLE")
    assert await plans((-3, planned((0, 60))), (3, planned()), (6, capable), (9, planned())) == [[(0, 60)], [(0, 60)], [], []]


@pytest.mark.parametrize("state", [None, "BOOSTING", "SOMETHING_NEW"])
async def test_a_state_that_does_not_say_idle_ends_nothing(state: str | None) -> None:
    assert (await plans((-3, planned((0, 30))), (3, planned(state=state))))[1] == [(0, 30)]


async def test_a_dispatch_that_is_called_off_before_its_start_is_gone() -> None:
    assert await plans((-9, planned((0, 30), (60, 90))), (-3, planned((60, 90)))) == [[(0, 30), (60, 90)], [(60, 90)]]


async def test_a_plan_that_was_moved_takes_the_place_of_the_one_that_runs() -> None:
    assert await plans((-3, planned((0, 30))), (3, planned((3, 45)))) == [[(0, 30)], [(3, 45)]]


@pytest.mark.parametrize("code", ["KT-CT-4340", "KT-CT-9999", "KT-CT-1113"])
async def test_where_no_plan_can_be_had_the_last_one_stays(code: str) -> None:
    spans = [(0.0, 30.0), (60.0, 90.0)]
    assert await plans((-3, planned(*spans)), (3, no_plan(code=code)), (6, planned((60, 90)))) == [spans, spans, spans]


async def test_where_nothing_came_at_all_the_error_is_told_and_the_plan_stays() -> None:
    wire = Wire({"Devices": listed(device()), PLANNED: [planned((0, 30)), failure("KT-CT-4340", "flexPlannedDispatches")]})
    devices = await found(wire)
    await devices.plan("ev-1", NOON)
    with pytest.raises(Unreachable, match="KT-CT-4340"):
        await devices.plan("ev-1", NOON + MINUTE)
    assert minutes(devices.of("7")[0].planned) == [(0, 30)]


async def test_an_odd_dispatch_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    answer = planned((0, 30))
    answer["data"]["flexPlannedDispatches"] += [at(30, 30), {"start": "soon"}, None]
    with caplog.at_level(logging.WARNING):
        assert await plans((-3, answer)) == [[(0, 30)]]
    assert [record.getMessage() for record in caplog.records] == [
        "3 planned dispatch(s) of Octopus' are left out, the first for ValueError"
    ]


# what was done


async def two_cars(*past: tuple[str, tuple[float, float]]) -> tuple[Wire, Devices]:
    """Return two cars, each with what was planned for it and has begun."""
    wire = Wire({"Devices": listed(device("ev-1"), device("ev-2"))})
    devices = await found(wire)
    for id_, span in past:
        wire.answers[PLANNED] = planned(span, id_=id_)
        await devices.plan(id_, NOON + span[0] * MINUTE)
    return wire, devices


async def test_what_was_done_is_told_with_energy_into_the_device_positive_and_the_oldest_first() -> None:
    wire = Wire({"Devices": listed(device()), COMPLETED: completed((-90, -60), (-60, -30))})
    devices = await found(wire)
    await devices.complete("A-1", NOON)
    assert devices.of("7")[0].completed == tuple(
        Dispatch(start=NOON + start * MINUTE, end=NOON + (start + 30) * MINUTE, type="smart-charge", energy_kwh=Decimal("2.25"))
        for start in (-90, -60)
    )


async def test_what_was_done_is_told_apart_between_two_devices_by_what_was_planned() -> None:
    wire, devices = await two_cars(("ev-1", (-120, -90)), ("ev-2", (-60, -30)))
    wire.answers[COMPLETED] = completed((-118, -92), (-60, -31), (-300, -290))
    await devices.complete("A-1", NOON)
    assert [minutes(one.completed) for one in devices.of("7")] == [[(-118, -92)], [(-60, -31)]]


async def test_what_may_have_been_either_of_two_devices_is_told_of_both() -> None:
    wire, devices = await two_cars(("ev-1", (-120, -90)), ("ev-2", (-120, -90)))
    wire.answers[COMPLETED] = completed((-120, -90))
    await devices.complete("A-1", NOON)
    assert [minutes(one.completed) for one in devices.of("7")] == [[(-120, -90)]] * 2


async def test_what_was_done_is_kept_for_two_days_and_told_once() -> None:
    wire = Wire({"Devices": listed(device()), COMPLETED: [completed((-60, -30)), completed((-60, -20)), completed()]})
    devices = await found(wire)
    for hours, expected in ((0, [(-60, -30)]), (1, [(-60, -20)]), (47, [(-60, -20)]), (48, [])):
        await devices.complete("A-1", NOON + timedelta(hours=hours))
        assert minutes(devices.of("7")[0].completed) == expected


async def test_after_a_restart_the_plan_and_what_was_done_are_still_known() -> None:
    stored = Device(
        id="ev-1",
        title="Car ev-1",
        planned=(Dispatch(start=NOON, end=NOON + 30 * MINUTE),),
        completed=(Dispatch(start=NOON - 60 * MINUTE, end=NOON - 30 * MINUTE),),
    )
    wire = Wire({"Devices": listed(device()), PLANNED: planned()})
    devices = await found(wire, Knowledge(owned={"7": (stored,)}))
    await devices.plan("ev-1", NOON + 5 * MINUTE)
    [car] = devices.of("7")
    assert (minutes(car.planned), minutes(car.completed)) == ([(0, 30)], [(-60, -30)])
    assert car.dispatching(NOON + 5 * MINUTE) == stored.planned[0]


async def test_what_may_not_be_seen_is_told() -> None:
    with pytest.raises(Denied):
        await found(wire := Wire({"Devices": failure("KT-CT-1111", "devices")}))
    assert wire.asked() == [SIGN_IN, "Devices"]
