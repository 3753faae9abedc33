"""`kwh2mqtt poll SOURCE`: one poll, printed as it would be published. The state learns from it; the broker hears nothing."""

import sys

from bridge.app import built
from bridge.clock import SystemClock
from bridge.feed.messages import Painter
from bridge.redact import Redactor
from bridge.settings import Settings


async def preview(settings: Settings, redact: Redactor, name: str) -> bool:
    """Poll source `name` and print a line a topic; return whether all went well. Raises Misconfigured for an unknown one."""
    async with built(settings, SystemClock(), redact) as app:
        account = app.account(name)
        await app.poller(account, after_poll=lambda: None).poll()
        now = app.clock.now()
        fortune = account.report.fortune
        fortune.next_poll = max(account.source.next_poll(account.latest, now), fortune.next_poll or now)
        for message in (*account.report.messages(now), *Painter(app.topics, account.latest).all(now)):
            for one in (message, *app.shelf.also(message)):
                if one.payload:
                    sys.stdout.write(f"{one.topic} {one.payload.decode()}\n")
        return not account.report.stale(now)
