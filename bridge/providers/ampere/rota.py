"""What is due when: pure but for its memory, which is of this process. What failed waits twice as long each time."""

import random
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(hours=4)
OUTDATED_FOR = timedelta(hours=6)  # nothing but another profile mends it; but the provider may also take a change back


class Asked(NamedTuple):
    """The last attempt."""

    at: datetime
    again: datetime | None = None  # where it was in vain
    vain: int = 0  # in a row


class Rota:
    """Tells when something is due; `chance` spreads what is asked again."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._asked: dict[Hashable, Asked] = {}
        self._expired = False

    def due(self, key: Hashable, every: timedelta, moment: datetime, seen: datetime | None = None) -> datetime:
        """Return when `key` is due, not after `moment` where it is now; `seen` is when it last came, before a restart."""
        asked = self._asked.get(key)
        if asked is None:
            last = None if self._expired or seen is None or seen > moment else seen
        elif asked.at > moment:  # noted by a clock that was wrong
            last = None
        elif asked.again is not None:
            return asked.again
        else:
            last = asked.at
        return moment if last is None else last + every

    def last(self, key: Hashable) -> datetime:
        """Return when `key` was last asked for, in this process; what never was comes first."""
        asked = self._asked.get(key)
        return asked.at if asked is not None else datetime.min.replace(tzinfo=UTC)

    def note(self, key: Hashable, moment: datetime, *, vain: bool = False) -> None:
        """Note an attempt that has just been made."""
        before = self._asked.get(key)
        if not vain:
            self._asked[key] = Asked(moment)
            return
        times = before.vain + 1 if before else 1
        wait = self._chance.uniform(0.85, 1.15) * min(FIRST_RETRY * (1 << min(times - 1, 10)), LONGEST_RETRY)
        self._asked[key] = Asked(moment, moment + wait, times)

    def put_off(self, key: Hashable, moment: datetime, wait: timedelta) -> None:
        self._asked[key] = Asked(moment, moment + wait, 1)

    def hasten(self, key: Hashable, wait: timedelta) -> None:
        """Let `key` be due `wait` after it was last asked for."""
        if (asked := self._asked.get(key)) is not None and asked.again is None:
            self._asked[key] = Asked(asked.at, asked.at + wait)

    def expire(self, but: Hashable) -> None:
        """Let everything be due `but` one, also what was seen before a restart."""
        self._asked = {key: asked for key, asked in self._asked.items() if key == but}
        self._expired = True
