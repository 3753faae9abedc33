"""From entities and points to readings: pure but for what it remembers of the last poll.

Where no instant is told, a value bears the moment at which it was first seen, and keeps it for as long as it stays the same: an
unchanged value is no news.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from bridge.models.reading import Reading
from bridge.providers.octomesh.dialect import Point, Row
from bridge.providers.octomesh.raw import ODD, scalar
from bridge.topics import fold

LONGEST_TEXT = 256  # of a value; a longer one is no state

Shown = Decimal | bool | str
UnitOf = Callable[[str], str | None]  # by attribute


def title(row: Row) -> str:
    """Return what an entity is called: its well-known name, else its name, else its id."""
    name = row.attributes.get("name")
    return row.well_known_name or (name if isinstance(name, str) and name.strip() else row.rt_id)


def plain(attributes: Mapping[str, object]) -> Iterator[tuple[str, Shown]]:
    """Yield what can stand on a topic; what is unknown, or no plain value, is left out."""
    for name, value in attributes.items():
        try:
            shown = scalar(value)
        except ODD:
            continue
        if shown is not None and not (isinstance(shown, str) and len(shown) > LONGEST_TEXT):
            yield name, shown


def of_point(meter: str, point: Point, unit: UnitOf) -> list[Reading]:
    """Return the readings of one point of a stream."""
    return [_reading(meter, name, shown, point.at, unit) for name, shown in plain(point.values)]


class Standing:
    """Makes readings of entities, and remembers since when each value stands."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], tuple[Shown, datetime]] = {}

    def of_row(self, row: Row, attributes: Iterable[str], unit: UnitOf, moment: datetime) -> list[Reading]:
        """Return the readings of `attributes` of an entity that was seen at `moment`."""
        wanted = {name: row.attributes.get(name) for name in attributes}
        return [
            _reading(row.rt_id, name, shown, row.changed or self._stands(row.rt_id, name, shown, moment), unit)
            for name, shown in plain(wanted)
        ]

    def keep(self, meters: Iterable[str]) -> None:
        """Forget what is of no meter of these."""
        left = set(meters)
        self._since = {key: since for key, since in self._since.items() if key[0] in left}

    def _stands(self, meter: str, name: str, shown: Shown, moment: datetime) -> datetime:
        before = self._since.get((meter, name))
        is_same = before is not None and type(before[0]) is type(shown) and before[0] == shown and before[1] <= moment
        since = before[1] if before is not None and is_same else moment.replace(microsecond=0)
        self._since[meter, name] = (shown, since)
        return since


def _reading(meter: str, name: str, shown: Shown, at: datetime, unit: UnitOf) -> Reading:
    quantity = fold(name) or name.lower()
    if isinstance(shown, Decimal):
        return Reading(meter=meter, quantity=quantity, value=shown, unit=unit(name), at=at)
    return Reading(meter=meter, quantity=quantity, other=shown, at=at)
