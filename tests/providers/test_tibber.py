"""Tibber's source against the simulator, which executes its GraphQL; and our documents against the provider's own schema."""

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from bridge.errors import Malformed, RateLimited, SourceError, Unauthenticated, Unreachable
from bridge.models.observation import Observation, PricesSeen, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.price import HOUR, QUARTER_HOUR, Curve
from bridge.models.reading import Reading
from bridge.pricing.day import bounds
from bridge.providers.base import Surroundings
from bridge.providers.tibber import PROVIDER, energy, normalise, raw
from bridge.providers.tibber.documents import DOCUMENTS
from bridge.providers.tibber.energy import CONSUMPTION, PRODUCTION, Register
from bridge.providers.tibber.schedule import released, retry
from bridge.providers.tibber.source import Tibber, TibberSettings
from bridge.providers.tibber.timetable import Feature
from bridge.redact import Redactor
from bridge.simulator.faults import Fault
from bridge.simulator.homes import Home
from bridge.simulator.prices import price
from bridge.simulator.server import Request, Response
from bridge.simulator.tibber import PATH, Asked
from bridge.simulator.tibber import Tibber as Simulated
from bridge.simulator.tibber_schema import SDL
from bridge.transport.http import Http
from tests.providers.direct import Direct
from tests.support import FACTS, Impatient, Knowledge, Uncounted, utc

TOKEN = "a-token-that-must-stay-secret"
OSLO = Home("0a0a0a0a-0000-4000-8000-000000000001", "Holm Street", "Europe/Oslo", "NOK", "NO1")
BERLIN = Home("0a0a0a0a-0000-4000-8000-000000000002", "Cabin", "Europe/Berlin", "EUR", "DE-LU", produces=True)
LEFT = Home("0a0a0a0a-0000-4000-8000-000000000003", "Old flat", "Europe/Oslo", "NOK", "NO1", has_subscription=False)
HOURLY = Home("0a0a0a0a-0000-4000-8000-000000000004", "Dijk", "Europe/Amsterdam", "EUR", "NL", quarter_hourly=False)


@dataclass
class Account:
    """A Tibber source whose provider is the simulator; `known` grows as the feed's would."""

    moment: datetime
    homes: tuple[Home, ...] = (OSLO,)
    share: float = 0.5
    seed: int = 1
    known: Knowledge = field(default_factory=Knowledge)
    personal: bool = False

    def __post_init__(self) -> None:
        self.clock = Impatient(self.moment)
        self.simulated = Simulated(self.clock.now, token=TOKEN, homes=self.homes)
        self.meter = Uncounted()
        redact = Redactor([TOKEN])
        http = Http(self.meter, self.clock, redact, chance=random.Random(1), transport=Direct(self.simulated))
        settings = TibberSettings.model_validate(
            {
                "provider": "tibber",
                "token": TOKEN,
                "url": f"http://127.0.0.1{PATH}",
                "publish_personal_data": self.personal,
            }
        )
        surroundings = Surroundings("home", http, self.clock, redact, self.share, random.Random(self.seed))
        self.source = Tibber(settings, surroundings)

    async def poll(self) -> list[Observation]:
        seen = []
        now = self.clock.now()
        async for observation in self.source.poll(self.known, now):
            self.known.keep(observation, now)
            seen.append(observation)
        return seen

    async def live_until(self, moment: datetime) -> None:
        """Poll whenever something is due, as the feed does."""
        while (due := self.source.next_poll(self.known, self.clock.now())) <= moment:
            self.clock.set(max(due, self.clock.now()))
            await self.poll()
            self.clock.set(self.clock.now() + timedelta(minutes=1))
        self.clock.set(moment)

    def asked(self) -> list[str | None]:
        return [asked.operation for asked in self.simulated.requests]

    def curve(self, home: Home = OSLO) -> Curve:
        return self.known.curves[home.id, "import"]


def shortfalls(observations: list[Observation]) -> list[tuple[str, str, bool]]:
    found = (observation for observation in observations if isinstance(observation, Shortfall))
    return [(shortfall.error.code, str(shortfall.error), shortfall.behind) for shortfall in found]


def days_slots(curve: Curve, moment: datetime, home: Home, days: int = 0) -> list[datetime]:
    from zoneinfo import ZoneInfo

    return [slot.start for slot in curve.between(*bounds(moment, ZoneInfo(home.timezone), days))]


# documents


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_document_is_valid_against_the_simulators_schema(document: str) -> None:
    assert validate(build_schema(SDL), parse(document)) == []


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_every_document_is_valid_against_the_providers_own_schema(document: str) -> None:
    file = FACTS / "providers" / "schemas" / "tibber.graphql"
    if not file.exists():
        pytest.skip("the folder of facts is not here")
    assert validate(build_schema(file.read_text()), parse(document)) == []


# a first poll


async def test_the_first_poll_brings_homes_four_days_of_prices_and_readings_in_three_requests() -> None:
    account = Account(utc("2026-06-10T12:30"), homes=(OSLO, BERLIN))
    seen = await account.poll()
    assert account.asked() == ["Homes", "Prices", "Readings"]
    assert [type(observation) for observation in seen] == [SitesSeen, PricesSeen, PricesSeen, ReadingsSeen, ReadingsSeen]
    assert len(account.curve(OSLO).slots) == 4 * 96
    assert account.curve(OSLO).slots[0].start == utc("2026-06-07T22:00")
    assert account.curve(OSLO).end == utc("2026-06-11T22:00")


async def test_prices_are_the_providers_own_to_the_last_digit() -> None:
    account = Account(utc("2026-06-10T08:00"))
    await account.poll()
    slot = account.curve().at(utc("2026-06-10T10:20"))
    assert slot is not None
    assert slot.start == utc("2026-06-10T10:15")
    assert slot.value == price(slot.start, OSLO.id, "NOK").total
    assert slot.level in {"very_cheap", "cheap", "normal", "expensive", "very_expensive"}


async def test_a_home_is_told_without_personal_data_unless_it_is_wanted() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=(BERLIN,))
    await account.poll()
    site = account.known.sites[BERLIN.id]
    assert (site.title, site.timezone, site.currency, site.price_area) == ("Cabin", "Europe/Berlin", "EUR", "DE-LU")
    assert site.streams == ("import", "export")
    assert site.personal is None
    wanted = Account(utc("2026-06-10T08:00"), homes=(BERLIN,), personal=True)
    await wanted.poll()
    assert {"city", "consumption_ean", "production_ean"} <= set(wanted.known.sites[BERLIN.id].personal or {})


# the days of the clock change


@pytest.mark.parametrize(("now", "quarters"), [("2026-03-29T06:00", 92), ("2026-10-25T06:00", 100), ("2026-06-10T06:00", 96)])
async def test_a_day_has_each_of_its_quarter_hours_once(now: str, quarters: int) -> None:
    account = Account(utc(now), homes=(BERLIN,))
    await account.poll()
    starts = days_slots(account.curve(BERLIN), utc(now), BERLIN)
    assert len(starts) == len(set(starts)) == quarters
    assert all(later - earlier == QUARTER_HOUR for earlier, later in itertools.pairwise(starts))


async def test_the_second_quarter_past_two_in_autumn_has_its_own_price() -> None:
    account = Account(utc("2026-10-25T06:00"), homes=(BERLIN,))
    await account.poll()
    first, second = (account.curve(BERLIN).at(utc(text)) for text in ("2026-10-25T00:15", "2026-10-25T01:15"))
    assert first is not None
    assert second is not None
    assert (first.value, second.value) == tuple(price(slot.start, BERLIN.id, "EUR").total for slot in (first, second))
    assert first.value != second.value


# the ladder


async def test_a_contract_without_quarter_hours_gets_today_from_the_range_and_tomorrow_from_whole_hours() -> None:
    account = Account(utc("2026-06-10T12:30"), homes=(HOURLY,))
    assert shortfalls(await account.poll()) == []
    assert account.asked() == ["Homes", "Prices", "Prices", "Readings"]
    today = [slot.value for slot in account.curve(HOURLY).between(utc("2026-06-10T10:00"), utc("2026-06-10T11:00"))]
    tomorrow = [slot.value for slot in account.curve(HOURLY).between(utc("2026-06-11T10:00"), utc("2026-06-11T11:00"))]
    assert len(set(today)) == 4
    assert len(tomorrow) == 4
    assert len(set(tomorrow)) == 1
    assert account.curve(HOURLY).source_resolution == HOUR
    assert account.curve(HOURLY).covers(utc("2026-06-09T22:00"), utc("2026-06-11T22:00"))


async def test_a_late_tomorrow_is_no_reason_to_climb_down() -> None:
    account = Account(utc("2026-06-10T12:30"))
    account.simulated.faults.set(Fault.NO_TOMORROW)
    await account.poll()
    assert account.asked() == ["Homes", "Prices", "Readings"]


async def test_an_empty_day_of_quarter_hours_is_filled_from_below() -> None:
    account = Account(utc("2026-06-10T08:00"))
    account.simulated.faults.set(Fault.EMPTY_QUARTERS)
    assert shortfalls(await account.poll()) == []
    assert account.curve().covers(utc("2026-06-09T22:00"), utc("2026-06-10T22:00"))


# what goes wrong


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.UNAUTHENTICATED, Unauthenticated),
        (Fault.UNAUTHENTICATED_400, Unauthenticated),
        (Fault.HTTP_401, Unauthenticated),
        (Fault.RATE_LIMITED, RateLimited),
        (Fault.RATE_LIMITED_RETRY_AFTER, RateLimited),
        (Fault.BAD_GATEWAY, Unreachable),
        (Fault.HTML_200, Unreachable),
        (Fault.TRUNCATED, Malformed),
        (Fault.ERRORS_200, Unreachable),
        (Fault.ECHO_TOKEN, Unreachable),
        (Fault.DROP, Unreachable),
    ],
)
async def test_a_failing_provider_raises_for_the_readers_next_step(fault: Fault, error: type[SourceError]) -> None:
    account = Account(utc("2026-06-10T08:00"))
    account.simulated.faults.set(fault)
    with pytest.raises(error) as raised:
        await account.poll()
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(raised.value.__cause__)


async def test_a_ban_of_unknown_length_holds_for_ten_minutes_and_some() -> None:
    account = Account(utc("2026-06-10T08:00"))
    account.simulated.faults.set(Fault.RATE_LIMITED)
    with pytest.raises(RateLimited) as raised:
        await account.poll()
    wait = raised.value.retry_after
    assert wait is not None
    assert timedelta(minutes=10) <= wait <= timedelta(minutes=11)
    assert account.meter.paused == [account.clock.now() + wait]
    assert len(account.asked()) == 1


async def test_a_home_without_a_contract_is_told_and_disturbs_no_other() -> None:
    account = Account(utc("2026-06-10T12:30"), homes=(LEFT, OSLO))
    assert shortfalls(await account.poll()) == [("not_found", "home Old flat has no contract", False)]
    assert account.curve(OSLO).covers(utc("2026-06-09T22:00"), utc("2026-06-11T22:00"))


async def test_a_contract_that_vanishes_leaves_its_prices_behind() -> None:
    account = Account(utc("2026-06-10T08:00"))
    await account.poll()
    account.simulated.faults.set(Fault.NULL_SUBSCRIPTION)
    account.clock.set(utc("2026-06-10T12:30"))
    assert shortfalls(await account.poll()) == [("not_found", "home Holm Street has no contract", True)]
    assert account.curve().covers(utc("2026-06-09T22:00"), utc("2026-06-10T22:00"))


async def test_a_null_home_is_told_and_does_not_count_as_removed() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=(OSLO, BERLIN))
    account.simulated.faults.next(Fault.NULL_HOME)
    seen = await account.poll()
    assert isinstance(seen[0], SitesSeen)
    assert not seen[0].complete
    assert shortfalls(seen) == [("unavailable", "1 of 2 homes came back empty", False)]


async def test_a_home_that_comes_back_null_among_the_prices_is_behind() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=(OSLO, BERLIN))
    await account.poll()
    account.clock.set(utc("2026-06-10T12:30"))
    account.simulated.faults.next(Fault.NULL_HOME)
    assert shortfalls(await account.poll()) == [("unavailable", "home Holm Street came back empty", True)]
    assert account.curve(BERLIN).end == utc("2026-06-11T22:00")


async def test_a_partial_tomorrow_is_kept_told_and_asked_for_again() -> None:
    account = Account(utc("2026-06-10T12:30"))
    account.simulated.faults.set(Fault.PARTIAL_TOMORROW)
    [told] = shortfalls(await account.poll())
    assert told == (
        "unavailable",
        "home Holm Street: of tomorrow's prices 10 h of 24 h are known, the rest is asked for again",
        False,
    )
    assert account.curve().end == utc("2026-06-11T08:00")
    account.simulated.faults.set(None)
    await account.live_until(utc("2026-06-10T13:00"))
    assert account.curve().end == utc("2026-06-11T22:00")


async def test_errors_on_one_path_leave_the_rest_alone() -> None:
    account = Account(utc("2026-06-10T08:00"))
    answer = json.dumps(
        {
            "data": {"viewer": {"homes": [{"id": OSLO.id, "consumption": None, "production": {"nodes": []}}]}},
            "errors": [{"message": "no luck", "path": ["viewer", "homes", 0, "consumption"], "extensions": {"code": "X"}}],
        }
    )
    await account.poll()
    account.clock.set(utc("2026-06-10T17:00"))
    graphql = account.source._graphql
    result = graphql._result(answer_of(answer))
    told = list(account.source._readings(result, account.known, account.clock.now()))
    assert told[0] == ReadingsSeen(OSLO.id, ())
    assert shortfalls(told[1:]) == [("unavailable", "no luck (X)", False)]


def answer_of(text: str) -> Any:
    from bridge.transport.http import Answer

    return Answer(200, "application/json", text)


# when


async def test_tomorrow_is_asked_for_once_after_one_in_oslo_plus_our_share() -> None:
    account = Account(utc("2026-06-10T08:00"))
    await account.poll()
    assert account.source.timetable.due(Feature.PRICES, account.known, account.clock.now()) == utc("2026-06-10T11:25")
    await account.live_until(utc("2026-06-10T11:24"))
    assert account.asked().count("Prices") == 1
    await account.live_until(utc("2026-06-10T11:26"))
    assert account.asked().count("Prices") == 2
    assert account.source.timetable.due(Feature.PRICES, account.known, account.clock.now()) == utc("2026-06-11T11:25")


@pytest.mark.parametrize(("share", "at"), [(0, "2026-01-10T12:00"), (0.5, "2026-01-10T12:25"), (0.999, "2026-01-10T12:49")])
def test_installations_spread_over_fifty_minutes(share: float, at: str) -> None:
    assert released(utc("2026-01-10T00:00"), share).replace(second=0, microsecond=0) == utc(at)


async def test_a_late_day_is_retried_ever_more_rarely_and_at_once_after_midnight() -> None:
    account = Account(utc("2026-06-10T08:00"))
    account.simulated.publish_at = time(23, 59)
    await account.live_until(utc("2026-06-10T22:30"))
    times = [asked.moment for asked in account.simulated.requests if asked.operation == "Prices"][1:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times[0] == utc("2026-06-10T11:25")
    assert gaps[0] < gaps[2] < gaps[3]
    assert max(gaps) <= timedelta(hours=3.6)
    assert times[-2:] == [utc("2026-06-10T21:30"), utc("2026-06-10T22:07")]
    assert account.curve().covers(utc("2026-06-10T22:00"), utc("2026-06-11T22:00"))


def test_no_wait_passes_over_midnight() -> None:
    assert retry(utc("2026-06-10T20:00"), 7, 0.5, 1.0) == utc("2026-06-10T21:30")
    assert retry(utc("2026-06-10T21:30"), 7, 0.5, 1.0) == utc("2026-06-10T22:07")


@pytest.mark.parametrize(
    ("publish_at", "homes", "most"), [(time(13), 1, 6), (time(22), 1, 12), (time(13), 10, 6), (time(22), 10, 12)]
)
async def test_a_day_costs_few_requests_however_many_homes(publish_at: time, homes: int, most: int) -> None:
    some = tuple(Home(f"0b0b0b0b-0000-4000-8000-{n:012}", f"Home {n}", "Europe/Oslo", "NOK", "NO1") for n in range(homes))
    account = Account(utc("2026-06-09T08:00"), homes=some)
    account.simulated.publish_at = publish_at
    await account.live_until(utc("2026-06-12T23:00"))
    for day in ("2026-06-10", "2026-06-11", "2026-06-12"):
        begin, end = bounds(utc(f"{day}T12:00"), account.known.sites[some[0].id].zone)
        assert sum(begin <= asked.moment < end for asked in account.simulated.requests) <= most
    assert account.curve(some[-1]).end == utc("2026-06-13T22:00")


@pytest.mark.parametrize(("publish_at", "most"), [(time(13), 6), (time(22), 12)])
async def test_a_day_without_quarter_hours_costs_no_more(publish_at: time, most: int) -> None:
    account = Account(utc("2026-06-09T08:00"), homes=(HOURLY,))
    account.simulated.publish_at = publish_at
    await account.live_until(utc("2026-06-12T23:00"))
    for day in ("2026-06-10", "2026-06-11", "2026-06-12"):
        begin, end = bounds(utc(f"{day}T12:00"), account.known.sites[HOURLY.id].zone)
        assert sum(begin <= asked.moment < end for asked in account.simulated.requests) <= most


@pytest.mark.parametrize(("publish_at", "most"), [(time(13), 6), (time(23, 59), 12)])
async def test_the_day_of_25_hours_costs_no_more(publish_at: time, most: int) -> None:
    for seed in range(8):
        account = Account(utc("2026-10-23T08:00") + timedelta(hours=3 * seed), share=seed / 8, seed=seed)
        account.simulated.publish_at = publish_at
        await account.live_until(utc("2026-10-26T22:00"))
        begin, end = utc("2026-10-24T22:00"), utc("2026-10-25T23:00")
        assert sum(begin <= asked.moment < end for asked in account.simulated.requests) <= most


async def test_homes_are_asked_for_once_a_day_also_across_restarts() -> None:
    account = Account(utc("2026-06-10T08:00"))
    await account.poll()
    restarted = Account(utc("2026-06-10T09:00"), known=account.known)
    await restarted.poll()
    assert restarted.asked() == ["Prices"]


async def month(account: Account, begin: str = "2026-06-11T00:00", end: str = "2026-06-25T00:00") -> dict[str, int]:
    """Live on, and return how often each operation was asked for meanwhile."""
    await account.live_until(utc(begin))
    account.simulated.requests.clear()
    await account.live_until(utc(end))
    return {name: account.asked().count(name) for name in ("Homes", "Prices", "Readings")}


async def test_a_contract_that_begins_later_is_noticed_within_a_day() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=(LEFT,))
    await account.live_until(utc("2026-06-13T08:00"))
    assert account.known.curves == {}
    account.simulated.homes = (replace(LEFT, has_subscription=True),)
    await account.live_until(utc("2026-06-14T12:00"))
    assert account.curve(LEFT).covers(utc("2026-06-14T12:00"), utc("2026-06-14T22:00"))


async def test_a_contract_that_ends_is_no_fault_once_its_prices_have_run_out() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=(OSLO, BERLIN))
    await account.poll()
    account.simulated.homes = (replace(OSLO, has_subscription=False), BERLIN)
    await account.live_until(utc("2026-06-15T00:00"))
    assert not any(behind for _, _, behind in shortfalls(await account.poll()))
    asked = await month(account, "2026-06-15T12:00", "2026-06-20T12:00")
    assert asked["Prices"] == 5


async def test_an_answer_without_homes_takes_nothing_away_and_is_asked_again_soon() -> None:
    account = Account(utc("2026-06-10T08:00"))
    await account.poll()
    account.simulated.homes = ()
    await account.live_until(utc("2026-06-11T09:30"))
    assert ("not_found", "the account has no home", True) in shortfalls(await account.poll())
    assert account.known.sites.keys() == {OSLO.id}
    assert account.curve().covers(utc("2026-06-10T08:00"), utc("2026-06-10T22:00"))
    homes = account.asked().count("Homes")
    await account.live_until(utc("2026-06-11T14:00"))
    assert account.asked().count("Homes") > homes


async def test_an_empty_list_of_homes_is_not_taken_for_complete() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=())
    [seen, told] = await account.poll()
    assert seen == SitesSeen((), complete=False)
    assert shortfalls([told]) == [("not_found", "the account has no home", True)]


async def test_what_prices_lack_is_still_told_by_a_poll_for_something_else() -> None:
    account = Account(utc("2026-06-10T08:00"), homes=(OSLO, LEFT))
    await account.poll()
    account.clock.set(utc("2026-06-10T16:30"))
    due = account.source.timetable.due(Feature.PRICES, account.known, account.clock.now())
    while due <= account.clock.now():
        await account.poll()
        due = account.source.timetable.due(Feature.PRICES, account.known, account.clock.now())
    account.simulated.requests.clear()
    account.clock.set(utc("2026-06-11T01:00"))
    told = shortfalls(await account.poll())
    assert account.asked() == ["Readings"]
    assert told == [("not_found", "home Old flat has no contract", False)]


@pytest.mark.parametrize("failing", ["Homes", "Readings"])
async def test_a_feature_that_fails_holds_up_no_other(failing: str) -> None:
    account = Account(utc("2026-06-10T08:00"))
    await account.poll()
    handle = account.simulated.handle

    async def partly(request: Request) -> Response:
        if f"query {failing}".encode() in request.body:
            account.simulated.requests.append(Asked(account.clock.now(), failing, {}, None))
            error = {"message": "Cannot query field", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
            return Response(400, json.dumps({"errors": [error]}).encode())
        return await handle(request)

    account.simulated.handle = partly  # type: ignore[method-assign]
    asked = await month(account, end="2026-06-14T00:00")
    assert account.curve().covers(utc("2026-06-14T00:00"), utc("2026-06-14T22:00"))
    assert asked["Prices"] == 3
    assert asked[failing] <= 3 * 10
    told = [shortfall for shortfall in shortfalls(await account.poll()) if shortfall[0] == "refused"]
    assert [behind for _, _, behind in told] == [False]


@pytest.mark.parametrize("wrong", ["2027-06-10T08:00", "2036-01-01T00:00"])
async def test_a_clock_that_was_ahead_at_the_first_poll_costs_nothing_once_it_is_right(wrong: str) -> None:
    account = Account(utc(wrong))
    account.simulated.faults.set(Fault.NO_TOMORROW)
    await account.poll()
    account.simulated.faults.set(None)
    account.clock.set(utc("2026-06-10T08:00"))
    asked = await month(account)
    assert account.curve().covers(utc("2026-06-25T00:00"), utc("2026-06-25T22:00"))
    assert asked["Prices"] == 14


async def test_a_home_of_an_odd_shape_disturbs_no_other() -> None:
    shapes: list[Any] = [[], 5, "text", {"priceInfo": []}, {"priceInfo": {"today": 5}}, {"priceInfo": {"today": [[]]}}]
    for odd in shapes:
        account = Account(utc("2026-06-10T08:00"), homes=(OSLO, BERLIN))
        await account.poll()
        data = {"viewer": {"homes": [{"id": OSLO.id, "currentSubscription": odd}, {"id": BERLIN.id}]}}
        result = account.source._graphql._result(answer_of(json.dumps({"data": data})))
        rows = {home["id"]: (index, home) for index, home in enumerate(normalise.homes(result.data)) if home}
        site = account.known.sites[OSLO.id]
        read = account.source._ladder._read(0, result, rows[OSLO.id], site, account.known, account.clock.now())
        assert len(normalise.guarded(read, site)) <= 1


def test_half_a_letter_becomes_a_question_mark() -> None:
    from bridge.transport.http import Answer

    found = Answer(200, "application/json", '{"a": ["Hus \\ud83c", {"\\ud800": "\\ud83c\\udfe0"}]}').json()
    assert found == {"a": ["Hus ?", {"?": "\U0001f3e0"}]}


# readings


def last(home: dict[str, Any], register: Register, moment: datetime) -> Reading | None:
    return next(reversed(energy.told(home, register, moment)), None)


def row(hour: int, value: float | None, key: str = "consumption") -> dict[str, Any]:
    start = utc("2026-06-10T00:00") + timedelta(hours=hour)
    number = None if value is None else Decimal(str(value))
    return {"from": start.isoformat(), "to": (start + HOUR).isoformat(), key: number, f"{key}Unit": "kWh"}


def newest(rows: list[dict[str, Any]], moment: datetime, register: Register = CONSUMPTION) -> Reading | None:
    return last({register.field: {"nodes": rows}}, register, moment)


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([1.2, 1.3, 0, 0], "1.3"),  # zeros at the end are hours that have not arrived
        ([1.2, 0, 1.4, None], "1.4"),  # a zero in the middle is one
        ([1.2, None, None, None], "1.2"),
        ([None, None], None),
        ([0, 0], None),
        ([], None),
    ],
)
def test_the_newest_known_hour_of_consumption(values: list[float | None], known: str | None) -> None:
    found = newest([row(hour, value) for hour, value in enumerate(values)], utc("2026-06-10T05:00"))
    assert (found and str(found.value)) == known


def test_zeros_older_than_a_day_are_believed() -> None:
    found = newest([row(0, 1.2), row(1, 0)], utc("2026-06-11T03:00"))
    assert found is not None
    assert (found.value, found.end) == (Decimal(0), utc("2026-06-10T02:00"))


def test_the_hours_before_the_newest_are_known_too() -> None:
    rows = [row(hour, value) for hour, value in enumerate([1.2, None, 1.4, 0])]
    told = energy.told({"consumption": {"nodes": rows}}, CONSUMPTION, utc("2026-06-10T04:00"))
    assert [(reading.value, reading.start) for reading in told] == [
        (Decimal("1.2"), utc("2026-06-10T00:00")),
        (Decimal("1.4"), utc("2026-06-10T02:00")),
    ]


def test_an_hour_that_still_runs_is_not_a_reading() -> None:
    found = newest([row(0, 1.2), row(1, 0.4)], utc("2026-06-10T01:30"))
    assert found is not None
    assert found.value == Decimal("1.2")


def test_a_dark_hour_of_production_is_a_reading_and_an_unknown_one_is_not() -> None:
    rows = [row(0, 0.7, "production"), row(1, 0, "production"), row(2, None, "production")]
    found = newest(rows, utc("2026-06-10T05:00"), PRODUCTION)
    assert found is not None
    assert (found.value, found.direction, found.unit, found.aggregation) == (Decimal(0), "export", "kWh", "sum")


# odd rows


def odd_rows() -> Iterator[object]:
    yield {"startsAt": "2026-06-10T00:00:00.000+02:00", "total": Decimal("0.5"), "level": "BRAND_NEW", "currency": "EUR"}
    yield {"startsAt": "yesterday", "total": Decimal("0.5")}
    yield {"startsAt": "2026-06-10T00:15:00", "total": Decimal("0.5")}
    yield {"startsAt": "2026-06-10T00:30:00.000+02:00", "total": "0.5"}
    yield {"startsAt": "2026-06-10T00:45:00.000+02:00", "total": None}
    yield {"total": Decimal("0.5")}
    yield {"startsAt": "2026-06-10T00:50:00.000+02:00", "total": Decimal("0.5")}
    yield {"startsAt": "2200-06-10T00:00:00.000+02:00", "total": Decimal("0.5")}
    yield {"startsAt": "2026-06-10T01:00:00.000+02:00", "total": Decimal("1e400")}
    yield None
    yield 7


def test_an_odd_row_is_left_out_and_logged_and_an_unknown_level_passes(caplog: pytest.LogCaptureFixture) -> None:
    found = normalise.curve(odd_rows(), QUARTER_HOUR, utc("2026-06-10T00:00"))
    assert [(slot.start, slot.value, slot.level) for slot in found.slots] == [
        (utc("2026-06-09T22:00"), Decimal("0.5"), "brand_new")
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "9 price row(s) of Tibber's are left out, the first for ValueError"
    ]


def test_a_contract_that_has_not_begun_has_no_currency() -> None:
    assert raw.currency("N/A") is None


def test_an_unknown_time_zone_falls_back_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    site = normalise.site({"id": "1", "timeZone": "Mars/Olympus"}, personal=False)
    assert site is not None
    assert (site.timezone, site.title) == ("Europe/Oslo", "home")
    assert "Mars/Olympus" in caplog.text


@pytest.mark.parametrize("name", ["prices_current", "prices_today", "prices_tomorrow"])
def test_recorded_prices_are_read(name: str) -> None:
    file = FACTS / "providers" / "fixtures" / "tibber" / f"{name}.json"
    if not file.exists():
        pytest.skip("the folder of facts is not here")
    recorded = json.loads(file.read_text(), parse_float=Decimal)["response"]["data"]
    info = recorded["viewer"]["home"]["currentSubscription"]["priceInfo"]
    found = normalise.curve([*info["today"], *info["tomorrow"]], HOUR, utc("2023-04-28T13:08"))
    assert (found.currency, len(found.slots)) == ("SEK", 4 * (len(info["today"]) + len(info["tomorrow"])))
    assert found.slots[0] == (utc("2023-04-27T22:00"), utc("2023-04-27T22:15"), Decimal("1.2566"), "expensive")


def test_recorded_readings_are_read() -> None:
    folder = FACTS / "providers" / "fixtures" / "tibber"
    if not folder.exists():
        pytest.skip("the folder of facts is not here")
    consumed = json.loads((folder / "consumptions.json").read_text(), parse_float=Decimal)["response"]["data"]
    produced = json.loads((folder / "productions.json").read_text(), parse_float=Decimal)["response"]["data"]
    reading = last(consumed["viewer"]["home"], CONSUMPTION, utc("2023-04-20T10:49:31"))
    assert reading is not None
    assert (reading.value, reading.start) == (Decimal("0.8"), utc("2023-04-20T04:00"))
    sun = last(produced["viewer"]["home"], PRODUCTION, utc("2023-04-28T09:32:24"))
    assert sun is not None
    assert sun.value is not None
    assert sun.value > 0


def test_the_provider_names_its_settings() -> None:
    assert PROVIDER.settings is TibberSettings
