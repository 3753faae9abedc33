"""When a device runs cheapest: in one go, in pieces of a least length, or whenever it is cheap. It is the optimum, not a guess.

What is not known, or is barred by a price or a level, is never chosen. Of equals it is the earliest, and in pieces the one with
the fewest. Sums are integers, so that equal prices are equal here too, however many digits they have.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import gcd
from typing import NamedTuple

from bridge.models.plan import Segment as Segment
from bridge.models.price import Curve
from bridge.pricing.runs import cheapest_runs

MICROSECOND = timedelta(microseconds=1)
MOST_CELLS = 400_000  # of the table for pieces of a least length: a tenth of a second


class TooFine(ValueError):
    """Prices, duration and least piece have no step in common that is coarse enough."""


@dataclass(frozen=True)
class Wanted:
    """How long a device is to run, and under which conditions. Raises ValueError for what no device can do."""

    duration: timedelta
    contiguous: bool = True
    min_segment: timedelta = timedelta()  # of each piece where it is not contiguous; 0 where any will do
    max_price: Decimal | None = None  # major unit per kWh; a slot that costs more is not chosen
    levels: frozenset[str] | None = None  # likewise one whose level is another, or unknown
    power: tuple[Decimal, ...] = ()  # kW, in equal parts of the duration, one after the other; empty: the same throughout

    def __post_init__(self) -> None:
        if self.duration <= timedelta() or not timedelta() <= self.min_segment <= self.duration:
            raise ValueError("the duration must be positive, and no piece longer than it")
        if self.power and (min(self.power) < 0 or not any(self.power)):
            raise ValueError("the power must not be negative, nor 0 throughout")
        if len(self.power) > 1 and not self.contiguous:
            raise ValueError("a power that changes can only run in one go")


@dataclass(frozen=True)
class Choice:
    """When to run: `segments` in order, which never touch; `mean` is the price of a kWh over all of them."""

    segments: tuple[Segment, ...]
    mean: Decimal

    @property
    def start(self) -> datetime:
        return self.segments[0].start

    @property
    def end(self) -> datetime:
        return self.segments[-1].end


class _Piece(NamedTuple):
    """A span of one price, in microseconds since the first instant that may be chosen."""

    start: int
    end: int
    price: int  # in units of 10 ** -digits


class _Step(NamedTuple):
    """A change of the power, so many microseconds after the start."""

    at: int
    change: int


_Span = tuple[int, int]


def cheapest(curve: Curve, wanted: Wanted, earliest: datetime, latest: datetime) -> Choice | None:
    """Return when in [earliest, latest) to run at the least cost, or None where nothing known fits.

    The cost is ∫ price(t) · power(t) dt. As a slot has one price, that of a run in one go is piecewise linear in its start, and
    least where an edge of the power meets one of a slot. Without a least piece the cheapest slots are the optimum; with one it
    is found in a table over equal steps (`bridge.pricing.runs`). Raises TooFine where these would be too many.
    """
    pieces, digits = _pieces(curve, wanted, earliest, latest)
    runs = [_Run(run) for run in _touching(pieces)]
    duration, power = wanted.duration // MICROSECOND, _power(wanted)
    if wanted.contiguous:
        found = _in_one_go(runs, duration, power)
    elif wanted.min_segment:
        found = _in_pieces(pieces, duration, wanted.min_segment // MICROSECOND)
    else:
        found = _whenever(pieces, duration)
    if not found:
        return None
    steps = power if wanted.contiguous else None
    segments = tuple(_segment(runs, start, end, steps, digits, earliest) for start, end in found)
    weighed = (segment.mean * ((segment.end - segment.start) // MICROSECOND) for segment in segments)
    return Choice(segments, segments[0].mean if len(segments) == 1 else sum(weighed, Decimal()) / duration)


def _pieces(curve: Curve, wanted: Wanted, earliest: datetime, latest: datetime) -> tuple[list[_Piece], int]:
    """Return what may be chosen, in order, and the digits behind the point that its prices have."""
    slots = [slot for slot in curve.slots if slot.end > earliest and slot.start < latest and earliest < latest]
    if wanted.max_price is not None:
        slots = [slot for slot in slots if slot.value <= wanted.max_price]
    if wanted.levels is not None:
        slots = [slot for slot in slots if slot.level in wanted.levels]
    prices, digits = _integers([slot.value for slot in slots])
    spans = ((max(slot.start, earliest) - earliest, min(slot.end, latest) - earliest) for slot in slots)
    return [_Piece(a // MICROSECOND, b // MICROSECOND, price) for (a, b), price in zip(spans, prices, strict=True)], digits


def _integers(values: Sequence[Decimal]) -> tuple[list[int], int]:
    """Return `values` as integers in units of 10 ** -digits, and these digits."""
    exponents = (value.as_tuple().exponent for value in values)
    digits = max((-exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    return [int(value.scaleb(max(digits, 0))) for value in values], max(digits, 0)


def _power(wanted: Wanted) -> list[_Step]:
    """Return how the power changes, from 0 before the start to 0 after the end."""
    powers, _ = _integers(wanted.power or (Decimal(1),))
    duration = wanted.duration // MICROSECOND
    steps = enumerate(pairwise((0, *powers, 0)))
    return [_Step(duration * part // len(powers), after - before) for part, (before, after) in steps if after != before]


def _touching(pieces: Iterable[_Piece]) -> list[list[_Piece]]:
    """Return `pieces` in runs without a gap."""
    runs: list[list[_Piece]] = []
    for piece in pieces:
        if runs and runs[-1][-1].end == piece.start:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


class _Run:
    """Pieces that touch, and A(t), the sum of price · time from their start to t."""

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        self.pieces, self.start, self.end = pieces, pieces[0].start, pieces[-1].end
        self._starts = [piece.start for piece in pieces]
        self._sums = [0]
        for piece in pieces:
            self._sums.append(self._sums[-1] + piece.price * (piece.end - piece.start))

    def cost(self, start: int, power: Sequence[_Step]) -> int:
        """Return ∫ price · power dt from `start` on: −Σ change · A(start + at), as the power is 0 before and after."""
        return -sum(step.change * self._sum(start + step.at) for step in power)

    def _sum(self, instant: int) -> int:
        index = max(bisect_right(self._starts, instant) - 1, 0)
        piece = self.pieces[index]
        return self._sums[index] + piece.price * (instant - piece.start)


def _in_one_go(runs: Iterable[_Run], duration: int, power: Sequence[_Step]) -> list[_Span]:
    """Return the one span of the least cost, or nothing where none is long enough."""
    starts = ((run.cost(start, power), start) for run in runs for start in sorted(_starts(run, duration, power)))
    best = min(starts, default=None)
    return [] if best is None else [(best[1], best[1] + duration)]


def _starts(run: _Run, duration: int, power: Sequence[_Step]) -> set[int]:
    """Return every start in `run` at which the cost may have its least value."""
    edges = [*(piece.start for piece in run.pieces), run.end]
    marks = {run.start, run.end - duration} | {edge - step.at for edge in edges for step in power}
    return {mark for mark in marks if run.start <= mark <= run.end - duration}


def _whenever(pieces: Sequence[_Piece], duration: int) -> list[_Span]:
    """Return the cheapest pieces that make up `duration`, or nothing where they are too few.

    The dearest of them is cut; what is left of it is its end where that spares a switch, else its beginning.
    """
    chosen: list[_Span] = []
    for piece in sorted(pieces, key=lambda piece: (piece.price, piece.start)):
        if piece.end - piece.start >= duration:
            starts, ends = {start for start, _ in chosen}, {end for _, end in chosen}
            at_its_end = piece.end in starts and piece.start not in ends
            chosen.append((piece.end - duration, piece.end) if at_its_end else (piece.start, piece.start + duration))
            return _joined(sorted(chosen))
        chosen.append((piece.start, piece.end))
        duration -= piece.end - piece.start
    return []


def _in_pieces(pieces: Sequence[_Piece], duration: int, least: int) -> list[_Span]:
    """Return the spans of `least` or longer that make up `duration` at the least cost, or nothing where there are none.

    In an optimum every span begins and ends on a step that all edges, `duration` and `least` share. Raises TooFine.
    """
    if not pieces:
        return []
    first, last = pieces[0].start, pieces[-1].end
    edges = (edge - first for piece in pieces for edge in (piece.start, piece.end))
    step = gcd(duration, least, *edges)
    count = (last - first) // step
    if count * (duration // step) > MOST_CELLS:
        raise TooFine(f"the step in common of {step} µs is too short")
    prices: list[int | None] = [None] * count
    for piece in pieces:
        begin, end = (piece.start - first) // step, (piece.end - first) // step
        prices[begin:end] = [piece.price] * (end - begin)
    return [(first + a * step, first + b * step) for a, b in cheapest_runs(prices, duration // step, least // step)]


def _joined(spans: Iterable[_Span]) -> list[_Span]:
    joined: list[_Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _segment(runs: Iterable[_Run], start: int, end: int, power: Sequence[_Step] | None, digits: int, origin: datetime) -> Segment:
    """Return the span [start, end) with its mean price: ∫ price · power dt / ∫ power dt."""
    run = next(run for run in runs if run.start <= start and end <= run.end)
    steps = power or (_Step(0, 1), _Step(end - start, -1))
    energy = -sum(step.change * step.at for step in steps)
    mean = (Decimal(run.cost(start, steps)) / energy).scaleb(-digits)
    return Segment(origin + start * MICROSECOND, origin + end * MICROSECOND, mean)
