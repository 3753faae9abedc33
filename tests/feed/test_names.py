"""A name is chosen once: the configured one, else the one that a thing has, else one from its title; no two are alike."""

from bridge.feed.names import Titled, chosen


def test_a_name_is_made_from_the_title() -> None:
    assert chosen([Titled("1", "Tesla Model 3"), Titled("2", "Hjemmelader på låven")], "device") == {
        "1": "tesla-model-3",
        "2": "hjemmelader-pa-laven",
    }


def test_what_has_a_name_keeps_it_whatever_its_title_and_whoever_comes_before() -> None:
    assert chosen([Titled("2", "Car"), Titled("1", "Bus", "car")], "device") == {"1": "car", "2": "car-2"}


def test_of_two_titles_alike_the_later_one_gets_a_number_and_an_empty_one_what_it_is() -> None:
    things = [Titled("1", "Car"), Titled("2", "car!"), Titled("3", "🚗"), Titled("4", "")]
    assert chosen(things, "device") == {"1": "car", "2": "car-2", "3": "device", "4": "device-2"}


def test_a_configured_name_wins_and_a_reserved_one_is_nobodys() -> None:
    things = [Titled("1", "Home", "home"), Titled("2", "Cabin"), Titled("3", "State")]
    assert chosen(things, "site", configured={"2": "home"}, reserved={"state"}) == {"1": "home-2", "2": "home", "3": "state-2"}
