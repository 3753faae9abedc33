"""A reading: what a meter measured over a span, or showed at a moment."""

from datetime import timedelta
from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from bridge.models.price import Instant


class Reading(BaseModel):
    """One value of one quantity of one meter; over [start, end), or at an instant."""

    model_config = ConfigDict(frozen=True)

    meter: str  # import, export, gas, the device's name, or the id of one that a MetersSeen has named
    quantity: str  # energy, power, volume, …
    value: Decimal | None = None
    other: bool | str | None = None  # in its place, where it is no number: a state, a name
    unit: str | None = None  # None where nobody says it
    start: Instant | None = None
    end: Instant | None = None
    at: Instant | None = None
    direction: str | None = None  # import, export
    resolution: timedelta | None = None
    aggregation: str | None = None  # mean, sum, p95, where known

    @model_validator(mode="after")
    def _something(self) -> Self:
        if (self.value is None) == (self.other is None):
            raise ValueError("a reading has a value or something other, and not both")
        return self

    @property
    def shown(self) -> Decimal | bool | str:
        """What stands as its value on the topic."""
        found = self.other if self.value is None else self.value
        assert found is not None
        return found
