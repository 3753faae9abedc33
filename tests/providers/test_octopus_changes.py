"""What changes in an account meanwhile: another agreement takes the place of the one before, also in what is known."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.models.observation import PricesSeen
from bridge.simulator.octopus.homes import EXPORT, IMPORT, Agreement, MeterPoint, Property
from tests.providers.customer import Customer
from tests.providers.test_octopus import HOME, home, priced, shortfalls, supplied, true_prices
from tests.support import utc

NOON = utc("2026-06-10T12:00")
FIXED, AGILE, GO = "E-1R-OE-FIX-12M-24-08-20-C", "E-1R-AGILE-24-10-01-C", "E-1R-GO-VAR-22-10-14-C"


def supply(customer: Customer, *points: MeterPoint) -> None:
    customer.provider.properties = (Property(HOME, "EC1A 1ZZ", "1 Example Street", points),)


async def test_a_price_of_the_agreement_before_is_not_held_after_the_change() -> None:
    customer = Customer(NOON, simulated=home(supplied(IMPORT, Agreement(FIXED))))
    await customer.poll()
    fixed = customer.curve().slots[0].value
    assert customer.curve().end == utc("2026-06-12T23:00")  # a fixed price is known for days ahead
    change = utc("2026-06-10T23:00")
    supply(customer, supplied(IMPORT, Agreement(FIXED, valid_to=change), Agreement(AGILE, valid_from=change)))
    await customer.live_until(utc("2026-06-11T10:00"))  # the account is asked twice a day
    curve = customer.curve()
    assert {slot.value for slot in curve.slots if slot.start < change} == {fixed}
    after = [slot for slot in curve.slots if slot.start >= change]
    assert priced(tuple(after)) == list(true_prices(AGILE, change, utc("2026-06-11T22:00"), customer.clock.now()))
    await customer.live_until(utc("2026-06-11T16:30"))
    assert customer.curve().end == utc("2026-06-12T22:00")


async def test_when_the_supply_has_ended_there_is_no_price_any_more() -> None:
    customer = Customer(NOON, simulated=home(supplied(IMPORT, Agreement(FIXED))))
    await customer.poll()
    supply(customer, supplied(IMPORT, Agreement(FIXED, valid_to=NOON + timedelta(hours=1))))
    await customer.live_until(utc("2026-06-11T03:00"))
    assert customer.curve().at(customer.clock.now()) is None
    assert ("not_found", "import: no agreement is in force, so there are no prices", False) in shortfalls(await customer.poll())


async def test_the_prices_of_a_meter_point_that_is_gone_are_taken_back() -> None:
    customer = Customer(NOON, simulated=home(IMPORT, EXPORT))
    await customer.poll()
    assert customer.curve("export").at(NOON) is not None
    supply(customer, IMPORT)
    seen = await customer.live_until(utc("2026-06-11T03:00"))
    assert [one.curve.slots for one in seen if isinstance(one, PricesSeen) and one.stream == "export"][-1:] == [()]
    assert customer.curve("export").at(customer.clock.now()) is None
    assert customer.source.next_poll(customer.known, customer.clock.now()) > customer.clock.now()


async def test_a_short_agreement_inside_an_open_one_leaves_the_open_one_in_force() -> None:
    short = Agreement(GO, valid_from=utc("2026-03-01T00:00"), valid_to=utc("2026-04-01T00:00"))
    customer = Customer(NOON, simulated=home(supplied(IMPORT, Agreement(FIXED), short)))
    assert shortfalls(await customer.poll()) == []
    expected = dict(true_prices(FIXED, utc("2026-06-07T23:00"), utc("2026-06-12T23:00"), NOON))
    assert dict(priced(customer.curve().slots)) == expected


@pytest.mark.parametrize(
    ("begins", "known_by"), [("2026-06-10T23:00", "2026-06-10T16:00"), ("2026-06-10T13:00", "2026-06-10T13:02")]
)
async def test_a_supply_that_begins_soon_has_its_first_price_in_time(begins: str, known_by: str) -> None:
    point = replace(IMPORT, agreements=(Agreement(AGILE, valid_from=utc(begins)),))
    customer = Customer(NOON, simulated=home(point))
    await customer.poll()
    await customer.live_until(utc(known_by))
    first = next(true_prices(AGILE, utc(begins), utc("2026-06-11T22:00"), customer.clock.now()))
    slot = customer.curve().at(utc(begins))
    assert slot is not None
    assert (slot.start, slot.value) == first


async def test_what_a_clock_a_year_ahead_has_learnt_is_let_go() -> None:
    from bridge.feed.keep import KEPT_AHEAD, kept
    from bridge.feed.place import Place
    from bridge.models.price import Curve
    from bridge.models.site import Site
    from tests.support import curve

    far = curve(utc("2027-06-10T12:00"), [0.3] * 8, "GBP")
    place = Place("home", Site(id="1", title="home", timezone="Europe/London"), {"import": far})
    place, _ = kept(PricesSeen("1", "import", curve(NOON, [0.2], "GBP")), place, "octopus", NOON)
    assert place.curves["import"] == Curve(currency="GBP", slots=curve(NOON, [Decimal("0.2")], "GBP").slots)  # type: ignore[list-item]
    assert KEPT_AHEAD > 3
