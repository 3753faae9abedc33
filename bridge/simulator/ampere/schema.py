"""A schema of the shape that ampere.cloud's quick start describes in words, and two that it may become.

Its names are a guess but for `device`, `readingTypes`, `readings`, `readingInput` and `Pac`: the true schema is not published.
"""

SDL = '''
"""An instant as ISO 8601."""
scalar DateTime

type Query {
  "Whoever the token was given to."
  me: User!
  company(id: ID!): Company
  facility(id: ID!): Facility
  "Several at once; one that is not there is null."
  facilities(ids: [ID!]!): [Facility]!
  "The devices of a facility, with what each can be asked for."
  device(facilityId: ID!, first: Int = 100, after: String): DeviceConnection!
}

type Mutation {
  "Limits what a facility feeds in, from 0 to 1."
  setPowerLimit(facilityId: ID!, limit: Float!): Facility!
}

type PageInfo { hasNextPage: Boolean! endCursor: String }

type User { id: ID! email: String! companies(first: Int = 100, after: String): CompanyConnection! }

type CompanyConnection { nodes: [Company!]! pageInfo: PageInfo! }
type Company { id: ID! name: String! facilities(first: Int = 100, after: String): FacilityConnection! }

type FacilityConnection { nodes: [Facility!]! pageInfo: PageInfo! }
type Facility {
  id: ID!
  name: String!
  timezone: String
  currency: String
  "In kWp."
  nominalPower: Float
  address: String
  powerLimit: Float!
  readings(readingInput: ReadingInput!, first: Int = 100, after: String): ReadingConnection
  analysis(analysisInput: AnalysisInput!): [AnalysisValue!]
}

type DeviceConnection { nodes: [Device!]! pageInfo: PageInfo! }
type Device { id: ID! name: String! type: String! serialNumber: String readingTypes: [ReadingType!]! }
type ReadingType { id: ID! name: String! unit: String }

input ReadingInput { readingTypes: [String!]! from: DateTime! to: DateTime! interval: Int }
type ReadingConnection { nodes: [Reading!]! pageInfo: PageInfo! }
type Reading { deviceId: ID! readingType: String! timestamp: DateTime! value: Float }

input AnalysisInput { types: [String!]! from: DateTime! to: DateTime! }
type AnalysisValue { type: String! from: DateTime! to: DateTime! value: Float unit: String }
'''

LEAVES = "It becomes `money` on 2026-12-31."
AGEING = SDL.replace("  currency: String\n", f'  currency: String @deprecated(reason: "{LEAVES}")\n  money: String\n')
"""The same with a notice: a field of a facility is deprecated."""

RENAMED = (
    SDL.replace("currency: String", "money: String")
    .replace("  timezone: String\n", "  timeZone: String\n")
    .replace("device(facilityId: ID!", "device(facilityId: ID!, companyId: ID!")
    .replace("readingInput: ReadingInput!", "input: ReadingInput!")
    .replace("types: [String!]! from", "types: [ID!]! from")
)
"""The same after a change that nobody was told of: fields renamed, an argument more, another type."""
