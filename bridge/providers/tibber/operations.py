"""What a device may ask of a Tibber account, as models: arguments in, what the provider knows or confirms out.

Words of the provider's own sets go in lower case here, and in capitals on the wire.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bridge.models.payload.base import Number
from bridge.providers.base import Kind, Operation

Resolution = Literal["hourly", "daily", "weekly", "monthly", "annual"]
Screen = Literal[
    "home", "reports", "consumption", "comparison", "disaggregation", "home_profile", "customer_profile", "meter_reading",
    "notifications", "invoices",
]  # fmt: skip
Avatar = Literal["apartment", "rowhouse", "floorhouse1", "floorhouse2", "floorhouse3", "cottage", "castle"]
HomeType = Literal["apartment", "rowhouse", "house", "cottage"]
Heating = Literal[
    "air2air_heatpump", "air2water_heatpump", "boiler", "central_heating", "district", "district_heating", "electric_boiler",
    "electricity", "floor", "gas", "ground", "oil", "other", "waste",
]  # fmt: skip

MOST: Mapping[Resolution, int] = {"hourly": 744, "daily": 31, "weekly": 52, "monthly": 12, "annual": 1}  # more are cut off
USUAL: Mapping[Resolution, int] = {"hourly": 24, "daily": 7, "weekly": 4, "monthly": 12, "annual": 1}
LENGTHS: Mapping[Resolution, str] = {"hourly": "PT1H", "daily": "P1D", "weekly": "P7D", "monthly": "P1M", "annual": "P1Y"}

# A push holds 4 KiB in all on either kind of phone, and a letter takes up to four bytes.
Title = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=800)]


class Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Energy(Arguments):
    site: str | None = None  # the provider's id; default: all of them
    resolution: Resolution = "hourly"
    last: int | None = Field(default=None, ge=1)  # how many that are over; default: 24 hours, 7 days, 4 weeks, or a year

    @model_validator(mode="after")
    def _no_more_than_there_are(self) -> Self:
        if self.last is not None and self.last > MOST[self.resolution]:
            raise ValueError(f"last must not be greater than {MOST[self.resolution]} where resolution is {self.resolution}")
        return self


class Notify(Arguments):
    title: Title
    message: Text
    screen: Screen | None = None  # that the app opens with


class HomeUpdate(Arguments):
    """What is to be another than before; the rest stays as it is."""

    site: str | None = None  # the provider's id; default: the only one
    app_nickname: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    app_avatar: Avatar | None = None
    size: int | None = Field(default=None, ge=1, le=100_000, strict=True)  # m²
    type: HomeType | None = None
    number_of_residents: int | None = Field(default=None, ge=1, le=1000, strict=True)
    primary_heating_source: Heating | None = None
    has_ventilation_system: bool | None = None
    main_fuse_size: int | None = Field(default=None, ge=1, le=10_000, strict=True)  # A

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.changes():
            raise ValueError(f"name at least one of {', '.join(name for name in type(self).model_fields if name != 'site')}")
        return self

    def changes(self) -> dict[str, str | int | bool]:
        """Return what is given besides the site."""
        return self.model_dump(exclude={"site"}, exclude_none=True)


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Measured(Result):
    """The energy of [start, end)."""

    site: str  # the provider's id
    start: datetime
    end: datetime
    value: Number
    unit: str
    direction: str
    resolution: str  # as ISO 8601 has it, such as PT1H


class Consumed(Measured):
    cost: Number | None  # VAT included, fees not; None where there is no contract
    currency: str | None


class Produced(Measured):
    profit: Number | None
    currency: str | None


class Consumption(Result):
    readings: tuple[Consumed, ...]


class Production(Result):
    readings: tuple[Produced, ...]


class Notified(Result):
    successful: bool
    pushed_to_number_of_devices: int


class HomeState(Result):
    """A home as the provider has it now."""

    site: str  # the provider's id
    app_nickname: str | None
    app_avatar: str | None
    size: int | None  # m²
    type: str | None
    number_of_residents: int | None
    primary_heating_source: str | None
    has_ventilation_system: bool | None
    main_fuse_size: int | None  # A


OPERATIONS = {
    "consumption": Operation(Kind.QUERY, "what was used, and what it cost", Energy, Consumption),
    "production": Operation(Kind.QUERY, "what was produced, and what it earned", Energy, Production),
    "notify": Operation(Kind.WRITE, "show a message on the account's phones", Notify, Notified),
    "home_update": Operation(Kind.WRITE, "correct what Tibber knows of a home", HomeUpdate, HomeState),
}
