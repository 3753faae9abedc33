"""The money of an account: a few transactions each month, and the balance that they lead to. All in pence.

What a month's electricity and gas cost is paid on the first of the month after next, so the balance stays where it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Unpack

from bridge.simulator.octopus.homes import Account, number
from bridge.simulator.octopus.paging import Cursors, connection
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.times import EARLIEST, at, day_of, stamp, today

CHARGED_ON, PAID_ON = 21, 1  # days of the month
VAT_DIVISOR = 21  # of a gross amount with 5 %
NOON = time(12)
CHARGES = "ENERGY_CHARGES"


@dataclass(frozen=True)
class Posting:
    """A transaction. `gross` is positive for a charge, and negative for a charge that pays the customer, as export does."""

    day: date
    type_name: str
    title: str
    gross: int
    export: bool = False

    @property
    def effect(self) -> int:
        """What it does to the balance."""
        return -self.gross if self.type_name == "Charge" else self.gross


class TransactionArguments(Cursors, total=False):
    """The arguments of the field."""

    transaction_types: list[str] | None
    transaction_types_excluded: list[str] | None
    ledger_id: int | None
    include_all_ledgers: bool | None
    from_date: str | None
    to_date: str | None
    order_by: str | None
    offset: int | None


def balance(account: Account, moment: datetime) -> int:
    return account.balance + sum(posting.effect for posting in postings(account, moment))


def postings(account: Account, moment: datetime) -> list[Posting]:
    """Return what was posted, the oldest first."""
    day = today(moment)
    return [posting for posting in _all(account, day) if posting.day <= day]


def _all(account: Account, until: date) -> Iterator[Posting]:
    owed = 0
    for month in range(EARLIEST.year * 12, until.year * 12 + until.month):
        year, index = divmod(month, 12)
        if owed:
            yield Posting(date(year, index + 1, PAID_ON), "Payment", "Direct debit", owed)
        charges = list(_charges(account, date(year, index + 1, CHARGED_ON)))
        yield from charges
        owed = sum(posting.gross for posting in charges if posting.type_name == "Charge")


def _charges(account: Account, day: date) -> Iterator[Posting]:
    def amount(purpose: str, most: int) -> int:
        return most // 2 + number(account.number, day, purpose, below=most // 2)

    yield Posting(day, "Charge", "Electricity", amount("electricity", 8000))
    yield Posting(day, "Charge", "Electricity", -amount("export", 3000), export=True)
    yield Posting(day, "Charge", "Gas", amount("gas", 6000))
    if day.month % 3 == 0:
        yield Posting(day, "Credit", "Powerups Reward", amount("reward", 600))


def transactions(visit: Visit, account: Account, arguments: TransactionArguments) -> dict[str, Any]:
    """Return a page of the account's transactions, the newest first unless asked otherwise."""
    rows = list(_rows(account, visit.moment))
    begin, end = arguments.get("from_date"), arguments.get("to_date")
    rows = [row for row in rows if not begin or row[1].day >= day_of(begin)]
    rows = [row for row in rows if not end or row[1].day <= day_of(end)]
    if (types := arguments.get("transaction_types")) is not None and types:
        rows = [row for row in rows if (row[1].type_name == "Charge") == (CHARGES in types)]
    if arguments.get("order_by") != "POSTED_DATE_ASC":
        rows.reverse()
    rows = rows[arguments.get("offset") or 0 :]
    cursors = Cursors(first=arguments.get("first"), after=arguments.get("after"), before=arguments.get("before"))
    return connection(rows, lambda row: _answer(account, *row), cursors, stuck=visit.stuck)


def _rows(account: Account, moment: datetime) -> Iterator[tuple[int, Posting, int]]:
    """Yield each posting with its place and the balance after it."""
    carried = account.balance
    for place, posting in enumerate(postings(account, moment)):
        carried += posting.effect
        yield place, posting, carried


def _answer(account: Account, place: int, posting: Posting, carried: int) -> dict[str, Any]:
    tax = posting.gross // VAT_DIVISOR if posting.type_name == "Charge" and not posting.export else 0
    return {
        "__typename": posting.type_name,
        "id": str(10_000_000 + place),
        "postedDate": posting.day.isoformat(),
        "createdAt": stamp(at(posting.day, NOON)),
        "accountNumber": account.number,
        "amount": abs(posting.gross),
        "amounts": {"net": posting.gross - tax, "tax": tax, "gross": posting.gross},
        "balanceCarriedForward": carried,
        "isCredit": posting.effect > 0,
        "isAccountCharge": posting.type_name == "Charge",
        "isAccountPayment": posting.type_name == "Payment",
        "isHeld": False,
        "isIssued": True,
        "title": posting.title,
        "billingDocumentIdentifier": str(number(account.number, posting.day, "bill")),
        "statementId": None,
        "isReversed": False,
        "hasStatement": True,
        "note": "",
        "isExport": posting.export,
        "consumption": _consumption(posting) if posting.type_name == "Charge" else None,
    }


def _consumption(posting: Posting) -> dict[str, Any]:
    begin = date.fromordinal(posting.day.toordinal() - 30)
    quantity = f"{abs(posting.gross) / 24:.4f}"
    span = {"startDate": begin.isoformat(), "endDate": posting.day.isoformat()}
    return {**span, "quantity": quantity, "unit": "kWh", "usageCost": 0, "supplyCharge": 0}


def ledgers(visit: Visit, account: Account) -> list["Ledger"]:
    return [Ledger(visit, account)]


class Ledger:
    """The main ledger of an account."""

    name = "Energy"
    ledger_type = "MAIN"
    affects_account_balance = True

    def __init__(self, visit: Visit, account: Account) -> None:
        self._visit, self._account = visit, account
        self.id = str(number(account.number, "ledger"))
        self.number = f"L-{number(account.number, 'ledger'):08d}"
        self.balance = balance(account, visit.moment)
        self.amount_owed_by_customer = max(-self.balance, 0)

    def transactions(self, **arguments: Unpack[TransactionArguments]) -> dict[str, Any]:
        return transactions(self._visit, self._account, arguments)
