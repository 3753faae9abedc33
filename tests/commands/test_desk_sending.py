"""What certainly never left is told as it was and frees its id; what left late, or may have left, is told so too."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bridge.errors import BudgetSpent, NotFound, OutcomeUnknown, Unauthenticated
from bridge.redact import Redactor
from bridge.state.budget import KEPT_BACK, Budget, BudgetSettings
from bridge.transport.http import Http
from tests.commands.office import NOW, Asked, Json, Office, failed, ok, query, write
from tests.support import HandClock, settle, store, utc

SWITCH = "wallbox/home/switch"
URL = "https://example.com/graphql"


class Provider:
    """Signs in by a read and switches by a write, over a wire that answers as it is told."""

    def __init__(self, clock: HandClock, *sign_ins: int, switched: int = 200, thinks: timedelta = timedelta()) -> None:
        self.clock, self.sign_ins, self.thinks = clock, list(sign_ins), thinks
        self.sent: list[str] = []
        self._statuses = {"POST": switched}
        transport = httpx2.MockTransport(self._answer)
        self.http = Http(Uncounted(), clock, Redactor(), chance=random.Random(1), transport=transport)

    async def switch(self, _: Any, __: datetime) -> Json:
        signed = await self.http.read("GET", URL, headers={})
        self.clock.set(self.clock.now() + self.thinks)
        if signed.status != 200:
            raise Unauthenticated("the key is not taken")
        answer = await self.http.write("POST", URL, headers={}, body={})
        if answer.status == 404:
            raise NotFound("there is no such device")
        return {}

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request.method)
        status = self.sign_ins.pop(0) if request.method == "GET" and self.sign_ins else self._statuses.get(request.method, 200)
        return httpx2.Response(status, json={})


class Uncounted:
    def spend(self, moment: datetime) -> None:
        pass

    def pause(self, until: datetime) -> None:
        pass


def office(folder: Path, *sign_ins: int, **given: Any) -> tuple[Office, Provider]:
    made = Office(folder)
    provider = Provider(made.clock, *sign_ins, **given)
    offer = write(provider.switch)
    made.offers[offer.source, offer.name] = offer
    return made, provider


async def test_a_sign_in_that_failed_before_the_write_frees_the_id(tmp_path: Path) -> None:
    made, provider = office(tmp_path, 401, 200)
    assert await made.send(SWITCH, {"id": "7"}) == failed("unauthenticated", "the key is not taken", "7", "home.switch")
    assert await made.send(SWITCH, {"id": "7"}) == ok({}, "7", "home.switch")
    assert provider.sent == ["GET", "GET", "POST"]


async def test_what_the_provider_said_to_the_write_itself_is_kept(tmp_path: Path) -> None:
    made, provider = office(tmp_path, switched=404)
    first = await made.send(SWITCH, {"id": "7"})
    assert first == failed("not_found", "there is no such device", "7", "home.switch")
    assert await made.send(SWITCH, {"id": "7"}) == {**first, "replayed": True}
    assert provider.sent == ["GET", "POST"]


async def test_a_write_that_expires_while_the_sign_in_lasts_is_not_sent(tmp_path: Path) -> None:
    made, provider = office(tmp_path, thinks=timedelta(seconds=3))
    body = {"id": "7", "expires_at": (NOW + timedelta(seconds=1)).isoformat()}
    given = await made.send(SWITCH, body)
    assert given["error"] == failed("expired", "it expired before it could be sent")["error"]
    assert provider.sent == ["GET"]


async def test_a_retained_command_that_is_sent_again_is_refused_again(tmp_path: Path) -> None:
    made = Office(tmp_path, query(asked := Asked()))
    codes = [
        (await made.send("wallbox/home/ask", b"{}", retained=True, correlation=mark))["error"]["code"] for mark in (b"1", b"2")
    ]
    assert (codes, asked.asked) == (["retained", "retained"], [])
    made.post("wallbox/home/ask", b"{}", retained=True, correlation=b"1")  # the broker gives it out with each connect
    await settle()
    assert len(made.answers()) == 2


@pytest.mark.parametrize(
    ("payload", "about", "outcome"),
    [
        ({"id": "7", "argz": {}}, {}, "bad_request"),
        ({"id": "7", "expires_at": "2020-01-01T00:00:00Z"}, {}, "expired"),
        ({"id": "7"}, {"retained": True}, "retained"),
        ({"id": "7"}, {"response_topic": "elsewhere"}, "bad_request"),
    ],
)
async def test_a_write_that_was_never_read_through_is_in_the_audit_too(
    tmp_path: Path, payload: Json, about: Json, outcome: str
) -> None:
    made = Office(tmp_path, write(Asked()))
    await made.send(SWITCH, payload, **about)
    assert [(line["client"], line["operation"], line["id"], line["outcome"]) for line in made.audit()] == [
        ("wallbox", "home.switch", "7", outcome)
    ]


async def test_what_was_cut_off_is_not_settled_by_a_clock_that_is_not_set(tmp_path: Path) -> None:
    import asyncio

    made = Office(tmp_path, write(asked := Asked()))
    asked.open.clear()
    made.post(SWITCH, {"id": "7"})
    await settle()
    made.clock.set(utc("1970-01-01T00:00:10"))
    made.begin()
    running = asyncio.create_task(made.desk.run())
    await settle()
    assert made.answers() == []
    made.clock.set(NOW + timedelta(minutes=1))  # the network has told the time
    await made.clock.go_to(NOW + timedelta(minutes=1))
    (message,) = made.answers()
    assert b"outcome_unknown" in message.payload
    assert message.expires_at is not None
    assert message.expires_at > NOW
    assert (await made.send(SWITCH, {"id": "7"}))["error"]["code"] == "outcome_unknown"
    assert len(asked.asked) == 1
    running.cancel()
    await asyncio.wait([running])


async def test_commands_leave_a_quarter_of_the_budget_to_the_polls(tmp_path: Path) -> None:
    budget = Budget("home", BudgetSettings(requests=8, seconds=300), store(tmp_path / "budget", NOW).database)

    async def ask(_: Any, moment: datetime) -> Json:
        budget.spend(moment)
        return {}

    made = Office(tmp_path, query(ask))
    codes = []
    for number in range(7):
        given = await made.send("wallbox/home/ask", {"args": {"n": number}})
        codes.append(given["status"] if given["status"] == "ok" else given["error"]["code"])
    assert codes == ["ok"] * 6 + ["rate_limited"]
    assert KEPT_BACK.get() == 0
    budget.spend(NOW)
    budget.spend(NOW)
    with pytest.raises(BudgetSpent):
        budget.spend(NOW)


async def test_an_outcome_that_nobody_knows_is_kept(tmp_path: Path) -> None:
    made = Office(tmp_path, write(asked := Asked(OutcomeUnknown("gone"))))
    assert (await made.send(SWITCH, {"id": "7"}))["error"]["code"] == "outcome_unknown"
    assert (await made.send(SWITCH, {"id": "7"}))["replayed"]
    assert len(asked.asked) == 1
