"""What the account has: facilities of all its companies, and the devices of each. What fails of one company leaves the others."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from bridge.errors import Malformed, SourceError
from bridge.models.site import Site
from bridge.providers.ampere import cells, rows
from bridge.providers.ampere.gateway import Gateway, Words, stops
from bridge.providers.ampere.profile import Listing

T = TypeVar("T")


class Found(NamedTuple, Generic[T]):
    """Items, and why there may be more of them."""

    items: Sequence[T]
    errors: Sequence[SourceError] = ()


class Lists:
    """Asks for whole lists. Everything here raises SourceError where nothing of a list can be had."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def facilities(self, moment: datetime) -> Found[Site]:
        """Return the facilities of all companies, each once."""
        companies = await self._companies(moment)
        found: dict[str, Site] = {}
        errors = list(companies.errors)
        for words in companies.items:
            try:
                some = await self._facilities(words, moment)
            except SourceError as error:
                if len(companies.items) == 1 or stops(error):
                    raise
                some = Found((), (error,))
            found |= {site.id: site for site in some.items}
            errors += some.errors
        return Found(list(found.values()), errors)

    async def devices(self, facility: str, moment: datetime) -> Found[rows.Appliance]:
        mapping = self._gateway.profile.devices
        what = f"devices of facility {facility}"
        return await self._read("devices", {"facility": facility}, what, moment, lambda row: rows.appliance(row, mapping))

    async def reading_types(self, facility: str, moment: datetime) -> Found[rows.Type]:
        mapping = self._gateway.profile.devices
        what = f"devices of facility {facility}"
        found = await self._read("devices", {"facility": facility}, what, moment, lambda row: rows.types(row, mapping))
        return Found([one for some in found.items for one in some], found.errors)

    async def _companies(self, moment: datetime) -> Found[Words]:
        """Return the words to ask for facilities with: of each company, or none where the profile needs none."""
        mapping = self._gateway.profile.companies
        if mapping is None:
            return Found([{}])
        return await self._read("companies", {}, "companies", moment, lambda row: {"company": cells.id_of(mapping.id, row)})

    async def _facilities(self, words: Words, moment: datetime) -> Found[Site]:
        mapping = self._gateway.profile.facilities
        what = f"facilities of company {words['company']}" if words else "facilities"
        return await self._read("facilities", words, what, moment, lambda row: rows.site(row, mapping))

    async def _read(self, section: str, words: Words, what: str, moment: datetime, read: Callable[[Any], T]) -> Found[T]:
        listing: Listing = getattr(self._gateway.profile, section)
        results = await self._gateway.all(section, words, what, moment)
        errors = [self._gateway.error(error) for result in results for error in result.errors]
        raw: list[Any] = []
        for result in results:
            try:
                raw += listing.items.list(result.data)
            except Malformed as error:
                raise errors[0] if errors else self._gateway.misread(section, error) from None
        found = rows.each(raw, section, read)
        if raw and not found:
            raise self._gateway.misread(section, Malformed("no row of the answer can be read by it"))
        return Found(found, errors or _odd(len(raw) - len(found), section))


def _odd(number: int, section: str) -> Sequence[SourceError]:
    return [Malformed(f"{number} of the {section} cannot be read")] if number else []
