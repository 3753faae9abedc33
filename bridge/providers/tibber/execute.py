"""Carries out the operations of `operations.py`: queries as often as need be, a write once."""

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from bridge.errors import Malformed, NotFound, Refused, SourceError, Unreachable
from bridge.providers.base import Known
from bridge.providers.tibber import energy, normalise
from bridge.providers.tibber import operations as words
from bridge.providers.tibber.documents import ENERGY, ENERGY_OF, NOTIFY, UPDATE_HOME, VIEWER
from bridge.providers.tibber.energy import CONSUMPTION, PRODUCTION, Register, Row
from bridge.transport.graphql import Json, PathError, Result
from bridge.transport.http import unknown

log = logging.getLogger(__name__)

Ask = Callable[..., Awaitable[Result]]
Do = Callable[[Any, Known, datetime], Awaitable[BaseModel]]
Path = tuple[str | int, ...]

FIELDS = {name: to_camel(name) for name in words.HomeUpdate.model_fields if name != "site"}  # our word → the provider's
OF_A_SET = ("app_avatar", "type", "primary_heating_source")  # whose values are words of the provider's


class Commands:
    """The operations of one source."""

    def __init__(self, ask: Ask, write: Ask, translate: Callable[[PathError], SourceError]) -> None:
        self._ask, self._write, self._translate = ask, write, translate
        self._by_name: dict[str, Do] = {
            "consumption": self._consumption,
            "production": self._production,
            "notify": self._notify,
            "home_update": self._update,
        }

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Return what the provider answered. Raises SourceError."""
        return await self._by_name[operation](arguments, known, moment)

    # queries

    async def _consumption(self, given: words.Energy, _: Known, moment: datetime) -> words.Consumption:
        rows = await self._rows(given, CONSUMPTION, moment)
        found = [words.Consumed(**_facts(site, row, given), direction="import", cost=row.amount) for site, row in rows]
        return words.Consumption(readings=tuple(found))

    async def _production(self, given: words.Energy, _: Known, moment: datetime) -> words.Production:
        rows = await self._rows(given, PRODUCTION, moment)
        found = [words.Produced(**_facts(site, row, given), direction="export", profit=row.amount) for site, row in rows]
        return words.Production(readings=tuple(found))

    async def _rows(self, given: words.Energy, register: Register, moment: datetime) -> list[tuple[str, Row]]:
        """Return what is known of each home. One that failed is left out, unless nothing else came."""
        result = await self._energy(given, register)
        found: list[tuple[str, Row]] = []
        failed: list[PathError] = []
        for path, home in _homes(result.data, one=given.site is not None):
            if home is not None:
                rows = energy.known(energy.rows(home, register), register, moment)
                found += [(str(home["id"]), row) for row in rows]
            if error := result.error_at(*path, register.field):
                failed.append(error)
        if failed and not found:
            raise self._translate(failed[0])
        if failed:
            log.warning("%s of %d home(s) of Tibber's is left out: %s", register.field, len(failed), failed[0].message)
        return found

    def _energy(self, given: words.Energy, register: Register) -> Awaitable[Result]:
        about: Json = {
            "resolution": given.resolution.upper(),
            "last": given.last or words.USUAL[given.resolution],
            "consumed": register is CONSUMPTION,
            "produced": register is PRODUCTION,
        }
        return self._ask(ENERGY, **about) if given.site is None else self._ask(ENERGY_OF, home=given.site, **about)

    # writes

    async def _notify(self, given: words.Notify, _: Known, __: datetime) -> words.Notified:
        about: Json = {"title": given.title, "message": given.message}
        if given.screen is not None:
            about["screenToOpen"] = given.screen.upper()
        confirmed = await self._confirmed(NOTIFY, "sendPushNotification", about)
        return words.Notified(
            successful=confirmed["successful"], pushed_to_number_of_devices=confirmed["pushedToNumberOfDevices"]
        )

    async def _update(self, given: words.HomeUpdate, known: Known, _: datetime) -> words.HomeState:
        home = await self._home(given.site, known)
        about = {FIELDS[name]: _capitals(name, value) for name, value in given.changes().items()}
        confirmed = await self._confirmed(UPDATE_HOME, "updateHome", {"homeId": home, **about})
        state = {name: _lower(name, confirmed.get(field)) for name, field in FIELDS.items()}
        return words.HomeState(site=str(confirmed.get("id") or home), **state)

    async def _confirmed(self, document: str, root: str, about: Json) -> Mapping[str, Any]:
        result = await self._write(document, input=about)
        found = result.data.get(root)
        if isinstance(found, dict):
            return found
        error = result.error_at(root)
        said = self._translate(error) if error else Malformed(f"the provider confirmed nothing: {root} is empty")
        raise unknown(said) if isinstance(said, Unreachable | Malformed) else said

    async def _home(self, site: str | None, known: Known) -> str:
        """Return the home that is meant, the only one where none is named. Raises NotFound or Refused."""
        if site is not None:
            if known.sites and site not in known.sites:
                raise NotFound(f"the account has no home {site}")
            return site
        ids = list(known.sites) or [home["id"] for home in normalise.homes((await self._ask(VIEWER)).data) if home]
        if not ids:
            raise NotFound("the account has no home")
        if len(ids) > 1:
            raise Refused(f"the account has {len(ids)} homes: name the one that is meant as site")
        return ids[0]


def _homes(data: Json, *, one: bool) -> Iterator[tuple[Path, Json | None]]:
    """Yield each home of an answer, None for one that failed, with its path there."""
    if not one:
        for index, home in enumerate(normalise.homes(data)):
            yield ("viewer", "homes", index), home
        return
    viewer = data.get("viewer")
    home = viewer.get("home") if isinstance(viewer, dict) else None
    yield ("viewer", "home"), home


def _facts(site: str, row: Row, given: words.Energy) -> dict[str, Any]:
    return {
        "site": site,
        "start": row.start,
        "end": row.end,
        "value": row.value,
        "unit": row.unit,
        "currency": row.currency,
        "resolution": words.LENGTHS[given.resolution],
    }


def _capitals(name: str, value: object) -> object:
    return str(value).upper() if name in OF_A_SET else value


def _lower(name: str, value: Any) -> Any:
    return str(value).lower() if name in OF_A_SET and value is not None else value
