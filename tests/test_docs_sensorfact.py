"""docs/sensorfact.md: its configuration is taken, its tables are those of the code, its commands are answered."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.app import App, built
from bridge.ask import Question, question
from bridge.demo import _settings
from bridge.models.message import Arrival
from bridge.providers import sensorfact
from bridge.providers.base import pages
from bridge.providers.sensorfact import pace
from bridge.providers.sensorfact.aggregation import LIMITS, METHODS, Kind
from bridge.providers.sensorfact.settings import MeasurementSettings, SensorfactSettings
from bridge.settings import load
from bridge.simulator.stage import served
from bridge.transport.settings import MqttSettings
from tests.support import Impatient
from tests.test_docs import BASE, MOMENT, REDACT, SENSORFACT, codes, commands, one, pattern, rows, written

PAGE = " ".join(SENSORFACT.split())


def test_the_configuration_on_the_page_is_taken(tmp_path: Path) -> None:
    text = one(SENSORFACT, "toml", "[sources.factory]")
    for shown in (text, re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)):
        key = "" if "\napi_key" in shown else 'secrets_directory = "."\n'
        (tmp_path / "sources.factory.api_key").write_text("a-key")
        source = load(written(tmp_path, key.replace(".", str(tmp_path)) + shown)).sources["factory"]
        assert isinstance(source, SensorfactSettings)
        assert [list(one.fields.values()) for one in source.measurements] == [["kW", "kWh"], ["°C"]]
        assert source.measurements[1].quantity("temperature.inlet") == "inlet-temperature"
        assert (source.page_size is None) is bool(key)


def test_the_table_of_keys_tells_their_defaults() -> None:
    told = {key.strip("`"): default.strip("`") for key, _, default in rows(SENSORFACT, "| key | what it is | default |")}
    assert told == {
        "window": MeasurementSettings.model_fields["window"].default,
        "aggregation": MeasurementSettings.model_fields["aggregation"].default,
        "quantities": "the field",
        "poll_interval": "PT15M",
        "stamp": SensorfactSettings.model_fields["stamp"].default,
        "budget": "100 requests in 300 s",
    }
    assert SensorfactSettings.model_fields["poll_interval"].default == timedelta(minutes=15)


def test_the_table_of_levels_is_that_of_the_code() -> None:
    told = {kind.strip("`"): limits for kind, limits in rows(SENSORFACT, "| `kind` | longer than → at the least |")}
    ours = {kind: ", ".join(f"{period or 'always'} → {level}" for period, level in limits) for kind, limits in LIMITS.items()}
    assert told == ours


def test_the_table_of_methods_is_that_of_the_code() -> None:
    heading = "| `kind` | `mean` | `sum` | `p95` |"
    found: dict[str, dict[str, str]] = {}
    for kind, *cells in rows(SENSORFACT, heading):
        named = zip(("mean", "sum", "p95"), cells, strict=True)
        found[kind.strip("`")] = {
            quantity.replace(" ", "-") if quantity != "all" else "": method
            for method, cell in named
            for quantity in filter(None, cell.split(", "))
        }
    assert found == {kind.value: dict(METHODS[kind]) for kind in Kind}


def test_the_codes_are_ours() -> None:
    told = {code.strip("`") for code, *_ in rows(SENSORFACT, "| `error.code` | what it is here | the mend |")} - {""}
    assert told <= codes()


def test_the_limits_are_those_of_the_code() -> None:
    assert timedelta(seconds=0.25) == pace.GAP
    assert "leaves a quarter of a second between two, spreads the last quarter" in PAGE
    assert pace.SCARCE == 0.25
    assert timedelta(minutes=15) == pages.KEPT_FOR
    assert "goes on where it did, for 15 minutes" in PAGE
    assert timedelta(minutes=5) == sensorfact.PAUSE
    assert "else five minutes" in PAGE


async def asked(app: App, given: Question) -> Any:
    app.desk.arrived(Arrival(app.topics.command_of(given.errand), given.payload()))
    while "/response/" not in (message := await app.shelf.take()).topic:
        pass
    return json.loads(message.payload)


async def test_the_topics_and_commands_on_the_page_are_those_of_the_demo(tmp_path: Path) -> None:
    clock = Impatient(MOMENT)
    async with served(clock.now) as tables:
        given = _settings(MqttSettings(), tmp_path, {"factory": tables["sensorfact"]})
        async with built(given, clock, REDACT) as app:
            await app.poller(app.accounts[0]).poll()
            named = [topic.strip("`") for topic, _ in rows(SENSORFACT, "| topic | what it holds |")]
            below = f"{BASE}/factory/plant-1/"
            mine = [message.topic for message in app.shelf.messages() if message.topic.startswith(below)]
            assert mine
            assert {
                topic: [bool(pattern(below + name).fullmatch(topic)) for name in named].count(True) for topic in mine
            } == dict.fromkeys(mine, 1)
            for words in commands(SENSORFACT):
                if words[0] == "request":
                    answer = await asked(app, question(words[1:], client="me", id_=None))
                    assert (answer["status"], bool(answer.get("data", {}).get("readings"))) == ("ok", True), answer


@pytest.mark.parametrize("text", ["No live account was ever asked", "The key travels with each request"])
def test_what_must_not_be_lost_stands_on_the_page(text: str) -> None:
    assert text in PAGE
