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
