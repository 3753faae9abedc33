"""What energy cost: each metered span by its price, added up for today, yesterday and the month. Pure.

A span is priced once, when it is first known, as prices are kept for some days only; a reading that is corrected takes the
place of the one before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from bridge.models.price import HOUR, Curve, Instant
from bridge.models.reading import Reading
from bridge.pricing.day import ONE_DAY, midnight
from bridge.pricing.sums import SECOND, Sums

PERIODS = ("today", "yesterday", "month")


class Metered(NamedTuple):
    """The energy of [start, end), in kWh, and its mean price, in the major unit per kWh; None where that is unknown."""

    start: Instant
    end: Instant
    energy: Decimal
    price: Decimal | None


class CostDay(BaseModel):
    """What was metered of one stream in one local day: spans in order, which do not overlap."""

    model_config = ConfigDict(frozen=True)

    stream: str
    day: date
    spans: tuple[Metered, ...]

    @property
    def key(self) -> tuple[str, date]:
        return self.stream, self.day


Days = Mapping[tuple[str, date], CostDay]  # by stream and day


@dataclass(frozen=True)
class Cost:
    """What [start, end) cost. `complete` tells that no moment of it lacks a reading or a price."""

    value: Decimal  # major unit, `standing_charge` in it
    start: datetime
    end: datetime
    complete: bool
    energy: Decimal  # kWh; of what has a price
    standing_charge: Decimal | None  # None where the provider does not tell


def counted(days: Days, readings: Iterable[Reading], curves: Mapping[str, Curve], zone: ZoneInfo, moment: datetime) -> Days:
    """Return `days` with `readings` in them, and without those that neither yesterday nor this month needs.

    What counts is the energy in kWh, over a span, of a meter that is called like a stream. A span without a price is tried again.
    """
    sums = {stream: Sums(curve.slots) for stream, curve in curves.items()}
    found = {key: list(day.spans) for key, day in days.items() if day.day >= _first(zone, moment)}
    for reading in readings:
        span = _metered(reading, sums)
        day = span and span.start.astimezone(zone).date()
        if span and day and day >= _first(zone, moment):
            found[reading.meter, day] = list(_with(found.get((reading.meter, day), ()), span))
    return {key: days[key] if _unchanged(days.get(key), spans, sums) else _day(key, spans, sums) for key, spans in found.items()}


def cost(days: Days, stream: str, period: str, zone: ZoneInfo, moment: datetime, charge: Decimal | None) -> Cost | None:
    """Return what a stream cost in one of `PERIODS`, None where nothing of it is known.

    Σ energy · price, and `charge`, the standing charge of a day, for every day that is begun. Today and the month reach to the
    last reading, yesterday to its end.
    """
    start, end = _bounds(period, zone, moment)
    spans = [span for day in _of(days, stream) for span in day.spans if start <= span.start < end]
    priced = [span for span in spans if span.price is not None]
    if not priced:
        return None
    until = end if period == "yesterday" else spans[-1].end
    charges = None if charge is None else charge * len(set(_days(start, spans[-1].end, zone)))
    return Cost(
        value=sum((span.energy * span.price for span in priced if span.price is not None), charges or Decimal()),
        start=start,
        end=until,
        complete=len(priced) == len(spans) and _covers(spans, start, until),
        energy=sum((span.energy for span in priced), Decimal()),
        standing_charge=charges,
    )


def _metered(reading: Reading, sums: Mapping[str, Sums]) -> Metered | None:
    """Return the span of a reading that counts, None of any other."""
    known = sums.get(reading.meter)
    if known is None or reading.quantity != "energy" or reading.unit != "kWh":
        return None
    if reading.value is None or reading.start is None or reading.end is None or reading.end <= reading.start:
        return None
    return Metered(reading.start, reading.end, reading.value, _price(known, reading.start, reading.end))


def _price(sums: Sums, start: datetime, end: datetime) -> Decimal | None:
    """Return the mean price of [start, end), None where it is not wholly known.

    Of more than an hour only where it is one price throughout: nobody knows how the energy was spread over it.
    """
    first, last = sums.second(start), sums.second(end)
    total = sums.total(first, last)
    if total.seconds < (end - start) // SECOND or not total.seconds:
        return None
    met = {price for price, a, b in zip(sums.prices, sums.starts, sums.ends, strict=True) if a < last and b > first}
    return sums.money(total) if end - start <= HOUR or len(met) == 1 else None


def _with(spans: Iterable[Metered], new: Metered) -> Iterator[Metered]:
    """Yield `spans` with `new` in the place of all that it overlaps; the same span keeps a price that is known no longer."""
    spans = list(spans)
    price = next((span.price for span in spans if (span.start, span.end) == (new.start, new.end)), None)
    kept = [span for span in spans if span.end <= new.start or span.start >= new.end]
    yield from sorted([*kept, new if new.price is not None else new._replace(price=price)])


def _day(key: tuple[str, date], spans: Iterable[Metered], sums: Mapping[str, Sums]) -> CostDay:
    stream, day = key
    known = sums.get(stream)
    tried = (
        span._replace(price=_price(known, span.start, span.end)) if known is not None and span.price is None else span
        for span in spans
    )
    return CostDay(stream=stream, day=day, spans=tuple(tried))


def _unchanged(before: CostDay | None, spans: list[Metered], sums: Mapping[str, Sums]) -> bool:
    """Tell whether a day is as it was, with nothing in it that a price may have been found for."""
    settled = all(span.price is not None for span in spans)
    return before is not None and before.spans == tuple(spans) and (settled or before.stream not in sums)


def _of(days: Days, stream: str) -> list[CostDay]:
    return sorted((day for day in days.values() if day.stream == stream), key=lambda day: day.day)


def _bounds(period: str, zone: ZoneInfo, moment: datetime) -> tuple[datetime, datetime]:
    today, tomorrow = midnight(moment, zone), midnight(moment, zone, 1)
    if period == "yesterday":
        return midnight(moment, zone, -1), today
    day = moment.astimezone(zone).date().day
    return (today if period == "today" else midnight(moment, zone, 1 - day)), tomorrow


def _first(zone: ZoneInfo, moment: datetime) -> date:
    """Return the first day that is still needed."""
    today = moment.astimezone(zone).date()
    return min(today - ONE_DAY, today.replace(day=1))


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[date]:
    """Yield the local days that [start, end) touches."""
    day, last = start.astimezone(zone).date(), (end - timedelta.resolution).astimezone(zone).date()
    while day <= last:
        yield day
        day += ONE_DAY


def _covers(spans: Iterable[Metered], start: datetime, end: datetime) -> bool:
    reach = start
    for span in spans:
        if span.start != reach:
            return False
        reach = span.end
    return reach >= end
