"""The operations of the bridge itself: when a device runs cheapest, and plans that it keeps and switches for them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bridge.commands import messages, planning
from bridge.commands.generic import Holdings, Nothing, Place
from bridge.commands.offer import Offer, Personal, Run, offered
from bridge.commands.plans import Plans
from bridge.commands.wanted import CheapestArguments, Named, PlanArguments
from bridge.commands.wish import place_of, wish_of
from bridge.models.payload import CheapestPayload, PlanPayload
from bridge.models.plan import Plan
from bridge.models.price import Curve
from bridge.providers.base import Kind, Operation

SOURCE = "bridge"  # under which they are asked for
OPERATIONS = {
    "cheapest": Operation(Kind.QUERY, "when to run at the least cost", CheapestArguments, CheapestPayload),
    "plan": Operation(Kind.QUERY, "choose likewise, and switch a topic on time", PlanArguments, PlanPayload),
    "plan_cancel": Operation(Kind.QUERY, "end a plan of the client's own", Named, Nothing),
}


class Planner:
    """The bridge's own operations, over all that is known of every source."""

    def __init__(self, sources: Mapping[str, Holdings], plans: Plans) -> None:
        self._sources, self._plans = sources, plans

    def offers(self) -> Iterator[Offer]:
        yield self._offer("cheapest", self._cheapest)
        yield self._offer("plan", self._plan, personal=True)
        yield self._offer("plan_cancel", self._cancel, personal=True)

    def _offer(self, name: str, run: Run, *, personal: bool = False) -> Offer:
        return offered(SOURCE, name, OPERATIONS[name], run, remote=False, personal=personal)

    async def _cheapest(self, given: CheapestArguments, moment: datetime) -> CheapestPayload:
        place = place_of(given, self._sources)
        wish, curve = wish_of(given, place, moment), self._curve(given, place)
        found = planning.chosen(wish, curve)
        assert curve is not None
        return messages.told(wish, found.segments, planning.price_at_once(wish, curve, moment), curve)

    async def _plan(self, asked: Personal, moment: datetime) -> PlanPayload:
        given: PlanArguments = asked.given
        place, as_asked = place_of(given, self._sources), given.model_dump_json()
        standing = self._plans.find((asked.client, given.name))
        if standing is not None and standing.asked == as_asked:  # the same again: whoever heard no answer asks once more
            return messages.shown(standing, place.name)
        wish, curve = wish_of(given, place, moment), self._curve(given, place)
        found = planning.chosen(wish, curve)
        assert curve is not None
        assert curve.end is not None
        plan = Plan(
            client=asked.client,
            name=given.name,
            asked=as_asked,
            wish=wish,
            segments=found.segments,
            at_once=planning.price_at_once(wish, curve, moment),
            currency=curve.currency,
            data_until=curve.end,
        )
        self._plans.keep(plan, moment)
        return messages.shown(plan, place.name)

    def _curve(self, given: CheapestArguments, place: Place) -> Curve | None:
        if given.levels is None:
            return place.curves.get(given.stream)
        return self._sources[given.source].levelled(place.site.id, given.stream)

    async def _cancel(self, asked: Personal, _: datetime) -> dict[str, Any]:
        self._plans.cancel((asked.client, asked.given.name))
        return {}
