"""Carries out the operations of `operations.py`. All are queries: nothing here changes anything at the provider."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from bridge.errors import BadRequest, Malformed, NotFound, Refused
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.pricing.day import midnight
from bridge.providers.ampere import operations as words
from bridge.providers.ampere import rows
from bridge.providers.ampere.gateway import Gateway, span
from bridge.providers.ampere.lists import Found, Lists
from bridge.providers.base import Known

Do = Callable[[Any, Known, datetime], Awaitable[BaseModel]]


class Commands:
    """The operations of one source."""

    def __init__(self, gateway: Gateway, lists: Lists) -> None:
        self._gateway, self._lists = gateway, lists
        self._by_name: dict[str, Do] = {
            "facilities": self._facilities,
            "devices": self._devices,
            "reading_types": self._reading_types,
            "analysis": self._analysis,
        }

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Return what the provider answered. Raises SourceError."""
        return await self._by_name[operation](arguments, known, moment)

    async def _facilities(self, _: words.Nothing, __: Known, moment: datetime) -> words.Facilities:
        found = _whole(await self._lists.facilities(moment))
        told = (
            words.Facility(facility=site.id, site=site.id, name=site.title, timezone=site.timezone, currency=site.currency)
            for site in found.items
        )
        return words.Facilities(facilities=tuple(told))

    async def _devices(self, given: words.OfFacility, known: Known, moment: datetime) -> words.Devices:
        found = _whole(await self._lists.devices(_site(given.facility, known).id, moment))
        return words.Devices(devices=tuple(words.Device(device_id=one.id, name=one.name, type=one.type) for one in found.items))

    async def _reading_types(self, given: words.OfFacility, known: Known, moment: datetime) -> words.ReadingTypes:
        found = _whole(await self._lists.reading_types(_site(given.facility, known).id, moment))
        told = (
            words.ReadingType(device_id=one.device, type=one.type, name=one.name, unit=one.unit, quantity=self._named(one.type))
            for one in found.items
        )
        return words.ReadingTypes(reading_types=tuple(told))

    async def _analysis(self, given: words.Analysis, known: Known, moment: datetime) -> words.Figures:
        profile, site = self._gateway.profile, _site(given.facility, known)
        if profile.analysis is None:
            raise Refused("the profile has no section [analysis]")
        end = given.end or moment
        start = given.start or midnight(min(end, moment), site.zone)
        if not start < end or end - start > words.LONGEST_SPAN:
            raise BadRequest(f"args.to: must lie after from, by no more than {words.LONGEST_SPAN.days} days")
        types = profile.types("analysis", given.quantity)
        if not types:
            raise NotFound(f"the profile has no such quantity; it has: {', '.join(_quantities(profile.quantities)) or 'none'}")
        asked = {"facility": site.id, "analysis_types": types, "reading_types": [], **span(start, end)}
        results = await self._gateway.all("analysis", asked, f"analysis of {site.title}", moment)
        try:
            found = rows.everything((one.data for one in results), profile.analysis.series, site.id, moment)
        except Malformed as error:
            raise self._gateway.misread("analysis", error) from None
        if not found and (errors := [error for one in results for error in one.errors]):
            raise self._gateway.error(errors[0])
        told = [_figure(site, one) for one in rows.readings(found, profile)]
        return words.Figures(analysis=tuple(told[: given.first]))

    def _named(self, type_: str) -> str | None:
        quantity = self._gateway.profile.quantity(type_)
        return quantity.quantity if quantity else None


def _site(facility: str, known: Known) -> Site:
    """Return the facility that is meant, by its id or its name at the provider. Raises NotFound."""
    found = known.sites.get(facility) or next((site for site in known.sites.values() if site.title == facility), None)
    if found is None:
        raise NotFound(f"there is no facility {facility[:64]}; ask for facilities, which lists them")
    return found


def _whole(found: Found[Any]) -> Found[Any]:
    """Return a list of which nothing failed, or at least something came."""
    if found.errors and not found.items:
        raise found.errors[0]
    return found


def _figure(site: Site, reading: Reading) -> words.Figure:
    return words.Figure(
        site=site.id,
        device_id=None if reading.meter == site.id else reading.meter,
        quantity=reading.quantity,
        value=reading.shown,
        unit=reading.unit,
        start=reading.start,
        end=reading.end,
        at=reading.at,
    )


def _quantities(quantities: Any) -> list[str]:
    return [one.quantity for one in quantities if one.of == "analysis"]
