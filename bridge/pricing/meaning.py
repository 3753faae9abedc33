"""What the prices of a curve mean: all that changes with the curve alone, judged once and then looked up at each slot."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bridge.models.price import HOUR, Curve, Slot
from bridge.pricing import averages, periods, trend
from bridge.pricing.blocks import blocks, smoothed
from bridge.pricing.day import bounds, midnight
from bridge.pricing.judged import Day
from bridge.pricing.periods import Period
from bridge.pricing.rating import level, limits, ratings
from bridge.pricing.settings import USUAL, PricingSettings
from bridge.pricing.starts import Starts
from bridge.pricing.sums import SECOND, Sums, Total

CHEAPEST: Mapping[str, timedelta] = {"1h": HOUR, "3h": 3 * HOUR}  # the spans for which the cheapest start is looked for


@dataclass(frozen=True)
class Verdict:
    """What one slot means; prices are in the curve's unit, percentages plain numbers, and what is unknown is None."""

    level: str | None
    rating: str | None
    trailing_mean: Decimal | None
    leading_mean: Decimal | None
    difference: Decimal | None  # % off the trailing mean
    hour_mean: Decimal | None
    trend: str | None
    trend_change: datetime | None
    phase: str | None
    period: str | None  # best or peak


class Periods(NamedTuple):
    """The periods around the local day that begins at `of`, in order."""

    of: datetime
    best: Sequence[Period]
    peak: Sequence[Period]


class Meaning:
    """What a curve means at a site in `zone`; it holds for as long as the curve does."""

    def __init__(self, curve: Curve, zone: ZoneInfo, settings: PricingSettings = USUAL) -> None:
        self.curve, self.zone, self._settings = curve, zone, settings
        self._sums = sums = Sums(curve.slots)
        before = averages.all_trailing(sums, settings.least_known)
        differences = list(map(averages.difference, sums.prices, before))
        self.ratings = self._smoothed(ratings(differences, settings))
        own = self._smoothed([level(off, settings.level_limits) for off in differences])
        self.levels = tuple(slot.level or ours for slot, ours in zip(curve.slots, own, strict=True))
        self.trends = tuple(trend.Trends(sums, settings).words())
        self._directions = blocks([trend.direction(word) for word in self.trends], sums.starts, sums.ends)
        self._days: dict[datetime, Day] = {}
        self._found: Periods | None = None

    def verdict(self, slot: Slot) -> Verdict:
        """Return what `slot`, which must be of the curve, means."""
        index, settings = self._index(slot.start), self._settings
        before, after = (self._mean(around, slot) for around in (averages.trailing, averages.leading))
        start, least = self._sums.starts[index], settings.least_known
        turn = trend.change(self._directions, index, self._sums, settings.trend_holds // SECOND)
        shape = self.day(slot.start).shape
        return Verdict(
            level=self.levels[index],
            rating=self.ratings[index],
            trailing_mean=before,
            leading_mean=after,
            difference=averages.difference(self._sums.prices[index], averages.trailing(self._sums, start, least)),
            hour_mean=averages.hour(self._sums, slot.start, self.zone),
            trend=self.trends[index],
            trend_change=None if turn is None else self._sums.moment(turn),
            phase=shape.phase(slot.start) if shape else None,
            period=self._period(slot),
        )

    def day(self, moment: datetime) -> Day:
        """Return the local day of `moment`."""
        start, end = bounds(moment, self.zone)
        if start not in self._days:
            self._days[start] = Day(start, end, self.curve, self._settings)
        return self._days[start]

    def level_limits(self, slot: Slot) -> tuple[Decimal, ...] | None:
        """Return the four prices between the levels at `slot`, None where the mean before it is unknown."""
        before = self._mean(averages.trailing, slot)
        return None if before is None else limits(before, self._settings.level_limits)

    def best(self, moment: datetime) -> Period | None:
        """Return the best period in force at `moment`, or else the next one, or None."""
        return _now_or_next(self._periods(moment).best, moment)

    def peak(self, moment: datetime) -> Period | None:
        """Return the peak period in force at `moment`, or else the next one, or None."""
        return _now_or_next(self._periods(moment).peak, moment)

    def cheapest(self, length: timedelta, moment: datetime) -> datetime | None:
        """Return when the cheapest `length` without interruption begins that begins at `moment` or later, the earliest of equals.

        None where no such span is wholly known. `length` must be one of `CHEAPEST`.
        """
        start = self._starts[length].since(self._sums.second(moment))
        return None if start is None else self._sums.moment(start)

    @cached_property
    def _starts(self) -> dict[timedelta, Starts]:
        return {length: Starts(self._sums, length // SECOND) for length in CHEAPEST.values()}

    def _mean(self, around: Callable[[Sums, int, Decimal], Total | None], slot: Slot) -> Decimal | None:
        total = around(self._sums, self._sums.second(slot.start), self._settings.least_known)
        return None if total is None else self._sums.money(total)

    def _smoothed(self, words: Sequence[str | None]) -> tuple[str | None, ...]:
        return smoothed(words, self._sums.starts, self._sums.ends, self._settings.rating_gap // SECOND)

    def _periods(self, moment: datetime) -> "Periods":
        """Return the periods from the local day before that of `moment` on: one may have run over midnight."""
        today = self.day(moment).start
        if self._found is None or self._found.of != today:
            days = list(self._days_from(midnight(moment, self.zone, -1)))
            best = periods.joined([period for day in days for period in day.best], self._sums)
            peak = periods.joined([period for day in days for period in day.peak], self._sums)
            self._found = Periods(today, best, peak)
        return self._found

    def _days_from(self, start: datetime) -> Iterator[Day]:
        while self.curve.end is not None and start < self.curve.end:
            day = self.day(start)
            yield day
            start = day.end

    def _period(self, slot: Slot) -> str | None:
        for word, found in (("best", self.best(slot.start)), ("peak", self.peak(slot.start))):
            if found and found.start <= slot.start:
                return word
        return None

    def _index(self, moment: datetime) -> int:
        return bisect_left(self.curve.slots, moment, key=lambda slot: slot.start)


def _now_or_next(found: Sequence[Period], moment: datetime) -> Period | None:
    return next((period for period in found if period.end > moment), None)
