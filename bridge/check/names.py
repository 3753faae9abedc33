"""Whether the hosts that the configuration names have addresses: each name is looked up, once, and nothing is sent to it.

Where requests go through a proxy it is the proxy that looks them up, so that what this machine knows of them means nothing.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies

from bridge.check.finding import Finding
from bridge.providers.base import SourceSettings

WITHIN_S = 10.0
HAS_NO_ADDRESS, NAME_SERVER_SILENT = (socket.EAI_NONAME, socket.EAI_NODATA), socket.EAI_AGAIN


class Look(Protocol):
    """What looks a name up; raises OSError where it is not found."""

    async def __call__(self, host: str) -> str: ...


async def address(host: str) -> str:
    """Return an address of `host`. Raises OSError, TimeoutError or UnicodeError."""
    async with asyncio.timeout(WITHIN_S):
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


async def looked_up(named: Iterable[tuple[str, str]], look: Look = address) -> list[Finding]:
    """Return what is found of each pair of a key and the host that it names; an address needs no looking up."""
    keys = {host: key for key, host in reversed(list(named)) if not _is_address(host)}
    return list(await asyncio.gather(*(_looked_up(key, host, look) for host, key in reversed(keys.items()))))


def hosts(name: str, source: SourceSettings, proxies: Callable[[], object] = getproxies) -> Iterator[tuple[str, str]]:
    """Yield the key and the host of each address at which `[sources.NAME]` is asked."""
    if proxies():
        return
    for key, url in source.addresses().items():
        if host := urlsplit(url).hostname:
            yield f"sources.{name}.{key}", host


async def _looked_up(key: str, host: str, look: Look) -> Finding:
    try:
        return Finding("ok", key, f"{host} is {await look(host)}")
    except TimeoutError:
        return _missing(key, host, f"no name server answered in {WITHIN_S:.0f} s")
    except OSError as error:
        return _missing(key, host, error.strerror or str(error), error.errno)
    except UnicodeError:  # such as a label of more than 63 letters
        return _missing(key, host, "no host can have such a name", socket.EAI_NONAME)


def _missing(key: str, host: str, why: str, number: int | None = None) -> Finding:
    servers = "the name servers in /etc/resolv.conf and the network"
    mend = f"check its spelling, then {servers}" if number in HAS_NO_ADDRESS else f"check {servers}, then its spelling"
    return Finding("fault", key, f"{host} is not found ({why}); {mend} (getent hosts {host})")


def _is_address(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]) is not None
    except ValueError:
        return False
