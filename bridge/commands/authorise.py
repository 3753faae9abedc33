"""Who may do what: pure. The broker's access list ties a client to its login; here its name is believed.

A query is open to every client for whom no grants are written down. A write needs a grant that names it: no wildcard grants one.
"""

from collections.abc import Collection, Mapping

from bridge.commands.settings import EVERYONE
from bridge.providers.base import Kind

Grants = Mapping[str, Collection[str]]  # client → what is granted


def is_allowed(client: str, source: str, operation: str, kind: Kind, grants: Grants) -> bool:
    """Tell whether `client` may do `operation` of `source`."""
    given = {*grants.get(client, ()), *grants.get(EVERYONE, ())}
    if f"{source}.{operation}" in given:
        return True
    if kind is Kind.WRITE:
        return False
    written_down = client in grants or EVERYONE in grants
    return not written_down or not given.isdisjoint({EVERYONE, f"{source}.{EVERYONE}"})


def refusal(client: str, source: str, operation: str, kind: Kind) -> str:
    """Return what a client is told that may not, with the mend."""
    what = "a write" if kind is Kind.WRITE else "not among its grants"
    return f'{source}.{operation} is {what}: add "{source}.{operation}" to allow of [clients.{_quoted(client)}]'


def _quoted(client: str) -> str:
    plain = client.replace("-", "").replace("_", "").isalnum() and client.isascii()
    return client if plain else f'"{client}"'
