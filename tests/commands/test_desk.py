"""The desk: each command gets one answer, on the client's own topic, whatever it asks for and whatever becomes of it."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    BudgetSpent,
    Denied,
    Incomplete,
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from tests.commands.office import SECRET, Asked, Office, failed, ok, query, read, write
from tests.support import settle

ASK = "wallbox/home/ask"
RETAINED = "a retained command is not carried out: send it without the retain flag, and clear it with an empty one"
FOREIGN = "the response topic must lie below kwh2mqtt/response/wallbox/"


# asked and answered


async def test_a_query_is_answered_on_the_client_s_own_topic(tmp_path: Path) -> None:
    asked = Asked({"n": 1})
    office = Office(tmp_path, query(asked))
    assert await office.send(ASK, {"id": "7", "args": {"a": [1]}}) == ok({"n": 1}, "7")
    assert asked.asked == [{"a": [1]}]


async def test_an_empty_payload_asks_without_arguments(tmp_path: Path) -> None:
    asked = Asked()
    assert await Office(tmp_path, query(asked)).send(ASK) == ok({})
    assert asked.asked == [{}]


async def test_what_is_known_already_is_answered_also_where_no_seat_is_free(tmp_path: Path) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked), query(Asked({"n": 1}), "sites", remote=False), concurrent=1)
    asked.open.clear()
    office.post(ASK)
    await settle()
    assert await office.send("wallbox/home/sites") == ok({"n": 1}, operation="home.sites")
    asked.open.set()


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_an_answer_has_the_command_s_own_qos_is_not_retained_and_lives_for_five_minutes(tmp_path: Path, qos: int) -> None:
    office = Office(tmp_path, query(Asked()))
    message = await office.sent(ASK, qos=qos)
    assert (message.qos, message.retain, message.expires_at) == (qos, False, office.clock.now() + timedelta(minutes=5))


async def test_with_a_response_topic_the_answer_goes_there_and_nowhere_else_with_the_correlation(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked()))
    own = "kwh2mqtt/response/wallbox/inbox"
    message = await office.sent(ASK, response_topic=own, correlation=b"\x00c")
    assert (message.topic, message.correlation, read(message)) == (own, b"\x00c", ok({}))


async def test_a_correlation_comes_back_also_without_a_response_topic(tmp_path: Path) -> None:
    message = await Office(tmp_path, query(Asked())).sent(ASK, correlation=b"c")
    assert (message.topic, message.correlation) == (f"kwh2mqtt/response/{ASK}", b"c")


@pytest.mark.parametrize(
    "topic",
    ["", "kwh2mqtt/response/wallbox2", "kwh2mqtt/response/wallbox/../button/x", "kwh2mqtt/response/wallbox/#", "x", SECRET],
)
async def test_a_response_topic_that_is_not_its_own_is_refused_on_the_usual_one_and_nobody_is_asked(
    tmp_path: Path, topic: str
) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked), write(asked))
    message = await office.sent(ASK, {"id": "7"}, response_topic=topic, correlation=b"c")
    assert (message.topic, message.correlation) == (f"kwh2mqtt/response/{ASK}", b"c")
    assert read(message) == failed("bad_request", FOREIGN, "7")
    switch = await office.sent("wallbox/home/switch", {"id": "7"}, response_topic=topic)
    assert read(switch) == failed("bad_request", FOREIGN, "7", "home.switch")
    assert (len(office.published), asked.asked) == (3, [])  # two answers and the line in the audit


async def test_two_clients_with_one_question_hear_each_its_own_answer(tmp_path: Path) -> None:
    asked = Asked({"n": 1})
    office = Office(tmp_path, query(asked))
    asked.open.clear()
    office.post(ASK, {"id": "7"})
    office.post("button/home/ask", {"id": "8"}, correlation=b"8")
    await settle()
    asked.open.set()
    await settle()
    assert [(message.topic, message.correlation, read(message)) for message in office.answers()] == [
        (f"kwh2mqtt/response/{ASK}", None, ok({"n": 1}, "7")),
        ("kwh2mqtt/response/button/home/ask", b"8", ok({"n": 1}, "8")),
    ]


async def test_an_answer_tells_how_long_it_took(tmp_path: Path) -> None:
    asked = Asked()
    office = Office(tmp_path, query(asked))
    asked.open.clear()
    office.post(ASK)
    await settle()
    office.clock.set(office.clock.now() + timedelta(milliseconds=84))
    asked.open.set()
    await settle()
    assert [read(message)["duration_ms"] for message in office.answers()] == [84]


# what the provider says


@pytest.mark.parametrize(
    ("error", "code", "more"),
    [
        (Unauthenticated("no"), "unauthenticated", {}),
        (Denied("no"), "not_allowed", {}),
        (NotFound("no"), "not_found", {}),
        (Refused("no", reasons=("BC_LOW",)), "refused", {"reasons": ["BC_LOW"]}),
        (Unreachable("no"), "unavailable", {}),
        (TimedOut("no"), "timeout", {}),
        (Malformed("no"), "unavailable", {}),
        (Incomplete("no"), "unavailable", {}),
        (RateLimited("no", retry_after=timedelta(minutes=10)), "rate_limited", {"retry_after": 600}),
        (BudgetSpent("no", retry_after=timedelta(seconds=1.5)), "rate_limited", {"retry_after": 2}),
    ],
)
async def test_what_went_wrong_with_a_provider_has_a_code(tmp_path: Path, error: SourceError, code: str, more: Any) -> None:
    assert await Office(tmp_path, query(Asked(error))).send(ASK, {"id": "7"}) == failed(code, "no", "7", **more)


@pytest.mark.parametrize("name", ["ask", "switch"])
async def test_a_fault_that_nobody_foresaw_is_internal_without_details(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    error = ZeroDivisionError(f"with {SECRET} in it")
    office = Office(tmp_path, query(Asked(error)), write(Asked(error)))
    text = "ZeroDivisionError; the log of the bridge has the details"
    assert await office.send(f"wallbox/home/{name}", {"id": "7"}) == failed("internal", text, "7", f"home.{name}")
    faults = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert faults == [f"home.{name}: an unforeseen fault"]


async def test_a_provider_that_is_cancelled_by_somebody_else_is_answered_for(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked(asyncio.CancelledError())))
    assert (await office.send(ASK))["error"]["code"] == "unavailable"


async def test_no_secret_is_in_an_answer_whoever_wrote_the_text(tmp_path: Path) -> None:
    error = Refused(f"the key {SECRET} is not taken", reasons=(f"key={SECRET}", "BC_LOW"))
    office = Office(tmp_path, query(Asked(error)), write(Asked(error)))
    reasons = ["key=***", "BC_LOW"]
    assert await office.send(ASK) == failed("refused", "the key *** is not taken", reasons=reasons)
    assert await office.send(ASK, {SECRET: 1}) == failed("bad_request", "***: is not a known key")
    for more in ({}, {"replayed": True}):
        found = await office.send("wallbox/home/switch", {"id": "7"})
        assert found == failed("refused", "the key *** is not taken", "7", "home.switch", reasons=reasons, **more)
    assert not any(SECRET.encode() in message.payload for message in office.published)


async def test_a_message_has_500_characters_at_the_most(tmp_path: Path) -> None:
    office = Office(tmp_path, query(Asked(Refused("x" * 10_000, reasons=("y" * 10_000,)))))
    assert await office.send(ASK) == failed("refused", "x" * 500, reasons=["y" * 500])


@pytest.mark.parametrize("name", ["ask", "switch"])
async def test_what_json_cannot_hold_keeps_no_answer_back(tmp_path: Path, name: str) -> None:
    found: Any = Asked({"infinite": float("inf"), "half": "\ud800", "nested": [float("nan")]})
    office = Office(tmp_path, query(found), write(found))
    data = {"infinite": None, "half": "?", "nested": [None]}
    assert (await office.send(f"wallbox/home/{name}", {"id": "7"}))["data"] == data
