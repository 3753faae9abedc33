"""From what is known and a moment to messages: pure, and the only way to a site's topics, at a poll as at a slot's end.

`value`, `current` and `next` expire a minute after their slot, `slots` and `columns` with the last, and `ON` a minute after its
window or dispatch: a dead bridge misleads nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from bridge.feed import agenda, enrich
from bridge.feed.latest import Latest
from bridge.feed.place import Place
from bridge.models.device import Dispatch
from bridge.models.figure import Live
from bridge.models.message import GRACE, NEWS, NOTHING, OFF, ON, Message
from bridge.models.payload import (
    CostPayload,
    DevicePayload,
    DispatchPayload,
    Event,
    FigurePayload,
    LivePayload,
    ReadingPayload,
    SiteInfo,
    WindowStarted,
    bare,
    encoded_reading,
    encoded_slots,
    encoded_spans,
)
from bridge.models.price import Slot
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule
from bridge.pricing.cost import PERIODS, cost
from bridge.pricing.day import midnight
from bridge.pricing.meaning import Meaning
from bridge.pricing.windows import Window
from bridge.state.store import NamedDevice
from bridge.topics import Topics

LIVE = timedelta(seconds=60)  # that a live value is worth anything


class Painter:
    """Draws the messages of one source."""

    def __init__(self, topics: Topics, latest: Latest) -> None:
        self._topics, self._latest = topics, latest

    def all(self, moment: datetime) -> Iterator[Message]:
        """Yield every message of every site."""
        for place in self._latest.places.values():
            yield from self.site(place, moment)
            yield from self.live(place, place.live.values(), moment)

    def site(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield every message of one site but its live values, which are told once; the most urgent first."""
        yield from self.now(place, moment)
        yield from self.windows(place, moment)
        yield from self.devices(place, moment)
        yield from self.day(place, moment)
        yield from self.schedules(place, moment)
        yield from self.readings(place, place.readings.values())
        yield from self.costs(place, moment)
        yield from self.figures(place)
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
            standing_charges=site.standing_charges,
            tariffs=site.tariffs,
            personal=site.personal,
        )
        return Message(self._topics.info(self._latest.source, place.name), payload.encoded())

    def readings(self, place: Place, readings: Iterable[Reading]) -> Iterator[Message]:
        for reading in readings:
            topic = self._topics.reading(self._latest.source, place.name, reading.meter, reading.quantity)
            facts = reading.model_dump(exclude_none=True, exclude={"meter", "quantity", "value", "other"})
            shown = float(reading.shown) if isinstance(reading.shown, Decimal) else reading.shown
            facts = {"value": shown, **facts}
            yield Message(topic, encoded_reading(cast("ReadingPayload", facts)))

    def costs(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield `cost/{stream}/…` of each stream that has readings with a price; an empty payload where nothing is known."""
        for stream in sorted({stream for stream, _ in place.costs}):
            for period in PERIODS:
                found = cost(place.costs, stream, period, place.site.zone, moment, place.site.standing_charges.get(stream))
                curve = place.curves.get(stream)
                currency = (curve.currency if curve else None) or place.site.currency
                topic = self._topics.cost(self._latest.source, place.name, stream, period)
                yield Message(topic, CostPayload(**asdict(found), currency=currency).encoded() if found else NOTHING)

    def figures(self, place: Place) -> Iterator[Message]:
        for figure in place.figures.values():
            payload = FigurePayload(value=figure.value, currency=figure.currency, unit=figure.unit, at=figure.at)
            yield Message(self._topics.account(self._latest.source, place.name, figure.name), payload.encoded())

    def live(self, place: Place, values: Iterable[Live], moment: datetime) -> Iterator[Message]:
        """Yield live values that are published at `moment`."""
        for live in values:
            age_s = max(0, int((moment - live.at).total_seconds()))
            payload = LivePayload(value=live.value, unit=live.unit, at=live.at, age_s=age_s)
            topic = self._topics.live(self._latest.source, place.name, live.quantity)
            yield Message(topic, payload.encoded(), moment + LIVE)

    def event(self, place: Place, event: Event, moment: datetime) -> Message:
        """Return what tells of `event`, which became known at `moment`."""
        return Message(self._topics.event(self._latest.source, place.name), event.encoded(), moment + NEWS, retain=False)

    def schedules(self, place: Place, moment: datetime) -> Iterator[Message]:
        for schedule in place.schedules.values():
            yield self.schedule(place, schedule, moment)

    def schedule(self, place: Place, schedule: Schedule, moment: datetime) -> Message:
        topic = self._topics.schedule(self._latest.source, place.name, schedule.kind)
        return Message(topic, encoded_spans(agenda.announced(schedule, moment)))

    def devices(self, place: Place, moment: datetime) -> Iterator[Message]:
        for named in place.devices.values():
            yield from self.device(place, named, moment)

    def device(self, place: Place, named: NamedDevice, moment: datetime) -> Iterator[Message]:
        """Yield `dispatch/{device}` and `active`."""
        device, source = named.device, self._latest.source
        running = device.dispatching(moment)
        until = running.end + GRACE if running else None
        payload = DevicePayload(
            device_id=device.id,
            name=device.title,
            type=device.type,
            state=device.state,
            dispatching=running is not None,
            planned=tuple(map(_dispatch, agenda.planned(device, moment))),
            completed=tuple(map(_dispatch, agenda.completed(device, moment))),
        )
        yield Message(self._topics.dispatch_active(source, place.name, named.name), ON if running else OFF, until)
        yield Message(self._topics.dispatch(source, place.name, named.name), payload.encoded(), until)

    def windows(self, place: Place, moment: datetime) -> Iterator[Message]:
        for window in place.windows.values():
            yield from self.window(place, window, moment)

    def window(self, place: Place, window: Window, moment: datetime) -> Iterator[Message]:
        """Yield `active` of a window, and the window in force or else the next one; an empty payload where none is known."""
        about = self._latest.source, place.name, window.settings.stream, window.name
        chosen = window.at(moment)
        running = chosen.running(moment) if chosen else None
        yield Message(self._topics.window_active(*about), ON if running else OFF, running.end + GRACE if running else None)
        yield Message(self._topics.window(*about), enrich.window(window, chosen).encoded() if chosen else NOTHING)

    def started(self, place: Place, since: datetime, moment: datetime) -> Iterator[Message]:
        """Yield the event of each window that has begun after `since`, and not after `moment`, and is not over."""
        for window in place.windows.values():
            chosen = window.at(moment)
            if chosen and since < chosen.start <= moment:
                stream, mean = window.settings.stream, chosen.mean
                event = WindowStarted(window=window.name, stream=stream, start=chosen.start, end=chosen.end, mean=mean)
                yield self.event(place, event, moment)

    def now(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield what changes with the slot: `value`, `current`, `next`. Unknown is an empty payload."""
        for stream, curve in place.curves.items():
            slot = curve.at(moment)
            following = curve.after(slot) if slot else None
            yield self._message(place, stream, "value", slot and bare(slot.value), slot)
            meaning = self._latest.meanings.of(place, stream)
            yield self._message(place, stream, "current", _price(meaning, slot), slot)
            yield self._message(place, stream, "next", _price(meaning, following), following)

    def day(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield what changes with the day or with new prices: `slots`, `columns`; and `summary`."""
        zone = place.site.zone
        for stream, curve in place.curves.items():
            slots = enrich.shown(curve, zone, moment)
            last = curve.end if slots else None
            series = encoded_slots(slots) if slots else NOTHING
            grid = enrich.columns(curve, slots, midnight(moment, zone, 1)).encoded() if slots else NOTHING
            yield Message(self._topic(place, stream, "slots"), series, last)
            yield Message(self._topic(place, stream, "columns"), grid, last)
        yield from self.glance(place, moment)

    def glance(self, place: Place, moment: datetime) -> Iterator[Message]:
        """Yield `summary`, which changes with the slot, but nobody waits for it."""
        for stream, curve in place.curves.items():
            meaning, known = self._latest.meanings.of(place, stream), enrich.shown(curve, place.site.zone, moment)
            glance = enrich.summary(meaning, moment).encoded() if known else NOTHING
            yield Message(self._topic(place, stream, "summary"), glance)

    def _message(self, place: Place, stream: str, figure: str, payload: bytes | None, slot: Slot | None) -> Message:
        return Message(self._topic(place, stream, figure), payload or NOTHING, slot.end + GRACE if slot else None)

    def _topic(self, place: Place, stream: str, figure: str) -> str:
        return self._topics.price(self._latest.source, place.name, stream, figure)


def _dispatch(dispatch: Dispatch) -> DispatchPayload:
    return DispatchPayload(start=dispatch.start, end=dispatch.end, type=dispatch.type, energy_kwh=dispatch.energy_kwh)


def _price(meaning: Meaning, slot: Slot | None) -> bytes | None:
    return enrich.price(meaning, slot).encoded() if slot else None
