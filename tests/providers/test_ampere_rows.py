"""What stands in a row of ampere.cloud's: numbers stay exact, times keep their instant, and what is odd is left out."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Malformed
from bridge.models.site import Site
from bridge.providers.ampere import rows
from bridge.providers.ampere.load import SHIPPED, read
from bridge.providers.ampere.profile import Series
from bridge.providers.ampere.rows import Row
from tests.support import utc

NOON = utc("2026-06-10T10:00")
AT = {"each": "[@]", "rows": "rows", "type": "t", "at": "at", "value": "v"}
SPAN = {"each": "[@]", "rows": "rows", "type": "t", "start": "s", "end": "e", "value": "v"}
PROFILE = read(SHIPPED)


def measured(*found: Any, mapping: Any = None) -> list[Row]:
    series = Series.model_validate(mapping or AT)
    return rows.measured({"rows": list(found)}, series, "f-1", NOON)


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=6))
def test_a_number_is_what_it_was_on_the_wire(number: Decimal) -> None:
    value = json.loads(f'{{"v": {number:f}}}', parse_float=Decimal)["v"]
    [row] = measured({"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": value})
    assert row.value == number


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2026, 1, 1)), st.integers(-14 * 4, 14 * 4))  # noqa: DTZ001
def test_a_time_is_the_same_instant_whatever_its_offset(moment: datetime, quarters: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    [row] = measured({"t": "Pac", "at": local.isoformat(), "v": 1})
    assert (row.at, row.at and row.at.tzinfo) == (local.astimezone(UTC), UTC)


def test_milliseconds_are_a_time_too() -> None:
    [row] = measured({"t": "Pac", "at": 1781082000123, "v": 1})
    assert row.at == datetime(2026, 6, 10, 9, 0, 0, 123000, UTC)


@pytest.mark.parametrize(
    ("given", "value"),
    [(0, Decimal(0)), ("12.5", Decimal("12.5")), (True, True), ("on", "on"), ("x" * 300, "x" * 200), (-3, Decimal(-3))],
)
def test_a_value_may_be_a_number_a_switch_or_a_word(given: Any, value: Any) -> None:
    [row] = measured({"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": given})
    assert row.value == value
    assert type(row.value) is type(value)


def test_what_is_null_is_absent_and_no_zero() -> None:
    assert measured({"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": None}, None, {"t": "Pac"}) == []


@pytest.mark.parametrize(
    "odd",
    [
        {"t": "Pac", "at": "2026-06-10T09:00:00", "v": 1},  # without an offset
        {"t": "Pac", "at": None, "v": 1},
        {"t": "Pac", "at": 10**20, "v": 1},
        {"t": "Pac", "at": True, "v": 1},
        {"t": None, "at": "2026-06-10T09:00:00Z", "v": 1},
        {"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": [1]},
        {"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": "NaN"},
        {"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": 10**16},
        {"t": "Pac", "at": "2026-06-10T09:00:00Z", "v": " "},
    ],
)
def test_an_odd_row_is_left_out_and_its_neighbours_stay(odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    good = {"t": "Pac", "at": "2026-06-10T09:05:00Z", "v": 2}
    assert [row.value for row in measured(odd, good)] == [2]
    assert [record.getMessage()[:38] for record in caplog.records] == ["1 of ampere.cloud's readings left out,"]


def test_a_span_that_still_runs_ends_now_and_one_to_come_is_none() -> None:
    def span(start: str, end: str) -> Any:
        return {"t": "ProducedEnergy", "s": f"2026-06-{start}:00Z", "e": f"2026-06-{end}:00Z", "v": 1}

    found = measured(span("08T22:00", "09T22:00"), span("09T22:00", "10T22:00"), span("10T10:00", "10T22:00"), mapping=SPAN)
    assert [(row.start, row.end) for row in found] == [
        (utc("2026-06-08T22:00"), utc("2026-06-09T22:00")),
        (utc("2026-06-09T22:00"), NOON),
    ]


def test_a_span_that_ends_before_it_begins_is_odd(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Malformed, match="no row that rows = 'rows' found can be read"):
        measured({"t": "E", "s": "2026-06-09T22:00:00Z", "e": "2026-06-09T22:00:00Z", "v": 1}, mapping=SPAN)
    assert "it ends before it begins" in caplog.text


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 50)), max_size=30))
def test_the_newest_of_each_meter_and_type_is_the_one_with_the_greatest_time(found: list[tuple[str, str, int]]) -> None:
    every = [Row("f", meter, kind, Decimal(at), at=NOON + timedelta(minutes=at)) for meter, kind, at in found]
    newest = {(row.meter, row.type): row.value for row in rows.newest(every)}
    expected: dict[tuple[str, str], Decimal] = {}
    for meter, kind, at in found:
        expected[meter, kind] = max(expected.get((meter, kind), Decimal(0)), Decimal(at))
    assert newest == expected


def test_a_word_or_a_switch_has_no_unit() -> None:
    found = [
        Row("f", "f", "Pac", "off", at=NOON),
        Row("f", "f", "Pac", Decimal(2), at=NOON),
        Row("f", "f", "Other", "on", at=NOON),
    ]
    assert [(one.shown, one.unit) for one in rows.readings(found, PROFILE)] == [("off", None), (Decimal(2), "kW")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": 7, "name": "Hof", "timezone": "Mars/Base", "currency": "eur"}, ("7", "Hof", "Europe/Berlin", None)),
        ({"id": "a", "name": None, "timezone": "Europe/Oslo", "currency": "NOK"}, ("a", "facility", "Europe/Oslo", "NOK")),
    ],
)
def test_a_facility_is_a_site(row: Any, expected: tuple[str, ...]) -> None:
    site = rows.site(row, PROFILE.facilities)
    assert site == Site(id=expected[0], title=expected[1] or "", timezone=expected[2], currency=expected[3])


def test_a_facility_without_an_id_is_odd() -> None:
    with pytest.raises(ValueError, match="'id' finds no id or name"):
        rows.site({"name": "Hof"}, PROFILE.facilities)
