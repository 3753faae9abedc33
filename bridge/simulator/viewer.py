"""What each GraphQL field returns: one class for each type that has to think, mappings for the rest.

Attribute and argument names are the provider's in snake case; see `bridge.simulator.graphql.resolve`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Unpack
from zoneinfo import ZoneInfo

from graphql import GraphQLError

from bridge.simulator.days import Resolution, local_day
from bridge.simulator.energy import consumption, production
from bridge.simulator.faults import Fault
from bridge.simulator.homes import EMAIL, USER_ID, Home, address, metering_point, owner, subscription_id
from bridge.simulator.paging import Paging, PagingArguments
from bridge.simulator.rows import EARLIEST, Row, day_rows, price_range

OSLO = ZoneInfo("Europe/Oslo")
WEBSOCKET_URL = "wss://websocket.invalid/v1-beta/gql/subscriptions"  # nothing streams here yet
PARTIAL_HOURS = 10


@dataclass(frozen=True)
class Account:
    """Everything one request is answered from."""

    moment: datetime
    homes: Sequence[Home]
    publish_at: time
    authenticated: bool
    fault: Fault | None

    def viewer(self) -> "Viewer":
        self.admit()
        return Viewer(self)

    def admit(self) -> None:
        """Let the customer in, or raise GraphQLError."""
        if not self.authenticated:
            raise GraphQLError("invalid token", extensions={"code": "UNAUTHENTICATED"})


@dataclass(frozen=True)
class Viewer:
    account: Account
    login: str = EMAIL
    user_id: str = USER_ID
    name: str = "Kari Nordmann"
    account_type: tuple[str, ...] = ("tibber", "customer")
    websocket_subscription_url: str = WEBSOCKET_URL

    def homes(self) -> list["HomeAnswer | None"]:
        homes: list[HomeAnswer | None] = [HomeAnswer(self.account, home) for home in self.account.homes]
        if self.account.fault is Fault.NULL_HOME:
            homes[:1] = [None]
        return homes

    def home(self, id: str) -> "HomeAnswer":  # noqa: A002 - the provider's argument
        for home in self.account.homes:
            if home.id == id:
                return HomeAnswer(self.account, home)
        raise GraphQLError("home not found", extensions={"code": "HOME_NOT_FOUND"})


class HomeAnswer:
    def __init__(self, account: Account, home: Home) -> None:
        self._account = account
        self._home = home
        self.id = home.id
        self.time_zone = home.timezone
        self.app_nickname = home.nickname
        self.features = {"realTimeConsumptionEnabled": home.real_time}

    def __getattr__(self, name: str) -> object:
        return getattr(self._home.profile, name)

    def address(self) -> dict[str, Any]:
        return address(self._home)

    def owner(self) -> dict[str, Any]:
        return owner(self._home)

    def metering_point_data(self) -> dict[str, Any]:
        return metering_point(self._home)

    def current_subscription(self) -> "Subscription | None":
        there = self._home.has_subscription and self._account.fault is not Fault.NULL_SUBSCRIPTION
        return Subscription(self._account, self._home) if there else None

    def subscriptions(self) -> list["Subscription"]:
        current = self.current_subscription()
        return [] if current is None else [current]

    def consumption(
        self, resolution: str, *, filter_empty_nodes: bool | None = False, **paging: Unpack[PagingArguments]
    ) -> dict[str, Any]:
        asked = Paging("consumption", **paging)
        when = self._account.moment
        return consumption(self._home, when, Resolution(resolution), asked, filter_empty=bool(filter_empty_nodes))

    def production(
        self, resolution: str, *, filter_empty_nodes: bool | None = False, **paging: Unpack[PagingArguments]
    ) -> dict[str, Any]:
        asked = Paging("production", **paging)
        when = self._account.moment
        return production(self._home, when, Resolution(resolution), asked, filter_empty=bool(filter_empty_nodes))


class Subscription:
    status = "running"
    valid_from = f"{EARLIEST.isoformat()}T00:00:00+00:00"
    valid_to = None

    def __init__(self, account: Account, home: Home) -> None:
        self._account = account
        self._home = home
        self.id = subscription_id(home)

    def subscriber(self) -> dict[str, Any]:
        return owner(self._home)

    def price_info(self, resolution: str | None) -> "PriceInfo":
        return PriceInfo(self._account, self._home, Resolution(resolution or Resolution.HOURLY))

    def price_info_range(self, resolution: str, **paging: Unpack[PagingArguments]) -> dict[str, Any]:
        asked = Paging("priceInfoRange", **paging)
        return price_range(self._home, self._account.moment, Resolution(resolution), asked)


@dataclass(frozen=True)
class PriceInfo:
    account: Account
    home: Home
    resolution: Resolution

    def current(self) -> Row | None:
        """Return the newest row that has started, found by counting instants as wall clocks repeat themselves."""
        rows = self.today()
        begun = [row for row in rows if datetime.fromisoformat(row["startsAt"]) <= self.account.moment]
        return begun[-1] if begun else None

    def today(self) -> Sequence[Row]:
        return self._day(0)

    def tomorrow(self) -> Sequence[Row]:
        today = local_day(self.account.moment, self.home.zone)
        published = self.account.moment >= datetime.combine(today, self.account.publish_at, OSLO)
        if not published or self.account.fault is Fault.NO_TOMORROW:
            return ()
        rows = self._day(1)
        if self.account.fault is Fault.PARTIAL_TOMORROW:
            return rows[: PARTIAL_HOURS * (4 if self.resolution is Resolution.QUARTER_HOURLY else 1)]
        return rows

    def _day(self, offset: int) -> Sequence[Row]:
        empty = not self.home.quarter_hourly or self.account.fault is Fault.EMPTY_QUARTERS
        if empty and self.resolution is Resolution.QUARTER_HOURLY:
            return ()
        day = local_day(self.account.moment, self.home.zone) + timedelta(days=offset)
        return day_rows(self.home, day, self.resolution)
