"""The processes that are measured: how they are started, stopped and looked at."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bridge.simulator.broker import HOST

KWH2MQTT = str(Path(sys.executable).with_name("kwh2mqtt"))
ROOT = Path(__file__).resolve().parents[1]
TOKEN = "bench-token"
SOURCE = "home"
STOP_S = 15.0
QUIET_S = 2.0  # for so long nothing of a settled process's memory changes
SETTLE_S = 30.0
MIB = 2**20

CONFIGURATION = """\
[mqtt]
host = "{host}"
port = {port}

[state]
directory = "{state}"

[sources.{source}]
provider = "tibber"
token = "{token}"
url = "{url}"
"""


@dataclass(frozen=True)
class Memory:
    """What a process holds, in bytes: resident, its share of that, and what is its own and backed by no file."""

    rss: int
    pss: int
    anonymous: int


def configuration(folder: Path, *, port: int, url: str) -> Path:
    """Write a configuration with one source into `folder`; its state lies there too."""
    file = folder / "bridge.toml"
    file.touch(mode=0o600)
    text = CONFIGURATION.format(host=HOST, port=port, state=folder / "state", source=SOURCE, token=TOKEN, url=url)
    file.write_text(text, "utf-8")
    return file


def inside(folder: Path, name: str) -> Path:
    """Make a folder in `folder` and return it."""
    made = folder / name
    made.mkdir()
    return made


@contextlib.asynccontextmanager
async def running(*command: str, log: Path, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Yield the process of `command`, its standard input and output as pipes; it is told to end with the context.

    `variables` are added to its environment.
    """
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, **variables},
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()


async def said(process: asyncio.subprocess.Process) -> str:
    """Return the next line of `process`. Raises RuntimeError where it ends instead."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process ended with {await process.wait()} and said nothing")
    return line.decode().strip()


def memory(pid: int) -> Memory:
    """Return what a process holds now (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
    sizes = {name: int(size.split()[0]) * 1024 for name, _, size in (line.partition(":") for line in lines)}
    return Memory(sizes["Rss"], sizes["Pss"], sizes["Anonymous"])


async def settled(pid: int) -> Memory:
    """Wait until the process's resident set stands still, and return what it holds then."""
    last, quiet = memory(pid), 0.0
    async with asyncio.timeout(SETTLE_S):
        while quiet < QUIET_S:
            await asyncio.sleep(0.25)
            found = memory(pid)
            quiet = quiet + 0.25 if found.rss == last.rss else 0.0
            last = found
    return last
