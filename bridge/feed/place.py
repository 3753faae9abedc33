"""One site and all that is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bridge.models.figure import Figure, Live
from bridge.models.price import Curve
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule
from bridge.models.site import Site
from bridge.pricing.cost import CostDay
from bridge.pricing.windows import Window
from bridge.state.store import NamedDevice


@dataclass(frozen=True)
class Place:
    """One site under its topic name, and what is known of it."""

    name: str
    site: Site
    curves: Mapping[str, Curve] = field(default_factory=dict)  # by stream
    costs: Mapping[tuple[str, date], CostDay] = field(default_factory=dict)  # by stream and local day
    windows: Mapping[str, Window] = field(default_factory=dict)  # by name
    meters: Mapping[str, str] = field(default_factory=dict)  # names by the provider's id, of those that have one
    readings: Mapping[tuple[str, str], Reading] = field(default_factory=dict)  # by meter and quantity
    figures: Mapping[str, Figure] = field(default_factory=dict)  # by name
    schedules: Mapping[str, Schedule] = field(default_factory=dict)  # by kind
    devices: Mapping[str, NamedDevice] = field(default_factory=dict)  # by the provider's id
    live: Mapping[str, Live] = field(default_factory=dict)  # by quantity; of this run alone

    @property
    def device_names(self) -> frozenset[str]:
        return frozenset(named.name for named in self.devices.values())

    @property
    def tells(self) -> bool:
        """Whether anything but prices is known."""
        return any((self.readings, self.figures, self.schedules, self.devices, self.live))
