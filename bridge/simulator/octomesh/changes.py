"""Writes to entities at the published server: everything is looked at before the first change is made.

What is wrong is told in `OctoDetails`; an association cannot be deleted while its entity is created.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.entities import EntityAnswer, TypedAnswer, known_type
from bridge.simulator.octomesh.errors import DELETE_IN_CREATE, NOT_FOUND, asset
from bridge.simulator.octomesh.plant import Association, Entity
from bridge.simulator.octomesh.values import shown
from bridge.simulator.octomesh.visit import Visit

NAME = "rtWellKnownName"
NOBODY = "0" * 24
KINDS: Mapping[kit.Kind, type | tuple[type, ...]] = {
    kit.Kind.DOUBLE: (int, float),
    kit.Kind.INTEGER: int,
    kit.Kind.STRING: str,
    kit.Kind.ENUM: int,
    kit.Kind.RECORD: dict,
}
NAVIGATED = {name: (role, place == 0) for role, names in kit.ROLES.items() for place, name in enumerate(names)}


@dataclass(frozen=True)
class Link:
    """An association to be made or, where it is `gone`, taken away; `out` when the changed entity is its origin."""

    role: str
    out: bool
    other: str
    gone: bool

    def of(self, rt_id: str) -> Association:
        origin, target = (rt_id, self.other) if self.out else (self.other, rt_id)
        return Association(origin, self.role, target)


@dataclass(frozen=True)
class Change:
    """A checked change of an entity, or of nothing to a new one."""

    type: str
    well_known_name: str | None
    attributes: Mapping[str, Any]
    links: Sequence[Link]
    old: Entity | None = None

    def made(self, visit: Visit) -> Entity:
        plant = visit.plant
        if self.old is None:
            new = plant.create(self.type, self.well_known_name, self.attributes, visit.moment)
        else:
            new = plant.update(self.old, self.attributes, visit.moment, self.well_known_name)
        for link in self.links:
            (plant.dissociate if link.gone else plant.associate)(link.of(new.rt_id))
        return new


def create(visit: Visit, entities: Sequence[Mapping[str, Any]]) -> list[EntityAnswer]:
    changes = [_change(visit, *_generic(each), None) for each in entities]
    return [EntityAnswer(visit, each.made(visit)) for each in changes]


def update(visit: Visit, entities: Sequence[Mapping[str, Any]]) -> list[EntityAnswer]:
    given = [(each["rtId"], _generic(each["item"])) for each in entities]
    changes = [_change(visit, *item, _known(visit, rt_id, item[0])) for rt_id, item in given]
    return [EntityAnswer(visit, each.made(visit)) for each in changes]


def delete(visit: Visit, entities: Sequence[Mapping[str, Any]], options: str = "ARCHIVE") -> bool:
    for old in [_known(visit, each["rtId"], each["ckTypeId"]) for each in entities]:
        visit.plant.delete(old, erase=options == "ERASE")
    return True


def create_typed(type_id: str, visit: Visit, entities: Sequence[Mapping[str, Any]]) -> list[EntityAnswer]:
    changes = [_change(visit, type_id, *_typed(each), None) for each in entities]
    return [TypedAnswer(visit, each.made(visit)) for each in changes]


def update_typed(type_id: str, visit: Visit, entities: Sequence[Mapping[str, Any]]) -> list[EntityAnswer]:
    changes = [_change(visit, type_id, *_typed(each["item"]), _known(visit, each["rtId"], type_id)) for each in entities]
    return [TypedAnswer(visit, each.made(visit)) for each in changes]


Associated = Sequence[tuple[str, Mapping[str, Any]]]  # the role or navigation property, and an RtAssociationInput


def _generic(item: Mapping[str, Any]) -> tuple[str, str | None, dict[str, Any], Associated]:
    values = {each["attributeName"]: each.get("value") for each in item["attributes"]}
    associated = [(each["roleName"], target) for each in item.get("associations") or () for target in each["targets"]]
    return known_type(item["ckTypeId"]), item.get(NAME), values, associated


def _typed(item: Mapping[str, Any]) -> tuple[str | None, dict[str, Any], Associated]:
    values = {name: value for name, value in item.items() if name not in NAVIGATED and name != NAME}
    if isinstance(values.get(kit.STATE), str):
        values[kit.STATE] = values[kit.STATE].capitalize()
    return item.get(NAME), values, [(name, target) for name in NAVIGATED for target in item.get(name) or ()]


def _change(
    visit: Visit, type_id: str, name: str | None, values: Mapping[str, Any], associated: Associated, old: Entity | None
) -> Change:
    """Return a change that can be made; raises GraphQLError for one that cannot. What is measured need not be told."""
    links = [_link(visit, role, each, old) for role, each in associated]
    checked = {each: _value(type_id, each, value) for each, value in values.items()}
    measured = shown(NOBODY, type_id, visit.moment)
    unsaid = {} if old is not None else {each: None for each in kit.attributes(type_id) if each not in measured}
    lacking = [each for each, value in {**unsaid, **checked}.items() if value is None and kit.attributes(type_id)[each].required]
    if lacking:
        raise asset(
            NOT_FOUND, "Validation failed", *(f"Attribute '{each}' is mandatory at type '{type_id}'." for each in lacking)
        )
    return Change(type_id, name, checked, links, old)


def _value(type_id: str, name: str, value: Any) -> Any:
    attribute = kit.attributes(type_id).get(name)
    if attribute is None:
        raise asset(NOT_FOUND, "Validation failed", f"Attribute '{name}' does not exist at type '{type_id}'.")
    if attribute.kind is kit.Kind.ENUM and isinstance(value, str):
        value = next((key for key, each in enumerate(kit.MACHINE_STATES) if each.casefold() == value.casefold()), value)
    out_of_range = attribute.kind is kit.Kind.ENUM and isinstance(value, int) and value not in range(len(kit.MACHINE_STATES))
    if value is not None and (not isinstance(value, KINDS[attribute.kind]) or isinstance(value, bool) or out_of_range):
        raise asset(NOT_FOUND, "Validation failed", f"The value of '{name}' is not of type {attribute.kind}.")
    return value


def _link(visit: Visit, role: str, given: Mapping[str, Any], old: Entity | None) -> Link:
    known, out = (role, True) if role in kit.ROLES else NAVIGATED.get(role, (None, True))
    if known is None:
        raise asset(NOT_FOUND, "Validation failed", f"Association role '{role}' does not exist.")
    gone = given.get("modOption") == "DELETE"
    if gone and old is None:
        raise asset(DELETE_IN_CREATE, "An association cannot be deleted while its entity is created.")
    other = _known(visit, given["target"]["rtId"], given["target"]["ckTypeId"])
    link = Link(known, out, other.rt_id, gone)
    if gone and old is not None and link.of(old.rt_id) not in visit.plant.associations:
        raise asset(NOT_FOUND, "Validation failed", f"There is no association '{role}' to '{other.rt_id}'.")
    return link


def _known(visit: Visit, rt_id: str, type_id: str) -> Entity:
    found = visit.plant.get(rt_id)
    if found is None or not kit.is_a(found.type, known_type(type_id)):
        raise asset(NOT_FOUND, "Not found", f"Entity '{rt_id}' of type '{type_id}' does not exist.")
    return found
