"""ampere.cloud's facilities and devices on topics: units, names, what is asked for when, and what no document asks for."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import SystemClock
from bridge.models.observation import DeprecationsSeen
from bridge.providers.ampere import PROVIDER, load
from bridge.providers.base import Executor, Historian, Introspectable, Refreshable
from bridge.simulator.ampere import AGEING, Ampere, Company, Device, Facility, park
from bridge.simulator.ampere.plant import OF_A_SENSOR
from tests.providers.plant import NOON, ONE_PARK, TOKEN, WIDE, plant
from tests.support import Impatient

MINUTES, DAY = timedelta(minutes=1), timedelta(days=1)
DAILY = ["Companies", "Facilities", "Devices"]
SCHEMA = "Schema"
AT = "2026-06-10T10:00:00Z"
SO_FAR = {"start": "2026-06-09T22:00:00Z", "end": "2026-06-10T10:02:00Z"}  # since midnight in Berlin


def test_a_source_can_be_asked_all_that_the_bridge_knows_of() -> None:
    source: Any = PROVIDER.source
    assert [one for one in (Executor, Historian, Introspectable, Refreshable) if not issubclass(source, one)] == []


# what is published


async def test_devices_and_the_facility_itself_are_meters_each_with_its_units(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        assert (await of.poll())["error"] is None
        limited = {"value": 1.0, "at": AT}
        assert of.topics() == {
            "solar-park-1/reading/inverter-1/power": {"value": 48.746, "unit": "kW", "at": AT},
            "solar-park-1/reading/inverter-2/power": {"value": 48.746, "unit": "kW", "at": AT},
            "solar-park-1/reading/inverter-1/active-power-limitation": limited,
            "solar-park-1/reading/inverter-2/active-power-limitation": limited,
            "solar-park-1/reading/roof-sensor/irradiation": {"value": 877.435, "unit": "W/m²", "at": AT},
            "solar-park-1/reading/facility/energy": {"value": 296.269, "unit": "kWh", **SO_FAR, "aggregation": "sum"},
            "solar-park-1/reading/facility/self-consumption": {"value": 63.5, "unit": "%", **SO_FAR},
        }


async def test_the_facilities_of_all_companies_are_sites_and_no_address_is_asked_for(tmp_path: Path) -> None:
    companies = (*ONE_PARK, Company("c-2", "Dachwerk eG", (Facility("f-3", "Rooftop Süd", timezone=None, currency="Euro"),)))
    async with plant(tmp_path, companies) as of:
        await of.poll()
        empty: dict[str, Any] = {"price_area": None, "streams": [], "standing_charges": {}, "tariffs": {}}
        assert of.topics("/info") == {
            "solar-park-1/info": {"name": "Solar Park 1", "timezone": "Europe/Berlin", "currency": "EUR", **empty},
            "rooftop-sud/info": {"name": "Rooftop Süd", "timezone": "Europe/Berlin", "currency": None, **empty},
        }
    assert not any("address" in document.document for document in load.read(load.SHIPPED).documents().values())


async def test_one_request_a_poll_brings_energy_and_irradiation_together(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        of.simulated.requests.clear()
        of.clock.set(NOON + 10 * MINUTES)
        await of.poll()
        [asked] = of.simulated.requests
        assert asked.operation == "Poll"
        assert asked.variables == {
            "facility": "f-1",
            "types": ["Pac", "Irradiation", "ActivePowerLimitation"],
            "from": "2026-06-10T09:20:00Z",
            "to": "2026-06-10T10:20:00Z",
            "first": 500,
            "after": None,
            "analysisTypes": ["ProducedEnergy", "SelfConsumptionRate"],
            "dayFrom": "2026-06-09T22:00:00Z",
            "dayTo": "2026-06-10T22:00:00Z",
        }
        assert of.topics()["solar-park-1/reading/roof-sensor/irradiation"]["at"] == "2026-06-10T10:10:00Z"


async def test_a_day_of_23_hours_begins_and_ends_at_the_facilitys_midnights(tmp_path: Path) -> None:
    async with plant(tmp_path, moment=NOON.replace(month=3, day=29)) as of:
        await of.poll()
        [asked] = [asked.variables for asked in of.simulated.requests if asked.operation == "Poll"]
        assert (asked["dayFrom"], asked["dayTo"]) == ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")


# when it is asked for


async def test_lists_and_schema_are_asked_for_once_a_day_and_readings_every_ten_minutes(tmp_path: Path) -> None:
    async with plant(tmp_path, introspects=True) as of:
        source, latest = of.app.account("plant").source, of.app.account("plant").latest
        for number in range(144):
            of.clock.set(NOON + number * 10 * MINUTES)
            assert source.next_poll(latest, of.clock.now()) <= of.clock.now()
            await of.poll()
            assert source.next_poll(latest, of.clock.now()) == of.clock.now() + 10 * MINUTES
        asked = of.asked()
        assert {name: asked.count(name) for name in [*DAILY, "Poll", SCHEMA]} == {
            **dict.fromkeys([*DAILY, SCHEMA], 1),
            "Poll": 144,
        }


async def test_a_restart_asks_for_nothing_that_is_known(tmp_path: Path) -> None:
    simulated = Ampere(SystemClock().now, token=TOKEN, companies=ONE_PARK)
    async with plant(tmp_path, simulated=simulated, introspects=True) as of:
        await of.poll()
        shown, port = of.topics(), of.port
    simulated.requests.clear()
    async with plant(tmp_path, simulated=simulated, port=port, introspects=True, moment=NOON + 5 * MINUTES) as of:
        source, latest = of.app.account("plant").source, of.app.account("plant").latest
        assert source.next_poll(latest, of.clock.now()) == NOON + 10 * MINUTES
        await of.poll()
        assert of.asked() == []
        of.clock.set(NOON + 10 * MINUTES)
        await of.poll()
        assert of.asked() == ["Poll"]
        assert of.topics().keys() == shown.keys()


async def test_a_refresh_asks_for_all_but_the_schema(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        of.simulated.requests.clear()
        assert (await of.ask("refresh"))["data"] == {"refreshed": ["sites", "meters", "readings"]}
        assert of.asked() == [*DAILY, "Poll"]


async def test_polls_come_as_often_as_is_configured(tmp_path: Path) -> None:
    async with plant(tmp_path, poll_interval="PT30M") as of:
        await of.poll()
        assert of.app.account("plant").source.next_poll(of.app.account("plant").latest, NOON) == NOON + 30 * MINUTES


async def test_where_the_budget_is_short_the_facility_that_has_waited_longest_comes_first(tmp_path: Path) -> None:
    parks = (Company("c-1", "Sonnenfeld GmbH", tuple(park(number, 2) for number in range(1, 6))),)
    async with plant(tmp_path, parks, budget={"requests": 5, "seconds": 600}) as of:
        health = await of.poll()
        assert health["error"]["code"] == "rate_limited"
        assert health["budget"]["remaining"] == 0
        assert {topic.partition("/")[0] for topic in of.topics()} == {"solar-park-1"}
        for _ in range(4):
            of.clock.set(of.clock.now() + 11 * MINUTES)
            await of.poll()
        assert {topic.partition("/")[0] for topic in of.topics()} == {f"solar-park-{number}" for number in range(1, 6)}


# devices come and go


async def test_a_device_that_is_gone_takes_its_topics_with_it(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        assert "solar-park-1/reading/inverter-2/power" in of.topics()
        first, _, sensor = ONE_PARK[0].facilities[0].devices
        of.stock(Facility("f-1", "Solar Park 1", (first, sensor)))
        of.clock.set(NOON + DAY)
        await of.poll()
        assert {topic.split("/")[2] for topic in of.topics()} == {"inverter-1", "roof-sensor", "facility"}


async def test_a_new_device_is_not_shown_before_it_has_a_name_and_makes_us_ask_within_the_hour(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        fresh = Device("d/+/#", "Neuer", "SENSOR", 1.0, OF_A_SENSOR)
        of.stock(Facility("f-1", "Solar Park 1", (*ONE_PARK[0].facilities[0].devices, fresh)))
        before = of.topics().keys()
        of.clock.set(NOON + 10 * MINUTES)
        await of.poll()
        assert of.topics().keys() == before
        of.clock.set(NOON + 70 * MINUTES)
        await of.poll()
        assert of.topics().keys() - before == {"solar-park-1/reading/neuer/irradiation"}


async def test_a_facility_that_is_gone_takes_its_site_with_it(tmp_path: Path) -> None:
    async with plant(tmp_path, (Company("c-1", "Sonnenfeld GmbH", (park(1, 2), park(2, 2))),)) as of:
        await of.poll()
        of.stock(park(1, 2))
        of.clock.set(NOON + DAY)
        await of.poll()
        assert list(of.topics("/info")) == ["solar-park-1/info"]


async def test_two_devices_of_one_name_and_one_that_is_called_facility_are_told_apart(tmp_path: Path) -> None:
    devices = tuple(Device(f"d-{number}", name) for number, name in enumerate(("Roof", "roof", "Facility")))
    async with plant(tmp_path, (Company("c-1", "Sonnenfeld GmbH", (Facility("f-1", "Hof", devices),)),)) as of:
        await of.poll()
        assert {topic.split("/")[2] for topic in of.topics()} == {"facility", "roof", "roof-2", "facility-2"}
        assert "hof/reading/facility/energy" in of.topics()


async def test_an_account_without_a_facility_says_so(tmp_path: Path) -> None:
    async with plant(tmp_path, (Company("c-1", "Leer GmbH"),)) as of:
        assert (await of.poll())["error"] == {"code": "not_found", "message": "the token reaches no facility"}


# deprecated fields


async def test_what_the_provider_deprecates_stands_in_health_without_a_command(tmp_path: Path) -> None:
    simulated = Ampere(Impatient(NOON).now, token=TOKEN, companies=ONE_PARK, sdl=AGEING)
    async with plant(tmp_path, simulated=simulated, introspects=True) as of:
        await of.poll()
        report = of.app.account("plant").report
        report.refresh()
        assert (await of.poll())["deprecations"] == [
            "facilities: Facility.currency is deprecated: It becomes `money` on 2026-12-31."
        ]


async def test_where_the_schema_is_not_told_nothing_is_said_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with plant(tmp_path, introspects=False) as of:
        assert (await of.poll())["error"] is None
        assert of.app.account("plant").latest.seen(DeprecationsSeen) is None
        assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


# signing in


async def test_a_sign_in_is_one_request(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        assert await of.app.account("plant").source.sign_in() == "signed in; companies: 1 or more"
        assert of.asked() == ["Companies"]


def test_an_account_is_told_by_its_address_and_token() -> None:
    def identity(**given: Any) -> str:
        return PROVIDER.settings.model_validate({"provider": "ampere", "token": "a", **given}).identity()

    assert identity() == identity(poll_interval="PT5M", budget=WIDE)
    assert len({identity(), identity(token="b"), identity(url="https://api.example.com/gateway")}) == 3
