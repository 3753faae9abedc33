"""The prices of one meter point over a span: by REST without a key, else by account, else by tariff."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import Denied, Incomplete, SourceError
from bridge.models.price import Curve
from bridge.providers.octopus.household import Agreement, Household, Supply, Tariff
from bridge.providers.octopus.prices import Prices
from tests.providers.wire import NOON, SIGN_IN, Wire, failure, page, settings
from tests.support import utc

LONG_AGO = utc("2026-01-01T00:00")
BEGIN, END = utc("2026-06-09T23:00"), utc("2026-06-11T23:00")
RATES = "ApplicableRates"
AGILE, FIXED, IOG = "AGILE-24-10-01", "OE-FIX-12M-25-06-10", "IOG-SMB-VAR-24-10-29"
UNAUTHORISED = failure("KT-CT-1111", "applicableRates")


def tariff(product: str = AGILE, kind: str = "HalfHourlyTariff", **rates: str) -> Tariff:
    return Tariff(f"E-1R-{product}-C", product, kind, None, {name: Decimal(value) for name, value in rates.items()})


def held(product: str = AGILE, start: datetime = LONG_AGO, end: datetime | None = None, **more: Any) -> Agreement:
    return Agreement(start, end, tariff(product, **more))


def lies(product: str, rel: str = "standard-unit-rates") -> str:
    return f"/products/{product}/electricity-tariffs/E-1R-{product}-C/{rel}/"


def rows(*given: tuple[Any, str | None, str | None]) -> Any:
    """Return a page of REST: pence, from and to in UTC."""
    stamped = [tuple(None if text is None else f"{text}:00Z" for text in one[1:]) for one in given]
    found = [
        {"value_inc_vat": one[0], "valid_from": start, "valid_to": end} for one, (start, end) in zip(given, stamped, strict=True)
    ]
    return {"count": len(found), "next": None, "results": found}


def node(pence: Any, start: str, end: str | None = None) -> Any:
    return {"value": pence, "validFrom": f"{start}:00+00:00", "validTo": end and f"{end}:00+00:00"}


def applicable(*nodes: Any) -> Any:
    return {"data": {"applicableRates": page(list(nodes))}}


async def asked(prices: Prices, *agreements: Agreement, end: datetime = END) -> Curve:
    household = Household("A-1", "7", (Supply("import", "1000", agreements, is_smart=True),), {})
    return await prices.curve(household, household.supplies[0], NOON, BEGIN, end)


async def curve(wire: Wire, *agreements: Agreement, end: datetime = END) -> list[tuple[str, str, str]]:
    """Return the curve with neighbours of one price as one: from, to, pounds."""
    found = await asked(Prices(wire.rest, wire.kraken, settings()), *agreements, end=end)
    merged: list[tuple[datetime, datetime, Decimal]] = []
    for slot in found.slots:
        if merged and merged[-1][1:] == (slot.start, slot.value):
            merged[-1] = (merged[-1][0], slot.end, slot.value)
        else:
            merged.append((slot.start, slot.end, slot.value))
    return [(f"{start:%d %H:%M}", f"{stop:%d %H:%M}", str(value)) for start, stop, value in merged]


# by REST


async def test_prices_are_public_and_asked_for_without_a_key_or_a_sign_in() -> None:
    wire = Wire({lies(AGILE): rows((20, "2026-06-10T12:00", "2026-06-11T22:00"), (-1, "2026-06-09T20:00", "2026-06-10T12:00"))})
    assert await curve(wire, held()) == [("09 23:00", "10 12:00", "-0.01"), ("10 12:00", "11 22:00", "0.2")]
    assert [sent.authorization for sent in wire.sent] == [None, None]
    assert wire.asked() == [f"/products/{AGILE}/", lies(AGILE)]
    span = {"page_size": "1500", "period_from": "2026-06-09T23:00:00Z", "period_to": "2026-06-11T23:00:00Z"}
    assert wire.sent[1].given == span


async def test_a_products_links_are_followed_where_the_usual_place_is_empty() -> None:
    names = ("standard_unit_rates", "day_unit_rates", "night_unit_rates", "standing_charges")
    address = "https://elsewhere.example.com/v1"
    links = [{"rel": name, "href": f"{address}{lies(IOG, name.replace('_', '-'))}"} for name in names]
    tariffs: dict[str, Any] = {"_A": {"direct_debit_monthly": {"code": "E-1R-other-A", "links": []}}}
    tariffs["_C"] = {"direct_debit_monthly": {"code": f"E-1R-{IOG}-C", "links": [*links, {"rel": 5}, "odd"]}}
    wire = Wire(
        {
            f"/products/{IOG}/": {"code": IOG, "single_register_electricity_tariffs": tariffs},
            lies(IOG): rows(),
            lies(IOG, "day-unit-rates"): rows((30, "2026-01-01T00:00", None)),
            lies(IOG, "night-unit-rates"): rows((7, "2026-01-01T00:00", None)),
        }
    )
    expected = [  # 23:30 to 05:30 in London
        ("09 23:00", "10 04:30", "0.07"),
        ("10 04:30", "10 22:30", "0.3"),
        ("10 22:30", "11 04:30", "0.07"),
        ("11 04:30", "11 22:30", "0.3"),
        ("11 22:30", "11 23:00", "0.07"),
    ]
    assert await curve(wire, held(IOG)) == expected
    assert {sent.host for sent in wire.sent} == {"api.octopus.energy"}


# a change of agreement


async def test_a_change_of_agreement_cuts_the_curve_at_its_very_instant() -> None:
    change = utc("2026-06-10T11:10")
    wire = Wire(
        {
            lies(FIXED): rows((25, "2026-01-01T00:00", None)),
            lies(AGILE): rows((10, "2026-06-09T22:00", "2026-06-11T22:00")),
        }
    )
    agreements = [held(FIXED, end=change), held(AGILE, change)]
    assert await curve(wire, *agreements) == [("09 23:00", "10 11:10", "0.25"), ("10 11:10", "11 22:00", "0.1")]
    spans = {sent.about: (sent.given["period_from"], sent.given["period_to"]) for sent in wire.sent if sent.given}
    assert spans == {
        lies(FIXED): ("2026-06-09T23:00:00Z", "2026-06-10T11:10:00Z"),
        lies(AGILE): ("2026-06-10T11:10:00Z", "2026-06-11T23:00:00Z"),
    }
    found = await asked(Prices(wire.rest, wire.kraken, settings()), *agreements)
    around = [
        (f"{slot.start:%H:%M}", f"{slot.end:%H:%M}") for slot in found.between(utc("2026-06-10T11:00"), utc("2026-06-10T12:00"))
    ]
    assert around == [("11:00", "11:10"), ("11:10", "11:30"), ("11:30", "12:00")]


async def test_an_agreement_that_is_followed_by_another_ends_there_though_it_does_not_say_so() -> None:
    wire = Wire({lies(FIXED): rows((25, None, None)), lies(AGILE): rows((10, None, None))})
    found = await curve(wire, held(FIXED), held(AGILE, utc("2026-06-11T00:00")))
    assert found == [("09 23:00", "11 00:00", "0.25"), ("11 00:00", "11 23:00", "0.1")]


async def test_between_two_agreements_nothing_is_known() -> None:
    wire = Wire({lies(FIXED): rows((25, None, None))})
    found = await curve(wire, held(FIXED, end=utc("2026-06-10T06:00")), held(FIXED, utc("2026-06-11T06:00")))
    assert found == [("09 23:00", "10 06:00", "0.25"), ("11 06:00", "11 23:00", "0.25")]


async def test_a_tariff_to_come_that_has_no_prices_yet_takes_none_from_the_one_in_force() -> None:
    wire = Wire({lies(FIXED): rows((25, None, None)), lies(AGILE): rows(), RATES: applicable(), "UnitRates": {"data": {}}})
    change = utc("2026-06-11T00:00")
    assert await curve(wire, held(FIXED, end=change), held(AGILE, change)) == [("09 23:00", "11 00:00", "0.25")]


async def test_prices_that_rest_did_not_have_yet_are_asked_of_it_again() -> None:
    late = rows((10, "2026-06-09T22:00", "2026-06-11T22:00"))
    wire = Wire({lies(AGILE): [rows(), late], RATES: applicable(), "UnitRates": {"data": {}}})
    prices = Prices(wire.rest, wire.kraken, settings())
    with pytest.raises(Incomplete, match=f"the provider tells no prices of tariff E-1R-{AGILE}-C"):
        await asked(prices, held())
    assert (await asked(prices, held())).end == utc("2026-06-11T22:00")


# by account, and by tariff


async def test_a_private_products_prices_come_from_the_account_and_rest_is_not_asked_again() -> None:
    wire = Wire({RATES: applicable(node("25.1810000000000000", "2026-06-01T00:00"))})
    prices = Prices(wire.rest, wire.kraken, settings())
    for _ in range(2):
        found = await asked(prices, held(FIXED))
        assert {slot.value for slot in found.slots} == {Decimal("0.25181")}
        assert found.covers(BEGIN, END)
    assert wire.asked() == [f"/products/{FIXED}/", lies(FIXED), SIGN_IN, RATES, RATES]
    about = {"account": "A-1", "mpxn": "1000", "start": "2026-06-09T23:00:00Z", "end": "2026-06-11T23:00:00Z"}
    assert wire.sent[-1].given == about | {"first": 99, "after": None}


async def test_what_the_account_may_not_see_is_taken_from_the_tariff() -> None:
    wire = Wire({RATES: UNAUTHORISED})
    assert await curve(wire, held(FIXED, kind="StandardTariff", unitRate="24.15")) == [("09 23:00", "11 23:00", "0.2415")]


async def test_a_day_and_night_tariff_tells_its_rates_and_the_meter_its_night() -> None:
    wire = Wire({RATES: applicable()})
    found = await curve(
        wire, held("VAR-22-11-01", kind="DayNightTariff", dayRate="30", nightRate="15"), end=utc("2026-06-10T09:00")
    )
    assert found == [("09 23:00", "10 00:30", "0.3"), ("10 00:30", "10 07:30", "0.15"), ("10 07:30", "10 09:00", "0.3")]


async def test_a_half_hourly_tariff_lists_its_rates_itself() -> None:
    of = [{"tariff": {"tariffCode": "other", "unitRates": [node(1, "2026-06-09T00:00")]}}, {"tariff": {}}, None]
    of.append({"tariff": {"tariffCode": f"E-1R-{AGILE}-C", "unitRates": [node(9.5, "2026-06-10T00:00", "2026-06-10T00:30")]}})
    wire = Wire({RATES: applicable(), "UnitRates": {"data": {"account": {"electricityAgreements": of}}}})
    assert await curve(wire, held()) == [("10 00:00", "10 00:30", "0.095")]


async def test_three_rates_that_do_not_say_when_they_hold_are_no_prices() -> None:
    wire = Wire({RATES: applicable()})
    rates: dict[str, Any] = {"dayRate": "30", "nightRate": "15", "offPeakRate": "10"}
    with pytest.raises(Incomplete):
        await curve(wire, held("COSY-22-12-08", kind="ThreeRateTariff", **rates))


async def test_only_the_agreement_in_force_must_have_prices() -> None:
    unseen = failure("KT-CT-1111", "account")
    wire = Wire({RATES: UNAUTHORISED, "UnitRates": unseen, lies(FIXED): rows((25, None, None))})
    change = utc("2026-06-10T06:00")
    assert await curve(wire, held(AGILE, end=change), held(FIXED, change)) == [("10 06:00", "11 23:00", "0.25")]
    with pytest.raises(Denied, match="KT-CT-1111"):
        await curve(wire, held(FIXED, end=change), held(AGILE, change))


# the standing charge


async def test_a_standing_charge_that_the_account_does_not_tell_is_public_too() -> None:
    wire = Wire({lies(AGILE, "standing-charges"): rows((47.85, "2026-04-01T00:00", None), (40, None, "2026-04-01T00:00"))})
    prices = Prices(wire.rest, wire.kraken, settings())
    household = Supply("import", "1000", (held(),))
    assert await prices.standing_charge(household, tariff(), NOON) == Decimal("47.85")
    assert {sent.authorization for sent in wire.sent} == {None}


async def test_a_host_that_is_away_is_no_reason_to_ask_the_account() -> None:
    wire = Wire({f"/products/{AGILE}/": OSError("no route")})
    with pytest.raises(SourceError, match="cannot be reached: no route"):
        await curve(wire, held())
    assert set(wire.asked()) == {f"/products/{AGILE}/"}
    assert wire.clock.now() > NOON
