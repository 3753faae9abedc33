"""A write is done once: recorded before it is sent, its answer kept for a day, and the same id brings that answer again."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.once import NOT_SENT, Once, Unrecorded, Write
from bridge.errors import (
    BadRequest,
    BudgetSpent,
    OutcomeUnknown,
    RateLimited,
    SourceError,
    TimedOut,
    TooMany,
    Unauthenticated,
    Unreachable,
)
from bridge.state.ledger import Ledger
from tests.commands.office import NOW
from tests.support import HandClock, settle, store

DONE = {"id": "7", "status": "ok", "data": {"n": 1}}
WRITE = Write("wallbox", "7", "digest", "reply")
DAY = timedelta(days=1)
Work = Callable[[], Awaitable[dict[str, Any]]]


def admit() -> None:
    """Let everything in."""


class Bench:
    """What does writes once, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, HandClock(NOW)
        self.sent = 0
        self.open = asyncio.Event()
        self.open.set()
        self.begin()

    def begin(self) -> None:
        """Begin as a new process does."""
        self.store = store(self.folder, self.clock.now())
        self.ledger = Ledger(self.store.database)
        self.once = Once(self.ledger, self.clock)

    async def work(self) -> dict[str, Any]:
        self.sent += 1
        await self.open.wait()
        return {**DONE, "data": {"n": self.sent}}

    async def done(self, write: Write = WRITE, work: Work | None = None) -> dict[str, Any]:
        return await self.once.answered(write, self.clock.now(), admit, work or self.work)

    def kept(self, client: str = "wallbox") -> Any:
        entry = self.ledger.find(client, "7", self.clock.now())
        return entry and (json.loads(entry.answer) if entry.answer else "unfinished")


async def test_a_write_is_done_and_its_answer_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert await bench.done() == DONE
    assert (bench.sent, bench.kept()) == (1, DONE)


async def test_the_same_again_brings_the_kept_answer_and_says_so_also_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.done()
    assert await bench.done() == {**DONE, "replayed": True}
    bench.begin()
    assert await bench.done() == {**DONE, "replayed": True}
    assert bench.sent == 1


async def test_it_is_recorded_before_it_is_sent_and_kept_before_it_is_answered(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    seen: list[Any] = []

    async def work() -> dict[str, Any]:
        seen.append(bench.kept())
        return DONE

    await bench.done(work=work)
    assert [*seen, bench.kept()] == ["unfinished", DONE]


async def test_the_same_id_for_something_else_is_a_bad_request_done_or_under_way(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    other = WRITE._replace(digest="other")
    text = r"^id: 7 was used in the last 24 hours for something else; go on counting, or take a random one$"
    bench.open.clear()
    first = asyncio.create_task(bench.done())
    await settle()
    with pytest.raises(BadRequest, match=text):
        await bench.done(other)
    bench.open.set()
    assert await first == DONE
    with pytest.raises(BadRequest, match=text):
        await bench.done(other)
    bench.begin()
    with pytest.raises(BadRequest, match=text):
        await bench.done(other)
    assert bench.sent == 1


async def test_another_client_s_same_id_is_another_write(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    found = [await bench.done(WRITE._replace(client=client)) for client in ("wallbox", "button", "Wallbox")]
    assert [one["data"]["n"] for one in found] == [1, 2, 3]


async def test_what_comes_again_while_it_is_under_way_waits_for_the_same_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.open.clear()
    tasks = [asyncio.create_task(bench.done()) for _ in range(20)]
    await settle()
    bench.open.set()
    assert await asyncio.gather(*tasks) == [DONE, *[{**DONE, "replayed": True}] * 19]
    assert bench.sent == 1


async def test_after_24_hours_the_id_is_free(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.done()
    bench.clock.set(NOW + DAY - timedelta(seconds=1))
    assert (await bench.done())["replayed"] is True
    bench.clock.set(NOW + DAY)
    assert await bench.done() == {**DONE, "data": {"n": 2}}


@pytest.mark.parametrize(
    "error", [TooMany("no seat"), BudgetSpent("spent"), RateLimited("wait"), Unreachable("no route"), TimedOut("late")]
)
async def test_what_was_certainly_not_sent_leaves_the_id_free(tmp_path: Path, error: Exception) -> None:
    assert isinstance(error, NOT_SENT)
    bench = Bench(tmp_path)

    async def work() -> dict[str, Any]:
        raise error

    with pytest.raises(type(error)):
        await bench.done(work=work)
    assert bench.kept() is None
    assert await bench.done() == DONE


async def test_all_that_wait_hear_that_it_was_not_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def work() -> dict[str, Any]:
        await bench.open.wait()
        raise Unreachable("no route")

    bench.open.clear()
    tasks = [asyncio.create_task(bench.done(work=work)) for _ in range(3)]
    await settle()
    bench.open.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(one) for one in found] == ["no route"] * 3


async def test_where_there_is_no_room_nothing_is_recorded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    def full() -> None:
        raise TooMany("full")

    with pytest.raises(TooMany):
        await bench.once.answered(WRITE, NOW, full, bench.work)
    assert (bench.sent, bench.kept()) == (0, None)


async def test_a_replay_needs_no_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.done()

    def full() -> None:
        raise TooMany("full")

    assert await bench.once.answered(WRITE, NOW, full, bench.work) == {**DONE, "replayed": True}


async def test_what_cannot_be_recorded_is_not_sent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path)
    bench.store.database.write([("DROP TABLE writes", ())])
    with pytest.raises(Unrecorded) as caught:
        await bench.done()
    assert (caught.value.code, str(caught.value)) == (
        "unavailable",
        "the write cannot be recorded, so it is not sent; is the state folder writable, is there room?",
    )
    assert bench.sent == 0
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_one_that_was_cut_off_is_of_unknown_outcome_and_is_not_sent_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.open.clear()
    task = asyncio.create_task(bench.done())
    await settle()
    bench.begin()  # the process of the first one is gone
    with pytest.raises(OutcomeUnknown, match=r"^it was cut off half-way: whether it was done, only the provider knows$"):
        await bench.done()
    assert (bench.sent, bench.kept()) == (1, "unfinished")
    bench.open.set()
    await task


async def test_whoever_gives_up_does_not_stop_the_write(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.open.clear()
    task = asyncio.create_task(bench.done())
    await settle()
    task.cancel()
    await settle()
    bench.open.set()
    assert await bench.done() == {**DONE, "replayed": True}
    assert (bench.sent, bench.kept()) == (1, DONE)


async def test_the_end_waits_for_a_write_that_is_under_way(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.open.clear()
    task = asyncio.create_task(bench.done())
    await settle()
    end = asyncio.create_task(bench.once.finished(60))
    await settle()
    assert not end.done()
    bench.open.set()
    await end
    assert (await task, bench.kept()) == (DONE, DONE)


async def test_one_that_takes_longer_is_cut_off_and_stays_unfinished(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.open.clear()
    task = asyncio.create_task(bench.done())
    await settle()
    await bench.once.finished(0)
    await asyncio.wait([task])
    assert (task.cancelled(), bench.kept()) == (True, "unfinished")


async def test_an_answer_that_says_no_is_kept_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    no = {"id": "7", "status": "error", "error": {"code": "refused"}}

    async def work() -> dict[str, Any]:
        return no

    assert await bench.done(work=work) == no
    assert await bench.done() == {**no, "replayed": True}
    assert bench.sent == 0


async def test_what_was_not_foreseen_stays_unfinished(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def work() -> dict[str, Any]:
        raise Unauthenticated("no")  # which the desk makes an answer of

    with pytest.raises(SourceError):
        await bench.done(work=work)
    assert bench.kept() == "unfinished"
