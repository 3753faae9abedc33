"""A curve answers for every moment: the slot in force, what follows, what is known, what changes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.models.price import HOUR, QUARTER_HOUR, Curve, Slot, split
from tests.support import curve, quarters, utc

NOON = utc("2026-06-10T12:00:00")
BERLIN = ZoneInfo("Europe/Berlin")
FOUR = curve(NOON, ["0.1", "0.2", "-0.3", "0.4"])
FIRST, SECOND, THIRD, FOURTH = FOUR.slots
GAPPED = Curve(currency="EUR", slots=(FIRST, SECOND, FOURTH))
EMPTY = Curve(currency="EUR", slots=())
TICK = timedelta(microseconds=1)
LENGTHS = (QUARTER_HOUR, 2 * QUARTER_HOUR, HOUR)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Draw a curve of slots of mixed lengths, with gaps."""
    slots, moment = [], NOON
    for _ in range(draw(st.integers(0, 12))):
        moment += draw(st.sampled_from((0, 0, 0, 1, 3))) * QUARTER_HOUR
        end = moment + draw(st.sampled_from(LENGTHS))
        slots.append(Slot(moment, end, draw(st.decimals(-2, 2, places=4))))
        moment = end
    return Curve(currency="EUR", slots=tuple(slots))


moments = st.integers(-60, 1200).map(at)


# in force


@pytest.mark.parametrize(
    ("moment", "slot"),
    [
        (NOON - TICK, None),
        (NOON, FIRST),
        (at(15) - TICK, FIRST),
        (at(15), SECOND),
        (at(30), None),
        (at(45) - TICK, None),
        (at(45), FOURTH),
        (at(60), None),
        (at(46).astimezone(BERLIN), FOURTH),
    ],
)
def test_a_slot_is_in_force_from_its_start_to_before_its_end(moment: datetime, slot: Slot | None) -> None:
    assert GAPPED.at(moment) == slot


def test_an_empty_curve_knows_nothing() -> None:
    assert (EMPTY.at(NOON), EMPTY.end, EMPTY.change_after(NOON), EMPTY.between(NOON, at(60))) == (None, None, None, ())
    assert (EMPTY.covers(NOON, at(15)), EMPTY.overlaps(FIRST)) == (False, False)


@given(curves(), moments)
def test_the_slot_in_force_is_the_only_one_that_holds_the_moment(given: Curve, moment: datetime) -> None:
    holding = [slot for slot in given.slots if slot.start <= moment < slot.end]
    assert ([given.at(moment)] if given.at(moment) else []) == holding


# what follows


@pytest.mark.parametrize(("slot", "following"), [(FIRST, SECOND), (SECOND, None), (FOURTH, None)])
def test_the_next_slot_begins_where_the_slot_ends(slot: Slot, following: Slot | None) -> None:
    assert GAPPED.after(slot) == following


@pytest.mark.parametrize(
    ("moment", "change"),
    [
        (at(-100), NOON),
        (NOON - TICK, NOON),
        (NOON, at(15)),
        (at(15) - TICK, at(15)),
        (at(15), at(30)),
        (at(30), at(45)),
        (at(44), at(45)),
        (at(45), at(60)),
        (at(60), None),
    ],
)
def test_the_price_changes_where_a_slot_begins_or_ends(moment: datetime, change: datetime | None) -> None:
    assert GAPPED.change_after(moment) == change


@given(curves(), moments)
def test_between_a_moment_and_the_next_change_the_price_stays(given: Curve, moment: datetime) -> None:
    change = given.change_after(moment)
    marks = sorted({mark for slot in given.slots for mark in (slot.start, slot.end) if mark > moment})
    assert change == (marks[0] if marks else None)
    if change is not None:
        assert given.at(change - TICK) == given.at(moment)


# what is known


@pytest.mark.parametrize(
    ("start", "end", "slots"),
    [
        (NOON, at(60), (FIRST, SECOND, FOURTH)),
        (NOON, at(15), (FIRST,)),
        (at(1), at(15), ()),
        (at(1), at(16), (SECOND,)),
        (at(30), at(45), ()),
        (at(60), at(90), ()),
        (NOON, NOON, ()),
    ],
)
def test_slots_are_found_by_where_they_begin(start: datetime, end: datetime, slots: tuple[Slot, ...]) -> None:
    assert GAPPED.between(start, end) == slots


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [
        (NOON, at(30), True),
        (at(3), at(29), True),
        (at(3), at(4), True),
        (NOON, at(30) + TICK, False),
        (NOON, at(60), False),
        (at(45), at(60), True),
        (NOON - TICK, at(15), False),
        (at(30), at(45), False),
    ],
)
def test_a_span_is_covered_where_every_moment_of_it_is_known(start: datetime, end: datetime, covered: bool) -> None:  # noqa: FBT001
    assert GAPPED.covers(start, end) is covered


@given(curves(), moments, st.integers(1, 40))
def test_a_span_is_covered_where_each_of_its_minutes_is(given: Curve, start: datetime, minutes: int) -> None:
    known = [given.at(start + timedelta(minutes=minute)) is not None for minute in range(minutes)]
    assert given.covers(start, start + timedelta(minutes=minutes)) == all(known)


@pytest.mark.parametrize(
    ("start", "end", "shared"),
    [(-15, 0, False), (-15, 1, True), (3, 4, True), (-5, 90, True), (30, 45, False), (44, 46, True), (60, 75, False)],
)
def test_an_overlap_is_a_shared_moment(start: int, end: int, shared: bool) -> None:  # noqa: FBT001
    assert GAPPED.overlaps(Slot(at(start), at(end), Decimal(1))) is shared


# what changes


def test_newer_slots_stand_where_they_overlap_and_the_others_stay() -> None:
    newer = curve(at(15), ["9.1", "9.2"]).model_copy(update={"source_resolution": HOUR})
    assert FOUR.updated(newer) == Curve(currency="EUR", slots=(FIRST, *newer.slots, FOURTH), source_resolution=HOUR)


def test_two_currencies_never_stand_in_one_curve() -> None:
    newer = curve(at(15), ["9.1", "9.2"], currency="NOK")
    assert FOUR.updated(newer) == newer


def test_an_hour_makes_way_for_a_quarter_of_it() -> None:
    hour = Curve(currency="EUR", slots=(Slot(NOON, at(60), Decimal(1)),))
    newer = curve(at(15), ["2"])
    assert hour.updated(newer).slots == newer.slots


def test_a_known_currency_outlives_an_unknown_one() -> None:
    assert FOUR.updated(Curve(currency=None, slots=())).currency == "EUR"


@given(curves(), curves())
def test_an_updated_curve_is_in_order_and_holds_all_that_is_newer(old: Curve, new: Curve) -> None:
    updated = old.updated(new)
    assert Curve.model_validate(updated.model_dump()) == updated
    assert set(new.slots) <= set(updated.slots) <= {*old.slots, *new.slots}
    assert [slot for slot in old.slots if slot not in updated.slots and not new.overlaps(slot)] == []


@given(curves())
def test_an_update_with_itself_changes_nothing(given: Curve) -> None:
    assert given.updated(given) == given


@pytest.mark.parametrize(
    ("moment", "slots"),
    [(at(-5), FOUR.slots), (at(14), FOUR.slots), (at(15), FOUR.slots[1:]), (at(59), (FOURTH,)), (at(60), ())],
)
def test_the_past_can_be_let_go(moment: datetime, slots: tuple[Slot, ...]) -> None:
    assert FOUR.since(moment) == Curve(currency="EUR", slots=slots)


# what is refused, and what is split


@pytest.mark.parametrize(
    "slots",
    [
        (SECOND, FIRST),
        (FIRST, FIRST),
        (Slot(NOON, at(16), Decimal(1)), SECOND),
        (Slot(NOON, NOON, Decimal(1)),),
        (Slot(at(15), NOON, Decimal(1)),),
        (Slot(NOON.replace(tzinfo=None), at(15), Decimal(1)),),
        (Slot(NOON, at(15), Decimal("NaN")),),
        (Slot(NOON, at(15), Decimal("Infinity")),),
    ],
    ids=["order", "twice", "overlap", "empty", "backwards", "no zone", "NaN", "infinite"],
)
def test_what_is_no_curve_is_refused(slots: tuple[Slot, ...]) -> None:
    with pytest.raises(ValidationError):
        Curve(currency="EUR", slots=slots)


def test_a_curve_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        FOUR.currency = "NOK"  # type: ignore[misc]


def test_an_hour_is_split_into_quarters_of_the_same_price() -> None:
    assert tuple(split(Slot(NOON, at(60), Decimal(1), "cheap"), QUARTER_HOUR)) == quarters(NOON, [1, 1, 1, 1], "cheap")


def test_the_last_piece_is_as_long_as_what_is_left() -> None:
    pieces = tuple(split(Slot(NOON, at(40), Decimal(1)), QUARTER_HOUR))
    assert [(piece.start, piece.end) for piece in pieces] == [(NOON, at(15)), (at(15), at(30)), (at(30), at(40))]


# time zones


def test_the_second_quarter_past_two_of_an_autumn_day_has_its_own_price() -> None:
    begins = [datetime(2026, 10, 25, 2, 15, fold=fold, tzinfo=BERLIN) for fold in (0, 1)]
    slots = tuple(
        Slot(begin, begin.astimezone(UTC) + QUARTER_HOUR, Decimal(value)) for begin, value in zip(begins, (1, 2), strict=True)
    )
    autumn = Curve(currency="EUR", slots=slots)
    found = [autumn.at(begin) for begin in begins]
    assert [slot and (slot.start, slot.value) for slot in found] == [
        (utc("2026-10-25T00:15:00"), Decimal(1)),
        (utc("2026-10-25T01:15:00"), Decimal(2)),
    ]


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 92), ("2026-06-10", 96), ("2026-10-25", 100)])
def test_each_quarter_of_a_local_day_has_its_own_slot(day: str, length: int) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=BERLIN).astimezone(UTC)
    whole = curve(start, list(range(length)))
    moments = [(start + number * QUARTER_HOUR).astimezone(BERLIN) for number in range(length)]
    assert [slot and slot.value for slot in map(whole.at, moments)] == list(range(length))
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=BERLIN)
    assert (whole.covers(moments[0], end), whole.end) == (True, end.astimezone(UTC))


def test_instants_are_kept_in_utc() -> None:
    made = Curve.model_validate({"currency": "EUR", "slots": [("2026-06-10T14:00:00+02:00", "2026-06-10T14:15:00+02:00", "0.1")]})
    assert made.slots == (FIRST,)
    assert (made.slots[0].start.tzinfo, made.slots[0].end.tzinfo) == (UTC, UTC)


# round trip


@given(curves(), st.sampled_from(LENGTHS), st.sampled_from([None, "EUR"]))
def test_a_curve_comes_back_from_json_as_it_was(given: Curve, resolution: timedelta, currency: str | None) -> None:
    given = given.model_copy(update={"source_resolution": resolution, "currency": currency})
    assert Curve.model_validate_json(given.model_dump_json()) == given


@given(st.decimals(-(10**9), 10**9, allow_nan=False))
def test_a_price_comes_back_from_json_to_the_last_digit(value: Decimal) -> None:
    kept = Curve(currency="EUR", slots=(FIRST._replace(value=value),))
    assert str(Curve.model_validate_json(kept.model_dump_json()).slots[0].value) == str(value)
