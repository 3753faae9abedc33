"""From an account's JSON to properties and sites: what is told in pounds, what is personal, what is odd and what was left."""

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import Malformed, NotFound
from bridge.models.site import Site
from bridge.providers.octopus.household import accounts, households
from bridge.providers.octopus.tenants import TENANTS
from tests.providers.test_octopus_household import AGILE, GO, NOON, OUTGOING, agreed, only, point

UK = TENANTS["uk"]


def test_a_site_is_told_in_pounds_and_without_personal_data_unless_it_is_wanted() -> None:
    gas = {"mprn": "3000", "agreements": [agreed("G-1R-VAR-22-11-01-C", standingCharge=28.9485)]}
    export = point(agreed(OUTGOING, standingCharge=0, isExport=True), mpan="2000")
    home = only(export, point(agreed(AGILE, standingCharge="47.8485000000")), gas=[gas], postcode="EC1A 1ZZ", address="1 Street")
    site = Site(
        id="7",
        title="home",
        timezone="Europe/London",
        currency="GBP",
        price_area="C",
        streams=("import", "export", "gas"),
        standing_charges={"import": Decimal("0.478485"), "export": Decimal(0), "gas": Decimal("0.289485")},
        tariffs={"import": AGILE, "export": OUTGOING, "gas": "G-1R-VAR-22-11-01-C"},
    )
    personal = {"account": "A-1", "postcode": "EC1A 1ZZ", "address": "1 Street"}
    numbers = {"import_mpan": "1000", "export_mpan": "2000", "gas_mprn": "3000"}
    assert home.site(UK, NOON, {}, personal=False) == site
    assert home.site(UK, NOON, {}, personal=True) == site.model_copy(update={"personal": personal | numbers})


def test_a_stream_without_an_agreement_in_force_has_neither_tariff_nor_charge() -> None:
    site = only(point(agreed(GO, "2024-01-01", "2025-01-01", standingCharge=40))).site(UK, NOON, {}, personal=False)
    assert (site.streams, site.tariffs, site.standing_charges) == (("import",), {}, {})


def test_a_standing_charge_that_only_rest_tells_stands_in_for_one_that_is_missing() -> None:
    for own, told in ((None, "0.5"), (0, "0"), (40, "0.4")):
        site = only(point(agreed(AGILE, standingCharge=own))).site(UK, NOON, {AGILE: Decimal(50)}, personal=False)
        assert site.standing_charges == {"import": Decimal(told)}


# what is odd


def test_odd_rows_are_left_out_with_one_line_for_each_kind(caplog: pytest.LogCaptureFixture) -> None:
    odd = [agreed(GO, standingCharge=True), {**agreed(GO), "validFrom": "soon"}, {**agreed(GO), "validTo": "2026-01-01T00:00:00"}]
    with caplog.at_level(logging.WARNING):
        home = only({"gspGroupId": "_C"}, 5, point(agreed(AGILE), *odd, 5, "text"))
    assert [one.tariff.code for supply in home.supplies for one in supply.agreements] == [AGILE]
    assert [record.getMessage() for record in caplog.records] == [
        "5 agreement(s) of Octopus' are left out, the first for TypeError",
        "2 electricity meter point(s) of Octopus' are left out, the first for KeyError",
    ]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"account": None}, NotFound("account A-1 is not known to the provider, or not ours")),
        ({}, NotFound("account A-1 is not known to the provider, or not ours")),
        ({"account": {"properties": None}}, Malformed("the answer names no properties of account A-1")),
    ],
)
def test_an_odd_whole_says_so(data: Any, error: Exception) -> None:
    with pytest.raises(type(error), match=f"^{error}$"):
        households(data, "A-1", NOON)


@pytest.mark.parametrize(
    ("ends", "left"),
    [(["2025-01-01", None], ["2"]), (["2025-01-01", "2025-06-01"], ["1", "2"]), ([None, "2027-01-01"], ["1", "2"])],
)
def test_a_property_that_was_left_is_told_only_where_there_is_no_other(ends: list[str | None], left: list[str]) -> None:
    properties = [
        {"id": str(number), "electricityMeterPoints": [point(agreed(GO, "2024-01-01", end))]}
        for number, end in enumerate(ends, 1)
    ]
    found = households({"account": {"properties": properties}}, "A-1", NOON)
    assert [home.id for home in found] == left


def test_an_agreement_to_come_keeps_a_property() -> None:
    [supply] = only(point(agreed(GO, "2026-07-01"))).supplies
    assert supply.concerns(NOON)
    assert supply.agreement(NOON) is None
    assert supply.agreement(NOON + timedelta(days=30)) is not None


# the accounts


@pytest.mark.parametrize(
    ("found", "numbers"),
    [
        ([{"number": "A-1", "status": "ACTIVE"}, {"number": "A-2", "status": "VOID"}], ["A-1"]),
        ([{"number": "A-2", "status": "DORMANT"}, {"number": "A-1"}, None, {"number": 5}], ["A-2", "A-1"]),
        ([{"number": "A-1", "status": "WITHDRAWN"}, {"number": "A-3", "status": "PENDING"}], ["A-3"]),
    ],
)
def test_accounts_that_never_came_to_be_are_passed_over(found: Any, numbers: list[str]) -> None:
    assert accounts({"viewer": {"accounts": found}}) == numbers


def test_a_sign_in_without_an_account_says_so() -> None:
    with pytest.raises(NotFound, match="the sign-in is good, but no account belongs to it"):
        accounts({"viewer": {"accounts": []}})
    odds: list[Any] = [{}, {"viewer": None}, {"viewer": {"accounts": {}}}]
    for odd in odds:
        with pytest.raises(Malformed, match="the answer names no accounts"):
            accounts(odd)
