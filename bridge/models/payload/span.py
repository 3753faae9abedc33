"""`schedule/{kind}` and `dispatch/{device}`: what is to happen when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import ConfigDict, TypeAdapter

from bridge.models.payload.base import Number, Payload
from bridge.models.schedule import Span


class SpanPayload(Payload):
    """An element of `schedule/{kind}`; what else is known of it stands beside these keys."""

    model_config = ConfigDict(extra="allow")

    start: datetime
    end: datetime

    @classmethod
    def of(cls, span: Span) -> Self:
        return cls.model_validate({**span.facts, "start": span.start, "end": span.end})


class DispatchPayload(Payload):
    """One span in which the provider lets a device run."""

    start: datetime
    end: datetime
    type: str | None  # smart, boost, test; an open set
    energy_kwh: Number | None  # into the device; negative where it gives


class DevicePayload(Payload):
    """`dispatch/{device}`: a device, what is planned for it and not over, and what was done in the last two days."""

    device_id: str  # the provider's own
    name: str
    type: str | None  # electric_vehicles, batteries, …; an open set
    state: str | None  # likewise
    dispatching: bool  # whether a planned dispatch is in force now
    planned: tuple[DispatchPayload, ...]
    completed: tuple[DispatchPayload, ...]


_SPANS: TypeAdapter[list[SpanPayload]] = TypeAdapter(list[SpanPayload])


def encoded_spans(spans: Sequence[Span]) -> bytes:
    """Return the bare array of `spans`, the facts of each beside its `start` and `end`."""
    found = [SpanPayload.of(span) for span in spans]
    return _SPANS.dump_json(found)
