"""Draws the pictures of docs/pricing.md from made-up prices, by the code that judges real ones: `python -m scripts.draw_prices`.

A test compares what is drawn with what lies in docs/: a picture that no longer says what the code does fails it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.models.price import HOUR, QUARTER_HOUR, Curve, Slot
from bridge.models.reading import Reading
from bridge.pricing.cost import cost, counted
from bridge.pricing.judged import Day
from bridge.pricing.meaning import Meaning
from bridge.pricing.rating import LEVELS
from bridge.pricing.settings import USUAL
from bridge.pricing.trend import WORDS
from bridge.pricing.volatility import FENCE
from bridge.pricing.windows import Window, WindowSettings, rechosen
from bridge.simulator.prices import price
from scripts.canvas import MILD, Chart

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pricing"
ZONE = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 11, 18, 23, tzinfo=UTC)  # midnight there; the day before is known, and not drawn
TODAY, TOMORROW = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
END = FIRST + timedelta(days=3)
GREEN, LIME, GREY, ORANGE, RED, BLUE = "#1a9850", "#91cf60", "#9e9e9e", "#fc8d59", "#d73027", "#4575b4"
LOWER, UPPER = 25, 75  # percentiles
RATING = {"low": GREEN, "normal": GREY, "high": RED}
LEVEL = dict(zip(LEVELS, (GREEN, LIME, GREY, ORANGE, RED), strict=True))
TREND = dict(zip(WORDS, (GREEN, LIME, GREY, ORANGE, RED), strict=True))
PHASE = {"rising": RED, "flat": GREY, "falling": GREEN}


def known() -> Curve:
    """Return three days of quarter-hours."""
    starts = (FIRST + number * QUARTER_HOUR for number in range(3 * 96))
    return Curve(currency="EUR", slots=tuple(Slot(start, start + QUARTER_HOUR, price(start, "docs").total) for start in starts))


CURVE = known()
MEANING = Meaning(CURVE, ZONE)


def chart(title: str, start: datetime = TODAY, end: datetime = TOMORROW, more: Iterable[float] = ()) -> tuple[Chart, list[Slot]]:
    """Return an empty chart of [start, end), and the slots that belong into it."""
    slots = list(CURVE.between(start, end))
    return Chart(title, (start, end), [*(float(slot.value) for slot in slots), 0.0, *more], ZONE), slots


def averages() -> str:
    """The means of 24 hours move with the slot, and those of an hour stand."""
    drawn, slots = chart("trailing_mean, leading_mean and hour_mean")
    drawn.steps(slots, GREY)
    found = [(slot.start, MEANING.verdict(slot)) for slot in slots]
    drawn.line([(start, float(one.trailing_mean)) for start, one in found if one.trailing_mean is not None], BLUE)
    drawn.line([(start, float(one.leading_mean)) for start, one in found if one.leading_mean is not None], ORANGE)
    hours = [slot._replace(value=one.hour_mean) for slot, (_, one) in zip(slots, found, strict=True) if one.hour_mean is not None]
    drawn.steps(hours, GREEN)
    for colour, text in ((GREY, "value"), (BLUE, "trailing_mean"), (ORANGE, "leading_mean"), (GREEN, "hour_mean")):
        drawn.key(colour, text)
    return drawn.svg()


def rating() -> str:
    """A price is low or high against the 24 hours before it."""
    drawn, slots = chart("rating: against trailing_mean, with the thresholds 10 % off it")
    verdicts = [MEANING.verdict(slot) for slot in slots]
    drawn.bars(slots, [RATING.get(one.rating or "", GREY) for one in verdicts])
    for share in (USUAL.rating_low, Decimal(0), USUAL.rating_high):
        means = [(slot.start, one.trailing_mean) for slot, one in zip(slots, verdicts, strict=True)]
        points = [(start, float(mean + abs(mean) * share / 100)) for start, mean in means if mean is not None]
        drawn.line(points, BLUE, "4 3" if share else "")
    _keys(drawn, RATING)
    drawn.key(BLUE, "trailing_mean")
    return drawn.svg()


def levels() -> str:
    """Five levels, parted by four limits."""
    drawn, slots = chart("level: where the provider has none of its own")
    drawn.bars(slots, [LEVEL.get(MEANING.verdict(slot).level or "", GREY) for slot in slots])
    for number in range(4):
        found = [(slot.start, MEANING.level_limits(slot)) for slot in slots]
        drawn.line([(start, float(limits[number])) for start, limits in found if limits], BLUE, "4 3")
    _keys(drawn, LEVEL)
    drawn.key(BLUE, "limits")
    return drawn.svg()


def trends() -> str:
    """The trend of each slot, and when the one now changes."""
    drawn, slots = chart("trend: the mean of the next three hours against the price now")
    for slot in slots:
        drawn.band(slot.start, slot.end, TREND.get(MEANING.verdict(slot).trend or "", GREY), 0.35)
    drawn.steps(slots)
    now = slots[0]
    while (turn := MEANING.verdict(now).trend_change) is not None and turn < TOMORROW:
        drawn.mark(turn, "trend_change")
        now = next(slot for slot in slots if slot.start == turn)
    _keys(drawn, TREND)
    return drawn.svg()


def volatility() -> str:
    """Quartiles, the fences beyond them, and the spikes beyond these."""
    day = MEANING.day(TODAY)
    found = day.volatility
    assert found is not None  # the day is known
    fences = [float(found.q25 - FENCE * (found.q75 - found.q25)), float(found.q75 + FENCE * (found.q75 - found.q25))]
    drawn, slots = chart(f"volatility: {found.word}, as cv is {found.cv:.0f} %", more=fences)
    drawn.area(float(found.q25), float(found.q75), BLUE)
    drawn.steps(slots)
    for value, text in ((found.q25, "q25"), (found.median, "median"), (found.q75, "q75")):
        drawn.level(float(value), BLUE, text)
    for fence in fences:
        drawn.level(fence, RED, "fence")
    for slot in slots:
        if not fences[0] <= float(slot.value) <= fences[1]:
            drawn.dot(slot.start + QUARTER_HOUR / 2, float(slot.value), RED)
    drawn.key(BLUE, "half of the time")
    drawn.key(RED, f"{found.spikes} spikes")
    return drawn.svg()


def ranks() -> str:
    """The cheapest and the dearest quarter of the day by their percentile."""
    drawn, slots = chart("rank and percentile: how much of the day is cheaper")
    shares = [MEANING.day(TODAY).ranks.percentile(slot.value) for slot in slots]
    drawn.bars(slots, [GREEN if share < LOWER else RED if share >= UPPER else GREY for share in shares])
    first = min(slots, key=lambda slot: slot.value)
    drawn.mark(first.start, "rank 1")
    for colour, text in ((GREEN, f"percentile below {LOWER}"), (GREY, f"{LOWER} to {UPPER}"), (RED, f"{UPPER} and above")):
        drawn.key(colour, text)
    return drawn.svg()


def phases() -> str:
    """The day's pattern, and its phases."""
    shape = MEANING.day(TODAY).shape
    assert shape is not None  # the day is known
    drawn, slots = chart(f"pattern: {shape.word}, and its phases")
    for phase in shape.phases:
        drawn.band(phase.start, phase.end, PHASE[phase.word])
    drawn.steps(slots)
    _keys(drawn, PHASE)
    return drawn.svg()


def periods() -> str:
    """Best and peak periods of two days, and of a flat one none."""
    drawn, slots = chart("period: best and peak", TODAY, END)
    for start in (TODAY, TOMORROW):
        _periods(drawn, MEANING.day(start))
    drawn.steps(slots)
    drawn.key(GREEN, "best")
    drawn.key(RED, "peak")
    drawn.key(BLUE, "mean of the day")
    return drawn.svg()


def _periods(drawn: Chart, day: Day) -> None:
    for found, colour in ((day.best, GREEN), (day.peak, RED)):
        for period in found:
            drawn.band(period.start, period.end, colour, 0.35)
    assert day.figures is not None  # the day is known
    drawn.line([(moment, float(day.figures.mean)) for moment in (day.start, day.end)], BLUE, "5 4")


def windows() -> str:
    """One window in one go, and one in pieces, in the same night."""
    begin, end = TODAY + timedelta(hours=16), TODAY + timedelta(hours=34)
    drawn, slots = chart('windows: duration = "PT3H", not_before = "18:00", deadline = "07:00"', begin, end)
    frame = {"duration": "PT3H", "not_before": "18:00", "deadline": "07:00"}
    drawn.mark(TODAY + timedelta(hours=18), "not_before", MILD)
    drawn.mark(TODAY + timedelta(hours=31), "deadline", MILD)
    for contiguous, colour in ((True, BLUE), (False, GREEN)):
        settings = WindowSettings.model_validate({**frame, "contiguous": contiguous})
        chosen = rechosen(Window(name="night", settings=settings), CURVE, ZONE, begin).at(begin)
        assert chosen is not None  # the night is known
        for segment in chosen.segments:
            drawn.band(segment.start, segment.end, colour, 0.4)
        drawn.key(colour, "contiguous" if contiguous else "in pieces")
    drawn.steps(slots)
    return drawn.svg()


def costs() -> str:
    """Each hour's energy by its mean price; a reading that is missing is a gap, and what it cost is not guessed."""
    energy = [Decimal(number % 5 + 1) / 2 for number in range(24)]
    starts = [TODAY + number * HOUR for number in range(24)]
    readings = [
        Reading(meter="import", quantity="energy", value=kwh, unit="kWh", start=start, end=start + HOUR)
        for start, kwh in zip(starts, energy, strict=True)
        if start != TODAY + 9 * HOUR
    ]
    days = counted({}, readings, {"import": CURVE}, ZONE, TOMORROW)
    found = cost(days, "import", "yesterday", ZONE, TOMORROW, Decimal("0.40"))
    assert found is not None  # there are readings
    spans = [span for day in days.values() for span in day.spans]
    amounts = [Slot(span.start, span.end, span.energy * (span.price or 0)) for span in spans]
    title = f"cost: {found.value:.2f} EUR, complete: {str(found.complete).lower()}, standing_charge: {found.standing_charge} EUR"
    drawn = Chart(title, (TODAY, TOMORROW), [0.0, *(float(slot.value) for slot in amounts)], ZONE)
    drawn.bars(amounts, [BLUE] * len(amounts))
    drawn.mark(TODAY + 9 * HOUR, "no reading", RED)
    drawn.key(BLUE, "energy × price of each hour")
    return drawn.svg()


def _keys(drawn: Chart, colours: Mapping[str, str]) -> None:
    for word, colour in colours.items():
        drawn.key(colour, word)


DRAWINGS: Mapping[str, Callable[[], str]] = {
    "averages": averages,
    "rating": rating,
    "levels": levels,
    "trend": trends,
    "volatility": volatility,
    "ranks": ranks,
    "phases": phases,
    "periods": periods,
    "windows": windows,
    "cost": costs,
}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (FOLDER / f"{name}.svg").write_text(draw(), "utf-8")
