"""A villa of which everything is known that can be, told of to a Home Assistant that takes down the discovery messages."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.feed.place import Place
from bridge.models.device import Device, Dispatch
from bridge.models.figure import Figure, Live
from bridge.models.plan import Segment
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.pricing.cost import CostDay
from bridge.pricing.windows import Chosen, Window, WindowSettings
from bridge.readers.home_assistant.announce import Announcer
from bridge.readers.home_assistant.asking import Ask, Asks
from bridge.readers.home_assistant.devices import Devices
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.state.store import NamedDevice
from bridge.topics import DiscoveryTopics, Topics
from tests.support import Diary, HandClock, curve, store, utc

Json = dict[str, Any]

NOW = utc("2026-06-10T10:05")
LATER = NOW + timedelta(hours=1)
CAR = "00000000-0001-4000-8000-0000000c0a01"
SITE = Site(id="0a0a0a0a-0000", title="Sjøvik 4", timezone="Europe/Oslo", currency="EUR", streams=("import", "export", "gas"))
DEVICE_ID = frozenset({"device_id"})
ASKS: Asks = {
    "home": (Ask("refresh", frozenset()), Ask("boost_start", DEVICE_ID), Ask("meter_reading_send", frozenset({"reading"})))
}


def reading(meter: str, quantity: str, **facts: Any) -> Reading:
    return Reading.model_validate({"meter": meter, "quantity": quantity, "value": Decimal("1.5"), "at": NOW, **facts})


def over_an_hour(meter: str, quantity: str, unit: str, **facts: Any) -> Reading:
    return reading(meter, quantity, at=None, unit=unit, start=NOW, end=LATER, **facts)


READINGS = (
    over_an_hour("import", "energy", "kWh"),
    over_an_hour("gas", "volume", "m³", aggregation="sum"),
    over_an_hour("line-1", "power", "kW", aggregation="mean"),
    over_an_hour("line-1", "energy", "kWh", aggregation="p95"),
    over_an_hour("line-1", "irradiation", "kWh/m²", aggregation="sum"),
    reading("water-main", "volume", unit="m3"),
    reading("meter-7", "energy", unit="MWh"),
    reading("battery", "soc", unit="%"),
    reading("oven", "temperature", unit="°C"),
    reading("oven", "cycles", unit="pieces"),
    reading("oven", "on", value=None, other=True),
    reading("oven", "mode", value=None, other="eco"),
)
SCHEDULE = Schedule(kind="saving-sessions", spans=(Span(start=LATER, end=LATER + timedelta(hours=1)),))
WINDOW = Window(
    name="cheapest-3h",
    settings=WindowSettings(duration=timedelta(hours=3)),
    chosen=(Chosen(frame=(NOW, LATER), segments=(Segment(NOW, LATER, Decimal("0.2")),), mean=Decimal("0.2")),),
)
PLACE = Place(
    name="villa",
    site=SITE,
    curves={"import": curve(NOW, [0.25, 0.3]), "gas": curve(NOW, [0.08])},
    costs={("import", date(2026, 6, 10)): CostDay(stream="import", day=date(2026, 6, 10), spans=())},
    windows={"cheapest-3h": WINDOW},
    readings={(one.meter, one.quantity): one for one in READINGS},
    figures={
        "balance": Figure(name="balance", value=Decimal(12), at=NOW, currency="GBP"),
        "points": Figure(name="points", value=Decimal(800), at=NOW, unit="points"),
    },
    schedules={"saving-sessions": SCHEDULE},
    devices={CAR: NamedDevice(name="car", device=Device(id=CAR, title="Car", planned=(Dispatch(start=NOW, end=LATER),)))},
    live={"power": Live(quantity="power", value=Decimal(800), unit="W", at=NOW)},
)


@dataclass
class Source:
    """One source, as a value."""

    source: str = "home"
    provider: str = "tibber"
    places: dict[str, Place] = field(default_factory=lambda: {SITE.id: PLACE})


class Villa:
    """One source in a state folder, and what Home Assistant is told of it."""

    def __init__(self, folder: Path, *sources: Source) -> None:
        self.folder, self.clock = folder, HandClock(NOW)
        self.sources = list(sources) or [Source()]
        self.begin()

    def begin(self, asks: Asks = ASKS, **settings: Any) -> None:
        """Begin as a new process does, on what the last one left in the folder."""
        self.shelf = Diary(self.clock)
        self.store = store(self.folder, NOW)
        own = HomeAssistantSettings.model_validate(settings)
        self.topics = DiscoveryTopics(own.prefix, f"kwh2mqtt_{self.store.installation_id()[:8]}")
        devices = Devices(own, Topics("kwh2mqtt"), self.topics, asks, self.store.installation_id())
        self.announcer = Announcer(devices, self.sources, self.store, self.shelf, self.clock, chance=random.Random(1))

    async def told(self) -> dict[str, Json]:
        """Announce what there is, and return what stands on each topic."""
        await self.announcer.announce()
        return {message.topic: json.loads(message.payload) for message in self.shelf.messages()}

    async def taken(self) -> None:
        """Let the broker take everything."""
        for _ in range(len(self.shelf)):
            await self.shelf.take()

    async def device_of(self, source: str) -> Json:
        """Announce, and return the villa as a device of `source`."""
        state = f"kwh2mqtt/{source}/state"
        told = (await self.told()).values()
        (found,) = (one for one in told if state in [of["topic"] for of in one.get("availability", ())])
        return found

    async def entities_of(self, source: str) -> dict[str, Json]:
        entities: dict[str, Json] = (await self.device_of(source))["components"]
        return entities

    def now(self, **changes: Any) -> None:
        """Have something else be known of the villa."""
        self.sources[0].places[SITE.id] = replace(self.sources[0].places[SITE.id], **changes)


def without(known: Mapping[Any, Any], *keys: Any) -> dict[Any, Any]:
    return {key: value for key, value in known.items() if key not in keys}
