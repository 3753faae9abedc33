"""What stands on the topics: JSON numbers, instants with Z, exact keys, and small."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.payload import (
    BudgetFigures,
    Columns,
    DayFigures,
    DispatchPlanned,
    FigurePayload,
    Price,
    ReadingPayload,
    SavingSession,
    SiteInfo,
    SourceHealth,
    Summary,
    WindowPayload,
    bare,
    encoded_reading,
    encoded_slots,
    encoded_spans,
)
from bridge.models.price import BEYOND_REASON, HOUR, QUARTER_HOUR
from bridge.models.schedule import Span
from tests.support import quarters, utc

NOON = utc("2026-06-10T12:00:00")
LONG = Decimal("-0.12345678901234567890")
DAY = DayFigures(
    start=NOON, end=NOON + timedelta(days=1), min=LONG, min_at=NOON, max=LONG, max_at=NOON, mean=LONG, median=LONG, complete=False
)
SUMMARY = Summary(
    currency="NOK",
    unit="NOK/kWh",
    display_unit="øre/kWh",
    display_factor=100,
    min=LONG,
    max=LONG,
    mean=LONG,
    median=LONG,
    today=DAY,
    tomorrow=DAY,
    data_until=NOON,
    resolution=QUARTER_HOUR,
    source_resolution=HOUR,
    trailing_mean=LONG,
    limits=(LONG,) * 4,
    volatility="very_high",
    trend="strongly_falling",
    cheapest={"1h": NOON, "3h": NOON},
    best=(NOON, NOON),
    peak=(NOON, NOON),
)
PRICE = Price(
    start=NOON,
    end=NOON + QUARTER_HOUR,
    value=Decimal("0.2512"),
    currency="EUR",
    unit="EUR/kWh",
    level="cheap",
    rating=None,
    rank=3,
    rank_of=96,
    percentile=Decimal(100) / 3,
    min=Decimal("-0.05"),
    max=Decimal(1),
    mean=Decimal("0.30"),
    trailing_mean=Decimal(2) / 3,
    leading_mean=None,
    difference=Decimal("-62.32"),
    hour_mean=Decimal("0.25"),
    trend="stable",
    trend_change=NOON + HOUR,
    phase="flat",
    period="best",
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.2512", b"0.2512"),
        ("0.25120", b"0.2512"),
        ("-0.05", b"-0.05"),
        ("0", b"0"),
        ("-0", b"0"),
        ("-0.000", b"0"),
        ("0E-7", b"0"),
        ("1E-7", b"0.0000001"),
        ("-1.5E-5", b"-0.000015"),
        ("1E+2", b"100"),
        ("100", b"100"),
        ("100.00", b"100"),
        ("0.30000000000000004", b"0.30000000000000004"),
    ],
)
def test_a_bare_price_is_a_plain_number(value: str, text: bytes) -> None:
    assert bare(Decimal(value)) == text


@given(st.decimals(-1000, 1000, places=12))
def test_a_bare_price_is_the_number_that_was_given(value: Decimal) -> None:
    text = bare(value).decode()
    assert (Decimal(text), "E" in text.upper(), text.startswith("-0") and Decimal(text) == 0) == (value, False, False)


def test_a_bare_price_is_not_rounded() -> None:
    assert bare(Decimal("0.1234567890123456789012345678901")) == b"0.1234567890123456789012345678901"


def test_a_summary_of_usual_prices_says_everything() -> None:
    value, far = Decimal("-0.1156155"), Decimal("-0.12345678901234567890")
    day = DAY.model_copy(update={"min": value, "max": value, "mean": far, "median": far})
    usual = SUMMARY.model_copy(update={"min": value, "max": value, "today": day, "tomorrow": day})
    told = json.loads(usual.encoded())
    assert [key for key, shown in told.items() if shown is None] == []
    assert (told["limits"], told["mean"]) == ([-0.12346] * 4, -0.1234568)


def test_where_a_summary_would_be_too_long_the_least_of_it_is_left_unknown() -> None:
    told = json.loads(SUMMARY.encoded())
    assert [key for key, shown in told.items() if shown is None] == ["limits"]


@given(st.decimals(-BEYOND_REASON, BEYOND_REASON, places=9))
def test_a_summary_is_short_whatever_the_prices(value: Decimal) -> None:
    day = DAY.model_copy(update={"min": value, "max": value, "mean": value, "median": value})
    figures = {"min": value, "max": value, "mean": value, "median": value, "trailing_mean": value, "limits": (value,) * 4}
    payload = SUMMARY.model_copy(update={**figures, "today": day, "tomorrow": day}).encoded()
    assert len(payload) < 1024
    assert json.loads(payload)["data_until"] == "2026-06-10T12:00:00Z"


def test_a_price_with_all_that_it_means_is_short_too() -> None:
    assert len(PRICE.model_copy(update=dict.fromkeys(("value", "min", "max", "mean", "trailing_mean"), LONG)).encoded()) < 1024


def test_a_window_in_one_go_has_no_segments() -> None:
    window = WindowPayload(start=NOON, end=NOON + HOUR, mean=Decimal(1) / 3)
    assert window.encoded() == b'{"start":"2026-06-10T12:00:00Z","end":"2026-06-10T13:00:00Z","mean":0.3333333}'


def test_a_price_is_an_object_of_numbers_and_instants() -> None:
    assert PRICE.encoded() == (
        b'{"start":"2026-06-10T12:00:00Z","end":"2026-06-10T12:15:00Z","value":0.2512,"currency":"EUR","unit":"EUR/kWh",'
        b'"level":"cheap","rating":null,"rank":3,"rank_of":96,"percentile":33.33333,"min":-0.05,"max":1.0,"mean":0.3,'
        b'"trailing_mean":0.6666667,"leading_mean":null,"difference":-62.32,"hour_mean":0.25,'
        b'"trend":"stable","trend_change":"2026-06-10T13:00:00Z","phase":"flat","period":"best"}'
    )


def test_slots_are_a_bare_array_of_exactly_three_keys() -> None:
    slots = quarters(NOON, ["0.2512", "-0.1"], level="cheap")
    assert encoded_slots(slots) == (
        b'[{"start":"2026-06-10T12:00:00Z","end":"2026-06-10T12:15:00Z","value":0.2512},'
        b'{"start":"2026-06-10T12:15:00Z","end":"2026-06-10T12:30:00Z","value":-0.1}]'
    )


def test_no_slots_are_an_empty_array() -> None:
    assert encoded_slots(()) == b"[]"


def test_columns_hold_null_for_a_gap() -> None:
    columns = Columns(start=1781092800, step=900, unit="EUR/kWh", values=(Decimal("0.2512"), None, Decimal("-0.1")))
    assert columns.encoded() == b'{"start":1781092800,"step":900,"unit":"EUR/kWh","values":[0.2512,null,-0.1]}'


def test_the_fullest_summary_is_under_a_kibibyte() -> None:
    assert len(SUMMARY.encoded()) < 1024


def test_a_summary_speaks_utf8_and_iso_durations() -> None:
    text = SUMMARY.encoded()
    summary = json.loads(text)
    assert "øre/kWh".encode() in text
    assert (summary["display_unit"], summary["resolution"], summary["source_resolution"]) == ("øre/kWh", "PT15M", "PT1H")
    assert (summary["data_until"], summary["today"]["min_at"]) == ("2026-06-10T12:00:00Z", "2026-06-10T12:00:00Z")


def test_what_is_unknown_is_null_and_never_zero() -> None:
    fields = {name: None for name in Summary.model_fields if name != "display_factor"}
    unknown = Summary.model_validate({**fields, "display_factor": 1})
    assert json.loads(unknown.encoded()) == {**fields, "display_factor": 1}


@given(st.decimals(-10, 10, places=15))
def test_a_number_on_the_wire_is_a_json_number(value: Decimal) -> None:
    payload = PRICE.model_copy(update={"value": value}).encoded()
    (number,) = (found for key, found in json.loads(payload, parse_float=Decimal).items() if key == "value")
    assert (type(number), abs(number - value) < float("1e-14")) == (Decimal, True)


def test_a_reading_over_a_span_shows_what_is_known_of_it() -> None:
    reading: ReadingPayload = {"value": float("1.25"), "unit": "kWh", "start": NOON, "end": NOON + HOUR, "resolution": HOUR}
    text = '{"value":1.25,"unit":"kWh","start":"2026-06-10T12:00:00Z","end":"2026-06-10T13:00:00Z","resolution":"PT1H"}'
    assert encoded_reading(reading) == text.encode()


def test_a_reading_at_a_moment_shows_the_moment_alone() -> None:
    reading: ReadingPayload = {"value": -3.0, "unit": "m³", "at": NOON}
    assert encoded_reading(reading) == '{"value":-3.0,"unit":"m³","at":"2026-06-10T12:00:00Z"}'.encode()


def site_info(**more: Any) -> Any:
    fields = {"name": "Hytta på Sjøen", "timezone": "Europe/Oslo", "currency": None, "price_area": "NO1", "streams": ("import",)}
    return json.loads(SiteInfo.model_validate({**fields, "standing_charges": {}, "tariffs": {}, **more}).encoded())


def test_a_site_shows_nothing_personal_unless_it_was_asked_to() -> None:
    assert "personal" not in site_info()
    assert site_info(personal={"city": "Oslo"})["personal"] == {"city": "Oslo"}


def test_what_is_unknown_of_a_site_is_told_in_one_way() -> None:
    assert site_info().keys() == site_info(personal={}).keys() - {"personal"}


def test_health_tells_whole_seconds() -> None:
    moment = NOON + timedelta(microseconds=123456)
    budget = BudgetFigures(limit=20, remaining=19, resets_at=moment)
    health = SourceHealth(
        last_success=moment, last_attempt=moment, next_poll=None, stale=False, error=None, deprecations=(),
        requests_today=1, budget=budget,
    )  # fmt: skip
    assert json.loads(health.encoded()) == {
        "last_success": "2026-06-10T12:00:00Z",
        "last_attempt": "2026-06-10T12:00:00Z",
        "next_poll": None,
        "stale": False,
        "error": None,
        "deprecations": [],
        "requests_today": 1,
        "budget": {"limit": 20, "remaining": 19, "resets_at": "2026-06-10T12:00:00Z"},
    }


def test_the_standing_charges_of_a_site_are_numbers_a_day_and_its_tariffs_are_codes() -> None:
    told = site_info(
        standing_charges={"import": Decimal("0.4798"), "gas": Decimal("0.3")}, tariffs={"import": "E-1R-AGILE-24-10-01-C"}
    )
    assert told == {
        "name": "Hytta på Sjøen",
        "timezone": "Europe/Oslo",
        "currency": None,
        "price_area": "NO1",
        "streams": ["import"],
        "standing_charges": {"import": 0.4798, "gas": 0.3},
        "tariffs": {"import": "E-1R-AGILE-24-10-01-C"},
    }


def test_a_figure_is_money_or_something_else() -> None:
    money = FigurePayload(value=Decimal("-12.5"), currency="GBP", at=NOON)
    points = FigurePayload(value=Decimal(800), unit="points", at=NOON)
    assert money.encoded() == b'{"value":-12.5,"currency":"GBP","at":"2026-06-10T12:00:00Z"}'
    assert points.encoded() == b'{"value":800.0,"unit":"points","at":"2026-06-10T12:00:00Z"}'


def test_the_facts_of_a_span_stand_beside_its_start_and_end_and_change_neither() -> None:
    spans = (
        Span(start=NOON, end=NOON + HOUR, facts={"joined": True, "points": 144, "reward": 1.5, "code": "EVENT-1", "more": None}),
        Span(start=NOON, end=NOON + HOUR, facts={"start": "never"}),
    )
    text = (
        '[{"start":"2026-06-10T12:00:00Z","end":"2026-06-10T13:00:00Z",'
        '"joined":true,"points":144,"reward":1.5,"code":"EVENT-1","more":null},'
        '{"start":"2026-06-10T12:00:00Z","end":"2026-06-10T13:00:00Z"}]'
    )
    assert (encoded_spans(spans), encoded_spans(())) == (text.encode(), b"[]")


def test_events_tell_what_kind_they_are() -> None:
    planned = DispatchPlanned(
        device="car", device_id="0001", start=NOON, end=NOON + HOUR, type="smart", energy_kwh=Decimal("-3.5")
    )
    assert planned.encoded() == (
        b'{"event_type":"dispatch_planned","device":"car","device_id":"0001",'
        b'"start":"2026-06-10T12:00:00Z","end":"2026-06-10T13:00:00Z","type":"smart","energy_kwh":-3.5}'
    )
    session = SavingSession.model_validate({"start": NOON, "end": NOON + HOUR, "joined": False})
    assert session.encoded() == (
        b'{"event_type":"saving_session","start":"2026-06-10T12:00:00Z","end":"2026-06-10T13:00:00Z","joined":false}'
    )
