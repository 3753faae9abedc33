"""The customer as GraphQL shows them: viewer and accounts, points and campaigns, and how much may still be asked."""

from datetime import datetime, time, timedelta
from typing import Any, Unpack

from bridge.simulator.octopus.agreements import agreement
from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.homes import Account, MeterPoint, Supply, number
from bridge.simulator.octopus.money import Ledger, TransactionArguments, balance, transactions
from bridge.simulator.octopus.paging import Cursors, connection
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.supplies import PointAnswer, PropertyAnswer
from bridge.simulator.octopus.times import at, stamp, today
from bridge.simulator.octopus.tokens import USER_ID

POINTS_AN_HOUR, POINTS_A_REQUEST = 50_000, 5
CAMPAIGN = "free_electricity"
SUNDAY, FREE_FROM, FREE = 6, time(13), timedelta(hours=1)
WEEK = timedelta(days=7)
FREE_SINCE = 4  # weeks of past events that are still listed


class Viewer:
    """Whoever signed in."""

    id = str(USER_ID)
    given_name, family_name, full_name, preferred_name = "Kim", "Example", "Kim Example", "Kim"
    first_name, last_name, display_name = given_name, family_name, full_name
    mobile, landline, title, pronouns, date_of_birth = "+440000000000", "", "", None, None
    is_deceased = has_family_issues = is_in_hardship = False
    is_opted_in_to_wof = True

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.email = visit.platform.credentials.email
        self.live_secret_key = visit.platform.credentials.api_key

    def accounts(
        self,
        *,
        restrict_to_account_numbers: list[str] | None = None,
        exclude_accounts_without_agreements: bool | None = None,
        exclude_account_types: list[str] | None = None,
        **_brands: object,
    ) -> list["AccountAnswer"]:
        wanted, left_out = restrict_to_account_numbers, exclude_account_types or ()
        found = [each for each in self._visit.platform.accounts if wanted is None or each.number in wanted]
        if exclude_accounts_without_agreements:
            found = [each for each in found if any(point.agreements for point in each.points())]
        return [AccountAnswer(self._visit, each) for each in found if AccountAnswer.account_type not in left_out]


class AccountAnswer:
    __typename = "AccountType"
    account_type = "DOMESTIC"
    brand = "OCTOPUS_ENERGY"
    urn = ""

    def __init__(self, visit: Visit, account: Account) -> None:
        self._visit, self._account = visit, account
        self.id = str(number(account.number, "account", below=10**7))
        self.number, self.status = account.number, account.status
        self.billing_name = Viewer.full_name
        self.created_at = stamp(datetime.fromisoformat("2025-02-20T10:17:30.242231+00:00"))

    def balance(self, *, include_all_ledgers: bool | None = False) -> int:
        del include_all_ledgers  # there is one
        return balance(self._account, self._visit.moment)

    def overdue_balance(self) -> int:
        return max(-self.balance(), 0)

    def projected_balance(self) -> int:
        return self.balance() - 4000

    def billing_options(self) -> dict[str, Any]:
        first = today(self._visit.moment).replace(day=1)
        period = {"periodStartDay": None, "periodLength": None, "periodLengthMultiplier": None, "isFixed": False}
        ends = {"currentBillingPeriodEndDate": None, "nextBillingDate": None}
        return {**period, "currentBillingPeriodStartDate": first.isoformat(), **ends}

    def campaigns(self) -> list[dict[str, Any]]:
        names = {"octoplus": "Octoplus", "octoplus-saving-sessions": "Octoplus Saving Sessions"}
        dates = {"startDate": "2025-03-01", "expiryDate": None, "campaignExpiryDate": None}
        return [{"name": name, "slug": slug, **dates} for slug, name in names.items() if self._account.in_campaign]

    def ledgers(self, ledger_id: str | None = None, ledger_number: str | None = None) -> list[Ledger]:
        ledger = Ledger(self._visit, self._account)
        return [ledger] if ledger_id in (None, ledger.id) and ledger_number in (None, ledger.number) else []

    def transactions(self, **arguments: Unpack[TransactionArguments]) -> dict[str, Any]:
        return transactions(self._visit, self._account, arguments)

    def properties(self, active_from: str | None = None) -> list[PropertyAnswer]:
        del active_from  # the customer lives in all of them
        return [PropertyAnswer(self._visit, home) for home in self._account.properties]

    def electricity_agreements(self, *, active: bool | None = None) -> list[dict[str, Any]]:
        return self._agreements([Supply.IMPORT, Supply.EXPORT], active=active)

    def gas_agreements(self, *, active: bool | None = None) -> list[dict[str, Any]]:
        return self._agreements([Supply.GAS], active=active)

    def _agreements(self, supplies: list[Supply], *, active: bool | None) -> list[dict[str, Any]]:
        points: list[MeterPoint] = [point for point in self._account.points() if point.supply in supplies]
        return [
            {**agreement(self._visit, point, each), "meterPoint": PointAnswer(self._visit, point)}
            for point in points
            for each in point.agreements
            if active is None or each.holds(self._visit.moment) == active
        ]


def viewer(visit: Visit) -> Viewer:
    return Viewer(visit)


def account(visit: Visit, account_number: str) -> AccountAnswer:
    return AccountAnswer(visit, visit.platform.account(account_number))


def properties(visit: Visit, account_number: str, *, active: bool | None = None) -> list[PropertyAnswer]:
    """Return the account's; none of them is inactive."""
    homes = visit.platform.account(account_number).properties
    return [PropertyAnswer(visit, home) for home in homes] if active is not False else []


def property_(visit: Visit, id: str) -> PropertyAnswer:  # noqa: A002 - the provider's argument
    for each in visit.platform.accounts:
        for home in each.properties:
            if home.id == id:
                return PropertyAnswer(visit, home)
    raise kraken_error("KT-CT-1111")


def loyalty_point_ledgers(visit: Visit, input: object = None) -> list[dict[str, Any]]:  # noqa: A002 - the provider's argument
    """Return a year's entries, the newest first."""
    del input  # there is one user
    number_of, newest = visit.platform.accounts[0].number, today(visit.moment)
    entries: list[dict[str, Any]] = []
    balance = 400
    for day in (newest - timedelta(days=newest.weekday()) - WEEK * weeks for weeks in range(51, -1, -1)):
        value = 8 * (1 + number(number_of, day, "points", below=20))
        entry = {"id": str(day.toordinal()), "ledgerType": "OCTOPLUS", "value": str(value), "reasonCode": "SAVING_SESSION"}
        carried = {"balanceBroughtForward": str(balance), "balanceCarriedForward": str(balance + value)}
        entries.insert(0, {**entry, **carried, "postedAt": stamp(at(day, time(9))), "accountNumber": number_of})
        balance += value
    return entries


def octoplus_account_info(visit: Visit, account_number: str) -> dict[str, Any]:
    enrolled = visit.platform.account(account_number).in_campaign
    status = "ENROLLED" if enrolled else "UNENROLLED_NEVER_ENROLLED"
    return {"enrollmentStatus": status, "isOctoplusEnrolled": enrolled, "isLoyaltyPointsUser": enrolled}


def customer_flexibility_campaign_events(
    visit: Visit, account_number: str, supply_point_identifier: str, campaign_slug: str, **cursors: Unpack[Cursors]
) -> dict[str, Any]:
    """Return the hours of free electricity: every Sunday, and the next one from Friday on; no other campaign has any."""
    points = visit.platform.account(account_number).points()
    if supply_point_identifier not in [point.number for point in points]:
        raise kraken_error("KT-CT-4123")
    day = today(visit.moment)
    newest = day + timedelta(days=SUNDAY - day.weekday() - (0 if day.weekday() >= SUNDAY - 2 else 7))
    days = [newest - WEEK * age for age in range(FREE_SINCE, -1, -1)] if campaign_slug == CAMPAIGN else []

    def event(sunday: Any) -> dict[str, Any]:
        begin = at(sunday, FREE_FROM)
        return {"code": f"FREE_ELECTRICITY_{sunday:%Y%m%d}", "startAt": stamp(begin), "endAt": stamp(begin + FREE)}

    return connection(days, event, cursors, stuck=visit.stuck)


def rate_limit_info(visit: Visit) -> dict[str, Any]:
    """Return the allowance, which begins anew with each hour of the clock."""
    hour = visit.moment.replace(minute=0, second=0, microsecond=0)
    used = sum(POINTS_A_REQUEST for asked in visit.platform.requests if asked.kind == "graphql" and asked.moment >= hour)
    ttl = int((hour + timedelta(hours=1)).timestamp())
    left = {"limit": POINTS_AN_HOUR, "usedPoints": used, "remainingPoints": max(POINTS_AN_HOUR - used, 0)}
    return {"pointsAllowanceRateLimit": {**left, "ttl": ttl, "isBlocked": used > POINTS_AN_HOUR}}
