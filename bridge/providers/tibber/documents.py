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

DOCUMENTS = (HOMES, PRICES, PRICE_RANGE, READINGS, VIEWER)
