"""Made-up prices of every kind of tariff, in pence per kWh or day, with VAT and without: 5 %, and none on export.

What is out depends on the moment: half-hours come once a day, price windows two days ahead, and a flat rate holds until further
notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

from bridge.simulator.days import midnight
from bridge.simulator.octopus.homes import number
from bridge.simulator.octopus.times import EARLIEST, HALF_HOUR, LONDON, agile_until, half_hours, today
from bridge.simulator.prices import price

VAT = Decimal("1.05")
CAP = Decimal(100)  # p/kWh with VAT
PLACES = Decimal("0.0001")
PEAK_HOURS = range(16, 19)  # in London
SCARCE_DAYS = 25  # one in so many has an evening at the cap
DIRECT_DEBIT, NON_DIRECT_DEBIT = "DIRECT_DEBIT", "NON_DIRECT_DEBIT"
DEARER = Decimal("1.06")  # without a direct debit
QUARTER_MONTHS = (1, 4, 7, 10)


class Rate(NamedTuple):
    """A price over [start, end), None: until further notice; `payment` is the method that it is for, None: any."""

    start: datetime
    end: datetime | None
    net: Decimal
    gross: Decimal
    payment: str | None = None


class Published(NamedTuple):
    """What has been published at `moment`; see `Octopus.publish_at`."""

    moment: datetime
    publish_at: time | None


class Series(Protocol):
    """Prices in the order of time, under one name."""

    def rates(self, region: str, begin: datetime, end: datetime, published: Published) -> list[Rate]:
        """Return those that overlap [begin, end)."""
        ...


@dataclass(frozen=True)
class Nothing:
    """An address that is there and has no rows."""

    def rates(self, _region: str, _begin: datetime, _end: datetime, _published: Published) -> list[Rate]:
        return []


@dataclass(frozen=True)
class HalfHours:
    """A price for each half-hour, as the market goes; `key` tells one product's from another's."""

    key: str
    export: bool = False

    def rates(self, region: str, begin: datetime, end: datetime, published: Published) -> list[Rate]:
        until = min(end, agile_until(*published))
        return [self._rate(start, region) for start in half_hours(max(begin, EARLIEST), until)]

    def _rate(self, start: datetime, region: str) -> Rate:
        net, gross = _half_hourly(f"{self.key}-{region}", start.astimezone(UTC), export=self.export)
        return Rate(start, start + HALF_HOUR, net, gross)


@lru_cache(maxsize=16384)
def _half_hourly(key: str, start: datetime, *, export: bool) -> tuple[Decimal, Decimal]:
    wholesale = sum((price(start + timedelta(minutes=late), key).energy for late in (0, 15)), Decimal()) * 50  # p/kWh, the mean
    local = start.astimezone(LONDON)
    peak = local.hour in PEAK_HOURS
    if export:
        net = max(wholesale * Decimal("0.95") + (6 if peak else 0), Decimal()).quantize(PLACES)
        return net, net
    scarce = peak and number(key, local.date(), "scarce", below=SCARCE_DAYS) == 0
    net = wholesale * Decimal("2.2") + (CAP if scarce else 12 if peak else 0)
    net = min(net.quantize(PLACES), (CAP / VAT).quantize(PLACES))
    return net, min(net * VAT, CAP)


@dataclass(frozen=True)
class Windows:
    """The same prices every day: each of `steps` is a wall clock in `zone` and the net price from then on."""

    steps: tuple[tuple[time, str], ...]
    zone: tzinfo = LONDON

    def rates(self, region: str, begin: datetime, end: datetime, published: Published) -> list[Rate]:
        until = min(end, midnight(today(published.moment) + timedelta(days=2), LONDON))
        first = max(begin, EARLIEST).astimezone(self.zone).date() - timedelta(days=1)
        days = (until.astimezone(self.zone).date() - first).days + 1
        rates = [rate for offset in range(days) for rate in self._day(first + timedelta(days=offset), region)]
        return [rate for rate in rates if rate.start < until and (rate.end is None or begin < rate.end)]

    def _day(self, day: date, region: str) -> list[Rate]:
        starts = [self._at(day, clock) for clock, _ in self.steps]
        ends = [*starts[1:], self._at(day + timedelta(days=1), self.steps[0][0])]
        nets = [_regional(Decimal(net), region) for _, net in self.steps]
        return [Rate(start, end, net, net * VAT) for start, end, net in zip(starts, ends, nets, strict=True)]

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Flat:
    """One price until further notice. With `quarterly` it changes with each quarter of the year, up to 3 % either way."""

    net: str
    quarterly: bool = False
    methods: bool = False
    """A row for each method of payment."""
    vat: bool = True

    def rates(self, region: str, begin: datetime, end: datetime, published: Published) -> list[Rate]:
        starts = _quarters(published.moment) if self.quarterly else [EARLIEST]
        spans = zip(starts, [*starts[1:], None], strict=False)  # none before the earliest
        asked = [(start, until) for start, until in spans if start < end and (until is None or begin < until)]
        return [rate for start, until in asked for rate in self._span(start, until, region)]

    def _span(self, start: datetime, end: datetime | None, region: str) -> list[Rate]:
        net = _regional(Decimal(self.net), region) if self.vat else Decimal(self.net)
        if self.quarterly:
            net += (net * Decimal(number(self.net, start, below=601) - 300) / 10_000).quantize(PLACES)
        vat = VAT if self.vat else Decimal(1)
        if not self.methods:
            return [Rate(start, end, net, net * vat)]
        dearer = (net * DEARER).quantize(PLACES)
        return [
            Rate(start, end, dearer, dearer * vat, NON_DIRECT_DEBIT),
            Rate(start, end, net, net * vat, DIRECT_DEBIT),
        ]


def _regional(net: Decimal, region: str) -> Decimal:
    """Return the price of a region: up to half a penny more; nothing stays nothing."""
    return net + Decimal(number(region, "region", below=5000)).scaleb(-4) if net else net


@lru_cache(maxsize=64)
def _quarters_until(day: date) -> tuple[datetime, ...]:
    years = range(EARLIEST.year, day.year + 1)
    firsts = [date(year, month, 1) for year in years for month in QUARTER_MONTHS]
    return tuple(midnight(first, LONDON) for first in firsts if first <= day)


def _quarters(moment: datetime) -> Sequence[datetime]:
    """Return the starts of the quarters of the year that have begun."""
    return _quarters_until(today(moment))
