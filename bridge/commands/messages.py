"""From a plan and a moment to messages: pure.

`ON` expires a minute after its segment, so that a dead bridge leaves no device running; the rest an hour after the plan's end.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from bridge.models.message import GRACE, NEWS, NOTHING, OFF, ON, Message
from bridge.models.payload import CheapestPayload, PlanFinished, PlanPayload, SegmentPayload
from bridge.models.plan import Plan, Segment, Wish
from bridge.models.price import Curve
from bridge.pricing.segments import mean, running
from bridge.topics import Topics

SHOWN_AFTER = timedelta(hours=1)  # the end of a plan


def plan(topics: Topics, kept: Plan, site: str | None, moment: datetime) -> Iterator[Message]:
    """Yield `plan/{client}/{name}/active` and, where the name of its site is known, `plan/{client}/{name}`."""
    now, over = running(kept.segments, moment), kept.end + SHOWN_AFTER
    yield Message(topics.plan_active(*kept.key), ON if now else OFF, now.end + GRACE if now else over)
    if site is not None:
        yield Message(topics.plan(*kept.key), shown(kept, site).encoded(), over)


def cleared(topics: Topics, key: tuple[str, str]) -> Iterator[Message]:
    """Yield what empties the topics of a client's plan."""
    for topic in (topics.plan_active(*key), topics.plan(*key)):
        yield Message(topic, NOTHING)


def finished(topics: Topics, kept: Plan, site: str, moment: datetime) -> Message:
    """Return the event of a plan that is over."""
    price = mean(kept.segments)
    event = PlanFinished(
        client=kept.client,
        name=kept.name,
        stream=kept.wish.stream,
        start=kept.segments[0].start,
        end=kept.end,
        mean=price,
        cost=_cost(kept.wish, price),
        currency=kept.currency,
    )
    return Message(topics.event(kept.wish.source, site), event.encoded(), moment + NEWS, retain=False)


def told(wish: Wish, segments: tuple[Segment, ...], at_once: Decimal | None, curve: Curve) -> CheapestPayload:
    """Return the answer of `cheapest`."""
    assert curve.end is not None
    return CheapestPayload.model_validate(_facts(wish, segments, at_once, curve.currency, curve.end))


def shown(kept: Plan, site: str) -> PlanPayload:
    """Return what stands on the topic of a plan whose site goes by the name `site`."""
    facts = _facts(kept.wish, kept.segments, kept.at_once, kept.currency, kept.data_until)
    about = {"name": kept.name, "source": kept.wish.source, "site": site, "stream": kept.wish.stream}
    return PlanPayload.model_validate({**facts, **about})


def _cost(wish: Wish, price: Decimal | None) -> Decimal | None:
    """Return what the energy of `wish` costs at a mean `price`; None where either is unknown."""
    return None if price is None or wish.energy_kwh is None else price * wish.energy_kwh


def _facts(
    wish: Wish, segments: tuple[Segment, ...], at_once: Decimal | None, currency: str | None, data_until: datetime
) -> dict[str, object]:
    price = mean(segments)
    own, other = _cost(wish, price), _cost(wish, at_once)
    return {
        "start": segments[0].start,
        "end": segments[-1].end,
        "mean": price,
        "segments": tuple(SegmentPayload(start=one.start, end=one.end, mean=one.mean) for one in segments),
        "cost": own,
        "saving": None if own is None or other is None else other - own,
        "currency": currency,
        "data_until": data_until,
    }
