"""The local day: 92, 96 or 100 quarter-hours, from midnight to midnight wherever the site lies."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import QUARTER_HOUR
from bridge.pricing.day import bounds, midnight, next_at
from tests.support import utc

zones = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
moments = st.datetimes(datetime(2012, 1, 2), datetime(2037, 12, 30)).map(lambda moment: utc(moment.isoformat()))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "noon", "start", "quarters"),
    [
        ("Europe/Berlin", "2026-06-10T12:00:00", "2026-06-09T22:00:00", 96),
        ("Europe/Berlin", "2026-03-29T12:00:00", "2026-03-28T23:00:00", 92),
        ("Europe/Berlin", "2026-10-25T12:00:00", "2026-10-24T22:00:00", 100),
        ("Europe/Oslo", "2026-12-31T12:00:00", "2026-12-30T23:00:00", 96),
        ("Europe/London", "2026-03-29T12:00:00", "2026-03-29T00:00:00", 92),
        ("Europe/London", "2026-10-25T12:00:00", "2026-10-24T23:00:00", 100),
        ("Asia/Kolkata", "2026-06-10T12:00:00", "2026-06-09T18:30:00", 96),
        ("Australia/Lord_Howe", "2026-10-04T03:00:00", "2026-10-03T13:30:00", 94),
        ("America/Sao_Paulo", "2018-11-04T12:00:00", "2018-11-04T03:00:00", 92),
        ("America/Sao_Paulo", "2018-02-17T12:00:00", "2018-02-17T02:00:00", 100),
        ("America/Sao_Paulo", "2018-02-18T12:00:00", "2018-02-18T03:00:00", 96),
        ("Asia/Beirut", "2026-03-29T12:00:00", "2026-03-28T22:00:00", 92),
        ("Asia/Beirut", "2026-10-24T12:00:00", "2026-10-23T21:00:00", 100),
        ("America/Havana", "2026-11-01T12:00:00", "2026-11-01T04:00:00", 100),
    ],
)
def test_a_local_day_has_its_own_length(zone: str, noon: str, start: str, quarters: int) -> None:
    begin = utc(start)
    assert bounds(utc(noon), ZoneInfo(zone)) == (begin, begin + quarters * QUARTER_HOUR)


@pytest.mark.parametrize(("days", "start"), [(-1, "2026-10-23T22:00:00"), (1, "2026-10-25T23:00:00"), (2, "2026-10-26T23:00:00")])
def test_days_are_counted_by_the_calendar(days: int, start: str) -> None:
    assert midnight(utc("2026-10-25T12:00:00"), ZoneInfo("Europe/Berlin"), days) == utc(start)


def test_midnight_belongs_to_the_day_that_begins() -> None:
    berlin, start = ZoneInfo("Europe/Berlin"), utc("2026-06-09T22:00:00")
    assert midnight(start, berlin) == start
    assert midnight(start - timedelta(microseconds=1), berlin) == start - timedelta(days=1)


@given(moments, zones)
def test_every_moment_lies_in_its_day(moment: datetime, zone: ZoneInfo) -> None:
    start, end = bounds(moment, zone)
    assert start <= moment < end


@given(moments, zones)
def test_days_follow_each_other_without_a_gap(moment: datetime, zone: ZoneInfo) -> None:
    assert bounds(moment, zone)[1] == bounds(moment, zone, 1)[0]


@given(moments, zones)
def test_all_moments_of_a_day_have_the_same_day(moment: datetime, zone: ZoneInfo) -> None:
    day = bounds(moment, zone)
    assert bounds(day[0], zone) == bounds(day[1] - timedelta(microseconds=1), zone) == day


@pytest.mark.parametrize(
    ("moment", "clock", "instant"),
    [
        ("2026-06-10T12:00", "07:00", "2026-06-11T05:00"),
        ("2026-06-10T04:59", "07:00", "2026-06-10T05:00"),
        ("2026-06-10T05:00", "07:00", "2026-06-11T05:00"),  # it is after the moment
        ("2026-06-10T22:30", "00:15", "2026-06-11T22:15"),
        ("2026-03-28T20:00", "07:00", "2026-03-29T05:00"),  # across the change in spring
        ("2026-03-28T20:00", "02:30", "2026-03-29T01:30"),  # which the clock skips: 03:30
        ("2026-03-29T01:30", "02:30", "2026-03-30T00:30"),
        ("2026-10-24T20:00", "07:00", "2026-10-25T06:00"),  # across the change in autumn
        ("2026-10-24T20:00", "02:30", "2026-10-25T00:30"),  # the first of two
        ("2026-10-25T00:30", "02:30", "2026-10-25T01:30"),  # the second
        ("2026-10-25T01:30", "02:30", "2026-10-26T01:30"),
    ],
)
def test_a_time_on_the_local_clock_comes_next_at_one_instant(moment: str, clock: str, instant: str) -> None:
    assert next_at(time.fromisoformat(clock), ZoneInfo("Europe/Berlin"), utc(moment)) == utc(instant)


@given(zones, moments, st.integers(0, 23), st.integers(0, 59))
def test_the_next_time_on_the_clock_is_less_than_two_days_ahead_and_shown_there_unless_it_is_skipped(
    zone: ZoneInfo, moment: datetime, hour: int, minute: int
) -> None:
    found = next_at(time(hour, minute), zone, moment)
    assert moment < found <= moment + timedelta(hours=49)
    shown = found.astimezone(zone).replace(second=0)
    skipped = shown.utcoffset() != (found - timedelta(days=1)).astimezone(zone).utcoffset()
    assert shown.time() == time(hour, minute) or skipped
