"""No key, password or token in any error, shortfall or line of the log, whatever a server echoes."""

import json
import logging
from base64 import b64encode
from typing import Any

import httpx2
import pytest

from bridge.errors import SourceError
from bridge.models.observation import Shortfall
from bridge.providers.base import secrets
from bridge.providers.octopus.operations import OPERATIONS
from bridge.providers.octopus.sign_in import Grant
from bridge.providers.octopus.source import Octopus
from tests.providers.test_octopus_household import account, agreed, point
from tests.providers.wire import JSON, KEY, NOON, SIGN_IN, Wire, failure, granted, settings
from tests.support import Knowledge, Purse, gathered

PASSWORD, EMAIL = 'planted "9f2c" & more', "someone@example.com"
TOKEN, REFRESH = "token-planted-7d1e", "refresh-of-token-planted-7d1e"
BASIC = b64encode(f"{KEY}:".encode()).decode()
ALL = (KEY, PASSWORD, json.dumps(PASSWORD)[1:-1], EMAIL, TOKEN, REFRESH, BASIC)
HOME = {"data": account(point(agreed("E-1R-AGILE-24-10-01-C")))}
SITES = {"7": None}


def echo(sent: Any) -> Any:
    """Answer with an error that repeats all there is to know."""
    told = f"no: {sent.authorization} {sent.given} {' '.join(ALL)}"
    path = {"Household": "account", SIGN_IN: "obtainKrakenToken"}.get(sent.about, "x")
    return failure("KT-CT-4321", path, message=told, errorDescription=told, fooReasons=[told], errorType=told)


def echo_400(sent: Any) -> httpx2.Response:
    return httpx2.Response(400, json={"detail": f"no: {sent.authorization} {sent.given} {' '.join(ALL)}"})


def echo_text(sent: Any) -> httpx2.Response:
    return httpx2.Response(200, text=f"no: {sent.authorization} {' '.join(ALL)}", headers={"Content-Type": "text/plain"})


def echo_broken(sent: Any) -> httpx2.Response:
    return httpx2.Response(200, text=f'{{"no": "{sent.authorization} {" ".join(ALL)}', headers=JSON)


def wired(answers: dict[str, Any], **given: Any) -> tuple[Wire, Octopus]:
    wire = Wire({SIGN_IN: granted(TOKEN), "Household": HOME, **answers})
    for secret in secrets(settings(**given)):
        wire.redact.learn(secret)
    return wire, wire.source(account="A-1", **given)


async def told(source: Octopus, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that a poll and every operation say, and the whole log."""
    found: list[object] = []
    known = Knowledge(sites=dict(SITES))  # type: ignore[arg-type]
    try:
        found += [one for one in await gathered(source.poll(known, NOON)) if isinstance(one, Shortfall)]
    except SourceError as error:
        found.append(error)
    for name in ("balance", "transactions", "devices", "saving_sessions", "boost_start"):
        arguments = OPERATIONS[name].arguments.model_validate({"device_id": "1"} if name == "boost_start" else {})
        with pytest.raises(SourceError) as caught:
            await source.execute(name, arguments, known, NOON)
        found.append(caught.value)
    errors = [one.error if isinstance(one, Shortfall) else one for one in found]
    assert errors
    texts = [f"{error!r} {error.reasons} {error.__cause__!r}" for error in errors if isinstance(error, SourceError)]
    lines = [f"{record.getMessage()} {record.exc_text}" for record in caplog.records]
    return "\n".join([*texts, *lines])


def clean(text: str) -> None:
    assert "***" in text
    assert [secret for secret in ALL if secret in text] == []


@pytest.mark.parametrize("answer", [echo, echo_400, echo_text, echo_broken])
@pytest.mark.parametrize("given", [{}, {"email": EMAIL, "password": PASSWORD}], ids=["key", "password"])
async def test_an_account_whose_every_answer_repeats_what_was_sent(
    answer: Any, given: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    names = (
        "Accounts",
        "Balance",
        "Transactions",
        "Devices",
        "Boost",
        "SavingSessions",
        "ApplicableRates",
        "Points",
        "GreenerNights",
    )
    wire, source = wired(dict.fromkeys(names, answer), **given)
    for secret in (KEY, PASSWORD, EMAIL):  # the wire repeats those of the other way too
        wire.redact.learn(secret)
    wire.redact.learn(BASIC)
    clean(await told(source, caplog))


@pytest.mark.parametrize("given", [{}, {"email": EMAIL, "password": PASSWORD}], ids=["key", "password"])
@pytest.mark.parametrize("code", ["KT-CT-1139", "KT-CT-1199", "KT-CT-9999"])
async def test_a_sign_in_that_repeats_the_credentials(code: str, given: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mine = list(secrets(settings(**given)))

    def answer(sent: Any) -> Any:
        return failure(
            code, "obtainKrakenToken", message=f"no: {json.dumps(sent.given)} {' '.join(mine)}", errorType="VALIDATION"
        )

    _, source = wired({SIGN_IN: answer}, **given)
    clean(await told(source, caplog))


async def test_a_refresh_token_that_was_kept_and_is_repeated_when_it_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    purse = Purse()
    purse.text = Grant(token=TOKEN, issued=NOON, expires=NOON, refresh_token=REFRESH).model_dump_json()

    def answer(sent: Any) -> Any:
        return (
            failure("KT-CT-1135", "obtainKrakenToken", message=f"no: {sent.given} {TOKEN}")
            if "refreshToken" in str(sent.given)
            else granted()
        )

    wire = Wire({SIGN_IN: answer}, purse=purse)
    assert await wire.signing.token() == "token-1"
    [line] = [record.getMessage() for record in caplog.records if "refresh token is no longer taken" in record.getMessage()]
    clean(line)


async def test_a_sign_in_that_is_cut_off_shows_no_beginning_of_a_token() -> None:
    whole = json.dumps(granted(TOKEN * 5))
    for length in range(40, len(whole), 7):
        wire = Wire({SIGN_IN: httpx2.Response(200, text=whole[:length], headers=JSON)})
        with pytest.raises(SourceError) as caught:
            await wire.signing.token()
        assert "token-p" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_what_is_kept_and_shown_of_a_grant_is_for_the_pocket_alone() -> None:
    wire, source = wired({})
    await wire.signing.token()
    assert wire.purse.text is not None
    assert TOKEN in wire.purse.text
    assert TOKEN not in f"{source!r} {wire.signing!r} {wire.kraken!r}"
    assert REFRESH not in wire.redact(f"say {REFRESH}")


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", None])
@pytest.mark.parametrize("status", [200, 201])
async def test_a_sign_in_under_any_name_is_one_and_its_token_stands_in_no_line(
    status: int, content_type: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Content-Type": content_type} if content_type else {}
    whole = json.dumps(granted("opaque-9d1f0c"))
    wire = Wire({SIGN_IN: httpx2.Response(status, content=whole.encode(), headers=headers)})
    assert await wire.signing.token() == "opaque-9d1f0c"
    for length in range(1, len(whole), 3):
        wire = Wire({SIGN_IN: httpx2.Response(status, content=whole[:length].encode(), headers=headers)})
        with pytest.raises(SourceError) as caught:
            await wire.signing.token()
        assert "opaque" not in f"{caught.value!r} {caught.value.reasons} {caught.value.__cause__!r} {caplog.text}"
