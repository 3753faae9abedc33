"""What a customer may change: what is told of a home, and a message on the phones. Only what was carried out is written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from graphql import GraphQLError

from bridge.simulator.graphql import snake
from bridge.simulator.homes import Home
from bridge.simulator.viewer import Account, HomeAnswer


@dataclass(frozen=True)
class Written:
    """A mutation that was carried out; `input` is the content of its one input."""

    moment: datetime
    mutation: str
    input: Mapping[str, Any]


class Books(Protocol):
    """What outlasts a request."""

    homes: Sequence[Home]
    written: list[Written]
    devices: int
    is_demo: bool


@dataclass(frozen=True)
class Root(Account):
    """The account of one request, which may change things besides."""

    books: Books

    def update_home(self, input: Mapping[str, Any]) -> HomeAnswer:  # noqa: A002 - the provider's argument
        """Change what is given of a home, and nothing else; a null is not given."""
        self._admit()
        old = next((home for home in self.books.homes if home.id == input["homeId"]), None)
        if old is None:
            raise GraphQLError("home not found", extensions={"code": "HOME_NOT_FOUND"})
        given = {snake(name): value for name, value in input.items() if name != "homeId" and value is not None}
        nickname = given.pop("app_nickname", old.nickname)
        new = replace(old, nickname=nickname, profile=replace(old.profile, **given))
        self.books.homes = tuple(new if home is old else home for home in self.books.homes)
        self._write("updateHome", input)
        return HomeAnswer(self, new)

    def send_push_notification(self, input: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - likewise
        self._admit()
        self._write("sendPushNotification", input)
        return {"successful": self.books.devices > 0, "pushedToNumberOfDevices": self.books.devices}

    def send_meter_reading(self, input: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - likewise
        """Do nothing, and say that all went well, as the provider does since it took this away."""
        self._admit()
        return {"homeId": input["homeId"], "time": None, "reading": 0}

    def _admit(self) -> None:
        self.admit()
        if self.books.is_demo:
            raise GraphQLError("operation not allowed for demo user")

    def _write(self, mutation: str, content: Mapping[str, Any]) -> None:
        self.books.written.append(Written(self.moment, mutation, dict(content)))
