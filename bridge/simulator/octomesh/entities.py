"""Entities as the published server shows them: any by its list of attributes, those of typed fields by field.

Attributes are the same by both ways but for enums, which are integer keys in the one and constants in the other.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, TypedDict, Unpack

from bridge.simulator.graphql import snake
from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.errors import INVALID, NOT_FOUND, asset
from bridge.simulator.octomesh.field_filter import meets, ordered
from bridge.simulator.octomesh.kits import KitType
from bridge.simulator.octomesh.plant import Association, Entity
from bridge.simulator.octomesh.visit import Visit

SYSTEM = ("rtId", "ckTypeId", "rtWellKnownName", "rtCreationDateTime", "rtChangedDateTime", "rtVersion")
PLATE = ("manufacturerName", "manufacturerProductDesignation", "manufacturerProductFamily", "serialNumber", "yearOfConstruction")


class Listed(TypedDict, total=False):
    """What lists of entities may be asked with."""

    after: str | None
    first: int | None
    field_filter: Sequence[Mapping[str, Any] | None] | None
    sort_order: Sequence[Mapping[str, Any] | None] | None
    rt_id: str | None
    rt_ids: Sequence[str] | None


class EntityAnswer:
    """What any entity shows."""

    def __init__(self, visit: Visit, entity: Entity) -> None:
        self._visit, self._entity = visit, entity
        self.rt_id, self.ck_type_id, self.rt_well_known_name = entity.rt_id, entity.type, entity.well_known_name
        self.rt_creation_date_time, self.rt_version = entity.created, entity.version
        self.rt_changed_date_time = entity.changed_at(visit.moment)

    def attributes(
        self,
        *,
        attribute_names: Sequence[str] | None = None,
        first: int | None = None,
        after: str | None = None,
        resolve_enum_values_to_names: bool | None = None,
    ) -> dict[str, Any]:
        values = kit_values(self._visit, self._entity)
        if resolve_enum_values_to_names and kit.STATE in values:
            values[kit.STATE] = kit.MACHINE_STATES[values[kit.STATE]]
        wanted = [(name, value) for name, value in values.items() if attribute_names is None or name in attribute_names]
        return self._visit.whole(wanted, first, after, lambda row: {"attributeName": row[0], "value": row[1]})

    def associations(self) -> "Associations":
        return Associations(self._visit, self._entity)


class Associations:
    def __init__(self, visit: Visit, entity: Entity) -> None:
        self._visit, self._entity = visit, entity

    def targets(self, ck_id: str, direction: str, role_id: str, **listed: Unpack[Listed]) -> dict[str, Any]:
        there = [each for each in self._related(direction, role_id) if kit.is_a(each.type, known_type(ck_id))]
        return shown(self._visit, there, EntityAnswer, **listed)

    def definitions(
        self,
        direction: str,
        first: int | None = None,
        after: str | None = None,
        role_id: str | None = None,
        related_rt_id: str | None = None,
        related_rt_ck_id: str | None = None,
    ) -> dict[str, Any]:
        del related_rt_ck_id  # an rtId says more
        ends = {"OUTBOUND": ("origin",), "INBOUND": ("target",)}.get(direction, ("origin", "target"))
        me = self._entity.rt_id
        found = [
            each
            for each in self._visit.plant.associations
            if me in [getattr(each, end) for end in ends]
            and (role_id in (None, each.role))
            and (related_rt_id is None or related_rt_id in (each.origin, each.target))
        ]
        return self._visit.paged(found, first, after, self._definition)

    def _definition(self, association: Association) -> dict[str, Any]:
        origin, target = (self._visit.plant.entities[each] for each in (association.origin, association.target))
        return {
            "ckAssociationRoleId": association.role,
            "originCkTypeId": origin.type,
            "originRtId": origin.rt_id,
            "targetCkTypeId": target.type,
            "targetRtId": target.rt_id,
        }

    def _related(self, direction: str, role: str) -> list[Entity]:
        out = self._visit.plant.targets(self._entity.rt_id, role) if direction != "INBOUND" else []
        back = self._visit.plant.origins(self._entity.rt_id, role) if direction != "OUTBOUND" else []
        return [*out, *back]


class TypedAnswer(EntityAnswer):
    """What an entity with a GraphQL type of its own shows."""

    def __init__(self, visit: Visit, entity: Entity) -> None:
        super().__init__(visit, entity)
        self.__typename = kit.TYPES[entity.type].graphql
        self._values = kit_values(visit, entity)

    def __getattr__(self, name: str) -> object:
        attribute = by_snake(self._entity.type)[name]
        return constant(attribute, self._values.get(attribute))

    def construction_kit_type(self) -> KitType:
        return KitType(self._visit, self._entity.type)

    def associations(self, **asked: Any) -> Any:
        return Associations(self._visit, self._entity).targets(**asked)

    def parent(self, ck_type_ids: Sequence[str], **listed: Unpack[Listed]) -> dict[str, Any]:
        return self._tree(self._visit.plant.targets, ck_type_ids, listed)

    def children(self, ck_type_ids: Sequence[str], **listed: Unpack[Listed]) -> dict[str, Any]:
        return self._tree(self._visit.plant.origins, ck_type_ids, listed)

    def _tree(self, near: Callable[[str, str], list[Entity]], ck_type_ids: Sequence[str], listed: Listed) -> dict[str, Any]:
        """Return those of the wanted types; one that has no GraphQL type cannot be shown here."""
        wanted = [known_type(each) for each in ck_type_ids]
        there = [each for each in near(self._entity.rt_id, kit.PARENT_CHILD) if any(kit.is_a(each.type, one) for one in wanted)]
        return shown(self._visit, [each for each in there if kit.TYPES[each.type].typed], TypedAnswer, **listed)


@lru_cache(maxsize=32)
def by_snake(type_id: str) -> Mapping[str, str]:
    """Return the attributes of a type by their names in snake case; any other name is an AttributeError, as of an object."""
    return _Names({snake(name): name for name in kit.attributes(type_id)})


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise AttributeError(name)


def constant(name: str, value: Any) -> Any:
    """Return an attribute's value as a typed field gives it."""
    if name == kit.STATE and isinstance(value, int):
        return kit.MACHINE_STATES[value].upper()
    return {each: value.get(each) for each in PLATE} if name == "namePlate" and value is not None else value


def kit_values(visit: Visit, entity: Entity) -> dict[str, Any]:
    """Return the values that the kit knows, in its order: what the other dialect calls its own is not among them."""
    values = visit.attributes(entity)
    return {name: values[name] for name in kit.attributes(entity.type) if name in values}


def value_at(visit: Visit, entity: Entity, path: str) -> Any:
    """Return what lies at a path; raises GraphQLError where the type has no such path."""
    name, *inner = path.split(".")
    if name in SYSTEM:
        answer = EntityAnswer(visit, entity)
        return getattr(answer, snake(name))
    if name not in kit.attributes(entity.type):
        raise asset(NOT_FOUND, "Validation failed", f"Attribute path '{path}' does not exist at type '{entity.type}'.")
    value = visit.attributes(entity).get(name)
    for each in inner:
        value = value.get(each) if isinstance(value, dict) else None
    return value


def shown(visit: Visit, entities: Sequence[Entity], answer: Callable[[Visit, Entity], object], **listed: Any) -> dict[str, Any]:
    """Return the page of those entities that were asked for."""
    rt_id, rt_ids = listed.get("rt_id"), listed.get("rt_ids")
    there = [each for each in entities if (rt_id in (None, each.rt_id)) and (rt_ids is None or each.rt_id in rt_ids)]
    found = [each for each in there if meets(listed.get("field_filter"), partial(value_at, visit, each))]
    in_order = ordered(found, listed.get("sort_order"), partial(value_at, visit))
    return visit.paged(in_order, listed.get("first"), listed.get("after"), partial(answer, visit))


def listed(
    type_id: str | None,
    visit: Visit,
    *,
    ck_id: str | None = None,
    options: Mapping[str, Any] | None = None,
    **asked: Unpack[Listed],
) -> dict[str, Any]:
    """Return the entities of a type, by its typed field or, where `type_id` is None, of the one that is asked for."""
    if type_id is None and ck_id is None:
        raise asset(INVALID, "Invalid argument", "ckId is missing.")
    archived = bool((options or {}).get("includeArchivedEntities"))
    there = visit.plant.of_type(type_id or known_type(ck_id or ""), archived=archived)
    return shown(visit, there, TypedAnswer if type_id else EntityAnswer, **asked)


def known_type(ck_id: str) -> str:
    """Return a type of the kit; raises GraphQLError for what is none."""
    if ck_id not in kit.TYPES:
        raise asset(NOT_FOUND, "Validation failed", f"Type '{ck_id}' does not exist.")
    return ck_id
