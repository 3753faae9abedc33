"""A reading: what a meter measured over a span, or showed at a moment."""

from datetime import timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from bridge.models.price import Instant


class Reading(BaseModel):
    """One value of one quantity of one meter; over [start, end), or at an instant."""

    model_config = ConfigDict(frozen=True)

    meter: str  # import, export, gas, or the device's name
    quantity: str  # energy, power, volume, …
    value: Decimal
    unit: str
    start: Instant | None = None
    end: Instant | None = None
    at: Instant | None = None
    direction: str | None = None  # import, export
    resolution: timedelta | None = None
    aggregation: str | None = None  # mean, sum, p95, where known
