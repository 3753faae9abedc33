"""The part of Kraken's schema about supplies: properties, meters, agreements with their tariffs, and measurements."""

CURSORS = "before: String, after: String, first: Int, last: Int"
COUNTS = "pageInfo: PageInfo! totalCount: Int! edgeCount: Int!"

MEASUREMENTS = f"""
  measurements(
    startAt: DateTime = "0001-01-03T00:00:00-00:01:15"
    endAt: DateTime = "9999-12-29T23:59:59.999999+00:00"
    startOn: Date
    endOn: Date
    timezone: String = "Europe/London"
    utilityFilters: [UtilityFiltersInput] = []
    {CURSORS}
  ): MeasurementConnection
"""

PROPERTY = f"""
  id: String
  address: String
  splitAddress: [String]
  occupancyPeriods: [OccupancyPeriodType]
  coordinates: CoordinatesType
  {MEASUREMENTS}
"""

METER = "id: ID! serialNumber: String! consumptionUnits: String fuelType: String"
METER_MORE = """
  nodeId: ID!
  activeFrom: Date!
  activeTo: Date
  hasAndAllowsHhReadings: Boolean
  isTradPrepay: Boolean
  smartDevices: [SmartMeterDeviceType]
"""
AGREEMENT = "id: Int validFrom: DateTime validTo: DateTime agreedFrom: DateTime agreedTo: DateTime isRevoked: Boolean"
AGREEMENTS = "agreements(validAfter: DateTime, includeInactive: Boolean, excludeFuture: Boolean)"
METERS = "meters(id: Int, includeInactive: Boolean)"
TARIFF = """
  id: ID
  displayName: String
  fullName: String
  description: String
  productCode: String
  standingCharge: Float
  preVatStandingCharge: Float
  tariffCode: String
  isExport: Boolean
  tags: [String]
"""
RATE = "unitRate: Float preVatUnitRate: Float"
DAY_AND_NIGHT = """
  dayRate: Float
  dayRateEpgApplied: Boolean
  preVatDayRate: Float
  nightRate: Float
  nightRateEpgApplied: Boolean
  preVatNightRate: Float
"""
MEASUREMENT = "source: String! metaData: MeasurementsMetadataOutput value: Decimal! unit: String! readAt: DateTime!"

SUPPLY = f"""
interface PropertyInterface {{ {PROPERTY} }}
type PropertyType implements PropertyInterface {{
  {PROPERTY}
  postcode: String!
  electricityMeterPoints: [ElectricityMeterPointType]
  gasMeterPoints: [GasMeterPointType]
  smartDeviceNetworks: [SmartMeterDeviceNetworkType]
}}
type OccupancyPeriodType {{ id: ID effectiveFrom: DateTime effectiveTo: DateTime isOccupier: Boolean }}
type CoordinatesType {{ latitude: Float longitude: Float }}

interface MeterPointInterface {{ status: String {METERS}: [Meter] }}
type ElectricityMeterPointType implements MeterPointInterface {{
  id: ID!
  mpan: String!
  status: String
  gspGroupId: String
  profileClass: Int
  direction: ElectricityDirection
  {METERS}: [ElectricityMeterType]
  {AGREEMENTS}: [ElectricityAgreementType]
}}
type GasMeterPointType implements MeterPointInterface {{
  id: ID!
  mprn: String
  status: String
  {METERS}: [GasMeterType]
  {AGREEMENTS}: [GasAgreementType]
}}
enum ElectricityDirection {{ IMPORT EXPORT }}

interface Meter {{ {METER} }}
type ElectricityMeterType implements Node & Meter {{
  {METER} {METER_MORE}
  makeAndType: String
  meterType: ElectricityMeterMeterType
  meterPoint: ElectricityMeterPointType!
  importMeter: ElectricityMeterType
  smartImportElectricityMeter: SmartMeterDeviceType
  smartExportElectricityMeter: SmartMeterDeviceType
}}
type GasMeterType implements Node & Meter {{
  {METER} {METER_MORE}
  mechanism: GasMeterMechanism
  meterPoint: GasMeterPointType!
  smartGasMeter: SmartMeterDeviceType
}}
enum ElectricityMeterMeterType {{
  CHECK H K LAG_ LEAD_ MAIN_ N NCAMR NSS RCAMR RCAMY S S1 S2A S2B S2C S2AD S2BD S2CD S2ADE S2BDE S2CDE SPECL T
  A_2AF A_2ADF A_2AEF A_2ADEF A_2BF A_2BDF A_2BEF A_2BDEF A_2CF A_2CDF A_2CEF A_2CDEF
}}
enum GasMeterMechanism {{ CR ET PP MT CM TH NS S1 S2 U }}

type SmartMeterDeviceNetworkType {{ id: ID! smartDevices(statuses: [DeviceStatuses]): [SmartMeterDeviceType] }}
type SmartMeterDeviceType {{
  id: ID!
  serialNumber: String!
  deviceId: String!
  type: DeviceType
  status: DeviceStatus!
  manufacturer: String!
  model: String!
  firmwareVersion: String!
  paymentMode: PaymentMode
}}
enum DeviceType {{ ESME GSME GPF CHF HCALCS PPMID IHD CAD IHD_OR_CAD }}
enum DeviceStatus {{
  PENDING WHITELISTED INSTALLED_NOT_COMMISSIONED COMMISSIONED DECOMMISSIONED WITHDRAWN SUSPENDED RECOVERY RECOVERED
  NOT_APPLICABLE
}}
enum DeviceStatuses {{
  PENDING WHITELISTED INSTALLED_NOT_COMMISSIONED COMMISSIONED DECOMMISSIONED WITHDRAWN SUSPENDED RECOVERY RECOVERED
  NOT_APPLICABLE
}}
enum PaymentMode {{ PREPAY CREDIT }}

interface AgreementInterface {{ {AGREEMENT} }}
type ElectricityAgreementType implements AgreementInterface {{
  {AGREEMENT} meterPoint: ElectricityMeterPointType! tariff: ElectricityTariffType
}}
type GasAgreementType implements AgreementInterface {{ {AGREEMENT} meterPoint: GasMeterPointType! tariff: GasTariffType }}

interface TariffType {{ {TARIFF} }}
union ElectricityTariffType =
  StandardTariff | DayNightTariff | ThreeRateTariff | FourRateEvTariff | HalfHourlyTariff | PrepayTariff
type StandardTariff implements TariffType {{ {TARIFF} {RATE} unitRateEpgApplied: Boolean }}
type DayNightTariff implements TariffType {{ {TARIFF} {DAY_AND_NIGHT} }}
type ThreeRateTariff implements TariffType {{
  {TARIFF} {DAY_AND_NIGHT} offPeakRate: Float offPeakRateEpgApplied: Boolean preVatOffPeakRate: Float
}}
type FourRateEvTariff implements TariffType {{ {TARIFF} }}
type HalfHourlyTariff implements TariffType {{ {TARIFF} unitRates: [UnitRate] agileCalculationInfo: AgileCalculationInfo }}
type PrepayTariff implements TariffType {{ {TARIFF} {RATE} }}
type GasTariffType implements TariffType {{ {TARIFF} {RATE} unitRateEpgApplied: Boolean }}
type UnitRate {{ validFrom: DateTime validTo: DateTime value: Float preVatValue: Float }}
type AgileCalculationInfo {{ priceCap: Float peakOffset: Float gspCoefficient: Float }}

type ApplicableRateConnectionTypeConnection {{ {COUNTS} edges: [ApplicableRateConnectionTypeEdge]! }}
type ApplicableRateConnectionTypeEdge {{ node: ApplicableRate cursor: String! }}
type ApplicableRate {{ value: Decimal validFrom: DateTime validTo: DateTime }}

type MeasurementConnection {{ {COUNTS} edges: [MeasurementEdge]! }}
type MeasurementEdge {{ node: MeasurementInterface cursor: String! }}
interface MeasurementInterface {{ {MEASUREMENT} }}
type IntervalMeasurementType implements MeasurementInterface {{
  {MEASUREMENT} startAt: DateTime! endAt: DateTime! durationInSeconds: Int! accumulation: Decimal
}}
type MeasurementsMetadataOutput {{ statistics: [StatisticOutput] }}
type StatisticOutput {{
  type: ReadingStatisticTypeEnum
  label: String
  description: String
  costExclTax: EstimatedMoneyType
  costInclTax: EstimatedMoneyType
  value: Decimal
}}
type EstimatedMoneyType {{ estimatedAmount: Decimal! costCurrency: String! }}
enum ReadingStatisticTypeEnum {{
  STANDING_CHARGE_COST CONSUMPTION_COST CAPACITY_CHARGE_COST CONSUMPTION_BREAKDOWN GENERATION_VALUE TOU_BUCKET_COST
  CARBON_COST GAS_READING_INFORMATION POWER_FACTOR_STATISTIC CO2_EMISSION_STATISTIC
}}
input UtilityFiltersInput {{ electricityFilters: ElectricityFiltersInput = null gasFilters: GasFiltersInput = null }}
input ElectricityFiltersInput {{
  readingFrequencyType: ReadingFrequencyType = RAW_INTERVAL
  marketSupplyPointId: String
  deviceId: String
  readingDirection: ReadingDirectionType = CONSUMPTION
  registerId: String
  readingQuality: ReadingQualityType = COMBINED
}}
input GasFiltersInput {{
  readingFrequencyType: ReadingFrequencyType = RAW_INTERVAL
  marketSupplyPointId: String
  deviceId: String
  registerId: String
}}
enum ReadingDirectionType {{ CONSUMPTION GENERATION }}
enum ReadingFrequencyType {{
  RAW_INTERVAL FIVE_MIN_INTERVAL FIFTEEN_MIN_INTERVAL THIRTY_MIN_INTERVAL HOUR_INTERVAL DAY_INTERVAL WEEK_INTERVAL
  MONTH_INTERVAL QUARTER_INTERVAL DAILY POINT_IN_TIME INTERVALIZED
}}
enum ReadingQualityType {{ ACTUAL ESTIMATE COMBINED }}

type SmartMeterTelemetryType {{
  readAt: DateTime
  consumption: Decimal
  demand: Decimal
  consumptionDelta: Decimal
  costDelta: Decimal
  costDeltaWithTax: Decimal
  export: Decimal
}}
enum TelemetryGrouping {{ TEN_SECONDS ONE_MINUTE FIVE_MINUTES HALF_HOURLY HOURLY }}
"""
