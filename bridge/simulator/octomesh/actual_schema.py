"""The published server's schema, as far as it is served: what every tenant has, and the typed fields that follow from the kit.

A test compares it with the provider's own where that is at hand: nothing may differ, but much may be missing.
"""

from bridge.simulator.octomesh import kit
from bridge.simulator.octomesh.actual_common import COMMON
from bridge.simulator.octomesh.scalars import schema

LISTED = "after: String fieldFilter: [FieldFilter] first: Int sortOrder: [Sort]"
CHOSEN = f"{LISTED} rtId: OctoObjectId rtIds: [OctoObjectId]"
STREAMED = "after: String arg: StreamDataArguments first: Int rtId: OctoObjectId rtIds: [OctoObjectId] sortOrder: [Sort]"
NAVIGATED = [name for names in kit.ROLES.values() for name in names]
GRAPHQL = {kit.Kind.DOUBLE: "Decimal", kit.Kind.INTEGER: "Int", kit.Kind.STRING: "String"}


def _value(attribute: kit.Attribute) -> str:
    return attribute.record or GRAPHQL[attribute.kind]


def _input(attribute: kit.Attribute) -> str:
    """What a record's name ends with where it is written."""
    return "Input" if attribute.kind is kit.Kind.RECORD else ""


def _connection(name: str) -> str:
    return f"""
type {name}Connection {{ edges: [{name}Edge] items: [{name}] pageInfo: PageInfo totalCount: Int }}
type {name}Edge {{ cursor: String! node: {name} }}
"""


def _entity(type_: kit.Type) -> str:
    lines = "\n".join(f"  {each.name}: {_value(each)}{'!' * each.required}" for each in kit.attributes(type_.id).values())
    return f"""
type {type_.graphql} {{
  ckTypeId: RtCkTypeId!
  constructionKitType: CkType
  rtChangedDateTime: DateTime
  rtCreationDateTime: DateTime
  rtId: OctoObjectId!
  rtVersion: ULong
  rtWellKnownName: String
  associations(ckId: String! direction: GraphDirection! roleId: String! {LISTED}): RtEntityGenericDtoConnection
  children(ckTypeIds: [String!]! {CHOSEN}): BasicTreeNode_ChildrenUnionConnection
  parent(ckTypeIds: [String!]! {CHOSEN}): BasicTree_ParentUnionConnection
{lines}
}}
extend type RuntimeModelQuery {{
  {type_.field}(options: GlobalQueryOptions {CHOSEN}): {type_.graphql}Connection
}}
{_connection(type_.graphql)}"""


def _stream(type_: kit.Type) -> str:
    lines = "\n".join(f"  {each.name}(arg: AttributeArgument): {_value(each)}" for each in kit.streamed(type_.id))
    name = f"stream{type_.graphql}"
    return f"""
type {name} {{
  ckTypeId: RtCkTypeId!
  constructionKitType: CkType
  rtChangedDateTime(arg: AttributeArgument): DateTime
  rtCreationDateTime: DateTime
  rtId: OctoObjectId!
  rtWellKnownName: String
  timestamp: DateTime
{lines}
}}
extend type StreamDataModelQuery {{ {type_.field}({STREAMED}): {name}Connection }}
{_connection(name)}"""


def _writes(type_: kit.Type) -> str:
    values = [f"{each.name}: {_value(each)}{_input(each)}" for each in kit.attributes(type_.id).values()]
    lines = "\n".join(f"  {each}" for each in (*values, *(f"{name}: [RtAssociationInput]" for name in NAVIGATED)))
    name = type_.graphql
    return f"""
input {name}Input {{
  rtWellKnownName: String
{lines}
}}
input {name}InputUpdate {{ item: {name}Input! rtId: OctoObjectId }}
type {name}Mutations {{
  create(entities: [{name}Input]!): [{name}]
  update(entities: [{name}InputUpdate]!): [{name}]
}}
extend type Runtime {{ {type_.field}s: {name}Mutations }}
"""


TYPED = [each for each in kit.TYPES.values() if each.typed]
MEMBERS = " | ".join(each.graphql for each in TYPED)
UNIONS = "\n".join(
    f"union {name} = {MEMBERS}\n{_connection(name)}" for name in ("BasicTree_ParentUnion", "BasicTreeNode_ChildrenUnion")
)
SDL = "\n".join(
    (
        COMMON,
        UNIONS,
        *map(_entity, TYPED),
        *(_stream(each) for each in TYPED if kit.has_stream(each.id)),
        *(_writes(each) for each in TYPED if each.typed_writes),
    )
)
SCHEMA = schema(SDL, strict_ids=True)
