"""Hours of the past, page by page: none is missing and none comes twice, however the pages fall and whatever the clock does."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from bridge.errors import BadRequest, Malformed, NotFound, RateLimited, SourceError, Unauthenticated
from bridge.models.mark import Mark
from bridge.models.price import HOUR
from bridge.models.reading import Reading
from bridge.providers.base import Historian, Page, Span
from bridge.providers.tibber import history
from bridge.providers.tibber.raw import cursor
from bridge.simulator import energy
from bridge.simulator.days import Resolution
from bridge.simulator.faults import Fault
from bridge.simulator.homes import Home
from bridge.simulator.paging import Paging
from bridge.simulator.server import Request, Response
from tests.providers.test_tibber import BERLIN, OSLO, Account
from tests.support import utc

NOON = utc("2026-06-10T12:30")
ANSWERS = {"import": ("consumption", energy.consumption), "export": ("production", energy.production)}
Told = tuple[datetime, str, Decimal]


async def pages(account: Account, span: Span, home: Home = BERLIN) -> AsyncIterator[Page]:
    """Yield page after page, as a device would ask for them."""
    while True:
        page = await account.source.history(home.id, span, account.known, account.clock.now())
        yield page
        if page.next is None:
            return
        span = replace(span, after=page.next)


async def all_of(account: Account, span: Span, home: Home = BERLIN) -> list[Told]:
    return [told(reading) for page in [page async for page in pages(account, span, home)] for reading in page.readings]


def told(reading: Reading) -> Told:
    assert reading.start is not None
    assert reading.value is not None
    return reading.start, reading.meter, reading.value


def true(home: Home, begin: datetime, end: datetime, moment: datetime, *meters: str) -> list[Told]:
    """Return what the simulator holds of [begin, end), but for what is not known yet."""
    found: list[Told] = []
    for meter in meters or ("import", "export"):
        name, answer = ANSWERS[meter]
        start = begin
        while start < end:
            page = answer(home, moment, Resolution.HOURLY, Paging(name, first=744, after=cursor(start)))
            rows = [(datetime.fromisoformat(node["from"]), node[name]) for node in page["nodes"]]
            found += [(start, meter, Decimal(str(value))) for start, value in rows if value is not None and start < end]
            start += 744 * HOUR
    late = moment.replace(minute=0, second=0) - 2 * HOUR
    return sorted(one for one in found if one[1] == "export" or one[0] < late)


def test_the_source_can_be_asked_for_the_past() -> None:
    assert isinstance(Account(NOON).source, Historian)


# one page


async def test_an_hour_of_the_past_is_the_reading_that_a_poll_would_have_brought() -> None:
    account = Account(NOON, homes=(BERLIN,))
    page = await account.source.history(BERLIN.id, Span(utc("2026-06-10T08:00"), utc("2026-06-10T09:00")), account.known, NOON)
    bought, sold = true(BERLIN, utc("2026-06-10T08:00"), utc("2026-06-10T09:00"), NOON, "import", "export")[::-1]
    usual: dict[str, Any] = {
        "quantity": "energy",
        "unit": "kWh",
        "start": utc("2026-06-10T08:00"),
        "end": utc("2026-06-10T09:00"),
        "resolution": HOUR,
        "aggregation": "sum",
    }
    export = Reading(meter="export", direction="export", value=sold[2], **usual)
    assert page == Page((export, Reading(meter="import", direction="import", value=bought[2], **usual)), None)
    assert account.asked() == ["EnergyOf"]


async def test_a_day_comes_in_the_order_of_time_in_one_request() -> None:
    account = Account(NOON, homes=(BERLIN,))
    begin, end = utc("2026-06-08T22:00"), utc("2026-06-09T22:00")
    assert await all_of(account, Span(begin, end)) == true(BERLIN, begin, end, NOON)
    assert account.asked() == ["EnergyOf"]


@pytest.mark.parametrize(("meter", "asked"), [("import", (True, False)), ("export", (False, True)), (None, (True, True))])
async def test_a_meter_that_is_not_meant_is_not_asked_for(meter: str | None, asked: tuple[bool, bool]) -> None:
    account = Account(NOON, homes=(BERLIN,))
    begin, end = utc("2026-06-08T22:00"), utc("2026-06-09T22:00")
    meters = (meter,) if meter else ()
    assert await all_of(account, Span(begin, end, meter=meter)) == true(BERLIN, begin, end, NOON, *meters)
    [request] = account.simulated.requests
    assert (request.variables["consumed"], request.variables["produced"]) == asked


@pytest.mark.parametrize(
    "span",
    [
        Span(None, None, meter="gas"),
        Span(None, None, quantity="power"),
        Span(utc("2026-06-09T00:00"), utc("2026-06-09T00:00")),
        Span(utc("2026-06-09T00:00"), utc("2026-06-08T00:00")),
        Span(utc("2026-06-11T00:00"), None),
        Span(utc("9999-12-31T23:59"), None),
    ],
)
async def test_what_cannot_be_there_is_not_asked_for(span: Span) -> None:
    account = Account(NOON, homes=(BERLIN,))
    assert [page async for page in pages(account, span)] == [Page(())]
    assert account.asked() == []


async def test_an_hour_belongs_to_the_span_in_which_it_starts() -> None:
    account = Account(NOON, homes=(BERLIN,))
    found = await all_of(account, Span(utc("2026-06-09T08:20"), utc("2026-06-09T10:20"), meter="import"))
    assert [start for start, _, _ in found] == [utc("2026-06-09T09:00"), utc("2026-06-09T10:00")]


# pages


@pytest.mark.parametrize(("first", "requests"), [(1000, 13), (100, 128)])
async def test_a_year_is_paged_through_without_a_gap_or_a_repeat(first: int, requests: int) -> None:
    account = Account(NOON, homes=(BERLIN,))
    begin, end = utc("2025-01-01T00:00"), utc("2026-01-01T00:00")
    found = [page async for page in pages(account, Span(begin, end, first=first))]
    assert [told(reading) for page in found for reading in page.readings] == true(BERLIN, begin, end, NOON)
    assert sum(reading.meter == "import" for page in found for reading in page.readings) == 365 * 24
    assert max(len(page.readings) for page in found) <= first
    assert len(found) == len(account.asked())
    assert len(found) == requests
    assert all(asked.variables["first"] <= 744 for asked in account.simulated.requests)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28T23:00", 23), ("2026-10-24T22:00", 25), ("2026-06-09T22:00", 24)])
@pytest.mark.parametrize("first", [1, 2, 3, 7, 100])
async def test_a_day_of_the_clock_change_has_each_of_its_hours_once(day: str, hours: int, first: int) -> None:
    begin = utc(day)
    moment = begin + timedelta(days=10)
    account = Account(moment, homes=(BERLIN,))
    found = await all_of(account, Span(begin, begin + hours * HOUR, first=first))
    assert found == true(BERLIN, begin, begin + hours * HOUR, moment)
    bought = [start for start, meter, _ in found if meter == "import"]
    assert len(bought) == hours
    assert all(later - earlier == HOUR for earlier, later in pairwise(bought))


@pytest.mark.parametrize("first", [1, 5, 1000])
async def test_the_newest_hours_end_where_they_are_known(first: int) -> None:
    account = Account(NOON, homes=(BERLIN,))
    begin = utc("2026-06-09T10:00")
    found = await all_of(account, Span(begin, None, first=first))
    assert found == true(BERLIN, begin, NOON, NOON)
    assert max(start for start, meter, _ in found if meter == "import") == utc("2026-06-10T09:00")


async def test_without_a_beginning_the_first_hour_there_is_comes_first() -> None:
    account = Account(NOON, homes=(BERLIN,))
    first = await anext(pages(account, Span(None, None, first=10, meter="import")))
    assert [told(reading) for reading in first.readings] == true(
        BERLIN, utc("2023-12-31T23:00"), utc("2024-01-01T09:00"), NOON, "import"
    )
    early = await anext(pages(account, Span(utc("0001-01-01T00:00"), None, first=10, meter="import")))
    assert early.readings == first.readings


async def test_a_home_without_panels_has_pages_of_import_alone() -> None:
    account = Account(NOON)
    begin, end = utc("2026-05-01T00:00"), utc("2026-05-03T00:00")
    assert await all_of(account, Span(begin, end, first=10), OSLO) == true(OSLO, begin, end, NOON, "import")
    assert len(account.asked()) == 5


async def test_a_page_of_unknown_hours_is_empty_and_goes_on() -> None:
    account = Account(NOON, homes=(BERLIN,))
    found = [
        page async for page in pages(account, Span(utc("2026-06-08T19:00"), utc("2026-06-09T06:00"), meter="export", first=2))
    ]
    assert [len(page.readings) for page in found][:2] == [0, 0]
    assert [told(one) for page in found for one in page.readings] == true(
        BERLIN, utc("2026-06-08T19:00"), utc("2026-06-09T06:00"), NOON, "export"
    )


@pytest.mark.parametrize("begin", [None, *(NOON - days * timedelta(days=1) for days in (0.01, 1, 2, 29, 30, 31, 400))])
@pytest.mark.parametrize("end", [NOON - timedelta(days=40), NOON - timedelta(hours=30), NOON])
@pytest.mark.parametrize("first", [1, 100, 1000])
def test_no_more_is_asked_for_than_the_provider_gives(begin: datetime | None, end: datetime, first: int) -> None:
    assert history._hours(begin, end, first, NOON) <= history.CAP


def test_where_one_register_tells_less_than_the_other_the_page_ends_with_it() -> None:
    begin = utc("2026-06-09T00:00")
    facts: dict[str, Any] = {"quantity": "energy", "unit": "kWh", "value": Decimal(1)}
    bought, sold = (
        [Reading(meter=meter, start=begin + n * HOUR, end=begin + (n + 1) * HOUR, **facts) for n in range(hours)]
        for meter, hours in (("import", 5), ("export", 2))
    )
    tapes = [history.Tape(bought, begin + 5 * HOUR), history.Tape(sold, begin + 2 * HOUR)]
    page = history._cut(tapes, Span(begin, NOON), NOON, None)
    assert [(one.start, one.meter) for one in page.readings] == [
        (begin + n * HOUR, meter) for n in range(2) for meter in ("export", "import")
    ]
    assert page.next == Mark(begin + 2 * HOUR).cursor()
    whole = history._cut([tapes[0], history.Tape(sold, None)], Span(begin, NOON), NOON, None)
    assert (len(whole.readings), whole.next) == (7, Mark(begin + 5 * HOUR).cursor())


# the newest zeros, and a cursor that nobody explained


@dataclass
class Made:
    """A home whose consumption ends at noon with `values`; whether `after` is inclusive is not written anywhere."""

    values: list[float | None]
    inclusive: bool = True
    stuck: bool = False  # every page is the first one
    says: str = "the truth"  # whether there are more
    sent: list[dict[str, Any]] = field(default_factory=list)

    def account(self) -> Account:
        account = Account(NOON)
        account.simulated.handle = self.handle  # type: ignore[method-assign]
        return account

    async def handle(self, request: Request) -> Response:
        given = json.loads(request.body)["variables"]
        self.sent.append(given)
        begin = utc("2026-06-10T12:00") - len(self.values) * HOUR
        after = begin if self.stuck or "after" not in given else datetime.fromisoformat(b64decode(given["after"]).decode())
        whole = ((begin + number * HOUR, value) for number, value in enumerate(self.values))
        rows = [
            (start, value) for start, value in whole if start > after or (start == after and (self.inclusive or start == begin))
        ]
        nodes = [{"from": f"{start}", "to": f"{start + HOUR}", "consumption": value} for start, value in rows[: given["first"]]]
        more = {"the truth": len(nodes) < len(rows), "nothing": None, "always": True}[self.says]
        connection = {"pageInfo": {"hasNextPage": more}, "nodes": nodes}
        data = {"viewer": {"home": {"id": OSLO.id, "consumption": connection, "production": None}}}
        return Response(body=json.dumps({"data": data}).encode())


BUSY = [1.0] * 20


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ([*BUSY, 0, 0], 2),
        ([*BUSY, 0, 0, 0, 2, 3, 0, 0], 2),  # a zero in the middle is one
        ([*BUSY, 0, None, 0, 4], 0),
        ([*BUSY, 0, None, 0, None], 4),
        ([*BUSY, *[0] * 40], 24),  # those that are older than a day are believed
        ([0, 0, 0], 3),
        ([None, None], 2),
        ([], 0),
    ],
)
@pytest.mark.parametrize("first", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("after", ["inclusive", "exclusive"])
@pytest.mark.parametrize("start", [None, utc("2026-06-01T00:00")])
@pytest.mark.parametrize("says", ["the truth", "nothing", "always"])
async def test_the_newest_zeros_are_unknown_wherever_a_page_ends(
    values: list[float | None], unknown: int, first: int, after: str, start: datetime | None, says: str
) -> None:
    begin = utc("2026-06-10T12:00") - len(values) * HOUR
    known = [(begin + number * HOUR, value) for number, value in enumerate(values[: len(values) - unknown])]
    found = await all_of(Made(values, after == "inclusive", says=says).account(), Span(start, None, first=first), OSLO)
    assert found == [(start, "import", Decimal(str(value))) for start, value in known if value is not None]


async def test_a_span_that_ends_among_the_newest_hours_is_judged_by_all_that_follow() -> None:
    account = Made([*BUSY, 0, 0, 5, 0]).account()
    span = Span(utc("2026-06-10T07:00"), utc("2026-06-10T10:00"))
    assert await all_of(account, span, OSLO) == [
        (utc("2026-06-10T07:00"), "import", Decimal("1.0")),
        (utc("2026-06-10T08:00"), "import", Decimal(0)),
        (utc("2026-06-10T09:00"), "import", Decimal(0)),
    ]


async def test_pages_that_do_not_move_on_are_given_up() -> None:
    account = Made([1.0] * 400, stuck=True).account()
    with pytest.raises(Malformed, match="do not move on"):
        await all_of(account, Span(None, None, first=100), OSLO)


# what goes wrong


async def test_a_home_that_the_provider_does_not_know_is_not_found() -> None:
    account = Account(NOON)
    with pytest.raises(NotFound, match="home not found"):
        await account.source.history("nowhere", Span(None, None), account.known, NOON)


@pytest.mark.parametrize(("fault", "error"), [(Fault.RATE_LIMITED, RateLimited), (Fault.UNAUTHENTICATED, Unauthenticated)])
async def test_a_page_fails_as_a_poll_does(fault: Fault, error: type[SourceError]) -> None:
    account = Account(NOON)
    account.simulated.faults.set(fault)
    with pytest.raises(error):
        await all_of(account, Span(None, None), OSLO)


async def test_a_strange_cursor_is_the_clients_mistake_and_nothing_is_sent() -> None:
    account = Account(NOON)
    with pytest.raises(BadRequest, match="after: this is no cursor"):
        await all_of(account, Span(None, None, after="YXJyYXk="), OSLO)
    assert account.asked() == []


async def test_a_cursor_from_before_all_time_is_one() -> None:
    account = Account(NOON, homes=(BERLIN,))
    span = Span(None, None, first=1, after=Mark(utc("0001-01-01T00:00")).cursor())
    assert [reading.start for reading in (await anext(pages(account, span))).readings] == [utc("2023-12-31T23:00")]


async def test_a_register_that_failed_is_no_gap_in_a_page() -> None:
    error = {"message": "no luck", "path": ["viewer", "home", "production"], "extensions": {"code": "NOT_FOUND"}}
    data: Any = {"viewer": {"home": {"id": OSLO.id, "consumption": {"nodes": []}, "production": None}}}

    async def handle(request: Request) -> Response:
        return Response(body=json.dumps({"data": data, "errors": [error]}).encode())

    account = Account(NOON)
    account.simulated.handle = handle  # type: ignore[method-assign]
    with pytest.raises(NotFound, match="no luck"):
        await all_of(account, Span(None, None), OSLO)
    assert await all_of(account, Span(None, None, meter="import"), OSLO) == []


@pytest.mark.parametrize("odd", [{}, {"viewer": 5}, {"viewer": {"home": None}}, {"viewer": {"home": {"consumption": 5}}}])
async def test_an_answer_of_an_odd_shape_is_malformed(odd: Any) -> None:
    async def handle(request: Request) -> Response:
        return Response(body=json.dumps({"data": odd}).encode())

    account = Account(NOON)
    account.simulated.handle = handle  # type: ignore[method-assign]
    with pytest.raises(Malformed):
        await all_of(account, Span(None, None), OSLO)
