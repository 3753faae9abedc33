"""The dialect of the published server: `runtimeEntities(ckId: …)` reads any type, and each type has mutations of its own.

Conditions can be joined by AND alone, an association is a part of an update, and stream data belongs to the entity's own type.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.errors import Malformed, Refused
from bridge.providers.octomesh import fits, wording
from bridge.providers.octomesh.dialect import Need, Order, Points, Row, Rows, Search, Sounding, Stretch, Target
from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME, Condition, Filter, conjuncts, every
from bridge.providers.octomesh.naming import camel, hint
from bridge.providers.octomesh.questions import Argument, Question, connection, following
from bridge.providers.octomesh.raw import each
from bridge.providers.octomesh.shapes import ENUM, INPUT, MUTATION, QUERY, Field, Shapes, Type, bare, mentioned, typed
from bridge.transport.graphql import Json

RUNTIME, STREAMS, KIT, GENERIC = "runtime", "streamData", "constructionKit", "runtimeEntities"
MOST_ATTRIBUTES = 500  # of one type


class Actual:
    """See `bridge.providers.octomesh.dialect.Dialect`."""

    name = "actual"
    tells_units = True

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes

    async def prepare(self, types: Iterable[str], streams: Iterable[str]) -> None:
        root = await self._shapes.root(QUERY)
        parents = {place: root.fields[place].named for place in (RUNTIME, STREAMS, KIT) if place in root.fields}
        await self._shapes.explore(parents.values())
        wanted = {RUNTIME: map(camel, types), STREAMS: map(camel, streams), KIT: ()}
        names: set[str] = set()
        for place, named in parents.items():
            fields = self._shapes.known(named).fields
            names |= {fields[name].named for name in wanted[place] if name in fields}
            if place == RUNTIME and GENERIC in fields:
                names |= mentioned(fields[GENERIC], "fieldFilter", "sortOrder")
        await self._shapes.explore(names)

    def configured(self, type_: str, attributes: Sequence[str], *, stream: bool) -> Question:
        selection = f"items {{ rtId {' '.join(attributes)} }}"
        return Question((STREAMS if stream else RUNTIME,), camel(type_), {}, selection)

    # queries

    async def search(self, need: Need) -> Search:
        item = await self._item(RUNTIME, need.type)
        fits.must_be_known(item, need.filter, need.order, wording.OWN_NAMES, need.type)
        words = self._words(item)
        wanted = wording.worded(need.filter, words)
        field = await self._generic()
        ids, told, rest = await self._parted(field, wanted, words)
        chosen = fits.chosen(item, need.attributes, need.type)
        given = {
            "ckId": need.type,
            "first": need.first,
            "after": need.after,
            "rtIds": ids,
            "fieldFilter": told or None,
            "sortOrder": [wording.sorted_by(one) for one in need.order] or None,
        }
        besides = fits.besides(item, rest)
        return self._searching(field, given, chosen, besides, rest, words)

    async def one(self, type_: str, rt_id: str | None, well_known_name: str | None, wanted: tuple[str, ...] | None) -> Search:
        item = await self._item(RUNTIME, type_)
        field, chosen = await self._generic(), fits.chosen(item, wanted, type_)
        by_name = [wording.compared(wording.OWN_NAMES[WELL_KNOWN_NAME], "EQUALS", well_known_name)] if rt_id is None else None
        given = {"ckId": type_, "first": 1, "rtId": rt_id, "fieldFilter": by_name}
        is_it = Condition(WELL_KNOWN_NAME, "eq", well_known_name) if rt_id is None else Condition(RT_ID, "eq", rt_id)
        return self._searching(field, given, chosen, [], is_it, self._words(item))

    def rows(self, value: Any, search: Search) -> Rows:
        page = connection(value, "entities")
        found = each(filter(None, page["items"]), "entity", lambda item: wording.row(item, search))
        return Rows(tuple(found), following(page, "entities"), page.get("totalCount"))

    async def points(self, stretch: Stretch) -> Sounding:
        item = await self._item(STREAMS, stretch.type)
        place = await self._shapes.at(QUERY, STREAMS)
        if "streamDataEntities" not in place.fields:
            raise Refused("this server has no streamDataEntities: it reads stream data by archives, which is not supported yet")
        chosen = fits.chosen(item, stretch.attributes, stretch.type)
        between = {"from": stretch.start, "to": stretch.end}
        ends = {name: moment.isoformat() for name, moment in between.items() if moment is not None}
        field = place.fields["streamDataEntities"]
        given = {
            "ckId": stretch.type,
            "columnPaths": list(chosen.names),
            "rtIds": [stretch.rt_id],
            "first": stretch.first,
            "after": stretch.after,
            "arg": {"queryMode": "DEFAULT", **ends} if ends else None,
            "sortOrder": [wording.sorted_by(Order("timestamp", descending=stretch.newest_first))],
        }
        inner = {"most": Argument("Int", max(1, len(chosen.names)))}
        selection = "items { timestamp cells(first: $most) { items { attributePath value } } } pageInfo { hasNextPage endCursor }"
        return Sounding(Question((STREAMS,), field.name, typed(field, given), selection, inner), chosen.names, chosen.lacking)

    def read_points(self, value: Any, sounding: Sounding) -> Points:
        page = connection(value, "points")
        read = each(filter(None, page["items"]), "point", lambda item: wording.point(item, sounding.attributes))
        return Points(tuple(read), following(page, "points"))

    async def units(self, types: Sequence[str]) -> Question | None:
        if KIT not in (await self._shapes.root(QUERY)).fields:
            return None
        field = (await self._shapes.at(QUERY, KIT)).fields.get("types")
        if field is None or "rtCkIds" not in field.arguments:
            return None
        unit = "attribute { metaData { key value } }"
        selection = f"items {{ rtCkTypeId attributes(first: $most) {{ items {{ attributeName {unit} }} }} }}"
        given = {"rtCkIds": list(types), "first": len(types)}
        return Question((KIT,), field.name, typed(field, given), selection, {"most": Argument("Int", MOST_ATTRIBUTES)})

    def read_units(self, value: Any) -> Mapping[tuple[str, str], str]:
        return wording.units(value)

    # writes

    async def create(self, type_: str, well_known_name: str | None, attributes: Mapping[str, Any]) -> Question:
        field, taken = await self._writer(type_, "create")
        entity = await self._entity(taken, type_, attributes)
        if well_known_name is not None:
            entity[wording.OWN_NAMES[WELL_KNOWN_NAME]] = well_known_name
        return self._writing(type_, field, [entity], attributes, is_own=taken is not None)

    async def update(self, type_: str, rt_id: str, attributes: Mapping[str, Any]) -> Question:
        field, taken = await self._writer(type_, "update")
        entity = await self._entity(taken, type_, attributes)
        return self._writing(type_, field, [{RT_ID: rt_id, "item": entity}], attributes, is_own=taken is not None)

    async def delete(self, type_: str, rt_id: str) -> Question:
        place = await self._shapes.at(MUTATION, RUNTIME, GENERIC)
        field = fits.field(place, "delete", GENERIC)
        given = {"entities": [{RT_ID: rt_id, "ckTypeId": type_}], "options": "ARCHIVE"}
        return Question((RUNTIME, GENERIC), field.name, typed(field, given))

    async def associate(self, type_: str, rt_id: str, association: str, targets: Sequence[Target], *, remove: bool) -> Question:
        if untyped := [target.rt_id for target in targets if target.type is None]:
            raise Refused(f'this server wants the type of a target too: {{"rt_id": "{untyped[0]}", "type": "…"}}')
        option = "DELETE" if remove else "CREATE"
        changes = [{"modOption": option, "target": {RT_ID: target.rt_id, "ckTypeId": target.type}} for target in targets]
        field, taken = await self._writer(type_, "update")
        if taken is None:
            item: Json = {"ckTypeId": type_, "attributes": [], "associations": [{"roleName": association, "targets": changes}]}
        else:
            roles = [name for name, found in taken.fields.items() if self._is_role(found)]
            if association not in roles:
                raise Refused(f"{type_} has no association {association}{hint(association, roles)}")
            item = {association: changes}
        return self._writing(type_, field, [{RT_ID: rt_id, "item": item}], (), is_own=taken is not None)

    def confirmed(self, value: Any, type_: str) -> Row:
        if not isinstance(value, list) or not value or not isinstance(value[0], dict) or not value[0].get(RT_ID):
            raise Malformed("the provider confirmed nothing")
        return wording.row({"ckTypeId": type_, **value[0]}, None)

    # from the schema

    async def _generic(self) -> Field:
        field = fits.field(await self._shapes.at(QUERY, RUNTIME), GENERIC, "entities")
        await self._shapes.explore(mentioned(field, "fieldFilter", "sortOrder"))
        return field

    async def _item(self, place: str, type_: str) -> Type:
        """Return the type of the items of a type's own field, which tells its attributes. Raises Refused where there is none."""
        found = fits.field(await self._shapes.at(QUERY, place), camel(type_), type_)
        await self._shapes.explore([found.named])
        items = fits.field(self._shapes.known(found.named), "items", type_)
        item = self._shapes.known(items.named)
        await self._shapes.explore(field.named for field in item.fields.values() if field.kind == ENUM)
        return item

    def _words(self, item: Type) -> dict[str, Mapping[str, str]]:
        """Return the words of each attribute that is an enum, by small letters."""
        enums = {name: field.named for name, field in item.fields.items() if field.kind == ENUM}
        return {name: {word.casefold(): word for word in self._shapes.known(named).values} for name, named in enums.items()}

    async def _parted(
        self, field: Field, filter_: Filter, words: Mapping[str, Any]
    ) -> tuple[list[str] | None, list[Json], Filter | None]:
        """Return the ids, the conditions that the server can judge, and the rest of a filter."""
        ids: list[str] | None = None
        told: list[Json] = []
        rest: list[Filter] = []
        known = self._operators(field)
        for part in conjuncts(filter_):
            by_id = isinstance(part, Condition) and part.attribute == RT_ID and part.operator in ("eq", "in")
            if isinstance(part, Condition) and by_id and ids is None:
                ids = [str(one) for one in (part.value if part.operator == "in" else [part.value])]
            elif (
                isinstance(part, Condition)
                and part.attribute not in (RT_ID, *words)
                and wording.OPERATORS[part.operator] in known
            ):
                told.append(wording.told(part))
            else:  # OR; an enum, which is kept as a number that no schema tells
                rest.append(part)
        return ids, told, every(rest) if rest else None

    def _operators(self, field: Field) -> tuple[str, ...]:
        if "fieldFilter" not in field.arguments:
            return ()
        entry = self._shapes.known(bare(field.arguments["fieldFilter"]))
        return self._shapes.known(entry.fields["operator"].named).values if "operator" in entry.fields else ()

    def _searching(
        self,
        field: Field,
        given: Mapping[str, Any],
        chosen: fits.Chosen,
        besides: Iterable[str],
        rest: Filter | None,
        words: Mapping[str, Mapping[str, str]],
    ) -> Search:
        names = [name for name in dict.fromkeys([*chosen.names, *besides]) if name not in (RT_ID, WELL_KNOWN_NAME)]
        inner = {"names": Argument("[String]", names), "most": Argument("Int", max(1, len(names)))}
        chosen_ones = "attributeNames: $names, first: $most, resolveEnumValuesToNames: true"
        listed = f"attributes({chosen_ones}) {{ items {{ attributeName value }} }}"
        selection = f"totalCount pageInfo {{ hasNextPage endCursor }} items {{ {wording.ENTITY} {listed if names else ''} }}"
        question = Question((RUNTIME,), field.name, typed(field, given), selection, inner if names else {})
        return Search(question, chosen.names, rest, chosen.lacking, words)

    async def _writer(self, type_: str, verb: str) -> tuple[Field, Type | None]:
        """Return the mutation of a type's own with the input that it takes, or the generic one, which takes any."""
        place = await self._shapes.at(MUTATION, RUNTIME)
        own = place.fields.get(f"{camel(type_)}s")
        field = fits.field(await self._shapes.type(own.named if own else fits.field(place, GENERIC, type_).named), verb, type_)
        await self._shapes.explore(mentioned(field))
        if own is None:
            await self._item(RUNTIME, type_)
            return field, None
        taken = self._shapes.known(bare(field.arguments["entities"]))
        return field, self._shapes.known(taken.fields["item"].named) if "item" in taken.fields else taken

    async def _entity(self, taken: Type | None, type_: str, attributes: Mapping[str, Any]) -> Json:
        if taken is not None:
            return fits.accepted(self._shapes, taken, attributes, type_)
        item = await self._item(RUNTIME, type_)
        for name, value in attributes.items():
            fits.field(item, name, type_)
            if item.fields[name].kind == ENUM and not isinstance(value, int):  # a server before July 2026 keeps the word as it is
                raise Refused(f"{name} of {type_} must be the whole number of its word: this type has no mutation of its own")
        listed = [{"attributeName": name, "value": value} for name, value in attributes.items()]
        return {"ckTypeId": type_, "attributes": listed}

    def _is_role(self, field: Field) -> bool:
        return field.kind == INPUT and "modOption" in self._shapes.known(field.named).fields

    def _writing(self, type_: str, field: Field, entities: list[Json], shown: Iterable[str], *, is_own: bool) -> Question:
        place = (RUNTIME, f"{camel(type_)}s" if is_own else GENERIC)
        plain = " ".join(name for name in shown if name in self._shapes.known(field.named).fields) if is_own else ""
        return Question(place, field.name, typed(field, {"entities": entities}), f"{wording.ENTITY} {plain}".strip())
