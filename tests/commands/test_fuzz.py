"""Whatever is sent: no exception escapes, every command is answered exactly once, nothing is published anywhere else."""

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bridge.commands import declared, documents
from bridge.commands.documents import Document
from bridge.commands.generic import Generic
from bridge.commands.offer import Offer
from bridge.models.message import Arrival, Message
from bridge.providers.base import Endpoint, Kind, Known, Page, Span
from bridge.providers.octopus.operations import OPERATIONS as OCTOPUS
from bridge.providers.tibber.operations import OPERATIONS as TIBBER
from bridge.topics import is_publishable
from bridge.transport.document import parsed
from bridge.transport.graphql import Result
from tests.commands.held import held, reading
from tests.commands.office import Office
from tests.commands.strange import Anything, Sent, commands
from tests.support import settle

MANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
ANSWER = {"id", "status", "operation", "data", "error", "duration_ms", "replayed"}
CODES = {"bad_request", "unknown_operation", "not_allowed", "expired", "retained", "rate_limited", "unauthenticated", "not_found",
         "refused", "unavailable", "timeout", "outcome_unknown", "internal"}  # fmt: skip
MINE = "query ($first: Int = 5, $site: ID!) { sites(first: $first, id: $site) { name } }"
MINE_TOO = "mutation ($title: String!, $share: Float!) { notify(title: $title, share: $share) { ok } }"


class Source:
    """Carries out anything, as `outcome` says; what it is sent is JSON."""

    def __init__(self) -> None:
        self.outcome: object = None
        self.writes = 0

    def _found(self) -> BaseModel:
        if isinstance(self.outcome, Exception):
            raise copy(self.outcome)
        assert isinstance(self.outcome, Anything)
        return self.outcome

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        return self._found()

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:
        self._found()
        return Page((reading("import", "1.5", "2026-06-10T09:00"),), "next")

    async def refresh(self) -> list[str]:
        self._found()
        return ["prices"]

    async def send(self, document: str, variables: dict[str, Any]) -> Result:
        json.dumps(variables, allow_nan=False)
        return Result({"found": self._found().model_dump()["data"]})

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (Endpoint("", self.send, {}, self.send),)


def offers(source: Source) -> Iterator[Offer]:
    own = {name: Document(name, text, "", parsed(text)) for name, text in {"mine": MINE, "mine_too": MINE_TOO}.items()}
    yield from Generic("home", held(), source, source.refresh).offers()
    yield from documents.offers("home", own, source)
    for name, operations in {"octopus": OCTOPUS, "tibber": TIBBER}.items():
        yield from declared.offers(name, operations, source, held())


class Fuzzed:
    """An office for a whole day of strange commands; each batch comes a little later than the one before."""

    def __init__(self, folder: Path) -> None:
        self.source = Source()
        every = list(offers(self.source))
        writes = tuple(offer.full_name for offer in every if offer.kind is Kind.WRITE)
        grants = {"wallbox": ("*", *writes), "button": ("home.*", writes[0]), "meter": ()}
        self.office = Office(folder, *every, grants=grants)
        self.escaped: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.escaped.append(context))

    async def take(self, batch: Sequence[Sent], seconds: int) -> None:
        """Send a batch at once, and judge what is published."""
        self.office.clock.set(self.office.clock.now() + timedelta(seconds=seconds))
        for sent in batch:
            self.source.outcome = sent.outcome
            self.office.desk.arrived(sent.arrival)
        for _ in range(100):
            await settle(5)
            if not self.office.desk._tasks:
                break
        published, self.office.published = list(self.office.published), []
        self.office.desk._publish = self.office.published.append
        judge([sent.arrival for sent in batch], published)
        assert self.escaped == []
        desk = self.office.desk
        assert (desk._tasks, desk._shared._under_way, desk._once._under_way, desk._seats._taken) == (set(), {}, {}, 0)


def wanted(arrival: Arrival) -> tuple[str, ...] | None:
    """Return the topics that the answer may go to, the best one first; None where none is due."""
    match arrival.topic.split("/"):
        case ["kwh2mqtt", "command", client, source, operation] if client and len(client.encode("utf-8", "replace")) <= 64:
            usual = f"kwh2mqtt/response/{client}/{source}/{operation}"
            own = (arrival.response_topic or "").startswith(f"kwh2mqtt/response/{client}/")
            chosen = (arrival.response_topic, usual) if arrival.response_topic and own else (usual,)
            return chosen if is_publishable(usual) else None
    return None


def judge(arrivals: Sequence[Arrival], published: Sequence[Message]) -> None:
    answers = [message for message in published if message.answer]
    assert not any(message.retain for message in published)
    assert all(message.topic == "kwh2mqtt/bridge/audit" for message in published if not message.answer)
    assert all(is_publishable(message.topic) for message in published)
    due = [arrival for arrival in arrivals if wanted(arrival) is not None]
    if not any(arrival.retained for arrival in due):  # one of these is answered once, and not when it comes again
        assert len(answers) == len(due)
    for message in answers:
        answer = json.loads(message.payload.decode(), parse_constant=refused)
        assert ANSWER > answer.keys() > {"id", "status", "operation", "duration_ms"}
        assert ("data" in answer) is (answer["status"] == "ok")
        assert answer["status"] == "ok" or answer["error"]["code"] in CODES
        mine = [arrival for arrival in due if message.topic in (wanted(arrival) or ()) and fits(arrival, message, answer)]
        assert mine, (message, arrivals)


def fits(arrival: Arrival, message: Message, answer: dict[str, Any]) -> bool:
    """Tell whether `message` can be the answer to `arrival`."""
    named = answer["operation"] == ".".join(arrival.topic.split("/")[3:])
    return named and (message.qos, message.correlation) == (arrival.qos, arrival.correlation)


def refused(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


IN_CI = 2
LONG = [  # one long run would grow ever slower
    pytest.param(10_000, number, marks=[pytest.mark.slow, *([pytest.mark.long] if number > IN_CI else [])])
    for number in range(1, 11)
]


@pytest.mark.parametrize(("examples", "number"), [(500, 0), *LONG])
def test_whatever_is_sent_is_answered_once_and_nothing_escapes(
    tmp_path: Path, examples: int, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # faults that nobody foresaw are logged, and kept here they would fill the memory
    with asyncio.Runner() as runner:
        fuzzed = runner.run(begun(tmp_path))

        @seed(number)
        @settings(MANY, max_examples=examples)
        @given(st.lists(commands(), min_size=1, max_size=3), st.sampled_from([0, 1, 20, 61]))
        def whatever(batch: list[Sent], seconds: int) -> None:
            runner.run(fuzzed.take(batch, seconds))

        whatever()
    desk = fuzzed.office.desk
    assert (len(desk._refused) <= 1000, len(desk._rate._taken) <= 10_000) == (True, True)


async def begun(folder: Path) -> Fuzzed:
    return Fuzzed(folder)
