"""The sources: whether their hosts are found and their credentials accepted; and, from the answers, what time it really is."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from bridge.app import Account
from bridge.check.finding import Finding, well
from bridge.check.names import Look, address, hosts, looked_up
from bridge.clock import SANE
from bridge.errors import Denied, NotFound, NotSignedIn, RateLimited, Refused, SourceError, Unauthenticated
from bridge.providers.base import SourceSettings

log = logging.getLogger(__name__)

WITHIN_S = 60.0
LARGEST_ERROR = timedelta(seconds=30)  # a slot that changes later than this is noticed
SET = "set it (timedatectl set-ntp true)"


async def examined(name: str, settings: SourceSettings, account: Account, look: Look = address) -> list[Finding]:
    """Return what is found of `[sources.NAME]`."""
    key = f"sources.{name}"
    named = await looked_up(hosts(name, settings), look)
    if not well(named):
        return [*named, Finding("fault", key, "not tried, for a host of it is not found")]
    try:
        async with asyncio.timeout(WITHIN_S):
            return [*named, await signed_in(key, account)]
    except TimeoutError:
        text = f"no answer in {WITHIN_S:.0f} s; check the internet connection, then try again"
        return [*named, Finding("fault", key, text)]


async def signed_in(key: str, account: Account) -> Finding:
    try:
        return Finding("ok", key, await account.source.sign_in())
    except (NotSignedIn, NotFound, Denied, Refused) as error:
        return Finding("fault", key, str(error))
    except Unauthenticated as error:
        return Finding("fault", key, f"the provider does not accept the credentials ({error}); put new ones there")
    except RateLimited as error:
        return Finding("fault", key, f"{error}; wait, then try again")
    except SourceError as error:
        return Finding("fault", key, f"{error}; check the internet connection and {key}.url, then try again")
    except Exception:  # of one source, which must not keep the others from being told of
        log.exception("%s: an unforeseen fault", key)
        return Finding("fault", key, "an unforeseen fault; please report it, with what the log says of it")


def clock(now: datetime, ahead: Iterable[timedelta | None]) -> Finding:
    """Return what is found of the clock, which is `ahead` of each provider's by so much, where that is known.

    The provider that agrees with us best is believed.
    """
    if now < SANE:
        return Finding("fault", "clock", f"it says {now.date()}; {SET}")
    known = [apart for apart in ahead if apart is not None]
    text = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if not known:
        return Finding("ok", "clock", text)
    least = min(known, key=abs)
    if abs(least) > LARGEST_ERROR:
        fast = "ahead of" if least > timedelta() else "behind"
        by = timedelta(seconds=round(abs(least).total_seconds()))
        return Finding("fault", "clock", f"{text} is {by} {fast} what the providers' answers are dated; {SET}")
    return Finding("ok", "clock", f"{text}, as the providers' answers are dated")
