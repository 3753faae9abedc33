"""The schema that the provider's document shows, for meters and, in the same shape, for inverters.

Nullability, the answer of a deletion and some operators are inferred: nobody has seen a server that speaks it.
"""

from bridge.simulator.octomesh.scalars import schema

COMMON = """
schema { query: Query mutation: Mutation }

scalar OctoObjectId
scalar DateTime

enum SortOrder { ASC DESC }

input StringFilter { eq: String neq: String contains: String startsWith: String endsWith: String in: [String!] }
input FloatFilter { eq: Float neq: Float gt: Float gte: Float lt: Float lte: Float in: [Float!] }
input IdFilter { eq: OctoObjectId neq: OctoObjectId in: [OctoObjectId!] }
input DateTimeFilter { eq: DateTime neq: DateTime gt: DateTime gte: DateTime lt: DateTime lte: DateTime }

type PageInfo { hasNextPage: Boolean! endCursor: String totalCount: Int }

type Location { rtId: OctoObjectId! name: String address: String }
type LocationConnection { items: [Location] }
type Reading { timestamp: DateTime value: Float }
type ReadingConnection { items: [Reading] }

type Query { runtime: RuntimeQuery streamData: StreamQuery }
type Mutation { runtime: RuntimeMutation }
"""

ENTITY = """
enum {entity}Status { Active Maintenance Inactive }

type {entity} {
  rtId: OctoObjectId!
  ckTypeId: String
  wellKnownName: String
  name: String
  serialNumber: String
  manufacturer: String
  status: {entity}Status
  maxCapacity: Float
  location: LocationConnection
  readings(first: Int): ReadingConnection
}

type {entity}Connection { items: [{entity}] pageInfo: PageInfo }

input {entity}Filter {
  AND: [{entity}Filter!]
  OR: [{entity}Filter!]
  rtId: IdFilter
  name: StringFilter
  serialNumber: StringFilter
  manufacturer: StringFilter
  status: StringFilter
  maxCapacity: FloatFilter
}

input {entity}Order { name: SortOrder }
input {entity}Attributes { name: String serialNumber: String manufacturer: String status: {entity}Status }
input {entity}Entity { wellKnownName: String attributes: {entity}Attributes }

extend type RuntimeQuery {
  rt{type}(first: Int, after: String, filter: {entity}Filter, orderBy: {entity}Order): {entity}Connection
  rt{type}ById(rtId: OctoObjectId!): {entity}
  rt{type}ByWellKnownName(wellKnownName: String!): {entity}
}

extend type RuntimeMutation {
  createRt{type}(entity: {entity}Entity!): {entity}
  updateRt{type}(rtId: OctoObjectId!, entity: {entity}Entity!): {entity}
  deleteRt{type}(rtId: OctoObjectId!): Boolean
  addAssociationRt{type}(rtId: OctoObjectId!, association: String!, targetRtIds: [OctoObjectId!]!): {entity}
}
"""

STREAM = """
type {point} { rtId: OctoObjectId! timestamp: DateTime! voltage: Float current: Float power: Float energy: Float }
type {point}Connection { items: [{point}] pageInfo: PageInfo }

input {point}Filter { rtId: IdFilter timestamp: DateTimeFilter AND: [{point}Filter!] OR: [{point}Filter!] }
input {point}Order { timestamp: SortOrder }

extend type StreamQuery {
  tsIndustryEnergy{point}(first: Int, after: String, filter: {point}Filter, orderBy: {point}Order): {point}Connection
}
"""

ENTITIES = ("EnergyMeter", "Inverter")
POINTS = ("MeterReading", "InverterReading")
ROOTS = "type RuntimeQuery\ntype RuntimeMutation\ntype StreamQuery\n"
SDL = "\n".join(
    (
        COMMON,
        ROOTS,
        *(ENTITY.replace("{entity}", each).replace("{type}", f"IndustryEnergy{each}") for each in ENTITIES),
        *(STREAM.replace("{point}", each) for each in POINTS),
    )
)
SCHEMA = schema(SDL, strict_ids=False)
