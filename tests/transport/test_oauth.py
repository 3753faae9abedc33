"""OAuth's bodies are those of the standards, and whatever a service answers becomes a token or one of our errors."""

import base64
import hashlib
import json
import os
import string
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BridgeError, Failed, Malformed, Refused, SourceError, Unauthenticated, Unreachable
from bridge.redact import Redactor
from bridge.transport import oauth
from bridge.transport.answer import Answer
from bridge.transport.http import Form
from bridge.transport.oauth import Application, DeviceCode, Granted, Visit, Waiting

SECRET = "s&=+ ü%"
ACR = {"acr_values": "tenant:my-tenant"}
BOX = Application("a box", more=ACR)
SERVICE = Application("service", SECRET, ACR)
CODE = DeviceCode("device-secret", "ABCD", "https://c.example/d", None, timedelta(minutes=5), timedelta(seconds=5))
BACK = "http://127.0.0.1:40123/callback"
HOST = "http://127.0.0.1:8080/connect/authorize"
JSON = "application/json"


def answer(body: Any, status: int = 200, content_type: str = JSON) -> Answer:
    return Answer(status, content_type, body if isinstance(body, str) else json.dumps(body), is_secret=True)


def granted(body: Any, status: int = 200, content_type: str = JSON) -> Granted:
    return oauth.granted(answer(body, status, content_type), Redactor())


# what is sent


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (
            oauth.by_secret(SERVICE, "octo_api role"),
            {"grant_type": "client_credentials", "client_id": "service", "client_secret": SECRET, "scope": "octo_api role"},
        ),
        (oauth.by_refresh_token(BOX, "r+/="), {"grant_type": "refresh_token", "client_id": "a box", "refresh_token": "r+/="}),
        (oauth.for_device_code(BOX, "octo_api"), {"client_id": "a box", "scope": "octo_api"}),
        (oauth.for_device_code(SERVICE, "s"), {"client_id": "service", "client_secret": SECRET, "scope": "s"}),
        (
            oauth.by_device_code(BOX, CODE),
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "client_id": "a box",
                "device_code": "device-secret",
            },
        ),
        (
            oauth.by_visit(BOX, Visit("", "st", "v" * 64, BACK), f"{BACK}?code=c%2B&state=st", Redactor()),
            {
                "grant_type": "authorization_code",
                "client_id": "a box",
                "code": "c+",
                "redirect_uri": BACK,
                "code_verifier": "v" * 64,
            },
        ),
    ],
)
def test_a_body_is_what_the_standard_says_and_what_goes_with_each_request(form: Form, fields: dict[str, str]) -> None:
    assert form.fields == fields | ACR


@pytest.mark.parametrize("endpoint", [HOST, "https://c.example/connect/authorize"])
def test_a_browser_is_sent_to_the_very_address_with_a_challenge_of_its_verifier(endpoint: str) -> None:
    visit = oauth.visit(BOX, "octo_api offline_access", endpoint, BACK)
    asked = {name: value for name, [value] in parse_qs(urlsplit(visit.address).query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(visit.verifier.encode()).digest()).decode().rstrip("=")
    assert visit.address.partition("?")[0] == endpoint
    assert asked == {
        "response_type": "code",
        "client_id": "a box",
        "redirect_uri": BACK,
        "scope": "octo_api offline_access",
        "state": visit.state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **ACR,
    }
    assert set(visit.verifier) <= {*string.ascii_letters, *string.digits, *"-._~"}
    assert (len(visit.verifier), len(visit.state) >= 30, visit.redirect) == (64, True, BACK)
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ


def test_what_comes_back_is_told_apart() -> None:
    visit, redact = Visit("", "st", "v" * 64, BACK), Redactor()
    for came, kind, text in (
        ("code=c&state=other", Malformed, "the browser came back with an answer to another question"),
        ("code=c", Malformed, "the browser came back with an answer to another question"),
        ("state=st", Malformed, "the browser came back with an answer to another question"),
        ("error=access_denied&state=st", Refused, "it was denied (access_denied)"),
        ("error=access_denied&error_description=not%20today&state=st", Refused, "it was denied, not today (access_denied)"),
        ("error=server_error&state=st", Failed, "(server_error)"),
        ("error=login_required&state=st", Refused, "(login_required)"),
    ):
        with pytest.raises(SourceError) as caught:
            oauth.by_visit(BOX, visit, f"{BACK}?{came}", redact)
        assert (type(caught.value), str(caught.value)) == (kind, text)


def test_nobody_sees_a_secret_in_what_is_handed_about() -> None:
    visit, redact = oauth.visit(SERVICE, "octo_api", HOST, BACK), Redactor()
    oauth.by_visit(SERVICE, visit, f"{BACK}?code=the-code&state={visit.state}", redact)
    shown = f"{SERVICE} {CODE} {visit} {Granted('the-token', None, 'the-refresh-token')}"
    assert not any(secret in shown for secret in (SECRET, "device-secret", visit.verifier, "the-token", "the-refresh-token"))
    assert redact("the-code") == "***"


# what comes back


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"access_token": "t", "token_type": "Bearer", "expires_in": 3600}, Granted("t", timedelta(hours=1))),
        ({"access_token": "t", "expires_in": "3600"}, Granted("t", timedelta(hours=1))),
        ({"access_token": "t", "expires_in": 3600.5, "refresh_token": "r"}, Granted("t", timedelta(hours=1), "r")),
        ({"access_token": "t", "scope": "less than was asked for"}, Granted("t")),
        ({"access_token": "t", "expires_in": -1, "refresh_token": ""}, Granted("t")),
        ({"access_token": "t", "expires_in": None, "refresh_token": 7, "id_token": "i"}, Granted("t")),
        ({"access_token": "t", "expires_in": 10**30}, Granted("t", timedelta(days=366))),
    ],
)
def test_a_token_is_read_with_what_is_told_of_it(body: Any, found: Granted) -> None:
    assert granted(body) == found


def test_a_token_is_hidden_from_then_on() -> None:
    redact = Redactor()
    oauth.granted(answer({"access_token": "the-token", "refresh_token": "the-refresh-token"}), redact)
    assert redact("the-token, the-refresh-token") == "***, ***"


@pytest.mark.parametrize(
    ("body", "status", "content_type", "kind", "text"),
    [
        ({"error": "invalid_grant"}, 400, JSON, Unauthenticated, "the sign-in is no longer good (invalid_grant)"),
        ({"error": "invalid_client"}, 401, "text/plain", Unauthenticated, "the client_id or client_secret is not accepted"),
        ({"error": "invalid_request"}, 200, JSON, Refused, "(invalid_request)"),
        ({"error": "odd", "error_description": "a\x1b[2J\nb"}, 400, JSON, Refused, "a [2J b (odd)"),
        ({"error": "odd", "error_description": 7}, 400, JSON, Refused, "(odd)"),
        ({"error": "temporarily_unavailable"}, 400, JSON, Failed, "(temporarily_unavailable)"),
        ({"error": "odd"}, 503, JSON, Failed, "(odd)"),
        ({}, 503, JSON, Unreachable, "the provider answered 503: an answer that may hold a token"),
        (
            "<html>",
            200,
            "text/html",
            Malformed,
            "the answer to the sign-in is not an object of JSON: an answer that may hold a token",
        ),
        ("access_token=t", 200, "text/plain", Malformed, "the answer to the sign-in is not an object of JSON"),
        ("{", 200, JSON, Malformed, "the answer is not JSON"),
        ("[" * 9999, 200, JSON, Malformed, "the answer is not JSON"),
        ({"access_token": "a\x00b"}, 200, JSON, Malformed, "the answer to the sign-in holds no token"),
        ({"error": ["x"], "access_token": "t"}, 200, JSON, Malformed, "the answer to the sign-in holds no token"),
        ({"access_token": "t", "expires_in": "soon"}, 200, JSON, Malformed, "the answer to the sign-in holds no token"),
    ],
)
def test_what_is_no_token_is_told_in_our_words(
    body: Any, status: int, content_type: str, kind: type[SourceError], text: str
) -> None:
    with pytest.raises(kind) as caught:
        granted(body, status, content_type)
    assert str(caught.value).startswith(text)
    assert type(caught.value) is kind


def test_a_description_shows_no_secret_and_is_short() -> None:
    body = {"error": "invalid_request", "error_description": f"{SECRET} {'x' * 500}"}
    with pytest.raises(Refused) as caught:
        oauth.granted(answer(body, 400), Redactor([SECRET]))
    assert str(caught.value).startswith("*** xxx")
    assert len(str(caught.value)) < 160
    assert caught.value.reasons == ("invalid_request",)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"error": "authorization_pending"}, Waiting.PENDING),
        ({"error": "slow_down", "error_description": "easy"}, Waiting.SLOW_DOWN),
    ],
)
def test_who_has_not_answered_yet_is_waited_for(body: Any, found: Waiting) -> None:
    assert oauth.polled(answer(body, 400), Redactor()) is found


def test_who_has_answered_is_heard() -> None:
    assert oauth.polled(answer({"access_token": "t"}), Redactor()) == Granted("t")
    with pytest.raises(Refused, match="access_denied"):
        oauth.polled(answer({"error": "access_denied"}, 400), Redactor())


def test_a_code_is_read_with_what_the_standard_leaves_out() -> None:
    body = {"device_code": "d", "user_code": "ABCD", "verification_uri": "https://c.example/d", "expires_in": 300}
    plain = DeviceCode("d", "ABCD", "https://c.example/d", None, timedelta(minutes=5), timedelta(seconds=5))
    whole = {**body, "verification_uri_complete": "https://c.example/d?c=ABCD", "interval": 9}
    assert oauth.device_code(answer(body), Redactor()) == plain
    found = oauth.device_code(answer(whole), Redactor())
    assert (found.whole_address, found.interval) == ("https://c.example/d?c=ABCD", timedelta(seconds=9))


def test_a_code_that_would_move_a_terminals_cursor_is_not_shown() -> None:
    body = {"device_code": "d", "user_code": "A\x1b[2J", "verification_uri": "https://c.example/d", "expires_in": 300}
    with pytest.raises(Malformed):
        oauth.device_code(answer(body), Redactor())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("access_token", "refresh_token", "expires_in", "expires_at", "scope", "error", "error_description", "token_type",
        "device_code", "user_code", "verification_uri", "interval", "mac_key")  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)  # two cores may be busy
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING), st.sampled_from([200, 400, 401, 403, 404, 500]))
def test_whatever_a_service_answers_is_read_or_one_of_our_errors(body: dict[str, Any], status: int) -> None:
    for read in (oauth.granted, oauth.polled, oauth.device_code):
        try:
            found = read(answer(body, status), Redactor())
        except BridgeError:
            continue
        assert status == 200 or isinstance(found, Waiting)
