"""`kwh2mqtt check`: one line a finding. Whoever gets here has a valid configuration; `--online` tries what it names."""

import sys

from bridge.app import App, built
from bridge.clock import SANE, SystemClock
from bridge.errors import Denied, NotFound, NotSignedIn, RateLimited, Refused, SourceError, Unauthenticated
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.transport.mqtt import greet


async def findings(settings: Settings, redact: Redactor, *, online: bool) -> bool:
    """Print what is found and return whether all is well. Raises Misconfigured for an unusable state folder."""
    _say("ok", "configuration", f"{settings.file or 'from the environment'}: {len(settings.sources)} source(s)")
    async with built(settings, SystemClock(), redact) as app:
        _say("ok", "state.directory", f"{settings.state.directory} can be written")
        if not online:
            return True
        outcomes = [_clock(app), await _broker(settings), *[await _source(app, name) for name in settings.sources]]
        return all(outcomes)


def _clock(app: App) -> bool:
    now = app.clock.now()
    if now < SANE:
        return _say("fault", "clock", f"it says {now.date()}; set it (timedatectl set-ntp true)")
    return _say("ok", "clock", f"{now:%Y-%m-%dT%H:%M:%SZ}")


async def _broker(settings: Settings) -> bool:
    trouble = await greet(settings.mqtt)
    if trouble is not None:
        return _say("fault", "mqtt", f"{settings.mqtt.address}: {trouble}")
    return _say("ok", "mqtt", f"connected to {settings.mqtt.address} (MQTT {settings.mqtt.protocol})")


async def _source(app: App, name: str) -> bool:
    key = f"sources.{name}"
    try:
        return _say("ok", key, await app.account(name).source.sign_in())
    except NotSignedIn as error:
        return _say("fault", key, str(error))
    except Unauthenticated as error:
        return _say("fault", key, f"the provider does not accept the credentials ({error}); put new ones there")
    except RateLimited as error:
        return _say("fault", key, f"{error}; wait, then try again")
    except (NotFound, Denied, Refused) as error:
        return _say("fault", key, str(error))
    except SourceError as error:
        return _say("fault", key, f"{error}; check the internet connection and {key}.url, then try again")


def _say(verdict: str, key: str, text: str) -> bool:
    sys.stdout.write(f"{verdict:<6} {key}: {text}\n")
    return verdict == "ok"
