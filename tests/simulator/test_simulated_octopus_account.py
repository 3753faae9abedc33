"""The account, its supplies, its money and its points."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bridge.simulator.octopus import Account, OctopusFault
from bridge.simulator.octopus.homes import EXPORT, GAS, IMPORT, KWH, Agreement, Meter, MeterPoint, Property
from tests.simulator.conftest import Household

NUMBER = "A-DEMO0001"
POINTS = """
query Points($account: String!, $inactive: Boolean) {
  account(accountNumber: $account) {
    properties {
      id
      electricityMeterPoints {
        mpan
        direction
        gspGroupId
        meters(includeInactive: $inactive) {
          serialNumber
          smartImportElectricityMeter { deviceId }
          smartExportElectricityMeter { deviceId }
        }
        agreements(includeInactive: $inactive) {
          validFrom
          validTo
          isRevoked
          tariff { __typename ... on TariffType { tariffCode productCode isExport } }
        }
      }
      gasMeterPoints { mprn meters { consumptionUnits mechanism smartGasMeter { deviceId } } agreements { tariff { unitRate } } }
    }
  }
}
"""
TRANSACTIONS = """
query Transactions($account: String!, $first: Int, $after: String, $order: TransactionsOrderBy, $from: Date, $to: Date) {
  account(accountNumber: $account) {
    balance
    transactions(first: $first, after: $after, orderBy: $order, fromDate: $from, toDate: $to) {
      totalCount
      edgeCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { __typename id postedDate title amounts { net tax gross } balanceCarriedForward } }
    }
  }
}
"""


def with_points(household: Household, *points: MeterPoint) -> None:
    household.octopus.properties = (replace(household.octopus.properties[0], points=points),)


def points(household: Household, *, inactive: bool | None = None) -> Any:
    data = household.ask(POINTS, account=NUMBER, inactive=inactive)
    [home] = data["account"]["properties"]
    return home


def codes(household: Household, *, inactive: bool | None = None) -> list[str]:
    [point] = points(household, inactive=inactive)["electricityMeterPoints"]
    return [each["tariff"]["tariffCode"] for each in point["agreements"]]


def test_the_home_imports_agile_exports_agile_and_burns_gas(household: Household) -> None:
    home = points(household)
    taken, given = home["electricityMeterPoints"]
    device = {"deviceId": "00-11-22-33-44-55-66-01"}
    assert (taken["mpan"], taken["direction"], taken["gspGroupId"]) == ("1000000000017", "IMPORT", "_C")
    assert taken["meters"] == [
        {"serialNumber": "21E0000017", "smartImportElectricityMeter": device, "smartExportElectricityMeter": None}
    ]
    assert taken["agreements"] == [
        {
            "validFrom": "2025-03-01T00:00:00+00:00",
            "validTo": None,
            "isRevoked": False,
            "tariff": {
                "__typename": "HalfHourlyTariff",
                "tariffCode": "E-1R-AGILE-24-10-01-C",
                "productCode": "AGILE-24-10-01",
                "isExport": False,
            },
        }
    ]
    assert (given["mpan"], given["direction"]) == ("1000000000026", "EXPORT")
    assert given["meters"] == [
        {"serialNumber": "21E0000017", "smartImportElectricityMeter": None, "smartExportElectricityMeter": device}
    ]
    [gas] = home["gasMeterPoints"]
    assert gas["meters"] == [
        {"consumptionUnits": "m³", "mechanism": "S2", "smartGasMeter": {"deviceId": "00-11-22-33-44-55-66-02"}}
    ]


def test_odd_homes_are_values(household: Household) -> None:
    silent = replace(EXPORT, tells_direction=False)
    old = replace(GAS, meters=(Meter("G4A0000001", None, KWH),))
    with_points(household, silent, replace(IMPORT, agreements=()), old)
    home = points(household)
    assert [(point["mpan"], point["direction"]) for point in home["electricityMeterPoints"]] == [
        ("1000000000026", None),
        ("1000000000017", "IMPORT"),
    ]
    assert home["electricityMeterPoints"][1]["agreements"] == []
    assert home["gasMeterPoints"][0]["meters"] == [{"consumptionUnits": "kWh", "mechanism": "S1", "smartGasMeter": None}]


def test_an_agreement_changes_at_its_moment(household: Household) -> None:
    change = household.moment + timedelta(hours=1)
    agreements = (
        Agreement("E-1R-VAR-22-11-01-C", valid_to=datetime(2026, 1, 1, tzinfo=UTC)),
        Agreement("E-1R-AGILE-24-10-01-C", datetime(2026, 1, 1, tzinfo=UTC), change),
        Agreement("E-1R-GO-VAR-22-10-14-C", change),
        Agreement("E-1R-PREPAY-VAR-18-09-21-C", change, revoked=True),
    )
    with_points(household, replace(IMPORT, agreements=agreements))
    assert codes(household) == ["E-1R-AGILE-24-10-01-C", "E-1R-GO-VAR-22-10-14-C"]
    assert codes(household, inactive=True) == [agreement.tariff for agreement in agreements]
    active = "{ viewer { accounts { ... on AccountType { electricityAgreements(active: true) { id validFrom } } } } }"
    [account] = household.ask(active)["viewer"]["accounts"]
    assert [each["validFrom"] for each in account["electricityAgreements"]] == ["2026-01-01T00:00:00+00:00"]
    household.moment = change
    assert codes(household) == ["E-1R-GO-VAR-22-10-14-C"]


def test_a_meter_that_was_taken_away_is_shown_only_when_asked_for(household: Household) -> None:
    meters = (Meter("OLD", active_to=date(2026, 1, 5)), Meter("NEW", active_from=date(2026, 1, 5)))
    with_points(household, replace(IMPORT, meters=meters))
    shown = [points(household, inactive=inactive)["electricityMeterPoints"][0]["meters"] for inactive in (None, True)]
    assert [[meter["serialNumber"] for meter in each] for each in shown] == [["NEW"], ["OLD", "NEW"]]


def test_there_can_be_more_properties_and_accounts(household: Household) -> None:
    second = Property("2000002", "M1 1ZZ", "2 Example Street, Manchester, M1 1ZZ", ())
    household.octopus.properties = (*household.octopus.properties, second)
    household.octopus.accounts.append(Account("A-DEMO0002", (), (), status="DORMANT", balance=0))
    data = household.ask("{ viewer { accounts { number status ... on AccountType { properties { id } } } } }")
    assert data["viewer"]["accounts"] == [
        {"number": NUMBER, "status": "ACTIVE", "properties": [{"id": "2000001"}, {"id": "2000002"}]},
        {"number": "A-DEMO0002", "status": "DORMANT", "properties": []},
    ]
    wanted = '{ viewer { accounts(restrictToAccountNumbers: ["A-DEMO0002"]) { number } } }'
    assert household.ask(wanted)["viewer"]["accounts"] == [{"number": "A-DEMO0002"}]
    without = "{ viewer { accounts(excludeAccountsWithoutAgreements: true) { number } } }"
    assert household.ask(without)["viewer"]["accounts"] == [{"number": NUMBER}]


@pytest.mark.parametrize(
    "query",
    [
        '{ account(accountNumber: "A-OTHER") { number } }',
        '{ account: properties(accountNumber: "A-OTHER") { id } }',
        '{ account: devices(accountNumber: "A-OTHER") { id } }',
        '{ account: completedDispatches(accountNumber: "A-OTHER") { end } }',
        '{ account: octoplusAccountInfo(accountNumber: "A-OTHER") { enrollmentStatus } }',
    ],
)
def test_another_customers_account_is_refused(household: Household, query: str) -> None:
    answer = household.answer(query)
    [error] = answer["errors"]
    assert answer["data"] == {"account": None}
    assert (error["message"], error["path"], error["extensions"]["errorCode"]) == ("Unauthorized.", ["account"], "KT-CT-4177")


def test_another_property_is_refused(household: Household) -> None:
    assert household.code('{ property(id: "1") { id } }') == "KT-CT-1111"
    assert household.ask('{ property(id: "2000001") { postcode } }') == {"property": {"postcode": "EC1A 1ZZ"}}


def page(household: Household, **variables: Any) -> Any:
    return household.ask(TRANSACTIONS, account=NUMBER, **variables)["account"]["transactions"]


def test_transactions_lead_to_the_balance(household: Household) -> None:
    account = household.ask(TRANSACTIONS, account=NUMBER, first=100)["account"]
    rows = [edge["node"] for edge in account["transactions"]["edges"]]
    assert rows[0]["balanceCarriedForward"] == account["balance"]
    assert [row["postedDate"] for row in rows] == sorted((row["postedDate"] for row in rows), reverse=True)
    for later, earlier in pairwise(rows):
        sign = -1 if later["__typename"] == "Charge" else 1
        assert later["balanceCarriedForward"] == earlier["balanceCarriedForward"] + sign * later["amounts"]["gross"]
    assert all(row["amounts"]["net"] + row["amounts"]["tax"] == row["amounts"]["gross"] for row in rows)
    assert {row["__typename"] for row in rows} == {"Charge", "Payment", "Credit"}
    assert abs(account["balance"]) < 50_000


def test_transactions_come_by_pages(household: Household) -> None:
    first = page(household, first=3)
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": "YXJyYXljb25uZWN0aW9uOjA=",
        "endCursor": "YXJyYXljb25uZWN0aW9uOjI=",
    }
    second = page(household, first=3, after=first["pageInfo"]["endCursor"])
    assert second["pageInfo"]["hasPreviousPage"] is False
    both = page(household, first=6)
    assert both["edges"] == first["edges"] + second["edges"]
    assert (both["edgeCount"], both["totalCount"]) == (6, page(household, first=0)["totalCount"])
    last = page(household, first=100)
    assert last["pageInfo"]["hasNextPage"] is False
    assert page(household, first=9, after=last["pageInfo"]["endCursor"])["edges"] == []


@pytest.mark.parametrize("first", [None, 101, -1])
def test_paging_is_enforced(household: Household, first: int | None) -> None:
    answer = household.answer(TRANSACTIONS, account=NUMBER, first=first)
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]["errorType"]) == (["account", "transactions"], "VALIDATION")
    assert answer["data"]["account"] == {"balance": 14596, "transactions": None}


def test_a_cursor_of_ones_own_making_is_refused(household: Household) -> None:
    for cursor in ("x", "eHg=", "!"):
        assert household.answer(TRANSACTIONS, account=NUMBER, first=1, after=cursor)["errors"]


def test_transactions_are_ordered_and_cut_by_date(household: Household) -> None:
    rows = page(household, first=100, order="POSTED_DATE_ASC", **{"from": "2026-05-01", "to": "2026-05-21"})["edges"]
    assert [(row["node"]["postedDate"], row["node"]["title"]) for row in rows] == [
        ("2026-05-01", "Direct debit"),
        ("2026-05-21", "Electricity"),
        ("2026-05-21", "Electricity"),
        ("2026-05-21", "Gas"),
    ]
    assert household.answer(TRANSACTIONS, account=NUMBER, first=1, **{"from": "May"})["errors"]


def test_a_stuck_cursor_is_given_again_and_again(household: Household) -> None:
    household.octopus.faults.set(OctopusFault.STUCK_CURSOR)
    first = page(household, first=3)
    assert first["pageInfo"]["hasNextPage"] is True
    assert page(household, first=3, after=first["pageInfo"]["endCursor"]) == first


def test_the_ledger_tells_the_balance(household: Household) -> None:
    query = f'{{ account(accountNumber: "{NUMBER}") {{ balance ledgers {{ ledgerType balance number }} }} }}'
    account = household.ask(query)["account"]
    [ledger] = account["ledgers"]
    assert (ledger["ledgerType"], ledger["balance"]) == ("MAIN", account["balance"])


def test_points_grow_by_the_week_and_the_newest_entry_comes_first(household: Household) -> None:
    query = "{ loyaltyPointLedgers { value balanceBroughtForward balanceCarriedForward postedAt } }"
    entries = household.ask(query)["loyaltyPointLedgers"]
    assert entries[0]["postedAt"] == "2026-06-08T08:00:00+00:00"
    assert [later["balanceBroughtForward"] for later, _ in pairwise(entries)] == [
        earlier["balanceCarriedForward"] for _, earlier in pairwise(entries)
    ]
    assert all(int(each["balanceCarriedForward"]) - int(each["balanceBroughtForward"]) == int(each["value"]) for each in entries)


def test_whoever_is_in_no_campaign_is_not_enrolled(household: Household) -> None:
    query = f'{{ octoplusAccountInfo(accountNumber: "{NUMBER}") {{ enrollmentStatus isOctoplusEnrolled }} }}'
    assert household.ask(query)["octoplusAccountInfo"] == {"enrollmentStatus": "ENROLLED", "isOctoplusEnrolled": True}
    household.octopus.accounts[0].in_campaign = False
    expected = {"enrollmentStatus": "UNENROLLED_NEVER_ENROLLED", "isOctoplusEnrolled": False}
    assert household.ask(query)["octoplusAccountInfo"] == expected


def free(household: Household, slug: str = "free_electricity", mpan: str = IMPORT.number) -> Any:
    query = "query($slug: String!, $mpan: String!) { customerFlexibilityCampaignEvents("
    query += f'accountNumber: "{NUMBER}", supplyPointIdentifier: $mpan, campaignSlug: $slug, first: 10) '
    return household.answer(query + "{ edges { node { code startAt endAt } } } }", slug=slug, mpan=mpan)


def test_electricity_is_free_on_sundays_as_told_from_friday_on(household: Household) -> None:
    newest = []
    for day in (10, 12, 14):
        household.moment = datetime(2026, 6, day, 10, tzinfo=UTC)
        newest.append(free(household)["data"]["customerFlexibilityCampaignEvents"]["edges"][-1]["node"])
    assert [each["code"] for each in newest] == [f"FREE_ELECTRICITY_202606{day}" for day in ("07", "14", "14")]
    assert (newest[1]["startAt"], newest[1]["endAt"]) == ("2026-06-14T12:00:00+00:00", "2026-06-14T13:00:00+00:00")
    assert free(household, "free-electricity")["data"]["customerFlexibilityCampaignEvents"]["edges"] == []
    assert free(household, mpan="1")["errors"][0]["extensions"]["errorCode"] == "KT-CT-4123"


def test_the_allowance_is_used_up_and_comes_back_with_the_hour(household: Household) -> None:
    query = "{ rateLimitInfo { pointsAllowanceRateLimit { limit usedPoints remainingPoints ttl isBlocked } } }"
    told = household.ask(query)["rateLimitInfo"]["pointsAllowanceRateLimit"]
    ttl = int(datetime(2026, 6, 10, 11, tzinfo=UTC).timestamp())
    expected = {"limit": 50_000, "usedPoints": 10, "remainingPoints": 49_990, "ttl": ttl, "isBlocked": False}
    assert told == expected  # the sign-in, and this
    household.moment += timedelta(hours=1)
    assert household.ask(query)["rateLimitInfo"]["pointsAllowanceRateLimit"] == {**expected, "ttl": ttl + 3600}
