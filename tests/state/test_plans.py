"""Plans on the disk: one a client and name, and a mark where one was until its topics are surely cleared."""

import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.models.plan import Plan, Segment, Wish
from bridge.state.plans import KeptPlans
from tests.support import store, utc

NOON = utc("2026-06-10T12:00")
LATER = NOON + timedelta(hours=3)
WISH = Wish(
    source="home", site="id-1", stream="import", duration=timedelta(hours=1), earliest=NOON, latest=LATER, contiguous=False,
    min_segment=timedelta(minutes=30), max_price=Decimal("0.2"), levels=("cheap",), power=(Decimal(11),),
    energy_kwh=Decimal(11),
)  # fmt: skip


def plan(client: str = "wallbox", name: str = "car") -> Plan:
    segments = (
        Segment(NOON, NOON + timedelta(minutes=30), Decimal("0.1")),
        Segment(LATER, LATER + timedelta(minutes=30), Decimal(-1)),
    )
    return Plan(
        client=client,
        name=name,
        asked="{}",
        wish=WISH,
        segments=segments,
        at_once=Decimal("0.25"),
        currency="EUR",
        data_until=LATER,
    )


def test_plans_are_kept_whole_by_client_and_name(tmp_path: Path) -> None:
    database = store(tmp_path, NOON).database
    plans = [plan("heating"), plan("wallbox", "a"), plan("wallbox", "car")]
    for one in reversed(plans):
        KeptPlans(database).save(one, durable=True)
    KeptPlans(database).save(plans[0].model_copy(update={"finished": True}))
    assert KeptPlans(database).all() == [plans[0].model_copy(update={"finished": True}), *plans[1:]]


def test_of_a_plan_that_is_gone_a_mark_is_left_until_it_is_forgotten(tmp_path: Path) -> None:
    kept = KeptPlans(store(tmp_path, NOON).database)
    kept.save(plan())
    kept.save(plan(name="other"))
    kept.bury(("wallbox", "car"))
    assert (kept.all(), kept.gone()) == ([plan(name="other")], {("wallbox", "car")})
    kept.forget({("wallbox", "car"), ("wallbox", "other")})  # the second is not gone
    assert (kept.all(), kept.gone()) == ([plan(name="other")], set())


def test_a_plan_that_cannot_be_read_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = store(tmp_path, NOON).database
    KeptPlans(database).save(plan())
    empty = plan(name="empty").model_copy(update={"segments": ()})
    KeptPlans(database).save(empty)
    with caplog.at_level(logging.WARNING):
        assert KeptPlans(database).all() == [plan()]
    assert "a Plan in the state file cannot be read and is left out" in caplog.text
