"""Readings of the past, a day of one facility after another: as many requests as its pages take.

A cursor names the next reading by its instant, meter and quantity: the provider's own are not kept.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bridge.errors import Malformed, Refused
from bridge.models.mark import Mark
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.ampere import rows
from bridge.providers.ampere.gateway import Gateway, span
from bridge.providers.base import Page, Span

DAY = timedelta(days=1)
MOST_DAYS = 7  # that one page looks through: a facility may have been silent for long
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # before the first reading of any facility


class History:
    """Asks for the readings of one facility."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def page(self, site: Site, asked: Span, moment: datetime) -> Page:
        """Return a page of the readings in a span; by default the day up to its end. Raises SourceError, or BadRequest."""
        profile = self._gateway.profile
        if profile.readings is None:
            raise Refused("the profile has no section [readings]")
        mark = Mark.read(asked.after) if asked.after is not None else None
        end = min(asked.end or moment, moment)
        begin = max(mark.start if mark else asked.start or end - DAY, LONG_AGO)
        types = profile.types("readings", asked.quantity)
        found: list[Reading] = []
        for _ in range(MOST_DAYS):
            if begin >= end or not types or len(found) > asked.first:
                break
            until = min(begin + DAY, end)
            found += [one for one in await self._day(site, types, begin, until, moment) if _is_wanted(one, asked, mark, begin)]
            begin = until
        if len(found) > asked.first:
            return Page(tuple(found[: asked.first]), _place(found[asked.first]).cursor())
        return Page(tuple(found), Mark(begin).cursor() if begin < end and types else None)

    async def _day(self, site: Site, types: Sequence[str], start: datetime, end: datetime, moment: datetime) -> list[Reading]:
        """Return what was read in [start, end), oldest first."""
        profile = self._gateway.profile
        assert profile.readings is not None
        words = {"facility": site.id, "reading_types": types, "analysis_types": [], **span(start, end)}
        results = await self._gateway.all("readings", words, f"readings of {site.title}", moment)
        for error in (error for result in results for error in result.errors):
            raise self._gateway.error(error)  # a day with holes is not to be taken for a whole one
        try:
            found = rows.everything((one.data for one in results), profile.readings.series, site.id, moment)
        except Malformed as error:
            raise self._gateway.misread("readings", error) from None
        within = (one for one in rows.readings(found, profile) if start <= _place(one).start < end)
        return sorted(within, key=_place)


def _is_wanted(reading: Reading, asked: Span, mark: Mark | None, begin: datetime) -> bool:
    place = _place(reading)
    alike = asked.meter in (None, reading.meter) and asked.quantity in (None, reading.quantity)
    return alike and place.start >= begin and (mark is None or place >= mark)


def _place(reading: Reading) -> Mark:
    moment = reading.start or reading.at
    assert moment is not None
    return Mark(moment, reading.meter, reading.quantity)
