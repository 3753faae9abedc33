"""What has become news: from what was known of a site and what is known now to events. Pure.

What was known before a restart is no news, and neither is what is over.
"""

from collections.abc import Iterator
from datetime import datetime

from bridge.feed import agenda
from bridge.feed.place import Place
from bridge.models.device import Dispatch
from bridge.models.payload import DispatchPlanned, Event, NegativePrice, PricesPublished, SavingSession
from bridge.models.price import Curve, Slot
from bridge.pricing.figures import figures, mean

SAVING_SESSIONS = "saving-sessions"


def news(old: Place, new: Place, moment: datetime) -> Iterator[Event]:
    """Yield what `new` tells at `moment` that `old`, the same site a while ago, did not."""
    yield from _planned(old, new, moment)
    yield from _announced(old, new, moment)
    for stream, curve in new.curves.items():
        known = old.curves.get(stream)
        if curve is not known:
            yield from _published(stream, known, curve, moment)
            yield from _negative(stream, known, curve, moment)


def _planned(old: Place, new: Place, moment: datetime) -> Iterator[DispatchPlanned]:
    for id_, named in new.devices.items():
        before = old.devices.get(id_)
        known = before.device.planned if before else ()
        for dispatch in agenda.planned(named.device, moment):
            if not any(_alike(dispatch, other, moment) for other in known):
                yield DispatchPlanned(device=named.name, device_id=id_, **dispatch.model_dump())


def _alike(one: Dispatch, other: Dispatch, moment: datetime) -> bool:
    """Tell whether both end at one time and begin at one; where both have begun, it does not matter when."""
    return one.end == other.end and (one.start == other.start or max(one.start, other.start) <= moment)


def _announced(old: Place, new: Place, moment: datetime) -> Iterator[SavingSession]:
    before, after = old.schedules.get(SAVING_SESSIONS), new.schedules.get(SAVING_SESSIONS)
    known = {(span.start, span.end) for span in before.spans} if before else set()
    for span in after.spans if after else ():
        if (span.start, span.end) not in known and span.end > moment:
            facts = {**span.facts, "event_type": "saving_session", "start": span.start, "end": span.end}
            yield SavingSession.model_validate(facts)


def _published(stream: str, known: Curve | None, curve: Curve, moment: datetime) -> Iterator[PricesPublished]:
    """Yield an event where what is known reaches further than it did, and further than now."""
    reach = max(moment, known.end) if known and known.end else moment
    new = [slot for slot in curve.slots if slot.end > reach]
    if found := figures(new):
        yield PricesPublished(
            stream=stream,
            start=new[0].start,
            end=new[-1].end,
            min=found.least.value,
            max=found.greatest.value,
            mean=found.mean,
            currency=curve.currency,
        )


def _negative(stream: str, known: Curve | None, curve: Curve, moment: datetime) -> Iterator[NegativePrice]:
    """Yield an event for each span of prices below zero of which nothing was known to be so, and which is not over."""
    for run in _below_zero(curve):
        if run[-1].end > moment and not (known and any((at := known.at(slot.start)) and at.value < 0 for slot in run)):
            least = min(slot.value for slot in run)
            yield NegativePrice(
                stream=stream, start=run[0].start, end=run[-1].end, min=least, mean=mean(run), currency=curve.currency
            )


def _below_zero(curve: Curve) -> list[list[Slot]]:
    """Return the slots below zero, in runs that touch."""
    runs: list[list[Slot]] = []
    for slot in curve.slots:
        if slot.value < 0 and runs and runs[-1][-1].end == slot.start:
            runs[-1].append(slot)
        elif slot.value < 0:
            runs.append([slot])
    return runs
