"""A sign-in at OctoMesh's simulated identity service, with the clock in the test's hand."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bridge.providers.base import Surroundings
from bridge.providers.octomesh.client import Client
from bridge.providers.octomesh.sign_in import SignIn
from bridge.redact import Redactor
from bridge.simulator.octomesh.identity import Identity, Says
from bridge.simulator.server import Request, Response
from bridge.transport.http import Http
from tests.providers.direct import Direct
from tests.support import Impatient, Purse, Uncounted, utc

NOON = utc("2026-06-10T12:00")
SECRET = "demo-secret"
SERVICE: dict[str, Any] = {"client_id": "demo-service", "client_secret": SECRET}
BOX: dict[str, Any] = {"client_id": "demo-box"}


def nothing(address: str) -> None:
    """Open no browser."""


@dataclass
class Tenant:
    """`client` takes arguments of `Client`, `simulated` those of the identity service; the purse outlives restarts."""

    client: dict[str, Any] = field(default_factory=lambda: dict(SERVICE))
    moment: datetime = NOON
    simulated: dict[str, Any] = field(default_factory=dict)
    purse: Any = field(default_factory=Purse)
    may_write: bool = True
    show: Callable[[str], object] = nothing

    def __post_init__(self) -> None:
        self.clock, self.meter, self.redact = Impatient(self.moment), Uncounted(), Redactor([SECRET])
        self.identity = Identity(self.clock.now, **self.simulated)
        self.told: list[str] = []
        self.restart()

    def restart(self, **client: Any) -> None:
        """Begin anew with what the purse holds, as a client that differs by `client`."""
        self.signing = self.beside(**client)

    def beside(self, **client: Any) -> SignIn:
        """Return the sign-in of another process at the same purse."""
        http = Http(self.meter, self.clock, self.redact, chance=random.Random(1), transport=Direct(self.identity))
        about = Surroundings("mesh", http, self.clock, self.redact, 0.5, None, self.purse, may_write=self.may_write)
        given = {"identity_url": "http://127.0.0.1", "tenant": "demo", **self.client, **client}
        return SignIn(Client(**given), about, self.show)

    def pass_(self, **span: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**span))

    async def login(self, *, browser: bool = False) -> str:
        return await self.beside().login(self.told.append, browser=browser)

    def grants(self) -> list[str]:
        """Return how each token was asked for, by the last word of its grant's name."""
        return [asked.grant.rpartition(":")[2] for asked in self.identity.requests if asked.path == "/connect/token"]

    def errors(self) -> list[str | None]:
        return [asked.error for asked in self.identity.requests]

    def is_good(self, token: str) -> bool:
        return self.identity.token_is_good(f"Bearer {token}", "demo") is None


async def signed_in(**given: Any) -> Tenant:
    """Return a tenant whose test user has signed in by a code, with nothing asked since."""
    tenant = Tenant(client=dict(BOX), **given)
    await tenant.login()
    tenant.identity.requests.clear()
    return tenant


class Typing:
    """An identity service in front of which a person waits for some polls, then answers."""

    def __init__(self, tenant: Tenant, says: Says, polls: int) -> None:
        self._identity, self._says, self._polls = tenant.identity, says, polls

    async def handle(self, request: Request) -> Response:
        if request.path == "/connect/token":
            self._polls -= 1
            if self._polls < 0:
                for code in self._identity.user_codes:
                    self._identity.decide(code, self._says)
        return await self._identity.handle(request)
