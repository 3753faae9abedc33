"""The REST paths: products and rates for anybody, accounts and readings for who has the API key. The newest comes first.

`next` and `links` are absolute addresses; whoever follows them goes where `Platform.base_url` says.
"""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bridge.simulator.octopus.catalogue import detail
from bridge.simulator.octopus.faults import OctopusFault
from bridge.simulator.octopus.homes import Supply
from bridge.simulator.octopus.meters import readings
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.products import find, of_product
from bridge.simulator.octopus.rest_account import shown
from bridge.simulator.octopus.tariffs import Rate
from bridge.simulator.octopus.times import EARLIEST, HALF_HOUR, local, parsed, zulu
from bridge.simulator.server import Response

PATH = "/v1"
USUAL_PAGE, MOST_RATES, MOST_READINGS = 100, 1500, 25_000
MOMENT = timedelta(microseconds=1)
Query = Mapping[str, str]


class _Refused(Exception):
    def __init__(self, status: int, content: object) -> None:
        self.response = _json(status, content)


@dataclass(frozen=True)
class _Paged:
    """What a list is served from: all rows that were chosen, and how one is written."""

    rows: Sequence[Any]
    most: int

    def page(self, visit: Visit, path: str, query: Query) -> tuple[Sequence[Any], dict[str, Any]]:
        """Return the rows of the page asked for, and the envelope; raises _Refused where there is no such page."""
        size = min(_whole(query.get("page_size"), USUAL_PAGE), self.most)
        page = 1 if visit.stuck else _whole(query.get("page"), 1)
        begin, end = (page - 1) * size, page * size
        if page > 1 and begin >= len(self.rows):
            raise _Refused(404, {"detail": "Invalid page."})
        more = visit.stuck or end < len(self.rows)
        links = {
            "next": _address(visit, path, query, page + 1) if more else None,
            "previous": _address(visit, path, query, page - 1) if page > 1 else None,
        }
        return self.rows[begin:end], {"count": len(self.rows), **links}


def answered(visit: Visit, method: str, path: str, query_text: str) -> Response:
    """Return the answer to a request below `PATH`."""
    query = dict(parse_qsl(query_text, keep_blank_values=True))
    if visit.met.fault is OctopusFault.RATE_LIMITED:
        return _json(429, {"detail": "Request was throttled."})
    if method != "GET":
        return _json(405, {"detail": f'Method "{method}" not allowed.'})
    try:
        return _json(200, _content(visit, path, query))
    except _Refused as refused:
        return refused.response


def authorised(visit: Visit) -> bool:
    """Tell whether the API key came as the user of HTTP Basic, with an empty password."""
    scheme, _, text = visit.authorisation.partition(" ")
    try:
        return scheme == "Basic" and b64decode(text).decode() == f"{visit.platform.credentials.api_key}:"
    except ValueError:
        return False


def _content(visit: Visit, path: str, query: Query) -> dict[str, Any]:
    match path.removeprefix(PATH).strip("/").split("/"):
        case ["products", code]:
            return _product(visit, code)
        case ["products", code, "electricity-tariffs" | "gas-tariffs" as fuel, tariff, address]:
            return _rates(visit, path, query, (code, fuel, tariff, address))
        case ["electricity-meter-points" | "gas-meter-points" as fuel, name, "meters", serial, "consumption"]:
            return _consumption(visit, path, query, (fuel, name, serial))
        case ["accounts", name]:
            return _account(visit, name)
        case _:
            raise _missing()


def _product(visit: Visit, code: str) -> dict[str, Any]:
    if content := detail(of_product(code), visit.published, f"{visit.platform.base_url}{PATH}"):
        return content
    raise _missing()


def _rates(visit: Visit, path: str, query: Query, names: tuple[str, str, str, str]) -> dict[str, Any]:
    code, fuel, tariff, address = names
    found = find(tariff)
    if found is None or found[0].private or found[0].product != code or found[0].gas is not (fuel == "gas-tariffs"):
        raise _missing()
    series = found[0].series(address)
    if series is None:
        raise _missing()
    begin = _moment(query, "period_from") or EARLIEST
    end = _moment(query, "period_to") or visit.moment + timedelta(days=7)
    # Chosen is also what ends as the period begins.
    chosen = series.rates(found[1], begin - MOMENT, end, visit.published)
    rows, envelope = _Paged(chosen[::-1], MOST_RATES).page(visit, path, query)
    return {**envelope, "results": [_rate(row) for row in rows]}


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "value_exc_vat": float(rate.net),
        "value_inc_vat": float(rate.gross),
        "valid_from": zulu(rate.start),
        "valid_to": None if rate.end is None else zulu(rate.end),
        "payment_method": rate.payment,
    }


def _consumption(visit: Visit, path: str, query: Query, names: tuple[str, str, str]) -> dict[str, Any]:
    fuel, name, serial = names
    _known(visit)
    meters = [
        (point, meter)
        for point in visit.platform.points()
        for meter in point.meters
        if (point.number, meter.serial) == (name, serial) and (point.supply is Supply.GAS) is fuel.startswith("gas")
    ]
    if not meters:
        raise _missing()
    begin = _moment(query, "period_from") or EARLIEST
    end = _moment(query, "period_to") or visit.moment
    # The half-hour that begins as the period ends is told as well.
    chosen = readings(*meters[0], begin, end + MOMENT, visit.moment)
    ordered = chosen if query.get("order_by") == "period" else chosen[::-1]
    rows, envelope = _Paged(ordered, MOST_READINGS).page(visit, path, query)
    results = [
        {
            "consumption": float(row.value),
            "interval_start": local(row.start),
            "interval_end": local(row.start + HALF_HOUR),
        }
        for row in rows
    ]
    return {**envelope, "results": results}


def _account(visit: Visit, name: str) -> dict[str, Any]:
    _known(visit)
    for account in visit.platform.accounts:
        if account.number == name:
            return shown(account)
    raise _missing()


def _known(visit: Visit) -> None:
    if not visit.authorisation:
        raise _Refused(401, {"detail": "Authentication credentials were not provided."})
    if not authorised(visit):
        raise _Refused(401, {"detail": "Invalid API key."})


def _moment(query: Query, name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        return parsed(query[name])
    except (ValueError, OverflowError):
        raise _Refused(400, {name: ["Enter a valid date/time."]}) from None


def _whole(text: str | None, otherwise: int) -> int:
    """Return a number of 1 or more, `otherwise` where the text is none."""
    return int(text) if text and text.isascii() and text.isdigit() and int(text) else otherwise


def _address(visit: Visit, path: str, query: Query, page: int) -> str:
    return f"{visit.platform.base_url}{path}?{urlencode({**query, 'page': page})}"


def _missing() -> _Refused:
    return _Refused(404, {"detail": "Not found."})


def _json(status: int, content: object) -> Response:
    return Response(status, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), "application/json")
