"""Prices of one meter point over a span, whatever its agreements: by REST without a key, else by account, else by tariff.

REST has none of a private product, and nothing in the usual place of some day-and-night ones: the product's links are followed.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from bridge.errors import Denied, Incomplete, Malformed, NotFound, Refused, Unauthenticated
from bridge.models.price import Curve, Slot
from bridge.providers.octopus import germany, tariffs
from bridge.providers.octopus.documents import APPLICABLE_RATES, UNIT_RATES
from bridge.providers.octopus.household import GAS, PENCE, Agreement, Household, Supply, Tariff
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.rest import Rest, stamp
from bridge.providers.octopus.settings import OctopusSettings
from bridge.providers.octopus.tariffs import HALF_HOUR, Rate
from bridge.transport.graphql import Json

log = logging.getLogger(__name__)

STANDARD, DAY, NIGHT, STANDING = "standard_unit_rates", "day_unit_rates", "night_unit_rates", "standing_charges"
TWO_REGISTERS = ("DayNightTariff", "FourRateEvTariff")
NOT_THERE = (NotFound, Refused, Denied, Unauthenticated)  # what REST says of a product that it does not show


class Prices:
    """Asks for rates; remembers of each tariff where they are to be had."""

    def __init__(self, rest: Rest | None, kraken: Kraken, settings: OctopusSettings) -> None:
        self._rest, self._kraken, self._settings, self._tenant = rest, kraken, settings, settings.place
        self._products: dict[str, Json] = {}
        self._unlisted: set[str] = set()  # tariffs that REST does not show

    async def curve(self, household: Household, supply: Supply, moment: datetime, begin: datetime, end: datetime) -> Curve:
        """Return what is known of [begin, end), agreement by agreement.

        Raises SourceError where the agreement in force at `moment` has none. Of one that is over or to come, there may be none.
        """
        if not self._tenant.british:
            return await self._german(household, supply, begin, end)
        found: list[Slot] = []
        for agreement in _overlapping(supply, begin, end):
            start, stop = max(begin, agreement.start), min(end, agreement.end or end)
            try:
                rates = await self._rates(household, supply, agreement.tariff, start, stop, to_come=agreement.start > moment)
            except (*NOT_THERE, Incomplete, Malformed) as error:
                if agreement.start <= moment and (agreement.end is None or agreement.end > moment):
                    raise
                log.debug("tariff %s: %s", agreement.tariff.code, error)
                continue
            found += tariffs.slots(rates, start, stop)
        return Curve(currency=self._tenant.currency, slots=tuple(found), source_resolution=HALF_HOUR)

    async def standing_charge(self, supply: Supply, tariff: Tariff, moment: datetime) -> Decimal | None:
        """Return what the supply costs a day, in pence, where GraphQL does not tell; None where REST does not either."""
        if self._rest is None or tariff.code in self._unlisted:
            return None
        links = await self._links(self._rest, supply, tariff)
        span: Json = {"period_from": stamp(moment), "period_to": stamp(moment + HALF_HOUR)}
        rows = await self._rest.rows(links[STANDING], **span) if STANDING in links else []
        held = tariffs.slots(tariffs.rest_rates(rows, self._settings.payment_method), moment, moment + HALF_HOUR)
        return held[0].value * PENCE if held else None

    async def _german(self, household: Household, supply: Supply, begin: datetime, end: datetime) -> Curve:
        data = (await self._kraken.ask(germany.HOUSEHOLD, account=household.account)).data
        rates = germany.rates(data, household.account, supply.number, begin, end, self._tenant.zone)
        found = tariffs.slots(rates, begin, end)
        if not found:
            raise Incomplete(f"the provider tells no prices of {supply.stream}")
        resolution = min(slot.end - slot.start for slot in found)
        return Curve(currency=self._tenant.currency, slots=found, source_resolution=resolution)

    async def _rates(
        self, household: Household, supply: Supply, tariff: Tariff, begin: datetime, end: datetime, *, to_come: bool
    ) -> list[Rate]:
        if self._rest is not None and tariff.code not in self._unlisted:
            try:
                rates = await self._by_rest(self._rest, supply, tariff, begin, end)
                if rates or to_come:  # half-hours of days to come are not out yet
                    return rates
            except NOT_THERE as error:
                log.info("the prices of tariff %s are not public (%s); the account is asked for them", tariff.code, error)
        rates = await self._by_account(household, supply, tariff, begin, end)
        self._unlisted.add(tariff.code)  # only now: what nobody knows yet may still be published
        return rates

    async def _by_rest(self, rest: Rest, supply: Supply, tariff: Tariff, begin: datetime, end: datetime) -> list[Rate]:
        links = await self._links(rest, supply, tariff)
        span: Json = {"period_from": stamp(begin), "period_to": stamp(end)}
        method = self._settings.payment_method
        if STANDARD in links and (rows := await rest.rows(links[STANDARD], **span)):
            return tariffs.rest_rates(rows, method)
        if DAY not in links or NIGHT not in links:
            return []
        day = tariffs.rest_rates(await rest.rows(links[DAY], **span), method)
        night = tariffs.rest_rates(await rest.rows(links[NIGHT], **span), method)
        return tariffs.by_day_and_night(day, night, self._night(supply, tariff), begin, end) if day and night else []

    async def _links(self, rest: Rest, supply: Supply, tariff: Tariff) -> dict[str, str]:
        """Return where the rates of `tariff` lie: as its product says, else where they usually do."""
        path = f"/products/{tariff.product}/"
        if tariff.product not in self._products:
            try:
                self._products[tariff.product] = await rest.get(path)
            except NOT_THERE:
                self._products[tariff.product] = {}
        told = {link["rel"]: link["href"] for link in _links_of(self._products[tariff.product], tariff.code)}
        if told:
            return told
        fuel = "gas" if supply.stream == GAS else "electricity"
        names = (DAY, NIGHT, STANDING) if tariff.kind in TWO_REGISTERS else (STANDARD, STANDING)
        return {name: f"{path}{fuel}-tariffs/{tariff.code}/{name.replace('_', '-')}/" for name in names}

    async def _by_account(
        self, household: Household, supply: Supply, tariff: Tariff, begin: datetime, end: datetime
    ) -> list[Rate]:
        span = {"account": household.account, "mpxn": supply.number, "start": stamp(begin), "end": stamp(end)}
        try:
            nodes = await self._kraken.nodes(APPLICABLE_RATES, ("applicableRates",), **span)
        except (NotFound, Refused, Denied, Malformed) as error:
            log.info("there are no applicable rates for tariff %s (%s)", tariff.code, error)
            nodes = []
        rates = tariffs.listed_rates(nodes) or await self._by_tariff(household, supply, tariff, begin, end)
        if not rates:
            raise Incomplete(f"the provider tells no prices of tariff {tariff.code}")
        return rates

    async def _by_tariff(
        self, household: Household, supply: Supply, tariff: Tariff, begin: datetime, end: datetime
    ) -> list[Rate]:
        """Return the rates that the tariff itself bears. A three-rate one does not say when it switches."""
        if tariff.kind == "HalfHourlyTariff":
            result = await self._kraken.ask(UNIT_RATES, account=household.account)
            return tariffs.listed_rates(_unit_rates(result.data, tariff.code))
        if "unitRate" in tariff.rates:
            return [Rate(None, None, tariff.rates["unitRate"])]
        if {"dayRate", "nightRate"} <= tariff.rates.keys() and "offPeakRate" not in tariff.rates:
            day, night = ([Rate(None, None, tariff.rates[name])] for name in ("dayRate", "nightRate"))
            return tariffs.by_day_and_night(day, night, self._night(supply, tariff), begin, end)
        return []

    def _night(self, supply: Supply, tariff: Tariff) -> tariffs.Night:
        return tariffs.night_of(tariff, self._tenant.zone, self._settings.night, is_smart=supply.is_smart)


def _overlapping(supply: Supply, begin: datetime, end: datetime) -> Iterator[Agreement]:
    """Yield the agreements of [begin, end), each ending where the next begins."""
    for number, agreement in enumerate(supply.agreements):
        later = supply.agreements[number + 1].start if number + 1 < len(supply.agreements) else None
        stop = min((moment for moment in (agreement.end, later) if moment is not None), default=None)
        if agreement.start < end and (stop is None or stop > begin):
            yield Agreement(agreement.start, stop, agreement.tariff)


def _links_of(product: Any, code: str) -> list[dict[str, str]]:
    """Return the links of the tariff `code`, however deep a product's regions and payment methods lie."""
    if isinstance(product, list):
        return next((found for one in product if (found := _links_of(one, code))), [])
    if not isinstance(product, dict):
        return []
    if product.get("code") == code and isinstance(product.get("links"), list):
        links = [link for link in product["links"] if isinstance(link, dict)]
        return [link for link in links if isinstance(link.get("rel"), str) and isinstance(link.get("href"), str)]
    return next((found for value in product.values() if (found := _links_of(value, code))), [])


def _unit_rates(data: Json, code: str) -> list[Json]:
    account = data.get("account") or {}
    offered = [(agreement or {}).get("tariff") or {} for agreement in account.get("electricityAgreements") or ()]
    return next((one.get("unitRates") or [] for one in offered if one.get("tariffCode") == code), [])
