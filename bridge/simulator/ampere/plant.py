"""Companies with their facilities, the facilities' devices, and what these measure: the same for the same moment, whoever asks.

Power is a bell over the facility's own day; what was produced is its area.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=5)
SUNRISE, SUNSET = 6, 20  # hours of the local day
UNITS = {"Pac": "kW", "Irradiation": "W/m²", "ActivePowerLimitation": None, "ProducedEnergy": "kWh", "SelfConsumptionRate": "%"}
OF_AN_INVERTER = ("Pac", "ActivePowerLimitation")
OF_A_SENSOR = ("Irradiation",)


@dataclass(frozen=True)
class Device:
    """One device; `peak` is its power in kW, or its irradiation in W/m², at noon."""

    id: str
    name: str
    type: str = "INVERTER"
    peak: float = 50.0
    reads: tuple[str, ...] = OF_AN_INVERTER

    def value(self, kind: str, height: float) -> float | None:
        """Return what it shows of a reading type when the sun stands at `height`, from 0 to 1."""
        if kind not in self.reads:
            return None
        return 1.0 if kind == "ActivePowerLimitation" else round(self.peak * height, 3)


@dataclass(frozen=True)
class Facility:
    """One facility with its devices."""

    id: str
    name: str
    devices: tuple[Device, ...] = ()
    timezone: str | None = "Europe/Berlin"
    currency: str | None = "EUR"
    address: str = "Solarweg 7, 10115 Berlin"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone or "UTC")

    @property
    def peak(self) -> float:
        return sum(device.peak for device in self.devices if "Pac" in device.reads)

    def height(self, moment: datetime) -> float:
        """Return how high the sun stands, from 0 to 1."""
        local = moment.astimezone(self.zone)
        share = (local.hour + local.minute / 60 - SUNRISE) / (SUNSET - SUNRISE)
        return math.sin(math.pi * share) if 0 < share < 1 else 0.0

    def readings(self, kinds: Sequence[str], start: datetime, end: datetime) -> Iterator[tuple[Device, str, datetime, float]]:
        """Yield device, type, time and value of every five minutes in [start, end)."""
        first = math.ceil(start.timestamp() / STEP.total_seconds())
        last = math.ceil(end.timestamp() / STEP.total_seconds())
        for number in range(first, last):
            moment = datetime.fromtimestamp(number * STEP.total_seconds(), UTC)
            for device in self.devices:
                for kind in kinds:
                    value = device.value(kind, self.height(moment))
                    if value is not None:
                        yield device, kind, moment, value

    def analysis(self, kind: str, start: datetime, end: datetime) -> float | None:
        """Return a figure of [start, end), None for one that is not known."""
        if kind == "ProducedEnergy":
            hours = int((end - start) / timedelta(hours=1))
            return round(sum(self.peak * self.height(start + timedelta(hours=hour)) for hour in range(hours)), 3)
        return 63.5 if kind == "SelfConsumptionRate" else None


@dataclass(frozen=True)
class Company:
    """One of the companies that a user is a member of."""

    id: str
    name: str
    facilities: tuple[Facility, ...] = ()


def park(number: int, devices: int) -> Facility:
    """Return a facility with so many devices, all of them inverters but the last."""
    inverters = [Device(f"d-{number}-{index}", f"Inverter {index}") for index in range(1, devices)]
    sensor = Device(f"d-{number}-{devices}", "Roof sensor", "SENSOR", 900.0, OF_A_SENSOR)
    return Facility(f"f-{number}", f"Solar Park {number}", (*inverters, sensor))


DEFAULT_COMPANIES = (
    Company("c-1", "Sonnenfeld GmbH", (park(1, 3), park(2, 2))),
    Company("c-2", "Dachwerk eG", (Facility("f-3", "Rooftop Süd", (Device("d-3-1", "Wechselrichter Süd", peak=9.5),)),)),
)
