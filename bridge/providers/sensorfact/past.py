"""Readings of the past, a page at a time: for the operation that every source has, and for the provider's own.

The provider's cursors must not be stored, so a page of ours is marked by the time of its first reading, and the window is read
anew from there, or whole where a part of it would be answered otherwise: a relative one, one whose level the provider chooses,
and one in a zone in which some hour comes twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import BadRequest, Malformed, NotFound
from bridge.models.mark import Mark
from bridge.models.reading import Reading
from bridge.providers.base import Page, Span
from bridge.providers.sensorfact.aggregation import AUTO
from bridge.providers.sensorfact.api import Api
from bridge.providers.sensorfact.items import ODD
from bridge.providers.sensorfact.operations import Measured, Measurements, Readings
from bridge.providers.sensorfact.question import Question, allowed
from bridge.providers.sensorfact.readings import Series
from bridge.providers.sensorfact.settings import MeasurementSettings, SensorfactSettings
from bridge.providers.sensorfact.windows import UTC_ZONE, Absolute, Relative, Window
from bridge.topics import distinct, fold

LONG_AGO = datetime.min.replace(tzinfo=UTC)
USUAL = timedelta(days=1)  # of a span without a beginning


class Past:
    """Asks for what one site's measurements showed."""

    def __init__(self, settings: SensorfactSettings, api: Api) -> None:
        self._settings, self._api = settings, api
        self._topics = _topics(settings.measurements)

    async def series(self, question: Question, moment: datetime) -> Series:
        """Return all that one question brings. Raises SourceError."""
        measurement, zone = question.measurement, self._settings.zone
        items = await self._api.all(measurement.name, measurement.path, question.query(self._settings), moment)
        return Series(measurement, items, question.level, *question.window.bounds(moment, zone))

    def newest(self, series: Series, moment: datetime) -> tuple[Reading, ...]:
        """Return the newest reading of each quantity. Raises Malformed."""
        with _readable():
            return series.newest(self._settings.zone, self._settings.stamp, moment)

    async def page(self, span: Span, moment: datetime) -> Page:
        """Return a page, one measurement after the other. Raises SourceError, or BadRequest for a strange cursor."""
        mark = Mark.read(span.after) if span.after is not None else None
        end = min(span.end or moment, moment).replace(microsecond=0)
        begin = (span.start or end - USUAL).replace(microsecond=0)
        found: list[Reading] = []
        for measurement in self._left(span, mark):
            first = Mark(begin, measurement.id)
            place = max(first, mark) if mark is not None and mark.meter == measurement.id else first
            if len(found) == span.first:
                return Page(tuple(found), place.cursor())
            if begin >= end:
                continue
            window = Absolute(begin, end)
            level = allowed(measurement, window, None, moment, self._settings.zone, UTC_ZONE)
            own, following = await self._slice(Question(measurement, window, level), place, span.first - len(found), span, moment)
            found += own
            if following is not None:
                return Page(tuple(found), following.cursor())
        return Page(tuple(found))

    async def measured(self, given: Measurements, moment: datetime) -> Readings:
        """Return a page of one measurement. Raises SourceError, or BadRequest where so much may not be asked for."""
        measurement, mark = self._named(given.name), Mark.read(given.after) if given.after is not None else None
        if mark is not None and mark.meter != measurement.id:
            raise BadRequest("after: it is of another measurement; begin anew without it")
        sent, site = ZoneInfo(given.timezone or UTC_ZONE.key), self._settings.zone
        window = _window(given, measurement, site)
        level = allowed(measurement, window, given.aggregation, moment, site, sent)
        question = Question(measurement, window, level, sent)
        place = mark or Mark(LONG_AGO, measurement.id)
        found, following = await self._slice(question, place, given.first, Span(None, None), moment)
        told = tuple(self._measured(reading, measurement) for reading in found)
        return Readings(readings=told, next=following.cursor() if following else None)

    def _measured(self, reading: Reading, measurement: MeasurementSettings) -> Measured:
        facts = reading.model_dump() | {"site": self._settings.site, "meter": self._topics[measurement.name]}
        return Measured.model_validate(facts)

    async def _slice(
        self, question: Question, place: Mark, most: int, span: Span, moment: datetime
    ) -> tuple[list[Reading], Mark | None]:
        """Return up to `most` readings from `place` on, and with which one it goes on."""
        window = question.window
        if isinstance(window, Absolute) and question.level != AUTO and question.sent is UTC_ZONE:
            window = window._replace(start=max(window.start, place.start))
            if window.start >= window.end:
                return [], None
        series = await self.series(replace(question, window=window), moment)
        with _readable():
            found = series.readings(self._settings.zone, self._settings.stamp, moment)
        wanted = [one for one in found if span.quantity in (None, one.quantity) and _place(one) >= place]
        return wanted[:most], _place(wanted[most]) if len(wanted) > most else None

    def _left(self, span: Span, mark: Mark | None) -> Sequence[MeasurementSettings]:
        """Return the measurements of this page and those to come."""
        wanted = [one for one in self._settings.measurements if span.meter in (None, one.id, one.name, fold(one.name))]
        if mark is None:
            return wanted
        ids = [measurement.id for measurement in wanted]
        if mark.meter not in ids:
            raise BadRequest("after: it goes on with a measurement that is not asked for; begin anew without it")
        return wanted[ids.index(mark.meter) :]

    def _named(self, name: str) -> MeasurementSettings:
        all_ = self._settings.measurements
        found = [one for one in all_ if one.name == name] or [one for one in all_ if self._topics[one.name] == name]
        if not found:
            raise NotFound(f"there is no measurement {name}; there is: {', '.join(one.name for one in all_)}")
        return found[0]


@contextmanager
def _readable() -> Iterator[None]:
    """Raise Malformed for what nobody would send, such as a time beyond all years."""
    try:
        yield
    except ODD as raised:
        raise Malformed(f"the answer came in a shape that cannot be read ({type(raised).__name__})") from None


def _topics(measurements: Sequence[MeasurementSettings]) -> dict[str, str]:
    """Return the names of the measurements' meters on the topics, by their own."""
    found: dict[str, str] = {}
    for measurement in measurements:
        found[measurement.name] = distinct(fold(measurement.name), found.values())
    return found


def _window(given: Measurements, measurement: MeasurementSettings, site: ZoneInfo) -> Window:
    """Return the window that is asked for. Raises BadRequest where it ends before it begins."""
    if given.start is None or given.end is None:
        return Relative.parse(given.previous or measurement.window)
    zone = ZoneInfo(given.timezone) if given.timezone else site
    start, end = (_instant(moment, zone) for moment in (given.start, given.end))
    if start >= end:
        raise BadRequest("to: must be after from")
    return Absolute(start, end)


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise BadRequest("from, to: an instant lies beyond all years") from None


def _place(reading: Reading) -> Mark:
    at = reading.start or reading.end
    assert at is not None
    return Mark(at, reading.meter, reading.quantity)
