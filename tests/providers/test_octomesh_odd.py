"""Entities and points of OctoMesh's in odd shapes: what one of them costs, and that what cannot be read is not taken for gone."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.models.observation import MetersSeen, Observation
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.faults import OctoFault
from bridge.simulator.octomesh.plant import plant
from tests.providers.operator import METER, NOON, Operator
from tests.providers.test_octomesh import MAIN, SECOND, SMALL, both, later, readings, shortfalls
from tests.providers.test_octomesh_faults import Bench
from tests.support import utc

PLAIN: dict[str, Any] = {"type": METER, "attributes": ["name"]}
POWER: dict[str, Any] = {"type": METER, "attributes": ["name", "power"]}
UNREAD = "could not be told by the server, or not be read here; with --verbose the log tells why"


def told_whole(seen: list[Observation]) -> list[MetersSeen]:
    return [observation for observation in seen if isinstance(observation, MetersSeen) and observation.complete]


def altered(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Return what applies `change` to every object in an answer."""

    def each(value: Any) -> None:
        if isinstance(value, dict):
            change(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            each(inner)

    def alter(body: bytes) -> bytes:
        found = json.loads(body)
        each(found)
        return json.dumps(found).encode()

    return alter


# entities


@both
async def test_an_entity_that_cannot_be_told_for_once_keeps_its_topics(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect, (PLAIN,), plant=plant(meters=3, inverters=0))
    bench = Bench(tmp_path, operator)
    await bench.poll()
    topics = bench.topics()
    operator.clock.set(NOON + timedelta(minutes=5))
    operator.mesh.faults.next(OctoFault.BROKEN_ITEM)
    health = await bench.poll()
    assert bench.topics() == topics
    assert len(topics) == 3
    assert (health["stale"], health["error"]) == (False, {"code": "unavailable", "message": f"{METER}: 1 of them {UNREAD}"})


@both
async def test_a_meter_that_is_gone_is_told_once_all_could_be_read_again(dialect: Dialect) -> None:
    operator = Operator(dialect, (PLAIN,), plant=plant(meters=3, inverters=0))
    await operator.poll()
    operator.plant.delete(operator.plant.entities[SECOND], erase=True)
    operator.mesh.faults.next(OctoFault.BROKEN_ITEM)
    assert told_whole(await later(operator)) == []
    (whole,) = told_whole(await later(operator, timedelta(minutes=10)))
    assert len(whole.meters) == 2


@both
async def test_where_no_entity_can_be_read_the_source_is_behind(dialect: Dialect) -> None:
    operator = Operator(dialect, (PLAIN,), plant=plant(**SMALL))
    operator.front.altered = altered(lambda item: item.pop("rtId", None))
    seen = await operator.poll()
    assert shortfalls(seen) == [("unavailable", f"{METER}: 2 of them {UNREAD}", True)]
    assert told_whole(seen) == []


@both
async def test_a_type_of_which_there_is_none_is_told_and_nothing_is_out_of_date(tmp_path: Path, dialect: Dialect) -> None:
    health = await Bench(tmp_path, Operator(dialect, (PLAIN,), plant=plant(meters=0, inverters=0))).poll()
    assert (health["stale"], health["error"]) == (False, {"code": "not_found", "message": f"there is no {METER}"})


async def test_a_null_among_an_entitys_attributes_costs_nothing() -> None:
    operator = Operator(Dialect.ACTUAL, (PLAIN,), plant=plant(**SMALL))

    def change(item: dict[str, Any]) -> None:
        items = item.get("items")
        if isinstance(items, list) and items and "attributeName" in items[0]:
            items.insert(0, None)

    operator.front.altered = altered(change)
    assert readings(await operator.poll(), MAIN)["name"].other == "Main Building Meter"


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00Z", "yesterday", 7])
async def test_a_change_at_no_time_that_makes_sense_leaves_the_moment_of_the_poll(told: object) -> None:
    operator = Operator(Dialect.ACTUAL, (PLAIN,), plant=plant(**SMALL))
    operator.front.altered = altered(lambda item: item.update(rtChangedDateTime=told) if "rtChangedDateTime" in item else None)
    assert readings(await operator.poll(), MAIN)["name"].at == NOON


@pytest.mark.parametrize(("told", "shown"), [("12.50", Decimal("12.50")), ("NaN", None), ("a lot", None), (7, Decimal(7))])
async def test_a_number_that_comes_as_a_text_is_a_number_and_what_is_none_is_absent(told: object, shown: Decimal | None) -> None:
    operator = Operator(Dialect.ACTUAL, (POWER,), plant=plant(**SMALL))
    operator.front.altered = altered(lambda item: item.update(value=told) if item.get("attributeName") == "power" else None)
    found = readings(await operator.poll(), MAIN).get("power")
    assert (found and (found.value, found.unit)) == (shown and (shown, "kW"))


@both
async def test_the_capitals_of_an_id_say_nothing(dialect: Dialect) -> None:
    shouted = MAIN.upper()
    operator = Operator(dialect, ({**PLAIN, "rt_ids": [shouted]},), plant=plant(**SMALL))
    operator.front.taken = lambda body: body.replace(shouted.encode(), MAIN.encode())  # as the server takes it
    seen = await operator.poll()
    assert (set(told_whole(seen)[-1].meters), shortfalls(seen)) == ({MAIN}, [])
    found = await operator.execute("entity", type=METER, rt_id=shouted, attributes=["name"])
    assert found["entity"]["rt_id"] == MAIN


# points


@both
async def test_the_newest_point_is_the_newest_whatever_order_the_server_keeps(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(**SMALL))
    await operator.poll()

    def change(item: dict[str, Any]) -> None:
        points = item.get("items")
        if isinstance(points, list) and points and "timestamp" in points[0]:
            points.insert(0, {**points[0], "timestamp": "2026-06-01T00:00:00Z"})

    operator.front.altered = altered(change)
    assert readings(await later(operator), MAIN)["power"].at == utc("2026-06-10T12:05")


@pytest.mark.parametrize("code", [None, "STREAMDATA_ARCHIVE_NOT_FOUND"])
async def test_where_a_stream_is_not_kept_the_entity_itself_tells_its_values(code: str | None) -> None:
    operator = Operator(Dialect.ACTUAL, ({**POWER, "stream": METER, "stream_attributes": ["power"]},), plant=plant(**SMALL))

    def alter(body: bytes) -> bytes:
        found = json.loads(body)
        streams = (found.get("data") or {}).get("streamData") or {}
        for alias in streams:
            streams[alias] = None
        paths = [["streamData", alias] for alias in streams] if code else []
        found["errors"] = [{"message": "no archive", "path": path, "extensions": {"code": code}} for path in paths]
        return json.dumps(found).encode()

    operator.front.altered = alter
    seen = await operator.poll()
    assert "power" in readings(seen, MAIN)
    assert shortfalls(seen) == ([("not_found", f"newest points of {METER}: no archive ({code})", False)] if code else [])
