"""The part of the published server's schema that is the same for every tenant, under the provider's names."""

CK_LISTED = (
    "after: String ckId: String ckIds: [String] ckModelIds: [String] fieldFilter: [FieldFilter] first: Int "
    "rtCkId: String rtCkIds: [String] sortOrder: [Sort]"
)
OF_STREAMS = "after: String ckId: String! fieldFilter: [FieldFilter] first: Int rtIds: [OctoObjectId]"
COLUMNS = "columnPaths: [StreamDataQueryColumnInput!]!"


def _connection(node: str, name: str, bang: str = "") -> str:
    return f"""
type {name}Connection {{ edges: [{name}Edge] items: [{node}{bang}] pageInfo: PageInfo! totalCount: Int }}
type {name}Edge {{ cursor: String! node: {node}{bang} }}
"""


ROOTS = f"""
schema {{ query: OctoQuery mutation: OctoMutation }}

scalar CkVersion
scalar DateTime
scalar Decimal
scalar OctoObjectId
scalar RtCkAssociationRoleId
scalar RtCkEnumId
scalar RtCkTypeId
scalar Seconds
scalar SimpleScalar
scalar ULong

type OctoQuery {{ constructionKit: ConstructionKitQuery runtime: RuntimeModelQuery streamData: StreamDataModelQuery }}
type OctoMutation {{ runtime: Runtime }}

type Runtime {{ runtimeEntities: RtEntityMutations }}

type RuntimeModelQuery {{
  runtimeEntities(
    after: String ckId: String fieldFilter: [FieldFilter] first: Int options: GlobalQueryOptions
    rtId: OctoObjectId rtIds: [OctoObjectId] sortOrder: [Sort]
  ): RtEntityGenericDtoConnection
}}

type StreamDataModelQuery {{
  streamDataEntities(
    {OF_STREAMS} arg: StreamDataArguments columnPaths: [String!]! sortOrder: [Sort]
  ): StreamDataEntityGenericDtoConnection
  transientStreamDataQuery: StreamDataTransient!
}}

type ConstructionKitQuery {{
  attributes({CK_LISTED}): CkAttributeDtoConnection
  enums({CK_LISTED}): CkEnumDtoConnection
  models(
    after: String ckId: String ckIds: [String] fieldFilter: [FieldFilter] first: Int sortOrder: [Sort]
  ): CkModelDtoConnection
  types({CK_LISTED}): CkTypeDtoConnection
}}

type PageInfo {{ endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }}
"""

ASKING = """
input FieldFilter {
  attributePath: String!
  comparisonValue: SimpleScalar
  operator: FieldFilterOperators!
  secondaryValue: SimpleScalar
}
enum FieldFilterOperators {
  ANY_EQ ANY_LIKE BETWEEN EQUALS GREATER_EQUAL_THAN GREATER_THAN IN IS_NOT_NULL IS_NULL LESS_EQUAL_THAN LESS_THAN LIKE
  MATCH_REG_EX NOT_EQUALS NOT_IN
}
input Sort { attributePath: String! sortOrder: SortOrders }
enum SortOrders { ASCENDING DEFAULT DESCENDING }
enum SortOrder { ASCENDING DESCENDING }
input GlobalQueryOptions { includeArchivedEntities: Boolean }
enum GraphDirection { ANY INBOUND OUTBOUND }
"""

ENTITIES = f"""
type RtEntity {{
  associations: RtEntityGenericAssociation
  attributes(
    after: String attributeNames: [String] first: Int resolveEnumValuesToNames: Boolean
  ): RtEntityAttributeDtoConnection
  ckTypeId: RtCkTypeId!
  rtChangedDateTime: DateTime
  rtCreationDateTime: DateTime
  rtId: OctoObjectId!
  rtVersion: ULong
  rtWellKnownName: String
}}
{_connection("RtEntity", "RtEntityGenericDto")}
type RtEntityAttribute {{ attributeName: String value: SimpleScalar }}
{_connection("RtEntityAttribute", "RtEntityAttributeDto")}
type RtEntityGenericAssociation {{
  definitions(
    after: String direction: GraphDirection! first: Int relatedRtCkId: RtCkTypeId relatedRtId: OctoObjectId roleId: String
  ): RtAssociationDtoConnection
  targets(
    after: String ckId: String! direction: GraphDirection! fieldFilter: [FieldFilter] first: Int roleId: String!
    sortOrder: [Sort]
  ): RtEntityGenericDtoConnection
}}
type RtAssociation {{
  ckAssociationRoleId: RtCkAssociationRoleId!
  originCkTypeId: RtCkTypeId!
  originRtId: OctoObjectId!
  targetCkTypeId: RtCkTypeId!
  targetRtId: OctoObjectId!
}}
{_connection("RtAssociation", "RtAssociationDto")}
type IndustryEnergyPhaseInfo {{ ampere: Decimal! frequency: Decimal power: Decimal! voltage: Decimal }}
type BasicNamePlate {{
  manufacturerName: String!
  manufacturerProductDesignation: String!
  manufacturerProductFamily: String!
  serialNumber: String
  yearOfConstruction: String!
}}
enum IndustryBasicMachineState {{ ERROR IDLE OFF ON UNKNOWN }}
"""

WRITES = """
type RtEntityMutations {
  create(entities: [RtEntityInput]!): [RtEntity]
  delete(entities: [RtEntityId]! options: DeleteStrategies = ARCHIVE): Boolean
  update(entities: [RtEntityUpdate]!): [RtEntity]
}
enum DeleteStrategies { ARCHIVE ERASE }
enum AssociationModOptions { CREATE DELETE }
input RtEntityInput {
  associations: [RtEntityAssociationInput]
  attributes: [RtEntityAttributeInput]!
  ckTypeId: RtCkTypeId!
  rtWellKnownName: String
}
input RtEntityUpdate { item: RtEntityInput rtId: OctoObjectId }
input RtEntityAttributeInput { attributeName: String value: SimpleScalar }
input RtEntityAssociationInput { roleName: String! targets: [RtAssociationInput]! }
input RtAssociationInput { modOption: AssociationModOptions target: RtEntityId! }
input RtEntityId { ckTypeId: RtCkTypeId! rtId: OctoObjectId! }
input IndustryEnergyPhaseInfoInput { ampere: Decimal frequency: Decimal power: Decimal voltage: Decimal }
input BasicNamePlateInput {
  manufacturerName: String
  manufacturerProductDesignation: String
  manufacturerProductFamily: String
  serialNumber: String
  yearOfConstruction: String
}
"""

STREAMS = f"""
input StreamDataArguments {{ from: DateTime interval: Seconds limit: Int queryMode: QueryMode! to: DateTime }}
enum QueryMode {{ DEFAULT DOWNSAMPLING INTERPOLATION }}
enum AggregationType {{ AVG COUNT MAX MIN SUM }}
enum AggregationTypes {{ AVERAGE COUNT MAXIMUM MINIMUM NONE SUM }}
input AttributeArgument {{ aggregationType: AggregationType sortOrder: SortOrder sortPriority: Int }}
input StreamDataQueryColumnInput {{ aggregationType: AggregationType! attributePath: String! }}

type StreamDataEntityGeneric {{
  cells(after: String first: Int): RtQueryCellDtoConnection
  ckTypeId: RtCkTypeId
  rtChangedDateTime: DateTime
  rtCreationDateTime: DateTime
  rtId: OctoObjectId
  rtWellKnownName: String
  timestamp: DateTime
}}
{_connection("StreamDataEntityGeneric", "StreamDataEntityGenericDto", "!")}
type StreamDataTransient {{
  aggregation({OF_STREAMS} arg: StreamDataArguments {COLUMNS}): StreamDataTransientQueryDtoConnection
  downsampling({OF_STREAMS} {COLUMNS} from: DateTime! limit: Int! to: DateTime!): StreamDataTransientQueryDtoConnection
  simple(
    {OF_STREAMS} arg: StreamDataArguments columnPaths: [String!]! sortOrder: [Sort]
  ): StreamDataTransientQueryDtoConnection
}}
type StreamDataTransientQuery {{
  columns: [RtQueryColumn!]!
  queryCkTypeId: RtCkTypeId!
  rows(after: String arg: StreamDataArguments first: Int sortOrder: [Sort]): StreamDataQueryRowDtoConnection
}}
{_connection("StreamDataTransientQuery", "StreamDataTransientQueryDto", "!")}
type StreamDataQueryRow {{
  cells(after: String first: Int): RtQueryCellDtoConnection
  ckTypeId: RtCkTypeId
  rtChangedDateTime: DateTime
  rtCreationDateTime: DateTime
  rtId: OctoObjectId
  rtWellKnownName: String
  timestamp: DateTime
}}
{_connection("StreamDataQueryRow", "StreamDataQueryRowDto", "!")}
type RtQueryCell {{ attributePath: String! value: SimpleScalar }}
{_connection("RtQueryCell", "RtQueryCellDto", "!")}
type RtQueryColumn {{ aggregationType: AggregationTypes attributePath: String attributeValueType: AttributeValueType }}
"""

KIT = f"""
enum AttributeValueType {{
  BINARY BINARY_LINKED BOOLEAN DATE_TIME DATE_TIME_OFFSET DOUBLE ENUM GEOSPATIAL_POINT INT INTEGER INTEGER_64 INTEGER_ARRAY
  INT_64 INT_ARRAY RECORD RECORD_ARRAY STRING STRING_ARRAY TIME_SPAN
}}
enum ModelState {{ AVAILABLE IMPORTING RESOLVE_FAILED }}

type CkModelId {{ fullName: String! name: String! semanticVersionedFullName: String! version: CkVersion! }}
type CkModel {{ dependencies: [CkModelId!]! description: String id: CkModelId! modelState: ModelState }}
{_connection("CkModel", "CkModelDto")}
type CkTypeId {{ fullName: String! semanticVersionedFullName: String! }}
type CkType {{
  attributes(
    after: String attributeNameContains: String attributeNames: [String] first: Int
  ): CkTypeAttributeDtoConnection
  baseType: CkType
  ckTypeId: CkTypeId!
  description: String
  isAbstract: Boolean!
  isFinal: Boolean!
  rtCkTypeId: RtCkTypeId!
}}
{_connection("CkType", "CkTypeDto")}
type CkTypeAttribute {{
  attribute: CkAttribute
  attributeName: String!
  attributeValueType: AttributeValueType!
  ckAttributeId: CkAttributeId!
  isOptional: Boolean!
}}
{_connection("CkTypeAttribute", "CkTypeAttributeDto")}
type CkAttributeId {{ fullName: String! semanticVersionedFullName: String! }}
type CkAttribute {{
  attributeValueType: AttributeValueType!
  ckAttributeId: CkAttributeId!
  ckEnum: CkEnum
  description: String
  isDataStream: Boolean
  metaData: [CkAttributeMetaData]
}}
{_connection("CkAttribute", "CkAttributeDto")}
type CkAttributeMetaData {{ description: String key: ID! value: String }}
type CkEnumId {{ fullName: String! semanticVersionedFullName: String! }}
type CkEnum {{
  ckEnumId: CkEnumId!
  description: String
  isExtensible: Boolean!
  rtCkEnumId: RtCkEnumId!
  useFlags: Boolean!
  values: [CkEnumValue]!
}}
{_connection("CkEnum", "CkEnumDto")}
type CkEnumValue {{ description: String isExtension: Boolean key: Int name: String }}
"""

COMMON = ROOTS + ASKING + ENTITIES + WRITES + STREAMS + KIT
