"""What is measured in the simulated factory, and the value of each field over any span: the same for the same span, for ever."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

HOUR = timedelta(hours=1)
NIGHT = 0.3  # of what runs by day
DIGITS = 4


@dataclass(frozen=True)
class Field:
    """One field of an item: `base` is its mean, or its sum in an hour where it is `summed`; by night less, unless `steady`."""

    base: float
    summed: bool = False
    steady: bool = False
    late: timedelta | None = None  # for so long after a bucket's end the value is null


@dataclass(frozen=True)
class Point:
    """One list of measurements at `path`; a field's name has a dot for each step down."""

    path: str
    kind: str
    fields: Mapping[str, Field]
    fixed: Mapping[str, str] = field(default_factory=dict)  # parameters without which there is no answer

    def item(self, start: datetime, end: datetime, now: datetime, stamp: str) -> dict[str, Any]:
        """Return the item of a bucket as it is `now`, which may be in its middle."""
        found: dict[str, Any] = {"timestamp": stamp}
        for name, about in self.fields.items():
            *above, last = name.split(".")
            place = found
            for step in above:
                place = place.setdefault(step, {})
            place[last] = self._value(name, about, start, end, now)
        return found

    def _value(self, name: str, about: Field, start: datetime, end: datetime, now: datetime) -> float | None:
        if about.late is not None and now < end + about.late:
            return None
        runs = 1.0 if about.steady or 6 <= start.hour < 18 else NIGHT  # noqa: PLR2004 - of the clock
        level = about.base * runs * (0.9 + 0.2 * _share(f"{self.path}|{name}|{start.isoformat()}"))
        return round(level * ((min(end, now) - start) / HOUR), DIGITS) if about.summed else round(level, DIGITS)


def _share(text: str) -> float:
    return int.from_bytes(hashlib.shake_128(text.encode()).digest(2), "big") / 65535


POINTS = (
    Point("/v1/electricity/measurements", "electricity", {"power": Field(42), "energy": Field(42, summed=True)}, {"meter": "17"}),
    Point(
        "/v1/water/measurements",
        "water",
        {
            "volume": Field(3.5, summed=True),
            "flow": Field(3.5),
            "temperature.inlet": Field(12, steady=True),
            "temperature.outlet": Field(38, steady=True),
            "thermalEnergy": Field(105, summed=True),
        },
    ),
    Point(
        "/v1/gas/measurements",
        "gas",
        {"energy": Field(88, summed=True), "power": Field(88), "volume": Field(9, summed=True, late=2 * HOUR)},
    ),
    Point(
        "/v1/air/measurements",
        "air",
        {"flow": Field(240), "temperature": Field(21, steady=True), "pressure": Field(6.8, steady=True)},
    ),
    Point("/v1/air-volume/measurements", "air_volume", {"volume": Field(240, summed=True)}),
    Point("/v1/maintenance/measurements", "maintenance", {"vibration": Field(2.4, steady=True)}),
)
