"""The documented dialect: a root field for each type, one by id, one by name, one for each write.

An unknown rtId is the error ENTITY_NOT_FOUND; a location is what an entity is related to.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.conditions import about, is_only_span, matches, span_of
from bridge.simulator.octomesh.errors import documented as error
from bridge.simulator.octomesh.errors import not_found
from bridge.simulator.octomesh.plant import Association, Entity
from bridge.simulator.octomesh.streams import Point, Span, points
from bridge.simulator.octomesh.tree import MUTATION, QUERY, Leaf, Tree
from bridge.simulator.octomesh.visit import Visit

LOCATION = "location"
CAMEL: Mapping[str, str] = MappingProxyType({"serial_number": "serialNumber", "max_capacity": "maxCapacity"})
ENTITIES: Mapping[str, str] = MappingProxyType(
    {"rtIndustryEnergyEnergyMeter": kit.ENERGY_METER, "rtIndustryEnergyInverter": kit.INVERTER}
)
STREAMS: Mapping[str, str] = MappingProxyType(
    {"tsIndustryEnergyMeterReading": kit.ENERGY_METER, "tsIndustryEnergyInverterReading": kit.INVERTER}
)


class EntityAnswer:
    """An entity as this dialect shows it."""

    def __init__(self, visit: Visit, entity: Entity) -> None:
        self._visit, self._entity = visit, entity
        self.rt_id, self.ck_type_id, self.well_known_name = entity.rt_id, entity.type, entity.well_known_name

    def __getattr__(self, name: str) -> object:
        return self._visit.attributes(self._entity).get(CAMEL.get(name, name))

    def location(self) -> dict[str, Any]:
        return {"items": [_location(each) for each in self._visit.plant.targets(self.rt_id, kit.RELATED)]}

    def readings(self, first: int | None = None) -> dict[str, Any]:
        """Return the newest first; a value is the power, which is a guess."""
        newest = points([self._entity], Span(), self._visit.moment, newest_first=True)
        rows = self._visit.paged(newest, first, None, lambda point: point)["items"]
        return {"items": [{"timestamp": point.timestamp, "value": point.values().get("power")} for point in rows]}


def _location(entity: Entity) -> dict[str, Any]:
    return {"rtId": entity.rt_id, "name": entity.attributes.get("name"), "address": entity.attributes.get("address")}


def listed(
    type_id: str,
    visit: Visit,
    first: int | None = None,
    after: str | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the provider's argument
    order_by: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    found = [each for each in visit.plant.of_type(type_id) if matches(filter, partial(_value, visit, each))]
    if order := (order_by or {}).get("name"):
        found.sort(key=lambda each: str(each.attributes.get("name") or ""), reverse=order == "DESC")
    return visit.paged(found, first, after, partial(EntityAnswer, visit))


def _value(visit: Visit, entity: Entity, name: str) -> Any:
    return entity.rt_id if name == "rtId" else visit.attributes(entity).get(name)


def by_id(type_id: str, visit: Visit, rt_id: str) -> EntityAnswer:
    return EntityAnswer(visit, _known(visit, type_id, rt_id))


def by_name(type_id: str, visit: Visit, well_known_name: str) -> EntityAnswer:
    found = visit.plant.named(type_id, well_known_name)
    if found is None:
        raise not_found("wellKnownName", well_known_name)
    return EntityAnswer(visit, found)


def recorded(
    type_id: str,
    visit: Visit,
    first: int | None = None,
    after: str | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the provider's argument
    order_by: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    newest_first = (order_by or {}).get("timestamp") == "DESC"
    entities = [each for each in visit.plant.of_type(type_id) if matches(about("rtId", filter), {"rtId": each.rt_id}.get)]
    found: Sequence[Point] = points(entities, span_of(filter), visit.moment, newest_first=newest_first)
    if not is_only_span(filter):
        found = [each for each in found if matches(filter, {"rtId": each.entity.rt_id, "timestamp": each.timestamp}.get)]
    return visit.paged(found, first, after, partial(_point, visit))


def _point(visit: Visit, point: Point) -> dict[str, Any]:
    names = {"voltage": "voltage", "current": "ampere", "power": "power", "energy": "importedEnergy"}
    values = visit.without_missing(point.values())
    shown = {name: values.get(of) for name, of in names.items()}
    return {"rtId": point.entity.rt_id, "timestamp": point.timestamp, **shown}


def create(type_id: str, visit: Visit, entity: Mapping[str, Any]) -> EntityAnswer:
    made = visit.plant.create(type_id, entity.get("wellKnownName"), entity.get("attributes") or {}, visit.moment)
    return EntityAnswer(visit, made)


def update(type_id: str, visit: Visit, rt_id: str, entity: Mapping[str, Any]) -> EntityAnswer:
    old = _known(visit, type_id, rt_id)
    new = visit.plant.update(old, entity.get("attributes") or {}, visit.moment, entity.get("wellKnownName"))
    return EntityAnswer(visit, new)


def delete(type_id: str, visit: Visit, rt_id: str) -> bool:
    visit.plant.delete(_known(visit, type_id, rt_id), erase=False)
    return True


def add_association(type_id: str, visit: Visit, rt_id: str, association: str, target_rt_ids: Sequence[str]) -> EntityAnswer:
    """Relate an entity to others; all are looked at before the first is related."""
    origin = _known(visit, type_id, rt_id)
    if association != LOCATION:
        raise error("ASSOCIATION_ERROR", "Unknown association", association=association)
    for each in target_rt_ids:
        target = visit.plant.get(each)
        if target is None or target.type != kit.TREE_NODE:
            raise error("ASSOCIATION_ERROR", "Invalid association target", targetRtId=each)
    for each in target_rt_ids:
        visit.plant.associate(Association(origin.rt_id, kit.RELATED, each))
    return EntityAnswer(visit, origin)


def _known(visit: Visit, type_id: str, rt_id: str) -> Entity:
    found = visit.plant.get(rt_id)
    if found is None or found.type != type_id:
        raise not_found("rtId", rt_id)
    return found


READS: Tree = MappingProxyType(
    {
        **{name: partial(listed, type_id) for name, type_id in ENTITIES.items()},
        **{f"{name}ById": partial(by_id, type_id) for name, type_id in ENTITIES.items()},
        **{f"{name}ByWellKnownName": partial(by_name, type_id) for name, type_id in ENTITIES.items()},
    }
)
STREAM_READS: Tree = MappingProxyType({name: partial(recorded, type_id) for name, type_id in STREAMS.items()})
WAYS: Mapping[str, Leaf] = MappingProxyType(
    {"create": create, "update": update, "delete": delete, "addAssociation": add_association}
)
WRITES: Tree = MappingProxyType(
    {f"{verb}R{name[1:]}": partial(way, type_id) for verb, way in WAYS.items() for name, type_id in ENTITIES.items()}
)
TREE: Mapping[str, Tree] = MappingProxyType(
    {QUERY: {"runtime": READS, "streamData": STREAM_READS}, MUTATION: {"runtime": WRITES}}
)
