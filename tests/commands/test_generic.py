"""What every source may be asked: the prices and sites that are known, readings, and a poll at once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.commands import answer
from bridge.commands.generic import OPERATIONS, Generic
from bridge.commands.offer import Offer
from bridge.commands.request import told as faults
from bridge.errors import BadRequest, NotFound
from bridge.providers.base import Kind, Known, Page, Span
from tests.commands.held import Held, held, reading, told
from tests.commands.office import NOW
from tests.support import utc

LAST = [told("import", 1.25, "2026-06-10T08:00", "2026-06-10T09:00"), told("export", 0.5, "2026-06-10T07:00", "2026-06-10T08:00")]


@dataclass
class Historian:
    """A source that has a page of readings."""

    page: Page = field(default_factory=lambda: Page((reading("import", "2", "2026-06-03T01:00"),), "cursor-2"))
    asked: list[tuple[str, Span]] = field(default_factory=list)

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:
        self.asked.append((site, span))
        return self.page


async def refresh() -> list[str]:
    return ["prices", "readings"]


def offered(source: object = None, holdings: Held | None = None) -> dict[str, Offer]:
    return {offer.name: offer for offer in Generic("home", holdings or held(), source, refresh).offers()}


async def asked(operation: str, source: object = None, holdings: Held | None = None, **arguments: Any) -> Any:
    """Return what a device is told."""
    offer = offered(source, holdings)[operation]
    return answer.plain(await offer.run(offer.read(arguments), NOW))


def refused(operation: str, **arguments: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        offered()[operation].read(arguments)
    return faults(caught.value)


def test_every_source_offers_the_same_and_only_what_is_asked_of_the_provider_counts_as_remote() -> None:
    assert {name: (offer.full_name, offer.kind, offer.remote) for name, offer in offered().items()} == {
        "prices": ("home.prices", Kind.QUERY, False),
        "sites": ("home.sites", Kind.QUERY, False),
        "readings": ("home.readings", Kind.QUERY, False),
        "refresh": ("home.refresh", Kind.QUERY, True),
    }
    assert offered(Historian())["readings"].remote
    assert tuple(offered()) == tuple(OPERATIONS)


# prices


def priced(site: str, stream: str, *rows: tuple[str, str, float]) -> dict[str, object]:
    """Return the prices of a stream; each row is from when until when, on the eve of the 10th in UTC, and how much."""
    slots = [{"start": f"2026-06-09T{start}:00Z", "end": f"2026-06-09T{end}:00Z", "value": value} for start, end, value in rows]
    return {"site": site, "stream": stream, "currency": "NOK", "unit": "NOK/kWh", "slots": slots}


YESTERDAY, FIRST, SECOND, THIRD = ("21:45", "22:00", 0.5), ("22:00", "22:15", 1), ("22:15", "22:30", 1.5), ("22:30", "22:45", 2)
EXPORT, CABIN = ("22:00", "22:15", -0.1), ("22:00", "22:15", 3)


async def test_prices_are_all_that_are_known_from_the_start_of_the_local_day() -> None:
    assert await asked("prices") == {
        "prices": [
            priced("holm-street", "import", FIRST, SECOND, THIRD),
            priced("holm-street", "export", EXPORT),
            priced("cabin", "import", CABIN),
        ]
    }


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({"from": "2026-06-09T21:45:00Z"}, [YESTERDAY, FIRST, SECOND, THIRD]),
        ({"from": "2026-06-09T23:59:00+02:00"}, [YESTERDAY, FIRST, SECOND, THIRD]),
        ({"from": "2026-06-09T22:29:59Z"}, [SECOND, THIRD]),
        ({"from": "2026-06-09T22:30:00Z"}, [THIRD]),
        ({"to": "2026-06-09T22:15:00Z"}, [FIRST]),
        ({"to": "2026-06-09T22:15:01Z"}, [FIRST, SECOND]),
        ({"from": "2026-06-09T22:15:00Z", "to": "2026-06-09T22:30:00Z"}, [SECOND]),
        ({"from": "2030-01-01T00:00:00Z"}, []),
        ({"from": "2026-06-09T22:30:00Z", "to": "2026-06-09T22:15:00Z"}, []),
    ],
)
async def test_a_span_of_prices_is_every_slot_that_it_touches(arguments: Any, rows: list[tuple[str, str, float]]) -> None:
    found = await asked("prices", site="holm-street", stream="import", **arguments)
    assert found == {"prices": [priced("holm-street", "import", *rows)]}


async def test_where_no_price_is_known_there_is_none() -> None:
    assert await asked("prices", site="cabin", stream="gas") == {"prices": []}
    assert await asked("prices", holdings=Held()) == {"prices": []}


# sites


async def test_sites_are_told_by_their_topic_names_with_the_currency_of_their_prices() -> None:
    about = {"timezone": "Europe/Oslo", "currency": "NOK"}
    assert await asked("sites") == {
        "sites": [
            {"site": "holm-street", "name": "Holm Street", **about, "streams": ["import", "export"]},
            {"site": "cabin", "name": "Cabin", **about, "streams": ["import"]},
        ]
    }
    assert await asked("sites", holdings=Held()) == {"sites": []}


@pytest.mark.parametrize("operation", ["prices", "readings"])
async def test_an_unknown_site_is_not_found_and_those_that_there_are_are_named(operation: str) -> None:
    with pytest.raises(NotFound, match=r"^home has no site x{64}; it has: holm-street, cabin$"):
        await asked(operation, site="x" * 100)
    with pytest.raises(NotFound, match=r"^home has no site id-1; it has: holm-street, cabin$"):
        await asked(operation, site="id-1")
    with pytest.raises(NotFound, match=r"^home has no site cabin; it has: none$"):
        await asked(operation, site="cabin", holdings=Held())


# readings


async def test_without_a_span_readings_are_the_newest_and_nobody_is_asked() -> None:
    source = Historian()
    assert await asked("readings", source) == {"readings": LAST, "next": None}
    assert await asked("readings", source, site="cabin") == {"readings": [], "next": None}
    assert await asked("readings", source, meter="export") == {"readings": LAST[1:], "next": None}
    assert await asked("readings", source, quantity="power") == {"readings": [], "next": None}
    assert await asked("readings", source, aggregation="mean") == {"readings": [], "next": None}
    assert source.asked == []


async def test_a_source_that_has_no_past_chooses_from_the_newest() -> None:
    assert await asked("readings", previous="2h") == {"readings": LAST[:1], "next": None}
    assert await asked("readings", previous="1d") == {"readings": LAST, "next": None}
    assert await asked("readings", to="2026-06-10T08:30:00Z") == {"readings": LAST[1:], "next": None}
    late: Any = {"from": "2026-06-10T09:00:00Z"}
    assert await asked("readings", **late) == {"readings": [], "next": None}


async def test_readings_of_the_past_come_from_the_source_page_by_page() -> None:
    source = Historian()
    assert await asked("readings", source, site="holm-street", previous="7d", meter="import", quantity="energy", first=1) == {
        "readings": [told("import", 2, "2026-06-03T00:00", "2026-06-03T01:00")],
        "next": "cursor-2",
    }
    assert await asked("readings", source, site="cabin", to="2026-06-01T00:00:00Z", previous="90m", after="cursor-2") == {
        "readings": [told("import", 2, "2026-06-03T00:00", "2026-06-03T01:00", site="cabin")],
        "next": "cursor-2",
    }
    end = utc("2026-06-01T00:00")
    assert source.asked == [
        ("id-1", Span(utc("2026-06-03T10:05"), None, "import", "energy", 1, None)),
        ("id-2", Span(utc("2026-05-31T22:30"), end, None, None, 100, "cursor-2")),
    ]


async def test_of_several_sites_one_must_be_named_as_each_has_pages_of_its_own() -> None:
    source = Historian()
    text = r"^site: name one, as each has pages of its own: holm-street, cabin$"
    with pytest.raises(BadRequest, match=text):
        await asked("readings", source, previous="1d")
    assert await asked("readings", source, Held(), previous="1d") == {"readings": [], "next": None}
    assert source.asked == []


async def test_an_aggregation_is_chosen_from_what_came() -> None:
    page = Page((reading("a", "1", "2026-06-03T01:00", aggregation="mean"), reading("a", "2", "2026-06-03T01:00")))
    found = await asked("readings", Historian(page), site="cabin", previous="1d", aggregation="mean")
    mean = {**told("a", 1, "2026-06-03T00:00", "2026-06-03T01:00", site="cabin"), "aggregation": "mean"}
    assert found == {"readings": [mean], "next": None}


async def test_what_would_begin_before_all_years_is_a_bad_request() -> None:
    with pytest.raises(BadRequest, match=r"^previous: it reaches back beyond all years$"):
        await asked("readings", site="cabin", previous="9999w", to="0010-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("operation", "arguments", "text"),
    [
        ("prices", {"sight": "home"}, "sight: is not a known key"),
        ("prices", {"site": 1}, "site: Input should be a valid string"),
        ("prices", {"from": "yesterday"}, "from: Input should be a valid datetime or date, input is too short"),
        ("prices", {"from": "2026-06-10T00:00:00"}, "from: Input should have timezone info"),
        ("prices", {"start": "2026-06-10T00:00:00Z", "end": None}, "start: is not a known key; end: is not a known key"),
        ("sites", {"site": "home"}, "site: is not a known key"),
        ("refresh", {"now": True}, "now: is not a known key"),
        ("readings", {"previous": "7"}, 'previous: must be a number and one of m, h, d, w, such as "7d"'),
        ("readings", {"previous": "0d"}, 'previous: must be a number and one of m, h, d, w, such as "7d"'),
        ("readings", {"previous": "12345d"}, 'previous: must be a number and one of m, h, d, w, such as "7d"'),
        ("readings", {"previous": "٧d"}, 'previous: must be a number and one of m, h, d, w, such as "7d"'),
        ("readings", {"previous": "7d", "from": "2026-06-10T00:00:00Z"}, "from and previous say the same: give one of them"),
        ("readings", {"first": 0}, "first: Input should be greater than or equal to 1"),
        ("readings", {"first": 1001}, "first: Input should be less than or equal to 1000"),
        ("readings", {"after": "x" * 1025}, "after: String should have at most 1024 characters"),
    ],
)
def test_what_is_wrong_with_arguments_is_told(operation: str, arguments: dict[str, Any], text: str) -> None:
    assert refused(operation, **arguments) == text


# refresh


async def test_a_refresh_tells_what_came() -> None:
    assert await asked("refresh") == {"refreshed": ["prices", "readings"]}
