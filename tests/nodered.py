"""A Node-RED of the tests' own, from the npm registry into a folder that git ignores, and the flows of config/node-red in it.

Nothing of a flow is replaced but where it leads: the broker's port, EMHASS' address, and a topic in place of each debug node.
"""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.broker import HOST, free_port

ROOT = Path(__file__).resolve().parents[1]
FLOWS = ROOT / "config" / "node-red"
CACHE = ROOT / ".node-red"
NODE_RED = "node-red@4.1"  # the last that runs on Node 18 and 20
DASHBOARD = "@flowfuse/node-red-dashboard@1"
INSTALL_S, START_S = 300, 60
AGAIN_S = "4"
TAP = "tap/"
EMHASS = "http://localhost:5000"

Node = dict[str, Any]


def flow(name: str) -> list[Node]:
    nodes: list[Node] = json.loads((FLOWS / name).read_text("utf-8"))
    return nodes


def drawn_arguments(name: str, node_id: str) -> dict[str, Any]:
    """Return the `args` that a function node writes down, which are plain enough to be read."""
    (func,) = (node["func"] for node in flow(name) if node["id"] == node_id)
    (args,) = re.findall(r"args: {(.*?)\n}", func, re.DOTALL)
    quoted = re.sub(r"(\w+):(?= )", r'"\1":', args.strip().rstrip(","))
    found: dict[str, Any] = json.loads(f"{{{quoted}}}")
    return found


def names() -> list[str]:
    return sorted(file.name for file in FLOWS.glob("*.json"))


def installed(*packages: str) -> list[str]:
    """Return the command that starts Node-RED with `packages`; skip the test where they cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is not installed")
    for package in (NODE_RED, *packages):
        if not (CACHE / "node_modules" / package.rpartition("@")[0]).is_dir():
            CACHE.mkdir(exist_ok=True)
            command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(CACHE), package]
            ran = subprocess.run(command, cwd=CACHE, capture_output=True, text=True, timeout=INSTALL_S, check=False)
            if ran.returncode:
                pytest.skip(f"npm could not install {package}: {ran.stderr.strip()[-200:]}")
    return [node, str(CACHE / "node_modules" / "node-red" / "red.js")]


def tried(nodes: Iterable[Node], port: int, emhass: str) -> Iterator[Node]:
    """Yield `nodes` on the test's broker, with what a debug node shows on `tap/` and its id.

    Each button is pressed again and again: pressed before Node-RED has reached the broker, it does nothing.
    """
    broker = ""
    for node in nodes:
        match node["type"]:
            case "mqtt-broker":
                broker = node["id"]
                yield {**node, "broker": HOST, "port": str(port)}
            case "inject":
                yield {**node, "once": True, "onceDelay": 1, "crontab": "", "repeat": AGAIN_S}
            case "http request":
                yield {**node, "url": node["url"].replace(EMHASS, emhass)}
            case "debug":
                yield from tap(node, broker)
            case "ui-gauge" | "ui-chart":
                yield {**node, "wires": [[f"{node['id']}-shown"]]}
                yield from tap({"id": f"{node['id']}-shown", "z": node["z"]}, broker)
            case _:
                yield node


def tap(node: Node, broker: str) -> Iterator[Node]:
    """Yield what tells the test, in place of `node`, which payload it is given."""
    func, out = "return { payload: JSON.stringify(msg.payload) };", f"{node['id']}-tap"
    about = {"z": node["z"], "name": "", "x": 0, "y": 0}
    yield {**about, "id": node["id"], "type": "function", "func": func, "outputs": 1, "libs": [], "wires": [[out]]}
    topic = {"topic": TAP + node["id"], "qos": "1", "retain": "true", "broker": broker}
    yield {**about, "id": out, "type": "mqtt out", **topic, "wires": []}


@asynccontextmanager
async def node_red(folder: Path, nodes: Iterable[Node], *packages: str) -> AsyncIterator[str]:
    """Run `nodes` in a Node-RED without an editor, and yield its address once its flows have started."""
    command = installed(*packages)
    folder.mkdir()
    (folder / "flows.json").write_text(json.dumps(list(nodes)), "utf-8")
    settings = {"flowFile": "flows.json", "uiHost": HOST, "uiPort": free_port(), "disableEditor": True, "httpAdminRoot": False}
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};\n", "utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--userDir", str(folder), "--settings", str(folder / "settings.js")], stdout=log, stderr=log, cwd=folder
        )
    try:
        async with asyncio.timeout(START_S):
            while "Started flows" not in (told := (folder / "log").read_text("utf-8")):
                assert process.poll() is None, told
                await asyncio.sleep(0.1)
        yield f"http://{HOST}:{settings['uiPort']}"
    finally:
        process.terminate()
        process.wait(10)
