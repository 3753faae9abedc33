"""OctoMesh's tokens: had by secret or from a person, renewed early and once, kept over restarts, given to no other client."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from bridge.errors import (
    Malformed,
    NotFound,
    NotSignedIn,
    RateLimited,
    Refused,
    SourceError,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from bridge.providers.octomesh.client import Client, Flow
from bridge.providers.octomesh.grant import MOST_KEPT, Grant, Kept
from bridge.simulator.octomesh.identity import Identity
from bridge.simulator.server import Hangup, Request, Response
from tests.providers.direct import Direct
from tests.providers.tenant import BOX, NOON, SECRET, Tenant, signed_in
from tests.support import Purse, settle

MINUTE = timedelta(minutes=1)
PAGE = Response(502, b"<html>", "text/html")


def kept(tenant: Tenant) -> Grant:
    """Return the newest grant in the purse."""
    assert tenant.purse.text is not None
    return Kept.model_validate_json(tenant.purse.text).grants[0]


def fields(tenant: Tenant) -> dict[str, str]:
    """Return the fields of the only request."""
    [asked] = tenant.identity.requests
    return dict(asked.fields)


# the addresses and the scope


@pytest.mark.parametrize(
    ("given", "token", "authorize"),
    [
        ("https://c.example", "https://c.example/connect/token", "https://c.example/connect/authorize"),
        ("https://c.example/", "https://c.example/connect/token", "https://c.example/connect/authorize"),
        ("https://c.example/id", "https://c.example/id/connect/token", "https://c.example/id/connect/authorize"),
        ("https://c.example/x/connect/token", "https://c.example/x/connect/token", "https://c.example/x/connect/authorize"),
        ("http://127.0.0.1:8/connect/token/", "http://127.0.0.1:8/connect/token/", "http://127.0.0.1:8/connect/authorize"),
    ],
)
def test_a_bare_host_gets_the_usual_paths_and_a_whole_address_stays(given: str, token: str, authorize: str) -> None:
    client = Client(given, "c", "t")
    assert (client.endpoint("token"), client.endpoint("authorize")) == (token, authorize)


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ({"client_secret": "s"}, ("octo_api.read_only", "octo_api")),
        ({}, ("octo_api.read_only offline_access", "octo_api offline_access")),
        ({"client_secret": "s", "flow": Flow.BROWSER}, ("octo_api.read_only offline_access", "octo_api offline_access")),
        ({"scope": "openid octo_api"}, ("openid octo_api offline_access",) * 2),
        ({"scope": "offline_access octo_api"}, ("offline_access octo_api",) * 2),
        ({"scope": "octo_api", "client_secret": "s"}, ("octo_api",) * 2),
    ],
)
def test_no_more_is_asked_for_than_is_needed(given: dict[str, Any], scopes: tuple[str, str]) -> None:
    client = Client("https://c.example", "c", "t", **given)
    assert (client.wanted(may_write=False), client.wanted(may_write=True)) == scopes


def test_a_client_shows_no_secret() -> None:
    client = Client("https://c.example", "c", "t", SECRET)
    shown = f"{client} {client.application()} {client.mark('octo_api')}"
    assert SECRET not in shown


# by secret


async def test_a_secret_brings_a_token_in_the_tenant_that_is_named() -> None:
    tenant = Tenant(simulated={"strict": True})
    assert tenant.is_good(await tenant.signing.token())
    assert fields(tenant) == {
        "grant_type": "client_credentials",
        "client_id": "demo-service",
        "client_secret": SECRET,
        "scope": "octo_api",
        "acr_values": "tenant:demo",
    }


async def test_the_tenant_need_not_be_named() -> None:
    tenant = Tenant()
    tenant.restart(acr_values=False)
    await tenant.signing.token()
    assert "acr_values" not in fields(tenant)


async def test_many_that_ask_at_once_make_one_request() -> None:
    tenant = Tenant()
    assert len(set(await asyncio.gather(*(tenant.signing.token() for _ in range(20))))) == 1
    assert tenant.grants() == ["client_credentials"]


@pytest.mark.parametrize(
    ("life", "minutes", "requests"),
    [(60, 54.9, 1), (60, 55, 2), (60, 90, 2), (10, 8.9, 1), (10, 9, 2), (1440, 1434, 1), (1440, 1436, 2)],
)
async def test_a_token_is_renewed_5_minutes_before_its_end_and_at_most_a_tenth(life: int, minutes: float, requests: int) -> None:
    tenant = Tenant(simulated={"access_life": life * MINUTE})
    await tenant.signing.token()
    tenant.pass_(minutes=minutes)
    assert tenant.is_good(await tenant.signing.token())
    assert len(tenant.grants()) == requests


@pytest.mark.parametrize("body", [{"access_token": "t"}, {"access_token": "t", "token_type": "Bearer", "expires_in": 0}])
async def test_a_token_that_does_not_say_how_long_it_lives_is_taken_for_an_hours(body: dict[str, Any]) -> None:
    tenant = Tenant()
    tenant.identity.faults.append(httpx_json(body))
    await tenant.signing.token()
    assert kept(tenant).expires == NOON + timedelta(hours=1)


def httpx_json(body: object, status: int = 200) -> Response:
    return Response(status, httpx2.Response(200, json=body).content)


# what goes wrong


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ({"error": "invalid_client"}, Unauthenticated, "the client_id or client_secret is not accepted (invalid_client)"),
        ({"error": "unauthorized_client"}, Unauthenticated, "this client may not sign in this way (unauthorized_client)"),
        (
            {"error": "invalid_scope", "error_description": f"no {SECRET} for you"},
            Refused,
            "this client may not have the scope that is asked for, no *** for you (invalid_scope)",
        ),
        ({"error": "made_up", "error_description": "so it is"}, Refused, "so it is (made_up)"),
        ({"error": "server_error"}, Unreachable, "(server_error)"),
        ({"error": {"code": 7}}, Refused, "the provider answered 400: an answer that may hold a token"),
        ([], Refused, "the provider answered 400: an answer that may hold a token"),
    ],
)
async def test_what_the_service_says_is_told_in_our_words(answer: Any, kind: type[SourceError], text: str) -> None:
    tenant = Tenant()
    tenant.identity.faults.append(httpx_json(answer, 400))
    with pytest.raises(kind) as caught:
        await tenant.signing.token()
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "body", [{}, [], "token", {"access_token": 5}, {"access_token": ""}, {"access_token": "t", "expires_in": "soon"}]
)
async def test_an_answer_without_a_token_is_malformed(body: Any) -> None:
    tenant = Tenant()
    tenant.identity.faults.append(httpx_json(body))
    with pytest.raises(Malformed, match="the answer to the sign-in"):
        await tenant.signing.token()


async def test_a_wrong_secret_is_not_asked_about_again_within_a_minute() -> None:
    tenant = Tenant()
    tenant.restart(client_secret="wrong-one")
    for seconds in (0, 20, 39, 1):
        tenant.pass_(seconds=seconds)
        with pytest.raises(Unauthenticated, match="not accepted"):
            await tenant.signing.token()
    assert tenant.errors() == ["invalid_client"] * 2


async def asked_each_minute(tenant: Tenant, minutes: int, fault: Response | Exception) -> Sequence[int]:
    """Return the minutes in which anything was asked while all that is asked meets `fault`."""
    asked = []
    for minute in range(minutes):
        before = len(tenant.identity.requests)
        tenant.identity.faults.extend([fault] * 3)
        tenant.clock.set(NOON + minute * MINUTE)
        with pytest.raises(SourceError):
            await tenant.signing.token()
        asked += [minute] * (len(tenant.identity.requests) > before)
        tenant.identity.faults.clear()
    return asked


@pytest.mark.parametrize("fault", [PAGE, Hangup()], ids=["502", "dropped"])
async def test_the_longer_nobody_answers_the_more_rarely_one_asks(fault: Response | Exception) -> None:
    tenant = Tenant()
    asked = await asked_each_minute(tenant, 50, fault)
    assert len(asked) in (6, 7)
    assert max(later - earlier for earlier, later in pairwise(asked)) <= 16
    tenant.pass_(minutes=16)
    assert tenant.is_good(await tenant.signing.token())


async def test_a_429_is_waited_as_told_and_not_taken_for_a_refusal() -> None:
    tenant = Tenant()
    tenant.identity.faults.append(Response(429, b"{}", headers=(("retry-after", "60"),)))
    with pytest.raises(RateLimited) as caught:
        await tenant.signing.token()
    assert (caught.value.retry_after, tenant.meter.paused) == (MINUTE, [NOON + MINUTE])
    assert tenant.is_good(await tenant.signing.token())  # the budget, which would wait, lets all pass here


async def test_a_token_that_still_lives_is_given_while_no_other_can_be_had() -> None:
    tenant = Tenant()
    token = await tenant.signing.token()
    tenant.identity.faults.extend([PAGE] * 3)
    tenant.pass_(minutes=56)
    assert await tenant.signing.token() == token
    tenant.identity.faults.extend([PAGE] * 3)
    tenant.pass_(minutes=4)
    with pytest.raises(Unreachable):
        await tenant.signing.token()


async def test_a_failure_that_a_wrong_clock_noted_holds_nothing_back() -> None:
    tenant = Tenant(moment=NOON + timedelta(days=365))
    tenant.identity.faults.extend([PAGE] * 3)
    with pytest.raises(Unreachable):
        await tenant.signing.token()
    tenant.clock.set(NOON)
    assert tenant.is_good(await tenant.signing.token())


# a token that is refused though it looks good


async def test_a_refused_token_is_renewed_once_for_all_who_had_it() -> None:
    tenant = Tenant()
    old = await tenant.signing.token()
    tenant.identity.expire_all()
    new = set(await asyncio.gather(*(tenant.signing.renewed(old) for _ in range(5))))
    assert (len(new), all(map(tenant.is_good, new)), len(tenant.grants())) == (1, True, 2)


async def test_a_token_that_is_refused_as_soon_as_it_is_given_out_costs_a_sign_in_a_minute() -> None:
    tenant = Tenant()
    token = await tenant.signing.token()
    for _ in range(9):
        token = await tenant.signing.renewed(token)
        tenant.pass_(seconds=20)
    assert len(tenant.grants()) == 4


async def test_a_renewal_that_failed_is_not_taken_for_one_that_was_done() -> None:
    tenant = Tenant()
    token = await tenant.signing.token()
    tenant.identity.faults.extend([PAGE] * 3)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await tenant.signing.renewed(token)
    tenant.pass_(minutes=2)
    assert await tenant.signing.renewed(token) != token


async def test_whoever_had_no_token_yet_gets_one() -> None:
    tenant = Tenant()
    assert tenant.is_good(await tenant.signing.renewed("from another life"))


# over a restart


async def test_a_restart_lives_on_the_token_that_was_kept() -> None:
    tenant = Tenant()
    token = await tenant.signing.token()
    tenant.restart()
    assert (await tenant.signing.token(), len(tenant.grants())) == (token, 1)
    assert SECRET not in str(tenant.purse.text)


@pytest.mark.parametrize(
    "other",
    [
        {"scope": "octo_api.read_only"},
        {"tenant": "demo2", "acr_values": True},
        {"acr_values": False},
        {"identity_url": "http://127.0.0.1/id"},
        {"client_id": "demo-box"},
        {"flow": Flow.DEVICE},
    ],
)
async def test_a_kept_token_is_given_to_no_other_client_scope_or_way(other: dict[str, Any]) -> None:
    tenant = Tenant()
    token = await tenant.signing.token()
    given: str | None = None
    with suppress(SourceError):  # some of these have none of their own
        given = await tenant.beside(**other).token()
    assert given != token


@pytest.mark.parametrize("text", ["", "null", "{}", "[" * 1000, '{"grants": [{"mark": "m", "token": "t", "issued": "soon"}]}'])
async def test_a_pocket_that_cannot_be_read_is_an_empty_one(text: str) -> None:
    tenant = Tenant()
    tenant.purse.text = text
    assert tenant.is_good(await tenant.signing.token())


async def test_a_bridge_that_knows_no_new_configuration_yet_leaves_what_a_person_signed_in_for_it() -> None:
    tenant = await signed_in()
    await tenant.signing.token()
    anew = tenant.beside(scope="octo_api.read_only")
    await anew.login(tenant.told.append, browser=False)
    tenant.pass_(minutes=56)
    assert tenant.is_good(await tenant.signing.token())  # the old one is renewed, and kept
    tenant.restart(scope="octo_api.read_only")
    assert tenant.identity.scopes_of(f"Bearer {await tenant.signing.token()}") == {"octo_api.read_only", "offline_access"}
    assert len(Kept.model_validate_json(tenant.purse.text).grants) == 2


async def test_only_the_last_few_are_kept() -> None:
    tenant = Tenant()
    for scope in ("octo_api", "role", "email", "profile", "openid"):
        await tenant.beside(scope=scope).token()
    marks = [grant.mark.rpartition(" ")[2] for grant in Kept.model_validate_json(tenant.purse.text).grants]
    assert marks == ["openid", "profile", "email"][:MOST_KEPT]


async def test_an_address_without_an_identity_service_is_named() -> None:
    tenant = Tenant()
    tenant.restart(identity_url="http://127.0.0.1/elsewhere")
    with pytest.raises(NotFound) as caught:
        await tenant.signing.token()
    place = "http://127.0.0.1/elsewhere/connect/token"
    assert str(caught.value) == f"there is no identity service at {place}; check identity_url"


async def test_what_is_kept_is_hidden_from_every_text() -> None:
    tenant = await signed_in()
    tenant.restart()
    await tenant.signing.token()
    grant = kept(tenant)
    assert tenant.redact(f"{grant.token} {grant.refresh_token}") == "*** ***"


async def test_a_token_from_before_the_clock_was_set_is_renewed() -> None:
    tenant = Tenant(moment=NOON - timedelta(days=20000))
    await tenant.signing.token()
    for moment in (NOON, NOON - timedelta(days=1)):
        tenant.clock.set(moment)
        assert tenant.is_good(await tenant.signing.token())
    assert len(tenant.grants()) == 3


# what a person left


async def test_until_a_person_has_signed_in_nothing_is_sent_and_the_command_is_named() -> None:
    tenant = Tenant(client=dict(BOX))
    for ask in (tenant.signing.token(), tenant.signing.renewed("old")):
        with pytest.raises(NotSignedIn) as caught:
            await ask
        assert str(caught.value) == "no sign-in is kept: a person has to sign in; run kwh2mqtt login mesh"
    assert tenant.identity.requests == []


async def test_a_running_bridge_takes_a_login_up_by_itself() -> None:
    tenant = Tenant(client=dict(BOX))
    with pytest.raises(NotSignedIn):
        await tenant.signing.token()
    await tenant.login()
    assert tenant.is_good(await tenant.signing.token())


async def test_a_refresh_token_brings_the_next_token_and_is_kept_in_its_turn() -> None:
    tenant = await signed_in()
    first = kept(tenant)
    tenant.pass_(minutes=56)
    assert tenant.is_good(await tenant.signing.token())
    assert fields(tenant) == {
        "grant_type": "refresh_token",
        "client_id": "demo-box",
        "refresh_token": str(first.refresh_token),
        "acr_values": "tenant:demo",
    }
    assert kept(tenant).refresh_token not in (None, first.refresh_token)


async def test_a_refresh_token_that_is_not_replaced_stays() -> None:
    tenant = await signed_in()
    before = kept(tenant).refresh_token
    tenant.pass_(minutes=56)
    tenant.identity.faults.append(httpx_json({"access_token": "next", "token_type": "Bearer", "expires_in": 3600}))
    assert (await tenant.signing.token(), kept(tenant).refresh_token) == ("next", before)


async def test_a_sign_in_that_has_ended_is_asked_about_once_and_names_the_command() -> None:
    tenant = await signed_in()
    tenant.identity.sign_out()
    tenant.pass_(hours=2)
    told = []
    for _ in range(4):
        with pytest.raises(NotSignedIn) as caught:
            await tenant.signing.token()
        told.append(str(caught.value))
        tenant.pass_(minutes=5)
    mend = ": a person has to sign in; run kwh2mqtt login mesh"
    ended = "the sign-in has ended" + mend
    assert told == ["the sign-in is no longer good (invalid_grant)" + mend, ended, ended, ended]
    assert tenant.grants() == ["refresh_token"]
    await tenant.login()
    assert tenant.is_good(await tenant.signing.token())


async def test_a_sign_in_that_was_withdrawn_while_its_token_looks_good_names_the_command_too() -> None:
    tenant = await signed_in()
    refused = await tenant.signing.token()
    tenant.identity.sign_out()
    for _ in range(2):
        with pytest.raises(NotSignedIn, match="run kwh2mqtt login mesh"):
            await tenant.signing.renewed(refused)
    assert tenant.grants() == ["refresh_token"]
    await tenant.login()
    assert tenant.is_good(await tenant.signing.renewed(refused))


async def test_a_wrong_client_does_not_cost_the_sign_in() -> None:
    tenant = await signed_in()
    tenant.pass_(hours=2)
    tenant.identity.faults.append(httpx_json({"error": "invalid_client"}, 400))
    with pytest.raises(Unauthenticated) as caught:
        await tenant.signing.token()
    assert not isinstance(caught.value, NotSignedIn)
    tenant.pass_(minutes=1)
    assert tenant.is_good(await tenant.signing.token())


async def test_two_processes_renew_once_and_share_what_comes() -> None:
    tenant = await signed_in()
    one, other = tenant.signing, tenant.beside()
    await one.token()
    await other.token()
    tenant.pass_(minutes=56)
    assert await one.token() == await other.token()
    tenant.pass_(hours=3)
    assert await other.token() == await one.token()
    assert tenant.grants() == ["refresh_token"] * 2


async def test_whoever_finds_a_refresh_token_used_up_by_another_process_takes_what_that_one_got() -> None:
    tenant = await signed_in()
    one, other = tenant.signing, tenant.beside()

    class Late(Purse):
        """Shows what was kept before, once."""

        def read(self) -> str | None:
            text, self.text = self.text, tenant.purse.text
            return text

    late = Late()
    late.text = tenant.purse.text
    object.__setattr__(other._about, "tokens", late)
    tenant.pass_(hours=2)
    first = await one.token()
    assert await other.token() == first
    assert tenant.errors() == [None, "invalid_grant"]


async def test_a_refused_token_that_another_process_renewed_costs_no_request() -> None:
    tenant = await signed_in()
    one, other = tenant.signing, tenant.beside()
    old = await one.token()
    assert await other.token() == old
    tenant.identity.expire_all()
    tenant.pass_(minutes=1)
    assert await other.renewed(old) == await one.renewed(old)
    assert tenant.grants() == ["refresh_token"]


async def test_an_older_sign_in_that_is_kept_does_not_replace_a_newer_one_that_could_not_be_written() -> None:
    class Full(Purse):
        def write(self, text: str | None) -> None:
            pass

    tenant = await signed_in()
    full = Full()
    full.text = tenant.purse.text
    tenant.purse = full
    tenant.restart()
    for _ in range(3):
        tenant.pass_(hours=2)
        assert tenant.is_good(await tenant.signing.token())
    assert tenant.errors() == [None] * 3


async def test_a_renewal_whose_answer_never_came_is_asked_for_again() -> None:
    tenant = await signed_in()
    tenant.pass_(hours=2)
    tenant.identity.faults.append(httpx2.ReadTimeout("slow"))
    assert tenant.is_good(await tenant.signing.token())
    tenant.identity.faults.extend([httpx2.ReadTimeout("slow")] * 3)
    tenant.pass_(hours=2)
    with pytest.raises(TimedOut):
        await tenant.signing.token()


async def test_what_was_sent_is_kept_though_whoever_asked_was_cancelled() -> None:
    tenant = await signed_in()
    asked, answering = asyncio.Event(), asyncio.Event()

    class Slow:
        async def handle(self, request: Request) -> Response:
            answer = await tenant.identity.handle(request)
            asked.set()
            await answering.wait()
            return answer

    tenant.signing._about.http._transport = Direct(Slow())
    tenant.pass_(hours=2)
    asking = asyncio.create_task(tenant.signing.token())
    await asked.wait()
    asking.cancel()
    await settle(3)
    answering.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    tenant.restart()
    assert tenant.is_good(await tenant.signing.token())
    assert tenant.errors() == [None]


def test_the_simulated_client_is_the_one_of_the_tests() -> None:
    assert {client.id for client in Identity(lambda: NOON).clients} == {"demo-service", "demo-box"}
