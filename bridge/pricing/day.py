"""The local day: 23, 24 or 25 hours between two midnights of the site's own zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


def midnight(moment: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """Return the UTC instant at which the local day of `moment`, moved by `days`, begins."""
    date = moment.astimezone(zone).date() + days * ONE_DAY
    return datetime.combine(date, time(), zone).astimezone(UTC)


def bounds(moment: datetime, zone: ZoneInfo, days: int = 0) -> tuple[datetime, datetime]:
    """Return the half-open UTC span of the local day of `moment`, moved by `days`."""
    return midnight(moment, zone, days), midnight(moment, zone, days + 1)


def next_at(clock: time, zone: ZoneInfo, moment: datetime) -> datetime:
    """Return the first UTC instant after `moment` at which the local clock shows `clock`.

    What it skips in spring comes as long after the change as it lies behind it; what it shows twice in autumn comes twice.
    """
    today = moment.astimezone(zone).date()
    local = [datetime.combine(today + days * ONE_DAY, clock, zone) for days in (-1, 0, 1, 2)]
    first = [shown.astimezone(UTC) for shown in local]
    again = [shown.replace(fold=1).astimezone(UTC) for shown in local]
    twice = [instant for instant in again if instant.astimezone(zone).time() == clock]
    return min(instant for instant in (*first, *twice) if instant > moment)
