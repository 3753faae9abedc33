"""What a device may ask of an Octopus account, as models: arguments in, the provider's confirmation out."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bridge.models.device import Device, Dispatch
from bridge.models.figure import Figure, Live
from bridge.models.payload import SpanPayload
from bridge.providers.base import Kind, Operation

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9:_.-]+$")]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LARGEST_READING = 10**8


class Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Nothing(Arguments):
    """No arguments."""


class Paged(Arguments):
    first: int = Field(default=25, ge=1, le=99, strict=True)
    after: str | None = None  # the `next` of the page before


class OfDevice(Arguments):
    device_id: Id  # as on `dispatch/{device}`


class Target(Arguments):
    """What a device is to have reached by `time` (local) on some days: `max` in the unit of the preferences."""

    time: Clock
    max: float
    min: float | None = None
    days: tuple[Day, ...] = WEEK


class ChargePreferences(OfDevice):
    schedules: tuple[Target, ...] = Field(min_length=1, max_length=7)  # together every day of the week, once
    mode: Literal["charge", "cool", "heat"] = "charge"
    unit: Literal["percentage", "percentage_absolute", "percentage_relative", "celsius"] = "percentage"

    @model_validator(mode="after")
    def _a_whole_week(self) -> Self:
        days = sorted(day for target in self.schedules for day in target.days)
        if days != sorted(WEEK):
            raise ValueError("schedules must name each of the seven days once (a schedule without days is for all of them)")
        return self


class JoinSession(Arguments):
    event_code: Id  # as on `schedule/saving-sessions`


class SendReading(Arguments):
    reading: int = Field(ge=0, lt=LARGEST_READING, strict=True)  # what the meter shows, whole units
    meter: Literal["import", "export", "gas"] = "import"
    site: str | None = None  # the provider's id; default: the first
    on: date | None = None  # the day it was read, default today
    register_id: Id | None = None  # of a meter with several


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Transaction(Result):
    """One entry of the account; money in the major unit, a charge negative is the provider's word and kept."""

    id: str | None
    kind: str  # charge, payment, refund, credit
    title: str | None
    posted: date | None
    gross: float | None
    net: float | None
    tax: float | None
    balance: float | None  # after it
    currency: str
    reversed: bool | None


class Transactions(Result):
    transactions: tuple[Transaction, ...]
    next: str | None


class Balances(Result):
    balance: tuple[Figure, ...]


class Telemetry(Result):
    telemetry: tuple[Live, ...]


class OneDevice(Result):
    """A device, with the keys of `dispatch/{device}`."""

    device_id: str
    name: str
    type: str | None
    state: str | None
    planned: tuple[Dispatch, ...]
    completed: tuple[Dispatch, ...]

    @classmethod
    def of(cls, device: Device) -> Self:
        return cls(device_id=device.id, name=device.title, **device.model_dump(exclude={"id", "title"}))


class Devices(Result):
    devices: tuple[OneDevice, ...]


class Dispatches(Result):
    dispatches: tuple[OneDevice, ...]


class SavingSessions(Result):
    saving_sessions: tuple[SpanPayload, ...]


class DeviceState(Result):
    """What the provider says of a device after a write."""

    device_id: str
    state: str | None
    suspended: bool | None


class Preferences(Result):
    device_id: str
    mode: str | None
    unit: str | None
    schedules: tuple[Target, ...]


class Joined(Result):
    joined_event_codes: tuple[str, ...]


class Sent(Result):
    meter: str
    reading: int
    at: datetime


QUERY, WRITE = Kind.QUERY, Kind.WRITE
OPERATIONS = {
    "transactions": Operation(QUERY, "charges and payments, the newest first", Paged, Transactions),
    "balance": Operation(QUERY, "the balance of each account", Nothing, Balances),
    "telemetry": Operation(QUERY, "what a Home Mini shows now", Nothing, Telemetry),
    "dispatches": Operation(QUERY, "planned and completed dispatches, asked for anew", Nothing, Dispatches),
    "devices": Operation(QUERY, "the Intelligent devices", Nothing, Devices),
    "saving_sessions": Operation(QUERY, "announced and joined saving sessions", Nothing, SavingSessions),
    "boost_start": Operation(WRITE, "charge now, whatever the price", OfDevice, DeviceState),
    "boost_cancel": Operation(WRITE, "end a boost charge", OfDevice, DeviceState),
    "smart_control_suspend": Operation(WRITE, "leave a device alone", OfDevice, DeviceState),
    "smart_control_resume": Operation(WRITE, "control a device again", OfDevice, DeviceState),
    "charge_preferences_set": Operation(WRITE, "how full by when, for each day of the week", ChargePreferences, Preferences),
    "saving_session_join": Operation(WRITE, "join a saving session", JoinSession, Joined),
    "meter_reading_send": Operation(WRITE, "send what a meter shows", SendReading, Sent),
}
