"""What a provider deprecates, judged in a process of its own: bounded, without secrets, and without a GraphQL library in ours."""

import ast
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from graphql import build_client_schema, build_schema, graphql_sync, lexicographic_sort_schema, print_schema

from bridge.errors import Failed, Malformed, RateLimited, Refused, SourceError, TimedOut
from bridge.transport.deprecations import LARGEST_SCHEMA, NEWER, OLDER, deprecations
from bridge.transport.judge import verdict
from bridge.transport.schema import LONGEST, MOST

ROOT = Path(__file__).resolve().parents[2]
SDL = """
type Query {
  prices(level: Level, old: Int @deprecated(reason: "use `level`")): [Price!]! @deprecated(reason: "moved to `tariff`")
  tariff(of: Of, level: Level): Price
}
interface Named { name: String }
union Anything = Price | Other
type Other implements Named { name: String }
enum Level { LOW CHEAP @deprecated(reason: "use LOW") }
type Price implements Named { name: String total: Float gross: [[Float!]!]! @deprecated }
type Mutation { signIn(input: Of!): String }
type Subscription { prices: Price }
input Of { key: String = "none" email: String @deprecated(reason: "use `key`") }
directive @here(why: String) repeatable on FIELD
"""
DOCUMENTS = {"Prices": "{ prices { total gross } }", "Tariff": "{ tariff(level: CHEAP) { total } }", "Gone": "{ gone }"}
FOUND = (
    "Prices: Query.prices is deprecated: moved to `tariff`",
    "Prices: Price.gross is deprecated: No longer supported",
    "Tariff: Level.CHEAP is deprecated: use LOW",
)


@dataclass
class Server:
    """Tells its schema; to a question that is too new for it it says `older`, in the place of an answer `instead`."""

    sdl: str = SDL
    older: SourceError | str | None = None
    instead: str | None = None
    asked: list[str] = field(default_factory=list)

    async def text(self, document: str) -> str:
        self.asked.append(document)
        if self.instead is not None:
            return self.instead
        if self.older is not None and document == NEWER:
            if isinstance(self.older, SourceError):
                raise self.older
            return self.older
        result = graphql_sync(build_schema(self.sdl), document)
        return json.dumps(result.formatted)


def answered(question: str) -> Any:
    return graphql_sync(build_schema(SDL), question).data


def test_our_own_question_brings_the_same_schema_as_the_librarys() -> None:
    expected = print_schema(lexicographic_sort_schema(build_schema(SDL))).replace(" repeatable", "")
    assert print_schema(lexicographic_sort_schema(build_client_schema(answered(NEWER)))) == expected
    assert "Of" in {one["name"] for one in answered(OLDER)["__schema"]["types"]}


async def test_each_deprecated_thing_that_we_ask_for_is_a_line() -> None:
    server = Server()
    assert await deprecations(server.text, DOCUMENTS) == FOUND
    assert server.asked == [NEWER]


@pytest.mark.parametrize(
    "older",
    [
        Refused('Unknown argument "includeDeprecated" on field "inputFields" of type "__Type".'),
        Malformed('Cannot query field "isDeprecated" on type "__InputValue".'),
        json.dumps({"errors": [{"message": "Unknown argument 'includeDeprecated'."}]}),
    ],
    ids=str,
)
async def test_an_older_server_is_asked_again_in_its_own_words(older: SourceError | str) -> None:
    server = Server(older=older)
    assert await deprecations(server.text, DOCUMENTS) == FOUND
    assert server.asked == [NEWER, OLDER]


@pytest.mark.parametrize(
    ("instead", "told"),
    [
        ('{"errors": [{"message": "introspection is off"}], "data": null}', "introspection is off"),
        ('{"data": {"__schema": null}}', "the answer holds no schema"),
        ("[]", "the answer holds no schema"),
        ("not JSON", "the answer is no schema (JSONDecodeError)"),
        ('{"data": {"__schema": {"types": 7}}}', "the answer is no schema (Malformed)"),
        ('{"data": 7}', "the answer is no schema (AttributeError)"),
        (f'{{"data": {"[" * 100_000}', "the answer is no schema (RecursionError)"),
    ],
)
def test_what_is_no_schema_is_refused_by_the_judge(instead: str, told: str) -> None:
    assert verdict(json.dumps(DOCUMENTS), instead) == {"refused": told}


async def test_a_refusal_of_the_judges_is_raised() -> None:
    with pytest.raises(Refused, match="introspection is off"):
        await deprecations(Server(instead='{"errors": [{"message": "introspection is off"}]}').text, DOCUMENTS)


async def test_an_error_that_is_not_about_the_question_is_not_asked_again() -> None:
    server = Server(older=RateLimited("wait"))
    with pytest.raises(RateLimited):
        await deprecations(server.text, DOCUMENTS)
    assert server.asked == [NEWER]


async def test_a_schema_that_is_too_large_is_judged_by_nobody() -> None:
    server = Server(instead=" " * (LARGEST_SCHEMA + 1))
    started = time.monotonic()
    with pytest.raises(Malformed, match="larger than 8 MiB"):
        await deprecations(server.text, DOCUMENTS)
    assert time.monotonic() - started < 0.2


async def test_more_than_health_can_show_is_cut() -> None:
    reason = "x" * 300
    fields = " ".join(f'f{number}: Int @deprecated(reason: "{reason}")' for number in range(30))
    document = f"{{ {' '.join(f'f{number}' for number in range(30))} }}"
    found = await deprecations(Server(f"type Query {{ {fields} }}").text, {"Many": document})
    assert [len(line) for line in found] == [LONGEST] * MOST


async def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TimedOut, match="could not be judged in 0 s"):
        await deprecations(Server().text, DOCUMENTS, patience_s=0)


async def test_where_no_process_can_be_started_it_is_an_error_like_any_other() -> None:
    with pytest.raises(Failed, match="no process can be started to judge the schema"):
        await deprecations(Server().text, DOCUMENTS, python="/nowhere/python")


def test_the_process_sees_no_secret_and_ours_loads_no_library(tmp_path: Path) -> None:
    """The judge is replaced by one that tells what it was given; the rest is the program's own."""
    (tmp_path / "bridge").mkdir()
    program = f"""
import asyncio, json, sys
from bridge.transport import deprecations
async def text(document):
    return json.dumps({{"data": {{}}}})
sys.path.insert(0, {str(tmp_path)!r})
print(asyncio.run(deprecations._verdict(b'{{}}\\n{{}}', 30, sys.executable)))
print([name for name in sys.modules if name.startswith("graphql")])
"""
    spy = "import json, os, sys; print(json.dumps({'deprecated': [sorted(os.environ), sys.argv[1:], sys.stdin.read()]}))"
    (tmp_path / "bridge" / "__init__.py").touch()
    (tmp_path / "bridge" / "transport").mkdir()
    (tmp_path / "bridge" / "transport" / "__init__.py").touch()
    (tmp_path / "bridge" / "transport" / "judge.py").write_text(spy)
    environment = {**os.environ, "KWH2MQTT_SOURCES__PLANT__TOKEN": "s3cret"}
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    said, loaded = ran.stdout.splitlines()
    names, arguments, given = ast.literal_eval(said)["deprecated"]
    assert [name for name in names if name not in ("LC_CTYPE", "PYTHONPATH")] == []
    assert (arguments, given) == ([], "{}\n{}")
    assert loaded == "[]"


def test_the_judge_loads_no_http_library() -> None:
    program = "import sys, bridge.transport.judge; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in ran.stdout.split() if name.startswith(("httpx", "pydantic", "asyncio"))] == []
