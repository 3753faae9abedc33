"""The end of a process, and the next one: a write that was under way is waited for, or answered for, and never sent again."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.commands.haste import Haste
from tests.commands.office import NOW, Asked, Json, Office, failed, ok, query, read, write
from tests.support import settle, utc

SWITCH = "wallbox/home/switch"
BODY = {"id": "7", "args": {"device": "car"}}
CUT_OFF = "the bridge was cut off half-way: whether it was done, only the provider knows"


def done(data: object = None, **more: Any) -> Json:
    return ok(data or {}, "7", "home.switch", **more)


def undone(code: str, text: str, **more: Any) -> Json:
    return failed(code, text, "7", "home.switch", **more)


async def cut_off(office: Office, asked: Asked, **about: Any) -> None:
    """Begin a write, and let another process take over before the provider has answered."""
    asked.open.clear()
    office.post(SWITCH, BODY, **about)
    await settle()
    office.begin()


async def test_one_that_was_cut_off_is_answered_when_the_next_process_starts(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    own = "kwh2mqtt/response/wallbox/inbox"
    await cut_off(office, asked, response_topic=own, correlation=b"c", qos=0)
    running = asyncio.create_task(office.desk.run())
    await settle()
    (message,) = office.answers()
    assert (message.topic, message.correlation, message.qos) == (own, b"c", 0)
    assert read(message) == undone("outcome_unknown", CUT_OFF)
    assert await office.send(SWITCH, BODY) == undone("outcome_unknown", CUT_OFF, replayed=True)
    assert len(asked.asked) == 1
    running.cancel()
    await asyncio.wait([running])


async def test_it_is_answered_by_one_start_only_and_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    await cut_off(office, asked)
    begun = office.clock.now()
    office.clock.set(begun + timedelta(minutes=5))
    office.desk._settle(office.clock.now())
    assert office.audit() == [
        {
            "at": "2026-06-10T10:05:00Z",
            "client": "wallbox",
            "operation": "home.switch",
            "id": "7",
            "outcome": "outcome_unknown",
            "replayed": False,
            "duration_ms": 0,
        }
    ]
    office.begin()
    office.desk._settle(office.clock.now())
    assert office.published == []
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["write home.switch of 'wallbox', id '7', was cut off: look whether it was done"]


async def test_asked_again_before_the_start_has_settled_it_is_unknown_too(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    await cut_off(office, asked)
    text = "it was cut off half-way: whether it was done, only the provider knows"
    assert await office.send(SWITCH, BODY) == undone("outcome_unknown", text)
    assert len(asked.asked) == 1


async def test_what_cannot_be_read_of_one_keeps_the_bridge_from_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    await cut_off(office, asked)
    office.store.database.write([("UPDATE writes SET reply = '[]'", ())])
    office.desk._settle(office.clock.now())
    assert office.published == []
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["what the state file holds of write '7' of 'wallbox' cannot be read"]


async def test_when_the_bridge_stops_a_write_is_waited_for_and_all_others_are_told(tmp_path: Path) -> None:
    office = Office(tmp_path, write(switched := Asked({"n": 1})), query(asked := Asked()))
    switched.open.clear()
    asked.open.clear()
    running = asyncio.create_task(office.desk.run())
    office.post(SWITCH, BODY)
    office.post("wallbox/home/ask", {"id": "8"})
    await settle()
    running.cancel()
    await settle()
    late = "the bridge stops: ask again when it is back"
    assert await office.send(SWITCH, {"id": "9"}) == failed("unavailable", late, "9", "home.switch")
    switched.open.set()
    await asyncio.wait([running])
    assert [read(message) for message in office.answers()[1:]] == [done({"n": 1}), failed("unavailable", late, "8")]
    assert await office.send("wallbox/home/ask") == failed("unavailable", late)
    assert (len(switched.asked), len(asked.asked)) == (1, 1)
    assert (office.desk._tasks, office.desk._shared._under_way) == (set(), {})  # nobody is asked any more


async def test_a_write_that_outlasts_the_end_is_answered_by_the_next_process(tmp_path: Path, haste: Haste) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    asked.open.clear()
    running = asyncio.create_task(office.desk.run())
    office.post(SWITCH, BODY)
    await settle()
    running.cancel()
    await settle()
    haste.passes(6)
    await asyncio.wait([running])
    assert office.answers() == []
    office.begin()
    office.desk._settle(office.clock.now())
    assert [read(message) for message in office.answers()] == [undone("outcome_unknown", CUT_OFF)]
    assert len(asked.asked) == 1


# a clock that has yet to be set, as a Pi's at its start


async def test_until_the_clock_is_set_nothing_is_carried_out_or_settled(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()), query(asked))
    await cut_off(office, asked)
    office.clock.set(utc("1970-01-01T00:01"))
    running = asyncio.create_task(office.desk.run())
    for errand in (SWITCH, "wallbox/home/ask"):
        assert (await office.send(errand, {"id": "8"}))["error"]["code"] == "unavailable"
    office.clock.set(NOW)
    await office.clock.go_to(NOW + timedelta(seconds=1))
    assert [read(message) for message in office.answers()[2:]] == [undone("outcome_unknown", CUT_OFF)]
    running.cancel()
    await asyncio.wait([running])


async def test_a_write_that_came_as_soon_as_it_was_set_is_not_taken_for_one_of_an_earlier_process(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    office.clock.set(utc("1970-01-01T00:01"))
    running = asyncio.create_task(office.desk.run())
    await settle()
    office.clock.set(NOW)
    asked.open.clear()
    office.post(SWITCH, BODY)
    await settle()
    await office.clock.go_to(NOW + timedelta(seconds=1))
    asked.open.set()
    await settle()
    assert [outcome["status"] for outcome in map(read, office.answers())] == ["ok"]
    running.cancel()
    await asyncio.wait([running])
