"""Prices of one meter point over a span, whatever its agreements: by REST without a key, else by account, else by tariff.

REST has none of a private product, and nothing in the usual place of some day-and-night ones: the product's links are followed.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from bridge.errors import Denied, Failed, Incomplete, Malformed, NotFound, Refused, Unauthenticated, Unreachable
from bridge.models.price import Curve, Slot
from bridge.providers.octopus import germany, tariffs
from bridge.providers.octopus.documents import APPLICABLE_RATES, UNIT_RATES
from bridge.providers.octopus.household import GAS, PENCE, Household, Supply, Tariff
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.raw import number
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

    async def curve(
        self, household: Household, supply: Supply, moment: datetime, begin: datetime, end: datetime, *, urgent: bool = False
    ) -> Curve:
        """Return what is known of [begin, end), agreement by agreement; where it is `urgent`, by any way there is.

        Raises SourceError where the agreement in force at `moment` has none. Of one that is over or to come, there may be none.
        """
        if not self._tenant.british:
            return await self._german(household, supply, begin, end)
        found: list[Slot] = []
        for start, stop, tariff in _pieces(supply, begin, end):
            try:
                rates = await self._rates(household, supply, tariff, start, stop, to_come=start > moment, urgent=urgent)
            except (*NOT_THERE, Incomplete, Malformed) as error:
                if start <= moment < stop:
                    raise
                log.debug("tariff %s: %s", tariff.code, error)
                continue
            found += tariffs.slots(rates, start, stop)
        return Curve(currency=self._tenant.currency, slots=tuple(found), source_resolution=HALF_HOUR)

    async def standing_charge(self, supply: Supply, tariff: Tariff, moment: datetime) -> Decimal | None:
        """Return what the supply costs a day, in pence, where GraphQL does not tell; None where REST does not either."""
        if self._rest is None or tariff.code in self._unlisted:
            return None
        product = await self._product(self._rest, tariff)
        if (told := _entry_of(product, tariff.code).get("standing_charge_inc_vat")) is not None:
            return number(told)
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
        self, household: Household, supply: Supply, tariff: Tariff, begin: datetime, end: datetime, *, to_come: bool, urgent: bool
    ) -> list[Rate]:
        if self._rest is not None and tariff.code not in self._unlisted:
            try:
                rates = await self._by_rest(self._rest, supply, tariff, begin, end)
                if rates or to_come:  # half-hours of days to come are not out yet
                    return rates
            except NOT_THERE as error:
                log.info("the prices of tariff %s are not public (%s); the account is asked for them", tariff.code, error)
            except Unreachable as error:
                if not urgent:
                    raise
                log.info("the public prices of tariff %s cannot be had (%s); the account is asked for them", tariff.code, error)
                return await self._by_account(household, supply, tariff, begin, end)
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
        links = _entry_of(await self._product(rest, tariff), tariff.code).get("links")
        named = (link for link in links or () if isinstance(link, dict) and isinstance(link.get("href"), str))
        told = {str(link.get("rel")): link["href"] for link in named}
        fuel = "gas" if supply.stream == GAS else "electricity"
        names = (DAY, NIGHT, STANDING) if tariff.kind in TWO_REGISTERS else (STANDARD, STANDING)
        path = f"/products/{tariff.product}/{fuel}-tariffs/{tariff.code}/"
        usual = {name: f"{path}{name.replace('_', '-')}/" for name in names}
        return told if STANDARD in told or {DAY, NIGHT} <= told.keys() else {**usual, **told}

    async def _product(self, rest: Rest, tariff: Tariff) -> Json:
        """Return what REST says of the tariff's product; nothing where it does not show it."""
        if tariff.product not in self._products:
            try:
                self._products[tariff.product] = await rest.get(f"/products/{tariff.product}/")
            except (*NOT_THERE, Malformed):
                self._products[tariff.product] = {}
        return self._products[tariff.product]

    async def _by_account(
        self, household: Household, supply: Supply, tariff: Tariff, begin: datetime, end: datetime
    ) -> list[Rate]:
        span = {"account": household.account, "mpxn": supply.number, "start": stamp(begin), "end": stamp(end)}
        try:
            nodes = await self._kraken.nodes(APPLICABLE_RATES, ("applicableRates",), **span)
        except (NotFound, Refused, Denied, Malformed, Failed) as error:
            log.info("there are no applicable rates for tariff %s (%s)", tariff.code, error)
            nodes = []
        rates = tariffs.listed_rates(nodes)
        if not rates or tariffs.contradict(rates):  # two registers at one time: which holds when, only the tariff tells
            rates = await self._by_tariff(household, supply, tariff, begin, end)
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


def _pieces(supply: Supply, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Tariff]]:
    """Yield [begin, end) cut where another agreement comes into force, each piece with the tariff that holds in it."""
    edges = {edge for one in supply.agreements for edge in (one.start, one.end) if edge is not None and begin < edge < end}
    start, tariff = begin, None
    for mark, following in pairwise([begin, *sorted(edges), end]):
        agreement = supply.agreement(mark)
        if (holds := agreement.tariff if agreement else None) != tariff:
            if tariff is not None:
                yield start, mark, tariff
            start, tariff = mark, holds
        if following == end and tariff is not None:
            yield start, end, tariff


def _entry_of(product: Any, code: str) -> Json:
    """Return what a product says of the tariff `code`, however deep its regions and payment methods lie."""
    if isinstance(product, list):
        return next((found for one in product if (found := _entry_of(one, code))), {})
    if not isinstance(product, dict):
        return {}
    if product.get("code") == code and ("links" in product or "standing_charge_inc_vat" in product):
        return product
    return next((found for value in product.values() if (found := _entry_of(value, code))), {})


def _unit_rates(data: Json, code: str) -> list[Json]:
    account = data.get("account") or {}
    offered = [(agreement or {}).get("tariff") or {} for agreement in account.get("electricityAgreements") or ()]
    return next((one.get("unitRates") or [] for one in offered if one.get("tariffCode") == code), [])
