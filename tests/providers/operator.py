"""An operator of a plant whose tenant is the simulator, in either dialect, and whose clock is in the test's hand."""

import random
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from bridge.commands import declared
from bridge.commands.answer import plain
from bridge.models.observation import Observation
from bridge.models.price import Curve
from bridge.providers.base import Surroundings
from bridge.providers.octomesh.operations import OPERATIONS
from bridge.providers.octomesh.settings import PAUSE, OctoMeshSettings
from bridge.providers.octomesh.source import OctoMesh
from bridge.redact import Redactor
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.identity import Identity
from bridge.simulator.octomesh.plant import Plant, plant
from bridge.simulator.octomesh.service import OctoMesh as Simulated
from bridge.simulator.server import Request, Response
from bridge.transport.http import Http
from tests.commands.office import Office
from tests.providers.direct import Direct
from tests.support import Impatient, Knowledge, Purse, Uncounted, utc

HOST, SECRET = "http://127.0.0.1", "demo-secret"
NOON = utc("2026-06-10T12:00:30")
METER, READING, INVERTER = "Industry.Energy/EnergyMeter", "Industry.Energy/MeterReading", "Industry.Energy/Inverter"
STREAMS = {Dialect.DOCUMENTED: READING, Dialect.ACTUAL: METER}
ENERGY = {Dialect.DOCUMENTED: "energy", Dialect.ACTUAL: "importedEnergy"}


@dataclass
class Holding(Knowledge):
    """What is known, with nothing of it under a topic's name."""

    places: dict[str, Any] = field(default_factory=dict)

    def levelled(self, site: str, stream: str) -> Curve | None:
        return self.curve(site, stream)


class Front:
    """The identity service and the asset repository behind one address; what stands before them may answer in their place."""

    def __init__(self, identity: Identity, mesh: Simulated) -> None:
        self.identity, self.mesh = identity, mesh
        self.without_cell: str | None = None
        self.taken: Callable[[bytes], bytes] = bytes  # what becomes of each request's body on its way
        self.altered: Callable[[bytes], bytes] = bytes  # what becomes of each answer's body on its way
        self.before: Callable[[], object] = lambda: None  # happens before each request is answered
        self.instead: deque[Response | None] = deque()  # an answer for each of the requests to come, None lets one pass

    async def handle(self, request: Request) -> Response:
        if request.path.startswith("/connect"):
            return await self.identity.handle(request)
        self.before()
        answer = self.instead.popleft() if self.instead else None
        answer = answer or self._cut(await self.mesh.handle(replace(request, body=self.taken(request.body))))
        return replace(answer, body=self.altered(answer.body))

    def _cut(self, answer: Response) -> Response:
        """Return an answer without the value of the cell `without_cell`."""
        if self.without_cell is None:
            return answer
        cell = rf'("attributePath": ?"{self.without_cell}", ?"value": ?)[^}}]+'
        return replace(answer, body=re.sub(cell.encode(), rb"\1null", answer.body))


@dataclass
class Operator:
    """An OctoMesh source on the simulator; `entities` and `settings` are of the configuration."""

    dialect: Dialect
    entities: tuple[dict[str, Any], ...] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    plant: Plant = field(default_factory=plant)
    moment: datetime = NOON

    def __post_init__(self) -> None:
        self.clock, self.purse, self.known = Impatient(self.moment), Purse(), Holding()
        self.ids = count(1)
        self.identity = Identity(self.clock.now)
        self.mesh = Simulated(self.clock.now, dialect=self.dialect, plant=self.plant, tokens=self.identity)
        self.meter, self.redact = Uncounted(), Redactor([SECRET])
        usual = ({"type": METER, "attributes": ["name"], "stream": STREAMS[self.dialect], "stream_attributes": ["power"]},)
        self.given = OctoMeshSettings.model_validate(
            {
                "provider": "octomesh",
                "url": HOST,
                "identity_url": HOST,
                "tenant": "demo",
                "client_id": "demo-service",
                "client_secret": SECRET,
                "entities": usual if self.entities is None else self.entities,
                **self.settings,
            }
        )
        self.front = Front(self.identity, self.mesh)
        transport = Direct(self.front)
        self.http = Http(self.meter, self.clock, self.redact, pause=PAUSE, chance=random.Random(1), transport=transport)
        self.source = OctoMesh(self.given, Surroundings("mesh", self.http, self.clock, self.redact, 0.5, tokens=self.purse))

    async def poll(self) -> list[Observation]:
        seen: list[Observation] = []
        now = self.clock.now()
        async for observation in self.source.poll(self.known, now):
            self.known.keep(observation, now)
            seen.append(observation)
        return seen

    async def execute(self, operation: str, **arguments: Any) -> Any:
        """Return what an operation brought, as JSON has it."""
        given = OPERATIONS[operation].arguments.model_validate(arguments)
        return plain(await self.source.execute(operation, given, self.known, self.clock.now()))

    async def command(self, folder: Path, operation: str, **arguments: Any) -> Any:
        """Ask for it as a device that may do everything; return the whole answer, without its id and duration."""
        offers = declared.offers("mesh", OPERATIONS, self.source, self.known)
        office = Office(folder, *offers, grants={"box": ("*", *(f"mesh.{name}" for name in OPERATIONS))})
        office.clock.set(self.clock.now())
        answer = await office.send(f"box/mesh/{operation}", {"id": f"{next(self.ids)}", "args": arguments})
        return {key: value for key, value in answer.items() if key not in ("id", "duration_ms", "operation")}
