"""Clears what a removed source, site, device or window left at the broker: only topics that this installation published.

So it does with what a reader such as Home Assistant was told of them, on topics that lie elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bridge.feed.latest import Latest
from bridge.state.store import Store
from bridge.topics import Topics
from bridge.transport.shelf import Shelf


class Below(NamedTuple):
    """What a site has that may go while the site stays."""

    devices: frozenset[str]
    windows: frozenset[tuple[str, str]]  # stream and name


class Leftovers:
    """Remembers every topic of a source that was ever published, across restarts."""

    def __init__(self, topics: Topics, shelf: Shelf, store: Store, is_readers: Callable[[str], bool] = lambda _: False) -> None:
        """`is_readers` tells whether a topic is one on which we tell a reader what there is."""
        self._topics, self._shelf, self._store, self._is_readers = topics, shelf, store, is_readers
        self._remembered = store.topics()
        self._gone: set[str] = set()  # cleared, but the broker may not know yet

    def clear(self, sources: Mapping[str, Latest]) -> None:
        """Empty the topics whose source is no longer configured, or whose site, device or window there no longer is.

        Those of a reader must be on the shelf by now: what is not there, it is to forget.
        """
        known = {source: _below(latest) for source, latest in sources.items()}
        told = {topic for topic in self._shelf.topics() if self._is_readers(topic)}
        readers = {topic for topic in self._remembered if self._is_readers(topic)}
        self._gone = {topic for topic in self._remembered - readers if self._is_gone(topic, known)} | (readers - told)
        self._shelf.clear(sorted(self._gone))
        self._remembered -= self._gone

    def remember(self) -> None:
        """Write down the topics that are new, and forget those that the broker has cleared."""
        if self._gone and not len(self._shelf):
            self._store.forget_topics(self._gone - self._remembered)  # a device may have come back
            self._gone = set()
        ours = {topic for topic in self._shelf.topics() if self._topics.place(topic) or self._is_readers(topic)}
        if new := ours - self._remembered:
            self._store.remember_topics(sorted(new))
            self._remembered |= new

    def _is_gone(self, topic: str, known: Mapping[str, Mapping[str, Below]]) -> bool:
        place = self._topics.place(topic)
        if place is None:
            return False  # below another base topic: not ours to judge
        sites = known.get(place.source)
        if sites is None:
            return True
        if place.site is None:
            return False
        below = sites.get(place.site)
        if below is None:
            return True
        return place.device not in (None, *below.devices) or place.window not in (None, *below.windows)


def _below(latest: Latest) -> dict[str, Below]:
    """Return what lies below each site, by its name."""
    windows = frozenset((settings.stream, name) for name, settings in latest.windows.items())
    return {place.name: Below(place.device_names, windows) for place in latest.places.values()}
