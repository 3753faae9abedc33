"""What the bridge answers by itself: the shapes of its own operations' results, and of an answer as a whole.

What there may be a thousand of is a dictionary that mypy knows the keys of: it is written as it is, and not checked anew.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from bridge.errors import codes
from bridge.models.payload import Payload, ReadingPayload

Stamp = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]  # an instant that is text already
Code = Annotated[str, WithJsonSchema({"type": "string", "enum": codes()})]


class SlotTold(TypedDict):
    """A slot: [start, end)."""

    start: Stamp
    end: Stamp
    value: float  # major unit per kWh, tax included


class StreamPrices(TypedDict):
    """The known prices of one stream."""

    site: str  # its name on the topics
    stream: str
    currency: str | None
    unit: str | None  # such as EUR/kWh
    slots: list[SlotTold]  # in order; what is unknown is left out


class Prices(Payload):
    """The answer of `prices`."""

    prices: list[StreamPrices]


class SiteTold(TypedDict):
    """A site."""

    site: str  # its name on the topics
    name: str  # the provider's name for it
    timezone: str  # such as Europe/Oslo
    currency: str | None
    streams: list[str]


class Sites(Payload):
    """The answer of `sites`."""

    sites: list[SiteTold]


class ReadingTold(ReadingPayload):
    """A reading, and whose it is; what is unknown is left out."""

    site: str  # its name on the topics
    meter: str
    quantity: str


class Readings(Payload):
    """The answer of `readings`."""

    readings: list[ReadingTold]
    next: str | None  # the `after` of the page that follows; null at the end


class Refreshed(Payload):
    """The answer of `refresh`."""

    refreshed: list[str]  # what has come


class ErrorTold(TypedDict):
    """Why a command was not carried out, or nobody knows whether it was."""

    code: Code
    message: str  # for people
    retry_after: int | None  # s; wait so long
    reasons: list[str]  # the provider's own words, where it said no


class Done(TypedDict):
    """The answer to a command that was carried out."""

    id: str | None  # the command's
    status: Literal["ok"]
    operation: str  # with its source: home.prices
    data: Any  # what differs from operation to operation; {} after a dry run, and of a write whose answer is too long
    duration_ms: int
    replayed: NotRequired[Literal[True]]  # it was carried out before, and this is the answer that was kept


class NotDone(TypedDict):
    """The answer to a command that was not carried out, or of which nobody knows."""

    id: str | None  # the command's, where it could be read
    status: Literal["error"]
    operation: str  # with its source
    error: ErrorTold
    duration_ms: int
    replayed: NotRequired[Literal[True]]


class Audited(TypedDict):
    """`bridge/audit`: a write that was asked for, without its arguments, which may be personal."""

    at: datetime  # when it came
    client: str  # who asked
    operation: str  # with its source: home.notify
    id: str | None
    outcome: str  # ok, or the error's code
    replayed: bool  # whether this is an answer that was kept
    duration_ms: int
