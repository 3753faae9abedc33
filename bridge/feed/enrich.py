"""From a curve and a moment to figures: pure. Here prices get their meaning; `bridge.pricing` does the arithmetic."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.models.payload import Columns, DayFigures, Price, Summary
from bridge.models.price import Curve, Slot
from bridge.pricing import currency, grid
from bridge.pricing.day import bounds, midnight
from bridge.pricing.figures import figures, mean, rank


def price(curve: Curve, slot: Slot, zone: ZoneInfo) -> Price:
    """Return `slot` and where it stands among the known slots of its local day."""
    day = curve.between(*bounds(slot.start, zone)) or (slot,)
    values = [other.value for other in day]
    return Price(
        start=slot.start,
        end=slot.end,
        value=slot.value,
        currency=curve.currency,
        unit=currency.unit(curve.currency),
        level=slot.level,
        rating=None,
        rank=rank(slot, day),
        rank_of=len(day),
        min=min(values),
        max=max(values),
        mean=mean(day),
    )


def shown(curve: Curve, zone: ZoneInfo, moment: datetime) -> tuple[Slot, ...]:
    """Return the slots from the start of the local day of `moment` to the last known one."""
    start = midnight(moment, zone)
    return curve.since(start).slots


def columns(curve: Curve, slots: tuple[Slot, ...], until: datetime) -> Columns:
    """Return `slots`, of which there must be one at least, as an even grid that runs to `until` at the least."""
    step = grid.step(slots)
    return Columns(
        start=int(slots[0].start.timestamp()),
        step=int(step.total_seconds()),
        unit=currency.unit(curve.currency),
        values=grid.values(slots, step, until),
    )


def day(curve: Curve, zone: ZoneInfo, moment: datetime, days: int = 0) -> DayFigures | None:
    """Return the figures of the local day of `moment`, moved by `days`, or None where nothing of it is known."""
    start, end = bounds(moment, zone, days)
    found = figures(curve.between(start, end))
    if found is None:
        return None
    return DayFigures(
        start=start,
        end=end,
        min=found.least.value,
        min_at=found.least.start,
        max=found.greatest.value,
        max_at=found.greatest.start,
        mean=found.mean,
        median=found.median,
        complete=curve.covers(start, end),
    )


def summary(curve: Curve, zone: ZoneInfo, moment: datetime) -> Summary:
    """Return the glance at today and tomorrow."""
    today = day(curve, zone, moment)
    display_unit, display_factor = currency.display(curve.currency)
    return Summary(
        currency=curve.currency,
        unit=currency.unit(curve.currency),
        display_unit=display_unit,
        display_factor=display_factor,
        min=today.min if today else None,
        max=today.max if today else None,
        mean=today.mean if today else None,
        median=today.median if today else None,
        today=today,
        tomorrow=day(curve, zone, moment, 1),
        data_until=curve.end,
        resolution=grid.resolution(shown(curve, zone, moment)),
        source_resolution=curve.source_resolution,
    )
