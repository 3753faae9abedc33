"""The operations of the bridge itself: when a device runs cheapest, and plans that it keeps and switches for them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bridge.commands import messages, planning
from bridge.commands.generic import Arguments, Holdings, Nothing
from bridge.commands.offer import Offer, Personal
from bridge.commands.plans import Plans
from bridge.commands.wanted import CheapestArguments, Named, PlanArguments
from bridge.commands.wish import place_of, wish_of
from bridge.models.payload import CheapestPayload, Payload, PlanPayload
from bridge.models.plan import Plan
from bridge.providers.base import Kind

SOURCE = "bridge"  # under which they are asked for
NAMES = ("cheapest", "plan", "plan_cancel")


class Planner:
    """The bridge's own operations, over all that is known of every source."""

    def __init__(self, sources: Mapping[str, Holdings], plans: Plans) -> None:
        self._sources, self._plans = sources, plans

    def offers(self) -> Iterator[Offer]:
        yield _offer("cheapest", "when to run at the least cost", CheapestArguments, CheapestPayload, self._cheapest)
        yield _offer("plan", "choose likewise, and switch a topic on time", PlanArguments, PlanPayload, self._plan, personal=True)
        yield _offer("plan_cancel", "end a plan of the client's own", Named, Nothing, self._cancel, personal=True)

    async def _cheapest(self, given: CheapestArguments, moment: datetime) -> CheapestPayload:
        place = place_of(given, self._sources)
        wish, curve = wish_of(given, place, moment), place.curves.get(given.stream)
        found = planning.chosen(wish, curve)
        assert curve is not None
        return messages.told(wish, found.segments, planning.price_at_once(wish, curve, moment), curve)

    async def _plan(self, asked: Personal, moment: datetime) -> PlanPayload:
        given: PlanArguments = asked.given
        place, as_asked = place_of(given, self._sources), given.model_dump_json()
        standing = self._plans.find((asked.client, given.name))
        if standing is not None and standing.asked == as_asked:  # the same again: whoever heard no answer asks once more
            return messages.shown(standing, place.name)
        wish, curve = wish_of(given, place, moment), place.curves.get(given.stream)
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

    async def _cancel(self, asked: Personal, _: datetime) -> dict[str, Any]:
        self._plans.cancel((asked.client, asked.given.name))
        return {}


def _offer(
    name: str, about: str, model: type[Arguments], result: type[Payload | Nothing], run: Any, *, personal: bool = False
) -> Offer:
    return Offer(
        SOURCE, name, Kind.QUERY, about, model.model_validate, run,
        remote=False, personal=personal, arguments=model, result=result,
    )  # fmt: skip
