"""An Octopus account that fails: what is known stays, what can be had is had, the reason is clear, and nobody else notices."""

import json
import logging
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import RateLimited, Unauthenticated, Unreachable
from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.feed.poll import Poller
from bridge.models.observation import DevicesSeen, FiguresSeen, LiveSeen, PricesSeen, ReadingsSeen
from bridge.simulator.octopus.faults import OctopusFault
from bridge.simulator.octopus.homes import IMPORT, Agreement
from bridge.state.budget import Budget, BudgetSettings
from bridge.topics import Topics
from bridge.transport.shelf import Shelf
from tests.providers.customer import KEY, Customer
from tests.providers.test_octopus import HOME, PLAIN, home, shortfalls
from tests.providers.test_tibber import OSLO, Account
from tests.support import store, utc

NOON = utc("2026-06-10T12:00")
RELEASE = utc("2026-06-10T15:30")


async def begun(**simulated: Any) -> Customer:
    """Return a customer whose first poll at noon was good, in the afternoon."""
    customer = Customer(NOON, simulated={**PLAIN, **simulated})
    await customer.poll()
    customer.clock.set(RELEASE)
    return customer


class Bench:
    """A customer's source and its poller, with all that it needs."""

    def __init__(self, folder: Path, customer: Customer) -> None:
        self.customer, self.shelf, topics = customer, Shelf(), Topics("kwh2mqtt")
        state = store(folder, customer.moment)
        latest = Latest("octopus", {}, state, "account")
        budget = Budget("octopus", BudgetSettings(requests=1000), state.database)
        self.report = SourceReport(topics, "octopus", latest, budget)
        self.poller = Poller(
            customer.source, self.report, topics, self.shelf, customer.clock, customer.redact,
            after_poll=lambda: None, chance=random.Random(1),
        )  # fmt: skip

    async def poll(self) -> dict[str, Any]:
        await self.poller.poll()
        health, _ = self.report.messages(self.customer.clock.now())
        told: dict[str, Any] = json.loads(health.payload)
        return told

    def held(self) -> dict[str, bytes]:
        return {message.topic: message.payload for message in self.shelf.messages() if "/price/" in message.topic}


# in the middle of a poll


@pytest.mark.parametrize(
    ("fault", "code"), [(OctopusFault.RATE_LIMITED, "rate_limited"), (OctopusFault.BAD_GATEWAY, "unavailable")]
)
async def test_a_fault_in_the_middle_of_a_poll_keeps_what_is_known_and_waits_a_minute_at_least(
    tmp_path: Path, fault: OctopusFault, code: str
) -> None:
    customer = Customer(NOON, simulated=PLAIN)
    bench = Bench(tmp_path, customer)
    assert (await bench.poll())["error"] is None
    before = bench.held()
    assert before
    customer.clock.set(RELEASE)
    customer.provider.faults.on("standard-unit-rates", fault)
    told = await bench.poll()
    assert told["error"]["code"] == code
    assert bench.held().keys() == before.keys()
    assert bench.report.fortune.next_poll is not None
    assert bench.report.fortune.next_poll - customer.clock.now() >= timedelta(minutes=1)
    customer.provider.faults.on("standard-unit-rates", None)
    customer.clock.set(RELEASE + timedelta(minutes=20))
    assert (await bench.poll())["error"] is None
    assert customer.curve is not None


async def test_another_source_goes_on(tmp_path: Path) -> None:
    customer, tibber = Customer(NOON, simulated=PLAIN), Account(NOON, homes=(OSLO,))
    customer.provider.faults.set(OctopusFault.RATE_LIMITED)
    assert (await Bench(tmp_path, customer).poll())["error"]["code"] == "rate_limited"
    assert any(isinstance(observation, PricesSeen) for observation in await tibber.poll())


async def test_too_many_requests_hold_the_whole_account_back_for_five_minutes_or_more() -> None:
    customer = await begun()
    customer.provider.faults.set(OctopusFault.RATE_LIMITED)
    with pytest.raises(RateLimited) as caught:
        await customer.execute("balance")
    assert caught.value.retry_after is not None
    assert timedelta(minutes=5) <= caught.value.retry_after <= timedelta(minutes=7)
    assert customer.meter.paused[-1] >= RELEASE + timedelta(minutes=5)


async def test_too_many_requests_for_live_values_hold_back_live_values_alone() -> None:
    customer = Customer(NOON)
    await customer.poll()
    customer.clock.set(NOON + timedelta(minutes=10))
    customer.provider.faults.on("Telemetry", OctopusFault.RATE_LIMITED)
    seen = await customer.poll()
    assert [(code, behind) for code, _, behind in shortfalls(seen)] == [("rate_limited", False)]
    assert any(isinstance(observation, DevicesSeen) for observation in seen)
    assert customer.meter.paused == []
    customer.provider.requests.clear()
    await customer.live_until(NOON + timedelta(minutes=24))
    assert "Telemetry" not in customer.asked()


async def test_while_the_sign_in_fails_prices_go_on_as_they_need_none() -> None:
    customer = await begun()
    customer.clock.set(RELEASE + timedelta(hours=1))
    customer.purse.text = None
    customer.provider.faults.on("obtainKrakenToken", OctopusFault.BAD_KEY)
    customer.clock.set(RELEASE + timedelta(hours=9))
    with pytest.raises(Unauthenticated):
        await customer.poll()
    assert {customer.curve(stream).end for stream in ("import", "export")} == {utc("2026-06-11T22:00")}


async def test_a_host_that_is_away_is_not_asked_for_one_thing_after_another() -> None:
    customer = await begun()
    await customer.poll()
    customer.clock.set(utc("2026-06-11T12:30"))
    customer.provider.requests.clear()
    customer.provider.faults.set(OctopusFault.BAD_GATEWAY)
    seen = await customer.poll()
    assert len(customer.provider.requests) <= 6
    assert [code for code, _, _ in shortfalls(seen)] == ["unavailable"]
    assert not shortfalls(seen)[0][2]


# one field


@pytest.mark.parametrize(
    ("operation", "name", "kinds"),
    [
        ("Points", "points", (PricesSeen, ReadingsSeen, FiguresSeen)),
        ("Balance", "balance", (PricesSeen, ReadingsSeen, FiguresSeen)),
        ("Measurements", "readings", (PricesSeen, FiguresSeen)),
        ("Devices", "devices", (PricesSeen, ReadingsSeen, LiveSeen)),
    ],
)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (OctopusFault.UNAUTHORIZED_FIELD, "not_allowed"),
        (OctopusFault.REMOVED_FIELD, "refused"),
        (OctopusFault.REMOVED_FIELD_BARE, "refused"),
    ],
)
async def test_a_field_that_is_denied_or_removed_costs_its_feature_and_says_so(
    operation: str, name: str, kinds: tuple[type, ...], fault: OctopusFault, code: str
) -> None:
    customer = Customer(NOON, settings={"email": "demo@example.com", "password": "demo-password"})  # no key: REST has no readings
    customer.provider.faults.on(operation, fault)
    seen = await customer.poll()
    told = shortfalls(seen)
    assert {(given, text.partition(":")[0], behind) for given, text, behind in told} == {(code, name, False)}
    for kind in kinds:
        assert any(isinstance(observation, kind) for observation in seen), kind
    customer.clock.set(NOON + timedelta(minutes=5))
    assert {(given, text.partition(":")[0]) for given, text, _ in shortfalls(await customer.poll())} == {(code, name)}


async def test_a_field_that_is_denied_is_asked_for_with_a_new_token_once_only() -> None:
    customer = await begun()
    customer.provider.faults.on("Points", OctopusFault.UNAUTHORIZED_FIELD)
    await customer.live_until(utc("2026-06-14T12:00"))
    points = [asked.moment for asked in customer.provider.requests if asked.operation == "Points"]
    assert len(points) <= 10


async def test_a_tenant_without_the_newest_fields_is_asked_as_of_2024() -> None:
    customer = Customer(NOON, simulated=PLAIN)
    customer.provider.faults.on("Household", OctopusFault.REMOVED_FIELD, times=1)
    seen = await customer.poll()
    assert shortfalls(seen) == []
    assert customer.known.sites[HOME].streams == ("import", "export", "gas")


# wrong in the configuration


async def test_a_wrong_account_is_named() -> None:
    customer = Customer(NOON, settings={"account": "A-WRONG001"})
    told = shortfalls(await customer.poll())
    assert [(code, behind) for code, _, behind in told] == [("not_found", True)]
    assert "A-WRONG001" in told[0][1]


async def test_an_account_without_an_agreement_shows_what_it_has() -> None:
    customer = Customer(NOON, simulated=home(replace(IMPORT, agreements=())))
    seen = await customer.poll()
    assert shortfalls(seen) == [("not_found", "import: no agreement is in force, so there are no prices", False)]
    assert any(isinstance(observation, FiguresSeen) for observation in seen)
    assert customer.known.sites[HOME].streams == ("import",)


async def test_an_agreement_that_has_ended_keeps_its_past_and_tells_no_price_now() -> None:
    ended = Agreement("E-1R-AGILE-24-10-01-C", valid_to=utc("2026-06-09T23:00"))
    customer = Customer(NOON, simulated=home(replace(IMPORT, agreements=(ended,))))
    told = shortfalls(await customer.poll())
    assert ("not_found", "import: no agreement is in force, so there are no prices", False) in told
    assert customer.curve().end == utc("2026-06-09T23:00")


async def test_an_empty_list_of_properties_is_told() -> None:
    customer = Customer(NOON, simulated={"properties": (), **PLAIN})
    assert shortfalls(await customer.poll()) == [("not_found", "the account has no property", True)]


@pytest.mark.parametrize("fault", [OctopusFault.ECHO_TOKEN, OctopusFault.BAD_KEY])
async def test_no_key_and_no_token_is_ever_told(fault: OctopusFault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    customer = await begun()
    tokens = [str(customer.purse.text)]
    customer.provider.faults.set(fault)
    customer.purse.text = None
    customer.clock.set(RELEASE + timedelta(hours=9))
    texts = []
    try:
        texts += [text for _, text, _ in shortfalls(await customer.poll())]
    except (Unauthenticated, Unreachable) as error:
        texts.append(str(error))
    grant = json.loads(tokens[0])
    for secret in (KEY, grant["token"], grant["refresh_token"]):
        assert all(secret not in text for text in (*texts, caplog.text)), fault
