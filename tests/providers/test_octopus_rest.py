"""REST's pages: followed on our own address only, with the key where it is needed and nowhere else."""

from base64 import b64encode
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest

from bridge.errors import Malformed, NotFound, Refused, SourceError, Unauthenticated, Unreachable
from bridge.providers.octopus.rest import Rest, stamp
from tests.providers.wire import JSON, KEY, REST_URL, Wire
from tests.support import utc

RATES = "/products/GO-VAR-22-10-14/electricity-tariffs/E-1R-GO-VAR-22-10-14-C/standard-unit-rates/"
READINGS = "/electricity-meter-points/1000/meters/21E1/consumption/"
BASIC = f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"


def rows(*numbers: int, following: Any = None) -> Any:
    return {"count": 9, "next": following, "previous": None, "results": [{"n": number} for number in numbers]}


async def read(wire: Wire, path: str = RATES, *, signed: bool = False) -> list[Any]:
    return [row["n"] for row in await wire.rest.rows(path, signed=signed)]


async def test_rows_come_page_by_page() -> None:
    following = f"{REST_URL}{RATES}?page=2"
    wire = Wire({RATES: [rows(1, 2, following=following), rows(3)]})
    assert await read(wire) == [1, 2, 3]
    assert [sent.given for sent in wire.sent] == [{"page_size": "1500"}, {"page": "2"}]


@pytest.mark.parametrize("host", ["evil.example.com", "api.octopus.energy.evil.example.com", "127.0.0.1"])
async def test_a_next_page_on_another_host_is_asked_of_ours_and_without_a_key(host: str) -> None:
    wire = Wire({RATES: [rows(1, following=f"https://{host}/v1{RATES}?page=2"), rows(2)]})
    assert await read(wire) == [1, 2]
    assert [(sent.host, sent.authorization) for sent in wire.sent] == [("api.octopus.energy", None)] * 2


async def test_readings_are_signed_on_our_host_whatever_the_next_page_names() -> None:
    wire = Wire({READINGS: [rows(1, following=f"https://evil.example.com/v1{READINGS}?page=2"), rows(2)]})
    assert await read(wire, READINGS, signed=True) == [1, 2]
    assert [(sent.host, sent.authorization) for sent in wire.sent] == [("api.octopus.energy", BASIC)] * 2


@pytest.mark.parametrize(
    "link", ["https://evil.example.com/v1/accounts/A-1/", "/v1/accounts/A-1/", "nowhere", "//evil.example.com"]
)
async def test_a_link_that_leads_elsewhere_is_not_followed(link: str) -> None:
    wire = Wire({RATES: rows(1, following=link)})
    with pytest.raises(NotFound, match="the link leads nowhere that is known"):
        await read(wire)
    assert len(wire.sent) == 1


async def test_a_page_that_names_itself_or_one_before_as_the_next_is_malformed() -> None:
    itself, other = (f"{REST_URL}{RATES}?page={number}" for number in (2, 3))
    for pages in (
        [rows(1, following=itself), rows(2, following=itself)],
        [rows(1, following=page) for page in (itself, other, itself)],
    ):
        with pytest.raises(Malformed, match="the pages do not move on: a link to the next one came twice"):
            await read(Wire({RATES: pages}))


async def test_pages_without_end_are_given_up() -> None:
    numbers = iter(range(1000))
    wire = Wire({RATES: lambda _: rows(1, following=f"{REST_URL}{RATES}?page={next(numbers)}")})
    with pytest.raises(Malformed, match="there are more than 50 pages"):
        await read(wire)
    assert len(wire.sent) == 51


@pytest.mark.parametrize("following", [5, ["a"], {"a": 1}, True])
async def test_an_odd_link_is_malformed(following: object) -> None:
    with pytest.raises(Malformed):
        await read(Wire({RATES: rows(1, following=following)}))


async def test_rows_that_are_no_objects_are_passed_over() -> None:
    wire = Wire({RATES: {"results": [5, None, {"n": 1}, []]}})
    assert await read(wire) == [1]


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (lambda _: [], Malformed, "the answer is not a JSON object"),
        ({"count": 0}, Malformed, "the answer holds no rows"),
        ({"results": {}}, Malformed, "the answer holds no rows"),
        (httpx2.Response(404, json={"detail": "Not found."}), NotFound, 'the provider answered 404: {"detail":"Not found."}'),
        (httpx2.Response(400, json={"detail": "Odd."}), Refused, 'the provider answered 400: {"detail":"Odd."}'),
        (httpx2.Response(401, json={"detail": "No."}), Unauthenticated, '401: {"detail":"No."}'),
        (
            httpx2.Response(500, json={"detail": "Server error."}),
            Unreachable,
            'the provider answered 500: {"detail":"Server error."}',
        ),
        (httpx2.Response(502, text="<html>", headers={"Content-Type": "text/html"}), Unreachable, "answered 502: a page of HTML"),
        (httpx2.Response(200, text='{"results": [', headers=JSON), Malformed, "the answer is not JSON"),
    ],
)
async def test_what_is_no_page_says_what_it_is(answer: Any, kind: type[SourceError], text: str) -> None:
    with pytest.raises(kind) as caught:
        await read(Wire({RATES: answer}))
    assert text in str(caught.value)


@pytest.mark.parametrize("echo", [KEY, BASIC, b64encode(f"{KEY}:".encode()).decode()])
async def test_a_server_that_echoes_the_key_gives_nothing_away(echo: str) -> None:
    wire = Wire({READINGS: httpx2.Response(403, json={"detail": f"no: {echo}"})})
    for number in range(100):
        wire.redact.learn(f"a token of a later hour {number}")
    with pytest.raises(Unauthenticated) as caught:
        await read(wire, READINGS, signed=True)
    assert str(caught.value) in ('403: {"detail":"no: ***"}', '403: {"detail":"no: Basic ***"}')


async def test_without_a_key_there_are_no_readings() -> None:
    wire = Wire()
    assert not Rest(wire.http, REST_URL, wire.redact, None).has_key
    assert wire.rest.has_key


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (utc("2026-06-10T12:00"), "2026-06-10T12:00:00Z"),
        (datetime(2026, 6, 10, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-06-09T23:30:00Z"),
        (utc("2026-06-10T12:00:00.999"), "2026-06-10T12:00:00Z"),
    ],
)
def test_a_time_is_sent_in_utc_as_one_without_an_offset_would_be_londons(moment: datetime, text: str) -> None:
    assert stamp(moment) == text
