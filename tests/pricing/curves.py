"""Curves for the tests of what prices mean: strategies of hypothesis, and days drawn by hand."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bridge.models.price import QUARTER_HOUR, Curve, Slot
from bridge.pricing.sums import Sums
from tests.support import quarters, utc

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = utc("2026-06-09T22:00")  # in Berlin
LENGTHS = (15, 30, 60, 420)  # minutes; the last is a night

prices = st.decimals(-1, 2, places=4)


@st.composite
def curves(draw: st.DrawFn, *, most: int = 60, gaps: bool = True) -> Curve:
    """Slots of several lengths, some of them apart."""
    start, slots = MIDNIGHT, list[Slot]()
    for _ in range(draw(st.integers(1, most))):
        start += timedelta(minutes=draw(st.sampled_from((0, 0, 0, 15, 60)))) if gaps else timedelta()
        end = start + timedelta(minutes=draw(st.sampled_from(LENGTHS)))
        slots.append(Slot(start, end, draw(prices)))
        start = end
    return Curve(currency="EUR", slots=tuple(slots))


def repriced(curve: Curve, values: Sequence[Decimal]) -> Curve:
    slots = tuple(slot._replace(value=value) for slot, value in zip(curve.slots, values, strict=True))
    return curve.model_copy(update={"slots": slots})


def shifted(curve: Curve, by: timedelta) -> Curve:
    slots = tuple(slot._replace(start=slot.start + by, end=slot.end + by) for slot in curve.slots)
    return curve.model_copy(update={"slots": slots})


def duck(base: str = "0.20", depth: str = "0.15") -> list[Decimal]:
    """Return 96 prices with a morning peak, a deep noon and a higher evening peak."""
    bells = ((8, 1.5, 0.8), (13, 2.0, -1.0), (19, 2.0, 1.0))
    heights = [sum(high * math.exp(-(((index / 4 - at) / wide) ** 2) / 2) for at, wide, high in bells) for index in range(96)]
    return [(Decimal(base) + Decimal(depth) * Decimal(height)).quantize(Decimal("0.0001")) for height in heights]


def sums(values: Sequence[Decimal | float | str], start: datetime = MIDNIGHT) -> Sums:
    """Return the sums of quarter-hours from `start` on."""
    return Sums(quarters(start, [str(value) for value in values]))


def hourly(values: Sequence[Decimal | float | str], start: datetime = MIDNIGHT) -> tuple[Slot, ...]:
    hour = 4 * QUARTER_HOUR
    return tuple(Slot(start + n * hour, start + (n + 1) * hour, Decimal(str(value))) for n, value in enumerate(values))
