"""One site of a Sensorfact account: each measurement is due by itself, and none that fails holds up another.

The site, its zone and its meters are the configuration's: the provider has no list of them that is known.
"""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from pydantic import BaseModel

from bridge.errors import (
    Denied,
    Failed,
    Incomplete,
    Malformed,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
    Unauthenticated,
    Unreachable,
)
from bridge.models.observation import MetersSeen, Observation, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.base import Known, Page, Span, Surroundings
from bridge.providers.sensorfact.api import Api
from bridge.providers.sensorfact.operations import Measurements, Readings
from bridge.providers.sensorfact.past import Past
from bridge.providers.sensorfact.question import Question
from bridge.providers.sensorfact.readings import Series
from bridge.providers.sensorfact.rota import Rota
from bridge.providers.sensorfact.settings import MeasurementSettings, SensorfactSettings
from bridge.providers.sensorfact.windows import Relative


class Sensorfact:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: SensorfactSettings, surroundings: Surroundings) -> None:
        self._settings, self._name = settings, surroundings.name
        key = settings.api_key.get_secret_value()
        self._api = Api(surroundings.http, surroundings.clock, surroundings.redact, settings.url, key)
        self._past = Past(settings, self._api)
        self._rota = Rota(surroundings.share, surroundings.chance or random.Random())
        self._site = Site(id=settings.site, title=settings.site, timezone=settings.zone.key)
        self._told: dict[str, list[SourceError]] = {}  # what each measurement lacked when it was last asked for
        self._well: set[str] = set()  # those that brought anything then
        self._introduced = False

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        if self._settings.site not in known.sites:
            return moment
        return min(self._due(measurement, moment) for measurement in self._settings.measurements)

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        if not self._introduced or self._settings.site not in known.sites:
            yield SitesSeen((self._site,))
            yield MetersSeen(self._site.id, {one.id: one.name for one in self._settings.measurements})
            self._introduced = True
        stopped: SourceError | None = None  # by what the rest would most likely be told as well
        for measurement in sorted(self._settings.measurements, key=lambda one: self._due(one, moment)):
            if self._due(measurement, moment) > moment:
                continue
            try:
                readings = await self._asked(measurement, moment)
            except RateLimited:
                raise  # this one and all that follow stay due
            except SourceError as error:
                self._missed(measurement, error, moment)
                if stopped is not None and _is_general(error):
                    raise  # twice in a row
                stopped = error if _is_general(error) else None
            else:
                stopped = None
                yield ReadingsSeen(self._site.id, readings)
        if stopped is not None and not self._well:
            raise stopped
        for lacking in [error for errors in self._told.values() for error in errors]:
            yield Shortfall(lacking, self._site.id, behind=not self._well)

    def expire(self) -> None:
        self._rota.expire()
        self._api.pages.forget()

    async def sign_in(self) -> str:
        first = self._settings.measurements[0]
        question = _usual(first)
        leaf = await self._api.begun(first.path, question.query(self._settings))
        return f"signed in; {first.name} over {question.window}: {len(leaf.items)} item(s) on the first page"

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> Readings:  # noqa: ARG002
        """Carry out one of `OPERATIONS`. Raises SourceError, or BadRequest where so much may not be asked for."""
        assert isinstance(arguments, Measurements)
        return await self._past.measured(arguments, moment)

    async def history(self, site: str, span: Span, known: Known, moment: datetime) -> Page:  # noqa: ARG002 - there is but one site
        """Return a page of readings; see `bridge.providers.base.Historian`."""
        return await self._past.page(span, moment)

    def _due(self, measurement: MeasurementSettings, moment: datetime) -> datetime:
        every, all_ = self._settings.every(measurement), self._settings.measurements
        return self._rota.due(measurement.name, every, all_.index(measurement) / len(all_), moment)

    async def _asked(self, measurement: MeasurementSettings, moment: datetime) -> tuple[Reading, ...]:
        """Return the newest readings of one measurement, and remember what was lacking. Raises SourceError."""
        series = await self._past.series(_usual(measurement), moment)
        found = self._past.newest(series, moment)
        self._rota.note(measurement.name, moment)
        self._told[measurement.name] = list(self._lacks(series, found))
        (self._well.add if found else self._well.discard)(measurement.name)
        return found

    def _lacks(self, series: Series, found: Sequence[Reading]) -> list[SourceError]:
        measurement = series.measurement
        if missing := series.missing():
            keys = ", ".join(f"{self._key(measurement)}.fields.{field}" for field in missing)
            return [Incomplete(f"{measurement.name}: no item has {keys}; an item has: {series.fields()}")]
        if found:
            return []
        what = f"none of {len(series.items)} item(s) is over and known yet" if series.items else "there is nothing"
        return [Incomplete(f"{measurement.name}: {what} in the window {measurement.window}")]

    def _missed(self, measurement: MeasurementSettings, error: SourceError, moment: datetime) -> None:
        """Remember what became of one measurement."""
        refused = isinstance(error, Refused | NotFound | Malformed)
        self._rota.note(measurement.name, moment, vain=True, refused=refused)
        kind = Denied if isinstance(error, Unauthenticated) else type(error)  # to others the key may open the door
        place = f" ({self._key(measurement)})" if refused or kind is Denied else ""
        text = f"{measurement.name}{place}: {error}"
        self._told[measurement.name] = [kind(text, retry_after=error.retry_after, reasons=error.reasons)]
        self._well.discard(measurement.name)

    def _key(self, measurement: MeasurementSettings) -> str:
        return f"sources.{self._name}.measurements.{self._settings.measurements.index(measurement)}"


def _is_general(error: SourceError) -> bool:
    """Tell whether it is about the provider or the key, rather than about one measurement."""
    return isinstance(error, Unreachable | Unauthenticated) and not isinstance(error, Failed)


def _usual(measurement: MeasurementSettings) -> Question:
    return Question(measurement, Relative.parse(measurement.window), measurement.aggregation)
