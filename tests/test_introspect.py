"""`kwh2mqtt introspect`: the schema is saved, what no longer fits is a fault, and what will go stands in the source's health."""

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from graphql import build_schema, graphql_sync, lexicographic_sort_schema, print_schema

from bridge.app import App, built, opened
from bridge.clock import SystemClock
from bridge.errors import Denied, Misconfigured, SourceError
from bridge.introspect import introspect
from bridge.providers import base as providers
from bridge.providers.base import Endpoint, Introspectable, Provider, SourceSettings
from bridge.providers.tibber.documents import DOCUMENTS
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.simulator.faults import Fault
from bridge.simulator.server import Request, Response, Server
from bridge.simulator.tibber import PATH, Tibber
from bridge.simulator.tibber_schema import SDL
from bridge.state.budget import Budget, BudgetSettings
from bridge.state.settings import StateSettings
from bridge.state.store import saved_deprecations
from bridge.transport.graphql import Json, Result
from bridge.transport.schema import LONGEST, MOST
from bridge.transport.settings import MqttSettings
from tests.support import settle, store, utc

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "s3cret-t0ken-that-nobody-may-see"
NOON = utc("2026-06-10T12:00:00")
OTHERS = ("Readings", "Viewer", "Energy", "EnergyOf", "Notify", "UpdateHome")  # that ask for no price
NAMES = ("Homes", "Prices", "PriceRange", *OTHERS)
TOTAL = "  total: Float\n"
AGEING = SDL.replace(TOTAL, '  total: Float @deprecated(reason: "Use `gross`.")\n')
POORER = SDL.replace(TOTAL, "")
MEND = "Update kwh2mqtt, or mend the document where it is your own"
GONE = f"Cannot query field 'total' on type 'Price'. Did you mean 'tax'? {MEND}"
AWAY = "check the internet connection and the source's address, then try again"


@asynccontextmanager
async def tibber(sdl: str | None = None) -> AsyncIterator[tuple[Tibber, str]]:
    """Yield a simulated Tibber and its address; with `sdl`, one whose schema somebody has changed."""
    simulated = Tibber(lambda: datetime.now(UTC), token=TOKEN)

    async def changed(request: Request) -> Response:
        result = graphql_sync(build_schema(sdl or ""), json.loads(request.body)["query"])
        return Response(body=json.dumps(result.formatted).encode())

    async with Server(changed if sdl else simulated.handle) as server:
        yield simulated, f"{server.url}{PATH}"


def configured(folder: Path, url: str, **more: Any) -> Settings:
    provider = providers.find("tibber")
    assert provider is not None
    own = provider.settings.model_validate({"provider": "tibber", "token": TOKEN, "url": url, **more})
    return Settings(None, MqttSettings(), StateSettings(directory=folder), {"home": own}, {"home": provider})


async def introspected(folder: Path, sdl: str | None = None) -> bool:
    async with tibber(sdl) as (_, url):
        return await introspect(configured(folder, url), Redactor([TOKEN]), "home")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def fits(folder: Path, *names: str) -> list[str]:
    """Return the lines of documents that fit, and the last one."""
    said = [f"ok         {name}: fits the schema" for name in names]
    return [*said, f"ok         home: the schema is saved as {folder / 'schemas' / 'home.graphql'}"]


def saved(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "schemas").iterdir()}


def kept(folder: Path, provider: str = "tibber") -> tuple[str, ...]:
    return store(folder, NOON).deprecations("home", provider)


# what it says and saves


async def test_a_schema_that_fits_is_saved_and_every_document_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await introspected(tmp_path)
    assert lines(capsys) == fits(tmp_path, *NAMES)
    assert saved(tmp_path) == {"home.graphql": print_schema(lexicographic_sort_schema(build_schema(SDL)))}


async def test_only_the_owner_of_the_state_can_read_it(tmp_path: Path) -> None:
    await introspected(tmp_path)
    await introspected(tmp_path)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "schemas", tmp_path / "schemas" / "home.graphql")]
    assert modes == [0o700, 0o600]


async def test_a_field_that_is_gone_is_a_fault_of_each_document_that_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not await introspected(tmp_path, POORER)
    homes, *others = fits(tmp_path, "Homes", *OTHERS)
    assert lines(capsys) == [homes, f"fault      Prices: {GONE}", f"fault      PriceRange: {GONE}", *others]
    assert "total" not in saved(tmp_path)["home.graphql"].partition("type Price {")[2].partition("}")[0]


async def test_what_is_deprecated_is_told_and_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await introspected(tmp_path, AGEING)
    homes, *others = fits(tmp_path, "Homes", *OTHERS)
    told = [f"deprecated {name}: Price.total is deprecated: Use `gross`." for name in ("Prices", "PriceRange")]
    assert lines(capsys) == [homes, *told, *others]


async def test_a_schema_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    await introspected(tmp_path, POORER)
    await introspected(tmp_path)
    assert list(saved(tmp_path)) == ["home.graphql"]
    assert "total" in saved(tmp_path)["home.graphql"]


async def test_it_takes_one_request_which_is_counted(tmp_path: Path) -> None:
    async with tibber() as (simulated, url):
        settings = configured(tmp_path, url)
        await introspect(settings, Redactor([TOKEN]), "home")
    assert [asked.operation for asked in simulated.requests] == ["IntrospectionQuery"]
    budget = Budget("home", BudgetSettings(), store(tmp_path, NOON).database)
    assert budget.requests_today(SystemClock().now()) == 1


async def test_a_budget_that_is_spent_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with tibber() as (simulated, url):
        settings = configured(tmp_path, url, budget={"requests": 1, "seconds": 3600})
        assert await introspect(settings, Redactor([TOKEN]), "home")
        lines(capsys)
        assert not await introspect(settings, Redactor([TOKEN]), "home")
    (said,) = lines(capsys)
    assert said.startswith("fault      home: the budget of 1 requests in 3600 s is spent")
    assert said.endswith("; wait, then try again")
    assert len(simulated.requests) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.HTTP_401, "401: Unauthorized; put new credentials into its section"),
        (
            Fault.UNAUTHENTICATED_400,
            "Context creation failed: invalid token (UNAUTHENTICATED); put new credentials into its section",
        ),
        (Fault.ECHO_TOKEN, f"Could not serve the token ***. (INTERNAL_SERVER_ERROR); {AWAY}"),
        (Fault.HTML_200, f"expected JSON, got text/html; charset=utf-8: a page of HTML, Maintenance; {AWAY}"),
    ],
)
async def test_a_schema_that_cannot_be_had_is_a_fault_and_what_was_had_stays(
    fault: Fault, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await introspected(tmp_path, AGEING)
    before = (saved(tmp_path), kept(tmp_path))
    lines(capsys)
    async with tibber() as (simulated, url):
        simulated.faults.set(fault)
        assert not await introspect(configured(tmp_path, url), Redactor([TOKEN]), "home")
    assert lines(capsys) == [f"fault      home: {said}"]
    assert (saved(tmp_path), kept(tmp_path)) == before


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "schemas").touch()
    with pytest.raises(Misconfigured, match=rf"^state.directory: {tmp_path}/schemas cannot be used"):
        await introspected(tmp_path)


async def test_a_secret_that_a_schema_repeats_reaches_no_line_no_file_and_no_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "x" * (LONGEST - 60)
    sdl = SDL.replace(TOTAL, f'"""For {TOKEN}."""\n  total: Float @deprecated(reason: "{TOKEN} {long} {TOKEN}")\n')
    assert await introspected(tmp_path, sdl)
    said = capsys.readouterr()
    places = [said.out, said.err, *kept(tmp_path), *saved(tmp_path).values()]
    assert "***" in "".join(places)
    assert not any(TOKEN[:8] in place for place in places)
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


# as a process


async def ran(folder: Path, url: str) -> tuple[int, list[str], str]:
    """Return the exit code, the lines and what stood on standard error."""
    config = folder / "bridge.toml"
    config.touch(0o600)
    state = f"[state]\ndirectory = '{folder / 'state'}'\n"
    config.write_text(f"{state}[sources.home]\nprovider = 'tibber'\ntoken = '{TOKEN}'\nurl = '{url}'\n")
    command = (sys.executable, "-m", "bridge", "introspect", "home", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1, cwd=ROOT)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode().splitlines(), err.decode()


@pytest.mark.parametrize(("sdl", "code"), [(None, 0), (AGEING, 0), (POORER, 1)], ids=["same", "ageing", "poorer"])
async def test_the_exit_code_tells_whether_all_documents_fit(sdl: str | None, code: int, tmp_path: Path) -> None:
    async with tibber(sdl) as (_, url):
        ended, said, err = await ran(tmp_path, url)
    assert (ended, err) == (code, "")
    verdicts = {None: "ok", AGEING: "deprecated", POORER: "fault"}
    assert [line.split()[0] for line in said] == ["ok", verdicts[sdl], verdicts[sdl], *["ok"] * (len(OTHERS) + 1)]
    assert said[-1] == fits(tmp_path / "state")[-1]


# deprecations in the source's health

TWO = ("Prices: Price.total is deprecated: Use `gross`.", "PriceRange: Price.total is deprecated: Use `gross`.")


def health(app: App) -> list[str]:
    (message,) = (message for message in app.shelf.messages() if message.topic == "kwh2mqtt/home/health")
    told: list[str] = json.loads(message.payload)["deprecations"]
    return told


def publish(app: App) -> list[str]:
    for account in app.accounts:
        app.shelf.put(account.report.messages(NOON))
    return health(app)


async def test_what_is_deprecated_stands_in_the_health_after_a_start(tmp_path: Path) -> None:
    await introspected(tmp_path, AGEING)
    async with built(configured(tmp_path, "http://127.0.0.1:9"), SystemClock(), Redactor([TOKEN])) as app:
        assert publish(app) == list(TWO)


async def test_a_running_bridge_shows_it_with_its_next_minute(tmp_path: Path) -> None:
    async with built(configured(tmp_path, "http://127.0.0.1:9"), SystemClock(), Redactor([TOKEN])) as app:
        assert publish(app) == []
        await introspected(tmp_path, AGEING)
        minutes = asyncio.create_task(app.report.run())
        await settle()
        minutes.cancel()
        assert health(app) == list(TWO)


async def test_another_introspection_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    await introspected(tmp_path, AGEING)
    assert kept(tmp_path) == TWO
    await introspected(tmp_path)
    assert kept(tmp_path) == ()


async def test_another_provider_of_the_same_name_does_not_inherit_them(tmp_path: Path) -> None:
    await introspected(tmp_path, AGEING)
    assert (kept(tmp_path, "octopus"), kept(tmp_path)) == ((), TWO)


def test_deprecations_are_kept_in_order_for_their_source_alone(tmp_path: Path) -> None:
    with opened(tmp_path, SystemClock()) as state:
        state.save(saved_deprecations("home", "tibber", ["b", "a", "b"]))
        state.save(saved_deprecations("cabin", "tibber", ["c"]))
        state.save(saved_deprecations("cabin", "tibber", []))
        assert [state.deprecations(name, "tibber") for name in ("home", "cabin", "other")] == [("b", "a"), (), ()]


# other sources


class OtherSettings(SourceSettings):
    provider: Literal["other"]


class Mute:
    """A source that does not speak GraphQL."""

    async def sign_in(self) -> str:
        return "signed in"


@dataclass
class Spoken(Mute):
    """A source with these endpoints."""

    given: Sequence[Endpoint]

    def endpoints(self) -> Sequence[Endpoint]:
        return self.given


def endpoint(name: str, sdl: str | SourceError, **documents: str) -> Endpoint:
    async def ask(document: str, variables: Json) -> Result:
        if isinstance(sdl, SourceError):
            raise sdl
        return Result(graphql_sync(build_schema(sdl), document, variable_values=variables).data or {})

    return Endpoint(name, ask, documents)


async def looked_at(folder: Path, source: Any) -> bool:
    provider = Provider(settings=OtherSettings, source=lambda settings, surroundings: source)
    own = OtherSettings(provider="other")
    settings = Settings(None, MqttSettings(), StateSettings(directory=folder), {"home": own}, {"home": provider})
    return await introspect(settings, Redactor(), "home")


async def test_a_source_without_graphql_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not await looked_at(tmp_path, Mute())
    assert lines(capsys) == ["fault      home: other does not speak GraphQL: it has no schema; use kwh2mqtt check --online"]


async def test_each_endpoint_has_a_file_and_one_that_fails_disturbs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = endpoint("", 'type Query { a: Int @deprecated(reason: "use b") }', A="{ a }")
    closed = endpoint("closed", Denied("not for you"), B="{ b }")
    backend = endpoint("backend", "type Query { c: Int }", C="{ c }")
    assert not await looked_at(tmp_path, Spoken([main, closed, backend]))
    assert lines(capsys) == [
        "deprecated A: Query.a is deprecated: use b",
        f"ok         home: the schema is saved as {tmp_path}/schemas/home.graphql",
        "fault      home-closed: not for you; use credentials that may read the schema",
        "ok         C: fits the schema",
        f"ok         home-backend: the schema is saved as {tmp_path}/schemas/home-backend.graphql",
    ]
    assert sorted(saved(tmp_path)) == ["home-backend.graphql", "home.graphql"]
    assert kept(tmp_path, "other") == ("A: Query.a is deprecated: use b",)


async def test_no_more_than_twenty_short_lines_are_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = " ".join(f'f{number:02}: Int @deprecated(reason: "{"long " * 100}")' for number in range(MOST + 5))
    asked = " ".join(f"f{number:02}" for number in range(MOST + 5))
    assert await looked_at(tmp_path, Spoken([endpoint("", f"type Query {{ {fields} }}", A=f"{{ {asked} }}")]))
    notices = kept(tmp_path, "other")
    assert [(notice[:12], len(notice), notice[-1]) for notice in notices] == [
        (f"A: Query.f{number:02}", LONGEST, "…") for number in range(MOST)
    ]
    assert [len(line) > LONGEST for line in lines(capsys)[:-1]] == [True] * (MOST + 5)  # they are told whole


async def test_tibber_names_every_document_that_it_sends(tmp_path: Path) -> None:
    async with built(configured(tmp_path, "http://127.0.0.1:9"), SystemClock(), Redactor([TOKEN])) as app:
        (account,) = app.accounts
        assert isinstance(account.source, Introspectable)
        (only,) = account.source.endpoints()
    assert (only.name, set(only.documents.values())) == ("", set(DOCUMENTS.values()))
