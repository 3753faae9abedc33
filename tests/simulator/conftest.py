"""A customer's account at a fixed time, and a way to put questions to it without a network."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH, Octopus
from bridge.simulator.server import Request, Response
from bridge.simulator.tibber import PATH, Home, Tibber

AGENT = {"user-agent": "kwh2mqtt/0.1.0"}
SIGN_IN = "mutation SignIn($input: ObtainJSONWebTokenInput!) "
SIGN_IN += "{ obtainKrakenToken(input: $input) { token payload refreshToken refreshExpiresIn } }"
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


@dataclass
class Household:
    """A customer of Octopus whose clock is `moment`, which a test may move; signs in anew for each question."""

    moment: datetime
    octopus: Octopus = field(init=False)

    def __post_init__(self) -> None:
        self.octopus = Octopus(lambda: self.moment)

    def post(self, content: object, token: str | None = None, path: str = GRAPHQL_PATH) -> Response:
        headers = AGENT if token is None else {**AGENT, "authorization": token}
        return asyncio.run(self.octopus.handle(Request("POST", path, headers, json.dumps(content).encode())))

    def sign_in(self, **given: Any) -> Any:
        """Return the answer to a sign-in, by the API key where nothing is given."""
        given = given or {"APIKey": self.octopus.credentials.api_key}
        return json.loads(self.post({"query": SIGN_IN, "variables": {"input": given}}).body)

    def token(self) -> str:
        token: str = self.sign_in()["data"]["obtainKrakenToken"]["token"]
        return token

    def answer(self, query: str, *, path: str = GRAPHQL_PATH, **variables: Any) -> Any:
        """Return the whole answer to a question that was asked with a good token."""
        response = self.post({"query": query, "variables": variables}, self.token(), path)
        return json.loads(response.body)

    def ask(self, query: str, *, path: str = GRAPHQL_PATH, **variables: Any) -> Any:
        """Return the data of an answer without errors."""
        answer = self.answer(query, path=path, **variables)
        assert answer.get("errors") is None
        return answer["data"]

    def backend(self, query: str, **variables: Any) -> Any:
        return self.ask(query, path=BACKEND_PATH, **variables)

    def code(self, query: str, *, path: str = GRAPHQL_PATH, **variables: Any) -> str:
        """Return the code of the one error in an answer."""
        [error] = self.answer(query, path=path, **variables)["errors"]
        code: str = error["extensions"]["errorCode"]
        return code

    def get(self, path: str, key: str | None = None, method: str = "GET") -> Response:
        headers = AGENT if key is None else {**AGENT, "authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}
        place, _, query = path.partition("?")
        return asyncio.run(self.octopus.handle(Request(method, place, headers, b"", query)))

    def rest(self, path: str, key: str | None = None) -> tuple[int, Any]:
        response = self.get(path, key)
        return response.status, json.loads(response.body)

    def rates(self, tariff: str, query: str = "", address: str = "standard-unit-rates") -> list[dict[str, Any]]:
        """Return the rows of a tariff on one page of REST."""
        fuel = "gas" if tariff.startswith("G") else "electricity"
        path = f"/v1/products/{tariff[5:-2]}/{fuel}-tariffs/{tariff}/{address}/?page_size=1500&{query}"
        status, content = self.rest(path)
        assert status == 200
        rows: list[dict[str, Any]] = content["results"]
        return rows


@pytest.fixture
def household() -> Household:
    """At 11:00 in London, in summer time, five hours before tomorrow's prices appear."""
    return Household(datetime(2026, 6, 10, 10, 0, tzinfo=UTC))


@pytest.fixture
def recorded_by_kraken() -> Callable[[str], Any]:
    """Read what Kraken was seen to answer by the beginning of its file name; the test is skipped where there is nothing."""

    def read(name: str) -> Any:
        paths = sorted((SHARED / "fixtures" / "octopus").glob(f"{name}*.json"))
        if not paths:
            pytest.skip("the recorded answers are not at hand")
        return json.loads(paths[0].read_text(encoding="utf-8"))

    return read


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
