"""The flows of config/node-red: what is in them, and what comes out of them in a real Node-RED."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from bridge.clock import SystemClock
from bridge.providers import base as providers
from bridge.settings import Settings
from bridge.simulator.server import Request, Response, Server
from bridge.simulator.tibber import PATH, Tibber
from bridge.state.settings import StateSettings
from bridge.topics import Topics
from bridge.transport.settings import MqttSettings
from tests.conftest import Seen, subscribed
from tests.nodered import DASHBOARD, TAP, Node, flow, names, node_red, tried
from tests.test_app import TOKEN, running

TOPICS = Topics("kwh2mqtt")
CABIN = "kwh2mqtt/home/cabin/price/import"
WINDOW = TOPICS.window("home", "cabin", "import", "cheapest-3h")
CORE = {
    "tab", "mqtt-broker", "mqtt in", "mqtt out", "inject", "function", "debug", "rbe", "trigger", "http request",
}  # fmt: skip
UI = {"ui-base", "ui-theme", "ui-page", "ui-group", "ui-gauge", "ui-chart"}
BOARD = "dashboard.json"  # the one that needs more than Node-RED itself
SECRETS = {"credentials", "user", "password", "key", "token"}
OURS = {  # the topics that the flows hear
    *(TOPICS.price("home", "cabin", "import", figure) for figure in ("value", "current", "slots", "summary")),
    WINDOW,
    TOPICS.window_active("home", "cabin", "import", "cheapest-3h"),
    TOPICS.bridge("state"),
    TOPICS.plan_active("node-red", "boiler"),
    *(TOPICS.responses("node-red") + below for below in ("flow", "+/+", "bridge/plan")),
}
COMMANDS = {TOPICS.own_commands("node-red") + "bridge/plan"}
THEIRS = {"cmnd/pump/POWER", "cmnd/boiler/POWER", "go-eCharger/012345/frc/set", "openevse/override/set", "shellyplus1-aabbcc/rpc"}
BY_MESSAGE = {"kwh-ask-out", "kwh-ask3-out", "kwh-victron-gx"}  # whose function names the topic


# what is in them


@pytest.mark.parametrize("name", names())
def test_a_flow_is_wired_to_nodes_on_its_own_tab_and_has_no_credentials(name: str) -> None:
    nodes = {node["id"]: node for node in flow(name)}
    assert len(nodes) == len(flow(name))
    assert {node["type"] for node in nodes.values()} <= (CORE | UI if name == BOARD else CORE)
    assert [sorted(SECRETS & set(node)) for node in nodes.values() if SECRETS & set(node)] == []
    (tab,) = (node["id"] for node in nodes.values() if node["type"] == "tab")
    (broker,) = (node["id"] for node in nodes.values() if node["type"] == "mqtt-broker")
    for node in nodes.values():
        if "wires" not in node:  # what others refer to
            assert {node[key] for key in ("ui", "theme", "page") if key in node} <= set(nodes)
            continue
        assert node.get("group", tab) in nodes
        assert node["z"] == tab
        assert [target for output in node["wires"] for target in output if nodes[target]["z"] != tab] == []
        assert node.get("broker", broker) == broker
        assert len(node["wires"]) == node.get("outputs", 0 if node["type"] in ("debug", "mqtt out") else 1)


def test_all_flows_can_be_imported_side_by_side() -> None:
    ids = [node["id"] for name in names() for node in flow(name)]
    assert len(ids) == len(set(ids))


def test_every_node_but_a_first_one_is_led_to_and_every_one_but_a_last_one_leads_on() -> None:
    first, last = {"mqtt in", "inject"}, {"debug", "mqtt out", "ui-gauge", "ui-chart"}
    for nodes in map(flow, names()):
        led_to = {target for node in nodes for output in node.get("wires", ()) for target in output}
        for node in nodes:
            if "wires" in node:
                assert (node["id"] in led_to) is (node["type"] not in first), node["id"]
                assert any(node["wires"]) is (node["type"] not in last), node["id"]


def test_every_topic_that_is_heard_is_one_of_ours_and_every_other_is_named_here() -> None:
    nodes = [node for name in names() for node in flow(name)]
    assert {node["topic"] for node in nodes if node["type"] == "mqtt in"} == OURS
    assert {node["topic"] for node in nodes if node["type"] == "mqtt out" and node["topic"]} == COMMANDS | THEIRS
    assert {node["id"] for node in nodes if node["type"] == "mqtt out" and not node["topic"]} == BY_MESSAGE
    assert {node["retain"] for node in nodes if node["type"] == "mqtt out"} <= {"false", ""}  # a command is never retained


def test_the_two_flows_for_commands_ask_the_same_over_either_protocol() -> None:
    asked = [[node["props"] for node in flow(name) if node["type"] == "inject"] for name in ("command.json", "command-311.json")]
    assert asked[0] == asked[1]
    protocols = {name: node["protocolVersion"] for name in names() for node in flow(name) if node["type"] == "mqtt-broker"}
    assert {name for name, protocol in protocols.items() if protocol == "4"} == {"command-311.json"}
    assert set(protocols.values()) == {"4", "5"}


# what comes out of them


OSLO = ZoneInfo("Europe/Oslo")  # the simulated home's
LEAD = timedelta(seconds=5)


class Soon(SystemClock):
    """A clock that goes as ours does, but is shortly before a full minute at first: a window begins on one.

    It is slow, never fast: what Node-RED says is to expire in half a minute would have expired.
    """

    def __init__(self) -> None:
        now = super().now()
        self.begins = now.replace(second=0, microsecond=0)
        self._behind = now - self.begins + LEAD

    def now(self) -> datetime:
        return super().now() - self._behind


@asynccontextmanager
async def home(clock: SystemClock) -> AsyncIterator[str]:
    async with Server(Tibber(clock.now, token=TOKEN).handle) as server:
        yield f"{server.url}{PATH}"


def settings(folder: Path, mqtt: MqttSettings, url: str, begins: datetime) -> Settings:
    """Return a source whose window has no other place than from `begins` on."""
    provider = providers.find("tibber")
    assert provider is not None
    opens, closes = ((begins + timedelta(hours=hours)).astimezone(OSLO).strftime("%H:%M") for hours in (-1, 2))
    window = {"duration": "PT2H", "not_before": opens, "deadline": closes}
    section = {"provider": "tibber", "token": TOKEN, "url": url, "windows": {"cheapest-3h": window}}
    sources = {"home": provider.settings.model_validate(section)}
    return Settings(None, mqtt, StateSettings(directory=folder / "state"), sources, {"home": provider})


class Optimiser:
    """An EMHASS that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    async def handle(self, request: Request) -> Response:
        self.asked.append((request.method, request.path, json.loads(request.body)))
        return Response(body=b"EMHASS >> Action naive-mpc-optim executed... \n", content_type="text/plain")


def out(seen: Seen, node: str) -> Any:
    return json.loads(seen.latest[TAP + node])


def told(seen: Seen, topic: str) -> Any:
    return json.loads(seen.latest[topic])


def written(seen: Seen) -> dict[str, int]:
    """Return what was written into Victron's schedule, zeros left out."""
    above = "W/c0619ab27f32/settings/0/Settings/DynamicEss/Schedule/"
    found = {topic.removeprefix(above): told(seen, topic)["value"] for topic in seen.latest if topic.startswith(above)}
    assert {key for key in found if key.endswith("/Start")} == {f"{slot}/Start" for slot in range(48)}
    return {key: value for key, value in found.items() if value or key.startswith("0/")}


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


SAFE = {  # what is told when the bridge is gone
    "cmnd/pump/POWER": "OFF",
    "cmnd/boiler/POWER": "OFF",
    "go-eCharger/012345/frc/set": "0",
    "openevse/override/set": "clear",
    "shellyplus1-aabbcc/rpc": '{"id":17,"src":"node-red","method":"Switch.Set","params":{"id":0,"on":false}}',
}


@pytest.mark.slow
async def test_what_comes_out_of_the_flows_in_a_real_node_red(tmp_path: Path, mqtt: MqttSettings) -> None:
    optimiser, clock = Optimiser(), Soon()
    flows = [flow(name) for name in names() if name != BOARD]
    lasts = {TAP + node["id"] for nodes in flows for node in nodes if node["type"] == "debug"} - {TAP + "kwh-plan-why"}
    async with AsyncExitStack() as bridge, home(clock) as url, subscribed(mqtt) as seen, Server(optimiser.handle) as emhass:
        nodes: list[Node] = [node for nodes in flows for node in tried(nodes, mqtt.port, emhass.url)]
        await bridge.enter_async_context(running(settings(tmp_path, mqtt, url, clock.begins), clock))
        await seen.until(lambda seen: seen.get(f"{WINDOW}/active") == "ON")
        async with node_red(tmp_path / "node-red", nodes):
            with suppress(TimeoutError):
                await seen.until(lambda seen: {*lasts, *THEIRS} <= set(seen.latest), 30)
            assert {*lasts, *THEIRS} - set(seen.latest) == set()
            for check in (check_prices, check_commands, check_switches, check_victron):
                check(seen)
            check_emhass(seen, optimiser)
            await bridge.aclose()
            await seen.until(lambda seen: {topic: seen.get(topic) for topic in SAFE} == SAFE)


def check_prices(seen: Seen) -> None:
    assert out(seen, "kwh-price-gauge") == told(seen, f"{CABIN}/value")
    points = [{"x": seconds(slot["start"]) * 1000, "y": slot["value"]} for slot in told(seen, f"{CABIN}/slots")]
    assert out(seen, "kwh-price-chart") == points
    slot = told(seen, f"{CABIN}/current")
    assert out(seen, "kwh-price-third") == ("ON" if slot["rank"] <= slot["rank_of"] / 3 else "OFF")


def check_commands(seen: Seen) -> None:
    slots = told(seen, f"{CABIN}/slots")
    for flow_name in ("kwh-ask", "kwh-ask3"):
        found = out(seen, f"{flow_name}-answer")["prices"]
        assert [prices["slots"] for prices in found if prices["site"] == "cabin"] == [slots]
        assert out(seen, f"{flow_name}-refusal").startswith("unknown_operation: ")
    assert told(seen, TOPICS.plan("node-red", "boiler"))["name"] == "boiler"


def check_switches(seen: Seen) -> None:
    assert seen.get("cmnd/pump/POWER") == "ON"
    assert seen.get("cmnd/boiler/POWER") == seen.get(TOPICS.plan_active("node-red", "boiler"))
    assert seen.get("go-eCharger/012345/frc/set") == "2"
    assert told(seen, "openevse/override/set") == {"state": "active", "charge_current": 16, "auto_release": True}
    call = told(seen, "shellyplus1-aabbcc/rpc")
    left = call["params"].pop("toggle_after")
    assert call == {"id": 17, "src": "node-red", "method": "Switch.Set", "params": {"id": 0, "on": True}}
    assert left == pytest.approx(seconds(told(seen, WINDOW)["end"]) - datetime.now(UTC).timestamp(), abs=60)


def check_victron(seen: Seen) -> None:
    window = told(seen, WINDOW)
    start, end = seconds(window["start"]), seconds(window["end"])
    target = {"0/Soc": 90, "0/TargetSoc": 90, "0/Strategy": 0, "0/Restrictions": 0, "0/AllowGridFeedIn": 1}
    assert written(seen) == {"0/Start": start, "0/Duration": end - start, **target}


def check_emhass(seen: Seen, optimiser: Optimiser) -> None:
    method, path, asked = optimiser.asked[-1]
    assert (method, path) == ("POST", "/action/naive-mpc-optim")
    ahead = {
        slot["start"]: slot["value"]
        for slot in told(seen, f"{CABIN}/slots")
        if seconds(slot["end"]) > datetime.now(UTC).timestamp()
    }
    assert asked["load_cost_forecast"].items() >= ahead.items()
    assert asked["prediction_horizon"] == pytest.approx(len(ahead) / 2, abs=1)
    assert out(seen, "kwh-emhass-done").startswith("EMHASS")


@pytest.mark.slow
async def test_the_dashboard_shows_the_price_and_the_day(tmp_path: Path, mqtt: MqttSettings) -> None:
    clock, folder = Soon(), tmp_path / "node-red"
    async with home(clock) as url, subscribed(mqtt) as seen, running(settings(tmp_path, mqtt, url, clock.begins), clock):
        async with node_red(folder, tried(flow(BOARD), mqtt.port, ""), DASHBOARD) as address:
            await seen.until(lambda seen: seen.get(f"{TAP}kwh-ui-gauge-shown") not in (None, "null"), 30)
            await seen.until(lambda seen: f"{TAP}kwh-ui-chart-shown" in seen.latest)
            factor = told(seen, f"{CABIN}/summary")["display_factor"]
            assert out(seen, "kwh-ui-gauge-shown") == pytest.approx(told(seen, f"{CABIN}/value") * factor, abs=0.01)
            points = [{"x": seconds(slot["start"]) * 1000, "y": slot["value"]} for slot in told(seen, f"{CABIN}/slots")]
            assert out(seen, "kwh-ui-chart-shown") == points
            async with httpx2.AsyncClient() as client:
                page = await client.get(f"{address}/dashboard/")
            assert (page.status_code, "<title>" in page.text) == (200, True)
        assert [line for line in (folder / "log").read_text("utf-8").splitlines() if "[error]" in line] == []
