"""From what is known and a moment to messages: pure, and the only way to a price topic, at a poll as at a slot's end.

`value`, `current` and `next` expire a minute after their slot, `slots` and `columns` with the last: a dead one misleads nobody.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from bridge.feed import enrich
from bridge.feed.latest import Latest, Place
from bridge.models.message import Message
from bridge.models.payload import ReadingPayload, SiteInfo, bare, encoded_reading, encoded_slots
from bridge.models.price import Curve, Slot
from bridge.topics import Topics

GRACE = timedelta(seconds=60)  # that a price outlives its slot
NOTHING = b""


class Painter:
    """Draws the messages of one source."""

    def __init__(self, topics: Topics, latest: Latest) -> None:
        self._topics, self._latest = topics, latest

    def all(self, moment: datetime) -> Iterator[Message]:
        """Yield every message of every site."""
        for place in self._latest.places.values():
            yield from self.site(place, moment)

    def site(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield every message of one site, the most urgent first."""
        yield from self.now(place, moment)
        yield from self.day(place, moment)
        yield from self.readings(place)
        yield self.info(place)

    def info(self, place: Place) -> Message:
        site = place.site
        known = (curve.currency for curve in place.curves.values() if curve.currency)
        payload = SiteInfo(
            name=site.title,
            timezone=site.timezone,
            currency=site.currency or next(known, None),
            price_area=site.price_area,
            streams=site.streams,
            standing_charges={},
            personal=site.personal,
        )
        return Message(self._topics.info(self._latest.source, place.name), payload.encoded())

    def readings(self, place: Place) -> Iterator[Message]:
        for reading in place.readings.values():
            topic = self._topics.reading(self._latest.source, place.name, reading.meter, reading.quantity)
            facts = reading.model_dump(exclude_none=True, exclude={"meter", "quantity"})
            yield Message(topic, encoded_reading(cast("ReadingPayload", facts)))

    def now(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield what changes with the slot: `value`, `current`, `next`. Unknown is an empty payload."""
        for stream, curve in place.curves.items():
            slot = curve.at(moment)
            following = curve.after(slot) if slot else None
            yield self._message(place, stream, "value", slot and bare(slot.value), slot)
            yield self._message(place, stream, "current", _price(curve, slot, place.site.zone), slot)
            yield self._message(place, stream, "next", _price(curve, following, place.site.zone), following)

    def day(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield what changes with the day or with new prices: `slots`, `columns`, `summary`."""
        zone = place.site.zone
        for stream, curve in place.curves.items():
            slots = enrich.shown(curve, zone, moment)
            last = curve.end if slots else None
            series = encoded_slots(slots) if slots else NOTHING
            grid = enrich.columns(curve, slots).encoded() if slots else NOTHING
            glance = enrich.summary(curve, zone, moment).encoded() if slots else NOTHING
            yield Message(self._topic(place, stream, "slots"), series, last)
            yield Message(self._topic(place, stream, "columns"), grid, last)
            yield Message(self._topic(place, stream, "summary"), glance)

    def _message(self, place: Place, stream: str, figure: str, payload: bytes | None, slot: Slot | None) -> Message:
        return Message(self._topic(place, stream, figure), payload or NOTHING, slot.end + GRACE if slot else None)

    def _topic(self, place: Place, stream: str, figure: str) -> str:
        return self._topics.price(self._latest.source, place.name, stream, figure)


def _price(curve: Curve, slot: Slot | None, zone: ZoneInfo) -> bytes | None:
    return enrich.price(curve, slot, zone).encoded() if slot else None
