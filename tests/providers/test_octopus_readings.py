"""Yesterday's half-hours: by GraphQL or REST, gas in kWh as on the bill, days of 46 and 50 half-hours."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from bridge.errors import Denied, SourceError, Unauthenticated
from bridge.models.reading import Reading
from bridge.pricing.day import midnight
from bridge.providers.octopus.household import Household, Supply
from bridge.providers.octopus.readings import Readings
from bridge.providers.octopus.tenants import TENANTS
from tests.providers.test_octopus_household import account, agreed, point
from tests.providers.wire import NOON, SIGN_IN, Wire, failure, page
from tests.support import Knowledge, gathered, utc

LONDON, HALF_HOUR = ZoneInfo("Europe/London"), timedelta(minutes=30)
IMPORT = Supply("import", "1000", (), ("21E1",), device="00-01")
SECOND = Supply("import", "1001", (), ("21E2",))
EXPORT = Supply("export", "2000", (), ("21E1",))
GAS = Supply("gas", "3000", (), ("G1",), in_cubic_metres=True)
HOME = Household("A-1", "7", (EXPORT, IMPORT, GAS, SECOND), {})
REST = "/electricity-meter-points/1000/meters/21E1/consumption/"


def span(start: datetime, value: object = "0.25", unit: str = "kwh", offset: str = "+00:00") -> Any:
    text = [f"{moment:%Y-%m-%dT%H:%M:%S}{offset}" for moment in (start, start + HALF_HOUR)]
    return {"startAt": text[0], "endAt": text[1], "value": value, "unit": unit}


def day_of(moment: datetime = NOON, value: object = "0.25", unit: str = "kwh") -> list[Any]:
    """Return the half-hours of the day before `moment`, as London counts."""
    begin, end = midnight(moment, LONDON, -1), midnight(moment, LONDON)
    return [span(begin + number * HALF_HOUR, value, unit) for number in range((end - begin) // HALF_HOUR)]


def row(node: Any) -> Any:
    """Return a measurement as REST gives it."""
    return {"consumption": float(node["value"]), "interval_start": node["startAt"], "interval_end": node["endAt"]}


def measured(*nodes: Any) -> Any:
    return {"data": {"property": {"measurements": page(list(nodes))}}}


def readings(wire: Wire) -> Readings:
    return Readings(wire.kraken, wire.rest, TENANTS["uk"], Decimal(40))


async def yesterday(wire: Wire, supply: Supply = IMPORT, moment: datetime = NOON) -> tuple[list[tuple[str, str, str, str]], bool]:
    """Return quantity, value, unit and London's from-to of each reading, and whether the day is whole."""
    found, whole, _ = await readings(wire).yesterday(HOME, supply, moment)
    return [(one.quantity, _plain(one.value), one.unit or "", _times(one)) for one in found], whole


def _plain(value: Decimal | None) -> str:
    assert value is not None
    return format(value.normalize(), "f")


def _times(one: Reading) -> str:
    assert one.start is not None
    assert one.end is not None
    return "-".join(f"{moment.astimezone(LONDON):%d %H:%M}" for moment in (one.start, one.end))


# a day


async def test_a_whole_day_brings_its_newest_half_hour_and_its_sum() -> None:
    wire = Wire({"Measurements": measured(*day_of())})
    found, whole, past = await readings(wire).yesterday(HOME, IMPORT, NOON)
    usual: dict[str, Any] = {
        "meter": "import",
        "unit": "kWh",
        "direction": "import",
        "aggregation": "sum",
        "end": utc("2026-06-09T23:00"),
    }
    newest = Reading(quantity="energy", value=Decimal("0.25"), start=utc("2026-06-09T22:30"), resolution=HALF_HOUR, **usual)
    day = Reading(quantity="energy-day", value=Decimal(12), start=utc("2026-06-08T23:00"), **usual)
    assert (found, whole) == ((newest, day), True)
    assert [(one.quantity, one.end) for one in past] == [
        ("energy", utc("2026-06-08T23:00") + number * HALF_HOUR) for number in range(1, 48)
    ]  # the half-hours before the newest, from which costs are reckoned


@pytest.mark.parametrize(("moment", "count"), [("2026-03-30T12:00", 46), ("2026-10-26T12:00", 50), ("2026-06-10T12:00", 48)])
async def test_a_day_is_whole_with_all_of_its_half_hours_also_where_the_clock_changes(moment: str, count: int) -> None:
    nodes = day_of(utc(moment), "1")
    found, whole = await yesterday(Wire({"Measurements": measured(*nodes)}), moment=utc(moment))
    assert len(nodes) == count
    assert [value for quantity, value, _, _ in found if quantity == "energy-day"] == [str(count)]
    assert whole
    found, whole = await yesterday(Wire({"Measurements": measured(*nodes[:-1])}), moment=utc(moment))
    assert ([quantity for quantity, _, _, _ in found], whole) == (["energy"], False)


async def test_a_half_hour_that_came_twice_counts_once() -> None:
    nodes = day_of()
    found, whole = await yesterday(Wire({"Measurements": measured(*nodes, nodes[0])}))
    assert (found[-1][:2], whole) == (("energy-day", "12"), True)
    found, whole = await yesterday(Wire({"Measurements": measured(*nodes[:-1], nodes[0])}))
    assert ([quantity for quantity, _, _, _ in found], whole) == (["energy"], False)


async def test_the_newest_half_hour_may_be_todays_and_a_zero_is_one() -> None:
    nodes = [*day_of(), span(utc("2026-06-09T23:00"), "0.0000")]
    found, whole = await yesterday(Wire({"Measurements": measured(*nodes)}))
    assert found == [("energy", "0", "kWh", "10 00:00-10 00:30"), ("energy-day", "12", "kWh", "09 00:00-10 00:00")]
    assert whole


async def test_what_lies_outside_the_window_is_passed_over() -> None:
    nodes = [span(utc("2026-06-08T22:30")), span(utc("2026-06-08T23:00"), "0.5"), span(utc("2026-06-10T11:45"))]
    assert await yesterday(Wire({"Measurements": measured(*nodes)})) == ([("energy", "0.5", "kWh", "09 00:00-09 00:30")], False)
    assert await yesterday(Wire({"Measurements": measured()})) == ([], False)


async def test_before_six_the_newest_half_hour_may_be_of_the_day_before_and_the_sum_is_yesterdays_alone() -> None:
    night, before = utc("2026-06-10T04:59"), day_of(NOON - timedelta(days=1), "1")
    wire = Wire({"Measurements": measured(*before)})
    assert await yesterday(wire, moment=night) == ([("energy", "1", "kWh", "08 23:30-09 00:00")], False)
    assert wire.sent[-1].given["start"] == "2026-06-07T23:00:00Z"
    assert await yesterday(wire, moment=utc("2026-06-10T05:00")) == ([], False)
    found, whole = await yesterday(Wire({"Measurements": measured(*before, *day_of())}), moment=night)
    assert (found[-1], whole) == (("energy-day", "12", "kWh", "09 00:00-10 00:00"), True)


# gas


async def test_gas_in_cubic_metres_is_reckoned_as_on_the_bill() -> None:
    wire = Wire({"Measurements": measured(span(utc("2026-06-09T08:00"), "1.5", "m3"))})
    found, *_ = await yesterday(wire, GAS)
    energy = Decimal("1.5") * Decimal("1.02264") * 40 / Decimal("3.6")
    assert energy == Decimal("17.044")
    assert found == [("energy", "17.044", "kWh", "09 09:00-09 09:30"), ("volume", "1.5", "m³", "09 09:00-09 09:30")]


async def test_the_calorific_value_is_the_users() -> None:
    wire = Wire({"Measurements": measured(span(utc("2026-06-09T08:00"), "3.6", "m3"))})
    found, *_ = await Readings(wire.kraken, None, TENANTS["uk"], Decimal("39.5")).yesterday(HOME, GAS, NOON)
    assert found[0].value == Decimal("1.02264") * Decimal("39.5")


@pytest.mark.parametrize(
    ("unit", "quantities"),
    [
        ("kwh", ["energy"]),
        ("kWh", ["energy"]),
        ("m³", ["energy", "volume"]),
        ("CUBIC_METERS", ["energy", "volume"]),
        ("", ["energy", "volume"]),
    ],
)
async def test_the_unit_that_comes_along_counts_before_the_meters(unit: str, quantities: list[str]) -> None:
    found, *_ = await yesterday(Wire({"Measurements": measured(span(utc("2026-06-09T08:00"), "1", unit))}), GAS)
    assert [quantity for quantity, _, _, _ in found] == quantities


# which meter


@pytest.mark.parametrize(
    ("supply", "meter", "direction", "filters"),
    [
        (IMPORT, "import", "import", {"electricityFilters": {"marketSupplyPointId": "1000", "readingDirection": "CONSUMPTION"}}),
        (
            SECOND,
            "import-2",
            "import",
            {"electricityFilters": {"marketSupplyPointId": "1001", "readingDirection": "CONSUMPTION"}},
        ),
        (EXPORT, "export", "export", {"electricityFilters": {"marketSupplyPointId": "2000", "readingDirection": "GENERATION"}}),
        (GAS, "gas", "import", {"gasFilters": {"marketSupplyPointId": "3000"}}),
    ],
)
async def test_each_meter_point_has_its_own_name_and_question(supply: Supply, meter: str, direction: str, filters: Any) -> None:
    wire = Wire({"Measurements": measured(span(utc("2026-06-09T08:00")))})
    found, *_ = await readings(wire).yesterday(HOME, supply, NOON)
    assert {(one.meter, one.direction) for one in found} == {(meter, direction)}
    [(fuel, about)] = filters.items()
    assert wire.sent[-1].given == {
        "property": "7",
        "start": "2026-06-08T23:00:00Z",
        "end": "2026-06-10T12:00:00Z",
        "filters": [{fuel: {"readingFrequencyType": "THIRTY_MIN_INTERVAL", **about}}],
        "first": 99,
        "after": None,
    }


# by REST


@pytest.mark.parametrize("answer", [failure("KT-CT-1111", "property"), failure("KT-CT-1113", "property"), measured()])
async def test_where_graphql_has_none_rest_is_asked_with_the_key_and_from_then_on_alone(answer: Any) -> None:
    rows = {"next": None, "results": [row(node) for node in day_of()]}
    wire = Wire({"Measurements": answer, REST: rows})
    ways = readings(wire)
    for _ in range(2):
        found, whole, _ = await ways.yesterday(HOME, IMPORT, NOON)
        assert ([_plain(one.value) for one in found], whole) == (["0.25", "12"], True)
    assert wire.asked() == [SIGN_IN, "Measurements", REST, REST]
    signed = wire.sent[-1].authorization
    assert signed is not None
    assert signed.startswith("Basic ")
    span_ = {"page_size": "1500", "period_from": "2026-06-08T23:00:00Z", "period_to": "2026-06-10T12:00:00Z"}
    assert wire.sent[-1].given == span_


async def test_rest_tells_summer_times_with_their_offset() -> None:
    node = span(datetime(2026, 6, 9, 0, 0), offset="+01:00")  # noqa: DTZ001
    wire = Wire({"Measurements": measured(), REST: {"next": None, "results": [row(node)]}})
    assert (await yesterday(wire))[0] == [("energy", "0.25", "kWh", "09 00:00-09 00:30")]


async def test_where_neither_has_any_the_first_reason_is_told() -> None:
    wire = Wire({"Measurements": failure("KT-CT-1111", "property", message="Unauthorized.")})
    with pytest.raises(Denied, match="Unauthorized"):
        await yesterday(wire)
    assert REST in wire.asked()
    with pytest.raises(SourceError, match="Unauthorized"):
        await Readings(wire.kraken, None, TENANTS["uk"], Decimal(40)).yesterday(HOME, IMPORT, NOON)


async def test_odd_rows_are_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    good = span(utc("2026-06-09T08:00"))
    odd = [{**good, "value": value} for value in (None, "much", True)] + [{**good, "endAt": good["startAt"]}]
    with caplog.at_level(logging.WARNING):
        found, *_ = await yesterday(Wire({"Measurements": measured(good, *odd, {**good, "startAt": None})}))
    assert len(found) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "4 measurement(s) of Octopus' are left out, the first for TypeError"
    ]


UNITLESS = replace(GAS, in_cubic_metres=None)


@pytest.mark.parametrize("unit", ["", "odd"])
async def test_gas_of_which_nothing_tells_the_unit_is_left_out_and_the_log_says_so_once(
    unit: str, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Wire({"Measurements": measured(span(utc("2026-06-09T08:00"), "1", unit))})
    ways = readings(wire)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert await ways.yesterday(HOME, UNITLESS, NOON) == ((), False, ())
    assert [record.getMessage() for record in caplog.records] == [
        "gas: nothing tells whether it counts m³ or kWh; its readings are left out"
    ]
    assert wire.asked() == [SIGN_IN, "Measurements", "Measurements"]  # rows of REST bear no unit


async def test_gas_whose_measurements_bear_their_unit_needs_no_other() -> None:
    for unit, value in (("kwh", "3.6"), ("m3", "40.9056")):
        found, *_ = await yesterday(Wire({"Measurements": measured(span(utc("2026-06-09T08:00"), "3.6", unit))}), UNITLESS)
        assert found[0][:3] == ("energy", value, "kWh")


# REST takes the key alone, and has no word on the sign-in


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_rest_does_not_take_is_no_fault_of_the_sign_in(status: int) -> None:
    wire = Wire({"Measurements": measured(), REST: httpx2.Response(status, json={"detail": "No."})})
    assert await yesterday(wire) == ([], False)
    wire.answers["Measurements"] = failure("KT-CT-1111", "property")
    with pytest.raises(Denied, match="KT-CT-1111"):
        await yesterday(wire)


async def test_where_rest_was_the_way_and_takes_the_key_no_more_graphql_is_asked_again() -> None:
    rows = {"next": None, "results": [row(node) for node in day_of()]}
    wire = Wire({"Measurements": measured(), REST: [rows, httpx2.Response(401, json={})]})
    ways = readings(wire)
    for _ in range(2):
        await ways.yesterday(HOME, IMPORT, NOON)
    wire.answers["Measurements"] = measured(*day_of())
    assert (await ways.yesterday(HOME, IMPORT, NOON))[1]
    assert wire.asked() == [SIGN_IN, "Measurements", REST, REST, "Measurements"]


async def test_a_token_that_graphql_does_not_take_is_told() -> None:
    with pytest.raises(Unauthenticated):
        await yesterday(Wire({"Measurements": failure("KT-CT-1143", "property")}))


@pytest.mark.parametrize("nothing", [{"next": None, "results": []}, httpx2.Response(403, json={}), httpx2.Response(404, json={})])
async def test_rest_is_asked_once_a_day_while_it_has_nothing_either(nothing: Any) -> None:
    wire = Wire({"Measurements": measured(), REST: nothing})
    ways = readings(wire)
    for hours in range(0, 72, 8):
        await ways.yesterday(HOME, IMPORT, NOON + timedelta(hours=hours))
    assert (wire.asked().count("Measurements"), wire.asked().count(REST)) == (9, 3)


async def test_where_rest_is_the_way_a_day_without_readings_changes_nothing() -> None:
    rows = {"next": None, "results": [row(node) for node in day_of()]}
    wire = Wire({"Measurements": measured(), REST: [rows, {"next": None, "results": []}, rows]})
    ways = readings(wire)
    found = [(await ways.yesterday(HOME, IMPORT, NOON))[1] for _ in range(3)]
    assert (found, wire.asked()) == ([True, False, True], [SIGN_IN, "Measurements", REST, REST, REST])


# how often


async def test_where_no_reading_comes_for_a_day_it_is_asked_for_twice_a_day_until_one_does() -> None:
    household = {"data": account(point(agreed("E-1R-FIX-25-C"), mpan="1000"))}
    wire = Wire({"Household": household, "Measurements": measured(), REST: {"next": None, "results": []}})
    source, known, asked = wire.source(account="A-1"), Knowledge(), list[list[int]]()
    [look] = source._households.tasks(known, NOON)
    for observation in await gathered(look.work()):
        known.keep(observation, NOON)
    for day in range(4):
        begin, hours = NOON + timedelta(days=day), []
        if day == 3:
            wire.answers["Measurements"] = lambda _: measured(span(wire.clock.now() - 2 * HALF_HOUR))
        for hour in range(24):
            wire.clock.set(begin + timedelta(hours=hour))
            for task in source._metering.tasks(known, wire.clock.now()):
                if task.due <= wire.clock.now():
                    hours.append(hour)
                    await gathered(task.work())
        asked.append(hours)
    assert [len(hours) for hours in asked] == [3, 2, 2, 4]
    assert wire.asked().count(REST) == 3
