"""Consumption and production of a home, with what they cost or earned.

The newest two hours of consumption are plain zeros, as the meter's values arrive late; production is null in the dark.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.simulator.days import Resolution, floor, midnight, shift, stamp, starts
from bridge.simulator.homes import Home
from bridge.simulator.paging import Paging, Shelf, connection
from bridge.simulator.prices import is_sunny
from bridge.simulator.rows import EARLIEST, slot_price

CAPS = {
    Resolution.HOURLY: 744,
    Resolution.DAILY: 31,
    Resolution.WEEKLY: 52,
    Resolution.MONTHLY: 12,
    Resolution.ANNUAL: 1,
}
HOUR = timedelta(hours=1)
LATE = 2 * HOUR
STEP = Decimal("0.001")  # kWh
HORIZON = 0.2  # of the sun's greatest height: nothing is produced below
SIX_PLACES = Decimal("0.000001")
VAT_SHARE = Decimal("0.2")  # of a gross price, which is 25 % of the net one


@dataclass(frozen=True)
class Measured:
    """Energy in kWh of one slot, None where nothing was measured, at a price per kWh."""

    kwh: Decimal | None
    unit_price: Decimal

    @property
    def amount(self) -> Decimal | None:
        return None if self.kwh is None else self.kwh * self.unit_price


def consumption(
    home: Home, moment: datetime, resolution: Resolution, paging: Paging, *, filter_empty: bool = False
) -> dict[str, Any]:
    """Return a page of the slots that have ended, at total prices; without a subscription nothing has a price."""
    newest = floor(moment, Resolution.HOURLY, home.zone) - LATE

    def hour(start: datetime) -> Measured:
        kwh = Decimal() if start >= newest else _consumed(home, start)
        return Measured(kwh, slot_price(home, start, start + HOUR).total)

    meter = _Meter(home, "consumption", "cost", VAT_SHARE, hour)
    return meter.read(_shelf(home, moment, resolution), paging, filter_empty=filter_empty)


def production(
    home: Home, moment: datetime, resolution: Resolution, paging: Paging, *, filter_empty: bool = False
) -> dict[str, Any]:
    """Return a page of the slots that have ended, at energy prices; an empty one for a home that does not produce."""

    def hour(start: datetime) -> Measured:
        return Measured(_produced(home, start), slot_price(home, start, start + HOUR).energy)

    shelf = _shelf(home, moment, resolution)
    if not home.produces:
        shelf = replace(shelf, end=shelf.begin)
    return _Meter(home, "production", "profit", Decimal(), hour).read(shelf, paging, filter_empty=filter_empty)


@dataclass(frozen=True)
class _Meter:
    """One register of a home; `energy` and `amount` are the provider's field names, `vat` a share of the price."""

    home: Home
    energy: str
    amount: str
    vat: Decimal
    hour: Callable[[datetime], Measured]

    def read(self, shelf: Shelf, paging: Paging, *, filter_empty: bool) -> dict[str, Any]:
        page = shelf.page(paging)
        all_rows = [self._row(start, shift(start, shelf.resolution, shelf.zone)) for start in page.starts]
        rows = [None if filter_empty and row[self.energy] is None else row for row in all_rows]
        totals = {f"total{name.capitalize()}": _sum(all_rows, name) for name in (self.energy, self.amount)}
        info = {"currency": self._currency, "filtered": rows.count(None), **totals}
        return connection(page, rows, shelf.zone, **info)

    @property
    def _currency(self) -> str | None:
        return self.home.currency if self.home.has_subscription else None

    def _row(self, start: datetime, end: datetime) -> dict[str, Any]:
        hours = [self.hour(each) for each in starts(start, end, Resolution.HOURLY, self.home.zone)]
        measured = hours[0] if len(hours) == 1 else _summed(hours)
        priced = self.home.has_subscription
        return {
            "from": stamp(start, self.home.zone),
            "to": stamp(end, self.home.zone),
            "unitPrice": float(measured.unit_price) if priced else None,
            "unitPriceVAT": float(max(measured.unit_price, Decimal()) * self.vat) if priced else None,
            self.energy: None if measured.kwh is None else float(measured.kwh),
            f"{self.energy}Unit": "kWh",
            self.amount: float(measured.amount) if priced and measured.amount is not None else None,
            "currency": self._currency,
        }


def _shelf(home: Home, moment: datetime, resolution: Resolution) -> Shelf:
    zone = home.zone
    begin = midnight(EARLIEST, zone)
    return Shelf(begin, max(begin, floor(moment, resolution, zone)), resolution, zone, CAPS[resolution])


def _summed(hours: Sequence[Measured]) -> Measured:
    """The sum at the price that makes the amount right, or at the mean price where there was no energy."""
    measured = [(hour.kwh, hour.kwh * hour.unit_price) for hour in hours if hour.kwh is not None]
    kwh = sum((each for each, _ in measured), Decimal())
    if not kwh:
        unit_price = sum((hour.unit_price for hour in hours), Decimal()) / len(hours)
    else:
        unit_price = sum((amount for _, amount in measured), Decimal()) / kwh
    return Measured(kwh if measured else None, unit_price.quantize(SIX_PLACES))


def _sum(rows: Sequence[dict[str, Any]], name: str) -> float | None:
    values = [row[name] for row in rows if row[name] is not None]
    return round(math.fsum(values), 6) if values else None


def _consumed(home: Home, start: datetime) -> Decimal:
    morning, evening = (math.exp(-(((start.hour + 1 - peak) / 2) ** 2) / 2) for peak in (7, 19))
    return Decimal(0.4 + 1.2 * morning + 1.8 * evening + 0.8 * _share(home, start, "used")).quantize(STEP)


def _produced(home: Home, start: datetime) -> Decimal | None:
    height = math.cos((start.hour + 0.5 - 11.5) / 24 * 2 * math.pi)  # of the sun, highest at 11:30 UTC
    if height <= HORIZON:
        return None
    peak_kwh = 4.5 if is_sunny(start.toordinal(), home.id) else 1.5
    return Decimal((height - HORIZON) * peak_kwh * (0.7 + 0.3 * _share(home, start, "made"))).quantize(STEP)


def _share(home: Home, start: datetime, purpose: str) -> float:
    """A number in [0, 1] that is always the same for the same hour."""
    text = f"{home.id}|{purpose}|{start.isoformat()}"
    return int.from_bytes(hashlib.shake_128(text.encode()).digest(2), "big") / 65535
