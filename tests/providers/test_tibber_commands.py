"""Operations carried out at the simulator: what is known and what is confirmed, why it was refused; a write goes once."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from bridge.errors import (
    Denied,
    Malformed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SourceError,
    Unauthenticated,
    Unreachable,
)
from bridge.models.site import Site
from bridge.providers.base import Executor
from bridge.providers.tibber.documents import NOTIFY, VIEWER
from bridge.providers.tibber.operations import LENGTHS, MOST, OPERATIONS
from bridge.simulator import energy
from bridge.simulator.days import Resolution
from bridge.simulator.faults import Fault
from bridge.simulator.homes import Home, Profile
from bridge.simulator.paging import Paging
from bridge.simulator.server import Request, Response
from bridge.simulator.tibber import Written
from bridge.transport.graphql import Result
from tests.providers.test_tibber import BERLIN, LEFT, OSLO, TOKEN, Account
from tests.support import utc

NOON = utc("2026-06-10T12:30")
MESSAGE = {"title": "Washing machine", "message": "Done."}
ANSWERS = {"consumption": energy.consumption, "production": energy.production}


def account(*homes: Home, learnt: bool = True) -> Account:
    """Return an account of `homes`; unless `learnt`, nothing is known of it yet."""
    made = Account(NOON, homes=homes or (OSLO, BERLIN))
    if learnt:
        made.known.sites = {home.id: made_site(home) for home in made.homes}
    return made


def made_site(home: Home) -> Site:
    return Site(id=home.id, title=home.nickname or "home", timezone=home.timezone, currency=home.currency, streams=("import",))


async def done(of: Account, operation: str, **arguments: Any) -> BaseModel:
    given = OPERATIONS[operation].arguments.model_validate(arguments)
    found = await of.source.execute(operation, given, of.known, of.clock.now())
    assert isinstance(found, OPERATIONS[operation].result)
    return found


async def told(of: Account, operation: str, **arguments: Any) -> Any:
    """Return what a device is told, as JSON."""
    return json.loads((await done(of, operation, **arguments)).model_dump_json())


def expected(home: Home, operation: str, resolution: str, last: int) -> list[dict[str, Any]]:
    """Return what the simulator holds of the last slots, but for what is not known yet."""
    asked = Paging(operation, last=last)
    nodes = ANSWERS[operation](home, NOON, Resolution(resolution.upper()), asked)["nodes"]
    amount, direction = {"consumption": ("cost", "import"), "production": ("profit", "export")}[operation]
    late = 2 if (operation, resolution) == ("consumption", "hourly") else 0
    return [
        {
            "site": home.id,
            "start": utc_of(node["from"]),
            "end": utc_of(node["to"]),
            "value": node[operation],
            "unit": "kWh",
            "direction": direction,
            "resolution": LENGTHS[resolution],  # type: ignore[index]
            amount: node[amount],
            "currency": node["currency"],
        }
        for node in nodes[: len(nodes) - late]
        if node[operation] is not None
    ]


def utc_of(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_source_carries_out_operations() -> None:
    assert isinstance(account().source, Executor)


# consumption and production


async def test_an_hour_is_told_with_its_cost_in_the_words_of_a_reading() -> None:
    of = account(OSLO)
    paging = Paging("consumption", last=3)
    node = energy.consumption(OSLO, NOON, Resolution.HOURLY, paging)["nodes"][0]  # the newest two are late
    assert await told(of, "consumption", last=3) == {
        "readings": [
            {
                "site": OSLO.id,
                "start": "2026-06-10T09:00:00Z",
                "end": "2026-06-10T10:00:00Z",
                "value": node["consumption"],
                "unit": "kWh",
                "direction": "import",
                "resolution": "PT1H",
                "cost": node["cost"],
                "currency": "NOK",
            }
        ]
    }
    assert of.asked() == ["Energy"]


@pytest.mark.parametrize("operation", ["consumption", "production"])
@pytest.mark.parametrize("resolution", MOST)
async def test_every_resolution_brings_what_the_provider_holds_of_it(operation: str, resolution: str) -> None:
    last = MOST[resolution]  # type: ignore[index]
    found = await told(account(BERLIN), operation, site=BERLIN.id, resolution=resolution, last=last)
    assert found == {"readings": expected(BERLIN, operation, resolution, last)}
    assert found["readings"]


@pytest.mark.parametrize("operation", ["consumption", "production"])
async def test_all_homes_are_asked_in_one_request_and_the_last_day_where_nothing_is_said(operation: str) -> None:
    of = account(OSLO, BERLIN)
    found = await told(of, operation)
    assert found == {"readings": [*expected(OSLO, operation, "hourly", 24), *expected(BERLIN, operation, "hourly", 24)]}
    assert [asked.variables for asked in of.simulated.requests] == [
        {
            "resolution": "HOURLY",
            "last": 24,
            "consumed": operation == "consumption",
            "produced": operation == "production",
        }
    ]


async def test_one_home_is_asked_alone() -> None:
    of = account(OSLO, BERLIN)
    assert await told(of, "consumption", site=BERLIN.id, last=5) == {"readings": expected(BERLIN, "consumption", "hourly", 5)}
    assert of.asked() == ["EnergyOf"]


async def test_without_a_contract_energy_has_no_price_and_without_panels_nothing_is_produced() -> None:
    [found] = (await told(account(LEFT), "consumption", last=3))["readings"]
    assert (found["cost"], found["currency"]) == (None, None)
    assert await told(account(OSLO), "production") == {"readings": []}


async def test_a_home_that_came_back_null_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    of = account(OSLO, BERLIN)
    of.simulated.faults.next(Fault.NULL_HOME)
    assert await told(of, "consumption", last=4) == {"readings": expected(BERLIN, "consumption", "hourly", 4)}
    assert caplog.messages == []


async def answered(of: Account, answer: dict[str, Any], operation: str, **arguments: Any) -> Any:
    """Return what a device is told where the provider answers with `answer`."""

    async def handle(request: Request) -> Response:
        return Response(body=json.dumps(answer).encode())

    of.simulated.handle = handle  # type: ignore[method-assign]
    return await told(of, operation, **arguments)


def failing(index: int) -> dict[str, Any]:
    return {"message": "no luck", "path": ["viewer", "homes", index, "consumption"], "extensions": {"code": "NOT_FOUND"}}


async def test_a_home_that_failed_is_left_out_with_a_word_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    node = {"from": "2026-06-10T10:00:00+02:00", "to": "2026-06-10T11:00:00+02:00", "consumption": 1.5}
    homes = [{"id": OSLO.id, "consumption": None}, {"id": BERLIN.id, "consumption": {"nodes": [node]}}]
    answer = {"data": {"viewer": {"homes": homes}}, "errors": [failing(0)]}
    found = await answered(account(), answer, "consumption")
    assert [(one["site"], one["start"], one["value"]) for one in found["readings"]] == [(BERLIN.id, "2026-06-10T08:00:00Z", 1.5)]
    assert caplog.messages == ["consumption of 1 home(s) of Tibber's is left out: no luck"]


async def test_where_nothing_else_came_the_reason_is_told() -> None:
    answer = {"data": {"viewer": {"homes": [{"id": OSLO.id, "consumption": None}]}}, "errors": [failing(0)]}
    with pytest.raises(NotFound, match="no luck"):
        await answered(account(OSLO), answer, "consumption")


@pytest.mark.parametrize(
    "odd", [{}, {"viewer": 5}, {"viewer": {"homes": 5}}, {"viewer": {"homes": [{"id": "1", "consumption": [1]}]}}]
)
async def test_an_answer_of_an_odd_shape_is_malformed(odd: Any) -> None:
    with pytest.raises(Malformed):
        await answered(account(), {"data": odd}, "consumption")


# what goes wrong


@pytest.mark.parametrize("operation", ["consumption", "production"])
async def test_a_home_that_the_provider_does_not_know_is_not_found(operation: str) -> None:
    with pytest.raises(NotFound, match="home not found"):
        await done(account(), operation, site="nowhere")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.UNAUTHENTICATED, Unauthenticated),
        (Fault.RATE_LIMITED, RateLimited),
        (Fault.BAD_GATEWAY, Unreachable),
        (Fault.HTML_200, Unreachable),
        (Fault.TRUNCATED, Malformed),
    ],
)
async def test_a_query_fails_as_a_poll_does(fault: Fault, error: type[SourceError]) -> None:
    of = account()
    of.simulated.faults.set(fault)
    with pytest.raises(error) as raised:
        await done(of, "consumption")
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(("operation", "arguments"), [("notify", MESSAGE), ("home_update", {"site": OSLO.id, "size": 90})])
@pytest.mark.parametrize(
    ("fault", "error", "written"),
    [
        (Fault.UNAUTHENTICATED, Unauthenticated, 0),
        (Fault.RATE_LIMITED, RateLimited, 0),
        (Fault.BAD_GATEWAY, OutcomeUnknown, 0),
        (Fault.ERRORS_200, OutcomeUnknown, 0),
        (Fault.DROP, OutcomeUnknown, 0),
        (Fault.TRUNCATED, OutcomeUnknown, 1),
    ],
)
async def test_a_write_that_fails_is_not_sent_again(
    operation: str, arguments: Any, fault: Fault, error: type[SourceError], written: int
) -> None:
    of = account()
    of.simulated.faults.set(fault)
    with pytest.raises(error) as raised:
        await done(of, operation, **arguments)
    assert (len(of.simulated.requests), len(of.simulated.written)) == (1, written)
    assert TOKEN not in str(raised.value)


async def test_what_the_demo_account_may_not_do_is_not_allowed() -> None:
    of = account()
    of.simulated.is_demo = True
    with pytest.raises(Denied, match="operation not allowed for demo user"):
        await done(of, "notify", **MESSAGE)
    assert of.simulated.written == []


# a message


async def test_a_message_is_shown_and_the_number_of_phones_confirmed() -> None:
    of = account()
    assert await told(of, "notify", **MESSAGE) == {"successful": True, "pushed_to_number_of_devices": 2}
    assert of.simulated.written == [Written(NOON, "sendPushNotification", MESSAGE)]


async def test_a_message_may_open_a_screen_and_may_reach_nobody() -> None:
    of = account()
    of.simulated.devices = 0
    found = await told(of, "notify", **MESSAGE, screen="meter_reading")
    assert found == {"successful": False, "pushed_to_number_of_devices": 0}
    assert of.simulated.written == [Written(NOON, "sendPushNotification", {**MESSAGE, "screenToOpen": "METER_READING"})]


async def test_a_quote_in_a_message_stays_in_it() -> None:
    of = account()
    message = {"title": 'a "quote" }', "message": "\\ { $input } \U0001f3e0"}
    await told(of, "notify", **message)
    assert of.simulated.written == [Written(NOON, "sendPushNotification", message)]


# a home


async def test_a_home_is_corrected_and_told_as_it_is_then() -> None:
    of = account(OSLO)
    found = await told(of, "home_update", app_nickname="Loft", type="apartment", has_ventilation_system=False, main_fuse_size=35)
    assert found == {
        "site": OSLO.id,
        "app_nickname": "Loft",
        "app_avatar": "cottage",
        "size": 120,
        "type": "apartment",
        "number_of_residents": 3,
        "primary_heating_source": "air2air_heatpump",
        "has_ventilation_system": False,
        "main_fuse_size": 35,
    }
    profile = Profile(type="APARTMENT", has_ventilation_system=False, main_fuse_size=35)
    assert of.simulated.homes == (replace(OSLO, nickname="Loft", profile=profile),)
    changed = {"appNickname": "Loft", "type": "APARTMENT", "hasVentilationSystem": False, "mainFuseSize": 35}
    assert of.simulated.written == [Written(NOON, "updateHome", {"homeId": OSLO.id, **changed})]
    assert of.asked() == ["UpdateHome"]


async def test_of_several_homes_the_one_that_is_meant_must_be_named() -> None:
    of = account(OSLO, BERLIN)
    with pytest.raises(Refused, match="the account has 2 homes: name the one that is meant as site"):
        await done(of, "home_update", size=90)
    with pytest.raises(NotFound, match="the account has no home nowhere"):
        await done(of, "home_update", size=90, site="nowhere")
    assert of.asked() == []
    assert (await told(of, "home_update", size=90, site=BERLIN.id))["site"] == BERLIN.id


@pytest.mark.parametrize(("homes", "said"), [((OSLO,), None), ((OSLO, BERLIN), "has 2 homes"), ((), "the account has no home")])
async def test_before_the_first_poll_the_homes_are_asked_for(homes: tuple[Home, ...], said: str | None) -> None:
    of = Account(NOON, homes=homes)
    if said is None:
        assert (await told(of, "home_update", size=90))["size"] == 90
    else:
        with pytest.raises(SourceError, match=said):
            await done(of, "home_update", size=90)
    assert of.asked() == (["Viewer"] if said else ["Viewer", "UpdateHome"])


@pytest.mark.parametrize("odd", [None, 5, "text", [1], {"size": "much"}, {"hasVentilationSystem": "maybe"}])
async def test_after_a_confirmation_of_an_odd_shape_nobody_knows(odd: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await answered(account(OSLO), {"data": {"updateHome": odd}}, "home_update", size=90)


# a user's own documents


async def test_the_endpoint_asks_and_writes_with_variables_as_one_object() -> None:
    of = account(OSLO)
    [endpoint] = of.source.endpoints()
    assert endpoint.write is not None
    assert await endpoint.ask(VIEWER, {}) == Result({"viewer": {"homes": [{"id": OSLO.id, "appNickname": "Holm Street"}]}})
    confirmed = {"sendPushNotification": {"successful": True, "pushedToNumberOfDevices": 2}}
    assert await endpoint.write(NOTIFY, {"input": MESSAGE}) == Result(confirmed)
    of.simulated.faults.set(Fault.BAD_GATEWAY)
    with pytest.raises(SourceError):
        await endpoint.write(NOTIFY, {"input": MESSAGE})
    assert of.asked() == ["Viewer", "Notify", "Notify"]
