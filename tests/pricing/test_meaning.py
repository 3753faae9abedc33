"""What must hold of all that is said of a price, whatever the curve."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.price import HOUR, Curve, Slot
from bridge.pricing.cheapest import Wanted, cheapest
from bridge.pricing.meaning import CHEAPEST, Meaning, Verdict
from tests.pricing.curves import BERLIN, MIDNIGHT, curves, duck, hourly, prices, repriced, shifted
from tests.support import curve, quarters, utc

WORDS = ("level", "rating", "trend", "trend_change", "phase", "period")
MONEY = ("trailing_mean", "leading_mean", "hour_mean")
UNKNOWN = Verdict(None, None, None, None, None, None, None, None, None, None)


def verdicts(known: Curve) -> list[Verdict]:
    meaning = Meaning(known, BERLIN)
    return [meaning.verdict(slot) for slot in known.slots]


def judgements(known: Curve) -> Iterator[Any]:
    """Yield all that is no amount of money."""
    meaning = Meaning(known, BERLIN)
    for slot in known.slots:
        verdict, day = meaning.verdict(slot), meaning.day(slot.start)
        yield [getattr(verdict, word) for word in WORDS]
        yield verdict.difference, day.ranks.rank(slot.value), day.ranks.percentile(slot.value)
        yield day.volatility and (day.volatility.cv, day.volatility.word, day.volatility.spikes), day.shape
        yield [found and (found.start, found.end) for found in (meaning.best(slot.start), meaning.peak(slot.start))]
        yield [meaning.cheapest(length, slot.start) for length in CHEAPEST.values()]


def near(one: Decimal | None, other: Decimal | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) < Decimal("1e-18"))


@given(curves(), st.sampled_from([Decimal(text) for text in ("0.01", "0.5", "3", "11.63", "1000")]))
def test_another_unit_of_money_changes_no_judgement(known: Curve, by: Decimal) -> None:
    scaled = repriced(known, [slot.value * by for slot in known.slots])
    assert list(judgements(scaled)) == list(judgements(known))
    for one, other in zip(verdicts(scaled), verdicts(known), strict=True):
        for name in MONEY:
            before = getattr(other, name)
            assert near(getattr(one, name), None if before is None else before * by)


@given(curves(), st.integers(-60, 60))
def test_a_shift_by_whole_days_shifts_what_is_said(known: Curve, days: int) -> None:
    by = timedelta(days=days)  # in the summer: no clock changes
    for one, other in zip(verdicts(shifted(known, by)), verdicts(known), strict=True):
        turn = other.trend_change
        assert asdict(one) == {**asdict(other), "trend_change": turn + by if turn else None}


@given(curves(most=30))
def test_the_same_curve_is_judged_alike_each_time_and_in_any_order_of_asking(known: Curve) -> None:
    there, back = Meaning(known, BERLIN), Meaning(known, BERLIN)
    forwards = [there.verdict(slot) for slot in known.slots]
    assert forwards == [back.verdict(slot) for slot in reversed(known.slots)][::-1]


@given(prices, st.integers(1, 250))
def test_of_a_constant_price_nothing_stands_out(price: Decimal, count: int) -> None:
    known = curve(MIDNIGHT, [str(price)] * count)
    for verdict in verdicts(known):
        assert verdict.difference in (None, 0)
        assert (verdict.rating, verdict.level) in ((None, None), ("normal", "normal"))
        assert (verdict.trend in (None, "stable"), verdict.trend_change, verdict.period) == (True, None, None)
        assert verdict.phase in (None, "flat")


@given(curves())
def test_prices_below_zero_are_judged_like_others(known: Curve) -> None:
    below = repriced(known, [-abs(slot.value) - 1 for slot in known.slots])
    meaning = Meaning(below, BERLIN)
    for slot in below.slots:
        verdict = meaning.verdict(slot)
        if verdict.trailing_mean is not None and verdict.difference is not None:
            assert (verdict.difference > 0) == (slot.value > verdict.trailing_mean)
        if (best := meaning.best(slot.start)) is not None:
            assert best.mean < 0


def test_of_one_slot_there_is_little_to_say() -> None:
    known = curve(MIDNIGHT, [5])
    assert verdicts(known) == [Verdict(**{**asdict(UNKNOWN), "hour_mean": Decimal(5)})]
    day = Meaning(known, BERLIN).day(MIDNIGHT)
    assert (day.complete, day.shape, day.best, day.peak, day.ranks.rank(Decimal(5))) == (False, None, (), (), 1)


def test_of_an_empty_curve_there_is_nothing_to_say() -> None:
    meaning = Meaning(Curve(currency=None, slots=()), BERLIN)
    assert (meaning.best(MIDNIGHT), meaning.peak(MIDNIGHT), meaning.cheapest(HOUR, MIDNIGHT)) == (None, None, None)
    assert meaning.day(MIDNIGHT).figures is None


def test_the_providers_own_level_goes_before_ours() -> None:
    known = Curve(
        currency="EUR", slots=quarters(MIDNIGHT, [1] * 96, "expensive") + quarters(MIDNIGHT + timedelta(days=1), ["0.5"])
    )
    assert [verdict.level for verdict in verdicts(known)[-2:]] == ["expensive", "very_cheap"]


@pytest.mark.parametrize(("start", "count"), [("2026-03-28T23:00", 92), ("2026-10-24T22:00", 100), ("2026-06-09T22:00", 96)])
def test_days_of_23_24_and_25_hours_are_whole_days(start: str, count: int) -> None:
    day = Meaning(curve(utc(start), [str(price) for price in (*duck(), *duck())][:count]), BERLIN).day(utc(start))
    assert (len(day.slots), day.complete, day.shape is None) == (count, True, False)


def test_the_second_time_that_the_clock_shows_two_has_a_verdict_of_its_own() -> None:
    first, second = (
        datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=fold).astimezone(utc("2026-01-01").tzinfo) for fold in (0, 1)
    )
    values = [1] * 300
    known = curve(utc("2026-10-23T22:00"), values)
    dear = repriced(known, [Decimal(3) if slot.start == second else slot.value for slot in known.slots])
    meaning = Meaning(dear, BERLIN)
    found = {slot.start: meaning.verdict(slot) for slot in dear.slots if slot.start in (first, second)}
    assert [verdict.difference for verdict in found.values()] == [0, 200]
    assert [meaning.day(moment).ranks.rank(Decimal(3)) for moment in (first, second)] == [100, 100]


def test_an_hour_is_judged_like_its_quarters() -> None:
    row = [10, 9, 8, 7, 6, 6, 7, 9, 12, 11, 9, 7, 5, 4, 4, 6, 9, 13, 15, 14, 12, 11, 10, 10] * 2
    hours = Curve(currency="EUR", slots=hourly(row))
    pieces = Curve(currency="EUR", slots=quarters(MIDNIGHT, [value for value in row for _ in range(4)]))
    by_start = {slot.start: verdict for slot, verdict in zip(pieces.slots, verdicts(pieces), strict=True)}
    for slot, verdict in zip(hours.slots, verdicts(hours), strict=True):
        piece = by_start[slot.start]
        assert [getattr(verdict, name) for name in ("trailing_mean", "leading_mean", "difference", "hour_mean", "rating")] == [
            getattr(piece, name) for name in ("trailing_mean", "leading_mean", "difference", "hour_mean", "rating")
        ]


@given(curves(most=25), st.sampled_from(list(CHEAPEST.values())), st.integers(0, 30))
def test_the_cheapest_start_is_the_optimisers(known: Curve, length: timedelta, index: int) -> None:
    since = known.slots[min(index, len(known.slots) - 1)].start
    assert known.end is not None
    choice = cheapest(known, Wanted(length), since, known.end)
    found = Meaning(known, BERLIN).cheapest(length, since)
    if choice is None or found is None:
        assert (choice, found) == (None, None)
    else:
        cost = Meaning(known, BERLIN)._sums.mean
        second = Meaning(known, BERLIN)._sums.second
        assert near(cost(second(found), second(found + length)), choice.mean)


def test_a_best_period_of_two_days_is_one() -> None:
    night = [*[10] * 88, *[2] * 16, *[10] * 88]
    known = curve(MIDNIGHT, night)
    found = Meaning(known, BERLIN).best(MIDNIGHT)
    assert found is not None
    assert (found.start, found.end) == (MIDNIGHT + timedelta(hours=22), MIDNIGHT + timedelta(hours=26))
    assert Meaning(known, BERLIN).best(MIDNIGHT + timedelta(hours=25)) == found


def test_a_slot_that_reaches_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    slots = tuple(
        Slot(MIDNIGHT + timedelta(hours=a), MIDNIGHT + timedelta(hours=b), Decimal(price))
        for a, b, price in [(0, 7, "0.1"), (7, 22, "0.3"), (22, 31, "0.1"), (31, 46, "0.3")]
    )
    meaning = Meaning(Curve(currency="EUR", slots=slots), BERLIN)
    assert [len(meaning.day(slot.start).slots) for slot in slots] == [3, 3, 3, 1]
    assert meaning.verdict(slots[3]).difference is not None
