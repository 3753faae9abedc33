"""How fast may be asked: by what the provider tells with every answer in `RateLimit-*`, and never in a burst that has no end.

Commands leave the last of the provider's allowance to the polls, as they do with our own budget.
Source: https://api-docs.sensorfact.nl/docs/key-concepts, "Rate Limiting".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.errors import BudgetSpent
from bridge.state.budget import KEPT_BACK
from bridge.transport.answer import LONGEST_PAUSE

GAP = timedelta(seconds=0.25)  # between sequential requests, as the provider recommends
BURST = 10  # requests that may go without it, after as long a rest
SCARCE = 0.25  # of the allowance: what is left when it is spread over the rest of the window
LONGEST_GAP = timedelta(seconds=5)
POLICY = re.compile(r"\s*(\d{1,9})\s*;\s*w\s*=\s*(\d{1,9})")


@dataclass(frozen=True)
class Allowance:
    """So many requests are left until the window ends."""

    remaining: int
    until: datetime
    limit: int | None = None


class Pace:
    """Holds each request back for as long as it has to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowance: Allowance | None = None
        self._reckoned: datetime | None = None  # when all that went out would have gone, each a gap after the one before

    async def turn(self) -> None:
        """Return when a request may go out. Raises BudgetSpent where the allowance is used up: nothing was sent."""
        now = self._clock.now()
        allowance = self._allowance if self._allowance and now < self._allowance.until else None
        if allowance is not None:
            kept = int((allowance.limit or 0) * KEPT_BACK.get())
            if allowance.remaining <= kept:
                wait = allowance.until - now
                text = f"the provider allows {allowance.remaining} more requests in the next {_seconds(wait)} s"
                raise BudgetSpent(f"{text}, which are the polls'" if kept else text, retry_after=wait)
            self._allowance = replace(allowance, remaining=allowance.remaining - 1)
        wait = self._wait(now, allowance)
        if wait > timedelta():
            await self._clock.sleep_until(now + wait)

    def note(self, headers: Mapping[str, str], moment: datetime) -> None:
        """Take in what an answer tells; without `RateLimit-Remaining` nothing is known."""
        policy = POLICY.match(headers.get("ratelimit-policy", ""))
        remaining, reset = _whole(headers.get("ratelimit-remaining")), _whole(headers.get("ratelimit-reset"))
        limit = _whole(headers.get("ratelimit-limit"))
        if reset is None and policy is not None:
            reset = int(policy[2])
        if limit is None and policy is not None:
            limit = int(policy[1])
        if remaining is None or reset is None:
            self._allowance = None
            return
        until = moment + min(timedelta(seconds=reset), LONGEST_PAUSE)
        self._allowance = Allowance(remaining, until, limit)

    def _wait(self, now: datetime, allowance: Allowance | None) -> timedelta:
        """Return how long this request has to wait, and reckon it in."""
        if allowance is not None and allowance.remaining <= (allowance.limit or 0) * SCARCE:
            return min(max(GAP, (allowance.until - now) / allowance.remaining), LONGEST_GAP)
        before = self._reckoned
        if before is None or before < now or before > now + BURST * 2 * GAP:  # the last: the clock was set back
            before = now
        self._reckoned = before + GAP
        return max(self._reckoned - now - BURST * GAP, timedelta())


def _whole(text: str | None) -> int | None:
    """Return a count or a number of seconds, None where there is none; parameters behind it are for others."""
    found = re.match(r"\s*(\d{1,9})\s*(?:[;,]|$)", text or "")
    return int(found[1]) if found else None


def _seconds(span: timedelta) -> int:
    return -int(-span.total_seconds() // 1)  # rounded up
