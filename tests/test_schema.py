"""`kwh2mqtt schema`: what it says is what the demo does, in every topic and every answer, and AsyncAPI's own parser takes it."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from pydantic import BaseModel
from typing_extensions import TypedDict

from bridge import cli, topics
from bridge.models.message import Message
from bridge.schema import examples, schema
from bridge.schema.asyncapi import document
from bridge.schema.channels import channels
from bridge.schema.files import alone
from bridge.schema.operations import OWN, operations
from bridge.schema.shapes import Schema, Wanted, comments, schemas
from bridge.topics import Topics
from bridge.transport.settings import MqttSettings
from tests.reference import ASKED, EXAMPLES, MOMENT, Told, name_of, text, told, value_of
from tests.reference import examples as drawn_examples

ROOT = Path(__file__).resolve().parents[1]
DRAWN = document(MqttSettings(), examples())
MESSAGES = DRAWN["components"]["messages"]
ASKING_S = 10  # that the questions take, by the clock in the hand
SILENT: dict[str, str] = {}  # a channel on which the demo says nothing → why

FORMATS = FormatChecker(())
FORMATS.checks("date-time")(lambda value: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str(value)) is not None)
FORMATS.checks("duration")(lambda value: re.fullmatch(r"-?P(?!$)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?", str(value)) is not None)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the demo says within a day."""
    return asyncio.run(told(tmp_path_factory.mktemp("demo")))


def closed(schema: Any) -> Any:
    """Return `schema` with no room for a key that it does not name, unless it says that there is."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    drawn = {key: closed(inner) for key, inner in schema.items()}
    return {"additionalProperties": False, **drawn} if "properties" in drawn else drawn


def faults(name: str, payload: Any) -> list[str]:
    """Return what is wrong with a payload by the schema of its message."""
    drawn = alone(DRAWN, MESSAGES[name])
    drawn["definitions"] = closed(drawn["definitions"])
    validator = Draft7Validator(drawn, format_checker=FORMATS)
    return [f"{name}: {error.json_path} {error.message[:200]}" for error in validator.iter_errors(payload)]


# topics


def test_everything_that_is_published_has_a_channel_and_is_what_it_says(found: Told) -> None:
    told = [message for message in found.published if message.payload]
    assert len(told) > 400
    names = {message.topic: name_of(message, DRAWN) for message in told}
    assert [topic for topic, name in names.items() if name is None] == []
    wrong = [fault for message in told for fault in faults(str(name_of(message, DRAWN)), value_of(message))]
    assert wrong == []


def test_something_is_published_on_every_channel(found: Told) -> None:
    heard = {name_of(message, DRAWN) for message in found.published if message.payload}
    sent = (name for operation in DRAWN["operations"].values() if operation["action"] == "send" for name in names_of(operation))
    assert {name for name in sent if name not in heard} == SILENT.keys()


def names_of(operation: Schema) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in operation["messages"]]


def test_everything_is_retained_and_expires_as_its_channel_says(found: Told) -> None:
    for message in found.published:
        if not message.payload:
            continue
        binding = binding_of(message)
        assert (message.qos, message.retain) == (binding["qos"], binding["retain"]), message.topic
        match binding.get("messageExpiryInterval"):
            case None:
                assert message.expires_at is None, message.topic
            case int(seconds) if message.topic.endswith("/audit") or "/live/" in message.topic:  # while it was asked
                assert message.expires_at is not None
                assert 0 <= (message.expires_at - MOMENT).total_seconds() - seconds < ASKING_S, message.topic


def binding_of(message: Message) -> Schema:
    name = str(name_of(message, DRAWN))
    operation = DRAWN["operations"].get(name) or DRAWN["operations"][name.partition(".")[0]]
    found: Schema = operation["bindings"]["mqtt"]
    return found


def test_a_key_too_many_or_too_few_is_a_fault() -> None:
    price = examples()["price.current"]
    assert faults("price.current", price) == []
    assert len(faults("price.current", {**price, "colour": "red"})) == 1
    assert len(faults("price.current", {key: value for key, value in price.items() if key != "rank"})) == 1
    assert len(faults("price.current", {**price, "value": str(price["value"])})) == 1
    assert len(faults("price.current", {**price, "start": "2026-11-20T12:00:00+01:00"})) == 1


def test_the_table_of_topics_names_every_channel() -> None:
    """The docstring of bridge/topics.py has several on a line."""
    table = topics.__doc__ or ""
    listed = [line.split("  ")[0] for line in table.splitlines() if re.match(r"[{a-z]\S*/", line)]
    patterns = [re.compile(pattern_of(line)) for line in listed]
    named = [channel.address.removeprefix("B/") for channel in channels(Topics("B"))]
    assert [address for address in named if not any(one.fullmatch(address) for one in patterns)] == []
    ours = [one for one in patterns if not one.pattern.startswith(("command", "response"))]
    assert [one.pattern for one in ours if not any(one.fullmatch(address) for address in named)] == []


def pattern_of(line: str) -> str:
    """Return what `{source}/{state,health}` and `plan/{client}/{name}[/active]` match."""
    line = re.sub(r"\[(/\w+)\]$", r"(\1)?", line)
    line = re.sub(r"{(\w+(?:,\w+)+)}", lambda match: f"({match[1].replace(',', '|')})", line)
    return re.sub(r"{\w+}", r"({\\w+}|\\w+)", line)


# operations


def test_every_operation_is_answered_as_it_says(found: Told) -> None:
    answered = {command.asked.full_name for command, _ in found.answers}
    assert answered == {asked.full_name for asked in operations() if asked is not OWN}
    refused = [answer for _, answer in found.answers if answer["status"] != "ok"]
    assert refused == [], "say in ASKED of tests/reference.py what to ask for"
    wrong = [fault for command, answer in found.answers for fault in faults(f"response.{command.asked.full_name}", answer)]
    assert wrong == []


def test_every_command_is_one_that_it_takes(found: Told) -> None:
    wrong = [fault for command, _ in found.answers for fault in faults(f"command.{command.asked.full_name}", command.body)]
    assert wrong == []
    assert ASKED.keys() <= {command.asked.full_name for command, _ in found.answers}


@pytest.mark.parametrize(
    ("operation", "body", "count"),
    [
        ("source.prices", {}, 0),
        ("source.prices", {"id": "7", "dry_run": True, "expires_at": "2026-11-20T12:00:00Z"}, 0),
        ("source.prices", {"args": {"sight": "cabin"}}, 1),
        ("source.readings", {"args": {"first": 1001}}, 1),
        ("source.readings", {"argument": {}}, 1),
        ("octopus.boost_start", {"args": {"device_id": "a"}}, 1),  # a write without an id
        ("octopus.boost_start", {"id": "1", "args": {}}, 1),
        ("bridge.cheapest", {"args": {"source": "home", "duration": "PT3H", "power_kw": [1, 2.5]}}, 0),
        ("bridge.cheapest", {"args": {"source": "home", "duration": "PT3H", "power_kw": 11}}, 0),
        ("bridge.cheapest", {"args": {"source": "home", "duration": 3}}, 1),
        ("bridge.plan", {"args": {"source": "home", "duration": "PT3H"}}, 1),  # nameless
        ("source.operation", {"args": {"days": 3}}, 0),
    ],
)
def test_what_is_wrong_with_a_command_can_be_told_before_it_is_sent(operation: str, body: dict[str, Any], count: int) -> None:
    assert len(faults(f"command.{operation}", body)) == count


def test_a_refusal_and_a_short_answer_are_answers_too() -> None:
    error: Schema = {"code": "not_allowed", "message": "…", "retry_after": None, "reasons": []}
    refusal = {"id": "8", "status": "error", "operation": "octopus.boost_start", "error": error, "duration_ms": 0}
    assert faults("response.error", refusal) == []
    assert len(faults("response.error", {**refusal, "error": {**error, "code": "no"}})) == 1
    short = {"id": "8", "status": "ok", "operation": "octopus.boost_start", "data": {}, "duration_ms": 9, "replayed": True}
    assert faults("response.octopus.boost_start", short) == []


def test_a_response_topic_must_lie_below_the_clients_own() -> None:
    pattern = MESSAGES["command.source.prices"]["bindings"]["mqtt"]["responseTopic"]["pattern"]
    assert re.search(pattern, "kwh2mqtt/response/wallbox/mine")
    assert not re.search(pattern, "kwh2mqtt/response/wallbox")
    assert not re.search(pattern, "elsewhere/response/wallbox/mine")


# the examples and the page


def test_the_examples_are_what_the_demo_says(found: Told) -> None:
    """Where they are not, `make reference` writes them and the page anew."""
    assert text(drawn_examples(found)) == EXAMPLES.read_text("utf-8")


def test_every_message_has_an_example_that_is_valid() -> None:
    bare = {"command.source.operation", "response.source.operation", "response.error"}  # a user's own document; a refusal
    assert {name for name, message in MESSAGES.items() if "examples" not in message} == bare
    wrong = [
        fault
        for name, message in MESSAGES.items()
        for one in message.get("examples", ())
        for fault in faults(name, one["payload"])
    ]
    assert wrong == []


def test_the_page_of_topics_is_what_the_command_writes() -> None:
    """Where it is not, `make reference` writes it anew."""
    assert schema(MqttSettings(), markdown=True, folder=None) == (ROOT / "docs" / "topics.md").read_text("utf-8")


# shapes


class Base(BaseModel):
    kept: int  # of the base
    both: int  # the base's


class Model(Base):
    both: int  # the model's own
    site: str  # the provider's id; default: the first
    plain: int
    tool: int = 1  # type: int
    several: dict[str, int]  # told at the end


class Above(TypedDict):
    above: int  # of a dictionary


class Below(Above):
    below: int  # likewise


def test_a_comment_beside_a_key_is_its_description() -> None:
    assert comments(Model) == {
        "kept": "of the base",
        "both": "the model's own",
        "site": "its name on the topics; default: the first",
        "several": "told at the end",
    }
    assert comments(Below) == {"above": "of a dictionary", "below": "likewise"}


def test_a_model_without_a_source_has_no_descriptions() -> None:
    made = type("Made", (BaseModel,), {"__annotations__": {"key": int}})
    assert comments(made) == {}
    (drawn,) = schemas([Wanted(made, "serialization")])[1].values()
    assert drawn["properties"] == {"key": {"type": "integer"}}


# the command


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    usual = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bridge", "schema", *arguments]
    return subprocess.run(command, cwd=folder, env=usual | environment, capture_output=True, text=True, check=False)


def test_it_is_the_same_whoever_asks(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "bridge.toml").write_text("what lies about is not read", "utf-8")
    first, second = (run(tmp_path, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    assert json.loads(first.stdout) == DRAWN


def test_a_configuration_that_is_named_changes_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text('[mqtt]\nhost = "broker.example"\nbase_topic = "power"\n', "utf-8")
    drawn = json.loads(run(tmp_path, "--config", str(path)).stdout)
    assert drawn["servers"]["broker"]["host"] == "broker.example:1883"
    assert drawn["channels"]["source.health"]["address"] == "power/{source}/health"
    assert "kwh2mqtt/" not in json.dumps({key: drawn[key] for key in ("channels", "servers", "operations")})


def test_the_json_schema_of_every_payload_stands_alone_in_a_file(tmp_path: Path) -> None:
    assert json.loads(schema(MqttSettings(), markdown=False, folder=tmp_path / "schemas")) == DRAWN
    written = {path.stem: json.loads(path.read_text("utf-8")) for path in (tmp_path / "schemas").iterdir()}
    assert written.keys() == MESSAGES.keys()
    for name, drawn in written.items():
        Draft7Validator.check_schema(drawn)
        for example in MESSAGES[name].get("examples", ()):
            assert list(Draft7Validator(drawn).iter_errors(example["payload"])) == []


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run(tmp_path, "--json-schemas", "file")
    told = "file cannot be written to (File exists); name another folder\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (cli.FAILED, "", told)


# AsyncAPI


def references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            yield from ([value["$ref"]] if "$ref" in value else ())
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(DRAWN)):
        place = DRAWN
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


PARSER = "@asyncapi/parser@3"
SCRIPT = """
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf-8"));
const faults = diagnostics.filter((each) => each.code !== "asyncapi-latest-version");
const told = faults.map((each) => `${each.path.join("/")}: ${each.message}`);
console.log(JSON.stringify({ operations: document?.operations().length, told }));
"""


@dataclass
class Npm:
    """A folder into which packages are installed."""

    folder: Path

    def install(self, package: str) -> None:
        """Skip where there is no npm, or it cannot reach its registry."""
        if shutil.which("npm") is None or shutil.which("node") is None:
            pytest.skip("node and npm are not installed")
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(self.folder), package]
        installed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if installed.returncode:
            pytest.skip(f"npm cannot install {package}: {installed.stderr[-200:]}")

    def run(self, script: str, *arguments: str) -> str:
        (self.folder / "script.mjs").write_text(script, "utf-8")
        ran = subprocess.run(
            ["node", "script.mjs", *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.mark.slow
def test_asyncapis_own_parser_finds_no_fault(tmp_path: Path) -> None:
    npm = Npm(tmp_path)
    npm.install(PARSER)
    (tmp_path / "asyncapi.json").write_text(json.dumps(DRAWN), "utf-8")
    assert json.loads(npm.run(SCRIPT, "asyncapi.json")) == {"operations": len(DRAWN["operations"]), "told": []}
