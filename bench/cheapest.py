"""How long it takes to choose when to run, from two days of quarter-hours: in one go, whenever, and in pieces."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.table import Row
from bridge.models.price import HOUR, QUARTER_HOUR, Curve, Slot
from bridge.pricing.cheapest import Wanted, cheapest

SLOTS, ROUNDS = 192, 15
START = datetime(2026, 6, 10, tzinfo=UTC)
LIMIT_MS = 10.0
KINDS = {
    "in one go": Wanted(4 * HOUR),
    "whenever": Wanted(4 * HOUR, contiguous=False),
    "in segments of 30 min": Wanted(4 * HOUR, contiguous=False, min_segment=HOUR / 2),
    "24 h in segments of 30 min": Wanted(24 * HOUR, contiguous=False, min_segment=HOUR / 2),
}


async def measured(_: Path) -> list[Row]:
    return [_row(kind, wanted) for kind, wanted in KINDS.items()]


def _row(kind: str, wanted: Wanted) -> Row:
    chance = random.Random(1)
    starts = [START + number * QUARTER_HOUR for number in range(SLOTS)]
    slots = tuple(Slot(start, start + QUARTER_HOUR, Decimal(chance.randint(-1000, 5000)).scaleb(-4)) for start in starts)
    curve = Curve(currency="EUR", slots=slots)
    on_grid = median(_milliseconds(curve, wanted, START) for _ in range(ROUNDS))
    between = median(_milliseconds(curve, wanted, START + timedelta(minutes=5)) for _ in range(ROUNDS))
    text = f"{on_grid:.2f} ms; {between:.2f} ms from five past on"
    return Row(f"cheapest of {SLOTS} slots, {kind}", text, f"{on_grid:.1f} ms", f"≤ {LIMIT_MS:.0f} ms", on_grid <= LIMIT_MS)


def _milliseconds(curve: Curve, wanted: Wanted, earliest: datetime) -> float:
    begun = perf_counter()
    assert cheapest(curve, wanted, earliest, START + 2 * 24 * HOUR) is not None
    return (perf_counter() - begun) * 1000
