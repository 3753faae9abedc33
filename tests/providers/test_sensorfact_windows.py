"""Windows by the site's calendar, and how finely each may be asked for: the provider's tables, months, changes of clocks."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.sensorfact.aggregation import AUTO, LIMITS, Kind, Level, is_too_fine, least, method
from bridge.providers.sensorfact.windows import UTC_ZONE, Absolute, Period, Relative, longer, shifted
from tests.support import FACTS, utc

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
KOLKATA = ZoneInfo("Asia/Kolkata")
WEDNESDAY = utc("2026-06-10T10:05:30")
TABLE = FACTS / "providers" / "fixtures" / "sensorfact" / "aggregation_limits.json"


# relative windows


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1d", "2026-06-08T22:00", "2026-06-09T22:00"),
        ("1d-now", "2026-06-08T22:00", "2026-06-10T10:05:30"),
        ("3d", "2026-06-06T22:00", "2026-06-09T22:00"),
        ("1w", "2026-05-31T22:00", "2026-06-07T22:00"),
        ("2w", "2026-05-24T22:00", "2026-06-07T22:00"),
        ("2w-now", "2026-05-24T22:00", "2026-06-10T10:05:30"),
        ("1M", "2026-04-30T22:00", "2026-05-31T22:00"),
        ("3M", "2026-02-28T23:00", "2026-05-31T22:00"),
        ("6M", "2025-11-30T23:00", "2026-05-31T22:00"),
        ("18M", "2024-11-30T23:00", "2026-05-31T22:00"),
        ("4h", "2026-06-10T06:00", "2026-06-10T10:00"),
        ("4h-now", "2026-06-10T06:00", "2026-06-10T10:05:30"),
    ],
)
def test_a_relative_window_means_what_the_calendar_of_the_site_says(text: str, start: str, end: str) -> None:
    window = Relative.parse(text)
    assert window.bounds(WEDNESDAY, AMSTERDAM) == (utc(start), utc(end))
    assert window.query(UTC_ZONE) == {"previous": text}


def test_whole_hours_are_those_of_the_wall_clock() -> None:
    assert Relative.parse("2h").bounds(utc("2026-06-10T10:05"), KOLKATA) == (utc("2026-06-10T07:30"), utc("2026-06-10T09:30"))


@pytest.mark.parametrize(
    ("moment", "text", "hours"),
    [
        ("2026-10-26T09:00", "1d", 25),
        ("2026-03-30T09:00", "1d", 23),
        ("2026-10-26T09:00", "1w", 169),
        ("2026-03-30T09:00", "1w", 167),
        ("2026-10-25T01:30", "4h", 4),
        ("2026-10-25T00:30", "1h", 1),
    ],
)
def test_days_on_which_the_clock_changes_are_whole_days(moment: str, text: str, hours: int) -> None:
    start, end = Relative.parse(text).bounds(utc(moment), AMSTERDAM)
    assert end - start == timedelta(hours=hours)
    assert least(Kind.ELECTRICITY, lambda period: longer(start, end, period, AMSTERDAM)) == (
        Level(15, "m") if text == "1w" else None
    )


@pytest.mark.parametrize(
    "text", ["", "1", "d", "0d", "1y", "1m", "-1d", "1d-", "1d-Now", "1D", "1.5d", "1 d", "10000d", "1d-now "]
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number and one of M"):
        Relative.parse(text)


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - they get it there
PERIODS = st.builds(Period, st.integers(1, 60), st.sampled_from("hdwM"))


@given(MOMENTS, PERIODS)
def test_a_window_ends_no_later_than_the_moment_and_begins_at_a_start(moment: datetime, period: Period) -> None:
    start, end = Relative(period).bounds(moment, AMSTERDAM)
    assert start < end <= moment
    assert Relative(period, until_now=True).bounds(moment, AMSTERDAM) == (start, moment)
    begun = start.astimezone(AMSTERDAM)
    assert (begun.minute, begun.second) == (0, 0)
    assert period.unit == "h" or begun.hour == 0
    assert period.unit != "w" or begun.weekday() == 0
    assert period.unit != "M" or begun.day == 1


@given(MOMENTS, st.builds(Relative, PERIODS, st.booleans()), st.sampled_from(Kind))
def test_what_a_window_can_never_exceed_it_exceeds_at_no_moment(moment: datetime, window: Relative, kind: Kind) -> None:
    ever = least(kind, window.may_exceed)
    then = least(kind, lambda period: window.exceeds(period, moment, AMSTERDAM, UTC_ZONE))
    assert then is None or (ever is not None and then.length <= ever.length)


# months


@pytest.mark.parametrize(
    ("day", "amount", "unit", "then"),
    [
        ("2026-03-31", -1, "M", "2026-02-28"),
        ("2024-03-31", -1, "M", "2024-02-29"),
        ("2026-01-15", -1, "M", "2025-12-15"),
        ("2026-12-01", 1, "M", "2027-01-01"),
        ("2024-02-29", 1, "y", "2025-02-28"),
        ("2026-06-10", -18, "M", "2024-12-10"),
        ("2026-06-10", 2, "w", "2026-06-24"),
    ],
)
def test_months_are_those_of_the_calendar(day: str, amount: int, unit: str, then: str) -> None:
    assert shifted(date.fromisoformat(day), amount, unit) == date.fromisoformat(then)


# levels


def test_the_limits_are_those_of_the_provider() -> None:
    if not TABLE.is_file():
        pytest.skip("the facts are not here")
    facts = {kind: rows for kind, rows in json.loads(TABLE.read_text("utf-8")).items() if not kind.startswith("_")}
    facts["air"] = facts.pop("air_flow_temperature_pressure")
    ours = {kind.value: [[str(period or "minimum"), str(level)] for period, level in rows] for kind, rows in LIMITS.items()}
    assert ours == facts


START = utc("2026-01-01T00:00")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("kind", "days", "at_most", "beyond"),
    [
        (Kind.ELECTRICITY, 1, None, "15m"),
        (Kind.ELECTRICITY, 7, "15m", "1h"),
        (Kind.ELECTRICITY, 35, "1h", "1d"),
        (Kind.ELECTRICITY, 365, "1d", "1w"),
        (Kind.GAS, 365, "1d", "1d"),
        (Kind.AIR_VOLUME, 2, "1h", "1d"),
        (Kind.AIR_VOLUME, 14, "1d", "1w"),
        (Kind.MAINTENANCE, 1, None, "1h"),
        (Kind.MAINTENANCE, 182, "1d", "1w"),
    ],
)
def test_longer_than_is_strict(kind: Kind, days: int, at_most: str | None, beyond: str) -> None:
    for more, expected in ((timedelta(), at_most), (SECOND, beyond)):
        window = Absolute(START, START + timedelta(days=days) + more)
        found = least(kind, lambda period, window=window: window.exceeds(period, START, AMSTERDAM, UTC_ZONE))  # type: ignore[misc]
        assert (found and str(found)) == expected


@pytest.mark.parametrize(
    ("kind", "window", "level"),
    [
        (Kind.ELECTRICITY, "1d", None),
        (Kind.ELECTRICITY, "24h", None),
        (Kind.ELECTRICITY, "25h", "15m"),
        (Kind.ELECTRICITY, "23h-now", None),
        (Kind.ELECTRICITY, "1d-now", "15m"),
        (Kind.ELECTRICITY, "7d", "15m"),
        (Kind.ELECTRICITY, "1w-now", "1h"),
        (Kind.ELECTRICITY, "1M", "1h"),
        (Kind.ELECTRICITY, "1M-now", "1d"),
        (Kind.ELECTRICITY, "12M", "1d"),
        (Kind.ELECTRICITY, "13M", "1w"),
        (Kind.ELECTRICITY, "12M-now", "1w"),
        (Kind.ELECTRICITY, "53w", "1w"),
        (Kind.AIR_VOLUME, "1h", "1h"),
        (Kind.AIR_VOLUME, "1d-now", "1h"),
        (Kind.MAINTENANCE, "6M", "1w"),
        (Kind.MAINTENANCE, "5M", "1d"),
    ],
)
def test_a_window_of_the_configuration_is_judged_at_its_longest(kind: Kind, window: str, level: str | None) -> None:
    found = least(kind, Relative.parse(window).may_exceed)
    assert (found and str(found)) == level


def test_auto_is_never_too_fine_and_a_coarser_level_neither() -> None:
    floor = Level(1, "h")
    assert [is_too_fine(level, floor) for level in (AUTO, "1h", "60m", "90m", "12h", "1d", "1M")] == [False] * 7
    assert [is_too_fine(level, floor) for level in ("1m", "59m")] == [True, True]
    assert not is_too_fine("1m", None)


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "1y", "1s", "-1m", "1.5h", "Auto", "AUTO", "15m "])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number and one of m"):
        Level.parse(text)


@pytest.mark.parametrize(
    ("gap", "level"),
    [
        (timedelta(minutes=1), "1m"),
        (timedelta(minutes=15), "15m"),
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=12), "12h"),
        (timedelta(hours=23), "1d"),
        (timedelta(hours=25), "1d"),
        (timedelta(days=5, hours=1), "5d"),
        (timedelta(days=7, hours=-1), "1w"),
        (timedelta(days=28), "1M"),
        (timedelta(days=31), "1M"),
    ],
)
def test_a_level_is_known_by_its_spacing(gap: timedelta, level: str) -> None:
    assert str(Level.spanning(gap)) == level


@pytest.mark.parametrize(
    ("level", "start", "end"),
    [
        ("15m", "2026-10-25T00:45", "2026-10-25T01:00"),
        ("1d", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("1d", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("1w", "2026-10-18T22:00", "2026-10-25T23:00"),
        ("1M", "2026-09-30T22:00", "2026-10-31T23:00"),
    ],
)
def test_a_bucket_of_days_ends_where_the_day_does(level: str, start: str, end: str) -> None:
    assert Level.parse(level).moved(utc(start), AMSTERDAM) == utc(end)
    assert Level.parse(level).moved(utc(end), AMSTERDAM, -1) == utc(start)


# methods


@pytest.mark.parametrize(
    ("kind", "field", "said"),
    [
        (Kind.ELECTRICITY, "power", "mean"),
        (Kind.ELECTRICITY, "values.energy", "sum"),
        (Kind.ELECTRICITY, "powerFactor", None),
        (Kind.WATER, "volume", "sum"),
        (Kind.WATER, "flow", "mean"),
        (Kind.WATER, "inletTemperature", "mean"),
        (Kind.WATER, "temperature.outlet", "mean"),
        (Kind.WATER, "temperature_difference", "mean"),
        (Kind.WATER, "thermalEnergy", "sum"),
        (Kind.GAS, "energy", "sum"),
        (Kind.GAS, "power", "mean"),
        (Kind.GAS, "volume", "sum"),
        (Kind.AIR, "pressure", "mean"),
        (Kind.AIR, "volume", None),
        (Kind.AIR_VOLUME, "value", "sum"),
        (Kind.MAINTENANCE, "anything", "p95"),
    ],
)
def test_how_a_value_was_put_together_is_what_the_tables_say(kind: Kind, field: str, said: str | None) -> None:
    assert method(kind, "renamed", field) == said


def test_a_quantity_may_tell_it_where_the_field_does_not() -> None:
    assert method(Kind.ELECTRICITY, "power", "v1") == "mean"
