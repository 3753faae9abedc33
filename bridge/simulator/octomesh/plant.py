"""A tenant's entities and how they belong together; writes change them.

What was written to an attribute stands from then on; the others of a machine follow the time, see `values`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.values import shown

BUILT = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
MINUTE, QUARTER_HOUR = timedelta(minutes=1), timedelta(minutes=15)


@dataclass(frozen=True)
class Entity:
    """One thing of the tenant. `attributes` are those that were written, `step` is the time between two of its stream points."""

    rt_id: str
    type: str
    well_known_name: str | None
    attributes: Mapping[str, Any]
    created: datetime = BUILT
    changed: datetime = BUILT
    version: int = 1
    step: timedelta = QUARTER_HOUR
    archived: bool = False

    def at(self, moment: datetime) -> dict[str, Any]:
        """Return all attributes that have a value."""
        every = {**shown(self.rt_id, self.type, moment), **self.attributes}
        return {name: value for name, value in every.items() if value is not None}

    def changed_at(self, moment: datetime) -> datetime:
        """Return when it last changed: a machine did so at the last full minute, if nobody wrote to it since."""
        if not shown(self.rt_id, self.type, moment):
            return self.changed
        return max(self.changed, moment.replace(second=0, microsecond=0))


@dataclass(frozen=True)
class Association:
    """`origin` and `target` are rtIds; the parent of a child is its target."""

    origin: str
    role: str
    target: str


@dataclass
class Plant:
    """The books of a tenant; every change is made by one of its methods."""

    entities: dict[str, Entity] = field(default_factory=dict)
    associations: list[Association] = field(default_factory=list)
    _made: int = 0

    def of_type(self, type_id: str, *, archived: bool = False) -> list[Entity]:
        """Return the entities of a type and of those that extend it."""
        return [each for each in self._there(archived=archived) if kit.is_a(each.type, type_id)]

    def get(self, rt_id: str) -> Entity | None:
        found = self.entities.get(rt_id)
        return None if found is None or found.archived else found

    def named(self, type_id: str, well_known_name: str) -> Entity | None:
        return next((each for each in self.of_type(type_id) if each.well_known_name == well_known_name), None)

    def create(self, type_id: str, well_known_name: str | None, attributes: Mapping[str, Any], moment: datetime) -> Entity:
        self._made += 1
        new = Entity(rt_id("66f1", self._made), type_id, well_known_name, dict(attributes), moment, moment)
        self.entities[new.rt_id] = new
        return new

    def update(self, old: Entity, attributes: Mapping[str, Any], moment: datetime, well_known_name: str | None = None) -> Entity:
        """Change what is given and nothing else; an attribute that is None has no value any more."""
        new = replace(
            old,
            attributes={**old.attributes, **attributes},
            well_known_name=well_known_name or old.well_known_name,
            changed=moment,
            version=old.version + 1,
        )
        self.entities[old.rt_id] = new
        return new

    def delete(self, old: Entity, *, erase: bool) -> None:
        """Take an entity away with its associations; one that is not erased is kept among the archived."""
        self.associations = [each for each in self.associations if old.rt_id not in (each.origin, each.target)]
        if erase:
            del self.entities[old.rt_id]
        else:
            self.entities[old.rt_id] = replace(old, archived=True)

    def associate(self, association: Association) -> None:
        if association not in self.associations:
            self.associations.append(association)

    def dissociate(self, association: Association) -> bool:
        """Take an association away; False where there is none."""
        there = association in self.associations
        if there:
            self.associations.remove(association)
        return there

    def targets(self, origin: str, role: str) -> list[Entity]:
        return self._of(each.target for each in self.associations if (each.origin, each.role) == (origin, role))

    def origins(self, target: str, role: str) -> list[Entity]:
        return self._of(each.origin for each in self.associations if (each.target, each.role) == (target, role))

    def _of(self, rt_ids: Iterable[str]) -> list[Entity]:
        return [found for each in rt_ids if (found := self.get(each)) is not None]

    def _there(self, *, archived: bool) -> Iterator[Entity]:
        return (each for each in self.entities.values() if archived or not each.archived)


def rt_id(prefix: str, number: int) -> str:
    """Return the rtId, 24 hexadecimal digits, of the thing of that number; four of them are the prefix."""
    return f"{prefix}{number:020x}"


def plant(meters: int = 12, inverters: int = 3) -> Plant:
    """Return a plant of two halls, whose meters hang below the main meter and whose inverters share a storage."""
    made = Plant()
    for number in (1, 2):
        _put(
            made, "65a1", number, kit.TREE_NODE, f"hall-{number}", {"name": f"Hall {number}", "address": f"Werkstrasse {number}"}
        )
    for number in range(1, meters + 1):
        main = number == 1
        name, title = ("main-building-meter", "Main Building Meter") if main else (f"meter-{number:04}", f"Meter {number}")
        meter = _put(made, "65b1", number, kit.ENERGY_METER, name, _machine(title, number), MINUTE if main else QUARTER_HOUR)
        _belong(made, meter, parent=rt_id("65a1", 1) if main else rt_id("65b1", 1), hall=1 + number % 2)
    for number in range(1, inverters + 1):
        inverter = _put(made, "65c1", number, kit.INVERTER, f"inverter-{number}", _machine(f"Inverter {number}", 500 + number))
        _belong(made, inverter, parent=rt_id("65a1", 2), hall=2)
    others = (
        (kit.STORAGE, "battery", "Battery"),
        (kit.HEAT_METER, "heat", "Heat Meter"),
        (kit.WATER_METER, "water", "Water Meter"),
    )
    for number, (type_id, name, title) in enumerate(others, 1):
        machine = _put(made, "65d1", number, type_id, name, _machine(title, 700 + number))
        _belong(made, machine, parent=rt_id("65a1", 2), hall=2)
    return made


def _put(
    made: Plant, prefix: str, number: int, type_id: str, name: str, attributes: Mapping[str, Any], step: timedelta = QUARTER_HOUR
) -> Entity:
    new = Entity(rt_id(prefix, number), type_id, name, attributes, step=step)
    made.entities[new.rt_id] = new
    return new


def _machine(title: str, number: int) -> dict[str, Any]:
    serial, maker = f"EM-2024-{number:04}", ("Siemens", "ABB", "Janitza")[number % 3]
    plate = {
        "manufacturerName": maker,
        "manufacturerProductDesignation": "Model 7",
        "manufacturerProductFamily": "Series 7",
        "serialNumber": serial,
        "yearOfConstruction": "2024",
    }
    status = "Maintenance" if number % 5 == 0 else "Active"
    documented = {"serialNumber": serial, "manufacturer": maker, "status": status, "maxCapacity": float(50 + 10 * (number % 10))}
    return {"name": title, "namePlate": plate, **documented}


def _belong(made: Plant, entity: Entity, parent: str, hall: int) -> None:
    made.associate(Association(entity.rt_id, kit.PARENT_CHILD, parent))
    made.associate(Association(entity.rt_id, kit.RELATED, rt_id("65a1", hall)))
