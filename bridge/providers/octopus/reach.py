"""What no document may reach at Kraken: a key or a token opens the whole account, from the tariff to the bank details.

New mutations appear there all the time, so those that may be sent are listed, not those that may not.
"""

from bridge.providers.base import Guard

GUARD = Guard(
    writes=frozenset({
        # devices
        "updateBoostCharge", "updateDeviceSmartControl", "setDevicePreferences", "updateDeviceGridExport",
        "updateIsChargingDurationCapped", "triggerTestCharge", "triggerBoostCharge", "deleteBoostCharge", "suspendControl",
        "resumeControl", "setVehicleChargePreferences",
        # heat pumps
        "heatPumpSetZoneMode", "heatPumpSetHushMode", "heatPumpUpdateFlowTemperatureConfiguration", "octoHeatPumpSetZoneMode",
        "octoHeatPumpSetZoneSchedules", "octoHeatPumpUpdateWaterSetpoint", "octoHeatPumpUpdateFlowTemperatureConfiguration",
        # meters and sessions
        "createElectricityMeterReading", "createGasMeterReading", "joinSavingSessionsEvent", "spinWheelOfFortune",
        "redeemLoyaltyPointsForAccountCredit",
    }),
    hidden=frozenset({"liveSecretKey", "obtainKrakenToken", "obtainLongLivedRefreshToken", "refreshToken", "preSignedKey"}),
)  # fmt: skip
