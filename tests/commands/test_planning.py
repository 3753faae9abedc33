"""What becomes of a plan when newer prices come: what has begun stays, and the rest moves where it is worth it."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.commands.planning import LEAST_GAIN, chosen, moved
from bridge.models.plan import Plan, Segment, Wish
from bridge.models.price import HOUR, Curve
from bridge.pricing.segments import length, mean, running
from tests.commands.house import NOON, at, hours
from tests.support import utc

QUARTER = timedelta(minutes=15)


def planned(prices: Curve, duration: timedelta, **about: Any) -> Plan:
    """Return the plan that is made at noon."""
    wish = Wish(
        source="home", site="id-1", stream="import", duration=duration, earliest=NOON, latest=NOON + timedelta(hours=48), **about
    )
    segments = chosen(wish, prices).segments
    assert prices.end is not None
    return Plan(
        client="wallbox", name="car", asked="", wish=wish, segments=segments, at_once=None, currency="EUR", data_until=prices.end
    )


def spans(plan: Plan) -> list[tuple[str, str]]:
    return [(f"{one.start:%d %H:%M}", f"{one.end:%d %H:%M}") for one in plan.segments]


TODAY = (0.4, 0.3, 0.2, 0.3)


def test_a_plan_that_has_not_begun_moves_to_where_it_is_cheaper() -> None:
    plan = moved(planned(hours(*TODAY), HOUR), hours(*TODAY, 0.1, 0.4), at("11:00"))
    assert (spans(plan), plan.data_until) == ([("10 14:00", "10 15:00")], at("16:00"))


def test_one_that_runs_in_one_go_and_has_begun_stays() -> None:
    plan = planned(hours(*TODAY), HOUR)
    assert moved(plan, hours(*TODAY, -5), at("12:00")).segments == plan.segments


def test_what_has_begun_stays_and_the_rest_moves() -> None:
    plan = planned(hours(0.1, 0.4, 0.2, 0.4, 0.2), 3 * HOUR, contiguous=False)
    assert spans(plan) == [("10 10:00", "10 11:00"), ("10 12:00", "10 13:00"), ("10 14:00", "10 15:00")]
    newer = hours(9, 0.4, 0.2, 0.4, 0.2, 0.1, 0.1)
    assert spans(moved(plan, newer, at("10:30"))) == [("10 10:00", "10 11:00"), ("10 15:00", "10 17:00")]
    assert spans(moved(plan, newer, at("12:30"))) == [
        ("10 10:00", "10 11:00"),
        ("10 12:00", "10 13:00"),
        ("10 15:00", "10 16:00"),
    ]


def test_what_moves_to_the_end_of_what_runs_is_one_segment_with_it() -> None:
    plan = planned(hours(0.1, 0.4, 0.2), 2 * HOUR, contiguous=False)
    assert [(segment.end, segment.mean) for segment in moved(plan, hours(0.1, 0.1, 0.2), at("10:30")).segments] == [
        (at("12:00"), Decimal("0.1"))
    ]


def test_less_than_a_hundredth_is_not_worth_a_move_and_more_is() -> None:
    plan = planned(hours(0.5, 0.2, 0.5), HOUR)
    assert moved(plan, hours(0.5, 0.2, 0.1981), NOON).segments == plan.segments
    assert spans(moved(plan, hours(0.5, 0.2, 0.1979), NOON)) == [("10 12:00", "10 13:00")]
    paid = planned(hours(0.5, -0.2, 0.5), HOUR)
    assert moved(paid, hours(0.5, -0.2, -0.2019), NOON).segments == paid.segments
    assert spans(moved(paid, hours(0.5, -0.2, -0.2021), NOON)) == [("10 12:00", "10 13:00")]


def test_equal_prices_move_nothing() -> None:
    free = planned(hours(0, 0, 0), HOUR)
    assert moved(free, hours(0, 0, 0, 0), NOON).segments == free.segments


def test_what_stays_is_told_at_its_newer_price() -> None:
    plan = moved(planned(hours(0.5, 0.2, 0.5), HOUR), hours(0.5, 0.3, 0.5), NOON)
    assert plan.segments == (Segment(at("11:00"), at("12:00"), Decimal("0.3")),)


def test_where_its_prices_are_not_known_any_more_it_moves_to_where_they_are_and_else_it_stays() -> None:
    plan = planned(hours(0.5, 0.2, 0.5), HOUR)
    assert spans(moved(plan, hours(0.9, start=at("13:00")), NOON)) == [("10 13:00", "10 14:00")]
    assert moved(plan, Curve(currency="EUR", slots=()), NOON) == plan
    assert moved(plan, hours(0.9, start=at("13:45")).until(at("14:00")), NOON).segments == plan.segments


def test_a_price_above_the_limit_moves_it_too() -> None:
    plan = planned(hours(0.5, 0.2, 0.5), HOUR, max_price=Decimal("0.3"))
    assert spans(moved(plan, hours(0.5, 0.4, 0.3), NOON)) == [("10 12:00", "10 13:00")]
    assert spans(moved(plan, hours(0.5, 0.4, 0.5), NOON)) == [("10 11:00", "10 12:00")]  # there is no better: it runs


def test_pieces_of_a_least_length_stay_as_long() -> None:
    plan = planned(hours(0.1, 0.4, 0.1, 0.4, 0.4), 2 * HOUR, contiguous=False, min_segment=HOUR)
    newer = moved(plan, hours(0.1, 0.4, 0.1, 0.4, 0.05, 0.4), at("10:07"))
    assert spans(newer) == [("10 10:00", "10 11:00"), ("10 14:00", "10 15:00")]


# whatever prices come

curves = st.lists(st.integers(-3, 3), min_size=8, max_size=40).map(
    lambda values: Curve(currency="EUR", slots=tuple(slot for n, v in enumerate(values) for slot in _quarter(n, v)))
)


def _quarter(number: int, value: int) -> Any:
    """Return one slot, or none, so that there are gaps."""
    return () if number % 13 == 12 and value > 0 else hours(value, start=NOON + number * QUARTER).slots[:1]


kinds = st.sampled_from([
    {"contiguous": True}, {"contiguous": False}, {"contiguous": False, "min_segment": timedelta(minutes=30)},
])  # fmt: skip


@settings(max_examples=150)
@given(curves, st.lists(curves, min_size=1, max_size=4), kinds, st.lists(st.integers(0, 300), min_size=4, max_size=4))
def test_a_plan_runs_as_long_as_was_wanted_and_never_takes_back_what_has_begun(
    first: Curve, others: list[Curve], kind: dict[str, Any], minutes: list[int]
) -> None:
    plan = planned(Curve(currency="EUR", slots=(*first.slots, *hours(9, 9, start=NOON + 20 * HOUR).slots)), HOUR, **kind)
    for prices, passed in zip(others, sorted(minutes), strict=False):
        moment = NOON + timedelta(minutes=passed)
        newer = moved(plan, prices, moment)
        assert moved(newer, prices, moment) == newer
        assert length(newer.segments) == plan.wish.duration
        assert all(one.end < other.start for one, other in pairwise(newer.segments))
        assert ran(newer, moment) == ran(plan, moment)
        assert still(newer, plan, moment)
        assert all(one.end - one.start >= plan.wish.min_segment for one in newer.segments)
        plan = newer


def ran(plan: Plan, moment: datetime) -> list[tuple[datetime, datetime]]:
    """Return when the device has run until `moment`."""
    return [(one.start, min(one.end, moment)) for one in plan.segments if one.start < moment]


def still(newer: Plan, older: Plan, moment: datetime) -> bool:
    """Tell whether what runs in `older` runs on in `newer`, until then at the least."""
    now, then = running(newer.segments, moment), running(older.segments, moment)
    return then is None or (now is not None and now.start == then.start and now.end >= then.end)


@given(curves, curves, kinds)
def test_a_move_is_worth_more_than_the_least_gain(first: Curve, newer: Curve, kind: dict[str, Any]) -> None:
    plan = planned(Curve(currency="EUR", slots=(*first.slots, *hours(9, 9, start=NOON + 20 * HOUR).slots)), HOUR, **kind)
    after = moved(plan, newer, NOON - HOUR)
    if [one[:2] for one in after.segments] != [one[:2] for one in plan.segments]:
        costs = [price for one in plan.segments for price in _mean(newer, one)]
        if len(costs) == len(plan.segments):
            stays = mean(one._replace(mean=price) for one, price in zip(plan.segments, costs, strict=True))
            assert stays - mean(after.segments) > LEAST_GAIN * abs(stays)


def _mean(prices: Curve, segment: Segment) -> list[Decimal]:
    """Return the mean price of a span, nothing where it is not known."""
    quarters = [prices.at(segment.start + number * QUARTER) for number in range((segment.end - segment.start) // QUARTER)]
    known = [slot.value for slot in quarters if slot is not None]
    return [sum(known, Decimal()) / len(known)] if known and len(known) == len(quarters) else []


def test_the_autumn_night_is_one_hour_longer() -> None:
    evening = utc("2026-10-24T20:00")
    prices = hours(*[5] * 5, 0, *[5] * 5, start=evening)  # 02:00 to 03:00, the second time
    wish = Wish(source="home", site="id-1", stream="import", duration=HOUR, earliest=evening, latest=evening + 11 * HOUR)
    (segment,) = chosen(wish, prices).segments
    assert segment.start == utc("2026-10-25T01:00")
