"""Half-hours of the past, meter after meter: none is missing and none comes twice, by GraphQL as by REST."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from bridge.errors import BadRequest, Denied, Malformed, NotFound, OutcomeUnknown, RateLimited, Refused, SourceError, Unreachable
from bridge.models.reading import Reading
from bridge.providers.base import Historian, Page, Span
from bridge.simulator.octopus.faults import OctopusFault
from bridge.simulator.octopus.homes import EXPORT, GAS, IMPORT, KWH, Meter, MeterPoint, Property
from bridge.simulator.octopus.meters import readings
from tests.providers.customer import Customer
from tests.providers.test_octopus_household import account, agreed, point
from tests.providers.test_octopus_readings import REST, measured, row, span
from tests.providers.wire import Wire, failure, page
from tests.support import Knowledge, utc

NOON = utc("2026-06-10T12:00")
HOME = "2000001"
HALF_HOUR = timedelta(minutes=30)
MONTH_AGO, WEEK_AGO = NOON - timedelta(days=30), NOON - timedelta(days=7)
DEFAULT: tuple[tuple[str, MeterPoint], ...] = (("export", EXPORT), ("gas", GAS), ("import", IMPORT))
Told = tuple[str, datetime, str, Decimal]


def customer(moment: datetime = NOON, *points: MeterPoint, **settings: Any) -> Customer:
    home = Property(HOME, "EC1A 1ZZ", "1 Example Street", points or (IMPORT, EXPORT, GAS))
    return Customer(moment, settings=settings, simulated={"properties": (home,)})


async def pages(of: Customer, span: Span, site: str = HOME) -> AsyncIterator[Page]:
    """Yield page after page, as a device would ask for them."""
    while True:
        found = await of.source.history(site, span, of.known, of.clock.now())
        yield found
        if found.next is None:
            return
        span = replace(span, after=found.next)


async def all_of(of: Customer, span: Span) -> list[Told]:
    return [told(reading) for found in [found async for found in pages(of, span)] for reading in found.readings]


def told(reading: Reading) -> Told:
    assert reading.start is not None
    assert reading.value is not None
    return reading.meter, reading.start, reading.quantity, reading.value


def true(begin: datetime, end: datetime, moment: datetime = NOON, meters: Any = DEFAULT) -> list[Told]:
    """Return what the simulator holds of [begin, end), meter by meter."""
    found: list[Told] = []
    for name, its in meters:
        halves = [(half.start, half.value) for meter in its.meters for half in readings(its, meter, begin, end, moment)]
        in_volume = its.supply is GAS.supply and its.meters[0].unit != KWH
        for start, value in sorted(halves):
            kwh = value * Decimal("1.02264") * 40 / Decimal("3.6") if in_volume else value
            found += [(name, start, "energy", kwh), *([(name, start, "volume", value)] if in_volume else [])]
    return found


def asked(of: Customer) -> list[str]:
    """Return what was asked but for the sign-in and the household."""
    return [one.operation or "" for one in of.provider.requests if one.operation not in ("ObtainToken", "Accounts", "Household")]


def test_the_source_can_be_asked_for_the_past() -> None:
    assert isinstance(customer().source, Historian)


# one page


async def test_a_half_hour_of_the_past_is_the_reading_that_a_poll_would_have_brought() -> None:
    begin = utc("2026-06-08T10:00")
    [bought] = true(begin, begin + HALF_HOUR, meters=[("import", IMPORT)])
    expected = Reading(
        meter="import",
        quantity="energy",
        value=bought[3],
        unit="kWh",
        start=begin,
        end=begin + HALF_HOUR,
        direction="import",
        resolution=HALF_HOUR,
        aggregation="sum",
    )
    of = customer()
    found = await of.source.history(HOME, Span(begin, begin + HALF_HOUR, meter="import"), of.known, NOON)
    assert found == Page((expected,), None)
    assert asked(of) == ["Measurements"]


async def test_all_meters_come_one_after_another_gas_with_its_volume() -> None:
    begin = utc("2026-06-08T10:00")
    of = customer()
    found = [found async for found in pages(of, Span(begin, begin + 2 * HALF_HOUR))]
    assert [told(one) for page in found for one in page.readings] == true(begin, begin + 2 * HALF_HOUR)
    assert [(len(page.readings), page.next) for page in found] == [(8, None)]
    assert asked(of) == ["Measurements"] * 3


@pytest.mark.parametrize(
    ("meter", "quantity"),
    [
        ("import", None),
        ("import", "energy"),
        ("gas", None),
        ("gas", "energy"),
        ("gas", "volume"),
        (None, "volume"),
        (None, "energy"),
    ],
)
@pytest.mark.parametrize("first", [1, 3, 100])
async def test_only_what_is_meant_comes(meter: str | None, quantity: str | None, first: int) -> None:
    begin = utc("2026-06-08T10:00")
    found = await all_of(customer(), Span(begin, begin + 5 * HALF_HOUR, meter, quantity, first))
    whole = true(begin, begin + 5 * HALF_HOUR)
    assert found == [one for one in whole if meter in (None, one[0]) and quantity in (None, one[2])]


@pytest.mark.parametrize(
    "span_",
    [
        Span(None, None, meter="water"),
        Span(None, None, quantity="power"),
        Span(None, None, meter="import", quantity="volume"),
        Span(WEEK_AGO, WEEK_AGO),
        Span(NOON, WEEK_AGO),
        Span(NOON + timedelta(days=1), None),
        Span(utc("9999-12-31T23:59"), None),
    ],
)
async def test_what_cannot_be_there_is_not_asked_for(span_: Span) -> None:
    of = customer()
    assert [found async for found in pages(of, span_)] == [Page(())]
    assert asked(of) == []


async def test_a_half_hour_belongs_to_the_span_in_which_it_starts() -> None:
    found = await all_of(customer(), Span(utc("2026-06-08T10:10"), utc("2026-06-08T11:10"), meter="import"))
    assert [start for _, start, _, _ in found] == [utc("2026-06-08T10:30"), utc("2026-06-08T11:00")]


# pages


@pytest.mark.parametrize("first", [100, 1000])
async def test_a_month_is_paged_through_without_a_gap_or_a_repeat(first: int) -> None:
    of = customer()
    found = [found async for found in pages(of, Span(MONTH_AGO, NOON, first=first))]
    assert [told(one) for page in found for one in page.readings] == true(MONTH_AGO, NOON)
    assert max(len(page.readings) for page in found) <= first
    assert len(asked(of)) <= len(found) + 2


@pytest.mark.parametrize("way", ["graphql", "rest"])
async def test_a_spring_is_paged_through_without_a_gap_or_a_repeat(way: str) -> None:
    of = customer()
    if way == "rest":
        of.provider.faults.on("property", OctopusFault.UNAUTHORIZED_FIELD)
    begin, end = utc("2026-03-01T00:00"), utc("2026-06-01T00:00")
    found = [found async for found in pages(of, Span(begin, end, meter="import", first=1000))]
    whole = true(begin, end, meters=[("import", IMPORT)])
    assert [told(one) for page in found for one in page.readings] == whole
    assert len(whole) == 92 * 48
    assert len(found) == {"graphql": 45, "rest": 5}[way]
    assert len(asked(of)) == len(found) + (1 if way == "rest" else 0)


@pytest.mark.parametrize(("day", "halves"), [("2026-03-29T00:00", 46), ("2026-10-24T23:00", 50), ("2026-06-08T23:00", 48)])
@pytest.mark.parametrize("first", [1, 7, 100])
async def test_a_day_of_the_clock_change_has_each_of_its_half_hours_once(day: str, halves: int, first: int) -> None:
    begin = utc(day)
    end, moment = begin + halves * HALF_HOUR, begin + timedelta(days=10)
    found = await all_of(customer(moment), Span(begin, end, meter="import", first=first))
    assert found == true(begin, end, moment, [("import", IMPORT)])
    starts = [start for _, start, _, _ in found]
    assert len(starts) == halves
    assert all(later - earlier == HALF_HOUR for earlier, later in pairwise(starts))


@pytest.mark.parametrize("first", range(1, 12))
async def test_a_page_may_end_anywhere(first: int) -> None:
    begin, end = utc("2026-06-08T10:00"), utc("2026-06-08T11:30")
    of = customer()
    found = [found async for found in pages(of, Span(begin, end, first=first))]
    whole = true(begin, end)
    assert [told(one) for page in found for one in page.readings] == whole
    assert [len(page.readings) for page in found] == [min(first, len(whole) - begin_) for begin_ in range(0, len(whole), first)]


@pytest.mark.parametrize("first", [1, 4, 100])
async def test_half_hours_that_never_came_are_no_end(first: int) -> None:
    begin = utc("2026-06-08T10:00")
    holes = tuple(begin + number * HALF_HOUR for number in (0, 3, 4, 5, 6, 9))
    point = replace(IMPORT, meters=(replace(IMPORT.meters[0], holes=holes),))
    found = await all_of(customer(NOON, point), Span(begin, begin + 10 * HALF_HOUR, first=first))
    assert found == true(begin, begin + 10 * HALF_HOUR, meters=[("import", point)])
    assert len(found) == 4


@pytest.mark.parametrize("way", ["graphql", "rest"])
async def test_without_a_beginning_the_first_half_hour_there_is_comes_first(way: str) -> None:
    for start in (None, utc("0001-01-01T00:00")):
        of = customer()
        if way == "rest":
            of.provider.faults.on("property", OctopusFault.UNAUTHORIZED_FIELD)
        found = await anext(pages(of, Span(start, None, meter="import", first=3)))
        first = utc("2025-02-27T00:00")
        assert [told(one) for one in found.readings] == true(first, first + 3 * HALF_HOUR, meters=[("import", IMPORT)])


async def test_a_half_hour_that_came_late_moves_no_page() -> None:
    begin = utc("2026-06-08T10:00")
    late = (begin + HALF_HOUR,)
    of = customer(NOON, replace(IMPORT, meters=(replace(IMPORT.meters[0], holes=late),)))
    span_ = Span(begin, begin + 6 * HALF_HOUR, first=3)
    first = await of.source.history(HOME, span_, of.known, NOON)
    of.provider.accounts[0].properties = customer().provider.accounts[0].properties
    second = await of.source.history(HOME, replace(span_, after=first.next, meter="import"), of.known, NOON)
    starts = [one.start for one in (*first.readings, *second.readings)]
    assert starts == [begin + number * HALF_HOUR for number in (0, 2, 3, 4, 5)]


# by REST


@pytest.mark.parametrize("first", [1, 3, 5, 100])
async def test_two_meters_of_one_point_are_one_series_by_rest(first: int) -> None:
    change = utc("2026-05-01T23:00")
    old = Meter("OLD", active_to=change.date() + timedelta(days=1))
    new = Meter("NEW", active_from=change.date() + timedelta(days=1))
    both = replace(IMPORT, meters=(new, old))
    begin, end = change - 4 * HALF_HOUR, change + 4 * HALF_HOUR
    rows: dict[str, list[Any]] = {}
    for meter in (old, new):
        halves = readings(both, meter, begin, end, NOON)
        rows[meter.serial] = [row(span(half.start, str(half.value))) for half in halves]
    wire = Wire({**HOUSEHOLD, "Measurements": failure("KT-CT-1111", "property")})
    for serial, its in rows.items():
        wire.answers[f"/electricity-meter-points/1000/meters/{serial}/consumption/"] = serving(its)
    found = await by_hand(wire, Span(begin, end, first=first))
    assert [one[1:] for one in found] == [one[1:] for one in true(begin, end, meters=[("import", both)])]
    assert len(found) == 8


def serving(rows: list[Any]) -> Any:
    """Return what answers with a page of `rows`, as REST does."""

    def answer(sent: Any) -> Any:
        since, until = (datetime.fromisoformat(sent.given[name]) for name in ("period_from", "period_to"))
        chosen = [one for one in rows if since <= datetime.fromisoformat(one["interval_start"]) <= until]
        size = int(sent.given["page_size"])
        return {"next": "https://x/v1/products/?page=2" if len(chosen) > size else None, "results": chosen[:size]}

    return answer


SERIALS = [{"serialNumber": serial, "meterType": "S2", "activeTo": None} for serial in ("NEW", "OLD")]
HOUSEHOLD: dict[str, Any] = {
    "Accounts": {"data": {"viewer": {"accounts": [{"number": "A-1", "status": "ACTIVE"}]}}},
    "Household": {"data": account(point(agreed(), mpan="1000", meters=SERIALS))},
}


async def by_hand(wire: Wire, span_: Span) -> list[Told]:
    """Return what all pages bring of a source at `wire`."""
    source, found = wire.source(account="A-1"), []
    while True:
        got = await source.history("7", span_, Knowledge(), NOON)
        found += [told(one) for one in got.readings]
        if got.next is None:
            return found
        span_ = replace(span_, after=got.next)


async def test_half_hours_that_come_newest_first_are_taken_from_rest_or_refused() -> None:
    begin = utc("2026-06-08T10:00")
    rows = [span(begin + number * HALF_HOUR, str(number)) for number in range(6)]
    backwards: Any = {"data": {"property": {"measurements": page(rows[:2:-1], "YXJy")}}}
    wire = Wire({**HOUSEHOLD, "Measurements": backwards, REST: serving([row(one) for one in rows])})
    wire.answers["Household"] = {"data": account(point(agreed(), mpan="1000"))}
    found = await by_hand(wire, Span(begin, NOON, first=2))
    assert [int(value) for _, _, _, value in found] == list(range(6))
    del wire.answers[REST]
    with pytest.raises(Malformed, match="newest first"):
        await by_hand(wire, Span(begin, NOON, first=2))


# what goes wrong


async def test_a_property_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="there is no property 9"):
        await anext(pages(customer(), Span(None, None), "9"))


async def test_a_tenant_whose_half_hours_cannot_be_read_says_so() -> None:
    source = Wire().source(tenant="germany", email="a@example.com", password="p")
    with pytest.raises(Refused, match="the half-hours of the tenant germany cannot be read yet"):
        await source.history("7", Span(None, None), Knowledge(), NOON)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (OctopusFault.RATE_LIMITED_FIELD, RateLimited),
        (OctopusFault.BAD_GATEWAY, Unreachable),
        (OctopusFault.HTML_200, Unreachable),
    ],
)
async def test_a_page_fails_for_the_readers_next_step(fault: OctopusFault, error: type[SourceError]) -> None:
    of = customer()
    of.provider.faults.on("Measurements", fault)
    with pytest.raises(error):
        await all_of(of, Span(WEEK_AGO, NOON, meter="import"))


async def test_pages_that_do_not_end_are_given_up_or_ended_by_rest() -> None:
    of = customer(email="demo@example.com", password="demo-password")
    of.provider.faults.on("Measurements", OctopusFault.STUCK_CURSOR)
    with pytest.raises(Malformed, match="there is more, and not where"):
        await all_of(of, Span(WEEK_AGO, NOON, meter="import"))
    of = customer()
    of.provider.faults.on("Measurements", OctopusFault.STUCK_CURSOR)
    found = await all_of(of, Span(WEEK_AGO, NOON, meter="import"))
    assert found == true(WEEK_AGO, NOON, meters=[("import", IMPORT)])


async def test_where_neither_way_is_open_the_first_reason_is_told() -> None:
    wire = Wire({**HOUSEHOLD, "Measurements": failure("KT-CT-1111", "property", message="Unauthorized.")})
    with pytest.raises(Denied, match="Unauthorized"):
        await by_hand(wire, Span(None, None))


@pytest.mark.parametrize("after", ["YXJyYXk=", "", "ä"])
async def test_a_strange_cursor_is_the_clients_mistake_and_nothing_is_sent(after: str) -> None:
    of = customer()
    with pytest.raises(BadRequest, match="after: this is no cursor"):
        await all_of(of, Span(None, None, after=after))
    assert list(of.provider.requests) == []


async def test_a_cursor_of_another_question_is_told_as_such() -> None:
    of = customer()
    first = await anext(pages(of, Span(WEEK_AGO, NOON, meter="import")))
    with pytest.raises(BadRequest, match="a meter that is not asked for"):
        await all_of(of, Span(WEEK_AGO, NOON, meter="gas", after=first.next))
    begin = NOON - timedelta(days=3)
    found = await all_of(of, Span(begin, NOON, meter="import", after=first.next))
    assert found == true(begin, NOON, meters=[("import", IMPORT)])


@pytest.mark.parametrize(
    "odd", [{}, {"property": None}, {"property": {"measurements": 5}}, {"property": {"measurements": {"edges": 5}}}]
)
async def test_an_answer_of_an_odd_shape_is_malformed(odd: Any) -> None:
    with pytest.raises(Malformed):
        await by_hand(Wire({**HOUSEHOLD, "Measurements": {"data": odd}}), Span(None, None))


async def test_rows_that_cannot_be_read_are_left_out_and_a_page_of_them_is_malformed() -> None:
    good = span(utc("2026-06-08T10:00"))
    odd = {**good, "value": "much"}
    wire = Wire({**HOUSEHOLD, "Measurements": measured(good, odd)})
    assert [start for _, start, _, _ in await by_hand(wire, Span(None, None))] == [utc("2026-06-08T10:00")]
    wire.answers["Measurements"] = {"data": {"property": {"measurements": page([odd], "YXJy")}}}
    with pytest.raises(Malformed, match="do not move on"):
        await by_hand(wire, Span(None, None))


# a user's own documents


async def test_an_endpoint_asks_and_writes_with_variables_of_any_name() -> None:
    query, mutation = "query Mine($document: ID) { a(b: $document) }", "mutation Ours($alone: ID) { a(b: $alone) }"
    wire = Wire({"Mine": {"data": {"a": 1}}, "Ours": {"data": {"a": 2}}})
    for endpoint in wire.source().endpoints():
        assert endpoint.write is not None
        variables = {"document": "1", "alone": True, "self": None}
        assert (await endpoint.ask(query, variables)).data == {"a": 1}
        assert (await endpoint.write(mutation, variables)).data == {"a": 2}
        assert [one.given for one in wire.sent[-2:]] == [variables, variables]
    assert [one.host for one in wire.sent[-2:]] == ["api.backend.octopus.energy"] * 2


async def test_a_write_of_which_nobody_knows_is_told_as_such() -> None:
    wire = Wire({"Ours": failure("KT-CT-9999", "a", message="Hm.")})
    write = wire.source().endpoints()[0].write
    assert write is not None
    with pytest.raises(OutcomeUnknown, match="Hm"):
        await write("mutation Ours { a }", {})
    assert wire.asked() == ["ObtainToken", "Ours"]
