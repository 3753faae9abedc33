"""Signing in with a person's help: a code that is typed in anywhere, or a browser on this machine.

Neither ever shows a token: what a person sees is an address, and a code that is of no use without the one we keep.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bridge.errors import Fault, Misconfigured, NotFound, RateLimited, Refused, Unreachable
from bridge.providers.base import Surroundings
from bridge.providers.octomesh.client import Client
from bridge.transport import oauth
from bridge.transport.answer import HTTP_NOT_FOUND, Answer
from bridge.transport.browser import Loopback
from bridge.transport.http import Form, Http
from bridge.transport.oauth import DeviceCode, Granted, Waiting

BROWSER_AWAITED_S = 600.0
Tell = Callable[[str], None]


async def asked(http: Http, address: str, form: Form) -> Answer:
    """Return what the identity service answers. Raises NotFound, Unreachable, TimedOut, RateLimited, BudgetSpent."""
    answer = await http.read("POST", address, headers={}, body=form, is_secret=True)
    if answer.status == HTTP_NOT_FOUND:
        raise NotFound(f"there is no identity service at {address}; check identity_url")
    return answer


async def by_code(client: Client, scope: str, about: Surroundings, tell: Tell) -> Granted:
    """Show a code and wait until it was typed in (RFC 8628). Raises SourceError, Refused where nobody did, or said no."""
    application = client.application()
    answer = await asked(about.http, client.endpoint("deviceauthorization"), oauth.for_device_code(application, scope))
    code = oauth.device_code(answer, about.redact)
    tell(_invitation(code))
    return await _entered(client, code, about)


async def _entered(client: Client, code: DeviceCode, about: Surroundings) -> Granted:
    """Ask again and again, as often as the service will have it, until the code was typed in."""
    ends, interval = about.clock.now() + code.life, code.interval
    pause = interval
    while True:
        await about.clock.sleep_until(about.clock.now() + pause)
        if about.clock.now() >= ends:
            raise Refused("nobody entered the code in time; run the command again")
        try:
            answer = await asked(about.http, client.endpoint("token"), oauth.by_device_code(client.application(), code))
            found = oauth.polled(answer, about.redact)
        except RateLimited as error:
            pause = max(interval, error.retry_after or interval)
            continue
        except Unreachable:
            interval *= 2  # RFC 8628 §3.5 asks for an exponential back-off
        else:
            if isinstance(found, Granted):
                return found
            interval += oauth.SLOWER if found is Waiting.SLOW_DOWN else timedelta()
        pause = interval


async def by_browser(client: Client, scope: str, about: Surroundings, tell: Tell, show: Callable[[str], object]) -> Granted:
    """Send a browser to the provider's page and wait until it comes back (RFC 8252, PKCE). Raises SourceError, Misconfigured."""
    application = client.application()
    try:
        async with Loopback(client.redirect_port, client.redirect_path) as loopback:
            visit = oauth.visit(application, scope, client.endpoint("authorize"), loopback.address)
            about.redact.learn(visit.verifier)
            loopback.expect(visit.state)
            tell(f"Open this address in a browser on this machine and sign in:\n\n    {visit.address}\n\nWaiting ...")
            show(visit.address)
            came_back_to = await _within(loopback)
    except OSError as error:
        mend = "close what uses the port, or name another one that is registered for this client"
        key = f"sources.{about.name}.redirect_port"
        raise Misconfigured([Fault(key, f"nothing can listen on port {client.redirect_port} ({error})", mend)]) from None
    form = oauth.by_visit(application, visit, came_back_to, about.redact)
    return oauth.granted(await asked(about.http, client.endpoint("token"), form), about.redact)


async def _within(loopback: Loopback) -> str:
    try:
        async with asyncio.timeout(BROWSER_AWAITED_S):
            return await loopback.heard()
    except TimeoutError:
        raise Refused("the browser did not come back in time; run the command again") from None


def _invitation(code: DeviceCode) -> str:
    direct = f"\nOr open this address, which holds the code:\n\n    {code.whole_address}\n" if code.whole_address else ""
    minutes = max(1, round(code.life.total_seconds() / 60))
    return (
        f"Open this address in any browser, on a telephone for instance:\n\n    {code.address}\n\n"
        f"and enter this code:\n\n    {code.user_code}\n{direct}\nWaiting, for {minutes} min at the most ..."
    )
