"""The plant behind both dialects: what machines show, the points that are kept of it, and lists by pages."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.limits import Limits, Sort
from bridge.simulator.octomesh.paging import cursor, page, place
from bridge.simulator.octomesh.plant import MINUTE, QUARTER_HOUR, Entity, plant
from bridge.simulator.octomesh.streams import KEPT, Span, points
from bridge.simulator.octomesh.values import shown
from tests.simulator.tenant import BATTERY, INVERTER, MAIN, MOMENT, OTHER

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them bare
SOME = settings(max_examples=20, deadline=None)


@SOME
@given(MOMENTS, st.integers(1, 30))
@pytest.mark.parametrize(("rt_id", "type_id"), [(MAIN, kit.ENERGY_METER), (BATTERY, kit.STORAGE)])
def test_counters_grow_by_the_power_of_their_span(rt_id: str, type_id: str, begin: datetime, hours: int) -> None:
    parts = [shown(rt_id, type_id, begin + 6 * MINUTE * (number + 0.5)) for number in range(10 * hours)]
    first, last = (shown(rt_id, type_id, each) for each in (begin, begin + timedelta(hours=hours)))
    for name, sign in (("importedEnergy", 1), ("exportedEnergy", -1)):
        flown = sum(max(0.0, sign * each["power"]) for each in parts) / 10
        assert last[name] - first[name] == pytest.approx(flown, abs=0.01 * hours)


@SOME
@given(MOMENTS)
def test_what_is_shown_is_possible_and_always_the_same(moment: datetime) -> None:
    battery, inverter = shown(BATTERY, kit.STORAGE, moment), shown(INVERTER, kit.INVERTER, moment)
    assert 10 <= battery["soC"] <= 90
    assert 0 <= inverter["power"] <= inverter["maximumPower"]
    assert battery == shown(BATTERY, kit.STORAGE, moment)
    assert shown("65a100000000000000000001", kit.TREE_NODE, moment) == {}


@SOME
@given(MOMENTS, st.integers(0, 5000), st.sampled_from([MINUTE, QUARTER_HOUR]), st.booleans())
def test_points_lie_on_every_step_of_their_span(begin: datetime, minutes: int, step: timedelta, newest_first: bool) -> None:  # noqa: FBT001 - hypothesis gives it by place
    entity = Entity(OTHER, kit.ENERGY_METER, None, {}, created=datetime(2020, 1, 1, tzinfo=UTC), step=step)
    end = begin + timedelta(minutes=minutes)
    found = points([entity], Span(begin, end), now=end, newest_first=newest_first)
    stamps = sorted(point.timestamp for point in found)
    floor = datetime(2020, 1, 1, tzinfo=UTC)
    assert all((each - floor) % step == timedelta() for each in stamps)
    assert all(begin <= each < end for each in stamps)
    assert [later - earlier for earlier, later in pairwise(stamps)] == [step] * max(0, len(stamps) - 1)
    assert len(stamps) in {minutes * MINUTE // step, minutes * MINUTE // step + 1}
    assert [point.timestamp for point in found] == sorted(stamps, reverse=newest_first)


def test_points_are_kept_for_a_month_but_not_from_before_an_entity_was_there() -> None:
    old, new = (Entity(OTHER, kit.ENERGY_METER, None, {}, created=MOMENT - age) for age in (2 * KEPT, timedelta(hours=1)))
    assert [len(points([each], Span(), MOMENT)) for each in (old, new)] == [31 * 96, 4]


@SOME
@given(st.integers(0, 40), st.integers(1, 50))
def test_pages_put_together_are_the_whole(count: int, first: int) -> None:
    pages = [page(range(count), first, None, str)]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        pages.append(page(range(count), first, pages[-1]["pageInfo"]["endCursor"], str))
    assert [item for each in pages for item in each["items"]] == [str(number) for number in range(count)]
    assert len(pages) == max(1, -(-count // first))


@pytest.mark.parametrize("text", ["", "x", "YXJyYXk=", "YXJyYXljb25uZWN0aW9uOi0x", "é"])
def test_what_is_no_cursor_is_told_from_one(text: str) -> None:
    assert place(text) is None
    assert place(cursor(7)) == 7


def test_a_plant_is_as_large_as_is_wanted() -> None:
    large = plant(meters=1000, inverters=0)
    assert [len(large.of_type(each)) for each in (kit.ENERGY_METER, kit.INVERTER, kit.TREE_NODE)] == [1000, 0, 1005]


def test_each_sort_of_request_has_a_window_of_its_own() -> None:
    limits = Limits(queries=2, writes=1, uploads=1)
    passed = [
        limits.lets_pass(sort, MOMENT) for sort in (Sort.QUERY, Sort.QUERY, Sort.QUERY, Sort.WRITE, Sort.WRITE, Sort.UPLOAD)
    ]
    later = [limits.lets_pass(Sort.QUERY, MOMENT + timedelta(seconds=each)) for each in (59, 60)]
    assert (passed, later) == ([True, True, False, True, False, True], [False, True])
