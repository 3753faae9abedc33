"""Writes: each needs an id, and is sent at most once; what became of it is told, and told again to whoever asks again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError, BudgetSpent, Malformed, OutcomeUnknown, RateLimited, Refused, TimedOut, Unreachable
from tests.commands.haste import Haste
from tests.commands.office import NOW, Asked, Json, Office, failed, ok, query, read, write
from tests.support import settle

SWITCH = "wallbox/home/switch"
BODY = {"id": "7", "args": {"device": "car"}}
USED = "id: 7 was used in the last 24 hours for something else; go on counting, or take a random one"


def done(data: object = None, **more: Any) -> Json:
    return ok(data or {}, "7", "home.switch", **more)


def undone(code: str, text: str, **more: Any) -> Json:
    return failed(code, text, "7", "home.switch", **more)


async def test_a_write_without_an_id_is_refused(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    text = "id: is missing; a write needs one, so that it is done once however often it is sent"
    assert await office.send(SWITCH, {"args": {}}) == failed("bad_request", text, None, "home.switch")
    assert asked.asked == []


async def test_the_same_write_again_brings_the_kept_answer_across_restarts_for_a_day(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked({"n": 1}, {"n": 2})))
    assert await office.send(SWITCH, BODY) == done({"n": 1})
    assert await office.send(SWITCH, BODY) == done({"n": 1}, replayed=True)
    office.begin()
    assert await office.send(SWITCH, BODY) == done({"n": 1}, replayed=True)
    office.clock.set(NOW + timedelta(hours=23, minutes=59))
    assert await office.send(SWITCH, BODY) == done({"n": 1}, replayed=True)
    office.clock.set(NOW + timedelta(hours=24))
    assert await office.send(SWITCH, BODY) == done({"n": 2})
    assert len(asked.asked) == 2


async def test_a_replay_goes_to_where_it_is_asked_for_with_its_own_correlation(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked()))
    await office.sent(SWITCH, BODY, correlation=b"1")
    again = await office.sent(SWITCH, BODY, correlation=b"2", response_topic="kwh2mqtt/response/wallbox/inbox", qos=0)
    assert (again.topic, again.correlation, again.qos, read(again)) == (
        "kwh2mqtt/response/wallbox/inbox",
        b"2",
        0,
        done(replayed=True),
    )


@pytest.mark.parametrize(
    ("again", "code"),
    [
        ({"id": "7", "args": {"device": "car", "limit": 81}}, "bad_request"),
        ({"id": "7", "args": {"device": "van"}}, "bad_request"),
        ({"id": "7"}, None),  # what is left out is what it would have been
        ({"args": {"device": "car"}, "id": "7", "expires_at": "2026-06-10T11:00:00Z"}, None),
        ({"id": "7", "args": {"device": "car"}, "dry_run": False}, None),
    ],
)
async def test_the_same_id_is_for_the_same_operation_and_arguments(tmp_path: Path, again: Json, code: str | None) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    await office.send(SWITCH, BODY)
    assert await office.send(SWITCH, again) == (undone(code, USED) if code else done(replayed=True))
    assert len(asked.asked) == 1


async def test_the_same_id_for_another_operation_or_source_is_a_bad_request(tmp_path: Path) -> None:
    asked = Asked()
    grants = {"wallbox": ("home.switch", "home.other", "octopus.switch")}
    office = Office(tmp_path, write(asked), write(asked, "other"), write(asked, source="octopus"), grants=grants)
    await office.send(SWITCH, BODY)
    assert await office.send("wallbox/home/other", BODY) == failed("bad_request", USED, "7", "home.other")
    assert await office.send("wallbox/octopus/switch", BODY) == failed("bad_request", USED, "7", "octopus.switch")
    assert len(asked.asked) == 1


async def test_the_order_of_the_arguments_is_no_other_content(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked()))
    await office.send(SWITCH, b'{"id": "7", "args": {"device": "car", "limit": 5}}')
    assert await office.send(SWITCH, b'{"args": {"limit": 5, "device": "car"}, "id": "7"}') == done(replayed=True)


async def test_another_client_s_same_id_is_another_write(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked({"n": 1}, {"n": 2})))
    assert await office.send(SWITCH, BODY) == done({"n": 1})
    assert await office.send("button/home/switch", BODY) == done({"n": 2})


async def test_an_id_is_only_for_writes(tmp_path: Path) -> None:
    office = Office(tmp_path, query(asked := Asked()), write(asked))
    for _ in range(2):
        assert await office.send("wallbox/home/ask", BODY) == ok({}, "7")
    assert await office.send(SWITCH, BODY) == done()
    assert len(asked.asked) == 3


async def test_a_duplicate_delivery_while_it_is_under_way_is_answered_and_not_sent(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    asked.open.clear()
    for _ in range(5):
        office.post(SWITCH, BODY)
    await settle()
    assert office.answers() == []
    asked.open.set()
    await settle()
    assert [read(message) for message in office.answers()] == [done(), *[done(replayed=True)] * 4]
    assert len(asked.asked) == 1


async def test_a_grant_that_was_taken_back_holds_for_what_was_done_too(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked()))
    await office.send(SWITCH, BODY)
    office.grants = {}
    office.begin()
    assert (await office.send(SWITCH, BODY))["error"]["code"] == "not_allowed"


# what was not sent, and of what nobody knows


@pytest.mark.parametrize(
    "error", [BudgetSpent("no", retry_after=timedelta(seconds=9)), RateLimited("no"), Unreachable("no"), TimedOut("no")]
)
async def test_what_was_certainly_not_sent_leaves_the_id_free(tmp_path: Path, error: BridgeError) -> None:
    office = Office(tmp_path, write(asked := Asked(error, {"n": 2})))
    assert (await office.send(SWITCH, BODY))["error"]["code"] == error.code
    assert await office.send(SWITCH, BODY) == done({"n": 2})
    assert len(asked.asked) == 2


async def test_of_those_that_come_at_one_moment_the_ones_without_a_seat_leave_their_id_free(tmp_path: Path) -> None:
    office = Office(tmp_path, write(asked := Asked()), concurrent=2)
    asked.open.clear()
    for number in range(5):
        office.post(SWITCH, {"id": str(number)})
    await settle()
    text = "2 commands are being carried out already"
    full = [failed("rate_limited", text, str(number), "home.switch", retry_after=1) for number in (2, 3, 4)]
    assert [read(message) for message in office.answers()] == full
    asked.open.set()
    await settle()
    assert await office.send(SWITCH, {"id": "4"}) == ok({}, "4", "home.switch")
    assert len(asked.asked) == 3


@pytest.mark.parametrize("error", [Refused("no"), OutcomeUnknown("who knows"), ZeroDivisionError()])
async def test_whatever_else_was_answered_is_kept(tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    office = Office(tmp_path, write(asked := Asked(error)))
    first = await office.send(SWITCH, BODY)
    assert await office.send(SWITCH, BODY) == {**first, "replayed": True}
    assert len(asked.asked) == 1
    caplog.clear()


async def test_an_answer_that_nobody_can_read_may_have_come_after_it_was_done(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked(Malformed("the provider confirmed nothing"))))
    text = "the provider confirmed nothing; it may have been done all the same, so look before asking again"
    assert await office.send(SWITCH, BODY) == undone("outcome_unknown", text)


async def test_a_provider_that_thinks_for_30_seconds_leaves_the_outcome_unknown(tmp_path: Path, haste: Haste) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    asked.open.clear()
    office.post(SWITCH, BODY)
    await settle()
    haste.passes(31)
    await settle()
    unknown = undone("outcome_unknown", "the provider did not answer in 30 s: whether it was done, only it knows")
    assert [read(message) for message in office.answers()] == [unknown]
    assert await office.send(SWITCH, BODY) == {**unknown, "replayed": True}
    assert len(asked.asked) == 1


async def test_what_cannot_be_recorded_is_not_sent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    office = Office(tmp_path, write(asked := Asked()))
    office.store.database.write([("DROP TABLE writes", ())])
    text = "the write cannot be recorded, so it is not sent; is the state folder writable, is there room?"
    assert await office.send(SWITCH, BODY) == undone("unavailable", text)
    assert asked.asked == []
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
