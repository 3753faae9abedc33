"""A WARP charger is told the prices that stand on `slots`, as its firmware reads them, and nothing that is not known."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import SystemClock
from bridge.errors import Misconfigured
from bridge.models.message import Message
from bridge.models.payload import encoded_slots
from bridge.models.price import HOUR, QUARTER_HOUR, Slot
from bridge.preview import preview
from bridge.readers.settings import ReadersSettings, WarpSettings
from bridge.readers.warp import MOST, Warp, prices
from bridge.redact import Redactor
from bridge.settings import Settings, load
from bridge.simulator.server import Server
from bridge.simulator.tibber import PATH, Tibber
from bridge.topics import Topics
from bridge.transport.settings import MqttSettings
from tests.conftest import subscribed
from tests.readers.warped import read_by_warp
from tests.support import FACTS, quarters, utc
from tests.test_app import TOKEN, configured, running, tibber

TOPICS = Topics("kwh2mqtt")
GARAGE = WarpSettings(topic="warp3/ABC", source="home", site="cabin")
CARPORT = WarpSettings(topic="warp2/XYZ", source="home", site="cabin")
READERS = ReadersSettings(warp={"garage": GARAGE})
OURS, THEIRS = "kwh2mqtt/home/cabin/price/import/slots", "warp3/ABC/day_ahead_prices/prices_update"
TEN = utc("2026-11-20T10:00")
EVENING = utc("2026-11-20T23:00")


def payload(slots: Sequence[Slot]) -> bytes:
    return prices(encoded_slots(slots))


def test_quarter_hours_are_told_in_thousandths_of_a_cent() -> None:
    told = payload(quarters(TEN, ["0.2512", "0", "-0.0537", "0.123456789"]))
    assert told == b'{"first_date":29919480,"resolution":0,"prices":[25120,0,-5370,12346]}'


def test_the_shape_is_that_of_the_firmware() -> None:
    fact = FACTS / "readers" / "warp_prices_update.json"
    if not fact.is_file():
        pytest.skip("../shared is not there")
    known = json.loads(fact.read_text("utf-8"))
    told = json.loads(payload(quarters(TEN, ["0.1"])))
    assert [(key, type(value)) for key, value in told.items()] == [(key, type(value)) for key, value in known.items()]
    assert told["resolution"] == known["resolution"]


@pytest.mark.parametrize("length", [timedelta(minutes=30), HOUR])
def test_a_longer_slot_is_told_as_quarter_hours(length: timedelta) -> None:
    told = payload([Slot(TEN, TEN + length, Decimal("0.2"))])
    assert json.loads(told)["prices"] == [20_000] * (length // QUARTER_HOUR)


def test_of_two_runs_the_longer_is_told_and_a_gap_is_no_price() -> None:
    known = quarters(TEN, ["0.1", "0.2", "0.3", "0.4"])
    told = payload([known[0], *known[2:]])
    prices_found = [read_by_warp(told, slot.start) for slot in known]
    assert prices_found == [None, None, Decimal("0.3"), Decimal("0.4")]


def test_no_more_is_told_than_the_charger_keeps() -> None:
    assert len(json.loads(payload(quarters(TEN, ["0.1"] * 300)))["prices"]) == MOST


def test_a_price_that_is_too_large_for_the_charger_is_unknown_to_it() -> None:
    told = payload(quarters(TEN, ["21474.83647", "21474.83648", "-21474.83648"]))
    assert json.loads(told)["prices"] == [2**31 - 1]


def test_a_part_of_a_quarter_hour_has_no_price() -> None:
    assert payload([Slot(TEN + timedelta(minutes=5), TEN + timedelta(minutes=25), Decimal("0.1"))]) == b""


@given(st.lists(st.one_of(st.none(), st.decimals(-2, 2, places=5)), max_size=196))
def test_what_the_charger_finds_is_the_price_of_the_slot_or_nothing(values: list[Decimal | None]) -> None:
    starts = [TEN + number * QUARTER_HOUR for number in range(len(values))]
    known = {start: value for start, value in zip(starts, values, strict=True) if value is not None}
    told = payload([Slot(start, start + QUARTER_HOUR, value) for start, value in known.items()])
    found = {start: read_by_warp(told, start) for start in starts}
    assert all(price is None or price == known.get(start) for start, price in found.items())
    assert bool(known) == any(price is not None for price in found.values())


def test_the_charger_is_told_with_the_slots_and_for_as_long() -> None:
    slots = quarters(TEN, ["0.1"])
    told = list(Warp(TOPICS, [GARAGE]).messages(Message(OURS, encoded_slots(slots), EVENING)))
    assert told == [Message(THEIRS, payload(slots), EVENING)]


def test_slots_that_are_cleared_are_cleared_at_each_charger_too() -> None:
    told = list(Warp(TOPICS, [GARAGE, CARPORT]).messages(Message(OURS, b"")))
    assert told == [Message(THEIRS, b""), Message("warp2/XYZ/day_ahead_prices/prices_update", b"")]


def test_no_other_topic_tells_a_charger_anything() -> None:
    others = [OURS.replace(*pair) for pair in (("slots", "columns"), ("cabin", "home"), ("import", "export"))]
    assert [told for topic in others for told in Warp(TOPICS, [GARAGE]).messages(Message(topic, b"[]"))] == []


# the configuration


CHARGER = '[readers.warp.garage]\ntopic = "warp3/ABC"\nsource = "home"\nsite = "cabin"\n'
SOURCE = '[sources.home]\nprovider = "tibber"\ntoken = "t"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KWH2MQTT_CONFIG", raising=False)
    return tmp_path


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "bridge.toml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return load(file)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        loaded(folder, text)
    return [f"{fault.key}: {fault.problem}; {fault.mend}" for fault in caught.value.faults]


def test_nobody_is_told_anything_unless_it_is_configured(folder: Path) -> None:
    assert loaded(folder, SOURCE).readers == ReadersSettings()
    assert loaded(folder, SOURCE + CHARGER).readers.warp == {"garage": GARAGE}


def test_a_variable_configures_a_charger_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in GARAGE.model_dump().items():
        monkeypatch.setenv(f"KWH2MQTT_READERS__WARP__GARAGE__{key.upper()}", value)
    assert loaded(folder, SOURCE).readers.warp == {"garage": GARAGE}


def test_an_unknown_source_is_a_fault_that_names_the_nearest(folder: Path) -> None:
    found = faults(folder, SOURCE + CHARGER.replace('"home"', '"hom"'))
    assert found == ["readers.warp.garage.source: hom is not configured; did you mean home?"]


def test_two_chargers_on_one_topic_are_a_fault(folder: Path) -> None:
    found = faults(folder, SOURCE + CHARGER + CHARGER.replace("garage", "carport"))
    assert found == ["readers.warp.carport.topic: is that of garage; give each charger its own"]


@pytest.mark.parametrize("topic", ["", "/warp3/ABC", "warp3/+/x", "warp3/#", "$SYS/x", "warp3//x"])
def test_a_topic_that_is_none_is_a_fault(folder: Path, topic: str) -> None:
    (found,) = faults(folder, SOURCE + CHARGER.replace("warp3/ABC", topic))
    assert found.startswith("readers.warp.garage.topic: is wrong: must be a topic without wildcards, such as warp3/ABC;")


# what `kwh2mqtt poll` prints


async def test_a_poll_prints_what_the_charger_would_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with Server(Tibber(SystemClock().now, token=TOKEN).handle) as server:
        told = replace(configured(tmp_path, MqttSettings(), home=f"{server.url}{PATH}"), readers=READERS)
        await preview(told, Redactor(), "home")
    printed = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert printed[THEIRS].encode() == prices(printed[OURS].encode())


# on a broker


@pytest.fixture
async def homes() -> AsyncIterator[str]:
    async with tibber() as (_, url):
        yield url


async def test_a_charger_that_is_switched_off_keeps_no_price(tmp_path: Path, mqtt: MqttSettings, homes: str) -> None:
    told = replace(configured(tmp_path, mqtt, home=homes), readers=READERS)
    async with subscribed(mqtt) as seen:
        async with running(told) as app:
            await seen.until(lambda seen: THEIRS in seen.latest)
            value = json.loads(seen.latest["kwh2mqtt/home/cabin/price/import/value"])
            found = read_by_warp(seen.latest[THEIRS], app.clock.now())
            assert found is not None
            assert float(found) == pytest.approx(value, abs=0.000005)
        async with running(replace(told, readers=ReadersSettings())):
            await seen.until(lambda seen: THEIRS not in seen.latest and OURS in seen.latest)
