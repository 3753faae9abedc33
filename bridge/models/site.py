"""A site: one home, property, facility or tenant of a source."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator


class Site(BaseModel):
    """What a provider tells of one site."""

    model_config = ConfigDict(frozen=True)

    id: str  # the provider's own, never shown on a topic
    title: str  # the provider's name for it, from which the topic's name is once made
    timezone: str  # IANA name; the local day is counted in it
    currency: str | None = None  # ISO 4217
    price_area: str | None = None
    streams: tuple[str, ...] = ()  # import, export, gas
    standing_charges: dict[str, Decimal] = {}  # stream → major unit per day, tax included
    tariffs: dict[str, str] = {}  # stream → the provider's code of the tariff in force
    personal: dict[str, str] | None = None  # address and numbers, only where the user said they may be published

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            return ZoneInfo(name).key
        except (KeyError, OSError) as error:  # an unknown zone is a KeyError
            raise ValueError("is not a known time zone") from error

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
