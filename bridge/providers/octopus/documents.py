"""What we ask of Kraken and of its gateway, one document a feature: a field that is removed costs that feature alone.

They are held against the provider's schemas by tests here and, on a live system, by `kwh2mqtt introspect`.
"""

SIGN_IN = """
mutation ObtainToken($input: ObtainJSONWebTokenInput!) {
  obtainKrakenToken(input: $input) { token refreshToken refreshExpiresIn payload }
}
"""

ACCOUNTS = "query Accounts { viewer { accounts { number status } } }"

# The newer fields of 2026 are `direction` and `isExport`; HOUSEHOLD_2024 does without, for tenants that lag behind.
_TARIFF = """
fragment Tariff on TariffType { productCode tariffCode displayName standingCharge %s }
fragment Electricity on ElectricityTariffType {
  __typename
  ... on TariffType { ...Tariff }
  ... on StandardTariff { unitRate }
  ... on PrepayTariff { unitRate }
  ... on DayNightTariff { dayRate nightRate }
  ... on ThreeRateTariff { dayRate nightRate offPeakRate }
}
"""
_HOUSEHOLD = """
query Household($account: String!, $personal: Boolean!) {
  account(accountNumber: $account) {
    number
    properties {
      id
      postcode @include(if: $personal)
      address @include(if: $personal)
      electricityMeterPoints {
        mpan
        gspGroupId
        %s
        meters(includeInactive: false) {
          serialNumber
          meterType
          activeTo
          smartImportElectricityMeter { deviceId }
          smartExportElectricityMeter { deviceId }
        }
        agreements(includeInactive: true) { id validFrom validTo isRevoked tariff { ...Electricity } }
      }
      gasMeterPoints {
        mprn
        meters(includeInactive: false) { serialNumber consumptionUnits mechanism activeTo }
        agreements(includeInactive: true) { id validFrom validTo isRevoked tariff { ...Tariff unitRate } }
      }
    }
  }
}
"""
HOUSEHOLD = _HOUSEHOLD % "direction" + _TARIFF % "isExport"
HOUSEHOLD_2024 = _HOUSEHOLD % "" + _TARIFF % ""

UNIT_RATES = """
query UnitRates($account: String!) {
  account(accountNumber: $account) {
    electricityAgreements(active: true) {
      tariff { ... on HalfHourlyTariff { tariffCode unitRates { validFrom validTo value } } }
    }
  }
}
"""

APPLICABLE_RATES = """
query ApplicableRates($account: String!, $mpxn: String!, $start: DateTime!, $end: DateTime!, $first: Int!, $after: String) {
  applicableRates(accountNumber: $account, mpxn: $mpxn, startAt: $start, endAt: $end, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { value validFrom validTo } }
  }
}
"""

MEASUREMENTS = """
query Measurements(
  $property: ID!, $start: DateTime!, $end: DateTime!, $filters: [UtilityFiltersInput!], $first: Int!, $after: String
) {
  property(id: $property) {
    measurements(startAt: $start, endAt: $end, utilityFilters: $filters, first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node { value unit ... on IntervalMeasurementType { startAt endAt } } }
    }
  }
}
"""

TELEMETRY = """
query Telemetry($device: String!) {
  smartMeterTelemetry(deviceId: $device) { readAt demand consumption export }
}
"""

BALANCE = "query Balance($account: String!) { account(accountNumber: $account) { balance } }"

POINTS = "query Points { loyaltyPointLedgers { balanceCarriedForward } }"

FREE_ELECTRICITY = """
query FreeElectricity($account: String!, $mpan: String!, $campaign: String!, $first: Int!, $after: String) {
  customerFlexibilityCampaignEvents(
    accountNumber: $account, supplyPointIdentifier: $mpan, campaignSlug: $campaign, first: $first, after: $after
  ) {
    pageInfo { hasNextPage endCursor }
    edges { node { code startAt endAt } }
  }
}
"""

DEVICES = """
query Devices($account: String!) {
  devices(accountNumber: $account) { id name deviceType propertyId status { current currentState isSuspended } }
}
"""

PLANNED_DISPATCHES = """
query PlannedDispatches($account: String!, $device: String!) {
  flexPlannedDispatches(deviceId: $device) { start end type energyAddedKwh }
  devices(accountNumber: $account, deviceId: $device) { id status { current currentState } }
}
"""

COMPLETED_DISPATCHES = """
query CompletedDispatches($account: String!) {
  completedDispatches(accountNumber: $account) { start end delta meta { source } }
}
"""

TRANSACTIONS = """
query Transactions($account: String!, $first: Int!, $after: String) {
  account(accountNumber: $account) {
    transactions(first: $first, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node { __typename id postedDate title amounts { net tax gross } balanceCarriedForward isReversed } }
    }
  }
}
"""

BOOST = """
mutation Boost($input: UpdateBoostChargeInput!) {
  updateBoostCharge(input: $input) { id status { current currentState isSuspended } }
}
"""

SMART_CONTROL = """
mutation SmartControl($input: SmartControlInput!) {
  updateDeviceSmartControl(input: $input) { id status { current currentState isSuspended } }
}
"""

CHARGE_PREFERENCES = """
mutation ChargePreferences($input: SmartFlexDevicePreferencesInput!) {
  setDevicePreferences(input: $input) { id preferences { mode unit schedules { dayOfWeek time min max } } }
}
"""

ELECTRICITY_READING = """
mutation ElectricityReading($mpan: String, $serial: String, $on: Date, $readings: [ReadingInputType]) {
  createElectricityMeterReading(mpan: $mpan, serialNumber: $serial, readAt: $on, readings: $readings) {
    readingErrors { field errors { ... on SerializerErrorType { message code } } }
  }
}
"""

GAS_READING = """
mutation GasReading($mprn: String, $serial: String, $on: Date, $reading: Int) {
  createGasMeterReading(mprn: $mprn, serialNumber: $serial, readAt: $on, reading: $reading) {
    readingErrors { field errors { ... on SerializerErrorType { message code } } }
  }
}
"""

SAVING_SESSIONS = """
query SavingSessions($account: String!) {
  savingSessions {
    events(includeDev: false) { id code rewardPerKwhInOctoPoints startAt endAt devEvent targetRegion { regionId } }
    account(accountNumber: $account) {
      hasJoinedCampaign
      signedUpMeterPoint { regionId }
      joinedEvents { eventId startAt endAt rewardGivenInOctoPoints }
    }
  }
}
"""

GREENER_NIGHTS = "query GreenerNights { greenerNightsForecast { date isGreenerNight greennessScore greennessIndex } }"

JOIN_SAVING_SESSION = """
mutation JoinSavingSession($input: JoinSavingSessionsEventInput!) {
  joinSavingSessionsEvent(input: $input) { joinedEventCodes }
}
"""

DOCUMENTS = {
    "sign-in": SIGN_IN,
    "accounts": ACCOUNTS,
    "household": HOUSEHOLD,
    "unit rates": UNIT_RATES,
    "applicable rates": APPLICABLE_RATES,
    "measurements": MEASUREMENTS,
    "telemetry": TELEMETRY,
    "balance": BALANCE,
    "points": POINTS,
    "free electricity": FREE_ELECTRICITY,
    "devices": DEVICES,
    "planned dispatches": PLANNED_DISPATCHES,
    "completed dispatches": COMPLETED_DISPATCHES,
    "transactions": TRANSACTIONS,
    "boost": BOOST,
    "smart control": SMART_CONTROL,
    "charge preferences": CHARGE_PREFERENCES,
    "electricity reading": ELECTRICITY_READING,
    "gas reading": GAS_READING,
}
BACKEND_DOCUMENTS = {
    "saving sessions": SAVING_SESSIONS,
    "greener nights": GREENER_NIGHTS,
    "joining a saving session": JOIN_SAVING_SESSION,
}
