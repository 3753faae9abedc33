"""`kwh2mqtt schema` on the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

from jsonschema import Draft7Validator

from bridge import cli
from bridge.schema import schema
from bridge.schema.operations import operations
from tests.schema.against import DRAWN, MESSAGES

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_configuration_with_sources_tells_of_these(tmp_path: Path) -> None:
    (tmp_path / "own.graphql").write_text("query Own($days: Int!) { viewer { homes { id } } }", "utf-8")
    path = tmp_path / "bridge.toml"
    sources = '[sources.cabin]\nprovider = "tibber"\ntoken = "planted-9f2c"\noperations.own.document = "own.graphql"\n'
    path.write_text(sources, "utf-8")
    path.chmod(0o600)
    ran = run(tmp_path, KWH2MQTT_CONFIG=str(path))
    drawn = json.loads(ran.stdout)
    assert ran.stderr == ""
    assert "planted" not in ran.stdout
    assert drawn["channels"]["price.value"]["parameters"]["source"]["enum"] == ["cabin"]
    assert drawn["channels"]["command.tibber.notify"]["parameters"]["tibber"]["enum"] == ["cabin"]
    assert drawn["channels"]["command.cabin.own"]["address"] == "kwh2mqtt/command/{client}/cabin/own"
    others = {asked.provider for asked in operations()} - {"", "tibber"} | {"operation"}
    usual = {name for name in DRAWN["channels"] if not others & set(name.split("."))}
    assert drawn["channels"].keys() == usual | {"command.cabin.own", "response.cabin.own"}


def test_the_json_schema_of_every_payload_stands_alone_in_a_file(tmp_path: Path) -> None:
    assert json.loads(schema(folder=tmp_path / "schemas")) == DRAWN
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
