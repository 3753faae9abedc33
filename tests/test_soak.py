"""Half a year of simulated life with a provider that fails at random: no price is wrong, and it is not asked too often."""

import asyncio
import contextlib
import gc
import logging
import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from bridge.feed.health import SourceReport
from bridge.feed.latest import Latest
from bridge.feed.poll import Poller
from bridge.feed.slots import Slots
from bridge.models.price import QUARTER_HOUR
from bridge.providers.base import Surroundings
from bridge.providers.tibber.source import Tibber, TibberSettings
from bridge.redact import Redactor
from bridge.simulator.faults import Fault
from bridge.simulator.homes import DEFAULT_HOMES
from bridge.simulator.prices import price
from bridge.simulator.tibber import PATH
from bridge.simulator.tibber import Tibber as Simulated
from bridge.state.budget import Budget, BudgetSettings
from bridge.topics import Topics
from bridge.transport.http import Http
from bridge.transport.shelf import Shelf
from tests.providers.direct import Direct
from tests.support import HandClock, settle, store, utc

BEGIN, DAYS = utc("2026-10-10T06:00"), 180  # both days on which the clock changes lie within
FAULTS = [
    Fault.BAD_GATEWAY,
    Fault.DROP,
    Fault.ERRORS_200,
    Fault.HTML_200,
    Fault.NO_TOMORROW,
    Fault.NULL_HOME,
    Fault.NULL_SUBSCRIPTION,
    Fault.PARTIAL_TOMORROW,
    Fault.RATE_LIMITED,
    Fault.TRUNCATED,
    Fault.UNAUTHENTICATED,
]
HOME = DEFAULT_HOMES[0]
VALUE = "kwh2mqtt/home/holm-street/price/import/value"


class Life:
    """A source with its poller and slots, on a clock in the hand."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance, self.clock, self.shelf, self.topics = (
            random.Random(seed),
            HandClock(BEGIN, turns=25),
            Shelf(),
            Topics("kwh2mqtt"),
        )
        self.simulated = Simulated(self.clock.now, homes=DEFAULT_HOMES)
        state, redact = store(folder, BEGIN), Redactor(["demo-token"])
        budget = Budget("home", BudgetSettings(), state.database)
        http = Http(budget, self.clock, redact, chance=self.chance, transport=Direct(self.simulated))
        settings = TibberSettings.model_validate({"provider": "tibber", "token": "demo-token", "url": f"http://127.0.0.1{PATH}"})
        source = Tibber(settings, Surroundings("home", http, self.clock, redact, self.chance.random(), self.chance))
        self.latest = Latest("home", {}, state, "account")
        self.report = SourceReport(self.topics, "tibber", self.latest, budget)
        self.poller = Poller(
            source, self.report, self.topics, self.shelf, self.clock, redact,
            after_poll=lambda: None, chance=self.chance,
        )  # fmt: skip
        self.slots = Slots(self.topics, [self.latest], self.shelf, self.clock)

    @contextlib.asynccontextmanager
    async def lived(self):  # type: ignore[no-untyped-def]
        tasks = [asyncio.create_task(self.slots.run()), asyncio.create_task(self.poller.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def misfortune(self) -> None:
        """Let something break now and then, for some hours at the most."""
        if self.chance.random() < 0.02:
            self.simulated.faults.set(self.chance.choice(FAULTS))
        elif self.chance.random() < 0.1:
            self.simulated.faults.set(None)

    def value(self) -> str:
        return next((message.payload.decode() for message in self.shelf._messages.values() if message.topic == VALUE), "")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_for_half_a_year_every_quarter_hour_has_its_own_price(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # half a year of kept records would look like a leak
    life = Life(tmp_path, seed)
    moment, unknown, sizes = BEGIN, 0, []
    asked: Counter[date] = Counter()
    async with life.lived():
        await settle(2000)
        while moment < BEGIN + timedelta(days=DAYS):
            moment += QUARTER_HOUR
            life.misfortune()
            await life.clock.go_to(moment)
            await settle(100)
            shown, right = life.value(), price(moment, HOME.id, HOME.currency).total
            assert shown == "" or float(shown) == float(right), moment
            unknown += shown == ""
            if moment.hour == 3 and moment.minute == 0:
                asked.update(request.moment.date() for request in life.simulated.requests)
                life.simulated.requests.clear()
                gc.collect()
                sizes.append(len(gc.get_objects()))
    assert unknown <= 0.005 * DAYS * 96  # a fault that outlasts the last call before midnight
    assert max(asked.values()) <= 3 * 2 * 25  # three attempts every half an hour, should it be away all day
    assert sum(asked.values()) / DAYS < 15
    empty = life.shelf._messages.keys() - {message.topic for message in life.shelf.messages()}
    assert [topic for topic in empty if "/cost/" not in topic] == []  # of a day that has just begun no cost is known
    assert len(life.shelf._messages) <= 25  # as many as a home has topics, however long it runs
    assert sizes[-1] - sizes[10] < 2_000
