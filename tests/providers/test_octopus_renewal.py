"""Renewal of the sign-in: by the refresh token, then once by the original method, no loop on failure, and over a restart."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bridge.errors import RateLimited, SourceError, Unauthenticated, Unreachable
from tests.providers.test_octopus_sign_in import BAD_KEY, EXPECTED, HOUR, kept, ways
from tests.providers.wire import KEY, NOON, SIGN_IN, Purse, Wire, failure, granted

MINUTE = timedelta(minutes=1)
TOO_MANY = failure("KT-CT-1199", "obtainKrakenToken", message="Too many requests.", errorType="AUTHORIZATION")


def by_way(**answers: Any) -> Any:
    """Return what answers a sign-in by its method."""
    return lambda sent: next(answer for way, answer in answers.items() if way in sent.given["input"])


async def aged(answers: Any, hours: float) -> Wire:
    """Return a wire on which one signed in so long ago."""
    wire = Wire()
    await wire.signing.token()
    wire.clock.set(NOON + timedelta(hours=hours))
    wire.answers[SIGN_IN] = answers
    wire.sent.clear()
    return wire


@pytest.mark.parametrize(("minutes", "requests"), [(54, 0), (56, 1), (120, 1)])
async def test_a_token_is_renewed_five_minutes_before_its_end(minutes: int, requests: int) -> None:
    wire = await aged(granted("token-2", NOON), minutes / 60)
    await wire.signing.token()
    assert ways(wire) == [{"refreshToken": "refresh-of-token-1"}] * requests


async def test_a_renewal_that_brings_no_refresh_token_keeps_the_one_there_is_and_its_end() -> None:
    wire = await aged(granted("token-2", NOON + HOUR, refreshToken=None, refreshExpiresIn=None), 1)
    await wire.signing.token()
    assert (kept(wire).refresh_token, kept(wire).refresh_expires) == ("refresh-of-token-1", NOON + timedelta(days=7))


async def test_after_a_week_the_original_method_signs_in() -> None:
    wire = await aged(granted("token-2"), 24 * 7)
    assert await wire.signing.token() == "token-2"
    assert ways(wire) == [{"APIKey": KEY}]


@pytest.mark.parametrize("code", ["KT-CT-1139", "KT-CT-1124", "KT-CT-1134", "KT-CT-1135", "KT-CT-1120", "KT-CT-1143"])
async def test_a_dead_refresh_token_falls_back_once_to_the_original_method(code: str) -> None:
    dead = failure(code, "obtainKrakenToken", errorType="VALIDATION")
    wire = await aged(by_way(refreshToken=dead, APIKey=granted("token-2", NOON + HOUR)), 1)
    assert await wire.signing.token() == "token-2"
    assert ways(wire) == [{"refreshToken": "refresh-of-token-1"}, {"APIKey": KEY}]


async def test_a_dead_refresh_token_is_not_tried_again_while_the_key_is_refused_too() -> None:
    wire = await aged(BAD_KEY, 1)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await wire.signing.token()
        wire.pass_(minutes=2)
    assert ways(wire) == [{"refreshToken": "refresh-of-token-1"}, *[{"APIKey": KEY}] * 5]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(TOO_MANY, RateLimited), (httpx2.Response(502, text="<html>"), Unreachable), (OSError("away"), Unreachable)],
)
async def test_a_renewal_that_comes_through_to_nobody_asks_for_nothing_else(answer: Any, error: type[SourceError]) -> None:
    wire = await aged(answer, 1)
    with pytest.raises(error):
        await wire.signing.token()
    assert {tuple(way) for way in ways(wire)} == {("refreshToken",)}
    assert kept(wire) == EXPECTED


async def test_a_refused_token_is_renewed_though_it_looks_good_and_only_for_whom_had_it() -> None:
    wire = Wire()
    old = await wire.signing.token()
    assert await wire.signing.renewed("another") == old
    assert await wire.signing.renewed(old) == "token-2"
    assert await wire.signing.renewed(old) == "token-2"


# a bad key


async def test_a_bad_key_is_not_asked_again_within_a_minute() -> None:
    wire, told = Wire({SIGN_IN: BAD_KEY}), []
    for seconds in (0, 20, 39, 1):
        wire.pass_(seconds=seconds)
        with pytest.raises(Unauthenticated) as caught:
            await wire.signing.token()
        told.append((len(wire.sent), str(caught.value)))
    assert told == [(count, "Invalid data. (KT-CT-1139)") for count in (1, 1, 1, 2)]


async def test_a_good_key_that_was_refused_by_mistake_works_a_minute_later() -> None:
    wire = Wire({SIGN_IN: [BAD_KEY, granted()]})
    with pytest.raises(Unauthenticated):
        await wire.signing.token()
    wire.pass_(minutes=1)
    assert await wire.signing.token() == "token-1"


async def test_a_refusal_that_no_list_knows_is_one_of_the_credentials_where_it_is_a_validation() -> None:
    for kind, error in (("VALIDATION", Unauthenticated), ("APPLICATION", Unreachable)):
        wire = Wire({SIGN_IN: failure("KT-CT-9999", "obtainKrakenToken", errorType=kind)})
        with pytest.raises(error):
            await wire.signing.token()


@pytest.mark.parametrize("code", ["KT-CT-1111", "KT-CT-1113", "KT-CT-1128", "KT-CT-4321"])
async def test_a_sign_in_that_is_refused_for_any_reason_is_one_of_the_credentials(code: str) -> None:
    for answer in (failure(code, "obtainKrakenToken"), {"data": None, "errors": failure(code)["errors"]}):
        wire = Wire({SIGN_IN: answer})
        with pytest.raises(Unauthenticated, match=code):
            await wire.signing.token()
        assert len(wire.sent) == 1


# over a restart


async def test_a_restart_lives_on_the_token_that_was_kept() -> None:
    purse = Purse()
    await Wire(purse=purse).signing.token()
    again = Wire(purse=purse, moment=NOON + 30 * MINUTE)
    assert await again.signing.token() == "token-1"
    assert again.sent == []


async def test_a_restart_after_the_tokens_end_uses_the_refresh_token() -> None:
    purse = Purse()
    await Wire(purse=purse).signing.token()
    again = Wire(purse=purse, moment=NOON + 2 * HOUR)
    await again.signing.token()
    assert ways(again) == [{"refreshToken": "refresh-of-token-1"}]


@pytest.mark.parametrize(
    "text", ["", "null", "{}", '{"token": 5}', "[" * 1000, '{"token": "t", "issued": "soon", "expires": "2026"}']
)
async def test_a_pocket_that_cannot_be_read_is_an_empty_one(text: str) -> None:
    wire = Wire()
    wire.purse.text = text
    assert await wire.signing.token() == "token-1"


async def test_a_token_that_another_process_renewed_is_taken_instead_of_a_request() -> None:
    purse = Purse()
    one, other = Wire(purse=purse), Wire(purse=purse)
    old = await one.signing.token()
    other.answers[SIGN_IN] = granted("token-of-the-other")
    await other.signing.renewed(await other.signing.token())
    assert await one.signing.renewed(old) == "token-of-the-other"
    assert len(one.sent) == 1
