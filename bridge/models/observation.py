"""What a poll of a source yields, piece by piece, already in our units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bridge.errors import SourceError
from bridge.models.device import Device
from bridge.models.figure import Figure, Live
from bridge.models.price import Curve
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule
from bridge.models.site import Site


@dataclass(frozen=True)
class SitesSeen:
    """The sites of the account; where not `complete`, one that is missing may only have failed to show."""

    sites: tuple[Site, ...]
    complete: bool = True


@dataclass(frozen=True)
class PricesSeen:
    """Newly learnt slots of one stream of a site (its id).

    Where `whole` is given, they are all there are in that span, and what was known of it otherwise no longer holds.
    """

    site: str
    stream: str
    curve: Curve
    whole: tuple[datetime, datetime] | None = None  # half-open


@dataclass(frozen=True)
class MetersSeen:
    """The meters of a site (its id) that the provider calls as it likes: id → title; readings bear the id from then on.

    Where `complete`, one that is missing is gone, and its readings with it.
    """

    site: str
    meters: Mapping[str, str]
    complete: bool = True


@dataclass(frozen=True)
class ReadingsSeen:
    """The newest readings of a site (its id).

    `past` are those before them that came with the same answer: they are not shown, but energy among them is reckoned with.
    """

    site: str
    readings: tuple[Reading, ...]
    past: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class LiveSeen:
    """What the meters of a site (its id) show now."""

    site: str
    values: tuple[Live, ...]


@dataclass(frozen=True)
class FiguresSeen:
    """Figures of the account that a site (its id) belongs to."""

    site: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class SchedulesSeen:
    """Whole schedules of a site (its id): each takes the place of the one of its kind that was known."""

    site: str
    schedules: tuple[Schedule, ...]


@dataclass(frozen=True)
class DevicesSeen:
    """Every device of a site (its id): one that is missing is gone."""

    site: str
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class Shortfall:
    """A part of a poll that failed while the rest went well: what is known of it stays.

    `behind` tells whether data that ought to be known by now is missing because of it.
    """

    error: SourceError
    site: str | None = None
    behind: bool = True


@dataclass(frozen=True)
class DeprecationsSeen:
    """All that the provider calls deprecated of what we ask for, a line each: `{source}/health` tells it."""

    texts: tuple[str, ...]


Observation = (
    SitesSeen
    | PricesSeen
    | MetersSeen
    | ReadingsSeen
    | LiveSeen
    | FiguresSeen
    | SchedulesSeen
    | DevicesSeen
    | DeprecationsSeen
    | Shortfall
)
