"""Writes of the published server's dialect: a type's own mutation where it has one, else the generic one.

Its own takes words of enums and says what an attribute may be; the generic one takes whatever it is given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.errors import Malformed, Refused
from bridge.providers.octomesh import fits, wording
from bridge.providers.octomesh.dialect import Row, Target
from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME
from bridge.providers.octomesh.naming import camel, hint
from bridge.providers.octomesh.published import GENERIC, RUNTIME, Published
from bridge.providers.octomesh.questions import Question
from bridge.providers.octomesh.shapes import ENUM, INPUT, MUTATION, Field, Type, bare, mentioned, typed
from bridge.transport.graphql import Json


class Changes(Published):
    """See `bridge.providers.octomesh.dialect.Dialect`."""

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

    def confirmed(self, value: Any) -> Row:
        if not isinstance(value, list) or not value or not isinstance(value[0], dict) or not value[0].get(RT_ID):
            raise Malformed("the provider confirmed nothing")
        return wording.row(value[0], None)

    async def _writer(self, type_: str, verb: str) -> tuple[Field, Type | None]:
        """Return the mutation of a type's own with the input that it takes, or the generic one, which takes any."""
        place = await self._shapes.at(MUTATION, RUNTIME)
        own = place.fields.get(f"{camel(type_)}s")
        field = fits.field(await self._shapes.type(own.named if own else fits.field(place, GENERIC, type_).named), verb, type_)
        await self._shapes.explore(mentioned(field))
        if own is None:
            await self.item(RUNTIME, type_)
            return field, None
        taken = self._shapes.known(bare(field.arguments["entities"]))
        return field, self._shapes.known(taken.fields["item"].named) if "item" in taken.fields else taken

    async def _entity(self, taken: Type | None, type_: str, attributes: Mapping[str, Any]) -> Json:
        if taken is not None:
            for name in attributes:  # what is granted an update is not granted an association
                if name in taken.fields and self._is_role(taken.fields[name]):
                    raise Refused(f"{name} of {type_} is an association: use association_add or association_remove")
            return fits.accepted(self._shapes, taken, attributes, type_)
        item = await self.item(RUNTIME, type_)
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
        item = self._shapes.known(field.named).fields
        plain = " ".join(name for name in shown if is_own and name in item and item[name].is_scalar)
        return Question(place, field.name, typed(field, {"entities": entities}), f"{wording.ENTITY} {plain}".strip())
