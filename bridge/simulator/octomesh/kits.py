"""The construction kit as the published server tells it: models, types with their attributes, and units in `metaData`.

The forms of versioned names are inferred; that of `rtCkTypeId` is not.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.field_filter import meets, ordered
from bridge.simulator.octomesh.visit import Visit

VERSION = "2.0.0"
MODELS = ("System", "Basic", "Industry.Basic", "Industry.Energy", "Industry.Fluid")
STATES = "Industry.Basic/MachineState"


def _named(id_: str) -> dict[str, str]:
    model, _, name = id_.partition("/")
    return {"fullName": f"{model}-{VERSION}/{name}-1", "semanticVersionedFullName": f"{model}-2/{name}"}


class KitType:
    """One type."""

    def __init__(self, visit: Visit, type_id: str) -> None:
        self._visit, self._type = visit, kit.TYPES[type_id]
        self.rt_ck_type_id, self.ck_type_id = type_id, _named(type_id)
        self.is_abstract, self.is_final, self.description = self._type.abstract, False, None

    def base_type(self) -> "KitType | None":
        return KitType(self._visit, self._type.base) if self._type.base else None

    def attributes(
        self,
        first: int | None = None,
        after: str | None = None,
        attribute_names: Sequence[str] | None = None,
        attribute_name_contains: str | None = None,
    ) -> dict[str, Any]:
        found = [
            each
            for each in kit.attributes(self._type.id).values()
            if (attribute_names is None or each.name in attribute_names)
            and (attribute_name_contains or "").casefold() in each.name.casefold()
        ]
        return self._visit.whole(found, first, after, _of_type)


def _of_type(attribute: kit.Attribute) -> dict[str, Any]:
    return {
        "attribute": _attribute(attribute),
        "attributeName": attribute.name,
        "attributeValueType": attribute.kind,
        "ckAttributeId": _named(attribute.id),
        "isOptional": not attribute.required,
    }


def _attribute(attribute: kit.Attribute) -> dict[str, Any]:
    unit = [{"key": "Unit", "value": attribute.unit, "description": None}] if attribute.unit else []
    return {
        "attributeValueType": attribute.kind,
        "ckAttributeId": _named(attribute.id),
        "ckEnum": _enum() if attribute.kind is kit.Kind.ENUM else None,
        "description": None,
        "isDataStream": attribute.streamed,
        "metaData": unit,
    }


def _enum() -> dict[str, Any]:
    values = [
        {"key": key, "name": name, "description": None, "isExtension": False} for key, name in enumerate(kit.MACHINE_STATES)
    ]
    named = {"ckEnumId": _named(STATES), "rtCkEnumId": STATES}
    return {**named, "description": None, "isExtensible": False, "useFlags": False, "values": values}


def _model(name: str) -> dict[str, Any]:
    id_ = {"fullName": f"{name}-{VERSION}", "name": name, "semanticVersionedFullName": f"{name}-2", "version": VERSION}
    return {"dependencies": [], "description": None, "id": id_, "modelState": "AVAILABLE"}


def types(visit: Visit, **asked: Any) -> dict[str, Any]:
    return _page(visit, [*kit.TYPES], partial(KitType, visit), asked)


def attributes(visit: Visit, **asked: Any) -> dict[str, Any]:
    every = {each.id: each for type_ in kit.TYPES.values() for each in type_.own}
    return _page(visit, [*every], lambda id_: _attribute(every[id_]), asked)


def enums(visit: Visit, **asked: Any) -> dict[str, Any]:
    return _page(visit, [STATES], lambda _: _enum(), asked)


def models(visit: Visit, **asked: Any) -> dict[str, Any]:
    return _page(visit, MODELS, _model, asked)


def _page(visit: Visit, ids: Sequence[str], show: Callable[[str], object], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of those that were asked for; filters and orders see nothing but their ids."""
    found = [each for each in ids if _is_asked_for(each, asked) and meets(asked.get("field_filter"), partial(_id, each))]
    in_order = ordered(found, asked.get("sort_order"), _id)
    return visit.paged(in_order, asked.get("first"), asked.get("after"), show)


def _id(id_: str, path: str) -> str:
    del path
    return id_


def _is_asked_for(id_: str, asked: Mapping[str, Any]) -> bool:
    """Tell whether an id, with or without a version, is among what each argument names."""
    names, models = _names(id_), _names(id_.partition("/")[0])
    single = [{asked[key]} for key in ("ck_id", "rt_ck_id") if asked.get(key) is not None]
    several = [set(asked[key]) for key in ("ck_ids", "rt_ck_ids") if asked.get(key) is not None]
    of_models = asked.get("ck_model_ids")
    return all(names & wanted for wanted in (*single, *several)) and (of_models is None or bool(models & set(of_models)))


def _names(id_: str) -> set[str]:
    return {id_, f"{id_}-{VERSION}", f"{id_}-2", *(_named(id_).values() if "/" in id_ else ())}
