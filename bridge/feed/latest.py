"""What is known now, of every source: the only state of the feed. Filled from the state folder at the start.

A curve keeps the day before yesterday, yesterday, today and tomorrow: 384 quarter-hours. Live values are not kept on disk.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from bridge.feed.keep import kept
from bridge.feed.meanings import Meanings
from bridge.feed.names import Titled, chosen
from bridge.feed.place import Place
from bridge.models.device import Device
from bridge.models.figure import Figure
from bridge.models.observation import (
    DeprecationsSeen,
    FiguresSeen,
    LiveSeen,
    MetersSeen,
    Observation,
    ReadingsSeen,
    Shortfall,
    SitesSeen,
)
from bridge.models.price import Curve
from bridge.models.schedule import Schedule
from bridge.models.site import Site
from bridge.pricing.cost import CostDay
from bridge.pricing.settings import USUAL, PricingSettings
from bridge.pricing.windows import Window, WindowSettings, rechosen
from bridge.state.database import Statement
from bridge.state.store import (
    NamedDevice,
    NamedMeter,
    NamedSite,
    SourceRecord,
    Store,
    removed_site,
    saved,
    saved_deprecations,
    saved_site,
    saved_source,
)
from bridge.topics import RESERVED_SITES

UNNAMED = "site"
TIMELESS = (MetersSeen, ReadingsSeen, LiveSeen, FiguresSeen, DeprecationsSeen)  # no boundary changes how they are drawn


class Latest:
    """One source's sites, all that is known of them, and when each kind was last seen."""

    def __init__(
        self,
        source: str,
        configured: Mapping[str, str],
        store: Store,
        identity: str,
        provider: str = "",
        *,
        pricing: PricingSettings = USUAL,
        windows: Mapping[str, WindowSettings] = MappingProxyType({}),
    ) -> None:
        """`configured` are the user's names for sites by the provider's id; a new `identity` asks for the sites anew.

        It changes with the account and with the leave to publish personal data, of which nothing is kept then.
        """
        self.source, self.provider, self._configured, self._store = source, provider, configured, store
        self.record = store.source(source)
        sites = list(store.sites(source).values())
        if self.record.identity != identity:
            self.record = SourceRecord(identity=identity)
            sites = [NamedSite(name, site.model_copy(update={"personal": None})) for name, site in sites]
        self.version = 0  # grows with every observation of what changes at a boundary
        self.changed = asyncio.Event()  # set with it
        self.meanings = Meanings(pricing)
        self.windows = windows
        self._chosen_by: dict[tuple[str, str], tuple[Curve, datetime]] = {}  # by which prices a window was, and when
        self.places = _restored(store, source, self._named(sites).values(), windows)

    # what providers ask (bridge.providers.base.Known)

    @property
    def sites(self) -> Mapping[str, Site]:
        return {id_: place.site for id_, place in self.places.items()}

    def curve(self, site: str, stream: str) -> Curve | None:
        place = self.places.get(site)
        return place.curves.get(stream) if place else None

    def levelled(self, site: str, stream: str) -> Curve | None:
        """Return the curve with the levels that the topics tell: ours where the provider has none."""
        place = self.places.get(site)
        if place is None or stream not in place.curves:
            return None
        curve, levels = place.curves[stream], self.meanings.of(place, stream).levels
        slots = tuple(slot._replace(level=level) for slot, level in zip(curve.slots, levels, strict=True))
        return curve.model_copy(update={"slots": slots})

    def devices(self, site: str) -> tuple[Device, ...]:
        place = self.places.get(site)
        return tuple(named.device for named in place.devices.values()) if place else ()

    def meters(self, site: str) -> Mapping[str, str]:
        place = self.places.get(site)
        return place.meters if place else {}

    def seen(self, kind: type[Observation]) -> datetime | None:
        return self.record.seen.get(kind.__name__)

    # what polls tell

    def note(self, **changes: object) -> None:
        """Change the record; it is written with the next `save`."""
        self.record = self.record.model_copy(update=changes)

    def keep(self, observation: Observation, moment: datetime, *, polled: bool = True) -> list[Statement]:
        """Take in what a source yielded and return what has to be written; only what was `polled` for counts as seen."""
        if isinstance(observation, Shortfall):
            return []
        if isinstance(observation, SitesSeen):
            statements = self._keep_sites(observation)
        elif isinstance(observation, DeprecationsSeen):
            statements = saved_deprecations(self.source, self.provider, observation.texts)
        else:
            place, statements = kept(observation, self.places[observation.site], self.source, moment)
            self.places[observation.site] = place
        if polled:
            self.note(seen={**self.record.seen, type(observation).__name__: moment})
        if not isinstance(observation, TIMELESS):
            self.version += 1
            self.changed.set()
        return statements

    def choose(self, moment: datetime, sites: Iterable[str] | None = None) -> list[Statement]:
        """Choose the windows of `sites` (all where none are named) by what is known now, and return what has to be written.

        One that was chosen by these prices stands, unless the clock was ahead then: what is still to come may have been left out.
        """
        statements: list[Statement] = []
        for id_ in list(self.places) if sites is None else sites:
            for name, settings in self.windows.items():
                statements += self._choose(id_, name, settings, moment)
        return statements

    def _choose(self, id_: str, name: str, settings: WindowSettings, moment: datetime) -> Iterator[Statement]:
        place = self.places[id_]
        curve, before = place.curves.get(settings.stream), place.windows.get(name)
        known, since = self._chosen_by.get((id_, name), (None, moment))
        if curve is None or (before is not None and known is curve and since <= moment):
            return
        self._chosen_by[id_, name] = curve, moment
        after = rechosen(before or Window(name=name, settings=settings), curve, place.site.zone, moment)
        if after != before:
            self.places[id_] = replace(place, windows={**place.windows, name: after})
            yield saved(self.source, id_, name, after)

    def save(self, statements: Iterable[Statement]) -> None:
        """Write `statements` and the record as one transaction."""
        self._store.save([*statements, saved_source(self.source, self.record)])

    def save_beside(self, statements: Iterable[Statement]) -> None:
        """Write `statements` without the record, which may tell of a poll that is under way and not written yet."""
        self._store.save(statements)

    def _keep_sites(self, observation: SitesSeen) -> list[Statement]:
        statements: list[Statement] = []
        found = {site.id: site for site in observation.sites}
        if observation.complete:
            for gone in self.places.keys() - found.keys():
                del self.places[gone]
                self.meanings.forget(gone)
                self._chosen_by = {key: chosen for key, chosen in self._chosen_by.items() if key[0] != gone}
                statements += removed_site(self.source, gone)
        old = [NamedSite(place.name, place.site) for id_, place in self.places.items() if id_ not in found]
        named = self._named([*old, *(NamedSite(self._name_of(site.id), site) for site in observation.sites)])
        for id_, (name, site) in named.items():
            place = self.places.get(id_, Place(name, site))
            if (place.name, place.site) != (name, site) or id_ in found:
                statements.append(saved_site(self.source, NamedSite(name, site)))
            self.places[id_] = replace(place, name=name, site=site)
        return statements

    def _name_of(self, id_: str) -> str:
        place = self.places.get(id_)
        return place.name if place else ""

    def _named(self, sites: Iterable[NamedSite]) -> dict[str, NamedSite]:
        """Return the sites by id, each under its name."""
        sites = list(sites)
        titled = [Titled(site.id, site.title, name) for name, site in sites]
        names = chosen(titled, UNNAMED, configured=self._configured, reserved=RESERVED_SITES)
        return {site.id: NamedSite(names[site.id], site) for _, site in sites}


def _restored(
    store: Store, source: str, sites: Iterable[NamedSite], configured: Mapping[str, WindowSettings]
) -> dict[str, Place]:
    """Return what the state folder holds of `sites`, by id; of windows those that are `configured` as they were."""
    curves: dict[str, dict[str, Curve]] = {}
    for (id_, stream), curve in store.curves(source).items():
        curves.setdefault(id_, {})[stream] = curve
    readings, figures = store.readings(source), store.kept(source, Figure)
    schedules, devices = store.kept(source, Schedule), store.kept(source, NamedDevice)
    meters, windows, costs = store.kept(source, NamedMeter), store.kept(source, Window), store.kept(source, CostDay)
    return {
        site.id: Place(
            name,
            site,
            curves=curves.get(site.id, {}),
            costs={day.key: day for day in costs.get(site.id, ())},
            windows={
                window.name: window for window in windows.get(site.id, ()) if configured.get(window.name) == window.settings
            },
            meters={meter.id: meter.name for meter in meters.get(site.id, ())},
            readings={(reading.meter, reading.quantity): reading for reading in readings.get(site.id, ())},
            figures={figure.name: figure for figure in figures.get(site.id, ())},
            schedules={schedule.kind: schedule for schedule in schedules.get(site.id, ())},
            devices={named.device.id: named for named in devices.get(site.id, ())},
        )
        for name, site in sites
    }
