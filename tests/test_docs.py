"""Every example in the documentation is parsed or run: what stands there is what the program does.

The listing and the payloads are compared with what the demo publishes at `MOMENT`; what it makes up is the same for ever.
"""

import ast
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args

import httpx2
import pytest
from pydantic import BaseModel, TypeAdapter

from bridge import cli, errors
from bridge.app import built
from bridge.commands.settings import ClientSettings, CommandsSettings
from bridge.demo import _settings
from bridge.models.message import Arrival, Message
from bridge.models.observation import Observation, PricesSeen, SitesSeen
from bridge.models.payload import Columns, CostPayload, Payload, Price, PriceSlot, SourceHealth, Summary
from bridge.models.price import HOUR, Curve, Slot
from bridge.pricing.day import midnight
from bridge.pricing.settings import PricingSettings
from bridge.pricing.windows import WindowSettings
from bridge.providers import base
from bridge.providers.ampere.settings import AmpereSettings
from bridge.providers.base import GROUP, DocumentSettings, Provider, Surroundings
from bridge.providers.octomesh.amqp import AmqpSettings
from bridge.providers.octomesh.pipeline import ValueSettings
from bridge.providers.octomesh.settings import EntitySettings, OctoMeshSettings
from bridge.providers.octopus import dispatching, households, metering, notices
from bridge.providers.octopus.codes import CODES
from bridge.providers.octopus.household import Tariff
from bridge.providers.octopus.readings import MJ_PER_KWH, VOLUME_CORRECTION
from bridge.providers.octopus.settings import WAYS, OctopusSettings
from bridge.providers.octopus.tariffs import UTC_ZONE, night_of
from bridge.providers.octopus.tenants import OTHERS, TENANTS
from bridge.providers.sensorfact.settings import MeasurementSettings, SensorfactSettings
from bridge.providers.tibber.source import TibberSettings
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.readers.settings import ReadersSettings, WarpSettings
from bridge.redact import Redactor
from bridge.settings import Gathered, load
from bridge.simulator.broker import HOST, Running
from bridge.simulator.stage import API_KEY, STAGED, TOKEN, served
from bridge.state.budget import BudgetSettings
from bridge.state.settings import StateSettings
from bridge.topics import Errand, Topics
from bridge.transport.http import Http
from bridge.transport.settings import MqttSettings, TlsSettings
from tests.nodered import flow
from tests.support import HandClock, Knowledge, gathered, settle, utc

ROOT = Path(__file__).resolve().parents[1]
README, CONTRIBUTING, CHANGELOG = ((ROOT / f"{name}.md").read_text("utf-8") for name in ("README", "CONTRIBUTING", "CHANGELOG"))
EXAMPLE = (ROOT / "config" / "bridge.example.toml").read_text("utf-8")
OCTOPUS = (ROOT / "docs" / "octopus.md").read_text("utf-8")
PRICING = (ROOT / "docs" / "pricing.md").read_text("utf-8")
SENSORFACT = (ROOT / "docs" / "sensorfact.md").read_text("utf-8")
SIGN_IN = (ROOT / "docs" / "octomesh-sign-in.md").read_text("utf-8")
BUS = (ROOT / "docs" / "octomesh-amqp.md").read_text("utf-8")
OCTOMESH = (ROOT / "docs" / "octomesh.md").read_text("utf-8")
COMMANDS = (ROOT / "docs" / "commands.md").read_text("utf-8")
READERS = {page.stem: page.read_text("utf-8") for page in sorted((ROOT / "docs" / "readers").glob("*.md"))}
HOME_ASSISTANT = (ROOT / "docs" / "readers" / "home-assistant.md").read_text("utf-8")
TOPICS = (ROOT / "docs" / "topics.md").read_text("utf-8")
DOCUMENTS = {
    "README.md": README,
    "CONTRIBUTING.md": CONTRIBUTING,
    "CHANGELOG.md": CHANGELOG,
    "docs/octopus.md": OCTOPUS,
    "docs/sensorfact.md": SENSORFACT,
    "docs/ampere.md": (ROOT / "docs" / "ampere.md").read_text("utf-8"),
    "docs/octomesh.md": OCTOMESH,
    "docs/octomesh-sign-in.md": SIGN_IN,
    "docs/octomesh-amqp.md": BUS,
    "docs/commands.md": COMMANDS,
    "docs/topics.md": TOPICS,
    "docs/pricing.md": PRICING,
    **{f"docs/readers/{name}.md": text for name, text in READERS.items()},
}

BASE = "kwh2mqtt"
MOMENT = utc("2026-11-20T12:00:06")  # of the listing; tomorrow's prices have just come
EARLIER = utc("2026-11-20T11:59:00")
DISPATCHING = utc("2026-11-20T23:40:00")
CABIN = f"{BASE}/tibber/cabin/price/import"
HOME = f"{BASE}/octopus/home"
PLAN = b"""{"args": {"name": "car", "source": "tibber", "site": "cabin", "duration": "PT1H",
    "not_before": "2026-11-20T23:15:00Z", "deadline": "2026-11-21T00:15:00Z"}}"""
CUT = "…"
SOURCES = {"home": "tibber"}  # the examples' → the demo's
REDACT = Redactor([TOKEN, API_KEY])


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of one language, or of none."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for found, content in fenced if found == language]


def one(text: str, language: str, mark: str) -> str:
    """Return the only block of `language` that holds `mark`."""
    (found,) = (block for block in blocks(text, language) if mark in block)
    return found


async def published(moment: datetime, folder: Path, *, shown: datetime | None = None) -> list[Message]:
    """Return what the demo's bridge tells after its first poll at `moment`, and a query, a write and a plan that it is asked for.

    `shown` is a later time to which it goes on.
    """
    clock = HandClock(moment)
    async with served(clock.now) as tables, built(_settings(MqttSettings(), folder, tables), clock, REDACT) as app:
        for account in app.accounts:
            await app.poller(account).poll()
            app.shelf.put(account.report.messages(moment))
        app.shelf.put([app.report.info(), app.report.health(moment)])
        for operation in ("tibber/sites", "octopus/boost_start"):
            app.desk.arrived(Arrival(f"{BASE}/command/me/{operation}", b'{"id": "1", "args": {}}'))
        app.desk.arrived(Arrival(f"{BASE}/command/me/bridge/plan", PLAN))
        await settle()
        if shown is not None:
            await app.slots.show(shown)
            app.plans.show(shown)
        told = [await app.shelf.take() for _ in range(len(app.shelf))]
        return [message for message in told if message.payload]


@pytest.fixture
async def told(tmp_path: Path) -> list[Message]:
    return await published(MOMENT, tmp_path)


@pytest.fixture
def topics(told: list[Message]) -> dict[str, Message]:
    """What stands on each topic; of several events one."""
    return {message.topic: message for message in told}


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below `heading`."""
    _, below = text.split(f"{heading}\n", 1)
    lines = below.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def pattern(topic: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", topic))


# the listing and the table of topics


def listing() -> list[tuple[str, str]]:
    lines = one(README, "console", "mosquitto_sub").splitlines()
    return [(topic, payload) for topic, _, payload in (line.partition(" ") for line in lines if not line.startswith("$"))]


def top_keys(shown: str) -> list[str]:
    return re.findall(r'[{,]"(\w+)":', shown)


async def test_the_listing_is_what_the_demo_publishes(topics: dict[str, Message]) -> None:
    assert len(listing()) > 10
    for topic, shown in listing():
        payload = topics[topic].payload.decode()
        if topic.endswith("/health"):  # times and memory differ from run to run, the keys do not
            assert list(json.loads(payload))[: len(top_keys(shown))] == top_keys(shown)
        elif shown.endswith(CUT):
            assert payload.startswith(shown.removesuffix(CUT))
        else:
            assert payload == shown


class Row(NamedTuple):
    """A line of the table of topics."""

    topic: str
    what: str
    expires: str


def table() -> list[Row]:
    found = (Row(*cells) for cells in rows(README, "| topic | what it holds | expires (MQTT 5) |"))
    return [row._replace(topic=row.topic.strip("`")) for row in found]


def row_of(topic: str) -> Row | None:
    return next((row for row in table() if pattern(f"{BASE}/{row.topic}").fullmatch(topic)), None)


async def test_every_topic_is_in_the_table_and_every_line_of_the_table_is_published(topics: dict[str, Message]) -> None:
    assert [topic for topic in topics if row_of(topic) is None] == []
    ours = [row for row in table() if not row.what.startswith("yours to write")]
    assert [row.topic for row in ours if not any(row_of(topic) == row for topic in topics)] == []


def test_the_topics_that_are_yours_to_write_are_the_commands() -> None:
    (yours,) = (row.topic for row in table() if row.what.startswith("yours to write"))
    assert Topics(BASE).command_of(Errand("{client}", "{source}", "{operation}")) == f"{BASE}/{yours}"


async def test_everything_is_retained_but_what_the_table_says(told: list[Message]) -> None:
    for message in told:
        row = row_of(message.topic)
        assert row is not None
        assert message.retain is ("not retained" not in row.what), message.topic


@pytest.mark.parametrize("shown", [MOMENT, DISPATCHING])
async def test_topics_expire_as_the_table_says(tmp_path: Path, shown: datetime) -> None:
    topics = {message.topic: message for message in await published(MOMENT, tmp_path, shown=shown)}
    for topic, message in topics.items():
        row = row_of(topic)
        assert row is not None
        assert message.expires_at == end_of_worth(row.expires, topic, topics, shown), topic


def end_of_worth(said: str, topic: str, topics: Mapping[str, Message], moment: datetime) -> datetime | None:
    """Return when `topic` expires by what the table says of it."""
    above, minute = topic.rpartition("/")[0], timedelta(seconds=60)
    match said:
        case "60 s after its slot":
            slot = topic if topic.endswith("/next") else f"{above}/current"
            return datetime.fromisoformat(json.loads(topics[slot].payload)["end"]) + minute
        case "with the last slot":
            return datetime.fromisoformat(json.loads(topics[f"{above}/slots"].payload)[-1]["end"])
        case "60 s after the dispatch in force" | "60 s after the segment in force":
            about = topics.get(topic.removesuffix("/active"))  # a window that is unknown is not there
            told = json.loads(about.payload) if about else {"planned": []}
            starts_and_ends = [
                (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])) for one in told.get("planned", [told])
            ]
            return next((end + minute for start, end in starts_and_ends if start <= moment < end), None)
        case "an hour after the end of the plan" | "60 s after the segment in force, else an hour after the end of the plan":
            plan = json.loads(topics[topic.removesuffix("/active")].payload)
            ends = [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])) for one in plan["segments"]]
            in_force = [end + minute for start, end in ends if start <= moment < end and topic.endswith("/active")]
            return next(iter(in_force), datetime.fromisoformat(plan["end"]) + timedelta(hours=1))
        case "60 s after it was published" | "5 min after it was published" | "10 min after it was published":
            number, unit = said.split()[:2]
            return MOMENT + int(number) * {"s": timedelta(seconds=1), "min": minute}[unit]
    assert said == ""
    return None


async def test_a_dispatch_and_a_plan_switch_their_topics(tmp_path: Path) -> None:
    for shown, payload in ((MOMENT, b"OFF"), (DISPATCHING, b"ON")):
        topics = {message.topic: message for message in await published(MOMENT, tmp_path / f"{shown:%H}", shown=shown)}
        switches = [topics[topic].payload for topic in (f"{HOME}/dispatch/family-car/active", f"{BASE}/plan/me/car/active")]
        assert switches == [payload, payload]


# payloads

SHAPES: tuple[type[Payload], ...] = (Price, Columns, Summary, SourceHealth, CostPayload)


def payloads() -> list[Any]:
    return [json.loads(block) for block in blocks(README, "json")]


def shape_of(payload: Mapping[str, Any]) -> type[Payload] | None:
    return next((shape for shape in SHAPES if set(shape.model_fields) == set(payload)), None)


def shown(shape: type[Payload]) -> dict[str, Any]:
    (payload,) = (payload for payload in payloads() if isinstance(payload, dict) and shape_of(payload) is shape)
    return payload


def shown_slots() -> list[Any]:
    (slots,) = (block for block in payloads() if isinstance(block, list) and set(block[0]) == set(PriceSlot.__annotations__))
    return slots


def shown_window() -> Any:
    (window,) = (block for block in payloads() if isinstance(block, dict) and set(block) == {"start", "end", "mean"})
    return window


@pytest.mark.parametrize("shape", SHAPES)
def test_a_payload_has_exactly_the_keys_and_types_of_its_model(shape: type[Payload]) -> None:
    payload = shown(shape)
    assert json.loads(shape.model_validate_json(json.dumps(payload)).encoded()) == payload


def test_an_error_code_in_the_payload_is_one_of_ours() -> None:
    assert shown(SourceHealth)["error"]["code"] in codes()


async def test_the_payloads_are_what_the_demo_publishes(topics: dict[str, Message], tmp_path: Path) -> None:
    assert shown(Price) == close_to(topics[f"{CABIN}/next"])
    slots = shown_slots()
    assert slots == json.loads(topics[f"{CABIN}/slots"].payload)[: len(slots)]
    earlier = {message.topic: message for message in await published(EARLIER, tmp_path / "earlier")}
    assert shown(Summary) == close_to(earlier[f"{CABIN}/summary"])
    assert shown(CostPayload) == close_to(topics["kwh2mqtt/tibber/cabin/cost/import/yesterday"])
    assert shown_window() == close_to(topics[f"{CABIN}/window/cheapest-3h"])


def close_to(message: Message) -> Any:
    """Return the payload, whose means may be rounded."""
    return rounded(json.loads(message.payload))


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return pytest.approx(value, abs=1e-4) if isinstance(value, float) else value


PLACES = {  # what stands in one block alone → its topic
    "standing_charges": "info",
    '"currency": "GBP", "at"': "account/balance",
    "age_s": "live/power",
    "points_per_kwh": "schedule/saving-sessions",
    '"dispatching"': "dispatch/family-car",
    "event_type": "event",
}


@pytest.mark.parametrize("mark", PLACES)
async def test_what_an_octopus_account_publishes_is_as_shown(told: list[Message], mark: str) -> None:
    shown = json.loads(one(README, "json", mark))
    real = [json.loads(message.payload) for message in told if message.topic == f"{HOME}/{PLACES[mark]}"]
    assert shown in [cut(payload, like=shown) for payload in real]


def cut(real: Any, like: Any) -> Any:
    """Return `real`, its lists no longer than those of `like`."""
    if isinstance(real, dict) and isinstance(like, dict):
        return {key: cut(value, like.get(key)) for key, value in real.items()}
    if isinstance(real, list) and isinstance(like, list):
        return [cut(value, other) for value, other in zip(real, like, strict=False)]
    return real


def test_every_payload_in_the_readme_is_compared_with_something() -> None:
    blocks_of_octopus = [json.loads(one(README, "json", mark)) for mark in PLACES]
    others = [block for block in payloads() if block not in (*blocks_of_octopus, shown_slots(), shown_window())]
    assert [block for block in others if shape_of(block) is None] == []


async def test_the_last_hour_of_agile_is_unknown_before_the_afternoon(topics: dict[str, Message]) -> None:
    grid = json.loads(topics[f"{HOME}/price/import/columns"].payload)
    assert grid["step"] == 1800
    assert grid["values"].index(None) == len(grid["values"]) - 2
    assert grid["start"] + grid["step"] * len(grid["values"]) == midnight(MOMENT, TENANTS["uk"].zone, 1).timestamp()
    assert read_by_evcc(topics[f"{HOME}/price/import/slots"].payload.decode())[-1][1] == utc("2026-11-20T23:00")


async def test_the_formula_for_microcontrollers_finds_the_price_now(topics: dict[str, Message]) -> None:
    assert "`index = (now - start) / step`, rounded down" in README
    grid = json.loads(topics[f"{CABIN}/columns"].payload)
    index = (int(MOMENT.timestamp()) - grid["start"]) // grid["step"]
    assert grid["values"][index] == float(topics[f"{CABIN}/value"].payload)


# evcc: tariff.go decodes [{start, end, value}] into time.Time (RFC 3339) and float64, and wants start before end

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def read_by_evcc(payload: str) -> list[tuple[datetime, datetime, float]]:
    rates = []
    for rate in json.loads(payload):
        assert RFC3339.fullmatch(rate["start"])
        assert RFC3339.fullmatch(rate["end"])
        assert type(rate["value"]) in (int, float)
        start, end = datetime.fromisoformat(rate["start"]), datetime.fromisoformat(rate["end"])
        assert start < end
        rates.append((start, end, float(rate["value"])))
    return rates


def mapping(yaml: str) -> dict[str, Any]:
    """Return the nested mapping of a YAML text that has nothing but mappings of plain scalars."""
    root: dict[str, Any] = {}
    open_at: list[tuple[int, dict[str, Any]]] = [(-1, root)]
    for line in yaml.splitlines():
        key, _, value = line.strip().partition(":")
        indent = len(line) - len(line.lstrip())
        while open_at[-1][0] >= indent:
            open_at.pop()
        parent = open_at[-1][1]
        assert key not in parent
        parent[key] = value.strip() or {}
        if isinstance(parent[key], dict):
            open_at.append((indent, parent[key]))
    return root


async def test_evcc_is_configured_as_it_must_be_and_can_read_its_topic(topics: dict[str, Message]) -> None:
    (text,) = blocks(READERS["evcc"], "yaml")
    tariffs = mapping(text)["tariffs"]
    grid = tariffs["grid"]
    topic = grid["forecast"].pop("topic")
    assert grid == {"type": "custom", "forecast": {"source": "mqtt"}, "interval": "15m"}  # no price, no timeout, no tax
    assert tariffs["currency"] == json.loads(topics[f"{CABIN}/current"].payload)["currency"]
    rates = read_by_evcc(topics[ours(topic)].payload.decode())
    assert len(rates) == 192
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(rates))


def test_the_slots_in_the_readme_are_what_evcc_reads() -> None:
    TypeAdapter(list[PriceSlot]).validate_python(shown_slots())
    assert {frozenset(slot) for slot in shown_slots()} == {frozenset(PriceSlot.__annotations__)}
    assert len(read_by_evcc(json.dumps(shown_slots()))) == 2


def ours(topic: str) -> str:
    """Return the demo's topic for one of the examples'."""
    base, source, rest = topic.split("/", 2)
    return f"{base}/{SOURCES[source]}/{rest}"


# Node-RED


async def test_the_flows_read_topics_that_are_published_and_keys_that_are_there(topics: dict[str, Message]) -> None:
    nodes = flow("price.json")
    heard = [node["topic"] for node in nodes if node["type"] == "mqtt in"]
    assert len(heard) == 3
    assert [topic for topic in heard if not topics[ours(topic)].payload] == []
    used = set(re.findall(r"\bslot\.(\w+)", " ".join(node.get("func", "") for node in nodes)))
    assert used
    assert used <= set(Price.model_fields)


# configuration


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of secret files where the documentation's would be."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "sources.home.token").write_text("a-token\n")  # the line end is not a part of it
    (folder / "sources.octopus.api_key").write_text("a-key\n")
    (folder / "mqtt.password").write_text("a-password\n")
    monkeypatch.setenv("KWH2MQTT_SECRETS_DIRECTORY", str(folder))
    return folder


def written(folder: Path, text: str) -> Path:
    file = folder / "bridge.toml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return file


def tibber(settings: Any) -> TibberSettings:
    source = settings.sources["home"]
    assert isinstance(source, TibberSettings)
    return source


def octopus(settings: Any) -> OctopusSettings:
    source = settings.sources["octopus"]
    assert isinstance(source, OctopusSettings)
    return source


@pytest.mark.parametrize("source", ["home", "octopus"])
def test_the_configuration_in_the_readme_is_all_that_one_account_needs(tmp_path: Path, secrets: Path, source: str) -> None:
    text = one(README, "toml", "[mqtt]")
    (other,) = {"home", "octopus"} - {source}
    sections = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    text = "".join(section for section in sections if not section.startswith(f"[sources.{other}]"))
    next(secrets.glob(f"sources.{other}.*")).unlink()
    assert len(text.splitlines()) <= 10
    assert tomllib.loads(text)["secrets_directory"] == "/etc/kwh2mqtt/secrets"
    settings = load(written(tmp_path, text))
    assert set(settings.sources) == {source}
    assert settings.mqtt.password is not None


@pytest.mark.usefixtures("secrets")
def test_the_configuration_in_the_readme_is_all_that_both_accounts_need(tmp_path: Path) -> None:
    text = one(README, "toml", "[mqtt]")
    settings = load(written(tmp_path, text))
    assert tibber(settings).token.get_secret_value() == "a-token"
    assert octopus(settings).credentials() == {"APIKey": "a-key"}
    assert octopus(load(written(tmp_path, uncommented(text)))).account == "A-1B2C3D4E"


def test_all_five_accounts_of_the_readme_are_taken_with_the_secret_files_of_its_table(tmp_path: Path, secrets: Path) -> None:
    text = one(README, "toml", "[mqtt]") + one(README, "toml", "[sources.mesh]")
    files = [file.strip("`") for *_, file in rows(README, "| provider | the secret, where you find it | its file |")]
    for file in files:
        (secrets / file).write_text(f"the-{file}\n")
    settings = load(written(tmp_path, text))
    assert sorted(source.provider for source in settings.sources.values()) == sorted(STAGED)
    assert sorted(settings.secrets()) == sorted(["a-password", *(f"the-{file}" for file in files)])


def test_the_readme_names_every_provider_on_its_first_screen() -> None:
    told = " ".join(name for name, *_ in rows(README, "| provider | what can be read | what can be done |"))
    assert [name for name in STAGED if name not in told.lower()] == []
    assert README.partition("## Use it for real")[0].count("\n") < 65


def test_the_files_that_the_readme_writes_secrets_to_are_read(secrets: Path) -> None:
    named = set(re.findall(r"cat > /etc/kwh2mqtt/secrets/(\S+)\)", README))
    assert named == {file.name for file in secrets.iterdir()} - {"mqtt.password"}


def test_every_variable_in_the_readme_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = one(README, "toml", "[mqtt]")
    names = re.findall(r"`(KWH2MQTT_\w+__\w+)`", README)
    assert names
    for name in names:
        monkeypatch.setenv(name, f"value-of-{name}")
    settings = load(written(tmp_path, text))
    values = {settings.mqtt.host, tibber(settings).token.get_secret_value(), *octopus(settings).credentials().values()}
    assert values == {f"value-of-{name}" for name in names}


def uncommented(text: str) -> str:
    return re.sub(r'^# (?=\[|["a-z_0-9-]+ = )', "", text, flags=re.MULTILINE)


def test_the_example_configuration_is_valid_as_it_stands(tmp_path: Path) -> None:
    settings = load(written(tmp_path, EXAMPLE))
    assert settings.mqtt == MqttSettings()
    assert settings.state == StateSettings()
    assert tibber(settings) == TibberSettings(provider="tibber", token=tibber(settings).token)


@pytest.mark.parametrize("way", WAYS)
def test_the_example_configuration_is_valid_with_every_key_in_it(tmp_path: Path, way: str) -> None:
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).touch()
    shutil.copytree(ROOT / "config" / "queries", tmp_path / "queries")
    text = signed_in_by(way, uncommented(EXAMPLE)).replace("/etc/kwh2mqtt/", f"{tmp_path}/")
    settings = load(written(tmp_path, text))
    assert octopus(settings).credentials()
    assert octopus(settings).sites == {"2000001": "cottage"}
    addresses = {key: getattr(TENANTS["uk"], key) for key in ("url", "rest_url", "backend_url")}
    usual = OctopusSettings.model_validate({"provider": "octopus", "api_key": "a-key", **addresses})
    unlike = {key for key in keys(OctopusSettings) if getattr(octopus(settings), key) != getattr(usual, key)}
    assert unlike - {*WAYS, "password"} == {"account", "night", "sites", "operations", "windows"}
    assert settings.commands == CommandsSettings()
    assert settings.home_assistant == HomeAssistantSettings()
    assert settings.grants == {"wallbox": ("home.prices", "octopus.boost_start")}
    own = {source: {name: one.kind for name, one in documents.items()} for source, documents in settings.documents.items()}
    assert own == {
        "home": {"my_sites": "query"},
        "octopus": {"my_sessions": "query"},
        "plant": {"my_facilities": "query"},
        "mesh": {"my_meters": "query"},
    }
    plant, plain = settings.sources["plant"], AmpereSettings.model_validate({"provider": "ampere", "token": "a-token"})
    assert {key for key in keys(AmpereSettings) if getattr(plant, key) != getattr(plain, key)} == {"token", "sites", "operations"}
    assert tibber(settings).budget == BudgetSettings()
    assert tibber(settings).pricing == octopus(settings).pricing == PricingSettings()
    assert tibber(settings).sites == {"0a0a0a0a-0000-4000-8000-000000000002": "cabin"}
    shown_ones, defaults = settings.mqtt.model_dump(), MqttSettings().model_dump()
    assert {key for key, value in shown_ones.items() if value != defaults[key]} == {"username", "password", "client_id", "tls"}


def signed_in_by(way: str, text: str) -> str:
    """Return a configuration with one of the ways to sign in to Octopus that it shows."""
    above, below = text.split("[sources.octopus]\n")
    section, other, rest = below.partition("[sources.factory]\n")
    others = {*WAYS, "password"} - ({"email", "password"} if way == "email" else {way})
    lines = [line for line in section.splitlines(keepends=True) if line.split(" = ")[0] not in others]
    return f"{above}[sources.octopus]\n{''.join(lines)}{other}{rest}"


def keys(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


OF_PRICES = {"pricing", "windows"}  # there is nothing to say with them at a provider that has none


def test_the_example_configuration_names_every_key_there_is() -> None:
    table = tomllib.loads(uncommented(EXAMPLE))
    assert set(table) == keys(Gathered)
    assert set(table["mqtt"]) == keys(MqttSettings)
    assert set(table["mqtt"]["tls"]) == keys(TlsSettings)
    assert set(table["state"]) == keys(StateSettings)
    assert set(table["sources"]["home"]) == keys(TibberSettings)
    assert set(table["sources"]["home"]["budget"]) == keys(BudgetSettings)
    assert set(table["sources"]["home"]["pricing"]) == keys(PricingSettings)
    assert set(table["sources"]["home"]["windows"]["cheapest-3h"]) == keys(WindowSettings)
    assert set(table["sources"]["octopus"]) == keys(OctopusSettings)
    assert set(table["sources"]["octopus"]["budget"]) == keys(BudgetSettings)
    assert set(table["sources"]["octopus"]["operations"]["my_sessions"]) == keys(DocumentSettings)
    assert set(table["sources"]["factory"]) == keys(SensorfactSettings) - {"operations", *OF_PRICES}  # of GraphQL
    assert set(table["sources"]["factory"]["measurements"][0]) == keys(MeasurementSettings)
    assert set(table["sources"]["plant"]) == keys(AmpereSettings) - OF_PRICES
    assert set(table["sources"]["mesh"]) == keys(OctoMeshSettings) - OF_PRICES
    assert [set(entity) for entity in table["sources"]["mesh"]["entities"]] == [keys(EntitySettings)]
    assert set(table["sources"]["mesh"]["amqp"]) == keys(AmqpSettings)
    assert set.union(*map(set, table["sources"]["mesh"]["amqp"]["values"])) == keys(ValueSettings)
    assert set(table["commands"]) == keys(CommandsSettings)
    assert set(table["home_assistant"]) == keys(HomeAssistantSettings)
    assert set(table["clients"]["wallbox"]) == keys(ClientSettings)
    assert set(table["readers"]) == keys(ReadersSettings)
    assert set(table["readers"]["warp"]["garage"]) == keys(WarpSettings)


# commands


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of every `kwh2mqtt …` that the text shows."""
    lines = [line for language in ("sh", "console") for block in blocks(text, language) for line in block.splitlines()]
    inline = re.findall(r"`(kwh2mqtt [a-z-][^`]*)`", text)
    for line in (*lines, *inline):
        words = shlex.split(line.replace("[", "").replace("]", ""), comments=True) if "kwh2mqtt " in line else []
        if words[:1] == ["kwh2mqtt"]:
            yield words[1:]


def test_every_command_in_the_documentation_is_one() -> None:
    parser = cli._parser()
    given = [arguments for text in DOCUMENTS.values() for arguments in commands(text)]
    options = {word for arguments in given for word in arguments if word.startswith("-")}
    everywhere = {"--config", "--verbose", "--version", "--help"}
    own = {"--once", "--online", "--browser", "--client", "--id", "--list", "--markdown", "--json-schemas"}
    assert options <= everywhere | own  # argparse would take a part of one
    functions = {parser.parse_args(arguments).command for arguments in given}
    asked = {cli._poll, cli._introspect, cli._login, cli._request, cli._schema}
    assert functions == {cli._run, cli._demo, cli._check, cli._health, *asked}


def test_the_table_of_commands_names_each() -> None:
    named = [row[0].strip("`").split()[1] for row in rows(README, "| command | what it does |")]
    assert set(named) == set(cli._parser().parse_args(["request"]).commands)


def test_the_readme_names_the_exit_codes() -> None:
    assert [int(code) for code, _ in rows(README, "| exit code | meaning |")] == [cli.DONE, cli.FAILED, cli.MISUSED]


def test_the_readme_says_where_the_configuration_is_looked_for() -> None:
    place = re.compile(r"[\w$./-]+\.toml|\$\w+")
    said = re.search(r"configuration is looked for in (.*?)\. ", " ".join(README.split()) + " ")
    assert said is not None
    assert place.findall(said[1]) == place.findall(cli.EXAMPLES.split("looked for")[1])


def codes() -> set[str]:
    found = {errors.BridgeError.code}
    kinds: list[type[errors.BridgeError]] = [errors.SourceError]
    while kinds:
        kind = kinds.pop()
        found.add(kind.code)
        kinds += kind.__subclasses__()
    return found


def test_the_readme_explains_every_error_code() -> None:
    _, _, text = README.partition("## When something is away")
    assert [code for code in sorted(codes()) if f"`{code}`" not in text.partition("\n## ")[0]] == []


def test_the_readme_tells_the_budgets() -> None:
    others = (settings.model_fields["budget"].default for settings in (OctopusSettings, SensorfactSettings))
    assert [(budget.requests, budget.seconds) for budget in (BudgetSettings(), *others)] == [(20, 300), (40, 300), (100, 300)]
    assert "so many in 5 minutes, restarts included: 20 to Tibber, 40 to Octopus, 100 to Sensorfact" in " ".join(README.split())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_shell_block_is_shell(document: str) -> None:
    for block in blocks(DOCUMENTS[document], "sh"):
        checked = subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True, check=False)
        assert checked.stderr == ""


def test_the_shell_script_reads_a_price_and_fails_where_there_is_none(mosquitto: Running) -> None:
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto-clients is not installed")
    address = f"-h {HOST} -p {mosquitto.port}"
    script = one(README, "sh", "price=$(").replace("-h localhost", address).replace("-W 5", "-W 1")

    def run() -> tuple[int, str]:
        ran = subprocess.run(["sh"], input=script, text=True, capture_output=True, check=False)
        return ran.returncode, ran.stdout.strip()

    assert run() == (1, "")
    topic = re.search(r"-t (\S+)", script)
    assert topic is not None
    subprocess.run(["mosquitto_pub", *address.split(), "-r", "-t", topic[1], "-m", "-0.0537"], check=True)
    assert run() == (0, "cheap: -0.0537")


def test_the_readme_names_the_two_commands_and_every_target_is_in_the_makefile() -> None:
    assert {"make run", "make test"} <= set(re.findall(r"^make \w+", README, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for text in DOCUMENTS.values()
        for words in re.findall(r"(?:^|`)make ([a-z -]+[a-z])", text, re.MULTILINE)
        for target in words.split()
    }
    assert named <= targets


def test_the_lock_in_the_readme_is_there_and_has_hashes() -> None:
    lock = re.search(r"--require-hashes .*--requirement (\S+)", README)
    assert lock is not None
    assert "--hash=sha256:" in (ROOT / lock[1]).read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_leads_to_one(document: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", DOCUMENTS[document])
    assert [link for link in links if not ((ROOT / document).parent / link).is_file()] == []


# the page for Octopus users


async def test_the_page_names_every_topic_of_an_octopus_account(topics: dict[str, Message]) -> None:
    named = [topic for topic, *_ in rows(OCTOPUS, "| topic | from | asked for |")]
    patterns = [pattern(f"{HOME}/{topic}") for topic in re.findall("`([^`]+)`", " ".join(named))]
    mine = [topic for topic in topics if topic.startswith(f"{HOME}/")]
    assert [topic for topic in mine if not any(one.fullmatch(topic) for one in patterns)] == []
    assert [one.pattern for one in patterns if not any(one.fullmatch(topic) for topic in mine)] == []


UNITS = {"s": "seconds", "min": "minutes", "h": "hours"}


@pytest.mark.parametrize(
    ("topic", "every"),
    [
        ("info", [households.EVERY]),
        ("reading/", [metering.EVERY]),
        ("account/", [notices.FIGURES_EVERY]),
        ("dispatch/", [dispatching.DEVICES_EVERY, dispatching.PLAN_EVERY, dispatching.COMPLETED_EVERY]),
        ("live/", [metering.LIVE_EVERY, metering.NEVER_HEARD]),
        ("schedule/saving-sessions", [notices.SESSIONS_EVERY]),
        ("schedule/free-electricity", [notices.FREE_EVERY]),
        ("schedule/greener-nights", [notices.NIGHTS_EVERY]),
    ],
)
def test_the_page_tells_how_often_each_is_asked_for(topic: str, every: list[timedelta]) -> None:
    (said,) = (said for name, _, said in rows(OCTOPUS, "| topic | from | asked for |") if name.startswith(f"`{topic}"))
    assert [timedelta(**{UNITS[unit]: int(count)}) for count, unit in re.findall(r"every (\d+) (s|min|h)\b", said)] == every


def test_the_page_tells_the_nights_that_are_used() -> None:
    products = (("IOG-SMB-VAR-24-10-29", True), ("VAR-22-11-01", True), ("VAR-22-11-01", False))
    told = rows(OCTOPUS, "| tariff | night |")
    for (product, is_smart), (_, said) in zip(products, told, strict=True):
        night = night_of(Tariff(product, product, "DayNightTariff", None, {}), TENANTS["uk"].zone, None, is_smart=is_smart)
        assert said.startswith(f"{night.start:%H:%M}–{night.end:%H:%M}")
        assert ("UTC" in said) == (night.zone is UTC_ZONE)


def test_the_page_names_every_tenant_and_every_key() -> None:
    assert [tenant.strip("`") for tenant, *_ in rows(OCTOPUS, "| `tenant` | supplier | what there is |")] == list(TENANTS)
    spans = re.findall("`([^`]+)`", re.sub(r"^```.*?^```$", "", OCTOPUS, flags=re.DOTALL | re.MULTILINE))
    assert [other for other in OTHERS if other not in spans] == []
    named = {span.split(" = ")[0] for span in spans}
    assert keys(OctopusSettings) - {"provider", "sites"} <= named


def test_the_page_tells_what_a_cubic_metre_of_gas_is() -> None:
    usual = OctopusSettings.model_fields["calorific_value"].default
    assert f"kWh = m³ · {VOLUME_CORRECTION} · CV / {MJ_PER_KWH}" in OCTOPUS
    assert f"{usual} unless you say otherwise (then 1 m³ is {VOLUME_CORRECTION * usual / MJ_PER_KWH:.2f} kWh)" in OCTOPUS


def test_the_page_explains_every_error_code_and_krakens_mean_what_it_says() -> None:
    explained: dict[str, list[str]] = {}
    for code, what, _ in rows(OCTOPUS, "| `error.code` | what it is here | the mend |"):
        name = code.strip("`") or list(explained)[-1]
        explained.setdefault(name, []).extend(re.findall(r"\b(?:KT-CT|KT-GB|OE)-\d+", what))
    assert set(explained) == codes()
    wrong = [(name, code) for name, told in explained.items() for code in told if CODES[code].code != name]
    assert wrong == []


# the house


def test_the_tree_in_contributing_is_the_tree() -> None:
    (tree,) = (block for block in blocks(CONTRIBUTING, "") if block.startswith("bridge/\n"))
    left = [line.split("   ")[0].split("floor")[0] for line in tree.splitlines()[1:]]
    names = {name.strip("├└─ /") for line in left for name in line.split(",")}
    existing = {path.name for path in (ROOT / "bridge").iterdir() if not path.name.startswith("__")}
    assert names == existing


def test_every_file_that_contributing_names_is_there() -> None:
    named = re.findall(r"`((?:bridge|tests|config)/[\w/.]+)`", CONTRIBUTING)
    missing = [name for name in named if not (ROOT / name).exists() and "NAME" not in name]
    assert named
    assert missing == []


def test_contributing_names_every_observation_and_all_that_a_provider_may_have() -> None:
    table = rows(CONTRIBUTING, "| observation | what it tells | where it is published |")
    assert [name.strip("`") for name, *_ in table] == [kind.__name__ for kind in get_args(Observation)]
    optional = {field.name for field in fields(Provider)} - {"settings", "source"}
    assert set(re.findall(r"`Provider\((\w+)=…\)`", CONTRIBUTING)) == optional
    words = {"Pocket", "Endpoint", "Operation", "Executor", "Historian", "Listening", "Loginable", "Refreshable", "Guard"}
    assert [name for name in sorted(words) if f"`{name}`" not in CONTRIBUTING] == []
    assert words <= set(vars(base))


def example() -> ModuleType:
    (text,) = blocks(CONTRIBUTING, "python")
    assert isinstance(ast.parse(text).body[-1], ast.Assign)  # the last line names the provider
    module = ModuleType("example")
    exec(compile(text, "CONTRIBUTING.md", "exec"), module.__dict__)
    return module


class Uncounted:
    """A budget without end."""

    def spend(self, moment: datetime) -> None:
        pass

    def pause(self, until: datetime) -> None:
        raise AssertionError


async def test_the_example_provider_works() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["authorization"] == "Bearer a-key"
        return httpx2.Response(200, json={"hours": [{"at": 1795132800, "ct": 9.5}, {"at": 1795136400, "ct": -1}]})

    provider = example().PROVIDER
    assert isinstance(provider, Provider)
    clock, redact = HandClock(MOMENT), Redactor(["a-key"])
    http = Http(Uncounted(), clock, redact, transport=httpx2.MockTransport(answer))
    settings = provider.settings.model_validate({"provider": "example", "api_key": "a-key"})
    source = provider.source(settings, Surroundings("other", http, clock, redact, share=0.5))
    sites, prices = await gathered(source.poll(Knowledge(), MOMENT))
    start = utc("2026-11-20T00:00:00")
    slots = (Slot(start, start + HOUR, Decimal("0.11305")), Slot(start + HOUR, start + 2 * HOUR, Decimal("-0.0119")))
    assert isinstance(sites, SitesSeen)
    assert prices == PricesSeen("home", "import", Curve(currency="EUR", slots=slots, source_resolution=HOUR))
    assert await source.sign_in() == "signed in, 2 hours"
    assert source.next_poll(Knowledge(), MOMENT) == MOMENT
    assert source.next_poll(Knowledge(last={"PricesSeen": MOMENT}), MOMENT) == MOMENT + timedelta(hours=6)
    await http.aclose()


def test_the_entry_point_in_contributing_is_of_the_group_that_is_read() -> None:
    (text,) = blocks(CONTRIBUTING, "toml")
    assert list(tomllib.loads(text)["project"]["entry-points"]) == [GROUP]


# the changelog, and what no file may hold


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.*)", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)", CHANGELOG, re.MULTILINE)) <= kinds


REGISTRIES = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))]


def tracked() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    texts = ((path, path.read_text("utf-8", errors="replace")) for path in tracked())
    assert [(str(path), host) for path, text in texts for host in REGISTRIES if host in text] == []
