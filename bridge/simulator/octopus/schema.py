"""The part of Kraken's schema that the simulator serves, under the provider's names: the roots, customers and money.

A test compares it with what is known of the provider's schema where that is at hand: nothing may differ, much may be missing.
"""

from graphql import build_schema

from bridge.simulator.octopus.flex_schema import FLEX
from bridge.simulator.octopus.supply_schema import COUNTS, CURSORS, SUPPLY

SPAN = f"accountNumber: String!, mpxn: String!, startAt: DateTime!, endAt: DateTime!, {CURSORS}"

ROOTS = f"""
schema {{ query: Query mutation: Mutation }}

scalar Date
scalar DateTime
scalar Decimal
scalar GenericScalar
scalar Time

type Query {{
  viewer: AccountUserType
  account(accountNumber: String!): AccountType
  properties(accountNumber: String!, active: Boolean): [PropertyType]
  property(id: ID!): PropertyType
  node(id: ID!): Node
  applicableRates({SPAN}): ApplicableRateConnectionTypeConnection
  applicableStandingCharges({SPAN}): ApplicableRateConnectionTypeConnection
  smartMeterTelemetry(
    deviceId: String!, start: DateTime, end: DateTime, grouping: TelemetryGrouping
  ): [SmartMeterTelemetryType]
  devices(accountNumber: String!, propertyId: ID, deviceId: String, integrationDeviceId: String): [SmartFlexDeviceInterface!]
  flexPlannedDispatches(deviceId: String!): [SmartFlexDispatch]
  completedDispatches(accountNumber: String!): [UpsideDispatchType]
  plannedDispatches(accountNumber: String!): [UpsideDispatchType] @deprecated(reason: "Use flexPlannedDispatches.")
  registeredKrakenflexDevice(accountNumber: String!): KrakenFlexDeviceType @deprecated(reason: "Use devices.")
  loyaltyPointLedgers(input: LoyaltyPointLedgersInput): [LoyaltyPointLedgerEntryType]
  octoplusAccountInfo(accountNumber: String!): OctoplusAccountInfoType
  customerFlexibilityCampaignEvents(
    accountNumber: String!, supplyPointIdentifier: String!, campaignSlug: String!, {CURSORS}
  ): CustomerFlexibilityCampaignEventConnection
  rateLimitInfo: CombinedRateLimitInformation
}}

type Mutation {{
  obtainKrakenToken(input: ObtainJSONWebTokenInput!): ObtainKrakenJSONWebToken
  updateBoostCharge(input: UpdateBoostChargeInput): SmartFlexDeviceInterface
  updateDeviceSmartControl(input: SmartControlInput!): SmartFlexDeviceInterface
  setDevicePreferences(input: SmartFlexDevicePreferencesInput!): SmartFlexDeviceInterface
  createElectricityMeterReading(
    mpan: String, readAt: Date, readings: [ReadingInputType], serialNumber: String
  ): CreateMeterReadingOutputType
  createGasMeterReading(mprn: String, readAt: Date, reading: Int, serialNumber: String): CreateMeterReadingOutputType
  regenerateSecretKey: RegenerateSecretKey
}}

interface Node {{ id: ID! }}

type PageInfo {{ hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }}

input ObtainJSONWebTokenInput {{
  APIKey: String
  organizationSecretKey: String
  preSignedKey: String
  refreshToken: String
  captchaResponse: String
  email: String @deprecated(reason: "Not shown any more, and still taken.")
  password: String @deprecated(reason: "Not shown any more, and still taken.")
}}

type ObtainKrakenJSONWebToken {{
  token: String!
  payload: GenericScalar!
  refreshToken: String
  refreshExpiresIn: Int
  possibleErrors: [PossibleErrorType]
}}

type PossibleErrorType {{ message: String code: String type: String description: String }}

type RegenerateSecretKey {{ viewer: AccountUserType }}

input ReadingInputType {{ registerId: ID reading: Int }}

type CreateMeterReadingOutputType {{
  readingErrors: [SerializerFieldErrorsType]
  id: String @deprecated(reason: "There is no id.")
}}

type SerializerFieldErrorsType {{ field: String errors: [ErrorTypeUnion!] }}
type SerializerErrorType {{ message: String code: String }}
union ErrorTypeUnion = SerializerErrorType | SerializerFieldErrorsType

type CombinedRateLimitInformation {{ pointsAllowanceRateLimit: PointsAllowanceRateLimitInformation }}
type PointsAllowanceRateLimitInformation {{
  limit: Int remainingPoints: Int usedPoints: Int ttl: Int isBlocked: Boolean
}}
"""

TRANSACTION = """
  id: ID
  postedDate: Date
  createdAt: DateTime
  accountNumber: String
  amount: Int @deprecated(reason: "Use amounts.")
  amounts: TransactionAmountType
  balanceCarriedForward: Int
  isCredit: Boolean @deprecated(reason: "The type of the transaction tells it.")
  isAccountCharge: Boolean @deprecated(reason: "The type of the transaction tells it.")
  isAccountPayment: Boolean @deprecated(reason: "The type of the transaction tells it.")
  isHeld: Boolean
  isIssued: Boolean
  title: String
  billingDocumentIdentifier: ID
  statementId: ID @deprecated(reason: "Use billingDocumentIdentifier.")
  isReversed: Boolean!
  hasStatement: Boolean
  note: String
"""

ACCOUNT = f"""
  number: String
  status: AccountStatus
  brand: String
  urn: String
  accountType: AccountTypeChoices
  billingName: String
  createdAt: DateTime
  balance(includeAllLedgers: Boolean = false): Int!
  overdueBalance: Int
  billingOptions: BillingOptionsType
  campaigns: [AccountCampaignType]
  ledgers(ledgerId: ID, ledgerNumber: String): [LedgerType]
  transactions(
    transactionTypes: [TransactionTypeFilter] = []
    transactionTypesExcluded: [TransactionTypeFilter] = []
    ledgerId: Int
    includeAllLedgers: Boolean
    fromDate: Date
    toDate: Date
    orderBy: TransactionsOrderBy = POSTED_DATE_DESC
    offset: Int
    {CURSORS}
  ): TransactionConnectionTypeConnection
"""

CUSTOMER = f"""
type AccountUserType {{
  id: ID!
  accounts(
    allowedBrandCodes: [BrandChoices]
    restrictToPublicFacingBrands: Boolean
    restrictToAccountNumbers: [String]
    excludeAccountTypes: [AccountTypeChoices]
    excludeAccountsWithoutAgreements: Boolean
  ): [AccountInterface]
  givenName: String!
  familyName: String!
  fullName: String
  preferredName: String
  email: String!
  mobile: String!
  landline: String!
  title: String
  pronouns: String
  dateOfBirth: Date
  isDeceased: Boolean!
  hasFamilyIssues: Boolean
  isInHardship: Boolean
  isOptedInToWof: Boolean
  liveSecretKey: String
  displayName: String @deprecated(reason: "Use fullName.")
  firstName: String @deprecated(reason: "Use givenName.")
  lastName: String @deprecated(reason: "Use familyName.")
}}

interface AccountInterface {{ {ACCOUNT} }}

type AccountType implements AccountInterface {{
  id: ID! {ACCOUNT}
  properties(activeFrom: DateTime): [PropertyType]
  projectedBalance: Int
  electricityAgreements(active: Boolean): [ElectricityAgreementType]
  gasAgreements(active: Boolean): [GasAgreementType]
}}

enum AccountStatus {{ PENDING INCOMPLETE WITHDRAWN ACTIVE ENROLMENT_ERROR ENROLMENT_REJECTED DORMANT VOID }}
enum BrandChoices {{ OCTOPUS_ENERGY AFFECT_ENERGY BULB COOP_ENERGY EBICO_LIVING LONDON_POWER }}
enum AccountTypeChoices {{
  BUSINESS BUSINESS_OCCUPIER BUSINESS_THIRD_PARTY_BILLED BUSINESS_VACANT DOMESTIC DOMESTIC_THIRD_PARTY_BILLED
  MANAGED OCCUPIER PORTFOLIO_LEAD SUPPLY_POINT VACANT
}}

type AccountCampaignType {{ name: String slug: String startDate: Date expiryDate: Date campaignExpiryDate: Date }}

type BillingOptionsType {{
  periodStartDay: Int
  periodLength: AccountBillingOptionsPeriodLength
  periodLengthMultiplier: Int
  isFixed: Boolean!
  currentBillingPeriodStartDate: Date
  currentBillingPeriodEndDate: Date
  nextBillingDate: Date
}}
enum AccountBillingOptionsPeriodLength {{ MONTHLY QUARTERLY }}

type LedgerType {{
  id: ID
  name: String
  number: String
  ledgerType: String
  balance: Int
  amountOwedByCustomer: Int
  affectsAccountBalance: Boolean
  transactions(transactionTypes: [TransactionTypeFilter] = [], {CURSORS}): TransactionConnectionTypeConnection
}}

type TransactionConnectionTypeConnection {{ {COUNTS} edges: [TransactionConnectionTypeEdge]! }}
type TransactionConnectionTypeEdge {{ node: TransactionType cursor: String! }}
type TransactionAmountType {{ net: Int tax: Int gross: Int }}
enum TransactionsOrderBy {{ POSTED_DATE_ASC POSTED_DATE_DESC }}
enum TransactionTypeFilter {{
  UNISSUED_TRANSACTIONS ENERGY_CHARGES WATER_CHARGES IMPORTED_CHARGES IMPORTED_CREDITS IMPORTED_REPAYMENTS IMPORTED_PAYMENTS
}}
interface TransactionType {{ {TRANSACTION} }}
type Charge implements TransactionType {{ {TRANSACTION} consumption: Consumption isExport: Boolean }}
type Credit implements TransactionType {{ {TRANSACTION} }}
type Payment implements TransactionType {{ {TRANSACTION} }}
type Refund implements TransactionType {{ {TRANSACTION} }}
type Consumption {{
  startDate: Date endDate: Date quantity: Decimal unit: ConsumptionUnit usageCost: Int supplyCharge: Int
}}
enum ConsumptionUnit {{ kWh MJ L }}

input LoyaltyPointLedgersInput {{ accountUserId: ID! }}
type LoyaltyPointLedgerEntryType {{
  id: ID!
  ledgerType: String
  value: String
  balanceBroughtForward: String
  balanceCarriedForward: String
  reasonCode: String
  postedAt: DateTime
  accountNumber: String
}}
type OctoplusAccountInfoType {{
  enrollmentStatus: OctoplusEnrollmentStatus
  isOctoplusEnrolled: Boolean @deprecated(reason: "Use enrollmentStatus.")
  isLoyaltyPointsUser: Boolean
}}
enum OctoplusEnrollmentStatus {{ ENROLLED UNENROLLED_NEVER_ENROLLED UNENROLLED_PREVIOUSLY_ENROLLED }}
type CustomerFlexibilityCampaignEventConnection {{
  pageInfo: PageInfo! edges: [CustomerFlexibilityCampaignEventEdge]!
}}
type CustomerFlexibilityCampaignEventEdge {{ node: CustomerFlexibilityCampaignEvent cursor: String! }}
type CustomerFlexibilityCampaignEvent {{ code: String startAt: DateTime endAt: DateTime }}
"""

SDL = ROOTS + CUSTOMER + SUPPLY + FLEX
SCHEMA = build_schema(SDL)
