"""A real RabbitMQ of a test's own: on free ports of this machine, its files and its cookie in a temporary folder.

Its Erlang port mapper is a process of ours too, on a port of its own: left to itself, a node starts one that outlives it.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.simulator.broker import HOST, free_port
from tests.transport.test_mqtt import certificate

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's; the one in the path goes on as another user
START_S = 60.0
STOP_S = 15.0
SETTINGS = """
listeners.tcp.1 = {host}:{port}
listeners.ssl.1 = {host}:{tls_port}
ssl_options.cacertfile = {folder}/authority.crt
ssl_options.certfile = {folder}/server.crt
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_none
default_user = edge
default_pass = {password}
disk_free_limit.absolute = 1MB
log.file = false
log.console = true
log.console.level = warning
"""


@dataclass(frozen=True)
class Rabbit:
    """A running RabbitMQ; `authority` is who vouches for it on its port for TLS."""

    port: int
    tls_port: int
    authority: Path
    username: str
    password: str
    process: subprocess.Popen[bytes]


def is_installed() -> bool:
    return PROGRAM.is_file() and all(map(shutil.which, ("epmd", "openssl")))


@asynccontextmanager
async def rabbit(folder: Path, before: Rabbit | None = None) -> AsyncIterator[Rabbit]:
    """Yield a running broker that ends with its port mapper, by force where it must; one like `before`, where one was."""
    port, tls_port, mapper_port, node_port = before.port if before else free_port(), free_port(), free_port(), free_port()
    password = before.password if before else secrets.token_hex(8)
    settings = folder / "rabbitmq.conf"
    settings.write_text(SETTINGS.format(host=HOST, port=port, tls_port=tls_port, password=password, folder=folder))
    for name, issuer in (("authority", None), ("server", "authority")):
        certificate(folder, name, issuer)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),  # where the cookie is made
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": f"kwh2mqtt-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(node_port),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        "RUNNING_UNDER_SYSTEMD": "1",  # the node takes the script's place: it is the process that we end
    }
    (folder / "plugins").write_text("[].\n")
    with (folder / "output.log").open("wb") as output:
        given: dict[str, Any] = {
            "env": environment,
            "cwd": folder,
            "stdin": subprocess.DEVNULL,
            "stdout": output,
            "stderr": output,
        }
        mapper = subprocess.Popen(["epmd", "-port", str(mapper_port), "-address", HOST], **given)
        try:
            node = subprocess.Popen([PROGRAM], **given)
            try:
                await _until_open(node, port, folder / "output.log")
                yield Rabbit(port, tls_port, folder / "authority.crt", "edge", password, node)
            finally:
                await _ended(node)
        finally:
            await _ended(mapper)


async def _until_open(node: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            assert node.poll() is None, log.read_text(errors="replace")
            with suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                return
            await asyncio.sleep(0.1)


async def _ended(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
