"""Clears what a removed source, site or device left at the broker: only topics that this installation has itself published."""

from collections.abc import Mapping

from bridge.feed.latest import Latest
from bridge.state.store import Store
from bridge.topics import Topics
from bridge.transport.shelf import Shelf


class Leftovers:
    """Remembers every topic of a source that was ever published, across restarts."""

    def __init__(self, topics: Topics, shelf: Shelf, store: Store) -> None:
        self._topics, self._shelf, self._store = topics, shelf, store
        self._remembered = store.topics()
        self._gone: set[str] = set()  # cleared, but the broker may not know yet

    def clear(self, sources: Mapping[str, Latest]) -> None:
        """Empty the topics whose source is no longer configured, or whose site or device the source no longer has."""
        known = {source: _devices(latest) for source, latest in sources.items()}
        self._gone = {topic for topic in self._remembered if self._is_gone(topic, known)}
        self._shelf.clear(sorted(self._gone))
        self._remembered -= self._gone

    def remember(self) -> None:
        """Write down the topics that are new, and forget those that the broker has cleared."""
        if self._gone and not len(self._shelf):
            self._store.forget_topics(self._gone - self._remembered)  # a device may have come back
            self._gone = set()
        ours = {topic for topic in self._shelf.topics() if self._topics.place(topic)}
        if new := ours - self._remembered:
            self._store.remember_topics(sorted(new))
            self._remembered |= new

    def _is_gone(self, topic: str, known: Mapping[str, Mapping[str, frozenset[str]]]) -> bool:
        place = self._topics.place(topic)
        if place is None:
            return False  # below another base topic: not ours to judge
        sites = known.get(place.source)
        if sites is None:
            return True
        if place.site is None:
            return False
        devices = sites.get(place.site)
        return devices is None or (place.device is not None and place.device not in devices)


def _devices(latest: Latest) -> dict[str, frozenset[str]]:
    """Return the names of the devices by the name of their site."""
    return {place.name: place.device_names for place in latest.places.values()}
