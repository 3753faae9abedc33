"""docs/octomesh.md: its configuration works, and what it says of keys, limits, shapes and operators is what the code does."""

import re
import shlex
from pathlib import Path

import pytest

from bridge.errors import Misconfigured
from bridge.providers.octomesh.codes import CODES
from bridge.providers.octomesh.execute import MOST_PAGES_HERE, PAGE_HERE
from bridge.providers.octomesh.filters import OPERATORS
from bridge.providers.octomesh.limits import Limits
from bridge.providers.octomesh.newest import MOST_AT_ONCE
from bridge.providers.octomesh.operations import LONGEST_CONTENT, OPERATIONS
from bridge.providers.octomesh.readings import LONGEST_TEXT
from bridge.providers.octomesh.settings import EntitySettings, OctoMeshSettings
from bridge.settings import load
from tests.test_docs import ROOT, blocks, rows, written

PAGE = (ROOT / "docs" / "octomesh.md").read_text("utf-8")
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
SIGN_IN = {"client_id", "client_secret", "flow", "scope", "acr_values", "redirect_port", "identity_url"}  # told on another page
EVERYWHERE = {"provider", "sites", "operations", "budget", "publish_personal_data", "windows", "pricing"}


def source(folder: Path) -> OctoMeshSettings:
    (text,) = blocks(PAGE, "toml")
    found = load(written(folder, text)).sources["mesh"]
    assert isinstance(found, OctoMeshSettings)
    return found


def test_the_configuration_on_the_page_works(tmp_path: Path) -> None:
    found = source(tmp_path)
    assert found.graphql_url == "https://assets.example.com/tenants/my-tenant/graphql"
    assert [entity.type for entity in found.entities] == ["Industry.Energy/EnergyMeter", "Industry.Energy/Inverter"]


def test_a_mistyped_entity_is_a_fault_that_names_the_key_and_shows_no_secret(tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "toml")
    with pytest.raises(Misconfigured) as caught:
        load(written(tmp_path, text.replace("stream_attributes", "stream_atributes")))
    assert "sources.mesh.entities.0.stream_atributes" in str(caught.value)
    assert "paste-it-here" not in str(caught.value)


def test_the_page_names_every_key() -> None:
    spans = [*re.findall("`([^`]+)`", PROSE), *blocks(PAGE, "toml")]
    named = set(re.findall(r"[a-z_]+", " ".join(spans)))
    wanted = {*OctoMeshSettings.model_fields, *EntitySettings.model_fields} - SIGN_IN - EVERYWHERE - {"timezone", "first"}
    assert wanted <= named


def test_the_page_tells_the_limits_of_the_code() -> None:
    limits, told = Limits(), " ".join(PAGE.split())
    counts = [window._most for window in (limits.queries, limits.writes, limits.uploads)]
    assert "allows a client {} queries, {} writes and {} uploads a minute".format(*counts) in told
    budget = OctoMeshSettings.model_fields["budget"].default
    assert f"{budget.requests} requests in {budget.seconds} s" in told
    assert f"{PAGE_HERE * MOST_PAGES_HERE} entities at the most" in told
    assert f"{LONGEST_CONTENT:,} letters at the most" in told
    assert f"more than {LONGEST_TEXT} letters" in told
    assert (MOST_AT_ONCE, "forty meters in one request" in told) == (40, True)
    assert f"every `poll_seconds`, {OctoMeshSettings.model_fields['poll_seconds'].default} unless" in told


def test_the_page_tells_who_judges_each_operator() -> None:
    named = " ".join(cell for cell, *_ in rows(PAGE, "| operator | `documented` | `actual` |"))
    assert set(re.findall("`([A-Za-z]+)`", named)) >= {*OPERATORS, "AND", "OR"}


def test_the_page_names_codes_that_there_are() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+[A-Z]|[A-Z]{8,}\d*)`", PROSE))
    assert {code for code in named if code not in CODES} == set()


def test_the_commands_on_the_page_are_operations_whose_arguments_are_taken() -> None:
    (shell,) = blocks(PAGE, "sh")
    for line in shell.splitlines():
        _, _, source_, operation, *given = shlex.split(line)
        assert source_ == "mesh"
        if operation == "readings":
            continue
        values = dict(word.split("=", 1) for word in given)
        fields = {field.alias or name for name, field in OPERATIONS[operation].arguments.model_fields.items()}
        assert values.keys() <= fields
