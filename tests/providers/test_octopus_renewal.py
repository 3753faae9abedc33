"""Renewal of the sign-in: by the refresh token, then once by the original method, no loop on failure, and over a restart."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from bridge.errors import RateLimited, SourceError, Unauthenticated, Unreachable
from tests.providers.test_octopus_sign_in import BAD_KEY, EXPECTED, HOUR, kept, ways
from tests.providers.wire import KEY, NOON, SIGN_IN, Wire, failure, granted
from tests.support import Purse

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


REFUSALS = ["KT-CT-1139", "KT-CT-1124", "KT-CT-1134", "KT-CT-1135", "KT-CT-1120", "KT-CT-1143", "KT-CT-1111", "KT-CT-1128"]


@pytest.mark.parametrize("code", [*REFUSALS, "KT-CT-9999", "KT-CT-4123", None])
@pytest.mark.parametrize("kind", ["VALIDATION", "APPLICATION", "AUTHORIZATION"])
async def test_a_dead_refresh_token_falls_back_once_to_the_original_method(kind: str, code: str | None) -> None:
    beside = failure(code or "", "obtainKrakenToken", errorType=kind)
    for dead in (beside, {**beside, "data": None}):
        wire = await aged(by_way(refreshToken=dead, APIKey=granted("token-2", NOON + HOUR, refreshToken=None)), 1)
        assert await wire.signing.token() == "token-2"
        assert ways(wire) == [{"refreshToken": "refresh-of-token-1"}, {"APIKey": KEY}]
        assert kept(wire).refresh_token is None


@pytest.mark.parametrize("dead", [{"data": None}, {"data": {}}, {"data": {"obtainKrakenToken": None}}, [1]])
async def test_an_answer_that_cannot_be_read_falls_back_too(dead: Any) -> None:
    wire = await aged(by_way(refreshToken=lambda _: httpx2.Response(200, json=dead), APIKey=granted("token-2", NOON + HOUR)), 1)
    assert await wire.signing.token() == "token-2"


@pytest.mark.parametrize("code", ["KT-CT-1111", "KT-CT-9999", "KT-CT-1139"])
async def test_while_both_are_refused_the_original_method_is_tried_once_a_minute(code: str) -> None:
    wire = await aged(failure(code, "obtainKrakenToken"), 1)
    for _ in range(9):
        with pytest.raises(SourceError, match=code):
            await wire.signing.token()
        wire.pass_(seconds=20)
    assert ways(wire) == [{"refreshToken": "refresh-of-token-1"}, *[{"APIKey": KEY}] * 3]


async def test_a_token_that_is_refused_as_soon_as_it_is_given_out_costs_one_sign_in_a_minute() -> None:
    wire = Wire()
    wire.answers[SIGN_IN] = lambda _: granted(f"token-{len(wire.sent)}", wire.clock.now(), refreshToken=None)
    token = await wire.signing.token()
    for _ in range(9):
        wire.pass_(seconds=20)
        token = await wire.signing.renewed(token)
    assert len(wire.sent) == 4


# nobody answers


@pytest.mark.parametrize("hours", [0, 1], ids=["original", "refresh"])
@pytest.mark.parametrize(
    "away", [httpx2.Response(502, text="<html>"), httpx2.ReadTimeout("slow"), httpx2.Response(404, text="<html>")]
)
async def test_what_nobody_answered_is_told_again_without_a_request(away: Any, hours: int) -> None:
    wire = await aged(away, 1) if hours else Wire({SIGN_IN: away})
    told = []
    for _ in range(3):
        with pytest.raises(Unreachable) as caught:
            await wire.signing.token()
        told.append((type(caught.value), str(caught.value), len(wire.sent)))
        wire.pass_(seconds=19)
    assert told == [told[0]] * 3
    wire.answers[SIGN_IN] = granted("token-2", wire.clock.now())
    wire.pass_(seconds=3)
    assert await wire.signing.token() == "token-2"


async def test_the_longer_nobody_answers_the_more_rarely_one_asks_and_at_least_each_quarter_of_an_hour() -> None:
    wire, asked = Wire({SIGN_IN: httpx2.Response(404, text="<html>")}), []
    for minute in range(60):
        before = len(wire.sent)
        with pytest.raises(Unreachable):
            await wire.signing.token()
        asked += [minute] * (len(wire.sent) - before)
        wire.pass_(minutes=1)
    assert asked == [0, 1, 3, 7, 15, 30, 45]
    wire.answers[SIGN_IN] = granted("token-1", wire.clock.now())
    assert await wire.signing.token() == "token-1"


async def test_a_failure_that_a_wrong_clock_noted_holds_nothing_back() -> None:
    wire = Wire({SIGN_IN: httpx2.Response(404, text="<html>")}, moment=NOON + timedelta(days=365))
    with pytest.raises(Unreachable):
        await wire.signing.token()
    wire.clock.set(NOON)
    wire.answers[SIGN_IN] = granted()
    assert await wire.signing.token() == "token-1"


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


async def test_an_older_token_that_is_kept_does_not_replace_a_newer_one_that_could_not_be_written() -> None:
    class Full(Purse):
        def write(self, text: str | None) -> None:
            pass

    purse = Full()
    purse.text = EXPECTED.model_dump_json()
    wire = Wire({SIGN_IN: [granted("token-2", NOON + HOUR), granted("token-3", NOON + 2 * HOUR)]}, purse=purse)
    for hours, token in ((1, "token-2"), (2, "token-3")):
        wire.clock.set(NOON + timedelta(hours=hours))
        assert await wire.signing.token() == token
    assert ways(wire) == [{"refreshToken": "refresh-of-token-1"}, {"refreshToken": "refresh-of-token-2"}]


async def test_an_older_token_that_is_kept_is_not_given_out_for_a_newer_one_that_is_refused() -> None:
    class Full(Purse):
        def write(self, text: str | None) -> None:
            pass

    purse = Full()
    purse.text = EXPECTED.model_dump_json()
    wire = Wire({SIGN_IN: [granted("token-2", NOON + MINUTE), granted("token-3", NOON + 2 * MINUTE)]}, purse=purse)
    wire.clock.set(NOON + MINUTE)
    assert await wire.signing.renewed(await wire.signing.token()) == "token-2"
    wire.pass_(minutes=1)
    assert await wire.signing.renewed("token-2") == "token-3"
