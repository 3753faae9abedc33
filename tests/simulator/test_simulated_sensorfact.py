"""The simulated Sensorfact behaves as the provider's public page says: key, allowance, windows, levels, pages, faults."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from bridge.simulator.sensorfact import KEY, POINTS, Paging, Sensorfact, SensorfactFault
from bridge.simulator.sensorfact.calendar import ROWS
from bridge.simulator.server import Hangup, Request, Response
from tests.support import FACTS, utc

NOON = utc("2026-06-10T12:04")
LINE, GAS, AIR_VOLUME = "/v1/electricity/measurements", "/v1/gas/measurements", "/v1/air-volume/measurements"
F = SensorfactFault


@dataclass
class Caller:
    """Whoever asks the simulator, at a time that a test may move."""

    moment: datetime = NOON
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.service = Sensorfact(lambda: self.moment, **self.given)

    def get(self, path: str, key: str | None = KEY, method: str = "GET", **query: str) -> Response:
        headers: Mapping[str, str] = {} if key is None else {"x-api-key": key}
        asked = {"meter": "17", **query} if path == LINE else query
        return self.follow(f"{path}?{urlencode(asked)}", headers, method)

    def follow(self, link: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Response:
        parts = urlsplit(link)
        given = {"x-api-key": KEY} if headers is None else headers
        return asyncio.run(self.service.handle(Request(method, parts.path, given, query=parts.query)))

    def ask(self, path: str, **query: str) -> Any:
        response = self.get(path, **query)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def code(self, path: str, **query: str) -> tuple[int, str | None]:
        response = self.get(path, **query)
        return response.status, json.loads(response.body).get("code")


def headers(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers if name.startswith("RateLimit")}


INVALID = (400, "INVALID_REQUEST_PARAMETERS")


# key, address, allowance


@pytest.mark.parametrize("key", [None, "", "another"])
def test_without_the_key_it_is_403(key: str | None) -> None:
    response = Caller().get(LINE, key, previous="4h", aggregation="1h")
    assert (response.status, json.loads(response.body)["code"]) == (403, "UNAUTHORIZED")


def test_what_is_not_there_is_404() -> None:
    caller = Caller()
    assert caller.code("/v1/nothing") == (404, "ENTITY_NOT_FOUND")
    assert caller.get(LINE, method="POST").status == 404


def test_every_answer_tells_the_allowance_and_beyond_it_comes_429_until_the_window_ends() -> None:
    caller = Caller(given={"limit": 3})
    asked = {"previous": "4h", "aggregation": "1h"}
    assert headers(caller.get(LINE, **asked)) == {
        "RateLimit-Limit": "3",
        "RateLimit-Remaining": "2",
        "RateLimit-Reset": "300",
        "RateLimit-Policy": "3;w=300",
    }
    caller.moment += timedelta(seconds=100)
    assert headers(caller.get("/v1/nothing"))["RateLimit-Remaining"] == "1"
    last = headers(caller.get(LINE, "another", **asked))
    assert (last["RateLimit-Remaining"], last["RateLimit-Reset"]) == ("0", "200")
    refused = caller.get(LINE, **asked)
    assert (refused.status, headers(refused)["RateLimit-Remaining"]) == (429, "0")
    caller.moment += timedelta(seconds=200)
    assert headers(caller.get(LINE, **asked))["RateLimit-Remaining"] == "2"


# windows and levels


@pytest.mark.parametrize(
    ("query", "first", "last", "count"),
    [
        ({"previous": "1d", "aggregation": "1h"}, "2026-06-09T00:00:00+02:00", "2026-06-09T23:00:00+02:00", 24),
        (
            {"previous": "1d", "aggregation": "1h", "timezone": "UTC"},
            "2026-06-08T22:00:00+00:00",
            "2026-06-09T21:00:00+00:00",
            24,
        ),
        ({"previous": "1d-now", "aggregation": "1h"}, "2026-06-09T00:00:00+02:00", "2026-06-10T14:00:00+02:00", 39),
        ({"previous": "4h", "aggregation": "1h"}, "2026-06-10T10:00:00+02:00", "2026-06-10T13:00:00+02:00", 4),
        ({"previous": "2w", "aggregation": "1d"}, "2026-05-25T00:00:00+02:00", "2026-06-07T00:00:00+02:00", 14),
        ({"previous": "3M", "aggregation": "1M"}, "2026-03-01T00:00:00+01:00", "2026-05-01T00:00:00+02:00", 3),
        ({"previous": "3w", "aggregation": "1w"}, "2026-05-18T00:00:00+02:00", "2026-06-01T00:00:00+02:00", 3),
        (
            {"from": "2026-06-10T08:00:00", "to": "2026-06-10T10:00:00", "aggregation": "1h"},
            "2026-06-10T08:00:00+02:00",
            "2026-06-10T09:00:00+02:00",
            2,
        ),
        (
            {"from": "2026-06-10T08:00:00", "to": "2026-06-10T10:00:00", "aggregation": "1h", "timezone": "UTC"},
            "2026-06-10T08:00:00+00:00",
            "2026-06-10T09:00:00+00:00",
            2,
        ),
    ],
)
def test_a_window_is_that_of_the_sites_calendar(query: dict[str, str], first: str, last: str, count: int) -> None:
    stamps = [item["timestamp"] for item in Caller().ask(LINE, **query)["data"]]
    assert (stamps[0], stamps[-1], len(stamps)) == (first, last, count)


@pytest.mark.parametrize(("moment", "hours"), [("2026-10-26T09:00", 25), ("2026-03-30T09:00", 23)])
def test_a_day_on_which_the_clock_changes_is_whole(moment: str, hours: int) -> None:
    caller = Caller(utc(moment))
    assert len(caller.ask(LINE, previous="1d", aggregation="1h")["data"]) == hours
    assert caller.code(LINE, previous="1d", aggregation="5m")[0] == 200  # no longer than a day


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"previous": "1y", "aggregation": "1d"},
        {"previous": "0d", "aggregation": "1d"},
        {"previous": "1d"},
        {"previous": "1d", "aggregation": "7m"},
        {"previous": "1d", "aggregation": "1d", "timezone": "Mars"},
        {"previous": "1d", "aggregation": "1d", "limit": "0"},
        {"previous": "1d", "aggregation": "1d", "cursor_after": "nonsense"},
        {"previous": "1d", "aggregation": "1d", "cursor_after": "MTAxNTExOTQ1MjAwNzI5NDE="},
        {"previous": "1d", "aggregation": "1d", "surprise": "1"},
        {"previous": "1d", "from": "2026-06-01T00:00:00", "to": "2026-06-02T00:00:00", "aggregation": "1d"},
        {"from": "2026-06-01T00:00:00", "aggregation": "1d"},
        {"from": "2026-06-02T00:00:00", "to": "2026-06-01T00:00:00", "aggregation": "1d"},
        {"from": "yesterday", "to": "today", "aggregation": "1d"},
        {"previous": "1d", "aggregation": "1d", "meter": "18"},
    ],
)
def test_what_does_not_pass_validation_is_400(query: dict[str, str]) -> None:
    assert Caller().code(LINE, **query) == INVALID


@pytest.mark.parametrize(
    ("path", "previous", "refused", "taken"),
    [
        (LINE, "1d-now", "5m", "15m"),
        (LINE, "2w", "30m", "1h"),
        (LINE, "3M", "12h", "1d"),
        (LINE, "13M", "5d", "1w"),
        (GAS, "13M", "12h", "1d"),
        (AIR_VOLUME, "1h", "30m", "1h"),
        (AIR_VOLUME, "3d", "12h", "1d"),
    ],
)
def test_the_least_level_is_demanded_and_auto_is_it(path: str, previous: str, refused: str, taken: str) -> None:
    caller = Caller()
    assert caller.code(path, previous=previous, aggregation=refused) == INVALID
    found = caller.ask(path, previous=previous, aggregation=taken, limit="1000")["data"]
    assert caller.ask(path, previous=previous, aggregation="auto", limit="1000")["data"] == found


def test_its_table_of_levels_is_that_of_the_provider() -> None:
    table = FACTS / "providers" / "fixtures" / "sensorfact" / "aggregation_limits.json"
    if not table.is_file():
        pytest.skip("the facts are not here")
    facts = {kind: rows for kind, rows in json.loads(table.read_text("utf-8")).items() if not kind.startswith("_")}
    facts["air"] = facts.pop("air_flow_temperature_pressure")
    assert {kind: [[period.replace("0d", "minimum"), level] for period, level in rows] for kind, rows in ROWS.items()} == facts


# pages


def pages(caller: Caller, **query: str) -> list[list[str]]:
    """Return the stamps of each page, following `next` where there is one."""
    body = caller.ask(LINE, **query)
    found = [[item["timestamp"] for item in body["data"]]]
    while "paging" in body:
        paging = body["paging"]
        link = paging.get("next")
        response = caller.follow(link) if link else caller.get(LINE, **query, cursor_after=paging["cursors"]["after"])
        body = json.loads(response.body)
        found.append([item["timestamp"] for item in body["data"]])
    return found


@pytest.mark.parametrize("paging", Paging)
def test_a_list_of_more_than_a_thousand_items_is_paged_without_a_gap(paging: Paging) -> None:
    found = pages(Caller(given={"paging": paging}), previous="1d", aggregation="1m")
    assert [len(page) for page in found] == [100] * 14 + [40]
    assert len({stamp for page in found for stamp in page}) == 1440


def test_a_page_may_be_larger_and_the_last_has_no_paging() -> None:
    assert [len(page) for page in pages(Caller(), previous="1d", aggregation="1m", limit="1000")] == [1000, 440]


def test_the_same_bucket_is_the_same_whenever_it_is_asked_for_and_the_one_that_runs_grows() -> None:
    caller = Caller()
    before = caller.ask(GAS, previous="3h-now", aggregation="1h")["data"]
    caller.moment += timedelta(minutes=20)
    after = caller.ask(GAS, previous="3h-now", aggregation="1h")["data"]
    assert before[:-1] == after[:-1]
    assert 0 < before[-1]["energy"] < after[-1]["energy"]
    assert {item["volume"] for item in after[-2:]} == {None}


def test_a_field_may_lie_inside_another() -> None:
    assert set(Caller().ask("/v1/water/measurements", previous="1h", aggregation="1h")["data"][0]["temperature"]) == {
        "inlet",
        "outlet",
    }
    assert {point.kind for point in POINTS} == set(ROWS)


# faults


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        (F.BAD_KEY, 403, "application/json"),
        (F.HTML_403, 403, "text/html"),
        (F.INVALID, 400, "application/json"),
        (F.NOT_FOUND, 404, "application/json"),
        (F.INTERNAL, 500, "application/json"),
        (F.BAD_GATEWAY, 502, "text/html"),
        (F.TOO_MANY, 429, "application/json"),
        (F.TOO_MANY_BARE, 429, "application/json"),
        (F.TOO_MANY_RETRY_AFTER, 429, "application/json"),
        (F.HTML_200, 200, "text/html"),
        (F.NONE_LEFT, 200, "application/json"),
        (F.REPEATED_CURSOR, 200, "application/json"),
        (F.FOREIGN_NEXT, 200, "application/json"),
        (F.TRUNCATED, 200, "application/json"),
    ],
)
def test_a_fault_answers_as_the_provider_would(kind: SensorfactFault, status: int, content_type: str) -> None:
    caller = Caller()
    caller.service.faults.next(None, kind)
    assert caller.get(LINE, previous="4h", aggregation="1h").status == 200
    response = caller.get(LINE, previous="4h", aggregation="1h")
    assert (response.status, response.content_type) == (status, content_type)
    assert (response.truncate_at is not None) is (kind is F.TRUNCATED)
    assert caller.get(LINE, previous="4h", aggregation="1h").status == 200


def test_faults_may_be_put_on_a_path() -> None:
    caller = Caller()
    caller.service.faults.on([GAS], F.DROP)
    assert caller.get(LINE, previous="4h", aggregation="1h").status == 200
    with pytest.raises(Hangup):
        caller.get(GAS, previous="4h", aggregation="1h")
    caller.service.faults.on([GAS], None)
    assert caller.get(GAS, previous="4h", aggregation="1h").status == 200


def test_a_429_may_say_how_long_or_nothing_at_all() -> None:
    caller = Caller()
    caller.service.faults.next(F.TOO_MANY_RETRY_AFTER, F.TOO_MANY_BARE, F.TOO_MANY)
    assert caller.get(LINE).headers == (("Retry-After", "60"),)
    assert caller.get(LINE).headers == ()
    assert headers(caller.get(LINE))["RateLimit-Remaining"] == "0"
    assert [asked.path for asked in caller.service.requests] == [LINE] * 3
