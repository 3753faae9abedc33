"""What is known of a site as messages: topics, payloads, and until when they are worth something."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bridge.feed.latest import Latest
from bridge.feed.messages import Painter
from bridge.models.device import Device, Dispatch
from bridge.models.figure import Figure, Live
from bridge.models.message import Message
from bridge.models.observation import DevicesSeen, FiguresSeen, LiveSeen, Observation, PricesSeen, SchedulesSeen, SitesSeen
from bridge.models.payload import DispatchPlanned
from bridge.models.price import HOUR
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.topics import Topics
from tests.support import curve, store, utc

NOW = utc("2026-06-10T10:05")
BELOW = "kwh2mqtt/octopus/home"
SITE = Site(
    id="1", title="Home", timezone="Europe/London", currency="GBP", streams=("import", "gas"),
    standing_charges={"import": Decimal("0.4798")}, tariffs={"import": "E-1R-AGILE-24-10-01-C"},
)  # fmt: skip


def painted(folder: Path, *observations: Observation) -> Painter:
    latest = Latest("octopus", {}, store(folder, NOW), "account")
    for observation in (SitesSeen((SITE,)), *observations):
        latest.keep(observation, NOW)
    return Painter(Topics("kwh2mqtt"), latest)


def shown(folder: Path, *observations: Observation) -> dict[str, Message]:
    messages = painted(folder, *observations).all(NOW)
    return {message.topic.removeprefix(f"{BELOW}/"): message for message in messages}


def test_a_site_tells_its_standing_charges_and_tariffs(tmp_path: Path) -> None:
    told = json.loads(shown(tmp_path)["info"].payload)
    assert (told["standing_charges"], told["tariffs"]) == ({"import": 0.4798}, {"import": "E-1R-AGILE-24-10-01-C"})


def test_figures_of_the_account(tmp_path: Path) -> None:
    balance = Figure(name="balance", value=Decimal("-12.5"), at=NOW, currency="GBP")
    points = Figure(name="points", value=Decimal(800), at=NOW, unit="points")
    topics = shown(tmp_path, FiguresSeen("1", (balance, points)))
    del topics["info"]
    assert list(topics.values()) == [
        Message(f"{BELOW}/account/balance", b'{"value":-12.5,"currency":"GBP","at":"2026-06-10T10:05:00Z"}'),
        Message(f"{BELOW}/account/points", b'{"value":800.0,"unit":"points","at":"2026-06-10T10:05:00Z"}'),
    ]


def test_a_live_value_tells_its_age_and_expires_a_minute_after_it_is_published(tmp_path: Path) -> None:
    late = Live(quantity="power", value=Decimal(1250), unit="W", at=NOW - timedelta(seconds=12.9))
    ahead = Live(quantity="energy", value=Decimal("0.5"), unit="kWh", at=NOW + timedelta(seconds=3))
    topics = shown(tmp_path, LiveSeen("1", (late, ahead)))
    del topics["info"]
    assert list(topics.values()) == [
        Message(
            f"{BELOW}/live/power",
            b'{"value":1250.0,"unit":"W","at":"2026-06-10T10:04:47.100000Z","age_s":12}',
            NOW + timedelta(seconds=60),
        ),
        Message(
            f"{BELOW}/live/energy",
            b'{"value":0.5,"unit":"kWh","at":"2026-06-10T10:05:03Z","age_s":0}',
            NOW + timedelta(seconds=60),
        ),
    ]


def test_a_live_value_is_not_told_again_with_the_rest_of_the_site(tmp_path: Path) -> None:
    painter = painted(tmp_path, LiveSeen("1", (Live(quantity="power", value=Decimal(1), unit="W", at=NOW),)))
    (place,) = painter._latest.places.values()
    assert [message.topic for message in painter.site(place, NOW)] == [f"{BELOW}/info"]


def test_a_schedule_is_a_bare_array_and_an_empty_one_where_nothing_is_announced(tmp_path: Path) -> None:
    session = Span(start=NOW, end=NOW + HOUR, facts={"joined": True})
    old = Span(start=NOW - 26 * HOUR, end=NOW - 25 * HOUR)
    sessions, nights = Schedule(kind="saving-sessions", spans=(old, session)), Schedule(kind="greener-nights", spans=(old,))
    topics = shown(tmp_path, SchedulesSeen("1", (sessions, nights)))
    del topics["info"]
    assert list(topics.values()) == [
        Message(
            f"{BELOW}/schedule/saving-sessions",
            b'[{"start":"2026-06-10T10:05:00Z","end":"2026-06-10T11:05:00Z","joined":true}]',
        ),
        Message(f"{BELOW}/schedule/greener-nights", b"[]"),
    ]


def test_a_device_tells_what_is_planned_and_not_over_and_what_was_done_of_late(tmp_path: Path) -> None:
    over, running = Dispatch(start=NOW - 2 * HOUR, end=NOW), Dispatch(start=NOW - HOUR, end=NOW + HOUR, type="smart")
    done = Dispatch(start=NOW - 4 * HOUR, end=NOW - 3 * HOUR, energy_kwh=Decimal("-7.25"))
    forgotten = Dispatch(start=NOW - 50 * HOUR, end=NOW - 48 * HOUR)
    device = Device(
        id="0001", title="My Car", type="electric_vehicles", state="smart_control_in_progress",
        planned=(over, running), completed=(forgotten, done),
    )  # fmt: skip
    topics = shown(tmp_path, DevicesSeen("1", (device,)))
    until = NOW + HOUR + timedelta(seconds=60)
    assert topics["dispatch/my-car/active"] == Message(f"{BELOW}/dispatch/my-car/active", b"ON", until)
    assert topics["dispatch/my-car"].expires_at == until
    assert json.loads(topics["dispatch/my-car"].payload) == {
        "device_id": "0001",
        "name": "My Car",
        "type": "electric_vehicles",
        "state": "smart_control_in_progress",
        "dispatching": True,
        "planned": [{"start": "2026-06-10T09:05:00Z", "end": "2026-06-10T11:05:00Z", "type": "smart", "energy_kwh": None}],
        "completed": [{"start": "2026-06-10T06:05:00Z", "end": "2026-06-10T07:05:00Z", "type": None, "energy_kwh": -7.25}],
    }


def test_a_device_that_nothing_is_known_of_is_off(tmp_path: Path) -> None:
    topics = shown(tmp_path, DevicesSeen("1", (Device(id="0001", title=""),)))
    assert topics["dispatch/device/active"] == Message(f"{BELOW}/dispatch/device/active", b"OFF")
    assert topics["dispatch/device"].payload == (
        b'{"device_id":"0001","name":"","type":null,"state":null,"dispatching":false,"planned":[],"completed":[]}'
    )


def test_an_event_is_not_retained_and_old_after_ten_minutes(tmp_path: Path) -> None:
    painter = painted(tmp_path)
    (place,) = painter._latest.places.values()
    event = DispatchPlanned(device="car", device_id="0001", start=NOW, end=NOW + HOUR, type=None, energy_kwh=None)
    expected = Message(f"{BELOW}/event", event.encoded(), NOW + timedelta(minutes=10), retain=False)
    assert painter.event(place, event, NOW) == expected


def values(folder: Path, hours: int) -> list[float | None]:
    """Return the values of `columns` where so many hours from local midnight on are known."""
    prices = curve(utc("2026-06-09T23:00"), [0.25] * 4 * hours)
    found: list[float | None] = json.loads(shown(folder, PricesSeen("1", "import", prices))["price/import/columns"].payload)[
        "values"
    ]
    return found


def test_columns_run_to_the_end_of_today_where_its_last_hour_is_unknown_and_slots_do_not(tmp_path: Path) -> None:
    assert values(tmp_path, 23) == [0.25] * 92 + [None] * 4
    prices = PricesSeen("1", "import", curve(utc("2026-06-09T23:00"), [0.25] * 92))
    assert len(json.loads(shown(tmp_path, prices)["price/import/slots"].payload)) == 92


def test_columns_of_tomorrow_end_with_what_is_known(tmp_path: Path) -> None:
    assert values(tmp_path, 24) == [0.25] * 96
    assert values(tmp_path, 47) == [0.25] * 188


def test_columns_of_a_day_on_which_the_clock_changes_run_to_its_own_end(tmp_path: Path) -> None:
    latest = Latest("octopus", {}, store(tmp_path, NOW), "account")
    lengths = []
    for day, begin in (("2026-03-29T12:00", "2026-03-29T00:00"), ("2026-10-25T12:00", "2026-10-24T23:00")):
        latest.keep(SitesSeen((SITE,)), utc(day))
        latest.keep(PricesSeen("1", "import", curve(utc(begin), [0.25] * 80)), utc(day))
        topics = {message.topic: message for message in Painter(Topics("kwh2mqtt"), latest).all(utc(day))}
        lengths.append(len(json.loads(topics[f"{BELOW}/price/import/columns"].payload)["values"]))
    assert lengths == [92, 100]
