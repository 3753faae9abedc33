"""`kwh2mqtt login SOURCE`: signs in a source that needs a person. The tokens go where a running bridge finds them by itself."""

import sys

from bridge.app import built
from bridge.clock import Clock
from bridge.errors import Fault, Misconfigured, RateLimited, SourceError, Unauthenticated, Unreachable
from bridge.providers.base import Loginable
from bridge.redact import Redactor
from bridge.settings import Settings

MENDS: tuple[tuple[type[SourceError], str], ...] = (
    (Unauthenticated, "check client_id, client_secret and tenant, and how the provider has registered the client"),
    (RateLimited, "wait, then try again"),
    (Unreachable, "check the internet connection and the source's address, then try again"),
)


async def login(settings: Settings, redact: Redactor, clock: Clock, name: str, *, browser: bool) -> bool:
    """Sign in source `name` and return whether that went well. Raises Misconfigured where it is unknown or needs no person."""
    async with built(settings, clock, redact) as app:
        account = app.account(name)
        if not isinstance(account.source, Loginable):
            problem = f"{account.report.provider} needs no login: the configuration holds all that it signs in with"
            raise Misconfigured([Fault(f"sources.{name}", problem, "try it with kwh2mqtt check --online")])
        try:
            _say(await account.source.login(_say, browser=browser))
        except SourceError as error:
            mend = next((f"; {mend}" for kind, mend in MENDS if isinstance(error, kind)), "")
            sys.stderr.write(f"{name} is not signed in: {redact(str(error))}{mend}\n")
            return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()  # a person reads it while we wait
