"""The request budget: never more than so many requests in so many seconds, whatever restarts and clocks do."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BudgetSpent, RateLimited
from bridge.models.payload import BudgetFigures
from bridge.state.budget import KEPT_BACK, Budget, BudgetSettings
from bridge.state.database import Database
from tests.support import utc

NOON = utc("2026-06-10T12:00:00")
THREE = BudgetSettings(requests=3, seconds=300)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with contextlib.closing(Database(tmp_path, NOON)) as database:
        yield database


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def spent(budget: Budget, *seconds: float) -> Budget:
    for second in seconds:
        budget.spend(after(second))
    return budget


def test_the_default_is_twenty_requests_in_five_minutes(database: Database) -> None:
    assert Budget("home", BudgetSettings(), database).figures(NOON) == BudgetFigures(limit=20, remaining=20, resets_at=None)


def test_a_request_beyond_the_budget_is_refused_until_the_oldest_is_forgotten(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 0, 10, 20)
    with pytest.raises(BudgetSpent) as refused:
        budget.spend(after(100.5))
    assert refused.value.retry_after == timedelta(seconds=199.5)
    assert str(refused.value) == "the budget of 3 requests in 300 s is spent, the next in 200 s"
    spent(budget, 300)
    with pytest.raises(BudgetSpent):
        budget.spend(after(309.9))


def test_who_may_not_have_a_share_of_the_budget_is_told_of_it(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 0, 10)
    token = KEPT_BACK.set(0.34)
    try:
        with pytest.raises(BudgetSpent) as refused:
            budget.spend(after(100))
    finally:
        KEPT_BACK.reset(token)
    assert str(refused.value) == "the budget of 3 requests in 300 s is spent but for 1 that polls keep, the next in 200 s"
    spent(budget, 100)


def test_the_request_after_the_wait_is_allowed(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 0.1234567, 10, 20)
    with pytest.raises(BudgetSpent) as refused:
        budget.spend(after(50))
    assert refused.value.retry_after is not None
    budget.spend(after(50) + refused.value.retry_after)


def test_a_refused_request_costs_nothing(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 0, 0, 0)
    for _ in range(5):
        with pytest.raises(BudgetSpent):
            budget.spend(after(299))
    assert (budget.requests_today(after(299)), budget.figures(after(300)).remaining) == (3, 3)


def test_figures_tell_what_remains_and_when_one_more_is_free(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 0, 100)
    assert budget.figures(after(200)) == BudgetFigures(limit=3, remaining=1, resets_at=after(300))
    assert budget.figures(after(350)) == BudgetFigures(limit=3, remaining=2, resets_at=after(400))
    assert budget.figures(after(400)) == BudgetFigures(limit=3, remaining=3, resets_at=None)


def test_a_restart_loop_costs_no_more_than_the_budget(tmp_path: Path) -> None:
    sent = 0
    for second in range(20):
        with contextlib.closing(Database(tmp_path, NOON)) as database, contextlib.suppress(BudgetSpent):
            Budget("home", THREE, database).spend(after(second))
            sent += 1
    assert sent == 3


def test_all_figures_survive_a_restart(tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path, NOON)) as database:
        spent(Budget("home", THREE, database), 0, 0.5)
    with contextlib.closing(Database(tmp_path, NOON)) as database:
        budget = Budget("home", THREE, database)
        assert budget.figures(after(1)) == BudgetFigures(limit=3, remaining=1, resets_at=after(300))
        assert budget.requests_today(after(1)) == 2


def test_a_pause_survives_a_restart(tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path, NOON)) as database:
        Budget("home", THREE, database).pause(after(600.25))
    with contextlib.closing(Database(tmp_path, NOON)) as database, pytest.raises(RateLimited) as refused:
        Budget("home", THREE, database).spend(after(1))
    assert refused.value.retry_after == timedelta(seconds=599.25)


def test_each_source_has_its_own_budget(database: Database) -> None:
    spent(Budget("home", THREE, database), 0, 0, 0)
    cabin = Budget("cabin", THREE, database)
    assert (cabin.figures(NOON).remaining, cabin.requests_today(NOON)) == (3, 0)


def test_a_pause_holds_every_request_back_and_then_ends(database: Database) -> None:
    budget = Budget("home", THREE, database)
    budget.pause(after(600))
    with pytest.raises(RateLimited) as refused:
        budget.spend(after(599.5))
    assert not isinstance(refused.value, BudgetSpent)
    assert refused.value.retry_after == timedelta(seconds=0.5)
    assert str(refused.value) == "the provider asked for a pause, 1 s of it are left"
    assert budget.figures(after(599.5)) == BudgetFigures(limit=3, remaining=0, resets_at=after(600))
    budget.spend(after(600))
    assert budget.figures(after(600)) == BudgetFigures(limit=3, remaining=2, resets_at=after(900))


@pytest.mark.parametrize(("first", "second"), [(600, 60), (60, 600)])
def test_of_two_pauses_the_longer_one_holds(first: float, second: float, database: Database) -> None:
    budget = Budget("home", THREE, database)
    budget.pause(after(first))
    budget.pause(after(second))
    assert budget.figures(NOON).resets_at == after(600)


def test_requests_are_counted_from_midnight_utc(database: Database) -> None:
    budget = Budget("home", THREE, database)
    evening, midnight = utc("2026-06-10T23:59:59"), utc("2026-06-11T00:00:00")
    budget.spend(evening)
    budget.spend(evening)
    assert [budget.requests_today(moment) for moment in (evening, midnight)] == [2, 0]
    budget.spend(midnight)
    assert (budget.requests_today(midnight), budget.figures(midnight).remaining) == (1, 0)


def test_a_clock_set_back_neither_frees_nor_holds_for_longer_than_the_budget(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 86_400, 86_400, 86_400)
    with pytest.raises(BudgetSpent) as refused:
        budget.spend(NOON)
    assert refused.value.retry_after == timedelta(seconds=300)
    budget.spend(after(300))


def test_a_budget_that_cannot_be_written_holds_in_memory(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    budget = spent(Budget("home", THREE, database), 0)
    database._connection.execute("PRAGMA query_only = 1")
    spent(budget, 1, 2)
    with pytest.raises(BudgetSpent):
        budget.spend(after(3))


def test_a_pause_that_cannot_be_written_holds_in_memory(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    budget = spent(Budget("home", THREE, database), 0)
    database._connection.execute("PRAGMA query_only = 1")
    budget.pause(after(600))
    with pytest.raises(RateLimited):
        budget.spend(after(1))


def test_a_budget_that_cannot_be_read_any_more_is_not_a_new_one(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    budget = spent(Budget("home", THREE, database), 0, 0, 0)
    database.close()
    with pytest.raises(BudgetSpent):
        budget.spend(after(1))


def test_two_processes_share_the_budget(database: Database, tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path, NOON)) as other:
        one, two = Budget("home", THREE, database), Budget("home", THREE, other)
        spent(one, 0)
        spent(two, 1, 2)
        with pytest.raises(BudgetSpent):
            one.spend(after(3))


def test_a_pause_of_one_process_does_not_give_back_what_another_spent(database: Database, tmp_path: Path) -> None:
    with contextlib.closing(Database(tmp_path, NOON)) as other:
        one, two = Budget("home", THREE, database), Budget("home", THREE, other)
        spent(two, 0, 1, 2)
        one.pause(after(10))
        with pytest.raises(BudgetSpent):
            one.spend(after(11))


def test_a_clock_set_forward_frees_the_budget(database: Database) -> None:
    budget = spent(Budget("home", THREE, database), 0, 0, 0)
    assert budget.figures(after(86_400)).remaining == 3


def test_a_pause_noted_by_a_wrong_clock_ends_in_time(database: Database) -> None:
    budget = Budget("home", THREE, database)
    wrong = utc("2036-01-01T00:00:00")
    budget.spend(wrong)
    budget.pause(wrong + timedelta(minutes=10))
    assert budget.figures(NOON).resets_at == after(600)


@pytest.mark.parametrize(
    "row", [("x", "2026-06-10", 1, None), ("[1e30]", "2026-06-10", 1, None), ('["x"]', "", 1, None), ("[]", "", 0, "x")]
)
def test_a_row_that_cannot_be_read_is_a_new_budget(row: tuple[object, ...], database: Database) -> None:
    database.write([("INSERT INTO budgets VALUES ('home', ?, ?, ?, ?)", row)])
    assert Budget("home", THREE, database).figures(NOON) == BudgetFigures(limit=3, remaining=3, resets_at=None)


def test_a_smaller_budget_holds_from_the_next_start_on(database: Database) -> None:
    spent(Budget("home", THREE, database), 0, 0, 0)
    smaller = Budget("home", BudgetSettings(requests=1, seconds=300), database)
    with pytest.raises(BudgetSpent):
        smaller.spend(after(1))


def test_nothing_is_the_least_that_remains(database: Database) -> None:
    spent(Budget("home", THREE, database), 0, 0, 0)
    assert Budget("home", BudgetSettings(requests=1), database).figures(after(1)).remaining == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(gaps=st.lists(st.integers(0, 200), min_size=1, max_size=40))
def test_no_window_holds_more_requests_than_the_budget(gaps: list[int], database: Database) -> None:
    database.write([("DELETE FROM budgets", ())])
    budget, moment, sent = Budget("home", THREE, database), NOON, []
    for gap in gaps:
        moment += timedelta(seconds=gap)
        with contextlib.suppress(BudgetSpent):
            budget.spend(moment)
            sent.append(moment)
    window = timedelta(seconds=300)
    assert max(sum(begin <= other < begin + window for other in sent) for begin in sent) <= 3
