"""The service: key, allowance, parameters, pages. Every answer bears `RateLimit-*`; every request is remembered.

A window is checked as the provider's page says, and a bucket that is not over yet is in the answer with what it has so far.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from bridge.simulator.sensorfact.calendar import LEVELS, buckets, floor_of, is_finer, window
from bridge.simulator.sensorfact.faults import NOT_FOUND, PAGES, REFUSALS, TOO_MANY, UNAUTHORIZED, Faults, SensorfactFault
from bridge.simulator.sensorfact.points import POINTS, Point
from bridge.simulator.server import Hangup, Request, Response

KEY = "demo-sensorfact-key"  # opens nothing but the simulator
USUAL_PAGE, LARGEST_PAGE = 100, 1000
AUTO = "auto"
ZONE, UTC_ZONE = ZoneInfo("Europe/Amsterdam"), ZoneInfo("UTC")
KNOWN = {"from", "to", "previous", "timezone", "aggregation", "limit", "cursor_after", "page"}


class Paging(StrEnum):
    """How pages follow one another."""

    BOTH = auto()
    CURSOR = auto()
    """A cursor and no `next`."""
    NEXT = auto()
    """A `next` and no cursor; its parameters are none that anybody documents."""
    RELATIVE = auto()
    """Likewise, without a host."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    at: datetime
    path: str
    query: Mapping[str, str]
    key: str | None


@dataclass(frozen=True)
class _Listed:
    """A list that was asked for: its buckets, and the zone of the stamps."""

    point: Point
    buckets: Sequence[tuple[datetime, datetime]]
    zone: ZoneInfo
    query: Mapping[str, str]


class _Refused(Exception):
    def __init__(self, status: int, code: str | None, message: str) -> None:
        self.status, self.code, self.message = status, code, message


class Sensorfact:
    """One customer's site; `base_url` stands before every `next`."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        key: str = KEY,
        points: Sequence[Point] = POINTS,
        paging: Paging = Paging.BOTH,
        limit: int = 200,
        window: timedelta = timedelta(seconds=300),
        zone: ZoneInfo = ZONE,
        stamp_ends: bool = False,
    ) -> None:
        self._now, self._key, self._zone, self._stamp_ends = now, key, zone, stamp_ends
        self.points = {point.path: point for point in points}
        self.paging, self.limit, self.window = paging, limit, window
        self.base_url = "http://127.0.0.1"
        self.faults = Faults()
        self.requests: list[Asked] = []
        self._begun: datetime | None = None  # of the window that runs
        self._spent = 0

    async def handle(self, request: Request) -> Response:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        self.requests.append(Asked(self._now(), request.path, query, request.headers.get("x-api-key")))
        fault = self.faults.take(request.path)
        remaining = self._counted()
        told = self._told(0 if fault in (SensorfactFault.NONE_LEFT, SensorfactFault.TOO_MANY) else max(0, remaining))
        try:
            if remaining < 0:
                raise _Refused(429, None, TOO_MANY)
            if (failed := self._failed(fault)) is not None:
                return failed
            return self._shown(self._listed(request, query), fault, told)
        except _Refused as refused:
            body = {"code": refused.code, "message": refused.message} if refused.code else {"message": refused.message}
            return _json(refused.status, body, told)

    def _counted(self) -> int:
        """Count a request and return how many are left in the window, less than 0 where it is one too many."""
        now = self._now()
        if self._begun is None or now >= self._begun + self.window:
            self._begun, self._spent = now, 0
        self._spent += 1
        return self.limit - self._spent

    def _told(self, remaining: int) -> tuple[tuple[str, str], ...]:
        assert self._begun is not None
        reset = -int((self._now() - self._begun - self.window).total_seconds() // 1)
        policy = f"{self.limit};w={int(self.window.total_seconds())}"
        return (
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(remaining)),
            ("RateLimit-Reset", str(reset)),
            ("RateLimit-Policy", policy),
        )

    def _failed(self, fault: SensorfactFault | None) -> Response | None:
        """Return the answer of a fault that needs to know nothing of the request, else None. Raises _Refused or Hangup."""
        if fault is SensorfactFault.DROP:
            raise Hangup
        if fault in REFUSALS:
            raise _Refused(*REFUSALS[fault])
        if fault in PAGES:
            return Response(*PAGES[fault], "text/html")
        if fault is SensorfactFault.TOO_MANY_BARE:
            return _json(429, {"message": TOO_MANY}, ())
        if fault is SensorfactFault.TOO_MANY_RETRY_AFTER:
            return _json(429, {"message": TOO_MANY}, (("Retry-After", str(self.faults.retry_after_s)),))
        return None

    def _listed(self, request: Request, query: dict[str, str]) -> _Listed:
        if request.headers.get("x-api-key") != self._key:
            raise _Refused(*UNAUTHORIZED)
        point = self.points.get(request.path)
        if point is None or request.method != "GET":
            raise _Refused(*NOT_FOUND)
        if "page" in query:
            query |= dict(parse_qsl(_opened(query.pop("page"))))
        if any(query.get(name) != value for name, value in point.fixed.items()) or set(query) - KNOWN - set(point.fixed):
            raise _invalid(f"unknown or missing parameters; there are: {', '.join(sorted(KNOWN | set(point.fixed)))}")
        zone = _zone(query.get("timezone"), self._zone)
        start, end = self._window(query, zone)
        level = self._level(point, query, start, end, zone)
        return _Listed(point, tuple(buckets(start, min(end, self._now()), level, self._zone)), zone, query)

    def _window(self, query: Mapping[str, str], zone: ZoneInfo) -> tuple[datetime, datetime]:
        absolute = [query[name] for name in ("from", "to") if name in query]
        if ("previous" in query) == bool(absolute) or len(absolute) == 1:
            raise _invalid("give from and to, or previous")
        try:
            if "previous" in query:
                return window(query["previous"], self._now(), self._zone)
            start, end = (datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) for text in absolute)
        except (ValueError, OverflowError):
            raise _invalid("from, to or previous cannot be read") from None
        if start >= end:
            raise _invalid("to must be after from")
        return start, end

    def _level(self, point: Point, query: Mapping[str, str], start: datetime, end: datetime, zone: ZoneInfo) -> str:
        level = query.get("aggregation")
        counted = (
            (UTC_ZONE if query["previous"].removesuffix("-now").endswith("h") else self._zone) if "previous" in query else zone
        )
        floor = floor_of(point.kind, start, end, counted)
        if level == AUTO:
            return floor or "5m"
        if level not in LEVELS:
            raise _invalid(f"aggregation must be one of: {', '.join(LEVELS)}, {AUTO}")
        if floor is not None and is_finer(level, floor):
            raise _invalid(f"the minimum aggregation level for this period is {floor}")
        return level

    def _shown(self, listed: _Listed, fault: SensorfactFault | None, told: tuple[tuple[str, str], ...]) -> Response:
        """Return one page."""
        stamps = [self._stamp(bucket, listed.zone) for bucket in listed.buckets]
        after = _opened(listed.query["cursor_after"]) if "cursor_after" in listed.query else None
        if after is not None and after not in stamps:
            raise _invalid("cursor_after is no longer valid")
        begin = stamps.index(after) + 1 if after is not None else 0
        end = begin + _size(listed.query.get("limit"))
        page = zip(listed.buckets[begin:end], stamps[begin:end], strict=True)
        body: dict[str, Any] = {"data": [listed.point.item(*bucket, self._now(), stamp) for bucket, stamp in page]}
        repeated = fault is SensorfactFault.REPEATED_CURSOR
        if end < len(stamps) or repeated or fault is SensorfactFault.FOREIGN_NEXT:
            body["paging"] = self._paging(listed, stamps[0] if repeated else stamps[min(end, len(stamps)) - 1], fault)
        answer = _json(200, body, told)
        cut = len(answer.body) // 2 if fault is SensorfactFault.TRUNCATED else None
        return Response(answer.status, answer.body, answer.content_type, answer.headers, cut)

    def _paging(self, listed: _Listed, last: str, fault: SensorfactFault | None) -> dict[str, Any]:
        cursor = _closed(last)
        by_cursor = {**listed.query, "cursor_after": cursor}
        host = self.faults.foreign if fault is SensorfactFault.FOREIGN_NEXT else self.base_url
        match self.paging:
            case Paging.CURSOR if fault is not SensorfactFault.FOREIGN_NEXT:
                return {"cursors": {"after": cursor}}
            case Paging.NEXT | Paging.RELATIVE:
                own = {name: value for name, value in listed.query.items() if name in listed.point.fixed}
                rest = {name: value for name, value in by_cursor.items() if name not in own}
                query = urlencode({**own, "page": _closed(urlencode(rest))})
                relative = self.paging is Paging.RELATIVE and host == self.base_url
                return {"next": f"{'' if relative else host}{listed.point.path}?{query}"}
        return {"cursors": {"after": cursor}, "next": f"{host}{listed.point.path}?{urlencode(by_cursor)}"}

    def _stamp(self, bucket: tuple[datetime, datetime], zone: ZoneInfo) -> str:
        return bucket[self._stamp_ends].astimezone(zone).isoformat()


def _zone(name: str | None, usual: ZoneInfo) -> ZoneInfo:
    try:
        return ZoneInfo(name) if name else usual
    except (KeyError, ValueError, OSError):
        raise _invalid("timezone is not known") from None


def _size(text: str | None) -> int:
    if text is None:
        return USUAL_PAGE
    if not text.isdigit() or not 0 < int(text) <= LARGEST_PAGE:
        raise _invalid(f"limit must be a number up to {LARGEST_PAGE}")
    return int(text)


def _closed(text: str) -> str:
    return b64encode(text.encode()).decode()


def _opened(cursor: str) -> str:
    try:
        return b64decode(cursor, validate=True).decode()
    except ValueError:
        raise _invalid("the cursor is no longer valid") from None


def _invalid(message: str) -> _Refused:
    return _Refused(400, "INVALID_REQUEST_PARAMETERS", message)


def _json(status: int, body: object, headers: tuple[tuple[str, str], ...]) -> Response:
    return Response(status, json.dumps(body).encode(), "application/json", headers)
