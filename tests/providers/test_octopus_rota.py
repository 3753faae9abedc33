"""When a thing is due: prices from the release on until tomorrow is whole, the rest at ticks in common."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bridge.models.price import Curve, Slot
from bridge.providers.octopus.rota import Rota
from bridge.providers.octopus.tenants import TENANTS
from tests.support import utc

NOON = utc("2026-06-10T12:00")
KEY = ("balance", "A-1")
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
EARLIER = utc("2026-01-01T00:00")  # than anything a test sees


def rota(share: float = 0.0, tenant: str = "uk", begun: datetime = NOON, seed: int = 1) -> Rota:
    return Rota(TENANTS[tenant], share, random.Random(seed), begun)


def until(end: str, start: str = "2026-06-01T00:00") -> Curve:
    """Return a curve that knows every moment of [start, end)."""
    return Curve(currency="GBP", slots=(Slot(utc(start), utc(end), Decimal("0.2")),))


# the release


@pytest.mark.parametrize(
    ("moment", "share", "released"),
    [
        ("2026-06-10T03:00", 0.0, "2026-06-10T15:00"),  # 16:00 in summer
        ("2026-01-10T03:00", 0.0, "2026-01-10T16:00"),
        ("2026-01-10T03:00", 0.5, "2026-01-10T16:06"),
        ("2026-01-10T03:00", 1.0, "2026-01-10T16:12"),
        ("2026-03-28T12:00", 0.0, "2026-03-28T16:00"),
        ("2026-03-29T12:00", 0.0, "2026-03-29T15:00"),  # the clock went forward in the night
        ("2026-10-24T12:00", 0.0, "2026-10-24T15:00"),
        ("2026-10-25T12:00", 0.0, "2026-10-25T16:00"),
        ("2026-06-10T23:30", 0.0, "2026-06-11T15:00"),  # past midnight in London
    ],
)
def test_tomorrow_is_asked_for_at_four_in_london_plus_our_share(moment: str, share: float, released: str) -> None:
    assert rota(share).released(utc(moment)) == utc(released)


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ("2026-06-10T14:59", "2026-06-10T22:00"),  # today's last hour comes with tomorrow
        ("2026-06-10T15:00", "2026-06-11T22:00"),
        ("2026-06-10T22:30", "2026-06-11T22:00"),
        ("2026-06-10T23:00", "2026-06-11T22:00"),
        ("2026-01-10T16:00", "2026-01-11T23:00"),
        ("2026-03-28T16:00", "2026-03-29T22:00"),  # 23 hours
        ("2026-10-24T15:00", "2026-10-25T23:00"),  # 25 hours
    ],
)
def test_the_british_market_day_ends_at_eleven_in_london(moment: str, wanted: str) -> None:
    assert rota().wanted(utc(moment)) == utc(wanted)


@pytest.mark.parametrize(
    ("moment", "wanted"), [("2026-06-10T11:59", "2026-06-10T22:00"), ("2026-06-10T12:00", "2026-06-11T22:00")]
)
def test_the_german_one_at_midnight_and_its_prices_come_at_two(moment: str, wanted: str) -> None:
    assert rota(tenant="germany").wanted(utc(moment)) == utc(wanted)


# prices


def test_prices_are_due_at_the_start_and_then_at_the_next_release() -> None:
    plan, known = rota(0.5), until("2026-06-10T22:00")
    assert plan.prices_due(KEY, known, NOON) == NOON
    plan.note(KEY, NOON)
    assert plan.prices_due(KEY, known, NOON + HOUR) == utc("2026-06-10T15:06")
    plan.note(KEY, utc("2026-06-10T15:06"))
    assert plan.prices_due(KEY, until("2026-06-11T22:00"), utc("2026-06-10T15:07")) == utc("2026-06-11T15:06")


@pytest.mark.parametrize(("asked", "due"), [("2026-03-28T17:00", "2026-03-29T15:00"), ("2026-10-24T17:00", "2026-10-25T16:00")])
def test_the_next_release_lies_23_or_25_hours_ahead_where_the_clock_changes(asked: str, due: str) -> None:
    plan = rota()
    plan.note(KEY, utc(asked))
    assert plan.prices_due(KEY, until("2026-12-01T00:00", "2026-01-01T00:00"), utc(asked) + MINUTE) == utc(due)


def test_prices_that_run_out_are_due_at_once() -> None:
    plan = rota()
    plan.note(KEY, utc("2026-06-10T08:00"))
    assert plan.prices_due(KEY, until("2026-06-10T13:00"), NOON) == NOON
    assert plan.prices_due(KEY, None, NOON) == NOON


def test_after_the_end_of_the_last_agreement_no_prices_are_wanted() -> None:
    plan, end = rota(), utc("2026-06-10T18:00")
    assert not plan.lacks(until("2026-06-10T18:00"), NOON, end)
    assert plan.lacks(until("2026-06-10T17:30"), NOON, end)
    assert plan.lacks(until("2026-06-10T18:00"), NOON)


def test_a_late_tomorrow_is_asked_for_every_twenty_minutes_and_ever_more_rarely() -> None:
    plan, moment, waits = rota(), utc("2026-06-10T15:00"), []
    for _ in range(6):
        plan.note(KEY, moment, late=True)
        due = plan.prices_due(KEY, until("2026-06-10T22:00"), moment + MINUTE)
        waits.append((due - moment) / MINUTE)
        moment = due
    usual = [20, 40, 80, 80, 80, 80]
    assert all(0.85 * minutes <= wait <= 1.15 * minutes for wait, minutes in zip(waits, usual, strict=True))


def test_while_one_stream_is_late_the_others_wait_with_it_for_eight_attempts() -> None:
    plan = rota()
    for attempt in range(1, 10):
        plan.note(KEY, NOON + attempt * HOUR, late=True)
        again = plan.late(KEY, NOON + attempt * HOUR)
        assert (again is not None) == (attempt < 8)
    plan.note(KEY, NOON + 9 * HOUR, vain=True)
    assert plan.late(KEY, NOON + 9 * HOUR) is None


# what is asked rarely


@pytest.mark.parametrize("share", [0.0, 0.37])
def test_what_is_asked_every_few_hours_is_asked_at_ticks_in_common(share: float) -> None:
    plan = rota(share)
    every = [4 * HOUR, 8 * HOUR, 12 * HOUR, 24 * HOUR]
    for number in range(4):
        plan.note(number, NOON + number * 7 * MINUTE)
    due = [plan.due(number, every[number], NOON + HOUR) for number in range(4)]
    since = utc("2025-01-01T00:00") + share * 4 * HOUR
    assert [(due[number] - since) % every[number] for number in range(4)] == [0 * HOUR] * 4
    assert all(NOON < due[number] <= NOON + every[number] + HOUR for number in range(4))


def test_what_is_asked_often_has_its_own_pace() -> None:
    plan = rota(0.37)
    plan.note(KEY, NOON)
    assert plan.due(KEY, 3 * MINUTE, NOON + MINUTE) == NOON + 3 * MINUTE


def test_a_tick_is_not_missed_by_asking_late_nor_met_twice() -> None:
    plan = rota()
    plan.note(KEY, utc("2026-06-10T08:00"))
    assert plan.due(KEY, 4 * HOUR, utc("2026-06-10T08:01")) == utc("2026-06-10T12:00")
    plan.note(KEY, utc("2026-06-10T15:59"))
    assert plan.due(KEY, 4 * HOUR, utc("2026-06-10T15:59")) == utc("2026-06-10T16:00")
    plan.note(KEY, utc("2026-06-10T16:00"))
    assert plan.due(KEY, 4 * HOUR, utc("2026-06-10T16:01")) == utc("2026-06-10T20:00")


def test_after_a_restart_what_came_before_it_counts_and_what_came_since_says_nothing_of_this_key() -> None:
    plan = rota(begun=NOON)
    assert plan.due(KEY, DAY, NOON + MINUTE, seen=NOON - HOUR) == utc("2026-06-11T00:00")
    assert plan.due(KEY, DAY, NOON + MINUTE, seen=NOON) == NOON + MINUTE
    assert plan.due(KEY, DAY, NOON + MINUTE) == NOON + MINUTE


# what goes wrong


def test_what_was_asked_in_vain_is_asked_again_ever_more_rarely() -> None:
    plan, waits = rota(), []
    for _ in range(9):
        plan.note(KEY, NOON, vain=True)
        waits.append((plan.due(KEY, DAY, NOON) - NOON) / MINUTE)
    usual = [5, 10, 20, 40, 80, 160, 240, 240, 240]
    assert all(0.85 * minutes <= wait <= 1.15 * minutes for wait, minutes in zip(waits, usual, strict=True))
    plan.note(KEY, NOON)
    plan.note(KEY, NOON, vain=True)
    assert plan.due(KEY, DAY, NOON) <= NOON + 1.15 * 5 * MINUTE


def test_two_installations_do_not_retry_at_one_moment() -> None:
    due = set()
    for seed in range(20):
        plan = rota(seed=seed)
        plan.note(KEY, NOON, vain=True)
        due.add(plan.due(KEY, DAY, NOON))
    assert len(due) == 20


def test_what_is_put_off_is_not_asked_before() -> None:
    plan = rota()
    plan.put_off(KEY, NOON, 12 * HOUR)
    assert plan.due(KEY, 3 * MINUTE, NOON + HOUR) == NOON + 12 * HOUR
    assert plan.prices_due(KEY, None, NOON + HOUR) == NOON + 12 * HOUR


@pytest.mark.parametrize("vain", [False, True])
def test_a_clock_that_is_set_back_makes_everything_due(*, vain: bool) -> None:
    plan = rota(begun=EARLIER)
    plan.note(KEY, utc("2036-01-01T00:00"), vain=vain)
    assert plan.due(KEY, DAY, NOON) == NOON
    assert plan.prices_due(KEY, until("2036-01-01T00:00"), NOON) == NOON
    assert plan.late(KEY, NOON) is None
    assert plan.due(KEY, DAY, NOON, seen=utc("2036-01-01T00:00")) == NOON
