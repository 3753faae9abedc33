"""OAuth 2.0: bodies to send to a token endpoint, and what its answers mean. Only this module knows oauthlib.

Nothing here touches the network. oauthlib is imported when the first grant is asked for (6 to 12 ms and 0.5 MiB); it takes http
for insecure even to a loopback address, whose https twin it is shown instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, TypeGuard
from urllib.parse import parse_qsl

from bridge.errors import Failed, Malformed, Refused, SourceError, Unauthenticated
from bridge.redact import Redactor
from bridge.transport.answer import HTTP_SERVER_ERRORS, Answer, judged, shortened
from bridge.transport.http import Form

VERIFIER_LENGTH = 64  # characters, of 43 to 128 (RFC 7636 §4.1)
USUAL_INTERVAL = timedelta(seconds=5)  # between two polls where nothing is said (RFC 8628 §3.2)
SLOWER = timedelta(seconds=5)  # more after each slow_down (§3.5)
LONGEST_INTERVAL = timedelta(minutes=5)
LONGEST_LIFE = timedelta(days=366)

UNAUTHENTICATED = ("invalid_client", "invalid_grant", "unauthorized_client")  # RFC 6749 §5.2
FAILED = ("server_error", "temporarily_unavailable")  # §4.1.2.1
MEANINGS = {  # what RFC 6749 §5.2 and RFC 8628 §3.5 say that they mean
    "invalid_client": "the client_id or client_secret is not accepted",
    "invalid_grant": "the sign-in is no longer good",
    "unauthorized_client": "this client may not sign in this way",
    "invalid_scope": "this client may not have the scope that is asked for",
    "unsupported_grant_type": "the service does not know this way to sign in",
    "access_denied": "it was denied",
    "expired_token": "the code has come to its end",
}


@dataclass(frozen=True)
class Application:
    """Who asks: what OAuth calls a client. `more` goes with each request, such as `acr_values`."""

    id: str
    secret: str | None = field(default=None, repr=False)
    more: Mapping[str, str] = field(default_factory=dict)

    def proof(self) -> dict[str, Any]:
        """Return what tells the token endpoint who asks; in the body (RFC 6749 §2.3.1), which every service can read."""
        return {"include_client_id": True, "client_secret": self.secret, **self.more}


@dataclass(frozen=True)
class Granted:
    """What a token endpoint gave: a token, how long it lives where that was said, and a token for the next ones."""

    token: str = field(repr=False)
    life: timedelta | None = None
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DeviceCode:
    """A code for a person to type in, and the secret one to ask with meanwhile."""

    device_code: str = field(repr=False)
    user_code: str
    address: str  # where it is typed in
    whole_address: str | None  # where it need not be
    life: timedelta
    interval: timedelta


class Waiting(Enum):
    """The person has not answered yet."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"


@dataclass(frozen=True)
class Visit:
    """What a browser is sent to, and what is needed to make a token of the answer it brings back."""

    address: str
    state: str
    verifier: str = field(repr=False)
    redirect: str


# what is sent


def by_secret(application: Application, scope: str) -> Form:
    """Return the body that asks for a token for the application itself (RFC 6749 §4.4.2)."""
    from oauthlib.oauth2 import BackendApplicationClient

    return _form(BackendApplicationClient(application.id).prepare_request_body(scope=scope, **application.proof()))


def by_refresh_token(application: Application, refresh_token: str) -> Form:
    """Return the body that asks for a further token, of the scope that there was (RFC 6749 §6)."""
    from oauthlib.oauth2 import Client

    client = Client(application.id)
    return _form(client.prepare_refresh_body(refresh_token=refresh_token, client_id=application.id, **application.proof()))


def for_device_code(application: Application, scope: str) -> Form:
    """Return the body that asks for a code that a person types in (RFC 8628 §3.1)."""
    # oauthlib would put these into the address, where servers do not look
    secret = {"client_secret": application.secret} if application.secret else {}
    return Form({"client_id": application.id, **secret, "scope": scope, **application.more})


def by_device_code(application: Application, code: DeviceCode) -> Form:
    """Return the body that asks whether the person has answered (RFC 8628 §3.4)."""
    from oauthlib.oauth2 import DeviceClient

    return _form(DeviceClient(application.id).prepare_request_body(code.device_code, **application.proof()))


def visit(application: Application, scope: str, endpoint: str, redirect: str) -> Visit:
    """Return what to show in a browser (RFC 6749 §4.1.1), with a new state and a new challenge by S256 (RFC 7636)."""
    from oauthlib.oauth2 import WebApplicationClient

    client = WebApplicationClient(application.id)
    verifier = client.create_code_verifier(VERIFIER_LENGTH)
    address, _, _ = client.prepare_authorization_request(
        _https(endpoint), redirect_url=redirect, scope=scope,
        code_challenge=client.create_code_challenge(verifier, "S256"), code_challenge_method="S256", **application.more,
    )  # fmt: skip
    assert client.state is not None
    return Visit(address.replace(_https(endpoint), endpoint, 1), client.state, verifier, redirect)


def by_visit(application: Application, visit: Visit, came_back_to: str, redact: Redactor) -> Form:
    """Return the body that makes a token of the address that the browser came back to (RFC 6749 §4.1.3).

    Raises Refused where the person said no, Malformed where the answer is not to our question.
    """
    from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

    client = WebApplicationClient(application.id)
    try:
        code = client.parse_request_uri_response(_https(came_back_to), visit.state)["code"]
    except OAuth2Error as error:
        if error.error in ("mismatching_state", "missing_code"):
            raise Malformed("the browser came back with an answer to another question") from None
        raise _translated(str(error.error), error.description, redact) from None
    redact.learn(code)
    return _form(
        client.prepare_request_body(code, visit.redirect, code_verifier=visit.verifier, **application.proof())
    )  # fmt: skip


def _form(body: str) -> Form:
    return Form(dict(parse_qsl(body, keep_blank_values=True)))


def _https(address: str) -> str:
    return f"https://{address.removeprefix('http://')}" if address.startswith("http://") else address


# what comes back


def granted(answer: Answer, redact: Redactor) -> Granted:
    """Return what a token endpoint gave. Raises SourceError, Unauthenticated where other credentials are needed."""
    found = _read(answer, redact)
    token, refresh_token = found["access_token"], found.get("refresh_token")
    if not _is_text(token):
        raise Malformed("the answer to the sign-in holds no token")
    redact.learn(token)
    if not _is_text(refresh_token):
        refresh_token = None
    else:
        redact.learn(refresh_token)
    return Granted(token, _span(found.get("expires_in"), LONGEST_LIFE), refresh_token)


def polled(answer: Answer, redact: Redactor) -> Granted | Waiting:
    """Return what a token endpoint says of a device code. Raises SourceError, Refused where the person said no or came late."""
    body = answer.json() if answer.is_json else None
    said = body.get("error") if isinstance(body, dict) else None
    return next((waiting for waiting in Waiting if waiting.value == said), None) or granted(answer, redact)


def device_code(answer: Answer, redact: Redactor) -> DeviceCode:
    """Return the code that the service made for us (RFC 8628 §3.2). Raises SourceError."""
    found = _object(answer, redact)
    secret, shown, address = (found.get(key) for key in ("device_code", "user_code", "verification_uri"))
    life = _span(found.get("expires_in"), LONGEST_LIFE)
    if not (_is_text(secret) and _is_text(shown) and _is_text(address)) or life is None:
        raise Malformed("the answer to the sign-in holds no code that could be typed in anywhere")
    redact.learn(secret)
    whole = found.get("verification_uri_complete")
    interval = _span(found.get("interval"), LONGEST_INTERVAL) or USUAL_INTERVAL
    return DeviceCode(secret, shown, address, whole if _is_text(whole) else None, life, interval)


def _read(answer: Answer, redact: Redactor) -> Mapping[str, Any]:
    from oauthlib.oauth2 import Client, OAuth2Error

    _object(answer, redact)
    try:
        return Client("").parse_request_body_response(answer.text)
    except (OAuth2Error, ValueError, TypeError, AttributeError, OverflowError):  # its errors are told by now
        raise Malformed("the answer to the sign-in holds no token") from None


def _object(answer: Answer, redact: Redactor) -> Mapping[str, Any]:
    """Return the answer as an object of JSON. Raises SourceError where it is none, or tells an error."""
    body = answer.json() if answer.is_json else None
    if isinstance(body, dict) and isinstance(body.get("error"), str):
        raise _translated(body["error"], body.get("error_description"), redact, answer.status)
    judged(answer, redact)
    if not isinstance(body, dict):
        raise Malformed(f"the answer to the sign-in is not an object of JSON: {answer.excerpt(redact)}")
    return body


def _translated(code: str, description: object, redact: Redactor, status: int = 0) -> SourceError:
    """Return one of our errors for one of OAuth's."""
    said = _shown(description, redact) if isinstance(description, str) else ""
    text = ", ".join(filter(None, (MEANINGS.get(code), said)))
    text = f"{text} ({_shown(code, redact)})".lstrip()
    if code in UNAUTHENTICATED:
        return Unauthenticated(text, reasons=(code,))
    if code in FAILED or status >= HTTP_SERVER_ERRORS:
        return Failed(text, reasons=(code,))
    return Refused(text, reasons=(code,))


def _shown(text: str, redact: Redactor) -> str:
    """Return foreign text as a terminal may show it."""
    return "".join(letter if letter.isprintable() else " " for letter in shortened(redact(text)))


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value) and value.isprintable()  # what moves a cursor is shown to no terminal


def _span(seconds: object, most: timedelta) -> timedelta | None:
    """Return a number of seconds as a span, or None where it tells nothing sensible."""
    try:
        count = float(str(seconds)) if not isinstance(seconds, bool) else 0.0
    except ValueError:
        return None
    return timedelta(seconds=min(count, most.total_seconds())) if count > 0 else None
