"""What is known survives a restart, and names once chosen stay."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bridge.feed.latest import Latest
from bridge.models.device import Device, Dispatch
from bridge.models.figure import Figure, Live
from bridge.models.observation import (
    DevicesSeen,
    FiguresSeen,
    LiveSeen,
    Observation,
    PricesSeen,
    ReadingsSeen,
    SchedulesSeen,
    SitesSeen,
)
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule, Span
from bridge.models.site import Site
from tests.support import curve, store, utc

NOW = utc("2026-06-10T10:00")


def site(id_: str, title: str) -> Site:
    return Site(id=id_, title=title, timezone="Europe/Berlin")


def latest(folder: Path, configured: dict[str, str] | None = None, identity: str = "account") -> Latest:
    return Latest("home", configured or {}, store(folder, NOW), identity)


def seen(known: Latest, *sites: Site, complete: bool = True) -> dict[str, str]:
    known.save(known.keep(SitesSeen(sites, complete), NOW))
    return {id_: place.name for id_, place in known.places.items()}


def test_a_site_is_named_after_the_providers_name_for_it(tmp_path: Path) -> None:
    assert seen(latest(tmp_path), site("1", "Holm Street"), site("2", "Hytta på fjellet")) == {
        "1": "holm-street",
        "2": "hytta-pa-fjellet",
    }


def test_two_names_that_fold_to_one_get_a_number_and_an_empty_one_is_site(tmp_path: Path) -> None:
    names = seen(latest(tmp_path), site("1", "Home"), site("2", "HOME!"), site("3", "家"), site("4", "State"))
    assert names == {"1": "home", "2": "home-2", "3": "site", "4": "state-2"}


def test_a_name_stays_when_the_home_is_renamed_also_after_a_restart(tmp_path: Path) -> None:
    seen(latest(tmp_path), site("1", "Home"))
    assert seen(latest(tmp_path), site("2", "Home"), site("1", "Castle")) == {"1": "home", "2": "home-2"}


def test_a_configured_name_wins_over_the_one_that_was_chosen(tmp_path: Path) -> None:
    seen(latest(tmp_path), site("1", "Home"), site("2", "Cabin"))
    named = latest(tmp_path, {"2": "home"})
    assert {id_: place.name for id_, place in named.places.items()} == {"1": "home-2", "2": "home"}
    assert seen(named, site("1", "Home"), site("2", "Cabin")) == {"1": "home-2", "2": "home"}


def test_what_was_known_is_known_after_a_restart(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"))
    reading = Reading(meter="import", quantity="energy", value=Decimal("1.25"), unit="kWh", start=NOW, end=NOW)
    prices = curve(utc("2026-06-10T10:00"), ["0.2512", "-0.01"])
    known.save([*known.keep(PricesSeen("1", "import", prices), NOW), *known.keep(ReadingsSeen("1", (reading,)), NOW)])
    again = latest(tmp_path)
    assert again.places == known.places
    assert again.curve("1", "import") == prices
    assert again.seen(PricesSeen) == NOW


def test_a_curve_has_levels_of_ours_where_the_provider_gives_none(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"))
    dear = [*[0.3] * 96, *[0.1] * 4, *[0.3] * 91, 0.9]
    known.keep(PricesSeen("1", "import", curve(utc("2026-06-09T00:00"), dear)), NOW)
    levelled = known.levelled("1", "import")
    assert levelled is not None
    assert [slot[:3] for slot in levelled.slots] == [slot[:3] for slot in known.places["1"].curves["import"].slots]
    levels = [slot.level for slot in levelled.slots]
    assert (set(levels[96:100]), set(levels[102:190]), levels[191]) == ({"very_cheap"}, {"normal"}, "very_expensive")
    assert (known.levelled("1", "export"), known.levelled("2", "import")) == (None, None)


def test_four_days_are_kept_from_the_midnight_before_yesterday(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"))
    known.keep(PricesSeen("1", "import", curve(utc("2026-06-01T22:00"), [0.1] * 96 * 12)), NOW)
    kept = known.curve("1", "import")
    assert kept is not None
    assert kept.slots[0].start == utc("2026-06-07T22:00")


def test_the_same_prices_again_are_not_written_again(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"))
    prices = PricesSeen("1", "import", curve(NOW, [0.1, 0.2]))
    assert len(known.keep(prices, NOW)) == 1
    assert known.keep(prices, NOW + timedelta(minutes=5)) == []


def test_a_site_that_is_gone_is_forgotten_but_not_when_the_list_was_incomplete(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"), site("2", "Cabin"))
    assert seen(known, site("1", "Home"), complete=False) == {"1": "home", "2": "cabin"}
    assert seen(known, site("1", "Home")) == {"1": "home"}
    assert latest(tmp_path).places.keys() == {"1"}


def test_another_account_under_the_same_name_asks_for_its_sites_anew(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"))
    assert latest(tmp_path).seen(SitesSeen) == NOW
    assert latest(tmp_path, identity="another").seen(SitesSeen) is None


BALANCE = Figure(name="balance", value=Decimal("-12.50"), currency="GBP", at=NOW)
SESSIONS = Schedule(kind="saving-sessions", spans=(Span(start=NOW, end=NOW, facts={"joined": True}),))
CAR = Device(id="0001", title="Car", planned=(Dispatch(start=NOW, end=NOW, energy_kwh=Decimal("7.50")),))
SEEN = (FiguresSeen("1", (BALANCE,)), SchedulesSeen("1", (SESSIONS,)), DevicesSeen("1", (CAR,)))


def with_home(folder: Path, *observations: Observation) -> Latest:
    """Return what is known when a site and `observations` have been seen and saved."""
    known = latest(folder)
    seen(known, site("1", "Home"))
    for observation in observations:
        known.save(known.keep(observation, NOW))
    return known


def devices(known: Latest) -> dict[str, str]:
    return {id_: named.name for id_, named in known.places["1"].devices.items()}


def test_figures_schedules_and_devices_are_known_after_a_restart(tmp_path: Path) -> None:
    known = with_home(tmp_path, *SEEN)
    again = latest(tmp_path)
    assert again.places == known.places
    assert (again.devices("1"), again.devices("2")) == ((CAR,), ())
    assert [again.seen(type(observation)) for observation in SEEN] == [NOW] * 3


def test_a_live_value_is_known_in_its_own_run_only(tmp_path: Path) -> None:
    power = Live(quantity="power", value=Decimal(1250), unit="W", at=NOW)
    known = with_home(tmp_path, LiveSeen("1", (power,)))
    assert known.keep(LiveSeen("1", (power,)), NOW) == []
    assert (known.places["1"].live, latest(tmp_path).places["1"].live) == ({"power": power}, {})


def test_what_is_seen_again_as_it_was_is_not_written_again(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"))
    assert [len(known.keep(observation, NOW)) for observation in SEEN] == [1, 1, 1]
    assert [known.keep(observation, NOW + timedelta(minutes=5)) for observation in SEEN] == [[], [], []]


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    points = Figure(name="points", value=Decimal(800), unit="points", at=NOW)
    known = with_home(tmp_path, FiguresSeen("1", (BALANCE, points)))
    newer = points.model_copy(update={"value": Decimal(900)})
    statements = known.keep(FiguresSeen("1", (newer,)), NOW)
    known.save(statements)
    assert (len(statements), latest(tmp_path).places["1"].figures) == (1, {"balance": BALANCE, "points": newer})


def test_a_device_keeps_its_name_when_it_is_renamed_also_after_a_restart(tmp_path: Path) -> None:
    with_home(tmp_path, DevicesSeen("1", (CAR,)))
    known = latest(tmp_path)
    other = Device(id="0002", title="Car")
    known.save(known.keep(DevicesSeen("1", (other, CAR.model_copy(update={"title": "Bus"}))), NOW))
    assert devices(known) == devices(latest(tmp_path)) == {"0001": "car", "0002": "car-2"}


def test_a_device_without_a_title_that_can_be_read_is_a_device(tmp_path: Path) -> None:
    nameless = (Device(id="0001", title=""), Device(id="0002", title="🚗"))
    assert devices(with_home(tmp_path, DevicesSeen("1", nameless))) == {"0001": "device", "0002": "device-2"}


def test_devices_of_two_sites_may_bear_one_name(tmp_path: Path) -> None:
    known = latest(tmp_path)
    seen(known, site("1", "Home"), site("2", "Cabin"))
    for id_ in ("1", "2"):
        known.keep(DevicesSeen(id_, (CAR.model_copy(update={"id": id_}),)), NOW)
    names = [named.name for place in known.places.values() for named in place.devices.values()]
    assert names == ["car", "car"]


def test_a_device_that_is_gone_is_forgotten_and_named_anew_should_it_come_back(tmp_path: Path) -> None:
    known = with_home(tmp_path, DevicesSeen("1", (CAR,)), DevicesSeen("1", ()))
    assert devices(known) == devices(latest(tmp_path)) == {}
    known.keep(DevicesSeen("1", (CAR.model_copy(update={"title": "Bus"}),)), NOW)
    assert devices(known) == {"0001": "bus"}


def test_a_site_that_is_gone_takes_all_of_it_along(tmp_path: Path) -> None:
    known = with_home(tmp_path, *SEEN)
    seen(known)
    assert seen(latest(tmp_path), site("1", "Home")) == {"1": "home"}
    place = latest(tmp_path).places["1"]
    assert (place.figures, place.schedules, place.devices) == ({}, {}, {})


def test_another_account_keeps_what_is_known_until_it_has_told_its_sites(tmp_path: Path) -> None:
    with_home(tmp_path, *SEEN)
    other = latest(tmp_path, identity="another")
    assert (other.places["1"].figures, other.seen(FiguresSeen)) == ({"balance": BALANCE}, None)
    seen(other, site("9", "Elsewhere"))
    assert latest(tmp_path, identity="another").places.keys() == {"9"}


def test_what_no_boundary_changes_wakes_nobody(tmp_path: Path) -> None:
    known = with_home(tmp_path)
    version = known.version
    known.changed.clear()
    known.keep(LiveSeen("1", ()), NOW)
    known.keep(FiguresSeen("1", (BALANCE,)), NOW)
    assert (known.version, known.changed.is_set()) == (version, False)
    known.keep(DevicesSeen("1", (CAR,)), NOW)
    assert (known.version, known.changed.is_set()) == (version + 1, True)
