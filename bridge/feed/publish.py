"""From an observation to the shelf: what is known takes it in, and what it changes is drawn, cleared or told."""

import logging
from collections.abc import Iterator
from datetime import datetime

from bridge.feed.latest import Latest
from bridge.feed.messages import Painter
from bridge.feed.news import news
from bridge.feed.place import Place
from bridge.models.message import Message
from bridge.models.observation import (
    DeprecationsSeen,
    DevicesSeen,
    FiguresSeen,
    LiveSeen,
    MetersSeen,
    Observation,
    PricesSeen,
    ReadingsSeen,
    SchedulesSeen,
    Shortfall,
    SitesSeen,
)
from bridge.state.database import Statement
from bridge.topics import Topics
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)


class Publisher:
    """Publishes what one source tells, asked or not."""

    def __init__(self, topics: Topics, latest: Latest, shelf: Shelf) -> None:
        self._topics, self._latest, self._shelf = topics, latest, shelf
        self._painter = Painter(topics, latest)

    def publish(self, observation: Observation, asked: datetime | None, now: datetime) -> list[Statement]:
        """Keep `observation`, show it as it is `now`, and return what has to be written.

        It was asked for at `asked`; None is for what came by itself: that does not put off the next time of asking.
        """
        before = dict(self._latest.places)
        statements = self._latest.keep(observation, asked or now, polled=asked is not None)
        if isinstance(observation, PricesSeen):
            statements += self._latest.choose(now, [observation.site])
        if isinstance(observation, SitesSeen):
            self._show_sites(before, now)
        elif not isinstance(observation, Shortfall | DeprecationsSeen):
            old, new = before[observation.site], self._latest.places[observation.site]
            self._shelf.put(self._painter.event(new, event, now) for event in news(old, new, now))
            self._clear_devices(old, new)
            self._clear_readings(old, new)
            self._shelf.put(self._drawn(observation, old, new, now))
        return statements

    def _show_sites(self, before: dict[str, Place], now: datetime) -> None:
        after = self._latest.places
        self._clear_sites({old.name for id_, old in before.items() if id_ not in after or after[id_].name != old.name})
        for id_, place in after.items():
            known = id_ in before and before[id_].name == place.name
            self._shelf.put([self._painter.info(place)] if known else self._painter.site(place, now))

    def _clear_sites(self, names: set[str]) -> None:
        for name in names:
            topics = self._shelf.topics(below=f"{self._topics.source(self._latest.source, name)}/")
            log.info("%s: site %s is gone, its %d topics are cleared", self._latest.source, name, len(topics))
            self._shelf.clear(topics)

    def _clear_devices(self, old: Place, new: Place) -> None:
        source, site = self._latest.source, new.name
        for name in sorted(old.device_names - new.device_names):
            log.info("%s: device %s of site %s is gone, its topics are cleared", source, name, site)
            self._shelf.clear([self._topics.dispatch(source, site, name), self._topics.dispatch_active(source, site, name)])

    def _clear_readings(self, old: Place, new: Place) -> None:
        gone = sorted(old.readings.keys() - new.readings.keys())
        for meter in sorted({meter for meter, _ in gone}):
            log.info("%s: meter %s of site %s is gone, its topics are cleared", self._latest.source, meter, new.name)
        self._shelf.clear([self._topics.reading(self._latest.source, new.name, *key) for key in gone])

    def _drawn(self, observation: Observation, old: Place, place: Place, now: datetime) -> Iterator[Message]:
        match observation:
            case MetersSeen():
                pass
            case ReadingsSeen():
                known = old.readings
                yield from self._painter.readings(
                    place, (reading for key, reading in place.readings.items() if known.get(key) is not reading)
                )  # the others stand as they are: a source that is listened to may tell a hundred a second
                if place.costs is not old.costs:
                    yield from self._painter.costs(place, now)
            case LiveSeen():
                yield from self._painter.live(place, observation.values, now)
            case FiguresSeen():
                yield from self._painter.figures(place)
            case SchedulesSeen():
                yield from self._painter.schedules(place, now)
            case DevicesSeen():
                yield from self._painter.devices(place, now)
            case _:
                yield from self._painter.site(place, now)
