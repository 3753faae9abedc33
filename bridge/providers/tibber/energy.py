"""From Tibber's rows of consumption and production to readings: pure.

Null is unknown, and never a zero. The newest hours of consumption come as plain zeros until the meter's values arrive: these too
are unknown, until they are a day old.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from bridge.models.price import HOUR
from bridge.models.reading import Reading
from bridge.providers.tibber.raw import currency, each, instant, number

LATE_ZEROS = timedelta(hours=24)  # for so long a zero may stand for what is not yet known


class Register(NamedTuple):
    """One of the two things that a home's meter counts, by the provider's names."""

    field: str
    amount: str  # what it cost, or what it earned
    direction: str
    has_late_zeros: bool


CONSUMPTION = Register("consumption", "cost", "import", has_late_zeros=True)
PRODUCTION = Register("production", "profit", "export", has_late_zeros=False)
REGISTERS = (CONSUMPTION, PRODUCTION)


class Row(NamedTuple):
    """The energy of [start, end); `amount` is of money, in `currency`. What is None is unknown."""

    start: datetime
    end: datetime
    value: Decimal | None
    unit: str
    amount: Decimal | None = None
    currency: str | None = None

    def may_be_late(self, moment: datetime) -> bool:
        return not self.value and moment - self.end < LATE_ZEROS


def connected(home: Mapping[str, Any], register: Register) -> Mapping[str, Any]:
    """Return the connection of a home's `register`, an empty one where it is null."""
    return home.get(register.field) or {}


def rows(home: Mapping[str, Any], register: Register) -> list[Row]:
    """Return all rows of a home's `register` in order, each hour once; those without a value too."""
    found = each(connected(home, register).get("nodes") or (), register.field, lambda node: _row(node, register))
    once = {row.start: row for row in found}
    return [once[start] for start in sorted(once)]


def late(found: Sequence[Row], register: Register, moment: datetime) -> int:
    """Return how many rows at the end of all there are may be such late ones."""
    young = 0
    while register.has_late_zeros and young < len(found) and found[-1 - young].may_be_late(moment):
        young += 1
    return young


def known(found: Sequence[Row], register: Register, moment: datetime) -> list[Row]:
    """Return the rows that are over and known, of `found`, which must end where the provider's do."""
    over = [row for row in found if row.end <= moment]
    return [row for row in over[: len(over) - late(over, register, moment)] if row.value is not None]


def readings(found: Iterable[Row], register: Register) -> list[Reading]:
    """Return the hours of `found` as readings; all must be known."""
    return [
        Reading(
            meter=register.direction, quantity="energy", value=row.value, unit=row.unit, start=row.start, end=row.end,
            direction=register.direction, resolution=HOUR, aggregation="sum",
        )
        for row in found
        if row.value is not None
    ]  # fmt: skip


def told(home: Mapping[str, Any], register: Register, moment: datetime) -> list[Reading]:
    """Return the hours of a home's `register` that are over and known, as readings, the newest last."""
    return readings(known(rows(home, register), register, moment), register)


def _row(node: Any, register: Register) -> Row:
    value, start, end = node[register.field], instant(node["from"]), instant(node["to"])
    if end <= start:
        raise ValueError("it ends before it begins")
    return Row(
        start=start,
        end=end,
        value=None if value is None else number(value),
        unit=node.get(f"{register.field}Unit") or "kWh",
        amount=None if node.get(register.amount) is None else number(node[register.amount]),
        currency=currency(node.get("currency")),
    )
