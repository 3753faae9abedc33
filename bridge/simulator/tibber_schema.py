"""The part of the provider's schema that the simulator serves, under the provider's names.

A test compares it with the provider's own schema where that is at hand: nothing may differ, but much may be missing.
The schema definition must stay: without one, the customer's `Subscription` would be taken for GraphQL's.
"""

from bridge.simulator.tibber_energy_schema import ENERGY

ACCOUNT = """
schema {
  query: Query
  mutation: RootMutation
}

type Query {
  viewer: Viewer!
}

type Viewer {
  login: String
  userId: String
  name: String
  accountType: [String!]!
  homes: [Home]!
  home(id: ID!): Home!
  websocketSubscriptionUrl: String
}

type Home {
  id: ID!
  timeZone: String!
  appNickname: String
  appAvatar: HomeAvatar!
  size: Int
  type: HomeType!
  numberOfResidents: Int
  primaryHeatingSource: HeatingSource
  hasVentilationSystem: Boolean
  mainFuseSize: Int
  address: Address
  owner: LegalEntity
  meteringPointData: MeteringPointData
  currentSubscription: Subscription
  subscriptions: [Subscription]!
  consumption(
    resolution: EnergyResolution!
    first: Int
    last: Int
    before: String
    after: String
    filterEmptyNodes: Boolean = false
  ): HomeConsumptionConnection
  production(
    resolution: EnergyResolution!
    first: Int
    last: Int
    before: String
    after: String
    filterEmptyNodes: Boolean = false
  ): HomeProductionConnection
  features: HomeFeatures
}

enum HomeAvatar { APARTMENT ROWHOUSE FLOORHOUSE1 FLOORHOUSE2 FLOORHOUSE3 COTTAGE CASTLE }

enum HomeType { APARTMENT ROWHOUSE HOUSE COTTAGE }

enum HeatingSource {
  AIR2AIR_HEATPUMP AIR2WATER_HEATPUMP BOILER CENTRAL_HEATING DISTRICT DISTRICT_HEATING ELECTRIC_BOILER
  ELECTRICITY FLOOR GAS GROUND OIL OTHER WASTE
}

type HomeFeatures {
  realTimeConsumptionEnabled: Boolean
}

type Address {
  address1: String
  address2: String
  address3: String
  city: String
  postalCode: String
  country: String
  latitude: String
  longitude: String
}

type ContactInfo {
  email: String
  mobile: String
}

type LegalEntity {
  id: ID!
  firstName: String
  isCompany: Boolean
  name: String!
  middleName: String
  lastName: String
  organizationNo: String
  language: String
  contactInfo: ContactInfo
  address: Address
}

type MeteringPointData {
  consumptionEan: String
  gridCompany: String
  gridAreaCode: String
  priceAreaCode: String
  productionEan: String
  energyTaxType: String
  vatType: String
  estimatedAnnualConsumption: Int
}

type Subscription {
  id: ID!
  subscriber: LegalEntity!
  validFrom: String
  validTo: String
  status: String
  priceInfo(resolution: PriceInfoResolution = HOURLY): PriceInfo
  priceInfoRange(
    resolution: PriceInfoRangeResolution!
    first: Int
    last: Int
    before: String
    after: String
  ): SubscriptionPriceConnection
}

enum PriceInfoResolution { HOURLY QUARTER_HOURLY }

enum PriceInfoRangeResolution { DAILY HOURLY QUARTER_HOURLY }

type PriceInfo {
  current: Price
  today: [Price]!
  tomorrow: [Price]!
}

type Price {
  total: Float
  energy: Float
  tax: Float
  startsAt: String
  currency: String!
  level: PriceLevel
}

enum PriceLevel { VERY_CHEAP CHEAP NORMAL EXPENSIVE VERY_EXPENSIVE }

interface PageInfo {
  endCursor: String
  hasNextPage: Boolean
  hasPreviousPage: Boolean
  startCursor: String
}

type SubscriptionPriceConnection {
  pageInfo: SubscriptionPriceConnectionPageInfo!
  edges: [SubscriptionPriceEdge]!
  nodes: [Price]!
}

type SubscriptionPriceEdge {
  cursor: String!
  node: Price
}

type SubscriptionPriceConnectionPageInfo implements PageInfo {
  endCursor: String
  hasNextPage: Boolean
  hasPreviousPage: Boolean
  startCursor: String
  resolution: String!
  currency: String!
  count: Int!
  precision: String
  minEnergy: Float
  minTotal: Float
  maxEnergy: Float
  maxTotal: Float
}

type RootMutation {
  sendMeterReading(input: MeterReadingInput!): MeterReadingResponse! @deprecated(reason: "no longer available")
  updateHome(input: UpdateHomeInput!): Home!
  sendPushNotification(input: PushNotificationInput!): PushNotificationResponse!
}

input MeterReadingInput {
  homeId: ID!
  time: String
  reading: Int!
}

type MeterReadingResponse {
  homeId: ID! @deprecated(reason: "do not use anymore")
  time: String @deprecated(reason: "always returns `null`")
  reading: Int! @deprecated(reason: "always returns `0`")
}

input UpdateHomeInput {
  homeId: ID!
  appNickname: String
  appAvatar: HomeAvatar
  size: Int
  type: HomeType
  numberOfResidents: Int
  primaryHeatingSource: HeatingSource
  hasVentilationSystem: Boolean
  mainFuseSize: Int
}

input PushNotificationInput {
  title: String
  message: String!
  screenToOpen: AppScreen
}

enum AppScreen {
  HOME REPORTS CONSUMPTION COMPARISON DISAGGREGATION HOME_PROFILE CUSTOMER_PROFILE METER_READING NOTIFICATIONS INVOICES
}

type PushNotificationResponse {
  successful: Boolean!
  pushedToNumberOfDevices: Int!
}
"""

SDL = ACCOUNT + ENERGY
