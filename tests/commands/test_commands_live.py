"""Commands through a real mosquitto, by devices of either protocol, to the bridge as it runs, on simulated providers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.octopus import OctopusFault
from bridge.transport.settings import MqttSettings
from tests.commands.life import ALL, API_KEY, CAR, TOKEN, Protocol, device, living, outcome, providers, until, written

BOOST = {"id": "7", "args": {"device_id": CAR}}
BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.mark.parametrize("bridge", ["5", "3.1.1"])
@BOTH
async def test_devices_of_either_protocol_ask_and_are_answered_with_their_own_qos(
    tmp_path: Path, mqtt: MqttSettings, protocol: Protocol, bridge: Protocol
) -> None:
    async with (
        providers() as there,
        living(written(tmp_path, speaking(mqtt, bridge), there.sections() + ALL)),
        device(mqtt, "wallbox", protocol) as wallbox,
    ):
        for qos in (0, 1, 2):
            answer = await wallbox.ask("home/sites", {"id": f"{qos}"}, qos=qos)
            assert (answer["id"], answer["status"]) == (f"{qos}", "ok")
            assert [site["site"] for site in answer["data"]["sites"]] == ["holm-street", "cabin"]
        assert [(message.qos, bool(message.retain), str(message.topic)) for message in wallbox.messages] == [
            (qos, False, "kwh2mqtt/response/wallbox/home/sites") for qos in (0, 1, 2)
        ]
        prices = await wallbox.ask("octopus/prices", {"args": {"stream": "import"}})
        assert [(one["site"], one["unit"]) for one in prices["data"]["prices"]] == [("home", "GBP/kWh")]
        assert len(prices["data"]["prices"][0]["slots"]) >= 46
        assert outcome(await wallbox.ask("octopus/boost_start", BOOST)) == "ok"
        assert (await wallbox.ask("octopus/boost_start", BOOST))["replayed"] is True
        assert [one.mutation for one in there.octopus.written] == ["updateBoostCharge"]
        refused = await wallbox.ask("octopus/boost_start", {**BOOST, "id": "8"})
        assert (refused["error"]["code"], refused["error"]["reasons"]) == ("refused", ["BC_BOOST_CHARGE_IN_PROGRESS"])


def speaking(mqtt: MqttSettings, protocol: Protocol) -> MqttSettings:
    return mqtt.model_copy(update={"protocol": protocol})


async def test_a_response_topic_and_correlation_data_of_the_client_s_own_are_heeded_and_any_other_is_not(
    tmp_path: Path, mqtt: MqttSettings
) -> None:
    foreign = ("kwh2mqtt/response/wallbox2/x", "kwh2mqtt/response/wallbox/../button/x", "elsewhere", "kwh2mqtt/bridge/state")
    async with (
        providers() as there,
        living(written(tmp_path, mqtt, there.sections() + ALL)),
        device(mqtt, "all", topic="#") as everyone,
        device(mqtt) as wallbox,
    ):
        await wallbox.ask("home/sites", ResponseTopic="kwh2mqtt/response/wallbox/in", CorrelationData=b"\x00c")
        await wallbox.ask("home/sites", CorrelationData=b"2")
        for topic in foreign:
            await wallbox.ask("home/sites", {"id": topic[:64]}, ResponseTopic=topic, CorrelationData=b"3")
        usual = "kwh2mqtt/response/wallbox/home/sites"
        about: list[Any] = [getattr(message.properties, "CorrelationData", None) for message in wallbox.messages]
        assert list(zip((str(message.topic) for message in wallbox.messages), about, strict=True)) == [
            ("kwh2mqtt/response/wallbox/in", b"\x00c"),
            (usual, b"2"),
            *[(usual, b"3")] * len(foreign),
        ]
        assert wallbox.outcomes()[2:] == [(topic[:64], "bad_request") for topic in foreign]
        await everyone.client.publish("the/end", b"")
        await until(lambda: any(str(message.topic) == "the/end" for message in everyone.messages))
        others = {str(message.topic) for message in everyone.messages} & {*foreign[:3], "kwh2mqtt/response/button/x"}
        states = [message for message in everyone.messages if str(message.topic) == "kwh2mqtt/bridge/state"]
        assert (others, [bytes(message.payload) for message in states]) == (set(), [b"online"])


async def test_200_clients_with_20_commands_each_are_all_answered_once(tmp_path: Path, mqtt: MqttSettings) -> None:
    errands = ("home/sites", "home/prices", "octopus/sites", "octopus/readings", "home/brew")

    async def ask(number: int) -> list[tuple[str | None, str]]:
        protocol: Protocol = "5" if number % 2 else "3.1.1"
        async with device(mqtt, f"client-{number}", protocol) as one:
            for count in range(20):
                await one.post(errands[count % 5], {"id": f"{number}-{count}"}, qos=count % 3)
            await one.until(20)
            await one.post("home/sites", {"id": "last"}, qos=2)
            await one.until(21)
            return one.outcomes()

    async with providers() as there, living(written(tmp_path, mqtt, there.sections() + ALL)) as app:
        found = await asyncio.gather(*(ask(number) for number in range(200)))
        assert len(app.shelf) == 0
    for number, outcomes in enumerate(found):
        wanted = [(f"{number}-{count}", "unknown_operation" if count % 5 == 4 else "ok") for count in range(20)]
        assert sorted(outcomes[:20]) == sorted(wanted)
        assert outcomes[20:] == [("last", "ok")]


@BOTH
async def test_a_retained_command_is_refused_and_not_carried_out(tmp_path: Path, mqtt: MqttSettings, protocol: Protocol) -> None:
    async with device(mqtt) as wallbox, providers() as there:
        await wallbox.post("octopus/boost_start", BOOST, retain=True)
        file = written(tmp_path, speaking(mqtt, protocol), there.sections() + ALL)
        for start in (1, 2):
            async with living(file):
                await wallbox.until(2 * start - 1)
                assert outcome(await wallbox.ask("home/sites", {"id": "8"})) == "ok"
        assert wallbox.outcomes() == [("7", "retained"), ("8", "ok")] * 2
        assert there.octopus.written == []


async def test_with_mqtt_5_a_command_that_is_retained_now_is_refused_too(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with providers() as there, living(written(tmp_path, mqtt, there.sections() + ALL)), device(mqtt) as wallbox:
        assert outcome(await wallbox.ask("octopus/boost_start", BOOST, retain=True)) == "retained"
        await wallbox.post("octopus/boost_start", b"", retain=True)  # which clears it
        assert outcome(await wallbox.ask("octopus/boost_start", BOOST)) == "ok"
        assert wallbox.outcomes() == [("7", "retained"), ("7", "ok")]
        assert len(there.octopus.written) == 1


@pytest.mark.parametrize("qos", [0, 1, 2])
@BOTH
async def test_what_is_sent_while_the_bridge_is_down_is_not_carried_out_later(
    tmp_path: Path, mqtt: MqttSettings, protocol: Protocol, qos: int
) -> None:
    async with device(mqtt) as wallbox, providers() as there:
        file = written(tmp_path, speaking(mqtt, protocol), there.sections() + ALL)
        async with living(file):
            assert outcome(await wallbox.ask("home/sites", {"id": "1"})) == "ok"
        await wallbox.post("octopus/boost_start", BOOST, qos=qos)
        await wallbox.post("home/sites", {"id": "2"}, qos=qos)
        async with living(file):
            assert outcome(await wallbox.ask("home/sites", {"id": "3"})) == "ok"
        assert wallbox.outcomes() == [("1", "ok"), ("3", "ok")]
        assert there.octopus.written == []


async def test_a_command_that_expires_at_the_broker_or_on_its_way_is_not_carried_out(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with providers() as there, living(written(tmp_path, mqtt, there.sections() + ALL)), device(mqtt) as wallbox:
        assert outcome(await wallbox.ask("home/sites", {"id": "1"}, MessageExpiryInterval=60)) == "ok"
        late = {**BOOST, "expires_at": "2020-01-01T00:00:00Z"}
        assert outcome(await wallbox.ask("octopus/boost_start", late)) == "expired"
        there.octopus.faults.on("Devices", OctopusFault.SLOW)
        there.octopus.faults.slow_s = 60
        assert outcome(await wallbox.ask("octopus/devices", {"id": "3"}, MessageExpiryInterval=1)) == "timeout"
        assert there.octopus.written == []


@BOTH
async def test_a_second_bridge_under_the_same_client_id_neither_doubles_a_write_nor_an_answer(
    tmp_path: Path, mqtt: MqttSettings, protocol: Protocol
) -> None:
    name = 'client_id = "the-bridge"\n'
    async with providers(devices=40) as there, device(mqtt, protocol=protocol) as wallbox:
        sections = f"{there.sections()}{ALL}[commands]\nwrites_per_minute = 100\nper_minute = 100\n"
        first, second = (written(tmp_path / place, speaking(mqtt, protocol), sections, name) for place in ("one", "two"))
        async with living(first):
            async with living(second):
                for number in range(20):
                    body = {"id": f"{number}", "args": {"device_id": f"device-{number + 1}"}}
                    await wallbox.post("octopus/smart_control_suspend", body)
                    await asyncio.sleep(0.05)  # they take turns at the broker meanwhile
            await until(lambda: wallbox.messages)
            body = {"id": "last", "args": {"device_id": "device-21"}}
            async with asyncio.timeout(60):  # the one that is left comes back, and what came in between is lost
                while ("last", "ok") not in wallbox.outcomes():
                    await wallbox.post("octopus/smart_control_suspend", body)
                    await asyncio.sleep(0.2)
        done = [one.input["deviceId"] for one in there.octopus.written]
        assert len(done) == len(set(done))
        answered = [id_ for id_, _ in wallbox.outcomes() if id_ != "last"]
        assert len(answered) == len(set(answered))
        assert {"ok"} == {result for _, result in wallbox.outcomes()}


async def test_equal_questions_of_many_devices_are_one_request(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with providers() as there, living(written(tmp_path, mqtt, there.sections() + ALL)), device(mqtt) as wallbox:
        there.octopus.faults.slow_s = 0.5
        there.octopus.faults.on("Transactions", OctopusFault.SLOW)
        async with device(mqtt, "button") as button:
            for number in range(5):
                await wallbox.post("octopus/transactions", {"id": f"{number}"})
                await button.post("octopus/transactions", {"id": f"{number}"})
            await wallbox.until(5)
            await button.until(5)
            for one in (wallbox, button):
                assert one.outcomes() == [(f"{number}", "ok") for number in range(5)]
        assert [one.operation for one in there.octopus.requests].count("Transactions") == 1


async def test_pollers_and_commands_share_one_budget_of_which_a_quarter_is_the_pollers_own(
    tmp_path: Path, mqtt: MqttSettings
) -> None:
    async with providers() as there:
        sections = there.sections(budget="{ requests = 60, seconds = 3600 }")
        file = written(tmp_path, mqtt, f"{sections}{ALL}[commands]\nper_minute = 1000\nwrites_per_minute = 1000\n")
        async with living(file) as app, device(mqtt) as wallbox:
            polled = len(there.octopus.requests)
            while outcome(answer := await wallbox.ask("octopus/balance")) == "ok":
                assert len(there.octopus.requests) <= 45
            assert answer["error"]["code"] == "rate_limited"
            assert 3500 < answer["error"]["retry_after"] <= 3600
            write = await wallbox.ask("octopus/boost_start", BOOST)
            assert (outcome(write), write["error"]["retry_after"] > 3500) == ("rate_limited", True)
            assert (0 < polled < 45, len(there.octopus.requests), there.octopus.written) == (True, 45, [])
            assert app.account("octopus").report.counters(app.clock.now()).requests_today == 45
            assert outcome(await wallbox.ask("octopus/sites")) == "ok"  # which needs no request


async def test_a_user_s_own_documents_are_offered_as_commands(tmp_path: Path, mqtt: MqttSettings) -> None:
    (tmp_path / "home.graphql").write_text("query ($id: ID!) { viewer { mine: home(id: $id) { appNickname } } }")
    (tmp_path / "push.graphql").write_text(
        'mutation ($title: String!) { sendPushNotification(input: {title: $title, message: "m"}) { successful } }'
    )
    own = "".join(f'[sources.home.operations.{name}]\ndocument = "{name}.graphql"\n' for name in ("home", "push"))
    grants = '[clients.wallbox]\nallow = ["*", "home.push"]\n'
    async with providers() as there, living(written(tmp_path, mqtt, there.sections() + own + grants)), device(mqtt) as wallbox:
        home = await wallbox.ask("home/home", {"args": {"id": there.tibber.homes[0].id}})
        assert home["data"] == {"viewer": {"mine": {"appNickname": "Holm Street"}}}
        assert outcome(await wallbox.ask("home/home", {"args": {"id": True}})) == "bad_request"
        body = {"id": "7", "args": {"title": "Hello"}}
        assert (await wallbox.ask("home/push", body))["data"] == {"sendPushNotification": {"successful": True}}
        assert (await wallbox.ask("home/push", body))["replayed"] is True
        assert outcome(await wallbox.ask("home/push", {"id": "8"})) == "bad_request"


async def test_each_write_is_told_on_the_audit_topic_and_no_secret_anywhere(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with (
        providers() as there,
        device(mqtt, "all", topic="#") as everyone,
        living(written(tmp_path, mqtt, there.sections() + ALL)),
        device(mqtt) as wallbox,
    ):
        await wallbox.ask("octopus/boost_start", BOOST)
        there.octopus.faults.next(OctopusFault.ECHO_TOKEN)
        echoed = await wallbox.ask("octopus/balance")
        assert (outcome(echoed), "***" in echoed["error"]["message"]) == ("unavailable", True)
        await until(lambda: any("audit" in str(message.topic) for message in everyone.messages))
        (line,) = [answer for message, answer in zip(everyone.messages, everyone.messages, strict=True)
                   if str(message.topic) == "kwh2mqtt/bridge/audit"]  # fmt: skip
        assert b'"client":"wallbox","operation":"octopus.boost_start","id":"7","outcome":"ok"' in bytes(line.payload)
        assert not line.retain
        assert CAR.encode() not in bytes(line.payload)
    payloads = b"".join(bytes(message.payload) for message in everyone.messages)
    assert [secret for secret in (TOKEN, API_KEY) if secret.encode() in payloads] == []


async def test_a_refresh_asks_for_everything_now_and_not_again_at_once(tmp_path: Path, mqtt: MqttSettings) -> None:
    async with providers() as there, living(written(tmp_path, mqtt, there.sections() + ALL)), device(mqtt) as wallbox:
        asked = len(there.tibber.requests)
        assert outcome(await wallbox.ask("home/refresh")) == "ok"
        again = await wallbox.ask("home/refresh")
        assert (outcome(again), 290 < again["error"]["retry_after"] <= 300) == ("rate_limited", True)
        assert len(there.tibber.requests) >= asked
