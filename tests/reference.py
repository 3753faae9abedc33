"""What the demo publishes and answers within a day, whole: what the schema is held against, and where its examples come from.

`make reference` runs this and writes bridge/schema/examples.json; the demo makes up the same for ever, and what would differ from
run to run is settled here. Another provider needs a line in ASKED for each operation that cannot do without arguments.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bridge.app import App, built
from bridge.commands.settings import CommandsSettings
from bridge.demo import _settings
from bridge.models.message import Arrival, Message
from bridge.redact import Redactor
from bridge.schema.asyncapi import document
from bridge.schema.operations import OWN, Asked, operations
from bridge.schema.shapes import Schema
from bridge.simulator.stage import served
from bridge.topics import Errand
from bridge.transport.settings import MqttSettings
from tests.support import HandClock, utc

MOMENT = utc("2026-11-20T12:00:06")  # tomorrow's prices have just come
EXAMPLES = Path(__file__).resolve().parents[1] / "bridge" / "schema" / "examples.json"
DAY = timedelta(days=1)
PATIENCE_S = 20.0
SITE = {"source": "tibber", "site": "cabin"}
CAR = {"device_id": "00000000-0001-4000-8000-0000000c0a01"}
METERS = {"type": "Industry.Energy/EnergyMeter"}
METER = {**METERS, "rt_id": "65b100000000000000000001"}
PARENT = {"association": "parent", "targets": [{"rt_id": "65a100000000000000000001", "type": "Basic/TreeNode"}]}
ASKED: Mapping[str, Mapping[str, Any]] = {  # arguments, of an operation that needs some or tells more with them
    "source.prices": {"stream": "import", "from": "2026-11-20T12:00:00Z", "to": "2026-11-20T13:00:00Z"},
    "source.readings": {"meter": "import", "quantity": "energy"},
    "bridge.cheapest": {**SITE, "duration": "PT3H", "min_segment": "PT1H", "deadline": "07:00", "power_kw": 11},
    "bridge.plan": {**SITE, "name": "car", "duration": "PT1H", "deadline": "18:00", "power_kw": 11},
    "bridge.plan_cancel": {"name": "car"},
    "ampere.devices": {"facility": "f-1"},
    "ampere.reading_types": {"facility": "f-1"},
    "ampere.analysis": {"facility": "f-1"},
    "octomesh.entities": {**METERS, "filter": {"power": {"gt": 20}}, "order": {"name": "asc"}},
    "octomesh.entity": METER,
    "octomesh.history": {**METER, "from": "2026-11-20T11:00:00Z", "to": "2026-11-20T12:00:00Z"},
    "octomesh.entity_create": {**METERS, "well_known_name": "new-meter-001", "attributes": {"name": "New meter"}},
    "octomesh.entity_update": {**METER, "attributes": {"machineState": "idle"}},
    "octomesh.entity_delete": {**METERS, "rt_id": "65b100000000000000000003"},
    "octomesh.association_add": {**METER, **PARENT},
    "octomesh.association_remove": {**METER, **PARENT},
    "octomesh.file_upload": {"name": "report.pdf", "content": "JVBERi0xLjcK", "content_type": "application/pdf"},
    "octomesh.library_upload": {"library": {"libraryId": "Example-1.0.0"}},
    "octopus.boost_start": CAR,
    "octopus.boost_cancel": CAR,
    "octopus.smart_control_suspend": CAR,
    "octopus.smart_control_resume": CAR,
    "octopus.charge_preferences_set": {**CAR, "schedules": [{"time": "07:00", "max": 80}]},
    "octopus.saving_session_join": {"event_code": "EVENT_20261125"},
    "octopus.meter_reading_send": {"reading": 12345},
    "sensorfact.measurements": {"name": "line-1"},
    "tibber.consumption": {"site": "holm-street", "resolution": "daily", "last": 1},
    "tibber.production": {"site": "cabin", "resolution": "daily", "last": 1},
    "tibber.notify": {"title": "kwh2mqtt", "message": "The car is full."},
    "tibber.home_update": {"site": "cabin", "size": 90},
}
SETTLED: Mapping[str, Any] = {  # key → what stands in an example for what is another at each run
    "duration_ms": 84,
    "uptime_s": 3600,
    "memory_mib": 50.3,
    "loop_lag_ms": 1.4,
    "publish_queue": 0,
    "published": 1184,
    "next_poll": "2026-11-20T18:24:00Z",
    "polls": 4,
    "limit": 20,
    "requests_today": 5,
    "remaining": 17,
    "resets_at": "2026-11-20T12:05:06Z",
    "version": "0.1.0",
    "operations": {"tibber.prices": "query", "octopus.boost_start": "write"},
}
PLENTY = CommandsSettings(per_minute=1000, writes_per_minute=1000)
BUDGET = {"requests": 1000, "seconds": 300}
CLIENT = "wallbox"
T = TypeVar("T")
LONGEST = 2  # elements of an array in an example


class Command(NamedTuple):
    """One that is sent."""

    asked: Asked
    source: str
    body: dict[str, Any]


class Told(NamedTuple):
    """All that came."""

    published: list[Message]
    answers: list[tuple[Command, Any]]


async def told(folder: Path) -> Told:
    """Return what the demo's bridge publishes from `MOMENT` on for a day, and what every source answers to every operation."""
    clock = HandClock(MOMENT)
    async with served(clock.now) as tables:
        providers = {name: table["provider"] for name, table in tables.items()}
        commands = list(_commands(providers))
        settings = _settings(MqttSettings(), folder, {name: {**table, "budget": BUDGET} for name, table in tables.items()})
        settings = replace(settings, commands=PLENTY, grants={CLIENT: [f"{one.source}.{one.asked.name}" for one in commands]})
        async with built(settings, clock, Redactor(settings.secrets())) as app:
            await _hurried(clock, _poll(app))
            answers = [(one, await _hurried(clock, _answer(app, one))) for one in commands]
            published = await _lived(app, clock)
    return Told(published, answers)


def _commands(providers: Mapping[str, str]) -> Iterator[Command]:
    """Yield a command for each operation to each source that has it; a plan is cancelled, and then made again."""
    asked = [one for one in operations() if one is not OWN]
    plans = [one for one in asked if one.full_name == "bridge.plan"]
    for number, one in enumerate((*asked, *plans), 1):
        of_sources = [source for source, provider in providers.items() if one.provider in ("", provider)]
        for source in of_sources if one.source.startswith("{") else [one.source]:
            yield Command(one, source, {"id": str(number), "args": dict(ASKED.get(one.full_name, {}))})


async def _hurried(clock: HandClock, work: Coroutine[None, None, T]) -> T:
    """Return what `work` comes to; where it waits for the clock, that moves on."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(PATIENCE_S):
        while not task.done():
            if clock._sleepers:
                await clock.go_to(clock._sleepers[0][0])
            await asyncio.sleep(0.001)
    return await task


async def _poll(app: App) -> None:
    now = app.clock.now()
    for account in app.accounts:
        await app.poller(account).poll()
        app.shelf.put(account.report.messages(now))
    app.shelf.put([app.report.info(), app.report.health(now), Message(app.topics.bridge("state"), b"online")])


async def _answer(app: App, command: Command) -> Any:
    """Return the answer to `command`; what else is told meanwhile stays on the shelf."""
    topic = app.topics.command_of(Errand(CLIENT, command.source, command.asked.name))
    app.desk.arrived(Arrival(topic, json.dumps(command.body).encode()))
    while not app.shelf._answers:
        await asyncio.sleep(0.001)
    return json.loads(app.shelf._answers.popleft().payload)


async def _lived(app: App, clock: HandClock) -> list[Message]:
    """Let a day pass without a poll, and return what was told."""
    published = _waiting(app)
    await app.slots.show(clock.now())
    running = [asyncio.create_task(app.slots.run()), asyncio.create_task(app.plans.run())]
    for hour in range(24):
        await clock.go_to(MOMENT + hour * DAY / 24)
        published += _waiting(app)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return published


def _waiting(app: App) -> list[Message]:
    """Take what waits for the broker."""
    taken = [*app.shelf._events, *(app.shelf._messages[topic] for topic in app.shelf._waiting)]
    app.shelf._events.clear()
    app.shelf._waiting.clear()
    return taken


# which message of the document is it?


def name_of(message: Message, drawn: Schema) -> str | None:
    """Return the name of a published message in the document, or None where it has none."""
    sent = (operation["channel"]["$ref"].rpartition("/")[2] for operation in _sent(drawn))
    name = next((name for name in sent if _pattern(drawn["channels"][name]["address"]).fullmatch(message.topic)), None)
    if name == "event":
        name = f"event.{json.loads(message.payload)['event_type']}"
    return name


def message_of(command: Command, answer: Any) -> str:
    """Return the name of the message that an answer is."""
    return f"response.{command.asked.full_name}" if answer["status"] == "ok" else "response.error"


def value_of(message: Message) -> Any:
    """Return what a payload says: JSON, or a word."""
    text = message.payload.decode()
    return text if re.fullmatch("[A-Za-z]+", text) else json.loads(text)


def _sent(drawn: Schema) -> Iterator[Any]:
    return (operation for operation in drawn["operations"].values() if operation["action"] == "send")


def _pattern(address: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", address))


# the examples


def examples(found: Told) -> dict[str, Any]:
    """Return the first payload of each kind, short and settled, by the name of its message."""
    drawn, kept = document(MqttSettings(), {}), dict[str, Any]()
    for message in found.published:
        name = name_of(message, drawn) if message.payload else None
        if name is not None:
            kept.setdefault(name, value_of(message))
    for command, answer in found.answers:
        kept.setdefault(f"command.{command.asked.full_name}", command.body)
        kept.setdefault(message_of(command, answer), answer)
    return {name: settled(payload) for name, payload in sorted(kept.items())}


def settled(payload: Any) -> Any:
    """Return `payload` with short arrays, and without what is another at each run."""
    match payload:
        case dict():
            return {key: SETTLED[key] if key in SETTLED else settled(inner) for key, inner in payload.items()}
        case list():
            return [settled(inner) for inner in payload[:LONGEST]]
    return payload


def text(kept: Mapping[str, Any]) -> str:
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        EXAMPLES.write_text(text(examples(asyncio.run(told(Path(place))))), "utf-8")
