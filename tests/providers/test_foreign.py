"""A provider of another distribution is found by its entry point: installed into a folder of its own, run by the real program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.providers import base

ROOT = Path(__file__).resolve().parents[2]
METADATA = "Metadata-Version: 2.1\nName: kwh2mqtt-sunny\nVersion: 1.0\n"
MODULE = '''"""Sunny: a site whose energy is free."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from bridge.models.observation import Observation, PricesSeen, SitesSeen
from bridge.models.price import Curve, Slot
from bridge.models.site import Site
from bridge.providers.base import Known, Provider, SourceSettings, Surroundings


class SunnySettings(SourceSettings):
    provider: Literal["sunny"]
    price: Decimal


class Sunny:
    def __init__(self, settings: SunnySettings, surroundings: Surroundings) -> None:
        self._price = settings.price

    async def poll(self, known: Known, moment: datetime) -> Any:
        yield SitesSeen((Site(id="1", title="Beach", timezone="UTC", streams=("import",)),))
        hour = moment.replace(minute=0, second=0, microsecond=0)
        yield PricesSeen("1", "import", Curve(currency="EUR", slots=(Slot(hour, hour + timedelta(hours=1), self._price),)))

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        return moment + timedelta(hours=1)

    async def sign_in(self) -> str:
        return "the sun needs no key"


PROVIDER = Provider(settings=SunnySettings, source=Sunny)
'''


@pytest.fixture
def site_packages(tmp_path: Path) -> Path:
    """A folder in which a distribution is installed, as pip leaves it."""
    info = tmp_path / "packages" / "kwh2mqtt_sunny-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(f"[{base.GROUP}]\nsunny = kwh2mqtt_sunny:PROVIDER\n")
    (info.parent / "kwh2mqtt_sunny.py").write_text(MODULE)
    return info.parent


def ran(folder: Path, packages: Path | None, *arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    config = folder / "bridge.toml"
    config.write_text(f'{text}\n[state]\ndirectory = "{folder / "state"}"\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KWH2MQTT")}
    environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in (ROOT, packages) if path)
    command = [sys.executable, "-m", "bridge", *arguments, "--config", str(config)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


CONFIG = '[sources.garden]\nprovider = "sunny"\nprice = "0.5"\n'


def test_an_installed_provider_is_found_and_polled(tmp_path: Path, site_packages: Path) -> None:
    done = ran(tmp_path, site_packages, "poll", "garden", text=CONFIG)
    assert (done.returncode, done.stderr) == (0, "")
    topics = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert topics["kwh2mqtt/garden/beach/price/import/value"] == "0.5"
    assert json.loads(topics["kwh2mqtt/garden/beach/info"])["name"] == "Beach"


def test_its_settings_are_judged_like_our_own(tmp_path: Path, site_packages: Path) -> None:
    done = ran(tmp_path, site_packages, "check", text='[sources.garden]\nprovider = "sunny"\nprize = 1\n')
    assert done.returncode == 2
    assert "sources.garden.price: is missing" in done.stderr
    assert "sources.garden.prize: is not a known key; did you mean price?" in done.stderr


def test_without_it_the_configuration_names_those_that_there_are(tmp_path: Path) -> None:
    done = ran(tmp_path, None, "check", text=CONFIG)
    assert done.returncode == 2
    assert f"sources.garden.provider: is not known; use one of: {', '.join(base.names())}" in done.stderr
