"""The rates of REST: by day, by window, until further notice; published when the provider publishes, paged as it pages."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from bridge.simulator.octopus import OctopusFault
from bridge.simulator.octopus.products import REGIONS, STOCK
from tests.simulator.conftest import Household

AGILE, OUTGOING = "E-1R-AGILE-24-10-01-C", "E-1R-AGILE-OUTGOING-19-05-13-C"
FLEXIBLE, GAS, ECONOMY = (f"{registers}-VAR-22-11-01-C" for registers in ("E-1R", "G-1R", "E-2R"))
CAPPED = "E-1R-IOG-SMB-VAR-24-10-29-C"
AGILE_PATH = f"/v1/products/AGILE-24-10-01/electricity-tariffs/{AGILE}/standard-unit-rates/"
DAY = "period_from=2026-06-10T00:00:00Z&period_to=2026-06-11T00:00:00Z"
ROW = {"value_exc_vat", "value_inc_vat", "valid_from", "valid_to", "payment_method"}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def spans(rows: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["valid_from"], row["valid_to"]) for row in rows]


def newest(household: Household, tariff: str = AGILE) -> str:
    """Return the end of the newest rate that is out."""
    begin = (household.moment - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    end: str = household.rates(tariff, f"period_from={begin}")[0]["valid_to"]
    return end


def test_a_row_has_the_providers_names_and_kinds(household: Household) -> None:
    status, content = household.rest(f"{AGILE_PATH}?{DAY}")
    assert (status, set(content)) == (200, {"count", "next", "previous", "results"})
    assert (content["count"], content["next"], content["previous"]) == (45, None, None)
    assert [set(row) for row in content["results"]] == [ROW] * 45
    assert {type(row["value_exc_vat"]) for row in content["results"]} == {float}
    assert {row["payment_method"] for row in content["results"]} == {None}


def test_the_newest_row_comes_first_and_each_begins_where_the_next_one_ends(household: Household) -> None:
    rows = household.rates(AGILE, DAY)
    assert [later["valid_from"] for later, _ in pairwise(rows)] == [earlier["valid_to"] for _, earlier in pairwise(rows)]
    assert {instant(end) - instant(begin) for begin, end in spans(rows)} == {timedelta(minutes=30)}
    assert rows[0]["valid_from"] > rows[-1]["valid_from"]


def test_a_row_that_ends_as_the_period_begins_is_chosen_too(household: Household) -> None:
    rows = household.rates(AGILE, "period_from=2026-06-10T08:00Z&period_to=2026-06-10T09:00Z")
    assert spans(rows) == [
        ("2026-06-10T08:30:00Z", "2026-06-10T09:00:00Z"),
        ("2026-06-10T08:00:00Z", "2026-06-10T08:30:00Z"),
        ("2026-06-10T07:30:00Z", "2026-06-10T08:00:00Z"),
    ]


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-06-10T14:59:59Z", "2026-06-10T22:00:00Z"),  # summer: 23:00 in London
        ("2026-06-10T15:00:00Z", "2026-06-11T22:00:00Z"),
        ("2026-06-10T22:30:00Z", "2026-06-11T22:00:00Z"),
        ("2026-06-10T23:30:00Z", "2026-06-11T22:00:00Z"),
        ("2026-12-10T15:59:59Z", "2026-12-10T23:00:00Z"),
        ("2026-12-10T16:00:00Z", "2026-12-11T23:00:00Z"),
        ("2026-10-24T15:00:00Z", "2026-10-25T23:00:00Z"),  # the day of 25 hours
        ("2026-03-28T16:00:00Z", "2026-03-29T22:00:00Z"),  # the day of 23
    ],
)
def test_agiles_tomorrow_appears_in_the_afternoon_and_ends_at_eleven(household: Household, moment: str, end: str) -> None:
    household.moment = instant(moment)
    assert [newest(household, tariff) for tariff in (AGILE, OUTGOING)] == [end, end]


@pytest.mark.parametrize(("day", "count"), [("2026-06-10", 48), ("2026-10-25", 50), ("2026-03-29", 46)])
def test_a_local_day_has_as_many_half_hours_as_it_has(household: Household, day: str, count: int) -> None:
    household.moment = instant(f"{day}T20:00:00Z")
    end = instant(newest(household)) - timedelta(days=1)
    begin = (end.astimezone(UTC) - timedelta(hours=count / 2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = household.rates(AGILE, f"period_from={begin}&period_to={end:%Y-%m-%dT%H:%M:%SZ}")
    assert len(rows) == count + 1  # and the one that ends as the day begins


def test_the_hour_of_publication_can_be_moved_or_taken_away(household: Household) -> None:
    household.moment = instant("2026-06-10T16:30:00Z")
    household.octopus.publish_at = time(20)
    assert newest(household) == "2026-06-10T22:00:00Z"
    household.octopus.publish_at = None
    household.moment = instant("2026-06-10T22:59:59Z")
    assert newest(household) == "2026-06-10T22:00:00Z"
    household.moment += timedelta(seconds=1)
    assert newest(household) == "2026-06-11T22:00:00Z"


def test_agile_is_negative_now_and_then_and_never_above_its_cap(household: Household) -> None:
    household.moment = instant("2026-06-10T16:00:00Z")
    rows = [row for page in (1, 2) for row in household.rates(AGILE, f"period_from=2026-05-01T00:00Z&page={page}")]
    values = [row["value_inc_vat"] for row in rows]
    assert min(values) < -5
    assert max(values) == 100.0
    assert all(abs(row["value_inc_vat"] - row["value_exc_vat"] * 1.05) < 0.0001 for row in rows)


def test_export_bears_no_vat_and_pays_never_less_than_nothing(household: Household) -> None:
    rows = household.rates(OUTGOING, "period_from=2026-05-20T00:00Z")
    assert min(row["value_inc_vat"] for row in rows) >= 0
    assert all(row["value_inc_vat"] == row["value_exc_vat"] for row in rows)


def test_the_same_prices_come_back_for_ever_and_others_in_another_region(household: Household) -> None:
    first = household.rates(AGILE, DAY)
    household.moment += timedelta(days=100)
    assert household.rates(AGILE, DAY)[-45:] == first
    elsewhere = household.rates("E-1R-AGILE-24-10-01-A", DAY)
    assert not {row["value_inc_vat"] for row in elsewhere[-45:]} & {row["value_inc_vat"] for row in first[10:20]}


@pytest.mark.parametrize(
    ("tariff", "period", "starts"),
    [
        ("E-1R-GO-VAR-22-10-14-C", ("2026-06-10T00:00Z", "2026-06-11T00:00Z"), ["23:30", "04:30", "23:30"]),
        ("E-1R-GO-VAR-22-10-14-C", ("2026-01-10T00:00Z", "2026-01-11T00:00Z"), ["05:30", "00:30", "05:30"]),
        ("E-1R-INTELLI-VAR-22-10-14-C", ("2026-06-10T00:00Z", "2026-06-11T00:00Z"), ["22:30", "04:30", "22:30"]),
        ("E-1R-THREE-RATE-VAR-24-07-01-C", ("2026-01-10T00:00Z", "2026-01-10T23:59Z"), ["19:00", "16:00", "07:00", "04:00",
                                                                                        "00:00", "19:00"]),
    ],
)  # fmt: skip
def test_windows_have_a_row_each_at_local_times(
    household: Household, tariff: str, period: tuple[str, str], starts: list[str]
) -> None:
    rows = household.rates(tariff, f"period_from={period[0]}&period_to={period[1]}")
    assert [row["valid_from"][11:16] for row in rows] == starts
    assert [later["valid_from"] for later, _ in pairwise(rows)] == [earlier["valid_to"] for _, earlier in pairwise(rows)]


def test_windows_are_out_two_days_ahead(household: Household) -> None:
    assert household.rates("E-1R-GO-VAR-22-10-14-C")[0]["valid_from"] == "2026-06-11T04:30:00Z"


def test_a_window_is_an_hour_longer_when_the_clocks_go_back(household: Household) -> None:
    household.moment = instant("2026-10-25T12:00:00Z")
    rows = household.rates("E-1R-GO-VAR-22-10-14-C", "period_from=2026-10-25T00:00Z&period_to=2026-10-25T04:00Z")
    assert spans(rows)[0] == ("2026-10-24T23:30:00Z", "2026-10-25T05:30:00Z")


@pytest.mark.parametrize("tariff", [FLEXIBLE, GAS])
def test_a_variable_tariff_has_two_rows_for_each_span_and_the_last_is_open(household: Household, tariff: str) -> None:
    rows = household.rates(tariff)
    assert [row["payment_method"] for row in rows] == ["DIRECT_DEBIT", "NON_DIRECT_DEBIT"] * (len(rows) // 2)
    assert [row["valid_to"] for row in rows[:4]] == [None, None, "2026-03-31T23:00:00Z", "2026-03-31T23:00:00Z"]
    assert [row["valid_from"] for row in rows[:3]] == ["2026-03-31T23:00:00Z"] * 2 + ["2026-01-01T00:00:00Z"]
    assert rows[1]["value_inc_vat"] > rows[0]["value_inc_vat"]


def test_a_new_quarter_closes_the_open_row(household: Household) -> None:
    household.moment = instant("2026-06-30T22:59:59Z")
    before = household.rates(FLEXIBLE)
    household.moment += timedelta(seconds=1)
    after = household.rates(FLEXIBLE)
    assert len(after) == len(before) + 2
    assert after[2] == {**before[0], "valid_to": "2026-06-30T23:00:00Z"}
    assert after[0]["value_inc_vat"] != before[0]["value_inc_vat"]


def test_a_fixed_export_tariff_is_one_open_row(household: Household) -> None:
    [row] = household.rates("E-1R-OUTGOING-FIX-12M-19-05-13-C")
    assert (row["value_inc_vat"], row["value_exc_vat"], row["valid_to"]) == (15.0, 15.0, None)


def test_day_and_night_have_rows_of_their_own_and_no_standard_ones(household: Household) -> None:
    addresses = ("standard-unit-rates", "day-unit-rates", "night-unit-rates")
    for tariff, count in ((ECONOMY, 2), (CAPPED, 1)):
        none, day, night = (household.rates(tariff, address=address) for address in addresses)
        assert none == []
        assert (len(day), len(night), {row["valid_to"] for row in day + night}) == (count, count, {None})
        assert day[0]["value_inc_vat"] > night[0]["value_inc_vat"]


def test_standing_charges_are_by_the_day_and_nothing_for_export(household: Household) -> None:
    agile, export, gas = (household.rates(tariff, address="standing-charges") for tariff in (AGILE, OUTGOING, GAS))
    assert 40 < agile[0]["value_inc_vat"] < 60
    assert (agile[0]["valid_to"], agile[0]["payment_method"]) == (None, None)
    assert [row["value_inc_vat"] for row in export] == [0.0]
    assert {row["payment_method"] for row in gas} == {"DIRECT_DEBIT", "NON_DIRECT_DEBIT"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/NO-SUCH/",
        "/v1/products/PRIVATE-FIX-12M-25-03-01/",
        "/v1/products/PRIVATE-FIX-12M-25-03-01/electricity-tariffs/E-1R-PRIVATE-FIX-12M-25-03-01-C/standard-unit-rates/",
        "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-I/standard-unit-rates/",
        "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/day-unit-rates/",
        "/v1/products/AGILE-24-10-01/gas-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/",
        "/v1/products/VAR-22-11-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/",
        "/v1/products/VAR-22-11-01/electricity-tariffs/G-1R-VAR-22-11-01-C/standard-unit-rates/",
        "/v1/nothing/",
        "/v1/",
        "/elsewhere/",
    ],
)
def test_what_is_not_there_is_not_found(household: Household, path: str) -> None:
    assert household.rest(path) == (404, {"detail": "Not found."})


def test_pages_are_linked_by_whole_addresses(household: Household) -> None:
    household.octopus.base_url = "http://127.0.0.1:8123"
    found: list[Any] = []
    path: str | None = f"{AGILE_PATH}?{DAY}&page_size=20"
    while path:
        _, content = household.rest(path)
        found.append((content["count"], len(content["results"]), content["previous"] is None))
        following = content["next"]
        assert following is None or following.startswith(f"http://127.0.0.1:8123{AGILE_PATH}?")
        path = f"{urlsplit(following).path}?{urlsplit(following).query}" if following else None
    assert found == [(45, 20, True), (45, 20, False), (45, 5, False)]


@pytest.mark.parametrize(("size", "served"), [("", 100), ("0", 100), ("x", 100), ("7", 7), ("1500", 1500), ("99999", 1500)])
def test_a_page_has_a_usual_and_a_greatest_size(household: Household, size: str, served: int) -> None:
    _, content = household.rest(f"{AGILE_PATH}?period_from=2026-04-01T00:00Z&page_size={size}")
    assert len(content["results"]) == served


def test_a_page_beyond_the_last_is_not_found(household: Household) -> None:
    assert household.rest(f"{AGILE_PATH}?{DAY}&page=2") == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00Z", "0001-01-01T00:00:00+05:00"])
def test_a_time_that_is_none_is_refused(household: Household, text: str) -> None:
    status, content = household.rest(f"{AGILE_PATH}?period_from={text.replace('+', '%2B')}")
    assert (status, content) == (400, {"period_from": ["Enter a valid date/time."]})


def test_a_naive_time_is_londons(household: Household) -> None:
    naive, whole = (
        household.rates(AGILE, f"period_from={begin}&period_to={end}")
        for begin, end in (("2026-06-10T01:00", "2026-06-10T02:00"), ("2026-06-10T00:00Z", "2026-06-10T01:00Z"))
    )
    assert naive == whole


def test_only_get_is_served(household: Household) -> None:
    response = household.get(AGILE_PATH, method="POST")
    assert (response.status, json.loads(response.body)) == (405, {"detail": 'Method "POST" not allowed.'})


def test_a_stuck_cursor_always_leads_to_the_same_page(household: Household) -> None:
    household.octopus.faults.set(OctopusFault.STUCK_CURSOR)
    one, two = (household.rest(f"{AGILE_PATH}?{DAY}&page={page}")[1] for page in (1, 2))
    assert one == two
    assert one["next"] is not None


@pytest.mark.parametrize("product", sorted({tariff.product for tariff in STOCK if not tariff.private}))
def test_a_product_leads_to_the_rows_of_its_tariffs(household: Household, product: str) -> None:
    status, content = household.rest(f"/v1/products/{product}/")
    assert (status, content["code"]) == (200, product)
    groups = [value for name, value in content.items() if name.endswith("_tariffs") and value]
    tariffs = [tariff for group in groups for tariff in group["_C"].values()]
    assert {tariff["code"] for tariff in tariffs} == {each.code("C") for each in STOCK if each.product == product}
    assert {len(group) for group in groups} == {len(REGIONS)}
    for link in (link for tariff in tariffs for link in tariff["links"]):
        address = link["href"].removeprefix("http://127.0.0.1")
        assert link["rel"].replace("_", "-") == address.strip("/").rpartition("/")[2]
        assert household.rest(address)[0] == 200


def test_a_products_page_tells_the_prices_of_the_moment(household: Household) -> None:
    _, content = household.rest("/v1/products/VAR-22-11-01/")
    tariff = content["single_register_electricity_tariffs"]["_C"]["direct_debit_monthly"]
    dual = content["dual_register_electricity_tariffs"]["_C"]["direct_debit_monthly"]
    assert tariff["standard_unit_rate_inc_vat"] == household.rates(FLEXIBLE)[0]["value_inc_vat"]
    assert tariff["standing_charge_inc_vat"] == household.rates(FLEXIBLE, address="standing-charges")[0]["value_inc_vat"]
    assert dual["day_unit_rate_inc_vat"] == household.rates(ECONOMY, address="day-unit-rates")[0]["value_inc_vat"]
    assert [content[name] for name in ("direction", "is_variable", "is_prepay", "term")] == ["IMPORT", True, False, None]


def test_the_capped_tariff_is_linked_by_day_and_night(household: Household) -> None:
    _, content = household.rest("/v1/products/IOG-SMB-VAR-24-10-29/")
    links = content["single_register_electricity_tariffs"]["_C"]["direct_debit_monthly"]["links"]
    assert [link["rel"] for link in links] == ["standing_charges", "standard_unit_rates", "day_unit_rates", "night_unit_rates"]


def test_four_rates_have_a_group_of_their_own_and_no_rows(household: Household) -> None:
    _, content = household.rest("/v1/products/FOUR-RATE-EV-VAR-25-01-01/")
    tariff = content["four_rate_ev_electricity_tariffs"]["_C"]["direct_debit_monthly"]
    assert content["single_register_electricity_tariffs"] == {}
    assert [link["rel"] for link in tariff["links"]] == ["standing_charges"]
