"""The answer to a command: one JSON object, whatever happened."""

import json
import math
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from bridge.errors import BridgeError
from bridge.models.payload.base import Payload

SHORT = 1024  # bytes of an answer that every broker takes


class Plain(dict[str, Any]):
    """What is as JSON has it already: a thousand slots need not be looked at one by one."""


def ok(id_: str | None, operation: str, data: Any, duration: timedelta) -> dict[str, Any]:
    """Return the answer of a command that was carried out."""
    return {"id": id_, "status": "ok", "operation": operation, "data": plain(data), "duration_ms": _milliseconds(duration)}


def failed(
    id_: str | None, operation: str, error: BridgeError, duration: timedelta, told: Callable[[str], str]
) -> dict[str, Any]:
    """Return the answer of one that was not, or of which nobody knows; `told` makes a text fit for anybody's eyes."""
    wait = getattr(error, "retry_after", None)
    about = {
        "code": error.code,
        "message": told(str(error)),
        "retry_after": None if wait is None else max(1, -int(-wait.total_seconds() // 1)),  # s, rounded up
        "reasons": [told(reason) for reason in getattr(error, "reasons", ())],
    }
    return {"id": id_, "status": "error", "operation": operation, "error": about, "duration_ms": _milliseconds(duration)}


def instead(answer: dict[str, Any], payload: bytes, *, is_write: bool = False) -> bytes:
    """Return a short answer for a broker that does not take the long one; nothing where it is short itself."""
    if len(payload) <= SHORT:
        return b""
    if is_write and answer["status"] == "ok":  # it was done, and is not to be asked for again
        return encoded({**answer, "data": {}})
    text = f"the answer has {len(payload)} bytes, more than the broker takes: ask for less at once"
    told: dict[str, Any] = {"code": "unavailable", "message": text, "retry_after": None, "reasons": []}
    return encoded({**{key: answer[key] for key in ("id", "operation", "duration_ms")}, "status": "error", "error": told})


def encoded(answer: dict[str, Any]) -> bytes:
    """Return `answer` as it is published; half a letter, which UTF-8 cannot hold, as `?`."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def plain(value: Any) -> Any:
    """Return `value` as JSON has it: models as objects, prices as numbers, instants as in every payload of ours.

    A payload is what stands on its topic, to the last digit. What no JSON number can hold is unknown.
    """
    if isinstance(value, Plain):
        return value
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json" if isinstance(value, Payload) else "python")
    match value:
        case dict():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(inner) for inner in value]
        case Decimal() | float():
            return float(value) if math.isfinite(value) else None
        case str() | int() | None:
            return value
    return to_jsonable_python(value)


def _milliseconds(duration: timedelta) -> int:
    return max(0, int(duration / timedelta(milliseconds=1)))
