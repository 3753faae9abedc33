"""The root fields of Kraken, the sign-in among them, and who may have them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from graphql import GraphQLError

from bridge.simulator.octopus import customer, devices, dispatches
from bridge.simulator.octopus.agreements import applicable_rates, applicable_standing_charges
from bridge.simulator.octopus.errors import input_error, kraken_error
from bridge.simulator.octopus.faults import DISPATCHES, SIGN_IN, OctopusFault
from bridge.simulator.octopus.graphql import RootField
from bridge.simulator.octopus.homes import Supply
from bridge.simulator.octopus.meters import smart_meter_telemetry
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.supplies import node
from bridge.simulator.octopus.tokens import METHODS, SignIn, only_method

GRAPHQL_PATH = "/v1/graphql/"


def admit(visit: Visit, field: str) -> None:
    """Let the visitor in to a field, or raise GraphQLError; a sign-in asks for itself, to be noted where it fails."""
    if field != SIGN_IN:
        visit.admit(field)
    if visit.met.fault is OctopusFault.DISPATCHES_UNAVAILABLE and field in DISPATCHES:
        raise kraken_error("KT-CT-4340")


def obtain_kraken_token(visit: Visit, input: Mapping[str, str | None]) -> dict[str, Any]:  # noqa: A002 - the provider's argument
    given = {name: value for name, value in input.items() if value is not None}
    method = only_method(given)
    noted = METHODS[method][0] if method else ""
    try:
        visit.admit(SIGN_IN)
        if visit.met.fault is OctopusFault.BAD_KEY:
            raise input_error("KT-CT-1139", "input", "apiKey")
        answer = visit.platform.tokens.grant(given, visit.moment, f"{visit.platform.base_url}{GRAPHQL_PATH}")
    except GraphQLError:
        visit.platform.sign_ins.append(SignIn(visit.moment, noted, ok=False))
        raise
    visit.platform.sign_ins.append(SignIn(visit.moment, noted, ok=True))
    return {**answer, "possibleErrors": []}


def regenerate_secret_key(visit: Visit) -> dict[str, Any]:
    """Make a new API key: whoever has the old one is out."""
    visit.platform.credentials.api_key = "sk_live_regenerated"
    visit.write("regenerateSecretKey", {})
    return {"viewer": customer.viewer(visit)}


def create_electricity_meter_reading(visit: Visit, **given: Any) -> dict[str, Any]:
    values = [each.get("reading") for each in given.get("readings") or ()]
    supplies = (Supply.IMPORT, Supply.EXPORT)
    return _reading(visit, "createElectricityMeterReading", ("mpan", supplies), values, given)


def create_gas_meter_reading(visit: Visit, **given: Any) -> dict[str, Any]:
    return _reading(visit, "createGasMeterReading", ("mprn", (Supply.GAS,)), [given.get("reading")], given)


def _reading(
    visit: Visit, mutation: str, point: tuple[str, tuple[Supply, ...]], values: list[Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Take a reading, or say field by field what is wrong with it."""
    name, supplies = point
    meters = [(each.number, meter.serial) for each in visit.platform.points() if each.supply in supplies for meter in each.meters]
    wrong = {
        name: given.get(name) not in [number for number, _ in meters],
        "serialNumber": (given.get(name), given.get("serial_number")) not in meters,
        "readAt": not _is_past_day(visit, given.get("read_at")),
        "reading": not values or any(value is None or value < 0 for value in values),
    }
    errors = [_field_error(field) for field, found in wrong.items() if found]
    if not errors:
        visit.write(mutation, {_camel(key): value for key, value in given.items()})
    return {"readingErrors": errors or None, "id": None}


def _field_error(field: str) -> dict[str, Any]:
    return {"field": field, "errors": [{"__typename": "SerializerErrorType", "message": "Invalid value.", "code": "invalid"}]}


def _is_past_day(visit: Visit, text: str | None) -> bool:
    try:
        return text is None or date.fromisoformat(text) <= visit.moment.date()
    except ValueError:
        return False


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


ROOT: Mapping[str, RootField] = {
    "viewer": customer.viewer,
    "account": customer.account,
    "properties": customer.properties,
    "property": customer.property_,
    "node": node,
    "applicable_rates": applicable_rates,
    "applicable_standing_charges": applicable_standing_charges,
    "smart_meter_telemetry": smart_meter_telemetry,
    "devices": devices.devices,
    "registered_krakenflex_device": devices.registered_krakenflex_device,
    "flex_planned_dispatches": dispatches.flex_planned_dispatches,
    "planned_dispatches": dispatches.planned_dispatches,
    "completed_dispatches": dispatches.completed_dispatches,
    "loyalty_point_ledgers": customer.loyalty_point_ledgers,
    "octoplus_account_info": customer.octoplus_account_info,
    "customer_flexibility_campaign_events": customer.customer_flexibility_campaign_events,
    "rate_limit_info": customer.rate_limit_info,
    "obtain_kraken_token": obtain_kraken_token,
    "update_boost_charge": devices.update_boost_charge,
    "update_device_smart_control": devices.update_device_smart_control,
    "set_device_preferences": devices.set_device_preferences,
    "create_electricity_meter_reading": create_electricity_meter_reading,
    "create_gas_meter_reading": create_gas_meter_reading,
    "regenerate_secret_key": regenerate_secret_key,
}
