"""The part of Kraken's schema about devices under smart control, their dispatches, and the inputs that command them."""

DEVICE = """
  id: ID!
  name: String
  deviceType: KrakenFlexDeviceTypes!
  provider: ProviderChoices!
  integrationDeviceId: String
  status: SmartFlexDeviceStatusInterface!
  propertyId: String
  alerts: [SmartFlexDeviceAlertInterface]
  preferences: SmartFlexDevicePreferencesInterface
  preferenceSetting: FlexDevicePreferenceSettingInterface
"""
STATUS = "current: SmartFlexDeviceLifecycleStatus currentState: SmartFlexDeviceState isSuspended: Boolean"
CHARGE = """
  stateOfCharge: DecimalReading
  stateOfChargeLimit: StateOfChargeLimit
  testDispatchFailureReason: TestDispatchAssessmentFailureReason
"""
PREFERENCES = """
  gridExport: FlexGridExportStatus!
  isChargingDurationCapped: FlexIsChargingDurationCapped!
  mode: PreferencesModeChoices!
  schedules: [SmartFlexDevicePreferenceSchedule]
  targetType: PreferencesTargetType!
  unit: PreferencesUnitChoices!
"""
SETTING = """
  id: ID
  deviceType: KrakenFlexDeviceTypes
  mode: PreferencesModeChoices
  unit: PreferencesUnitChoices
  scheduleSettings: [FlexDeviceScheduleSetting]
"""

FLEX = f"""
interface SmartFlexDeviceInterface {{ {DEVICE} }}
type SmartFlexVehicle implements SmartFlexDeviceInterface {{ {DEVICE} make: String model: String }}
type SmartFlexChargePoint implements SmartFlexDeviceInterface {{ {DEVICE} make: String model: String }}
type SmartFlexInverter implements SmartFlexDeviceInterface {{ {DEVICE} make: String model: String }}
type SmartFlexBattery implements SmartFlexDeviceInterface {{ {DEVICE} make: String model: String }}
type SmartFlexHeatPump implements SmartFlexDeviceInterface {{ {DEVICE} make: String model: String }}
type SmartFlexDevice implements SmartFlexDeviceInterface {{ {DEVICE} }}

interface SmartFlexDeviceAlertInterface {{ message: String publishedAt: DateTime }}

interface SmartFlexDeviceStatusInterface {{ {STATUS} }}
type SmartFlexDeviceStatus implements SmartFlexDeviceStatusInterface {{ {STATUS} }}
type SmartFlexVehicleStatus implements SmartFlexDeviceStatusInterface {{ {STATUS} {CHARGE} }}
type SmartFlexChargePointStatus implements SmartFlexDeviceStatusInterface {{ {STATUS} {CHARGE} }}
type DecimalReading {{ value: Decimal timestamp: DateTime }}
type StateOfChargeLimit {{ upperSocLimit: Int timestamp: String isLimitViolated: Boolean }}

interface SmartFlexDevicePreferencesInterface {{ {PREFERENCES} }}
type SmartFlexDevicePreferences implements SmartFlexDevicePreferencesInterface {{ {PREFERENCES} }}
type SmartFlexDevicePreferenceSchedule {{ dayOfWeek: DayOfWeek! time: Time! min: Float max: Float upperLimit: Float }}
interface FlexDevicePreferenceSettingInterface {{ {SETTING} }}
type FlexDevicePreferenceSetting implements FlexDevicePreferenceSettingInterface {{ {SETTING} }}
type FlexDeviceScheduleSetting {{ id: ID timeFrom: Time timeTo: Time timeStep: Int min: Float max: Float step: Float }}

type SmartFlexDispatch {{ start: DateTime! end: DateTime! type: SmartFlexChargingType! energyAddedKwh: Decimal }}
type UpsideDispatchType {{
  start: DateTime!
  end: DateTime!
  delta: Decimal
  meta: UpsideDispatchMetaType
  startDt: String @deprecated(reason: "Use start.")
  endDt: String @deprecated(reason: "Use end.")
  deltaKwh: Int @deprecated(reason: "Use delta.")
}}
type UpsideDispatchMetaType {{ source: String location: String }}
type KrakenFlexDeviceType {{
  krakenflexDeviceId: String
  provider: ProviderChoices
  vehicleMake: String
  vehicleModel: String
  vehicleBatterySizeInKwh: Decimal
  chargePointMake: String
  chargePointModel: String
  chargePointPowerInKw: Decimal
  status: String
  suspended: Boolean
  hasToken: Boolean
  createdAt: DateTime
  stateOfChargeLimit: StateOfChargeLimit
  testDispatchFailureReason: TestDispatchAssessmentFailureReason
}}

input UpdateBoostChargeInput {{ deviceId: ID! action: UpdateBoostChargeAction! }}
enum UpdateBoostChargeAction {{ BOOST CANCEL }}
input SmartControlInput {{ deviceId: ID! action: SmartControlAction! }}
enum SmartControlAction {{ SUSPEND UNSUSPEND }}
input SmartFlexDevicePreferencesInput {{
  deviceId: ID!
  mode: PreferencesModeChoices!
  unit: PreferencesUnitChoices!
  schedules: [PreferencesScheduleInput]!
}}
input PreferencesScheduleInput {{ dayOfWeek: DayOfWeek! time: Time! min: Decimal max: Decimal! }}

enum DayOfWeek {{ MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY }}
enum FlexGridExportStatus {{ ENABLED DISABLED NOT_APPLICABLE }}
enum FlexIsChargingDurationCapped {{ ENABLED DISABLED NOT_APPLICABLE }}
enum KrakenFlexDeviceTypes {{
  BATTERIES ELECTRIC_VEHICLES INVERTERS HEAT_PUMPS STORAGE_HEATERS ELECTRICITY_METERS THERMOSTATS
}}
enum PreferencesModeChoices {{ CHARGE COOL HEAT }}
enum PreferencesTargetType {{ ABSOLUTE_STATE_OF_CHARGE RELATIVE_STATE_OF_CHARGE ABSOLUTE_TEMPERATURE }}
enum PreferencesUnitChoices {{ CELSIUS PERCENTAGE PERCENTAGE_ABSOLUTE PERCENTAGE_RELATIVE }}
enum ProviderChoices {{
  BYD DAIKIN DAIKIN_LCM ECOBEE ECOBEE_V2 ENERGIZER ENODE ENPHASE FORD GIVENERGY HUAWEI HUAWEI_V2 HYPERVOLT INDRA JEDLIX
  JEDLIX_V2 MERCEDES MYENERGI MYENERGI_V2 NATURE OCPP_WALLBOX OCPP OCTOPUS_ENERGY OHME OHME_V2 SENSI SENSI_V2 SMARTCAR
  SMARTFLEX_CONNECT SMART_PEAR SOLAREDGE TESLA TESLA_V2 VOLKSWAGEN VP_AMAZON VP_HONEYWELL_CC VP_HONEYWELL_RES VP_NEST
}}
enum SmartFlexChargingType {{ SMART BOOST TEST }}
enum SmartFlexDeviceLifecycleStatus {{
  ONBOARDING PENDING_LIVE LIVE ONBOARDING_TEST_IN_PROGRESS FAILED_ONBOARDING_TEST RETIRED
}}
enum SmartFlexDeviceState {{
  AUTHENTICATION_PENDING AUTHENTICATION_FAILED AUTHENTICATION_COMPLETE TEST_CHARGE_IN_PROGRESS TEST_CHARGE_FAILED
  TEST_CHARGE_NOT_AVAILABLE SETUP_COMPLETE SMART_CONTROL_CAPABLE SMART_CONTROL_IN_PROGRESS BOOSTING SMART_CONTROL_OFF
  SMART_CONTROL_NOT_AVAILABLE LOST_CONNECTION RETIRED
}}
enum TestDispatchAssessmentFailureReason {{
  NONE UNKNOWN ASSESSMENTS_FAILED NOT_AT_HOME UNABLE_TO_COMMUNICATE DEVICE_DISCONNECTED SOC_LIMIT_REACHED ERROR
}}
"""
