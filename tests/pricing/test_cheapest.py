"""When to run: against every way there is on small curves, of any slot lengths, with gaps and negative prices."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.models.price import HOUR, QUARTER_HOUR, Curve, Slot
from bridge.pricing.cheapest import Choice, Segment, TooFine, Wanted, cheapest
from tests.pricing.test_runs import joined
from tests.support import curve, utc

NOON = utc("2026-06-10T12:00")
STEP = timedelta(minutes=5)  # every edge of the small curves lies on it
DAY = timedelta(days=1)
LEVELS = ("cheap", "normal", None)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def chosen(found: Choice | None) -> list[tuple[str, str, float]]:
    """Return the segments, from when until when and at which mean."""
    return [(f"{one.start:%H:%M}", f"{one.end:%H:%M}", float(one.mean)) for one in found.segments] if found else []


def at_best(
    values: Sequence[float | str], wanted: Wanted, *, after: int = 0, within: int = 24 * 60
) -> list[tuple[str, str, float]]:
    """Return when to run on quarter-hours from noon on; not before so many minutes after it, and not after so many."""
    return chosen(cheapest(curve(NOON, values), wanted, NOON + minutes(after), NOON + minutes(within)))


def test_one_run_begins_where_it_costs_the_least() -> None:
    assert at_best([4, 1, 2, 3, 0], Wanted(minutes(30))) == [("12:15", "12:45", 1.5)]


def test_one_run_may_end_where_a_slot_ends_rather_than_begin_where_one_begins() -> None:
    assert at_best([9, 2, 1, 9], Wanted(minutes(20))) == [("12:25", "12:45", 1.25)]


def test_of_equal_runs_the_earliest_is_taken() -> None:
    assert at_best([1, 1, 1, 1], Wanted(minutes(30))) == [("12:00", "12:30", 1)]
    assert at_best([3, 1, 3, 1], Wanted(minutes(15))) == [("12:15", "12:30", 1)]


def test_a_run_that_may_be_cut_takes_the_cheapest_slots_and_of_equals_the_earliest() -> None:
    whenever = Wanted(minutes(40), contiguous=False)
    assert at_best([4, 1, 2, 3, 0, 2], whenever) == [("12:15", "12:40", 1.4), ("13:00", "13:15", 0)]
    found = cheapest(curve(NOON, [4, 1, 2, 3, 0]), whenever, NOON, NOON + DAY)
    assert found is not None
    assert (found.start, found.end, found.mean) == (NOON + minutes(15), NOON + minutes(75), Decimal("0.875"))


def test_a_slot_that_is_taken_in_part_spares_a_switch_where_it_can() -> None:
    whenever = Wanted(minutes(20), contiguous=False)
    assert at_best([9, 2, 1, 9], whenever) == [("12:25", "12:45", 1.25)]
    assert at_best([9, 1, 2, 9], whenever) == [("12:15", "12:35", 1.25)]
    assert at_best([1, 2, 1, 9], Wanted(minutes(35), contiguous=False)) == [("12:00", "12:20", 1.25), ("12:30", "12:45", 1)]


def test_pieces_that_cost_the_same_are_as_few_as_can_be() -> None:
    values = [1, 2, 9, 1, 2, 1]
    assert at_best(values, Wanted(HOUR, contiguous=False, min_segment=minutes(15))) == [
        ("12:00", "12:15", 1),
        ("12:45", "13:30", pytest.approx(4 / 3)),
    ]


def test_no_piece_is_shorter_than_the_least_one() -> None:
    values = [0, 9, 1, 2, 9, 1, 1]
    assert at_best(values, Wanted(HOUR, contiguous=False)) == [
        ("12:00", "12:15", 0),
        ("12:30", "12:45", 1),
        ("13:15", "13:45", 1),
    ]
    assert at_best(values, Wanted(HOUR, contiguous=False, min_segment=minutes(30))) == [
        ("12:30", "13:00", 1.5),
        ("13:15", "13:45", 1),
    ]


def test_nothing_outside_of_the_limits_is_chosen() -> None:
    values = [0, 0, 5, 3, 4, 5, 0, 0]
    assert at_best(values, Wanted(minutes(30)), after=30, within=90) == [("12:45", "13:15", 3.5)]
    assert at_best(values, Wanted(minutes(30)), after=35, within=60) == []
    assert at_best(values, Wanted(minutes(30)), after=30, within=30) == []
    assert at_best(values, Wanted(minutes(30)), after=60, within=30) == []
    assert at_best([0, 1], Wanted(minutes(25)), after=3) == [("12:03", "12:28", 0.52)]


def test_what_is_unknown_is_never_chosen() -> None:
    slots = curve(NOON, [2, 2, 0, 1, 1]).slots
    gap = Curve(currency="EUR", slots=(*slots[:2], *slots[3:]))
    assert chosen(cheapest(gap, Wanted(minutes(30)), NOON, NOON + DAY)) == [("12:45", "13:15", 1)]
    assert chosen(cheapest(gap, Wanted(minutes(45)), NOON, NOON + DAY)) == []
    assert chosen(cheapest(gap, Wanted(HOUR, contiguous=False), NOON, NOON + DAY)) == [
        ("12:00", "12:30", 2),
        ("12:45", "13:15", 1),
    ]
    assert cheapest(Curve(currency="EUR", slots=()), Wanted(HOUR, contiguous=False, min_segment=HOUR), NOON, NOON + DAY) is None


def test_a_slot_that_costs_too_much_or_has_another_level_is_never_chosen() -> None:
    assert at_best([1, 3, 1, 2, 2], Wanted(minutes(30), max_price=Decimal(2))) == [("12:30", "13:00", 1.5)]
    assert at_best([1, 3, 1, 3, 3], Wanted(minutes(30), max_price=Decimal(2))) == []
    levelled = Curve(currency="EUR", slots=tuple(slot._replace(level=level) for slot, level in zip(
        curve(NOON, [0, 1, 2, 3]).slots, (None, "normal", "cheap", "cheap"), strict=True)))  # fmt: skip
    assert chosen(cheapest(levelled, Wanted(minutes(30), levels=frozenset({"cheap"})), NOON, NOON + DAY)) == [
        ("12:30", "13:00", 2.5)
    ]


def test_a_power_that_changes_weighs_the_prices() -> None:
    values = [3, 2, 9, 9, 1, 4]
    assert at_best(values, Wanted(minutes(30), power=(Decimal(9), Decimal(1)))) == [("13:00", "13:30", 1.3)]
    assert at_best(values, Wanted(minutes(30), power=(Decimal(1), Decimal(9)))) == [("12:45", "13:15", 1.8)]
    assert at_best(values, Wanted(minutes(30), power=(Decimal(0), Decimal(2)))) == [("12:45", "13:15", 1)]
    with_pause = Wanted(minutes(45), power=(Decimal(1), Decimal(0), Decimal(1)))
    assert at_best([1, 9, 1, 5, 5, 5], with_pause) == [("12:00", "12:45", 1)]


def test_an_hour_and_its_quarters_are_the_same() -> None:
    hours = Curve(currency="EUR", slots=tuple(Slot(NOON + n * HOUR, NOON + (n + 1) * HOUR, Decimal(n % 3)) for n in range(6)))
    quarters = curve(NOON, [n // 4 % 3 for n in range(24)])
    for wanted in (
        Wanted(minutes(90)),
        Wanted(minutes(90), contiguous=False),
        Wanted(minutes(90), contiguous=False, min_segment=HOUR),
    ):
        assert cheapest(hours, wanted, NOON, NOON + DAY) == cheapest(quarters, wanted, NOON, NOON + DAY)


@pytest.mark.parametrize(
    "about",
    [
        {"duration": timedelta()},
        {"duration": -HOUR},
        {"duration": HOUR, "min_segment": 2 * HOUR},
        {"duration": HOUR, "min_segment": -HOUR},
        {"duration": HOUR, "power": (Decimal(-1), Decimal(2))},
        {"duration": HOUR, "power": (Decimal(0),)},
        {"duration": HOUR, "power": (Decimal(1), Decimal(2)), "contiguous": False},
    ],
)
def test_what_no_device_can_do_cannot_be_wanted(about: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|can only"):
        Wanted(**about)  # type: ignore[arg-type] # what is wrong is the point


def test_pieces_of_a_least_length_need_steps_that_are_coarse_enough() -> None:
    with pytest.raises(TooFine, match="step in common"):
        at_best([1] * 96, Wanted(HOUR + timedelta(seconds=1), contiguous=False, min_segment=minutes(15)))


# against every way there is


@st.composite
def small_curves(draw: st.DrawFn) -> Curve:
    """Draw a handful of slots of 5 to 20 minutes, with gaps, of few different prices so that many ways cost the same."""
    slots: list[Slot] = []
    begin = NOON
    for _ in range(draw(st.integers(1, 5))):
        begin += draw(st.sampled_from([0, 0, 0, 1])) * STEP
        end = begin + draw(st.integers(1, 3)) * STEP
        price = draw(st.sampled_from(["-1", "-0.25", "0", "0.1", "0.1", "3"]))
        slots.append(Slot(begin, end, Decimal(price), draw(st.sampled_from(LEVELS))))
        begin = end
    return Curve(currency="EUR", slots=tuple(slots))


@st.composite
def wishes(draw: st.DrawFn) -> Wanted:
    kind = draw(st.sampled_from(["in one go", "in pieces", "whenever"]))
    count = draw(st.integers(1, 6))
    least = draw(st.integers(1, count)) * STEP if kind == "in pieces" else timedelta()
    power: tuple[Decimal, ...] = ()
    if kind == "in one go" and draw(st.booleans()):
        powers = st.lists(st.integers(0, 3).map(Decimal), min_size=count, max_size=count)
        power = tuple(draw(powers.filter(any)))
    price = draw(st.none() | st.sampled_from([Decimal(0), Decimal("0.1")]))
    levels = draw(st.none() | st.just(frozenset({"cheap", "normal"})))
    return Wanted(count * STEP, kind == "in one go", least, price, levels, power)


def steps_of(prices: Curve, wanted: Wanted, first: int, last: int) -> dict[int, Fraction]:
    """Return the price of each step that may be taken, by its number after noon."""
    found = {}
    for number in range(first, last):
        slot = prices.at(NOON + number * STEP)
        if slot is None or (wanted.max_price is not None and slot.value > wanted.max_price):
            continue
        if wanted.levels is None or slot.level in wanted.levels:
            found[number] = Fraction(slot.value)
    return found


def every_way(known: dict[int, Fraction], wanted: Wanted) -> Iterator[tuple[int, ...]]:
    least = wanted.duration if wanted.contiguous else max(wanted.min_segment, STEP)
    ways = combinations(sorted(known), wanted.duration // STEP)
    return (way for way in ways if all((end - start) * STEP >= least for start, end in joined(way)))


def by_force(known: dict[int, Fraction], wanted: Wanted) -> tuple[list[tuple[int, int]], Fraction] | None:
    """Return the spans of the best way, and its mean price."""
    weights = [Fraction(power) for power in wanted.power] or [Fraction(1)] * (wanted.duration // STEP)

    def cost(way: tuple[int, ...]) -> Fraction:
        return sum((known[step] * weight for step, weight in zip(way, weights, strict=True)), Fraction())

    best = min(every_way(known, wanted), key=lambda way: (cost(way), len(joined(way)), way[::-1]), default=None)
    return None if best is None else (joined(best), cost(best) / sum(weights))


@settings(max_examples=300)
@given(small_curves(), wishes(), st.integers(0, 3), st.integers(4, 15))
def test_no_other_way_is_better(prices: Curve, wanted: Wanted, first: int, last: int) -> None:
    found = cheapest(prices, wanted, NOON + first * STEP, NOON + last * STEP)
    best = by_force(steps_of(prices, wanted, first, last), wanted)
    if best is None:
        assert found is None
        return
    assert found is not None
    spans, mean = best
    if wanted.contiguous or wanted.min_segment:
        assert [((one.start - NOON) // STEP, (one.end - NOON) // STEP) for one in found.segments] == spans
    assert abs(Fraction(found.mean) - mean) < Fraction(1, 10**20)


FEE = [Decimal("0.5"), Decimal(-2), Decimal("1e-9")]


@given(small_curves(), wishes(), st.sampled_from([Decimal("0.01"), Decimal(100), Decimal(1) / 3]))
def test_another_currency_changes_no_choice(prices: Curve, wanted: Wanted, by: Decimal) -> None:
    scaled = Curve(currency="NOK", slots=tuple(slot._replace(value=slot.value * by) for slot in prices.slots))
    limit = None if wanted.max_price is None else wanted.max_price * by
    one, other = (
        cheapest(prices, wanted, NOON, NOON + DAY),
        cheapest(scaled, replace(wanted, max_price=limit), NOON, NOON + DAY),
    )
    assert spans(one) == spans(other)


@given(small_curves(), wishes(), st.sampled_from(FEE))
def test_a_fee_on_each_kwh_changes_no_choice(prices: Curve, wanted: Wanted, by: Decimal) -> None:
    dearer = Curve(currency="EUR", slots=tuple(slot._replace(value=slot.value + by) for slot in prices.slots))
    limit = None if wanted.max_price is None else wanted.max_price + by
    assert spans(cheapest(dearer, replace(wanted, max_price=limit), NOON, NOON + DAY)) == spans(
        cheapest(prices, wanted, NOON, NOON + DAY)
    )


def spans(found: Choice | None) -> list[tuple[object, object]]:
    return [(one.start, one.end) for one in found.segments] if found else []


@given(small_curves(), wishes())
def test_segments_are_in_order_never_touch_and_make_up_the_duration(prices: Curve, wanted: Wanted) -> None:
    found = cheapest(prices, wanted, NOON, NOON + DAY)
    segments: tuple[Segment, ...] = found.segments if found else ()
    assert all(one.end < other.start for one, other in pairwise(segments))
    assert not found or sum((one.end - one.start for one in segments), timedelta()) == wanted.duration


def test_the_long_day_and_the_short_day_are_chosen_from_by_instant() -> None:
    autumn = curve(utc("2026-10-24T22:00"), [1] * 8 + [0] * 4 + [1] * 4 + [2] * 84)  # the first 02:xx is free, the second is not
    assert chosen(cheapest(autumn, Wanted(HOUR), utc("2026-10-24T22:00"), utc("2026-10-25T23:00"))) == [("00:00", "01:00", 0)]
    second = cheapest(autumn, Wanted(HOUR), utc("2026-10-25T01:00"), utc("2026-10-25T23:00"))
    assert chosen(second) == [("01:00", "02:00", 1)]
    assert QUARTER_HOUR * len(autumn.slots) == 25 * HOUR
