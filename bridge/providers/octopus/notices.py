"""The account's figures and what the supplier announces, each a request of its own at the rota's ticks.

An account's figures stand at the first of its sites.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from bridge.errors import NotFound
from bridge.models.observation import FiguresSeen, Observation, SchedulesSeen
from bridge.models.schedule import Schedule
from bridge.providers.base import Known
from bridge.providers.octopus import figures
from bridge.providers.octopus.documents import BALANCE, FREE_ELECTRICITY, GREENER_NIGHTS, POINTS, SAVING_SESSIONS
from bridge.providers.octopus.household import IMPORT, Household
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.task import Desk, Key, Task

FIGURES_EVERY = timedelta(hours=24)
SESSIONS_EVERY = timedelta(hours=4)  # they are announced hours before they begin, at the shortest
FREE_EVERY = timedelta(hours=8)
NIGHTS_EVERY = timedelta(hours=24)
NOTHING_FOR = timedelta(hours=24)

Asks = Callable[[Household, datetime], Awaitable[Observation | None]]


class Notices:
    """Asks for figures and schedules when they are due."""

    def __init__(self, desk: Desk, households: Households) -> None:
        self._desk, self._households = desk, households

    def tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        present = self._households.present(known)
        firsts = {household.account: household for household in reversed(present)}
        for household in firsts.values():
            for name, every, seen, asks in self._asked():
                key = (name, household.account)
                due = self._desk.rota.due(key, every, moment, known.seen(seen))
                yield Task(key, due, partial(self._work, key, asks, household, moment), household.id)

    def _asked(self) -> Iterator[tuple[str, timedelta, type[Observation], Asks]]:
        yield "balance", FIGURES_EVERY, FiguresSeen, self._balance
        if (backend := self._desk.backend) is not None:  # these are Octopus' own
            yield "points", FIGURES_EVERY, FiguresSeen, self._points
            yield "saving sessions", SESSIONS_EVERY, SchedulesSeen, partial(self._saving_sessions, backend)
            yield "free electricity", FREE_EVERY, SchedulesSeen, self._free_electricity
            yield "greener nights", NIGHTS_EVERY, SchedulesSeen, partial(self._greener_nights, backend)

    async def _work(self, key: Key, asks: Asks, household: Household, moment: datetime) -> AsyncIterator[Observation]:
        try:
            observation = await asks(household, moment)
        except NotFound:  # no points, no such campaign: there is nothing to be told of it
            self._desk.rota.put_off(key, moment, NOTHING_FOR)
            return
        self._desk.rota.note(key, moment)
        if observation is not None:
            yield observation

    async def _balance(self, household: Household, moment: datetime) -> Observation:
        result = await self._desk.kraken.ask(BALANCE, account=household.account)
        return FiguresSeen(household.id, (figures.balance(result.data, self._desk.tenant.currency, moment),))

    async def _points(self, household: Household, moment: datetime) -> Observation | None:
        found = figures.points((await self._desk.kraken.ask(POINTS)).data, moment)
        return FiguresSeen(household.id, (found,)) if found else None

    async def _saving_sessions(self, backend: Kraken, household: Household, _: datetime) -> Observation:
        result = await backend.whole(SAVING_SESSIONS, account=household.account)
        return _seen(household, figures.saving_sessions(result.data))

    async def _free_electricity(self, household: Household, _: datetime) -> Observation | None:
        supply = household.supply(IMPORT)
        if supply is None:
            return None
        campaign = self._desk.settings.free_electricity_campaign
        about = {"account": household.account, "mpan": supply.number, "campaign": campaign}
        path = ("customerFlexibilityCampaignEvents",)
        return _seen(household, figures.free_electricity(await self._desk.kraken.nodes(FREE_ELECTRICITY, path, **about)))

    async def _greener_nights(self, backend: Kraken, household: Household, _: datetime) -> Observation:
        result = await backend.whole(GREENER_NIGHTS)
        return _seen(household, figures.greener_nights(result.data, self._desk.tenant))


def _seen(household: Household, schedule: Schedule) -> SchedulesSeen:
    return SchedulesSeen(household.id, (schedule,))
