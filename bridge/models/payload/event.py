"""`{site}/event`: what has just become known, each kind with its own keys beside `event_type`."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from bridge.models.payload.base import Number, Payload


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


Event = DispatchPlanned | SavingSession
