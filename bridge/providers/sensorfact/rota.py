"""Which measurement is due when: each has ticks of its own, so that not all are asked for at one moment, here or elsewhere."""

import random
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

ORIGIN = datetime(2025, 1, 1, tzinfo=UTC)
FIRST_RETRY = timedelta(minutes=3)
LONGEST_RETRY = timedelta(hours=1)
REFUSED = (timedelta(minutes=15), timedelta(hours=4))  # likewise, for what only another configuration mends


class Asked(NamedTuple):
    """The last attempt, in this process."""

    at: datetime
    again: datetime | None = None  # where it was in vain
    vain: int = 0  # in a row


class Rota:
    """Tells when something is due; `share` and `chance` spread what all installations would do at one moment."""

    def __init__(self, share: float, chance: random.Random) -> None:
        self._share, self._chance = share, chance
        self._asked: dict[str, Asked] = {}

    def due(self, key: str, every: timedelta, phase: float, moment: datetime) -> datetime:
        """Return when `key` is due, not after `moment` where it is now; `phase` in [0, 1) tells it from its neighbours."""
        asked = self._asked.get(key)
        if asked is None or asked.at > moment:  # noted by a clock that was wrong
            return moment
        if asked.again is not None:
            return asked.again
        tick = self._tick(asked.at, every, phase)
        return tick if tick - asked.at >= every / 2 else tick + every

    def note(self, key: str, moment: datetime, *, vain: bool = False, refused: bool = False) -> None:
        """Note an attempt that has just been made: in vain, perhaps refused."""
        if not vain:
            self._asked[key] = Asked(moment)
            return
        before = self._asked.get(key)
        times = before.vain + 1 if before else 1
        first, longest = REFUSED if refused else (FIRST_RETRY, LONGEST_RETRY)
        wait = self._chance.uniform(0.85, 1.15) * min(first * (1 << min(times - 1, 10)), longest)
        self._asked[key] = Asked(moment, moment + wait, times)

    def expire(self) -> None:
        """Let everything be due."""
        self._asked.clear()

    def _tick(self, last: datetime, every: timedelta, phase: float) -> datetime:
        origin = ORIGIN + (self._share + phase) % 1 * every
        return origin + ((last - origin) // every + 1) * every
