"""What several tests need: a clock in the hand, a source's known things as a plain value, and the facts folder where it lies."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

from bridge.models.device import Device
from bridge.models.message import Message
from bridge.models.observation import DevicesSeen, MetersSeen, Observation, PricesSeen, SitesSeen
from bridge.models.price import QUARTER_HOUR, Curve, Slot
from bridge.models.site import Site
from bridge.pricing.day import midnight
from bridge.state.store import Store
from bridge.transport.shelf import Shelf

FACTS = Path(__file__).resolve().parents[2] / "shared"  # not a part of the project: a test that reads it skips without it


def utc(text: str) -> datetime:
    """Return the instant of an ISO text without offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quarters(start: datetime, values: Sequence[float | str], level: str | None = None) -> tuple[Slot, ...]:
    """Return quarter-hours from `start` on, a value each."""
    begins = (start + number * QUARTER_HOUR for number in count())
    return tuple(
        Slot(begin, begin + QUARTER_HOUR, Decimal(str(value)), level) for begin, value in zip(begins, values, strict=False)
    )


def curve(start: datetime, values: Sequence[float | str], currency: str = "EUR") -> Curve:
    return Curve(currency=currency, slots=quarters(start, values))


_opened: list[Store] = []


def store(folder: Path, moment: datetime) -> Store:
    """Return the state in `folder`; it is closed when the test ends."""
    _opened.append(Store(folder, moment))
    return _opened[-1]


def close_stores() -> None:
    while _opened:
        _opened.pop().database.close()


class HandClock:
    """A clock that a test sets: sleepers wake in order when `go_to` passes them, each with the time that it asked for."""

    def __init__(self, moment: datetime, turns: int = 200) -> None:
        """`turns` of the loop are what whoever wakes is given."""
        self._moment, self._turns = moment, turns
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def now(self) -> datetime:
        return self._moment

    async def sleep_until(self, moment: datetime) -> None:
        if moment <= self._moment:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._numbers), sleeper))
        await sleeper

    def set(self, moment: datetime) -> None:
        """Set the clock; set back, it wakes all sleepers, as the system's does."""
        if moment < self._moment:
            for _, _, sleeper in self._sleepers:
                if not sleeper.done():
                    sleeper.set_result(None)
            self._sleepers.clear()
        self._moment = moment

    async def go_to(self, moment: datetime) -> None:
        """Let time pass until `moment`; whatever wakes on the way is given the time to do its work."""
        await settle(self._turns)
        while self._sleepers and self._sleepers[0][0] <= moment:
            due, _, sleeper = heapq.heappop(self._sleepers)
            if sleeper.done():
                continue
            self._moment = max(self._moment, due)
            with suppress(asyncio.InvalidStateError):
                sleeper.set_result(None)
            await settle(self._turns)
        self._moment = max(self._moment, moment)
        await settle(self._turns)


class Impatient(HandClock):
    """Sleeps no time at all, but believes that it did."""

    async def sleep_until(self, moment: datetime) -> None:
        self.set(max(moment, self.now()))


class Uncounted:
    """A meter that lets everything pass, and remembers pauses."""

    def __init__(self) -> None:
        self.paused: list[datetime] = []

    def spend(self, moment: datetime) -> None:
        pass

    def pause(self, until: datetime) -> None:
        self.paused.append(until)


class Purse:
    """A pocket in memory, which outlives a source."""

    def __init__(self) -> None:
        self.text: str | None = None

    def read(self) -> str | None:
        return self.text

    def write(self, text: str | None) -> None:
        self.text = text


async def settle(turns: int = 200) -> None:
    """Let every task that can run do so."""
    for _ in range(turns):
        await asyncio.sleep(0)


class Diary(Shelf):
    """A shelf that notes when each message was laid on it that says something new."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock
        self.entries: list[tuple[datetime, Message]] = []

    def put(self, messages: Iterable[Message]) -> None:
        kept = list(messages)
        self.entries += [(self._clock.now(), message) for message in kept if self._messages.get(message.topic) != message]
        super().put(kept)

    def payloads(self, topic: str) -> list[tuple[datetime, str]]:
        """Return what was laid on `topic`, and when."""
        return [(moment, message.payload.decode()) for moment, message in self.entries if message.topic == topic]


@dataclass
class Knowledge:
    """What is known of a source, as a value; `keep` takes in what a poll yields."""

    sites: dict[str, Site] = field(default_factory=dict)
    curves: dict[tuple[str, str], Curve] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)
    owned: dict[str, tuple[Device, ...]] = field(default_factory=dict)  # the devices of a site
    named: dict[str, dict[str, str]] = field(default_factory=dict)  # the meters of a site

    def keep(self, observation: Observation, moment: datetime) -> None:
        self.last[type(observation).__name__] = moment
        match observation:
            case SitesSeen(sites, complete):
                self.sites = ({} if complete else self.sites) | {site.id: site for site in sites}
            case PricesSeen(site, stream, curve, whole):
                old = self.curves.get((site, stream))
                standing = old.without(*whole) if old and whole else old
                newest = standing.updated(curve) if standing else curve
                self.curves[site, stream] = newest.since(midnight(moment, self.sites[site].zone, -2))
            case DevicesSeen(site, devices):
                self.owned[site] = devices
            case MetersSeen(site, meters, complete):
                self.named[site] = ({} if complete else self.named.get(site, {})) | dict(meters)

    def curve(self, site: str, stream: str) -> Curve | None:
        return self.curves.get((site, stream))

    def devices(self, site: str) -> tuple[Device, ...]:
        return self.owned.get(site, ())

    def meters(self, site: str) -> dict[str, str]:
        return self.named.get(site, {})

    def seen(self, kind: type[Observation]) -> datetime | None:
        return self.last.get(kind.__name__)


async def gathered(observations: AsyncIterator[Observation]) -> list[Observation]:
    return [observation async for observation in observations]
