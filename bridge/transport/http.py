"""HTTP to one provider: one client a source, reads retried, writes never. Only this module knows httpx2 and tenacity.

Every attempt is counted in the source's budget before it is sent. Redirects are not followed: the key would travel with them.
"""

import asyncio
import json
import logging
import math
import platform
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, NoReturn, Protocol

import httpx2
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from bridge import __version__
from bridge.clock import Clock
from bridge.errors import Malformed, NotFound, RateLimited, Refused, TimedOut, Unauthenticated, Unreachable
from bridge.redact import Redactor

log = logging.getLogger(__name__)
logging.getLogger("httpx2").setLevel(logging.WARNING)  # it would log a line a request

USER_AGENT = f"kwh2mqtt/{__version__} (Python {platform.python_version()}; {platform.system()} {platform.machine()})"
TIMEOUT = httpx2.Timeout(20.0, connect=10.0)
WHOLE_ANSWER_S = 60.0  # an answer that trickles in is given up
LARGEST_ANSWER = 64 * 2**20  # bytes: a thousand homes' two days of quarter-hours are 25 MiB
ATTEMPTS = 3
LONGEST_WAIT_S = 8.0  # between two attempts, full jitter from 0.5 s up
PAUSE = timedelta(minutes=10)  # after a 429 that does not say how long (Tibber bans an address for about so long)
PAUSE_JITTER_S = 60.0
LONGEST_USUAL_PAUSE = timedelta(hours=1)
HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")  # an escape that may be half a letter, which UTF-8 cannot hold
EXCERPT = 120  # characters of a foreign text that an error may quote
LONGEST_READ = 4096  # characters that are looked through for them
LONGEST_PAUSE = timedelta(days=7)  # a provider that names a longer one has made a mistake

HTTP_OK, HTTP_REDIRECTS = 200, 300
HTTP_UNAUTHORIZED, HTTP_FORBIDDEN, HTTP_NOT_FOUND, HTTP_TOO_MANY = 401, 403, 404, 429
HTTP_SERVER_ERRORS = 500


class Meter(Protocol):
    """What counts the requests of a source; see `bridge.state.budget.Budget`."""

    def spend(self, moment: datetime) -> None: ...
    def pause(self, until: datetime) -> None: ...


@dataclass(frozen=True)
class Answer:
    """An answer that came whole: its status, and its body as text."""

    status: int
    content_type: str
    text: str
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
        except ValueError as error:
            raise Malformed(f"the answer is not JSON ({error})") from None
        except (RecursionError, ArithmeticError) as error:  # nested too deep, or an exponent beyond all bounds
            raise Malformed(f"the answer is not JSON ({type(error).__name__})") from None
        return _whole(body) if HALF_A_PAIR.search(self.text) else body

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


class Http:
    """The client of one source. Close it with `aclose`."""

    def __init__(
        self,
        meter: Meter,
        clock: Clock,
        redact: Redactor,
        *,
        pause: timedelta = PAUSE,
        chance: random.Random | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._meter, self._clock, self._redact, self._pause = meter, clock, redact, pause
        self._chance = chance or random.Random()
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None
        self._paused_until: datetime | None = None  # by the last pause
        self._pauses = 0  # in a row, after the first

    async def read(
        self, method: str, url: str, *, headers: Mapping[str, str], body: object = None, is_secret: bool = False
    ) -> Answer:
        """Ask for something that may be asked for again: up to three attempts. Of a secret answer no error quotes a word.

        Raises Unreachable, TimedOut, RateLimited, BudgetSpent. Any answer below 500 but a 429 is returned, judged by `judged`.
        """
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Unreachable),
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S),
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                return await self.write(method, url, headers=headers, body=body, is_secret=is_secret)
        raise AssertionError("unreachable")

    async def write(
        self, method: str, url: str, *, headers: Mapping[str, str], body: object = None, is_secret: bool = False
    ) -> Answer:
        """Send once, whatever happens."""
        self._meter.spend(self._clock.now())
        try:
            answer, retry_after = await self._send(method, url, headers, body)
            answer = replace(answer, is_secret=is_secret)
        except httpx2.TimeoutException as error:
            raise TimedOut(f"{_host(url)} did not answer in time ({type(error).__name__})") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, OSError) as error:
            reason = self._redact(str(error)) or type(error).__name__
            raise Unreachable(f"{_host(url)} cannot be reached: {reason}") from None
        if answer.status == HTTP_TOO_MANY or (answer.status >= HTTP_SERVER_ERRORS and retry_after):
            self.pause(f"the provider answered {answer.status}: {answer.excerpt(self._redact)}", retry_after)
        if answer.status >= HTTP_SERVER_ERRORS and not answer.is_json:
            raise Unreachable(f"{_host(url)} answered {answer.status}: {answer.excerpt(self._redact)}")
        return answer

    def pause(self, reason: str, told: timedelta | None = None) -> NoReturn:
        """Hold every request back for as long as the provider `told`, in full, or for the usual pause. Raises RateLimited.

        The usual pause doubles, up to an hour, where the one before was not enough.
        """
        now = self._clock.now()
        again = self._paused_until is not None and self._paused_until <= now < self._paused_until + LONGEST_USUAL_PAUSE
        self._pauses = self._pauses + 1 if again else 0
        usual = min(self._pause * (1 << min(self._pauses, 10)), max(LONGEST_USUAL_PAUSE, self._pause))
        wait = told or usual + timedelta(seconds=self._chance.uniform(0, PAUSE_JITTER_S))
        self._paused_until = now + wait
        self._meter.pause(self._paused_until)
        raise RateLimited(self._redact(reason), retry_after=wait)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: object) -> tuple[Answer, timedelta | None]:
        content = None if body is None else json.dumps(body, default=str).encode()
        sent = {"User-Agent": USER_AGENT, "Accept": "application/json", **headers}
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = self._opened().stream(method, url, headers=sent, content=content)
        try:
            async with asyncio.timeout(WHOLE_ANSWER_S), request as response:
                received = bytearray()
                async for piece in response.aiter_bytes():
                    received += piece
                    if len(received) > LARGEST_ANSWER:
                        raise Malformed(f"{_host(url)} answered with more than {LARGEST_ANSWER >> 20} MiB")
        except TimeoutError:
            raise TimedOut(f"{_host(url)} did not finish its answer in {WHOLE_ANSWER_S:.0f} s") from None
        text = received.decode("utf-8", "replace")  # JSON is UTF-8 (RFC 8259), whatever the header says
        answer = Answer(response.status_code, response.headers.get("Content-Type", ""), text)
        return answer, retry_after(response.headers.get("Retry-After"), self._clock.now())

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:  # late: its certificates take 20 ms to load, and the first prices come from the cache
            self._client = httpx2.AsyncClient(timeout=TIMEOUT, follow_redirects=False, transport=self._transport)
        return self._client

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))


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


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, LONGEST_PAUSE.total_seconds()) if seconds < math.inf else 0)


def _until(value: str, moment: datetime) -> timedelta:
    date = parsedate_to_datetime(value)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - moment


def _host(url: str) -> str:
    try:
        return httpx2.URL(url).netloc.decode()
    except httpx2.InvalidURL:
        return "the address"


def is_usable(url: str) -> bool:
    """Tell whether a request can be sent to `url` at all."""
    try:
        return bool(httpx2.URL(url).host) and httpx2.Request("GET", url) is not None
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        return False


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
