"""The price streams of every site: asked for once at the start, then from the release on until tomorrow is whole."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from functools import partial

from bridge.errors import Incomplete
from bridge.models.observation import Observation, PricesSeen, Shortfall, SitesSeen
from bridge.pricing.day import midnight
from bridge.providers.base import Known
from bridge.providers.octopus.household import EXPORT, GAS, IMPORT, Household, Supply, Tariff
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.prices import Prices
from bridge.providers.octopus.rota import HORIZON_DAYS
from bridge.providers.octopus.task import Desk, Key, Task

HISTORY_DAYS = 2  # before today
WITHOUT = timedelta(hours=12)  # an agreement may come


class Curves:
    """Asks for each stream's prices when they are due."""

    def __init__(self, desk: Desk, households: Households) -> None:
        self._desk, self._households = desk, households
        self._prices = Prices(desk.rest, desk.kraken, desk.settings)

    def tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        for household in self._households.present(known):
            late: datetime | None = None  # streams of one market are published together: one is asked for until it is there
            for stream in (IMPORT, EXPORT, GAS):
                supply = household.supply(stream)
                if supply is not None and supply.agreements:
                    key = _key(household, supply)
                    due = self._desk.rota.prices_due(key, known.curve(household.id, stream), moment, supply.until)
                    first = self._desk.rota.last(key, moment) is None
                    work = partial(self._priced, key, household, supply, known, moment)
                    yield Task(key, due if late is None or first else max(due, late), work, household.id, stream)
                    late = late or self._desk.rota.late(key, moment)

    async def _priced(
        self, key: Key, household: Household, supply: Supply, known: Known, moment: datetime
    ) -> AsyncIterator[Observation]:
        zone, rota = self._desk.tenant.zone, self._desk.rota
        history = 0 if rota.last(key, moment) else HISTORY_DAYS
        begin, end = midnight(moment, zone, -history), midnight(moment, zone, HORIZON_DAYS)
        curve = await self._prices.curve(household, supply, moment, begin, end)
        if curve.slots:
            yield PricesSeen(household.id, supply.stream, curve)
        agreement = supply.agreement(moment)
        if agreement is None:
            rota.put_off(key, moment, WITHOUT)
            return
        if agreement.tariff.standing_charge is None and await self._charged(supply, agreement.tariff, moment):
            yield SitesSeen((self._households.site(household, moment),), complete=False)
        merged = known.curve(household.id, supply.stream) or curve
        lacks, late = rota.lacks(merged, moment, supply.until), merged.at(moment) is not None
        rota.note(key, moment, vain=lacks and not late, late=lacks and late)
        if lacks:
            until = f"{merged.end:%Y-%m-%dT%H:%MZ}" if merged.end else "no time"
            text = f"{supply.stream} prices: they are known until {until}, the rest is asked for again"
            yield Shortfall(Incomplete(text), household.id, behind=not late)

    async def _charged(self, supply: Supply, tariff: Tariff, moment: datetime) -> bool:
        """Learn the standing charge of a tariff that does not tell it; return whether that was news."""
        if tariff.code in self._households.charges:
            return False
        charge = await self._prices.standing_charge(supply, tariff, moment)
        if charge is not None:
            self._households.charges[tariff.code] = charge
        return charge is not None


def _key(household: Household, supply: Supply) -> Key:
    """Return what names these prices: under another agreement they are others, and asked for at once."""
    return ("prices", household.id, supply.stream, *(f"{one.tariff.code} {one.start}" for one in supply.agreements[-2:]))
