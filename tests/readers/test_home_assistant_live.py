"""What stands below Home Assistant's prefix at a real mosquitto while the main job runs, and after it has run with less."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt

from bridge.commands.authorise import Grants
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.settings import Settings
from bridge.simulator.homes import DEFAULT_HOMES
from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed
from tests.test_app import configured, running, state, tibber

ON = HomeAssistantSettings()


def telling(settings: Settings, told: HomeAssistantSettings | None = ON, grants: Grants | None = None) -> Settings:
    return replace(settings, home_assistant=told, grants=grants or {})


def discovered(seen: Seen) -> dict[str, Any]:
    found = {topic: payload for topic, payload in seen.latest.items() if topic.startswith("homeassistant/")}
    return {topic: json.loads(payload) for topic, payload in found.items() if topic.endswith("/config")}


def names(seen: Seen) -> set[str]:
    return {told["device"]["name"] for told in discovered(seen).values()}


def diagnostics(seen: Seen) -> dict[str, Any]:
    """Return the bridge's own entities."""
    (bridge,) = (told for told in discovered(seen).values() if told["device"].get("model") == "Bridge")
    found: dict[str, Any] = bridge["components"]
    return found


async def retained(mqtt: MqttSettings, expected: set[str]) -> dict[str, Any]:
    """Return what a Home Assistant finds that begins now, which must be the devices that are `expected`."""
    async with subscribed(mqtt, "homeassistant/#") as seen:
        await seen.until(lambda seen: names(seen) >= expected)
        await asyncio.sleep(0.2)  # what is there too much
        assert names(seen) == expected
        return discovered(seen)


ALL = {"kwh2mqtt", *(home.nickname or "" for home in DEFAULT_HOMES)}


async def complete(seen: Seen, source: str = "home") -> None:
    await seen.until(lambda seen: seen.get(state(source)) == "online" and names(seen) == ALL)
    await seen.until(lambda seen: any("reading_import_energy" in json.dumps(told) for told in discovered(seen).values()))


async def test_every_site_and_the_bridge_are_retained_and_stand_there_when_the_bridge_is_gone(
    tmp_path: Path, mqtt: MqttSettings
) -> None:
    async with tibber() as (_, url):
        async with running(telling(configured(tmp_path, mqtt, home=url))), subscribed(mqtt) as seen:
            await complete(seen)
            states = {one["state_topic"] for told in discovered(seen).values() for one in told["components"].values()
                      if one["platform"] != "event" and "state_topic" in one}  # fmt: skip
            assert states <= seen.latest.keys()  # every state is told
        assert await retained(mqtt, ALL) == discovered(seen)


async def test_a_home_assistant_that_begins_is_told_again(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), running(telling(configured(tmp_path, mqtt, home=url))), subscribed(mqtt) as seen:
        await complete(seen)
        told = discovered(seen)
        async with aiomqtt.Client(mqtt.host, mqtt.port) as home_assistant:
            for topic in told:  # as if the broker had lost it
                await home_assistant.publish(topic, b"", qos=1, retain=True)
            await seen.until(lambda seen: not discovered(seen))
            await home_assistant.publish("homeassistant/status", b"online", qos=1)
            await seen.until(lambda seen: discovered(seen) == told)


async def test_a_removed_source_leaves_no_entity_and_no_topic(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url):
        async with running(telling(configured(tmp_path, mqtt, home=url, other=url))), subscribed(mqtt) as seen:
            await complete(seen)
            await seen.until(lambda seen: len(discovered(seen)) == 2 * len(DEFAULT_HOMES) + 1)
        async with running(telling(configured(tmp_path, mqtt, home=url))), subscribed(mqtt) as seen:
            await seen.until(lambda seen: len(discovered(seen)) == len(DEFAULT_HOMES) + 1)
            gone = [{"platform": "binary_sensor"}, {"platform": "sensor"}, {"platform": "button"}]
            await seen.until(lambda seen: [one for at, one in diagnostics(seen).items() if at.startswith("other_")] == gone)
            await seen.until(lambda seen: not [topic for topic in seen.latest if topic.startswith("kwh2mqtt/other/")])


async def test_what_others_told_home_assistant_is_never_wiped(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with aiomqtt.Client(mqtt.host, mqtt.port) as other:
        await other.publish("homeassistant/device/kwh2mqtt_0/config", b'{"device":{"name":"other"}}', qos=1, retain=True)
    async with tibber() as (_, url):
        async with running(telling(configured(tmp_path, mqtt, home=url))), subscribed(mqtt) as seen:
            await seen.until(lambda seen: names(seen) == ALL | {"other"})
        async with running(telling(configured(tmp_path, mqtt, home=url), None)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == "online")
        assert await retained(mqtt, {"other"})


async def test_switched_off_or_moved_elsewhere_nothing_is_left_of_it(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url):
        settings = configured(tmp_path, mqtt, home=url)
        async with running(telling(settings)), subscribed(mqtt) as seen:
            await complete(seen)
        elsewhere = HomeAssistantSettings(prefix="ha")
        async with running(telling(settings, elsewhere)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: not discovered(seen) and any(topic.startswith("ha/device/") for topic in seen.latest))
        async with running(telling(settings, None)), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == "online")
            await seen.until(lambda seen: not [topic for topic in seen.latest if not topic.startswith("kwh2mqtt/")])


async def test_another_form_takes_the_place_of_the_first(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url):
        settings = configured(tmp_path, mqtt, home=url)
        async with running(telling(settings, HomeAssistantSettings(discovery="component"))), subscribed(mqtt) as seen:
            await seen.until(lambda seen: seen.get(state("home")) == "online" and names(seen) == ALL)
            assert not [topic for topic in discovered(seen) if "/device/" in topic]
        async with subscribed(mqtt) as seen, running(telling(settings)):
            await seen.until(lambda seen: any("migrate_discovery" in told for told in discovered(seen).values()))
            await seen.until(lambda seen: len(discovered(seen)) == len(ALL))
            assert all("/device/" in topic for topic in discovered(seen))


async def test_a_button_of_home_assistant_is_answered(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), running(telling(configured(tmp_path, mqtt, home=url))), subscribed(mqtt) as seen:
        await complete(seen)
        button = diagnostics(seen)["home_refresh"]
        pressed = button["command_template"].replace("{{ now().timestamp() }}", "1795200060.017811")
        async with aiomqtt.Client(mqtt.host, mqtt.port) as home_assistant:
            await home_assistant.publish(button["command_topic"], pressed, qos=button["qos"], retain=button["retain"])
        answer = diagnostics(seen)["answer"]["state_topic"].replace("+/+", "home/refresh")
        await seen.until(lambda seen: answer in seen.latest)
        assert json.loads(seen.latest[answer])["status"] == "ok"


async def test_without_the_section_home_assistant_is_told_nothing(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), running(configured(tmp_path, mqtt, home=url)), subscribed(mqtt) as seen:
        await seen.until(lambda seen: seen.get(state("home")) == "online")
        assert not discovered(seen)
