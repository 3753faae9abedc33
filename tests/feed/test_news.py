"""News is what was not known before and is not over; what merely changes its colour is none."""

from decimal import Decimal

import pytest

from bridge.feed.news import news
from bridge.feed.place import Place
from bridge.models.device import Device, Dispatch
from bridge.models.payload import DispatchPlanned, NegativePrice, PricesPublished, SavingSession
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.state.store import NamedDevice
from tests.support import curve, utc

NOW = utc("2026-06-10T10:15")
SITE = Site(id="1", title="Home", timezone="Europe/London")
NOTHING = Place("home", SITE)


def dispatch(start: str, end: str, **more: str) -> Dispatch:
    return Dispatch.model_validate({"start": utc(f"2026-06-10T{start}"), "end": utc(f"2026-06-10T{end}"), **more})


def owning(*planned: Dispatch, id_: str = "0001") -> Place:
    return Place("home", SITE, devices={id_: NamedDevice(name="car", device=Device(id=id_, title="Car", planned=planned))})


def announcing(*spans: Span, kind: str = "saving-sessions") -> Place:
    return Place("home", SITE, schedules={kind: Schedule(kind=kind, spans=spans)})


def planned(start: str, end: str, *, type_: str | None = None, energy_kwh: Decimal | None = None) -> DispatchPlanned:
    begin, until = utc(f"2026-06-10T{start}"), utc(f"2026-06-10T{end}")
    return DispatchPlanned(device="car", device_id="0001", start=begin, end=until, type=type_, energy_kwh=energy_kwh)


def test_a_dispatch_that_was_not_planned_is_news() -> None:
    new = dispatch("13:00", "14:00", type="smart", energy_kwh="7.5")
    found = list(news(owning(dispatch("12:00", "12:30")), owning(dispatch("12:00", "12:30"), new), NOW))
    assert found == [planned("13:00", "14:00", type_="smart", energy_kwh=Decimal("7.5"))]


def test_of_what_was_never_seen_all_is_news_that_is_not_over() -> None:
    plan = (dispatch("09:00", "10:15"), dispatch("10:00", "10:30"), dispatch("11:00", "11:30"))
    expected = [planned("10:00", "10:30"), planned("11:00", "11:30")]
    assert list(news(NOTHING, owning(*plan), NOW)) == expected
    assert list(news(owning(*plan, id_="another"), owning(*plan), NOW)) == expected


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (("11:00", "12:00"), ("11:00", "12:00"), []),
        (("11:00", "12:00"), ("11:00", "12:30"), [planned("11:00", "12:30")]),
        (("11:00", "12:00"), ("11:30", "12:00"), [planned("11:30", "12:00")]),
        (("10:00", "10:30"), ("10:00", "10:15"), []),
        (("10:00", "11:00"), ("10:14", "11:00"), []),
        (("10:00", "11:00"), ("10:14", "11:30"), [planned("10:14", "11:30")]),
        (("11:00", "12:00"), ("10:10", "12:00"), [planned("10:10", "12:00")]),
    ],
    ids=["as it was", "another end", "another start", "over", "began at another time", "begun, another end", "begun early"],
)
def test_a_dispatch_that_is_moved_is_news_once(
    before: tuple[str, str], after: tuple[str, str], told: list[DispatchPlanned]
) -> None:
    old, new = owning(dispatch(*before)), owning(dispatch(*after))
    assert (list(news(old, new, NOW)), list(news(new, new, NOW))) == (told, [])


def test_another_energy_or_type_is_no_news() -> None:
    old, new = dispatch("11:00", "12:00", energy_kwh="1"), dispatch("11:00", "12:00", energy_kwh="2", type="boost")
    assert list(news(owning(old), owning(new), NOW)) == []


def test_what_is_gone_is_no_news() -> None:
    assert list(news(owning(dispatch("11:00", "12:00")), owning(), NOW)) == []
    assert list(news(owning(dispatch("11:00", "12:00")), NOTHING, NOW)) == []


def test_a_saving_session_that_was_not_announced_is_news_with_its_facts() -> None:
    known = Span(start=utc("2026-06-10T17:00"), end=utc("2026-06-10T18:00"), facts={"joined": False})
    joined = known.model_copy(update={"facts": {"joined": True}})
    new = Span(start=utc("2026-06-11T17:00"), end=utc("2026-06-11T18:00"), facts={"joined": False, "event_type": "x"})
    over = Span(start=utc("2026-06-10T09:15"), end=NOW)
    told = {"start": new.start, "end": new.end, "joined": False}
    assert list(news(announcing(known), announcing(over, joined, new), NOW)) == [SavingSession.model_validate(told)]
    assert len(list(news(NOTHING, announcing(over, joined, new), NOW))) == 2


def test_another_kind_of_schedule_is_no_news() -> None:
    span = Span(start=utc("2026-06-11T17:00"), end=utc("2026-06-11T18:00"))
    assert list(news(NOTHING, announcing(span, kind="greener-nights"), NOW)) == []


# prices


def priced(*values: float, start: str = "10:00") -> Place:
    return Place("home", SITE, curves={"import": curve(utc(f"2026-06-10T{start}"), values)})


def published(start: str, end: str, least: str, most: str, mean: str) -> PricesPublished:
    begin, until = utc(f"2026-06-10T{start}"), utc(f"2026-06-10T{end}")
    return PricesPublished(
        stream="import", start=begin, end=until, min=Decimal(least), max=Decimal(most), mean=Decimal(mean), currency="EUR"
    )


def negative(start: str, end: str, least: str, mean: str) -> NegativePrice:
    begin, until = utc(f"2026-06-10T{start}"), utc(f"2026-06-10T{end}")
    return NegativePrice(stream="import", start=begin, end=until, min=Decimal(least), mean=Decimal(mean), currency="EUR")


def test_prices_that_reach_further_are_news() -> None:
    found = list(news(priced(1, 2), priced(1, 2, 3, 5), NOW))
    assert found == [published("10:30", "11:00", "3", "5", "4")]


def test_of_prices_that_were_never_seen_those_are_news_that_are_not_over() -> None:
    assert list(news(NOTHING, priced(1, 2, 4), NOW)) == [published("10:15", "10:45", "2", "4", "3")]
    assert list(news(NOTHING, priced(1), NOW)) == []


def test_prices_that_are_merely_corrected_or_shortened_are_no_news() -> None:
    assert list(news(priced(1, 2, 3), priced(1, 2, 4), NOW)) == []
    assert list(news(priced(1, 2, 3), priced(1, 2), NOW)) == []


def test_each_span_below_zero_is_told_once() -> None:
    before, after = priced(1, -1, 2), priced(1, -1, 2, -1, -3, 0, -2)
    assert list(news(NOTHING, before, NOW))[1:] == [negative("10:15", "10:30", "-1", "-1")]
    assert list(news(before, after, NOW))[1:] == [negative("10:45", "11:15", "-3", "-2"), negative("11:30", "11:45", "-2", "-2")]
    assert list(news(after, after, NOW)) == []


def test_a_span_below_zero_that_grows_or_is_over_is_no_news() -> None:
    assert list(news(priced(1, 2, -1), priced(1, 2, -1, -1), NOW)) == [published("10:45", "11:00", "-1", "-1", "-1")]
    assert list(news(priced(1, 2), priced(-1, 2), NOW)) == []


def test_a_price_that_is_corrected_to_below_zero_is_news() -> None:
    assert list(news(priced(1, 2, 3), priced(1, 2, -3), NOW)) == [negative("10:30", "10:45", "-3", "-3")]
