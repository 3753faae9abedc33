"""Octopus Energy Germany: market locations (Malos) instead of meter points, cents instead of pence, quarter-hours of a forecast.

Known from clients alone, never checked against the live schema: `kwh2mqtt introspect` tells whether it still fits.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import Malformed, NotFound
from bridge.providers.octopus import documents
from bridge.providers.octopus.household import GAS, IMPORT, Agreement, Household, Supply, Tariff
from bridge.providers.octopus.raw import each, instant, number
from bridge.providers.octopus.tariffs import Rate
from bridge.transport.graphql import Json

ONE_DAY = timedelta(days=1)
KIND = "Malo"

HOUSEHOLD = """
fragment Rates on UnitRateInformation {
  __typename
  ... on SimpleProductUnitRateInformation { latestGrossUnitRateCentsPerKwh }
  ... on TimeOfUseProductUnitRateInformation {
    rates {
      timeslotName
      latestGrossUnitRateCentsPerKwh
      timeslotActivationRules { activeFromTime activeToTime }
    }
  }
}
query Household($account: String!) {
  account(accountNumber: $account) {
    number
    allProperties {
      id
      electricityMalos {
        maloNumber
        agreements {
          validFrom
          validTo
          isActive
          product { code isTimeOfUse }
          unitRateInformation { ...Rates }
          unitRateForecast { validFrom validTo unitRateInformation { ...Rates } }
        }
      }
      gasMalos {
        maloNumber
        agreements { validFrom validTo isActive product { code } unitRateInformation { ...Rates } }
      }
    }
  }
}
"""

# what is asked of this tenant; the rest is British
SHARED = ("sign-in", "accounts", "balance", "devices", "planned dispatches", "completed dispatches", "transactions")
SHARED_WRITES = ("boost", "smart control", "charge preferences")
DOCUMENTS = {"household": HOUSEHOLD, **{name: documents.DOCUMENTS[name] for name in (*SHARED, *SHARED_WRITES)}}


def households(data: Json, account_number: str, moment: datetime) -> list[Household]:
    """Return the properties of an account that have a market location. Raises Malformed."""
    read = each(_properties(data, account_number), "property", lambda one: _household(one, account_number))
    present = [one for one in read if any(supply.concerns(moment) for supply in one.supplies)]
    return present or read


def rates(data: Json, account_number: str, malo: str, begin: datetime, end: datetime, zone: ZoneInfo) -> list[Rate]:
    """Return the rates of one market location over [begin, end), in cents: the forecast over what the agreement says."""
    found: list[Rate] = []
    for one in _properties(data, account_number):
        for point in (*(one.get("electricityMalos") or ()), *(one.get("gasMalos") or ())):
            if str(point.get("maloNumber")) == malo:
                agreements = [agreement for agreement in point.get("agreements") or () if isinstance(agreement, dict)]
                found += [rate for agreement in agreements for rate in _rates(agreement, begin, end, zone)]
    return found


def _properties(data: Json, account_number: str) -> list[Json]:
    account = data.get("account")
    if not isinstance(account, dict):
        raise NotFound(f"account {account_number} is not known to the provider, or not ours")
    properties = account.get("allProperties")
    if not isinstance(properties, list):
        raise Malformed(f"the answer names no properties of account {account_number}")
    return [one for one in properties if isinstance(one, dict)]


def _household(one: Json, account: str) -> Household:
    electricity = each(one.get("electricityMalos"), "market location", lambda point: _supply(IMPORT, point))
    gas = each(one.get("gasMalos"), "market location", lambda point: _supply(GAS, point))
    supplies = (*electricity, *gas)
    numbers = {f"{supply.stream}_malo": supply.number for supply in supplies}
    return Household(account, str(one["id"]), supplies, {"account": account, **numbers})


def _supply(stream: str, point: Json) -> Supply:
    found = each(point.get("agreements"), "agreement", _agreement)
    return Supply(stream, str(point["maloNumber"]), tuple(sorted(found, key=lambda one: one.start)))


def _agreement(one: Json) -> Agreement | None:
    code = (one.get("product") or {}).get("code")
    if not code or not one.get("validFrom"):
        return None
    end = instant(one["validTo"]) if one.get("validTo") else None
    return Agreement(instant(one["validFrom"]), end, Tariff(str(code), str(code), KIND, None, {}))


def _rates(agreement: Json, begin: datetime, end: datetime, zone: ZoneInfo) -> list[Rate]:
    start = max(begin, instant(agreement["validFrom"])) if agreement.get("validFrom") else begin
    stop = min(end, instant(agreement["validTo"])) if agreement.get("validTo") else end
    if start >= stop:
        return []
    forecast = each(agreement.get("unitRateForecast"), "forecast rate", lambda row: _forecast(row, zone))
    if not forecast:
        return list(_told(agreement.get("unitRateInformation"), start, stop, zone))
    # the dynamic tariff's own rate is a mere average, and its forecast ends with the agreement
    clipped = (Rate(max(rate.start or start, start), min(rate.end or stop, stop), rate.pence) for rate in forecast)
    return [rate for rate in clipped if rate.start is not None and rate.end is not None and rate.start < rate.end]


def _forecast(row: Json, zone: ZoneInfo) -> Rate | None:
    start, end = instant(row["validFrom"]), instant(row["validTo"])
    if end <= start:
        raise ValueError("a rate ends before it begins")
    return next((Rate(start, end, rate.pence) for rate in _told(row.get("unitRateInformation"), start, end, zone)), None)


def _told(information: Any, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Rate]:
    if isinstance(information, list):
        information = next(iter(information), None)
    if not isinstance(information, dict):
        return
    if information.get("latestGrossUnitRateCentsPerKwh") is not None:
        yield Rate(begin, end, number(information["latestGrossUnitRateCentsPerKwh"]))
        return
    for slot in information.get("rates") or ():
        cents = number(slot["latestGrossUnitRateCentsPerKwh"])
        rules = slot.get("timeslotActivationRules") or ()
        if not rules:
            yield Rate(begin, end, cents)
        for rule in rules:
            yield from _daily(rule, cents, begin, end, zone)


def _daily(rule: Json, cents: Decimal, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Rate]:
    opens, closes = time.fromisoformat(str(rule["activeFromTime"])), time.fromisoformat(str(rule["activeToTime"]))
    day = begin.astimezone(zone).date() - ONE_DAY
    while day <= end.astimezone(zone).date():
        start = datetime.combine(day, opens, zone).astimezone(UTC)
        stop = datetime.combine(day + ONE_DAY * (closes <= opens), closes, zone).astimezone(UTC)
        if max(start, begin) < min(stop, end):
            yield Rate(max(start, begin), min(stop, end), cents)
        day += ONE_DAY
