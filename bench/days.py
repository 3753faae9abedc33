"""Requests a simulated day against the simulated provider: source, poller, budget and HTTP are real, time alone is made up."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.programs import TOKEN, configuration, inside
from bench.table import Row
from bridge.app import built
from bridge.redact import Redactor
from bridge.settings import load
from bridge.simulator.server import Server
from bridge.simulator.tibber import DEFAULT_HOMES, PATH, Home, Tibber

INSTALLATIONS = 6  # each with a random share and random retries of its own
NO_BROKER = 1  # a port that nothing is sent to: the app is built, its poller alone runs
OSLO = ZoneInfo("Europe/Oslo")
DAYS = 8
FIRST = date(2025, 10, 20)
LONG = date(2025, 10, 26) - FIRST  # the day of 25 hours
QUARTERLY, *_ = DEFAULT_HOMES
HOURLY = replace(QUARTERLY, quarter_hourly=False)
PUNCTUAL, LATE = time(13), time(22)


@dataclass(frozen=True)
class Scene:
    """A home, when tomorrow's prices appear in Oslo, and how many requests a day may cost."""

    what: str
    home: Home
    publish_at: time
    limit: int | None = None


SCENES = (
    Scene("requests, a punctual day", QUARTERLY, PUNCTUAL, 6),
    Scene("requests, a late day (22:00)", QUARTERLY, LATE, 12),
    Scene("requests without quarter-hours, punctual", HOURLY, PUNCTUAL),
    Scene("requests without quarter-hours, late", HOURLY, LATE),
)


class LeapingClock:
    """Time passes only where somebody sleeps, and at once; who sleeps until `end` or longer sleeps for ever."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self._moment, self._end = begin, end
        self.over = asyncio.Event()

    def now(self) -> datetime:
        return self._moment

    async def sleep_until(self, moment: datetime) -> None:
        if moment >= self._end:
            self.over.set()
            await asyncio.Event().wait()
        self._moment = max(self._moment, moment)
        await asyncio.sleep(0)


async def measured(folder: Path) -> list[Row]:
    rows = []
    for number, scene in enumerate(SCENES):
        spent = [await _requests(inside(folder, f"{number}-{other}"), scene) for other in range(INSTALLATIONS)]
        usual = max(days[day] for days in spent for day in range(1, DAYS) if day != LONG.days)
        second = ", ".join(str(days[1]) for days in spent)
        text = f"first day {max(days[0] for days in spent)}; the second, of {INSTALLATIONS} installations: {second}"
        rows.append(_row(scene.what, text, usual, scene.limit))
        rows.append(_row(f"{scene.what}, of 25 hours", "", max(days[LONG.days] for days in spent), scene.limit))
    return rows


def _row(what: str, text: str, worst: int, limit: int | None) -> Row:
    if limit is None:
        return Row(what, text, f"worst {worst}")
    return Row(what, text, f"worst {worst}", f"≤ {limit}", worst <= limit)


async def _requests(folder: Path, scene: Scene) -> list[int]:
    """Return the requests of each of `DAYS` days in Oslo, of one home."""
    clock = LeapingClock(_oslo(0, time(0, 30)), _oslo(DAYS, time()))
    tibber = Tibber(clock.now, token=TOKEN, homes=(scene.home,))
    tibber.publish_at = scene.publish_at
    async with Server(tibber.handle) as server:
        settings = load(configuration(folder, port=NO_BROKER, url=f"{server.url}{PATH}"))
        async with built(settings, clock, Redactor([TOKEN])) as app:
            (account,) = app.accounts
            polling = asyncio.create_task(app.poller(account).run())
            over = asyncio.create_task(clock.over.wait())
            await asyncio.wait((polling, over), return_when=asyncio.FIRST_COMPLETED)
            over.cancel()
            if not polling.done():
                polling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await polling
    counted = Counter(asked.moment.astimezone(OSLO).date() for asked in tibber.requests)
    return [counted[FIRST + timedelta(days=day)] for day in range(DAYS)]


def _oslo(day: int, clock_time: time) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), clock_time, OSLO).astimezone(UTC)
