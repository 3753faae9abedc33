"""Half an answer is not taken for a whole one: what only failed to show stays, and one odd part costs nothing else."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bridge.errors import Denied, Failed, NotFound, Refused
from bridge.models.observation import FiguresSeen, Observation, PricesSeen, SchedulesSeen, Shortfall, SitesSeen
from bridge.transport.graphql import Json
from tests.providers.test_octopus_household import AGILE, GO, agreed, point
from tests.providers.wire import NOON, Wire, failure, page
from tests.support import Knowledge

RATES = f"/products/AGILE-24-10-01/electricity-tariffs/{AGILE}/standard-unit-rates/"
ROW = {"value_inc_vat": 20.0, "valid_from": "2026-01-01T00:00:00Z", "valid_to": None, "payment_method": None}
ONE = {"id": "7", "electricityMeterPoints": [point(agreed(AGILE, standingCharge=40))]}
TWO = {"id": "8", "electricityMeterPoints": [point(agreed(AGILE, standingCharge=40), mpan="2000")]}


def properties(*homes: Any) -> Json:
    return {"account": {"number": "A-1", "properties": list(homes)}}


def table(**more: Any) -> dict[str, Any]:
    return {
        "Accounts": {"data": {"viewer": {"accounts": [{"number": "A-1", "status": "ACTIVE"}]}}},
        "Household": {"data": properties(ONE)},
        RATES: {"results": [ROW], "next": None},
        "Devices": {"data": {"devices": []}},
        "Measurements": {"data": {"property": {"measurements": page([])}}},
        "Balance": {"data": {"account": {"balance": 100}}},
        "Points": {"data": {"loyaltyPointLedgers": []}},
        "FreeElectricity": {"data": {"customerFlexibilityCampaignEvents": page([])}},
        "SavingSessions": {"data": {"savingSessions": {"events": []}}},
        "GreenerNights": {"data": {"greenerNightsForecast": []}},
        **more,
    }


class Account:
    """A source on the wire with what is known of it."""

    def __init__(self, **answers: Any) -> None:
        self.wire, self.known = Wire(table(**answers)), Knowledge()
        self.source = self.wire.source()

    async def poll(self, **later: float) -> list[Observation]:
        self.wire.pass_(**later)
        seen = []
        async for observation in self.source.poll(self.known, self.wire.clock.now()):
            self.known.keep(observation, self.wire.clock.now())
            seen.append(observation)
        return seen


def told(seen: list[Observation]) -> list[tuple[type, str, bool]]:
    shortfalls = (one for one in seen if isinstance(one, Shortfall))
    return [(type(one.error), str(one.error).partition(":")[0], one.behind) for one in shortfalls]


async def test_a_property_that_is_null_beside_an_error_is_still_there() -> None:
    partial = failure("KT-CT-9999", "account", "properties", 1, data=properties(ONE, None))
    account = Account(Household=[{"data": properties(ONE, TWO)}, partial])
    await account.poll()
    seen = await account.poll(hours=13)
    assert account.known.sites.keys() == {"7", "8"}
    assert [one.complete for one in seen if isinstance(one, SitesSeen)] == [False]
    assert (Failed, "account A-1", False) in told(seen)
    again = account.source.next_poll(account.known, account.wire.clock.now()) - account.wire.clock.now()
    assert again < timedelta(hours=1)


async def test_agreements_that_are_null_beside_an_error_are_as_they_were() -> None:
    lacking = {**point(), "agreements": None}
    partial = failure("KT-CT-9999", "account", "properties", 0, data=properties({"id": "7", "electricityMeterPoints": [lacking]}))
    account = Account(Household=[{"data": properties(ONE)}, partial])
    await account.poll()
    seen = await account.poll(hours=13)
    assert all(kind is not NotFound for kind, _, _ in told(seen))
    assert account.known.sites["7"].tariffs == {"import": AGILE}


async def test_what_the_account_may_not_see_is_told_and_the_rest_is_shown() -> None:
    partial = failure(
        "KT-CT-1111", "account", "properties", 0, "gasMeterPoints", data=properties({**ONE, "gasMeterPoints": None})
    )
    account = Account(Household=partial)
    seen = await account.poll()
    assert told(seen) == [(Denied, "account A-1", False)]
    assert any(isinstance(one, PricesSeen) for one in seen)


async def test_properties_that_the_account_may_not_see_are_a_matter_of_rights() -> None:
    account = Account(Household=failure("KT-CT-1111", "account", "properties", data={"account": {"properties": None}}))
    assert told(await account.poll()) == [(Denied, "account A-1", True)]


async def test_an_account_that_fails_leaves_the_other_one_alone() -> None:
    numbers = [{"number": number, "status": "ACTIVE"} for number in ("A-0", "A-1")]

    def household(sent: Any) -> Any:
        good = sent.given["account"] == "A-1"
        return {"data": properties(ONE)} if good else failure("KT-CT-9999", "account", data={"account": None})

    account = Account(Accounts={"data": {"viewer": {"accounts": numbers}}}, Household=household)
    seen = await account.poll()
    assert (Failed, "account A-0", True) in told(seen)
    assert account.known.sites.keys() == {"7"}
    assert any(isinstance(one, PricesSeen) for one in seen)


@pytest.mark.parametrize("code", ["OE-0103", "KT-CT-1134", "KT-CT-1124"])
async def test_one_thing_that_is_refused_to_a_good_token_is_no_lock_out(code: str) -> None:
    account = Account(SavingSessions=failure(code, "savingSessions"))
    await account.poll()
    seen = await account.poll(hours=5)
    assert told(seen) == [(Denied, "saving sessions", False)]
    assert len([name for name in account.wire.asked() if name == "ObtainToken"]) <= 3


async def test_schedules_that_came_in_part_stay_as_they_were() -> None:
    half = failure("KT-CT-9999", "savingSessions", "events", data={"savingSessions": {"events": None, "account": None}})
    account = Account(SavingSessions=half)
    seen = await account.poll()
    kinds = [schedule.kind for one in seen if isinstance(one, SchedulesSeen) for schedule in one.schedules]
    assert kinds == ["free-electricity", "greener-nights"]
    assert told(seen) == [(Failed, "saving sessions", False)]


async def test_a_stray_page_at_the_household_does_not_make_the_newest_fields_unasked() -> None:
    stray = httpx2.Response(400, text="Bad Request", headers={"Content-Type": "text/html"})
    account = Account(Household=[stray, {"data": properties(ONE)}])
    with pytest.raises(Exception, match="400"):
        await account.poll()
    await account.poll(minutes=10)
    assert account.known.sites.keys() == {"7"}


async def test_too_many_requests_of_one_thing_leave_what_is_known_as_good_as_it_is() -> None:
    account = Account(Points=failure("KT-CT-1199", "loyaltyPointLedgers"))
    seen = await account.poll()  # the poll ends here, without an alarm
    assert [behind for _, _, behind in told(seen)] == [False]
    assert any(isinstance(one, FiguresSeen) for one in seen)
    assert len(account.wire.meter.paused) == 1


async def test_a_standing_charge_that_cannot_be_had_is_no_fault_of_the_prices() -> None:
    home = {"id": "7", "electricityMeterPoints": [point(agreed(AGILE, standingCharge=None))]}
    account = Account(Household={"data": properties(home)})
    seen = await account.poll()
    assert all(not name.endswith("prices") or "known until" in name for _, name, _ in told(seen))
    assert [name for name in account.wire.asked() if name == RATES] == [RATES]


async def test_the_standing_charge_of_a_product_is_read_where_the_agreement_bears_none() -> None:
    entry = {"code": AGILE, "standing_charge_inc_vat": 41.5, "links": []}
    product = {"single_register_electricity_tariffs": {"_C": {"direct_debit_monthly": entry}}}
    home = {"id": "7", "electricityMeterPoints": [point(agreed(AGILE, standingCharge=None))]}
    account = Account(**{"Household": {"data": properties(home)}, "/products/AGILE-24-10-01/": product})
    await account.poll()
    assert float(account.known.sites["7"].standing_charges["import"]) == 0.415


@pytest.mark.parametrize("product", [httpx2.Response(200, text="odd"), {"single": []}, httpx2.Response(200, json=[1])])
async def test_an_odd_product_does_not_hide_the_usual_place_of_its_rates(product: Any) -> None:
    account = Account(**{"/products/AGILE-24-10-01/": product})
    await account.poll()
    assert account.known.curves["7", "import"].at(NOON) is not None


async def test_where_nothing_is_known_the_account_is_asked_while_rest_is_away() -> None:
    rates = {"data": {"applicableRates": page([{"value": "25.00", "validFrom": "2026-06-01T00:00:00+00:00", "validTo": None}])}}
    account = Account(**{RATES: httpx2.Response(502, text="Bad Gateway"), "ApplicableRates": rates})
    await account.poll()
    slot = account.known.curves["7", "import"].at(NOON)
    assert slot is not None
    assert float(slot.value) == 0.25


@pytest.mark.parametrize("code", ["KT-GB-4022", "KT-GB-4120", "KT-GB-9999"])
async def test_rates_that_the_account_does_not_tell_are_taken_from_the_tariff(code: str) -> None:
    home = {
        "id": "7",
        "electricityMeterPoints": [point(agreed(GO, unitRate=24.5, standingCharge=40, __typename="StandardTariff"))],
    }
    account = Account(Household={"data": properties(home)}, ApplicableRates=failure(code, "applicableRates"))
    await account.poll()
    slot = account.known.curves["7", "import"].at(NOON)
    assert slot is not None
    assert float(slot.value) == 0.245


@pytest.mark.parametrize("values", [("30.0", "7.0"), ("7.0", "30.0")])
async def test_two_rates_at_one_time_are_told_apart_by_the_tariff_or_not_at_all(values: tuple[str, str]) -> None:
    nodes = [{"value": value, "validFrom": "2026-06-01T00:00:00+00:00", "validTo": None} for value in values]
    rates = {"data": {"applicableRates": page(nodes)}}
    two: dict[str, Any] = {"dayRate": 30.0, "nightRate": 7.0}
    none: dict[str, Any] = {}
    for kind, rate, prices in (("DayNightTariff", two, {0.3, 0.07}), ("FourRateEvTariff", none, set())):
        home = {"id": "7", "electricityMeterPoints": [point(agreed(GO, standingCharge=40, **rate, __typename=kind))]}
        account = Account(Household={"data": properties(home)}, ApplicableRates=rates)
        await account.poll()
        known = account.known.curves.get(("7", "import"))
        assert {float(slot.value) for slot in (known.slots if known else ())} == prices


async def test_where_a_product_knows_one_way_of_payment_only_its_price_is_that() -> None:
    row = {**ROW, "payment_method": "NON_DIRECT_DEBIT"}
    account = Account(**{RATES: {"results": [row], "next": None}})
    await account.poll()
    assert account.known.curves["7", "import"].at(NOON) is not None


async def test_a_refusal_with_a_code_is_asked_again_within_the_hour() -> None:
    account = Account(Points=failure("KT-CT-1188", "loyaltyPointLedgers"))
    assert told(await account.poll()) == [(Refused, "points", False)]
    account.wire.sent.clear()
    await account.poll(minutes=40)
    assert "Points" in account.wire.asked()
