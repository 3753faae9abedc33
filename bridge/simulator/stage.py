"""Every simulated provider at once, for the demo and the tests: each served, each with the `[sources.NAME]` that reaches it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from bridge.simulator import ampere as apollo
from bridge.simulator import octopus as kraken
from bridge.simulator import sensorfact as factory_floor
from bridge.simulator import tibber as gql
from bridge.simulator.octomesh.clients import CLIENTS
from bridge.simulator.octomesh.identity import Identity
from bridge.simulator.octomesh.plant import plant
from bridge.simulator.octomesh.service import OctoMesh
from bridge.simulator.server import Request, Response, Server

Table = dict[str, Any]  # a source's section
Tables = dict[str, Table]  # by the name of the source
Now = Callable[[], datetime]

TOKEN = "demo-token"  # noqa: S105 - opens nothing but the simulator
WINDOWS: Table = {"cheapest-3h": {"duration": "PT3H"}}
API_KEY, ACCOUNT = "sk_live_demo", "A-DEMO0001"  # likewise
TENANT, CLIENT = "demo", CLIENTS[0]
METER, INVERTER = "Industry.Energy/EnergyMeter", "Industry.Energy/Inverter"


@asynccontextmanager
async def served(now: Now) -> AsyncIterator[Tables]:
    """Serve them all at the time that `now` tells; yield the sections by name."""
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(serve(now)) for name, serve in STAGED.items()}


@asynccontextmanager
async def tibber(now: Now) -> AsyncIterator[Table]:
    async with Server(gql.Tibber(now, token=TOKEN).handle) as server:
        yield {"provider": "tibber", "token": TOKEN, "url": f"{server.url}{gql.PATH}", "windows": WINDOWS}


@asynccontextmanager
async def octopus(now: Now) -> AsyncIterator[Table]:
    platform = kraken.Octopus(now, api_key=API_KEY, account=ACCOUNT)
    async with Server(platform.handle) as server:
        platform.base_url = server.url
        yield {
            "provider": "octopus",
            "api_key": API_KEY,
            "account": ACCOUNT,
            "url": f"{server.url}{kraken.GRAPHQL_PATH}",
            "rest_url": f"{server.url}{kraken.REST_PATH}",
            "backend_url": f"{server.url}{kraken.BACKEND_PATH}",
            "windows": WINDOWS,
        }


@asynccontextmanager
async def sensorfact(now: Now) -> AsyncIterator[Table]:
    platform = factory_floor.Sensorfact(now)
    async with Server(platform.handle) as server:
        platform.base_url = server.url
        yield {
            "provider": "sensorfact",
            "url": server.url,
            "api_key": factory_floor.KEY,
            "site": "plant-1",
            "page_size_parameter": "limit",
            "page_size": 200,
            "measurements": [
                _measurement("line-1", "electricity", {"power": "kW", "energy": "kWh"}, params={"meter": "17"}),
                _measurement("boiler", "gas", {"energy": "kWh", "volume": "m³"}),
                _measurement("cooling", "water", {"flow": "m³/h", "temperature.inlet": "°C", "temperature.outlet": "°C"}),
                _measurement("compressor", "air", {"flow": "m³/h", "pressure": "bar"}),
                _measurement("press", "maintenance", {"vibration": "mm/s"}, window="1d-now"),
            ],
        }


def _measurement(name: str, kind: str, fields: Mapping[str, str], **more: Any) -> Table:
    about = {"name": name, "kind": kind, "path": f"/v1/{kind}/measurements", "site_timezone": "Europe/Amsterdam"}
    return {**about, "fields": dict(fields), **more}


@asynccontextmanager
async def ampere(now: Now) -> AsyncIterator[Table]:
    async with Server(apollo.Ampere(now, token=TOKEN).handle) as server:
        yield {"provider": "ampere", "token": TOKEN, "url": f"{server.url}{apollo.PATH}"}


@asynccontextmanager
async def octomesh(now: Now) -> AsyncIterator[Table]:
    """Serve a small plant on a server as it is published, and the identity service at the same address."""
    identity = Identity(now, tenant=TENANT)
    mesh = OctoMesh(now, tenant=TENANT, plant=plant(meters=3, inverters=1), tokens=identity)

    async def handle(request: Request) -> Response:
        return await (identity if request.path.startswith(("/connect", "/.well-known")) else mesh).handle(request)

    async with Server(handle) as server:
        identity.base_url = server.url
        meter = {"type": METER, "attributes": ["name", "machineState"], "stream": METER, "stream_attributes": ["power"]}
        yield {
            "provider": "octomesh",
            "url": server.url,
            "identity_url": server.url,
            "tenant": TENANT,
            "client_id": CLIENT.id,
            "client_secret": CLIENT.secret,
            "entities": [meter, {"type": INVERTER, "attributes": ["power", "machineState"]}],
        }


STAGED: Mapping[str, Callable[[Now], AbstractAsyncContextManager[Table]]] = {
    "tibber": tibber,
    "octopus": octopus,
    "octomesh": octomesh,
    "ampere": ampere,
    "sensorfact": sensorfact,
}
