"""What of an account is due when: pure but for its memory. What is asked rarely is asked at common ticks, as each needs a token.

Prices have a rule of their own: once at the start, then from the release on until tomorrow is whole.
"""

import random
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bridge.models.price import Curve
from bridge.pricing.day import midnight
from bridge.providers.octopus.tenants import Tenant

TICK = timedelta(hours=4)
RELEASE_SPREAD = timedelta(minutes=12)  # so that not all installations ask at one moment
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=4)
REFUSED = (timedelta(minutes=30), timedelta(hours=24))  # likewise, for what the provider will hardly change its mind about
FIRST_CALL, LONGEST_CALL = timedelta(minutes=20), timedelta(minutes=80)  # for a tomorrow that is late
PATIENCE = 8  # attempts at one late stream before the others of its home are asked for as well
HORIZON_DAYS = 3  # today, tomorrow and the day after: so far the rates of a fixed tariff are written out


class Asked(NamedTuple):
    """The last attempt, in this process."""

    at: datetime
    again: datetime | None = None  # where it was in vain
    vain: int = 0  # in a row
    late: bool = False  # all was well but for a tomorrow that is not there yet


class Rota:
    """Tells when something is due; `share` and `chance` spread what all installations would do at one moment."""

    def __init__(self, tenant: Tenant, share: float, chance: random.Random, begun: datetime) -> None:
        """What was seen before `begun` was seen by an earlier process."""
        self._tenant, self._share, self._chance, self._begun = tenant, share, chance, begun
        self._asked: dict[Hashable, Asked] = {}

    def last(self, key: Hashable, moment: datetime) -> Asked | None:
        """Return the last attempt; one that lies ahead was noted by a clock that was wrong, and counts for nothing."""
        asked = self._asked.get(key)
        return asked if asked is not None and asked.at <= moment else None

    def due(self, key: Hashable, every: timedelta, moment: datetime, seen: datetime | None = None) -> datetime:
        """Return when `key` is due, not after `moment` where it is now; `seen` is when it last came, before a restart."""
        asked = self.last(key, moment)
        if asked is not None and asked.again is not None:
            return asked.again
        last = asked.at if asked is not None else seen
        if last is None or (asked is None and last >= self._begun):
            return moment
        return last + every if every < TICK else self._tick(last, every)

    def prices_due(self, key: Hashable, curve: Curve | None, moment: datetime, until: datetime | None = None) -> datetime:
        """Return when the prices that make up `curve` are due; there are none from `until` on."""
        asked = self.last(key, moment)
        if asked is None:
            return moment
        if asked.again is not None:
            return asked.again
        return moment if self.lacks(curve, moment, until) else self._next_release(asked.at)

    def late(self, key: Hashable, moment: datetime) -> datetime | None:
        """Return when a tomorrow that is late is asked for again, for the first few times; else None."""
        asked = self.last(key, moment)
        return asked.again if asked is not None and asked.late and asked.vain < PATIENCE else None

    def lacks(self, curve: Curve | None, moment: datetime, until: datetime | None = None) -> bool:
        """Tell whether prices before `until` ought to be known by now that are not."""
        wanted = self.wanted(moment)
        return curve is None or not curve.covers(moment, min(wanted, until) if until else wanted)

    def wanted(self, moment: datetime) -> datetime:
        """Return up to when prices ought to be known: the end of today's or, once released, of tomorrow's market day."""
        days = 1 if moment >= self.released(moment) else 0
        day = moment.astimezone(self._tenant.zone).date() + timedelta(days=days)
        if not self._tenant.day_ends.hour:
            day += timedelta(days=1)
        return datetime.combine(day, self._tenant.day_ends, self._tenant.zone).astimezone(UTC)

    def released(self, moment: datetime) -> datetime:
        """Return when this installation asks for tomorrow's prices on the tenant's day of `moment`."""
        day = moment.astimezone(self._tenant.zone).date()
        release = datetime.combine(day, self._tenant.release, self._tenant.zone).astimezone(UTC)
        return release + self._share * RELEASE_SPREAD

    def note(self, key: Hashable, moment: datetime, *, vain: bool = False, late: bool = False, refused: bool = False) -> None:
        """Note an attempt that has just been made: in vain, perhaps refused, or well but for a tomorrow that is `late`."""
        before = self._asked.get(key)
        if not vain and not late:
            self._asked[key] = Asked(moment)
            return
        times = before.vain + 1 if before else 1
        first, longest = (FIRST_CALL, LONGEST_CALL) if late else (FIRST_RETRY, LONGEST_RETRY)
        if refused:
            first, longest = REFUSED
        wait = self._chance.uniform(0.85, 1.15) * min(first * (1 << min(times - 1, 10)), longest)
        self._asked[key] = Asked(moment, moment + wait, times, late)

    def put_off(self, key: Hashable, moment: datetime, wait: timedelta) -> None:
        """Note an attempt after which there is nothing to be asked for `wait`."""
        self._asked[key] = Asked(moment, moment + wait)

    def expire(self) -> None:
        """Let everything be due."""
        self._asked.clear()
        self._begun = datetime.min.replace(tzinfo=UTC)  # what an earlier process saw counts no more

    def forget(self, key: Hashable) -> None:
        self._asked.pop(key, None)

    def _tick(self, last: datetime, every: timedelta) -> datetime:
        origin = datetime(2025, 1, 1, tzinfo=UTC) + self._share * TICK
        return origin + ((last - origin) // every + 1) * every

    def _next_release(self, moment: datetime) -> datetime:
        today = self.released(moment)
        return today if today > moment else self.released(midnight(moment, self._tenant.zone, 1))
