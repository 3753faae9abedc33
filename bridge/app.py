"""The only place that builds and joins: from settings to one TaskGroup that runs until it is told to stop."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from bridge.clock import SANE, Clock
from bridge.commands import catalogue
from bridge.commands.authorise import Grants, is_allowed
from bridge.commands.desk import Desk
from bridge.commands.offer import Offer, Offers
from bridge.commands.planner import Planner
from bridge.commands.plans import Plans
from bridge.errors import Fault, Misconfigured
from bridge.feed.health import BridgeReport, SourceReport
from bridge.feed.latest import Latest
from bridge.feed.leftovers import Leftovers
from bridge.feed.listen import Listener
from bridge.feed.poll import Poller
from bridge.feed.slots import Slots
from bridge.models.message import Arrival, Message
from bridge.providers.base import Kind, Listening, Provider, Source, SourceSettings, Surroundings
from bridge.pulse import BROKER, SCHEDULER, Pulse
from bridge.readers.home_assistant.announce import Announcer
from bridge.readers.home_assistant.asking import REFRESH, Ask, Asks
from bridge.readers.home_assistant.devices import Devices
from bridge.readers.warp import Warp
from bridge.redact import Redactor
from bridge.settings import Settings
from bridge.state.budget import Budget
from bridge.state.ledger import Ledger
from bridge.state.lock import unusable
from bridge.state.plans import KeptPlans
from bridge.state.pocket import Pocket
from bridge.state.store import Store
from bridge.topics import DiscoveryTopics, Topics, is_warps
from bridge.transport.http import Http
from bridge.transport.mqtt import Broker, Line
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)

GOODBYE_S = 10.0
CACHE_FIRST_S = 5.0  # how long the first poll waits for the cached prices to be at the broker


@dataclass(frozen=True)
class Account:
    """One configured source with all that belongs to it."""

    source: Source
    latest: Latest
    report: SourceReport
    http: Http
    provider: Provider
    made_of: tuple[object, ...]  # of the configuration


class App:
    """Everything that `run` runs, built and not yet started."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        redact: Redactor,
        before: Mapping[str, Account] = MappingProxyType({}),
    ) -> None:
        """`before` are accounts of an app that has run: whose configuration is the same goes on, and need not be asked anew."""
        self.clock, self.redact = clock, redact
        self.topics = Topics(settings.mqtt.base_topic)
        self.shelf, self.pulse = Shelf(Warp(self.topics, settings.readers.warp.values()).messages), Pulse()
        going_on = {name: account for name, account in before.items() if account.made_of == _made_of(name, settings)}
        self.accounts = [
            going_on.get(name) or _account(name, settings, store, clock, redact, self.topics) for name in settings.sources
        ]
        self.slots = Slots(
            self.topics, [account.latest for account in self.accounts], self.shelf, clock, partial(self.pulse.beat, SCHEDULER)
        )
        client_id = f"kwh2mqtt-{store.installation_id()[:8]}"
        state_topic = self.topics.bridge("state")
        self._pollers = {account.latest.source: self.poller(account) for account in self.accounts}
        self.plans = Plans(
            self.topics, self._sources, KeptPlans(store.database), clock, self._publish, settled=lambda: not len(self.shelf)
        )
        offers = {(offer.source, offer.name): offer for offer in self._offers(settings)}
        self.desk = Desk(
            self.topics, offers, settings.grants, settings.commands, Ledger(store.database), clock, redact, self._publish
        )
        self.discovery = DiscoveryTopics(
            settings.home_assistant.prefix if settings.home_assistant else "", f"kwh2mqtt_{store.installation_id()[:8]}"
        )
        self._leftovers = Leftovers(
            self.topics, self.shelf, store, lambda topic: self.discovery.is_ours(topic) or is_warps(topic)
        )
        self.announcer = self._announcer(settings, offers, store)
        self.broker = Broker(
            settings.mqtt, self.shelf, clock, state_topic=state_topic, client_id=client_id,
            commands=self.topics.commands, births=self.discovery.status if self.announcer else None,
            arrived=self._arrived, progress=partial(self.pulse.beat, BROKER),
        )  # fmt: skip
        reports = [account.report for account in self.accounts]
        kinds = {offer.full_name: offer.kind.value for offer in offers.values()}
        self.report = BridgeReport(self.topics, reports, self.shelf, self.broker, clock, kinds, self.pulse.silent)

    async def run(self, stop: asyncio.Event, line: Line | None = None) -> None:
        """Do the main job until `stop` is set; a connection on a `line` that is kept is used, and left there."""
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self.broker.run(line), name="broker"),
                tasks.create_task(self._feed(), name="feed"),
                tasks.create_task(self.desk.run(), name="commands"),
            ]
            await stop.wait()
            for task in reversed(running):  # the broker last: it says goodbye
                while not task.done():  # a library may swallow one cancellation
                    task.cancel()
                    await asyncio.wait([task], timeout=GOODBYE_S)

    async def _feed(self) -> None:
        self.shelf.put([self.report.info()])
        await self._until_the_clock_is_set()
        now = self.clock.now()
        await self.slots.show(now)
        if self.announcer:
            await self.announcer.announce()
        self._leftovers.clear(self._sources)
        self.plans.show(now)
        for account in self.accounts:
            self.shelf.put(account.report.messages(now))
        self._after_news()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CACHE_FIRST_S):
                await self.shelf.emptied()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.slots.run(), name="slots")
            tasks.create_task(self.plans.run(), name="plans")
            tasks.create_task(self.report.run(), name="health")
            if self.announcer:
                tasks.create_task(self.announcer.run(), name="home-assistant")
            for name, poller in self._pollers.items():
                tasks.create_task(poller.run(), name=f"poll-{name}")
            for name, listener in self._listeners():
                tasks.create_task(listener.run(), name=f"listen-{name}")

    def status(self) -> str:
        """Return one line that tells how we fare."""
        now = self.clock.now()
        stale = [account.latest.source for account in self.accounts if account.report.stale(now)]
        broker = "connected to the broker" if self.broker.connected else "no connection to the broker"
        fresh = f"{len(self.accounts) - len(stale)} of {len(self.accounts)} sources online"
        lacking = f", not {', '.join(stale)}" if stale else ""
        return f"{broker}; {fresh}{lacking}"

    def account(self, name: str) -> Account:
        """Return the source called `name`. Raises Misconfigured where there is none."""
        accounts = {account.latest.source: account for account in self.accounts}
        if name not in accounts:
            raise Misconfigured([Fault("SOURCE", f"{name} is not configured", f"use one of: {', '.join(accounts)}")])
        return accounts[name]

    def poller(self, account: Account, *, after_poll: Callable[[], None] | None = None) -> Poller:
        return Poller(
            account.source, account.report, self.topics, self.shelf, self.clock, self.redact,
            after_poll=after_poll or self._after_news,
        )  # fmt: skip

    @property
    def _sources(self) -> dict[str, Latest]:
        return {account.latest.source: account.latest for account in self.accounts}

    def _listeners(self) -> Iterator[tuple[str, Listener]]:
        for account in self.accounts:
            if isinstance(account.source, Listening):
                yield account.latest.source, Listener(
                    account.source, account.report, self.topics, self.shelf, self.clock, self.redact,
                    after_save=self._after_news,
                )  # fmt: skip

    def _offers(self, settings: Settings) -> Iterator[Offer]:
        for account in self.accounts:
            name = account.latest.source
            own, refresh = settings.documents.get(name, {}), self._pollers[name].refresh
            yield from catalogue.offers(name, account.provider, account.source, account.latest, own, refresh)
        yield from Planner(self._sources, self.plans).offers()

    def _announcer(self, settings: Settings, offers: Offers, store: Store) -> Announcer | None:
        if (own := settings.home_assistant) is None:
            return None
        asks = _asks(own.client, offers.values(), settings.grants)
        devices = Devices(own, self.topics, self.discovery, asks, store.installation_id())
        return Announcer(
            devices, list(self._sources.values()), store, self.shelf, self.clock, after_telling=self._leftovers.remember
        )

    def _publish(self, message: Message) -> None:
        self.shelf.put([message])

    def _after_news(self) -> None:
        self.shelf.put([self.report.info(), self.report.health(self.clock.now())])
        self.plans.look_again()
        if self.announcer:
            self.announcer.look_again()
        self._leftovers.remember()

    def _arrived(self, arrival: Arrival) -> None:
        if self.announcer and arrival.topic == self.discovery.status:
            self.announcer.arrived(arrival)
        else:
            self.desk.arrived(arrival)

    async def _until_the_clock_is_set(self) -> None:
        if (now := self.clock.now()) < SANE:
            log.warning("the clock says %s: waiting for the right time before any price is published", now.date())
            while self.clock.now() < SANE:  # nobody tells when a clock is set
                self.pulse.beat(SCHEDULER)
                await asyncio.sleep(1)
            log.info("the clock is set: %s", self.clock.now().isoformat(timespec="seconds"))


@contextlib.asynccontextmanager
async def built(settings: Settings, clock: Clock, redact: Redactor) -> AsyncIterator[App]:
    """Yield the app with its state open, and close all that it opened. Raises Misconfigured for an unusable state folder."""
    with opened(settings.state.directory, clock) as store:
        app = App(settings, store, clock, redact)
        async with AsyncExitStack() as stack:
            for account in app.accounts:
                stack.push_async_callback(account.http.aclose)
            yield app


@contextlib.contextmanager
def opened(directory: Path, clock: Clock) -> Iterator[Store]:
    """Yield the state in `directory`. Raises Misconfigured where the folder cannot be used."""
    try:
        store = Store(directory, clock.now())
    except OSError as error:
        raise unusable(directory, error) from None
    with store:
        yield store


def _account(name: str, settings: Settings, store: Store, clock: Clock, redact: Redactor, topics: Topics) -> Account:
    own, provider = settings.sources[name], settings.providers[name]
    budget = Budget(name, own.budget, store.database)
    http = Http(budget, clock, redact, pause=provider.pause, heeds_rate_limits=provider.heeds_rate_limits)
    identity = _identity(own, store)
    tokens = Pocket(name, identity, store.database)
    about = Surroundings(name, http, clock, redact, store.share(), tokens=tokens, may_write=settings.may_write(name))
    source = provider.source(own, about)
    latest = Latest(name, own.sites, store, identity, own.provider, pricing=own.pricing, windows=own.windows)
    report = SourceReport(topics, own.provider, latest, budget, partial(store.deprecations, name, own.provider))
    return Account(source, latest, report, http, provider, _made_of(name, settings))


def _made_of(name: str, settings: Settings) -> tuple[object, ...]:
    """Return all that an account is made of, by which it is compared; what a file holds that it names is read anew."""
    own = settings.sources.get(name)
    return () if own is None else (own, settings.may_write(name), object() if own.names_a_file else None)


def _asks(client: str, offers: Iterable[Offer], grants: Grants) -> Asks:
    """Return what `client` may ask of each source: writes, and to refresh it."""
    asks: dict[str, tuple[Ask, ...]] = {}
    for offer in offers:
        wanted = offer.kind is Kind.WRITE or offer.name == REFRESH
        if wanted and is_allowed(client, offer.source, offer.name, offer.kind, grants):
            arguments = frozenset(offer.arguments.model_fields) if offer.arguments else frozenset[str]()
            asks[offer.source] = (*asks.get(offer.source, ()), Ask(offer.name, arguments))
    return asks


def _identity(settings: SourceSettings, store: Store) -> str:
    salted = f"{store.installation_id()} {settings.publish_personal_data} {settings.identity()}"
    return hashlib.sha256(salted.encode()).hexdigest()[:16]
