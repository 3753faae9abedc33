"""Properties, meter points and meters as GraphQL shows them."""

from base64 import b64encode
from datetime import datetime
from typing import Any, Unpack

from bridge.simulator.days import midnight
from bridge.simulator.octopus.agreements import agreement
from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.homes import Meter, MeterPoint, Property, Supply, number
from bridge.simulator.octopus.measurements import MeasurementArguments, measurements
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.times import LONDON, asked, stamp, today

MAKER = {"manufacturer": "Example Meters", "firmwareVersion": "1.0.3", "paymentMode": "CREDIT"}
COMMISSIONED = "COMMISSIONED"
HUB = ("PPMID", "CHF", "GPF")  # what a network holds beside the meters: display, hub, gas mirror


class PropertyAnswer:
    def __init__(self, visit: Visit, home: Property) -> None:
        self._visit, self._home = visit, home
        self.id, self.postcode, self.address = home.id, home.postcode, home.address
        self.split_address = [part.strip().upper() for part in home.address.split(",")]
        self.coordinates = {"latitude": 51.5, "longitude": -0.1}

    def occupancy_periods(self) -> list[dict[str, Any]]:
        days = [meter.active_from for point in self._home.points for meter in point.meters]
        begin = stamp(midnight(min(days, default=today(self._visit.moment)), LONDON))
        return [
            {"id": str(number(self.id, "occupancy")), "effectiveFrom": begin, "effectiveTo": None, "isOccupier": False}
        ]  # fmt: skip

    def electricity_meter_points(self) -> list["PointAnswer"]:
        return [PointAnswer(self._visit, point) for point in self._home.electricity()]

    def gas_meter_points(self) -> list["PointAnswer"]:
        return [PointAnswer(self._visit, point) for point in self._home.gas()]

    def measurements(self, **arguments: Unpack[MeasurementArguments]) -> dict[str, Any]:
        return measurements(self._visit, self._home, arguments)

    def smart_device_networks(self) -> list["Network"]:
        return [Network(self._home)] if any(meter.device_id for point in self._home.points for meter in point.meters) else []


class Network:
    """The smart meter network of a home: every smart meter once, and what else it takes."""

    def __init__(self, home: Property) -> None:
        self.id = str(number(home.id, "network"))
        meters = {meter.device_id: (point, meter) for point in home.points for meter in point.meters if meter.device_id}
        self._devices = [smart_device(point, meter) for point, meter in meters.values()]
        self._devices += [_device(f"00-11-22-33-44-55-77-{at:02d}", kind) for at, kind in enumerate(HUB)]

    def smart_devices(self, statuses: list[str] | None = None) -> list[dict[str, Any]]:
        return self._devices if statuses is None or COMMISSIONED in statuses else []


class PointAnswer:
    """A meter point of electricity or of gas."""

    status = "ON_SUPPLY"
    profile_class = 1

    def __init__(self, visit: Visit, point: MeterPoint) -> None:
        self._visit, self._point = visit, point
        self.id = str(number(point.number, "point", below=10**7))
        self.mpan = self.mprn = point.number
        self.gsp_group_id = f"_{point.region}"
        self.direction = point.supply.name if point.tells_direction else None

    def meters(self, id: int | None = None, *, include_inactive: bool | None = None) -> list["MeterAnswer"]:  # noqa: A002 - the provider's argument
        day = today(self._visit.moment)
        answers = [
            MeterAnswer(self._visit, self._point, meter)
            for meter in self._point.meters
            if include_inactive or meter.active_to is None or meter.active_to > day
        ]
        return [answer for answer in answers if id is None or answer.id == str(id)]

    def agreements(
        self,
        *,
        valid_after: str | None = None,
        include_inactive: bool | None = None,
        exclude_future: bool | None = None,
    ) -> list[dict[str, Any]]:
        """Return those in force and to come; those that were, and what was revoked, with `include_inactive` only."""
        after: datetime = asked(valid_after) or self._visit.moment
        shown = [
            each
            for each in self._point.agreements
            if (include_inactive and not valid_after) or ((each.valid_to is None or after < each.valid_to) and not each.revoked)
            if not (exclude_future and each.valid_from > self._visit.moment)
        ]
        return [{**agreement(self._visit, self._point, each), "meterPoint": self} for each in shown]


class MeterAnswer:
    """A meter of electricity or of gas."""

    has_and_allows_hh_readings = True
    is_trad_prepay = False
    import_meter = None

    def __init__(self, visit: Visit, point: MeterPoint, meter: Meter) -> None:
        self._visit, self._point, self._meter = visit, point, meter
        gas = point.supply is Supply.GAS
        self.__typename = "GasMeterType" if gas else "ElectricityMeterType"  # read by graphql-core
        self.id = str(number(point.number, meter.serial, "meter", below=10**7))
        self.node_id = b64encode(f"{self.__typename}:{self.id}".encode()).decode()
        self.serial_number, self.consumption_units = meter.serial, meter.unit
        self.active_from = meter.active_from.isoformat()
        self.active_to = meter.active_to.isoformat() if meter.active_to else None
        self.fuel_type = "GAS" if gas else "ELECTRICITY"
        self.meter_type = "S2ADE" if meter.device_id else "S1"
        self.make_and_type = "Example SM-1"
        self.mechanism = "S1" if gas and meter.unit == "kWh" else "S2"

    def meter_point(self) -> PointAnswer:
        return PointAnswer(self._visit, self._point)

    def smart_devices(self) -> list[dict[str, Any]]:
        return [smart_device(self._point, self._meter)] if self._meter.device_id else []

    def smart_import_electricity_meter(self) -> dict[str, Any] | None:
        return self._smart_for(Supply.IMPORT)

    def smart_export_electricity_meter(self) -> dict[str, Any] | None:
        return self._smart_for(Supply.EXPORT)

    def smart_gas_meter(self) -> dict[str, Any] | None:
        return self._smart_for(Supply.GAS)

    def _smart_for(self, supply: Supply) -> dict[str, Any] | None:
        there = self._point.supply is supply and self._meter.device_id
        return smart_device(self._point, self._meter) if there else None


def smart_device(point: MeterPoint, meter: Meter) -> dict[str, Any]:
    """Return the device that a smart meter is in its network."""
    return {**_device(meter.device_id or "", "GSME" if point.supply is Supply.GAS else "ESME"), "serialNumber": meter.serial}


def _device(device_id: str, kind: str) -> dict[str, Any]:
    known = {"id": str(number(device_id, "device")), "deviceId": device_id, "serialNumber": device_id.replace("-", "")}
    return {**MAKER, **known, "type": kind, "status": COMMISSIONED, "model": f"{kind}-1"}


def node(visit: Visit, id: str) -> MeterAnswer:  # noqa: A002 - the provider's argument
    """Return a meter by its node id, which names its type and its number; raises GraphQLError for any other."""
    for point in visit.platform.points():
        for meter in point.meters:
            if (answer := MeterAnswer(visit, point, meter)).node_id == id:
                return answer
    raise kraken_error("KT-CT-1111")
