"""The plans that are kept: switched on time, over restarts, moved when prices come, cleared when they are over."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.plans import MOST, Plans
from bridge.errors import Refused
from bridge.models.observation import SitesSeen
from bridge.state.plans import KeptPlans
from bridge.topics import Topics
from tests.commands.house import NOON, House, at, hours, spans
from tests.support import HandClock, curve, settle, utc

HOME: dict[str, Any] = {"source": "home", "site": "house"}
PRICES = hours(0.4, 0.1, 0.3, 0.2, 0.5)  # 10:00 to 15:00
CAR = "plan/wallbox/car"
NONSENSE = {"contiguous": False, "power": (Decimal(1), Decimal(2))}


async def test_a_plan_is_switched_on_time_and_told_when_it_is_over(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    async with here.running():
        await here.done("plan", name="car", **HOME, duration="PT2H", contiguous=False, power_kw=2)
        await here.clock.go_to(at("14:30"))
    assert here.switched() == [
        ("10:00:00", "OFF"),
        ("11:00:00", "ON"),
        ("12:00:00", "OFF"),
        ("13:00:00", "ON"),
        ("14:00:00", "OFF"),
    ]
    assert here.events == [
        (
            at("14:00"),
            {
                "event_type": "plan_finished",
                "client": "wallbox",
                "name": "car",
                "stream": "import",
                "start": "2026-06-10T11:00:00Z",
                "end": "2026-06-10T14:00:00Z",
                "mean": 0.15,
                "cost": 0.6,
                "currency": "EUR",
            },
        )
    ]


async def test_a_plan_that_begins_at_once_is_on_at_once(tmp_path: Path) -> None:
    here = House(tmp_path, hours(0.1, 0.2))
    async with here.running():
        await here.done("plan", name="car", **HOME, duration="PT1H")
        assert here.topic(f"{CAR}/active") == "ON"


async def test_what_is_on_expires_a_minute_after_its_segment_and_all_the_rest_an_hour_after_the_end(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT2H", contiguous=False)
    assert (here.expiry(CAR), here.expiry(f"{CAR}/active")) == (at("15:00"), at("15:00"))
    async with here.running():
        await here.clock.go_to(at("11:30"))
        assert (here.expiry(CAR), here.expiry(f"{CAR}/active")) == (at("15:00"), at("12:01"))


async def test_an_hour_after_its_end_a_plan_is_cleared_and_forgotten_once_the_broker_knows(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    kept = KeptPlans(here.store.database)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    async with here.running():
        await here.clock.go_to(at("12:59"))
        assert (here.topic(f"{CAR}/active"), here.topic(CAR)["end"]) == ("OFF", "2026-06-10T12:00:00Z")
        await here.clock.go_to(at("13:00"))
        assert (here.shelf.messages(), kept.all(), kept.gone()) == ([], [], {("wallbox", "car")})
        here.settled = True
        await here.clock.go_to(at("13:02"))
        assert kept.gone() == set()


async def test_plans_survive_a_restart_and_are_switched_as_if_there_had_been_none(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    plan = await here.done("plan", name="car", **HOME, duration="PT1H")
    here.clock.set(at("11:20"))
    here.begin()
    async with here.running():
        assert (here.topic(CAR), here.topic(f"{CAR}/active")) == (plan, "ON")
        await here.clock.go_to(at("12:00"))
        assert here.topic(f"{CAR}/active") == "OFF"
    here.begin()
    here.plans.show(at("12:01"))
    assert (here.topic(f"{CAR}/active"), here.events) == ("OFF", [])  # its end has been told


async def test_an_end_that_came_while_the_bridge_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    here.clock.set(at("12:20"))
    here.begin()
    async with here.running():
        assert [(when, event["end"]) for when, event in here.events] == [(at("12:20"), "2026-06-10T12:00:00Z")]


async def test_what_ended_long_ago_is_cleared_without_a_word(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    here.clock.set(at("11 12:00"))
    here.begin()
    async with here.running():
        assert (here.shelf.messages(), here.events) == ([], [])


async def test_tomorrow_s_prices_move_a_plan_and_its_switch(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    async with here.running():
        await here.done("plan", name="car", **HOME, duration="PT1H", power_kw=10)
        await here.clock.go_to(at("10:59:58"))  # its switch has been drawn
        await here.price(hours(0.4, 0.1, 0.3, 0.2, 0.5, 0.05, 0.6))
        assert spans(here.topic(CAR)) == [("10 15:00", "10 16:00")]
        assert (here.topic(CAR)["cost"], here.topic(CAR)["saving"]) == (0.5, 3.5)  # against what starting then had cost
        await here.clock.go_to(at("16:00"))
    assert here.switched() == [("10:00:00", "OFF"), ("15:00:00", "ON"), ("16:00:00", "OFF")]


async def test_what_runs_is_not_moved_away_from_under_the_device(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    async with here.running():
        await here.done("plan", name="car", **HOME, duration="PT2H", contiguous=False)
        await here.clock.go_to(at("11:30"))
        for newer in (0.01, 0.02, 0.01):
            await here.price(hours(9, 9, 9, 9, 9, newer, 9))
        await here.clock.go_to(at("16:30"))
    assert here.switched()[1:] == [("11:00:00", "ON"), ("12:00:00", "OFF"), ("15:00:00", "ON"), ("16:00:00", "OFF")]


async def test_a_plan_is_moved_also_by_what_came_while_the_bridge_was_away(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    here.begin()
    await here.price(hours(0.4, 0.3, 0.3, 0.1, 0.5))
    async with here.running():
        assert spans(here.topic(CAR)) == [("10 13:00", "10 14:00")]


async def test_the_same_prices_again_write_nothing(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    said, written = len(here.shelf.entries), here.store.database._connection.total_changes
    async with here.running():
        await here.price(PRICES)
        await here.price(hours(0.4, 0.1, 0.3, 0.2, 0.5))
    assert (len(here.shelf.entries), here.store.database._connection.total_changes) == (said, written)


async def test_the_plans_of_a_source_that_is_gone_end(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    away, here.sources = here.sources, {}
    here.begin()
    async with here.running():
        assert [(message.topic, message.payload) for _, message in here.shelf.entries] == [
            ("kwh2mqtt/plan/wallbox/car/active", b""),
            ("kwh2mqtt/plan/wallbox/car", b""),
        ]
        here.sources = away
    assert KeptPlans(here.store.database).all() == []


async def test_the_plans_of_a_site_that_is_gone_end_but_not_before_the_sites_are_known(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    home = here.sources["home"]
    places, home.places = home.places, {}
    here.plans.show(at("11:30"))
    assert here.topic(f"{CAR}/active") == "ON"
    home.keep(SitesSeen(()), at("11:30"))
    here.plans.show(at("11:31"))
    assert here.shelf.messages() == []
    home.places = places


async def test_a_clock_that_is_set_back_or_forward_leaves_no_switch_untrue(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    async with here.running():
        await here.done("plan", name="car", **HOME, duration="PT1H")
        await here.clock.go_to(at("11:10"))
        here.clock.set(at("10:30"))
        await settle()
        assert here.topic(f"{CAR}/active") == "OFF"
        await here.clock.go_to(at("11:00"))
        assert here.topic(f"{CAR}/active") == "ON"
        here.clock.set(at("12:30"))  # a machine that slept
        await here.clock.go_to(at("12:30:01"))
        await here.clock.go_to(at("12:31:30"))
        assert here.topic(f"{CAR}/active") == "OFF"
    assert here.switched() == [
        ("10:00:00", "OFF"), ("11:00:00", "ON"), ("10:30:00", "OFF"), ("11:00:00", "ON"), ("12:30:00", "OFF"),
    ]  # fmt: skip


async def test_a_device_that_runs_wild_fills_neither_the_disk_nor_the_broker(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    await here.done("plan", name="car", **HOME, duration="PT1H")
    (plan,) = KeptPlans(here.store.database).all()
    for number in range(1, MOST):
        here.plans._plans[f"{number}", "car"] = plan.model_copy(update={"client": f"{number}"})
    with pytest.raises(Refused, match=rf"^{MOST} plans in all are the most: cancel one, or use its name again$"):
        here.plans.keep(plan.model_copy(update={"client": "one-more"}), NOON)
    here.plans.keep(plan, NOON)
    assert len(KeptPlans(here.store.database).all()) == 1


async def test_a_plan_that_fails_disturbs_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    here = House(tmp_path, PRICES)
    for name in ("a", "car", "z"):
        await here.done("plan", name=name, **HOME, duration="PT1H", power_kw=100)
    plans = here.plans._plans
    for name, about in (
        ("a", {"at_once": Decimal("9e999999")}),
        ("z", {"wish": plans["wallbox", "z"].wish.model_copy(update=NONSENSE)}),
    ):
        plans["wallbox", name] = plans["wallbox", name].model_copy(update=about)
    async with here.running():
        await here.price(hours(0.4, 0.3, 0.1, 0.4))
        await here.clock.go_to(at("12:00"))
        switches = [here.topic(f"plan/wallbox/{name}/active") for name in ("a", "car", "z")]
    assert (switches, spans(here.topic(CAR))) == (["ON", "ON", "OFF"], [("10 12:00", "10 13:00")])
    told = {record.getMessage() for record in caplog.records}
    assert told == {
        "plan 'a' of 'wallbox' cannot be shown",
        "plan 'z' of 'wallbox' cannot be compared with newer prices; it stays as it is",
    }


async def test_a_plan_that_was_cancelled_and_made_anew_is_kept(tmp_path: Path) -> None:
    here = House(tmp_path, PRICES)
    for operation, about in (("plan", HOME | {"duration": "PT1H"}), ("plan_cancel", {}), ("plan", HOME | {"duration": "PT1H"})):
        await here.done(operation, name="car", **about)
    here.settled = True
    async with here.running():
        await here.clock.go_to(at("10:02"))
    here.begin()
    here.plans.show(at("10:03"))
    assert here.topic(f"{CAR}/active") == "OFF"


@pytest.mark.parametrize(
    ("moment", "deadline", "expected"),
    [
        ("2026-03-28T20:00", "07:00", ("29 04:00", "29 05:00")),
        ("2026-10-24T20:00", "07:00", ("25 05:00", "25 06:00")),
        ("2026-06-09T20:00", "07:00", ("10 04:00", "10 05:00")),
    ],
)
async def test_a_deadline_on_the_local_clock_is_right_on_the_days_on_which_it_changes(
    tmp_path: Path, moment: str, deadline: str, expected: tuple[str, str]
) -> None:
    here = House(tmp_path, curve(utc(moment), [100 - number for number in range(80)]), utc(moment))  # ever cheaper
    plan = await here.done("plan", name="car", **HOME, duration="PT1H", deadline=deadline)
    assert spans(plan) == [expected]
    async with here.running():
        await here.clock.go_to(utc(moment) + timedelta(hours=12))
    on_and_off = [("20:00:00", "OFF"), (f"{expected[0][3:]}:00", "ON"), (f"{expected[1][3:]}:00", "OFF")]
    assert here.switched()[:3] == on_and_off


async def test_where_nothing_is_kept_nothing_is_shown(tmp_path: Path) -> None:
    here = House(tmp_path, None)
    plans = Plans(Topics("kwh2mqtt"), {}, KeptPlans(here.store.database), HandClock(NOON), here.shelf.entries.append, bool)  # type: ignore[arg-type] # never called
    plans.show(NOON)
    await plans.replan()
    assert here.shelf.entries == []
