"""The spans of time that measurements are asked for: pure.

A relative window has calendar meaning in the site's own zone: `1d` is yesterday and not 24 hours, `2w` two weeks from Monday on.
Source: https://api-docs.sensorfact.nl/docs/key-concepts, "Measurement queries".
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

D = TypeVar("D", bound=date)  # a date, or a wall-clock time

FIXED = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
MONTHS = {"M": 1, "y": 12}
MONTHS_A_YEAR = 12
SHORTEST_YEAR = timedelta(days=365)
FOUR_YEARS = [
    date(2024 + month // 12, month % 12 + 1, 1) for month in range(48)
]  # the first of each month, a leap day among them
RELATIVE = re.compile(r"([1-9]\d{0,3})([Mwdh])(-now)?")
UTC_ZONE = ZoneInfo("UTC")


class Period(NamedTuple):
    """So many minutes, hours, days, weeks, months or years of the calendar: `m`, `h`, `d`, `w`, `M`, `y`."""

    amount: int
    unit: str

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"

    @property
    def shortest(self) -> timedelta:
        """How long it lasts at the least, on days of 24 hours."""
        if self.unit in FIXED:
            return self.amount * FIXED[self.unit]
        if self.unit == "y":
            return self.amount * SHORTEST_YEAR
        return min(shifted(first, self.amount, "M") - first for first in FOUR_YEARS)

    @property
    def longest(self) -> timedelta:
        """How long it lasts at the most, on days of 24 hours."""
        if self.unit in FIXED:
            return self.shortest
        return max(shifted(first, self.amount, self.unit) - first for first in FOUR_YEARS)


class Absolute(NamedTuple):
    """The window [start, end)."""

    start: datetime
    end: datetime

    def bounds(self, _: datetime, __: ZoneInfo) -> tuple[datetime, datetime]:
        return self.start, self.end

    def query(self, zone: ZoneInfo) -> dict[str, str]:
        """Return the parameters, as the wall clock of `zone` shows these instants."""
        return {"from": _wall(self.start, zone), "to": _wall(self.end, zone)}

    def exceeds(self, period: Period, moment: datetime, site: ZoneInfo, sent: ZoneInfo) -> bool:  # noqa: ARG002 - as Relative's
        """Tell whether it is longer than `period`, counted in the zone in which it is `sent`."""
        return longer(self.start, self.end, period, sent)


@dataclass(frozen=True)
class Relative:
    """The last so many whole hours, days, weeks or months; `until_now`, and what has passed since then."""

    period: Period
    until_now: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what `text` such as `1d` or `2w-now` means. Raises ValueError."""
        found = RELATIVE.fullmatch(text)
        if found is None:
            raise ValueError("must be a number and one of M (months), w, d, h, perhaps with -now behind, such as 1d or 2w-now")
        return cls(Period(int(found[1]), found[2]), found[3] is not None)

    def __str__(self) -> str:
        return f"{self.period}{'-now' if self.until_now else ''}"

    def query(self, _: ZoneInfo) -> dict[str, str]:
        return {"previous": str(self)}

    def bounds(self, moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the UTC span that it means at `moment` to a site in `zone`."""
        amount, unit = self.period
        local = moment.astimezone(zone)
        if unit == "h":
            whole = moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return whole - amount * FIXED["h"], moment if self.until_now else whole
        today = local.date()
        begun = {"d": today, "w": today - timedelta(days=today.weekday()), "M": today.replace(day=1)}[unit]
        return _midnight(shifted(begun, -amount, unit), zone), moment if self.until_now else _midnight(begun, zone)

    def exceeds(self, period: Period, moment: datetime, site: ZoneInfo, sent: ZoneInfo) -> bool:  # noqa: ARG002 - as Absolute's
        """Tell whether it is longer than `period` at `moment`, by the calendar of the `site`."""
        return longer(*self.bounds(moment, site), period, UTC_ZONE if self.period.unit == "h" else site)

    def may_exceed(self, period: Period) -> bool:
        """Tell whether it is longer than `period` at any moment there is."""
        most = self.period._replace(amount=self.period.amount + self.until_now)
        if most.unit in MONTHS and period.unit in MONTHS:
            return most.amount * MONTHS[most.unit] > period.amount * MONTHS[period.unit]
        return most.longest > period.shortest


Window = Absolute | Relative


def longer(start: datetime, end: datetime, period: Period, zone: ZoneInfo) -> bool:
    """Tell whether [start, end) is longer than `period` by the wall clock of `zone`: 25 hours of an autumn day are one day."""
    begin, stop = (moment.astimezone(zone).replace(tzinfo=None) for moment in (start, end))
    return shifted(begin, *period) < stop


def shifted(wall: D, amount: int, unit: str) -> D:
    """Return a date or wall-clock time moved by so many of `unit`; where a month has not that day, its last one."""
    if unit in FIXED:
        return wall + amount * FIXED[unit]
    year, month = divmod(wall.year * MONTHS_A_YEAR + wall.month - 1 + amount * MONTHS[unit], MONTHS_A_YEAR)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, monthrange(year, month + 1)[1]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _wall(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")
