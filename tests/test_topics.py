"""Topics: names are folded as the contract says, and what a builder makes the reader understands."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.topics import LONGEST_TOPIC, MOST_LEVELS, RESERVED_SOURCES, Errand, Place, Topics, distinct, fold, is_publishable

TOPICS = Topics("home/energy")
source_names = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True).filter(lambda name: name not in RESERVED_SOURCES)
levels = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Holm Street", "holm-street"),
        ("maxCapacity", "max-capacity"),
        ("maxCapacityKWh", "max-capacity-kwh"),
        ("SE3", "se3"),
        ("HTTPServer", "httpserver"),
        ("Hytta på Sjøen", "hytta-pa-sjoen"),
        ("Ærø", "aero"),
        ("Straße am Übergang", "strasse-am-ubergang"),
        ("Łódź, Zażółć gęślą jaźń", "lodz-zazolc-gesla-jazn"),
        ("Þórsmörk", "thorsmork"),
        ("İstanbul ılık", "istanbul-ilik"),
        ("Œuvre", "oeuvre"),
        ("  --Cabin__no. 2!  ", "cabin-no-2"),
        ("ﬁsh", "fish"),
        ("a/b+c#d\0e", "a-b-c-d-e"),
        ("🏠", ""),
        ("🏠 Cabin 🏠", "cabin"),
        ("日本", ""),
        ("", ""),
    ],
)
def test_a_name_is_folded_to_a_topic_level(name: str, folded: str) -> None:
    assert fold(name) == folded


def test_the_capital_sharp_s_is_folded_like_the_small_one() -> None:
    assert fold("STRAẞE") == "strasse"


@given(st.text())
def test_whatever_the_name_its_fold_is_a_plain_level(name: str) -> None:
    assert re.fullmatch(r"([a-z0-9]+(-[a-z0-9]+)*)?", fold(name))


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [(set(), "home"), ({"home"}, "home-2"), ({"home", "home-2"}, "home-3"), ({"home", "home-3"}, "home-2"), ({"home-2"}, "home")],
)
def test_a_name_that_is_taken_gets_the_next_number(taken: set[str], chosen: str) -> None:
    assert distinct("home", taken) == chosen


def test_each_builder_makes_the_topic_of_the_contract() -> None:
    assert [
        TOPICS.bridge("state"),
        TOPICS.source("tibber", "health"),
        TOPICS.info("tibber", "cabin"),
        TOPICS.price("tibber", "cabin", "import", "value"),
        TOPICS.reading("tibber", "cabin", "import", "energy"),
        TOPICS.account("tibber", "cabin", "balance"),
        TOPICS.schedule("tibber", "cabin", "saving-sessions"),
        TOPICS.dispatch("tibber", "cabin", "car"),
        TOPICS.dispatch_active("tibber", "cabin", "car"),
        TOPICS.live("tibber", "cabin", "power"),
        TOPICS.event("tibber", "cabin"),
    ] == [
        "home/energy/bridge/state",
        "home/energy/tibber/health",
        "home/energy/tibber/cabin/info",
        "home/energy/tibber/cabin/price/import/value",
        "home/energy/tibber/cabin/reading/import/energy",
        "home/energy/tibber/cabin/account/balance",
        "home/energy/tibber/cabin/schedule/saving-sessions",
        "home/energy/tibber/cabin/dispatch/car",
        "home/energy/tibber/cabin/dispatch/car/active",
        "home/energy/tibber/cabin/live/power",
        "home/energy/tibber/cabin/event",
    ]


@given(source_names, levels, levels)
def test_what_a_builder_makes_the_reader_places(source: str, site: str, figure: str) -> None:
    assert TOPICS.place(TOPICS.source(source, figure)) == Place(source, None)
    assert TOPICS.place(TOPICS.info(source, site)) == Place(source, site)
    assert TOPICS.place(TOPICS.price(source, site, "import", figure)) == Place(source, site)
    assert TOPICS.place(TOPICS.reading(source, site, "import", figure)) == Place(source, site)
    assert TOPICS.place(TOPICS.account(source, site, figure)) == Place(source, site)
    assert TOPICS.place(TOPICS.schedule(source, site, figure)) == Place(source, site)
    assert TOPICS.place(TOPICS.live(source, site, figure)) == Place(source, site)
    assert TOPICS.place(TOPICS.event(source, site)) == Place(source, site)


@given(source_names, levels, levels)
def test_a_topic_that_tells_of_a_device_is_placed_with_it(source: str, site: str, device: str) -> None:
    assert TOPICS.place(TOPICS.window(source, site, "import", device)) == Place(source, site, window=("import", device))
    assert TOPICS.place(TOPICS.window_active(source, site, "import", device)) == Place(source, site, window=("import", device))
    assert TOPICS.place(TOPICS.cost(source, site, "import", device)) == Place(source, site)
    assert TOPICS.place(TOPICS.dispatch(source, site, device)) == Place(source, site, device)
    assert TOPICS.place(TOPICS.dispatch_active(source, site, device)) == Place(source, site, device)


@pytest.mark.parametrize(
    "topic",
    [
        "home/energy/bridge/state",
        "home/energy/command/wallbox/tibber/prices",
        "home/energy/response/wallbox/tibber/prices",
        TOPICS.plan("wallbox", "car"),
        TOPICS.plan_active("wallbox", "car"),
        "home/energy/homeassistant/status",
        "home/energy/tibber",
        "home/energy",
        "home/energyx/tibber/state",
        "kwh2mqtt/tibber/state",
        "tibber/state",
        "",
    ],
)
def test_what_is_no_sources_topic_has_no_place(topic: str) -> None:
    assert TOPICS.place(topic) is None


@pytest.mark.parametrize(
    "topic", ["a", "kwh2mqtt/response/wallbox/", "a b/ä/\ufeff", "/" * (MOST_LEVELS - 1), "a" * LONGEST_TOPIC]
)
def test_such_a_topic_can_be_published_to(topic: str) -> None:
    assert is_publishable(topic)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "a/+",
        "a/#",
        "a\x00",
        "a\n",
        "\x7f",
        "\x9f",
        "\ud800",
        "\ufdd0",
        "\uffff",
        "\U0001fffe",
        "/" * MOST_LEVELS,
        "ä" * LONGEST_TOPIC,
    ],
)
def test_at_such_a_topic_some_brokers_hang_up(topic: str) -> None:
    assert not is_publishable(topic)


@given(levels, source_names, levels)
def test_a_command_is_read_as_it_is_asked_and_its_answer_lies_among_the_clients_own(client: str, source: str, name: str) -> None:
    errand = Errand(client, source, name)
    assert TOPICS.command(TOPICS.command_of(errand)) == errand
    assert TOPICS.command_of(errand).startswith(TOPICS.own_commands(client))
    assert TOPICS.response(errand).startswith(TOPICS.responses(client))
