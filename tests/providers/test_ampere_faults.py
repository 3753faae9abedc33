"""An ampere.cloud account that fails: it waits as told, loses nothing, asks no removed field twice, and shows no token."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import RateLimited, SourceError
from bridge.providers.ampere import gateway
from bridge.providers.ampere.load import SHIPPED
from bridge.simulator.ampere import RENAMED, Ampere, AmpereFault, Company, Device, Facility, park
from bridge.simulator.ampere.plant import OF_A_SENSOR
from tests.providers.plant import NOON, ONE_PARK, TOKEN, plant
from tests.support import Impatient, utc

MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)
GOOD = None
MANY = 1001
TWO_PARKS = (Company("c-1", "Sonnenfeld GmbH", (park(1, 2), park(2, 2))),)


def companies(number: int) -> tuple[Company, ...]:
    """Return a company with so many facilities that have no device."""
    return (Company("c-1", "Sonnenfeld GmbH", tuple(Facility(f"f-{index}", f"Park {index}") for index in range(number))),)


def wide(number: int, reading: int) -> tuple[Company, ...]:
    """Return a company with one facility of so many devices, and so many of them that read anything."""
    devices = tuple(
        Device(f"d-{index}", f"Sensor {index}", reads=OF_A_SENSOR if index < reading else ()) for index in range(number)
    )
    return (Company("c-1", "Sonnenfeld GmbH", (Facility("f-1", "Feld", devices),)),)


def since(moment: Any, health: Any) -> timedelta:
    wait: timedelta = utc(health["next_poll"].removesuffix("Z")) - moment
    return wait


# lists of more than a thousand


async def test_more_than_a_thousand_facilities_are_read_page_by_page(tmp_path: Path) -> None:
    async with plant(tmp_path, companies(MANY), budget={"requests": 5, "seconds": 600}) as of:
        await of.poll()
        cursors = [asked.variables["after"] for asked in of.simulated.requests if asked.operation == "Facilities"]
        assert cursors == [None, "at:500", "at:1000"]
        assert len(of.topics("/info")) == MANY


async def test_more_than_a_thousand_devices_and_all_their_rows_are_read_page_by_page(tmp_path: Path) -> None:
    async with plant(tmp_path, wide(MANY, reading=100)) as of:
        assert (await of.poll())["error"] is None
        assert of.asked().count("Devices") == 3
        assert of.asked().count("Poll") == 3  # 11 rows of each
        assert len(of.topics("/irradiation")) == 100


async def test_a_cursor_that_leads_to_itself_is_an_error_and_no_loop(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        of.simulated.faults.set(AmpereFault.STUCK)
        health = await of.poll()
        assert health["error"]["message"] == "the pages of companies do not move on: after page 2 the cursor came twice"
        assert of.asked() == ["Companies", "Companies"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (AmpereFault.RATE_LIMITED_RETRY_AFTER, "rate_limited"),
        (AmpereFault.THROTTLED, "rate_limited"),
        (AmpereFault.EXPIRED, "unauthenticated"),
        (AmpereFault.BROKEN, "unavailable"),
    ],
)
async def test_a_page_that_fails_half_way_is_asked_for_again_and_those_before_it_are_not(
    tmp_path: Path, fault: AmpereFault, code: str
) -> None:
    async with plant(tmp_path, companies(MANY), budget={"requests": 6, "seconds": 60}) as of:
        of.simulated.faults.next(GOOD, GOOD, fault)  # companies, the first page of facilities, the second
        health = await of.poll()
        assert health["error"]["code"] == code
        assert "page 2 of facilities of company c-1" in health["error"]["message"]
        assert of.topics("/info") == {}
        of.clock.set(of.clock.now() + 14 * MINUTES)
        await of.poll()
        cursors = [asked.variables["after"] for asked in of.simulated.requests if asked.operation == "Facilities"]
        assert cursors == [None, "at:500", "at:500", "at:1000"]
        assert len(of.topics("/info")) == MANY


# waiting


async def test_after_a_429_it_waits_as_told_and_health_shows_the_wait(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        of.clock.set(NOON + 10 * MINUTES)
        of.simulated.faults.next(AmpereFault.RATE_LIMITED_RETRY_AFTER)
        shown = of.topics()
        health = await of.poll()
        assert health["error"]["code"] == "rate_limited"
        assert health["budget"] == {"limit": 10_000, "remaining": 0, "resets_at": "2026-06-10T10:13:00Z"}
        assert timedelta(seconds=60) <= since(of.clock.now(), health) <= timedelta(seconds=90)
        assert of.topics() == shown
        of.clock.set(NOON + 12 * MINUTES)
        assert (await of.poll())["error"] is None
        assert of.topics()["solar-park-1/reading/inverter-1/power"]["at"] == "2026-06-10T10:10:00Z"


@pytest.mark.parametrize("fault", [AmpereFault.RATE_LIMITED, AmpereFault.THROTTLED])
async def test_where_nobody_says_how_long_each_wait_is_twice_the_one_before(tmp_path: Path, fault: AmpereFault) -> None:
    async with plant(tmp_path) as of:
        of.simulated.faults.set(fault)
        waits = []
        for _ in range(4):
            health = await of.poll()
            assert health["error"]["code"] == "rate_limited"
            waits.append(since(of.clock.now(), health) // (10 * MINUTES))
            of.clock.set(utc(health["next_poll"].removesuffix("Z")) + timedelta(seconds=1))
        assert waits == [1, 2, 4, 6]  # an hour at the most


async def test_what_was_not_reached_before_a_pause_comes_first_after_it(tmp_path: Path) -> None:
    async with plant(tmp_path, TWO_PARKS) as of:
        await of.poll()
        of.clock.set(NOON + 10 * MINUTES)
        of.simulated.requests.clear()
        of.simulated.faults.next(GOOD, AmpereFault.RATE_LIMITED_RETRY_AFTER)
        await of.poll()
        of.clock.set(NOON + 12 * MINUTES)
        await of.poll()
        assert [asked.variables["facility"] for asked in of.simulated.requests] == ["f-1", "f-2", "f-2"]


# one thing that fails


async def test_one_facility_that_fails_leaves_the_others_and_is_asked_again_ever_more_rarely(tmp_path: Path) -> None:
    async with plant(tmp_path, TWO_PARKS) as of:
        await of.poll()
        of.clock.set(NOON + 10 * MINUTES)
        of.simulated.faults.next(AmpereFault.FORBIDDEN)
        health = await of.poll()
        assert (health["error"]["code"], health["stale"]) == ("not_allowed", False)
        assert of.topics()["solar-park-1/reading/inverter-1/power"]["at"] == "2026-06-10T10:00:00Z"
        assert of.topics()["solar-park-2/reading/inverter-1/power"]["at"] == "2026-06-10T10:10:00Z"
        of.clock.set(NOON + 11 * MINUTES)
        assert (await of.poll())["error"]["code"] == "not_allowed"  # not asked again yet, so it still holds
        of.clock.set(NOON + 25 * MINUTES)
        assert (await of.poll())["error"] is None


async def test_readings_that_fail_beside_good_data_are_told_and_the_rest_is_published(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        of.simulated.faults.next(GOOD, GOOD, GOOD, AmpereFault.DOWNSTREAM)
        health = await of.poll()
        assert health["error"]["code"] == "unavailable"
        assert "(DOWNSTREAM_SERVICE_ERROR)" in health["error"]["message"]
        assert set(of.topics()) == {
            "solar-park-1/reading/facility/energy", "solar-park-1/reading/facility/self-consumption",
        }  # fmt: skip


async def test_a_part_that_always_fails_does_not_slow_down_the_rest(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        of.simulated.faults.set(AmpereFault.DOWNSTREAM)
        source, latest = of.app.account("plant").source, of.app.account("plant").latest
        for number in range(1, 6):
            of.clock.set(NOON + number * 10 * MINUTES)
            await of.poll()
            assert source.next_poll(latest, of.clock.now()) == of.clock.now() + 10 * MINUTES
        assert of.topics()["solar-park-1/reading/facility/energy"]["end"] == "2026-06-10T10:52:00Z"


async def test_without_a_list_of_devices_the_facilitys_own_readings_are_there(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        of.simulated.faults.next(GOOD, GOOD, AmpereFault.BROKEN)
        health = await of.poll()
        assert health["error"] == {"code": "unavailable", "message": "Something went wrong. (INTERNAL_SERVER_ERROR)"}
        assert {topic.split("/")[2] for topic in of.topics()} == {"facility"}
        of.clock.set(NOON + 12 * MINUTES)
        assert (await of.poll())["error"] is None
        assert {topic.split("/")[2] for topic in of.topics()} == {"facility", "inverter-1", "inverter-2", "roof-sensor"}


async def test_an_odd_row_is_left_out_with_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with plant(tmp_path) as of:
        of.simulated.faults.next(GOOD, GOOD, GOOD, AmpereFault.ODD_ROW)
        assert (await of.poll())["error"] is None
        assert len(of.topics()) == 7
        warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 1
        assert warnings[0].startswith("1 of ampere.cloud's readings left out, the first for ValueError: Invalid isoformat")


async def test_the_other_companies_facilities_are_there_when_one_companys_are_not(tmp_path: Path) -> None:
    both = (*ONE_PARK, Company("c-2", "Dachwerk eG", (park(2, 2),)))
    async with plant(tmp_path, both) as of:
        of.simulated.faults.next(GOOD, AmpereFault.FORBIDDEN)
        health = await of.poll()
        assert health["error"]["code"] == "not_allowed"
        assert list(of.topics("/info")) == ["solar-park-2/info"]
        of.clock.set(NOON + 15 * MINUTES)
        await of.poll()
        assert sorted(of.topics("/info")) == ["solar-park-1/info", "solar-park-2/info"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (AmpereFault.BAD_GATEWAY, "unavailable"),
        (AmpereFault.HTML_200, "unavailable"),
        (AmpereFault.TRUNCATED, "unavailable"),
        (AmpereFault.DROP, "unavailable"),
        (AmpereFault.EXPIRED, "unauthenticated"),
        (AmpereFault.ECHO_TOKEN, "unavailable"),
    ],
)
async def test_a_failure_keeps_what_is_known_and_shows_no_token(
    tmp_path: Path, fault: AmpereFault, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with plant(tmp_path) as of:
        await of.poll()
        shown = of.topics()
        of.simulated.faults.set(fault)
        of.clock.set(NOON + 10 * MINUTES)
        health = await of.poll()
        assert health["error"]["code"] == code
        assert of.topics() == shown
        assert TOKEN not in str(health) + caplog.text
        of.simulated.faults.set(None)
        of.clock.set(NOON + 1 * HOURS)
        assert (await of.poll())["error"] is None


async def test_a_wrong_token_is_told_and_where_to_mend_it(tmp_path: Path) -> None:
    async with plant(tmp_path) as of:
        of.simulated.token = "another"
        health = await of.poll()
        assert health["error"]["code"] == "unauthenticated"
        assert "put new ones into sources.plant" in health["error"]["message"]
        assert health["stale"]


# a schema that has changed


async def test_a_field_that_is_gone_is_told_with_field_profile_and_command_and_not_asked_for_again(tmp_path: Path) -> None:
    simulated = Ampere(Impatient(NOON).now, token=TOKEN, companies=ONE_PARK, sdl=RENAMED)
    async with plant(tmp_path, simulated=simulated) as of:
        health = await of.poll()
        message = health["error"]["message"]
        assert 'Cannot query field "timezone" on type "Facility". Did you mean "timeZone"?' in message
        assert message.endswith(f"run kwh2mqtt introspect plant, which says what to change in {SHIPPED}")
        assert health["error"]["code"] == "refused"
        of.clock.set(NOON + 5 * HOURS)
        assert (await of.poll())["error"]["message"] == message
        assert of.asked() == ["Companies", None]  # it has no name there, as it is not valid


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('Cannot query field "a" on type "B".', gateway.Outdated),
        ('Unknown argument "a" on field "B.c".', gateway.Outdated),
        ("Request was throttled.", RateLimited),
    ],
)
def test_a_message_without_a_code_is_told_by_its_words(message: str, kind: type[SourceError]) -> None:
    assert next(found for word, found in gateway.WORDS.items() if word in message.lower()) is kind
