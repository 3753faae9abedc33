"""Windows and buckets by the site's calendar, and how finely a window may be asked for, as the provider's page has it."""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

D = TypeVar("D", bound=date)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = {"m": timedelta(minutes=1), "h": HOUR, "d": DAY, "w": 7 * DAY}
LEVELS = ("1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d", "5d", "1w", "1M")  # the finest first
USUAL_ROWS = (("1d", "15m"), ("1w", "1h"), ("5w", "1d"))
ROWS: Mapping[str, tuple[tuple[str, str], ...]] = {  # longer than → at the least
    "electricity": (*USUAL_ROWS, ("1y", "1w")),
    "water": (*USUAL_ROWS, ("1y", "1d")),
    "gas": (*USUAL_ROWS, ("1y", "1d")),
    "air": (*USUAL_ROWS, ("1y", "1d")),
    "air_volume": (("0d", "1h"), ("2d", "1d"), ("2w", "1w"), ("1y", "1w")),
    "maintenance": (("1d", "1h"), ("5w", "1d"), ("26w", "1w")),
}


def parted(text: str) -> tuple[int, str]:
    """Return amount and unit of `15m`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,4})([mhdwMy])", text)
    if found is None:
        raise ValueError(text)
    return int(found[1]), found[2]


def window(previous: str, moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the span of `2w` or `2w-now`. Raises ValueError."""
    amount, unit = parted(previous.removesuffix("-now"))
    if unit not in "hdwM" or not amount:
        raise ValueError(previous)
    local = moment.astimezone(zone)
    if unit == "h":
        end = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        start = end - amount * HOUR
    else:
        day = {"d": local.date(), "w": local.date() - local.weekday() * DAY, "M": local.date().replace(day=1)}[unit]
        start, end = _midnight(_moved(day, -amount, unit), zone), _midnight(day, zone)
    return start, moment if previous.endswith("-now") else end


def floor_of(kind: str, start: datetime, end: datetime, zone: ZoneInfo) -> str | None:
    """Return the finest level that there may be for a window, counted by the clock on the wall of `zone`."""
    begin, stop = (each.astimezone(zone).replace(tzinfo=None) for each in (start, end))
    allowed = None
    for period, level in ROWS[kind]:
        if _moved(begin, *parted(period)) < stop:
            allowed = level
    return allowed


def is_finer(level: str, than: str) -> bool:
    return LEVELS.index(level) < LEVELS.index(than)


def buckets(start: datetime, end: datetime, level: str, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield the buckets that begin in [start, end): parts of a day count from midnight, weeks from Monday."""
    amount, unit = parted(level)
    day = start.astimezone(zone).date()
    if unit == "w":
        day -= day.weekday() * DAY
    elif unit == "M":
        day = day.replace(day=1)
    while (begin := _midnight(day, zone)) < end:
        following = _moved(day, 1 if unit in "mh" else amount, "d" if unit in "mh" else unit)
        after = _midnight(following, zone)
        step = amount * STEPS[unit] if unit in "mh" else after - begin
        while begin < after and begin < end:
            if begin >= start:
                yield begin, min(begin + step, after)
            begin += step
        day = following


def _moved(day: D, amount: int, unit: str) -> D:
    if unit in STEPS:
        return day + amount * STEPS[unit]
    month = day.year * 12 + day.month - 1 + amount * (12 if unit == "y" else 1)
    year, index = divmod(month, 12)
    return day.replace(year=year, month=index + 1, day=min(day.day, calendar.monthrange(year, index + 1)[1]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
