"""The dialect of the published server: `runtimeEntities(ckId: …)` reads any type, and each type has mutations of its own.

Conditions can be joined by AND alone, and stream data belongs to the entity's own type. Writes are in `changes.py`.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bridge.errors import Refused
from bridge.providers.octomesh import fits, wording
from bridge.providers.octomesh.changes import Changes
from bridge.providers.octomesh.dialect import Need, Order, Points, Rows, Search, Sounding, Stretch
from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME, Condition, Filter, conjuncts, every
from bridge.providers.octomesh.naming import camel
from bridge.providers.octomesh.published import GENERIC, KIT, RUNTIME, STREAMS
from bridge.providers.octomesh.questions import Question, connection, following
from bridge.providers.octomesh.raw import each
from bridge.providers.octomesh.shapes import ENUM, QUERY, Field, Type, bare, mentioned, typed
from bridge.transport.graphql import Json

POINTS, TYPES = "streamDataEntities", "types"
GENERICS = {RUNTIME: GENERIC, STREAMS: POINTS, KIT: TYPES}  # the field of each place that takes any type
MOST_ATTRIBUTES = 500  # of one type


class Parted(NamedTuple):
    """A filter taken apart."""

    ids: list[str] | None  # of the only entities that are meant
    told: list[Json]  # conditions for the server, all of which must hold
    rest: Filter | None  # what is left to be judged here


class Actual(Changes):
    """See `bridge.providers.octomesh.dialect.Dialect`."""

    name = "actual"
    tells_units = True

    async def prepare(self, types: Iterable[str], streams: Iterable[str]) -> None:
        root = await self._shapes.root(QUERY)
        parents = {place: root.fields[place].named for place in (RUNTIME, STREAMS, KIT) if place in root.fields}
        await self._shapes.explore(parents.values())
        own = [camel(type_) for type_ in types]
        wanted = {RUNTIME: own, STREAMS: [*map(camel, streams), *own], KIT: ()}
        names: set[str] = set()
        for place, named in parents.items():
            fields = self._shapes.known(named).fields
            names |= {fields[name].named for name in wanted[place] if name in fields}
            generic = fields.get(GENERICS[place])
            names |= mentioned(generic, "fieldFilter", "sortOrder") if generic else set()
        await self._shapes.explore(names)

    def configured(self, type_: str, attributes: Sequence[str], *, stream: bool) -> Question:
        selection = f"items {{ rtId {' '.join(attributes)} }}"
        return Question((STREAMS if stream else RUNTIME,), camel(type_), {}, selection)

    # queries

    async def search(self, need: Need) -> Search:
        item = await self.item(RUNTIME, need.type)
        fits.must_be_known(item, need.filter, need.order, wording.OWN_NAMES, need.type)
        words = self._words(item)
        wanted = wording.worded(need.filter, words)
        field = await self._generic()
        ids, told, rest = self._parted(field, wanted, words)
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
        return replace(self._searching(field, given, chosen, besides, rest), words=words, numbers=fits.numbers(item))

    async def one(self, type_: str, rt_id: str | None, well_known_name: str | None, wanted: tuple[str, ...] | None) -> Search:
        item = await self.item(RUNTIME, type_)
        words, chosen = self._words(item), fits.chosen(item, wanted, type_)
        field = await self._generic()
        by_name = [wording.compared(wording.OWN_NAMES[WELL_KNOWN_NAME], "EQUALS", well_known_name)] if rt_id is None else None
        given = {"ckId": type_, "first": 1, "rtId": rt_id, "fieldFilter": by_name}
        is_it = Condition(WELL_KNOWN_NAME, "eq", well_known_name) if rt_id is None else Condition(RT_ID, "eq", rt_id)
        return replace(self._searching(field, given, chosen, [], is_it), words=words, numbers=fits.numbers(item))

    def rows(self, value: Any, search: Search) -> Rows:
        page = connection(value, "entities")
        found, odd = each(page["items"], "entity", lambda item: wording.row(item, search))
        return Rows(tuple(found), following(page, "entities"), page.get("totalCount"), odd)

    async def points(self, stretch: Stretch) -> Sounding:
        place = await self._shapes.at(QUERY, STREAMS)
        if POINTS not in place.fields:
            raise Refused("this server has no streamDataEntities: it reads stream data by archives, which is not supported yet")
        where = await self._where_columns_stand(place)
        type_ = await self._streaming(where, stretch)
        item = await self.item(where, type_)
        chosen = fits.chosen(item, stretch.attributes, type_)
        between = {"from": stretch.start, "to": stretch.end}
        ends = {name: moment.isoformat() for name, moment in between.items() if moment is not None}
        field = place.fields[POINTS]
        given = {
            "ckId": type_,
            "columnPaths": list(chosen.names),
            "rtIds": [stretch.rt_id],
            "first": stretch.first,
            "after": stretch.after,
            "arg": {"queryMode": "DEFAULT", **ends} if ends else None,
            "sortOrder": [wording.sorted_by(Order("timestamp", descending=stretch.newest_first))],
        }
        await self._shapes.explore([field.named])
        inner = {"most": typed(self.within(field, "cells"), {"first": max(1, len(chosen.names))})["first"]}
        selection = "items { timestamp cells(first: $most) { items { attributePath value } } } pageInfo { hasNextPage endCursor }"
        question = Question((STREAMS,), field.name, typed(field, given), selection, inner)
        note = None if type_ == stretch.type else f"there is no stream {stretch.type} here: that of {type_} itself is read"
        return Sounding(question, chosen.names, chosen.lacking, fits.numbers(item), note)

    def read_points(self, value: Any, sounding: Sounding) -> Points:
        if value is None:  # nothing is kept of it
            return Points((), None)
        page = connection(value, "points")
        found, _ = each(page["items"], "point", lambda item: wording.point(item, sounding.attributes, sounding.numbers))
        return Points(tuple(found), following(page, "points"))

    async def units(self, types: Sequence[str]) -> Question | None:
        if KIT not in (await self._shapes.root(QUERY)).fields:
            return None
        field = (await self._shapes.at(QUERY, KIT)).fields.get(TYPES)
        if field is None or "rtCkIds" not in field.arguments:
            return None
        unit = "attribute { metaData { key value } }"
        selection = f"items {{ rtCkTypeId attributes(first: $most) {{ items {{ attributeName {unit} }} }} }}"
        given = {"rtCkIds": list(types), "first": len(types)}
        await self._shapes.explore([field.named])
        inner = {"most": typed(self.within(field, "attributes"), {"first": MOST_ATTRIBUTES})["first"]}
        return Question((KIT,), field.name, typed(field, given), selection, inner)

    def read_units(self, value: Any) -> Mapping[tuple[str, str], str]:
        return wording.units(value)

    # from the schema

    async def _generic(self) -> Field:
        field = fits.field(await self._shapes.at(QUERY, RUNTIME), GENERIC, "entities")
        await self._shapes.explore(mentioned(field, "fieldFilter", "sortOrder"))
        return field

    async def _where_columns_stand(self, streams: Type) -> str:
        """Return where a stream's columns are told: a server since May 2026 has no stream type, so they are the entity's."""
        entities = await self._shapes.at(QUERY, RUNTIME)
        return STREAMS if streams.fields.keys() & entities.fields.keys() else RUNTIME

    async def _streaming(self, where: str, stretch: Stretch) -> str:
        """Return the type that a stream goes by: the entity's own, where the one that is named is the document's alone."""
        known = (await self._shapes.at(QUERY, where)).fields
        names = [type_ for type_ in (stretch.type, stretch.of) if type_ is not None and camel(type_) in known]
        return names[0] if names else stretch.type

    def _words(self, item: Type) -> dict[str, Mapping[str, str]]:
        """Return the words of each attribute that is an enum, by small letters."""
        enums = {name: field.named for name, field in item.fields.items() if field.kind == ENUM}
        return {name: {word.casefold(): word for word in self._shapes.known(named).values} for name, named in enums.items()}

    def _parted(self, field: Field, filter_: Filter, words: Container[str]) -> Parted:
        """Return a filter as the server can judge it, and the rest."""
        ids: list[str] | None = None
        told: list[Json] = []
        rest: list[Filter] = []
        known = self._operators(field)
        for part in conjuncts(filter_):
            if not isinstance(part, Condition) or part.attribute in words:  # OR; an enum, which is kept as a number
                rest.append(part)
            elif part.attribute == RT_ID and part.operator in ("eq", "in") and ids is None:
                ids = [str(one) for one in (part.value if part.operator == "in" else [part.value])]
            elif part.attribute != RT_ID and wording.OPERATORS[part.operator] in known:
                told.append(wording.told(part))
            else:
                rest.append(part)
        return Parted(ids, told, every(rest) if rest else None)

    def _operators(self, field: Field) -> tuple[str, ...]:
        if "fieldFilter" not in field.arguments:
            return ()
        entry = self._shapes.known(bare(field.arguments["fieldFilter"]))
        return self._shapes.known(entry.fields["operator"].named).values if "operator" in entry.fields else ()

    def _searching(
        self, field: Field, given: Mapping[str, Any], chosen: fits.Chosen, besides: Iterable[str], rest: Filter | None
    ) -> Search:
        names = [name for name in dict.fromkeys([*chosen.names, *besides]) if name not in (RT_ID, WELL_KNOWN_NAME)]
        listing = typed(self.within(field, "attributes"), {"attributeNames": names, "first": max(1, len(names))})
        inner = {"names": listing["attributeNames"], "most": listing["first"]}
        chosen_ones = "attributeNames: $names, first: $most, resolveEnumValuesToNames: true"
        listed = f"attributes({chosen_ones}) {{ items {{ attributeName value }} }}"
        selection = f"totalCount pageInfo {{ hasNextPage endCursor }} items {{ {wording.ENTITY} {listed if names else ''} }}"
        question = Question((RUNTIME,), field.name, typed(field, given), selection, inner if names else {})
        return Search(question, chosen.names, rest, chosen.lacking)
