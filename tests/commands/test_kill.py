"""kill -9 at any moment around a write: the provider sees it once at the most, and whoever asked learns what is known of it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

import pytest

from bridge.simulator.octopus import OctopusFault
from bridge.transport.settings import MqttSettings
from tests.commands.life import Device, Providers, device, outcome, providers, written
from tests.test_run import Bridge

SUSPEND = "octopus/smart_control_suspend"
GRANTS = """
[clients.wallbox]
allow = ["octopus.smart_control_suspend"]
[commands]
per_minute = 1000
writes_per_minute = 1000
"""
THINKS_S = 0.04  # before the provider does what it was asked for
LATEST_KILL_S = 0.15  # after the command was sent: the answer is there by then, where the machine is not too busy
FATES = {"ok", "outcome_unknown"}


@dataclass
class Lane:
    """A bridge that is killed again and again, and a device that wants one write after the other."""

    config: Path
    wallbox: Device
    state: Device
    chance: random.Random
    outcomes: dict[str, set[str]] = field(default_factory=dict)  # by id, also those of answers that nobody asked for again

    @asynccontextmanager
    async def bridge(self) -> AsyncIterator[Bridge]:
        """Start a bridge and yield it once it hears; it is killed in the end."""
        starts = len(self.state.messages)
        running = Bridge(self.config)
        try:
            while not any(bytes(message.payload) == b"online" for message in self.state.messages[starts:]):
                await self.state.until(len(self.state.messages) + 1)
            yield running
        finally:
            running.process.send_signal(SIGKILL)
            await running.ended()

    async def live(self, names: list[str]) -> None:
        """Ask for a write of each name, kill the bridge somewhere near, and ask again in the next life."""
        before: str | None = None
        for name in [*names, None]:
            async with self.bridge():
                if before is not None:
                    await self.settle(before)
                if name is not None:
                    await self.ask_and_wait(name)
            before = name
        async with self.bridge():
            for name in names:
                again = await self.settle(name)
                assert again["replayed"] is True

    async def ask_and_wait(self, name: str) -> None:
        asking = asyncio.create_task(self.wallbox.post(SUSPEND, body(name)))
        await asyncio.sleep(self.chance.uniform(0, LATEST_KILL_S))  # a moment that differs; nothing is waited for
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    async def settle(self, name: str) -> dict[str, object]:
        """Ask again, and return the answer: done, or nobody knows."""
        count = len(self.wallbox.messages)
        await self.wallbox.post(SUSPEND, body(name))
        while not (found := [answer for answer in self.wallbox.answers()[count:] if answer["id"] == name]):
            await self.wallbox.until(len(self.wallbox.messages) + 1)
        for answer in self.wallbox.answers():
            self.outcomes.setdefault(answer["id"], set()).add(outcome(answer))
        assert outcome(found[0]) in FATES, found
        return found[0]


def body(name: str) -> dict[str, object]:
    return {"id": name, "args": {"device_id": name}}


@asynccontextmanager
async def lane(folder: Path, mqtt: MqttSettings, there: Providers, number: int) -> AsyncIterator[Lane]:
    base = f"lane-{number}"
    _, octopus, section = there.sections().partition("[sources.octopus]")
    config = written(folder / base, mqtt, f"{octopus}{section}{GRANTS}", f'base_topic = "{base}"\n')
    async with device(mqtt, base=base) as wallbox, device(mqtt, topic=f"{base}/bridge/state") as state:
        yield Lane(config, wallbox, state, random.Random(number))


@pytest.mark.parametrize(("lanes", "each"), [(4, 5), pytest.param(4, 50, marks=pytest.mark.slow)])
async def test_a_bridge_that_is_killed_around_a_write_does_it_once_at_the_most_and_answers_for_it(
    tmp_path: Path, mqtt: MqttSettings, lanes: int, each: int
) -> None:
    names = [f"device-{number}" for number in range(1, lanes * each + 1)]

    async def live(number: int, there: Providers) -> Lane:
        async with lane(tmp_path, mqtt, there, number) as own:
            await own.live(names[number * each : (number + 1) * each])
            return own

    async with providers(devices=lanes * each + 1) as there:
        there.octopus.faults.slow_s = THINKS_S
        there.octopus.faults.on("updateDeviceSmartControl", OctopusFault.SLOW)
        lived = await asyncio.gather(*(live(number, there) for number in range(lanes)))
        await asyncio.sleep(2 * THINKS_S)  # for what may still be under way at the provider
        done = Counter(one.input["deviceId"] for one in there.octopus.written)
    outcomes = {id_: found for one in lived for id_, found in one.outcomes.items()}
    assert sorted(outcomes) == sorted(names)
    assert {len(found) for found in outcomes.values()} == {1}  # whoever was told one thing is never told another
    assert set(done.values()) == {1}
    assert all(done[id_] == 1 for id_, found in outcomes.items() if found == {"ok"})
    if len(names) == 200:  # of so many some were killed before they were sent, some at the provider and some after their answer
        assert set.union(*outcomes.values()) == FATES
