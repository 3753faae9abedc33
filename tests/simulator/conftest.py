"""A customer's account at a fixed time, and a way to put questions to it without a network."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.server import Request, Response
from bridge.simulator.tibber import PATH, Home, Tibber

SHARED = Path(__file__).parents[3] / "shared" / "providers"
HEADERS = {"authorization": "Bearer demo-token", "user-agent": "kwh2mqtt/0.1.0"}


@dataclass
class Customer:
    """An account whose clock is `moment`, which a test may move."""

    moment: datetime
    tibber: Tibber = field(init=False)

    def __post_init__(self) -> None:
        self.tibber = Tibber(lambda: self.moment)

    def post(self, content: object, headers: Mapping[str, str] = HEADERS) -> Response:
        return asyncio.run(self.tibber.handle(Request("POST", PATH, headers, json.dumps(content).encode())))

    def ask(self, query: str, **variables: Any) -> tuple[int, dict[str, Any]]:
        response = self.post({"query": query, "variables": variables})
        return response.status, json.loads(response.body)

    def home(self, fields: str, home: Home | None = None) -> Any:
        status, answer = self.ask("query($id: ID!) { viewer { home(id: $id) { " + fields + " } } }", id=self._id(home))
        assert (status, answer.get("errors")) == (200, None)
        return answer["data"]["viewer"]["home"]

    def prices(self, resolution: str, fields: str, home: Home | None = None) -> Any:
        query = f"currentSubscription {{ priceInfo(resolution: {resolution}) {{ {fields} }} }}"
        return self.home(query, home)["currentSubscription"]["priceInfo"]

    def range(self, arguments: str, fields: str, home: Home | None = None) -> Any:
        query = f"currentSubscription {{ priceInfoRange({arguments}) {{ {fields} }} }}"
        return self.home(query, home)["currentSubscription"]["priceInfoRange"]

    def _id(self, home: Home | None) -> str:
        return (home or self.tibber.homes[0]).id


@pytest.fixture
def customer() -> Customer:
    """At noon in Oslo, an hour before tomorrow's prices appear."""
    return Customer(datetime(2026, 6, 10, 10, 0, tzinfo=UTC))


@pytest.fixture
def recorded() -> Callable[[str], dict[str, Any]]:
    """Read a recorded exchange by its file name; the test is skipped where there are none."""

    def read(name: str) -> dict[str, Any]:
        path = SHARED / "fixtures" / "tibber" / name
        if not path.exists():
            pytest.skip("the recorded exchanges are not at hand")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    return read


@pytest.fixture
def provider_sdl() -> str:
    path = SHARED / "schemas" / "tibber.graphql"
    if not path.exists():
        pytest.skip("the provider's schema is not at hand")
    return path.read_text(encoding="utf-8")
