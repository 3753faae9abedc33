"""The house stands as ARCHITECTURE.md draws it: imports point down only, and each library is known in one room."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS: tuple[set[str], ...] = (
    {"", "errors", "faults", "file", "models", "topics", "clock", "redact", "pulse"},
    {"pricing"},
    {"transport", "state"},
    {"providers"},
    {"feed", "commands", "readers"},
    {"settings"},
    {"cli", "app", "__main__", "demo", "check", "health", "systemd", "preview", "introspect", "login", "ask", "complete",
     "reload", "schema", "simulator", "web", "metrics", "watch"},
)  # fmt: skip
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
GROUND, ROOF = 0, len(FLOORS) - 1
ON_THE_GROUND = {*sys.stdlib_module_names, "bridge", "pydantic", "typing_extensions"}
HIDDEN = {  # library → the only places that know it
    "httpx2": ("transport.http",),
    "tenacity": ("transport.http",),
    "aiomqtt": ("transport.mqtt",),
    "paho": ("transport.mqtt",),
    "sqlite3": ("state",),
    "graphql": ("transport.document", "transport.schema", "simulator"),
    "oauthlib": ("transport.oauth",),
    "jmespath": ("providers.ampere",),
    "aio_pika": ("transport.amqp",),
    "aiormq": ("transport.amqp",),
    "pamqp": ("transport.amqp",),
    "h11": ("simulator",),
    "pydantic_settings": ("settings",),
}


class Import(NamedTuple):
    """`module` imports `target`; both are dotted, what is ours without the leading `bridge.`"""

    module: str
    target: str
    ours: bool
    late: bool

    def __str__(self) -> str:
        return f"{self.module} imports {self.target}"


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "bridge").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "bridge").rglob("*.py"))}


def targets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        for alias in node.names:
            whole = f"{module}.{alias.name}"
            yield whole if whole.removeprefix("bridge.") in MODULES else module


def imports() -> Iterator[Import]:
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            for target in targets(node):
                ours = target.split(".")[0] == "bridge"
                yield Import(module, target.partition(".")[2] if ours else target, ours, node not in tree.body)


IMPORTS = list(imports())
OURS = [found for found in IMPORTS if found.ours]


def room(module: str) -> str:
    return module.partition(".")[0]


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def test_every_module_has_its_floor() -> None:
    assert [module for module in MODULES if room(module) not in FLOOR] == []


def test_no_import_is_relative() -> None:
    nodes = [(module, node) for module, tree in MODULES.items() for node in ast.walk(tree)]
    assert [module for module, node in nodes if isinstance(node, ast.ImportFrom) and node.level] == []


def test_imports_never_point_up() -> None:
    assert [str(found) for found in OURS if FLOOR[room(found.target)] > FLOOR[room(found.module)]] == []


def test_rooms_of_one_floor_do_not_know_each_other() -> None:
    sideways = [found for found in OURS if FLOOR[room(found.target)] == FLOOR[room(found.module)] not in (GROUND, ROOF)]
    assert [str(found) for found in sideways if room(found.target) != room(found.module)] == []


def test_providers_know_their_own_modules_and_base_only() -> None:
    among = [found for found in OURS if within(found.module, ("providers",)) and within(found.target, ("providers",))]
    allowed = {(found.module, found.target): (*found.module.split(".")[:2],) for found in among}
    strangers = [
        f"{module} imports {target}"
        for (module, target), own in allowed.items()
        if target != "providers" and not within(target, ("providers.base", ".".join(own)))
    ]
    assert strangers == []


def test_the_roof_is_imported_late_by_the_command_line() -> None:
    early = [found for found in OURS if found.module == "cli" and not found.late]
    assert [str(found) for found in early if FLOOR[room(found.target)] == ROOF] == []


def test_the_simulator_is_known_to_the_demo_alone() -> None:
    assert {room(found.module) for found in OURS if room(found.target) == "simulator"} <= {"simulator", "demo"}


def test_the_ground_and_the_arithmetic_know_pydantic_and_the_standard_library_only() -> None:
    low = [found for found in IMPORTS if FLOOR[room(found.module)] <= FLOOR["pricing"]]
    assert [str(found) for found in low if not found.ours and room(found.target) not in ON_THE_GROUND] == []


@pytest.mark.parametrize(("library", "places"), HIDDEN.items())
def test_a_library_is_known_in_its_room_only(library: str, places: tuple[str, ...]) -> None:
    knowing = {found.module for found in IMPORTS if not found.ours and room(found.target) == library}
    assert {module for module in knowing if not within(module, places)} == set()


def test_the_main_job_loads_neither_the_simulator_nor_a_library_that_few_need() -> None:
    wanted = "bridge.cli, bridge.app, bridge.providers.tibber, bridge.providers.octomesh, bridge.introspect"
    program = f"import sys, {wanted}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    unwanted = ("bridge.simulator", "graphql", "oauthlib", "aio_pika", "aiormq")
    assert [name for name in ran.stdout.split() if name.startswith(unwanted)] == []


def test_every_provider_has_its_test_file() -> None:
    children = (path for path in (ROOT / "bridge" / "providers").iterdir() if not path.name.startswith("__"))
    names = {path.stem for path in children if path.stem != "base"}
    assert [name for name in sorted(names) if not (ROOT / "tests" / "providers" / f"test_{name}.py").is_file()] == []
