"""A figure of an account, such as its balance; and a live value of a meter."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from bridge.models.price import Instant


class Figure(BaseModel):
    """One figure of an account at a moment; money in the currency's major unit, a credit is positive."""

    model_config = ConfigDict(frozen=True)

    name: str  # balance, points, …
    value: Decimal
    at: Instant
    currency: str | None = None  # ISO 4217, of money
    unit: str | None = None  # of anything else


class Live(BaseModel):
    """What a meter showed a moment ago; worth nothing a minute later, and never kept."""

    model_config = ConfigDict(frozen=True)

    quantity: str  # power, energy, …
    value: Decimal
    unit: str
    at: Instant
