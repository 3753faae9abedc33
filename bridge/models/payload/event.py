"""`{site}/event`: what has just become known, each kind with its own keys beside `event_type`."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from bridge.models.payload.base import Number, Payload, Rounded


class DispatchPlanned(Payload):
    """A dispatch was planned that was not known, or one was moved."""

    event_type: Literal["dispatch_planned"] = "dispatch_planned"
    device: str  # its name on the topics
    device_id: str  # the provider's own
    start: datetime
    end: datetime
    type: str | None  # smart, boost, test; an open set
    energy_kwh: Number | None  # into the device; negative where it gives


class SavingSession(Payload):
    """A saving session was announced; what else is known of it stands beside these keys."""

    model_config = ConfigDict(extra="allow")

    event_type: Literal["saving_session"] = "saving_session"
    start: datetime
    end: datetime


class PricesPublished(Payload):
    """Prices became known that reach further than those that were known."""

    event_type: Literal["prices_published"] = "prices_published"
    stream: str
    start: datetime  # of what is new
    end: datetime
    min: Number  # of what is new, major unit per kWh
    max: Number
    mean: Rounded
    currency: str | None


class NegativePrice(Payload):
    """A span of prices below zero became known, which is not over; an event for each."""

    event_type: Literal["negative_price"] = "negative_price"
    stream: str
    start: datetime
    end: datetime
    min: Number  # the lowest of it
    mean: Rounded
    currency: str | None


class WindowStarted(Payload):
    """A configured window has begun."""

    event_type: Literal["window_started"] = "window_started"
    window: str
    stream: str
    start: datetime
    end: datetime
    mean: Rounded


class PlanFinished(Payload):
    """The last segment of a kept plan is over."""

    event_type: Literal["plan_finished"] = "plan_finished"
    client: str
    name: str
    stream: str
    start: datetime
    end: datetime
    mean: Rounded  # major unit per kWh
    cost: Rounded | None  # major unit; null where the power is unknown
    currency: str | None


Event = DispatchPlanned | SavingSession | PricesPublished | NegativePrice | WindowStarted | PlanFinished
