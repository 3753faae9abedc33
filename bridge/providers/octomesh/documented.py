"""The dialect of the published document: a field for each type, `rtIndustryEnergyEnergyMeter(filter: {…}, orderBy: {…})`.

A page's total stands in its `pageInfo`; an association cannot be taken away again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.errors import Malformed, Refused
from bridge.providers.octomesh import fits
from bridge.providers.octomesh.dialect import (
    Need,
    Order,
    Point,
    Points,
    Row,
    Rows,
    Search,
    Sounding,
    Stretch,
    Target,
)
from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME, Condition, Every, Filter, conjuncts, every
from bridge.providers.octomesh.naming import pascal
from bridge.providers.octomesh.questions import Question, connection, following
from bridge.providers.octomesh.raw import each, instant, perhaps
from bridge.providers.octomesh.shapes import INPUT, MUTATION, QUERY, Field, Shapes, Type, bare, mentioned, typed
from bridge.transport.graphql import Json

RUNTIME, STREAMS = "runtime", "streamData"
ALWAYS = (RT_ID, "ckTypeId", WELL_KNOWN_NAME, "rtChangedDateTime")  # where the type has them


class Documented:
    """See `bridge.providers.octomesh.dialect.Dialect`."""

    name = "documented"
    tells_units = False

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    async def prepare(self, types: Iterable[str], streams: Iterable[str]) -> None:
        root = await self._shapes.root(QUERY)
        parents = {place: root.fields[place].named for place in (RUNTIME, STREAMS) if place in root.fields}
        await self._shapes.explore(parents.values())
        wanted = {RUNTIME: [f"rt{pascal(type_)}" for type_ in types], STREAMS: [f"ts{pascal(type_)}" for type_ in streams]}
        fields = [
            self._shapes.known(named).fields[name]
            for place, named in parents.items()
            for name in wanted[place]
            if name in self._shapes.known(named).fields
        ]
        await self._shapes.explore({name for field in fields for name in mentioned(field)})

    def configured(self, type_: str, attributes: Sequence[str], *, stream: bool) -> Question:
        selection = f"items {{ rtId {' '.join(attributes)} }}"
        return Question((STREAMS if stream else RUNTIME,), f"{'ts' if stream else 'rt'}{pascal(type_)}", {}, selection)

    # queries

    async def search(self, need: Need) -> Search:
        field = await self._field(QUERY, RUNTIME, f"rt{pascal(need.type)}", need.type)
        item = self._item(field)
        fits.must_be_known(item, need.filter, need.order, {}, need.type)
        asked, rest = self._parted(field, need.filter)
        order = self._order(field, need.order, need.type)
        given = {"first": need.first, "after": need.after, "filter": asked, "orderBy": order}
        chosen = fits.chosen(item, need.attributes, need.type)
        besides = fits.besides(item, rest)
        selection = f"items {{ {_fields(item, [*chosen.names, *besides])} }} {self._page_info(field)}"
        return Search(Question((RUNTIME,), field.name, typed(field, given), selection), chosen.names, rest, chosen.lacking)

    async def one(self, type_: str, rt_id: str | None, well_known_name: str | None, wanted: tuple[str, ...] | None) -> Search:
        by, key = ("ById", RT_ID) if rt_id is not None else ("ByWellKnownName", WELL_KNOWN_NAME)
        field = await self._field(QUERY, RUNTIME, f"rt{pascal(type_)}{by}", type_)
        item = self._shapes.known(field.named)
        chosen = fits.chosen(item, wanted, type_)
        value = rt_id if rt_id is not None else well_known_name
        question = Question((RUNTIME,), field.name, typed(field, {key: value}), _fields(item, chosen.names))
        return Search(question, chosen.names, None, chosen.lacking, is_single=True)

    def rows(self, value: Any, search: Search) -> Rows:
        if not search.is_single:
            page = connection(value, "entities")
            info = page.get("pageInfo") or {}
            found, odd = each(page["items"], "entity", _row)
            return Rows(tuple(found), following(page, "entities"), info.get("totalCount"), odd)
        return Rows((_row(value),) if value is not None else (), None)

    async def points(self, stretch: Stretch) -> Sounding:
        field = await self._field(QUERY, STREAMS, f"ts{pascal(stretch.type)}", stretch.type)
        item = self._item(field)
        bounds = self._bounds(self._argument(field, "filter"), stretch)
        order = self._order(field, (Order("timestamp", descending=stretch.newest_first),), stretch.type)
        chosen = fits.chosen(item, stretch.attributes, stretch.type)
        given = {"first": stretch.first, "after": stretch.after, "filter": bounds, "orderBy": order}
        selection = f"items {{ timestamp {' '.join(chosen.names)} }} {self._page_info(field)}"
        return Sounding(Question((STREAMS,), field.name, typed(field, given), selection), chosen.names, chosen.lacking)

    def read_points(self, value: Any, sounding: Sounding) -> Points:
        if value is None:  # nothing is kept of it
            return Points((), None)
        page = connection(value, "points")
        found, _ = each(page["items"], "point", lambda item: _point(item, sounding.attributes))
        return Points(tuple(found), following(page, "points"))

    async def units(self, types: Sequence[str]) -> Question | None:  # noqa: ARG002 - the document has no construction kit
        return None

    def read_units(self, value: Any) -> Mapping[tuple[str, str], str]:  # noqa: ARG002 - likewise
        return {}

    # writes

    async def create(self, type_: str, well_known_name: str | None, attributes: Mapping[str, Any]) -> Question:
        field = await self._field(MUTATION, RUNTIME, f"createRt{pascal(type_)}", type_)
        entity = self._entity(field, attributes, type_)
        if well_known_name is not None:
            entity[WELL_KNOWN_NAME] = well_known_name
        return self._writing(field, {"entity": entity}, attributes)

    async def update(self, type_: str, rt_id: str, attributes: Mapping[str, Any]) -> Question:
        field = await self._field(MUTATION, RUNTIME, f"updateRt{pascal(type_)}", type_)
        return self._writing(field, {RT_ID: rt_id, "entity": self._entity(field, attributes, type_)}, attributes)

    async def delete(self, type_: str, rt_id: str) -> Question:
        field = await self._field(MUTATION, RUNTIME, f"deleteRt{pascal(type_)}", type_)
        return Question((RUNTIME,), field.name, typed(field, {RT_ID: rt_id}))

    async def associate(self, type_: str, rt_id: str, association: str, targets: Sequence[Target], *, remove: bool) -> Question:
        if remove:
            raise Refused("the documented dialect has no way to take an association away; the published server's has")
        field = await self._field(MUTATION, RUNTIME, f"addAssociationRt{pascal(type_)}", type_)
        ids = [target.rt_id for target in targets]
        return self._writing(field, {RT_ID: rt_id, "association": association, "targetRtIds": ids}, ())

    def confirmed(self, value: Any) -> Row:
        if not isinstance(value, dict) or not value.get(RT_ID):
            raise Malformed("the provider confirmed nothing")
        return _row(value)

    # from the schema

    async def _field(self, kind: str, place: str, name: str, type_: str) -> Field:
        """Return the field of a type, all types that it mentions being known then. Raises Refused where there is none."""
        found = fits.field(await self._shapes.at(kind, place), name, type_)
        await self._shapes.explore(mentioned(found))
        return found

    def _item(self, field: Field) -> Type:
        """Return the type of the items of a connection."""
        items = self._shapes.known(field.named).fields.get("items")
        if items is None:
            raise Refused(f"{field.name} of the tenant's schema has no items")
        return self._shapes.known(items.named)

    def _argument(self, field: Field, name: str) -> Type:
        if name not in field.arguments:
            raise Refused(f"{field.name} of the tenant's schema takes no {name}")
        return self._shapes.known(bare(field.arguments[name]))

    def _bounds(self, within: Type, stretch: Stretch) -> Json:
        """Return the filter of a stretch, half-open where the server can do that."""
        fits.field(within, RT_ID, f"the filter of {stretch.type}")
        bounds: Json = {RT_ID: {"eq": stretch.rt_id}}
        if stretch.start is not None or stretch.end is not None:
            words = self._shapes.known(fits.field(within, "timestamp", f"the filter of {stretch.type}").named).fields
            ends = {"gte": stretch.start, "lt" if "lt" in words else "lte": stretch.end}
            bounds["timestamp"] = {word: moment.isoformat() for word, moment in ends.items() if moment is not None}
        return bounds

    def _page_info(self, field: Field) -> str:
        info = self._shapes.known(field.named).fields.get("pageInfo")
        known = self._shapes.known(info.named).fields if info else {}
        wanted = " ".join(name for name in ("hasNextPage", "endCursor", "totalCount") if name in known)
        return f"pageInfo {{ {wanted} }}" if wanted else ""

    def _parted(self, field: Field, filter_: Filter) -> tuple[Json | None, Filter | None]:
        """Return the part of a filter that the server has words for, and the rest."""
        parts = conjuncts(filter_)
        if not parts:
            return None, None
        words = self._argument(field, "filter") if "filter" in field.arguments else Type("", INPUT, {})
        told = [self._told(part, words) for part in parts]
        able = [one for one in told if one is not None]
        if len(able) > 1 and "AND" not in words.fields:
            able, told = able[:1], [able[0] if one is able[0] else None for one in told]
        rest = [part for part, one in zip(parts, told, strict=True) if one is None]
        asked = able[0] if len(able) == 1 else {"AND": able}
        return (asked if able else None), (every(rest) if rest else None)

    def _told(self, part: Filter, words: Type) -> Json | None:
        """Return a filter as the server's input has it, or None where it has no words for all of it."""
        if isinstance(part, Condition):
            taken = words.fields.get(part.attribute)
            operators = self._shapes.known(taken.named).fields if taken is not None and taken.kind == INPUT else {}
            return {part.attribute: {part.operator: part.value}} if part.operator in operators else None
        inner = [self._told(one, words) for one in part.parts]
        key = "AND" if isinstance(part, Every) else "OR"
        return {key: inner} if key in words.fields and None not in inner else None

    def _order(self, field: Field, order: Sequence[Order], type_: str) -> Any:
        if not order:
            return None
        taken = self._argument(field, "orderBy")
        for one in order:
            fits.field(taken, one.attribute, f"the order of {type_}")
        sorted_by = [{one.attribute: self._direction(taken.fields[one.attribute], one)} for one in order]
        if field.arguments["orderBy"].startswith("["):
            return sorted_by
        if len(sorted_by) > 1:  # whether the fields of one input come in the order that they were written in is for nobody to say
            raise Refused(f"{type_} can be sorted by one attribute here")
        return sorted_by[0]

    def _direction(self, taken: Field, order: Order) -> str:
        words = self._shapes.known(taken.named).values
        start = "DESC" if order.descending else "ASC"
        return next((word for word in words if word.startswith(start)), start)

    def _entity(self, field: Field, attributes: Mapping[str, Any], type_: str) -> Json:
        entity = self._argument(field, "entity")
        taken = self._shapes.known(fits.field(entity, "attributes", type_).named)
        return {"attributes": fits.accepted(self._shapes, taken, attributes, type_)}

    def _writing(self, field: Field, given: Json, attributes: Iterable[str]) -> Question:
        item = self._shapes.known(field.named)
        shown = [name for name in attributes if name in item.fields and item.fields[name].is_scalar]
        return Question((RUNTIME,), field.name, typed(field, given), _fields(item, shown))


def _fields(item: Type, names: Iterable[str]) -> str:
    return " ".join(dict.fromkeys([*(name for name in ALWAYS if name in item.fields), *names]))


def _row(item: Json) -> Row:
    return Row(
        rt_id=str(item[RT_ID]),
        type=str(item.get("ckTypeId") or ""),
        well_known_name=item.get(WELL_KNOWN_NAME),
        changed=perhaps(item.get("rtChangedDateTime")),
        attributes={name: value for name, value in item.items() if name not in ALWAYS},
    )


def _point(item: Json, names: Iterable[str]) -> Point:
    return Point(instant(item["timestamp"]), {name: item.get(name) for name in names})
