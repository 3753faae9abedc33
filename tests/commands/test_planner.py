"""`cheapest`, `plan` and `plan_cancel` as a device meets them: what it is told, and what it is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.commands.planner import OPERATIONS, Planner
from bridge.commands.plans import MOST_OF_A_CLIENT
from bridge.feed.place import Place
from bridge.models.message import Arrival
from bridge.providers.base import Kind
from tests.commands.house import BERLIN, NOON, House, hours, spans
from tests.support import curve, utc

HOME: dict[str, Any] = {"source": "home", "site": "house"}
PRICES = hours(0.4, 0.1, 0.2, 0.3, -0.1, 0.5)  # 10:00 to 16:00


def house(folder: Path, prices: Any = PRICES, moment: Any = NOON) -> House:
    return House(folder, prices, moment)


def test_the_operations_are_queries_that_ask_nobody(tmp_path: Path) -> None:
    here = house(tmp_path)
    offers = list(Planner(here.sources, here.plans).offers())
    assert [(offer.full_name, offer.kind, offer.remote) for offer in offers] == [
        (f"bridge.{name}", Kind.QUERY, False) for name in OPERATIONS
    ]


async def test_the_cheapest_time_is_told_with_its_cost_and_what_it_saves_against_starting_now(tmp_path: Path) -> None:
    assert await house(tmp_path).done("cheapest", **HOME, duration="PT2H", power_kw=11) == {
        "start": "2026-06-10T13:00:00Z",
        "end": "2026-06-10T15:00:00Z",
        "mean": 0.1,
        "segments": [{"start": "2026-06-10T13:00:00Z", "end": "2026-06-10T15:00:00Z", "mean": 0.1}],
        "cost": 2.2,
        "saving": 3.3,
        "currency": "EUR",
        "data_until": "2026-06-10T16:00:00Z",
    }


async def test_what_is_reckoned_has_seven_digits_as_on_every_topic(tmp_path: Path) -> None:
    here = house(tmp_path, hours(0.1, 0.2, 0.4))
    found = await here.done("plan", name="car", **HOME, duration="PT1H10M", power_kw=11)
    assert (found["mean"], found["segments"][0]["mean"], found["cost"]) == (0.1142857, 0.1142857, 1.466667)


async def test_without_a_power_the_cost_is_not_known(tmp_path: Path) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("power_kw", "energy_kwh", "deadline", "not_before", "max_price", "levels"))
    for left_out in ({}, nothing):
        found = await house(tmp_path).done("cheapest", **HOME, duration="PT2H", **left_out)
        assert (found["mean"], found["cost"], found["saving"]) == (0.1, None, None)


async def test_where_the_prices_of_starting_now_are_not_all_known_what_is_saved_is_not(tmp_path: Path) -> None:
    here = house(tmp_path, hours(0.4, 0.1), utc("2026-06-10T10:30"))
    found = await here.done("cheapest", **HOME, duration="PT1H30M", contiguous=False, power_kw=2)
    assert (found["cost"], found["saving"]) == (pytest.approx(0.6), 0)
    gap = house(tmp_path / "gap", curve(NOON, [0.4] * 4 + [0.1] * 4).without(NOON, utc("2026-06-10T10:15")))
    found = await gap.done("cheapest", **HOME, duration="PT1H", power_kw=2)
    assert (found["cost"], found["saving"]) == (0.2, None)


@pytest.mark.parametrize(
    ("wanted", "segments", "cost"),
    [
        ({"energy_kwh": 22, "power_kw": 11}, [("10 13:00", "10 15:00")], 2.2),
        ({"energy_kwh": 3, "power_kw": 3.7}, [("10 14:00", "10 14:49")], -0.3),
        ({"duration": "PT1H", "energy_kwh": 5}, [("10 14:00", "10 15:00")], -0.5),
        ({"duration": "PT3H", "contiguous": False, "power_kw": 1}, [("10 11:00", "10 13:00"), ("10 14:00", "10 15:00")], 0.2),
        ({"duration": "PT2H", "min_segment": "PT45M"}, [("10 11:00", "10 12:00"), ("10 14:00", "10 15:00")], None),
        ({"duration": "PT3H", "min_segment": "PT1H30M"}, [("10 11:00", "10 12:30"), ("10 13:30", "10 15:00")], None),
        ({"duration": "PT2H", "max_price": 0.25}, [("10 11:00", "10 13:00")], None),
        ({"duration": "PT1H", "deadline": "13:30"}, [("10 10:30", "10 11:30")], None),
        ({"duration": "PT1H", "deadline": "2026-06-10T13:30:00+02:00"}, [("10 10:30", "10 11:30")], None),
        ({"duration": "PT1H", "not_before": "17:00"}, [("10 15:00", "10 16:00")], None),
        ({"duration": "PT1H", "not_before": "2026-06-10T11:30:00Z", "deadline": "16:00"}, [("10 11:30", "10 12:30")], None),
        ({"duration": "PT2H", "power_kw": [4, 1]}, [("10 14:00", "10 16:00")], 0.1),
        ({"duration": "PT2H", "power_kw": [1, 4]}, [("10 13:00", "10 15:00")], -0.1),
    ],
)
async def test_what_is_wanted_is_heeded(
    tmp_path: Path, wanted: dict[str, Any], segments: list[tuple[str, str]], cost: float | None
) -> None:
    found = await house(tmp_path).done("cheapest", **HOME, **wanted)
    assert (spans(found), found["cost"]) == (segments, cost if cost is None else pytest.approx(cost))


async def test_a_run_that_begins_now_begins_at_the_next_whole_second(tmp_path: Path) -> None:
    here = house(tmp_path, hours(0.1, 0.2), utc("2026-06-10T10:10:00.5"))
    found = await here.done("cheapest", **HOME, duration="PT15M")
    assert (found["start"], found["end"]) == ("2026-06-10T10:10:01Z", "2026-06-10T10:25:01Z")


async def test_pieces_of_a_least_length_lie_on_whole_five_minutes_unless_one_run_is_cheaper(tmp_path: Path) -> None:
    here = house(tmp_path, hours(0.1, 0.4, 0.2), utc("2026-06-10T10:01:30"))
    pieces = await here.done("cheapest", **HOME, duration="PT1H57M", min_segment="PT28M", power_kw=1)
    assert (spans(pieces), pieces["cost"]) == ([("10 10:05", "10 11:05"), ("10 12:00", "10 13:00")], pytest.approx(0.3250))
    one = await here.done("cheapest", **HOME, duration="PT53M", min_segment="PT15M", power_kw=1)
    assert (one["start"], one["end"], one["saving"]) == ("2026-06-10T10:01:30Z", "2026-06-10T10:56:30Z", 0)


@pytest.mark.parametrize(
    ("args", "refusal"),
    [
        ({"source": "hom", "duration": "PT1H"}, ("not_found", "there is no source hom; there is: home")),
        ({**HOME, "site": "", "duration": "PT1H"}, ("not_found", "home has no site ; it has: house")),
        ({**HOME, "durations": "PT1H"}, ("bad_request", "args: durations: is not a known key; did you mean duration?")),
        ({**HOME, "site": "cabin", "duration": "PT1H"}, ("not_found", "home has no site cabin; it has: house")),
        ({**HOME, "stream": "gas", "duration": "PT1H"}, ("not_found", "house has no stream gas; it has: import")),
        ({}, ("bad_request", "args: source: is missing")),
        ({**HOME}, ("bad_request", "args: duration is missing: give it, or energy_kwh and power_kw")),
        ({**HOME, "energy_kwh": 1}, ("bad_request", "args: duration is missing: give it, or energy_kwh and power_kw")),
        (
            {**HOME, "duration": "PT1H", "energy_kwh": 1, "power_kw": 1},
            ("bad_request", "args: duration, energy_kwh and power_kw are given: leave one of them out"),
        ),
        (
            {**HOME, "energy_kwh": 3, "power_kw": [1, 2]},
            ("bad_request", "args: power_kw is a list, which says the energy already: leave energy_kwh out"),
        ),
        (
            {**HOME, "duration": "PT1H", "power_kw": [1, 2], "contiguous": False},
            ("bad_request", "args: power_kw is a list, which can only run in one go: leave contiguous and min_segment out"),
        ),
        (
            {**HOME, "energy_kwh": 1000, "power_kw": 0.001},
            ("bad_request", "args: energy_kwh and power_kw must make up a minute to seven days"),
        ),
        (
            {**HOME, "duration": "PT1H", "min_segment": "PT2H"},
            ("bad_request", "args: min_segment is longer than the duration"),
        ),
        (
            {**HOME, "duration": "PT2H", "deadline": "13:00"},
            (
                "bad_request",
                (
                    "args: deadline: too early: PT2H do not fit from 2026-06-10T10:00:00Z to 2026-06-10T11:00:00Z; "
                    "set it later, or ask for less"
                ),
            ),
        ),
        (
            {**HOME, "duration": "PT1H", "max_price": -1, "deadline": "17:00"},
            (
                "refused",
                (
                    "nothing fits from 2026-06-10T10:00:00Z to 2026-06-10T15:00:00Z: ease max_price, or the deadline; "
                    "prices are known until 2026-06-10T16:00:00Z"
                ),
            ),
        ),
        (
            {**HOME, "duration": "PT1H", "max_price": -1},
            (
                "unavailable",
                (
                    "prices are known until 2026-06-10T16:00:00Z, and in what is known nothing fits: "
                    "ask again when there are more, or ease max_price"
                ),
            ),
        ),
        (
            {**HOME, "duration": "PT1H", "not_before": "18:00", "deadline": "07:00"},
            (
                "unavailable",
                (
                    "prices are known until 2026-06-10T16:00:00Z, and in what is known nothing fits: "
                    "ask again when there are more, or ease the duration"
                ),
            ),
        ),
    ],
)
async def test_what_cannot_be_had_is_refused_with_the_reason_and_the_mend(
    tmp_path: Path, args: dict[str, Any], refusal: tuple[str, str]
) -> None:
    here = house(tmp_path)
    assert await here.refused("cheapest", **args) == refusal
    if refusal[1] != "args: source: is missing":
        assert await here.refused("plan", name="car", **args) == refusal
    assert here.topic("plan/wallbox/car/active") is None


LENGTH = 'must be a duration such as "PT3H" or "PT1H30M", of a minute to seven days'
TIME = 'must be an instant such as "2026-11-21T07:00:00+01:00", or a time on the local clock such as "07:00"'
LEVELS = 'must be a list of levels such as ["very_cheap", "cheap"], in lower case'
POWER = "must be a positive number of kW, or a list of up to 48 for equal parts of the duration"


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("duration", [3, "3h", "3", "PT0S", "-PT1H", "PT59S", "P8D", "PT1.5S", "P", "PX", True, "P99999999999D"], LENGTH),
        ("min_segment", ["PT1S", 15], LENGTH),
        ("not_before", ["7", "7:00", "24:00", "07:60", "07:00Z", "2026-06-10", "2026-06-10T12:00:00", 7, "٠٧:٠٠"], TIME),
        ("deadline", ["tomorrow", "07:00:30", "", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00"], TIME),
        ("levels", ["cheap", [], [""], [1], ["CHEAP"], {"cheap": 1}, ["cheap"] * 17], LEVELS),
        ("power_kw", [0, -1, "11", True, [], [0, 0], [1, -1], [1, "2"], [1] * 49, 1e9, {}], POWER),
    ],
)
async def test_what_is_no_length_time_or_power_is_a_bad_request_that_says_what_would_be(
    tmp_path: Path, key: str, values: list[Any], text: str
) -> None:
    here = house(tmp_path)
    for value in values:
        assert await here.refused("cheapest", **{**HOME, "duration": "PT1H", key: value}) == (
            "bad_request",
            f"args: {key}: {text}",
        )


async def test_the_site_may_be_left_out_where_there_is_one(tmp_path: Path) -> None:
    here = house(tmp_path)
    assert (await here.done("cheapest", source="home", duration="PT1H"))["mean"] == -0.1
    here.sources["home"].places["id-2"] = Place("cabin", BERLIN)
    assert await here.refused("cheapest", source="home", duration="PT1H") == (
        "bad_request",
        "args: site: name one of: house, cabin",
    )
    here.sources["home"].places.clear()
    assert await here.refused("cheapest", source="home", duration="PT1H") == ("not_found", "home has no site yet; it has: none")


async def test_before_any_price_is_known_nothing_can_be_chosen(tmp_path: Path) -> None:
    here = house(tmp_path, None)
    assert await here.refused("plan", name="car", **HOME, duration="PT1H") == (
        "unavailable",
        "no price of import is known yet: ask again later",
    )


# plans


async def test_a_plan_is_answered_as_it_stands_on_its_topic(tmp_path: Path) -> None:
    here = house(tmp_path)
    plan = await here.done("plan", name="car", **HOME, duration="PT2H", power_kw=11)
    assert plan == here.topic("plan/wallbox/car")
    assert plan == {
        "start": "2026-06-10T13:00:00Z",
        "end": "2026-06-10T15:00:00Z",
        "mean": 0.1,
        "segments": [{"start": "2026-06-10T13:00:00Z", "end": "2026-06-10T15:00:00Z", "mean": 0.1}],
        "cost": 2.2,
        "saving": 3.3,
        "currency": "EUR",
        "data_until": "2026-06-10T16:00:00Z",
        "name": "car",
        "source": "home",
        "site": "house",
        "stream": "import",
    }
    assert here.topic("plan/wallbox/car/active") == "OFF"


async def test_the_same_plan_asked_for_again_is_the_one_that_stands_and_another_takes_its_place(tmp_path: Path) -> None:
    here = house(tmp_path)
    first = await here.done("plan", name="car", **HOME, duration="PT2H")
    here.clock.set(utc("2026-06-10T14:30"))  # half an hour before its end
    assert await here.done("plan", name="car", **HOME, duration="PT2H") == first
    other = await here.done("plan", name="car", **HOME, duration="PT1H")
    assert (spans(other), here.topic("plan/wallbox/car")) == ([("10 14:30", "10 15:30")], other)


async def test_two_clients_may_use_one_name_and_neither_touches_the_other_s_plan(tmp_path: Path) -> None:
    here = house(tmp_path)
    mine = await here.done("plan", name="car", **HOME, duration="PT2H")
    yours = await here.done("plan", "heating", name="car", **HOME, duration="PT1H")
    assert (here.topic("plan/wallbox/car"), here.topic("plan/heating/car")) == (mine, yours)
    assert await here.refused("plan_cancel", "boiler", name="car") == (
        "not_found",
        "there is no plan car of this client; there is: none",
    )
    assert await here.done("plan_cancel", "heating", name="car") == {}
    assert (here.topic("plan/wallbox/car"), here.topic("plan/heating/car")) == (mine, None)


async def test_a_cancelled_plan_leaves_nothing_behind(tmp_path: Path) -> None:
    here = house(tmp_path)
    await here.done("plan", name="car", **HOME, duration="PT2H")
    assert await here.done("plan_cancel", name="car") == {}
    assert here.shelf.messages() == []
    assert await here.refused("plan_cancel", name="car") == ("not_found", "there is no plan car of this client; there is: none")
    here.begin()
    here.plans.show(NOON)
    cleared = [(message.topic, message.payload) for _, message in here.shelf.entries]
    assert cleared == [("kwh2mqtt/plan/wallbox/car/active", b""), ("kwh2mqtt/plan/wallbox/car", b"")]  # the broker may not know


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "a\x00b", "\x7f", "ä" * 33, "a\ud800"])
async def test_a_name_must_be_one_level_of_a_topic(tmp_path: Path, name: str) -> None:
    code, message = await house(tmp_path).refused("plan", name=name, **HOME, duration="PT1H")
    assert code == "bad_request"
    assert message == "args: name: must be one level of a topic, of up to 64 bytes" or "\ud800" in name


async def test_a_name_may_be_any_word(tmp_path: Path) -> None:
    here = house(tmp_path)
    for name in ("active", "Wärme pumpe", "ä" * 32, "$x"):
        await here.done("plan", name=name, **HOME, duration="PT1H")
        assert here.topic(f"plan/wallbox/{name}/active") == "OFF"


async def test_a_client_has_so_many_plans_and_no_more(tmp_path: Path) -> None:
    here = house(tmp_path)
    for number in range(MOST_OF_A_CLIENT):
        await here.done("plan", name=f"{number}", **HOME, duration="PT1H")
    assert await here.refused("plan", name="one more", **HOME, duration="PT1H") == (
        "refused",
        "16 plans of a client are the most: cancel one, or use its name again",
    )
    assert spans(await here.done("plan", name="3", **HOME, duration="PT2H")) == [("10 13:00", "10 15:00")]
    await here.done("plan", "heating", name="one more", **HOME, duration="PT1H")
    here.clock.set(utc("2026-06-10T15:30"))
    here.plans.show(here.clock.now())  # those of an hour are over, and make room
    await here.done("plan", name="one more", **HOME, duration="PT15M")
    assert len([message for message in here.shelf.messages() if message.topic.endswith("/active")]) == MOST_OF_A_CLIENT + 1


async def test_a_dry_run_plans_nothing(tmp_path: Path) -> None:
    here = house(tmp_path)
    payload = {"dry_run": True, "args": {"name": "car", **HOME, "duration": "PT1H"}}
    here.desk.arrived(Arrival("kwh2mqtt/command/wallbox/bridge/plan", json.dumps(payload).encode()))
    await here.clock.go_to(NOON)
    assert (here.answers[0]["status"], here.answers[0]["data"], here.topic("plan/wallbox/car")) == ("ok", {}, None)
