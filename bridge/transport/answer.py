"""What a provider answered over HTTP: its status, its body, how long to wait, and what that means."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, NoReturn

from bridge.errors import Malformed, NotFound, Refused, Unauthenticated, Unreachable

HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")  # an escape that may be half a letter, which UTF-8 cannot hold
EXCERPT = 120  # characters of a foreign text that an error may quote
LONGEST_READ = 4096  # characters that are looked through for them
LONGEST_PAUSE = timedelta(days=7)  # a provider that names a longer one has made a mistake

HTTP_OK, HTTP_REDIRECTS = 200, 300
HTTP_UNAUTHORIZED, HTTP_FORBIDDEN, HTTP_NOT_FOUND, HTTP_TOO_MANY = 401, 403, 404, 429
HTTP_SERVER_ERRORS = 500


@dataclass(frozen=True)
class Answer:
    """An answer that came whole: its status, and its body as text."""

    status: int
    content_type: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)  # names in lower case
    is_secret: bool = False  # it may hold a token that nobody has learnt to hide yet: no error quotes it

    @property
    def is_success(self) -> bool:
        return HTTP_OK <= self.status < HTTP_REDIRECTS

    @cached_property
    def is_json(self) -> bool:
        """Whether it says so, or is an object of JSON whatever it says."""
        return "json" in self.content_type or self._is_object()

    def json(self) -> Any:
        """Return the body read as JSON, numbers with a fraction as Decimal. Raises Malformed where it is none."""
        try:
            body = json.loads(self.text, parse_float=Decimal, parse_constant=_no_constant)
            return _whole(body) if HALF_A_PAIR.search(self.text) else body
        except ValueError as error:
            raise Malformed(f"the answer is not JSON ({error})") from None
        except (RecursionError, ArithmeticError) as error:  # nested too deep, or an exponent beyond all bounds
            raise Malformed(f"the answer is not JSON ({type(error).__name__})") from None

    def _is_object(self) -> bool:
        try:
            return self.text.lstrip().startswith("{") and isinstance(self.json(), dict)
        except Malformed:
            return False

    def excerpt(self, redact: Callable[[str], str]) -> str:
        """Return what an error may quote of the body: a line, without secrets, not even the beginning of one."""
        if self.is_secret:
            return "an answer that may hold a token"
        text = redact(self.text[:LONGEST_READ])
        if "html" in self.content_type:
            title = re.search(r"<title>([^<]*)</title>", text, re.IGNORECASE)
            return f"a page of HTML, {shortened(title[1])}" if title else "a page of HTML"
        return shortened(text)


def _whole(value: Any) -> Any:
    """Return `value` with `?` for each half of a surrogate pair."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_whole(item) for item in value]
        case dict():
            return {_whole(key): _whole(item) for key, item in value.items()}
        case _:
            return value


def shortened(text: str) -> str:
    """Return `text` as one line of no great length."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else f"{line[:EXCERPT]}…"


def judged(answer: Answer, redact: Callable[[str], str]) -> Answer:
    """Return `answer` where it is a success. Raises by its status where it is not."""
    status, text = answer.status, answer.excerpt(redact)
    if answer.is_success:
        return answer
    if status == HTTP_UNAUTHORIZED or (status == HTTP_FORBIDDEN and answer.is_json):
        raise Unauthenticated(f"{status}: {text}")
    if status == HTTP_FORBIDDEN or status >= HTTP_SERVER_ERRORS:  # a 403 page of HTML is a gateway's, not the provider's
        raise Unreachable(f"the provider answered {status}: {text}")
    if status == HTTP_NOT_FOUND:
        raise NotFound(f"the provider answered 404: {text}")
    raise Refused(f"the provider answered {status}: {text}", reasons=(text,))


def retry_after(value: str | None, moment: datetime) -> timedelta | None:
    """Return the wait that a `Retry-After` header asks for, in seconds or as a date (RFC 9110 §10.2.3), or None."""
    if not value:
        return None
    try:
        wait = _span(float(value)) if value.strip().isdigit() else _until(value, moment)
    except (ValueError, OverflowError):
        return None
    return min(wait, LONGEST_PAUSE) if wait > timedelta() else None


def dated(answer: Answer) -> datetime | None:
    """Return when the provider made the answer, by its clock, to the second (RFC 9110 §6.6.1); None of one that a cache kept."""
    if "age" in answer.headers:
        return None
    try:
        date = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def told_wait(answer: Answer, moment: datetime, *, heeds_rate_limits: bool = False) -> timedelta | None:
    """Return the wait that an answer asks for, or None: by `Retry-After`, else by `RateLimit-Reset` where that is to be heeded.

    Those headers are of the IETF's draft-ietf-httpapi-ratelimit-headers-07: `RateLimit-Reset` counts seconds from now.
    """
    wait = None if answer.is_success else retry_after(answer.headers.get("retry-after"), moment)
    if (
        wait is None
        and heeds_rate_limits
        and (answer.status == HTTP_TOO_MANY or answer.headers.get("ratelimit-remaining") == "0")
    ):
        reset = answer.headers.get("ratelimit-reset", "").strip()
        wait = _span(float(reset)) if reset.isascii() and reset.isdigit() else None
    return wait or None


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds()) if seconds < math.inf else 0)


def _until(value: str, moment: datetime) -> timedelta:
    date = parsedate_to_datetime(value)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - moment


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
