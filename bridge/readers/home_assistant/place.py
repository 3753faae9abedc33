"""What Home Assistant is told of: sites and sources, as whoever knows them has them."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from bridge.models.figure import Figure, Live
from bridge.models.price import Curve
from bridge.models.reading import Reading
from bridge.models.schedule import Schedule
from bridge.models.site import Site
from bridge.pricing.cost import CostDay
from bridge.pricing.windows import Window
from bridge.state.store import NamedDevice


class Place(Protocol):
    """A site under its topic name, and what is known of it. It is never changed: what is news makes another."""

    @property
    def name(self) -> str: ...
    @property
    def site(self) -> Site: ...
    @property
    def curves(self) -> Mapping[str, Curve]: ...  # by stream
    @property
    def costs(self) -> Mapping[tuple[str, date], CostDay]: ...  # by stream and local day
    @property
    def windows(self) -> Mapping[str, Window]: ...  # by name
    @property
    def readings(self) -> Mapping[tuple[str, str], Reading]: ...  # by meter and quantity
    @property
    def figures(self) -> Mapping[str, Figure]: ...  # by name
    @property
    def schedules(self) -> Mapping[str, Schedule]: ...  # by kind
    @property
    def devices(self) -> Mapping[str, NamedDevice]: ...  # by the provider's id
    @property
    def live(self) -> Mapping[str, Live]: ...  # by quantity; of this run alone


class Holdings(Protocol):
    """All that is known of one source."""

    @property
    def source(self) -> str: ...  # the name that its topics bear
    @property
    def provider(self) -> str: ...
    @property
    def places(self) -> Mapping[str, Place]: ...  # by the provider's id
