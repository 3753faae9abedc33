"""Asks for the newest readings of facilities: in one request each, or in one for many where the profile lets us.

A reading waits for its device to have a name, as that stands in its topic.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta

from bridge.errors import Malformed, SourceError
from bridge.models.observation import Observation, ReadingsSeen, Shortfall
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.pricing.day import bounds
from bridge.providers.ampere import cells, rows
from bridge.providers.ampere.gateway import Gateway, span
from bridge.providers.ampere.rota import Rota
from bridge.providers.ampere.task import Key
from bridge.providers.base import Known

UNLISTED_AFTER = timedelta(hours=1)  # so long after the last list a device that is not on it makes us ask for another
READINGS = "readings"
MOST_AT_ONCE = 100  # facilities, where the profile asks for several in one request


class Newest:
    """The newest readings; `came` is when there were any, of whatever facility."""

    def __init__(self, gateway: Gateway, rota: Rota, every: timedelta) -> None:
        self._gateway, self._rota, self._every = gateway, rota, every
        self.came: datetime | None = None

    def groups(self, known: Known) -> Iterator[tuple[Key, Sequence[Site]]]:
        """Yield which facilities are asked for in one request: each, or as many of a time zone as the profile lets us."""
        zones: dict[str, list[Site]] = {}
        for site in known.sites.values():
            zones.setdefault(site.timezone, []).append(site)
        size = MOST_AT_ONCE if self._gateway.profile.poll.told("facilities") else 1
        for sites in zones.values():
            for begin in range(0, len(sites), size):
                group = sites[begin : begin + size]
                yield (READINGS, group[0].id), group

    async def ask(self, group: Sequence[Site], known: Known, moment: datetime) -> AsyncIterator[Observation]:
        """Ask for the newest readings of facilities of one time zone."""
        poll = self._gateway.profile.poll
        only = group[0].id if poll.told("facility") else None  # else each row's series says of which it is
        end = moment - (moment - cells.EPOCH) % self._every + self._every  # the same for a while, so that pages can go on
        words = {
            "facility": group[0].id,
            "facilities": [site.id for site in group],
            "reading_types": self._gateway.profile.types("readings"),
            "analysis_types": self._gateway.profile.types("analysis"),
            **span(end - poll.window, end),
            **span(*bounds(moment, group[0].zone, 0), "day_"),
        }
        results = await self._gateway.all("poll", words, f"readings of {group[0].title}", moment)
        errors: list[SourceError] = [self._gateway.error(error) for result in results for error in result.errors]
        found: list[rows.Row] = []
        for series in poll.series:
            try:
                found += [row for result in results for row in rows.measured(result.data, series, only, moment)]
            except Malformed as error:
                errors.append(self._gateway.misread("poll", error))
        for site in group:
            yield ReadingsSeen(site.id, tuple(self._newest(site, found, known)))
        if found:
            self.came = moment
        if errors:
            yield Shortfall(errors[0], group[0].id, behind=not found)

    def _newest(self, site: Site, found: Sequence[rows.Row], known: Known) -> Sequence[Reading]:
        """Return the newest readings of a site; those of a device that nobody has named yet wait for the list of devices."""
        own = rows.newest(row for row in found if row.facility == site.id)
        named = [row for row in own if row.meter in known.meters(site.id)]
        if len(named) < len(own):
            self._rota.hasten(("devices", site.id), UNLISTED_AFTER)
        return rows.readings(named, self._gateway.profile)
