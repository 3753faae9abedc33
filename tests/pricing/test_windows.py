"""A window is the cheapest of its frame, and one that has begun stays, whatever becomes known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.models.price import Curve
from bridge.pricing.windows import Chosen, Window, WindowSettings, frames, rechosen
from tests.pricing.curves import BERLIN, curves
from tests.support import curve, utc

START = utc("2026-06-10T22:00")  # midnight in Berlin
NIGHT = {"not_before": "18:00", "deadline": "07:00"}


def window(duration: str = "PT1H", **settings: Any) -> Window:
    return Window(name="night", settings=WindowSettings.model_validate({"duration": duration, **settings}))


def hours(values: Sequence[float], start: datetime = START) -> Curve:
    """Return a price an hour, in quarters."""
    return curve(start, [value for value in values for _ in range(4)])


def spans(window: Window, zone: ZoneInfo = BERLIN) -> list[list[str]]:
    """Return the segments of each frame by the local clock."""
    return [
        [f"{one.start.astimezone(zone):%d %H:%M}-{one.end.astimezone(zone):%H:%M}" for one in chosen.segments]
        for chosen in window.chosen
    ]


DAY = [5, 5, 5, 1, 5, 5, 5, 5, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 4, 4, 4, 3, 4, 4]


def test_each_day_has_its_window_in_its_frame() -> None:
    found = rechosen(window(**NIGHT), hours([*DAY, *DAY]), BERLIN, START)
    assert spans(found) == [["11 03:00-04:00"], ["12 03:00-04:00"], ["12 21:00-22:00"]]
    assert [chosen.mean for chosen in found.chosen] == [1, 1, 3]


@pytest.mark.parametrize(
    ("settings", "clocks"),
    [
        ({}, ("11 00:00", "12 00:00")),
        ({"not_before": "18:00"}, ("11 18:00", "12 18:00")),
        ({"deadline": "07:00"}, ("11 07:00", "12 07:00")),
        ({"not_before": "08:00", "deadline": "16:00"}, ("11 08:00", "11 16:00")),
        ({"not_before": "18:00", "deadline": "07:00"}, ("11 18:00", "12 07:00")),
    ],
)
def test_a_frame_reaches_from_not_before_to_the_deadline(settings: dict[str, str], clocks: tuple[str, str]) -> None:
    own = window(**settings).settings
    (frame,) = [frame for frame in frames(own, BERLIN, START, START + timedelta(hours=23)) if frame.start >= START]
    assert tuple(f"{moment.astimezone(BERLIN):%d %H:%M}" for moment in frame) == clocks


def test_on_other_days_there_is_none() -> None:
    found = rechosen(window(days=["fri"]), hours(DAY * 3), BERLIN, START)  # from a Thursday on
    assert spans(found) == [["12 03:00-04:00"]]


@pytest.mark.parametrize(("start", "length"), [("2026-03-28T23:00", 8), ("2026-10-24T22:00", 10)])
def test_on_the_days_on_which_the_clock_changes_a_frame_is_as_long_as_it_is(start: str, length: int) -> None:
    own = window(not_before="00:00", deadline="09:00").settings
    frame = next(frames(own, BERLIN, utc(start), utc(start)))
    assert frame.end - frame.start == timedelta(hours=length)


def test_in_a_night_that_lacks_an_hour_a_window_is_as_long_as_the_night() -> None:
    start = utc("2026-03-28T21:00")  # 22:00 in Berlin
    found = rechosen(
        window("PT9H", not_before="22:00", deadline="07:00"), hours([1] * 12, start), BERLIN, start - timedelta(hours=1)
    )
    assert spans(found) == [["28 22:00-07:00"]]
    assert found.chosen[0].end - found.chosen[0].start == timedelta(hours=8)


@pytest.mark.parametrize("clocks", [("02:00", "03:00"), ("02:30", "03:30"), ("02:45", "03:15")])
def test_a_frame_that_the_clock_skips_has_no_window_that_day(clocks: tuple[str, str]) -> None:
    early = window("PT30M", not_before=clocks[0], deadline=clocks[1])
    for start, days in (("2026-03-27T23:00", ["28", "30"]), ("2026-10-23T22:00", ["24", "25", "26"])):
        found = rechosen(early, hours([1] * 73, utc(start)), BERLIN, utc(start))
        assert [row[0][:2] for row in spans(found)][: len(days)] == days


def test_a_day_from_two_to_two_is_whole_though_the_clock_shows_two_twice() -> None:
    own = window(not_before="02:30").settings
    row = list(frames(own, BERLIN, utc("2026-10-24T12:00"), utc("2026-10-27T12:00")))
    assert all(one.end == other.start for one, other in pairwise(row))
    assert [(frame.end - frame.start) // timedelta(hours=1) for frame in row] == [24, 25, 24, 24]


def test_what_has_not_begun_moves_when_better_prices_become_known() -> None:
    evening = rechosen(window(**NIGHT), hours(DAY), BERLIN, START + timedelta(hours=17))
    assert spans(evening) == [["11 21:00-22:00"]]
    assert spans(rechosen(evening, hours([*DAY, *DAY]), BERLIN, START + timedelta(hours=20, minutes=59))) == [
        ["12 03:00-04:00"],
        ["12 21:00-22:00"],
    ]


@pytest.mark.parametrize("minutes", [0, 1, 59])
def test_what_has_begun_stays_whatever_becomes_known(minutes: int) -> None:
    evening = rechosen(window(**NIGHT), hours(DAY), BERLIN, START + timedelta(hours=17))
    moment = START + timedelta(hours=21, minutes=minutes)
    assert spans(rechosen(evening, hours([*DAY, *DAY]), BERLIN, moment)) == [["11 21:00-22:00"], ["12 21:00-22:00"]]


def test_a_frame_that_has_had_its_window_gets_no_second_one() -> None:
    evening = rechosen(window(**NIGHT), hours(DAY), BERLIN, START + timedelta(hours=17))
    moment = START + timedelta(hours=22, minutes=30)
    later = rechosen(evening, hours([*DAY, *DAY]), BERLIN, moment)
    assert spans(later)[0] == ["11 21:00-22:00"]
    shown = later.at(moment)
    assert shown is not None
    assert shown.start == START + timedelta(hours=45)  # of the next evening


def test_what_has_begun_stays_also_when_its_prices_are_gone() -> None:
    evening = rechosen(window(**NIGHT), hours(DAY), BERLIN, START + timedelta(hours=17))
    begun = START + timedelta(hours=21, minutes=30)
    for left in (Curve(currency="EUR", slots=()), hours(DAY[:12])):
        assert spans(rechosen(evening, left, BERLIN, begun)) == [["11 21:00-22:00"]]
        assert spans(rechosen(evening, left, BERLIN, begun - timedelta(hours=1))) == []


def test_of_a_window_in_pieces_the_pieces_that_have_begun_stay_and_the_rest_is_chosen_anew() -> None:
    free = window("PT3H", contiguous=False, **NIGHT)
    evening = rechosen(free, hours([*DAY[:18], 2, 9, 9, 3, 9, 4]), BERLIN, START + timedelta(hours=17))
    assert spans(evening) == [["11 18:00-19:00", "11 21:00-22:00", "11 23:00-00:00"]]
    later = rechosen(evening, hours([*DAY[:18], 2, 9, 9, 3, 9, 4, 1, 1, 1]), BERLIN, START + timedelta(hours=18, minutes=20))
    assert spans(later) == [["11 18:00-19:00", "12 00:00-02:00"]]
    assert later.chosen[0].mean == (2 + 1 + 1) / 3 or str(later.chosen[0].mean).startswith("1.3333")


def test_a_window_that_is_chosen_inside_its_frame_begins_with_the_next_quarter_hour() -> None:
    found = rechosen(window(), hours([1, 2, 3, 4]), BERLIN, START + timedelta(minutes=7, seconds=13))
    assert spans(found) == [["11 00:15-01:15"]]
    assert spans(rechosen(window(), hours([1, 2, 3, 4]), BERLIN, START + timedelta(minutes=15))) == [["11 00:30-01:30"]]


def test_one_that_would_not_fit_then_begins_with_the_next_minute() -> None:
    found = rechosen(window(deadline="01:10"), hours([1, 2, 3, 4]), BERLIN, START + timedelta(minutes=7, seconds=13))
    assert spans(found)[0] == ["11 00:08-01:08"]


def test_where_nothing_known_fits_there_is_none() -> None:
    assert spans(rechosen(window("PT5H"), hours([1, 1, 1, 1]), BERLIN, START)) == []


def test_what_is_in_force_is_told_by_the_moment() -> None:
    chosen: Chosen = rechosen(window(), hours([2, 1, 2]), BERLIN, START).chosen[0]
    running = [chosen.running(START + timedelta(minutes=minutes)) is not None for minutes in (59, 60, 119, 120)]
    assert running == [False, True, True, False]


@given(curves(gaps=True), curves(gaps=True), st.booleans(), st.lists(st.integers(0, 60 * 72), min_size=2, max_size=6))
def test_it_never_flaps_whatever_prices_come_and_go(one: Curve, other: Curve, free: bool, minutes: list[int]) -> None:  # noqa: FBT001 - drawn
    start = one.slots[0].start
    kept, before = window("PT2H", contiguous=not free), start
    for number, minute in enumerate(sorted(minutes)):
        moment = start + timedelta(minutes=minute)
        after = rechosen(kept, (one, other)[number % 2], BERLIN, moment)
        begun = {
            segment.start: segment.end
            for chosen in kept.chosen
            if chosen.frame[1] > moment
            for segment in chosen.segments
            if segment.start <= moment
        }
        stays = {segment.start: segment.end for chosen in after.chosen for segment in chosen.segments}
        assert all(stays.get(begin, begin) >= end for begin, end in begun.items())
        for chosen in after.chosen:
            whole = sum((segment.end - segment.start for segment in chosen.segments), timedelta())
            assert whole == timedelta(hours=2)
            assert chosen.frame[0] <= chosen.start < chosen.end <= chosen.frame[1]
        kept, before = after, moment
    assert before >= start


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"duration": "PT25H"}, "duration"),
        ({"duration": "PT0S"}, "duration"),
        ({"duration": "PT90.5S"}, "duration"),
        ({"duration": "soon"}, "duration"),
        ({"duration": "PT3H", "not_before": "22:00Z"}, "not_before"),
        ({"duration": "PT3H", "deadline": "25:00"}, "deadline"),
        ({"duration": "PT3H", "deadline": "07:00:30"}, "deadline"),
        ({"duration": "PT3H", "days": []}, "days"),
        ({"duration": "PT3H", "days": ["monday"]}, "days"),
        ({"duration": "PT3H", "stream": "Import"}, "stream"),
        ({"duration": "PT3H", "length": 1}, "length"),
        ({"duration": "PT3H", "not_before": "22:00", "deadline": "00:00"}, ""),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as raised:
        WindowSettings.model_validate(settings)
    assert ".".join(str(part) for part in raised.value.errors()[0]["loc"][:1]) == key
