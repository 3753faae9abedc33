"""Polls of an OctoMesh tenant in either dialect: what is published of it, in how few requests, and what one bad part costs."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.models.observation import MetersSeen, Observation, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.plant import plant, rt_id
from tests.providers.operator import ENERGY, INVERTER, METER, NOON, READING, STREAMS, Operator
from tests.support import utc

DOCUMENTED, ACTUAL = Dialect.DOCUMENTED, Dialect.ACTUAL
MAIN, SECOND = rt_id("65b1", 1), rt_id("65b1", 2)
EVERY = timedelta(minutes=5)
SMALL: dict[str, Any] = {"meters": 2, "inverters": 0}

both = pytest.mark.parametrize("dialect", list(Dialect))


def readings(seen: list[Observation], meter: str | None = None) -> dict[str, Reading]:
    found = [reading for observation in seen if isinstance(observation, ReadingsSeen) for reading in observation.readings]
    return {reading.quantity: reading for reading in found if meter in (None, reading.meter)}


def shortfalls(seen: list[Observation]) -> list[tuple[str, str, bool]]:
    told = [observation for observation in seen if isinstance(observation, Shortfall)]
    return [(shortfall.error.code, str(shortfall.error), shortfall.behind) for shortfall in told]


def meters(seen: list[Observation]) -> MetersSeen:
    """Return the last word on the meters."""
    return [observation for observation in seen if isinstance(observation, MetersSeen)][-1]


async def later(operator: Operator, by: timedelta = EVERY) -> list[Observation]:
    operator.clock.set(operator.clock.now() + by)
    operator.mesh.requests.clear()
    return await operator.poll()


# what is published


@both
async def test_the_tenant_is_the_site_and_its_entities_are_meters(dialect: Dialect) -> None:
    seen = await Operator(dialect, plant=plant(**SMALL), settings={"timezone": "Europe/Vienna"}).poll()
    assert seen[0] == SitesSeen((Site(id="demo", title="demo", timezone="Europe/Vienna"),))
    assert meters(seen) == MetersSeen("demo", {MAIN: "main-building-meter", SECOND: "meter-0002"})
    assert shortfalls(seen) == []


@both
async def test_attributes_and_the_newest_point_are_readings(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(**SMALL))
    seen = await operator.poll()
    found = readings(seen, MAIN)
    assert found["name"].other == "Main Building Meter"
    assert found["name"].unit is None
    (point,) = (await operator.execute(
        "history", type=STREAMS[dialect], rt_id=MAIN, attributes=["power"], **{"from": "2026-06-10T12:00:00Z", "to": NOON}
    ))["points"]  # fmt: skip
    unit = {DOCUMENTED: None, ACTUAL: "kW"}[dialect]
    power = Decimal(str(point["attributes"]["power"]))
    assert found["power"] == Reading(meter=MAIN, quantity="power", value=power, unit=unit, at=utc("2026-06-10T12:00"))


@both
async def test_a_configured_unit_goes_before_any_other(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["name"], "stream": STREAMS[dialect], "stream_attributes": ["power"]}
    seen = await Operator(dialect, ({**entity, "units": {"power": "W"}},), plant=plant(**SMALL)).poll()
    assert readings(seen)["power"].unit == "W"


async def test_units_come_from_the_construction_kit_once_a_day_and_else_from_what_is_known_of_the_energy_kit() -> None:
    entity = {"type": METER, "attributes": ["power", "importedEnergy", "frequency", "operatingHours"]}
    operator = Operator(ACTUAL, (entity,), plant=plant(**SMALL))
    found = readings(await operator.poll())
    units = {"power": "kW", "imported-energy": "kWh", "frequency": "Hz", "operating-hours": None}
    assert {quantity: reading.unit for quantity, reading in found.items()} == units
    assert "types" not in [name for asked in operator.mesh.requests if asked.fields != ("types",) for name in asked.fields]
    await later(operator)
    assert all("types" not in asked.fields for asked in operator.mesh.requests)
    await later(operator, timedelta(days=1))
    assert any("types" in asked.fields for asked in operator.mesh.requests)


async def test_a_value_bears_the_instant_of_its_change_where_the_server_tells_it() -> None:
    operator = Operator(ACTUAL, ({"type": METER, "attributes": ["name"]},), plant=plant(**SMALL))
    found = readings(await operator.poll(), SECOND)["name"]
    assert (found.other, found.at) == ("Meter 2", utc("2026-06-10T12:00"))


async def test_else_it_bears_the_moment_at_which_it_was_first_seen_and_an_unchanged_one_is_no_news() -> None:
    operator = Operator(DOCUMENTED, ({"type": METER, "attributes": ["name", "status"]},), plant=plant(**SMALL))
    first = readings(await operator.poll(), SECOND)
    operator.plant.update(operator.plant.entities[SECOND], {"status": "Maintenance"}, NOON)
    second = readings(await later(operator), SECOND)
    assert {reading.at for reading in first.values()} == {NOON}
    assert second["name"] == first["name"]
    assert (second["status"].other, second["status"].at) == ("Maintenance", NOON + EVERY)


@both
async def test_what_both_the_entity_and_its_stream_have_is_published_from_the_stream(dialect: Dialect) -> None:
    entity = {"type": METER, "stream": STREAMS[dialect]}
    seen = await Operator(dialect, (entity,), plant=plant(**SMALL)).poll()
    found = [one for each in seen if isinstance(each, ReadingsSeen) for one in each.readings if one.meter == MAIN]
    quantities = [reading.quantity for reading in found]
    assert len(quantities) == len(set(quantities))
    assert {"power", "voltage"} <= set(quantities)
    assert {reading.at for reading in found if reading.quantity in ("power", "voltage")} == {utc("2026-06-10T12:00")}


async def test_where_the_newest_point_leaves_a_quantity_out_the_entity_itself_tells_it() -> None:
    entity = {"type": METER, "attributes": ["power", "voltage"], "stream": METER, "stream_attributes": ["power", "voltage"]}
    operator = Operator(ACTUAL, (entity,), plant=plant(meters=1, inverters=0))
    operator.front.without_cell = "voltage"
    found = readings(await operator.poll())
    assert found.keys() == {"power", "voltage"}
    assert found["voltage"].value


@both
@pytest.mark.parametrize(
    "entity",
    [
        {"rt_ids": [SECOND]},
        {"well_known_names": ["meter-0002"]},
        {"filter": {"name": {"endsWith": " 2"}}},
        {"filter": {"OR": [{"well_known_name": {"eq": "meter-0002"}}, {"well_known_name": {"eq": "nobody"}}]}},
    ],
)
async def test_only_the_entities_that_are_meant_are_published(dialect: Dialect, entity: dict[str, Any]) -> None:
    seen = await Operator(dialect, ({"type": METER, "attributes": ["name"], **entity},)).poll()
    assert meters(seen) == MetersSeen("demo", {SECOND: "meter-0002"})


@both
async def test_an_entity_that_is_gone_is_no_meter_any_more(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(**SMALL))
    await operator.poll()
    operator.plant.delete(operator.plant.entities[SECOND], erase=True)
    assert meters(await later(operator)) == MetersSeen("demo", {MAIN: "main-building-meter"})


@both
async def test_an_entity_without_a_well_known_name_goes_by_its_name_and_else_by_its_id(dialect: Dialect) -> None:
    there = plant(**SMALL)
    there.entities[MAIN] = replace(there.entities[MAIN], well_known_name=None)
    there.entities[SECOND] = replace(there.entities[SECOND], well_known_name=None, attributes={"name": " "})
    seen = await Operator(dialect, plant=there).poll()
    assert meters(seen).meters == {MAIN: "Main Building Meter", SECOND: SECOND}


# in few requests


@both
async def test_several_needs_of_a_poll_are_one_request_once_the_meters_are_known(dialect: Dialect) -> None:
    entities = tuple({"type": type_, "attributes": ["name"]} for type_ in (METER, INVERTER))
    stream = {"type": METER, "attributes": ["name"], "stream": STREAMS[dialect], "stream_attributes": ["power"]}
    operator = Operator(dialect, (*entities, stream))
    seen = await operator.poll()
    assert len(meters(seen).meters) == 15
    assert len(operator.mesh.requests) <= 8
    await later(operator)
    assert [len(asked.fields) for asked in operator.mesh.requests] == [3 + 12]


@both
async def test_a_thousand_entities_and_their_streams_fit_the_documents_limit(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(meters=1000, inverters=0), settings={"dialect": dialect.value})
    seen = await operator.poll()
    assert shortfalls(seen) == []
    assert len(meters(seen).meters) == 1000
    powers = [one for each in seen if isinstance(each, ReadingsSeen) for one in each.readings if one.quantity == "power"]
    assert len(powers) == 1000
    assert len(operator.mesh.requests) <= 40


@both
async def test_the_dialect_is_found_out_and_can_be_said(dialect: Dialect) -> None:
    told = f"signed in; the tenant demo speaks the {dialect.value} dialect"
    assert await Operator(dialect).source.sign_in() == told
    assert await Operator(dialect, settings={"dialect": dialect.value}).source.sign_in() == told


@both
async def test_nothing_is_asked_before_it_is_due_and_all_of_it_after_a_refresh(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(**SMALL))
    await operator.poll()
    assert operator.source.next_poll(operator.known, operator.clock.now()) == NOON + EVERY
    operator.source.expire()
    assert operator.source.next_poll(operator.known, operator.clock.now()) <= operator.clock.now()
    assert any("__schema" in asked.fields for asked in (await later(operator), operator.mesh.requests)[1])


async def test_without_entities_the_source_is_well_where_the_tenant_answers() -> None:
    operator = Operator(ACTUAL, ())
    site = Site(id="demo", title="demo", timezone="UTC")
    assert await operator.poll() == [SitesSeen((site,)), MetersSeen("demo", {})]  # those of an earlier configuration are gone
    assert operator.mesh.requests[-1].operation == "Alive"


# what one bad part costs


@both
async def test_an_attribute_that_the_schema_lacks_is_told_by_name_and_the_others_go_on(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["nmae", "name"], "stream": STREAMS[dialect], "stream_attributes": ["powr", "power"]}
    seen = await Operator(dialect, (entity,), plant=plant(**SMALL)).poll()
    assert shortfalls(seen) == [
        ("refused", f"{METER} has no attribute nmae; the nearest is name", False),
        ("refused", f"{STREAMS[dialect]} has no attribute powr; the nearest is power", False),
    ]
    assert {"name", "power"} <= readings(seen).keys()


@both
async def test_a_type_that_the_schema_lacks_is_told_by_name_and_the_others_go_on(dialect: Dialect) -> None:
    unknown = {"type": "Industry.Energy/EnergyMetre"}
    seen = await Operator(dialect, (unknown, {"type": METER, "attributes": ["name"]}), plant=plant(**SMALL)).poll()
    ((code, text, behind),) = shortfalls(seen)
    assert (code, behind) == ("refused", False)
    assert text.startswith("Industry.Energy/EnergyMetre: the tenant's schema has no ")
    assert "; the nearest is " in text
    assert meters(seen).complete
    assert "name" in readings(seen)


@both
async def test_entities_that_are_configured_and_not_there_are_told_by_name(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["name"]}
    entities = ({**entity, "well_known_names": ["meter-0002", "metre"]}, {**entity, "rt_ids": [MAIN, "0" * 24]})
    seen = await Operator(dialect, entities, plant=plant(**SMALL)).poll()
    assert shortfalls(seen) == [
        ("not_found", f"there is no {METER} metre", False),
        ("not_found", f"there is no {METER} {'0' * 24}", False),
    ]
    assert len(meters(seen).meters) == 2


@both
async def test_a_stream_that_the_schema_lacks_leaves_the_attributes(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["name"], "stream": "Industry.Energy/Nothing"}
    seen = await Operator(dialect, (entity,), plant=plant(**SMALL)).poll()
    ((code, text, behind),) = shortfalls(seen)
    assert (code, behind) == ("refused", False)
    assert "Industry.Energy/Nothing" in text
    assert "name" in readings(seen)


async def test_where_stream_data_is_the_entitys_own_that_stands_in_for_the_documents_type() -> None:
    entity = {"type": METER, "attributes": ["name", "power"], "stream": READING, "stream_attributes": ["power", "energy"]}
    operator = Operator(ACTUAL, (entity,), plant=plant(**SMALL))
    seen = await operator.poll()
    assert shortfalls(seen) == [
        ("refused", f"{METER} has no attribute energy; the nearest is importedEnergy", False),
        ("refused", f"there is no stream {READING} here: that of {METER} itself is read", False),
    ]
    assert readings(seen, MAIN)["power"].at == utc("2026-06-10T12:00")
    assert readings(seen, MAIN)["power"].unit == "kW"
    span = {"from": "2026-06-10T11:00:00Z", "to": "2026-06-10T12:00:00Z", "rt_id": MAIN, "attributes": ["power"]}
    by_stream = await operator.execute("history", type=READING, **span)
    assert by_stream == await operator.execute("history", type=METER, **span)


@both
async def test_energy_of_the_stream_is_there_too(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["name"], "stream": STREAMS[dialect], "stream_attributes": [ENERGY[dialect]]}
    found = readings(await Operator(dialect, (entity,), plant=plant(**SMALL)).poll())
    quantity = {DOCUMENTED: "energy", ACTUAL: "imported-energy"}[dialect]
    assert found[quantity].unit == {DOCUMENTED: None, ACTUAL: "kWh"}[dialect]
    assert found[quantity].value
