"""What is known now, of every source: the only state of the feed. Filled from the state folder at the start.

A curve keeps the day before yesterday, yesterday, today and tomorrow: 384 quarter-hours.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatchmethod

from bridge.models.observation import Observation, PricesSeen, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.price import Curve
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.pricing.day import midnight
from bridge.state.database import Statement
from bridge.state.store import (
    NamedSite,
    SourceRecord,
    Store,
    removed_site,
    saved_curve,
    saved_reading,
    saved_site,
    saved_source,
)
from bridge.topics import RESERVED_SITES, distinct, fold

KEPT_DAYS = 2  # before today
UNNAMED = "site"


@dataclass
class Place:
    """One site under its topic name, and what is known of it."""

    name: str
    site: Site
    curves: dict[str, Curve] = field(default_factory=dict)  # by stream
    readings: dict[tuple[str, str], Reading] = field(default_factory=dict)  # by meter and quantity


class Latest:
    """One source's sites, curves and readings, and when each kind was last seen."""

    def __init__(self, source: str, configured: Mapping[str, str], store: Store, identity: str) -> None:
        """`configured` are the user's names for sites by the provider's id; a new `identity` asks for the sites anew.

        It changes with the account and with the leave to publish personal data, of which nothing is kept then.
        """
        self.source, self._configured, self._store = source, configured, store
        self.record = store.source(source)
        same = self.record.identity == identity
        if not same:
            self.record = SourceRecord(identity=identity)
        curves, readings = store.curves(source), store.readings(source)
        self.version = 0  # grows with every observation kept
        self.changed = asyncio.Event()  # set with it
        self.places: dict[str, Place] = {}
        for id_, named in self._named(store.sites(source).values()).items():
            kept = {stream: curve for (site, stream), curve in curves.items() if site == id_}
            newest = {(reading.meter, reading.quantity): reading for reading in readings.get(id_, ())}
            site = named.site if same else named.site.model_copy(update={"personal": None})
            self.places[id_] = Place(named.name, site, kept, newest)

    # what providers ask (bridge.providers.base.Known)

    @property
    def sites(self) -> Mapping[str, Site]:
        return {id_: place.site for id_, place in self.places.items()}

    def curve(self, site: str, stream: str) -> Curve | None:
        place = self.places.get(site)
        return place.curves.get(stream) if place else None

    def seen(self, kind: type[Observation]) -> datetime | None:
        return self.record.seen.get(kind.__name__)

    # what polls tell

    def note(self, **changes: object) -> None:
        """Change the record; it is written with the next `save`."""
        self.record = self.record.model_copy(update=changes)

    @singledispatchmethod
    def keep(self, observation: Observation, moment: datetime) -> list[Statement]:  # noqa: ARG002 - singledispatch
        """Take in what a poll yielded and return what has to be written."""
        raise TypeError(observation)

    @keep.register
    def _(self, observation: SitesSeen, moment: datetime) -> list[Statement]:
        statements: list[Statement] = []
        found = {site.id: site for site in observation.sites}
        if observation.complete:
            for gone in self.places.keys() - found.keys():
                del self.places[gone]
                statements += removed_site(self.source, gone)
        old = [NamedSite(place.name, place.site) for id_, place in self.places.items() if id_ not in found]
        named = self._named([*old, *(NamedSite(self._name_of(site.id), site) for site in observation.sites)])
        for id_, (name, site) in named.items():
            place = self.places.setdefault(id_, Place(name, site))
            if (place.name, place.site) != (name, site) or id_ in found:
                statements.append(saved_site(self.source, NamedSite(name, site)))
            place.name, place.site = name, site
        self._saw(SitesSeen, moment)
        return statements

    @keep.register
    def _(self, observation: PricesSeen, moment: datetime) -> list[Statement]:
        place = self.places[observation.site]
        old = place.curves.get(observation.stream)
        newest = old.updated(observation.curve) if old else observation.curve
        curve = newest.since(midnight(moment, place.site.zone, -KEPT_DAYS))
        self._saw(PricesSeen, moment)
        if curve == old:
            return []
        place.curves[observation.stream] = curve
        return [saved_curve(self.source, observation.site, observation.stream, curve)]

    @keep.register
    def _(self, observation: ReadingsSeen, moment: datetime) -> list[Statement]:
        place = self.places[observation.site]
        changed = [reading for reading in observation.readings if place.readings.get(_key(reading)) != reading]
        place.readings.update((_key(reading), reading) for reading in changed)
        self._saw(ReadingsSeen, moment)
        return [saved_reading(self.source, observation.site, reading) for reading in changed]

    @keep.register
    def _(self, _: Shortfall, __: datetime) -> list[Statement]:
        return []

    def save(self, statements: Iterable[Statement]) -> None:
        """Write `statements` and the record as one transaction."""
        self._store.save([*statements, saved_source(self.source, self.record)])

    def _saw(self, kind: type[Observation], moment: datetime) -> None:
        self.version += 1
        self.changed.set()
        self.note(seen={**self.record.seen, kind.__name__: moment})

    def _name_of(self, id_: str) -> str:
        place = self.places.get(id_)
        return place.name if place else ""

    def _named(self, sites: Iterable[NamedSite]) -> dict[str, NamedSite]:
        """Return the sites by id, each under its name: the configured one, else the one it has, else one from its title."""
        sites = list(sites)
        names = {named.site.id: self._configured[named.site.id] for named in sites if named.site.id in self._configured}
        taken = {*names.values(), *RESERVED_SITES}
        for name, site in sorted(sites, key=lambda named: not named.name):  # those that have a name keep it
            if site.id not in names:
                names[site.id] = distinct(name or fold(site.title) or UNNAMED, taken)
                taken.add(names[site.id])
        return {named.site.id: NamedSite(names[named.site.id], named.site) for named in sites}


def _key(reading: Reading) -> tuple[str, str]:
    return reading.meter, reading.quantity
