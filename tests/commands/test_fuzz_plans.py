"""Whatever is asked of the planner: it answers, and what it chooses lies within what was asked for and is known."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.commands.wanted import CheapestArguments
from bridge.models.price import Curve
from tests.commands.house import NOON, House
from tests.support import curve

MANY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
REFUSALS = {"bad_request", "not_found", "refused", "unavailable"}
QUARTER = timedelta(minutes=15)

strange = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.lists(st.integers(-1, 3), max_size=3), st.just({}),
)  # fmt: skip
lengths = st.sampled_from(["PT1M", "PT7M30S", "PT15M", "PT1H", "PT2H45M", "P1D", "P7D"])
instants = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda found: f"{found.isoformat()}+14:00")  # noqa: DTZ001
times = (
    st.sampled_from(["00:00", "02:30", "12:00", "18:00", "23:59", "2026-06-10T12:07:30.5Z", "9999-12-31T23:59:59Z"]) | instants
)
numbers = st.sampled_from([0.001, 0.25, 1, 3.7, 11, 1e6, 1e-300])
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "source": st.just("home"),
    "duration": lengths,
    "contiguous": st.booleans(),
    "min_segment": lengths,
    "not_before": times,
    "deadline": times,
    "power_kw": numbers | st.lists(st.integers(0, 3), max_size=5),
    "energy_kwh": numbers,
    "max_price": st.sampled_from([-1, 0, 0.2, 0.3]),
    "levels": st.sampled_from([["cheap"], ["cheap", "normal"], []]),
    "stream": st.sampled_from(["import", "gas"]),
}


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    keys = {"source", "duration"} | draw(st.sets(st.sampled_from(sorted(USUAL)), max_size=draw(st.sampled_from([1, 2, 5]))))
    found = {key: draw(USUAL[key]) for key in sorted(keys)}
    if draw(st.integers(0, 4)) == 0:
        found[draw(st.sampled_from([*sorted(USUAL), "site", "name"]))] = draw(strange)
    return found


def prices() -> Curve:
    """Return a day and a half of quarter-hours with levels, and a gap."""
    found = curve(NOON, [(number * 7919 % 61 - 10) / 100 for number in range(144)])
    levelled = [slot._replace(level=("cheap", "normal", None)[number % 5 % 3]) for number, slot in enumerate(found.slots)]
    return Curve(currency="EUR", slots=tuple(levelled)).without(NOON + 20 * QUARTER, NOON + 23 * QUARTER)


def test_whatever_is_asked_for_is_refused_or_lies_within_what_is_known(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        here, moment = runner.run(begun(tmp_path)), NOON + timedelta(seconds=1)
        known, chosen = prices(), list[int]()

        @settings(MANY, max_examples=250)
        @given(arguments())
        def whatever(args: dict[str, Any]) -> None:
            answer = runner.run(here.ask("cheapest", **args))
            if answer["status"] == "error":
                assert answer["error"]["code"] in REFUSALS, answer
                return
            spans = [[datetime.fromisoformat(one[key]) for key in ("start", "end")] for one in answer["data"]["segments"]]
            assert spans[0][0] >= moment
            assert all(known.covers(start, end) for start, end in spans)
            assert all(one[1] < other[0] for one, other in pairwise(spans))
            assert len(spans) == 1 or not CheapestArguments.model_validate(args).in_one_go
            chosen.append(len(spans))

        whatever()
    assert len(chosen) > 25


async def begun(folder: Path) -> House:
    return House(folder, prices(), NOON + timedelta(seconds=1))
