"""A desk with all that it needs: commands go in as they would from the broker, and what it publishes is there to be looked at."""

import asyncio
import json
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from bridge.commands.authorise import Grants
from bridge.commands.desk import Desk
from bridge.commands.offer import Offer
from bridge.commands.settings import CommandsSettings
from bridge.models.message import Arrival, Message
from bridge.providers.base import Kind
from bridge.redact import Redactor
from bridge.state.ledger import Ledger
from bridge.topics import Topics
from tests.support import HandClock, settle, store, utc

NOW = utc("2026-06-10T10:05")
TOPICS = Topics("kwh2mqtt")
SECRET = "sk_live_that-nobody-may-see"
SWITCHES = {"wallbox": ("*", "home.switch"), "button": ("*", "home.switch")}
Json = dict[str, Any]


class Charge(BaseModel):
    """Arguments of an operation."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    device: str = "car"
    limit: int = 80


class Asked:
    """Stands for a provider: notes what it is asked, and brings its outcomes one after the other, the last for ever.

    While `open` is not set it thinks about it.
    """

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = outcomes or ({},)
        self.asked: list[Any] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, given: Any, moment: datetime) -> Any:
        self.asked.append(given)
        outcome = self.outcomes[min(len(self.asked), len(self.outcomes)) - 1]
        await self.open.wait()
        if isinstance(outcome, BaseException):
            raise copy(outcome)  # one that is raised again and again grows with every traceback
        return outcome


def query(run: Any, name: str = "ask", source: str = "home", *, remote: bool = True) -> Offer:
    return Offer(source, name, Kind.QUERY, "ask something", dict, run, remote=remote)


def write(run: Any, name: str = "switch", source: str = "home", read: Callable[[Mapping[str, Any]], Any] | None = None) -> Offer:
    return Offer(source, name, Kind.WRITE, "switch something", read or Charge.model_validate, run)


class Office:
    """A desk that offers `offers`, on a clock in the hand."""

    def __init__(self, folder: Path, *offers: Offer, grants: Grants = SWITCHES, **limits: int) -> None:
        self.folder, self.clock, self.limits = folder, HandClock(NOW), CommandsSettings(**limits)
        self.offers, self.grants = {(offer.source, offer.name): offer for offer in offers}, grants
        self.begin()

    def begin(self) -> None:
        """Begin as a new process does, on what the last one left in the folder."""
        self.published: list[Message] = []
        self.store = store(self.folder, self.clock.now())
        ledger, redact = Ledger(self.store.database), Redactor([SECRET])
        self.desk = Desk(TOPICS, self.offers, self.grants, self.limits, ledger, self.clock, redact, self.published.append)

    def post(self, errand: str, payload: object = b"", **about: Any) -> None:
        """Lay a command of `client/source/operation` on the desk; a payload that is no bytes is written as JSON."""
        text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.desk.arrived(Arrival(f"kwh2mqtt/command/{errand}", text, **about))

    async def send(self, errand: str, payload: object = b"", **about: Any) -> Json:
        """Do so, and return the one answer, which came on the client's usual topic."""
        message = await self.sent(errand, payload, **about)
        assert message.topic == f"kwh2mqtt/response/{errand}"
        return read(message)

    async def sent(self, errand: str, payload: object = b"", **about: Any) -> Message:
        """Likewise, and return the one message that is an answer."""
        count = len(self.answers())
        self.post(errand, payload, **about)
        await settle()
        (answer,) = self.answers()[count:]
        return answer

    def answers(self) -> list[Message]:
        assert not any(message.retain for message in self.published)
        return [message for message in self.published if message.answer]

    def audit(self) -> list[Json]:
        return [read(message) for message in self.published if message.topic == "kwh2mqtt/bridge/audit"]


def read(message: Message) -> Json:
    found: Json = json.loads(message.payload)
    return found


def ok(data: object, id_: str | None = None, operation: str = "home.ask", **more: Any) -> Json:
    """Return the answer of a command that was carried out."""
    return {"id": id_, "status": "ok", "operation": operation, "data": data, "duration_ms": 0, **more}


def failed(code: str, message: str, id_: str | None = None, operation: str = "home.ask", **more: Any) -> Json:
    """Return the answer of one that was not; `more` are `retry_after`, `reasons` and what stands beside the error."""
    about = {"retry_after": more.pop("retry_after", None), "reasons": more.pop("reasons", [])}
    error = {"code": code, "message": message, **about}
    return {"id": id_, "status": "error", "operation": operation, "error": error, "duration_ms": 0, **more}
