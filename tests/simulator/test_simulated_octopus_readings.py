"""Half-hours arrive the next morning, the same by both ways; a Home Mini shows the present."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bridge.simulator.octopus.homes import EXPORT, GAS, IMPORT, KWH, Agreement, Meter, MeterPoint
from tests.simulator.conftest import Household

MEASUREMENTS = """
query Measurements(
  $id: ID!, $start: DateTime, $end: DateTime, $on: Date, $zone: String
  $filters: [UtilityFiltersInput], $first: Int, $after: String
) {
  property(id: $id) {
    measurements(
      startAt: $start, endAt: $end, startOn: $on, timezone: $zone, utilityFilters: $filters, first: $first, after: $after
    ) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges {
        node {
          value
          unit
          readAt
          ... on IntervalMeasurementType { startAt endAt durationInSeconds }
          metaData { statistics { type costInclTax { estimatedAmount costCurrency } } }
        }
      }
    }
  }
}
"""
DAY = {"start": "2026-06-09T00:00:00+01:00", "end": "2026-06-10T00:00:00+01:00"}
GAS_ALONE: dict[str, Any] = {"gasFilters": {}}
ESME, GSME = "00-11-22-33-44-55-66-01", "00-11-22-33-44-55-66-02"
TELEMETRY = """
query Telemetry($device: String!, $start: DateTime, $end: DateTime, $grouping: TelemetryGrouping) {
  smartMeterTelemetry(deviceId: $device, start: $start, end: $end, grouping: $grouping) {
    readAt consumption demand consumptionDelta costDelta costDeltaWithTax export
  }
}
"""


def electricity(direction: str = "CONSUMPTION", **more: str) -> dict[str, Any]:
    return {"electricityFilters": {"readingDirection": direction, **more}}


def asked(household: Household, *filters: dict[str, Any], **variables: Any) -> Any:
    arguments = {"id": "2000001", "filters": list(filters), "first": 100, **variables}
    return household.ask(MEASUREMENTS, **arguments)["property"]["measurements"]


def rows(household: Household, *filters: dict[str, Any], **variables: Any) -> list[dict[str, Any]]:
    return [edge["node"] for edge in asked(household, *filters, **variables)["edges"]]


def consumed(household: Household, point: MeterPoint, query: str = "") -> list[dict[str, Any]]:
    fuel = "gas" if point is GAS else "electricity"
    path = f"/v1/{fuel}-meter-points/{point.number}/meters/{point.meters[0].serial}/consumption/?page_size=25000&{query}"
    status, content = household.rest(path, "sk_live_demo")
    assert status == 200
    results: list[dict[str, Any]] = content["results"]
    return results


def with_points(household: Household, *points: MeterPoint) -> None:
    household.octopus.properties = (replace(household.octopus.properties[0], points=points),)


def test_a_day_has_its_half_hours_in_londons_time(household: Household) -> None:
    found = rows(household, electricity(), **DAY)
    assert len(found) == 48
    first = found[0]
    assert (first["startAt"], first["endAt"]) == ("2026-06-09T00:00:00+01:00", "2026-06-09T00:30:00+01:00")
    assert (first["readAt"], first["durationInSeconds"], first["unit"]) == (first["endAt"], 1800, "kWh")
    assert all(earlier["endAt"] == later["startAt"] for earlier, later in pairwise(found))
    assert all(len(row["value"].partition(".")[2]) == 6 for row in found)


def test_times_are_told_in_the_zone_asked_for(household: Household) -> None:
    [first, *_] = rows(household, electricity(), zone="UTC", **DAY)
    assert first["startAt"] == "2026-06-08T23:00:00+00:00"
    answer = household.answer(MEASUREMENTS, id="2000001", first=1, zone="Mars/Olympus")
    assert answer["errors"][0]["path"] == ["property", "measurements"]


@pytest.mark.parametrize(
    ("moment", "newest"),
    [
        ("2026-06-10T04:59:59Z", "2026-06-09T00:00:00+01:00"),
        ("2026-06-10T05:00:00Z", "2026-06-10T00:00:00+01:00"),  # 06:00 in London
        ("2026-12-10T05:59:59Z", "2026-12-09T00:00:00+00:00"),
        ("2026-12-10T06:00:00Z", "2026-12-10T00:00:00+00:00"),
    ],
)
def test_a_day_arrives_in_the_morning_of_the_next(household: Household, moment: str, newest: str) -> None:
    household.moment = datetime.fromisoformat(moment)
    begin = (household.moment - timedelta(days=3)).isoformat()
    for filters in (electricity(), electricity("GENERATION"), GAS_ALONE):
        pages = asked(household, filters, start=begin)
        last = rows(household, filters, start=begin, after=pages["pageInfo"]["endCursor"])
        assert (last or [edge["node"] for edge in pages["edges"]])[-1]["endAt"] == newest


@pytest.mark.parametrize(("day", "count"), [("2026-03-29", 46), ("2026-10-25", 50)])
def test_a_day_may_have_an_hour_more_or_less(household: Household, day: str, count: int) -> None:
    household.moment = datetime.fromisoformat(f"{day}T12:00:00Z") + timedelta(days=1)
    assert len(rows(household, electricity(), on=day)) == count


def test_filters_choose_direction_supply_and_device(household: Household) -> None:
    taken, given, gas = (
        rows(household, each, **DAY) for each in (electricity(), electricity("GENERATION"), GAS_ALONE)
    )  # fmt: skip
    assert taken != given
    assert {row["unit"] for row in gas} == {"m3"}
    assert rows(household, **DAY) == taken
    assert rows(household, electricity(marketSupplyPointId=IMPORT.number), **DAY) == taken
    assert rows(household, electricity("GENERATION", marketSupplyPointId=EXPORT.number, deviceId=ESME), **DAY) == given
    assert rows(household, electricity(marketSupplyPointId=EXPORT.number), **DAY) == []
    assert rows(household, electricity(deviceId="other"), **DAY) == []
    assert rows(household, electricity(), electricity("GENERATION"), **DAY) == taken + given


def test_pages_lead_on(household: Household) -> None:
    first = asked(household, electricity(), **{**DAY, "first": 30})
    second = asked(household, electricity(), **{**DAY, "first": 30, "after": first["pageInfo"]["endCursor"]})
    assert [first["totalCount"], first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]] == [48, True, False]
    assert [edge["node"] for edge in first["edges"] + second["edges"]] == rows(household, electricity(), **DAY)


@pytest.mark.parametrize(("frequency", "count"), [("THIRTY_MIN_INTERVAL", 48), ("HOUR_INTERVAL", 24), ("DAY_INTERVAL", 1)])
def test_longer_intervals_are_sums(household: Household, frequency: str, count: int) -> None:
    halves = rows(household, electricity(), **DAY)
    sums = rows(household, electricity(readingFrequencyType=frequency), **DAY)
    assert len(sums) == count
    assert sum(float(row["value"]) for row in sums) == pytest.approx(sum(float(row["value"]) for row in halves))
    assert (sums[0]["startAt"], sums[-1]["endAt"]) == (halves[0]["startAt"], halves[-1]["endAt"])
    assert rows(household, electricity(readingFrequencyType="FIVE_MIN_INTERVAL"), **DAY) == []


def test_a_half_hour_tells_what_it_cost_in_pence(household: Household) -> None:
    row = rows(household, electricity(), **DAY)[20]
    [rate] = household.rates("E-1R-AGILE-24-10-01-C", "period_from=2026-06-09T09:00:01Z&period_to=2026-06-09T09:30:00Z")
    [statistic] = row["metaData"]["statistics"]
    assert (row["startAt"], statistic["type"]) == ("2026-06-09T10:00:00+01:00", "CONSUMPTION_COST")
    assert statistic["costInclTax"]["costCurrency"] == "GBP"
    assert float(statistic["costInclTax"]["estimatedAmount"]) == pytest.approx(float(row["value"]) * rate["value_inc_vat"])


def test_gas_comes_in_what_its_meter_counts(household: Household) -> None:
    cubic = rows(household, GAS_ALONE, **DAY)
    with_points(household, replace(GAS, meters=(replace(GAS.meters[0], unit=KWH),)))
    in_kwh = rows(household, GAS_ALONE, **DAY)
    assert {row["unit"] for row in in_kwh} == {"kWh"}
    assert [float(row["value"]) for row in in_kwh] == pytest.approx([float(row["value"]) * 11.2 for row in cubic], abs=0.001)


def test_some_half_hours_never_arrive(household: Household) -> None:
    hole = datetime(2026, 6, 9, 10, tzinfo=UTC)
    with_points(household, replace(IMPORT, meters=(replace(IMPORT.meters[0], holes=(hole,)),)))
    assert len(rows(household, electricity(), **DAY)) == 47
    assert len(consumed(household, IMPORT, "period_from=2026-06-08T23:00Z&period_to=2026-06-09T22:30Z")) == 47


def test_an_exchanged_meter_has_the_days_that_it_was_there(household: Household) -> None:
    change = date(2026, 6, 9)
    meters = (Meter("OLD", "old", active_to=change), Meter("NEW", "new", active_from=change))
    with_points(household, replace(IMPORT, meters=meters))
    days = {"start": "2026-06-08T00:00:00+01:00", "end": "2026-06-10T00:00:00+01:00"}
    old, new = (rows(household, electricity(deviceId=device), **days) for device in ("old", "new"))
    assert (old[-1]["endAt"], new[0]["startAt"]) == ("2026-06-09T00:00:00+01:00", "2026-06-09T00:00:00+01:00")
    assert [row["value"] for row in rows(household, electricity(), **days)] == [row["value"] for row in old + new]


def test_rest_tells_the_same_with_londons_offset(household: Household) -> None:
    window = "period_from=2026-06-08T23:00Z&period_to=2026-06-09T22:30Z&order_by=period"
    for point, filters in ((IMPORT, electricity()), (EXPORT, electricity("GENERATION")), (GAS, GAS_ALONE)):
        measured = rows(household, filters, **DAY)
        assert consumed(household, point, window) == [
            {"consumption": float(row["value"]), "interval_start": row["startAt"], "interval_end": row["endAt"]}
            for row in measured
        ]


def test_in_winter_londons_offset_is_written_z(household: Household) -> None:
    household.moment = datetime(2026, 12, 10, 12, tzinfo=UTC)
    newest = consumed(household, IMPORT, "period_from=2026-12-09T00:00Z")[0]
    assert (newest["interval_start"], newest["interval_end"]) == ("2026-12-09T23:30:00Z", "2026-12-10T00:00:00Z")


def test_readings_of_rest_come_newest_first_and_one_too_many(household: Household) -> None:
    found = consumed(household, IMPORT, "period_from=2026-06-09T08:00Z&period_to=2026-06-09T09:00Z")
    assert [row["interval_start"][11:16] for row in found] == ["10:00", "09:30", "09:00"]


def test_readings_of_rest_want_the_key(household: Household) -> None:
    path = "/v1/electricity-meter-points/1000000000017/meters/21E0000017/consumption/"
    assert household.rest(path) == (401, {"detail": "Authentication credentials were not provided."})
    assert household.rest(path, "sk_live_other") == (401, {"detail": "Invalid API key."})
    assert household.rest(path, "sk_live_demo")[0] == 200
    for other in ("1000000000099/meters/21E0000017", "1000000000017/meters/OTHER"):
        assert household.rest(f"/v1/electricity-meter-points/{other}/consumption/", "sk_live_demo")[0] == 404
    assert household.rest("/v1/gas-meter-points/1000000000017/meters/21E0000017/consumption/", "sk_live_demo")[0] == 404


def test_the_account_of_rest_tells_points_meters_and_agreements(household: Household) -> None:
    old = Agreement("E-1R-VAR-22-11-01-C", valid_to=datetime(2025, 6, 1, tzinfo=UTC))
    with_points(household, replace(IMPORT, agreements=(old, *IMPORT.agreements)), EXPORT, GAS)
    assert household.rest("/v1/accounts/A-DEMO0001/")[0] == 401
    assert household.rest("/v1/accounts/A-OTHER/", "sk_live_demo") == (404, {"detail": "Not found."})
    status, content = household.rest("/v1/accounts/A-DEMO0001/", "sk_live_demo")
    assert (status, content["number"]) == (200, "A-DEMO0001")
    [home] = content["properties"]
    assert [(point["mpan"], point["is_export"]) for point in home["electricity_meter_points"]] == [
        ("1000000000017", False),
        ("1000000000026", True),
    ]
    assert home["electricity_meter_points"][0]["agreements"] == [
        {"tariff_code": "E-1R-VAR-22-11-01-C", "valid_from": "2025-03-01T00:00:00Z", "valid_to": "2025-06-01T01:00:00+01:00"},
        {"tariff_code": "E-1R-AGILE-24-10-01-C", "valid_from": "2025-03-01T00:00:00Z", "valid_to": None},
    ]
    assert [point["mprn"] for point in home["gas_meter_points"]] == ["1000000035"]


def telemetry(household: Household, device: str = ESME, **span: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = household.ask(TELEMETRY, device=device, **span)["smartMeterTelemetry"]
    return found


def test_without_a_range_the_newest_ten_seconds_are_told(household: Household) -> None:
    household.moment += timedelta(seconds=7)
    [row] = telemetry(household)
    assert row["readAt"] == "2026-06-10T09:59:50+00:00"
    assert {name: type(value) for name, value in row.items()} == dict.fromkeys(row, str)
    household.moment += timedelta(seconds=3)
    [later] = telemetry(household)
    assert later["readAt"] == "2026-06-10T10:00:00+00:00"
    assert float(later["consumption"]) == pytest.approx(float(row["consumption"]) + float(row["consumptionDelta"]))


def test_the_counters_of_a_day_add_up_to_its_half_hours(household: Household) -> None:
    found = telemetry(household, **DAY, grouping="HALF_HOURLY")
    measured = rows(household, electricity(), **DAY)
    given = [float(row["value"]) for row in rows(household, electricity("GENERATION"), **DAY)]
    assert [float(row["consumptionDelta"]) / 1000 for row in found] == pytest.approx([float(row["value"]) for row in measured])
    assert [row["readAt"] for row in found][:2] == ["2026-06-08T23:00:00+00:00", "2026-06-08T23:30:00+00:00"]
    exported = [(float(b["export"]) - float(a["export"])) / 1000 for a, b in pairwise(found)]
    assert exported == pytest.approx(given[:-1])
    demands = [2 * (float(row["consumptionDelta"]) - 1000 * out) for row, out in zip(found, given, strict=True)]
    assert [float(row["demand"]) for row in found] == pytest.approx(demands)
    assert min(demands) < 0 < max(demands)


@pytest.mark.parametrize(
    ("grouping", "count"), [("TEN_SECONDS", 360), ("ONE_MINUTE", 60), ("FIVE_MINUTES", 12), ("HALF_HOURLY", 2), ("HOURLY", 1)]
)
def test_a_range_comes_in_the_groups_asked_for(household: Household, grouping: str, count: int) -> None:
    span = {"start": "2026-06-10T08:00:00Z", "end": "2026-06-10T09:00:00Z"}
    found = telemetry(household, **span, grouping=grouping)
    assert len(found) == count
    assert sum(float(row["consumptionDelta"]) for row in found) == pytest.approx(
        float(telemetry(household, **span, grouping="HOURLY")[0]["consumptionDelta"]), rel=1e-3
    )


def test_a_range_ends_at_the_present(household: Household) -> None:
    household.moment += timedelta(minutes=12)
    found = telemetry(household, start="2026-06-10T10:00:00Z", end="2026-06-10T11:00:00Z", grouping="FIVE_MINUTES")
    assert [row["readAt"][14:16] for row in found] == ["00", "05", "10"]


def test_live_energy_costs_what_agile_costs(household: Household) -> None:
    [row] = telemetry(household)
    [rate] = household.rates("E-1R-AGILE-24-10-01-C", "period_from=2026-06-10T09:30:01Z&period_to=2026-06-10T10:00:00Z")
    assert float(row["costDeltaWithTax"]) == pytest.approx(
        float(row["consumptionDelta"]) * rate["value_inc_vat"] / 1000, abs=1e-4
    )


def test_only_the_electricity_meter_is_live_and_only_with_a_home_mini(household: Household) -> None:
    assert telemetry(household, GSME) == []
    assert telemetry(household, "00-00-00-00-00-00-00-00") == []
    household.octopus.home_mini = False
    assert telemetry(household) == []


def test_without_export_there_is_no_counter_for_it(household: Household) -> None:
    with_points(household, IMPORT)
    [row] = telemetry(household)
    assert row["export"] is None
    assert float(row["demand"]) > 0
