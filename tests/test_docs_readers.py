"""docs/readers: each snippet is read as its reader reads it, and each page says what happens when a price is unknown.

JavaScript runs in Node.js; where that is not installed, these tests are skipped.
"""

import json
import re
import shutil
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bridge.models.message import Message
from bridge.models.payload import encoded_slots
from bridge.models.price import HOUR, QUARTER_HOUR, Slot
from bridge.pricing.windows import WindowSettings
from bridge.readers.settings import ReadersSettings
from bridge.readers.warp import Warp
from bridge.topics import WARP_PRICES, Topics
from tests.nodered import flow
from tests.readers.warped import read_by_warp
from tests.support import FACTS, quarters, utc
from tests.test_docs import DOCUMENTS, READERS, README, ROOT, blocks, mapping, one, read_by_evcc, rows

TOPICS = Topics("kwh2mqtt")
TEN = utc("2026-11-20T10:00")
PRICES = quarters(TEN, ["0.2512", "0.2487", "0", "-0.0537"])
SLOTS = encoded_slots(PRICES).decode()
WINDOW = "kwh2mqtt/home/cabin/price/import/window/cheapest-3h"
ACTIVE, STATE = f"{WINDOW}/active", "kwh2mqtt/bridge/state"


def fact(name: str) -> str:
    file = FACTS / "readers" / name
    if not file.is_file():
        pytest.skip("../shared is not there")
    return file.read_text("utf-8")


# every page


@pytest.mark.parametrize("reader", READERS)
def test_every_page_says_what_happens_when_a_price_is_unknown_and_is_read_in_two_minutes(reader: str) -> None:
    page = READERS[reader]
    assert "\n## When a price is unknown\n" in page
    assert "wo minutes" in page
    assert len(page.partition("\n## The Energy dashboard\n")[0].split()) < 600  # Home Assistant's page goes on


def test_the_readme_leads_to_every_page() -> None:
    cells = " ".join(row[0] for row in rows(README, "| reader | how it reads |"))
    named = set(re.findall(r"docs/readers/([\w-]+)\.md", cells))
    wanted = {"evcc", "power-saver", "emhass", "warp", "go-e", "openevse", "shelly", "victron", "microcontrollers"}
    assert named == {*wanted, "home-assistant"} == set(READERS)


def test_every_flow_is_in_the_documentation() -> None:
    linked = {found for text in DOCUMENTS.values() for found in re.findall(r"\]\([^)]*config/node-red/([\w.-]+)\)", text)}
    assert linked == {file.name for file in (ROOT / "config" / "node-red").iterdir()}


@pytest.mark.parametrize("reader", READERS)
def test_every_topic_of_ours_on_a_page_is_one_that_the_examples_have(reader: str) -> None:
    named = set(re.findall(r"(?<![\w/])kwh2mqtt/(?:home|bridge)/[\w/-]+", READERS[reader]))
    known = {f"kwh2mqtt/home/cabin/price/import/{figure}" for figure in ("slots", "columns", "value")} | {WINDOW, ACTIVE, STATE}
    assert named <= known


@pytest.mark.parametrize("reader", [name for name, page in READERS.items() if "[sources." in "".join(blocks(page, "toml"))])
def test_the_window_on_a_page_is_one_that_can_be_configured(reader: str) -> None:
    text = one(READERS[reader], "toml", "[sources.")
    windows = tomllib.loads(text)["sources"]["home"]["windows"]
    assert list(windows) == ["cheapest-3h"]
    WindowSettings.model_validate(windows["cheapest-3h"])


# evcc


async def test_evcc_reads_our_slots_with_exactly_its_keys_in_order(told_slots: Message) -> None:
    rates = json.loads(told_slots.payload)
    assert {tuple(rate) for rate in rates} == {("start", "end", "value")}
    read = read_by_evcc(told_slots.payload.decode())
    assert all(end <= start for (_, end, _), (start, _, _) in pairwise(read))


@pytest.fixture
def told_slots() -> Message:
    gap = timedelta(hours=2)
    slots = [*PRICES, Slot(TEN + gap, TEN + gap + HOUR, PRICES[0].value)]
    return Message("kwh2mqtt/home/cabin/price/import/slots", encoded_slots(slots))


# JavaScript, in Node.js


def run_js(program: str, given: Any) -> Any:
    """Return what `program` prints as JSON; it finds `given` as the constant of that name."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    whole = f"const given = {json.dumps(given)};\n{program}"
    ran = subprocess.run([node, "-e", whole], capture_output=True, text=True, check=True, timeout=30)
    return json.loads(ran.stdout)


def out_of(func: str, *messages: tuple[str, str]) -> list[Any]:
    """Return what a function node returns for each message, a topic and a payload, in a context of its own."""
    program = """
    const kept = new Map();
    const context = { get: (key) => kept.get(key), set: (key, value) => kept.set(key, value) };
    const node = new Function("msg", "context", given.func);
    const out = given.messages.map(([topic, payload]) => node({ topic, payload }, context) ?? null);
    console.log(JSON.stringify(out));
    """
    found: list[Any] = run_js(program, {"func": func, "messages": messages})
    return found


def function(name: str, node_id: str) -> str:
    (func,) = (node["func"] for node in flow(name) if node["id"] == node_id)
    return str(func)


def test_power_saver_is_given_what_its_strategies_want() -> None:
    (func,) = blocks(READERS["power-saver"], "js")
    known, empty = out_of(func, ("slots", SLOTS), ("slots", ""))
    assert known == {"payload": {"priceData": json.loads(SLOTS)}}
    assert empty is None


def ahead(count: int) -> str:
    """Return `count` quarter-hours, the first of which has just begun."""
    now = datetime.now(UTC)
    start = now - timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    return encoded_slots(quarters(start, [0.1] * count)).decode()


def test_emhass_is_given_what_is_ahead_and_no_step_beyond_it() -> None:
    func = function("emhass.json", "kwh-emhass-params")
    slots = ahead(9)
    past, known, empty = out_of(func, ("slots", SLOTS), ("slots", slots), ("slots", ""))
    assert (past, empty) == (None, None)  # all of it is over, or nothing is known
    assert known["payload"]["load_cost_forecast"] == {slot["start"]: slot["value"] for slot in json.loads(slots)}
    assert known["payload"]["prediction_horizon"] == 4
    shown = json.loads(one(READERS["emhass"], "json", "load_cost_forecast"))
    assert list(shown) == list(known["payload"])
    assert shown["prediction_horizon"] == len(shown["load_cost_forecast"]) / 2
    assert all(datetime.fromisoformat(time).tzinfo for time in shown["load_cost_forecast"])


def test_an_unknown_price_is_null_on_a_gauge_and_never_0() -> None:
    shown = out_of(function("price.json", "kwh-price-number"), ("value", "0.2512"), ("value", ""), ("value", "0"))
    assert [message["payload"] for message in shown] == [0.2512, None, 0]
    glance = json.dumps({"display_factor": 100, "display_unit": "ct/kWh", "unit": "EUR/kWh", "min": -0.05, "max": 0.3})
    life = (
        ("price/value", "0.2512"),
        ("price/summary", glance),
        ("price/value", ""),
        ("price/value", "0"),
        ("price/summary", ""),
    )
    shown = out_of(function("dashboard.json", "kwh-ui-now"), *life)
    assert [message["payload"] for message in shown] == [None, 25.12, None, 0, None]
    assert [message["ui_update"]["label"] for message in shown] == ["unknown", "now", "unknown", "now", "unknown"]
    assert shown[1]["ui_update"] == {"label": "now", "units": "ct/kWh", "min": -5, "max": 30}


SPAN = json.dumps({"start": "2020-01-01T00:00:00Z", "end": "2099-01-01T00:00:00Z", "mean": 0.1})
ONLINE, OFFLINE = (STATE, "online"), (STATE, "offline")
ON, OFF = (ACTIVE, "ON"), (ACTIVE, "OFF")
KNOWN, UNKNOWN = (WINDOW, SPAN), (WINDOW, "")
LIFE = (ONLINE, KNOWN, ON, OFF, UNKNOWN, KNOWN, ON, OFFLINE)


def told(name: str, node_id: str) -> list[Any]:
    """Return what a charger is told after the window is known, is in force, is over, is unknown, and after the bridge dies."""
    found = [message["payload"] for message in out_of(function(name, node_id), *LIFE)]
    return [found[number] for number in (1, 2, 3, 4, 7)]


def test_go_e_charges_in_the_window_and_is_left_to_itself_when_nothing_is_known() -> None:
    assert told("go-e.json", "kwh-goe-force") == [1, 2, 1, 0, 0]
    table = rows(READERS["go-e"], "| when | `frc` | what the charger does |")
    assert [row[1] for row in table] == ["`2`", "`1`", "`0`"]


def test_openevse_is_overridden_in_the_window_and_outside_it_and_else_released() -> None:
    stop = '{"state":"disabled","auto_release":true}'
    go, stopped, clear = (row[1].strip("`") for row in rows(READERS["openevse"], "| when | payload |"))
    assert (stopped, clear) == (stop, "clear")
    assert told("openevse.json", "kwh-openevse-override") == [stop, go, stop, clear, clear]


def test_a_relay_is_on_in_the_window_alone() -> None:
    for name, node_id in (("cheapest.json", "kwh-cheap-switch"), ("plan.json", "kwh-plan-switch")):
        told_to = [message["payload"] for message in out_of(function(name, node_id), ONLINE, ON, OFF, ON, OFFLINE, ONLINE)]
        assert told_to == ["OFF", "ON", "OFF", "ON", "OFF", "ON"]


def test_a_shelly_is_told_for_how_long_by_node_red() -> None:
    func = function("shelly.json", "kwh-shelly-rpc")
    calls = [json.loads(message["payload"]) for message in out_of(func, *LIFE)]
    shown = json.loads(one(READERS["shelly"], "json", "Switch.Set"))
    assert [set(call) for call in calls] == [set(shown)] * len(LIFE)
    assert [call["params"]["on"] for call in calls] == [False, False, True, False, False, False, True, False]
    assert [set(call["params"]) == set(shown["params"]) for call in calls] == [call["params"]["on"] for call in calls]


def test_a_shelly_that_missed_the_end_is_not_told_to_go_on() -> None:
    over = json.dumps({"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T03:00:00Z", "mean": 0.1})
    *_, call = out_of(function("shelly.json", "kwh-shelly-rpc"), ONLINE, ON, (WINDOW, over))
    assert json.loads(call["payload"])["params"] == {"id": 0, "on": False}


def test_the_script_of_a_shelly_switches_it_when_it_changes() -> None:
    (script,) = blocks(READERS["shelly"], "js")
    program = """
    const heard = {}, calls = [];
    const MQTT = { subscribe: (topic, callback) => { heard[topic] = callback; } };
    const Shelly = { call: (method, params) => calls.push([method, params]) };
    new Function("MQTT", "Shelly", given.script)(MQTT, Shelly);
    for (const [topic, message] of given.messages) heard[topic](topic, message);
    console.log(JSON.stringify(calls));
    """
    calls = run_js(program, {"script": script, "messages": [ONLINE, OFF, ON, ON, OFFLINE, ONLINE]})
    assert calls == [["Switch.Set", {"id": 0, "on": on}] for on in (False, True, False, True)]


def test_victrons_schedule_holds_each_segment_and_nothing_else() -> None:
    segments = [{"start": f"2026-11-20T{hour}:00:00Z", "end": f"2026-11-20T{hour}:30:00Z", "mean": 0.1} for hour in (10, 12)]
    window = json.dumps({"start": segments[0]["start"], "end": segments[1]["end"], "mean": 0.1, "segments": segments})
    (known,), (empty,) = out_of(function("victron.json", "kwh-victron-schedule"), (WINDOW, window), (WINDOW, ""))
    for messages, starts in ((known, [TEN, TEN + 2 * HOUR]), (empty, [])):
        values = {message["topic"].partition("/Schedule/")[2]: json.loads(message["payload"])["value"] for message in messages}
        unused = [0] * (48 - len(starts))
        assert [values[f"{slot}/Start"] for slot in range(48)] == [*(int(start.timestamp()) for start in starts), *unused]
        assert [values[f"{slot}/Duration"] for slot in range(48)] == [*(1800 for _ in starts), *unused]
    assert {message["topic"].partition("/settings/")[0] for message in known} == {"W/c0619ab27f32"}


# WARP


def test_a_warp_charger_is_configured_allowed_and_told_as_its_page_shows() -> None:
    page = READERS["warp"]
    readers = ReadersSettings.model_validate(tomllib.loads(one(page, "toml", "[readers.warp"))["readers"])
    (charger,) = readers.warp.values()
    shown = json.loads(one(page, "json", "first_date"))
    values = [price / 100_000 for price in shown["prices"]]
    slots = encoded_slots(quarters(TEN, [str(value) for value in values]))
    (message,) = Warp(TOPICS, [charger]).messages(Message(TOPICS.price("home", "cabin", charger.stream, "slots"), slots))
    assert json.loads(message.payload) == shown
    assert one(page, "text", "topic write").strip() == f"topic write {message.topic}"
    assert message.topic == f"warp3/ABC/{WARP_PRICES}"
    assert [float(read_by_warp(message.payload, TEN + number * QUARTER_HOUR) or -1) for number in range(3)] == values


# microcontrollers


def test_a_microcontroller_listens_to_the_window_and_to_whether_the_bridge_is_there() -> None:
    (code,) = blocks(READERS["microcontrollers"], "cpp")
    topics = dict(re.findall(r'const char \*(\w+) = "([^"]+)"', code))
    assert topics == {"ACTIVE": ACTIVE, "BRIDGE": STATE}
    assert set(re.findall(r"mqtt\.subscribe\((\w+), 1\)", code)) == set(topics)
    assert set(re.findall(r'is\(payload, length, "(\w+)"\)', code)) == {"ON", "online"}
    assert [code.count(left) for left in "({"] == [code.count(right) for right in ")}"]
    longest = max(len(topic) for topic in topics.values()) + len("offline") + 7  # header, length of the topic, packet id
    assert longest < 256


def test_esphome_switches_on_by_one_word_and_off_by_all_others() -> None:
    (yaml,) = blocks(READERS["microcontrollers"], "yaml")
    heard = re.findall(r'- topic: (\S+)\n\s+payload: "(\w+)"\n\s+then:\n\s+- (switch\.turn_\w+): relay', yaml)
    assert heard == [(ACTIVE, "ON", "switch.turn_on"), (ACTIVE, "OFF", "switch.turn_off"), (STATE, "offline", "switch.turn_off")]
    assert re.search(r"on_disconnect:\n\s+then:\n\s+- switch\.turn_off: relay", yaml)


# the facts, where they lie beside the project


def test_what_evcc_is_configured_with_is_what_it_is_known_to_read() -> None:
    grid = mapping(one(READERS["evcc"], "yaml", "tariffs"))["tariffs"]["grid"]
    known = fact("evcc.yaml")
    told_to = {"type": grid["type"], "source": grid["forecast"]["source"], "interval": grid["interval"]}
    assert [key for key, value in told_to.items() if f"{key}: {value}" not in known] == []
    assert {tuple(rate) for rate in json.loads(fact("evcc_rates.json"))} == {tuple(rate) for rate in json.loads(SLOTS)}


def test_power_saver_is_given_at_least_the_keys_that_it_is_known_to_read() -> None:
    prices, given = json.loads(fact("powersaver.json"))["priceData"], json.loads(SLOTS)
    assert all(set(price) <= set(slot) for price in prices for slot in given)
    assert set(prices[-1]) == set(given[-1])  # the last one has an end


def test_emhass_is_given_instants_as_the_known_ones_are() -> None:
    known, shown = json.loads(fact("emhass.json")), json.loads(one(READERS["emhass"], "json", "load_cost_forecast"))
    instants = [[datetime.fromisoformat(time) for time in asked["load_cost_forecast"]] for asked in (known, shown)]
    assert instants[0] == instants[1][: len(instants[0])]
    assert [*known["load_cost_forecast"].values()] == [*shown["load_cost_forecast"].values()][: len(instants[0])]


def test_chargers_are_told_in_the_known_shapes() -> None:
    go, *_ = (row[1].strip("`") for row in rows(READERS["openevse"], "| when | payload |"))
    assert json.loads(go) == json.loads(fact("openevse_override.json"))
    assert set(json.loads(one(READERS["shelly"], "json", "Switch.Set"))) == set(json.loads(fact("shelly_rpc.json")))
    assert list(json.loads(one(READERS["warp"], "json", "first_date"))) == list(json.loads(fact("warp_prices_update.json")))
