"""When to ask Tibber: pure. Tomorrow's prices come from 13:00 in Oslo on, often later; clients that ask then must spread out.

A punctual day costs five requests (homes, prices, three times readings), a late one twelve at most, however many the homes.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.models.price import Curve
from bridge.pricing.day import bounds, midnight

OSLO = ZoneInfo("Europe/Oslo")
RELEASE = time(13)
RELEASE_SPREAD = timedelta(minutes=50)  # what Tibber's own app waits at random, at the most
MIDNIGHT_SPREAD = timedelta(minutes=10)  # after 00:02
LAST_CALL = timedelta(minutes=40)  # before midnight, spread over half of it
HOMES_EVERY = timedelta(hours=25)  # once on any day, also on the one of 25 hours
READINGS_EVERY = timedelta(hours=8, minutes=20)  # three times on any day
FIRST_RETRY = timedelta(minutes=25)
LONGEST_RETRY = timedelta(hours=3)


def released(moment: datetime, share: float) -> datetime:
    """Return when this installation asks for tomorrow's prices on Oslo's day of `moment`."""
    day = moment.astimezone(OSLO).date()
    return datetime.combine(day, RELEASE, OSLO).astimezone(UTC) + share * RELEASE_SPREAD


def next_release(moment: datetime, share: float) -> datetime:
    """Return the first release after `moment`."""
    today = released(moment, share)
    return today if today > moment else released(midnight(moment, OSLO, 1), share)


def lacking(curve: Curve | None, zone: ZoneInfo, moment: datetime, share: float) -> str | None:
    """Return which day's prices ought to be known by now and are not: `today`, `tomorrow`, or None."""
    day_end, tomorrow_end = midnight(moment, zone, 1), midnight(moment, zone, 2)
    if curve is None or not curve.covers(moment, day_end):
        return "today"
    if moment >= released(moment, share) and not curve.covers(day_end, tomorrow_end):
        return "tomorrow"
    return None


def retry(moment: datetime, tries: int, share: float, jitter: float) -> datetime:
    """Return when to ask again after `tries` (from 1) vain ones; `jitter` is around 1.

    No wait passes over the last call before midnight, when the price of the next minute is at stake, or over the one after it.
    """
    later = moment + back_off(tries, jitter)
    new_day = midnight(moment, OSLO, 1)
    calls = (new_day - LAST_CALL + share * LAST_CALL / 2, new_day + timedelta(minutes=2) + share * MIDNIGHT_SPREAD)
    return min(later, *(call for call in calls if call > moment))


def back_off(tries: int, jitter: float) -> timedelta:
    """Return the wait after `tries` (from 1) vain attempts."""
    return jitter * min(FIRST_RETRY * (1 << min(tries - 1, 10)), LONGEST_RETRY)


def progress(curve: Curve | None, zone: ZoneInfo, moment: datetime, day: int) -> str:
    """Return how much of a local day is known, such as `10 h of 24 h`."""
    start, end = bounds(moment, zone, day)
    slots = curve.between(start, end) if curve else ()
    known = sum((slot.end - slot.start for slot in slots), timedelta())
    return f"{known / timedelta(hours=1):g} h of {(end - start) / timedelta(hours=1):g} h"
