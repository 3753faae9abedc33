"""What a pipeline of OctoMesh's sends, read as the configuration says. Pure.

A message is a MassTransit envelope around JSON in a string, whose shape is the pipeline's own, as are its units.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bridge.clock import SANE
from bridge.models.reading import Reading
from bridge.providers.octomesh.raw import ODD, instant, scalar
from bridge.topics import fold
from bridge.transport.amqp import Delivery

CONTENT_TYPE = "application/vnd.masstransit+json"
MESSAGE_TYPE = "urn:message:Meshmakers.Octo.Communication.Contracts.MessageObjects:PipelineDataReceived"
LARGEST = 2**20  # bytes of a message
UNREADABLE = (*ODD, IndexError, RecursionError)


class Odd(ValueError):
    """What cannot be read, in words of our own, so that they may be told."""


# what is where


def _is_path(text: str) -> bool:
    head, *steps = text.split(".")
    return head == "$" and bool(steps) and all(steps)


def _path(text: str) -> str:
    if text != "$" and not _is_path(text):
        raise ValueError("must be a path such as $.meter.power")
    return text


def _name_or_path(text: str) -> str:
    if not _is_path(text) and not fold(text):
        raise ValueError("must be a name, or a path such as $.meter.name")
    return text


def _word(text: str) -> str:
    if not text.isprintable() or set(text) & set("*# "):
        raise ValueError("must be an id, without blanks and wildcards")
    return text


Path = Annotated[str, AfterValidator(_path)]
NameOrPath = Annotated[str, AfterValidator(_name_or_path)]
Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_word)]


class ValueSettings(BaseModel):
    """`[[sources.NAME.amqp.values]]`: where one value lies in what a pipeline sends.

    A path is `$` for the whole, then after dots the names of keys, or the numbers of items from 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    value: Path
    meter: NameOrPath
    quantity: NameOrPath
    unit: str | None = None  # or a path
    time: Path | None = None  # default: when OctoMesh received it, else when the pipeline's run began
    each: Path = "$"  # a list at each of whose items the other paths begin; what is no list is taken as one item
    pipeline: Word | None = None


# reading it; all of these raise one of UNREADABLE


def opened(delivery: Delivery) -> tuple[Any, datetime | None]:
    """Return what the pipeline sent, and since when it holds, None where nobody says it."""
    if (delivery.content_type or "").partition(";")[0].strip() != CONTENT_TYPE:
        raise Odd(f"its content type is not {CONTENT_TYPE}")
    if len(delivery.body) > LARGEST:
        raise Odd(f"it has more than {LARGEST} bytes")
    envelope = _parsed(delivery.body)
    if MESSAGE_TYPE not in envelope["messageType"]:
        raise Odd(f"its type is not {MESSAGE_TYPE}")
    message = envelope["message"]
    said = message.get("externalReceivedDateTime") or message.get("transactionStartedDateTime")
    return _parsed(message["value"]), _sane(said) if said else None


def items(content: Any, row: ValueSettings) -> Sequence[Any]:
    """Return what `row` is to be read in, one by one."""
    found = _at(content, row.each)
    return found if isinstance(found, list) else [found]


def reading(item: Any, row: ValueSettings, sent: datetime) -> Reading | None:
    """Return the reading of `row` in an item sent at `sent`, None where its value is unknown."""
    value = scalar(_at(item, row.value))
    if value is None:
        return None
    meter, quantity = (fold(_text(item, name)) for name in (row.meter, row.quantity))
    if not meter or not quantity:
        raise Odd("a name has neither letters nor digits")
    return Reading(
        meter=meter,
        quantity=quantity,
        value=value if isinstance(value, Decimal) else None,
        other=None if isinstance(value, Decimal) else value,
        unit=_text(item, row.unit) if row.unit else None,
        at=_sane(_at(item, row.time)) if row.time else sent,
    )


def _at(value: Any, path: str) -> Any:
    for step in path.split(".")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _text(item: Any, text: str) -> str:
    return str(_at(item, text)) if _is_path(text) else text


def _sane(text: Any) -> datetime:
    moment = instant(text)
    if moment < SANE:  # such as the year 1, which stands for no time at all
        raise Odd("it is of a time long ago")
    return moment


def _parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refused)


def _refused(_: str) -> None:
    raise Odd("it holds a number that JSON does not know")
