"""Each fault on demand, on the requests that can meet it, and the next request without it."""

import asyncio
import json
from typing import Any

import pytest

from bridge.simulator.octopus import BACKEND_PATH, GRAPHQL_PATH, OctopusFault, OctopusFaults, SignIn
from bridge.simulator.octopus.faults import Met
from bridge.simulator.server import Hangup, Request, Response
from tests.simulator.conftest import Household

F = OctopusFault
QUERY = 'query Points { viewer { id } octoplusAccountInfo(accountNumber: "A-DEMO0001") { enrollmentStatus } }'
POINTS = {"enrollmentStatus": "ENROLLED"}
RATES = "/v1/products/AGILE-24-10-01/electricity-tariffs/E-1R-AGILE-24-10-01-C/standard-unit-rates/?period_from=2026-06-10T00:00Z"
DISPATCHES = """
query Dispatches {
  flexPlannedDispatches(deviceId: "00000000-0001-4000-8000-0000000c0a01") { start }
  completedDispatches(accountNumber: "A-DEMO0001") { start }
}
"""


@pytest.fixture
def token(household: Household) -> str:
    return household.token()


def ask(household: Household, token: str, query: str = QUERY, path: str = GRAPHQL_PATH) -> Any:
    return json.loads(household.post({"query": query}, token, path).body)


def codes(answer: Any) -> dict[str, str]:
    return {error["path"][0]: error["extensions"]["errorCode"] for error in answer["errors"]}


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "told"),
    [
        (F.BAD_GATEWAY, 502, "text/html", "<html>"),
        (F.HTML_200, 200, "text/html", "<html>"),
        (F.HTTP_401, 401, "application/json", "not accepted"),
        (F.ECHO_TOKEN, 200, "application/json", "{token}"),
        (F.REMOVED_FIELD, 400, "application/json", "Cannot query field 'id' on type 'AccountUserType'."),
        (F.REMOVED_FIELD_BARE, 400, "application/json", "Cannot query field 'id' on type 'AccountUserType'."),
    ],
)
def test_a_fault_replaces_the_answer(
    household: Household, token: str, fault: F, status: int, content_type: str, told: str
) -> None:
    household.octopus.faults.next(fault)
    response = household.post({"query": QUERY}, token)
    assert (response.status, response.content_type.partition(";")[0]) == (status, content_type)
    assert told.format(token=token) in response.body.decode()
    assert "errors" not in ask(household, token)


@pytest.mark.parametrize(
    ("fault", "expected", "data"),
    [
        (F.RATE_LIMITED, {"viewer": "KT-CT-1199", "octoplusAccountInfo": "KT-CT-1199"}, (None, None)),
        (F.RATE_LIMITED_FIELD, {"viewer": "KT-CT-1199"}, (None, POINTS)),
        (F.UNAUTHORIZED_FIELD, {"viewer": "KT-CT-1111"}, (None, POINTS)),
        (F.EXPIRED, {"viewer": "KT-CT-1124", "octoplusAccountInfo": "KT-CT-1124"}, (None, None)),
        (F.NULL_FIELD, {}, (None, POINTS)),
        (F.DISPATCHES_UNAVAILABLE, {}, ({"id": "1000001"}, POINTS)),
        (F.BAD_KEY, {}, ({"id": "1000001"}, POINTS)),
    ],
)
def test_a_fault_empties_fields(
    household: Household, token: str, fault: F, expected: dict[str, str], data: tuple[object, object]
) -> None:
    household.octopus.faults.set(fault)
    answer = ask(household, token)
    assert codes({"errors": (), **answer}) == expected
    assert answer["data"] == {"viewer": data[0], "octoplusAccountInfo": data[1]}


def test_a_fault_can_be_put_on_a_field(household: Household, token: str) -> None:
    household.octopus.faults.on("octoplusAccountInfo", F.UNAUTHORIZED_FIELD)
    answer = ask(household, token)
    assert (answer["data"]["viewer"], codes(answer)) == ({"id": "1000001"}, {"octoplusAccountInfo": "KT-CT-1111"})
    assert "errors" not in ask(household, token, "{ viewer { id } }")
    household.octopus.faults.on("octoplusAccountInfo", None)
    assert "errors" not in ask(household, token)


def test_a_fault_can_be_put_on_an_operation_for_a_few_times(household: Household, token: str) -> None:
    household.octopus.faults.on("Points", F.RATE_LIMITED, times=2)
    found = ["errors" in ask(household, token, query) for query in (QUERY, "{ viewer { id } }", QUERY, QUERY)]
    assert found == [True, False, True, False]


def test_a_fault_can_be_put_on_a_path(household: Household) -> None:
    household.octopus.faults.on("standard-unit-rates", F.BAD_GATEWAY)
    assert household.get(RATES).status == 502
    assert household.get(RATES.replace("standard-unit-rates", "standing-charges")).status == 200
    household.octopus.faults.on("standard-unit-rates", None)
    household.octopus.faults.on("/v1/products/AGILE-24-10-01/", F.HTML_200)
    assert [household.get(path).content_type for path in ("/v1/products/AGILE-24-10-01/", RATES)] == [
        "text/html; charset=utf-8",
        "application/json",
    ]


def test_dispatches_can_be_unavailable_beside_others(household: Household, token: str) -> None:
    household.octopus.faults.next(F.DISPATCHES_UNAVAILABLE)
    assert "errors" not in ask(household, token)
    answer = ask(household, token, DISPATCHES)
    assert (codes(answer), len(answer["data"]["completedDispatches"])) == ({"flexPlannedDispatches": "KT-CT-4340"}, 3)
    assert "errors" not in ask(household, token, DISPATCHES)


def test_a_bad_key_waits_for_a_sign_in(household: Household, token: str) -> None:
    household.octopus.faults.next(F.BAD_KEY)
    assert "errors" not in ask(household, token)
    [error] = household.sign_in()["errors"]
    assert (error["extensions"]["errorCode"], error["path"]) == ("KT-CT-1139", ["obtainKrakenToken"])
    assert household.octopus.sign_ins[-1] == SignIn(household.moment, "api_key", ok=False)
    assert "errors" not in household.sign_in()


@pytest.mark.parametrize(
    "fault", [F.EXPIRED, F.UNAUTHORIZED_FIELD, F.RATE_LIMITED_FIELD, F.NULL_FIELD, F.REMOVED_FIELD, F.REMOVED_FIELD_BARE]
)
def test_a_fault_of_questions_waits_for_one(household: Household, fault: F) -> None:
    household.octopus.faults.next(fault)
    assert household.get(RATES).status == 200
    token = household.token()
    assert ask(household, token)["data" if fault is F.NULL_FIELD else "errors"] != {}
    assert household.octopus.faults.take("graphql", None, ("viewer",)) == Met()


def test_a_sign_in_can_be_rate_limited(household: Household) -> None:
    household.octopus.faults.next(F.RATE_LIMITED)
    assert codes(household.sign_in()) == {"obtainKrakenToken": "KT-CT-1199"}
    assert household.octopus.sign_ins == [SignIn(household.moment, "api_key", ok=False)]
    household.octopus.faults.on("obtainKrakenToken", F.RATE_LIMITED_FIELD)
    assert codes(household.sign_in()) == {"obtainKrakenToken": "KT-CT-1199"}


def test_what_a_sign_in_sent_can_be_repeated_aloud(household: Household) -> None:
    household.octopus.faults.set(F.ECHO_TOKEN)
    assert household.sign_in()["errors"][0]["message"] == "Could not serve sk_live_demo."
    given = {"email": "demo@example.com", "password": "demo-password"}
    assert household.sign_in(**given)["errors"][0]["message"] == "Could not serve demo@example.com demo-password."
    response = household.get(RATES, "sk_live_demo")
    assert (response.status, json.loads(response.body)["detail"]) == (500, "Could not serve Basic c2tfbGl2ZV9kZW1vOg==.")


def test_a_removed_field_is_refused_with_extensions_or_without(household: Household, token: str) -> None:
    answers = []
    for fault in (F.REMOVED_FIELD, F.REMOVED_FIELD_BARE):
        household.octopus.faults.next(fault)
        answers.append(ask(household, token))
    [[with_them], [bare]] = [answer["errors"] for answer in answers]
    assert ["data" in answer for answer in answers] == [False, False]
    assert with_them["extensions"]["errorType"] == "VALIDATION"
    assert bare == {name: value for name, value in with_them.items() if name != "extensions"}


def test_a_certain_field_can_be_removed(household: Household, token: str) -> None:
    faults = household.octopus.faults
    faults.removed = "OctoplusAccountInfoType.enrollmentStatus"
    faults.set(F.REMOVED_FIELD)
    assert ask(household, token)["errors"][0]["message"] == (
        "Cannot query field 'enrollmentStatus' on type 'OctoplusAccountInfoType'."
    )
    assert ask(household, token, "{ viewer { id } }")["data"] == {"viewer": {"id": "1000001"}}
    faults.removed = "Query.octoplusAccountInfo"
    assert "errors" in ask(household, token)
    assert "errors" in ask(household, token, "{ viewer {")


@pytest.mark.parametrize(
    ("fault", "code"),
    [(F.RATE_LIMITED, "KT-CT-1199"), (F.RATE_LIMITED_FIELD, "KT-CT-1199"), (F.UNAUTHORIZED_FIELD, "KT-CT-1111"),
     (F.EXPIRED, "OE-0103")],
)  # fmt: skip
def test_the_gateway_has_faults_too(household: Household, token: str, fault: F, code: str) -> None:
    household.octopus.faults.on("greenerNightsForecast", fault, times=1)
    query = "{ savingSessions { events { id } } greenerNightsForecast { date } }"
    answer = ask(household, token, query, BACKEND_PATH)
    assert codes(answer)["greenerNightsForecast"] == code
    assert ("savingSessions" in codes(answer)) is (fault in {F.RATE_LIMITED, F.EXPIRED})
    assert "errors" not in ask(household, token, query, BACKEND_PATH)


def test_rest_is_rate_limited_by_status(household: Household) -> None:
    household.octopus.faults.next(F.RATE_LIMITED)
    assert household.rest(RATES) == (429, {"detail": "Request was throttled."})


@pytest.mark.parametrize("path", [None, RATES])
def test_a_body_can_be_cut(household: Household, token: str, path: str | None) -> None:
    def response() -> Response:
        return household.get(path) if path else household.post({"query": QUERY}, token)

    whole = response()
    household.octopus.faults.next(F.TRUNCATED)
    cut = response()
    assert (cut.body, cut.truncate_at, whole.truncate_at) == (whole.body, len(whole.body) // 2, None)


def test_a_connection_can_be_dropped_and_the_request_is_remembered(household: Household, token: str) -> None:
    household.octopus.faults.next(F.DROP, times=2)
    with pytest.raises(Hangup):
        ask(household, token)
    with pytest.raises(Hangup):
        household.get(RATES)
    assert [asked.kind for asked in household.octopus.requests] == ["graphql", "graphql", "rest"]


def test_a_slow_answer_is_the_right_one_at_the_time_when_it_comes(household: Household, token: str) -> None:
    household.octopus.faults.slow_s = 0.0
    household.octopus.faults.next(F.SLOW)
    assert ask(household, token) == ask(household, token)


def test_a_slow_answer_can_be_given_up(household: Household) -> None:
    async def impatient() -> Response:
        async with asyncio.timeout(0.01):
            return await household.octopus.handle(Request("GET", "/v1/products/AGILE-24-10-01/", {}))

    household.octopus.faults.next(F.SLOW)
    with pytest.raises(TimeoutError):
        asyncio.run(impatient())


def test_queued_faults_come_before_placed_ones_and_these_before_the_standing_one() -> None:
    faults = OctopusFaults()
    faults.set(F.HTML_200)
    faults.on("Points", F.SLOW, times=1)
    faults.next(F.DROP, times=2)
    taken = [faults.take("graphql", "Points", ("viewer",)).fault for _ in range(4)]
    assert taken == [F.DROP, F.DROP, F.SLOW, F.HTML_200]
    faults.set(None)
    assert faults.take("graphql", "Points", ("viewer",)) == Met()
