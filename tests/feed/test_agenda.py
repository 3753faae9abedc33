"""What is over is not shown for ever, and when that changes is known beforehand."""

from datetime import timedelta

from bridge.feed import agenda
from bridge.feed.place import Place
from bridge.models.device import Device, Dispatch
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.state.store import NamedDevice
from tests.support import utc

START, END = utc("2026-06-10T10:00"), utc("2026-06-10T11:00")
BLINK = timedelta.resolution
DISPATCH, LATER = Dispatch(start=START, end=END), Dispatch(start=END, end=utc("2026-06-10T12:00"))
CAR = Device(id="1", title="Car", planned=(DISPATCH, LATER), completed=(DISPATCH,))
SESSIONS = Schedule(kind="saving-sessions", spans=(Span(start=START, end=END),))


def test_a_planned_dispatch_is_shown_until_it_is_over() -> None:
    assert agenda.planned(CAR, END - BLINK) == (DISPATCH, LATER)
    assert agenda.planned(CAR, END) == (LATER,)


def test_a_completed_dispatch_is_shown_for_two_days() -> None:
    assert agenda.completed(CAR, utc("2026-06-12T11:00") - BLINK) == (DISPATCH,)
    assert agenda.completed(CAR, utc("2026-06-12T11:00")) == ()


def test_an_announced_span_is_shown_until_a_day_after_its_end() -> None:
    assert agenda.announced(SESSIONS, utc("2026-06-11T11:00") - BLINK) == SESSIONS.spans
    assert agenda.announced(SESSIONS, utc("2026-06-11T11:00")) == ()


def test_all_that_changes_by_itself_is_known_beforehand() -> None:
    site = Site(id="1", title="Home", timezone="Europe/London")
    place = Place("home", site, schedules={SESSIONS.kind: SESSIONS}, devices={"1": NamedDevice(name="car", device=CAR)})
    assert set(agenda.changes(place, START)) == {
        utc("2026-06-10T11:00"),
        utc("2026-06-10T12:00"),
        utc("2026-06-12T11:00"),
        utc("2026-06-11T11:00"),
    }
    assert START in set(agenda.changes(place, START - BLINK))
