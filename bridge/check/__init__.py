"""`kwh2mqtt check`: one line a finding. Whoever gets here has a valid configuration; `--online` tries what it names.

All is tried at once, and each part is told of as soon as it is known: one that is slow does not hold up the others.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

from bridge.app import App, built
from bridge.check import broker, sources
from bridge.check.finding import Finding, well
from bridge.clock import SystemClock
from bridge.redact import Redactor
from bridge.settings import Settings


async def findings(settings: Settings, redact: Redactor, *, online: bool) -> bool:
    """Print what is found and return whether all is well. Raises Misconfigured for an unusable state folder."""
    number, file = len(settings.sources), settings.file or "from the environment"
    told = [_told(redact, [Finding("ok", "configuration", f"{file}: {number} source(s)"), *exposed(settings.exposed)])]
    async with built(settings, SystemClock(), redact) as app:
        told.append(_told(redact, [Finding("ok", "state.directory", f"{settings.state.directory} can be written")]))
        if online:
            told += [_told(redact, await part) for part in asyncio.as_completed(_parts(app, settings))]
            ahead = [account.http.ahead for account in app.accounts]
            told.append(_told(redact, [sources.clock(app.clock.now(), ahead)]))
    return all(told)


def exposed(files: Iterable[Path]) -> list[Finding]:
    """Return a warning of each of `files`, which hold secrets and can be read by others."""
    return [Finding("warn", "secrets", f"{file} holds a secret and others can read it; run: chmod 600 {file}") for file in files]


def _parts(app: App, settings: Settings) -> list[Coroutine[Any, Any, list[Finding]]]:
    own = [sources.examined(name, section, app.account(name)) for name, section in settings.sources.items()]
    return [broker.examined(settings, app.discovery.installation), *own]


def _told(redact: Redactor, found: Sequence[Finding]) -> bool:
    sys.stdout.writelines(f"{redact(str(finding))}\n" for finding in found)
    sys.stdout.flush()
    return well(found)
