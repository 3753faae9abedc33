"""A command as it came: who asks whom for what, with which body, and where the answer goes. Read once, at the door."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from bridge.errors import BadRequest, Expired, WasRetained
from bridge.faults import nearest
from bridge.models.message import Arrival
from bridge.models.price import Instant
from bridge.topics import Errand, Topics, is_publishable

LARGEST = 64 * 1024  # bytes of a payload
LONGEST_KEY = 64  # characters of one that is told
LONGEST_TOLD = 300  # characters of what is wrong with one


class Body(BaseModel):
    """The payload of a command; an empty one stands for an empty object."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None  # comes back in the answer
    expires_at: Instant | None = None  # after that it is not carried out
    dry_run: bool = False  # whether it is only to be checked
    args: dict[str, Any] = {}  # the operation's own

    @field_validator("args")
    @classmethod
    def _is_json(cls, args: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(args, allow_nan=False)
        except ValueError:  # NaN and 1e999, which pydantic lets pass and no provider can read
            raise ValueError("a number in it is none that JSON can hold") from None
        return args


@dataclass(frozen=True)
class Reply:
    """Where an answer goes, and what goes with it."""

    topic: str
    operation: str  # with its source: home.notify
    qos: int = 1
    correlation: bytes | None = None

    def encoded(self) -> str:
        correlation = self.correlation.hex() if self.correlation is not None else None
        return json.dumps([self.topic, self.operation, self.qos, correlation])

    @classmethod
    def decoded(cls, text: str) -> "Reply":
        topic, operation, qos, correlation = json.loads(text)
        return cls(topic, operation, qos, bytes.fromhex(correlation) if correlation is not None else None)


def reply_to(arrival: Arrival, errand: Errand, topics: Topics) -> tuple[Reply, BadRequest | None]:
    """Return where the answer goes: where the request says, provided that is the client's own; else with the reason why not."""
    usual = Reply(topics.response(errand), f"{errand.source}.{errand.operation}", arrival.qos, arrival.correlation)
    wanted = arrival.response_topic
    if wanted is None or wanted == usual.topic:
        return usual, None
    own = topics.responses(errand.client)
    if not wanted.startswith(own) or len(wanted) == len(own) or not is_publishable(wanted) or ".." in wanted.split("/"):
        return usual, BadRequest(f"the response topic must lie below {own}")
    return replace(usual, topic=wanted), None


def body_of(arrival: Arrival, moment: datetime) -> Body:
    """Return what the payload asks for. Raises WasRetained, BadRequest or Expired."""
    if arrival.retained:
        raise WasRetained(
            "a retained command is not carried out: send it without the retain flag, and clear it with an empty one"
        )
    if len(arrival.payload) > LARGEST:
        raise BadRequest(f"the payload has {len(arrival.payload)} bytes; {LARGEST} are the most")
    body = _read(arrival.payload)
    if body.expires_at is not None and body.expires_at <= moment:
        raise Expired(f"it expired at {body.expires_at:%Y-%m-%dT%H:%M:%SZ}, and it is {moment:%Y-%m-%dT%H:%M:%SZ}")
    if arrival.expires_in_s is not None and arrival.expires_in_s <= 0:
        raise Expired("its message expiry is over")
    return body


def deadline(body: Body, arrival: Arrival, moment: datetime, longest: timedelta) -> datetime:
    """Return until when the answer is worth anything."""
    ends = [moment + longest]
    if body.expires_at is not None:
        ends.append(body.expires_at)
    if arrival.expires_in_s is not None:
        ends.append(moment + timedelta(seconds=arrival.expires_in_s))
    return min(ends)


def id_in(payload: bytes) -> str | None:
    """Return the id of a payload that is otherwise no good, so that whoever sent it knows the answer."""
    try:
        found = json.loads(payload[:LARGEST])
    except (ValueError, RecursionError):
        return None
    given = found.get("id") if isinstance(found, dict) else None
    return given if isinstance(given, str) and 0 < len(given) <= 64 and given.isprintable() else None  # noqa: PLR2004


def told(error: ValidationError, known: type[BaseModel] | None = None) -> str:
    """Return what is wrong with a body or its arguments, with names and without values.

    `known` are the keys that there are, for the mend of one that is not.
    """
    keys = [field.alias or name for name, field in known.model_fields.items()] if known else []
    entries = error.errors(include_input=False, include_url=False, include_context=False)
    text = "; ".join(f"{_place(entry['loc'])}{_words(entry, keys)}" for entry in entries)
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


def _read(payload: bytes) -> Body:
    if not payload.strip():
        return Body()
    try:
        return Body.model_validate_json(payload)
    except ValidationError as error:
        raise BadRequest(told(error)) from None
    except OverflowError:  # such as the year 1 east of Greenwich
        raise BadRequest("expires_at: lies beyond all years") from None
    except (ValueError, RecursionError) as error:  # text that is no Unicode, nesting beyond all bounds
        raise BadRequest(f"the payload cannot be read ({type(error).__name__})") from None


def _place(location: tuple[int | str, ...]) -> str:
    path = ".".join(str(step)[:LONGEST_KEY] for step in location)
    return f"{path}: " if path else ""


def _words(entry: Any, keys: list[str]) -> str:
    if entry["type"] == "extra_forbidden":
        mend = f"; {nearest(str(entry['loc'][0])[:LONGEST_KEY], keys)}" if keys and len(entry["loc"]) == 1 else ""
        return f"is not a known key{mend}"
    if entry["type"] == "missing":
        return "is missing"
    return str(entry["msg"]).removeprefix("Value error, ")
