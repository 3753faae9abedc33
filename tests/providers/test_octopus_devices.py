"""Intelligent devices: a dispatch that vanishes at its start goes on, no plan is no news, and each device has what is its own."""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import Denied, Failed, Malformed, SourceError
from bridge.models.device import Device, Dispatch
from bridge.models.observation import DevicesSeen
from bridge.providers.octopus.devices import IDLE, Devices
from bridge.providers.octopus.household import Household
from tests.providers.test_octopus_household import account
from tests.providers.wire import NOON, SIGN_IN, Wire, failure
from tests.support import Knowledge, gathered

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


def partly(*devices: Any, code: str = "KT-CT-7899") -> Any:
    return {**listed(*devices), "errors": failure(code, "devices", 1)["errors"]}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (partly(device("ev-1", name="Renamed"), None), Failed),
        (partly(device("ev-1", name="Renamed")), Failed),
        (partly(device("ev-1", name="Renamed"), None, code="KT-CT-1111"), Denied),
        (listed(device("ev-1", name="Renamed"), None), Malformed),
    ],
)
@pytest.mark.parametrize("restarted", [False, True])
async def test_where_a_part_of_the_devices_cannot_be_read_none_is_forgotten(
    answer: Any, kind: type[SourceError], *, restarted: bool
) -> None:
    wire = Wire({"Devices": [listed(device("ev-1"), device("ev-2")), answer], PLANNED: planned((0, 30), id_="ev-2")})
    devices = await found(wire)
    await devices.plan("ev-2", NOON)
    known = Knowledge(owned={"7": devices.of("7")})
    again = Devices(wire.kraken) if restarted else devices
    with pytest.raises(kind):
        await again.look("A-1", HOMES, known)
    assert {one.id: (one.title, minutes(one.planned)) for one in again.of("7")} == {
        "ev-1": ("Renamed", []),
        "ev-2": ("Car ev-2", [(0, 30)]),
    }


@pytest.mark.parametrize(
    "answer", [listed(None), partly(None), failure("KT-CT-9999", "devices"), failure("KT-CT-4123", "devices")]
)
async def test_where_no_device_can_be_read_none_is_forgotten(answer: Any) -> None:
    wire = Wire({"Devices": [listed(device()), answer]})
    devices = await found(wire)
    with pytest.raises(SourceError):
        await devices.look("A-1", HOMES, Knowledge())
    assert [one.id for one in devices.of("7")] == ["ev-1"]


async def test_an_odd_device_is_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    devices = Devices(Wire({"Devices": listed({}, 5, device(), {"status": 5})}).kraken)
    with caplog.at_level(logging.WARNING), pytest.raises(Malformed, match="a device came in a shape that cannot be read"):
        await devices.look("A-1", HOMES, Knowledge())
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


@pytest.mark.parametrize(("moved", "then"), [((3, 45), (0, 45)), ((3, 30), (0, 30)), ((1, 20), (0, 20)), ((-1, 30), (-1, 30))])
async def test_a_running_dispatch_that_was_moved_keeps_its_start(moved: tuple[float, float], then: tuple[float, float]) -> None:
    assert await plans((-3, planned((0, 30))), (3, planned(moved))) == [[(0, 30)], [then]]


async def test_a_dispatch_whose_start_moves_with_each_answer_is_one() -> None:
    wire = Wire({"Devices": listed(device())})
    devices = await found(wire)
    for minute in range(0, 240, 3):
        wire.answers[PLANNED] = planned((minute - 1, 240))
        await devices.plan("ev-1", NOON + minute * MINUTE)
    assert minutes(devices.of("7")[0].planned) == minutes(devices.owned["ev-1"].past) == [(-1, 240)]


@pytest.mark.parametrize("moved", [(120, 240), (10, 240)])
async def test_a_running_dispatch_that_is_put_off_is_over_until_then(moved: tuple[float, float]) -> None:
    assert await plans((-3, planned((0, 240))), (3, planned(moved))) == [[(0, 240)], [moved]]


async def test_a_running_dispatch_that_is_split_goes_on_with_its_first_part() -> None:
    assert (await plans((-3, planned((0, 60))), (3, planned((3, 6), (6, 60)))))[1] == [(0, 6), (6, 60)]


async def test_an_empty_plan_is_believed_the_second_time() -> None:
    span, capable = (60, 90), "SMART_CONTROL_CAPABLE"
    empty, full = planned(state=capable), planned(span, state=capable)
    assert await plans((0, full), (3, empty), (6, full), (9, empty), (12, empty)) == [[span], [span], [span], [span], []]


async def test_an_empty_plan_is_believed_at_once_where_a_dispatch_is_near_or_the_device_is_off() -> None:
    assert (await plans((0, planned((4, 90))), (3, planned())))[1] == []
    assert (await plans((0, planned((60, 90))), (3, planned(state="SMART_CONTROL_OFF"))))[1] == []


async def test_what_was_missing_from_the_last_plan_does_not_go_on_as_if_it_had_begun() -> None:
    assert await plans((0, planned((20, 90))), (3, planned()), (21, planned())) == [[(20, 90)], [(20, 90)], []]


@pytest.mark.parametrize("code", ["KT-CT-4340", "KT-CT-9999", "KT-CT-1113"])
async def test_where_no_plan_can_be_had_the_last_one_stays(code: str) -> None:
    spans = [(0.0, 30.0), (60.0, 90.0)]
    assert await plans((-3, planned(*spans)), (3, no_plan(code=code)), (6, planned((60, 90)))) == [spans, spans, spans]


async def test_where_nothing_came_at_all_the_error_is_told_and_the_plan_stays() -> None:
    wire = Wire({"Devices": listed(device()), PLANNED: [planned((0, 30)), failure("KT-CT-9999", "flexPlannedDispatches")]})
    devices = await found(wire)
    await devices.plan("ev-1", NOON)
    with pytest.raises(Failed, match="KT-CT-9999"):
        await devices.plan("ev-1", NOON + MINUTE)
    assert minutes(devices.of("7")[0].planned) == [(0, 30)]


@pytest.mark.parametrize("data", [None, {}, {"flexPlannedDispatches": None}, {"flexPlannedDispatches": None, "devices": None}])
async def test_where_no_plan_can_be_had_that_is_no_fault_whatever_else_is_missing(data: Any) -> None:
    answer = {"data": data, "errors": failure("KT-CT-4340", "flexPlannedDispatches")["errors"]}
    assert await plans((-3, planned((0, 30), (60, 90))), (3, answer)) == [[(0, 30), (60, 90)]] * 2


@pytest.mark.parametrize("state", sorted(IDLE))
async def test_where_no_plan_can_be_had_of_an_idle_device_what_has_begun_is_over(state: str) -> None:
    assert await plans((-3, planned((0, 30), (60, 90))), (3, no_plan(state.upper()))) == [[(0, 30), (60, 90)], [(60, 90)]]


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


# what is published of it


async def looked(answer: Any) -> list[tuple[str, ...]]:
    """Return the devices of each observation of a second look that fails."""
    wire = Wire({"Household": {"data": account()}, "Devices": [listed(device("ev-1"), device("ev-2")), answer]})
    source, known, seen = wire.source(account="A-1"), Knowledge(), list[tuple[str, ...]]()
    [households] = source._households.tasks(known, NOON)
    for observation in await gathered(households.work()):
        known.keep(observation, NOON)
    [task] = source._dispatching.tasks(known, NOON)
    await gathered(task.work())

    async def watched() -> None:
        async for observation in task.work():
            assert isinstance(observation, DevicesSeen)
            seen.append(tuple(one.id for one in observation.devices))

    with pytest.raises(SourceError):
        await watched()
    return seen


async def test_a_part_of_the_devices_is_published_with_those_known_before_and_nothing_where_none_came() -> None:
    assert await looked(partly(device("ev-3"), None)) == [("ev-1", "ev-2", "ev-3")]
    assert await looked(failure("KT-CT-9999", "devices")) == []
