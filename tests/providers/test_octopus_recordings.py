"""What was recorded of the real Kraken, read by our normalisers: each file, and each value where one is there."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import Malformed, Unauthenticated
from bridge.providers.octopus import execute, figures, halfhours, household, prices, readings, sign_in, tariffs
from bridge.providers.octopus.kraken import read_page
from bridge.providers.octopus.tenants import TENANTS
from tests.providers.wire import NOON, Wire, from_json
from tests.support import FACTS, utc

FOLDER = FACTS / "providers" / "fixtures" / "octopus"
RECORDED_AT = utc("2024-08-22T12:00")

READ = (
    "Initial_Authentication",
    "Refresh_Authentication",
    "APIKey",
    "Fetch_Account_User",
    "getMeterDetails",
    "getElectricityMeterReadings",
    "Energy_Products",
    "getBills",
    "queryName",
    "getAccountPropertiesMeters",
    "getSmartMeterTelemetry",
    "03_meterAgreements",
    "04_meterAgreements",
    "05_meterAgreements",
    "evcc_issue_21011",
    "error",  # both of them in test_octopus_errors.py
)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the folder of facts is not here")


def recorded(name: str) -> Any:
    [file] = FOLDER.glob(f"*{name}*.json")
    return from_json(json.loads(file.read_text()))


def data(name: str) -> Any:
    return recorded(name)["data"]


def agreements(found: Any) -> list[household.Agreement | None]:
    return [household._agreement(one) for one in found]


# the sign-in


def test_a_sign_in_lives_for_an_hour_and_its_refresh_token_for_ten_days() -> None:
    found = data("Initial_Authentication")["obtainKrakenToken"]
    grant = sign_in._grant(found, None, NOON)
    assert (grant.token, grant.refresh_token) == (found["token"], found["refreshToken"])
    assert (grant.expires - NOON, grant.refresh_expires) == (
        timedelta(hours=1),
        NOON + timedelta(seconds=1725024454 - 1724155372),
    )


async def test_an_expired_token_is_one_to_renew() -> None:
    wire = Wire({"Thing": recorded("Refresh_Authentication")})
    with pytest.raises(Unauthenticated, match="Signature of the JWT has expired"):
        await wire.kraken.ask("query Thing { account { number } }")


def test_a_users_own_key_is_no_list_of_accounts() -> None:
    with pytest.raises(Malformed):
        household.accounts(data("APIKey"))


# the account


def test_the_user_has_one_account_with_a_balance_and_a_property() -> None:
    viewer = data("Fetch_Account_User")
    [account] = viewer["viewer"]["accounts"]
    assert household.accounts(viewer) == ["A-B1C2D34E"]
    balance = figures.balance({"account": account}, "GBP", RECORDED_AT)
    assert (balance.value, balance.currency, balance.at) == (Decimal("393.03"), "GBP", RECORDED_AT)
    [home] = household.households({"account": account}, "A-B1C2D34E", RECORDED_AT)
    assert (home.id, home.supplies) == ("2930512", ())
    assert home.personal == {
        "account": "A-B1C2D34E",
        "postcode": "BB12 3AM",
        "address": "Brookfield Farm, Ambridge, Bortchester, Borsetshire, BB12 3AM",
    }


@pytest.mark.parametrize("name", ["getMeterDetails", "getAccountPropertiesMeters"])
def test_two_electricity_points_share_a_meter_and_gas_has_its_own(name: str) -> None:
    [home] = household.households(data(name), "A-B1C2D34E", RECORDED_AT)
    assert [(supply.stream, supply.number, supply.serials) for supply in home.supplies] == [
        ("import", "1111111111111", ("21E1111111",)),
        ("import", "2222222222222", ("21E1111111",)),  # neither recording asked for any of the four signs of export
        ("gas", "3333333333", ("E6S22222222222",)),
    ]
    assert home.supplies[2].in_cubic_metres is (True if name == "getAccountPropertiesMeters" else None)  # the other did not ask


def test_the_tariffs_tell_product_rate_and_standing_charge_and_the_code_tells_export() -> None:
    account = data("getMeterDetails")["account"]
    assert figures.balance({"account": account}, "GBP", NOON).value == Decimal("393.05")
    outgoing, intelligent, gas = agreements(account["electricityAgreements"] + account["gasAgreements"])
    assert [one.tariff for one in (outgoing, intelligent, gas) if one] == [
        household.Tariff(
            "E-1R-OUTGOING-FIX-12M-19-05-13-A",
            "OUTGOING-FIX-12M-19-05-13",
            "StandardTariff",
            Decimal(0),
            {"unitRate": Decimal(15)},
        ),
        household.Tariff("E-1R-INTELLI-VAR-22-10-14-A", "INTELLI-VAR-22-10-14", "HalfHourlyTariff", Decimal("47.8485"), {}),
        household.Tariff(
            "G-1R-VAR-22-11-01-A", "VAR-22-11-01", "GasTariffType", Decimal("28.9485"), {"unitRate": Decimal("5.401725")}
        ),
    ]
    assert [household._is_export({}, [one], []) for one in (outgoing, intelligent) if one] == [True, False]


def test_the_rates_of_a_tariff_become_half_hours() -> None:
    nodes = prices._unit_rates(data("getMeterDetails"), "E-1R-INTELLI-VAR-22-10-14-A")
    begin, end = utc("2024-08-29T23:00"), utc("2024-08-30T23:00")
    found = tariffs.slots(tariffs.listed_rates(nodes), begin, end)
    assert [(slot.start, slot.end) for slot in found] == [
        (begin + number * tariffs.HALF_HOUR, begin + (number + 1) * tariffs.HALF_HOUR) for number in range(48)
    ]
    cheap, dear = Decimal("0.0700035"), Decimal("0.2439255")
    assert [slot.value for slot in found] == [cheap] * 11 + [dear] * 36 + [cheap]  # from 23:30 to 05:30 in London


def test_the_public_rows_of_go_become_half_hours() -> None:
    rows = recorded("evcc_issue_21011")["results"]
    begin, end = utc("2025-04-29T23:00"), utc("2025-05-01T23:00")
    found = tariffs.slots(tariffs.rest_rates(rows, "direct_debit"), begin, end)
    assert len(found) == 96
    cheap, dear = Decimal("0.0849975"), Decimal("0.2895858")
    assert [slot.value for slot in found] == ([dear] + [cheap] * 10 + [dear] * 37) * 2  # from 00:30 to 05:30 in London


def test_agreements_that_were_recorded_without_their_tariffs_codes_are_in_force_for_nobody() -> None:
    for name, count in (("03_meterAgreements", 4), ("04_meterAgreements", 5), ("05_meterAgreements", 2)):
        found = data(name)["node"]["meterPoint"]["agreements"]
        assert len(found) == count
        assert household._agreements({"agreements": found}) == ()


@pytest.mark.parametrize(("name", "spans"), [("03_meterAgreements", 4), ("04_meterAgreements", 5), ("05_meterAgreements", 2)])
def test_with_a_code_the_one_in_force_is_the_last_that_has_begun(name: str, spans: int) -> None:
    found = data(name)["node"]["meterPoint"]["agreements"]
    coded = [{**one, "tariff": {"tariffCode": str(number)}} for number, one in enumerate(found)]
    supply = household.Supply("import", "1", household._agreements({"agreements": coded}))
    in_force = supply.agreement(RECORDED_AT)
    assert len(supply.agreements) == spans
    assert in_force == supply.agreements[-1]  # that of the export has an end, a year ahead
    before = [utc("2021-01-01T00:00"), datetime.fromisoformat(found[0]["validFrom"])]
    assert [bool(supply.agreement(moment)) for moment in before] == [False, True]


def test_the_products_on_offer_are_tariffs_with_every_rate() -> None:
    nodes, _ = read_page(data("Energy_Products"), ("energyProducts",))
    offered = [tariff for node in nodes for tariff in read_page(node, ("tariffs",))[0]]
    read = [found.tariff for found in agreements({"tariff": tariff} for tariff in offered) if found]
    assert len(read) == len(offered) > len(nodes) == 13
    for tariff, told in zip(read, offered, strict=True):
        assert tariff.rates == {name: told[name] for name in told if name in ("unitRate", "dayRate", "nightRate", "offPeakRate")}
        assert (tariff.product, tariff.standing_charge) == (told["productCode"], told["standingCharge"])
        parts = household.TARIFF_CODE.match(tariff.code)
        assert parts is not None
        assert (parts["product"], parts["region"]) == (tariff.product, "A")


# readings, money, points


def test_readings_of_a_register_are_no_half_hours() -> None:
    nodes, following = read_page(data("getElectricityMeterReadings"), ("electricityMeterReadings",))
    supply = household.Supply("import", "1", ())
    assert (len(nodes), following) == (44, None)
    assert {halfhours.measured(node, supply) for node in nodes} == {None}


async def test_a_home_mini_that_is_away_shows_nothing() -> None:
    wire = Wire({"Telemetry": recorded("getSmartMeterTelemetry")})
    ways = readings.Readings(wire.kraken, None, TENANTS["uk"], Decimal(40))
    assert await ways.live(household.Supply("import", "1", (), device="01-01")) == ()


@pytest.mark.parametrize("name", ["getBills", "queryName"])
def test_a_bills_transactions_are_told_in_pounds(name: str) -> None:
    account = data(name)["account"]
    bill = account["bills"]["edges"][0]["node"]
    nodes, following = read_page(bill, ("transactions",))
    assert figures.balance({"account": account}, "GBP", NOON).value == Decimal("393.03")
    found = [execute._transaction(node, "GBP") for node in nodes]
    assert (len(found), following) == (10, None)
    assert found[0].model_dump(exclude={"id"}) == {
        "kind": "charge",
        "title": "Gas",
        "posted": date(2024, 8, 20),
        "gross": 28.47,
        "net": 27.11,
        "tax": 1.36,
        "balance": 393.03,
        "currency": "GBP",
        "reversed": False,
    }
    assert [(one.kind, one.gross) for one in found[1:4]] == [("charge", -27.16), ("charge", 29.97), ("credit", 5.02)]
    assert found[6].kind == "payment"


def test_the_newest_entry_of_a_points_ledger_comes_first_and_as_a_string() -> None:
    told = figures.points({"loyaltyPointLedgers": [{"balanceCarriedForward": "1524"}, {"balanceCarriedForward": "723"}]}, NOON)
    assert told is not None
    assert told.value == 1524


def test_no_file_is_left_out() -> None:
    assert [file.name for file in FOLDER.iterdir() if not any(name in file.stem for name in READ)] == []
