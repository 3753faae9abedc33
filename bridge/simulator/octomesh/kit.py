"""The construction kit of the simulated tenant: its types, their attributes and what is recorded of them over time.

Units are told by the kit alone: no answer with a value bears one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

TREE_NODE = "Basic/TreeNode"
ENERGY_METER = "Industry.Energy/EnergyMeter"
INVERTER = "Industry.Energy/Inverter"
STORAGE = "Industry.Energy/EnergyStorage"
HEAT_METER = "Industry.Fluid/HeatMeter"
WATER_METER = "Industry.Fluid/WaterMeter"

MACHINE_STATES = ("Off", "On", "Unknown", "Error", "Idle")  # the place is the key
STATE = "machineState"

PARENT_CHILD, RELATED = "System/ParentChild", "System/Related"
ROLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {PARENT_CHILD: ("parent", "children"), RELATED: ("relatesTo", "relatesFrom")}
)
"""What an association is called at its origin and at its target, by its role."""


class Kind(StrEnum):
    """The type of an attribute's value."""

    DOUBLE = "DOUBLE"
    INTEGER = "INTEGER"
    STRING = "STRING"
    ENUM = "ENUM"
    RECORD = "RECORD"


@dataclass(frozen=True)
class Attribute:
    """An attribute of a type; a `record` is the GraphQL name of what it consists of."""

    name: str
    kind: Kind = Kind.DOUBLE
    unit: str | None = None
    required: bool = False
    streamed: bool = False
    record: str | None = None
    model: str = "Industry.Energy"

    @property
    def id(self) -> str:
        return f"{self.model}/{self.name[:1].upper()}{self.name[1:]}"


@dataclass(frozen=True)
class Type:
    """A type of the kit with its own attributes; `base` is the type that it extends."""

    id: str
    own: tuple[Attribute, ...]
    base: str | None = None
    abstract: bool = False
    typed: bool = True
    """Whether it has GraphQL fields of its own besides the generic ones."""
    typed_writes: bool = False

    @property
    def graphql(self) -> str:
        return self.id.replace(".", "").replace("/", "")

    @property
    def field(self) -> str:
        return self.graphql[:1].lower() + self.graphql[1:]


def _double(name: str, unit: str | None = None, *, required: bool = False, streamed: bool = False) -> Attribute:
    return Attribute(name, Kind.DOUBLE, unit, required, streamed)


def _whole(name: str, unit: str | None = None, *, required: bool = False, streamed: bool = False) -> Attribute:
    return Attribute(name, Kind.INTEGER, unit, required, streamed)


PHASES = tuple(Attribute(f"aCL{number}", Kind.RECORD, record="IndustryEnergyPhaseInfo") for number in (1, 2, 3))
POWER = _double("power", "kW", required=True, streamed=True)
VOLTAGE = _double("voltage", "V", streamed=True)
AMPERE = _double("ampere", "A", required=True, streamed=True)
COUNTERS = (_double("importedEnergy", "kWh", streamed=True), _double("exportedEnergy", "kWh", streamed=True))

TYPES: Mapping[str, Type] = MappingProxyType(
    {
        each.id: each
        for each in (
            Type(
                TREE_NODE,
                (
                    Attribute("name", Kind.STRING, required=True, model="Basic"),
                    Attribute("description", Kind.STRING, model="Basic"),
                ),
                typed=False,
            ),
            Type(
                "Basic/Asset",
                (Attribute("namePlate", Kind.RECORD, record="BasicNamePlate", model="Basic"),),
                TREE_NODE,
                typed=False,
            ),
            Type(
                "Industry.Basic/Machine",
                (
                    Attribute(STATE, Kind.ENUM, required=True, streamed=True, record="IndustryBasicMachineState"),
                    _whole("operatingHours", streamed=True),
                    _whole("standStillCounter", streamed=True),
                ),
                "Basic/Asset",
                abstract=True,
                typed=False,
            ),
            Type(
                ENERGY_METER,
                (
                    POWER,
                    VOLTAGE,
                    AMPERE,
                    _double("apparentPower", "kVA", streamed=True),
                    _double("reactivePower", "kVAr", streamed=True),
                    _double("frequency", "Hz", streamed=True),
                    *COUNTERS,
                    *PHASES,
                ),
                "Industry.Basic/Machine",
                typed_writes=True,
            ),
            Type(
                INVERTER,
                (
                    POWER,
                    VOLTAGE,
                    AMPERE,
                    _double("dCVoltage", "V", streamed=True),
                    _double("dCAmpere", "A", required=True, streamed=True),
                    _double("maximumPower", "kW", required=True, streamed=True),
                    *PHASES,
                ),
                "Industry.Basic/Machine",
                typed_writes=True,
            ),
            Type(
                STORAGE,
                (
                    POWER,
                    VOLTAGE,
                    AMPERE,
                    *COUNTERS,
                    _double("capacity", "kWh", streamed=True),
                    _whole("soC", "%", required=True, streamed=True),
                    _whole("soH", "%", streamed=True),
                    _whole("numOfCycles", streamed=True),
                    _double("temperature"),
                ),
                "Industry.Basic/Machine",
            ),
            Type(
                HEAT_METER,
                (
                    _double("power", "kW"),
                    _double("importedEnergy", "kWh", required=True),
                    _double("volume", "l"),
                    _double("flow", "m³/h"),
                    _double("flowTemperature"),
                    _double("returnTemperature"),
                ),
                "Industry.Basic/Machine",
            ),
            Type(
                WATER_METER,
                (_double("volume", "l"), _double("netVolume", "l", required=True), _double("reverseVolume", "l")),
                "Industry.Basic/Machine",
            ),
        )
    }
)


def lineage(type_id: str) -> Iterator[Type]:
    """Yield a type and all that it extends, itself first."""
    following: str | None = type_id
    while following is not None:
        found = TYPES[following]
        yield found
        following = found.base


def attributes(type_id: str) -> Mapping[str, Attribute]:
    """Return the attributes of a type by name, those of the types that it extends first."""
    return {each.name: each for type_ in reversed([*lineage(type_id)]) for each in type_.own}


def streamed(type_id: str) -> Sequence[Attribute]:
    return [each for each in attributes(type_id).values() if each.streamed]


def has_stream(type_id: str) -> bool:
    """Tell whether values of a type's entities are recorded: none are of what is not a machine, nor of a heat meter."""
    return TYPES[type_id].typed and type_id != HEAT_METER


def is_a(type_id: str, wanted: str) -> bool:
    """Tell whether a type is the wanted one or extends it."""
    return any(each.id == wanted for each in lineage(type_id))
