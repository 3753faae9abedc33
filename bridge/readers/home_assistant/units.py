"""Which device class and state class a unit has. Facts of Home Assistant's `sensor/const.py`: what 2024.3 and 2026.11 both allow.

A unit that is not here has no device class, and is shown as it is. Energy, gas and water take no `measurement`.
"""

from collections.abc import Mapping

from bridge.models.reading import Reading
from bridge.readers.home_assistant.entity import MEASUREMENT, TOTAL, TOTAL_INCREASING

CUBIC = "m³"
CLASSES: Mapping[str, str] = {
    **dict.fromkeys(("Wh", "kWh", "MWh", "MJ", "GJ"), "energy"),
    **dict.fromkeys(("W", "kW"), "power"),
    **dict.fromkeys(("°C", "°F", "K"), "temperature"),
    "L": "volume",
    **dict.fromkeys(("m³/h", "L/min"), "volume_flow_rate"),
    **dict.fromkeys(("V", "mV"), "voltage"),
    **dict.fromkeys(("A", "mA"), "current"),
    **dict.fromkeys(("Hz", "kHz"), "frequency"),
    **dict.fromkeys(("bar", "mbar", "Pa", "hPa", "kPa"), "pressure"),
    **dict.fromkeys(("m/s", "km/h"), "speed"),
    "VA": "apparent_power",
    "var": "reactive_power",
    "W/m²": "irradiance",
    "lx": "illuminance",
}
AS_WRITTEN: Mapping[str, str] = {  # by providers → as Home Assistant knows it
    "m3": CUBIC, "m3/h": "m³/h", "l": "L", "l/min": "L/min", "W/m2": "W/m²", "kwh": "kWh", "wh": "Wh", "w": "W", "kw": "kW",
}  # fmt: skip
PIPED = ("gas", "water")  # of which cubic metres have a device class that the Energy dashboard accepts
CHARGE = frozenset({"soc", "battery"})  # so is a share of a hundred called that a battery is charged to
SUMS = frozenset({"energy", "volume", *PIPED})
SUM = "sum"


def known_unit(unit: str | None) -> str | None:
    """Return `unit` as Home Assistant writes it."""
    return AS_WRITTEN.get(unit, unit) if unit else None


def device_class(unit: str | None, *names: str) -> str | None:
    """Return the device class of `unit`, or None. Of cubic metres, and of a share, one of `names` may say what they are of."""
    words = {word for name in names for word in name.replace("_", "-").split("-")}
    if unit in (CUBIC, "ft³"):
        return next((piped for piped in PIPED if piped in words), "volume")
    if unit == "%" and words & CHARGE:
        return "battery"
    return CLASSES.get(unit or "")


def state_class(found: str | None, reading: Reading) -> str | None:
    """Return the state class of a reading whose device class is `found`.

    What was measured over a span is a total that begins anew with each span: the recorder then adds the whole of every new one,
    where `total_increasing` would add nothing but what it exceeds the one before by. A register that is read at an instant only
    grows. A mean of energy is neither, and has no state class.
    """
    if found in SUMS and reading.aggregation not in (None, SUM):
        return None
    if reading.start is not None and (found in SUMS or (found is None and reading.aggregation == SUM)):
        return TOTAL
    return TOTAL_INCREASING if found in SUMS else MEASUREMENT
