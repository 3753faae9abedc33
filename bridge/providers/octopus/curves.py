"""The price streams of every site: asked for once at the start, then from the release on until tomorrow is whole."""

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from bridge.errors import Incomplete, RateLimited, SourceError
from bridge.models.observation import Observation, PricesSeen, Shortfall, SitesSeen
from bridge.models.price import Curve
from bridge.pricing.day import midnight
from bridge.providers.base import Known
from bridge.providers.octopus.household import EXPORT, GAS, IMPORT, Household, Supply, Tariff
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.prices import Prices
from bridge.providers.octopus.rota import HORIZON_DAYS
from bridge.providers.octopus.task import Desk, Key, Task

log = logging.getLogger(__name__)

HISTORY_DAYS = 2  # before today
WITHOUT = timedelta(hours=12)  # an agreement may come
FAR = datetime(9999, 1, 1, tzinfo=UTC)


class Curves:
    """Asks for each stream's prices when they are due."""

    def __init__(self, desk: Desk, households: Households) -> None:
        self._desk, self._households = desk, households
        self._prices = Prices(desk.rest, desk.kraken, desk.settings)

    def tasks(self, known: Known, moment: datetime) -> Iterator[Task]:
        for household in self._households.present(known):
            late: datetime | None = None  # streams of one market are published together: one is asked for until it is there
            for stream in (IMPORT, EXPORT, GAS):
                supply, curve = household.supply(stream), known.curve(household.id, stream)
                if supply is None and curve is not None and curve.end is not None and curve.end > moment:
                    work = partial(self._gone, household, stream, curve, moment)
                    yield Task(("prices", household.id, stream), moment, work, household.id, stream)
                elif supply is not None and (supply.agreements or curve is not None):
                    key = _key(household, supply)
                    due = self._desk.rota.prices_due(key, curve, moment, supply.until)
                    first = self._desk.rota.last(key, moment) is None
                    work = partial(self._priced, key, household, supply, known, moment)
                    yield Task(key, due if late is None or first else max(due, late), work, household.id, stream)
                    late = late or self._desk.rota.late(key, moment)

    async def _gone(self, household: Household, stream: str, curve: Curve, moment: datetime) -> AsyncIterator[Observation]:
        """Take back the prices of a supply that is no more."""
        assert curve.end is not None
        nothing = curve.model_copy(update={"slots": ()})
        yield PricesSeen(household.id, stream, nothing, (moment, curve.end))

    async def _priced(
        self, key: Key, household: Household, supply: Supply, known: Known, moment: datetime
    ) -> AsyncIterator[Observation]:
        zone, rota = self._desk.tenant.zone, self._desk.rota
        before = known.curve(household.id, supply.stream)
        first = rota.last(key, moment) is None  # of these agreements: what other ones said of the time to come is void
        begin, end = midnight(moment, zone, -HISTORY_DAYS if first else 0), midnight(moment, zone, HORIZON_DAYS)
        urgent = before is None or before.at(moment) is None
        curve = await self._prices.curve(household, supply, moment, begin, end, urgent=urgent)
        if curve.slots or first:
            yield PricesSeen(household.id, supply.stream, curve, (moment, FAR) if first else None)
        agreement = supply.agreement(moment)
        if agreement is None:
            rota.put_off(key, moment, self._until_one_begins(supply, moment))
            return
        merged = known.curve(household.id, supply.stream) or curve
        lacks, late = rota.lacks(merged, moment, supply.until), merged.at(moment) is not None
        rota.note(key, moment, vain=lacks and not late, late=lacks and late)
        if agreement.tariff.standing_charge is None and await self._charged(supply, agreement.tariff, moment):
            yield SitesSeen((self._households.site(household, moment),), complete=False)
        if lacks:
            until = f"{merged.end:%Y-%m-%dT%H:%MZ}" if merged.end else "no time"
            text = f"{supply.stream} prices: they are known until {until}, the rest is asked for again"
            yield Shortfall(Incomplete(text), household.id, behind=not late)

    async def _charged(self, supply: Supply, tariff: Tariff, moment: datetime) -> bool:
        """Learn the standing charge of a tariff that does not tell it; return whether that was news."""
        if tariff.code in self._households.charges:
            return False
        try:
            charge = await self._prices.standing_charge(supply, tariff, moment)
        except RateLimited:
            raise
        except SourceError as error:  # the prices are there all the same
            log.info("the standing charge of tariff %s cannot be had: %s", tariff.code, error)
            return False
        if charge is not None:
            self._households.charges[tariff.code] = charge
        return charge is not None

    def _until_one_begins(self, supply: Supply, moment: datetime) -> timedelta:
        """Return how long there can be no price, at the most until an agreement may have come."""
        starts = [one.start - moment for one in supply.agreements if one.start > moment]
        release = self._desk.rota.released(moment) - moment
        return min([WITHOUT, *starts, *([release] if release > timedelta() and starts else [])])


def _key(household: Household, supply: Supply) -> Key:
    """Return what names these prices: under another agreement they are others, and asked for at once."""
    return (
        "prices",
        household.id,
        supply.stream,
        *(f"{one.tariff.code} {one.start} {one.end}" for one in supply.agreements[-2:]),
    )
