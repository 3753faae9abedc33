"""Price rows as the provider gives them, with the level against the trailing average."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.simulator.days import QUARTER, Resolution, local_day, midnight, shift, stamp, starts
from bridge.simulator.homes import Home
from bridge.simulator.paging import Page, Paging, Shelf, connection
from bridge.simulator.prices import Price, mean, price, trailing_mean

EARLIEST = date(2024, 1, 1)  # the first of a year, a month and a week
CAPS = {Resolution.QUARTER_HOURLY: 672, Resolution.HOURLY: 744, Resolution.DAILY: 31}
TRAILING_DAYS = {Resolution.QUARTER_HOURLY: 3, Resolution.HOURLY: 3, Resolution.DAILY: 30}
VERY_CHEAP, CHEAP = 60, 90  # percent of the average, up to and including
EXPENSIVE, VERY_EXPENSIVE = 115, 140  # percent, from this on

Row = dict[str, Any]


def level(total: Decimal, average: Decimal) -> str:
    """Return the level of a price against the average before it, which must be positive."""
    percent = total / average * 100
    if percent <= VERY_CHEAP:
        return "VERY_CHEAP"
    if percent <= CHEAP:
        return "CHEAP"
    if percent < EXPENSIVE:
        return "NORMAL"
    return "EXPENSIVE" if percent < VERY_EXPENSIVE else "VERY_EXPENSIVE"


def slot_price(home: Home, start: datetime, end: datetime) -> Price:
    """Return the mean price of [start, end), UTC instants on quarter-hours."""
    prices = [price(start + QUARTER * index, home.id, home.currency) for index in range((end - start) // QUARTER)]
    return prices[0] if len(prices) == 1 else mean(prices)


def price_row(home: Home, start: datetime, resolution: Resolution, zone: ZoneInfo) -> Row:
    value = slot_price(home, start, shift(start, resolution, zone))
    average = trailing_mean(start, home.id, home.currency, TRAILING_DAYS[resolution])
    return {
        "total": float(value.total),
        "energy": float(value.energy),
        "tax": float(value.tax),
        "startsAt": stamp(start, zone),
        "currency": home.currency,
        "level": level(value.total, average),
    }


@lru_cache(maxsize=256)
def day_rows(home: Home, day: date, resolution: Resolution) -> tuple[Row, ...]:
    """Return the rows of a local day: 92, 96 or 100 quarter-hours, 23, 24 or 25 hours. Not to be changed: shared."""
    zone = home.zone
    slots = starts(midnight(day, zone), midnight(day + timedelta(days=1), zone), resolution, zone)
    return tuple(price_row(home, start, resolution, zone) for start in slots)


def price_range(home: Home, moment: datetime, resolution: Resolution, paging: Paging) -> dict[str, Any]:
    """Return a page of prices up to the end of the home's local day; tomorrow's are never in it."""
    zone = home.zone
    end = midnight(local_day(moment, zone) + timedelta(days=1), zone)
    shelf = Shelf(midnight(EARLIEST, zone), end, resolution, zone, CAPS[resolution])
    page = shelf.page(paging)
    rows = _page_rows(home, page, resolution, zone)
    return connection(page, rows, zone, **_extremes(rows), resolution=resolution.value, currency=home.currency)


def _page_rows(home: Home, page: Page, resolution: Resolution, zone: ZoneInfo) -> list[Row]:
    return [price_row(home, start, resolution, zone) for start in page.starts]


def _extremes(rows: list[Row]) -> Row:
    return {
        "precision": None,
        "minEnergy": min((row["energy"] for row in rows), default=None),
        "minTotal": min((row["total"] for row in rows), default=None),
        "maxEnergy": max((row["energy"] for row in rows), default=None),
        "maxTotal": max((row["total"] for row in rows), default=None),
    }
