"""A tenant of OctoMesh whose clock is set by hand, and ways to put questions to it without a network."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.plant import rt_id
from bridge.simulator.octomesh.service import OctoMesh
from bridge.simulator.server import Request, Response

MOMENT = datetime(2026, 6, 10, 10, 0, 30, tzinfo=UTC)
HEADERS = {"authorization": "Bearer demo-token", "content-type": "application/json", "user-agent": "kwh2mqtt/0.1.0"}
MAIN, OTHER, INVERTER, BATTERY = rt_id("65b1", 1), rt_id("65b1", 2), rt_id("65c1", 1), rt_id("65d1", 1)
HALL, OTHER_HALL = rt_id("65a1", 1), rt_id("65a1", 2)
NOBODY = "0" * 24


@dataclass
class Tenant:
    """A server of one dialect; a test may move `moment`."""

    dialect: Dialect = Dialect.ACTUAL
    moment: datetime = MOMENT
    mesh: OctoMesh = field(init=False)

    def __post_init__(self) -> None:
        self.mesh = OctoMesh(lambda: self.moment, dialect=self.dialect)

    def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] = HEADERS) -> Response:
        path, _, query = target.partition("?")
        return asyncio.run(self.mesh.handle(Request(method, path, headers, body, query)))

    def post(self, query: str, path: str | None = None, headers: Mapping[str, str] = HEADERS, **variables: Any) -> Response:
        content = json.dumps({"query": query, "variables": variables}).encode()
        return self.send("POST", path or self.mesh.path, content, headers)

    def answer(self, query: str, **variables: Any) -> Any:
        """Return the whole answer of a request that was executed."""
        response = self.post(query, **variables)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert answer.get("errors") is None
        return answer["data"]

    def runtime(self, query: str, **variables: Any) -> Any:
        return self.ask(query, **variables)["runtime"]

    def stream(self, query: str, **variables: Any) -> Any:
        return self.ask(query, **variables)["streamData"]

    def error(self, query: str, **variables: Any) -> Any:
        """Return the extensions of the one error in an answer."""
        [error] = self.answer(query, **variables)["errors"]
        return error["extensions"]
