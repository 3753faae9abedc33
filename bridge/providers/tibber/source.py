"""One Tibber account: what is asked when, and how the answers become observations.

Prices come by a ladder: quarter-hours, where they are empty the range of quarter-hours, where it is too the whole hours.
"""

import random
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

from bridge.errors import Incomplete, Malformed, NotFound, RateLimited, SourceError, Unauthenticated
from bridge.models.observation import Observation, PricesSeen, ReadingsSeen, Shortfall, SitesSeen
from bridge.models.price import HOUR, QUARTER_HOUR
from bridge.models.site import Site
from bridge.pricing.day import midnight
from bridge.providers.base import HeaderSecret, Known, SourceSettings, Surroundings, Url
from bridge.providers.tibber import normalise
from bridge.providers.tibber.documents import HOMES, PRICE_RANGE, PRICES, READINGS, VIEWER
from bridge.providers.tibber.schedule import (
    HOMES_EVERY,
    LONGEST_RETRY,
    READINGS_EVERY,
    lacking,
    next_release,
    progress,
    retry,
)
from bridge.transport.graphql import GraphQL, Result

STREAM = "import"
HISTORY_DAYS = 2  # before today: with today and tomorrow that is four days, 384 quarter-hours
RANGE_FIRST = 4 * 25 * HISTORY_DAYS + 2
QUARTERS_AGAIN = timedelta(days=7)  # an account without quarter-hours may get them one day
READINGS_LAST = 72  # h: they come late and are corrected later
CODES: Mapping[str, type[SourceError]] = {
    "RATE_LIMIT_EXCEEDED": RateLimited,
    "HOME_NOT_FOUND": NotFound,
    "NOT_FOUND": NotFound,
}
WORDS: Mapping[str, type[SourceError]] = {  # before 2025 a bad token came without a code
    "invalid token": Unauthenticated,
    "no valid access token": Unauthenticated,
}
QUARTERS, RANGE, HOURS = range(3)  # the rungs of the ladder


class TibberSettings(SourceSettings):
    """`[sources.NAME]` with `provider = "tibber"`."""

    provider: Literal["tibber"]
    token: HeaderSecret  # a personal access token or an OAuth one
    url: Url = "https://api.tibber.com/v1-beta/gql"

    def identity(self) -> str:
        return f"{self.url} {self.token.get_secret_value()}"


class Tibber:
    """A source; see `bridge.providers.base.Source`."""

    def __init__(self, settings: TibberSettings, surroundings: Surroundings) -> None:
        self._graphql = GraphQL(surroundings.http, settings.url, surroundings.redact, codes=CODES, words=WORDS)
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._personal = settings.publish_personal_data
        self._share = surroundings.share
        self._chance = random.Random()
        self._asked = False  # for prices, since the start
        self._tries = 0  # in vain, for a day that ought to be known
        self._retry_at: datetime | None = None
        self._readings_asked_at: datetime | None = None
        self._history_asked: set[str] = set()
        self._rungs: dict[str, tuple[date, int]] = {}  # site → local day, rung that was needed on it
        self._empty: dict[str, date] = {}  # site → local day on which it was found to have no quarter-hours

    def next_poll(self, known: Known, moment: datetime) -> datetime:
        times = [self._prices_due(known, moment), self._homes_due(known, moment)]
        if known.sites:
            times.append(self._readings_due(known, moment))
        return min(times)

    async def poll(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        if self._homes_due(known, moment) <= moment:
            for observation in self._homes(await self._ask(HOMES, personal=self._personal)):
                yield observation
        if known.sites and self._prices_due(known, moment) <= moment:
            behind = False
            async for observation in self._prices(known, moment):
                behind |= isinstance(observation, Shortfall) and observation.behind
                yield observation
            self._asked = True
            self._schedule_retry(known, moment, behind=behind)
        if known.sites and self._readings_due(known, moment) <= moment:
            result = await self._ask(READINGS, last=READINGS_LAST)
            self._readings_asked_at = moment
            for observation in self._readings(result, known, moment):
                yield observation

    async def sign_in(self) -> str:
        result = await self._ask(VIEWER)
        homes = [f"{home['id']} ({home.get('appNickname') or 'no name'})" for home in _homes(result) if home]
        return f"signed in; homes: {', '.join(homes) or 'none'}"

    # when

    def _homes_due(self, known: Known, moment: datetime) -> datetime:
        return _after(known.seen(SitesSeen), HOMES_EVERY, moment)

    def _readings_due(self, known: Known, moment: datetime) -> datetime:
        return _after(self._readings_asked_at or known.seen(ReadingsSeen), READINGS_EVERY, moment)

    def _prices_due(self, known: Known, moment: datetime) -> datetime:
        if not self._asked:
            return moment
        if self._retry_at is not None:
            return min(self._retry_at, moment + LONGEST_RETRY * 2)  # should the clock have been set back
        gap = any(self._lacking(known, site, moment) for site in self._priced(known))
        return moment if gap else next_release(moment, self._share)

    def _schedule_retry(self, known: Known, moment: datetime, *, behind: bool) -> None:
        if behind or any(self._lacking(known, site, moment) for site in self._priced(known)):
            self._tries += 1
            self._retry_at = retry(moment, self._tries, self._share, self._chance.uniform(0.8, 1.2))
        else:
            self._tries, self._retry_at = 0, None

    def _lacking(self, known: Known, site: Site, moment: datetime) -> str | None:
        return lacking(known.curve(site.id, STREAM), site.zone, moment, self._share)

    def _priced(self, known: Known) -> Iterator[Site]:
        return (site for site in known.sites.values() if known.curve(site.id, STREAM) is not None)

    # what

    async def _ask(self, document: str, **variables: Any) -> Result:
        return await self._graphql.query(document, variables, self._headers)

    def _homes(self, result: Result) -> Iterator[Observation]:
        homes = _homes(result)
        sites = tuple(normalise.site(home, personal=self._personal) for home in homes if home is not None)
        yield SitesSeen(sites, complete=len(sites) == len(homes))
        if missing := len(homes) - len(sites):
            error = result.error_at("viewer", "homes")
            why = f": {error.message}" if error else ""
            yield Shortfall(Incomplete(f"{missing} of {len(homes)} homes came back empty{why}"), behind=not sites)
        elif not sites:
            yield Shortfall(NotFound("the account has no home"))

    async def _prices(self, known: Known, moment: datetime) -> AsyncIterator[Observation]:
        sites = sorted(known.sites.values(), key=lambda site: site.id)
        rungs = {site.id: self._first_rung(site, moment) for site in sites}
        settled: set[str] = set()  # no lower rung can help them
        for rung in (QUARTERS, RANGE, HOURS):
            here = [site for site in sites if rungs[site.id] == rung and site.id not in settled]
            if not here:
                continue
            result = await self._ask_rung(rung, here, known, moment)
            rows = {home["id"]: (index, home) for index, home in enumerate(_homes(result)) if home}
            for site in here:
                for observation in self._home_prices(rung, result, rows.get(site.id), site, known):
                    if isinstance(observation, Shortfall):
                        settled.add(site.id)
                    yield observation
                if rung < HOURS and site.id not in settled and self._must_climb(rung, rows[site.id][1], known, site, moment):
                    rungs[site.id] = rung + 1
                    self._remember_rung(site, moment, rung + 1)
        for site in sites:
            if site.id not in settled:
                for shortfall in self._gap(known, site, moment):
                    yield shortfall

    async def _ask_rung(self, rung: int, sites: Sequence[Site], known: Known, moment: datetime) -> Result:
        if rung == RANGE:
            start = min(midnight(moment, site.zone) for site in sites)
            return await self._ask(PRICE_RANGE, first=RANGE_FIRST, after=_cursor(start))
        if rung == HOURS:
            return await self._ask(PRICES, resolution="HOURLY", history=False, first=None, after=None)
        begins = {site.id: midnight(moment, site.zone, -HISTORY_DAYS) for site in sites}
        lacks = [id_ for id_, begin in begins.items() if id_ not in self._history_asked and not _reaches(known, id_, begin)]
        self._history_asked.update(begins)
        start = min(begins.values())
        cursor = _cursor(start) if lacks else None
        return await self._ask(PRICES, resolution="QUARTER_HOURLY", history=bool(lacks), first=RANGE_FIRST, after=cursor)

    def _home_prices(
        self, rung: int, result: Result, found: tuple[int, dict[str, Any]] | None, site: Site, known: Known
    ) -> Iterator[Observation]:
        if found is None:
            yield Shortfall(Incomplete(f"home {site.title} came back empty"), site.id)
            return
        index, home = found
        field = "priceInfoRange" if rung == RANGE else "priceInfo"
        subscription = home.get("currentSubscription")
        if error := result.error_at("viewer", "homes", index, "currentSubscription", field):
            yield Shortfall(self._graphql.error(error), site.id)
        if not subscription:
            if error is None:
                had_prices = known.curve(site.id, STREAM) is not None
                yield Shortfall(NotFound(f"home {site.title} has no contract"), site.id, behind=had_prices)
            return
        curve = normalise.curve(_rows(subscription), HOUR if rung == HOURS else QUARTER_HOUR)
        if rung == HOURS and (finer := known.curve(site.id, STREAM)) is not None:
            curve = curve.model_copy(update={"slots": tuple(slot for slot in curve.slots if not finer.overlaps(slot))})
        if curve.slots:
            yield PricesSeen(site.id, STREAM, curve)

    def _must_climb(self, rung: int, home: dict[str, Any], known: Known, site: Site, moment: datetime) -> bool:
        lacks = self._lacking(known, site, moment)
        if rung == QUARTERS:  # an empty today tells an account without quarter-hours from a late tomorrow
            return lacks is not None and not (home["currentSubscription"].get("priceInfo") or {}).get("today")
        return lacks is not None

    def _first_rung(self, site: Site, moment: datetime) -> int:
        today = moment.astimezone(site.zone).date()
        day, rung = self._rungs.get(site.id, (None, QUARTERS))
        if day == today:
            return rung
        found_empty = self._empty.get(site.id)
        return RANGE if found_empty and today - found_empty < QUARTERS_AGAIN else QUARTERS

    def _remember_rung(self, site: Site, moment: datetime, rung: int) -> None:
        today = moment.astimezone(site.zone).date()
        self._rungs[site.id] = (today, rung)
        if rung == RANGE:
            self._empty[site.id] = today

    def _gap(self, known: Known, site: Site, moment: datetime) -> Iterator[Shortfall]:
        curve = known.curve(site.id, STREAM)
        day_end = midnight(moment, site.zone, 1)
        if curve is None or not curve.covers(moment, day_end):
            known_part = progress(curve, site.zone, moment, 0)
            yield Shortfall(Incomplete(f"home {site.title}: of today's prices {known_part} are known"), site.id)
        elif curve.end and curve.end > day_end and not curve.covers(day_end, midnight(moment, site.zone, 2)):
            known_part = progress(curve, site.zone, moment, 1)
            text = f"home {site.title}: of tomorrow's prices {known_part} are known, the rest is asked for again"
            yield Shortfall(Incomplete(text), site.id, behind=False)

    def _readings(self, result: Result, known: Known, moment: datetime) -> Iterator[Observation]:
        for index, home in enumerate(_homes(result)):
            if home is None or home.get("id") not in known.sites:
                continue
            consumed = normalise.consumption(_nodes(home, "consumption"), moment)
            produced = normalise.production(_nodes(home, "production"), moment)
            yield ReadingsSeen(home["id"], tuple(reading for reading in (consumed, produced) if reading))
            for field in ("consumption", "production"):
                if error := result.error_at("viewer", "homes", index, field):
                    yield Shortfall(self._graphql.error(error), home["id"], behind=False)


def _after(last: datetime | None, span: timedelta, moment: datetime) -> datetime:
    """Return when `span` after `last` is over; a `last` ahead of `moment` was noted by a clock that was wrong."""
    return last + span if last is not None and last <= moment else moment


def _homes(result: Result) -> list[dict[str, Any] | None]:
    homes = (result.data.get("viewer") or {}).get("homes")
    if not isinstance(homes, list):
        raise Malformed("the answer names no homes")
    return [home if isinstance(home, dict) and home.get("id") else None for home in homes]


def _rows(subscription: Mapping[str, Any]) -> list[object]:
    info = subscription.get("priceInfo") or {}
    return [*_nodes(subscription, "priceInfoRange"), *(info.get("today") or ()), *(info.get("tomorrow") or ())]


def _nodes(parent: Mapping[str, Any], field: str) -> list[object]:
    return list((parent.get(field) or {}).get("nodes") or ())


def _reaches(known: Known, site: str, begin: datetime) -> bool:
    curve = known.curve(site, STREAM)
    return curve is not None and bool(curve.slots) and curve.slots[0].start <= begin


def _cursor(start: datetime) -> str:
    """Return the cursor of the rows from `start` on; a quarter earlier, as nothing says whether `after` is inclusive."""
    return b64encode((start - timedelta(minutes=15)).isoformat().encode()).decode()
