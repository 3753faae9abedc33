"""The unit of an attribute: as configured, else as the construction kit tells it, else as a table of facts has it.

The facts are those of meshmakers' construction kit of energy (attributes' metadata, 2026), and count in the actual dialect alone:
the document's examples fit other units, so there nothing is said that nobody has said.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.errors import Malformed, RateLimited, SourceError, Unauthenticated
from bridge.providers.octomesh.dialect import Dialect
from bridge.providers.octomesh.mesh import Mesh
from bridge.providers.octomesh.raw import ODD
from bridge.providers.octomesh.settings import EntitySettings

EVERY = timedelta(days=1)
FACTS: Mapping[str, str] = {
    name: unit
    for unit, names in {
        "V": "voltage dcvoltage",
        "A": "ampere dcampere",
        "kW": "power maximumpower peakpower nominalpower predictedload reductionkw",
        "kVAr": "reactivepower",
        "kVA": "apparentpower",
        "Hz": "frequency",
        "kWh": "importedenergy exportedenergy capacity",
        "%": "soc soh loadpercent",
        "EUR": "costamount forecastamount revenue",
        "l": "volume netvolume reversevolume",
        "m³/h": "flow",
    }.items()
    for name in names.split()
}


class Units:
    """Knows the units of one source's attributes."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._told: Mapping[tuple[str, str], str] = {}
        self._asked: datetime | None = None

    async def refresh(self, types: list[str], moment: datetime) -> SourceError | None:
        """Ask the construction kit, once a day; return why it did not tell. Raises SourceError for what stops a poll."""
        if self._asked is not None and self._asked <= moment < self._asked + EVERY:
            return None
        dialect = await self._mesh.dialect()
        try:
            question = await dialect.units(types)
            if question is not None:
                self._told = dialect.read_units(await self._mesh.only(question))
        except (RateLimited, Unauthenticated):
            raise
        except SourceError as error:
            self._asked = moment
            return error
        except ODD as error:
            self._asked = moment
            return Malformed(f"the construction kit cannot be read ({type(error).__name__})")
        self._asked = moment
        return None

    def of(self, entity: EntitySettings, type_: str, dialect: Dialect, attribute: str) -> str | None:
        """Return the unit of an attribute of `type_`, or None where nobody says it."""
        if attribute in entity.units:
            return entity.units[attribute]
        if not dialect.tells_units:
            return None
        name = attribute.casefold()
        return self._told.get((type_, name)) or self._told.get((entity.type, name)) or FACTS.get(name)

    def forget(self) -> None:
        self._asked = None
