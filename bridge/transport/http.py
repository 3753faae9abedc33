"""HTTP to one provider: one client a source, reads retried, writes never. Only this module knows httpx2 and tenacity.

Every attempt is counted in the source's budget before it is sent. Redirects are not followed: the key would travel with them.
"""

import asyncio
import json
import logging
import platform
import random
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NoReturn, Protocol

import httpx2
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from bridge import __version__
from bridge.clock import Clock
from bridge.errors import Expired, Malformed, OutcomeUnknown, RateLimited, SourceError, TimedOut, Unreachable
from bridge.redact import Redactor
from bridge.transport.answer import HTTP_SERVER_ERRORS, HTTP_TOO_MANY, dated, told_wait
from bridge.transport.answer import Answer as Answer
from bridge.transport.answer import judged as judged

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

NOT_SENT = (  # before the first byte of the request goes out
    httpx2.ConnectError,  # TLS too
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
    UnicodeError,
)
FAILURES = (*NOT_SENT, httpx2.HTTPError, OSError)


@dataclass(frozen=True)
class Form:
    """A body as a page's form sends it (`application/x-www-form-urlencoded`), such as OAuth 2.0 wants."""

    fields: Mapping[str, str]


@dataclass(frozen=True)
class Upload:
    """A body that is one file of a form (`multipart/form-data`, RFC 7578)."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"
    field: str = "file"


@dataclass
class Sending:
    """What becomes of a write on its way: whoever asks for it lays this in `SENDING`, and reads it when something went wrong."""

    before: datetime  # after it nobody wants it done any more
    asked: bool = False  # whether anything at all was asked of the provider
    sent: bool = False  # whether the write itself may have reached it


SENDING: ContextVar[Sending | None] = ContextVar("SENDING", default=None)


class Meter(Protocol):
    """What counts the requests of a source; see `bridge.state.budget.Budget`."""

    def spend(self, moment: datetime) -> None: ...
    def pause(self, until: datetime) -> None: ...


class Http:
    """The client of one source. Close it with `aclose`."""

    def __init__(
        self,
        meter: Meter,
        clock: Clock,
        redact: Redactor,
        *,
        pause: timedelta = PAUSE,
        heeds_rate_limits: bool = False,
        chance: random.Random | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._meter, self._clock, self._redact, self._pause = meter, clock, redact, pause
        self._heeds_rate_limits = heeds_rate_limits
        self._chance = chance or random.Random()
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None
        self._paused_until: datetime | None = None  # by the last pause
        self._pauses = 0  # in a row, after the first
        self.ahead: timedelta | None = None  # our clock is, of the one that dated the newest answer; None: it has no date

    async def read(
        self, method: str, url: str, *, headers: Mapping[str, str], body: object = None, is_secret: bool = False
    ) -> Answer:
        """Ask for something that may be asked for again: up to three attempts. Of a secret answer no error quotes a word.

        `body` goes as JSON, unless it is a Form or an Upload.

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
                return await self._read_once(method, url, headers, body, is_secret=is_secret)
        raise AssertionError("unreachable")

    async def write(self, method: str, url: str, *, headers: Mapping[str, str], body: object = None) -> Answer:
        """Send once, whatever happens.

        Raises Unreachable, TimedOut or BudgetSpent where nothing was sent, RateLimited where it was not taken, and OutcomeUnknown
        where nobody can tell. Any other answer is returned; that of a server's error only where it is JSON, which may say more.
        """
        sending = SENDING.get()
        if sending is not None and sending.before <= self._clock.now():
            raise Expired("it expired before it could be sent")
        try:
            answer, wait = await self._send(method, url, headers, body, is_write=True)
        except NOT_SENT as error:
            if sending is not None:
                sending.sent = False
            raise self._failure(url, error) from None
        except (*FAILURES, TimedOut, Malformed) as error:
            raise unknown(self._failure(url, error)) from None
        if answer.status == HTTP_TOO_MANY:
            self.pause(self._told(answer), wait)
        if answer.status >= HTTP_SERVER_ERRORS and wait:
            self._hold(wait)
        if answer.status >= HTTP_SERVER_ERRORS and not answer.is_json:
            raise unknown(self._no_answer(url, answer))
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
        self._hold(wait)
        raise RateLimited(self._redact(reason), retry_after=wait)

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _hold(self, wait: timedelta) -> None:
        self._meter.pause(self._clock.now() + wait)

    async def _read_once(self, method: str, url: str, headers: Mapping[str, str], body: object, *, is_secret: bool) -> Answer:
        try:
            answer, wait = await self._send(method, url, headers, body)
            answer = replace(answer, is_secret=is_secret)
        except FAILURES as error:
            raise self._failure(url, error) from None
        if answer.status == HTTP_TOO_MANY or (answer.status >= HTTP_SERVER_ERRORS and wait):
            self.pause(self._told(answer), wait)
        if answer.status >= HTTP_SERVER_ERRORS and not answer.is_json:
            raise self._no_answer(url, answer)
        return answer

    def _failure(self, url: str, error: Exception) -> SourceError:
        """Return what the library raised as one of our errors."""
        if isinstance(error, SourceError):
            return error
        if isinstance(error, httpx2.TimeoutException):
            return TimedOut(f"{_host(url)} did not answer in time ({type(error).__name__})")
        return Unreachable(f"{_host(url)} cannot be reached: {self._redact(str(error)) or type(error).__name__}")

    def _no_answer(self, url: str, answer: Answer) -> Unreachable:
        return Unreachable(f"{_host(url)} answered {answer.status}: {answer.excerpt(self._redact)}")

    def _told(self, answer: Answer) -> str:
        return f"the provider answered {answer.status}: {answer.excerpt(self._redact)}"

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: object, *, is_write: bool = False
    ) -> tuple[Answer, timedelta | None]:
        """Send once, counted; return the answer, and the wait that it asks for."""
        if (sending := SENDING.get()) is not None:
            sending.asked = True
        self._meter.spend(self._clock.now())
        if sending is not None:
            sending.sent = sending.sent or is_write
        request = self._opened().stream(
            method, url, **_written(body, {"User-Agent": USER_AGENT, "Accept": "application/json"} | dict(headers))
        )
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
        told = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, told.get("content-type", ""), text, told)
        now = self._clock.now()
        date = dated(answer)
        self.ahead = None if date is None else now - date
        wait = told_wait(answer, now, heeds_rate_limits=self._heeds_rate_limits)
        if wait is not None and answer.is_success:  # this was the last one for now: the next would be refused
            self._hold(wait)
        return answer, wait

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:  # late: its certificates take 20 ms to load, and the first prices come from the cache
            self._client = httpx2.AsyncClient(
                timeout=TIMEOUT, follow_redirects=False, transport=self._transport, verify=_certificates()
            )
        return self._client

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=seconds))


@cache
def _certificates() -> ssl.SSLContext:
    """Return the system's certificates, read once for all sources: each copy takes 0.8 MiB."""
    return httpx2.create_ssl_context()


def _written(body: object, headers: dict[str, str]) -> dict[str, Any]:
    """Return headers and body as the library takes them."""
    match body:
        case None:
            return {"headers": headers}
        case Form(fields):
            return {"headers": headers, "data": dict(fields)}
        case Upload():
            return {"headers": headers, "files": {body.field: (body.name, body.content, body.content_type)}}
    return {"headers": headers | {"Content-Type": "application/json"}, "content": json.dumps(body, default=str).encode()}


def unknown(error: SourceError) -> OutcomeUnknown:
    """Return what to tell of a write that was sent, after which `error` is all that is known."""
    text = f"{error}; it may have been done all the same, so look before asking again"
    return OutcomeUnknown(text, retry_after=error.retry_after, reasons=error.reasons)


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
