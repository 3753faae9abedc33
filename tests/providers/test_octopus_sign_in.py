"""The sign-in: what it brings, by the token's own clock, and one request however many ask at once."""

import asyncio
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest

from bridge.errors import Malformed, Unauthenticated
from bridge.providers.base import NOWHERE
from bridge.providers.octopus.sign_in import Grant
from tests.providers.wire import KEY, NOON, SIGN_IN, Wire, failure, granted
from tests.support import utc

HOUR = timedelta(hours=1)
BAD_KEY = failure("KT-CT-1139", "obtainKrakenToken", message="Invalid data.", errorType="VALIDATION")
UNIX = int(NOON.timestamp())
EXPECTED = Grant(
    token="token-1",
    issued=NOON,
    expires=NOON + HOUR,
    refresh_token="refresh-of-token-1",
    refresh_expires=NOON + timedelta(days=7),
)


def kept(wire: Wire) -> Grant:
    assert wire.purse.text is not None
    return Grant.model_validate_json(wire.purse.text)


def jwt(claims: object) -> str:
    return ".".join(
        urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims, "sig")
    )


def ways(wire: Wire) -> list[Any]:
    """Return the input of each sign-in."""
    return [sent.given["input"] for sent in wire.sent]


# what a sign-in brings


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"payload": json.dumps({"iat": UNIX, "exp": UNIX + 3600})},
        {"payload": {"iat": str(UNIX), "exp": str(UNIX + 3600)}},
        {"payload": {"iat": UNIX, "exp": UNIX + 3600, "origIat": 5}},
        {"payload": {"exp": UNIX + 3600}},
        {"payload": None},  # an hour is usual
        {"payload": "odd"},
        {"payload": {"iat": UNIX, "exp": None}},
        {"payload": {"iat": UNIX, "exp": UNIX - 5}},
        {"payload": []},
    ],
)
async def test_a_grant_is_kept_with_its_instants_however_the_payload_comes(given: dict[str, Any]) -> None:
    wire = Wire({SIGN_IN: granted(**given)})
    assert await wire.signing.token() == "token-1"
    assert kept(wire) == EXPECTED


@pytest.mark.parametrize("payload", [None, "", "odd", {}, {"iat": 5}])
async def test_a_token_alone_tells_its_own_life(payload: object) -> None:
    token = jwt({"iat": UNIX - 100, "exp": UNIX + 1700})
    wire = Wire({SIGN_IN: granted(token, payload=payload)})
    await wire.signing.token()
    assert (kept(wire).issued, kept(wire).expires) == (NOON, NOON + timedelta(minutes=30))


@pytest.mark.parametrize("token", ["a.b.c", "a.!!!!.c", "..", "ä.ö.ü", "a." + "W1tb" * 40_000 + ".c"])
async def test_a_token_that_tells_nothing_lives_for_an_hour(token: str) -> None:
    wire = Wire({SIGN_IN: granted(token, payload=None)})
    assert await wire.signing.token() == token
    assert kept(wire).expires == NOON + HOUR


@pytest.mark.parametrize(
    ("told", "until"),
    [
        (UNIX + 7 * 86400, NOON + timedelta(days=7)),  # an instant, whatever its name says
        (str(UNIX + 86400), NOON + timedelta(days=1)),
        (7 * 86400, None),  # as a span it would be long over
        (None, None),
        ("soon", None),
        (10**30, NOON + timedelta(days=60)),
    ],
)
async def test_the_refresh_tokens_end_is_an_instant(told: object, until: object) -> None:
    wire = Wire({SIGN_IN: granted(refreshExpiresIn=told)})
    await wire.signing.token()
    assert kept(wire).refresh_expires == until


@pytest.mark.parametrize("wrong", ["2020-01-01T00:00", "2026-06-10T11:00", "2026-06-10T13:30", "2036-01-01T00:00"])
async def test_a_clock_of_our_own_that_is_wrong_shortens_no_tokens_life(wrong: str) -> None:
    wire = Wire({SIGN_IN: granted()}, moment=utc(wrong))
    for _ in range(3):
        assert await wire.signing.token() == "token-1"
        wire.pass_(minutes=18)
    assert len(wire.sent) == 1
    assert (kept(wire).expires, kept(wire).refresh_expires) == (utc(wrong) + HOUR, utc(wrong) + timedelta(days=7))


async def test_a_clock_that_is_set_right_makes_the_token_a_new_one() -> None:
    wire = Wire(moment=utc("2036-01-01T00:00"))
    await wire.signing.token()
    wire.clock.set(NOON)
    assert await wire.signing.token() == "token-2"


@pytest.mark.parametrize("found", [None, {}, {"token": None}, {"token": ""}, {"token": 5}, [], "text"])
async def test_a_sign_in_without_a_token_is_malformed(found: object) -> None:
    with pytest.raises(Malformed, match="the answer to the sign-in holds no token"):
        await Wire({SIGN_IN: {"data": {"obtainKrakenToken": found}}}).signing.token()


# one request


async def test_ten_that_ask_at_once_cost_one_sign_in() -> None:
    wire = Wire()
    assert set(await asyncio.gather(*(wire.signing.token() for _ in range(10)))) == {"token-1"}
    assert ways(wire) == [{"APIKey": KEY}]


@pytest.mark.parametrize("pocket", [None, NOWHERE], ids=["kept", "not kept"])
async def test_ten_whose_token_is_refused_cost_one_renewal(pocket: object) -> None:
    wire = Wire(purse=pocket)
    old = await wire.signing.token()
    assert set(await asyncio.gather(*(wire.signing.renewed(old) for _ in range(10)))) == {"token-2"}
    assert ways(wire) == [{"APIKey": KEY}, {"refreshToken": "refresh-of-token-1"}]


async def test_ten_that_ask_with_a_bad_key_cost_one_sign_in() -> None:
    wire = Wire({SIGN_IN: BAD_KEY})
    found = await asyncio.gather(*(wire.signing.token() for _ in range(10)), return_exceptions=True)
    assert [type(error) for error in found] == [Unauthenticated] * 10
    assert len(wire.sent) == 1


async def test_a_sign_in_carries_no_token_of_old() -> None:
    wire = Wire()
    await wire.signing.renewed(await wire.signing.token())
    assert [sent.authorization for sent in wire.sent] == [None, None]
