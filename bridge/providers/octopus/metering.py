"""Readings of yesterday, asked for until yesterday is whole, and more rarely where none come; live values each minute.

Live values come where a Home Mini has been heard.
An account has 100 requests an hour for live values, and its owner's phone app wants some of them.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial

from bridge.errors import BudgetSpent, RateLimited
from bridge.models.observation import LiveSeen, Observation, ReadingsSeen, Shortfall
from bridge.pricing.day import midnight
from bridge.providers.base import Known
from bridge.providers.octopus.household import IMPORT, Household, Supply
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.readings import ARRIVAL, Readings
from bridge.providers.octopus.task import Desk, Key, Task

EVERY = timedelta(hours=8)
RARELY, A_DAY = timedelta(hours=12), 3  # where so many attempts in a row brought nothing at all
LIVE_EVERY = timedelta(seconds=60)  # for one home
NEVER_HEARD = timedelta(hours=24)
FIRST_SILENCE, LONGEST_SILENCE = timedelta(minutes=2), timedelta(minutes=64)  # waits while one that was heard is silent
LIMITED = timedelta(minutes=15)  # after too many requests for live values


class Metering:
    """Asks for readings and live values when they are due."""

    def __init__(self, desk: Desk, households: Households) -> None:
        self._desk, self._households = desk, households
        self.readings = Readings(desk.kraken, desk.rest, desk.tenant, desk.settings.calorific_value)
        self._empty: dict[Key, int] = {}  # attempts in a row that brought no reading
        self._silent: dict[str, int] = {}  # device that has been heard → vain attempts since

    def live_tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        if not self._desk.settings.telemetry or not self._desk.tenant.british:
            return
        homes = [(home, supply) for home in self._households.present(known) if (supply := home.supply(IMPORT)) and supply.device]
        every = LIVE_EVERY * max(1, len(self._silent))
        for household, supply in homes:
            key = ("live", household.id, str(supply.device))
            work = partial(self._live, key, household, supply, moment)
            yield Task(key, self._desk.rota.due(key, every, moment), work, household.id)

    def tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        yesterday = midnight(moment, self._desk.tenant.zone, -1)
        for household in self._households.present(known):
            for supply in household.supplies if self._desk.tenant.british else ():
                if supply.concerns(yesterday):
                    key = ("readings", household.id, supply.number)
                    every = RARELY if self._empty.get(key, 0) >= A_DAY else EVERY
                    due = self._desk.rota.due(key, every, moment, known.seen(ReadingsSeen))
                    yield Task(key, due, partial(self._measured, key, household, supply, moment), household.id)

    async def _measured(self, key: Key, household: Household, supply: Supply, moment: datetime) -> AsyncIterator[Observation]:
        readings, whole, past = await self.readings.yesterday(household, supply, moment)
        self._desk.rota.note(key, moment)
        self._empty[key] = 0 if readings else self._empty.get(key, 0) + 1
        if whole:
            self._desk.rota.put_off(key, moment, self._tomorrow(moment) - moment)
        if readings:
            yield ReadingsSeen(household.id, readings, past)

    async def _live(self, key: Key, household: Household, supply: Supply, moment: datetime) -> AsyncIterator[Observation]:
        rota, device = self._desk.rota, str(supply.device)
        try:
            values = await self.readings.live(supply)
        except BudgetSpent:
            raise
        except RateLimited as error:
            rota.put_off(key, moment, LIMITED)
            yield Shortfall(RateLimited(f"live: {error}"), household.id, behind=False)
            return
        if values:
            self._silent[device] = 0
            rota.note(key, moment)
            yield LiveSeen(household.id, values)
        elif device not in self._silent:
            rota.put_off(key, moment, NEVER_HEARD)
        else:
            rota.put_off(key, moment, min(FIRST_SILENCE * (1 << min(self._silent[device], 10)), LONGEST_SILENCE))
            self._silent[device] += 1

    def _tomorrow(self, moment: datetime) -> datetime:
        """Return when today's readings are worth asking for."""
        zone = self._desk.tenant.zone
        return datetime.combine(moment.astimezone(zone).date() + timedelta(days=1), ARRIVAL, zone)
