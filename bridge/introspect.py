"""`kwh2mqtt introspect SOURCE`: saves the provider's GraphQL schema and checks every document that we send against it.

What is deprecated stands in `{source}/health` from then on, until the source is introspected again.
"""

import os
import sys
from itertools import chain
from pathlib import Path

from bridge.app import built, opened
from bridge.clock import SystemClock
from bridge.errors import Denied, Malformed, NotSignedIn, RateLimited, Refused, SourceError, Unauthenticated
from bridge.providers.base import Endpoint, Introspectable
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.state.database import owned
from bridge.state.lock import unusable
from bridge.state.store import saved_deprecations
from bridge.transport.schema import MEND, Finding, findings, introspected, notices

FOLDER = "schemas"  # in the state folder
VERDICTS = {"error": "fault", "deprecated": "deprecated"}
MENDS: tuple[tuple[type[SourceError], str], ...] = (
    (NotSignedIn, "then try again"),
    (Unauthenticated, "put new credentials into its section"),
    (Denied, "use credentials that may read the schema"),
    (RateLimited, "wait, then try again"),
    (Refused, "ask the provider whether these credentials may read its schema"),
    (Malformed, "please report it"),
    (SourceError, "check the internet connection and the source's address, then try again"),
)


async def introspect(settings: Settings, redact: Redactor, name: str) -> bool:
    """Print a line a finding and return whether every document fits. Raises Misconfigured for an unknown source."""
    folder, clock = settings.state.directory, SystemClock()
    async with built(settings, clock, redact) as app:
        account = app.account(name)
        source, provider = account.source, account.report.provider
        if not isinstance(source, Introspectable):
            return _say("fault", name, f"{provider} does not speak GraphQL: it has no schema; use kwh2mqtt check --online")
        seen = [await _seen(endpoint, _file(folder, name, endpoint), redact) for endpoint in source.endpoints()]
    had = [found for found in seen if found is not None]
    if had:
        with opened(folder, clock) as store:
            store.save(saved_deprecations(name, provider, notices(chain(*had))))
    return len(had) == len(seen) and not any(finding.kind == "error" for finding in chain(*had))


async def _seen(endpoint: Endpoint, file: Path, redact: Redactor) -> list[Finding] | None:
    """Print what is found at one endpoint, save its schema, and return it; None where the schema cannot be had."""
    try:
        sdl = await introspected(endpoint.ask)
        found = [
            finding._replace(text=redact(finding.text)) for finding in findings(sdl, endpoint.documents, endpoint.mend or MEND)
        ]
    except SourceError as error:
        mend = next(mend for kind, mend in MENDS if isinstance(error, kind))
        _say("fault", file.stem, f"{redact(str(error))}; {mend}")
        return None
    for document in endpoint.documents:
        own = [(VERDICTS[finding.kind], finding.text) for finding in found if finding.document == document]
        for verdict, text in own or [("ok", "fits the schema")]:
            _say(verdict, document, text)
    _write(file, redact(sdl))
    _say("ok", file.stem, f"the schema is saved as {file}")
    return found


def _file(folder: Path, name: str, endpoint: Endpoint) -> Path:
    return folder / FOLDER / f"{'-'.join(filter(None, (name, endpoint.name)))}.graphql"


def _write(file: Path, text: str) -> None:
    """Write a file that the state folder's owner alone can use; it is there whole or not at all. Raises Misconfigured."""
    folder, beside = file.parent, file.with_suffix(".new")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:  # `sudo kwh2mqtt introspect` must not lock the service out
            state = folder.parent.stat()
            os.chown(folder, state.st_uid, state.st_gid)
        owned(beside)
        beside.write_text(text, "utf-8")
        beside.replace(file)
    except OSError as error:
        raise unusable(folder, error) from None


def _say(verdict: str, key: str, text: str) -> bool:
    sys.stdout.write(f"{verdict:<10} {key}: {text}\n")
    return verdict == "ok"
