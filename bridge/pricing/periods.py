"""Best and peak periods: the spans of a day that stand out, however long they are. A day that is flat has none.

A peak is a best period of the prices with their sign turned, so that both are one rule, and negative prices are no exception.
All is compared in whole numbers, multiplied out: no rounding decides.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from operator import mul
from typing import NamedTuple

from bridge.pricing.settings import PricingSettings
from bridge.pricing.sums import SECOND, Sums


class Period(NamedTuple):
    """A span, and its mean price."""

    start: datetime
    end: datetime
    mean: Decimal


class Rule(NamedTuple):
    """What makes a period; `sign` is 1 for the best, -1 for the peak. Percentages are plain numbers."""

    sign: int
    flexibility: Decimal
    distance: Decimal
    length_s: int


def best(sums: Sums, cv: Decimal | None, settings: PricingSettings) -> list[Period]:
    """Return the best periods of the slots of one day; `cv` is their variation."""
    return _periods(
        sums, cv, settings, Rule(1, settings.best_flexibility, settings.best_distance, settings.best_length // SECOND)
    )


def peak(sums: Sums, cv: Decimal | None, settings: PricingSettings) -> list[Period]:
    """Return the peak periods of the slots of one day; `cv` is their variation."""
    return _periods(
        sums, cv, settings, Rule(-1, settings.peak_flexibility, settings.peak_distance, settings.peak_length // SECOND)
    )


def joined(periods: Sequence[Period], sums: Sums) -> list[Period]:
    """Return `periods` of several days, those that touch at a midnight as one; `sums` are those of the whole curve."""
    row: list[Period] = []
    for period in periods:
        if row and row[-1].end == period.start:
            start = row.pop().start
            mean = sums.mean(sums.second(start), sums.second(period.end))
            assert mean is not None  # a period is known throughout
            row.append(Period(start, period.end, mean))
        else:
            row.append(period)
    return row


def _periods(sums: Sums, cv: Decimal | None, settings: PricingSettings, rule: Rule) -> list[Period]:
    """Return the periods at the least flexibility that brings `periods_wanted`, or else as many as can be had."""
    if len(set(sums.prices)) <= 1 or (cv is not None and cv <= settings.flat_day):
        return []
    day = _Day(sums, rule, settings)
    most: list[Period] = []
    before: int | None = None
    for step in range(settings.relaxation_steps + 1):
        flexibility = rule.flexibility + step * settings.relaxation_step
        if step and flexibility > settings.flexibility_most:
            break
        if (limit := day.limit(flexibility)) == before:
            continue  # the distance from the mean holds it
        before, found = limit, list(day.periods(limit))
        if len(found) > len(most):
            most = found
        if len(most) >= settings.periods_wanted:
            break
    return most


class _Day:
    """One day's prices in the sense of a best period: for a peak their sign is turned."""

    def __init__(self, sums: Sums, rule: Rule, settings: PricingSettings) -> None:
        self._sums, self._rule, self._settings = sums, rule, settings
        self._row = [rule.sign * price for price in sums.prices]
        self._seconds = sum(sums.lengths)
        self._total: int = sum(map(mul, self._row, sums.lengths))
        self._size: int = sum(map(mul, map(abs, self._row), sums.lengths))

    def periods(self, limit: int) -> Iterator[Period]:
        """Yield the runs of prices up to `limit` that are long and calm enough."""
        sums = self._sums
        for first, end in self._runs([price <= limit for price in self._row]):
            start_s, end_s = sums.starts[first], sums.ends[end - 1]
            if end_s - start_s >= self._rule.length_s and self._is_calm(first, end):
                yield Period(sums.moment(start_s), sums.moment(end_s), sums.money(sums.total(start_s, end_s)))

    def limit(self, flexibility: Decimal) -> int:
        """Return up to which price a slot belongs to a period.

        With r the least price of the day, a the mean and s the mean |price|: p ≤ r + max(|a − r|, |r|) · flexibility, and
        p ≤ a − s · distance. By size and not by sign, s is a distance also on a day whose mean is near zero or below it. A price
        of 0 or less is always among the best, where the day's mean is above 0.
        """
        seconds, least = self._seconds, min(self._row)
        reach, by = flexibility.as_integer_ratio()
        away = max(abs(self._total - least * seconds), abs(least) * seconds)
        near = (100 * by * least * seconds + away * reach) // (100 * by * seconds)
        part, of = self._rule.distance.as_integer_ratio()
        far = (100 * of * self._total - self._size * part) // (100 * of * seconds)
        limit = min(near, far)
        always = self._rule.sign > 0 and self._total > 0
        return max(limit, 0) if always else limit

    def _is_calm(self, first: int, end: int) -> bool:
        """Tell whether the standard deviation inside a run is at most `period_spread` % of the day's mean |price|."""
        run = list(zip(self._row[first:end], self._sums.lengths[first:end], strict=True))
        seconds = sum(length for _, length in run)
        total = sum(price * length for price, length in run)
        squares = sum(price * price * length for price, length in run)
        part, of = self._settings.period_spread.as_integer_ratio()
        return (squares * seconds - total**2) * (100 * of * self._seconds) ** 2 <= (self._size * part * seconds) ** 2

    def _runs(self, hits: Sequence[bool]) -> list[tuple[int, int]]:
        """Return the runs of hits as [first, end); a short interruption on the right side of the mean is a part of one."""
        runs: list[tuple[int, int]] = []
        for index in (index for index, hit in enumerate(hits) if hit):
            if runs and self._reaches(runs[-1][1] - 1, index):
                runs[-1] = runs[-1][0], index + 1
            else:
                runs.append((index, index + 1))
        return runs

    def _reaches(self, last: int, index: int) -> bool:
        starts, ends = self._sums.starts, self._sums.ends
        if index == last + 1:
            return ends[last] == starts[index]
        near = all(price * self._seconds < self._total for price in self._row[last + 1 : index])
        known = all(ends[one] == starts[other] for one, other in pairwise(range(last, index + 1)))
        return near and known and starts[index] - ends[last] <= self._settings.period_gap // SECOND
