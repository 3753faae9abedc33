"""Limits: what is over one is refused at once and told when to come again; equal questions are one request."""

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.commands.offer import Offer
from tests.commands.office import NOW, Asked, Office, failed, ok, query, read, write
from tests.support import settle

ASK, SWITCH = "wallbox/home/ask", "wallbox/home/switch"
MANY, MANY_WRITES = "too many commands from this client", "too many writes from this client"
SECOND = timedelta(seconds=1)


def known(asked: Asked) -> Offer:
    return query(asked, remote=False)


async def test_30_commands_a_minute_are_answered_and_the_next_is_told_when(tmp_path: Path) -> None:
    office = Office(tmp_path, known(Asked()))
    for second in range(30):
        office.clock.set(NOW + second * SECOND)
        assert await office.send(ASK) == ok({})
    assert await office.send(ASK, {"id": "7"}) == failed("rate_limited", MANY, "7", retry_after=31)
    office.clock.set(NOW + 60 * SECOND)
    assert await office.send(ASK) == ok({})


async def test_each_client_has_limits_of_its_own(tmp_path: Path) -> None:
    office = Office(tmp_path, known(Asked()), per_minute=1)
    assert [await office.send(f"{client}/home/ask") for client in ("a", "b")] == [ok({}), ok({})]
    assert await office.send("a/home/ask") == failed("rate_limited", MANY, retry_after=60)


@pytest.mark.parametrize("payload", [b"{", b'{"x": 1}'])
async def test_what_cannot_be_read_counts_too(tmp_path: Path, payload: bytes) -> None:
    office = Office(tmp_path, known(Asked()), per_minute=1)
    assert (await office.send("wallbox/no/body", payload))["error"]["code"] == "bad_request"
    assert await office.send(ASK) == failed("rate_limited", MANY, retry_after=60)


async def test_10_writes_a_minute_are_sent_and_queries_go_on(tmp_path: Path) -> None:
    office = Office(tmp_path, known(Asked()), write(asked := Asked()))
    for number in range(10):
        assert await office.send(SWITCH, {"id": f"{number}"}) == ok({}, f"{number}", "home.switch")
    assert await office.send(SWITCH, {"id": "10"}) == failed("rate_limited", MANY_WRITES, "10", "home.switch", retry_after=60)
    assert await office.send(SWITCH, {"id": "9"}) == ok({}, "9", "home.switch", replayed=True)  # which sends nothing
    assert await office.send("button/home/switch", {"id": "1"}) == ok({}, "1", "home.switch")
    assert await office.send(ASK) == ok({})
    office.clock.set(NOW + 60 * SECOND)
    assert await office.send(SWITCH, {"id": "10"}) == ok({}, "10", "home.switch")
    assert len(asked.asked) == 12


async def test_writes_that_are_refused_use_up_no_limit_of_writes(tmp_path: Path) -> None:
    office = Office(tmp_path, write(Asked()), writes_per_minute=1)
    await office.send(SWITCH, {"args": {"limits": 1}, "id": "1"})
    await office.send(SWITCH, {"args": {}})
    assert await office.send(SWITCH, {"id": "7"}) == ok({}, "7", "home.switch")


async def test_16_at_once_are_asked_and_the_17th_is_refused_at_once(tmp_path: Path) -> None:
    office = Office(tmp_path, query(asked := Asked()), write(switched := Asked()))
    asked.open.clear()
    switched.open.clear()
    for number in range(8):
        office.post(ASK, {"args": {"n": number}})
        office.post(SWITCH, {"id": f"{number}"})
    await settle()
    assert len(office.desk._tasks) == 16  # the loop alone holds no task fast
    text = "16 commands are being carried out already"
    assert await office.send(ASK) == failed("rate_limited", text, retry_after=1)
    assert await office.send(SWITCH, {"id": "8"}) == failed("rate_limited", text, "8", "home.switch", retry_after=1)
    office.post("button/home/ask", {"args": {"n": 0}})  # whoever joins a question needs no room
    asked.open.set()
    switched.open.set()
    await settle()
    assert [read(message)["status"] for message in office.answers()] == ["error"] * 2 + ["ok"] * 17
    assert await office.send(ASK) == ok({})


async def test_equal_questions_of_all_clients_are_one_request(tmp_path: Path) -> None:
    office = Office(tmp_path, query(asked := Asked({"n": 1})), concurrent=1)
    asked.open.clear()
    for number in range(40):
        office.post(
            f"client-{number}/home/ask", {"id": f"{number}", "args": {"a": 1, "b": 2} if number % 2 else {"b": 2, "a": 1}}
        )
    await settle()
    asked.open.set()
    await settle()
    assert [read(message) for message in office.answers()] == [ok({"n": 1}, f"{number}") for number in range(40)]
    assert len(asked.asked) == 1


async def test_other_arguments_operations_and_sources_are_other_questions(tmp_path: Path) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked), query(asked, "other"), query(asked, source="octopus"))
    asked.open.clear()
    for errand in (ASK, "wallbox/home/other", "wallbox/octopus/ask"):
        for n in (1, "1"):
            office.post(errand, {"args": {"n": n}})
    await settle()
    asked.open.set()
    await settle()
    assert (len(asked.asked), len(office.answers())) == (6, 6)


async def test_a_flood_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    office = Office(tmp_path, query(asked := Asked()), write(asked))
    for number in range(2000):
        office.post((ASK, SWITCH)[number % 2], {"id": f"{number}"})
    await settle()
    codes = [read(message).get("error", {}).get("code") for message in office.answers()]
    assert (codes.count(None), codes.count("rate_limited"), len(codes)) == (25, 1975, 2000)
    assert len(asked.asked) == 1 + 10
    assert (office.desk._tasks, office.desk._shared._under_way, office.desk._once._under_way) == (set(), {}, {})
