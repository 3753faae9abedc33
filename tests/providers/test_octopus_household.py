"""From a meter point's JSON to what it is: which agreement is in force, import or export, region, product, meters."""

from typing import Any

import pytest

from bridge.providers.octopus.household import Household, households
from tests.providers.wire import from_json
from tests.support import utc

NOON = utc("2026-06-10T12:00")
AGILE, GO, FIXED = "E-1R-AGILE-24-10-01-C", "E-1R-GO-VAR-22-10-14-C", "E-1R-OE-FIX-12M-26-01-01-C"
OUTGOING, SEG = "E-1R-OUTGOING-FIX-12M-19-05-13-C", "E-1R-PANEL-POWER-21-C"  # the name of the latter tells nothing
IMPORT_METER = {"smartImportElectricityMeter": {"deviceId": "00-01"}, "smartExportElectricityMeter": None}
EXPORT_METER = {"smartImportElectricityMeter": None, "smartExportElectricityMeter": {"deviceId": "00-02"}}
BOTH_METERS = {"smartImportElectricityMeter": {"deviceId": "00-01"}, "smartExportElectricityMeter": {"deviceId": "00-02"}}


def agreed(code: str | None = AGILE, start: str = "2026-01-01", end: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an agreement; `start` and `end` are days or UTC times."""
    revoked = more.pop("isRevoked", False)
    tariff = {"tariffCode": code, "__typename": "HalfHourlyTariff", **more}
    return {"validFrom": stamped(start), "validTo": stamped(end) if end else None, "isRevoked": revoked, "tariff": tariff}


def stamped(text: str) -> str:
    return f"{text}T00:00:00+00:00" if len(text) == 10 else f"{text}:00+00:00"


def point(*agreements: Any, mpan: str = "1000", **more: Any) -> dict[str, Any]:
    """Return a meter point with one meter; what `more` tells of it stands on the meter where that is its place."""
    meter = {"serialNumber": "21E1", "meterType": "S2A", "activeTo": None}
    meter |= {key: more.pop(key) for key in tuple(more) if key.startswith("smart")}
    return {"mpan": mpan, "gspGroupId": "_C", "meters": [meter], "agreements": list(agreements), **more}


def account(*points: Any, gas: Any = (), **more: Any) -> Any:
    one = {"id": "7", "electricityMeterPoints": list(points), "gasMeterPoints": list(gas), **more}
    return from_json({"account": {"number": "A-1", "properties": [one]}})


def only(*points: Any, gas: Any = (), **more: Any) -> Household:
    [found] = households(account(*points, gas=gas, **more), "A-1", NOON)
    return found


# the agreement in force


@pytest.mark.parametrize(
    ("agreements", "code"),
    [
        ([agreed(GO)], GO),
        ([agreed(FIXED, end="2026-12-31")], FIXED),  # a fixed tariff's end lies ahead
        ([agreed(FIXED, "2026-05-01", "2027-05-01"), agreed(GO, "2025-01-01")], FIXED),
        ([agreed(GO, "2025-01-01"), agreed(FIXED, "2026-05-01", "2027-05-01")], FIXED),
        ([agreed(GO, "2026-03-01"), agreed(AGILE, "2026-04-01"), agreed(FIXED, "2026-02-01")], AGILE),
        ([agreed(GO, "2025-01-01", "2026-06-10T12:00"), agreed(AGILE, "2026-06-10T12:00")], AGILE),
        ([agreed(GO, "2025-01-01", "2026-06-10T12:01"), agreed(AGILE, "2026-06-10T12:01")], GO),
        ([agreed(GO), agreed(AGILE, "2026-06-01", isRevoked=True)], GO),
        ([agreed(GO), agreed(None, "2026-06-01")], GO),
        ([agreed(GO), agreed("", "2026-06-01")], GO),
        ([agreed(GO), {**agreed(AGILE, "2026-06-01"), "tariff": None}], GO),
        ([agreed(GO), agreed(AGILE, "2026-06-11")], GO),
        ([agreed(GO), agreed(AGILE, "2026-06-01", "2026-06-01")], GO),  # it was called off before it began
        ([agreed(GO, "2025-01-01", "2026-06-10T12:00")], None),
        ([agreed(GO, "2026-06-11")], None),
        ([], None),
    ],
)
def test_the_latest_agreement_that_has_begun_and_not_ended_is_in_force(agreements: list[Any], code: str | None) -> None:
    supply = only(point(*agreements)).supply("import")
    assert supply is not None
    found = supply.agreement(NOON)
    assert (found.tariff.code if found else None) == code


def test_agreements_stand_in_order_of_time_and_those_that_never_held_are_left_out() -> None:
    [supply] = only(
        point(agreed(GO, "2026-05-01"), agreed(FIXED, "2025-01-01", "2026-05-01"), agreed(AGILE, "2026-05-09", "2026-05-09"))
    ).supplies
    assert [(one.tariff.code, one.start, one.end) for one in supply.agreements] == [
        (FIXED, utc("2025-01-01T00:00"), utc("2026-05-01T00:00")),
        (GO, utc("2026-05-01T00:00"), None),
    ]


# import or export


@pytest.mark.parametrize(
    ("given", "stream"),
    [
        ({"direction": "EXPORT", "agreements": [agreed(AGILE, isExport=False)], **IMPORT_METER}, "export"),
        ({"direction": "IMPORT", "agreements": [agreed(OUTGOING, isExport=True)], **EXPORT_METER}, "import"),
        ({"direction": None, "agreements": [agreed(AGILE, isExport=True)], **IMPORT_METER}, "export"),
        ({"direction": None, "agreements": [agreed(OUTGOING, isExport=False)], **EXPORT_METER}, "import"),
        ({"agreements": [agreed(SEG)], **EXPORT_METER}, "export"),
        ({"agreements": [agreed(SEG, isExport=None)], **EXPORT_METER}, "export"),
        ({"agreements": [agreed(SEG)], **IMPORT_METER}, "import"),
        ({"agreements": [agreed(AGILE)], **BOTH_METERS}, "import"),
        ({"agreements": [agreed(OUTGOING)], **BOTH_METERS}, "export"),
        ({"agreements": [agreed("E-1R-FLUX-EXPORT-23-02-14-C")]}, "export"),
        ({"agreements": [agreed("E-1R-AGILE-OUTGOING-19-05-13-C")]}, "export"),
        ({"agreements": [agreed(OUTGOING)], **IMPORT_METER}, "export"),
        ({"agreements": [agreed(AGILE)]}, "import"),
        ({"agreements": [], **EXPORT_METER}, "export"),
        ({"agreements": []}, "import"),
    ],
)
def test_four_signs_tell_export_each_where_the_one_before_is_missing(given: dict[str, Any], stream: str) -> None:
    assert [supply.stream for supply in only(point(**given)).supplies] == [stream]


def test_an_export_point_that_stands_first_and_shares_its_meter_is_told_apart() -> None:
    home = only(
        point(agreed(OUTGOING), mpan="2000", **BOTH_METERS),
        point(agreed(AGILE), mpan="1000", **BOTH_METERS),
    )
    found = {stream: home.supply(stream) for stream in ("import", "export")}
    assert {stream: supply.number for stream, supply in found.items() if supply} == {"import": "1000", "export": "2000"}
    assert {stream: supply.serials for stream, supply in found.items() if supply} == {"import": ("21E1",), "export": ("21E1",)}
    assert {stream: supply.device for stream, supply in found.items() if supply} == {"import": "00-01", "export": "00-02"}


def test_of_two_import_points_the_first_stays_first_whether_its_tariff_is_fixed_or_open() -> None:
    for end in (None, "2026-12-31"):
        home = only(point(agreed(FIXED, end=end), mpan="1000"), point(agreed(AGILE), mpan="1001"))
        assert [supply.number for supply in home.supplies] == ["1000", "1001"]


def test_an_import_point_without_an_agreement_comes_after_one_that_has_it() -> None:
    home = only(point(agreed(GO, "2024-01-01", "2025-01-01"), mpan="1000"), point(agreed(FIXED, end="2026-12-31"), mpan="1001"))
    assert [supply.number for supply in home.supplies] == ["1001", "1000"]


# what else is told of a meter point


@pytest.mark.parametrize(
    ("group", "code", "region"),
    [("_C", "E-1R-AGILE-24-10-01-A", "C"), (None, "E-1R-AGILE-24-10-01-A", "A"), ("", "X", None), ("_Z", "E-1R-X-P", "P")],
)
def test_the_region_is_the_grid_groups_or_the_tariffs(group: str | None, code: str, region: str | None) -> None:
    assert only(point(agreed(code), gspGroupId=group)).supplies[0].region == region


@pytest.mark.parametrize(
    ("tariff", "product"),
    [
        (agreed(AGILE), "AGILE-24-10-01"),
        (agreed("E-1R-EDF_FREEPHASE_DYNAMIC_12M_HH-A"), "EDF_FREEPHASE_DYNAMIC_12M_HH"),
        (agreed("E-2R-VAR-22-11-01-C"), "VAR-22-11-01"),
        (agreed("E-TOU-SOMETHING-A", productCode="NEXT_TOU_V1"), "NEXT_TOU_V1"),
        (agreed("odd"), "odd"),
    ],
)
def test_the_product_is_told_or_read_out_of_the_tariffs_code(tariff: Any, product: str) -> None:
    assert only(point(tariff)).supplies[0].agreements[0].tariff.product == product


@pytest.mark.parametrize(
    ("unit", "mechanism", "cubic"),
    [
        ("m³", None, True),
        ("M3", "S1", True),  # the unit counts before the kind
        ("kWh", "S2", False),
        ("", "S1", False),
        (None, "S2", True),
        ("odd", "S2", True),
        ("", None, None),
        (None, "CR", None),
        (None, "U", None),
    ],
)
def test_a_gas_meter_counts_cubic_metres_or_kilowatt_hours(unit: str | None, mechanism: str | None, cubic: object) -> None:
    meter = {"serialNumber": "G1", "consumptionUnits": unit, "mechanism": mechanism}
    gas = {"mprn": "3000", "meters": [meter], "agreements": [agreed("G-1R-VAR-A")]}
    assert [(supply.stream, supply.in_cubic_metres) for supply in only(gas=[gas]).supplies] == [("gas", cubic)]


def test_meters_that_are_gone_tell_nothing() -> None:
    gone = {"serialNumber": "OLD", "meterType": "S1", "activeTo": "2024-01-01", **EXPORT_METER}
    there = {"serialNumber": "NEW", "meterType": "CREDIT", "activeTo": None}
    [supply] = only(point(agreed(AGILE), meters=[gone, there])).supplies
    assert (supply.stream, supply.serials, supply.is_smart, supply.device) == ("import", ("NEW",), False, None)
