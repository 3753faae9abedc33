"""A person signs OctoMesh in, by a code on any device or in a browser on this one; no token is ever shown."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from bridge.errors import BudgetSpent, Malformed, Misconfigured, RateLimited, Refused, SourceError
from bridge.simulator.octomesh.clients import Registered
from bridge.simulator.octomesh.identity import Says
from bridge.simulator.server import Request, Response
from bridge.transport.browser import Loopback
from tests.providers.direct import Direct
from tests.providers.tenant import BOX, NOON, SERVICE, Tenant
from tests.providers.test_octomesh_sign_in import PAGE, httpx_json, kept

DONE = "signed in; a running bridge takes it up by itself within a minute"


def person(says: Says = Says.NOTHING, **given: Any) -> Tenant:
    return Tenant(client=dict(BOX), simulated={"person": says}, **given)


def polls(tenant: Tenant) -> list[float]:
    """Return the seconds after which each poll came."""
    return [(asked.moment - NOON).total_seconds() for asked in tenant.identity.requests if asked.path == "/connect/token"]


def tokens(tenant: Tenant) -> set[str]:
    """Return all that no person should see."""
    passes = tenant.identity._passes
    return {*passes.access, *passes.refresh, *passes.devices, *passes.codes}


# by a code


async def test_a_code_is_shown_with_where_to_enter_it_and_the_tokens_are_kept() -> None:
    tenant = person(Says.YES)
    said = await tenant.login()
    device = next(iter(tenant.identity._passes.devices.values()))
    [told] = tenant.told
    assert told == (
        "Open this address in any browser, on a telephone for instance:\n\n    http://127.0.0.1/device\n\n"
        f"and enter this code:\n\n    {device.user_code}\n"
        f"\nOr open this address, which holds the code:\n\n    http://127.0.0.1/device?userCode={device.user_code}\n"
        "\nWaiting, for 5 min at the most ..."
    )
    assert (said, tenant.is_good(await tenant.signing.token())) == (DONE, True)
    assert tenant.identity.requests[0].fields == {
        **BOX,
        "scope": "octo_api offline_access",
        "acr_values": "tenant:demo",
    }
    assert tenant.grants() == ["device_code"]
    assert not any(secret in text for secret in tokens(tenant) for text in (said, told))


async def test_only_to_read_asks_for_a_scope_that_only_reads() -> None:
    tenant = person(Says.YES, may_write=False)
    await tenant.login()
    assert tenant.identity.scopes_of(f"Bearer {kept(tenant).token}") == {"octo_api.read_only", "offline_access"}


async def test_the_service_is_asked_every_5_seconds_and_a_code_ends_when_it_said() -> None:
    tenant = person()
    with pytest.raises(Refused, match="nobody entered the code in time; run the command again"):
        await tenant.login()
    assert polls(tenant) == [5.0 * number for number in range(1, 60)]
    assert set(tenant.errors()) == {None, "authorization_pending"}


async def test_who_is_slowed_down_asks_5_seconds_more_rarely_each_time() -> None:
    tenant = person()
    tenant.identity.faults.extend(
        [httpx_json(code_of(interval=10, expires_in=100)), *[httpx_json({"error": "slow_down"}, 400)] * 2]
    )
    with suppress(SourceError):
        await tenant.login()
    assert (polls(tenant))[:3] == [10, 25, 45]


def code_of(**given: Any) -> dict[str, Any]:
    return {"device_code": "secret-code", "user_code": "ABCD", "verification_uri": "https://c.example/d", "expires_in": 9} | given


async def test_where_nobody_answers_one_asks_ever_more_rarely_and_goes_on() -> None:
    tenant = person(Says.YES)

    class Outage:
        polled = 0

        async def handle(self, request: Request) -> Response:
            self.polled += request.path == "/connect/token"
            return PAGE if 0 < self.polled <= 6 else await tenant.identity.handle(request)

    outage = Outage()
    signing = tenant.beside()
    signing._about.http._transport = Direct(outage)
    assert await signing.login(tenant.told.append, browser=False) == DONE
    assert tenant.clock.now() - NOON > timedelta(seconds=5 + 10 + 20)


async def test_a_pause_that_is_asked_for_is_waited() -> None:
    tenant = person(Says.YES)
    waits = Response(429, b"{}", headers=(("retry-after", "60"),))
    tenant.identity.faults.append(httpx_json(code_of(expires_in=300)))
    tenant.identity.faults.append(waits)
    with suppress(SourceError):  # a code that the simulator did not make
        await tenant.login()
    assert polls(tenant) == [5, 65]


async def test_a_budget_that_is_spent_on_the_way_is_waited_for() -> None:
    class Spent:
        """Lets nothing pass for the minute after the first request."""

        def spend(self, moment: datetime) -> None:
            if NOON < moment < NOON + timedelta(minutes=1):
                raise BudgetSpent("spent", retry_after=NOON + timedelta(minutes=1) - moment)

        def pause(self, until: datetime) -> None:
            raise AssertionError

    tenant = person(Says.YES)
    signing = tenant.beside()
    signing._about.http._meter = Spent()
    assert await signing.login(tenant.told.append, browser=False) == DONE
    assert polls(tenant) == [60]


async def test_a_pause_before_there_is_a_code_ends_it() -> None:
    tenant = person(Says.YES)
    tenant.identity.faults.append(Response(429, b"{}", headers=(("retry-after", "60"),)))
    with pytest.raises(RateLimited):
        await tenant.login()
    assert tenant.told == []


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ({"error": "access_denied"}, Refused, r"it was denied \(access_denied\)"),
        ({"error": "expired_token"}, Refused, r"the code has come to its end \(expired_token\)"),
    ],
)
async def test_who_says_no_or_comes_late_is_told_so(answer: Any, error: type[SourceError], text: str) -> None:
    tenant = person()
    tenant.identity.faults.extend([httpx_json(code_of()), httpx_json(answer, 400)])
    with pytest.raises(error, match=text):
        await tenant.login()
    assert tenant.purse.text is None


@pytest.mark.parametrize(
    "body",
    [{}, [], code_of(user_code=None), code_of(device_code=7), code_of(expires_in="soon"), code_of(verification_uri="")],
)
async def test_a_code_that_lacks_something_is_malformed(body: Any) -> None:
    tenant = person()
    tenant.identity.faults.append(httpx_json(body))
    with pytest.raises(Malformed, match="the answer to the sign-in"):
        await tenant.login()


async def test_a_client_that_may_not_use_codes_is_told_so() -> None:
    tenant = Tenant(client={"client_id": "plain"}, simulated={"clients": (Registered("plain", grants=frozenset()),)})
    with pytest.raises(SourceError, match=r"this client may not sign in this way \(unauthorized_client\)"):
        await tenant.login()


async def test_without_a_refresh_token_the_end_is_told_beforehand() -> None:
    tenant = person()
    body = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
    tenant.identity.faults.extend([httpx_json(code_of()), httpx_json(body)])
    assert "let the client have the scope offline_access" in await tenant.login()


async def test_a_client_with_a_secret_needs_nobody() -> None:
    with pytest.raises(Misconfigured) as caught:
        await Tenant(client=dict(SERVICE)).login()
    assert str(caught.value) == (
        "sources.mesh: mesh signs in by itself with its client_secret: there is nobody to ask; "
        "try it with kwh2mqtt check --online"
    )


async def test_a_client_with_a_secret_may_be_told_to_ask_a_person() -> None:
    tenant = Tenant(client={**SERVICE, "flow": "device"})
    tenant.restart()
    await tenant.login()
    assert tenant.identity.requests[-1].fields["client_secret"] == "demo-secret"
    assert tenant.is_good(await tenant.signing.token())


# in a browser


class Visitor:
    """A browser: opens the page that it is shown and follows where it leads, all of it for real but the provider's page."""

    def __init__(self, tenant: Tenant, **changed: str) -> None:
        self._tenant, self._changed = tenant, changed
        self.seen: list[tuple[int, str]] = []
        self._visits: list[asyncio.Task[None]] = []

    def show(self, address: str) -> None:
        self._visits.append(asyncio.create_task(self._visit(address)))

    async def pages(self) -> list[tuple[int, str]]:
        """Return status and text of each page that it ended on."""
        await asyncio.gather(*self._visits)
        return self.seen

    async def _visit(self, address: str) -> None:
        request = Request("GET", urlsplit(address).path, {}, b"", urlsplit(address).query)
        answer = await self._tenant.identity.handle(request)
        back = dict(answer.headers)["location"]
        for old, new in self._changed.items():
            back = back.replace(old, new)
        async with httpx2.AsyncClient() as client:
            page = await client.get(back)
        self.seen.append((page.status_code, page.text))


def with_browser(says: Says = Says.YES, **changed: str) -> tuple[Tenant, Visitor]:
    tenant = person(says)
    visitor = Visitor(tenant, **changed)
    tenant.show = visitor.show
    return tenant, visitor


async def test_a_browser_signs_in_by_coming_back_with_what_our_challenge_opens() -> None:
    tenant, visitor = with_browser()
    assert await tenant.login(browser=True) == DONE
    assert [(status, "go back to the terminal" in page) for status, page in await visitor.pages()] == [(200, True)]
    assert tenant.is_good(await tenant.signing.token())
    asked, exchanged = tenant.identity.requests
    assert asked.fields["redirect_uri"].endswith("/callback")
    assert {**asked.fields, "state": "", "code_challenge": "", "redirect_uri": ""} == {
        **BOX,
        "response_type": "code",
        "redirect_uri": "",
        "scope": "octo_api offline_access",
        "state": "",
        "code_challenge": "",
        "code_challenge_method": "S256",
        "acr_values": "tenant:demo",
    }
    assert exchanged.fields["redirect_uri"] == asked.fields["redirect_uri"]
    assert len(exchanged.fields["code_verifier"]) == 64
    [told] = tenant.told
    assert "http://127.0.0.1/connect/authorize?" in told
    assert not any(secret in told for secret in (exchanged.fields["code_verifier"], *tokens(tenant)))


async def test_the_flow_may_be_the_browser_by_configuration() -> None:
    tenant, visitor = with_browser()
    tenant.client["flow"] = "browser"
    assert await tenant.login() == DONE
    assert len(await visitor.pages()) == 1


async def test_two_visits_share_neither_state_nor_challenge() -> None:
    tenant, _ = with_browser()
    for _ in range(2):
        await tenant.login(browser=True)
    visits = [asked.fields for asked in tenant.identity.requests if asked.path == "/connect/authorize"]
    assert len({visit["state"] for visit in visits} | {visit["code_challenge"] for visit in visits}) == 4


async def test_a_person_who_says_no_in_the_browser_is_heard() -> None:
    tenant, _ = with_browser(Says.NO)
    with pytest.raises(Refused, match=r"it was denied \(access_denied\)"):
        await tenant.login(browser=True)
    assert tenant.purse.text is None


async def test_an_answer_without_a_code_is_malformed() -> None:
    tenant, _ = with_browser(code="kode")
    with pytest.raises(Malformed, match="an answer to another question"):
        await tenant.login(browser=True)


async def test_a_port_in_use_is_named_with_its_key() -> None:
    async with Loopback(0, "/") as other:
        tenant, _ = with_browser()
        tenant.client["redirect_port"] = urlsplit(other.address).port
        with pytest.raises(Misconfigured, match=r"^sources\.mesh\.redirect_port: nothing can listen on port \d+ "):
            await tenant.login(browser=True)


async def test_a_login_that_is_broken_off_leaves_nothing_behind() -> None:
    tenant = person()
    shown = asyncio.Event()
    tenant.show = lambda _: shown.set()
    login = asyncio.create_task(tenant.login(browser=True))
    await shown.wait()
    [address] = [line.strip() for line in tenant.told[0].splitlines() if "authorize" in line]
    [back] = parse_qs(urlsplit(address).query)["redirect_uri"]
    login.cancel()
    with pytest.raises(asyncio.CancelledError):
        await login
    async with Loopback(urlsplit(back).port or 0, "/") as free:  # the port can be had again
        assert free.address.startswith("http://127.0.0.1:")
    assert tenant.purse.text is None
