"""Tells Home Assistant of every site as it becomes known, and of what is gone; again when it says that it has begun.

What it was told is kept in the state folder: an entity that is not seen yet after a restart must not be taken for a lost one.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from bridge.clock import Clock
from bridge.models.message import Arrival, Message
from bridge.readers.home_assistant.devices import Devices, Drawn
from bridge.readers.home_assistant.messages import migrating
from bridge.readers.home_assistant.place import Holdings, Place
from bridge.state.database import Statement
from bridge.state.store import Store, saved
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)

BORN = b"online"
LONGEST_WAIT = timedelta(seconds=3)  # after its birth, so that not all bridges talk at once
BREATH = 20  # sites before others get their turn

Key = tuple[str, str]  # a source, and the provider's id of a site
OURSELVES: Key = ("bridge", "")  # no source bears that name


class Announced(BaseModel):
    """What Home Assistant was told of one device."""

    model_config = ConfigDict(frozen=True)

    title: str  # the name that the device had when it was first seen
    topics: tuple[str, ...] = ()
    entities: dict[str, str] = {}  # key → platform, also of those of whose end the broker may not have heard yet
    live: dict[str, str] = {}  # quantity → unit, as live values are not kept themselves


class Announcer:
    """Keeps Home Assistant's discovery topics true."""

    def __init__(
        self,
        devices: Devices,
        sources: Sequence[Holdings],
        store: Store,
        shelf: Shelf,
        clock: Clock,
        *,
        after_telling: Callable[[], None] = lambda: None,
        chance: random.Random | None = None,
    ) -> None:
        """`after_telling` is called when there may be topics that stood nowhere before."""
        self._devices, self._sources = devices, {one.source: one for one in sources}
        self._store, self._shelf, self._clock, self._chance = store, shelf, clock, chance or random.Random()
        self._after_telling = after_telling
        self._told = dict(_remembered(store, [OURSELVES[0], *self._sources]))
        self._seen: dict[Key, Place] = {}  # as it was when it was last told
        self._introduced = False
        self._gone: dict[Key, set[str]] = {}  # entities of whose end the broker may not have heard yet
        self._statements: list[Statement] = []
        self._news, self._born = asyncio.Event(), asyncio.Event()

    # what others tell

    def look_again(self) -> None:
        """Note that something may have become known; `run` tells it."""
        self._news.set()

    def arrived(self, arrival: Arrival) -> None:
        """Take in what Home Assistant says of itself; what is retained was said before we came, and all was published then."""
        if arrival.payload.strip() == BORN and not arrival.retained:
            self._born.set()

    # what is told

    async def run(self) -> None:
        """Tell what is new, and everything to a Home Assistant that has just begun, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="home-assistant-news")
            tasks.create_task(self._greet(), name="home-assistant-births")

    async def announce(self) -> None:
        """Lay on the shelf what is to be told of the bridge and of every site, and clear what is told of a site that is gone."""
        self._forget()
        if not self._introduced:
            self._introduced = True
            self._tell(OURSELVES, "kwh2mqtt", {}, lambda _, before: self._devices.itself(list(self._sources), before))
        for key in [key for key in self._seen if key[1] not in self._sources[key[0]].places]:
            self._drop(key)
        places = [((source, id_), place) for source, own in self._sources.items() for id_, place in own.places.items()]
        for count, (key, place) in enumerate(places):
            if self._seen.get(key) is not place:
                self._tell_of(key, place)
            if count % BREATH == 0:
                await asyncio.sleep(0)
        self._save()

    async def _follow(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self.announce()
            self._after_telling()

    async def _greet(self) -> None:
        while True:
            await self._born.wait()
            await self._clock.sleep_until(self._clock.now() + self._chance.random() * LONGEST_WAIT)
            self._born.clear()
            log.info("Home Assistant has begun: it is told of %d devices", len(self._told))
            for topic in (topic for announced in self._told.values() for topic in announced.topics):
                self._shelf.put_again(Message(topic, b""))

    def _tell_of(self, key: Key, place: Place) -> None:
        self._seen[key] = place
        source, provider = key[0], self._sources[key[0]].provider
        known = self._told.get(key)
        live = {**(known.live if known else {}), **{quantity: one.unit for quantity, one in place.live.items()}}
        try:
            self._tell(
                key,
                place.site.title or place.name,
                live,
                lambda title, before: self._devices.site(source, provider, place, title, live, before),
            )
        except Exception:  # what fails for one site must not stop the others
            log.exception("%s: Home Assistant cannot be told of site %s", source, place.name)

    def _tell(self, key: Key, title: str, live: Mapping[str, str], draw: Callable[[str, Mapping[str, str]], Drawn]) -> None:
        before = self._told.get(key, Announced(title=title))
        drawn, platforms = draw(before.title, before.entities)
        topics = tuple(message.topic for message in drawn if message.payload)
        self._migrate(before.topics, topics)
        self._shelf.put(drawn)
        self._gone[key] = before.entities.keys() - platforms.keys()
        known = Announced(title=before.title, topics=topics, entities={**before.entities, **platforms}, live=dict(live))
        self._remember(key, known)

    def _migrate(self, before: Sequence[str], now: Sequence[str]) -> None:
        """Have Home Assistant keep what it found on other topics below the same prefix; `Leftovers` empties those later."""
        if now and before and not set(now) & set(before) and before[0].startswith(f"{self._devices.prefix}/"):
            self._shelf.put(migrating(before))

    def _drop(self, key: Key) -> None:
        del self._seen[key]
        if (announced := self._told.pop(key, None)) is not None:
            self._shelf.clear(announced.topics)
            log.info("%s: Home Assistant is told that %s is gone", key[0], announced.title)

    # what is remembered

    def _remember(self, key: Key, announced: Announced) -> None:
        if self._told.get(key) != announced:
            self._told[key] = announced
            self._statements.append(saved(*key, "", announced))

    def _forget(self) -> None:
        """Forget the entities that are gone, once the broker has surely heard of it."""
        if len(self._shelf):
            return
        for key, gone in self._gone.items():
            if gone and (known := self._told.get(key)) is not None:
                left = {at: platform for at, platform in known.entities.items() if at not in gone}
                self._remember(key, known.model_copy(update={"entities": left}))
        self._gone.clear()

    def _save(self) -> None:
        statements, self._statements = self._statements, []
        if statements:
            self._store.save(statements)


def _remembered(store: Store, sources: Sequence[str]) -> Iterator[tuple[Key, Announced]]:
    for source in sources:
        for site, found in store.kept(source, Announced).items():
            for announced in found:
                yield (source, site), announced
