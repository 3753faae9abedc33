"""Hours of the past, import and export side by side: one request a page.

A page may hold less than was asked for, as unknown hours are left out: only a missing cursor tells the end. The newest zeros can
be judged only together with all that follow, so a page that comes near to them reaches to the last hour there is.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bridge.errors import Malformed, SourceError
from bridge.models.mark import Mark
from bridge.models.price import HOUR
from bridge.models.reading import Reading
from bridge.providers.base import Page, Span
from bridge.providers.tibber import energy
from bridge.providers.tibber.documents import ENERGY_OF
from bridge.providers.tibber.energy import CONSUMPTION, LATE_ZEROS, PRODUCTION, REGISTERS, Register, Row
from bridge.providers.tibber.raw import cursor
from bridge.transport.graphql import Json, PathError, Result

CAP = 744  # hours of one answer; more are cut off without a word
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)  # before the first hour of any home
MARGIN = 2  # hours: one before the first, as nothing says whether `after` is inclusive, and one that still runs
MOST = CAP - LATE_ZEROS // HOUR - 2 * MARGIN


class Window(NamedTuple):
    """Which hours one page is made of: from `begin` (None: the first there is) up to `end`, of which so many are asked for."""

    begin: datetime | None
    end: datetime
    hours: int


class Tape(NamedTuple):
    """What one register holds of a page, oldest first: all there is of it before `until`, None: all there is."""

    readings: Sequence[Reading]
    until: datetime | None


class History:
    """Asks for the hours of one home."""

    def __init__(self, ask: Callable[..., Awaitable[Result]], translate: Callable[[PathError], SourceError]) -> None:
        self._ask, self._translate = ask, translate

    async def page(self, site: str, span: Span, moment: datetime) -> Page:
        """Return a page of the hours that start in `span`. Raises SourceError, or BadRequest for a strange cursor."""
        mark = Mark.read(span.after) if span.after is not None else None
        registers = [register for register in REGISTERS if span.meter in (None, register.direction)]
        window = _window(span, mark, moment)
        if not registers or span.quantity not in (None, "energy") or (window.begin or LONG_AGO) >= window.end:
            return Page(())
        home = await self._home(site, registers, window)
        return _cut([_tape(home, register, window, moment) for register in registers], span, window.end, mark)

    async def _home(self, site: str, registers: Sequence[Register], window: Window) -> Mapping[str, Any]:
        place: Json = {} if window.begin is None else {"after": cursor(window.begin - HOUR)}
        which = {"consumed": CONSUMPTION in registers, "produced": PRODUCTION in registers}
        result = await self._ask(ENERGY_OF, home=site, resolution="HOURLY", first=window.hours, **which, **place)
        for register in registers:
            if error := result.error_at("viewer", "home", register.field):
                raise self._translate(error)
        home = (result.data.get("viewer") or {}).get("home")
        if not isinstance(home, dict):
            raise Malformed("the answer holds no home")
        return home


def _window(span: Span, mark: Mark | None, moment: datetime) -> Window:
    starts = [start for start in (span.start, mark.start if mark else None) if start is not None]
    end = min(span.end or moment, _whole(moment))
    begin = min(_whole(max(LONG_AGO, *starts)), end) if starts else None
    return Window(begin, end, _hours(begin, end, span.first, moment))


def _whole(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _hours(begin: datetime | None, end: datetime, first: int, moment: datetime) -> int:
    """Return how many hours to ask for, so that there are `first` of one register."""
    most = min(first, MOST)
    if begin is None:
        return most + MARGIN
    last = min(begin + most * HOUR, end)
    if last > moment - LATE_ZEROS - HOUR:
        last = moment
    return -((begin - last) // HOUR) + MARGIN


def _tape(home: Mapping[str, Any], register: Register, window: Window, moment: datetime) -> Tape:
    """Return what came of one register. Where more is to come, the newest zeros are left to the page that has it all."""
    rows = energy.rows(home, register)
    if _has_more(energy.connected(home, register), rows, window):
        settled = rows[: len(rows) - energy.late(rows, register, moment)]
        until = rows[len(settled)].start if len(settled) < len(rows) else rows[-1].end
        if until > (window.begin or LONG_AGO):
            return Tape(energy.readings(settled, register), until)
    return Tape(energy.readings(energy.known(rows, register, moment), register), None)


def _has_more(connection: Mapping[str, Any], rows: Sequence[Row], window: Window) -> bool:
    """Tell whether there are hours of the window behind `rows`. Raises Malformed where the provider did not heed the cursor."""
    if not rows or rows[-1].end >= window.end:
        return False
    if window.begin is not None and rows[-1].end <= window.begin:
        if rows[0].start < window.begin - HOUR:
            raise Malformed("the pages of a home's energy do not move on")
        return False
    said = (connection.get("pageInfo") or {}).get("hasNextPage")
    return len(rows) >= window.hours if said is None else bool(said)


def _cut(tapes: Sequence[Tape], span: Span, end: datetime, mark: Mark | None) -> Page:
    """Return the page; what follows begins with the next reading, or where the provider has not told all."""
    until = min((tape.until for tape in tapes if tape.until is not None), default=None)
    stop = end if until is None else until
    places = {_place(reading): reading for tape in tapes for reading in tape.readings}
    wanted = [place for place in sorted(places) if _is_within(place, span.start, stop) and (mark is None or place >= mark)]
    found = tuple(places[place] for place in wanted[: span.first])
    if len(wanted) > span.first:
        return Page(found, wanted[span.first].cursor())
    return Page(found, None if until is None else Mark(until).cursor())


def _is_within(place: Mark, start: datetime | None, stop: datetime) -> bool:
    return place.start < stop and (start is None or place.start >= start)


def _place(reading: Reading) -> Mark:
    assert reading.start is not None
    return Mark(reading.start, reading.meter, reading.quantity)
