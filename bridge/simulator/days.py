"""Slots of every resolution in a home's local time.

All starts are UTC instants, so the doubled hour of an autumn day has four quarters of its own.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MONTHS = 12


class Resolution(StrEnum):
    """The provider's names of slot lengths; those from DAILY on follow the local calendar."""

    QUARTER_HOURLY = "QUARTER_HOURLY"
    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    ANNUAL = "ANNUAL"


LENGTHS = {Resolution.QUARTER_HOURLY: timedelta(minutes=15), Resolution.HOURLY: timedelta(hours=1)}
QUARTER = LENGTHS[Resolution.QUARTER_HOURLY]


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which `day` begins in `zone`."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def stamp(moment: datetime, zone: ZoneInfo) -> str:
    """Return the local wall clock with milliseconds and offset, as in "2024-12-06T14:00:00.000+01:00"."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def floor(moment: datetime, resolution: Resolution, zone: ZoneInfo) -> datetime:
    """Return the start of the slot that holds `moment`; weeks begin on Monday."""
    if length := LENGTHS.get(resolution):
        local = moment.astimezone(zone)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond) % length
        return moment.astimezone(UTC) - past
    day = local_day(moment, zone)
    if resolution is Resolution.WEEKLY:
        day -= timedelta(days=day.weekday())
    elif resolution is Resolution.MONTHLY:
        day = day.replace(day=1)
    elif resolution is Resolution.ANNUAL:
        day = day.replace(month=1, day=1)
    return midnight(day, zone)


def ceiling(moment: datetime, resolution: Resolution, zone: ZoneInfo) -> datetime:
    """Return the first slot start that is not before `moment`."""
    start = floor(moment, resolution, zone)
    return start if start == moment else shift(start, resolution, zone)


def shift(start: datetime, resolution: Resolution, zone: ZoneInfo, count: int = 1) -> datetime:
    """Return the start `count` slots later, or earlier where negative; `start` must be a slot start."""
    if length := LENGTHS.get(resolution):
        return start + length * count
    day = local_day(start, zone)
    if resolution in {Resolution.DAILY, Resolution.WEEKLY}:
        return midnight(day + timedelta(days=count * (1 if resolution is Resolution.DAILY else 7)), zone)
    months = day.year * MONTHS + day.month - 1 + count * (1 if resolution is Resolution.MONTHLY else MONTHS)
    return midnight(date(months // MONTHS, months % MONTHS + 1, 1), zone)


def starts(begin: datetime, end: datetime, resolution: Resolution, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the slot starts in [begin, end); `begin` must be a slot start."""
    while begin < end:
        yield begin
        begin = shift(begin, resolution, zone)
