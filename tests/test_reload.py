"""SIGHUP from outside: what a subscriber, a provider and whoever sends commands notice of a new configuration."""

import asyncio
import json
import signal
from pathlib import Path

from bridge.models.message import Message
from bridge.transport.mqtt import connection
from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed
from tests.test_run import TOKEN, Bridge, started, tibber, until_logged, write

STATE = "kwh2mqtt/bridge/state"
COMMANDS = 40


def states(seen: Seen, topic: str = STATE) -> list[bytes]:
    return [bytes(message.payload) for message in seen.messages if str(message.topic) == topic]


async def reloaded(bridge: Bridge, seen: Seen) -> None:
    """Have the configuration read anew, and wait until the bridge has laid out all again."""
    before = len(states(seen))
    bridge.process.send_signal(signal.SIGHUP)
    await seen.until(lambda seen: len(states(seen)) > before and states(seen)[-1] == b"online")


def more(config: Path, text: str) -> None:
    config.write_text(f"{config.read_text()}{text}")


async def test_a_reload_keeps_the_connection_and_asks_no_unchanged_source(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            await seen.until(lambda seen: len(seen.standing("/reading/")) > 0)
            asked = len(simulated.requests)
            more(config, f'[sources.new]\nprovider = "tibber"\ntoken = "{TOKEN}"\nurl = "{url}"\n')
            await reloaded(bridge, seen)
            await seen.until(lambda seen: seen.get("kwh2mqtt/new/state") == "online")
            await seen.until(lambda seen: len(seen.standing("/new/holm-street/reading/")) > 0)
            assert len(simulated.requests) == 2 * asked  # the first poll of the new one
            write(tmp_path, mqtt, ("home", url))
            await reloaded(bridge, seen)
            await seen.until(lambda seen: not seen.standing("/new/"))
            assert len(simulated.requests) == 2 * asked
            assert set(states(seen)) == {b"online"}
            assert set(states(seen, "kwh2mqtt/home/state")) == {b"offline", b"online"}  # offline until the first poll
            assert states(seen, "kwh2mqtt/home/state").count(b"offline") == 1
            assert await bridge.ended(signal.SIGTERM) == 0
        await seen.until(lambda seen: seen.get(STATE) == "offline")
    assert bridge.log.read_text().count("connected to the broker") == 1


async def test_a_source_that_a_reload_removes_leaves_no_entity_and_no_topic(tmp_path: Path, mqtt: MqttSettings) -> None:
    told = '[home_assistant]\n[readers.warp.garage]\ntopic = "warp3/ABC"\nsource = "old"\nsite = "cabin"\n'
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url), ("old", url))
        more(config, told)
        async with started(config) as bridge:
            await seen.until(lambda seen: all(seen.get(f"kwh2mqtt/{name}/state") == "online" for name in ("home", "old")))
            await seen.until(lambda seen: "old" in about(seen) and "warp3/ABC/day_ahead_prices/prices_update" in seen.latest)
            write(tmp_path, mqtt, ("home", url))
            more(config, "[home_assistant]\n")
            bridge.process.send_signal(signal.SIGHUP)
            await seen.until(lambda seen: "old" not in about(seen) and not seen.standing("/old/") and not seen.standing("warp3/"))
            assert "home" in about(seen)
            assert await bridge.ended(signal.SIGTERM) == 0
    assert states(seen)[:-1] == [b"online"] * (len(states(seen)) - 1)


def about(seen: Seen) -> set[str]:
    """Return the sources of which Home Assistant is told."""
    told = b" ".join(payload for topic, payload in seen.latest.items() if topic.startswith("homeassistant/"))
    return {name for name in ("home", "old") if f"kwh2mqtt/{name}/".encode() in told}


async def test_every_command_sent_during_a_reload_is_answered_once(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        more(config, "[commands]\nper_minute = 1000\n")
        async with started(config) as bridge, connection(mqtt, "kwh2mqtt-asker") as client:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            config.write_text(config.read_text().replace("1000", "1001"))
            bridge.process.send_signal(signal.SIGHUP)
            for number in range(COMMANDS):
                topic = f"kwh2mqtt/command/me{number}/home/sites"
                await client.send(Message(topic, b'{"id": "%d"}' % number, retain=False), None)
                await asyncio.sleep(0.005)  # spread over the reload
            await seen.until(lambda seen: len(answers(seen)) >= COMMANDS)
            assert await bridge.ended(signal.SIGTERM) == 0
    assert sorted(answers(seen)) == sorted(map(str, range(COMMANDS)))


def answers(seen: Seen) -> list[str]:
    """Return the ids of the answers, in the order in which they came."""
    return [json.loads(bytes(one.payload))["id"] for one in seen.messages if "/response/" in str(one.topic)]


async def test_another_broker_section_says_offline_and_online_again(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            config.write_text(config.read_text().replace("[mqtt]\n", "[mqtt]\nkeepalive = 59\n"))
            await reloaded(bridge, seen)
            assert states(seen) == [b"online", b"offline", b"online"]


async def test_a_broken_file_and_one_that_says_the_same_change_nothing(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with tibber() as (simulated, url), subscribed(mqtt) as seen:
        config = write(tmp_path, mqtt, ("home", url))
        async with started(config) as bridge:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online")
            await seen.until(lambda seen: len(seen.standing("/reading/")) > 0)
            asked = len(simulated.requests)
            more(config, "# a comment\n")
            bridge.process.send_signal(signal.SIGHUP)
            await until_logged(bridge, "the configuration says what it said before: nothing changes")
            more(config, "[sources.home]\n")
            bridge.process.send_signal(signal.SIGHUP)
            await until_logged(bridge, "the configuration stays as it is, the new one cannot be used")
            await until_logged(bridge, "give each source a name of its own")
            assert await bridge.ended(signal.SIGTERM) == 0
        await seen.until(lambda seen: seen.get(STATE) == "offline")
        assert (states(seen), len(simulated.requests)) == ([b"online", b"offline"], asked)
