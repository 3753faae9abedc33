"""From rates to slots: pure. Pence become pounds here, and a row of any length becomes half-hours.

Rows overlap at a window's edges, come newest first, and may be open-ended; of two that overlap the one that began later holds.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bridge.models.price import Slot, sane
from bridge.providers.octopus.household import PENCE, Tariff
from bridge.providers.octopus.raw import each, instant, number
from bridge.transport.graphql import Json

HALF_HOUR = timedelta(minutes=30)
ONE_DAY = timedelta(days=1)
METHODS = {"direct_debit": "DIRECT_DEBIT", "non_direct_debit": "NON_DIRECT_DEBIT"}


class Rate(NamedTuple):
    """What a kWh costs over [start, end), in pence; a start or end of None is open."""

    start: datetime | None
    end: datetime | None
    pence: Decimal


class Night(NamedTuple):
    """When a day-and-night meter counts the night: from and to on the clock of `zone`, over midnight or not."""

    start: time
    end: time
    zone: ZoneInfo


UTC_ZONE = ZoneInfo("UTC")
INTELLIGENT = re.compile(r"^(IOG|INTELLI)")


def night_of(tariff: Tariff, zone: ZoneInfo, configured: str | None, *, is_smart: bool) -> Night:
    """Return the night of a day-and-night tariff.

    Intelligent Go counts 23:30–05:30 local; an Economy 7 meter that is smart 00:30–07:30 UTC, an old one 00:00–07:00 local.
    """
    if configured is not None:
        start, end = configured.removesuffix(" UTC").split("-")
        place = UTC_ZONE if configured.endswith("UTC") else zone
        return Night(time.fromisoformat(start), time.fromisoformat(end), place)
    if INTELLIGENT.match(tariff.product):
        return Night(time(23, 30), time(5, 30), zone)
    return Night(time(0, 30), time(7, 30), UTC_ZONE) if is_smart else Night(time(0), time(7), zone)


def rest_rates(rows: Iterable[Json], payment_method: str) -> list[Rate]:
    """Return the rates of REST rows; of two that differ by payment method the customer's."""
    offered = list(rows)
    other = {name for key, name in METHODS.items() if key != payment_method}
    own = [row for row in offered if row.get("payment_method") not in other]
    return each(own or offered, "rate", _rest_rate)  # a product that knows one method only has no other price


def listed_rates(nodes: Iterable[Json]) -> list[Rate]:
    """Return the rates of GraphQL nodes: `value`, `validFrom`, `validTo`."""
    return each(nodes, "rate", _listed_rate)


def contradict(rates: Iterable[Rate]) -> bool:
    """Tell whether two rates hold from the same moment on and differ."""
    first: dict[datetime | None, Decimal] = {}
    return any(first.setdefault(rate.start, rate.pence) != rate.pence for rate in rates)


def by_day_and_night(day: Iterable[Rate], night: Iterable[Rate], when: Night, begin: datetime, end: datetime) -> list[Rate]:
    """Return one series out of the day's and the night's rates: each holds in its own hours."""
    nights = list(_nights(when, begin, end))
    days = [(before, after) for (_, before), (after, _) in pairwise(nights)]
    return [*_within(night, nights), *_within(day, days)]


def slots(rates: Iterable[Rate], begin: datetime, end: datetime) -> tuple[Slot, ...]:
    """Return the half-hours of [begin, end) that the rates know, in pounds; one that is partly known is a shorter slot."""
    marks = sorted({begin, end, *_halves(begin, end), *_edges(rates, begin, end)})
    ordered = sorted(rates, key=lambda rate: rate.start or datetime.min.replace(tzinfo=UTC))
    found: list[Slot] = []
    for start, stop in pairwise(marks):
        pence = next((rate.pence for rate in reversed(ordered) if _holds(rate, start)), None)
        if pence is not None:
            found.append(Slot(start, stop, sane(pence / PENCE)))
    return tuple(found)


def _rest_rate(row: Json) -> Rate:
    start, end = row.get("valid_from"), row.get("valid_to")
    return _checked(Rate(instant(start) if start else None, instant(end) if end else None, number(row["value_inc_vat"])))


def _listed_rate(node: Json) -> Rate:
    start, end = node.get("validFrom"), node.get("validTo")
    return _checked(Rate(instant(start) if start else None, instant(end) if end else None, number(node["value"])))


def _checked(rate: Rate) -> Rate:
    if rate.start is not None and rate.end is not None and rate.end <= rate.start:
        raise ValueError("a rate ends before it begins")
    return rate


def _nights(when: Night, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    day = begin.astimezone(when.zone).date() - 2 * ONE_DAY
    while day <= end.astimezone(when.zone).date() + ONE_DAY:
        yield _clock(day, when.start, when.zone), _clock(day + ONE_DAY * (when.end <= when.start), when.end, when.zone)
        day += ONE_DAY


def _clock(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _within(rates: Iterable[Rate], spans: Iterable[tuple[datetime, datetime]]) -> Iterator[Rate]:
    every = list(rates)
    for begin, end in spans:
        for rate in every:
            start = max(begin, rate.start) if rate.start else begin
            stop = min(end, rate.end) if rate.end else end
            if start < stop:
                yield Rate(start, stop, rate.pence)


def _halves(begin: datetime, end: datetime) -> Iterator[datetime]:
    mark = begin - (begin - begin.replace(minute=0, second=0, microsecond=0)) % HALF_HOUR + HALF_HOUR
    while mark < end:
        yield mark
        mark += HALF_HOUR


def _edges(rates: Iterable[Rate], begin: datetime, end: datetime) -> Iterator[datetime]:
    for rate in rates:
        yield from (edge for edge in (rate.start, rate.end) if edge is not None and begin < edge < end)


def _holds(rate: Rate, moment: datetime) -> bool:
    return (rate.start is None or rate.start <= moment) and (rate.end is None or moment < rate.end)
