"""The request budget of a source: so many requests in so many seconds, shared by all its uses and kept across restarts.

A request is written down before it is sent, so that a program that dies at each start cannot spend more than the budget.
"""

import json
from collections import deque
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from bridge.errors import BudgetSpent, RateLimited
from bridge.models.payload import BudgetFigures
from bridge.state.database import Database


class BudgetSettings(BaseModel):
    """`budget = { requests = 20, seconds = 300 }`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    requests: int = Field(default=20, ge=1)
    seconds: int = Field(default=300, ge=1)


class Budget:
    """Counts one source's requests, and holds the pause that its provider has asked for."""

    def __init__(self, source: str, settings: BudgetSettings, database: Database) -> None:
        self._source, self._database = source, database
        self._limit, self._span = settings.requests, timedelta(seconds=settings.seconds)
        self._spent: deque[datetime] = deque()
        self._day, self._requests_today = "", 0
        self._paused_until: datetime | None = None
        self._load()

    def _load(self) -> None:
        # anew each time: `kwh2mqtt poll` may have spent beside us
        query = "SELECT spent, day, requests, paused_until FROM budgets WHERE source = ?"
        for spent, day, requests, paused_until in self._database.rows(query, (self._source,)):
            self._spent = deque(datetime.fromtimestamp(second, UTC) for second in json.loads(spent))
            self._day, self._requests_today = day, requests
            self._paused_until = datetime.fromisoformat(paused_until) if paused_until else None

    def spend(self, moment: datetime) -> None:
        """Count a request that is about to be sent. Raises RateLimited in a pause, BudgetSpent where none is left."""
        self._load()
        self._forget(moment)
        if self._paused_until is not None:
            wait = self._paused_until - moment
            raise RateLimited(f"the provider asked for a pause, {_seconds(wait)} s of it are left", retry_after=wait)
        if len(self._spent) >= self._limit:
            wait = self._spent[0] + self._span - moment
            text = f"the budget of {self._limit} requests in {_seconds(self._span)} s is spent, the next in {_seconds(wait)} s"
            raise BudgetSpent(text, retry_after=wait)
        self._spent.append(moment)
        self._requests_today += 1
        self._save()

    def pause(self, until: datetime) -> None:
        """Send nothing before `until`; of two pauses the longer one holds."""
        self._paused_until = max(until, self._paused_until or until)
        self._save()

    def requests_today(self, moment: datetime) -> int:
        """Return how many were sent since midnight UTC."""
        self._forget(moment)
        return self._requests_today

    def figures(self, moment: datetime) -> BudgetFigures:
        self._forget(moment)
        remaining = 0 if self._paused_until else self._limit - len(self._spent)
        resets_at = self._paused_until or (self._spent[0] + self._span if self._spent else None)
        return BudgetFigures(limit=self._limit, remaining=remaining, resets_at=resets_at)

    def _forget(self, moment: datetime) -> None:
        # a request dated after `moment` was written before the clock was set back: it counts as sent now
        self._spent = deque(min(spent, moment) for spent in self._spent if spent > moment - self._span)
        if self._day != (today := f"{moment:%Y-%m-%d}"):
            self._day, self._requests_today = today, 0
        if self._paused_until is not None and self._paused_until <= moment:
            self._paused_until = None

    def _save(self) -> None:
        spent = json.dumps([round(moment.timestamp(), 3) for moment in self._spent])
        paused_until = self._paused_until.isoformat() if self._paused_until else None
        row = (self._source, spent, self._day, self._requests_today, paused_until)
        self._database.write([("INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?, ?)", row)])


def _seconds(span: timedelta) -> int:
    return -int(-span.total_seconds() // 1)  # rounded up
