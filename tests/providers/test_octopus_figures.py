"""Balance, points, sessions and nights: pence become pounds, the newest entry counts, and a night is London's."""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import Malformed
from bridge.models.figure import Figure
from bridge.models.schedule import Schedule, Span
from bridge.providers.octopus.figures import balance, free_electricity, greener_nights, points, saving_sessions
from bridge.providers.octopus.tenants import TENANTS
from tests.providers.wire import NOON, from_json
from tests.support import utc


def event(id_: object = 1, start: str = "18:00", end: str = "19:00", **more: Any) -> dict[str, Any]:
    """Return a session on 10 June; times are London's."""
    times = {"startAt": f"2026-06-10T{start}:00+01:00", "endAt": f"2026-06-10T{end}:00+01:00"}
    return {
        "id": id_,
        "code": f"EVENT_{id_}",
        "rewardPerKwhInOctoPoints": 1800,
        "devEvent": False,
        "targetRegion": None,
        **times,
        **more,
    }


def sessions(*events: Any, joined: Any = (), region: Any = "R1", **more: Any) -> Schedule:
    account = {"hasJoinedCampaign": True, "signedUpMeterPoint": {"regionId": region}, "joinedEvents": list(joined)}
    return saving_sessions(from_json({"savingSessions": {"events": list(events), "account": account, **more}}))


def codes(schedule: Schedule) -> list[object]:
    return [span.facts.get("code") for span in schedule.spans]


# money and points


@pytest.mark.parametrize(("pence", "pounds"), [(39303, "393.03"), (0, "0"), (-4497, "-44.97"), (1, "0.01")])
def test_a_balance_is_told_in_pounds_and_a_credit_is_positive(pence: int, pounds: str) -> None:
    moment = datetime.fromisoformat("2026-06-10T12:00:00.123456+00:00")
    told = Figure(name="balance", value=Decimal(pounds), currency="GBP", at=NOON)
    assert balance({"account": {"balance": pence}}, "GBP", moment) == told


@pytest.mark.parametrize(
    "data", [{}, {"account": None}, {"account": {}}, *({"account": {"balance": odd}} for odd in (None, "1", True, 1.5))]
)
def test_an_answer_without_a_balance_is_malformed(data: Any) -> None:
    with pytest.raises(Malformed, match="the answer holds no balance"):
        balance(data, "GBP", NOON)


def test_of_the_points_the_newest_entry_counts_which_comes_first() -> None:
    data = {"loyaltyPointLedgers": [{"balanceCarriedForward": "1524"}, {"balanceCarriedForward": "1000"}]}
    assert points(data, NOON) == Figure(name="points", value=Decimal(1524), unit="points", at=NOON)


@pytest.mark.parametrize("data", [{}, {"loyaltyPointLedgers": []}, {"loyaltyPointLedgers": None}])
def test_an_account_that_collects_no_points_has_no_figure(data: Any) -> None:
    assert points(data, NOON) is None


# saving sessions


def test_sessions_come_in_order_of_time_and_tell_whether_they_were_joined() -> None:
    done = {
        "eventId": 1,
        "startAt": "2026-06-10T18:00:00+01:00",
        "endAt": "2026-06-10T19:00:00+01:00",
        "rewardGivenInOctoPoints": 321,
    }
    assert sessions(event(2, "20:00", "21:00"), event(1), joined=[done]) == Schedule(
        kind="saving-sessions",
        spans=(
            Span(
                start=utc("2026-06-10T17:00"),
                end=utc("2026-06-10T18:00"),
                facts={"code": "EVENT_1", "points_per_kwh": 1800, "joined": True, "points": 321},
            ),
            Span(
                start=utc("2026-06-10T19:00"),
                end=utc("2026-06-10T20:00"),
                facts={"code": "EVENT_2", "points_per_kwh": 1800, "joined": False},
            ),
        ),
    )


def test_a_session_that_was_joined_and_is_no_longer_announced_is_still_told() -> None:
    done = {
        "eventId": "5",
        "startAt": "2026-06-09T18:00:00+01:00",
        "endAt": "2026-06-09T19:00:00+01:00",
        "rewardGivenInOctoPoints": None,
    }
    [span] = sessions(joined=[done, None, {"eventId": None}, {"eventId": 6}]).spans
    assert span == Span(start=utc("2026-06-09T17:00"), end=utc("2026-06-09T18:00"), facts={"joined": True})


@pytest.mark.parametrize(
    ("target", "region", "told"),
    [
        (None, "R1", True),
        ([], "R1", True),
        ([{"regionId": "R1"}, {"regionId": "R2"}], "R1", True),
        ([{"regionId": 1}], "1", True),
        ([{"regionId": "R2"}], "R1", False),
        ([{"regionId": "R2"}], None, True),  # nobody knows where we are
    ],
)
def test_a_session_for_other_regions_is_not_ours(target: Any, region: Any, *, told: bool) -> None:
    assert codes(sessions(event(targetRegion=target), region=region)) == ["EVENT_1"] * told


def test_sessions_of_the_developers_are_passed_over() -> None:
    assert codes(sessions(event(1, devEvent=True), event(2))) == ["EVENT_2"]


def test_sessions_are_told_also_where_the_account_may_not_be_seen() -> None:
    assert codes(saving_sessions({"savingSessions": {"events": [event()], "account": None}})) == ["EVENT_1"]


def test_odd_sessions_are_left_out_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    odd = [
        event(1, startAt="soon"),
        event(2, endAt=None),
        event(3, rewardPerKwhInOctoPoints="many"),
        event(4, "19:00", "18:00"),
        5,
    ]
    with caplog.at_level(logging.WARNING):
        assert codes(sessions(*odd, event(6))) == ["EVENT_6"]
    assert [record.getMessage() for record in caplog.records] == [
        "5 saving session(s) of Octopus' are left out, the first for ValueError"
    ]


@pytest.mark.parametrize("data", [{}, {"savingSessions": None}, {"savingSessions": []}])
def test_an_answer_without_sessions_is_malformed(data: Any) -> None:
    with pytest.raises(Malformed, match="the answer holds no saving sessions"):
        saving_sessions(data)


# free electricity and greener nights


def test_free_electricity_is_told_with_its_code() -> None:
    node = {key: value for key, value in event().items() if key in ("code", "startAt", "endAt")}
    bare = {**node, "code": None, "startAt": "2026-06-10T09:00:00+01:00"}
    [first, second] = free_electricity([node, bare]).spans
    assert first == Span(start=utc("2026-06-10T08:00"), end=utc("2026-06-10T18:00"), facts={})
    assert second == Span(start=utc("2026-06-10T17:00"), end=utc("2026-06-10T18:00"), facts={"code": "EVENT_1"})


@pytest.mark.parametrize(
    ("date", "begin", "end"),
    [
        ("2026-06-10", "2026-06-10T22:00", "2026-06-11T05:00"),
        ("2026-01-10", "2026-01-10T23:00", "2026-01-11T06:00"),
        ("2026-03-28", "2026-03-28T23:00", "2026-03-29T05:00"),  # six hours long
        ("2026-10-24", "2026-10-24T22:00", "2026-10-25T06:00"),  # eight
    ],
)
def test_a_greener_night_is_from_eleven_to_six_in_london(date: str, begin: str, end: str) -> None:
    night = {"date": date, "isGreenerNight": True, "greennessScore": 72, "greennessIndex": "HIGH"}
    found = greener_nights({"greenerNightsForecast": [night, {**night, "isGreenerNight": False}]}, TENANTS["uk"])
    span = Span(start=utc(begin), end=utc(end), facts={"score": 72, "index": "HIGH"})
    assert found == Schedule(kind="greener-nights", spans=(span,))


def test_an_odd_night_is_left_out() -> None:
    nights = [{"date": "soon", "isGreenerNight": True}, {"isGreenerNight": True}, {"date": "2026-06-10", "isGreenerNight": True}]
    assert [span.facts for span in greener_nights({"greenerNightsForecast": nights}, TENANTS["uk"]).spans] == [{}]
    for odd in ({}, {"greenerNightsForecast": None}):
        with pytest.raises(Malformed, match="the answer holds no forecast of greener nights"):
            greener_nights(odd, TENANTS["uk"])
