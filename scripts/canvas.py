"""A chart over time as SVG text: what the drawings of docs/ are made of. x is an instant, y a price, whatever they mean.

Numbers are written with one decimal, so that the same chart is the same text on every machine.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from bridge.models.price import Slot

WIDTH, HEIGHT = 760.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 12.0, 34.0, 26.0
GRID, INK, MILD = "#e3e3e3", "#222222", "#777777"
CT = 100  # to the major unit
MOST_LINES = 8  # across
HOURS = 3  # between two marks on the axis


class Chart:
    """A title, axes, and what is drawn upon them in order: what comes later lies above."""

    def __init__(self, title: str, span: tuple[datetime, datetime], prices: Sequence[float], zone: ZoneInfo) -> None:
        """`prices` are those that the scale must reach, in the major unit."""
        self._span, self._zone = span, zone
        spread = max(prices) - min(prices)
        self._low, self._high = min(prices) - 0.08 * spread, max(prices) + 0.08 * spread
        self._parts: list[str] = []
        self._legend = LEFT
        self._title = title

    def x(self, moment: datetime) -> float:
        start, end = self._span
        return LEFT + (WIDTH - LEFT - RIGHT) * ((moment - start) / (end - start))

    def y(self, price: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self._high - price) / (self._high - self._low)

    def band(self, start: datetime, end: datetime, colour: str, opacity: float = 0.25) -> None:
        """Colour the background from `start` to `end`."""
        self._rect(self.x(start), TOP, self.x(end), HEIGHT - BOTTOM, colour, opacity)

    def area(self, low: float, high: float, colour: str) -> None:
        """Colour the background between two prices."""
        self._rect(LEFT, self.y(high), WIDTH - RIGHT, self.y(low), colour, 0.18)

    def bars(self, slots: Iterable[Slot], colours: Iterable[str]) -> None:
        """Draw each slot as a bar from 0."""
        for slot, colour in zip(slots, colours, strict=True):
            top, base = sorted((self.y(float(slot.value)), self.y(0.0)))
            self._rect(self.x(slot.start), top, self.x(slot.end), base, colour, 0.85)

    def steps(self, slots: Sequence[Slot], colour: str = INK) -> None:
        """Draw the price as it is: constant inside each slot."""
        points = [(moment, float(slot.value)) for slot in slots for moment in (slot.start, slot.end)]
        self.line(points, colour)

    def line(self, points: Iterable[tuple[datetime, float]], colour: str, dash: str = "") -> None:
        path = " ".join(f"{self.x(moment):.1f},{self.y(price):.1f}" for moment, price in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dashed}/>')

    def level(self, price: float, colour: str, text: str) -> None:
        """Draw a dashed line at a price, and what it is."""
        self.line([(moment, price) for moment in self._span], colour, "5 4")
        self._text(WIDTH - RIGHT - 4, self.y(price) - 4, text, colour, "end")

    def mark(self, moment: datetime, text: str, colour: str = INK) -> None:
        """Draw an upright line at a moment, and what it is."""
        x = self.x(moment)
        ends = f'x1="{x:.1f}" y1="{TOP:.1f}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM:.1f}"'
        self._parts.append(f'<line {ends} stroke="{colour}" stroke-dasharray="2 3"/>')
        self._text(x + 3, TOP + 11, text, colour)

    def dot(self, moment: datetime, price: float, colour: str) -> None:
        self._parts.append(f'<circle cx="{self.x(moment):.1f}" cy="{self.y(price):.1f}" r="3.5" fill="{colour}"/>')

    def key(self, colour: str, text: str) -> None:
        """Add to the legend below the title."""
        self._rect(self._legend, 20.0, self._legend + 10.0, 30.0, colour, 0.85)
        self._text(self._legend + 14.0, 29.0, text, MILD)
        self._legend += 26.0 + 6.3 * len(text)

    def svg(self) -> str:
        frame = f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" width="{WIDTH:.0f}" height="{HEIGHT:.0f}"'
        style = 'font-family="sans-serif" font-size="11"'
        title = f'<text x="{LEFT:.1f}" y="14.0" fill="{INK}" font-weight="bold">{escape(self._title)}</text>'
        ground = f'<rect width="{WIDTH:.0f}" height="{HEIGHT:.0f}" fill="#ffffff"/>'
        lines = [ground, title, *self._axes(), *self._parts]
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {frame} {style}>', *lines, "</svg>", ""])

    def _axes(self) -> Iterable[str]:
        start, end = self._span
        moment = start
        while moment <= end:
            x = self.x(moment)
            yield f'<line x1="{x:.1f}" y1="{TOP:.1f}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM:.1f}" stroke="{GRID}"/>'
            yield _label(x, HEIGHT - BOTTOM + 15, f"{moment.astimezone(self._zone):%H:%M}", "middle")
            moment += timedelta(hours=HOURS)
        step = next(step for step in (1, 2, 5, 10, 20, 50) if (self._high - self._low) * CT / step < MOST_LINES)
        for cents in range(-100, 200):
            if cents % step == 0 and self._low <= cents / CT <= self._high:
                y = self.y(cents / CT)
                colour = MILD if cents == 0 else GRID
                yield f'<line x1="{LEFT:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT:.1f}" y2="{y:.1f}" stroke="{colour}"/>'
                yield _label(LEFT - 5, y + 4, f"{cents} ct", "end")

    def _rect(self, left: float, top: float, right: float, bottom: float, colour: str, opacity: float) -> None:
        size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
        self._parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{colour}" fill-opacity="{opacity}"/>')

    def _text(self, x: float, y: float, text: str, colour: str, anchor: str = "start") -> None:
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>')


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{MILD}" text-anchor="{anchor}">{text}</text>'
