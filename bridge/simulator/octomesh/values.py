"""What each machine shows at a moment: power in kW, counters in kWh, the same for the same machine and moment always.

Counters are the integral of the power's curve, so that they fit together over any span; the day is UTC's.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import cos, pi, sin, sqrt
from types import MappingProxyType
from typing import Any

from bridge.simulator.octomesh import kit

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)  # the counters stood at 0
DAY_H = 24.0
SWING = 0.4  # of a meter's mean power
SUNRISE_H, SUN_H = 6.0, 12.0
NOMINAL_V, PHASES_V = 230.0, 400.0
EFFICIENCY = 0.95
CHARGE_KW, CAPACITY_KWH = 4.0, 40.0

Shown = dict[str, Any]


def number(*names: object, below: int) -> int:
    """Return a number in [0, below) that is always the same for the same names."""
    text = "|".join(str(name) for name in names)
    return int.from_bytes(hashlib.shake_128(text.encode()).digest(8), "big") % below


def shown(rt_id: str, type_id: str, moment: datetime) -> Shown:
    """Return the live attributes of a machine; nothing for what is none."""
    maker = MAKERS.get(type_id)
    if maker is None:
        return {}
    hours = (moment - EPOCH) / timedelta(hours=1)
    running = {kit.STATE: 1, "operatingHours": int(hours), "standStillCounter": number(rt_id, "stops", below=40)}
    return {**running, **{name: _tidy(value) for name, value in maker(rt_id, moment, hours).items()}}


def _tidy(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _meter(rt_id: str, moment: datetime, hours: float) -> Shown:
    mean = 4.0 + number(rt_id, below=400) / 10
    angle = 2 * pi * (hours - 9) / DAY_H
    power = mean * (1 + SWING * sin(angle))
    energy = mean * (hours + SWING * DAY_H / (2 * pi) * (cos(-2 * pi * 9 / DAY_H) - cos(angle)))
    reactive = power * sqrt(1 / EFFICIENCY**2 - 1)
    counters = {"importedEnergy": energy, "exportedEnergy": 0.0, "frequency": _near(50.0, 0.02, rt_id, moment)}
    return {
        **_electric(rt_id, moment, power),
        "apparentPower": power / EFFICIENCY,
        "reactivePower": reactive,
        **counters,
        **_phases(rt_id, moment, power),
    }


def _inverter(rt_id: str, moment: datetime, hours: float) -> Shown:
    peak = 10.0 + number(rt_id, below=50)
    power = max(0.0, peak * sin(pi * (hours % DAY_H - SUNRISE_H) / SUN_H))
    voltage = _near(640.0, 12.0, rt_id, moment)
    direct = {"dCVoltage": voltage, "dCAmpere": power / EFFICIENCY * 1000 / voltage, "maximumPower": peak}
    return {**_electric(rt_id, moment, power), **direct, **_phases(rt_id, moment, power)}


def _storage(rt_id: str, moment: datetime, hours: float) -> Shown:
    """It charges by day, with positive power, and gives the same back by night."""
    days, hour = divmod(hours - SUNRISE_H, DAY_H)
    angle = 2 * pi * hour / DAY_H
    power, each_day = CHARGE_KW * sin(angle), CHARGE_KW * DAY_H / pi
    taken = each_day / 2 * (1 - cos(min(angle, pi)))
    given = each_day / 2 * (1 + cos(max(angle, pi)))
    charge = {
        "soC": round(10 + 100 * (taken - given) / CAPACITY_KWH),
        "soH": 97,
        "capacity": CAPACITY_KWH,
        "numOfCycles": int(days),
    }
    counters = {"importedEnergy": days * each_day + taken, "exportedEnergy": days * each_day + given}
    return {**_electric(rt_id, moment, power), **charge, **counters, "temperature": _near(24.0, 1.5, rt_id, moment)}


def _heat(rt_id: str, moment: datetime, hours: float) -> Shown:
    warm, cool = _near(62.0, 3.0, rt_id, moment), _near(41.0, 2.0, rt_id, moment)
    flow = 0.6
    power = flow * 1.163 * (warm - cool)
    return {
        "power": power,
        "importedEnergy": hours * 14.6,
        "volume": hours * flow * 1000,
        "flow": flow,
        "flowTemperature": warm,
        "returnTemperature": cool,
    }


def _water(_rt_id: str, _moment: datetime, hours: float) -> Shown:
    return {"volume": hours * 31.0, "netVolume": hours * 30.5, "reverseVolume": hours * 0.5}


def _electric(rt_id: str, moment: datetime, power: float) -> Shown:
    ampere = abs(power) * 1000 / (sqrt(3) * PHASES_V)
    return {"power": power, "voltage": _near(NOMINAL_V, 3.0, rt_id, moment), "ampere": ampere}


def _phases(rt_id: str, moment: datetime, power: float) -> Shown:
    voltage = round(_near(NOMINAL_V, 3.0, rt_id, moment), 3)
    each = {"power": round(power / 3, 3), "voltage": voltage, "ampere": round(power / 3 * 1000 / voltage, 3), "frequency": 50.0}
    return {f"aCL{phase}": each for phase in (1, 2, 3)}


def _near(value: float, spread: float, rt_id: str, moment: datetime) -> float:
    """Return a number within `spread` of `value`, another one each minute."""
    minute = int(moment.timestamp() // 60)
    return value + spread * (number(rt_id, value, minute, below=2001) / 1000 - 1)


MAKERS: Mapping[str, Callable[[str, datetime, float], Shown]] = MappingProxyType(
    {
        kit.ENERGY_METER: _meter,
        kit.INVERTER: _inverter,
        kit.STORAGE: _storage,
        kit.HEAT_METER: _heat,
        kit.WATER_METER: _water,
    }
)
