"""What the simulated platform knows between two requests, and what one request sees of it.

Most of it may be changed while it runs: a test adds an account, moves the hour of publication, takes the Home Mini away.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from graphql import GraphQLError

from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.faults import SIGN_IN, Met, OctopusFault
from bridge.simulator.octopus.homes import Account, Device, MeterPoint, Property
from bridge.simulator.octopus.tariffs import Published
from bridge.simulator.octopus.tokens import Credentials, SignIn, Tokens

REMEMBERED = 10_000  # requests
PUBLISH_AT = time(16)  # in London
SCHEME = "JWT "  # may stand before a token


@dataclass(frozen=True)
class Asked:
    """A request that arrived: `kind` is graphql, backend or rest, `operation` its name or, for REST, the path.

    `variables` are the query's for REST; `fields` the root fields of a document. What could not be read is None or empty.
    """

    moment: datetime
    kind: str
    operation: str | None
    variables: Mapping[str, Any]
    authorised: bool
    user_agent: str | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A mutation that was carried out; `input` is the content of its one input, or all of its arguments."""

    moment: datetime
    mutation: str
    input: Mapping[str, Any]


@dataclass
class Control:
    """What was done to a device: suspended since, boosted over [start, end), the newest preferences."""

    suspended_at: datetime | None = None
    boosts: list[tuple[datetime, datetime]] = field(default_factory=list)
    preferences: Mapping[str, Any] | None = None


class Platform:
    """The books of the platform."""

    def __init__(self, account: Account, credentials: Credentials, life: timedelta, refresh_life: timedelta) -> None:
        self.accounts = [account]
        self.credentials = credentials
        self.tokens = Tokens(credentials, life, refresh_life)
        self.base_url = "http://127.0.0.1"
        self.home_mini = True
        self.publish_at: time | None = PUBLISH_AT
        self.requests: deque[Asked] = deque(maxlen=REMEMBERED)
        self.sign_ins: list[SignIn] = []
        self.written: list[Written] = []
        self.joined: set[str] = set()
        self._controls: dict[str, Control] = {}

    @property
    def properties(self) -> Sequence[Property]:
        """Those of the first account, which can be exchanged for others."""
        return self.accounts[0].properties

    @properties.setter
    def properties(self, properties: Sequence[Property]) -> None:
        self.accounts[0].properties = tuple(properties)

    @property
    def devices(self) -> Sequence[Device]:
        """Those of the first account, which can be exchanged for others."""
        return self.accounts[0].devices

    @devices.setter
    def devices(self, devices: Sequence[Device]) -> None:
        self.accounts[0].devices = tuple(devices)

    def account(self, number: str) -> Account:
        """Return the account; raises GraphQLError where the customer has none of that number."""
        for account in self.accounts:
            if account.number == number:
                return account
        raise kraken_error("KT-CT-4177")

    def device(self, id: str) -> Device:  # noqa: A002 - the provider's argument
        """Return the device of any account; raises GraphQLError where there is none."""
        for account in self.accounts:
            for device in account.devices:
                if device.id == id:
                    return device
        raise kraken_error("KT-CT-4301")

    def control(self, device: Device) -> Control:
        return self._controls.setdefault(device.id, Control())

    def points(self) -> list[MeterPoint]:
        return [point for account in self.accounts for point in account.points()]


@dataclass(frozen=True)
class Visit:
    """One request: its moment, what it may do, and what goes wrong with it."""

    platform: Platform
    moment: datetime
    authorisation: str
    met: Met

    @property
    def published(self) -> Published:
        return Published(self.moment, self.platform.publish_at)

    @property
    def stuck(self) -> bool:
        return self.met.fault is OctopusFault.STUCK_CURSOR

    def refusal(self) -> GraphQLError | None:
        """Return why Kraken does not take the visitor for a customer, or None."""
        if not self.authorisation:
            return kraken_error("KT-CT-1112")
        return self.platform.tokens.refusal(self.authorisation.removeprefix(SCHEME), self.moment)

    def admit(self, field: str) -> None:
        """Let the visitor in to a root field of Kraken, or raise GraphQLError."""
        if self.met.fault is OctopusFault.RATE_LIMITED:
            raise kraken_error("KT-CT-1199")
        if self.met.field == field and (error := _of_field(self.met.fault)):
            raise error
        refusal = kraken_error("KT-CT-1124") if self.met.fault is OctopusFault.EXPIRED else self.refusal()
        if refusal and (field != SIGN_IN or self.authorisation):
            raise refusal

    def write(self, mutation: str, content: Mapping[str, Any]) -> None:
        """Note a mutation that was carried out."""
        self.platform.written.append(Written(self.moment, mutation, content))


def _of_field(fault: OctopusFault | None) -> GraphQLError | None:
    match fault:
        case OctopusFault.RATE_LIMITED_FIELD:
            return kraken_error("KT-CT-1199")
        case OctopusFault.UNAUTHORIZED_FIELD:
            return kraken_error("KT-CT-1111")
        case _:
            return None
