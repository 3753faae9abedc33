"""Spans in which a device runs, one after the other: their mean price, which of them is in force, and what touches as one."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bridge.models.plan import Segment


def mean(segments: Iterable[Segment]) -> Decimal:
    """Return the mean price of a kWh over `segments`, of which there must be one, weighted by length."""
    weights = [(segment.mean, (segment.end - segment.start) // timedelta.resolution) for segment in segments]
    return sum((price * length for price, length in weights), Decimal()) / sum(length for _, length in weights)


def running(segments: Iterable[Segment], moment: datetime) -> Segment | None:
    """Return the segment in force at `moment`, or None."""
    return next((segment for segment in segments if segment.start <= moment < segment.end), None)


def begun(segments: Iterable[Segment], moment: datetime) -> tuple[Segment, ...]:
    """Return those that have begun at `moment`, over or not."""
    return tuple(segment for segment in segments if segment.start <= moment)


def length(segments: Iterable[Segment]) -> timedelta:
    """Return how long the device runs in all of them."""
    return sum((segment.end - segment.start for segment in segments), timedelta())


def joined(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return `segments`, which must be in order, of which those that touch are one: a device is not switched between them."""
    return tuple(_joined(segments))


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    last: Segment | None = None
    for segment in segments:
        if last is not None and last.end == segment.start:
            last = Segment(last.start, segment.end, mean((last, segment)))
            continue
        if last is not None:
            yield last
        last = segment
    if last is not None:
        yield last
