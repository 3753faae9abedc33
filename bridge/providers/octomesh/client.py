"""Who we are to OctoMesh's identity service, where it is asked, and for what.

A client is looked up in the tenant that `acr_values` names, without which it is looked for in the system's own tenant.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from bridge.transport.oauth import Application

TOKEN_PATH = "/connect/token"  # noqa: S105 - a path
READ_WRITE, READ_ONLY, OFFLINE = "octo_api", "octo_api.read_only", "offline_access"


class Flow(StrEnum):
    """How a token is had."""

    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE = "device"
    BROWSER = "browser"


@dataclass(frozen=True)
class Client:
    """A client as an administrator registered it."""

    identity_url: str  # a bare host, or the whole address of the token endpoint
    client_id: str
    tenant: str
    client_secret: str | None = field(default=None, repr=False)
    acr_values: bool = True  # whether the tenant is named to the identity service
    flow: Flow | None = None  # None: by the secret where there is one, else by a device code
    scope: str | None = None  # None: as much as is needed
    redirect_port: int = 0  # where a browser comes back to; 0: any free one
    redirect_path: str = "/callback"

    @property
    def way(self) -> Flow:
        return self.flow or (Flow.CLIENT_CREDENTIALS if self.client_secret else Flow.DEVICE)

    @property
    def needs_person(self) -> bool:
        return self.way != Flow.CLIENT_CREDENTIALS

    def endpoint(self, name: str) -> str:
        """Return the address of `token`, `authorize` or `deviceauthorization`, which lie beside each other."""
        parts = urlsplit(self.identity_url)
        folder = parts.path.rstrip("/").removesuffix(TOKEN_PATH)
        if name == "token" and folder != parts.path.rstrip("/"):
            return self.identity_url
        return urlunsplit((parts.scheme, parts.netloc, f"{folder}/connect/{name}", "", ""))

    def wanted(self, *, may_write: bool) -> str:
        """Return the scope to ask for; a person is not asked again every hour, so theirs lasts while nobody is there."""
        scope = self.scope or (READ_WRITE if may_write else READ_ONLY)
        return f"{scope} {OFFLINE}" if self.needs_person and OFFLINE not in scope.split() else scope

    def application(self) -> Application:
        more = {"acr_values": f"tenant:{self.tenant}"} if self.acr_values else {}
        return Application(self.client_id, self.client_secret, more)

    def mark(self, scope: str) -> str:
        """Return what tells a kept token of this client, way and scope from any other; it holds no secret."""
        who = "person" if self.needs_person else "client"
        return f"{self.endpoint('token')} {self.client_id} {self.application().more} {who} {scope}"
