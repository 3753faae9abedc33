"""What of one account is due when. Each feature has a wait of its own after a vain attempt, so that none holds up another.

It remembers moments; one that lies ahead was noted by a clock that was wrong, and counts for nothing.
"""

import random
from collections.abc import Container
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from bridge.models.observation import ReadingsSeen, SitesSeen
from bridge.models.site import Site
from bridge.providers.base import Known
from bridge.providers.tibber.schedule import HOMES_EVERY, READINGS_EVERY, back_off, lacking, next_release, retry

STREAM = "import"


class Feature(Enum):
    """What is asked for in requests of its own, in this order."""

    HOMES = auto()
    PRICES = auto()
    READINGS = auto()


class Asked(NamedTuple):
    """The last attempt, in this process."""

    at: datetime
    again: datetime | None = None  # where it was in vain
    vain: int = 0  # attempts in a row


class Timetable:
    """Tells when a feature is due; `share` and `chance` spread what all installations would do at one moment."""

    def __init__(self, share: float, chance: random.Random) -> None:
        self._share, self._chance = share, chance
        self._asked: dict[Feature, Asked] = {}
        self._priced: frozenset[str] = frozenset()  # the sites whose prices were last asked for
        self._expired: set[Feature] = set()
        self.without_contract: Container[str] = ()  # sites of which no prices can be wanted

    def next(self, known: Known, moment: datetime) -> datetime:
        """Return when anything is due next."""
        features = list(Feature) if known.sites else [Feature.HOMES]
        return min(self.due(feature, known, moment) for feature in features)

    def due(self, feature: Feature, known: Known, moment: datetime) -> datetime:
        """Return when `feature` is due; not after `moment` where it is now."""
        asked = self._asked.get(feature)
        if feature in self._expired or (asked is not None and asked.at > moment):
            return moment
        if asked is not None and asked.again is not None:
            return asked.again
        match feature:
            case Feature.HOMES:
                return _after(known.seen(SitesSeen), HOMES_EVERY, moment)
            case Feature.READINGS:
                return _after(asked.at if asked else known.seen(ReadingsSeen), READINGS_EVERY, moment)
            case Feature.PRICES:
                if asked is None or known.sites.keys() - self._priced or self.lacks(known, moment):
                    return moment
                return next_release(asked.at, self._share)

    def lacks(self, known: Known, moment: datetime) -> bool:
        """Tell whether any site lacks prices that it had before and that ought to be known by now."""
        had = (site for site in known.sites.values() if known.curve(site.id, STREAM) is not None)
        return any(self.lacking(known, site, moment) for site in had if site.id not in self.without_contract)

    def lacking(self, known: Known, site: Site, moment: datetime) -> str | None:
        """Return which day's prices of `site` ought to be known and are not."""
        return lacking(known.curve(site.id, STREAM), site.zone, moment, self._share)

    def expire(self) -> None:
        """Let everything be due."""
        self._expired = set(Feature)

    def note(self, feature: Feature, known: Known, moment: datetime, *, vain: bool) -> None:
        """Note an attempt at `feature` that has just been made."""
        self._expired.discard(feature)
        if feature is Feature.PRICES:
            self._priced = frozenset(known.sites)
        if not vain:
            self._asked[feature] = Asked(moment)
            return
        before = self._asked.get(feature)
        times = before.vain + 1 if before else 1
        jitter = self._chance.uniform(0.8, 1.2)
        prices = feature is Feature.PRICES
        again = retry(moment, times, self._share, jitter) if prices else moment + back_off(times, jitter)
        self._asked[feature] = Asked(moment, again, times)


def _after(last: datetime | None, span: timedelta, moment: datetime) -> datetime:
    return last + span if last is not None and last <= moment else moment
