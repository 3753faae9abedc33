"""Dispatches of Intelligent devices: which there are each day, each one's plan every three minutes, and what was done."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial

from bridge.errors import SourceError
from bridge.models.observation import DevicesSeen, Observation
from bridge.providers.base import Known
from bridge.providers.octopus.devices import Devices
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.task import Desk, Key, Task

DEVICES_EVERY = timedelta(hours=24)
PLAN_EVERY = timedelta(minutes=3)
COMPLETED_EVERY = timedelta(minutes=30)


class Dispatching:
    """Asks for devices and dispatches when they are due."""

    def __init__(self, desk: Desk, households: Households, devices: Devices) -> None:
        self._desk, self._households, self._devices = desk, households, devices

    def tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        sites = {household.account: household.id for household in reversed(self._households.present(known))}
        for account, site in sites.items():
            key: Key = ("devices", account)
            work = partial(self._look, key, account, known, moment)
            yield Task(key, self._desk.rota.due(key, DEVICES_EVERY, moment), work, site)
            owned = [one for one in self._devices.owned.values() if one.account == account]
            for one in owned:
                key = ("dispatches", account, one.device.id)
                work = partial(self._plan, key, account, one.device.id, known, moment)
                yield Task(key, self._desk.rota.due(key, PLAN_EVERY, moment), work, one.property)
            if owned:
                key = ("completed dispatches", account)
                work = partial(self._complete, key, account, known, moment)
                yield Task(key, self._desk.rota.due(key, COMPLETED_EVERY, moment), work, site)

    async def _look(self, key: Key, account: str, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        before = self._devices.owned
        try:
            await self._devices.look(account, self._households.present(known), known)
        except SourceError:
            if self._devices.owned is not before:  # a part was read
                for observation in self._of(account, known):
                    yield observation
            raise
        for observation in self._seen(key, account, known, moment):
            yield observation

    async def _plan(self, key: Key, account: str, device: str, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        await self._devices.plan(device, moment)
        for observation in self._seen(key, account, known, moment):
            yield observation

    async def _complete(self, key: Key, account: str, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        await self._devices.complete(account, moment)
        for observation in self._seen(key, account, known, moment):
            yield observation

    def _seen(self, key: Key, account: str, known: Known, moment: datetime) -> Iterator[Observation]:
        self._desk.rota.note(key, moment)
        yield from self._of(account, known)

    def _of(self, account: str, known: Known) -> Iterator[Observation]:
        for household in self._households.present(known):
            if household.account == account:
                yield DevicesSeen(household.id, self._devices.of(household.id))
