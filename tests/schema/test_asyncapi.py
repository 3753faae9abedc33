"""The document is AsyncAPI 3.0: its references lead somewhere, and AsyncAPI's own parser finds no fault in it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.schema.against import DRAWN


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
