"""Questions to providers: equal ones that are under way are one, and so many at once are enough."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from bridge.commands.shared import LONGEST, Seats, Shared
from bridge.errors import TimedOut, TooMany, Unreachable
from tests.commands.haste import Haste
from tests.support import settle


class Asked:
    """Counts the questions, and answers once it is open."""

    def __init__(self, outcome: object = "answer") -> None:
        self.count, self.outcome, self.open = 0, outcome, asyncio.Event()

    async def __call__(self) -> Any:
        self.count += 1
        await self.open.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def asking(shared: Shared, asked: Asked, key: str = "key", patience_s: float = 30) -> asyncio.Task[Any]:
    return asyncio.create_task(shared.asked(key, asked, patience_s))


async def test_equal_questions_that_are_under_way_are_one() -> None:
    shared, asked = Shared(Seats(16)), Asked()
    tasks = [asking(shared, asked) for _ in range(50)]
    await settle()
    asked.open.set()
    assert await asyncio.gather(*tasks) == ["answer"] * 50
    assert asked.count == 1


async def test_the_next_one_is_asked_anew() -> None:
    shared, asked = Shared(Seats(1)), Asked()
    asked.open.set()
    assert [await asking(shared, asked) for _ in range(3)] == ["answer"] * 3
    assert asked.count == 3


async def test_an_error_is_told_to_all_and_forgotten() -> None:
    shared, asked = Shared(Seats(1)), Asked(Unreachable("no route"))
    asked.open.set()
    tasks = [asking(shared, asked) for _ in range(3)]
    assert [str(one) for one in await asyncio.gather(*tasks, return_exceptions=True)] == ["no route"] * 3
    asked.outcome = "answer"
    assert await asking(shared, asked) == "answer"


async def test_where_no_seat_is_free_it_is_told_at_once_and_one_that_joins_needs_none() -> None:
    shared, asked = Shared(Seats(2)), Asked()
    tasks = [asking(shared, asked, key) for key in ("a", "b", "a")]
    await settle()
    with pytest.raises(TooMany) as caught:
        await asking(shared, asked, "c")
    assert (str(caught.value), caught.value.retry_after and caught.value.retry_after.total_seconds()) == (
        "2 commands are being carried out already",
        1,
    )
    asked.open.set()
    assert await asyncio.gather(*tasks) == ["answer"] * 3
    assert await asking(shared, asked, "c") == "answer"


async def test_so_many_that_come_at_one_moment_are_let_in_and_no_more() -> None:
    shared, asked = Shared(Seats(3)), Asked()
    tasks = [asking(shared, asked, f"key-{number}") for number in range(10)]
    await settle()
    asked.open.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [one == "answer" or isinstance(one, TooMany) for one in found] == [True] * 10
    assert (found.count("answer"), asked.count) == (3, 3)


async def test_whoever_has_no_patience_left_is_told_and_the_others_still_hear(haste: Haste) -> None:
    shared, asked = Shared(Seats(1)), Asked()
    hasty, patient = asking(shared, asked, patience_s=1), asking(shared, asked)
    await settle()
    haste.passes(2)
    with pytest.raises(TimedOut, match=r"^no answer came in time$"):
        await hasty
    asked.open.set()
    assert (await patient, asked.count) == ("answer", 1)


async def test_a_question_takes_30_seconds_at_the_most_and_leaves_its_seat(haste: Haste) -> None:
    shared, asked = Shared(Seats(1)), Asked()
    task = asking(shared, asked, patience_s=60)
    await settle()
    haste.passes(LONGEST.total_seconds() - 0.5)
    await settle()
    assert not task.done()
    haste.passes(1)
    with pytest.raises(TimedOut, match=r"^no answer came in 30 s$"):
        await task
    asked.open.set()
    assert await asking(shared, asked, "other") == "answer"


async def test_whoever_goes_away_leaves_the_question_to_the_others() -> None:
    shared, asked = Shared(Seats(1)), Asked()
    gone, there = asking(shared, asked), asking(shared, asked)
    await settle()
    gone.cancel()
    await settle()
    asked.open.set()
    assert (await there, asked.count) == ("answer", 1)


async def test_what_fails_when_nobody_waits_any_more_disturbs_nobody(haste: Haste) -> None:
    shared, asked = Shared(Seats(1)), Asked(Unreachable("no route"))
    task = asking(shared, asked, patience_s=1)
    await settle()
    haste.passes(2)
    with pytest.raises(TimedOut):
        await task
    asked.open.set()
    await settle()
    assert shared._under_way == {}


async def test_when_it_is_closed_nothing_stays_under_way() -> None:
    shared, asked = Shared(Seats(2)), Asked()
    tasks = [asking(shared, asked, key) for key in ("a", "b")]
    await settle()
    await shared.closed()
    await asyncio.wait(tasks)
    assert ([task.cancelled() for task in tasks], shared._under_way) == ([True, True], {})


def test_a_seat_that_was_left_is_free_again_however_it_was_left() -> None:
    seats = Seats(1)
    with suppress(ZeroDivisionError), seats.taken():
        with pytest.raises(TooMany):
            seats.must_be_free()
        _ = 1 / 0
    seats.must_be_free()
