"""A schedule: spans of time that the provider has announced, such as saving sessions."""

from pydantic import BaseModel, ConfigDict

from bridge.models.price import Instant


class Span(BaseModel):
    """One announced [start, end), with what else is known of it."""

    model_config = ConfigDict(frozen=True)

    start: Instant
    end: Instant
    facts: dict[str, str | int | float | bool | None] = {}  # published beside `start` and `end`


class Schedule(BaseModel):
    """Every announced span of one kind, in order of time."""

    model_config = ConfigDict(frozen=True)

    kind: str  # saving-sessions, free-electricity, greener-nights
    spans: tuple[Span, ...]
