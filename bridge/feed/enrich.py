"""From what a curve means and a moment to payloads: pure. `bridge.pricing` does the arithmetic."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.models.payload import Columns, DayFigures, Price, StretchPayload, Summary, WindowPayload
from bridge.models.price import Curve, Slot
from bridge.pricing import currency, grid
from bridge.pricing.day import midnight
from bridge.pricing.judged import Day
from bridge.pricing.meaning import CHEAPEST, Meaning
from bridge.pricing.windows import Chosen, Window


def price(meaning: Meaning, slot: Slot) -> Price:
    """Return `slot`, where it stands among the known slots of its local day, and what it means."""
    day, verdict = meaning.day(slot.start), meaning.verdict(slot)
    found, ranks = day.figures, day.ranks
    assert found is not None  # the slot is one of the day's
    return Price(
        start=slot.start,
        end=slot.end,
        value=slot.value,
        currency=meaning.curve.currency,
        unit=currency.unit(meaning.curve.currency),
        level=verdict.level,
        rating=verdict.rating,
        rank=ranks.rank(slot.value),
        rank_of=len(day.slots),
        percentile=ranks.percentile(slot.value),
        min=found.least.value,
        max=found.greatest.value,
        mean=found.mean,
        trailing_mean=verdict.trailing_mean,
        leading_mean=verdict.leading_mean,
        difference=verdict.difference,
        hour_mean=verdict.hour_mean,
        trend=verdict.trend,
        trend_change=verdict.trend_change,
        phase=verdict.phase,
        period=verdict.period,
    )


def window(window: Window, chosen: Chosen) -> WindowPayload:
    """Return what was chosen of `window`, its segments where it may have several."""
    segments = None if window.settings.contiguous else tuple(StretchPayload(**one._asdict()) for one in chosen.segments)
    return WindowPayload(start=chosen.start, end=chosen.end, mean=chosen.mean, segments=segments)


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


def day_figures(day: Day) -> DayFigures | None:
    """Return the figures of a local day, or None where nothing of it is known."""
    found = day.figures
    if found is None:
        return None
    return DayFigures(
        start=day.start,
        end=day.end,
        min=found.least.value,
        min_at=found.least.start,
        max=found.greatest.value,
        max_at=found.greatest.start,
        mean=found.mean,
        median=found.median,
        complete=day.complete,
    )


def summary(meaning: Meaning, moment: datetime) -> Summary:
    """Return the glance at today and tomorrow; what is to come begins with the slot in force."""
    curve, today = meaning.curve, meaning.day(moment)
    figures, volatility, slot = day_figures(today), today.volatility, curve.at(moment)
    since = slot.start if slot else moment
    best, peak = meaning.best(since), meaning.peak(since)
    verdict = meaning.verdict(slot) if slot else None
    display_unit, display_factor = currency.display(curve.currency)
    return Summary(
        currency=curve.currency,
        unit=currency.unit(curve.currency),
        display_unit=display_unit,
        display_factor=display_factor,
        min=figures.min if figures else None,
        max=figures.max if figures else None,
        mean=figures.mean if figures else None,
        median=figures.median if figures else None,
        today=figures,
        tomorrow=day_figures(meaning.day(today.end)),
        data_until=curve.end,
        resolution=grid.resolution(shown(curve, meaning.zone, moment)),
        source_resolution=curve.source_resolution,
        trailing_mean=verdict.trailing_mean if verdict else None,
        limits=meaning.level_limits(slot) if slot else None,
        volatility=volatility.word if volatility else None,
        trend=verdict.trend if verdict else None,
        cheapest={name: meaning.cheapest(length, since) for name, length in CHEAPEST.items()},
        best=(best.start, best.end) if best else None,
        peak=(peak.start, peak.end) if peak else None,
    )
