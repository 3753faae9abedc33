"""Windows: the cheapest span of each day's frame, as the configuration names it. Pure.

One that has begun stays where it is, whatever becomes known meanwhile: a device that was switched on is not switched off for a
better price.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.models.plan import Segment
from bridge.models.price import Curve, Instant
from bridge.pricing.cheapest import Wanted, cheapest
from bridge.pricing.day import ONE_DAY
from bridge.pricing.segments import begun, joined, length, mean, running
from bridge.pricing.settings import Length

MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
MIDNIGHT = time()
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _wall_clock(clock: time) -> time:
    if clock.tzinfo is not None or clock.second or clock.microsecond:
        raise ValueError('must be local time, hours and minutes, such as "18:00"')
    return clock


def _whole(duration: timedelta) -> timedelta:
    if not MINUTE <= duration <= ONE_DAY or duration % MINUTE:
        raise ValueError("must be whole minutes, from PT1M to P1D")
    return duration


WallClock = Annotated[time, AfterValidator(_wall_clock)]


class WindowSettings(BaseModel):
    """`[sources.NAME.windows.WINDOW]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    duration: Annotated[Length, AfterValidator(_whole)]
    contiguous: bool = True
    stream: str = Field(default="import", pattern=r"^[a-z][a-z0-9-]*$")
    not_before: WallClock | None = None  # local; default: the deadline of the day before, or midnight
    deadline: WallClock | None = None  # local, when all must be done; default: not_before of the next day, or midnight
    days: tuple[Weekday, ...] = Field(default=WEEK, min_length=1)  # on which the frame begins

    @model_validator(mode="after")
    def _fits(self) -> Self:
        opening, close = self.clocks
        begin, end = (timedelta(hours=clock.hour, minutes=clock.minute) for clock in (opening, close))
        if self.duration > (end - begin) % ONE_DAY and begin != end:
            raise ValueError("duration is longer than the time from not_before to deadline")
        return self

    @property
    def clocks(self) -> tuple[time, time]:
        """What the local clock shows where a frame begins, and where it ends."""
        begin = (self.deadline or MIDNIGHT) if self.not_before is None else self.not_before
        return begin, begin if self.deadline is None else self.deadline


class Frame(NamedTuple):
    """The span in which a window may lie, half-open."""

    start: datetime
    end: datetime


class Chosen(BaseModel):
    """The window of one frame: its segments in order, one where it is contiguous, and their mean price."""

    model_config = ConfigDict(frozen=True)

    frame: tuple[Instant, Instant]
    segments: tuple[Segment, ...]
    mean: Decimal

    @property
    def start(self) -> datetime:
        return self.segments[0].start

    @property
    def end(self) -> datetime:
        return self.segments[-1].end

    def running(self, moment: datetime) -> Segment | None:
        """Return the segment in force at `moment`, or None."""
        return running(self.segments, moment)


class Window(BaseModel):
    """A named window at one site: what it was chosen by, and the choice of each frame that is not over, in order."""

    model_config = ConfigDict(frozen=True)

    name: str
    settings: WindowSettings
    chosen: tuple[Chosen, ...] = ()

    def at(self, moment: datetime) -> Chosen | None:
        """Return the window in force at `moment`, or else the next one, or None where none is known."""
        return next((chosen for chosen in self.chosen if chosen.end > moment), None)


def rechosen(window: Window, curve: Curve, zone: ZoneInfo, moment: datetime) -> Window:
    """Return `window` as it is to be from `moment` on, by what is known of prices now.

    In each frame it is the cheapest of what is known and still to come. What has begun stays; of a window in pieces the pieces
    that have begun stay, and the rest is chosen anew. A frame whose window is over has had it.
    """
    before = {chosen.frame: chosen for chosen in window.chosen}
    settings = window.settings
    reach = max(moment, curve.end or moment)  # also what has begun by prices that are not known any more stays
    found = (_in(frame, before.get(frame), settings, curve, moment) for frame in frames(settings, zone, moment, reach))
    return window.model_copy(update={"chosen": tuple(chosen for chosen in found if chosen is not None)})


def frames(settings: WindowSettings, zone: ZoneInfo, moment: datetime, until: datetime) -> Iterator[Frame]:
    """Yield the frames that end after `moment` and do not begin after `until`, in order.

    One of an hour or less may lie in the hour that the clock skips in spring: that day has none.
    """
    opening, close = settings.clocks
    today = moment.astimezone(zone).date() - ONE_DAY
    while (start := _instant(today, opening, zone)) <= until:
        end = _instant(today, close, zone)
        if close <= opening:
            end = _instant(today + ONE_DAY, close, zone)
        if end > max(start, moment) and WEEK[today.weekday()] in settings.days:
            yield Frame(start, end)
        today += ONE_DAY


def _in(frame: Frame, before: Chosen | None, settings: WindowSettings, curve: Curve, moment: datetime) -> Chosen | None:
    """Return the window of `frame`: from the next quarter-hour on, or the next minute where it is too late for that."""
    found = (_from(_next(step, moment), frame, before, settings, curve, moment) for step in (QUARTER, MINUTE))
    return next((chosen for chosen in found if chosen is not None), None)


def _from(
    soonest: datetime, frame: Frame, before: Chosen | None, settings: WindowSettings, curve: Curve, moment: datetime
) -> Chosen | None:
    soonest = max(frame.start, soonest)
    whole = min(settings.duration, frame.end - frame.start)  # a night that lacks an hour may be shorter than it ought to be
    if before is None or before.start > moment:
        return _choice(frame, (), Wanted(whole, contiguous=settings.contiguous), curve, soonest)
    standing = begun(before.segments, moment)
    rest = whole - length(standing)
    if settings.contiguous or not rest:
        return before
    return _choice(frame, standing, Wanted(rest, contiguous=False), curve, max(soonest, standing[-1].end)) or before


def _choice(frame: Frame, standing: tuple[Segment, ...], rest: Wanted, curve: Curve, soonest: datetime) -> Chosen | None:
    """Return `standing` with the cheapest `rest` of [soonest, frame.end), None where nothing known fits."""
    found = cheapest(curve, rest, soonest, frame.end)
    if found is None:
        return None
    segments = joined((*standing, *found.segments))
    return Chosen(frame=frame, segments=segments, mean=mean(segments))


def _next(step: timedelta, moment: datetime) -> datetime:
    """Return the next whole `step` of the clock after `moment`: what is chosen now begins later, and its beginning is seen."""
    return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % step + step


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the first UTC instant at which the local clock shows `clock` on `day`; where it is skipped, an hour later."""
    local = datetime.combine(day, clock, zone)
    return local.astimezone(UTC)
