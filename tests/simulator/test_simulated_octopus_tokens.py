"""Kraken gives out tokens for five credentials, lets them grow old, and says so with the right code."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.simulator.octopus import Octopus, SignIn
from tests.simulator.conftest import SIGN_IN, Household

VIEWER = {"query": "{ viewer { id } }"}


def granted(household: Household, **given: str) -> Any:
    answer = household.sign_in(**given)
    assert "errors" not in answer
    return answer["data"]["obtainKrakenToken"]


def refused(household: Household, **given: str | None) -> Any:
    answer = household.sign_in(**given)
    assert answer["data"] == {"obtainKrakenToken": None}
    [error] = answer["errors"]
    return error


def viewer(household: Household, token: str | None) -> Any:
    """Return the viewer's id, or the code of the error in its place."""
    answer = json.loads(household.post(VIEWER, token).body)
    if answer["data"]["viewer"]:
        return answer["data"]["viewer"]["id"]
    [error] = answer["errors"]
    assert error["path"] == ["viewer"]
    return error["extensions"]["errorCode"]


@pytest.mark.parametrize(
    ("given", "method", "grant_type"),
    [
        ({"APIKey": "sk_live_demo"}, "api_key", "API-KEY"),
        ({"email": "demo@example.com", "password": "demo-password"}, "email", "EMAIL-AND-PASSWORD"),
        ({"preSignedKey": "psk-demo"}, "pre_signed_key", "PRE-SIGNED-KEY"),
        ({"organizationSecretKey": "org-demo"}, "organization_secret_key", "ORGANIZATION-SECRET-KEY"),
    ],
)
def test_every_credential_opens(household: Household, given: dict[str, str], method: str, grant_type: str) -> None:
    answer = granted(household, **given)
    assert answer["payload"]["gty"] == grant_type
    assert viewer(household, answer["token"]) == "1000001"
    assert household.octopus.sign_ins == [SignIn(household.moment, method, ok=True)]


def test_a_token_is_a_jwt_that_says_what_the_payload_says(household: Household) -> None:
    answer = granted(household)
    head, claims, seal = answer["token"].split(".")
    assert json.loads(urlsafe_b64decode(claims + "==")) == answer["payload"]
    assert json.loads(urlsafe_b64decode(head + "=="))["typ"] == "JWT"
    assert len(urlsafe_b64decode(seal + "==")) == 32
    issued = int(household.moment.timestamp())
    assert answer["payload"] == {
        "sub": "kraken|account-user:1000001",
        "gty": "API-KEY",
        "email": "demo@example.com",
        "tokenUse": "access",
        "iss": "http://127.0.0.1/v1/graphql/",
        "iat": issued,
        "exp": issued + 3600,
        "origIat": issued,
    }


def test_the_end_of_a_refresh_token_is_a_unix_time(household: Household) -> None:
    ends = datetime.fromtimestamp(granted(household)["refreshExpiresIn"], UTC)
    assert ends == household.moment + timedelta(days=7)


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"APIKey": "sk_live_other"}, "KT-CT-1139", ["input", "apiKey"]),
        ({"preSignedKey": "other"}, "KT-CT-1139", ["input", "preSignedKey"]),
        ({"organizationSecretKey": "other"}, "KT-CT-1139", ["input", "organizationSecretKey"]),
        ({"refreshToken": "other"}, "KT-CT-1139", ["input", "refreshToken"]),
        ({"email": "demo@example.com", "password": "other"}, "KT-CT-1138", ["input"]),
        ({"email": "other@example.com", "password": "demo-password"}, "KT-CT-1138", ["input"]),
        ({"email": "demo@example.com"}, "KT-CT-1135", ["input"]),
        ({"password": "demo-password"}, "KT-CT-1135", ["input"]),
        ({"APIKey": None}, "KT-CT-1135", ["input"]),
        ({"APIKey": "sk_live_demo", "password": "demo-password"}, "KT-CT-1135", ["input"]),
        ({"APIKey": "sk_live_demo", "preSignedKey": "psk-demo"}, "KT-CT-1135", ["input"]),
    ],
)
def test_what_is_not_exactly_one_good_credential_is_refused(
    household: Household, given: dict[str, str | None], code: str, path: list[str]
) -> None:
    error = refused(household, **given)
    assert (error["message"], error["path"]) == ("Invalid data.", ["obtainKrakenToken"])
    extensions = error["extensions"]
    assert (extensions["errorCode"], extensions["errorType"], extensions["errorClass"]) == (code, "VALIDATION", "VALIDATION")
    assert [each["inputPath"] for each in extensions["validationErrors"]] == [path]
    assert [sign_in.ok for sign_in in household.octopus.sign_ins] == [False]


def test_a_captcha_does_not_count_as_a_credential(household: Household) -> None:
    assert granted(household, APIKey="sk_live_demo", captchaResponse="x")["token"]


def test_a_refresh_token_renews_the_access_token_and_stays_as_it_is(household: Household) -> None:
    first = granted(household)
    household.moment += timedelta(days=6, hours=23)
    second = granted(household, refreshToken=first["refreshToken"])
    assert second["token"] != first["token"]
    assert [viewer(household, each["token"]) for each in (first, second)] == ["KT-CT-1124", "1000001"]
    assert [second[name] == first[name] for name in ("refreshToken", "refreshExpiresIn")] == [True, True]
    assert household.octopus.sign_ins[-1] == SignIn(household.moment, "refresh_token", ok=True)


def test_a_refresh_token_ends_on_the_second(household: Household) -> None:
    token = granted(household)["refreshToken"]
    household.moment += timedelta(days=7)
    assert refused(household, refreshToken=token)["extensions"]["errorCode"] == "KT-CT-1139"
    household.moment -= timedelta(seconds=1)
    assert granted(household, refreshToken=token)


def test_an_access_token_ends_on_the_second(household: Household) -> None:
    token = household.token()
    household.moment += timedelta(minutes=60)
    answer = json.loads(household.post(VIEWER, token).body)
    extensions = {"errorType": "APPLICATION", "errorCode": "KT-CT-1124", "errorDescription": ""}
    [error] = answer["errors"]
    assert (answer["data"], error["message"]) == ({"viewer": None}, "Signature of the JWT has expired.")
    assert (error["path"], error["extensions"]) == (["viewer"], extensions)
    household.moment -= timedelta(seconds=1)
    assert viewer(household, token) == "1000001"


def test_both_lives_can_be_chosen() -> None:
    household = Household(datetime(2026, 6, 10, tzinfo=UTC))
    household.octopus = Octopus(
        lambda: household.moment, token_life=timedelta(minutes=5), refresh_life=timedelta(hours=1)
    )  # fmt: skip
    answer = granted(household)
    assert answer["payload"]["exp"] - answer["payload"]["iat"] == 300
    assert answer["refreshExpiresIn"] - answer["payload"]["iat"] == 3600


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("{token}", "1000001"),
        ("JWT {token}", "1000001"),
        ("Bearer {token}", "KT-CT-1111"),
        ("{token}x", "KT-CT-1111"),
        ("nonsense", "KT-CT-1111"),
        ("", "KT-CT-1112"),
    ],
)
def test_a_token_comes_raw_or_as_jwt(household: Household, form: str, expected: str) -> None:
    assert viewer(household, form.format(token=household.token())) == expected


def test_without_a_token_the_header_is_missed_and_nothing_described(household: Household) -> None:
    [error] = json.loads(household.post(VIEWER).body)["errors"]
    assert error["message"] == "'Authorization' header not provided."
    assert error["extensions"] == {"errorType": "AUTHORIZATION", "errorCode": "KT-CT-1112"}


def test_every_field_is_refused_by_itself(household: Household) -> None:
    question = {"query": "{ one: viewer { id } rateLimitInfo { __typename } __typename }"}
    answer = json.loads(household.post(question).body)
    assert answer["data"] == {"one": None, "rateLimitInfo": None, "__typename": "Query"}
    assert [error["path"] for error in answer["errors"]] == [["one"], ["rateLimitInfo"]]


def test_a_stale_header_spoils_a_sign_in(household: Household) -> None:
    question = {"query": SIGN_IN, "variables": {"input": {"APIKey": "sk_live_demo"}}}
    token = household.token()
    assert "errors" not in json.loads(household.post(question, token).body)
    household.moment += timedelta(hours=1)
    answer = json.loads(household.post(question, token).body)
    assert answer["data"] == {"obtainKrakenToken": None}
    assert [error["extensions"]["errorCode"] for error in answer["errors"]] == ["KT-CT-1124"]
    assert household.octopus.sign_ins[-1] == SignIn(household.moment, "api_key", ok=False)


def test_tokens_outlive_a_restart_of_the_provider(household: Household) -> None:
    first = granted(household)
    household.octopus = Octopus(lambda: household.moment)
    assert viewer(household, first["token"]) == "1000001"
    assert granted(household, refreshToken=first["refreshToken"])


def test_another_customers_token_is_none(household: Household) -> None:
    token = household.token()
    household.octopus = Octopus(lambda: household.moment, email="other@example.com")
    assert viewer(household, token) == "KT-CT-1111"


def test_a_new_api_key_shuts_the_old_one_out(household: Household) -> None:
    data = household.ask("mutation { regenerateSecretKey { viewer { liveSecretKey } } }")
    assert data == {"regenerateSecretKey": {"viewer": {"liveSecretKey": "sk_live_regenerated"}}}
    assert refused(household, APIKey="sk_live_demo")
    assert granted(household, APIKey="sk_live_regenerated")
    assert [each.mutation for each in household.octopus.written] == ["regenerateSecretKey"]
