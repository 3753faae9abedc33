"""What is known outlives the process, as it was; what cannot be read of it is left out with a line."""

import logging
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.models.device import Device, Dispatch
from bridge.models.figure import Figure
from bridge.models.price import HOUR, Curve
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from bridge.state.store import (
    NamedDevice,
    NamedSite,
    SourceRecord,
    Store,
    removed,
    removed_site,
    saved,
    saved_curve,
    saved_reading,
    saved_site,
    saved_source,
)
from tests.support import curve, utc

MOMENT = utc("2026-06-10T12:00:00")
CABIN = NamedSite("cabin", Site(id="96a1", title="Hytta på Sjøen", timezone="Europe/Oslo", currency="NOK", streams=("import",)))
HOME = NamedSite("home", Site(id="aa11", title="Home", timezone="Europe/Berlin", personal={"city": "Kiel"}))
PRICES = curve(MOMENT, ["0.2512", "-0.001", "0.30000000000000004"])
GAPPED = Curve(currency=None, slots=(PRICES.slots[0]._replace(level="cheap"), PRICES.slots[2]), source_resolution=HOUR)
ENERGY = Reading(
    meter="import", quantity="energy", value=Decimal("1.250"), unit="kWh", start=MOMENT, end=MOMENT + HOUR, resolution=HOUR
)
POWER = Reading(meter="import", quantity="power", value=Decimal(-3), unit="W", at=MOMENT)
BALANCE = Figure(name="balance", value=Decimal("-12.50"), currency="GBP", at=MOMENT)
POINTS = Figure(name="points", value=Decimal(800), unit="points", at=MOMENT)
FACTS: dict[str, str | int | float | bool | None] = {"joined": True, "points": 144, "reward": 1.5, "code": "1", "more": None}
SESSIONS = Schedule(kind="saving-sessions", spans=(Span(start=MOMENT, end=MOMENT + HOUR, facts=FACTS),))
DISPATCH = Dispatch(start=MOMENT, end=MOMENT + HOUR, type="smart", energy_kwh=Decimal("-3.50"))
CAR = NamedDevice(name="car", device=Device(id="0001", title="Tesla", type="electric_vehicles", planned=(DISPATCH,)))
RECORD = SourceRecord(identity="abc", last_attempt=MOMENT, last_success=MOMENT, seen={"SitesSeen": MOMENT})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path, MOMENT) as store:
        yield store


def keep_all(store: Store) -> None:
    store.save(
        [
            saved_source("tibber", RECORD),
            saved_site("tibber", CABIN),
            saved_site("tibber", HOME),
            saved_curve("tibber", "96a1", "import", PRICES),
            saved_curve("tibber", "96a1", "export", GAPPED),
            saved_curve("tibber", "aa11", "import", PRICES),
            saved_reading("tibber", "96a1", ENERGY),
            saved_reading("tibber", "96a1", POWER),
            saved("tibber", "96a1", "balance", BALANCE),
            saved("tibber", "96a1", "points", POINTS),
            saved("tibber", "aa11", "balance", BALANCE),
            saved("tibber", "96a1", "saving-sessions", SESSIONS),
            saved("tibber", "96a1", "0001", CAR),
            saved_site("other", HOME),
            saved("other", "aa11", "points", POINTS),
        ]
    )


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    with Store(tmp_path, MOMENT) as store:
        keep_all(store)
    with Store(tmp_path, MOMENT) as store:
        assert store.source("tibber") == RECORD
        assert store.sites("tibber") == {"96a1": CABIN, "aa11": HOME}
        assert store.curves("tibber") == {("96a1", "import"): PRICES, ("96a1", "export"): GAPPED, ("aa11", "import"): PRICES}
        assert store.readings("tibber") == {"96a1": (ENERGY, POWER)}
        assert store.kept("tibber", Figure) == {"96a1": (BALANCE, POINTS), "aa11": (BALANCE,)}
        assert store.kept("tibber", Schedule) == {"96a1": (SESSIONS,)}
        assert store.kept("tibber", NamedDevice) == {"96a1": (CAR,)}
        assert store.sites("other") == {"aa11": HOME}
        assert store.kept("other", Figure) == {"aa11": (POINTS,)}


def test_a_price_comes_back_to_the_last_digit(store: Store) -> None:
    keep_all(store)
    values = [str(slot.value) for slot in store.curves("tibber")["96a1", "import"].slots]
    assert values == ["0.2512", "-0.001", "0.30000000000000004"]


def test_of_an_unknown_source_nothing_is_known(store: Store) -> None:
    assert (store.source("new"), store.sites("new"), store.curves("new"), store.readings("new")) == (SourceRecord(), {}, {}, {})


def test_what_is_saved_again_takes_the_place_of_the_old(store: Store) -> None:
    keep_all(store)
    store.save([saved_site("tibber", CABIN._replace(name="hytta")), saved_curve("tibber", "aa11", "import", GAPPED)])
    assert store.sites("tibber")["96a1"].name == "hytta"
    assert store.curves("tibber")["aa11", "import"] == GAPPED


def test_a_removed_site_takes_its_prices_and_readings_along(store: Store) -> None:
    keep_all(store)
    store.save(removed_site("tibber", "96a1"))
    assert (store.sites("tibber"), store.readings("tibber")) == ({"aa11": HOME}, {})
    assert store.curves("tibber") == {("aa11", "import"): PRICES}
    assert store.kept("tibber", Figure) == {"aa11": (BALANCE,)}
    assert (store.kept("tibber", Schedule), store.kept("tibber", NamedDevice)) == ({}, {})
    assert store.kept("other", Figure) == {"aa11": (POINTS,)}


def test_what_is_kept_is_replaced_and_removed_by_its_kind_and_name(store: Store) -> None:
    keep_all(store)
    newer = POINTS.model_copy(update={"value": Decimal(900)})
    store.save([saved("tibber", "96a1", "points", newer), removed("tibber", "96a1", "balance", Figure)])
    store.save([removed("tibber", "96a1", "0001", Figure)])
    assert store.kept("tibber", Figure) == {"96a1": (newer,), "aa11": (BALANCE,)}
    assert store.kept("tibber", NamedDevice) == {"96a1": (CAR,)}


@pytest.mark.parametrize("odd", ["", "{", "[]", "null", "{}", '{"slots": 3}'])
def test_a_row_that_cannot_be_read_is_left_out_with_a_line(odd: str, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    keep_all(store)
    store.save(
        [
            ("UPDATE sites SET site = ? WHERE source = 'tibber' AND id = 'aa11'", (odd,)),
            ("UPDATE curves SET curve = ? WHERE stream = 'export'", (odd,)),
            ("UPDATE readings SET reading = ? WHERE quantity = 'power'", (odd,)),
            ("UPDATE kept SET content = ? WHERE name = 'points'", (odd,)),
        ]
    )
    assert store.sites("tibber") == {"96a1": CABIN}
    assert store.curves("tibber") == {("96a1", "import"): PRICES, ("aa11", "import"): PRICES}
    assert store.readings("tibber") == {"96a1": (ENERGY,)}
    assert store.kept("tibber", Figure) == {"96a1": (BALANCE,), "aa11": (BALANCE,)}
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 4


def test_a_source_that_cannot_be_read_begins_anew(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    keep_all(store)
    store.save([("UPDATE sources SET record = 'x'", ())])
    assert (store.source("tibber"), len(caplog.records)) == (SourceRecord(), 1)


def test_an_unreadable_row_is_not_shown_in_the_log(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.save([("INSERT INTO sources VALUES ('tibber', '{\"identity\": [\"planted-9f2c\"]}')", ())])
    store.source("tibber")
    assert "planted" not in caplog.text


def test_topics_are_remembered_and_forgotten(store: Store) -> None:
    store.remember_topics(["a", "b"])
    store.remember_topics(["b", "c"])
    store.forget_topics(["a", "z"])
    assert store.topics() == {"b", "c"}


def test_an_installation_keeps_its_number(tmp_path: Path) -> None:
    found = set()
    for _ in range(3):
        with Store(tmp_path, MOMENT) as store:
            found.add((store.installation_id(), store.share()))
    ((id_, share),) = found
    assert (len(id_), share) == (32, int(id_[:8], 16) / 2**32)


def test_two_installations_have_different_numbers(tmp_path: Path) -> None:
    with Store(tmp_path / "a", MOMENT) as one, Store(tmp_path / "b", MOMENT) as two:
        assert one.installation_id() != two.installation_id()
        assert 0 <= one.share() < 1


def test_an_installation_keeps_its_number_while_nothing_can_be_written(store: Store) -> None:
    store.database._connection.execute("PRAGMA query_only = 1")
    assert store.installation_id() == store.installation_id()


def test_an_odd_number_of_the_installation_is_no_obstacle(store: Store) -> None:
    store.save([("INSERT OR REPLACE INTO installation VALUES ('id', 'odd')", ())])
    assert 0 <= store.share() < 1


def test_an_id_that_is_no_unicode_does_not_stop_the_rest(store: Store) -> None:
    store.save([saved_curve("tibber", "\ud800", "import", PRICES)])
