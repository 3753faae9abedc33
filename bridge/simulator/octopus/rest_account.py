"""An account as REST tells it: properties, meter points with their meters, and every agreement that there was."""

from typing import Any

from bridge.simulator.octopus.homes import Account, MeterPoint, Property, Supply
from bridge.simulator.octopus.times import local


def shown(account: Account) -> dict[str, Any]:
    return {"number": account.number, "properties": [_property(home) for home in account.properties]}


def _property(home: Property) -> dict[str, Any]:
    street, town, *_ = [*(part.strip() for part in home.address.split(",")), ""]
    days = [meter.active_from for point in home.points for meter in point.meters]
    return {
        "id": int(home.id) if home.id.isdigit() else home.id,
        "moved_in_at": f"{min(days)}T00:00:00Z" if days else None,
        "moved_out_at": None,
        "address_line_1": street,
        "address_line_2": "",
        "address_line_3": "",
        "town": town,
        "county": "",
        "postcode": home.postcode,
        "electricity_meter_points": [
            {"mpan": point.number, "profile_class": 1, **_point(point), "is_export": point.supply is Supply.EXPORT}
            for point in home.electricity()
        ],
        "gas_meter_points": [{"mprn": point.number, **_point(point)} for point in home.gas()],
    }


def _point(point: MeterPoint) -> dict[str, Any]:
    agreements = [
        {
            "tariff_code": each.tariff,
            "valid_from": local(each.valid_from),
            "valid_to": None if each.valid_to is None else local(each.valid_to),
        }
        for each in point.agreements
        if not each.revoked
    ]
    meters = [{"serial_number": meter.serial, "registers": []} for meter in point.meters]
    return {"consumption_standard": 2900, "meters": meters, "agreements": agreements}
