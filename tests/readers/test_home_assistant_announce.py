"""Home Assistant is told of what becomes known and of what is gone; no renaming and no restart moves an entity."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.models.message import Arrival
from bridge.models.site import Site
from tests.readers.villa import NOW, PLACE, SITE, Json, Source, Villa, without
from tests.support import settle

MANY = 1000
MOST_BYTES, MOST_S = 16_000, 10.0  # of one site of the many; for all of them, also on a busy machine


def ids(told: Mapping[str, Json]) -> set[str]:
    return {one["unique_id"] for device in told.values() for one in device["components"].values() if "unique_id" in one}


async def cleared(villa: Villa) -> set[str]:
    """Return what the broker is told to empty."""
    waiting = [await villa.shelf.take() for _ in range(len(villa.shelf))]
    return {message.topic for message in waiting if message.retain and not message.payload}


@asynccontextmanager
async def following(villa: Villa) -> AsyncIterator[None]:
    """Have the announcer at work, and everything told."""
    await villa.announcer.announce()
    task = asyncio.create_task(villa.announcer.run())
    await settle()
    await villa.taken()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_renaming_a_home_changes_nothing_that_is_told(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    before = await villa.told()
    villa.now(site=SITE.model_copy(update={"title": "Hytta"}))
    assert await villa.told() == before
    villa.begin()
    assert await villa.told() == before


async def test_another_topic_name_of_a_site_moves_no_unique_id(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    before = ids(await villa.told())
    villa.now(name="hytta")
    assert ids(await villa.told()) == before


async def test_a_live_value_that_is_not_seen_yet_after_a_restart_keeps_its_entity(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    before = await villa.told()
    villa.now(live={})
    villa.begin()
    assert await villa.told() == before


async def test_what_is_gone_of_a_site_is_told_by_its_platform_alone_until_the_broker_knows(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    before = await villa.entities_of("home")
    villa.now(windows={}, readings=without(PLACE.readings, ("oven", "on")))
    gone = {
        **{at: {"platform": "sensor"} for at in ("window_cheapest-3h_start", "window_cheapest-3h_end")},
        **{at: {"platform": "binary_sensor"} for at in ("window_cheapest-3h_active", "reading_oven_on_on")},
    }
    kept = without(before, *gone)
    assert await villa.entities_of("home") == {**kept, **gone}
    villa.begin()  # the broker may not have heard of it
    assert await villa.entities_of("home") == {**kept, **gone}
    await villa.taken()
    await villa.announcer.announce()
    villa.begin()
    assert await villa.entities_of("home") == kept


async def test_what_comes_back_is_told_whole(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    before = await villa.entities_of("home")
    villa.now(windows={})
    await villa.told()
    villa.now(windows=PLACE.windows)
    assert await villa.entities_of("home") == before


async def test_what_is_gone_of_a_site_empties_its_topic_where_each_entity_has_one(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    villa.begin(discovery="component")
    told = await villa.told()
    await villa.taken()
    villa.now(windows={})
    left = await villa.told()
    assert await cleared(villa) == told.keys() - left.keys() == {topic for topic in told if "/window_" in topic}


async def test_each_entity_has_a_message_of_its_own_that_says_as_much_as_the_devices(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    together = await villa.told()
    villa.begin(discovery="component")
    apart = await villa.told()
    expected = {}
    for device in together.values():
        shared = without(device, "components")
        id_ = device["device"]["identifiers"][0]
        for at, one in device["components"].items():
            expected[f"homeassistant/{one['platform']}/{id_}/{at}/config"] = {**shared, **without(one, "platform")}
    assert apart == expected


@pytest.mark.parametrize(("before", "after"), [("component", "device"), ("device", "component")])
async def test_another_form_of_discovery_keeps_every_entity(tmp_path: Path, before: str, after: str) -> None:
    villa = Villa(tmp_path)
    villa.begin(discovery=before)
    old = await villa.told()
    villa.begin(discovery=after)
    await villa.told()
    first = [await villa.shelf.take() for _ in range(len(old))]  # events go before everything else
    assert {(message.topic, message.payload, message.retain) for message in first} == {
        (topic, b'{"migrate_discovery":true}', False) for topic in old
    }


async def test_another_prefix_is_another_home_assistant_whose_entities_are_not_moved(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    await villa.told()
    villa.begin(prefix="ha/two")
    await villa.told()
    assert all(message.retain for message in [await villa.shelf.take() for _ in range(len(villa.shelf))])


async def test_a_site_that_is_gone_leaves_no_topic(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    told = await villa.told()
    await villa.taken()
    villa.sources[0].places.clear()
    left = await villa.told()
    assert (await cleared(villa), len(left)) == (told.keys() - left.keys(), 1)


async def test_nothing_new_is_nothing_told(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    await villa.told()
    await villa.taken()
    villa.now(live=dict(PLACE.live))
    await villa.announcer.announce()
    assert len(villa.shelf) == 0


async def test_a_site_that_cannot_be_told_of_does_not_disturb_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    villa = Villa(tmp_path, Source(), Source("work"))
    villa.now(curves={"import": None})
    assert len(await villa.told()) == 2  # the bridge, and the other site
    assert [record.getMessage() for record in caplog.records] == ["home: Home Assistant cannot be told of site villa"]
    caplog.clear()


async def test_home_assistants_birth_brings_everything_again_within_three_seconds(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    async with following(villa):
        villa.announcer.arrived(Arrival("homeassistant/status", b"online"))
        villa.announcer.arrived(Arrival("homeassistant/status", b"online"))
        await settle()
        assert len(villa.shelf) == 0  # not all bridges at once
        await villa.clock.go_to(NOW + timedelta(seconds=3))
        assert {(await villa.shelf.take()).topic for _ in range(len(villa.shelf))} == (await villa.told()).keys()
        await villa.clock.go_to(NOW + timedelta(seconds=10))
        assert len(villa.shelf) == 0


@pytest.mark.parametrize(
    "arrival",
    [
        Arrival("homeassistant/status", b"offline"),
        Arrival("homeassistant/status", b""),
        Arrival("homeassistant/status", b"online", retained=True),
    ],
)
async def test_nothing_else_is_taken_for_a_birth(tmp_path: Path, arrival: Arrival) -> None:
    villa = Villa(tmp_path)
    async with following(villa):
        villa.announcer.arrived(arrival)
        await villa.clock.go_to(NOW + timedelta(seconds=10))
        assert len(villa.shelf) == 0


async def test_what_becomes_known_is_told_when_somebody_says_so(tmp_path: Path) -> None:
    villa = Villa(tmp_path)
    async with following(villa):
        villa.now(windows={})
        villa.announcer.look_again()
        await settle()
        message = await villa.shelf.take()
        assert json.loads(message.payload)["components"]["window_cheapest-3h_active"] == {"platform": "binary_sensor"}


async def test_a_thousand_sites_are_told_of_in_bounds(tmp_path: Path) -> None:
    sites = [Site.model_validate({**SITE.model_dump(), "id": f"{number}"}) for number in range(MANY)]
    plain = replace(PLACE, readings={}, curves={"import": PLACE.curves["import"]})
    villa = Villa(tmp_path, Source(places={site.id: replace(plain, name=f"s-{site.id}", site=site) for site in sites}))
    began = time.process_time()
    await villa.announcer.announce()
    assert time.process_time() - began < MOST_S
    sizes = [len(message.payload) for message in villa.shelf.messages()]
    assert (len(sizes), max(sizes) < MOST_BYTES) == (MANY + 1, True)
