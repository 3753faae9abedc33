"""A private MQTT broker on 127.0.0.1: mosquitto where it is installed, else nats-server, which speaks MQTT 3.1.1 only.

It keeps nothing, obeys nobody outside this machine, and ends with the context that started it.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HOST = "127.0.0.1"
USUAL_PORT = 1883
ATTEMPTS = 3
START_S = 20.0
STOP_S = 5.0
Protocol = Literal["5", "3.1.1"]
MQTT_5: Protocol = "5"
MQTT_3: Protocol = "3.1.1"
SBIN = ("/usr/sbin", "/usr/local/sbin")  # where Debian puts mosquitto, outside a normal user's PATH

MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
log_type error
log_type warning
"""
NATS = """\
server_name: demo
listen: "{host}:{inner_port}"
jetstream {{ store_dir: "{folder}" }}
mqtt {{ listen: "{host}:{port}" }}
"""


class NoBroker(Exception):
    """There is no broker program on this machine, or it would not start."""


@dataclass(frozen=True)
class Running:
    """A broker that takes connections; `protocol` is the newest MQTT that it speaks."""

    pid: int
    program: str
    port: int
    protocol: Protocol


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` where nobody listens on it, else a free port."""
    for port in (preferred, 0) if preferred else (0,):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise NoBroker("no free port on 127.0.0.1")


def programs() -> tuple[str | None, str | None]:
    """Return the paths of mosquitto and of nats-server, None for one that is not there."""
    beside = str(Path(sys.executable).parent)  # a virtual environment's own programs
    path = ":".join((beside, os.environ.get("PATH", ""), *SBIN))
    return shutil.which("mosquitto", path=path), shutil.which("nats-server", path=path)


@contextlib.asynccontextmanager
async def broker(folder: Path, *, preferred_port: int | None = None, port: int | None = None) -> AsyncIterator[Running]:
    """Yield a running broker whose files lie in `folder`. Raises NoBroker."""
    async with contextlib.AsyncExitStack() as stack:
        for left in reversed(range(1 if port else ATTEMPTS)):  # between finding a free port and taking it, others may
            try:
                started = _started(folder, port or free_port(preferred_port))
                running = await stack.enter_async_context(started)
            except NoBroker:
                if not left:
                    raise
            else:
                yield running
                return


@contextlib.asynccontextmanager
async def _started(folder: Path, port: int) -> AsyncIterator[Running]:
    mosquitto, nats = programs()
    if mosquitto:
        config = folder / "mosquitto.conf"
        config.write_text(MOSQUITTO.format(host=HOST, port=port))
        command, program, protocol = [mosquitto, "-c", str(config)], "mosquitto", MQTT_5
    elif nats:
        config = folder / "nats.conf"
        config.write_text(NATS.format(host=HOST, port=port, inner_port=free_port(), folder=folder / "jetstream"))
        command, program, protocol = [nats, "-c", str(config)], "nats-server", MQTT_3
    else:
        raise NoBroker("no broker is installed: apt-get install mosquitto, or pip install 'kwh2mqtt[demo]'")
    async with _process(command, folder / "broker.log") as process:
        await _until_open(process, port, folder / "broker.log")
        yield Running(process.pid, program, port, protocol)


@contextlib.asynccontextmanager
async def _process(command: Sequence[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )  # a session of its own: Ctrl-C must not end the broker before the goodbye
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _until_open(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            if process.returncode is not None:
                raise NoBroker(f"the broker ended at once: {_tail(log)}")
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-300:]
