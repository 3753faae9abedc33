"""From rates to half-hours: pence become pounds, rows of any length become slots, also on the days of 23 and 25 hours."""

import logging
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.models.price import Curve, Slot
from bridge.pricing.day import bounds
from bridge.providers.octopus.household import Tariff
from bridge.providers.octopus.tariffs import (
    HALF_HOUR,
    UTC_ZONE,
    Night,
    Rate,
    by_day_and_night,
    listed_rates,
    night_of,
    rest_rates,
    slots,
)
from tests.providers.wire import from_json
from tests.support import utc

LONDON = ZoneInfo("Europe/London")
DAYS = [("2026-06-10", 48), ("2026-01-10", 48), ("2026-03-29", 46), ("2026-10-25", 50)]  # the last two change the clock
DAY, NIGHT = [Rate(None, None, Decimal(28))], [Rate(None, None, Decimal(7))]


def row(pence: object, start: str | None = "2026-06-10T00:00", end: str | None = None, method: str | None = None) -> Any:
    """Return a row as REST gives it; `start` and `end` in UTC."""
    begin, stop = (None if text is None else f"{text}:00Z" for text in (start, end))
    return from_json(
        {"value_exc_vat": 1.0, "value_inc_vat": pence, "valid_from": begin, "valid_to": stop, "payment_method": method}
    )


def half_hours(*rows: Any, begin: str = "2026-06-10T00:00", end: str = "2026-06-10T02:00") -> list[tuple[str, str]]:
    found = slots(rest_rates(rows, "direct_debit"), utc(begin), utc(end))
    return [(f"{slot.start:%H:%M}-{slot.end:%H:%M}", str(slot.value)) for slot in found]


def local_day(text: str) -> tuple[datetime, datetime]:
    return bounds(utc(f"{text}T12:00"), LONDON)


def cheap(found: tuple[Slot, ...], pence: int = 7) -> list[str]:
    """Return the London times of the slots that cost so much."""
    return [f"{slot.start.astimezone(LONDON):%H:%M}" for slot in found if slot.value == Decimal(pence) / 100]


def run_of(start: str, end: str, date: str = "2026-06-10") -> list[str]:
    """Return the London times of the half-hours of [start, end) on an ordinary day."""
    begin, stop = (datetime.fromisoformat(f"{date}T{text}") for text in (start, end))
    return [f"{begin + number * HALF_HOUR:%H:%M}" for number in range((stop - begin) // HALF_HOUR)]


# days of 23, 24 and 25 hours


@pytest.mark.parametrize(("date", "count"), DAYS)
def test_a_day_has_each_of_its_half_hours_once_by_utc(date: str, count: int) -> None:
    begin, end = local_day(date)
    starts = [begin + number * HALF_HOUR for number in range((end - begin) // HALF_HOUR)]
    rows = [row(number, f"{start:%Y-%m-%dT%H:%M}", f"{start + HALF_HOUR:%Y-%m-%dT%H:%M}") for number, start in enumerate(starts)]
    found = slots(rest_rates(reversed(rows), "direct_debit"), begin, end)
    assert found == tuple(Slot(start, start + HALF_HOUR, Decimal(number) / 100) for number, start in enumerate(starts))
    assert len({slot.start for slot in found}) == count


def test_the_second_half_past_one_in_autumn_has_a_price_of_its_own() -> None:
    rows = [row(1, "2026-10-25T00:30", "2026-10-25T01:00"), row(2, "2026-10-25T01:30", "2026-10-25T02:00")]
    first, second = slots(rest_rates(rows, "direct_debit"), *local_day("2026-10-25"))
    assert [f"{slot.start.astimezone(LONDON):%H:%M}" for slot in (first, second)] == ["01:30", "01:30"]
    assert (first.value, second.value) == (Decimal("0.01"), Decimal("0.02"))


@pytest.mark.parametrize(
    ("date", "night", "count"),
    [
        ("2026-06-10", ("2026-06-09T23:30", "2026-06-10T04:30"), 10),
        ("2026-01-10", ("2026-01-10T00:30", "2026-01-10T05:30"), 10),
        ("2026-03-29", ("2026-03-29T00:30", "2026-03-29T04:30"), 8),
        ("2026-10-25", ("2026-10-24T23:30", "2026-10-25T05:30"), 12),
    ],
)
def test_a_few_rows_of_go_fill_the_whole_day(date: str, night: tuple[str, str], count: int) -> None:
    begin, end = local_day(date)
    before, after = (utc(text) - timedelta(hours=19) * side for text, side in zip(night, (1, -1), strict=True))
    rows = [row(28, night[1], f"{after:%Y-%m-%dT%H:%M}"), row(7, *night), row(28, f"{before:%Y-%m-%dT%H:%M}", night[0])]
    found = slots(rest_rates(rows, "direct_debit"), begin, end)
    assert Curve(currency="GBP", slots=found).covers(begin, end)
    assert len(found) == dict(DAYS)[date]
    assert len(cheap(found)) == count
    assert (cheap(found)[0], cheap(found)[-1]) == ("00:30", "05:00")


@pytest.mark.parametrize(("date", "count"), DAYS)
def test_economy_7_counts_its_night_in_utc_whatever_the_clock_says(date: str, count: int) -> None:
    begin, end = local_day(date)
    found = slots(by_day_and_night(DAY, NIGHT, Night(time(0, 30), time(7, 30), UTC_ZONE), begin, end), begin, end)
    assert len(found) == count
    assert [slot.start for slot in found if slot.value == Decimal("0.07")] == [
        utc(f"{date}T00:30") + number * HALF_HOUR for number in range(14)
    ]


@pytest.mark.parametrize(("date", "count", "nights"), [(*DAYS[0], 12), (*DAYS[1], 12), (*DAYS[2], 10), (*DAYS[3], 14)])
def test_intelligent_go_counts_its_night_by_the_clock_in_london(date: str, count: int, nights: int) -> None:
    begin, end = local_day(date)
    found = slots(by_day_and_night(DAY, NIGHT, Night(time(23, 30), time(5, 30), LONDON), begin, end), begin, end)
    assert len(found) == count
    assert len(cheap(found)) == nights
    assert set(cheap(found)) >= {"00:00", "00:30", "05:00", "23:30"}
    assert not {"05:30", "23:00"} & set(cheap(found))


def test_an_old_meter_counts_from_midnight_to_seven() -> None:
    begin, end = local_day("2026-06-10")
    found = slots(by_day_and_night(DAY, NIGHT, Night(time(0), time(7), LONDON), begin, end), begin, end)
    assert cheap(found) == run_of("00:00", "07:00")


def test_a_night_rate_that_changes_in_the_night_changes_then() -> None:
    begin, end = utc("2026-06-30T22:00"), utc("2026-07-01T06:00")
    night = [Rate(None, utc("2026-06-30T23:00"), Decimal(7)), Rate(utc("2026-06-30T23:00"), None, Decimal(6))]
    found = slots(by_day_and_night(DAY, night, Night(time(23, 30), time(5, 30), LONDON), begin, end), begin, end)
    assert (cheap(found, 7), cheap(found, 6)) == (["23:30"], run_of("00:00", "05:30"))


@pytest.mark.parametrize(
    ("product", "configured", "is_smart", "night"),
    [
        ("IOG-SMB-VAR-24-10-29", None, True, Night(time(23, 30), time(5, 30), LONDON)),
        ("INTELLI-VAR-22-10-14", None, False, Night(time(23, 30), time(5, 30), LONDON)),
        ("VAR-22-11-01", None, True, Night(time(0, 30), time(7, 30), UTC_ZONE)),
        ("VAR-22-11-01", None, False, Night(time(0), time(7), LONDON)),
        ("VAR-22-11-01", "22:00-05:00 UTC", False, Night(time(22), time(5), UTC_ZONE)),
        ("IOG-SMB-VAR-24-10-29", "00:30-04:30", True, Night(time(0, 30), time(4, 30), LONDON)),
    ],
)
def test_each_tariff_has_its_night_unless_the_user_names_another(
    product: str, configured: str | None, night: Night, *, is_smart: bool
) -> None:
    tariff = Tariff(f"E-2R-{product}-C", product, "DayNightTariff", None, {})
    assert night_of(tariff, LONDON, configured, is_smart=is_smart) == night


# rows as they come


def test_open_ended_rows_reach_to_the_windows_edges() -> None:
    found = half_hours(row(20, "2026-06-10T01:00"), row(10, None, "2026-06-10T01:00"))
    assert found == [("00:00-00:30", "0.1"), ("00:30-01:00", "0.1"), ("01:00-01:30", "0.2"), ("01:30-02:00", "0.2")]


def test_of_two_that_overlap_the_one_that_began_later_holds() -> None:
    rows = [row(30, "2026-06-10T00:30", "2026-06-10T01:00"), row(10, "2026-06-09T22:00", "2026-06-10T01:30")]
    expected = [("00:00-00:30", "0.1"), ("00:30-01:00", "0.3"), ("01:00-01:30", "0.1")]
    assert half_hours(*rows) == half_hours(*reversed(rows)) == expected


def test_rows_that_reach_over_the_window_are_cut_off_at_its_edges() -> None:
    rows = [row(20, "2026-06-10T01:30", "2026-06-10T09:00"), row(10, "2026-06-09T09:00", "2026-06-10T00:30")]
    assert half_hours(*rows) == [("00:00-00:30", "0.1"), ("01:30-02:00", "0.2")]
    assert half_hours(row(9, "2026-06-10T02:00", "2026-06-10T03:00"), row(9, "2026-06-09T09:00", "2026-06-10T00:00")) == []


def test_what_is_unknown_is_a_gap_and_never_a_zero() -> None:
    assert half_hours(row(0, "2026-06-10T01:00", "2026-06-10T01:30")) == [("01:00-01:30", "0")]
    assert half_hours() == []


def test_a_row_that_begins_within_a_half_hour_makes_shorter_slots() -> None:
    rows = [row(20, "2026-06-10T00:40", "2026-06-10T01:10"), row(10, "2026-06-10T00:00", "2026-06-10T00:40")]
    assert half_hours(*rows) == [("00:00-00:30", "0.1"), ("00:30-00:40", "0.1"), ("00:40-01:00", "0.2"), ("01:00-01:10", "0.2")]


@pytest.mark.parametrize(
    ("method", "values"), [("direct_debit", ["0.1", "0.1", "0.3", "0.3"]), ("non_direct_debit", ["0.2", "0.2", "0.3", "0.3"])]
)
def test_of_two_payment_methods_the_customers_counts_and_a_row_for_all_is_everyones(method: str, values: list[str]) -> None:
    rows = [
        row(30, "2026-06-10T01:00"),
        row(20, "2026-06-10T00:00", "2026-06-10T01:00", "NON_DIRECT_DEBIT"),
        row(10, "2026-06-10T00:00", "2026-06-10T01:00", "DIRECT_DEBIT"),
    ]
    found = slots(rest_rates(rows, method), utc("2026-06-10T00:00"), utc("2026-06-10T02:00"))
    assert [str(slot.value) for slot in found] == values


@pytest.mark.parametrize(
    ("pence", "pounds"),
    [
        (-5, "-0.05"),
        (-0.4725, "-0.004725"),
        (0, "0"),
        (100, "1"),
        (28.95858, "0.2895858"),
        ("25.1810000000000000", "0.25181"),
        (1e-15, "0"),
        ("7", "0.07"),
    ],
)
def test_pence_become_pounds_to_the_last_digit_and_keep_their_sign(pence: object, pounds: str) -> None:
    assert half_hours(row(pence), end="2026-06-10T00:30") == [("00:00-00:30", pounds)]


def test_odd_rows_are_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    values: list[Any] = [None, True, "dear", [1], {}, "NaN", 10**12, ""]
    odd = [row(value) for value in values]
    odd += [row(1, "2026-06-10T01:00", "2026-06-10T01:00"), {"valid_from": None}, row(1) | {"valid_from": "2026-06-10T00:00:00"}]
    odd += [row(1) | {"valid_from": 5}, row(1) | {"valid_to": "later"}]
    with caplog.at_level(logging.WARNING):
        assert half_hours(*odd, row(10, "2026-06-10T00:00", "2026-06-10T00:30")) == [("00:00-00:30", "0.1")]
    assert [record.getMessage() for record in caplog.records] == ["13 rate(s) of Octopus' are left out, the first for TypeError"]


def test_rates_of_the_account_are_read_likewise() -> None:
    nodes = from_json(
        [
            {"value": "7.00035000", "validFrom": "2026-06-10T00:30:00+01:00", "validTo": "2026-06-10T05:30:00+01:00"},
            {"value": 24.39, "validFrom": "2026-06-10T05:30:00+01:00", "validTo": None},
        ]
    )
    assert listed_rates(nodes) == [
        Rate(utc("2026-06-09T23:30"), utc("2026-06-10T04:30"), Decimal("7.00035")),
        Rate(utc("2026-06-10T04:30"), None, Decimal("24.39")),
    ]
