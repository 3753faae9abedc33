"""A device that the provider switches: a car, a charge point, a battery. Its dispatches are the spans of cheap or sold energy."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from bridge.models.price import Instant


class Dispatch(BaseModel):
    """One span in which the provider lets the device run."""

    model_config = ConfigDict(frozen=True)

    start: Instant
    end: Instant
    type: str | None = None  # smart, boost, test; the provider's own set, in lower case
    energy_kwh: Decimal | None = None  # into the device; negative where it gives


class Device(BaseModel):
    """One device with what is planned for it and what was done; both in order of time."""

    model_config = ConfigDict(frozen=True)

    id: str  # the provider's own
    title: str  # the provider's name for it, from which the topic's name is once made
    type: str | None = None  # electric_vehicles, batteries, …; the provider's own set, in lower case
    state: str | None = None  # likewise
    planned: tuple[Dispatch, ...] = ()
    completed: tuple[Dispatch, ...] = ()

    def dispatching(self, moment: datetime) -> Dispatch | None:
        """Return the planned dispatch in force at `moment`, or None."""
        return next((dispatch for dispatch in self.planned if dispatch.start <= moment < dispatch.end), None)
