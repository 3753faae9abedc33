"""The other half of what the simulator serves of the provider's schema: consumption and production; see `tibber_schema.py`."""

ENERGY = """
enum EnergyResolution { HOURLY DAILY WEEKLY MONTHLY ANNUAL }

type Consumption {
  from: String!
  to: String!
  unitPrice: Float
  unitPriceVAT: Float
  consumption: Float
  consumptionUnit: String
  cost: Float
  currency: String
}

type HomeConsumptionConnection {
  pageInfo: HomeConsumptionPageInfo!
  nodes: [Consumption]
  edges: [HomeConsumptionEdge]
}

type HomeConsumptionEdge {
  cursor: String!
  node: Consumption!
}

type HomeConsumptionPageInfo implements PageInfo {
  endCursor: String
  hasNextPage: Boolean
  hasPreviousPage: Boolean
  startCursor: String
  count: Int
  currency: String
  totalCost: Float
  totalConsumption: Float
  filtered: Int!
}

type Production {
  from: String!
  to: String!
  unitPrice: Float
  unitPriceVAT: Float
  production: Float
  productionUnit: String
  profit: Float
  currency: String
}

type HomeProductionConnection {
  pageInfo: HomeProductionPageInfo!
  nodes: [Production]
  edges: [HomeProductionEdge]
}

type HomeProductionEdge {
  cursor: String!
  node: Production!
}

type HomeProductionPageInfo implements PageInfo {
  endCursor: String
  hasNextPage: Boolean
  hasPreviousPage: Boolean
  startCursor: String
  count: Int
  currency: String
  totalProfit: Float
  totalProduction: Float
  filtered: Int!
}
"""
