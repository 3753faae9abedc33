"""What Home Assistant is told of a site is what its own code accepts, 2024.3 and 2026.11: the rules stand here as facts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.readers.home_assistant.entity import key
from tests.readers.villa import CAR, SITE, Json, Source, Villa, reading

REQUIRED = {
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
    "button": {"command_topic"},
    "number": {"command_topic"},
}
DEVICE_KEYS = {"identifiers", "name", "manufacturer", "model", "sw_version", "via_device"}  # all that every version knows
UNITS = {  # what 2024.3 and 2026.11 both allow
    "energy": {"Wh", "kWh", "MWh", "MJ", "GJ"},
    "power": {"W", "kW"},
    "temperature": {"°C", "°F", "K"},
    "gas": {"m³", "ft³"},
    "water": {"m³", "ft³", "L"},
    "volume": {"m³", "ft³", "L"},
    "battery": {"%"},
    "data_size": {"MiB"},
}
STATE_CLASSES: dict[str, set[str | None]] = {
    "energy": {None, "total", "total_increasing"},
    "gas": {None, "total", "total_increasing"},
    "water": {None, "total", "total_increasing"},
    "volume": {None, "total", "total_increasing"},
    "monetary": {None, "total"},
    "enum": {None},
    "timestamp": {None},
}
ENTITY_ID = re.compile(r"(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)")
TOPIC = re.compile(r"homeassistant/\w+/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")
NUMERIC = ("price_import", "price_import_rank", "cost_import_today", "reading_import_energy", "account_points", "live_power")


def every(told: dict[str, Json]) -> list[Json]:
    return [one for device in told.values() for one in device["components"].values()]


@pytest.fixture
def villa(tmp_path: Path) -> Villa:
    return Villa(tmp_path, Source(), Source("work", "octopus"))


async def test_every_entity_has_what_its_platform_requires_and_ids_of_its_own(villa: Villa) -> None:
    found = every(await villa.told())
    lacking = [one["unique_id"] for one in found if not REQUIRED[one["platform"]] <= one.keys()]
    ids, entity_ids = ({one[name] for one in found} for name in ("unique_id", "default_entity_id"))
    assert (lacking, len(ids), len(entity_ids)) == ([], len(found), len(found))
    assert all(ENTITY_ID.fullmatch(one["default_entity_id"]) for one in found)
    assert all(one["default_entity_id"] == f"{one['platform']}.{one['object_id']}" for one in found)


async def test_a_device_has_no_key_that_some_version_refuses_and_an_origin_with_a_name(villa: Villa) -> None:
    for topic, told in (await villa.told()).items():
        assert TOPIC.fullmatch(topic)
        assert told["device"].keys() <= DEVICE_KEYS
        assert told["origin"].keys() == {"name", "sw_version", "support_url"}


async def test_device_class_state_class_and_unit_go_together(villa: Villa) -> None:
    for one in every(await villa.told()):
        found = one.get("device_class", "")
        assert one.get("state_class") in STATE_CLASSES.get(found, {one.get("state_class")})
        assert one.get("unit_of_measurement") in UNITS.get(found, {one.get("unit_of_measurement")})
        assert ("last_reset_value_template" in one) <= (one.get("state_class") == "total")
        assert ("options" in one) == (found == "enum")
        assert not (found in ("enum", "timestamp") and "unit_of_measurement" in one)


async def test_a_price_has_the_unit_that_the_energy_dashboard_wants_and_no_device_class(villa: Villa) -> None:
    price = (await villa.entities_of("home"))["price_import"]
    id_ = price["unique_id"].removesuffix("_price_import")
    assert price == {
        "platform": "sensor",
        "unique_id": f"{id_}_price_import",
        "object_id": "home_villa_price_import",
        "default_entity_id": "sensor.home_villa_price_import",
        "name": "Price",
        "state_topic": "kwh2mqtt/home/villa/price/import/current",
        "value_template": "{{ value_json.value if value_json is defined else None }}",
        "expire_after": 1200,
        "state_class": "measurement",
        "suggested_display_precision": 4,
        "unit_of_measurement": "EUR/kWh",
        "json_attributes_topic": "kwh2mqtt/home/villa/price/import/summary",
        "json_attributes_template": "{{ value_json | default({}) | to_json }}",
    }


async def test_prices_do_not_outlive_a_dead_bridge(villa: Villa) -> None:
    found = await villa.entities_of("home")
    prices = [one for at, one in found.items() if at.startswith("price_")]
    assert len(prices) == 14  # seven of each of two streams
    assert all(one["expire_after"] == 15 * 60 + 300 for one in prices)


async def test_a_site_is_available_while_the_bridge_and_its_source_are(villa: Villa) -> None:
    site = await villa.device_of("home")
    online = {"payload_available": "online", "payload_not_available": "offline"}
    assert (site["availability_mode"], site["availability"]) == (
        "all",
        [{"topic": "kwh2mqtt/bridge/state", **online}, {"topic": "kwh2mqtt/home/state", **online}],
    )


async def test_all_of_the_bridge_but_its_connection_is_available_while_it_is_there(villa: Villa) -> None:
    (bridge,) = (one for one in (await villa.told()).values() if one["device"]["model"] == "Bridge")
    online = {"topic": "kwh2mqtt/bridge/state", "payload_available": "online", "payload_not_available": "offline"}
    always = {at for at, one in bridge["components"].items() if one.get("availability") != [online]}
    assert ("availability" in bridge, always) == (False, {"state"})


async def test_a_site_stands_behind_the_bridge_and_tells_neither_its_address_nor_the_providers_id(villa: Villa) -> None:
    told = await villa.told()
    (bridge,) = (one["device"] for one in told.values() if one["device"]["model"] == "Bridge")
    site = (await villa.device_of("home"))["device"]
    assert (site["name"], [site["via_device"]]) == ("Sjøvik 4", bridge["identifiers"])
    assert SITE.id not in json.dumps(told)


CLASSED: list[tuple[str, dict[str, Any]]] = [
    ("reading_import_energy", {"device_class": "energy", "state_class": "total", "unit_of_measurement": "kWh"}),
    ("reading_gas_volume", {"device_class": "gas", "state_class": "total", "unit_of_measurement": "m³"}),
    ("reading_line-1_power", {"device_class": "power", "state_class": "measurement", "unit_of_measurement": "kW"}),
    ("reading_line-1_energy", {"device_class": "energy", "unit_of_measurement": "kWh"}),
    ("reading_line-1_irradiation", {"state_class": "total", "unit_of_measurement": "kWh/m²"}),
    ("reading_water-main_volume", {"device_class": "water", "state_class": "total_increasing", "unit_of_measurement": "m³"}),
    ("reading_meter-7_energy", {"device_class": "energy", "state_class": "total_increasing", "unit_of_measurement": "MWh"}),
    ("reading_battery_soc", {"device_class": "battery", "state_class": "measurement", "unit_of_measurement": "%"}),
    ("reading_oven_temperature", {"device_class": "temperature", "state_class": "measurement", "unit_of_measurement": "°C"}),
    ("reading_oven_cycles", {"state_class": "measurement", "unit_of_measurement": "pieces"}),
    ("reading_oven_on_on", {}),
    ("reading_oven_mode_text", {}),
    ("account_balance", {"device_class": "monetary", "state_class": "total", "unit_of_measurement": "GBP"}),
    ("account_points", {"state_class": "measurement", "unit_of_measurement": "points"}),
    ("cost_import_today", {"device_class": "monetary", "state_class": "total", "unit_of_measurement": "EUR"}),
    ("live_power", {"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W"}),
    ("price_import_level", {"device_class": "enum"}),
    ("window_cheapest-3h_start", {"device_class": "timestamp"}),
    ("schedule_saving-sessions", {"device_class": "timestamp"}),
    ("dispatch_car_active", {"device_class": "running"}),
]


@pytest.mark.parametrize(("at", "classed"), CLASSED)
async def test_what_is_measured_is_classed_by_its_unit_and_span(villa: Villa, at: str, classed: dict[str, Any]) -> None:
    found = (await villa.entities_of("home"))[at]
    assert {name: found[name] for name in ("device_class", "state_class", "unit_of_measurement") if name in found} == classed


async def test_a_sum_begins_anew_with_its_span_and_a_register_never_does(villa: Villa) -> None:
    found = await villa.entities_of("home")
    resets = {at for at, one in found.items() if "last_reset_value_template" in one}
    assert resets == {
        "reading_import_energy", "reading_gas_volume", "reading_line-1_irradiation",
        "cost_import_today", "cost_import_yesterday", "cost_import_month",
    }  # fmt: skip


async def test_the_slots_are_never_an_attribute(villa: Villa) -> None:
    topics = {one.get("json_attributes_topic", "") for one in every(await villa.told())}
    assert not [topic for topic in topics if topic.endswith(("/slots", "/columns"))]


async def test_every_event_that_a_site_tells_is_known(villa: Villa) -> None:
    assert set((await villa.entities_of("home"))["event"]["event_types"]) == {
        "prices_published", "negative_price", "dispatch_planned", "saving_session", "window_started", "plan_finished",
    }  # fmt: skip


async def test_a_press_is_a_command_of_home_assistants_own_client(villa: Villa) -> None:
    found = await villa.entities_of("home")
    boost, number = found["ask_car_boost--start"], found["ask_meter--reading--send_gas"]
    assert boost["command_topic"] == "kwh2mqtt/command/homeassistant/home/boost_start"
    assert json.loads(boost["command_template"]) == {"id": "{{ now().timestamp() }}", "args": {"device_id": CAR}}
    sent = json.loads(number["command_template"].replace("{{ value | int }}", "4711"))
    assert sent["args"] == {"site": "villa", "meter": "gas", "reading": 4711}
    assert (boost["retain"], number["retain"]) == (False, False)


async def test_what_is_not_granted_is_not_offered(villa: Villa) -> None:
    assert [at for at in await villa.entities_of("work") if at.startswith("ask_")] == []


async def test_an_id_that_might_be_read_as_a_template_gets_no_button(villa: Villa) -> None:
    (named,) = villa.sources[0].places[SITE.id].devices.values()
    villa.now(devices={"{{ states }}": named})
    assert [at for at in await villa.entities_of("home") if at.startswith("ask_car")] == []


async def test_kinds_that_are_not_wanted_are_left_out(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    villa.begin(without=["reading", "diagnostic", "price"])
    kinds = {at.split("_")[0] for at in await villa.entities_of("home")}
    assert kinds == {"price", "window", "cost", "account", "schedule", "dispatch", "event", "live", "ask"}
    assert "price_import" not in await villa.entities_of("home")


async def test_a_price_of_an_unknown_currency_has_no_unit(villa: Villa) -> None:
    curves = villa.sources[0].places[SITE.id].curves
    villa.now(curves={"import": curves["import"].model_copy(update={"currency": None})})
    assert "unit_of_measurement" not in (await villa.entities_of("home"))["price_import"]


async def test_meters_of_like_names_do_not_share_an_id(villa: Villa) -> None:
    like = [reading("a-b", "c"), reading("a", "b-c"), reading("a_b", "c"), reading("a", "b_c")]
    villa.now(readings={(one.meter, one.quantity): one for one in like})
    found = [one["unique_id"] for at, one in (await villa.entities_of("home")).items() if at.startswith("reading_")]
    assert len(set(found)) == len(like)


words = st.from_regex(r"[a-z0-9]+([-_][a-z0-9]+){0,3}", fullmatch=True)


@given(st.lists(words, min_size=1, max_size=4), st.lists(words, min_size=1, max_size=4))
def test_different_names_have_different_keys(one: list[str], other: list[str]) -> None:
    assert (key(*one) == key(*other)) == (one == other)
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", key(*one))


async def test_numbers_become_unknown_where_nothing_is_known(villa: Villa) -> None:
    found = await villa.entities_of("home")
    assert all(found[at]["value_template"].endswith(" if value_json is defined else None }}") for at in NUMERIC)
