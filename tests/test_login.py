"""`kwh2mqtt login`: a person signs a source in, by a code or in a browser, while the bridge may run; no token is ever shown."""

import asyncio
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.app import built
from bridge.check.sources import signed_in
from bridge.errors import Denied, Fault, Misconfigured, NotSignedIn, RateLimited, SourceError, Unauthenticated, Unreachable
from bridge.login import login
from bridge.models.observation import Observation
from bridge.providers import base as providers
from bridge.providers.base import Known, Provider, SourceSettings, Surroundings
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.simulator.octomesh.identity import Identity, Says
from bridge.simulator.server import Server
from bridge.state.lock import locked
from bridge.state.settings import StateSettings
from bridge.transport.settings import MqttSettings
from tests.support import HandClock, utc
from tests.test_cli import ROOT, environment

NOON = utc("2026-06-10T12:00")
SECRET = "a-secret-nobody-may-see"


class Asking:
    """A source that needs a person, and a word from them."""

    def __init__(self, error: SourceError | None, about: Surroundings) -> None:
        self._error, self._about = error, about

    def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        raise NotImplementedError

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        return moment

    async def sign_in(self) -> str:
        if (word := self._about.tokens.read()) is None:
            raise NotSignedIn("no sign-in is kept: run kwh2mqtt login home")
        return f"signed in by {word}"

    async def login(self, tell: Callable[[str], None], *, browser: bool) -> str:
        tell("say yes in the browser" if browser else "say yes")
        if self._error is not None:
            raise self._error
        self._about.tokens.write("a word")
        return "thank you"


def asking(folder: Path, error: SourceError | None = None) -> Settings:
    provider = Provider(SourceSettings, lambda settings, about: Asking(error, about))
    return configured(folder, provider, SourceSettings(provider="asking"))


def configured(folder: Path, provider: Provider, own: SourceSettings) -> Settings:
    return Settings(None, MqttSettings(), StateSettings(directory=folder), {"home": own}, {"home": provider})


async def logged_in(settings: Settings, name: str = "home", *, browser: bool = False) -> bool:
    return await login(settings, Redactor([SECRET]), HandClock(NOON), name, browser=browser)


@pytest.mark.parametrize(("browser", "said"), [(False, "say yes"), (True, "say yes in the browser")])
async def test_what_a_person_must_know_is_told_and_what_came_of_it(
    browser: bool,  # noqa: FBT001 - a column of the table
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await logged_in(asking(tmp_path), browser=browser)
    assert capsys.readouterr() == (f"{said}\nthank you\n", "")


async def test_a_source_is_signed_in_while_the_bridge_runs(tmp_path: Path) -> None:
    settings = asking(tmp_path)
    with locked(tmp_path):
        async with built(settings, HandClock(NOON), Redactor()) as app:
            first = await signed_in("sources.home", app.account("home"))
            assert await logged_in(settings)
            second = await signed_in("sources.home", app.account("home"))
    assert list(map(str, (first, second))) == [
        "fault  sources.home: no sign-in is kept: run kwh2mqtt login home",
        "ok     sources.home: signed in by a word",
    ]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            Unauthenticated(f"no {SECRET}"),
            "no ***; check client_id, client_secret and tenant, and how the provider has registered the client",
        ),
        (RateLimited("too many", retry_after=timedelta(minutes=1)), "too many; wait, then try again"),
        (Unreachable("away"), "away; check the internet connection and the source's address, then try again"),
        (Denied("no"), "no"),
    ],
)
async def test_what_went_wrong_is_told_with_its_mend(
    error: SourceError, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not await logged_in(asking(tmp_path, error))
    assert capsys.readouterr() == ("say yes\n", f"home is not signed in: {text}\n")


async def test_an_unknown_source_is_a_fault_of_usage(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        await logged_in(asking(tmp_path), "cabin")
    assert caught.value.faults == (Fault("SOURCE", "cabin is not configured", "use one of: home"),)


async def test_a_provider_that_needs_no_person_says_what_to_do_instead(tmp_path: Path) -> None:
    provider = providers.find("tibber")
    assert provider is not None
    own = provider.settings.model_validate({"provider": "tibber", "token": SECRET})
    with pytest.raises(Misconfigured) as caught:
        await logged_in(configured(tmp_path, provider, own))
    problem = "tibber needs no login: the configuration holds all that it signs in with"
    assert caught.value.faults == (Fault("sources.home", problem, "try it with kwh2mqtt check --online"),)


# the command itself

PACKAGE = '''"""A provider of another distribution, which signs in as OctoMesh does and polls nothing."""

from bridge.providers.base import Provider, SourceSettings
from bridge.providers.octomesh.client import Client
from bridge.providers.octomesh.sign_in import SignIn


class Settings(SourceSettings):
    url: str
    identity_url: str
    tenant: str
    client_id: str
    redirect_port: int = 0

    def identity(self):
        return f"{self.identity_url} {self.tenant} {self.client_id}"


class Source:
    def __init__(self, settings, about):
        client = Client(settings.identity_url, settings.client_id, settings.tenant, redirect_port=settings.redirect_port)
        self.login = SignIn(client, about).login


PROVIDER = Provider(Settings, Source)
'''
BROWSER = '''"""A browser without a window: it follows where it is led."""

import sys
import urllib.request

urllib.request.urlopen(sys.argv[1], timeout=30).read()
'''


def is_there(provider: str) -> bool:
    """Tell whether a provider is finished; a package may be there before it is one."""
    try:
        return providers.find(provider) is not None
    except AttributeError:
        return False


PROVIDERS = [
    "elsewhere",
    pytest.param("octomesh", marks=pytest.mark.skipif(not is_there("octomesh"), reason="OctoMesh is no provider yet")),
]


@dataclass
class Terminal:
    """A `kwh2mqtt login` at work."""

    running: asyncio.subprocess.Process
    shown: str = ""

    async def until(self, pattern: str) -> str:
        """Return the first group of `pattern` as soon as it was shown."""
        assert self.running.stdout is not None
        async with asyncio.timeout(30):
            while not (found := re.search(pattern, self.shown)):
                line = await self.running.stdout.readline()
                assert line, self.shown
                self.shown += line.decode()
        return found[1]

    async def end(self) -> tuple[int, str]:
        """Return the exit code and what was said on standard error."""
        async with asyncio.timeout(30):
            out, err = await self.running.communicate()
        self.shown += out.decode()
        assert self.running.returncode is not None
        return self.running.returncode, err.decode()


@dataclass
class Box:
    """A machine with a configuration, in front of an identity service."""

    folder: Path
    identity: Identity

    @asynccontextmanager
    async def login(self, *options: str) -> AsyncIterator[Terminal]:
        browser = f"{sys.executable} {self.folder / 'browser.py'} %s"
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge", "login", "mesh", "--config", "bridge.toml", *options,
            cwd=self.folder, env=environment(BROWSER=browser) | {"PYTHONPATH": path},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield Terminal(running)
        finally:
            if running.returncode is None:
                running.kill()
                await running.wait()

    def kept(self) -> Sequence[str]:
        """Return what lies in the pockets."""
        with sqlite3.connect(self.folder / "state" / "state.db") as database:
            found = [str(text) for (text,) in database.execute("SELECT text FROM pockets")]
        database.close()
        return found

    def secrets(self) -> set[str]:
        passes = self.identity._passes
        return {*passes.access, *passes.refresh, *passes.devices, *passes.codes}


@pytest.fixture(params=PROVIDERS)
async def box(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Box]:
    identity = Identity(lambda: datetime.now(UTC), strict=True, person=Says.NOTHING, interval=timedelta(seconds=1))
    (tmp_path / "elsewhere_provider.py").write_text(PACKAGE)
    (tmp_path / "browser.py").write_text(BROWSER)
    (tmp_path / "elsewhere-1.0.dist-info").mkdir()
    (tmp_path / "elsewhere-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    entry = "[kwh2mqtt.providers]\nelsewhere = elsewhere_provider:PROVIDER\n"
    (tmp_path / "elsewhere-1.0.dist-info" / "entry_points.txt").write_text(entry)
    async with Server(identity.handle) as server:
        identity.base_url = server.url
        (tmp_path / "bridge.toml").write_text(f"""
[state]
directory = "{tmp_path / "state"}"
[sources.mesh]
provider = "{request.param}"
url = "{server.url}"
identity_url = "{server.url}"
tenant = "demo"
client_id = "demo-box"
""")
        yield Box(tmp_path, identity)


async def test_the_command_waits_for_the_code_to_be_entered_and_keeps_the_tokens(box: Box) -> None:
    async with box.login() as terminal:
        code = await terminal.until(r"enter this code:\n\n {4}(\d+)\n")
        box.identity.decide(code, Says.YES)
        assert await terminal.end() == (0, "")
    assert terminal.shown.endswith("signed in; a running bridge takes it up by itself within a minute\n")
    assert not any(secret in terminal.shown for secret in box.secrets())
    [kept] = box.kept()
    assert all(token in kept for token in (*box.identity._passes.access, *box.identity._passes.refresh))
    assert (box.folder / "state" / "state.db").stat().st_mode & 0o077 == 0


async def test_the_browser_is_opened_and_its_answer_taken(box: Box) -> None:
    box.identity.person = Says.YES
    async with box.login("--browser") as terminal:
        assert await terminal.until(r"\n {4}(http://127\.0\.0\.1:\d+/connect/authorize\?\S+)\n")
        assert await terminal.end() == (0, "")
    assert [asked.path for asked in box.identity.requests] == ["/connect/authorize", "/connect/token"]
    assert len(box.kept()) == 1
    assert not any(secret in terminal.shown for secret in box.secrets())


async def test_a_person_who_says_no_is_one(box: Box) -> None:
    async with box.login() as terminal:
        box.identity.decide(await terminal.until(r"enter this code:\n\n {4}(\d+)\n"), Says.NO)
        assert await terminal.end() == (1, "mesh is not signed in: it was denied (access_denied)\n")
    assert box.kept() == []


@pytest.mark.parametrize("options", [(), ("--browser",)])
async def test_it_can_be_broken_off(options: tuple[str, ...], box: Box) -> None:
    (box.folder / "browser.py").write_text("")  # somebody who looks at the page and does nothing
    async with box.login(*options) as terminal:
        await terminal.until("(Waiting)")
        terminal.running.send_signal(signal.SIGINT)
        assert await terminal.end() == (1, "")
    assert box.kept() == []
