"""docs/commands.md and what it leans on: the examples are sent, parsed and compared, the tables are those of the code."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from pydantic import BaseModel

from bridge import ask, errors
from bridge.app import built
from bridge.commands import desk, generic, messages, planner, planning, plans, request, shared, wanted, wish
from bridge.commands.request import Body
from bridge.commands.settings import CommandsSettings
from bridge.commands.wanted import CheapestArguments, PlanArguments
from bridge.demo import _settings
from bridge.models.message import GRACE, Arrival, Message
from bridge.providers import base as providers
from bridge.providers.octopus.operations import OPERATIONS
from bridge.settings import load
from bridge.simulator import ampere, tibber
from bridge.simulator.octomesh import actual_schema
from bridge.simulator.octopus import backend
from bridge.simulator.stage import served
from bridge.state import ledger
from bridge.topics import Topics
from bridge.transport.settings import MqttSettings
from tests.nodered import drawn_arguments, flow
from tests.support import HandClock, settle
from tests.test_docs import MOMENT, REDACT, ROOT, blocks, one, rows, written

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")
QUERIES = ROOT / "config" / "queries"
TOPICS = Topics("kwh2mqtt")
HEADING = "| operation | sources | kind | arguments | what it brings or does |\n|---|---|---|---|---|"
USUAL = CommandsSettings()
CONTRACT = {  # the codes that devices are built for
    "bad_request", "unknown_operation", "not_allowed", "expired", "retained", "rate_limited", "unauthenticated", "not_found",
    "refused", "unavailable", "timeout", "outcome_unknown", "internal",
}  # fmt: skip


# the table of operations


def arguments(model: type[BaseModel]) -> str:
    """Return the arguments of an operation as the table has them, with a blank before."""
    fields = ((field.alias or name, field) for name, field in model.model_fields.items())
    listed = ", ".join(f"{name}{'' if field.is_required() else '?'}" for name, field in fields)
    return f" `{listed}`" if listed else ""


def operations() -> Iterator[str]:
    """Yield a line for each operation that the code declares."""
    for sources, declared in (("all", generic.OPERATIONS), (f"`{planner.SOURCE}`", planner.OPERATIONS)):
        for name, told in declared.items():
            yield f"| `{name}` | {sources} | {told.kind} |{arguments(told.arguments)} | {told.about} |"
    for name in sorted(providers.names()):
        provider = providers.find(name)
        assert provider is not None
        for operation, told in provider.operations.items():
            yield f"| `{operation}` | {name} | {told.kind} |{arguments(told.arguments)} | {told.about} |"


def test_the_table_of_operations_is_what_the_code_declares() -> None:
    """Where it is not, put the left side of the comparison into the page."""
    table = f"{HEADING}\n" + "\n".join(operations())
    assert table == PAGE[PAGE.index(HEADING) :].partition("\n\n")[0]


# the other tables


def codes() -> set[str]:
    """Return the code of every error that a command may be answered with."""
    kinds: list[type[errors.BridgeError]] = [errors.CommandError, errors.SourceError]
    found = {errors.BridgeError.code}
    while kinds:
        kind = kinds.pop()
        found.add(kind.code)
        kinds += kind.__subclasses__()
    return found


def test_every_code_of_an_answer_is_explained_and_is_of_the_contract() -> None:
    explained = [code.strip("`") for code, *_ in rows(PAGE, "| `error.code` | what it means | what to do |")]
    assert len(explained) == len(set(explained))
    assert set(explained) == CONTRACT
    assert codes() == CONTRACT


def test_the_limits_are_those_of_the_code() -> None:
    limits = {what: how for what, how in rows(PAGE, "| what | how much |")}  # noqa: C416 - a dict of pairs that are lists
    assert limits == {
        "payload": f"{request.LARGEST >> 10} KiB",
        "commands of one client": f"{USUAL.per_minute} a minute (`commands.per_minute`)",
        "writes among them": f"{USUAL.writes_per_minute} a minute (`commands.writes_per_minute`), {ledger.MOST_WRITES} a day",
        "commands that wait for a provider, of all clients together": f"{USUAL.concurrent} (`commands.concurrent`)",
        "time for one": f"{shared.LONGEST.seconds} s",
        "an answer while the broker is away": f"kept for {desk.ANSWER_LIVES.seconds // 60} minutes",
        "plans of one client, and of all": f"{plans.MOST_OF_A_CLIENT}, and {plans.MOST}",
    }
    assert timedelta(hours=24) == ledger.KEPT


# commands and answers


def shown(mark: str) -> Any:
    return json.loads(one(PAGE, "json", mark))


async def answers(folder: Path, *arrivals: Arrival) -> list[Any]:
    """Return what the bridge answers, with the demo's providers under the names of the examples."""
    clock = HandClock(MOMENT)
    async with served(clock.now) as tables:
        settings = _settings(MqttSettings(), folder, {"home": tables["tibber"], "octopus": tables["octopus"]})
        async with built(settings, clock, REDACT) as app:
            for account in app.accounts:
                await app.poller(account).poll()
            known = [await app.shelf.take() for _ in range(len(app.shelf))]
            for arrival in arrivals:
                app.desk.arrived(arrival)
                await settle()
            told = [await app.shelf.take() for _ in range(len(app.shelf))]
            assert known
            return [json.loads(message.payload) for message in told if "/response/" in message.topic]


async def test_the_answers_are_what_the_bridge_says(tmp_path: Path) -> None:
    command, prices, refusal = shown('"stream": "import", "from"'), shown('"slots"'), shown('"not_allowed"')
    Body.model_validate(command)
    boost = {"id": refusal["id"], "args": {"device_id": "a"}}
    found = await answers(
        tmp_path,
        Arrival("kwh2mqtt/command/wallbox/home/prices", json.dumps(command).encode()),
        Arrival("kwh2mqtt/command/wallbox/octopus/boost_start", json.dumps(boost).encode()),
    )
    assert found == [prices, refusal]


def test_every_json_on_the_page_is_compared_with_something() -> None:
    assert len(blocks(PAGE, "json")) == 5


# when to run


async def test_the_plan_is_what_the_bridge_answers(tmp_path: Path) -> None:
    command = Arrival("kwh2mqtt/command/wallbox/bridge/plan", json.dumps(shown('"min_segment"')).encode())
    assert await answers(tmp_path, command) == [shown('"saving"')]


def test_every_argument_of_when_to_run_is_explained() -> None:
    words = {word for row in rows(PAGE, "| argument | what it means |") for word in re.findall(r"`(\w+)`", row[0])}
    assert words == set(CheapestArguments.model_fields)


def test_the_figures_of_plans_are_those_of_the_code() -> None:
    lengths = (wanted.MINUTE, wish.GRID, GRACE, messages.SHOWN_AFTER, wish.HORIZON, wanted.LONGEST)
    assert [length / timedelta(minutes=1) for length in lengths] == [1, 5, 1, 60, 48 * 60, 7 * 24 * 60]
    assert Decimal("0.01") == planning.LEAST_GAIN


def test_the_plans_of_the_examples_are_plans_that_can_be_asked_for() -> None:
    (line,) = re.findall(r"^kwh2mqtt request bridge plan (.*) --client wallbox$", PAGE, re.MULTILINE)
    typed = ask.question(["bridge", "plan", *line.split()], client="wallbox", id_=None)
    (ask_node,) = (node["topic"] for node in flow("plan.json") if node["id"] == "kwh-plan-ask")
    errand = TOPICS.command(ask_node)
    assert errand is not None
    drawn = drawn_arguments("plan.json", "kwh-plan-plan")
    for client, args in ((typed.errand.client, typed.args), (errand.client, drawn)):
        assert f"{TOPICS.plan_active(client, PlanArguments.model_validate(args).name)}" in PAGE


def test_the_grants_are_of_operations_that_there_are(tmp_path: Path) -> None:
    settings = load(configured(tmp_path, one(PAGE, "toml", "[clients.")))
    assert settings.grants == {"wallbox": ("home.*", "octopus.boost_start", "octopus.boost_cancel")}


# documents of one's own


def configured(folder: Path, text: str) -> Path:
    """Write a configuration of two sources with `text`, and the documents where it looks for them."""
    shutil.copytree(QUERIES, folder / "queries")
    sources = {"home": 'provider = "tibber"\ntoken = "a-token"', "octopus": 'provider = "octopus"\napi_key = "a-key"'}
    return written(folder, "".join(f"[sources.{name}]\n{keys}\n" for name, keys in sources.items()) + text)


def test_the_document_on_the_page_is_taken_as_the_page_configures_it(tmp_path: Path) -> None:
    settings = load(configured(tmp_path, one(PAGE, "toml", "operations.my_sites")))
    document = settings.documents["home"]["my_sites"]
    assert one(PAGE, "graphql", "MySites") == document.text == (QUERIES / "my_sites.graphql").read_text("utf-8")
    assert (document.kind, [variable.name for variable in document.parsed.variables]) == (providers.Kind.QUERY, ["days"])


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("my_sites", tibber.SCHEMA),
        ("my_sessions", backend.SCHEMA),
        ("my_facilities", build_schema(ampere.SDL)),
        ("my_meters", actual_schema.SCHEMA),
    ],
)
def test_the_documents_in_config_are_what_the_providers_answer(name: str, schema: GraphQLSchema) -> None:
    assert validate(schema, parse((QUERIES / f"{name}.graphql").read_text("utf-8"))) == []


async def test_the_document_on_the_page_is_answered(tmp_path: Path) -> None:
    documents = load(configured(tmp_path, one(PAGE, "toml", "operations.my_sites"))).documents
    clock = HandClock(MOMENT)
    async with served(clock.now) as tables:
        settings = _settings(MqttSettings(), tmp_path, {"home": tables["tibber"]})
        async with built(replace(settings, documents=documents), clock, REDACT) as app:
            app.desk.arrived(Arrival("kwh2mqtt/command/wallbox/home/my_sites", b'{"args": {"days": 3}}'))
            message = await answer_of(app.shelf.take)
    answer = json.loads(message.payload)
    assert answer["status"] == "ok", answer
    assert [len(home["consumption"]["nodes"]) for home in answer["data"]["viewer"]["homes"]] == [3, 3]


async def answer_of(take: Any) -> Message:
    while True:
        message: Message = await take()
        if message.answer or "/response/" in message.topic:
            return message


# the examples


def test_the_flow_asks_for_operations_that_there_are_and_hears_its_own_answers() -> None:
    nodes = flow("command.json")
    (command,) = (node["func"] for node in nodes if node["type"] == "function" and node["name"] == "command")
    above, response = re.findall(r'msg\.(?:topic|responseTopic) = "([^"]+)"', command)
    (listener,) = (node for node in nodes if node["type"] == "mqtt in")
    assert (listener["topic"], listener["datatype"]) == (response, "json")
    asked = []
    for node in nodes:
        if node["type"] == "inject":
            given = {prop["p"]: prop for prop in node["props"]}
            errand = TOPICS.command(f"{above}{given['operation']['v']}")
            assert errand is not None
            assert response.startswith(TOPICS.responses(errand.client))
            asked.append((errand.client, errand.source, errand.operation, json.loads(given["args"]["v"])))
    device = {"device_id": "00000000-0001-4000-8000-0000000c0a01"}
    assert asked == [("node-red", "home", "prices", {"stream": "import"}), ("node-red", "octopus", "boost_start", device)]
    OPERATIONS["boost_start"].arguments.model_validate(device)
    for word in ("RED.util.generateId()", "correlationData = Buffer.from(id)", "messageExpiryInterval = 30", "retain = false"):
        assert word in command


def test_the_microcontroller_sends_a_command_and_hears_its_answer() -> None:
    (code,) = blocks(PAGE, "cpp")
    topics = dict(re.findall(r'const char \*(\w+) = "([^"]+)"', code))
    errand = TOPICS.command(topics["COMMAND"])
    assert errand is not None
    assert TOPICS.response(errand) == topics["RESPONSE"]
    printed = re.search(r'snprintf\(command, sizeof command, "((?:\\.|[^"])*)", id, "([^"]+)"\)', code)
    assert printed is not None
    id_ = "0123456789abcdef"
    payload = printed[1].replace('\\"', '"').replace("%s", id_, 1).replace("%s", printed[2], 1)
    body = Body.model_validate_json(payload)
    assert (body.id, OPERATIONS[errand.operation].arguments.model_validate(body.args).model_dump()) == (
        id_,
        {"device_id": printed[2]},
    )
    sizes = re.search(r"char id\[(\d+)\], command\[(\d+)\]", code)
    assert sizes is not None
    assert (len(id_) < int(sizes[1]), len(payload) < int(sizes[2])) == (True, True)


def test_the_broker_is_set_up_with_the_files_of_config() -> None:
    setup = one(PAGE, "sh", "mosquitto_passwd")
    conf = (ROOT / "config" / "mosquitto.example.conf").read_text("utf-8")
    named = re.findall(r"^(?:password|acl)_file (\S+)$", conf, re.MULTILINE)
    assert [name in setup for name in named] == [True, True]
    assert all((ROOT / name).is_file() for name in re.findall(r"\bconfig/\S+", setup))
    logins = re.findall(r"mosquitto_passwd .*\.passwd (\S+)", setup)
    acl = (ROOT / "config" / "mosquitto.acl").read_text("utf-8")
    assert re.findall(r"^user (\S+)$", acl, re.MULTILINE) == logins[:3]
    assert "set_tcp_nodelay true" in conf.splitlines()


def test_the_line_for_the_shell_names_what_completes(tmp_path: Path) -> None:
    (line,) = re.findall(r"^complete .*$", PAGE, re.MULTILINE)
    assert line.split("'")[1] == "kwh2mqtt request --complete"
    script = f"{line}\ncomplete -p kwh2mqtt\n"
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stdout == "complete -o default -C 'kwh2mqtt request --complete' kwh2mqtt\n"


def test_the_page_configures_what_toml_can_hold() -> None:
    assert [list(tomllib.loads(block)) for block in blocks(PAGE, "toml")] == [["clients"], ["sources"]]
