"""What is known survives a restart, and names once chosen stay."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bridge.feed.latest import Latest
from bridge.models.observation import PricesSeen, ReadingsSeen, SitesSeen
from bridge.models.reading import Reading
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
