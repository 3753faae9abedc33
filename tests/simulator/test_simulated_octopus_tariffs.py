"""Under each agreement the prices of its tariff apply, whatever its kind, and whether REST knows it or not."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from bridge.simulator.octopus.homes import GAS, IMPORT, Agreement, MeterPoint
from bridge.simulator.octopus.products import STOCK
from tests.simulator.conftest import Household

NUMBER = "A-DEMO0001"
APPLICABLE = """
query Applicable($account: String!, $mpxn: String!, $start: DateTime!, $end: DateTime!, $after: String) {
  applicableRates(accountNumber: $account, mpxn: $mpxn, startAt: $start, endAt: $end, first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { value validFrom validTo } }
  }
  applicableStandingCharges(accountNumber: $account, mpxn: $mpxn, startAt: $start, endAt: $end, first: 100) {
    edges { node { value validFrom validTo } }
  }
}
"""


def with_points(household: Household, *points: MeterPoint) -> None:
    household.octopus.properties = (replace(household.octopus.properties[0], points=points),)


def applicable(household: Household, start: str, end: str, mpxn: str = IMPORT.number) -> list[dict[str, Any]]:
    data = household.ask(APPLICABLE, account=NUMBER, mpxn=mpxn, start=start, end=end)
    return [edge["node"] for edge in data["applicableRates"]["edges"]]


@pytest.mark.parametrize("tariff", [tariff for tariff in STOCK if not tariff.gas], ids=lambda tariff: tariff.code("C"))
def test_applicable_rates_are_those_of_the_agreement_whatever_its_tariff(household: Household, tariff: Any) -> None:
    with_points(household, replace(IMPORT, agreements=(Agreement(tariff.code("C")),)))
    rows = applicable(household, "2026-06-10T00:00:00Z", "2026-06-10T12:00:00+01:00")
    assert rows[0]["validFrom"] <= "2026-06-10T00:00:00+00:00"
    assert [row["validTo"] for row in rows[:-1]] == [row["validFrom"] for row in rows[1:]]
    assert rows[-1]["validTo"] is None or rows[-1]["validTo"] >= "2026-06-10T11:00:00+00:00"
    assert all(len(row["value"].partition(".")[2]) == 16 for row in rows)
    standard = tariff.private or tariff.kind in {"FourRateEvTariff", "DayNightTariff"} or "IOG" in tariff.product
    if not standard:
        shown = household.rates(tariff.code("C"), "period_from=2026-06-10T00:00:01Z&period_to=2026-06-10T11:00:00Z")
        expected = [row["value_inc_vat"] for row in reversed(shown) if row["payment_method"] != "NON_DIRECT_DEBIT"]
        assert [float(row["value"]) for row in rows] == pytest.approx(expected)


def test_applicable_rates_follow_from_one_agreement_to_the_next(household: Household) -> None:
    change = datetime(2026, 6, 10, 9, 15, tzinfo=UTC)
    flexible, agile = Agreement("E-1R-VAR-22-11-01-C", valid_to=change), Agreement("E-1R-AGILE-24-10-01-C", change)
    with_points(household, replace(IMPORT, agreements=(flexible, agile)))
    rows = applicable(household, "2026-06-10T09:00:00Z", "2026-06-10T10:00:00Z")
    assert [(row["validFrom"], row["validTo"]) for row in rows] == [
        ("2026-03-31T23:00:00+00:00", "2026-06-10T09:15:00+00:00"),
        ("2026-06-10T09:15:00+00:00", "2026-06-10T09:30:00+00:00"),
        ("2026-06-10T09:30:00+00:00", "2026-06-10T10:00:00+00:00"),
    ]


def test_applicable_rates_of_gas_and_standing_charges_are_there_too(household: Household) -> None:
    span = {"start": "2026-06-10T00:00:00Z", "end": "2026-06-11T00:00:00Z"}
    data = household.ask(APPLICABLE, account=NUMBER, mpxn=GAS.number, **span)
    [rate], [standing] = (data[name]["edges"] for name in ("applicableRates", "applicableStandingCharges"))
    gas = "G-1R-VAR-22-11-01-C"
    assert float(rate["node"]["value"]) == pytest.approx(household.rates(gas)[0]["value_inc_vat"])
    expected = household.rates(gas, address="standing-charges")[0]["value_inc_vat"]
    assert float(standing["node"]["value"]) == pytest.approx(expected)
    assert rate["node"]["validTo"] is None


def test_applicable_rates_of_an_unknown_supply_are_refused(household: Household) -> None:
    span = {"start": "2026-06-10T00:00:00Z", "end": "2026-06-11T00:00:00Z"}
    answer = household.answer(APPLICABLE, account=NUMBER, mpxn="1", **span)
    assert {error["extensions"]["errorCode"] for error in answer["errors"]} == {"KT-CT-4123"}


def test_every_kind_of_tariff_tells_its_prices(household: Household) -> None:
    agreements = tuple(Agreement(tariff.code("C")) for tariff in STOCK if not tariff.gas)
    with_points(household, replace(IMPORT, agreements=agreements))
    query = """{ viewer { accounts { ... on AccountType { electricityAgreements { tariff {
      __typename
      ... on StandardTariff { unitRate preVatUnitRate }
      ... on PrepayTariff { unitRate preVatUnitRate }
      ... on DayNightTariff { dayRate nightRate }
      ... on ThreeRateTariff { dayRate nightRate offPeakRate }
      ... on HalfHourlyTariff { unitRates { validFrom validTo value preVatValue } }
    } } } } } }"""
    [account] = household.ask(query)["viewer"]["accounts"]
    kinds: dict[str, list[Any]] = {}
    for each in account["electricityAgreements"]:
        kinds.setdefault(each["tariff"].pop("__typename"), []).append(each["tariff"])
    assert set(kinds) == {
        *("StandardTariff", "DayNightTariff", "ThreeRateTariff", "FourRateEvTariff", "HalfHourlyTariff", "PrepayTariff")
    }
    assert all(tariff["dayRate"] > tariff["nightRate"] for tariff in kinds["DayNightTariff"])
    [prepay] = kinds["PrepayTariff"]
    assert Decimal(str(prepay["unitRate"])) == Decimal(str(prepay["preVatUnitRate"])) * Decimal("1.05")
    rates = [tariff["unitRates"] for tariff in kinds["HalfHourlyTariff"]]
    assert [len(each) for each in rates] == [46, 46, 5, 5, 5]
    assert all(earlier["validTo"] == later["validFrom"] for each in rates for earlier, later in pairwise(each))
