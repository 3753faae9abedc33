"""WARP chargers of Tinkerforge: our `slots` as the integers that `day_ahead_prices/prices_update` takes.

They come in thousandths of a cent, by quarter-hours from a Unix time in minutes, 200 at the most, and there is no word for
unknown: a gap would be a price. So the longest run without one is told, and outside it the charger knows that it knows nothing.
Facts of the firmware's `software/src/modules/day_ahead_prices`, read in 2026.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from bridge.models.message import Message
from bridge.readers.settings import WarpSettings
from bridge.topics import WARP_PRICES, Topics

FROM_MAJOR = 100_000  # thousandths of a hundredth in one of the currency
MINUTE_S = 60
STEP = 15  # min
QUARTERS = 0  # what the firmware calls this resolution
MOST = 200
BEYOND = 2**31  # the charger's numbers have 32 bits: what is more is unknown to it


class Quarter(NamedTuple):
    """A quarter-hour from `start` on, Unix time in minutes; `price` in thousandths of a cent per kWh."""

    start: int
    price: int


class Warp:
    """Tells the configured chargers."""

    def __init__(self, topics: Topics, chargers: Iterable[WarpSettings]) -> None:
        self._told: dict[str, list[str]] = {}  # by the topic of our slots
        for charger in chargers:
            ours = topics.price(charger.source, charger.site, charger.stream, "slots")
            self._told.setdefault(ours, []).append(f"{charger.topic}/{WARP_PRICES}")

    def messages(self, message: Message) -> Iterator[Message]:
        """Yield what the chargers are told when `message` is published: the same prices, worth as long; empty where it is."""
        topics = self._told.get(message.topic, ())
        payload = prices(message.payload) if topics and message.payload else b""
        for topic in topics:
            yield message._replace(topic=topic, payload=payload)


def prices(slots: bytes) -> bytes:
    """Return the payload of `prices_update` for that of our `slots`; empty where not one quarter-hour is known."""
    told = longest(list(quarters(json.loads(slots, parse_float=Decimal))))[:MOST]
    if not told:
        return b""
    about = {"first_date": told[0].start, "resolution": QUARTERS, "prices": [quarter.price for quarter in told]}
    return json.dumps(about, separators=(",", ":")).encode()


def quarters(slots: Iterable[Mapping[str, str | Decimal]]) -> Iterator[Quarter]:
    """Yield the whole quarter-hours of `slots`; what lies across two of them is left out, and what is beyond any number."""
    for slot in slots:
        start, end = (int(datetime.fromisoformat(str(slot[key])).timestamp()) // MINUTE_S for key in ("start", "end"))
        price = round(Decimal(slot["value"]) * FROM_MAJOR)
        first = -(-start // STEP) * STEP
        if abs(price) < BEYOND:
            yield from (Quarter(begin, price) for begin in range(first, end - STEP + 1, STEP))


def longest(known: list[Quarter]) -> list[Quarter]:
    """Return the longest run of `known` without a gap, the earlier of equals."""
    best: list[Quarter] = []
    run: list[Quarter] = []
    for quarter in known:
        follows = bool(run) and quarter.start == run[-1].start + STEP
        if not follows:
            run = []
        run.append(quarter)
        best = max(best, run, key=len)
    return best
