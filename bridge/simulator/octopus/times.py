"""London's clock, and the three ways in which the provider writes a time.

A day of Agile prices is no day of London's: it goes from 23:00 to 23:00, as the auction's day is Central European.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from graphql import GraphQLError

from bridge.simulator.days import midnight
from bridge.simulator.octopus.errors import odd

LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
AGILE_ENDS = time(23)
READ_AT = time(6)  # when yesterday's half-hours arrive
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # nothing was before


def stamp(moment: datetime, zone: ZoneInfo | None = None) -> str:
    """Return the GraphQL form, as in "2026-06-10T08:00:00+01:00"; UTC without a `zone`."""
    return moment.astimezone(zone or UTC).isoformat()


def stamp_or_null(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def zulu(moment: datetime) -> str:
    """Return the form of REST rates."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(moment: datetime) -> str:
    """Return the form of REST readings: with London's offset, which in winter is written "Z"."""
    return moment.astimezone(LONDON).isoformat().replace("+00:00", "Z")


def parsed(text: str, zone: ZoneInfo = LONDON) -> datetime:
    """Return the UTC instant; a naive time counts as local. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def asked(text: str | None, zone: ZoneInfo = LONDON) -> datetime | None:
    """Return the instant of a GraphQL argument, or None where it was not given or lies before any time we know."""
    if text is None:
        return None
    try:
        return parsed(text, zone)
    except OverflowError:
        return None
    except ValueError:
        raise odd(f"DateTime cannot represent value: '{text}'") from None


def day_of(text: str) -> date:
    """Return the day of a GraphQL argument."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise odd(f"Date cannot represent value: '{text}'") from None


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise GraphQLError(f"There is no time zone '{name}'.") from error


def today(moment: datetime) -> date:
    """Return London's date."""
    return moment.astimezone(LONDON).date()


def at(day: date, clock: time) -> datetime:
    """Return the UTC instant of London's wall clock."""
    return datetime.combine(day, clock, LONDON).astimezone(UTC)


def agile_until(moment: datetime, publish_at: time | None) -> datetime:
    """Return the end of the Agile prices that are out: tomorrow's come at `publish_at`, or with None only as the day begins."""
    day = today(moment)
    out = publish_at is not None and moment >= at(day, publish_at)
    return at(day + timedelta(days=1) if out else day, AGILE_ENDS)


def read_until(moment: datetime) -> datetime:
    """Return the end of the half-hours that have arrived: all of a day in the morning of the next one."""
    day = today(moment)
    return midnight(day if moment >= at(day, READ_AT) else day - timedelta(days=1), LONDON)


def half_hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the starts of the half-hours that overlap [begin, end)."""
    start = begin.replace(minute=begin.minute // 30 * 30, second=0, microsecond=0)
    while start < end:
        yield start
        start += HALF_HOUR
