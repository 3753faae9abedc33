"""Hears what one source tells by itself, and has it published at once. Whatever breaks here breaks for this line alone.

The state folder is not written with every message: a memory card would not last. What has changed is written each minute.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta

from bridge.clock import Clock
from bridge.errors import BridgeError, RateLimited, SourceError
from bridge.feed.health import SourceReport
from bridge.feed.poll import LONGEST_TEXT, Internal
from bridge.feed.publish import Publisher
from bridge.models.observation import Observation, Shortfall
from bridge.providers.base import Listening
from bridge.redact import Redactor
from bridge.state.database import Statement
from bridge.state.store import row
from bridge.topics import Topics
from bridge.transport.shelf import Shelf

log = logging.getLogger(__name__)

FIRST_BACK_OFF = timedelta(seconds=1)
LONGEST_BACK_OFF = timedelta(minutes=5)
STEADY = timedelta(minutes=1)  # a line that stood so long was well: the next failure is the first again
SAVE_EVERY = timedelta(minutes=1)


class Listener:
    """Listens to one source for ever."""

    def __init__(
        self,
        source: Listening,
        report: SourceReport,
        topics: Topics,
        shelf: Shelf,
        clock: Clock,
        redact: Redactor,
        *,
        after_save: Callable[[], None],
        chance: random.Random | None = None,
    ) -> None:
        self._source, self._latest, self._report, self._shelf, self._clock = source, report.latest, report, shelf, clock
        self._publisher = Publisher(topics, report.latest, shelf)
        self._redact, self._after_save = redact, after_save
        self._chance = chance or random.Random()
        self._failures = 0  # in a row
        self._stands = False
        self._unsaved: dict[Statement, Statement] = {}  # by row: bounded by what is known of the source
        self._faults: set[type[Exception]] = set()  # of ours, told already

    async def run(self) -> None:
        """Listen until cancelled, or until the source says that there is nothing to listen to."""
        saving = asyncio.create_task(self._save_regularly(), name=f"save-{self._latest.source}")
        try:
            while (error := await self._broken()) is not None:
                wait = self._back_off(error)
                self._tell(error, f"it is tried again in {wait.total_seconds():.0f} s")
                await self._clock.sleep_until(self._clock.now() + wait)
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
            self._save()

    async def _broken(self) -> BridgeError | None:
        """Listen until the line breaks and return why; None where there is nothing to listen to."""
        self._stands, begun = False, self._clock.now()
        try:
            async with aclosing(self._source.listen(self._latest)) as observations:
                async for observation in observations:
                    self._take_in(observation)
                    await asyncio.sleep(0)  # a flood must not hold up a slot's end
        except SourceError as raised:
            error: BridgeError = raised
        except Exception as raised:  # noqa: BLE001 - it is logged whole, and no other line must end with this one
            self._report_fault("an unforeseen fault in listening", raised)
            error = Internal(self._redact(f"{type(raised).__name__}: {raised}")[:LONGEST_TEXT])
        else:
            return None
        if self._stands and self._clock.now() - begun >= STEADY:
            self._failures = 0
        self._failures += 1
        return error

    def _take_in(self, observation: Observation) -> None:
        stood, self._stands = self._stands, True
        if isinstance(observation, Shortfall):
            self._tell(observation.error, "the rest is heard")
            return
        if not stood:
            self._tell(None, "")
        site = getattr(observation, "site", None)
        if site is not None and site not in self._latest.places:
            log.debug("%s: what came is of a site that is not known", self._latest.source)
            return
        try:
            statements = self._publisher.publish(observation, None, self._clock.now())
        except Exception as raised:  # noqa: BLE001 - the line is well, and the next may be better
            self._report_fault("what came cannot be published", raised)
            return
        for statement in statements:
            self._unsaved.pop(row(statement), None)  # so that it takes its place at the end
            self._unsaved[row(statement)] = statement

    def _back_off(self, error: BridgeError) -> timedelta:
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after + timedelta(seconds=self._chance.uniform(0, 30))
        longest = min(FIRST_BACK_OFF * (1 << min(self._failures, 10)), LONGEST_BACK_OFF)
        return max(self._chance.uniform(0.5, 1) * longest, FIRST_BACK_OFF)

    def _tell(self, error: BridgeError | None, then: str) -> None:
        """Let the source's health say that the line is well, or what ails it; the log when it changes."""
        name, before = self._latest.source, self._report.fortune.deaf
        if error is None and before is not None:
            log.info("%s: it is listened to again", name)
        elif error is not None and (before is None or before.code != error.code):
            log.warning("%s: it cannot be listened to: %s; %s", name, error, then)
        elif error is not None:
            log.debug("%s: still: %s; %s", name, error, then)
        self._report.fortune.deaf = error
        if (before is None) != (error is None) or str(before) != str(error):
            self._shelf.put(self._report.messages(self._clock.now()))

    def _report_fault(self, text: str, fault: Exception) -> None:
        level = logging.DEBUG if type(fault) in self._faults else logging.ERROR
        self._faults.add(type(fault))
        log.log(level, "%s: %s", self._latest.source, text, exc_info=fault)

    async def _save_regularly(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + SAVE_EVERY)
            self._save()

    def _save(self) -> None:
        if self._unsaved:
            self._latest.save_beside(self._unsaved.values())
            self._unsaved = {}
            self._after_save()
