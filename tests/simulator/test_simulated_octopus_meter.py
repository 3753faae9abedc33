"""What a customer reads off a meter is taken, or refused field by field."""

from typing import Any

from tests.simulator.conftest import Household

READING = "mutation($mpan: String, $serial: String, $on: Date, $readings: [ReadingInputType]) { createElectricityMeterReading("
READING += "mpan: $mpan, serialNumber: $serial, readAt: $on, readings: $readings) "
READING += "{ readingErrors { field errors { ... on SerializerErrorType { message code } } } } }"
GAS_READING = "mutation($mprn: String, $serial: String, $on: Date, $reading: Int) { createGasMeterReading("
GAS_READING += "mprn: $mprn, serialNumber: $serial, readAt: $on, reading: $reading) { readingErrors { field } } }"


def test_meter_readings_are_taken(household: Household) -> None:
    given: dict[str, Any] = {
        "mpan": "1000000000017",
        "serial": "21E0000017",
        "on": "2026-06-10",
        "readings": [{"registerId": "1", "reading": 7}],
    }
    assert household.ask(READING, **given) == {"createElectricityMeterReading": {"readingErrors": None}}
    gas: dict[str, Any] = {"mprn": "1000000035", "serial": "E6S00000035", "on": "2026-06-09", "reading": 12}
    assert household.ask(GAS_READING, **gas) == {"createGasMeterReading": {"readingErrors": None}}
    assert [(each.mutation, dict(each.input)) for each in household.octopus.written] == [
        (
            "createElectricityMeterReading",
            {"mpan": "1000000000017", "serialNumber": "21E0000017", "readAt": "2026-06-10",
             "readings": [{"registerId": "1", "reading": 7}]},
        ),
        (
            "createGasMeterReading",
            {"mprn": "1000000035", "serialNumber": "E6S00000035", "readAt": "2026-06-09", "reading": 12},
        ),
    ]  # fmt: skip


def test_a_bad_meter_reading_is_refused_field_by_field(household: Household) -> None:
    given: dict[str, Any] = {"mpan": "1", "serial": "21E0000017", "on": "2026-06-11", "readings": []}
    found = household.ask(READING, **given)["createElectricityMeterReading"]["readingErrors"]
    assert [each["field"] for each in found] == ["mpan", "serialNumber", "readAt", "reading"]
    assert found[0]["errors"] == [{"message": "Invalid value.", "code": "invalid"}]
    gas: dict[str, Any] = {"mprn": "1000000035", "serial": "E6S00000035", "on": "June", "reading": -1}
    errors = household.ask(GAS_READING, **gas)["createGasMeterReading"]["readingErrors"]
    assert [each["field"] for each in errors] == ["readAt", "reading"]
    assert household.octopus.written == []
