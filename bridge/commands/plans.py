"""The plans that are kept: on their topics, switched on time, moved when prices change, and cleared an hour after their end.

What is cleared is remembered until the broker has surely heard of it, also over a restart.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.commands import messages, planning
from bridge.commands.generic import Holdings, Place
from bridge.commands.messages import SHOWN_AFTER
from bridge.errors import NotFound, Refused
from bridge.models.message import Message
from bridge.models.observation import SitesSeen
from bridge.models.plan import Plan
from bridge.models.price import Curve
from bridge.state.plans import KeptPlans, Key
from bridge.topics import Topics

log = logging.getLogger(__name__)

MOST_OF_A_CLIENT, MOST = 16, 1000  # plans: a device that runs wild must fill neither the disk nor the broker
LEAD = timedelta(seconds=5)  # how long before a change its messages are drawn
LONGEST_SLEEP = timedelta(seconds=60)  # so that a clock set back is noticed
ON_TIME = timedelta(seconds=1)  # later than that, what was drawn may be untrue


class Plans:
    """Keeps the plans of all clients, each under its client's name and its own."""

    def __init__(
        self,
        topics: Topics,
        sources: Mapping[str, Holdings],
        kept: KeptPlans,
        clock: Clock,
        publish: Callable[[Message], None],
        settled: Callable[[], bool],
    ) -> None:
        """`settled` tells whether the broker has taken everything that was published."""
        self._topics, self._sources, self._kept, self._clock = topics, sources, kept, clock
        self._publish, self._settled = publish, settled
        self._plans = {plan.key: plan for plan in kept.all()}
        self._gone = kept.gone()  # cleared, but the broker may not know yet
        self._judged: dict[Key, Curve] = {}  # the prices that each plan was last compared with
        self._news = asyncio.Event()

    # what devices ask

    def find(self, key: Key) -> Plan | None:
        """Return a plan that is not over."""
        plan = self._plans.get(key)
        return plan if plan and not plan.finished else None

    def keep(self, plan: Plan, moment: datetime) -> None:
        """Keep and show `plan`, in place of one of its key. Raises Refused where there are too many."""
        if plan.key not in self._plans:
            self._make_room(plan.client)
        self._put(plan, durable=True)
        self._gone.discard(plan.key)
        self._show(plan, moment)
        self._news.set()

    def cancel(self, key: Key) -> None:
        """End a plan and clear its topics. Raises NotFound."""
        if key not in self._plans:
            own = ", ".join(name for client, name in self._plans if client == key[0]) or "none"
            raise NotFound(f"there is no plan {key[1]} of this client; there is: {own}")
        self._drop(self._plans[key])
        self._news.set()

    def _make_room(self, client: str) -> None:
        own = [plan for plan in self._plans.values() if plan.client == client]
        for over in [plan for plan in own if plan.finished][: max(0, len(own) - MOST_OF_A_CLIENT + 1)]:
            self._drop(over)
            own.remove(over)
        if len(own) >= MOST_OF_A_CLIENT or len(self._plans) >= MOST:
            most = f"{MOST_OF_A_CLIENT} plans of a client" if len(own) >= MOST_OF_A_CLIENT else f"{MOST} plans in all"
            raise Refused(f"{most} are the most: cancel one, or use its name again", reasons=("too many plans",))

    # what prices and time bring

    def look_again(self) -> None:
        """Have the plans compared with the prices that are known now; `run` does so."""
        self._news.set()

    async def replan(self) -> None:
        """Move what newer prices make worth moving, letting others have their turn after each plan."""
        for key in list(self._plans):
            plan = self._plans.get(key)  # it may have been cancelled meanwhile
            place = self._place(plan) if plan else None
            curve = place.curves.get(plan.wish.stream) if plan and place else None
            if plan is not None and curve is not None and self._judged.get(key) is not curve:
                self._judged[key] = curve
                self._move(plan, curve)
                await asyncio.sleep(0)

    def _move(self, plan: Plan, curve: Curve) -> None:
        try:
            newer = planning.moved(plan, curve, self._clock.now())
        except Exception:  # what fails for one plan must not stop the others
            log.exception("plan %r of %r cannot be compared with newer prices; it stays as it is", plan.name, plan.client)
            return
        if newer != plan:
            if _spans(newer) != _spans(plan):
                log.info("plan %r of %r is moved by newer prices", plan.name, plan.client)
            self._put(newer)

    def show(self, moment: datetime) -> None:
        """Lay every plan on its topics as it is at `moment`, tell of those that are over, and clear those that were."""
        for client, name in self._gone:
            self._clear((client, name))
        for plan in list(self._plans.values()):
            if self._is_homeless(plan):
                log.info("plan %r of %r is cleared, as its site is gone", plan.name, plan.client)
                self._drop(plan)
            elif plan.end + SHOWN_AFTER <= moment:
                self._drop(plan)
            else:
                self._show(plan, moment)

    async def run(self) -> None:
        """Switch every plan on time, until cancelled."""
        while True:
            await self.replan()
            now = self._clock.now()
            self.show(now)
            self._forget()
            change = min((change for change in self._changes() if change > now), default=None)
            if change is None or change - LEAD > now:
                longest = now + LONGEST_SLEEP
                await self._slept(longest if change is None else min(change - LEAD, longest))
                continue
            drawn = [message for plan in self._plans.values() for message in self._drawn(plan, change)]
            if not await self._slept(change) and timedelta() <= self._clock.now() - change < ON_TIME:
                for message in drawn:
                    self._publish(message)

    async def _slept(self, until: datetime) -> bool:
        """Sleep, and tell whether news came before the end."""
        nap, news = asyncio.create_task(self._clock.sleep_until(until)), asyncio.create_task(self._news.wait())
        try:
            await asyncio.wait((nap, news), return_when=asyncio.FIRST_COMPLETED)
            return self._news.is_set()
        finally:
            for task in (nap, news):
                task.cancel()
            await asyncio.gather(nap, news, return_exceptions=True)
            self._news.clear()

    def _changes(self) -> Iterator[datetime]:
        for plan in self._plans.values():
            for segment in plan.segments:
                yield segment.start
                yield segment.end
            yield plan.end + SHOWN_AFTER

    # the topics

    def _show(self, plan: Plan, moment: datetime) -> None:
        for message in self._drawn(plan, moment):
            self._publish(message)
        if plan.end <= moment and not plan.finished:
            self._put(plan.model_copy(update={"finished": True}))
            if (place := self._place(plan)) is not None:
                self._publish(messages.finished(self._topics, plan, place.name, moment))

    def _drawn(self, plan: Plan, moment: datetime) -> list[Message]:
        place, drawn = self._place(plan), list[Message]()
        try:
            drawn += messages.plan(self._topics, plan, place.name if place else None, moment)
        except Exception:  # what fails for one plan must not stop the others, nor its switch
            log.exception("plan %r of %r cannot be shown", plan.name, plan.client)
        return drawn

    def _clear(self, key: Key) -> None:
        for message in messages.cleared(self._topics, key):
            self._publish(message)

    # what is kept

    def _put(self, plan: Plan, *, durable: bool = False) -> None:
        self._plans[plan.key] = plan
        self._kept.save(plan, durable=durable)

    def _drop(self, plan: Plan) -> None:
        del self._plans[plan.key]
        self._judged.pop(plan.key, None)
        self._kept.bury(plan.key)
        self._gone.add(plan.key)
        self._clear(plan.key)

    def _forget(self) -> None:
        """Forget what is gone once the broker has heard of it."""
        if self._gone and self._settled():
            self._kept.forget(self._gone)
            self._gone = set()

    def _place(self, plan: Plan) -> Place | None:
        source = self._sources.get(plan.wish.source)
        return source.places.get(plan.wish.site) if source else None

    def _is_homeless(self, plan: Plan) -> bool:
        source = self._sources.get(plan.wish.source)
        return source is None or (plan.wish.site not in source.places and source.seen(SitesSeen) is not None)


def _spans(plan: Plan) -> list[tuple[datetime, datetime]]:
    return [(segment.start, segment.end) for segment in plan.segments]
