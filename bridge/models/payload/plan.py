"""`plan/{client}/{name}` and the answers of `cheapest` and `plan`: when to run, and what it costs."""

from datetime import datetime

from bridge.models.payload.base import Payload, Rounded


class SegmentPayload(Payload):
    """One span in which the device runs."""

    start: datetime
    end: datetime
    mean: Rounded  # its price, major unit per kWh


class CheapestPayload(Payload):
    """The cheapest time to run; costs are in the currency's major unit, null where the power is unknown."""

    start: datetime
    end: datetime
    mean: Rounded  # of all segments, weighted by length or by the power
    segments: tuple[SegmentPayload, ...]
    cost: Rounded | None  # major unit
    saving: Rounded | None  # against starting at once, for the same energy; null also where those prices are not known
    currency: str | None
    data_until: datetime  # the end of the known prices


class PlanPayload(CheapestPayload):
    """A kept plan."""

    name: str  # what the client calls it
    source: str
    site: str  # its name on the topics
    stream: str
