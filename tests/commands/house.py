"""A house in Berlin with prices, a desk at which its devices ask for plans, and a diary of what is published when."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.commands.desk import Desk
from bridge.commands.planner import Planner
from bridge.commands.plans import Plans
from bridge.commands.settings import CommandsSettings
from bridge.feed.place import Place
from bridge.models.message import Arrival
from bridge.models.price import Curve
from bridge.models.site import Site
from bridge.redact import Redactor
from bridge.state.ledger import Ledger
from bridge.state.plans import KeptPlans
from bridge.topics import Topics
from tests.commands.held import Held
from tests.support import Diary, HandClock, curve, settle, store, utc

NOON = utc("2026-06-10T10:00")  # in Berlin
BERLIN = Site(id="id-1", title="Home", timezone="Europe/Berlin", currency="EUR", streams=("import",))
Json = dict[str, Any]


def at(text: str) -> datetime:
    """Return the instant of `HH:MM` UTC on that day, or of `dd HH:MM` in that month."""
    return utc(f"2026-06-{text.replace(' ', 'T')}") if " " in text else utc(f"2026-06-10T{text}")


class House:
    """One site, `home/house`; time stands in the hand."""

    def __init__(self, folder: Path, prices: Curve | None, moment: datetime = NOON) -> None:
        self.folder, self.clock = folder, HandClock(moment)
        self.sources = {"home": Held(sites={"id-1": BERLIN}, places={"id-1": Place("house", BERLIN)})}
        if prices is not None:
            self._set(prices)
        self.begin()

    def begin(self) -> None:
        """Begin as a new process does, on what the last one left in the folder."""
        self.shelf = Diary(self.clock)
        self.store = store(self.folder, self.clock.now())
        kept, topics = KeptPlans(self.store.database), Topics("kwh2mqtt")
        self.settled = False
        self.plans = Plans(
            topics, self.sources, kept, self.clock, lambda message: self.shelf.put([message]), lambda: self.settled
        )
        offers = {(offer.source, offer.name): offer for offer in Planner(self.sources, self.plans).offers()}
        limits, ledger = CommandsSettings(per_minute=1000), Ledger(self.store.database)
        self.desk = Desk(topics, offers, {}, limits, ledger, self.clock, Redactor(), lambda message: self.shelf.put([message]))

    def _set(self, prices: Curve) -> None:
        places = self.sources["home"].places
        places["id-1"] = replace(places["id-1"], curves={"import": prices})

    async def price(self, prices: Curve) -> None:
        """Let a poll bring prices."""
        self._set(prices)
        self.plans.look_again()
        await settle()

    async def ask(self, operation: str, client: str = "wallbox", **args: Any) -> Json:
        """Return the answer to a command of `client`."""
        count = len(self.answers)
        payload = json.dumps({"args": args}).encode()
        self.desk.arrived(Arrival(f"kwh2mqtt/command/{client}/bridge/{operation}", payload))
        await settle()
        (answer,) = self.answers[count:]
        return answer

    async def done(self, operation: str, client: str = "wallbox", **args: Any) -> Json:
        """Likewise, of one that is carried out."""
        answer = await self.ask(operation, client, **args)
        assert answer["status"] == "ok", answer
        data: Json = answer["data"]
        return data

    async def refused(self, operation: str, client: str = "wallbox", **args: Any) -> tuple[str, str]:
        """Return code and message of one that is not."""
        answer = await self.ask(operation, client, **args)
        return answer["error"]["code"], answer["error"]["message"]

    @property
    def answers(self) -> list[Json]:
        return [json.loads(message.payload) for _, message in self.shelf.entries if message.answer]

    @property
    def events(self) -> list[tuple[datetime, Json]]:
        told = [(when, message) for when, message in self.shelf.entries if message.topic == "kwh2mqtt/home/house/event"]
        assert not any(message.retain for _, message in told)
        return [(when, json.loads(message.payload)) for when, message in told]

    def switched(self, name: str = "car", client: str = "wallbox") -> list[tuple[str, str]]:
        """Return when `active` of a plan changed, and to what."""
        found: list[tuple[str, str]] = []
        for when, payload in self.shelf.payloads(f"kwh2mqtt/plan/{client}/{name}/active"):
            if not found or found[-1][1] != payload:
                found.append((f"{when:%H:%M:%S}", payload))
        return found

    def topic(self, topic: str) -> Any:
        """Return what stands on a topic below `kwh2mqtt`, None where nothing does."""
        found = {message.topic: message.payload.decode() for message in self.shelf.messages()}
        text = found.get(f"kwh2mqtt/{topic}")
        return json.loads(text) if text and text.startswith("{") else text

    def expiry(self, topic: str) -> datetime | None:
        (found,) = [message.expires_at for message in self.shelf.messages() if message.topic == f"kwh2mqtt/{topic}"]
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.plans.run())
        await settle()
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def hours(*values: float, start: datetime = NOON) -> Curve:
    """Return a price for each hour, in quarters."""
    return curve(start, [value for value in values for _ in range(4)])


def spans(plan: Json) -> list[tuple[str, str]]:
    """Return from when until when each segment of a payload is, UTC."""
    return [(one["start"][8:16].replace("T", " "), one["end"][8:16].replace("T", " ")) for one in plan["segments"]]
