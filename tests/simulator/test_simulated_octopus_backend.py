"""The provider's gateway knows saving sessions and greener nights, takes bare tokens only, and nothing of Kraken's."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH, Written
from tests.simulator.conftest import Household

ACCOUNT = "A-DEMO0001"
SESSIONS = """
query Sessions($account: String!, $dev: Boolean) {
  savingSessions {
    events(includeDev: $dev) { id code startAt endAt rewardPerKwhInOctoPoints devEvent targetRegion { regionId } }
    account(accountNumber: $account) {
      hasJoinedCampaign
      signedUpMeterPoint { regionId }
      joinedEvents { eventId startAt endAt rewardGivenInOctoPoints }
    }
  }
}
"""
JOIN = "mutation Join($input: JoinSavingSessionsEventInput!) { joinSavingSessionsEvent(input: $input) { joinedEventCodes } }"


def sessions(household: Household, **variables: Any) -> Any:
    return household.backend(SESSIONS, account=ACCOUNT, **variables)["savingSessions"]


def join(household: Household, code: str, account: str = ACCOUNT) -> Any:
    return household.answer(JOIN, path=BACKEND_PATH, input={"accountNumber": account, "eventCode": code})


@pytest.mark.parametrize("form", ["JWT {token}", "Bearer {token}", "nonsense", ""])
def test_only_a_bare_token_opens(household: Household, form: str) -> None:
    question = {"query": "{ greenerNightsForecast { date } }"}
    assert "errors" not in json.loads(household.post(question, household.token(), BACKEND_PATH).body)
    answer = json.loads(household.post(question, form.format(token=household.token()), BACKEND_PATH).body)
    [error] = answer["errors"]
    assert answer["data"] == {"greenerNightsForecast": None}
    assert (error["path"], error["extensions"]["errorCode"]) == (["greenerNightsForecast"], "OE-0103")


def test_an_old_token_is_refused_under_a_code_of_its_own(household: Household) -> None:
    token = household.token()
    household.moment += timedelta(hours=1)
    answer = json.loads(household.post({"query": "{ savingSessions { __typename } }"}, token, BACKEND_PATH).body)
    assert [error["extensions"]["errorCode"] for error in answer["errors"]] == ["OE-0103"]


def test_each_endpoint_knows_its_own_fields(household: Household) -> None:
    for path, query in ((BACKEND_PATH, "{ viewer { id } }"), (GRAPHQL_PATH, "{ savingSessions { __typename } }")):
        response = household.post({"query": query}, household.token(), path)
        [error] = json.loads(response.body)["errors"]
        assert (response.status, error["message"][:18]) == (400, "Cannot query field")


def test_a_session_is_told_before_it_comes_with_londons_offset(household: Household) -> None:
    events = sessions(household)["events"]
    assert [event["code"] for event in events] == [f"EVENT_2026{day}" for day in ("0513", "0520", "0527", "0603", "0610")]
    newest = events[-1]
    assert (newest["startAt"], newest["endAt"]) == ("2026-06-10T17:30:00+01:00", "2026-06-10T18:30:00+01:00")
    assert newest["rewardPerKwhInOctoPoints"] % 8 == 0
    household.moment = datetime(2026, 6, 10, 17, 30, tzinfo=UTC)  # as it ends
    assert sessions(household)["events"][-1]["code"] == "EVENT_20260617"


def test_every_fifth_session_is_for_another_region(household: Household) -> None:
    told = sessions(household)
    regions = [event["targetRegion"] for event in told["events"]]
    assert regions == [None, None, [{"regionId": "14"}], None, None]
    assert told["account"]["signedUpMeterPoint"] == {"regionId": "3"}


def test_developers_see_a_session_more(household: Household) -> None:
    plain, more = (sessions(household, dev=dev)["events"] for dev in (False, True))
    assert (more[:-1], more[-1]["devEvent"], {event["devEvent"] for event in plain}) == (plain, True, {False})


def test_some_of_the_past_sessions_were_joined_and_rewarded(household: Household) -> None:
    told = sessions(household)
    [joined] = told["account"]["joinedEvents"]
    event = told["events"][0]
    assert joined == {
        "eventId": event["id"],
        "startAt": event["startAt"],
        "endAt": event["endAt"],
        "rewardGivenInOctoPoints": event["rewardPerKwhInOctoPoints"] // 4,
    }


def test_the_coming_session_can_be_joined(household: Household) -> None:
    assert join(household, "EVENT_20260610")["data"] == {"joinSavingSessionsEvent": {"joinedEventCodes": ["EVENT_20260610"]}}
    told = sessions(household)
    assert told["account"]["joinedEvents"][-1] == {
        "eventId": told["events"][-1]["id"],
        "startAt": "2026-06-10T17:30:00+01:00",
        "endAt": "2026-06-10T18:30:00+01:00",
        "rewardGivenInOctoPoints": None,
    }
    given = {"accountNumber": ACCOUNT, "eventCode": "EVENT_20260610"}
    assert household.octopus.written == [Written(household.moment, "joinSavingSessionsEvent", given)]
    household.moment += timedelta(days=1)
    assert isinstance(sessions(household)["account"]["joinedEvents"][-1]["rewardGivenInOctoPoints"], int)


@pytest.mark.parametrize(
    ("moment", "event", "code"),
    [
        ("2026-06-10T10:00Z", "EVENT_NONE", "KT-GB-5114"),
        ("2026-06-10T10:00Z", "EVENT_20260603", "KT-GB-5115"),
        ("2026-06-10T16:30Z", "EVENT_20260610", "KT-GB-5115"),
        ("2026-05-26T10:00Z", "EVENT_20260527", "KT-GB-5117"),
    ],
)
def test_another_session_cannot_be_joined(household: Household, moment: str, event: str, code: str) -> None:
    household.moment = datetime.fromisoformat(moment)
    [error] = join(household, event)["errors"]
    assert (error["extensions"]["errorCode"], household.octopus.written) == (code, [])


def test_outside_the_campaign_nothing_is_joined(household: Household) -> None:
    household.octopus.accounts[0].in_campaign = False
    expected: dict[str, Any] = {"hasJoinedCampaign": False, "signedUpMeterPoint": None, "joinedEvents": []}
    assert sessions(household)["account"] == expected
    assert join(household, "EVENT_20260610")["errors"][0]["extensions"]["errorCode"] == "KT-GB-5116"
    assert join(household, "EVENT_20260610", "A-OTHER")["errors"][0]["extensions"]["errorCode"] == "KT-CT-4177"


def test_seven_nights_are_forecast(household: Household) -> None:
    query = "{ greenerNightsForecast { date isGreenerNight greennessScore greennessIndex } }"
    nights = household.backend(query)["greenerNightsForecast"]
    assert [night["date"] for night in nights] == [f"2026-06-{day}" for day in range(10, 17)]
    assert nights[0] == {"date": "2026-06-10", "isGreenerNight": False, "greennessScore": 3, "greennessIndex": "LOW"}
    assert all(night["isGreenerNight"] is (night["greennessScore"] >= 60) for night in nights)
    household.moment += timedelta(days=1)
    assert household.backend(query)["greenerNightsForecast"][:6] == nights[1:]


def test_the_wheel_may_be_spun(household: Household) -> None:
    query = f'{{ wheelOfFortuneSpinsAllowed(fuelType: GAS, accountNumber: "{ACCOUNT}") {{ spinsAllowed }} }}'
    assert household.backend(query)["wheelOfFortuneSpinsAllowed"]["spinsAllowed"] in range(3)
