"""Agreements with their tariffs as GraphQL shows them, and the prices that apply under them.

A tariff tells its prices with VAT as plain numbers; those of `applicableRates` are text with many zeros.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, Unpack

from bridge.simulator.days import midnight
from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.homes import Agreement, MeterPoint, number
from bridge.simulator.octopus.paging import Cursors, connection
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.products import Tariff, current, find
from bridge.simulator.octopus.tariffs import NON_DIRECT_DEBIT, Rate, Series
from bridge.simulator.octopus.times import LONDON, asked, stamp, stamp_or_null, today


def agreement(visit: Visit, point: MeterPoint, agreed: Agreement) -> dict[str, Any]:
    found = find(agreed.tariff)
    span = {"validFrom": stamp(agreed.valid_from), "validTo": stamp_or_null(agreed.valid_to)}
    return {
        "id": number(point.number, agreed.tariff, agreed.valid_from, below=10**8),
        **span,
        "agreedFrom": span["validFrom"],
        "agreedTo": span["validTo"],
        "isRevoked": agreed.revoked,
        "tariff": tariff(visit, *found) if found else None,
    }


def tariff(visit: Visit, sold: Tariff, region: str) -> dict[str, Any]:
    """Return the tariff in a region at the prices of the moment."""
    standing = current(sold.standing, region, visit.published)
    answer: dict[str, Any] = {
        "__typename": sold.kind,
        "id": str(number(sold.code(region), "tariff")),
        "displayName": sold.name,
        "fullName": sold.name,
        "description": f"{sold.name}, at made-up prices.",
        "productCode": sold.product,
        "standingCharge": float(standing.gross) if standing else None,
        "preVatStandingCharge": float(standing.net) if standing else None,
        "tariffCode": sold.code(region),
        "isExport": sold.export,
        "tags": [],
        "agileCalculationInfo": None,
        "unitRates": _unit_rates(visit, sold.effective, region) if sold.kind == "HalfHourlyTariff" else [],
    }
    for field, series in sold.parts.items():
        answer |= _part(field, current(series, region, visit.published))
    return answer


def _part(field: str, rate: Rate | None) -> dict[str, Any]:
    return {
        field: float(rate.gross) if rate else None,
        f"preVat{field[0].upper()}{field[1:]}": float(rate.net) if rate else None,
        f"{field}EpgApplied": False,
    }


def _unit_rates(visit: Visit, series: Series, region: str) -> list[dict[str, Any]]:
    """Return what is out from the start of London's day on."""
    rates = series.rates(region, midnight(today(visit.moment), LONDON), _far(visit), visit.published)
    return [
        {
            "validFrom": stamp(rate.start),
            "validTo": stamp_or_null(rate.end),
            "value": float(rate.gross),
            "preVatValue": float(rate.net),
        }
        for rate in rates
    ]


def applicable_rates(
    visit: Visit, account_number: str, mpxn: str, start_at: str, end_at: str, **cursors: Unpack[Cursors]
) -> dict[str, Any]:
    """Return what a meter point is charged per kWh, whatever its tariff, private or not."""
    return _applicable(visit, account_number, mpxn, (start_at, end_at), cursors, standing=False)


def applicable_standing_charges(
    visit: Visit, account_number: str, mpxn: str, start_at: str, end_at: str, **cursors: Unpack[Cursors]
) -> dict[str, Any]:
    """Return what a meter point is charged per day."""
    return _applicable(visit, account_number, mpxn, (start_at, end_at), cursors, standing=True)


def _applicable(
    visit: Visit, account: str, mpxn: str, span: tuple[str, str], cursors: Cursors, *, standing: bool
) -> dict[str, Any]:
    point = next((point for point in visit.platform.account(account).points() if point.number == mpxn), None)
    if point is None:
        raise kraken_error("KT-CT-4123")
    begin, end = asked(span[0]) or visit.moment, asked(span[1]) or _far(visit)
    rates = [rate for agreed in point.agreements for rate in _under(visit, agreed, (begin, end), standing=standing)]
    return connection(rates, _rate, cursors, stuck=visit.stuck)


def _under(visit: Visit, agreed: Agreement, span: tuple[datetime, datetime], *, standing: bool) -> list[Rate]:
    """Return the prices under an agreement, clipped to it; a direct debit's where there are two."""
    found = find(agreed.tariff)
    if found is None or agreed.revoked:
        return []
    begin, end = max(span[0], agreed.valid_from), min(span[1], agreed.valid_to or span[1])
    series = found[0].standing if standing else found[0].effective
    rates = series.rates(found[1], begin, end, visit.published) if begin < end else []
    return [_clipped(rate, agreed) for rate in rates if rate.payment != NON_DIRECT_DEBIT]


def _clipped(rate: Rate, agreed: Agreement) -> Rate:
    ends = [end for end in (rate.end, agreed.valid_to) if end is not None]
    return rate._replace(start=max(rate.start, agreed.valid_from), end=min(ends, default=None))


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": _long(rate.gross), "validFrom": stamp(rate.start), "validTo": stamp_or_null(rate.end)}


def _long(value: Decimal) -> str:
    return f"{value:.16f}"


def _far(visit: Visit) -> datetime:
    """Return an instant after everything that is out."""
    return visit.moment.replace(year=visit.moment.year + 2, day=1)
