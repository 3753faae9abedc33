"""Entities of prices: now and next, what they mean, the configured windows, and what energy cost.

A price of a kWh has no device class: `monetary` would take neither its unit nor its state class. The Energy dashboard wants the
unit alone, which must be the major one: it takes ct/kWh too, and then every cost is a hundredfold.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bridge.models.price import Curve
from bridge.pricing.cost import PERIODS
from bridge.pricing.currency import unit
from bridge.pricing.rating import HIGH, LEVELS, LOW, NORMAL
from bridge.pricing.trend import WORDS
from bridge.readers.home_assistant import entity
from bridge.readers.home_assistant.entity import BINARY_SENSOR, MEASUREMENT, ON_OFF, SENSOR, TOTAL, Entity, key, spoken, title
from bridge.readers.home_assistant.place import Place
from bridge.readers.home_assistant.settings import Kind
from bridge.topics import Topics

USUAL_STREAM, SOLD = "import", "export"
WHEN = {"today": "today", "yesterday": "yesterday", "month": "this month"}
PRECISION, CENTS = 4, 2  # digits behind the point that are shown
LATE = timedelta(minutes=5)  # that a price may come after the one before has ended


def prices(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    """Yield the entities of the prices of every stream of a site."""
    for stream, curve in place.curves.items():
        yield from _price(topics, source, place.name, stream, curve)


def windows(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    for window in place.windows.values():
        about = source, place.name, window.settings.stream, window.name
        topic, name = topics.window(*about), title(spoken(window.name))
        for end in ("start", "end"):
            known = {**entity.instant(topic, end), **(entity.attributes(topic) if end == "start" else {})}
            yield Entity("window", SENSOR, key("window", window.name, end), f"{name} {end}", known)
        active = {"state_topic": topics.window_active(*about), **ON_OFF}
        yield Entity("window", BINARY_SENSOR, key("window", window.name, "active"), f"{name} active", active)


def costs(topics: Topics, source: str, place: Place) -> Iterator[Entity]:
    """Yield what each stream cost, or earned; a total that begins anew with each day or month."""
    for stream in sorted({stream for stream, _ in place.costs}):
        curve = place.curves.get(stream)
        money = _money((curve.currency if curve else None) or place.site.currency)
        for period in PERIODS:
            topic = topics.cost(source, place.name, stream, period)
            about = {"state_topic": topic, "value_template": entity.value("value"), **money, **entity.attributes(topic)}
            word = "earnings" if stream == SOLD else "cost"
            yield Entity("cost", SENSOR, key("cost", stream, period), _named(stream, f"{word} {WHEN[period]}"), about)


def _money(currency: str | None) -> dict[str, Any]:
    if currency is None:
        return {}
    about = {"device_class": "monetary", "state_class": TOTAL, "unit_of_measurement": currency}
    return {**about, **entity.reset(), "suggested_display_precision": CENTS}


def _price(topics: Topics, source: str, site: str, stream: str, curve: Curve) -> Iterator[Entity]:
    current, following = (topics.price(source, site, stream, figure) for figure in ("current", "next"))
    dies = {"expire_after": _expiry_s(curve)}
    now = {"state_topic": current, **dies}
    number = {
        **dies,
        "value_template": entity.value("value"),
        "state_class": MEASUREMENT,
        "suggested_display_precision": PRECISION,
    }
    if (money := unit(curve.currency)) is not None:
        number["unit_of_measurement"] = money
    described: dict[Kind, tuple[str, dict[str, Any]]] = {
        "price": ("price", {**now, **number, **entity.attributes(topics.price(source, site, stream, "summary"))}),
        "next_price": ("next price", {"state_topic": following, **number}),
        "next_change": ("next price change", {**entity.instant(current, "end"), **dies}),
        "level": ("price level", {**now, **entity.one_of("level", LEVELS)}),
        "rating": ("price rating", {**now, **entity.one_of("rating", (LOW, NORMAL, HIGH))}),
        "rank": ("price rank", {**now, "value_template": entity.value("rank"), "state_class": MEASUREMENT}),
        "trend": ("price trend", {**now, **entity.one_of("trend", WORDS)}),
    }
    for kind, (name, about) in described.items():
        at = key("price", stream) if kind == "price" else key("price", stream, kind.removesuffix("_price").replace("_", "-"))
        yield Entity(kind, SENSOR, at, _named(stream, name), about)


def _named(stream: str, usual: str) -> str:
    """Return the name of what a site has for each stream; that of the import goes without saying."""
    return title(usual if stream == USUAL_STREAM else f"{spoken(stream)} {usual}")


def _expiry_s(curve: Curve) -> int:
    """Return how long a price is worth anything: it comes anew with each slot, unless the bridge is dead."""
    longest = max((slot.end - slot.start for slot in curve.slots), default=curve.source_resolution)
    return int((longest + LATE).total_seconds())
