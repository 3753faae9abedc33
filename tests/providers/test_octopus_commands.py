"""Operations carried out: what is sent for each, what is confirmed, why it was refused; a write goes once."""

from datetime import date
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel

from bridge.errors import Denied, NotFound, OutcomeUnknown, RateLimited, Refused, SourceError, Unreachable
from bridge.providers.octopus.operations import OPERATIONS
from tests.providers.test_octopus_household import BOTH_METERS, OUTGOING, account, agreed, point
from tests.providers.wire import NOON, SIGN_IN, Wire, failure, page
from tests.support import Knowledge

DEVICE: dict[str, Any] = {"device_id": "ev-1"}
BOOSTED = {"id": "ev-1", "status": {"current": "LIVE", "currentState": "BOOSTING", "isSuspended": False}}
GAS = {
    "mprn": "3000",
    "meters": [{"serialNumber": "G1", "consumptionUnits": "m³"}],
    "agreements": [agreed("G-1R-VAR-22-11-01-C")],
}
HOME = {
    "data": account(point(agreed(OUTGOING), mpan="2000", **BOTH_METERS), point(agreed(), mpan="1000", **BOTH_METERS), gas=[GAS])
}
ACCOUNTS = {"data": {"viewer": {"accounts": [{"number": "A-1", "status": "ACTIVE"}, {"number": "A-2", "status": "ACTIVE"}]}}}
SIGNS = (SIGN_IN, "Accounts", "Household")


def wired(**answers: Any) -> Wire:
    return Wire({"Accounts": ACCOUNTS, "Household": HOME, **answers})


async def done(wire: Wire, operation: str, settings: dict[str, Any] | None = None, **arguments: Any) -> BaseModel:
    source = wire.source(account="A-1", **(settings or {}))
    given = OPERATIONS[operation].arguments.model_validate(arguments)
    found = await source.execute(operation, given, Knowledge(), NOON)
    assert isinstance(found, OPERATIONS[operation].result)
    return found


async def confirmed(wire: Wire, operation: str, **arguments: Any) -> Any:
    return (await done(wire, operation, **arguments)).model_dump()


def sent(wire: Wire) -> list[tuple[str, Any]]:
    """Return what was asked but for the sign-in and who there is."""
    return [(one.about, one.given) for one in wire.sent if one.about not in SIGNS]


# devices


@pytest.mark.parametrize(
    ("operation", "about", "root", "action"),
    [
        ("boost_start", "Boost", "updateBoostCharge", "BOOST"),
        ("boost_cancel", "Boost", "updateBoostCharge", "CANCEL"),
        ("smart_control_suspend", "SmartControl", "updateDeviceSmartControl", "SUSPEND"),
        ("smart_control_resume", "SmartControl", "updateDeviceSmartControl", "UNSUSPEND"),
    ],
)
async def test_a_device_is_switched_and_its_new_state_told(operation: str, about: str, root: str, action: str) -> None:
    wire = wired(**{about: {"data": {root: BOOSTED}}})
    assert await confirmed(wire, operation, **DEVICE) == {"device_id": "ev-1", "state": "boosting", "suspended": False}
    assert sent(wire) == [(about, {"input": {"deviceId": "ev-1", "action": action}})]


async def test_a_refused_boost_tells_the_providers_reasons() -> None:
    reasons = ["BC_DEVICE_FULLY_CHARGED", "BC_DEVICE_NOT_AT_HOME"]
    wire = wired(Boost=failure("KT-CT-4357", "updateBoostCharge", message="No boost.", boostChargeRefusalReasons=reasons))
    with pytest.raises(Refused, match="KT-CT-4357") as caught:
        await done(wire, "boost_start", **DEVICE)
    assert caught.value.reasons == tuple(reasons)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failure("KT-CT-4301", "updateBoostCharge"), NotFound),
        (failure("KT-CT-1111", "updateBoostCharge"), Denied),
        (failure("KT-CT-1199", "updateBoostCharge"), RateLimited),
        ({"data": {"updateBoostCharge": None}}, OutcomeUnknown),
        (failure("KT-CT-9999", "updateBoostCharge"), OutcomeUnknown),
        (httpx2.Response(502, text="<html>"), OutcomeUnknown),
        (httpx2.ReadTimeout("slow"), OutcomeUnknown),
        (httpx2.ConnectError("away"), Unreachable),
    ],
)
async def test_a_write_that_fails_is_not_sent_again(answer: Any, error: type[SourceError]) -> None:
    wire = wired(Boost=answer)
    with pytest.raises(error):
        await done(wire, "boost_start", **DEVICE)
    assert len(sent(wire)) == 1


@pytest.mark.parametrize("odd", [5, "text", [1], {"status": 5}, {"status": {"isSuspended": "maybe"}}])
async def test_after_a_confirmation_of_an_odd_shape_nobody_knows(odd: object) -> None:
    with pytest.raises(OutcomeUnknown):
        await done(wired(Boost={"data": {"updateBoostCharge": odd}}), "boost_start", **DEVICE)


async def test_preferences_are_sent_for_all_seven_days_and_come_back_as_they_were_taken() -> None:
    days = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
    taken = [{"dayOfWeek": day, "time": "07:00:00", "min": None, "max": "80.00"} for day in days]
    preferences = {"mode": "CHARGE", "unit": "PERCENTAGE", "schedules": taken}
    wire = wired(ChargePreferences={"data": {"setDevicePreferences": {"id": "ev-1", "preferences": preferences}}})
    week = [
        {"time": "09:00", "max": 100, "min": 12.5, "days": ["sunday", "saturday"]},
        {"time": "07:00", "max": 80.0, "days": ["monday", "tuesday", "wednesday", "thursday", "friday"]},
    ]
    found = await confirmed(wire, "charge_preferences_set", **DEVICE, schedules=week)
    told = [{"time": "07:00", "max": 80.0, "min": None, "days": (day.lower(),)} for day in days]
    assert found == {"device_id": "ev-1", "mode": "charge", "unit": "percentage", "schedules": tuple(told)}
    workdays = [{"dayOfWeek": day, "time": "07:00", "max": "80"} for day in days[:5]]
    weekend = [{"dayOfWeek": day, "time": "09:00", "max": "100", "min": "12.5"} for day in days[5:]]
    about = {"deviceId": "ev-1", "mode": "CHARGE", "unit": "PERCENTAGE", "schedules": workdays + weekend}
    assert sent(wire) == [("ChargePreferences", {"input": about})]


# sessions


async def test_a_session_is_joined_at_the_gateway_with_the_same_token() -> None:
    wire = wired(JoinSavingSession={"data": {"joinSavingSessionsEvent": {"joinedEventCodes": ["E1", "E2"]}}})
    assert await confirmed(wire, "saving_session_join", event_code="E2") == {"joined_event_codes": ("E1", "E2")}
    assert sent(wire) == [("JoinSavingSession", {"input": {"accountNumber": "A-1", "eventCode": "E2"}})]
    assert (wire.sent[-1].host, wire.sent[-1].authorization) == ("api.backend.octopus.energy", "token-1")


async def test_a_tenant_without_sessions_says_so() -> None:
    with pytest.raises(Refused, match="the tenant edf has no saving sessions"):
        await done(wired(), "saving_session_join", {"tenant": "edf"}, event_code="E2")


# a meter's reading


@pytest.mark.parametrize(
    ("meter", "about", "root", "given"),
    [
        ("import", "ElectricityReading", "createElectricityMeterReading", {"mpan": "1000", "serial": "21E1"}),
        ("export", "ElectricityReading", "createElectricityMeterReading", {"mpan": "2000", "serial": "21E1"}),
        ("gas", "GasReading", "createGasMeterReading", {"mprn": "3000", "serial": "G1", "reading": 123}),
    ],
)
async def test_a_reading_is_sent_for_the_meter_that_is_meant(meter: str, about: str, root: str, given: dict[str, Any]) -> None:
    wire = wired(**{about: {"data": {root: {"readingErrors": []}}}})
    assert await confirmed(wire, "meter_reading_send", meter=meter, reading=123) == {"meter": meter, "reading": 123, "at": NOON}
    readings = {} if meter == "gas" else {"readings": [{"registerId": None, "reading": 123}]}
    assert sent(wire) == [(about, {"on": "2026-06-10", **given, **readings})]


async def test_a_reading_that_is_not_taken_tells_why() -> None:
    errors = [
        {"field": "reading", "errors": [{"message": "too low", "code": "x"}, {"message": "odd"}]},
        {"field": "on", "errors": []},
    ]
    wire = wired(ElectricityReading={"data": {"createElectricityMeterReading": {"readingErrors": [*errors, None]}}})
    with pytest.raises(Refused, match="the reading was not taken: reading: too low, odd; on: refused") as caught:
        await done(wire, "meter_reading_send", reading=1)
    assert caught.value.reasons == ("reading: too low, odd", "on: refused")


async def test_a_meter_that_is_not_there_is_not_found() -> None:
    bare = {"data": account(point(agreed()))}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"meter": "gas"}, r"there is no gas meter$"),
        ({"site": "9"}, r"there is no import meter at site 9$"),
    ]
    for arguments, text in cases:
        with pytest.raises(NotFound, match=text):
            await done(wired(Household=bare), "meter_reading_send", reading=1, **arguments)


# queries


async def test_transactions_come_in_pounds_and_page_by_page() -> None:
    node = {"__typename": "Charge", "id": "-1", "postedDate": "2024-08-20", "title": "Gas", "isReversed": False}
    node |= {"amounts": {"net": 2711, "tax": 136, "gross": 2847}, "balanceCarriedForward": 39303}
    bare = {"__typename": "Payment", "amounts": None}
    answer = {"data": {"account": {"transactions": page([node, {"postedDate": "soon"}, bare], "YXJy")}}}
    wire = wired(Transactions=answer)
    found = await confirmed(wire, "transactions", first=2, after="YXJx")
    whole = {"id": "-1", "kind": "charge", "title": "Gas", "posted": date(2024, 8, 20), "gross": 28.47, "net": 27.11, "tax": 1.36}
    nothing = dict.fromkeys(("id", "title", "posted", "gross", "net", "tax", "balance", "reversed"))
    assert found == {
        "transactions": (
            {**whole, "balance": 393.03, "currency": "GBP", "reversed": False},
            {**nothing, "kind": "payment", "currency": "GBP"},
        ),
        "next": "YXJy",
    }
    assert sent(wire) == [("Transactions", {"account": "A-1", "first": 2, "after": "YXJx"})]


async def test_transactions_that_may_not_be_seen_are_not_allowed() -> None:
    wire = wired(Transactions=failure("KT-CT-1111", "account", "transactions", data={"account": {"transactions": None}}))
    with pytest.raises(Denied):
        await done(wire, "transactions")


async def test_the_balance_of_every_account_of_the_sign_in_is_told() -> None:
    wire = wired(Balance=lambda one: {"data": {"account": {"balance": {"A-1": 39303, "A-2": -1}[one.given["account"]]}}})
    source = wire.source()
    found = await source.execute("balance", OPERATIONS["balance"].arguments(), Knowledge(), NOON)
    assert [(float(one["value"]), one["currency"], one["at"]) for one in found.model_dump()["balance"]] == [
        (393.03, "GBP", NOON),
        (-0.01, "GBP", NOON),
    ]


async def test_telemetry_is_asked_of_the_import_meter_and_missing_where_there_is_none() -> None:
    row = {"readAt": "2026-06-10T11:59:50+00:00", "demand": "-250.0", "consumption": "12345000", "export": None}
    wire = wired(Telemetry={"data": {"smartMeterTelemetry": [row]}})
    found = await confirmed(wire, "telemetry")
    assert [(one["quantity"], float(one["value"]), one["unit"]) for one in found["telemetry"]] == [
        ("power", -250.0, "W"),
        ("energy", 12345.0, "kWh"),
    ]
    assert sent(wire) == [("Telemetry", {"device": "00-01"})]
    with pytest.raises(NotFound, match="no meter of this account has telemetry"):
        await done(wired(Household={"data": account(point(agreed()))}), "telemetry")
