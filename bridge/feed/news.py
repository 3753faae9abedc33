"""What has become news: from what was known of a site and what is known now to events. Pure.

What was known before a restart is no news, and neither is what is over.
"""

from collections.abc import Iterator
from datetime import datetime

from bridge.feed import agenda
from bridge.feed.place import Place
from bridge.models.device import Dispatch
from bridge.models.payload import DispatchPlanned, Event, SavingSession

SAVING_SESSIONS = "saving-sessions"


def news(old: Place, new: Place, moment: datetime) -> Iterator[Event]:
    """Yield what `new` tells at `moment` that `old`, the same site a while ago, did not."""
    yield from _planned(old, new, moment)
    yield from _announced(old, new, moment)


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
