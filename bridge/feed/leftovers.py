"""Clears what a removed source or site left at the broker: only topics that this installation has itself published."""

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
        """Empty the topics whose source is no longer configured, or whose site the source no longer has."""
        self._gone = {topic for topic in self._remembered if self._is_gone(topic, sources)}
        self._shelf.clear(sorted(self._gone))
        self._remembered -= self._gone

    def remember(self) -> None:
        """Write down the topics that are new, and forget those that the broker has cleared."""
        if self._gone and not len(self._shelf):
            self._store.forget_topics(self._gone)
            self._gone = set()
        ours = {topic for topic in self._shelf.topics() if self._topics.place(topic)}
        if new := ours - self._remembered:
            self._store.remember_topics(sorted(new))
            self._remembered |= new

    def _is_gone(self, topic: str, sources: Mapping[str, Latest]) -> bool:
        place = self._topics.place(topic)
        if place is None:
            return False  # below another base topic: not ours to judge
        latest = sources.get(place.source)
        if latest is None:
            return True
        return place.site is not None and place.site not in {known.name for known in latest.places.values()}
