"""What a device asks of an ampere.cloud account: lists, analysis, the past, and documents of the user's own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.app import built
from bridge.commands.documents import load
from bridge.redact import Redactor
from bridge.settings import load as load_settings
from bridge.simulator.ampere import PATH, Ampere, AmpereFault, Company, Device, Facility, park
from bridge.simulator.server import Server
from tests.providers.plant import NOON, ONE_PARK, TOKEN, Plant, configured, plant
from tests.support import Impatient

DAY = timedelta(days=1)
BOTH = (Company("c-1", "Sonnenfeld GmbH", (park(1, 2),)), Company("c-2", "Dachwerk eG", (park(2, 3),)))


async def learnt(of: Plant) -> Plant:
    await of.poll()
    of.simulated.requests.clear()
    return of


async def data(of: Plant, operation: str, **arguments: Any) -> Any:
    answer = await of.ask(operation, **arguments)
    assert answer["status"] == "ok", answer
    return answer["data"]


async def refused(of: Plant, operation: str, **arguments: Any) -> tuple[str, str]:
    error = (await of.ask(operation, **arguments))["error"]
    return error["code"], error["message"]


# lists


async def test_facilities_are_those_of_all_companies(tmp_path: Path) -> None:
    async with plant(tmp_path, BOTH) as of:
        await learnt(of)
        about = {"timezone": "Europe/Berlin", "currency": "EUR"}
        assert await data(of, "facilities") == {
            "facilities": [
                {"facility": "f-1", "site": "solar-park-1", "name": "Solar Park 1", **about},
                {"facility": "f-2", "site": "solar-park-2", "name": "Solar Park 2", **about},
            ]
        }
        assert of.asked() == ["Companies", "Facilities", "Facilities"]


@pytest.mark.parametrize("facility", ["f-2", "solar-park-2", "Solar Park 2"])
async def test_a_facility_goes_by_its_id_its_sites_name_or_its_own(tmp_path: Path, facility: str) -> None:
    async with plant(tmp_path, BOTH) as of:
        await learnt(of)
        assert await data(of, "devices", facility=facility) == {
            "devices": [
                {"device_id": "d-2-1", "name": "Inverter 1", "type": "INVERTER"},
                {"device_id": "d-2-2", "name": "Inverter 2", "type": "INVERTER"},
                {"device_id": "d-2-3", "name": "Roof sensor", "type": "SENSOR"},
            ]
        }


async def test_reading_types_are_told_with_what_they_are_published_as(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        of.stock(Facility("f-1", "Hof", (Device("d-1", "Meter", reads=("Pac", "Irradiation")),)))
        await learnt(of)
        assert await data(of, "reading_types", facility="hof") == {
            "reading_types": [
                {"device_id": "d-1", "type": "Pac", "name": "Pac", "unit": "kW", "quantity": "power"},
                {"device_id": "d-1", "type": "Irradiation", "name": "Irradiation", "unit": "W/m²", "quantity": "irradiation"},
            ]
        }


async def test_more_than_a_thousand_devices_come_in_one_answer(tmp_path: Path) -> None:
    devices = tuple(Device(f"d-{number}", f"Sensor {number}", reads=()) for number in range(1001))
    async with plant(tmp_path, (Company("c-1", "Sonnenfeld GmbH", (Facility("f-1", "Hof", devices),)),)) as of:
        await learnt(of)
        assert len((await data(of, "devices", facility="hof"))["devices"]) == 1001


@pytest.mark.parametrize("operation", ["devices", "reading_types", "analysis"])
async def test_a_facility_that_is_none_is_not_found_without_a_request(tmp_path: Path, operation: str) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        told = "there is no facility f-9; ask for facilities, which lists them"
        assert await refused(of, operation, facility="f-9") == ("not_found", told)
        assert (await refused(of, operation))[0] == "bad_request"
        assert (await refused(of, operation, facility="x" * 201))[0] == "bad_request"
        assert of.asked() == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (AmpereFault.FORBIDDEN, "not_allowed"),
        (AmpereFault.EXPIRED, "unauthenticated"),
        (AmpereFault.THROTTLED, "rate_limited"),
        (AmpereFault.BROKEN, "unavailable"),
        (AmpereFault.STUCK, "unavailable"),
    ],
)
async def test_what_goes_wrong_is_told_by_its_code(tmp_path: Path, fault: AmpereFault, code: str) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        of.simulated.faults.set(fault)
        assert (await refused(of, "devices", facility="f-1"))[0] == code


# analysis


async def test_analysis_is_of_the_day_so_far_where_nothing_is_said(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        span = {"start": "2026-06-09T22:00:00Z", "end": "2026-06-10T10:02:00Z", "at": None}
        about = {"site": "solar-park-1", "device_id": None}
        assert await data(of, "analysis", facility="f-1") == {
            "analysis": [
                {**about, "quantity": "energy", "value": 296.269, "unit": "kWh", **span},
                {**about, "quantity": "self-consumption", "value": 63.5, "unit": "%", **span},
            ]
        }


async def test_analysis_of_another_span_and_of_one_quantity_is_what_was_asked_for(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        span = {"from": "2026-06-01T22:00:00Z", "to": "2026-06-02T22:00:00Z"}
        [figure] = (await data(of, "analysis", facility="f-1", quantity="energy", **span))["analysis"]
        assert (figure["quantity"], figure["start"], figure["end"]) == ("energy", *span.values())
        assert of.simulated.requests[0].variables == {"facility": "f-1", "types": ["ProducedEnergy"], **span}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ({"quantity": "joy"}, "not_found", "the profile has no such quantity; it has: energy, self-consumption"),
        ({"from": "2026-06-10T12:00:00Z", "to": "2026-06-10T11:00:00Z"}, "bad_request", "to must lie after from"),
        ({"from": "2024-06-10T12:00:00Z", "to": "2026-06-10T11:00:00Z"}, "bad_request", "by no more than 366 days"),
        ({"from": "2024-06-10T12:00:00Z"}, "bad_request", "by no more than 366 days"),
        ({"first": 1001}, "bad_request", "first: Input should be less than or equal to 1000"),
        ({"since": "yesterday"}, "bad_request", "since: is not a known key"),
    ],
)
async def test_analysis_of_what_makes_no_sense_is_refused(tmp_path: Path, arguments: Any, code: str, told: str) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        found = await refused(of, "analysis", facility="f-1", **arguments)
        assert found[0] == code
        assert told in found[1]
        assert of.asked() == []


# the past


async def test_the_past_is_read_page_by_page_without_a_gap_or_a_repetition(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        span = {"from": "2026-06-08T00:00:00Z", "to": "2026-06-10T00:00:00Z", "quantity": "power"}
        found: list[Any] = []
        after: dict[str, str] = {}
        while True:
            page = await data(of, "readings", first=500, **span, **after)
            found += page["readings"]
            if page["next"] is None:
                break
            assert len(page["readings"]) == 500
            after = {"after": page["next"]}
        keys = [(one["at"], one["meter"]) for one in found]
        assert len(keys) == len(set(keys)) == 2 * 288 * 2
        assert keys == sorted(keys)
        assert {one["meter"] for one in found} == {"inverter-1", "inverter-2"}


async def test_the_past_of_one_meter_goes_by_its_name(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        page = await data(of, "readings", meter="roof-sensor", previous="30m")
        assert [(one["meter"], one["quantity"], one["at"]) for one in page["readings"]] == [
            ("roof-sensor", "irradiation", f"2026-06-10T{at}:00Z")
            for at in ("09:35", "09:40", "09:45", "09:50", "09:55", "10:00")
        ]
        assert page["next"] is None


async def test_a_silent_facility_is_looked_through_a_week_a_page(tmp_path: Path) -> None:
    async with plant(tmp_path, (Company("c-1", "Sonnenfeld GmbH", (Facility("f-1", "Hof"),)),)) as of:
        await learnt(of)
        page = await data(of, "readings", previous="10d")
        assert page["readings"] == []
        assert of.asked() == ["Readings"] * 7
        page = await data(of, "readings", previous="10d", after=page["next"])
        assert page == {"readings": [], "next": None}
        assert of.asked() == ["Readings"] * 10


async def test_a_quantity_that_the_profile_reads_nowhere_is_empty_and_asks_nobody(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        assert await data(of, "readings", quantity="joy", previous="1d") == {"readings": [], "next": None}
        assert of.asked() == []


async def test_a_day_with_a_hole_is_an_error_and_a_strange_cursor_too(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await learnt(of)
        assert (await refused(of, "readings", after="strange"))[0] == "bad_request"
        of.simulated.faults.set(AmpereFault.DOWNSTREAM)
        assert (await refused(of, "readings", previous="1d"))[0] == "unavailable"


# documents of the user's own

LIMIT = """
mutation Limit($facility: ID!, $limit: Float!) { setPowerLimit(facilityId: $facility, limit: $limit) { id powerLimit } }
"""


async def test_a_write_goes_through_a_document_of_the_users_own_once(tmp_path: Path) -> None:
    (tmp_path / "limit.graphql").write_text(LIMIT)
    clock = Impatient(NOON)
    simulated = Ampere(clock.now, token=TOKEN, companies=ONE_PARK)
    async with Server(simulated.handle) as server:
        own = {"power_limit": {"document": "limit.graphql"}}
        settings = configured(tmp_path, f"{server.url}{PATH}", operations=own)
        source, provider = settings.sources["plant"], settings.providers["plant"]
        found = load(source, "sources.plant", provider.guard, (), tmp_path, None)
        documents: Any = {"plant": {one.name: one for one in found if hasattr(one, "name")}}
        granted = replace(settings, documents=documents, grants={"wallbox": ("plant.power_limit",)})
        async with built(granted, clock, Redactor([TOKEN])) as app:
            of = Plant(app, simulated, clock, server._port)
            assert (await of.ask("power_limit", facility="f-1", limit=0.6))["data"] == {
                "setPowerLimit": {"id": "f-1", "powerLimit": 0.6}
            }
            assert simulated.written == [("f-1", 0.6)]


def test_a_document_that_uses_a_variable_without_declaring_it_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "limit.graphql").write_text(LIMIT.replace(", $limit: Float!", ""))
    (tmp_path / "bridge.toml").write_text(
        '[sources.plant]\nprovider = "ampere"\ntoken = "a"\n[sources.plant.operations.limit]\ndocument = "limit.graphql"\n'
    )
    with pytest.raises(Exception, match=r"uses \$limit, which it does not declare; declare it with its type behind the name"):
        load_settings(tmp_path / "bridge.toml")
