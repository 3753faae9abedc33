"""From what was known of a site and an observation to what is known of it then, and what of that has to be written. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import singledispatch
from itertools import takewhile

from bridge.feed.names import Titled, chosen
from bridge.feed.place import Place
from bridge.models.observation import (
    DevicesSeen,
    FiguresSeen,
    LiveSeen,
    MetersSeen,
    PricesSeen,
    ReadingsSeen,
    SchedulesSeen,
)
from bridge.models.price import HOUR, Curve, Slot, split
from bridge.models.reading import Reading
from bridge.pricing.cost import CostDay, counted
from bridge.pricing.day import midnight
from bridge.state.database import Statement
from bridge.state.store import NamedDevice, NamedMeter, removed, removed_reading, saved, saved_curve, saved_reading

HALF_HOUR = timedelta(minutes=30)
KEPT_DAYS = 2  # of a curve, before today
KEPT_AHEAD = 8  # days, today among them
UNNAMED, UNNAMED_METER = "device", "meter"

OfSite = PricesSeen | MetersSeen | ReadingsSeen | LiveSeen | FiguresSeen | SchedulesSeen | DevicesSeen
Kept = tuple[Place, list[Statement]]


@singledispatch
def kept(observation: OfSite, place: Place, source: str, moment: datetime) -> Kept:  # noqa: ARG001 - singledispatch
    """Return `place` with `observation` in it, and what has to be written: nothing where nothing changed."""
    raise TypeError(observation)


@kept.register
def _(observation: PricesSeen, place: Place, source: str, moment: datetime) -> Kept:
    old = place.curves.get(observation.stream)
    standing = old.without(*observation.whole) if old and observation.whole else old
    newest = standing.updated(observation.curve) if standing else observation.curve
    zone = place.site.zone  # what lies far ahead was learnt by a clock that was wrong
    begin, end = midnight(moment, zone, -KEPT_DAYS), midnight(moment, zone, KEPT_AHEAD)
    curve = _cut(newest.since(begin).until(end), begin, end)
    if curve == old:
        return place, []
    statement = saved_curve(source, observation.site, observation.stream, curve)
    priced, statements = _counted(replace(place, curves={**place.curves, observation.stream: curve}), (), source, moment)
    return priced, [statement, *statements]


@kept.register
def _(observation: MetersSeen, place: Place, source: str, _: datetime) -> Kept:
    old = {} if observation.complete else {id_: name for id_, name in place.meters.items() if id_ not in observation.meters}
    titled = [Titled(id_, title, place.meters.get(id_, "")) for id_, title in observation.meters.items()]
    meters = chosen([*(Titled(id_, name, name) for id_, name in old.items()), *titled], UNNAMED_METER)
    lost = {name for id_, name in place.meters.items() if id_ not in meters}
    named, known = {meters[id_] for id_ in observation.meters}, observation.quantities
    gone = [
        (meter, quantity)
        for meter, quantity in place.readings
        if meter in lost or (known is not None and meter in named and quantity not in known)
    ]
    statements = [removed(source, observation.site, id_, NamedMeter) for id_ in place.meters if id_ not in meters]
    statements += [removed_reading(source, observation.site, *key) for key in gone]
    new = {id_: name for id_, name in meters.items() if place.meters.get(id_) != name}
    statements += [saved(source, observation.site, id_, NamedMeter(id=id_, name=name)) for id_, name in new.items()]
    readings = {key: reading for key, reading in place.readings.items() if key not in gone}
    return replace(place, meters=meters, readings=readings), statements


@kept.register
def _(observation: ReadingsSeen, place: Place, source: str, moment: datetime) -> Kept:
    readings = [_named(reading, place) for reading in observation.readings]
    keyed = {place.key(reading): reading for reading in readings}
    changed = {key: reading for key, reading in keyed.items() if place.readings.get(key) != reading}
    statements = [saved_reading(source, observation.site, reading) for reading in changed.values()]
    past = [_named(reading, place) for reading in observation.past]
    place, costs = _counted(replace(place, readings={**place.readings, **changed}), [*past, *readings], source, moment)
    return place, [*statements, *costs]


@kept.register
def _(observation: LiveSeen, place: Place, _: str, __: datetime) -> Kept:
    return replace(place, live={**place.live, **{live.quantity: live for live in observation.values}}), []


@kept.register
def _(observation: FiguresSeen, place: Place, source: str, _: datetime) -> Kept:
    changed = {figure.name: figure for figure in observation.figures if place.figures.get(figure.name) != figure}
    statements = [saved(source, observation.site, name, figure) for name, figure in changed.items()]
    return replace(place, figures={**place.figures, **changed}), statements


@kept.register
def _(observation: SchedulesSeen, place: Place, source: str, _: datetime) -> Kept:
    changed = {schedule.kind: schedule for schedule in observation.schedules if place.schedules.get(schedule.kind) != schedule}
    statements = [saved(source, observation.site, kind, schedule) for kind, schedule in changed.items()]
    return replace(place, schedules={**place.schedules, **changed}), statements


@kept.register
def _(observation: DevicesSeen, place: Place, source: str, _: datetime) -> Kept:
    devices = _named_devices(observation, place)
    gone = [removed(source, observation.site, id_, NamedDevice) for id_ in place.devices if id_ not in devices]
    changed = {id_: named for id_, named in devices.items() if place.devices.get(id_) != named}
    statements = [saved(source, observation.site, id_, named) for id_, named in changed.items()]
    return replace(place, devices=devices), [*gone, *statements]


def _cut(curve: Curve, begin: datetime, end: datetime) -> Curve:
    """Return `curve` with what holds for more than an hour cut into half-hours of [begin, end).

    A day's figures and the time to come are made of whole slots: a night's price must not belong to the evening alone.
    """
    if all(slot.end - slot.start <= HOUR for slot in curve.slots):
        return curve
    return curve.model_copy(update={"slots": tuple(piece for slot in curve.slots for piece in _pieces(slot, begin, end))})


def _pieces(slot: Slot, begin: datetime, end: datetime) -> Iterable[Slot]:
    if slot.end - slot.start <= HOUR:
        return [slot]
    passed = max(begin - slot.start, timedelta()) // HALF_HOUR  # the cuts are counted from its start, today as tomorrow
    pieces = split(slot._replace(start=slot.start + passed * HALF_HOUR), HALF_HOUR)
    return takewhile(lambda piece: piece.start < end, pieces)


def _counted(place: Place, readings: Iterable[Reading], source: str, moment: datetime) -> Kept:
    """Return `place` with what `readings` cost in it; without any, what had no price yet is priced."""
    costs = counted(place.costs, readings, place.curves, place.site.zone, moment)
    changed = [day for key, day in costs.items() if place.costs.get(key) != day]
    gone = [day for key, day in place.costs.items() if key not in costs]
    statements = [saved(source, place.site.id, _name(day), day) for day in changed]
    statements += [removed(source, place.site.id, _name(day), CostDay) for day in gone]
    return (replace(place, costs=costs) if statements else place), statements


def _name(day: CostDay) -> str:
    return f"{day.stream} {day.day.isoformat()}"


def _named_devices(observation: DevicesSeen, place: Place) -> dict[str, NamedDevice]:
    """Return the devices by id, each under the name that it has, or one that is chosen for it now."""
    found = {device.id: device for device in observation.devices}
    names = {id_: named.name for id_, named in place.devices.items()}
    names = chosen([Titled(id_, device.title, names.get(id_, "")) for id_, device in found.items()], UNNAMED)
    return {id_: NamedDevice(name=names[id_], device=device) for id_, device in found.items()}


def _named(reading: Reading, place: Place) -> Reading:
    """Return `reading` with the name of its meter, where it bears the provider's id."""
    name = place.meters.get(reading.meter)
    return reading if name is None else reading.model_copy(update={"meter": name})
