"""What is planned and announced: how much of it is still shown at a moment, and when that changes by itself. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bridge.feed.place import Place
from bridge.models.device import Device, Dispatch
from bridge.models.schedule import Schedule, Span
from bridge.pricing.windows import Window

COMPLETED_SHOWN = timedelta(days=2)  # after its end
ANNOUNCED_SHOWN = timedelta(days=1)  # likewise


def planned(device: Device, moment: datetime) -> tuple[Dispatch, ...]:
    """Return the planned dispatches that are not over."""
    return tuple(dispatch for dispatch in device.planned if dispatch.end > moment)


def completed(device: Device, moment: datetime) -> tuple[Dispatch, ...]:
    """Return the completed dispatches of the last two days."""
    return tuple(dispatch for dispatch in device.completed if dispatch.end + COMPLETED_SHOWN > moment)


def announced(schedule: Schedule, moment: datetime) -> tuple[Span, ...]:
    """Return the spans that are not over since a day."""
    return tuple(span for span in schedule.spans if span.end + ANNOUNCED_SHOWN > moment)


def device_changes(device: Device) -> Iterator[datetime]:
    """Yield every instant at which what is shown of `device` changes; in no order."""
    for dispatch in device.planned:
        yield dispatch.start
        yield dispatch.end
    for dispatch in device.completed:
        yield dispatch.end + COMPLETED_SHOWN


def schedule_changes(schedule: Schedule) -> Iterator[datetime]:
    """Yield every instant at which what is shown of `schedule` changes; in no order."""
    for span in schedule.spans:
        yield span.end + ANNOUNCED_SHOWN


def window_changes(window: Window) -> Iterator[datetime]:
    """Yield every instant at which a window is switched, or gives way to the next; in no order."""
    for chosen in window.chosen:
        for segment in chosen.segments:
            yield segment.start
            yield segment.end


def changes(place: Place, moment: datetime) -> Iterator[datetime]:
    """Yield every instant after `moment` at which what is shown of the devices, schedules and windows of `place` changes."""
    for named in place.devices.values():
        yield from (change for change in device_changes(named.device) if change > moment)
    for schedule in place.schedules.values():
        yield from (change for change in schedule_changes(schedule) if change > moment)
    for window in place.windows.values():
        yield from (change for change in window_changes(window) if change > moment)
