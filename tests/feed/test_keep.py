"""What holds for long is cut into half-hours, so that a day's figures and the time to come are of that day and that time."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from bridge.feed import enrich
from bridge.feed.keep import kept
from bridge.feed.place import Place
from bridge.models.observation import PricesSeen
from bridge.models.price import Curve, Slot
from bridge.models.site import Site
from bridge.pricing.meaning import Meaning
from tests.support import utc

SITE = Site(id="1", title="Home", timezone="Europe/Berlin", currency="EUR", streams=("import",))
MIDNIGHT = utc("2026-06-09T22:00")  # in Berlin
CENTURY = timedelta(days=36_525)


def told(slots: tuple[Slot, ...], moment: datetime, place: Place | None = None) -> Place:
    seen = PricesSeen("1", "import", Curve(currency="EUR", slots=slots))
    return kept(seen, place or Place("home", SITE), "home", moment)[0]


def nights(days: int) -> tuple[Slot, ...]:
    """Return days and nights from the evening of two days before MIDNIGHT on; a night is from 23:30 to 05:30 in Berlin."""
    first = MIDNIGHT - timedelta(days=2, minutes=30)
    row = [first + timedelta(days=number, hours=hours) for number in range(days) for hours in (0, 6)]
    values = (Decimal("0.1"), Decimal("0.3")) * days
    return tuple(Slot(start, end, value) for (start, end), value in zip(pairwise(row), values, strict=False))


def test_a_night_belongs_to_both_its_days_and_the_cheapest_hours_do_not_begin_in_the_past() -> None:
    moment = MIDNIGHT + timedelta(hours=3)  # two hours and a half are left of the night
    meaning = Meaning(told(nights(5), moment).curves["import"], SITE.zone)
    found = enrich.summary(meaning, moment)
    assert found.today is not None
    assert (found.today.min_at, found.today.max_at) == (MIDNIGHT, MIDNIGHT + timedelta(hours=5, minutes=30))
    assert found.cheapest == {"1h": moment, "3h": MIDNIGHT + timedelta(hours=23, minutes=30)}


def test_a_price_until_further_notice_has_figures_on_every_day_that_is_kept() -> None:
    forever = (Slot(MIDNIGHT - CENTURY, MIDNIGHT + CENTURY, Decimal("0.3")),)
    before = None
    for days in (0, 1, 3):
        moment = MIDNIGHT + timedelta(days=days, hours=5)
        before = told(forever, moment, before)
        curve = before.curves["import"]
        summary = enrich.summary(Meaning(curve, SITE.zone), moment)
        assert (summary.min, summary.max, summary.today and summary.today.complete) == (Decimal("0.3"), Decimal("0.3"), True)
        assert curve.slots[0].start == MIDNIGHT + timedelta(days=days - 2)
        assert curve.end == MIDNIGHT + timedelta(days=days + 8)


def test_the_same_prices_again_are_no_news() -> None:
    moment = MIDNIGHT + timedelta(hours=3)
    place = told(nights(5), moment)
    assert told(nights(5), moment, place) is place


def test_hours_stay_hours() -> None:
    hour = timedelta(hours=1)
    slots = tuple(Slot(MIDNIGHT + n * hour, MIDNIGHT + (n + 1) * hour, Decimal(n)) for n in range(24))
    assert told(slots, MIDNIGHT).curves["import"].slots == slots
