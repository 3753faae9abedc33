"""`kwh2mqtt run`: until SIGTERM or SIGINT, with each configuration that SIGHUP brings.

Where it says the same of the broker and of the state folder, the connection stays and nobody hears the bridge go; and a source of
which it says the same is not asked anew. One that cannot be used changes nothing, and the log says why.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bridge import __version__
from bridge.app import Account, App, opened
from bridge.clock import SystemClock
from bridge.errors import Misconfigured
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.state.lock import locked
from bridge.systemd import READY, STOPPING, Systemd
from bridge.transport.mqtt import Line

log = logging.getLogger(__name__)


@dataclass
class Orders:
    """What the signals have asked for."""

    load: Callable[[], Settings]
    settings: Settings  # those that run
    systemd: Systemd = field(default_factory=Systemd)
    line: Line = field(default_factory=Line)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def end(self) -> None:
        self.ended, self.line.kept = True, False
        self.systemd.say(STOPPING)
        self.stop.set()

    def reload(self) -> None:
        self.systemd.reloading()
        try:
            fresh = self.load()
        except Misconfigured as error:
            _refuse(error)
            self.systemd.say(READY)
            return
        if fresh == self.settings and not any(own.names_a_file for own in fresh.sources.values()):
            log.info("the configuration says what it said before: nothing changes")
            self.systemd.say(READY)
            return
        stays = self.line.kept if self.stop.is_set() else not self.ended
        self.line.kept = stays and (fresh.mqtt, fresh.state) == (self.settings.mqtt, self.settings.state)
        self.settings = fresh
        self.stop.set()


async def run(settings: Settings, redact: Redactor, load: Callable[[], Settings]) -> None:
    """Run until told to end. Raises Misconfigured where the first configuration has a state folder that cannot be used."""
    loop, orders = asyncio.get_running_loop(), Orders(load, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, orders.end)
    loop.add_signal_handler(signal.SIGHUP, orders.reload)
    proven: Settings | None = None  # a configuration that has run
    async with orders.line:
        while not orders.ended:
            try:
                proven = await _run_on(orders, redact)
            except Misconfigured as error:  # its state folder cannot be used
                if proven is None or orders.settings is proven:
                    raise
                _refuse(error)
                orders.settings = proven


async def _run_on(orders: Orders, redact: Redactor) -> Settings:
    """Run one configuration after the other, as long as broker and state folder stay; return the last of them."""
    directory, clock = orders.settings.state.directory, SystemClock()
    accounts: dict[str, Account] = {}
    with locked(directory), opened(directory, clock) as store:
        try:
            while True:
                settings = orders.settings
                orders.stop.clear()
                redact.hide(settings.secrets())
                app = App(settings, store, clock, redact, accounts)
                accounts = await _left(accounts, app)
                await _run(app, orders)
                if not orders.line.kept:
                    return settings
        finally:
            await _close(accounts.values())


async def _run(app: App, orders: Orders) -> None:
    settings, systemd = orders.settings, orders.systemd
    log.info("kwh2mqtt %s: %d source(s), state in %s", __version__, len(settings.sources), settings.state.directory)
    systemd.say(READY)
    guard = asyncio.create_task(systemd.guard(app.pulse, app.status), name="guard")
    try:
        await app.run(orders.stop, orders.line)
    finally:
        guard.cancel()


async def _left(before: Mapping[str, Account], app: App) -> dict[str, Account]:
    """Return the accounts of `app`, and close those that it does not go on with."""
    accounts = {account.latest.source: account for account in app.accounts}
    await _close(account for name, account in before.items() if accounts.get(name) is not account)
    return accounts


async def _close(accounts: Iterable[Account]) -> None:
    for account in accounts:
        await account.http.aclose()


def _refuse(error: Misconfigured) -> None:
    log.warning("the configuration stays as it is, the new one cannot be used:\n%s", error)
