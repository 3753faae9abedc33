"""What we ask of Tibber, one document a feature, all homes at once: a home that fails is null beside the others."""

HOMES = """
query Homes($personal: Boolean!) {
  viewer {
    homes {
      id
      appNickname
      timeZone
      address @include(if: $personal) { address1 address2 address3 postalCode city country latitude longitude }
      meteringPointData {
        priceAreaCode
        productionEan
        consumptionEan @include(if: $personal)
      }
      currentSubscription {
        priceInfo(resolution: QUARTER_HOURLY) { current { currency } }
      }
    }
  }
}
"""

PRICES = """
query Prices($resolution: PriceInfoResolution!, $history: Boolean!, $first: Int, $after: String) {
  viewer {
    homes {
      id
      currentSubscription {
        priceInfo(resolution: $resolution) {
          today { startsAt total level currency }
          tomorrow { startsAt total level currency }
        }
        priceInfoRange(resolution: QUARTER_HOURLY, first: $first, after: $after) @include(if: $history) {
          nodes { startsAt total level currency }
        }
      }
    }
  }
}
"""

PRICE_RANGE = """
query PriceRange($first: Int, $after: String) {
  viewer {
    homes {
      id
      currentSubscription {
        priceInfoRange(resolution: QUARTER_HOURLY, first: $first, after: $after) {
          nodes { startsAt total level currency }
        }
      }
    }
  }
}
"""

READINGS = """
query Readings($last: Int!) {
  viewer {
    homes {
      id
      consumption(resolution: HOURLY, last: $last) { nodes { from to consumption consumptionUnit } }
      production(resolution: HOURLY, last: $last) { nodes { from to production productionUnit } }
    }
  }
}
"""

VIEWER = "query Viewer { viewer { homes { id appNickname } } }"

_ENERGY_VARIABLES = (
    "$resolution: EnergyResolution!, $consumed: Boolean!, $produced: Boolean!, $first: Int, $last: Int, $after: String"
)
_MEASURED = """
fragment Measured on Home {
  id
  consumption(resolution: $resolution, first: $first, last: $last, after: $after) @include(if: $consumed) {
    pageInfo { hasNextPage }
    nodes { from to consumption consumptionUnit cost currency }
  }
  production(resolution: $resolution, first: $first, last: $last, after: $after) @include(if: $produced) {
    pageInfo { hasNextPage }
    nodes { from to production productionUnit profit currency }
  }
}
"""
ENERGY = f"query Energy({_ENERGY_VARIABLES}) {{ viewer {{ homes {{ ...Measured }} }} }}{_MEASURED}"
ENERGY_OF = f"query EnergyOf($home: ID!, {_ENERGY_VARIABLES}) {{ viewer {{ home(id: $home) {{ ...Measured }} }} }}{_MEASURED}"

NOTIFY = """
mutation Notify($input: PushNotificationInput!) {
  sendPushNotification(input: $input) { successful pushedToNumberOfDevices }
}
"""

UPDATE_HOME = """
mutation UpdateHome($input: UpdateHomeInput!) {
  updateHome(input: $input) {
    id
    appNickname
    appAvatar
    size
    type
    numberOfResidents
    primaryHeatingSource
    hasVentilationSystem
    mainFuseSize
  }
}
"""

QUERIES = {
    "Homes": HOMES,
    "Prices": PRICES,
    "PriceRange": PRICE_RANGE,
    "Readings": READINGS,
    "Viewer": VIEWER,
    "Energy": ENERGY,
    "EnergyOf": ENERGY_OF,
}
WRITES = {"Notify": NOTIFY, "UpdateHome": UPDATE_HOME}
DOCUMENTS = {**QUERIES, **WRITES}
