"""A Sensorfact source polled on the simulator: the newest bucket that is over, each measurement by itself, nothing lost."""

import json
import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.app import built
from bridge.demo import _settings
from bridge.errors import BudgetSpent, Malformed, RateLimited, Unauthenticated, Unreachable
from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.feed.poll import Poller
from bridge.models.observation import MetersSeen, ReadingsSeen, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.sensorfact.readings import Series
from bridge.redact import Redactor
from bridge.simulator.sensorfact import KEY, POINTS, SensorfactFault
from bridge.simulator.stage import served
from bridge.state.budget import Budget, BudgetSettings
from bridge.topics import Topics
from bridge.transport.settings import MqttSettings
from bridge.transport.shelf import Shelf
from tests.providers.factory import AMSTERDAM, BOILER, LINE, PRESS, Factory, read, settings, shortfalls
from tests.support import HandClock, store, utc

NOON = utc("2026-06-10T12:04")
F = SensorfactFault
ALL = (LINE, BOILER, PRESS)
PATHS = [str(one["path"]) for one in ALL]
QUARTER = timedelta(minutes=15)
ID = "Line 1 (energy, power)"


# what is published


async def test_the_newest_bucket_that_is_over_is_published_with_unit_span_and_method() -> None:
    factory = Factory(NOON)
    start, end = utc("2026-06-10T11:45"), utc("2026-06-10T12:00")
    item = POINTS[0].item(start, end, NOON, "")
    about: dict[str, Any] = {"meter": ID, "start": start, "end": end, "resolution": QUARTER}
    assert await factory.poll() == [
        SitesSeen((Site(id="plant-1", title="plant-1", timezone=AMSTERDAM),)),
        MetersSeen("plant-1", {ID: "Line 1"}),
        ReadingsSeen(
            "plant-1",
            (
                Reading(quantity="energy", value=Decimal(str(item["energy"])), unit="kWh", aggregation="sum", **about),
                Reading(quantity="power", value=Decimal(str(item["power"])), unit="kW", aggregation="mean", **about),
            ),
        ),
    ]
    [asked] = {(one.path, tuple(sorted(one.query.items())), one.key) for one in factory.provider.requests[:1]}
    query = {"previous": "1d-now", "aggregation": "auto", "timezone": "UTC", "meter": "17"}
    assert asked == ("/v1/electricity/measurements", tuple(sorted(query.items())), KEY)


async def test_every_kind_is_read_with_its_methods() -> None:
    fields: Mapping[str, Mapping[str, str]] = {
        "water": {"volume": "m³", "flow": "m³/h", "temperature.inlet": "°C", "thermalEnergy": "kWh"},
        "air": {"flow": "m³/h", "temperature": "°C", "pressure": "bar"},
        "air_volume": {"volume": "m³"},
        "maintenance": {"vibration": "mm/s"},
        "gas": {"energy": "kWh", "power": "kW"},
    }
    kinds = [
        {"name": kind, "kind": kind, "path": f"/v1/{kind.replace('_', '-')}/measurements", "fields": named}
        for kind, named in fields.items()
    ]
    found = {(reading.meter.split()[0], reading.quantity): reading for reading in await Factory(NOON, tuple(kinds)).readings()}
    assert {key: (reading.aggregation, reading.unit, reading.resolution) for key, reading in found.items()} == {
        ("water", "volume"): ("sum", "m³", QUARTER),
        ("water", "flow"): ("mean", "m³/h", QUARTER),
        ("water", "temperature-inlet"): ("mean", "°C", QUARTER),
        ("water", "thermal-energy"): ("sum", "kWh", QUARTER),
        ("air", "flow"): ("mean", "m³/h", QUARTER),
        ("air", "temperature"): ("mean", "°C", QUARTER),
        ("air", "pressure"): ("mean", "bar", QUARTER),
        ("air_volume", "volume"): ("sum", "m³", timedelta(hours=1)),
        ("maintenance", "vibration"): ("p95", "mm/s", timedelta(hours=1)),
        ("gas", "energy"): ("sum", "kWh", QUARTER),
        ("gas", "power"): ("mean", "kW", QUARTER),
    }


async def test_a_null_is_unknown_and_the_newest_value_that_is_known_stands() -> None:
    boiler = {**BOILER, "fields": {"energy": "kWh", "volume": "m³"}}
    found = {reading.quantity: reading.end for reading in await Factory(NOON, (boiler,)).readings()}
    assert found == {"energy": utc("2026-06-10T12:00"), "volume": utc("2026-06-10T10:00")}


async def test_a_level_of_days_is_a_day_of_the_site() -> None:
    day = {**LINE, "window": "3d-now", "aggregation": "1d"}
    for moment, start, end in (
        ("2026-10-26T09:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("2026-03-30T09:00", "2026-03-28T23:00", "2026-03-29T22:00"),
    ):
        found = await Factory(utc(moment), (day,)).readings()
        assert {(one.start, one.end, one.resolution) for one in found} == {(utc(start), utc(end), timedelta(days=1))}


async def test_a_stamp_may_be_the_end_of_its_bucket() -> None:
    factory = Factory(NOON, given={"stamp": "end"}, simulated={"stamp_ends": True})
    assert {(one.start, one.end) for one in await factory.readings()} == {(utc("2026-06-10T11:45"), utc("2026-06-10T12:00"))}


async def test_a_field_may_have_another_name_on_the_topics() -> None:
    named = {**LINE, "fields": {"power": "kW"}, "quantities": {"power": "Active Power"}}
    assert [reading.quantity for reading in await Factory(NOON, (named,)).readings()] == ["active-power"]


# items as nobody knows them yet


def series(*items: Any, level: str = "1h", end: str = "2026-06-10T12:04", **about: Any) -> Series:
    measurement = settings({**LINE, **about}).measurements[0]
    return Series(measurement, items, level, utc("2026-06-09T22:00"), utc(end))


def item(hour: str, power: Any = 1, **more: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-06-10T{hour}+02:00", "power": power, "energy": None, **more}


def told(of: Series, stamp: str = "start", moment: datetime = NOON) -> list[tuple[str, str, float]]:
    zone = settings().zone
    return [
        (f"{one.start:%H:%M}", f"{one.end:%H:%M}", float(one.value))
        for one in of.readings(zone, stamp, moment)
        if one.start and one.end and one.value is not None
    ]


def test_items_in_any_order_and_twice_are_each_there_once() -> None:
    found = series(item("12:00:00", 3), item("11:00:00", 1), item("11:00:00", 2), item("13:00:00", 4))
    assert told(found) == [("09:00", "10:00", 2), ("10:00", "11:00", 3), ("11:00", "12:00", 4)]
    assert [float(one.value or 0) for one in found.newest(settings().zone, "start", NOON)] == [4]


def test_the_bucket_that_still_runs_is_left_out() -> None:
    assert told(series(item("13:00:00"), item("14:00:00"))) == [("11:00", "12:00", 1)]
    assert told(series(item("14:00:00"), item("15:00:00")), "end") == [("11:00", "12:00", 1)]


def test_with_auto_the_length_of_a_bucket_is_what_lies_between_two() -> None:
    gapped = series(item("11:00:00"), item("11:15:00"), item("13:30:00"), item("14:00:00"), level="auto")
    assert told(gapped) == [("09:00", "09:15", 1), ("09:15", "09:30", 1), ("11:30", "11:45", 1)]
    assert gapped.readings(settings().zone, "start", NOON)[0].resolution == QUARTER


@pytest.mark.parametrize(
    ("hour", "end", "stamp", "span"),
    [
        ("13:45:00", "2026-06-10T12:04", "start", None),  # it may still run
        ("13:45:00", "2026-06-10T12:00", "start", (utc("2026-06-10T11:45"), None)),
        ("13:45:00", "2026-06-10T12:04", "end", (None, utc("2026-06-10T11:45"))),
        ("14:30:00", "2026-06-10T12:04", "end", None),
    ],
)
def test_with_auto_a_bucket_alone_has_no_length_and_counts_where_it_is_over(hour: str, end: str, stamp: str, span: Any) -> None:
    found = series(item(hour), level="auto", end=end).readings(settings().zone, stamp, NOON)
    assert [(one.start, one.end) for one in found] == ([] if span is None else [span])
    assert {one.resolution for one in found} <= {None}


def test_with_auto_a_bucket_alone_that_began_longer_ago_than_the_window_is_over() -> None:
    [found] = series({"timestamp": "2024-02-15T12:00:00+02:00", "power": 1}, level="auto").readings(
        settings().zone, "start", NOON
    )
    assert (found.start, found.end, found.resolution) == (utc("2024-02-15T10:00"), None, None)


def test_a_bucket_does_not_reach_over_its_neighbour() -> None:
    assert told(series(item("10:00:00"), item("10:30:00"), level="1h")) == [("08:00", "08:30", 1), ("08:30", "09:30", 1)]


@given(
    st.lists(st.integers(0, 5000), min_size=2, max_size=30, unique=True),
    st.sampled_from(["auto", "1m", "15m", "1h", "12h", "1d", "1w", "1M"]),
    st.sampled_from(["start", "end"]),
)
def test_buckets_never_overlap_and_are_all_over(minutes: list[int], level: str, stamp: str) -> None:
    stamps = [NOON - timedelta(minutes=minute) for minute in minutes]
    found = series(*({"timestamp": at.isoformat(), "power": 1} for at in stamps), level=level)
    spans = [(one.start, one.end) for one in found.readings(settings().zone, stamp, NOON)]
    assert spans == sorted(spans)
    newest = [(one.start, one.end) for one in found.newest(settings().zone, stamp, NOON)]
    assert newest == spans[-1:]
    flat = [edge for span in spans for edge in span if edge is not None]
    assert flat == sorted(flat)
    assert all(edge <= NOON for edge in flat)
    assert len(flat) == 2 * len(spans)


@pytest.mark.parametrize("odd", ["much", True, [1], {}, "NaN", 1e300])
def test_an_odd_value_is_left_out_with_a_line_in_the_log(odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert told(series(item("11:00:00", odd), item("12:00:00", "2.5"))) == [("10:00", "11:00", 2.5)]
    assert caplog.messages == ["Line 1: values of power that are no numbers are left out"]


@pytest.mark.parametrize(
    "odd", [5, None, "text", {}, {"timestamp": None}, {"timestamp": "2026-06-10T12:00:00"}, {"timestamp": 5}]
)
def test_an_item_without_a_time_is_left_out(odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert told(series(odd, item("12:00:00", 2))) == [("10:00", "11:00", 2)]
    assert caplog.messages == ["Line 1: 1 item(s) without a time are left out"]


def test_where_no_item_has_a_time_the_key_is_named_and_what_there_is() -> None:
    with pytest.raises(
        Malformed, match=r"no item has a time with an offset in timestamp \(timestamp_field\); an item has: at, v.power"
    ):
        told(series({"at": "2026-06-10T12:00:00Z", "v": {"power": 1}}))
    assert told(series(5, {"at": {"t": "2026-06-10T10:00:00Z"}, "power": 7}, timestamp_field="at.t")) == [("10:00", "11:00", 7)]


async def test_a_field_that_no_item_has_is_named_with_those_there_are() -> None:
    factory = Factory(NOON, ({**LINE, "fields": {"powr": "kW", "energy": "kWh"}},))
    seen = await factory.poll()
    said = "Line 1: no item has sources.factory.measurements.0.fields.powr; an item has: energy, power, timestamp"
    assert shortfalls(seen) == [("unavailable", said, False)]
    assert [reading.quantity for reading in read(seen)] == ["energy"]


# when


async def test_each_measurement_is_asked_for_once_in_its_interval_and_not_all_at_once() -> None:
    factory = Factory(
        NOON, (LINE, BOILER, {**PRESS, "poll_interval": "PT1H"}), given={"page_size_parameter": "limit", "page_size": 1000}
    )
    await factory.live_until(NOON + timedelta(hours=6))
    asked = factory.asked()
    assert [23 <= asked.count(path) <= 25 for path in PATHS[:2]] == [True, True]
    assert 6 <= asked.count(PATHS[2]) <= 7
    later = [one for one in factory.provider.requests if one.at > NOON + timedelta(minutes=30)]
    assert len({one.at for one in later}) == len(later)


async def test_another_installation_asks_at_another_time() -> None:
    times = set()
    for share in (0.1, 0.6):
        factory = Factory(NOON, share=share)
        await factory.poll()
        times.add(factory.source.next_poll(factory.known, NOON))
    assert len(times) == 2


async def test_a_refresh_asks_for_everything_anew() -> None:
    factory = Factory(NOON, ALL)
    await factory.poll()
    await factory.poll()
    before = len(factory.provider.requests)
    factory.source.expire()
    assert factory.source.next_poll(factory.known, factory.clock.now()) <= factory.clock.now()
    await factory.poll()
    assert len(factory.provider.requests) == 2 * before


async def test_a_clock_that_is_set_back_makes_everything_due() -> None:
    factory = Factory(NOON)
    await factory.poll()
    factory.clock.set(NOON - timedelta(days=30))
    assert factory.source.next_poll(factory.known, factory.clock.now()) <= factory.clock.now()


# what fails


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        (F.INVALID, "refused", "Boiler (sources.factory.measurements.1): the provider answered 400: INVALID_REQUEST_PARAMETERS"),
        (F.BAD_KEY, "not_allowed", "Boiler (sources.factory.measurements.1): the provider answered 403: UNAUTHORIZED"),
        (F.NOT_FOUND, "not_found", "Boiler (sources.factory.measurements.1): the provider answered 404: ENTITY_NOT_FOUND"),
        (F.INTERNAL, "unavailable", "Boiler: the provider answered 500: INTERNAL_ERROR"),
        (F.BAD_GATEWAY, "unavailable", "Boiler: 127.0.0.1 answered 502"),
        (F.HTML_403, "unavailable", "Boiler: the provider answered 403: a page of HTML, 403 Forbidden"),
        (F.TRUNCATED, "unavailable", "Boiler (sources.factory.measurements.1): the answer is not JSON"),
        (F.FOREIGN_NEXT, "unavailable", "Boiler (sources.factory.measurements.1): the next page is said to be at"),
    ],
)
async def test_a_measurement_that_fails_costs_itself_alone(kind: SensorfactFault, code: str, said: str) -> None:
    factory = Factory(NOON, ALL)
    factory.provider.faults.on(PATHS[1:2], kind)
    seen = await factory.poll()
    assert {reading.meter.split()[0] for reading in read(seen)} == {"Line", "Press"}
    [(given, text, behind)] = shortfalls(seen)
    assert (given, behind) == (code, False)
    assert text.startswith(said), text
    again = await factory.poll()  # nothing is due
    assert (shortfalls(again), read(again)) == ([(given, text, False)], [])
    factory.provider.faults.on(PATHS[1:2], None)
    healed = await factory.live_until(factory.clock.now() + timedelta(minutes=20))
    assert "Boiler" in {reading.meter.split()[0] for reading in read(healed)}
    assert shortfalls(await factory.poll()) == []


async def test_a_key_that_is_taken_back_is_told_once_no_measurement_is_well_any_more() -> None:
    factory = Factory(NOON, (LINE, BOILER))
    await factory.poll()
    factory.provider.faults.set(F.BAD_KEY)
    factory.source.expire()
    with pytest.raises(Unauthenticated):
        await factory.poll()


async def test_a_time_beyond_all_years_costs_its_measurement_alone() -> None:
    measurement = settings(LINE).measurements[0]
    item_ = {"timestamp": "9999-12-31T23:30:00Z", "power": 1}
    factory = Factory(NOON)
    with pytest.raises(Malformed, match="in a shape that cannot be read"):
        factory.source._past.newest(Series(measurement, [item_], "1h", NOON, NOON), NOON)


async def test_where_nothing_is_known_at_all_the_source_is_behind() -> None:
    factory = Factory(NOON, ALL)
    factory.provider.faults.set(F.INVALID)
    assert [behind for _, _, behind in shortfalls(await factory.poll())] == [True] * 3
    empty = Factory(NOON, ({**LINE, "window": "1h-now", "aggregation": "12h"},))
    [(_, said, behind)] = shortfalls(await empty.poll())
    assert (said, behind) == ("Line 1: there is nothing in the window 1h-now", True)


async def test_a_provider_that_is_away_is_not_asked_for_one_thing_after_another() -> None:
    factory = Factory(NOON, (*ALL, {**LINE, "name": "Line 2"}, {**LINE, "name": "Line 3"}))
    factory.provider.faults.set(F.DROP)
    with pytest.raises(Unreachable):
        await factory.poll()
    assert len(factory.provider.requests) == 2 * 3  # each thrice


async def test_a_measurement_alone_that_cannot_be_had_is_a_poll_that_failed() -> None:
    factory = Factory(NOON)
    factory.provider.faults.set(F.DROP)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 cannot be reached"):
        await factory.poll()


async def test_a_bad_key_is_told_as_such_and_never_shown() -> None:
    factory = Factory(NOON, ALL, given={"api_key": "another-key"})
    with pytest.raises(Unauthenticated, match="403: UNAUTHORIZED: invalid or missing API key"):
        await factory.poll()
    assert len(factory.provider.requests) == 2  # it might have been about the first alone
    with pytest.raises(Unauthenticated):
        await factory.source.sign_in()


async def test_signing_in_takes_one_request_and_says_what_came() -> None:
    factory = Factory(NOON, ALL)
    assert await factory.source.sign_in() == "signed in; Line 1 over 1d-now: 100 item(s) on the first page"
    assert len(factory.provider.requests) == 1


@pytest.mark.parametrize("kind", [F.TOO_MANY, F.TOO_MANY_BARE, F.TOO_MANY_RETRY_AFTER, F.NONE_LEFT])
async def test_after_a_pause_only_what_was_not_done_is_asked_for(kind: SensorfactFault) -> None:
    factory = Factory(NOON, ALL)
    factory.provider.faults.next(None, None, None, kind)  # Line 1 takes two pages
    with pytest.raises(RateLimited) as caught:
        await factory.poll()
    assert caught.value.retry_after is not None
    assert isinstance(caught.value, BudgetSpent) is (kind is F.NONE_LEFT)  # then nothing was sent in vain
    factory.clock.set(factory.clock.now() + caught.value.retry_after)
    factory.provider.requests.clear()
    seen = await factory.poll()
    assert factory.asked()[0] == (PATHS[2] if kind is F.NONE_LEFT else PATHS[1])
    assert PATHS[0] not in factory.asked()
    assert "Press" in {reading.meter.split()[0] for reading in read(seen)}


# through the feed


class Feed:
    """A factory's source with its poller, its budget and what stands on its topics; a new one reads what the last one kept."""

    def __init__(self, folder: Path, *measurements: Mapping[str, Any], **budget: int) -> None:
        self.shelf, topics, state = Shelf(), Topics("kwh2mqtt"), store(folder, NOON)
        figures = Budget("factory", BudgetSettings(**{"requests": 100, "seconds": 300, **budget}), state.database)
        self.factory = factory = Factory(NOON, measurements, meter=figures)
        self.report = SourceReport(topics, "sensorfact", Latest("factory", {}, state, "account"), figures)
        self.poller = Poller(
            factory.source, self.report, topics, self.shelf, factory.clock, factory.redact,
            after_poll=lambda: None, chance=random.Random(1),
        )  # fmt: skip

    async def poll(self) -> dict[str, Any]:
        """Poll and return what `{source}/health` says then."""
        await self.poller.poll()
        health, _ = self.report.messages(self.factory.clock.now())
        found: dict[str, Any] = json.loads(health.payload)
        return found

    def topics(self) -> set[str]:
        below = "kwh2mqtt/factory/plant-1/reading/"
        return {one.topic.removeprefix(below) for one in self.shelf.messages() if one.topic.startswith(below) and one.payload}


@pytest.mark.parametrize(("kind", "seconds"), [(F.TOO_MANY_RETRY_AFTER, 60), (F.TOO_MANY, 300), (F.NONE_LEFT, 300)])
async def test_a_wait_stands_in_health_and_what_is_known_stays(tmp_path: Path, kind: SensorfactFault, seconds: int) -> None:
    feed = Feed(tmp_path, *ALL)
    feed.factory.provider.faults.next(None, None, kind)
    health = await feed.poll()
    now = feed.factory.clock.now()
    assert health["error"]["code"] == "rate_limited"
    assert health["budget"]["remaining"] == 0
    resets = datetime.fromisoformat(health["budget"]["resets_at"]) - now
    waits = datetime.fromisoformat(health["next_poll"]) - now
    assert timedelta(seconds=seconds - 2) <= resets <= timedelta(seconds=seconds)
    assert resets <= waits <= resets + timedelta(seconds=31)
    assert "line-1/power" in feed.topics()
    feed.factory.clock.set(now + waits)
    assert (await feed.poll())["error"] is None
    assert feed.topics() == {"line-1/power", "line-1/energy", "boiler/energy", "press/vibration"}


async def test_a_measurement_or_field_that_is_gone_takes_its_topics_with_it(tmp_path: Path) -> None:
    first = Feed(tmp_path, LINE, BOILER)
    await first.poll()
    assert first.topics() == {"line-1/power", "line-1/energy", "boiler/energy"}
    line = {**LINE, "fields": {"power": "kW"}}
    second = Feed(tmp_path, line)
    second.shelf.put(first.shelf.messages())
    await second.poll()
    assert second.topics() == {"line-1/power"}


async def test_two_names_that_fold_to_one_are_told_apart(tmp_path: Path) -> None:
    feed = Feed(tmp_path, LINE, {**LINE, "name": "line-1"})
    await feed.poll()
    assert feed.topics() == {f"{name}/{quantity}" for name in ("line-1", "line-1-2") for quantity in ("power", "energy")}


async def test_a_budget_that_is_smaller_than_the_measurements_serves_each_in_turn(tmp_path: Path) -> None:
    feed = Feed(tmp_path, *ALL, requests=3)
    assert (await feed.poll())["error"]["code"] == "rate_limited"
    for _ in range(3):
        feed.factory.clock.set(feed.factory.clock.now() + timedelta(seconds=301))
        await feed.poll()
    assert feed.topics() == {"line-1/power", "line-1/energy", "boiler/energy", "press/vibration"}


async def test_the_demos_factory_is_published_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clock = HandClock(NOON)
    async with served(clock.now) as tables:
        given = _settings(MqttSettings(), tmp_path, {"factory": tables["sensorfact"]})
        async with built(given, clock, Redactor([KEY])) as app:
            [account] = app.accounts
            assert await app.poller(account).poll() == ["sites", "meters", "readings"]
            assert account.report.fortune.error is None
            found = {meter for meter, _ in account.latest.places["plant-1"].readings}
    assert found == {"line-1", "boiler", "cooling", "compressor", "press"}
    assert KEY not in caplog.text
