"""From a wish and the known prices to a plan, and from a plan and newer prices to the plan that stands then. Pure.

A plan is moved when prices change, and never by time alone: what has begun stays begun, in one go it stays whole, and the rest
moves only where that makes it cheaper by `LEAST_GAIN`. So no plan flaps, and none is put off without a reason.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from bridge.commands.generic import stamp
from bridge.commands.wanted import SECOND
from bridge.commands.wish import GRID, whole
from bridge.errors import Incomplete, Refused
from bridge.models.plan import Plan, Segment, Wish
from bridge.models.price import Curve
from bridge.pricing.cheapest import Choice, TooFine, Wanted, cheapest
from bridge.pricing.segments import begun, joined, length, mean

LEAST_GAIN = Decimal("0.01")  # of what the rest costs: less than a hundredth is not worth a move


def chosen(wish: Wish, curve: Curve | None) -> Choice:
    """Return the best there is. Raises Incomplete where too little is known, Refused where nothing can fit."""
    if curve is None or curve.end is None:
        raise Incomplete(f"no price of {wish.stream} is known yet: ask again later")
    try:
        found = best(wish, curve, wish.earliest)
    except TooFine:
        raise Refused("the prices change too finely for a least segment: leave min_segment out") from None
    if found is not None:
        return found
    known = f"prices are known until {stamp(curve.end)}"
    conditions = {"max_price": wish.max_price, "levels": wish.levels, "min_segment": wish.min_segment or None}
    named = ", ".join(key for key, value in conditions.items() if value is not None) or "the duration"
    if not curve.covers(wish.earliest, wish.latest):
        raise Incomplete(f"{known}, and in what is known nothing fits: ask again when there are more, or ease {named}")
    text = f"nothing fits from {stamp(wish.earliest)} to {stamp(wish.latest)}: ease {named}, or the deadline; {known}"
    raise Refused(text, reasons=("nothing fits",))


def best(wish: Wish, curve: Curve, earliest: datetime) -> Choice | None:
    """Return the best from `earliest` on, or None where nothing known fits. Raises TooFine.

    Segments of a least length are looked for on whole five minutes; one run that begins between them may be cheaper still.
    """
    levels = None if wish.levels is None else frozenset(wish.levels)
    wanted = Wanted(wish.duration, wish.contiguous, wish.min_segment, wish.max_price, levels, wish.power)
    if not wish.min_segment:
        return cheapest(curve, wanted, earliest, wish.latest)
    found = (
        cheapest(curve, wanted, whole(earliest, GRID), whole(wish.latest - GRID + timedelta.resolution, GRID)),
        cheapest(curve, replace(wanted, contiguous=True, min_segment=timedelta()), earliest, wish.latest),
    )
    return min((choice for choice in found if choice), key=lambda choice: (choice.mean, choice.end), default=None)


def price_at_once(wish: Wish, curve: Curve, moment: datetime) -> Decimal | None:
    """Return the mean price of running in one go from `moment` on, or None where that is not known."""
    start = whole(moment, SECOND)
    found = cheapest(curve, Wanted(wish.duration, power=wish.power), start, start + wish.duration)
    return found.mean if found else None


# newer prices


def moved(plan: Plan, curve: Curve, moment: datetime) -> Plan:
    """Return the plan that stands once `curve` is known."""
    standing = begun(plan.segments, moment)
    rest = plan.segments[len(standing) :]
    if not rest or curve.end is None:
        return plan
    priced = [_priced(plan.wish, curve, segment) for segment in rest]
    newer = tuple(new or old for new, old in zip(priced, rest, strict=True))
    if not (plan.wish.contiguous and standing):
        better = _better(plan.wish, curve, standing, rest, moment)
        worth = None if None in priced else mean(newer)
        if better and (worth is None or worth - better.mean > LEAST_GAIN * abs(worth)):
            newer = better.segments
    changes = {"segments": joined((*standing, *newer)), "data_until": curve.end, "currency": curve.currency}
    return plan.model_copy(update=changes)


def _better(
    wish: Wish, curve: Curve, standing: tuple[Segment, ...], rest: tuple[Segment, ...], moment: datetime
) -> Choice | None:
    """Return the best there is now for what has not begun."""
    left = length(rest)
    earliest = max(wish.earliest, whole(moment, SECOND), *(segment.end for segment in standing))
    update = {"duration": left, "min_segment": min(wish.min_segment, left)}
    try:
        return best(wish.model_copy(update=update), curve, earliest)
    except TooFine:
        return None


def _priced(wish: Wish, curve: Curve, segment: Segment) -> Segment | None:
    """Return `segment` at the prices of `curve`; None where they are not known, or barred by the wish."""
    alone = wish.model_copy(update={"duration": segment.end - segment.start, "contiguous": True, "min_segment": timedelta()})
    found = best(alone.model_copy(update={"latest": segment.end}), curve, segment.start)
    return found.segments[0] if found else None
