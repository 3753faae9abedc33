"""Plans through a real mosquitto: a device asks, and a dumb charger hears `ON` and `OFF` on one topic. Time is put forward."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.ask import ask, operations, question
from bridge.clock import SystemClock
from bridge.transport.settings import MqttSettings
from tests.commands.life import device, living, outcome, providers, written
from tests.conftest import Seen, subscribed
from tests.support import utc

WANTED = {"name": "car", "source": "home", "site": "cabin", "duration": "PT1H", "deadline": "23:30", "power_kw": 11}
CAR = "kwh2mqtt/plan/wallbox/car"


class Forward(SystemClock):
    """A clock that goes as ours does, from noon in Berlin on, and may be put forward."""

    def __init__(self) -> None:
        self.ahead = utc("2026-06-10T10:00:30") - super().now()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def go_to(self, text: str, seconds: int = 1) -> None:
        """Put the clock to just before `text`, so that it comes to pass by itself."""
        self.ahead += datetime.fromisoformat(text) - self.now() - timedelta(seconds=seconds)


async def test_a_charger_needs_one_topic_which_the_bridge_switches_also_after_a_restart(
    tmp_path: Path, mqtt: MqttSettings
) -> None:
    clock = Forward()
    async with (
        providers(clock=clock) as there,
        subscribed(mqtt, "kwh2mqtt/plan/#") as charger,
        subscribed(mqtt, "kwh2mqtt/home/+/event") as told,
        device(mqtt) as wallbox,
    ):
        file = written(tmp_path, mqtt, there.sections())
        async with living(file, clock):
            answer = await wallbox.ask("bridge/plan", {"args": WANTED})
            plan = answer["data"]
            await charger.until(lambda seen: set(seen.latest) == {CAR, f"{CAR}/active"})
            assert (outcome(answer), charger.get(f"{CAR}/active"), plan["site"]) == ("ok", "OFF", "cabin")
            clock.go_to(plan["start"])
            await charger.until(lambda seen: seen.get(f"{CAR}/active") == "ON")
            assert clock.now() >= datetime.fromisoformat(plan["start"])
            assert 3590 < expiry(charger) <= 3660
        async with living(file, clock):
            async with subscribed(mqtt, f"{CAR}/active") as late:
                await late.until(lambda seen: seen.get(f"{CAR}/active") == "ON")
                again = await wallbox.ask("bridge/plan", {"args": WANTED})
                assert again["data"]["segments"] == plan["segments"]
            clock.go_to(plan["end"])
            await charger.until(lambda seen: seen.get(f"{CAR}/active") == "OFF")
            await told.until(lambda seen: b'"plan_finished"' in seen.latest.get("kwh2mqtt/home/cabin/event", b""))
            clock.go_to(plan["end"], -3600)
            await charger.until(lambda seen: not seen.latest)


def expiry(seen: Seen) -> int:
    """Return what is left of the newest message's life, s."""
    return int(seen.messages[-1].properties.MessageExpiryInterval)  # type: ignore[union-attr] # aiomqtt's own


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_two_devices_plan_and_cancel_under_one_name_and_a_shell_asks_what_is_cheapest(
    tmp_path: Path, mqtt: MqttSettings, protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, spoken = Forward(), mqtt.model_copy(update={"protocol": protocol})
    async with (
        providers(clock=clock) as there,
        living(written(tmp_path, spoken, there.sections()), clock),
        subscribed(mqtt, "kwh2mqtt/plan/+/+/active") as charger,
        device(mqtt) as wallbox,
        device(mqtt, "heating") as heating,
    ):
        for one in (wallbox, heating):
            assert outcome(await one.ask("bridge/plan", {"args": WANTED})) == "ok"
        await charger.until(lambda seen: len(seen.latest) == 2)
        assert (await heating.ask("bridge/plan_cancel", {"args": {"name": "car"}}))["data"] == {}
        await charger.until(lambda seen: list(seen.latest) == [f"{CAR}/active"])
        assert outcome(await heating.ask("bridge/plan_cancel", {"args": {"name": "car"}})) == "not_found"
        words = ["bridge", "cheapest", "source=home", "site=cabin", "duration=PT3H", "deadline=07:00", "power_kw=11"]
        assert await ask(spoken, question(words, client=None, id_=None))
        assert '"saving"' in capsys.readouterr().out
        assert (await operations(spoken, 5.0))["bridge"] == {"cheapest": "query", "plan": "query", "plan_cancel": "query"}
