"""From what is known to the devices that Home Assistant is told of, the bridge and each site, with all of their entities. Pure.

A device's id comes from the provider's id of the site, so whatever is renamed changes neither it nor the id of any entity.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bridge.models.message import Message
from bridge.readers.home_assistant import asking, bridge, messages, meters, prices
from bridge.readers.home_assistant.asking import Asks
from bridge.readers.home_assistant.entity import Entity
from bridge.readers.home_assistant.messages import Device
from bridge.readers.home_assistant.place import Place
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.topics import DiscoveryTopics, Topics

KINDS = (
    prices.prices, prices.windows, prices.costs,
    meters.readings, meters.figures, meters.schedules, meters.dispatches, meters.events,
)  # fmt: skip


class Drawn(NamedTuple):
    """A device as messages, and the platform of each of its entities by key."""

    messages: list[Message]
    platforms: dict[str, str]


class Devices:
    """Draws every device of one installation."""

    def __init__(
        self, settings: HomeAssistantSettings, topics: Topics, discovery: DiscoveryTopics, asks: Asks, secret: str
    ) -> None:
        """`secret` is what makes ids of this installation that tell nothing."""
        self._settings, self._topics, self._discovery, self._asks, self._secret = settings, topics, discovery, asks, secret

    @property
    def prefix(self) -> str:
        return self._discovery.prefix

    def site(
        self, source: str, provider: str, place: Place, title: str, live: Mapping[str, str], before: Mapping[str, str]
    ) -> Drawn:
        """Return a site of `source`; `live` are units by quantity, `before` platforms by key of what it had when last drawn."""
        salted = f"{self._secret} {source} {place.site.id}"
        device = Device(
            id=f"{self._discovery.installation}_{hashlib.sha256(salted.encode()).hexdigest()[:12]}",
            slug=f"{source}_{place.name}",
            name=title,
            manufacturer=provider.capitalize(),
            model="Site",
            via=self._discovery.installation,
            states=(self._topics.bridge("state"), self._topics.source(source, "state")),
        )
        return self._drawn(device, self._of_site(source, place, live), before)

    def itself(self, sources: Sequence[str], before: Mapping[str, str]) -> Drawn:
        """Return the bridge, which has the diagnostics of its `sources` too."""
        device = Device(self._discovery.installation, "kwh2mqtt", "kwh2mqtt", "kwh2mqtt", "Bridge")
        return self._drawn(device, self._of_bridge(sources), before)

    def _drawn(self, device: Device, entities: Iterable[Entity], before: Mapping[str, str]) -> Drawn:
        wanted = [one for one in entities if one.kind not in self._settings.without]
        platforms = {one.key: one.platform for one in wanted}
        gone = {at: platform for at, platform in before.items() if at not in platforms}
        form = messages.together if self._settings.discovery == "device" else messages.apart
        return Drawn(form(self._discovery, device, wanted, gone), platforms)

    def _of_site(self, source: str, place: Place, live: Mapping[str, str]) -> Iterator[Entity]:
        client, asks = self._settings.client, self._asks.get(source, ())
        for kind in KINDS:
            yield from kind(self._topics, source, place)
        yield from meters.live(self._topics, source, place, live)
        yield from asking.buttons(self._topics, client, source, place, asks)
        yield from asking.numbers(self._topics, client, source, place, asks)

    def _of_bridge(self, sources: Sequence[str]) -> Iterator[Entity]:
        yield from bridge.itself(self._topics)
        yield from bridge.sources(self._topics, sources)
        yield from asking.refreshes(self._topics, self._settings.client, self._asks)
        if any(self._asks.values()):
            yield from asking.outcomes(self._topics, self._settings.client)
