"""The properties of every account of the sign-in. A tenant without the newest fields is asked as of 2024."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from bridge.errors import Denied, Failed, Incomplete, NotFound, RateLimited, SourceError, Unreachable
from bridge.models.observation import Observation, Shortfall, SitesSeen
from bridge.models.site import Site
from bridge.providers.base import Known
from bridge.providers.octopus import germany
from bridge.providers.octopus.codes import Outdated
from bridge.providers.octopus.documents import ACCOUNTS, HOUSEHOLD, HOUSEHOLD_2024
from bridge.providers.octopus.household import Household, accounts, households
from bridge.providers.octopus.kraken import LockedOut
from bridge.providers.octopus.task import Desk, Task
from bridge.transport.graphql import Json, Result

EVERY = timedelta(hours=12)
KEY = ("households",)


class Households:
    """Keeps what was last told of the properties."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._by_account: dict[str, list[Household]] = {}
        self._document = HOUSEHOLD
        self.charges: dict[str, Decimal] = {}  # tariff → pence a day, where only REST tells

    @property
    def all(self) -> list[Household]:
        """The properties, the accounts in the provider's order."""
        return [household for found in self._by_account.values() for household in found]

    def present(self, known: Known) -> list[Household]:
        """Return those that are known as sites too."""
        return [household for household in self.all if household.id in known.sites]

    def site(self, household: Household, moment: datetime) -> Site:
        personal = self._desk.settings.publish_personal_data
        return household.site(self._desk.tenant, moment, self.charges, personal=personal)

    async def numbers(self) -> list[str]:
        """Return the accounts' numbers: the configured one, or all of the sign-in. Raises SourceError."""
        found = accounts((await self._desk.kraken.ask(ACCOUNTS)).data)
        wanted = self._desk.settings.account
        if wanted is None:
            return found
        if wanted not in found:
            raise NotFound(f"account {wanted} is not one of this sign-in's: {', '.join(found)}; correct the key account")
        return [wanted]

    def tasks(self, _: Known, moment: datetime) -> Iterator[Task]:
        yield Task(KEY, self._desk.rota.due(KEY, EVERY, moment), partial(self._look, moment))

    async def at_hand(self, known: Known, moment: datetime) -> list[Household]:
        """Return the properties, asked for where that was not done yet. Raises SourceError."""
        if not self.all:
            for shortfall in await self._learnt(moment):
                raise shortfall.error
        return self.present(known) or self.all

    async def _look(self, moment: datetime) -> AsyncIterator[Observation]:
        shortfalls = await self._learnt(moment)
        settled = bool(self.all) and all(isinstance(shortfall.error, Denied) for shortfall in shortfalls)
        self._desk.rota.note(KEY, moment, vain=bool(shortfalls) and not settled)
        for observation in self._seen(moment, shortfalls):
            yield observation

    async def _learnt(self, moment: datetime) -> list[Shortfall]:
        """Ask for every account; what fails for one is a shortfall, unless nothing is known of any. Raises SourceError."""
        wanted = self._desk.settings.account
        numbers = [wanted] if wanted is not None else await self.numbers()
        shortfalls: list[Shortfall] = []
        for number in numbers:
            try:
                lacks = await self._learn(number, moment)
            except (LockedOut, RateLimited):
                raise
            except SourceError as error:
                if isinstance(error, Unreachable) and not isinstance(error, Failed) and not self.all:
                    raise
                lacks = error
            if lacks is not None:
                told = type(lacks)(f"account {number}: {lacks}")
                shortfalls.append(Shortfall(told, behind=not self._by_account.get(number)))
        self._by_account = {number: found for number, found in self._by_account.items() if number in numbers}
        return shortfalls

    async def _learn(self, number: str, moment: datetime) -> SourceError | None:
        """Ask for one account and return what its answer lacks. A part that only failed to show is as it was before."""
        result = await self._household(number)
        errors = [self._desk.kraken.error(error) for error in result.errors]
        lacks = next((error for error in errors if not isinstance(error, Denied)), next(iter(errors), None))
        try:
            found, odd = self._read(result.data, number, moment)
        except SourceError as error:
            raise (lacks or error) from None
        if odd and lacks is None:
            lacks = Incomplete(f"{odd} of its properties cannot be read")
        before = self._by_account.get(number)
        if before and lacks is not None and not isinstance(lacks, Denied):
            return lacks  # its agreements and homes are still what they were
        self._by_account[number] = found
        return lacks

    def _read(self, data: Json, number: str, moment: datetime) -> tuple[list[Household], int]:
        """Return the properties, and how many more there are that cannot be read."""
        british = self._desk.tenant.british
        found = households(data, number, moment) if british else germany.households(data, number, moment)
        account = data.get("account") or {}
        listed = account.get("properties" if british else "allProperties") or ()
        return found, sum(not isinstance(one, dict) for one in listed)

    def _seen(self, moment: datetime, shortfalls: list[Shortfall]) -> Iterator[Observation]:
        sites = tuple(self.site(household, moment) for household in self.all)
        yield SitesSeen(sites, complete=bool(sites) and not shortfalls)
        yield from shortfalls
        if not sites and not shortfalls:
            yield Shortfall(NotFound("the account has no property"))
        for household in self.all:
            if not household.supplies:
                yield Shortfall(NotFound("the property has no meter point"), household.id, behind=False)
            for supply in household.supplies:
                if supply is household.supply(supply.stream) and supply.agreement(moment) is None:
                    text = f"{supply.stream}: no agreement is in force, so there are no prices"
                    yield Shortfall(NotFound(text), household.id, behind=False)

    async def _household(self, number: str) -> Result:
        if not self._desk.tenant.british:
            return await self._desk.kraken.ask(germany.HOUSEHOLD, account=number)
        personal = self._desk.settings.publish_personal_data
        try:
            return await self._desk.kraken.ask(self._document, account=number, personal=personal)
        except Outdated:
            if self._document == HOUSEHOLD_2024:
                raise
            answer = await self._desk.kraken.ask(HOUSEHOLD_2024, account=number, personal=personal)
            self._document = HOUSEHOLD_2024
            return answer
