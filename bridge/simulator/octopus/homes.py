"""The simulated customer's properties: meter points, their meters, and the agreements under which they are supplied.

Everything is a plain value, so that a test builds the odd home it needs: an export point listed first, no agreement at all,
one that ends tomorrow, two points with one serial number.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum


class Supply(StrEnum):
    """What a meter point is for."""

    IMPORT = "import"
    EXPORT = "export"
    GAS = "gas"


KWH, CUBIC_METRES = "kWh", "m³"
SINCE = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Agreement:
    """A tariff, by its code, in force over [valid_from, valid_to); None: until further notice."""

    tariff: str
    valid_from: datetime = SINCE
    valid_to: datetime | None = None
    revoked: bool = False

    def holds(self, moment: datetime) -> bool:
        return not self.revoked and self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True)
class Meter:
    """A meter; `unit` is that of its readings, `device_id` its address in the home's smart meter network.

    `holes` are starts of half-hours which never arrive.
    """

    serial: str
    device_id: str | None = None
    unit: str = KWH
    active_from: date = date(2025, 2, 27)
    active_to: date | None = None
    holes: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class MeterPoint:
    """A supply by its MPAN or MPRN; without `tells_direction` a client has to find out by other means what it is for."""

    number: str
    supply: Supply
    meters: tuple[Meter, ...]
    agreements: tuple[Agreement, ...]
    region: str = "C"
    tells_direction: bool = True


@dataclass(frozen=True)
class Property:
    """A property of an account; its meter points come in the order in which they are listed here."""

    id: str
    postcode: str
    address: str
    points: tuple[MeterPoint, ...]

    def electricity(self) -> list[MeterPoint]:
        return [point for point in self.points if point.supply is not Supply.GAS]

    def gas(self) -> list[MeterPoint]:
        return [point for point in self.points if point.supply is Supply.GAS]


ESME, GSME = "00-11-22-33-44-55-66-01", "00-11-22-33-44-55-66-02"  # the home's two smart meters

IMPORT = MeterPoint("1000000000017", Supply.IMPORT, (Meter("21E0000017", ESME),), (Agreement("E-1R-AGILE-24-10-01-C"),))
EXPORT = MeterPoint("1000000000026", Supply.EXPORT, (Meter("21E0000017", ESME),), (Agreement("E-1R-AGILE-OUTGOING-19-05-13-C"),))
GAS = MeterPoint("1000000035", Supply.GAS, (Meter("E6S00000035", GSME, CUBIC_METRES),), (Agreement("G-1R-VAR-22-11-01-C"),))

DEFAULT_PROPERTIES = (Property("2000001", "EC1A 1ZZ", "1 Example Street, London, EC1A 1ZZ", (IMPORT, EXPORT, GAS)),)


@dataclass(frozen=True)
class Device:
    """A device under smart control. `type_name` is its GraphQL type; a boost is refused for each of `refusals`."""

    id: str
    name: str
    type_name: str = "SmartFlexVehicle"
    device_type: str = "ELECTRIC_VEHICLES"
    provider: str = "TESLA_V2"
    make: str = "Tesla"
    model: str = "Model Y"
    property_id: str = "2000001"
    lifecycle: str = "LIVE"
    power_kw: float = 7.2
    refusals: tuple[str, ...] = ()


DEFAULT_DEVICES = (Device("00000000-0001-4000-8000-0000000c0a01", "Family car"),)


@dataclass
class Account:
    """A customer's account; `balance` is in pence before what the newest transactions changed, a credit is positive."""

    number: str
    properties: tuple[Property, ...] = DEFAULT_PROPERTIES
    devices: tuple[Device, ...] = DEFAULT_DEVICES
    status: str = "ACTIVE"
    balance: int = 12_345
    in_campaign: bool = True  # in the one of saving sessions

    def points(self) -> list[MeterPoint]:
        return [point for each in self.properties for point in each.points]


def number(*names: object, below: int = 10**6) -> int:
    """Return a number in [0, below) that is always the same for the same names."""
    text = "|".join(str(name) for name in names)
    return int.from_bytes(hashlib.shake_128(text.encode()).digest(8), "big") % below
