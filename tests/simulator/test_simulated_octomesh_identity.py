"""OctoMesh's identity service gives tokens by secret, by code and by browser, lets them end, and refuses by the right code."""

import asyncio
import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from bridge.simulator.octomesh.clients import CLIENT_CREDENTIALS, CODE, DEVICE_CODE, REFRESH, Registered
from bridge.simulator.octomesh.identity import DISCOVERY, Asked, Identity, Says, Unfit
from bridge.simulator.server import Hangup, Request, Response
from tests.support import utc

NOON = utc("2026-06-10T12:00")
ACR = {"acr_values": "tenant:demo"}
SERVICE = {"client_id": "demo-service", "client_secret": "demo-secret"}
BOX = {"client_id": "demo-box"}
BACK = "http://127.0.0.1:40123/callback"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
VISIT = {
    **BOX,
    "response_type": "code",
    "redirect_uri": BACK,
    "scope": "octo_api offline_access",
    "state": "s-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@dataclass
class Desk:
    """An identity service whose clock is `moment`."""

    moment: datetime = NOON
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.identity = Identity(lambda: self.moment, **self.given)

    def ask(self, method: str, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Response:
        text = urlencode(fields)
        body, query = (text.encode(), "") if method == "POST" else (b"", text)
        return asyncio.run(self.identity.handle(Request(method, path, headers or {}, body, query)))

    def token(self, grant: str, **fields: str) -> tuple[int, Any]:
        response = self.ask("POST", "/connect/token", {"grant_type": grant, **fields})
        return response.status, json.loads(response.body)

    def granted(self, grant: str, **fields: str) -> Any:
        status, body = self.token(grant, **fields)
        assert status == 200, body
        return body

    def refused(self, grant: str, **fields: str) -> str:
        status, body = self.token(grant, **fields)
        assert status == 400
        return str(body["error"])

    def device(self) -> Any:
        response = self.ask("POST", "/connect/deviceauthorization", {**BOX, "scope": "octo_api offline_access"})
        return json.loads(response.body)

    def signed_in(self) -> Any:
        return self.granted(DEVICE_CODE, **BOX, device_code=self.device()["device_code"])

    def visited(self, **given: str) -> dict[str, str]:
        response = self.ask("GET", "/connect/authorize", VISIT | given)
        address = dict(response.headers)["location"]
        assert (response.status, address.partition("?")[0]) == (302, BACK)
        return {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}

    def unfit(self, body: Any, tenant: str = "demo") -> Unfit | None:
        return self.identity.token_is_good(f"Bearer {body['access_token']}", tenant)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_secret_brings_a_token_for_an_hour_and_no_refresh_token(desk: Desk) -> None:
    body = desk.granted(CLIENT_CREDENTIALS, **SERVICE, scope="octo_api")
    assert {**body, "access_token": "t"} == {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "scope": "octo_api"}
    assert desk.identity.scopes_of(f"Bearer {body['access_token']}") == {"octo_api"}
    ends = []
    for minutes in (59, 60):
        desk.moment = NOON + timedelta(minutes=minutes)
        ends.append(desk.unfit(body))
    assert ends == [None, Unfit.EXPIRED]


def test_a_secret_may_come_in_a_header(desk: Desk) -> None:
    basic = b64encode(b"demo-service:demo-secret").decode()
    fields = {"grant_type": CLIENT_CREDENTIALS}
    assert desk.ask("POST", "/connect/token", fields, {"authorization": f"Basic {basic}"}).status == 200


@pytest.mark.parametrize(
    ("grant", "fields", "error"),
    [
        (CLIENT_CREDENTIALS, {**SERVICE, "client_secret": "wrong"}, "invalid_client"),
        (CLIENT_CREDENTIALS, {"client_id": "demo-service"}, "invalid_client"),
        (CLIENT_CREDENTIALS, {**SERVICE, "acr_values": "tenant:other"}, "invalid_client"),
        (CLIENT_CREDENTIALS, BOX, "unauthorized_client"),
        (CLIENT_CREDENTIALS, {**SERVICE, "scope": "octo_api admin"}, "invalid_scope"),
        (CLIENT_CREDENTIALS, {**SERVICE, "scope": "octo_api offline_access"}, "invalid_scope"),
        ("password", SERVICE, "unsupported_grant_type"),
        (REFRESH, {**BOX, "refresh_token": "made-up"}, "invalid_grant"),
        (CODE, {**BOX, "code": "made-up"}, "invalid_grant"),
        (DEVICE_CODE, {**BOX, "device_code": "made-up"}, "invalid_grant"),
    ],
)
def test_what_is_wrong_is_told_by_its_code(desk: Desk, grant: str, fields: dict[str, str], error: str) -> None:
    assert desk.refused(grant, **fields) == error
    assert [asked.error for asked in desk.identity.requests] == [error]


def test_a_strict_one_knows_nobody_without_a_tenant() -> None:
    desk = Desk(given={"strict": True})
    assert desk.refused(CLIENT_CREDENTIALS, **SERVICE) == "invalid_client"
    assert desk.granted(CLIENT_CREDENTIALS, **SERVICE, **ACR)["token_type"] == "Bearer"


def test_a_bad_client_may_be_told_by_401() -> None:
    desk = Desk(given={"bad_client_status": 401})
    assert desk.token(CLIENT_CREDENTIALS, client_id="nobody") == (401, {"error": "invalid_client"})


def test_a_persons_token_opens_one_tenant_and_a_clients_every_one(desk: Desk) -> None:
    person, client = desk.signed_in(), desk.granted(CLIENT_CREDENTIALS, **SERVICE)
    assert [desk.unfit(body, tenant) for body in (person, client) for tenant in ("Demo", "other")] == [
        None,
        Unfit.OTHER_TENANT,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("header", "unfit"), [(None, Unfit.MISSING), ("Basic abc", Unfit.MISSING), ("Bearer made-up", Unfit.UNKNOWN)]
)
def test_what_is_no_token_opens_nothing(desk: Desk, header: str | None, unfit: Unfit) -> None:
    assert (desk.identity.token_is_good(header, "demo"), desk.identity.scopes_of(header)) == (unfit, frozenset())


def test_all_tokens_end_when_told_and_refresh_tokens_only_when_signed_out(desk: Desk) -> None:
    body = desk.signed_in()
    desk.identity.expire_all()
    assert desk.unfit(body) is Unfit.UNKNOWN
    again = desk.granted(REFRESH, **BOX, refresh_token=body["refresh_token"])
    desk.identity.sign_out()
    assert (desk.unfit(again), desk.refused(REFRESH, **BOX, refresh_token=again["refresh_token"])) == (
        Unfit.UNKNOWN,
        "invalid_grant",
    )


# refresh tokens


def test_a_refresh_token_is_good_for_one_use(desk: Desk) -> None:
    first = desk.signed_in()["refresh_token"]
    second = desk.granted(REFRESH, **BOX, refresh_token=first)["refresh_token"]
    assert second != first
    assert desk.refused(REFRESH, **BOX, refresh_token=first) == "invalid_grant"
    assert "refresh_token" in desk.granted(REFRESH, **BOX, refresh_token=second)


def test_a_refresh_token_of_another_client_is_not_taken(desk: Desk) -> None:
    assert desk.refused(REFRESH, **SERVICE, refresh_token=desk.signed_in()["refresh_token"]) == "invalid_grant"


def test_a_refresh_token_ends_after_15_days_without_use_and_after_30_in_any_case(desk: Desk) -> None:
    idle, used = desk.signed_in()["refresh_token"], desk.signed_in()["refresh_token"]
    for days in (14, 28):
        desk.moment = NOON + timedelta(days=days)
        used = desk.granted(REFRESH, **BOX, refresh_token=used)["refresh_token"]
    assert desk.refused(REFRESH, **BOX, refresh_token=idle) == "invalid_grant"
    desk.moment = NOON + timedelta(days=30)
    assert desk.refused(REFRESH, **BOX, refresh_token=used) == "invalid_grant"


# the device code


def test_a_device_is_told_to_wait_until_a_person_has_typed_the_code_in() -> None:
    desk = Desk(given={"person": Says.NOTHING})
    device = desk.device()
    code, shown = device.pop("device_code"), device["user_code"]
    assert device == {
        "user_code": shown,
        "verification_uri": "http://127.0.0.1/device",
        "verification_uri_complete": f"http://127.0.0.1/device?userCode={shown}",
        "expires_in": 300,
        "interval": 5,
    }
    assert desk.identity.user_codes == [shown]
    assert desk.refused(DEVICE_CODE, **BOX, device_code=code) == "authorization_pending"
    assert desk.ask("GET", "/device", {"userCode": shown}).status == 200
    desk.moment += timedelta(seconds=5)
    assert "refresh_token" in desk.granted(DEVICE_CODE, **BOX, device_code=code)
    desk.moment += timedelta(seconds=5)
    assert (desk.refused(DEVICE_CODE, **BOX, device_code=code), desk.identity.user_codes) == ("invalid_grant", [])


def test_a_device_that_asks_too_often_is_slowed_down_by_5_seconds_each_time() -> None:
    desk = Desk(given={"person": Says.NOTHING})
    code, heard = desk.device()["device_code"], []
    for seconds in (0, 4, 9, 14, 15):
        desk.moment += timedelta(seconds=seconds)
        heard.append(desk.refused(DEVICE_CODE, **BOX, device_code=code))
    assert heard == ["authorization_pending", "slow_down", "slow_down", "slow_down", "slow_down"]
    desk.moment += timedelta(seconds=25)
    assert desk.refused(DEVICE_CODE, **BOX, device_code=code) == "authorization_pending"


@pytest.mark.parametrize(
    ("person", "minutes", "error"),
    [(Says.NO, 1, "access_denied"), (Says.NOTHING, 5, "expired_token"), (Says.YES, 5, "expired_token")],
)
def test_a_device_hears_why_it_gets_nothing(person: Says, minutes: int, error: str) -> None:
    desk = Desk(given={"person": person})
    code = desk.device()["device_code"]
    desk.moment += timedelta(minutes=minutes)
    assert desk.refused(DEVICE_CODE, **BOX, device_code=code) == error


def test_a_client_that_may_not_use_codes_gets_none() -> None:
    desk = Desk(given={"clients": (Registered("plain", grants=frozenset({CODE})),)})
    response = desk.ask("POST", "/connect/deviceauthorization", {"client_id": "plain"})
    assert (response.status, json.loads(response.body)) == (400, {"error": "unauthorized_client"})


# the browser


def test_a_browser_comes_back_with_a_code_that_its_verifier_alone_opens_once(desk: Desk) -> None:
    came = desk.visited()
    assert (came["state"], came["iss"]) == ("s-1", "http://127.0.0.1")
    opened = {**BOX, "code": came["code"], "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert desk.granted(CODE, **opened)["scope"] == "octo_api offline_access"
    assert desk.refused(CODE, **opened) == "invalid_grant"


@pytest.mark.parametrize(
    "wrong", [{"code_verifier": "w" * 43}, {"redirect_uri": BACK + "2"}, {"client_id": "demo-service", **SERVICE}]
)
def test_a_code_is_good_for_whom_it_was_made_only(desk: Desk, wrong: dict[str, str]) -> None:
    opened = {**BOX, "code": desk.visited()["code"], "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert desk.refused(CODE, **{**opened, **wrong}) == "invalid_grant"


def test_a_code_ends_after_five_minutes(desk: Desk) -> None:
    opened = {**BOX, "code": desk.visited()["code"], "redirect_uri": BACK, "code_verifier": VERIFIER}
    desk.moment += timedelta(minutes=5)
    assert desk.refused(CODE, **opened) == "invalid_grant"


def test_a_browser_comes_back_with_the_error_where_the_person_says_no(desk: Desk) -> None:
    desk.identity.person = Says.NO
    assert desk.visited() == {"state": "s-1", "iss": "http://127.0.0.1", "error": "access_denied"}


def test_a_challenge_that_is_not_hashed_is_no_request(desk: Desk) -> None:
    assert desk.visited(code_challenge_method="plain")["error"] == "invalid_request"


@pytest.mark.parametrize("wrong", [{"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}])
def test_nobody_is_sent_to_an_address_that_is_not_registered(desk: Desk, wrong: dict[str, str]) -> None:
    response = desk.ask("GET", "/connect/authorize", VISIT | wrong)
    assert (response.status, json.loads(response.body)["error"]) == (400, "invalid_request")


def test_a_redirect_that_is_registered_is_the_only_one() -> None:
    desk = Desk(given={"clients": (Registered("demo-box", redirects=(BACK,)),)})
    assert "code" in desk.visited()
    other = VISIT | {"redirect_uri": "http://127.0.0.1:1/callback"}
    assert desk.ask("GET", "/connect/authorize", other).status == 400


# the rest


def test_the_addresses_can_be_looked_up(desk: Desk) -> None:
    found = json.loads(desk.ask("GET", DISCOVERY, {}).body)
    assert found["token_endpoint"] == "http://127.0.0.1/connect/token"
    assert found["device_authorization_endpoint"] == "http://127.0.0.1/connect/deviceauthorization"
    assert desk.ask("GET", "/connect/token", {}).status == 404


def test_requests_are_remembered_with_their_fields(desk: Desk) -> None:
    desk.token(CLIENT_CREDENTIALS, **SERVICE, **ACR)
    fields = {"grant_type": CLIENT_CREDENTIALS, **SERVICE, **ACR}
    assert desk.identity.requests == [Asked(NOON, "/connect/token", fields, None)]
    assert desk.identity.requests[0].grant == CLIENT_CREDENTIALS


def test_a_fault_meets_one_request(desk: Desk) -> None:
    desk.identity.faults.extend([Response(429, b"{}", headers=(("retry-after", "60"),)), Hangup()])
    assert desk.token(CLIENT_CREDENTIALS, **SERVICE) == (429, {})
    with pytest.raises(Hangup):
        desk.token(CLIENT_CREDENTIALS, **SERVICE)
    assert desk.token(CLIENT_CREDENTIALS, **SERVICE)[0] == 200
    assert [asked.error for asked in desk.identity.requests] == ["fault", "fault", None]
