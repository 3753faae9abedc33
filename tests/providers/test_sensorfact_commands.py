"""What devices ask of a factory: `measurements` by every way of saying a window, the generic `readings`, what is refused."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.app import App, built
from bridge.demo import _settings
from bridge.errors import BadRequest, NotFound
from bridge.models.message import Arrival
from bridge.models.reading import Reading
from bridge.providers.base import Executor, Historian, Introspectable, Kind, Span
from bridge.providers.sensorfact.operations import OPERATIONS, Readings
from bridge.redact import Redactor
from bridge.simulator.sensorfact import KEY, SensorfactFault
from bridge.simulator.stage import served
from bridge.transport.settings import MqttSettings
from tests.providers.factory import BOILER, LINE, PRESS, Factory
from tests.support import HandClock, utc

NOON = utc("2026-06-10T12:04")
F = SensorfactFault
ALL = (LINE, BOILER, PRESS)


def factory(**more: Any) -> Factory:
    return Factory(NOON, ALL, **more)


def query(of: Factory) -> dict[str, str]:
    """Return what the last request asked for, without what the configuration adds."""
    return {name: value for name, value in of.provider.requests[-1].query.items() if name not in ("meter", "limit")}


def spans(found: Readings, quantity: str = "power") -> list[str]:
    return [f"{one.start:%d %H:%M}-{one.end:%d %H:%M}" for one in found.readings if one.quantity == quantity]


def test_there_is_nothing_that_writes_and_no_graphql() -> None:
    source = factory().source
    assert isinstance(source, Executor)
    assert isinstance(source, Historian)
    assert not isinstance(source, Introspectable)
    assert {operation.kind for operation in OPERATIONS.values()} == {Kind.QUERY}


# measurements


async def test_without_a_window_it_is_the_measurements_own() -> None:
    of = factory()
    found = await of.ask(name="Line 1", first=2)
    assert query(of) == {
        "previous": "1d-now",
        "aggregation": "auto",
        "timezone": "UTC",
        "cursor_after": query(of)["cursor_after"],
    }
    assert [json.loads(one.model_dump_json()) for one in found.readings] == [
        {
            "site": "plant-1",
            "meter": "line-1",
            "quantity": quantity,
            "value": pytest.approx(value, rel=0.3),
            "unit": unit,
            "start": "2026-06-08T22:00:00Z",
            "end": "2026-06-08T22:15:00Z",
            "resolution": "PT15M",
            "aggregation": method,
        }
        for quantity, value, unit, method in (("energy", 3.15, "kWh", "sum"), ("power", 12.6, "kW", "mean"))
    ]


@pytest.mark.parametrize("name", ["Line 1", "line-1"])
async def test_a_measurement_goes_by_its_own_name_or_that_on_the_topics(name: str) -> None:
    assert (await factory().ask(name=name)).readings


async def test_an_unknown_measurement_is_not_found_and_the_others_are_named() -> None:
    of = factory()
    with pytest.raises(NotFound, match="there is no measurement Line 2; there is: Line 1, Boiler, Press"):
        await of.ask(name="Line 2")
    assert of.asked() == []


@pytest.mark.parametrize(
    ("given", "sent", "first"),
    [
        (
            {"from": "2026-06-10T08:00:00Z", "to": "2026-06-10T10:00:00Z"},
            {"from": "2026-06-10T08:00:00", "to": "2026-06-10T10:00:00", "timezone": "UTC"},
            "10 08:00-10 08:30",
        ),
        (
            {"from": "2026-06-10T08:00:00", "to": "2026-06-10T10:00:00"},  # of the site's own clock
            {"from": "2026-06-10T06:00:00", "to": "2026-06-10T08:00:00", "timezone": "UTC"},
            "10 06:00-10 06:30",
        ),
        (
            {"from": "2026-06-10T08:00:00+02:00", "to": "2026-06-10T10:00:00+02:00"},
            {"from": "2026-06-10T06:00:00", "to": "2026-06-10T08:00:00", "timezone": "UTC"},
            "10 06:00-10 06:30",
        ),
        (
            {"from": "2026-06-10T04:00:00", "to": "2026-06-10T06:00:00", "timezone": "America/New_York"},
            {"from": "2026-06-10T04:00:00", "to": "2026-06-10T06:00:00", "timezone": "America/New_York"},
            "10 08:00-10 08:30",
        ),
        (
            {"from": "2026-06-10T08:00:00Z", "to": "2026-06-10T10:00:00Z", "timezone": "Europe/Amsterdam"},
            {"from": "2026-06-10T10:00:00", "to": "2026-06-10T12:00:00", "timezone": "Europe/Amsterdam"},
            "10 08:00-10 08:30",
        ),
        ({"previous": "4h"}, {"previous": "4h", "timezone": "UTC"}, "10 08:00-10 08:30"),
        ({"previous": "4h-now"}, {"previous": "4h-now", "timezone": "UTC"}, "10 08:00-10 08:30"),
        (
            {"previous": "1d", "timezone": "Europe/Amsterdam"},
            {"previous": "1d", "timezone": "Europe/Amsterdam"},
            "08 22:00-08 22:30",
        ),
    ],
)
async def test_a_window_may_be_absolute_or_relative(given: dict[str, str], sent: dict[str, str], first: str) -> None:
    of = factory()
    found = await of.ask(name="Line 1", aggregation="30m", **given)
    assert query(of) == {**sent, "aggregation": "30m"}
    assert spans(found)[0] == first


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"from": "2026-06-10T08:00:00Z"}, "from and to go together"),
        ({"to": "2026-06-10T08:00:00Z"}, "from and to go together"),
        ({"from": "2026-06-10T08:00:00Z", "to": "2026-06-10T10:00:00Z", "previous": "1d"}, "not both"),
        ({"previous": "1y"}, "must be a number and one of M"),
        ({"previous": ""}, "must be a number and one of M"),
        ({"aggregation": "fine"}, "must be a number and one of m"),
        ({"timezone": "Mars"}, "is no time zone"),
        ({"first": 0}, "greater than or equal to 1"),
        ({"first": 1001}, "less than or equal to 1000"),
        ({"after": "x" * 1025}, "at most 1024"),
        ({"limit": 5}, "Extra inputs"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OPERATIONS["measurements"].arguments.model_validate({"name": "Line 1", **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"previous": "1d-now", "aggregation": "5m"}, "5m is too fine for so long a window of electricity: .* allowed is 15m"),
        ({"previous": "2w", "aggregation": "15m"}, "15m is too fine .* allowed is 1h"),
        ({"previous": "3M", "aggregation": "1h"}, "1h is too fine .* allowed is 1d"),
        ({"from": "2025-01-01T00:00Z", "to": "2026-06-01T00:00Z", "aggregation": "1d"}, "allowed is 1w"),
        ({"from": "2026-06-10T08:00Z", "to": "2026-06-10T08:00Z"}, "to: must be after from"),
        ({"after": "nonsense"}, "after: this is no cursor"),
        ({"from": "0001-01-01T00:00:00+14:00", "to": "2026-06-10T08:00Z"}, "beyond all years"),
    ],
)
async def test_what_may_not_be_asked_for_is_said_before_anybody_is_asked(given: dict[str, Any], said: str) -> None:
    of = factory()
    with pytest.raises(BadRequest, match=said):
        await of.ask(name="Line 1", **given)
    assert of.asked() == []


async def test_what_is_just_as_long_as_a_limit_is_not_longer() -> None:
    of = factory()
    await of.ask(name="Line 1", **{"from": "2026-06-09T12:00Z", "to": "2026-06-10T12:00Z"}, aggregation="1m")
    await of.ask(name="Line 1", previous="1d", aggregation="1m")
    with pytest.raises(BadRequest, match="allowed is 15m"):
        await of.ask(name="Line 1", **{"from": "2026-06-09T12:00Z", "to": "2026-06-10T12:00:01Z"}, aggregation="1m")


async def test_a_day_of_25_hours_is_a_day_to_both_sides() -> None:
    of = Factory(utc("2026-10-26T09:00"), ALL, given={"page_size_parameter": "limit", "page_size": 1000})
    found = await of.ask(name="Line 1", previous="1d", aggregation="5m", first=1000)
    assert len(spans(found)) == 25 * 12


async def test_a_configured_level_gives_way_where_the_window_is_longer() -> None:
    of = Factory(NOON, ({**LINE, "aggregation": "15m"},))
    await of.ask(name="Line 1", previous="4h")
    assert query(of)["aggregation"] == "15m"
    await of.ask(name="Line 1", previous="2w")
    assert query(of)["aggregation"] == "1h"


@pytest.mark.parametrize("window", [{"previous": "1d-now"}, {"from": "2026-06-09T00:00Z", "to": "2026-06-10T12:00Z"}])
@pytest.mark.parametrize("aggregation", ["auto", "15m"])
async def test_pages_of_ours_are_the_whole_without_a_gap_or_a_repetition(window: dict[str, str], aggregation: str) -> None:
    of = factory()
    asked = {"name": "Line 1", "aggregation": aggregation, **window}
    whole = await of.ask(first=1000, **asked)
    assert whole.next is None
    found: list[Any] = []
    page: Readings | None = None
    while page is None or page.next is not None:
        of.clock.set(of.clock.now() + timedelta(seconds=20))
        page = await of.ask(first=37, after=page and page.next, **asked)
        assert len(page.readings) == 37 or page.next is None
        found += page.readings
    assert tuple(found) == whole.readings


async def test_a_cursor_of_another_measurement_is_refused() -> None:
    of = factory()
    page = await of.ask(name="Line 1", first=1)
    with pytest.raises(BadRequest, match="after: it is of another measurement"):
        await of.ask(name="Boiler", after=page.next)


async def test_a_cursor_from_behind_the_window_ends_it() -> None:
    of = factory()
    page = await of.ask(name="Line 1", previous="1h", aggregation="5m", first=1)
    of.provider.requests.clear()
    window = {"from": "2026-06-09T08:00Z", "to": "2026-06-09T10:00Z"}
    assert await of.ask(name="Line 1", aggregation="5m", after=page.next, **window) == Readings(readings=(), next=None)
    assert of.asked() == []


@pytest.mark.parametrize(("zone", "begins"), [(None, "2026-06-10T08:15:00"), ("Europe/Amsterdam", "2026-06-10T10:00:00")])
async def test_a_further_page_is_read_from_where_it_begins_unless_an_hour_may_come_twice(zone: str | None, begins: str) -> None:
    of = factory()
    window = {"from": "2026-06-10T08:00Z", "to": "2026-06-10T10:00Z"}
    page = await of.ask(name="Line 1", timezone=zone, aggregation="5m", first=6, **window)
    following = await of.ask(name="Line 1", timezone=zone, aggregation="5m", first=6, after=page.next, **window)
    assert query(of)["from"] == begins
    assert spans(following)[0] == "10 08:15-10 08:20"


async def test_commands_leave_the_rest_of_the_allowance_to_the_polls(tmp_path: Path) -> None:
    clock = HandClock(NOON)
    async with served(clock.now) as tables:
        given = _settings(
            MqttSettings(), tmp_path, {"factory": tables["sensorfact"] | {"budget": {"requests": 8, "seconds": 300}}}
        )
        async with built(given, clock, Redactor([KEY])) as app:
            answers = [await answered(app, "factory/measurements", {"name": "line-1", "first": number}) for number in range(1, 9)]
            assert [answer["status"] for answer in answers] == ["ok"] * 6 + ["error"] * 2
            assert answers[-1]["error"]["code"] == "rate_limited"
            assert answers[-1]["error"]["retry_after"] == 300


# the generic ones


async def test_readings_of_the_past_are_those_of_each_measurement_in_turn() -> None:
    of = factory()
    span = Span(utc("2026-06-10T08:00"), utc("2026-06-10T09:00"), first=7)
    page = await of.history(span)
    following = await of.history(Span(span.start, span.end, first=7, after=page.next))
    assert page.next is not None
    found = [
        (one.meter.split()[0], one.quantity, f"{one.start:%H:%M}") for one in (*page.readings, *following.readings) if one.start
    ]
    line = [("Line", quantity, f"08:{minute:02}") for minute in range(0, 60, 5) for quantity in ("energy", "power")]
    assert found == line[:14]
    assert {one.path for one in of.provider.requests} == {LINE["path"]}


async def test_every_reading_of_the_past_comes_once_whatever_the_page() -> None:
    of = factory()
    span = Span(utc("2026-06-09T08:00"), utc("2026-06-10T09:00"))
    for first in (50, 1000):
        found: list[Reading] = []
        after: str | None = None
        while True:
            page = await of.history(Span(span.start, span.end, first=first, after=after))
            found += page.readings
            if (after := page.next) is None:
                break
        assert len(found) == len({(one.meter, one.quantity, one.start) for one in found}) == 100 * 2 + 100 + 25


async def test_one_meter_and_one_quantity_may_be_asked_for() -> None:
    of = factory()
    span = Span(utc("2026-06-10T08:00"), utc("2026-06-10T09:00"), meter="Line 1 (energy, power)", quantity="power")
    page = await of.history(span)
    assert ({one.quantity for one in page.readings}, len(page.readings), page.next) == ({"power"}, 12, None)
    assert {one.path for one in of.provider.requests} == {LINE["path"]}


async def test_a_span_that_is_empty_or_to_come_asks_nobody() -> None:
    of = factory()
    for start, end in (("2026-06-11T00:00", "2026-06-12T00:00"), ("2026-06-10T09:00", "2026-06-10T08:00")):
        assert (await of.history(Span(utc(start), utc(end)))).readings == ()
    assert of.asked() == []


async def test_a_level_is_chosen_that_may_be_asked_for() -> None:
    of = Factory(NOON, ({**LINE, "aggregation": "15m"},))
    await of.history(Span(utc("2026-04-01T00:00"), utc("2026-06-10T00:00")))
    assert query(of)["aggregation"] == "1d"
    await of.history(Span(None, None))
    assert (query(of)["from"], query(of)["to"]) == ("2026-06-09T12:04:00", "2026-06-10T12:04:00")


# through the desk


async def answered(app: App, errand: str, args: object) -> Any:
    app.desk.arrived(Arrival(f"kwh2mqtt/command/me/{errand}", json.dumps({"args": args}).encode()))
    while True:
        async with asyncio.timeout(10):
            message = await app.shelf.take()
        if "/response/" in message.topic:
            return json.loads(message.payload)


async def test_a_device_asks_over_its_topics(tmp_path: Path) -> None:
    clock = HandClock(NOON)
    async with served(clock.now) as tables:
        given = _settings(MqttSettings(), tmp_path, {"factory": tables["sensorfact"]})
        async with built(given, clock, Redactor([KEY])) as app:
            await app.poller(app.accounts[0]).poll()
            found = await answered(
                app, "factory/measurements", {"name": "line-1", "previous": "1h", "aggregation": "30m", "first": 1}
            )
            assert found["status"] == "ok"
            [reading] = found["data"]["readings"]
            assert (reading["site"], reading["meter"], reading["quantity"], reading["start"], reading["unit"]) == (
                "plant-1",
                "line-1",
                "energy",
                "2026-06-10T11:00:00Z",
                "kWh",
            )
            assert found["data"]["next"]
            past = await answered(app, "factory/readings", {"meter": "press", "previous": "2h"})
            assert {(one["meter"], one["aggregation"]) for one in past["data"]["readings"]} == {("press", "p95")}
            refused = await answered(app, "factory/measurements", {"name": "line-1", "previous": "2w", "aggregation": "15m"})
            assert (refused["error"]["code"], "allowed is 1h" in refused["error"]["message"]) == ("bad_request", True)
            sites = await answered(app, "factory/sites", {})
            assert [site["site"] for site in sites["data"]["sites"]] == ["plant-1"]
