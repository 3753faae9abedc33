"""An OctoMesh tenant that fails: what is known stays, what can be had is had, the wait is told, a list goes on where it broke."""

import json
import logging
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    Denied,
    Failed,
    Malformed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SourceError,
    Unauthenticated,
    Unreachable,
)
from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.feed.poll import Poller
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.faults import OctoFault, too_many
from bridge.simulator.octomesh.plant import plant, rt_id
from bridge.simulator.server import Response
from bridge.state.budget import Budget, BudgetSettings
from bridge.topics import Topics
from bridge.transport.shelf import Shelf
from tests.providers.operator import HOST, INVERTER, METER, NOON, SECRET, STREAMS, Operator
from tests.providers.test_octomesh import later, meters, readings, shortfalls
from tests.support import store

DOCUMENTED, ACTUAL = Dialect.DOCUMENTED, Dialect.ACTUAL
MAIN, SECOND = rt_id("65b1", 1), rt_id("65b1", 2)
FIELDS = {DOCUMENTED: "rtIndustryEnergyEnergyMeter", ACTUAL: "runtimeEntities"}
PAGED = {"type": METER, "attributes": ["name"], "first": 5}

both = pytest.mark.parametrize("dialect", list(Dialect))


class Bench:
    """An operator's source and its poller, with all that it needs."""

    def __init__(self, folder: Path, operator: Operator) -> None:
        self.operator, self.shelf, topics = operator, Shelf(), Topics("kwh2mqtt")
        state = store(folder, operator.moment)
        latest = Latest("mesh", {}, state, "account")
        budget = Budget("mesh", BudgetSettings(requests=1000), state.database)
        operator.http._meter = budget
        self.report = SourceReport(topics, "octomesh", latest, budget)
        self.poller = Poller(
            operator.source, self.report, topics, self.shelf, operator.clock, operator.redact,
            after_poll=lambda: None, chance=random.Random(1),
        )  # fmt: skip

    async def poll(self) -> dict[str, Any]:
        """Poll and return `mesh/health`."""
        await self.poller.poll()
        health, _ = self.report.messages(self.operator.clock.now())
        told: dict[str, Any] = json.loads(health.payload)
        return told

    def topics(self) -> set[str]:
        return {message.topic for message in self.shelf.messages() if "/reading/" in message.topic and message.payload}


async def known(operator: Operator) -> Operator:
    """Let an operator's schema be known, so that what follows is about entities; there is a poll due."""
    await operator.poll()
    operator.clock.set(NOON + timedelta(minutes=5))
    operator.mesh.requests.clear()
    return operator


def pages(operator: Operator) -> list[Any]:
    """Return the cursors of the pages that were asked for."""
    return [asked.variables.get("q0_after") for asked in operator.mesh.requests if FIELDS[operator.dialect] in asked.fields]


# pages


@both
async def test_too_many_requests_in_the_middle_of_the_pages_wait_as_told_and_lose_nothing(
    tmp_path: Path, dialect: Dialect
) -> None:
    operator = await known(Operator(dialect, (PAGED,)))
    bench = Bench(tmp_path, operator)
    operator.front.instead.extend([None, too_many()])
    told = await bench.poll()
    assert told["error"]["code"] == "rate_limited"
    assert bench.report.fortune.next_poll is not None
    assert timedelta(seconds=60) <= bench.report.fortune.next_poll - operator.clock.now() <= timedelta(seconds=90)
    assert pages(operator) == [None]
    operator.clock.set(bench.report.fortune.next_poll)
    assert (await bench.poll())["error"] is None
    assert len(bench.topics()) == 12
    first, *rest = pages(operator)
    assert first is None
    assert len(rest) == len(set(rest)) == 2
    assert None not in rest


@both
async def test_an_entity_that_is_gone_takes_its_topics_with_it(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(meters=2, inverters=0))
    bench = Bench(tmp_path, operator)
    await bench.poll()
    readings_of = "kwh2mqtt/mesh/demo/reading"
    both_there = {
        f"{readings_of}/{meter}/{what}" for meter in ("main-building-meter", "meter-0002") for what in ("name", "power")
    }
    assert bench.topics() == both_there
    operator.plant.delete(operator.plant.entities[SECOND], erase=True)
    operator.clock.set(NOON + timedelta(minutes=5))
    await bench.poll()
    assert bench.topics() == {topic for topic in both_there if "meter-0002" not in topic}


@both
async def test_a_token_that_ends_in_the_middle_of_the_pages_is_renewed_and_nothing_is_lost(dialect: Dialect) -> None:
    operator = await known(Operator(dialect, (PAGED,)))
    operator.mesh.faults.next(OctoFault.EXPIRED_LATER)
    seen = await operator.poll()
    assert shortfalls(seen) == []
    assert len(meters(seen).meters) == 12
    assert len(operator.mesh.requests) == 4


@both
async def test_a_page_that_fails_says_so_and_the_next_poll_goes_on_there(dialect: Dialect) -> None:
    operator = await known(Operator(dialect, (PAGED, {"type": INVERTER, "attributes": ["name"]})))
    operator.mesh.faults.next(OctoFault.LATER_PAGE)
    seen = await operator.poll()
    ((code, text, behind),) = shortfalls(seen)
    assert (code, behind) == ("unavailable", True)
    assert text.startswith(f"{METER}: page 2 of {METER}: ")
    assert len(meters(seen).meters) == 15
    seen = await later(operator)
    assert shortfalls(seen) == []
    assert len(meters(seen).meters) == 15
    assert meters(seen).complete


@both
async def test_a_cursor_that_repeats_ends_the_list_with_a_reason(dialect: Dialect) -> None:
    operator = await known(Operator(dialect, (PAGED,)))
    operator.mesh.faults.set(OctoFault.STUCK_CURSOR)
    ((code, text, _),) = shortfalls(await operator.poll())
    assert code == "unavailable"
    assert "the cursor came twice" in text
    assert len(operator.mesh.requests) <= 3


@both
async def test_more_entities_than_the_limit_are_told_with_the_mend(dialect: Dialect) -> None:
    ((_, text, _),) = shortfalls(await Operator(dialect, ({**PAGED, "limit": 10},)).poll())
    assert text.endswith("raise limit, or ask for less by filter")


@both
async def test_a_thousand_points_come_by_pages(dialect: Dialect) -> None:
    operator, found, after = Operator(dialect), [], None
    span = {"from": "2026-06-09T17:20:00Z", "to": "2026-06-10T10:00:00Z"}
    while True:
        page = await operator.execute(
            "history", type=STREAMS[dialect], rt_id=MAIN, attributes=["power"], first=300, after=after, **span
        )
        found += [point["at"] for point in page["points"]]
        after = page["next"]
        if after is None:
            break
    assert len(found) == len(set(found)) == 1000
    assert found == sorted(found)


# parts


async def test_a_type_that_fails_costs_that_type_alone() -> None:
    operator = await known(Operator(DOCUMENTED, (PAGED, {"type": INVERTER, "attributes": ["name"]})))
    operator.mesh.faults.on("rtIndustryEnergyInverter", OctoFault.COMMON)
    seen = await operator.poll()
    assert [(code, text.partition(":")[0]) for code, text, _ in shortfalls(seen)] == [("unavailable", INVERTER)]
    assert len(readings(seen)) == 1


@both
async def test_an_attribute_without_a_value_is_absent_and_no_zero(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["name"], "stream": STREAMS[dialect], "stream_attributes": ["power", "voltage"]}
    operator = await known(Operator(dialect, (entity,), plant=plant(meters=1, inverters=0)))
    operator.mesh.faults.set(OctoFault.MISSING_ATTRIBUTE)
    assert readings(await operator.poll()).keys() == {"name", "voltage"}


@both
async def test_a_schema_that_may_not_be_asked_for_is_told_as_such(dialect: Dialect) -> None:
    operator = Operator(dialect, settings={"dialect": dialect.value})
    body = b'{"errors": [{"message": "introspection is switched off", "extensions": {"code": "INTROSPECTION_DISABLED"}}]}'
    operator.front.instead.append(Response(400, body))
    with pytest.raises(Refused, match=r"the tenant's schema cannot be asked for: .*introspection is switched off"):
        await operator.poll()


@both
async def test_a_schema_that_has_changed_is_asked_for_anew(dialect: Dialect) -> None:
    operator = Operator(dialect)
    await operator.execute("entities", type=METER, attributes=["name"])
    operator.mesh.requests.clear()
    operator.front.instead.append(Response(400, b'{"errors": [{"message": "Cannot query field \'x\' on type \'Y\'."}]}'))
    found = await operator.execute("entities", type=METER, attributes=["name"])
    assert len(found["entities"]) == 12
    assert operator.mesh.requests[0].fields == ("__schema",)


# the whole


@both
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (OctoFault.RATE_LIMITED, RateLimited),
        (OctoFault.BAD_GATEWAY, Unreachable),
        (OctoFault.HTML_200, Unreachable),
        (OctoFault.EXPIRED, Unauthenticated),
        (OctoFault.FORBIDDEN, Denied),
        (OctoFault.TRUNCATED, Malformed),
        (OctoFault.DROP, Unreachable),
    ],
)
async def test_what_fails_as_a_whole_is_told_for_what_it_is(dialect: Dialect, fault: OctoFault, kind: type[SourceError]) -> None:
    operator = Operator(dialect)
    operator.mesh.faults.set(fault)
    with pytest.raises(kind):
        await operator.poll()
    operator.mesh.faults.set(None)
    operator.clock.set(operator.clock.now() + timedelta(minutes=10))
    assert len(meters(await operator.poll()).meters) == 12


@both
async def test_another_tenant_or_none_is_told_with_the_mend(dialect: Dialect) -> None:
    with pytest.raises(NotFound, match="there is no such tenant or address; look at tenant and url"):
        await Operator(dialect, settings={"url": f"{HOST}/tenants/other/graphql"}).poll()


@both
@pytest.mark.parametrize(
    ("fault", "kind", "count"),
    [
        (OctoFault.DROP_AFTER, OutcomeUnknown, 1),
        (OctoFault.BAD_GATEWAY, OutcomeUnknown, 0),
        (OctoFault.RATE_LIMITED, RateLimited, 0),
        (OctoFault.EXPIRED, Unauthenticated, 0),
        (OctoFault.FORBIDDEN, Denied, 0),
    ],
)
async def test_a_write_is_sent_once_whatever_happens(
    dialect: Dialect, fault: OctoFault, kind: type[SourceError], count: int
) -> None:
    operator = Operator(dialect)
    await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": "before"})
    operator.mesh.requests.clear()
    operator.mesh.faults.next(fault)
    with pytest.raises(kind):
        await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": "after"})
    assert len(operator.mesh.requests) == 1
    assert len(operator.mesh.written) == 1 + count


async def test_after_a_write_that_was_refused_for_its_token_the_next_one_has_another() -> None:
    operator = Operator(ACTUAL)
    await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": "x"})
    operator.mesh.faults.next(OctoFault.EXPIRED)
    with pytest.raises(Unauthenticated, match="nothing was done; ask again, the next one gets another token"):
        await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": "x"})
    operator.identity.requests.clear()
    await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": "x"})
    assert len(operator.identity.requests) == 1


@both
async def test_the_servers_reasons_are_told(dialect: Dialect) -> None:
    with pytest.raises((NotFound, Refused)) as caught:
        await Operator(dialect).execute("entity_update", type=METER, rt_id="0" * 24, attributes={"name": "x"})
    assert caught.value.reasons


@both
async def test_no_secret_and_no_token_is_ever_told(dialect: Dialect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    operator = await known(Operator(dialect))
    token = await operator.source._sign_in.token()
    operator.mesh.faults.set(OctoFault.ECHO_TOKEN)
    try:
        texts = [text for _, text, _ in shortfalls(await operator.poll())]
    except Failed as error:
        texts = [str(error), *error.reasons]
    assert texts
    for secret in (SECRET, token):
        assert all(secret not in text for text in (*texts, caplog.text))


async def test_without_a_secret_the_error_names_the_command_that_signs_in() -> None:
    operator = Operator(ACTUAL, settings={"client_secret": None, "client_id": "demo-box"})
    with pytest.raises(Unauthenticated, match="kwh2mqtt login mesh"):
        await operator.poll()


@both
async def test_a_type_that_cannot_be_read_for_once_keeps_its_meters_and_others_lose_theirs(dialect: Dialect) -> None:
    operator = await known(Operator(dialect, (PAGED, {"type": INVERTER, "attributes": ["name"]})))
    operator.plant.delete(operator.plant.entities[rt_id("65c1", 1)], erase=True)
    operator.mesh.faults.next(OctoFault.LATER_PAGE)
    seen = meters(await operator.poll())
    assert (seen.complete, len(seen.meters)) == (True, 14)


@both
async def test_a_question_that_is_under_way_when_the_schema_is_forgotten_is_answered(dialect: Dialect) -> None:
    operator = Operator(dialect)
    operator.front.before = operator.source.expire
    for _ in range(2):
        found = await operator.execute("entities", type=METER, attributes=["name"], filter={"name": {"contains": "Meter"}})
        assert len(found["entities"]) == 12
