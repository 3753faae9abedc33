"""The mean price of the 24 hours before and after, of an hour, and how far a price is off.

24 hours are 24 hours also on the days on which the clock changes: they are counted through UTC, never by the wall clock.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bridge.models.price import HOUR
from bridge.pricing.sums import Sums, Total, least_seconds

DAY_S = 86_400


def trailing(sums: Sums, start: int, least: Decimal) -> Total | None:
    """Return Σ(price · seconds) over [start - 24 h, start), or None where less than `least` % of it is known."""
    return _enough(sums.total(start - DAY_S, start), least_seconds(DAY_S, least))


def all_trailing(sums: Sums, least: Decimal) -> list[Total | None]:
    """Return `trailing` of every slot's start."""
    first, last = sums.marks(start - DAY_S for start in sums.starts), sums.marks(sums.starts)
    least_s = least_seconds(DAY_S, least)
    return [_enough(total, least_s) for total in sums.totals(first, last)]


def leading(sums: Sums, start: int, least: Decimal) -> Total | None:
    """Return the same over [start, start + 24 h)."""
    return _enough(sums.total(start, start + DAY_S), least_seconds(DAY_S, least))


def difference(price: int, mean: Total | None) -> Decimal | None:
    """Return (price − mean) / |mean| · 100, in %, or None where the mean is unknown or 0.

    Negative is cheaper than the mean, whatever the sign of the mean.
    """
    if mean is None or not mean.sum:
        return None
    return Decimal(100 * (price * mean.seconds - mean.sum)) / abs(mean.sum)


def hour(sums: Sums, moment: datetime, zone: ZoneInfo) -> Decimal | None:
    """Return the mean of the 60 minutes of the local clock hour in which `moment` lies, of what is known of it."""
    local = moment.astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = sums.second(moment - into)
    return sums.mean(start, start + HOUR.seconds)


def _enough(total: Total, least_s: int) -> Total | None:
    return total if total.is_known(least_s) else None
