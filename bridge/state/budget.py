"""The request budget of a source: so many requests in so many seconds, shared by all its uses and kept across restarts.

A request is written down before it is sent, so that a program that dies at each start cannot spend more than the budget.
"""

from contextvars import ContextVar
from datetime import date, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from bridge.errors import BudgetSpent, RateLimited
from bridge.models.payload import BudgetFigures
from bridge.models.price import Instant
from bridge.state.database import Database, readable

LONGEST_PAUSE = timedelta(days=7)  # nobody bans for longer: a later date is a fault, theirs or our clock's


class BudgetSettings(BaseModel):
    """`budget = { requests = 20, seconds = 300 }`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    requests: int = Field(default=20, ge=1)
    seconds: int = Field(default=300, ge=1)


class Spending(BaseModel):
    """What a source has spent, as it is written down."""

    model_config = ConfigDict(frozen=True)

    spent: tuple[Instant, ...] = ()  # the requests inside the window, oldest first
    day: date | None = None  # UTC
    requests: int = 0  # on that day
    paused_until: Instant | None = None


KEPT_BACK: ContextVar[float] = ContextVar("KEPT_BACK", default=0.0)  # the share of a budget that this task may not have


class Budget:
    """Counts one source's requests, and holds the pause that its provider has asked for."""

    def __init__(self, source: str, settings: BudgetSettings, database: Database) -> None:
        self._source, self._database = source, database
        self._limit, self._span = settings.requests, timedelta(seconds=settings.seconds)
        self._now = Spending()
        self._written = True  # whether the file knows all that we know

    def spend(self, moment: datetime) -> None:
        """Count a request that is about to be sent. Raises RateLimited in a pause, BudgetSpent where none is left."""
        now = self._read(moment)
        if now.paused_until is not None:
            wait = now.paused_until - moment
            raise RateLimited(f"the provider asked for a pause, {_seconds(wait)} s of it are left", retry_after=wait)
        kept = int(self._limit * KEPT_BACK.get())
        limit = self._limit - kept
        if len(now.spent) >= limit:
            wait = now.spent[-limit] + self._span - moment
            spent = f"spent but for {kept} that polls keep" if kept else "spent"
            text = f"the budget of {self._limit} requests in {_seconds(self._span)} s is {spent}, the next in {_seconds(wait)} s"
            raise BudgetSpent(text, retry_after=wait)
        self._write(now.model_copy(update={"spent": (*now.spent, moment), "requests": now.requests + 1}))

    def pause(self, until: datetime) -> None:
        """Send nothing before `until`, a week at the most; of two pauses the longer one holds."""
        now = self._kept()
        self._write(now.model_copy(update={"paused_until": max(until, now.paused_until or until)}))

    def requests_today(self, moment: datetime) -> int:
        """Return how many were sent since midnight UTC."""
        return self._read(moment).requests

    def figures(self, moment: datetime) -> BudgetFigures:
        now = self._read(moment)
        remaining = 0 if now.paused_until else max(0, self._limit - len(now.spent))
        resets_at = now.paused_until or (now.spent[0] + self._span if now.spent else None)
        return BudgetFigures(limit=self._limit, remaining=remaining, resets_at=resets_at)

    def _kept(self) -> Spending:
        # read anew each time: `kwh2mqtt poll` may have spent beside us
        if not self._written:
            return self._now
        rows = self._database.rows("SELECT spending FROM budgets WHERE source = ?", (self._source,))
        return next(readable(Spending, rows), self._now)

    def _read(self, moment: datetime) -> Spending:
        """Return what counts at `moment`."""
        now = self._kept()
        self._now = self._reckoned(now, moment)
        if self._is_ahead(now, moment):  # written before the clock was set back: what is ahead of us counts from now
            self._write(self._now)
        return self._now

    def _reckoned(self, now: Spending, moment: datetime) -> Spending:
        spent = tuple(min(sent, moment) for sent in now.spent if sent > moment - self._span)
        today = moment.date()
        paused_until = now.paused_until
        if paused_until is not None and any(sent > moment for sent in now.spent[-1:]):
            paused_until -= now.spent[-1] - moment  # the pause was counted from there
        if paused_until is not None and not moment < paused_until:
            paused_until = None
        return Spending(
            spent=spent,
            day=today,
            requests=now.requests if now.day == today else 0,
            paused_until=paused_until and min(paused_until, moment + LONGEST_PAUSE),
        )

    def _is_ahead(self, now: Spending, moment: datetime) -> bool:
        return any(sent > moment for sent in now.spent) or bool(now.paused_until and now.paused_until > moment + LONGEST_PAUSE)

    def _write(self, now: Spending) -> None:
        self._now = now
        row = (self._source, now.model_dump_json())
        self._written = self._database.write([("INSERT OR REPLACE INTO budgets VALUES (?, ?)", row)])


def _seconds(span: timedelta) -> int:
    return -int(-span.total_seconds() // 1)  # rounded up
