"""Many sites whose slots last seconds, on the real feed and shelf: `python -m bench.fleet PORT SITES STEP FOLDER`.

Once all stands at the broker it says when its first slot began (Unix time) and which slot's beginning comes next but one.
A slot's price is its number, so that a message tells which boundary it belongs to.
"""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bridge.clock import SystemClock
from bridge.feed.latest import Latest
from bridge.feed.slots import Slots
from bridge.models.observation import PricesSeen, SitesSeen
from bridge.models.price import Curve, Slot
from bridge.models.site import Site
from bridge.simulator.broker import HOST
from bridge.state.store import Store
from bridge.topics import Topics
from bridge.transport.mqtt import Broker
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf

SLOTS = 96  # as many as a day of quarter-hours has: the figures beside a price are those of its day
ZONES = ("Europe/Oslo", "Pacific/Auckland")  # one of them is far from midnight


def sites(count: int, moment: datetime) -> tuple[Site, ...]:
    zone = ZONES[not 3 <= moment.hour < 18]
    return tuple(Site(id=f"{number}", title=f"Site {number}", timezone=zone, streams=("import",)) for number in range(count))


def slots(origin: datetime, step: timedelta) -> Iterator[Slot]:
    for number in range(SLOTS):
        begin = origin + number * step
        yield Slot(begin, begin + step, Decimal(number), "normal")


def filled(latest: Latest, count: int, origin: datetime, step: timedelta) -> None:
    """Let `latest` know `count` sites with a curve each."""
    latest.keep(SitesSeen(sites(count, origin)), origin)
    for site in list(latest.sites):
        latest.keep(PricesSeen(site, "import", Curve(currency="EUR", slots=tuple(slots(origin, step)))), origin)


async def run(port: int, count: int, step: timedelta, folder: Path) -> None:
    clock, topics, shelf = SystemClock(), Topics("kwh2mqtt"), Shelf()
    origin = datetime.now(UTC).replace(microsecond=0)
    with Store(folder, origin) as store:
        latest = Latest("fleet", {}, store, "")
        filled(latest, count, origin, step)
        broker = Broker(MqttSettings(host=HOST, port=port), shelf, clock, state_topic=topics.bridge("state"), client_id="fleet")
        feed = Slots(topics, [latest], shelf, clock)
        await feed.show(clock.now())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(broker.run())
            await shelf.emptied()
            tasks.create_task(feed.run())
            print(origin.timestamp(), (clock.now() - origin) // step + 2, flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), int(sys.argv[2]), timedelta(seconds=float(sys.argv[3])), Path(sys.argv[4])))
