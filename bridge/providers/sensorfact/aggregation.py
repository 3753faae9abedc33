"""How finely measurements may be asked for, and how they were put together: pure, from the tables of the provider's document.

Source: https://api-docs.sensorfact.nl/docs/key-concepts, "Query aggregation". A window that is longer than a period wants the
level beside it at the least; one that is just as long does not.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from bridge.providers.sensorfact.windows import FIXED, Period, shifted
from bridge.topics import fold

AUTO = "auto"  # the provider chooses
ALMOST_A_DAY = timedelta(hours=23)  # of the spring day on which the clock changes
SHORTEST_MONTH, LONGEST_MONTH = 28, 31  # days
LEVEL = re.compile(r"([1-9]\d{0,3})([mhdwM])")


class Kind(StrEnum):
    """What is measured."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    AIR = "air"
    AIR_VOLUME = "air_volume"
    MAINTENANCE = "maintenance"


class Level(NamedTuple):
    """The length of each bucket: so many minutes, hours, days, weeks or months."""

    amount: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what `text` such as `15m` means. Raises ValueError."""
        found = LEVEL.fullmatch(text)
        if found is None:
            raise ValueError(f"must be a number and one of m (minutes), h, d, w, M (months), such as 15m, or {AUTO}")
        return cls(int(found[1]), found[2])

    @classmethod
    def spanning(cls, gap: timedelta) -> Self:
        """Return the level whose buckets begin `gap` after one another; some days have 23 or 25 hours."""
        days = round(gap / FIXED["d"])
        if gap < ALMOST_A_DAY:
            return cls(gap // FIXED["h"], "h") if gap % FIXED["h"] == timedelta() else cls(max(1, gap // FIXED["m"]), "m")
        if days % 7 == 0 and days != SHORTEST_MONTH:
            return cls(days // 7, "w")
        return cls(1, "M") if SHORTEST_MONTH <= days <= LONGEST_MONTH else cls(days, "d")

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"

    @property
    def length(self) -> timedelta:
        """How long a bucket lasts, on days of 24 hours and in the shortest month."""
        return Period(*self).shortest

    def moved(self, moment: datetime, zone: ZoneInfo, times: int = 1) -> datetime:
        """Return `moment` so many buckets later, days and more by the calendar of `zone`."""
        if self.unit in "mh":
            return moment + times * self.length
        wall = moment.astimezone(zone).replace(tzinfo=None)
        return shifted(wall, times * self.amount, self.unit).replace(tzinfo=zone).astimezone(UTC)


def _rows(*rows: tuple[str, str]) -> tuple[tuple[Period | None, Level], ...]:
    return tuple((Period(int(text[:-1]), text[-1]) if text else None, Level.parse(level)) for text, level in rows)


LIMITS: Mapping[Kind, tuple[tuple[Period | None, Level], ...]] = {  # longer than that (None: however long) → this at the least
    Kind.ELECTRICITY: _rows(("1d", "15m"), ("1w", "1h"), ("5w", "1d"), ("1y", "1w")),
    Kind.WATER: _rows(("1d", "15m"), ("1w", "1h"), ("5w", "1d"), ("1y", "1d")),
    Kind.GAS: _rows(("1d", "15m"), ("1w", "1h"), ("5w", "1d"), ("1y", "1d")),
    Kind.AIR: _rows(("1d", "15m"), ("1w", "1h"), ("5w", "1d"), ("1y", "1d")),
    Kind.AIR_VOLUME: _rows(("", "1h"), ("2d", "1d"), ("2w", "1w"), ("1y", "1w")),
    Kind.MAINTENANCE: _rows(("1d", "1h"), ("5w", "1d"), ("26w", "1w")),
}
METHODS: Mapping[Kind, Mapping[str, str]] = {  # by the quantity; an empty one stands for all
    Kind.ELECTRICITY: {"power": "mean", "energy": "sum"},
    Kind.WATER: {
        "volume": "sum",
        "flow": "mean",
        "inlet-temperature": "mean",
        "outlet-temperature": "mean",
        "temperature-difference": "mean",
        "thermal-energy": "sum",
    },
    Kind.GAS: {"energy": "sum", "power": "mean", "volume": "sum"},
    Kind.AIR: {"flow": "mean", "temperature": "mean", "pressure": "mean"},
    Kind.AIR_VOLUME: {"": "sum"},
    Kind.MAINTENANCE: {"": "p95"},
}


def least(kind: Kind, is_longer: Callable[[Period], bool]) -> Level | None:
    """Return the finest level that a window may be asked for with, None where any will do."""
    return next((level for period, level in reversed(LIMITS[kind]) if period is None or is_longer(period)), None)


def is_too_fine(level: str, floor: Level | None) -> bool:
    """Tell whether `level` is finer than the `floor` that `least` returned; `auto` never is."""
    return level != AUTO and floor is not None and Level.parse(level).length < floor.length


def method(kind: Kind, quantity: str, field: str) -> str | None:
    """Return how the values of a quantity are put together, told by the words of its name or of its field; None where unknown."""
    known = {frozenset(name.split("-")): said for name, said in METHODS[kind].items()}
    names = (quantity, fold(field), fold(field.rpartition(".")[2]), "")
    return next((known[words] for words in (frozenset(name.split("-")) for name in names) if words in known), None)
